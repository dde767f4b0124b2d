//! SRTP and SRTCP (RFC 3711) with the suites of RFC 4568 and RFC 7714: pure, in place, nothing allocated for a packet.
//!
//! [`Protector`] seals what one side sends under its master key, [`Unprotector`] opens what the other side sent under
//! its own. A packet is authenticated before anything is believed of it: one that is not authentic changes no state at
//! all, neither indices nor replay windows nor the set of sources.
//!
//! Out of scope: key derivation rates, the packets' own `<From, To>` key ranges, encrypted header extensions (RFC
//! 6904).

mod cipher;
mod derivation;
mod index;
mod protector;
#[cfg(test)]
mod tests;
mod unprotector;
mod window;

pub use protector::Protector;
pub use unprotector::Unprotector;

/// The most octets that protection adds to an RTP packet.
pub const MAX_RTP_OVERHEAD: usize = 16;
/// The most octets that protection adds to an RTCP packet.
pub const MAX_RTCP_OVERHEAD: usize = 20;
/// How many sources (SSRCs) one key serves at a time, RTP and RTCP apart.
pub const MAX_SOURCES: usize = 4;

/// Why a packet is not protected or not opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SrtpError {
    /// Too short, or no RTP or RTCP at all.
    #[error("not a packet that SRTP could protect")]
    Malformed,
    /// Its tag is wrong: it was not made with our peer's key.
    #[error("not authentic")]
    Forged,
    /// It was received before, or is too old to tell.
    #[error("received before")]
    Replayed,
    /// No index is left under this key (RFC 3711 section 9.2), or an earlier one would be used again.
    #[error("no packet index is left under this key")]
    Exhausted,
    /// More than [`MAX_SOURCES`] sources were to be protected under one key.
    #[error("too many sources under one key")]
    TooManySources,
    /// The buffer has no room for what protection adds.
    #[error("no room for the authentication tag")]
    NoRoom,
}

/// The octets of an RTP packet before its payload: header, sources, extension. They stay in the clear.
fn rtp_header_len(packet: &[u8]) -> Option<usize> {
    let first = *packet.first()?;
    if first >> 6 != 2 {
        return None;
    }
    let fixed = 12 + 4 * usize::from(first & 0x0F);
    let length = if first & 0x10 == 0 {
        fixed
    } else {
        let words = u16::from_be_bytes(*packet.get(fixed + 2..)?.first_chunk()?);
        fixed + 4 + 4 * usize::from(words)
    };
    (length <= packet.len()).then_some(length)
}

/// The sequence number and source of an RTP packet.
fn rtp_source(packet: &[u8]) -> Option<(u16, u32)> {
    let sequence = u16::from_be_bytes(*packet.get(2..)?.first_chunk()?);
    Some((sequence, u32::from_be_bytes(*packet.get(8..)?.first_chunk()?)))
}

/// The source of an RTCP packet: that of its first report.
fn rtcp_source(packet: &[u8]) -> Option<u32> {
    if packet.first()? >> 6 != 2 {
        return None;
    }
    Some(u32::from_be_bytes(*packet.get(4..)?.first_chunk()?))
}
