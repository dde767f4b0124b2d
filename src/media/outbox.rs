//! Packets to send, side by side in one buffer that is kept from tick to tick: nothing is allocated for a packet.

use super::slots::LegSlot;
use crate::types::CallId;
use std::net::SocketAddr;
use std::ops::Range;

/// Which of a leg's two streams a packet belongs to. With rtcp-mux, RTCP is told apart after reception.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PacketKind {
    /// Media, on the RTP port.
    Rtp,
    /// Reports, on the RTCP port (or on the RTP port with rtcp-mux).
    Rtcp,
}

/// A packet to be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Transmit<'a> {
    /// Whose socket sends it.
    pub slot: LegSlot,
    /// The same leg by name.
    pub leg: CallId,
    /// Which of its sockets.
    pub kind: PacketKind,
    /// Where to.
    pub destination: SocketAddr,
    /// The datagram.
    pub bytes: &'a [u8],
}

/// A leg, by its place and its name.
pub(crate) type Who = (LegSlot, CallId);

/// Room that a leg's packets of one tick need.
const PACKETS_PER_LEG: usize = 3;
const BYTES_PER_LEG: usize = 768;
/// Legs whose room is kept though they are gone.
const KEPT_FOR_LEGS: usize = 32;

/// The packets of a tick.
#[derive(Debug, Default)]
pub(crate) struct Outbox {
    bytes: Vec<u8>,
    packets: Vec<Packet>,
}

#[derive(Debug)]
struct Packet {
    slot: LegSlot,
    leg: CallId,
    kind: PacketKind,
    destination: SocketAddr,
    bytes: Range<usize>,
}

/// A packet's sender and destination.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Envelope {
    pub(crate) slot: LegSlot,
    pub(crate) leg: CallId,
    pub(crate) kind: PacketKind,
    pub(crate) destination: SocketAddr,
}

impl Outbox {
    /// Adds a packet made of `head` and `payload`.
    pub(crate) fn push(&mut self, envelope: Envelope, head: &[u8], payload: &[u8]) {
        let start = self.bytes.len();
        self.bytes.extend_from_slice(head);
        self.bytes.extend_from_slice(payload);
        let Envelope { slot, leg, kind, destination } = envelope;
        self.packets.push(Packet { slot, leg, kind, destination, bytes: start..self.bytes.len() });
    }

    /// Adds a packet made of `parts` with `room` octets behind it for `seal`, which gets both and the length of the
    /// packet and gives its new length; `None` takes the packet back.
    pub(crate) fn push_sealed(
        &mut self,
        envelope: Envelope,
        parts: [&[u8]; 2],
        room: usize,
        seal: impl FnOnce(&mut [u8], usize) -> Option<usize>,
    ) {
        let start = self.bytes.len();
        parts.iter().for_each(|part| self.bytes.extend_from_slice(part));
        let length = self.bytes.len() - start;
        self.bytes.resize(start + length + room, 0);
        let sealed = self.bytes.get_mut(start..).and_then(|buffer| seal(buffer, length));
        self.bytes.truncate(start + sealed.unwrap_or(0));
        if sealed.is_some() {
            let Envelope { slot, leg, kind, destination } = envelope;
            self.packets.push(Packet { slot, leg, kind, destination, bytes: start..self.bytes.len() });
        }
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = Transmit<'_>> {
        self.packets.iter().map(|packet| Transmit {
            slot: packet.slot,
            leg: packet.leg,
            kind: packet.kind,
            destination: packet.destination,
            bytes: self.bytes.get(packet.bytes.clone()).unwrap_or(&[]),
        })
    }

    /// Gives back what a rush needed and `legs` legs do not.
    pub(crate) fn relax(&mut self, legs: usize) {
        if self.bytes.capacity() > 8 * BYTES_PER_LEG * legs.max(KEPT_FOR_LEGS) {
            self.packets.shrink_to(PACKETS_PER_LEG * legs);
            self.bytes.shrink_to(BYTES_PER_LEG * legs);
        }
    }

    /// Room for what `legs` legs send in one tick, so that a warm tick need not grow.
    pub(crate) fn reserve(&mut self, legs: usize) {
        self.packets.reserve((legs * PACKETS_PER_LEG).saturating_sub(self.packets.len()));
        self.bytes.reserve((legs * BYTES_PER_LEG).saturating_sub(self.bytes.len()));
    }

    pub(crate) fn clear(&mut self) {
        self.bytes.clear();
        self.packets.clear();
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.packets.is_empty()
    }
}
