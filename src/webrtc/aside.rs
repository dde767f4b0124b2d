//! The way of a connected leg's datagrams that are no media out of its media thread: a bounded ring, nothing allocated.

use nix::sys::eventfd::EventFd;
use rtrb::{Consumer, Producer, RingBuffer};
use std::net::SocketAddr;
use std::sync::Arc;

/// Datagrams that may wait. Checks come every few seconds; what does not fit is lost, as in the network.
const WAITING: usize = 8;
/// The longest datagram of ICE or DTLS.
const LONGEST: usize = 1_500;

/// A datagram that is no media.
#[derive(Debug)]
pub struct Datagram {
    /// Who sent it.
    pub source: SocketAddr,
    length: usize,
    bytes: [u8; LONGEST],
}

impl Datagram {
    /// What it holds.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        self.bytes.get(..self.length).unwrap_or_default()
    }
}

/// The media thread's end.
#[derive(Debug)]
pub struct Aside {
    ring: Producer<Datagram>,
    wake: Arc<EventFd>,
}

/// The other end.
#[derive(Debug)]
pub struct AsideReader(Consumer<Datagram>);

/// A ring for one leg, whose reader is woken by `wake`.
#[must_use]
pub fn aside(wake: Arc<EventFd>) -> (Aside, AsideReader) {
    let (ring, reader) = RingBuffer::new(WAITING);
    (Aside { ring, wake }, AsideReader(reader))
}

impl Aside {
    /// Hands over a datagram that is no media; others are passed over.
    pub fn offer(&mut self, source: SocketAddr, bytes: &[u8]) {
        if super::is_media(bytes) || bytes.is_empty() || bytes.len() > LONGEST {
            return;
        }
        let mut datagram = Datagram { source, length: bytes.len(), bytes: [0; LONGEST] };
        datagram.bytes.iter_mut().zip(bytes).for_each(|(to, from)| *to = *from);
        if self.ring.push(datagram).is_ok() {
            // It fails only when the counter is full, and then the reader has been woken.
            let _ = self.wake.write(1);
        }
    }
}

impl AsideReader {
    /// The next datagram.
    pub fn pop(&mut self) -> Option<Datagram> {
        self.0.pop().ok()
    }
}
