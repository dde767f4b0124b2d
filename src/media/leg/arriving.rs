//! What comes to a leg: whether it is believed, and what it tells.

use super::super::outbox::PacketKind;
use super::super::transport::{Dropped, Verdict};
use super::Leg;
use super::receiver::Received;
use crate::rtp::Packet;
use std::net::SocketAddr;
use std::time::Instant;

/// What a packet brought that the gateway must know.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Arrived {
    /// It was media from whom we believe.
    pub(crate) believed: bool,
    /// It is the leg's first valid one.
    pub(crate) first: bool,
    /// A key was pressed.
    pub(crate) digit: Option<char>,
    /// It is the leg's first packet that holds too much sound to be played: how much, milliseconds.
    pub(crate) too_long: Option<u32>,
    /// The other side said goodbye.
    pub(crate) bye: bool,
    /// Its sound has another sample rate from here on.
    pub(crate) rate_changed: bool,
}

impl Arrived {
    /// Whether anybody has to be told of it, which is so of few packets.
    pub(crate) const fn has_news(&self) -> bool {
        self.first || self.digit.is_some() || self.too_long.is_some() || self.bye || self.rate_changed
    }
}

impl Leg {
    /// Takes a datagram that arrived at `arrival` on the port `kind`.
    pub(crate) fn handle_packet(
        &mut self,
        kind: PacketKind,
        arrival: Instant,
        source: SocketAddr,
        bytes: &mut [u8],
    ) -> Arrived {
        match self.transport.receive(kind, arrival, source, bytes) {
            Ok((PacketKind::Rtp, bytes)) => self.handle_rtp(arrival, source, bytes),
            Ok((PacketKind::Rtcp, bytes)) => self.handle_rtcp(arrival, source, bytes),
            Err(dropped) => self.count_dropped(dropped),
        }
    }

    #[cold]
    fn count_dropped(&mut self, dropped: Dropped) -> Arrived {
        match dropped {
            Dropped::Foreign => self.foreign += 1,
            Dropped::Forged => self.forged += 1,
            Dropped::Replayed => self.replayed += 1,
            Dropped::Invalid => self.invalid += 1,
            Dropped::Aside => {}
        }
        Arrived::default()
    }

    fn handle_rtp(&mut self, arrival: Instant, source: SocketAddr, bytes: &[u8]) -> Arrived {
        let Ok(packet) = Packet::parse(bytes) else {
            self.invalid += 1;
            return Arrived::default();
        };
        // Only what was negotiated may teach us an address; but all else shows that the other side is there.
        if !self.receiver.knows(packet.header.payload_type) {
            self.invalid += 1;
            if self.transport.believes_rtp(arrival, source) {
                self.watch.heard(arrival);
                if self.transport.is_source(arrival, source) {
                    // Of the source we hear it is a packet that was not lost, too.
                    self.receiver.receive_unknown(arrival, &packet.header, self.direction.receives());
                }
            }
            return Arrived::default();
        }
        match self.transport.judge_rtp(arrival, source) {
            Verdict::Foreign => {
                self.foreign += 1;
                return Arrived::default();
            }
            Verdict::Moved => self.address_changes += 1,
            Verdict::Accepted => {}
        }
        self.watch.heard(arrival);
        let first = !std::mem::replace(&mut self.heard, true);
        let Received { digit, too_long, rate_changed } =
            self.receiver.receive(arrival, &packet, bytes, self.direction.receives());
        if digit.is_some() {
            self.tones.iter_mut().for_each(|tones| tones.end());
        }
        Arrived { believed: true, first, digit, too_long, bye: false, rate_changed }
    }

    fn handle_rtcp(&mut self, arrival: Instant, source: SocketAddr, bytes: &[u8]) -> Arrived {
        if !self.transport.believes_rtcp(source) {
            self.foreign += 1;
            return Arrived::default();
        }
        match self.reports.receive(arrival, bytes, self.sender.ssrc(), self.receiver.ssrc()) {
            Ok(bye) => {
                self.transport.learn_rtcp(arrival, source);
                self.sender.note_loss(self.reports.remote_fraction_lost());
                self.watch.heard(arrival);
                Arrived { bye, ..Arrived::default() }
            }
            Err(_) => {
                self.invalid += 1;
                Arrived::default()
            }
        }
    }
}
