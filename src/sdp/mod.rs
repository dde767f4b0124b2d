//! Session descriptions (RFC 8866) and the offer/answer model (RFC 3264): pure functions, no state of their own.
//!
//! [`SessionDescription::parse`] reads what phones and carriers really send: bare line feeds, missing `s=` and `t=`,
//! blanks where none belong, lines and attributes nobody knows. What is malformed concerns its media section alone; a
//! call is refused only when it is the line that we would use, with its number. Everything is bounded ([`MAX_BYTES`],
//! [`MAX_LINES`], [`MAX_MEDIA`], [`MAX_FORMATS`]).
//!
//! The order of calls for one dialog:
//!
//! - The peer offers: [`answer`] with what we can do ([`LocalMedia`]) and the [`Negotiation`] before, if there was one.
//! - We offer (an INVITE of ours, a late offer, a re-INVITE): [`offer`], send it, then [`accept_answer`] with what
//!   comes back. When our offer is refused but the call goes on, [`Negotiation::offer_failed`].
//!
//! Keep the latest [`Negotiation`] for each dialog; it carries the session's identity, its `m=` lines and payload types
//! from one exchange to the next.
//!
//! A stream is plain RTP or SRTP with keys in the description (RFC 4568, also on RTP/AVP lines: RFC 8643); see
//! [`LocalSrtp`].
//!
//! Comfort noise is answered and never offered first; audio levels (RFC 6464) are listened to and never sent.
//!
//! Or it is the stream of a browser, whose keys come of DTLS and whose way is found by ICE; see [`LocalWebRtc`]. One
//! audio line is taken of its group (BUNDLE); candidates that come later (trickle) are not waited for.
//!
//! Out of scope for now: DTLS-SRTP without ICE (refused), multicast.

mod audio;
mod crypto;
mod description;
mod error;
mod format;
mod local;
mod offer_answer;
mod parse;
mod security;
#[cfg(test)]
mod tests;
mod webrtc;

pub use audio::HostPort;
pub use description::{Attribute, MediaDescription, NetAddress, Origin, SessionDescription};
pub use error::{Refusal, SdpError};
pub use local::{LocalMedia, PACKET_TIMES};
pub use offer_answer::{Negotiation, accept_answer, answer, offer};
pub use parse::{MAX_BYTES, MAX_FORMATS, MAX_LINES, MAX_MEDIA};
pub use security::LocalSrtp;
pub use webrtc::LocalWebRtc;

/// The Content-Type of a session description.
pub const CONTENT_TYPE: &str = "application/sdp";
