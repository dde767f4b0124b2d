//! Partyline: a telephony conference gateway.
#![warn(missing_docs)]
#![deny(unsafe_op_in_unsafe_fn)]

pub mod audio;
pub mod cli;
pub mod dialplan;
pub mod gateway;
pub mod media;
pub mod net;
pub mod rtp;
pub mod sdp;
pub mod session;
pub mod sip;
pub mod speech;
pub mod types;

/// The origin of a test's virtual clock: the only clock reading tests make.
#[cfg(test)]
pub(crate) fn test_clock() -> std::time::Instant {
    #[expect(clippy::disallowed_methods, reason = "a test needs some origin; it never reads the clock again")]
    std::time::Instant::now()
}
