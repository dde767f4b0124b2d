//! RTP and RTCP (RFC 3550, RFC 3551), telephone events (RFC 4733), levels (RFC 6464, RFC 6465),
//! redundancy (RFC 2198) and the jitter buffer.
//!
//! Bytes from the network never panic here, and nothing allocates after construction.

pub mod audio_level;
pub mod contributors;
pub mod jitter_buffer;
pub mod packet;
pub mod redundancy;
pub mod rtcp;
pub mod sequence;
pub mod srtp;
pub mod telephone_event;

pub use audio_level::AudioLevel;
pub use contributors::{Contributor, Contributors};
pub use jitter_buffer::JitterBuffer;
pub use packet::{Header, Packet};
