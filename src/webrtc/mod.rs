//! The transport of one leg whose other end is a browser: ICE (RFC 8445, RFC 7675) finds the way, DTLS-SRTP (RFC 5764)
//! the keys.
//!
//! A [`Connection`] is a core like the others: it takes the datagrams that are no media ([`is_media`], RFC 7983) and
//! the time, and gives datagrams to send and [`Event`]s. It lives outside the media engines from the answer to the end
//! of the call: an engine gets the leg when it is connected, with the keys, and hands aside ([`aside`]) what comes for
//! the connection from then on.
//!
//! ICE is full ICE, by the crate `is`; DTLS 1.2 by `dimpl`. Both draw what they need of randomness from the system: the
//! keys of a handshake follow from no seed of ours.

mod aside;
mod connection;
mod identity;
#[cfg(test)]
mod tests;

pub use aside::{Aside, AsideReader, Datagram, aside};
pub use connection::{Connection, Event, Lost, Settings, Transmit, TransportAddress, fragment_of_check};
pub use identity::{Identity, IdentityError};
pub use is::Protocol;

/// Whether a datagram is RTP or RTCP by its first octet (RFC 7983): ICE and DTLS share the port with them.
#[must_use]
pub fn is_media(bytes: &[u8]) -> bool {
    bytes.first().is_some_and(|first| (128..192).contains(first))
}
