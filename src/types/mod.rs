//! The leaf every module may use: identifiers, time, deadlines, memory to give back, and what is negotiated for a media
//! stream.

mod addresses;
mod codec;
mod deadlines;
mod digit_source;
mod disturbance;
mod ids;
mod log_limit;
mod media;
mod memory;
mod now;
mod plain;
mod rate;
mod rush;
mod seed;
mod srtp;
mod table;
mod webrtc;

pub use addresses::Addresses;
pub use codec::{AudioCodec, CodecPolicy, OpusSettings, SampleRate};
pub use deadlines::Deadlines;
pub use digit_source::DigitSource;
pub use disturbance::{Disturbance, Disturbances};
pub use ids::{CallId, PlayerId, RecorderId, RoomId, UnitId, first_id_of};
pub use log_limit::{LeftOut, LogLimit};
pub use media::{Direction, MediaParameters, Network, SUPPRESSED_A_THREAD};
pub use memory::give_back_memory;
pub use now::{Now, micros_since};
pub use plain::{Plain, is_plain};
pub use rate::{Rate, Taken};
pub use rush::Rush;
pub use seed::Seed;
pub use srtp::{Mki, SrtpKey, SrtpKeys, SrtpSuite};
pub use table::{IdHasher, IdMap, excess, relax};
pub use webrtc::{DtlsRole, Fingerprint, IceCredentials, WebRtcPeer};
