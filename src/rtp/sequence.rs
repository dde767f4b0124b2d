//! Sequence numbers of one source: validation, loss, jitter (RFC 3550 appendix A.1, A.3, A.8).

use super::Header;
use std::time::Instant;

/// Forward jumps up to this many packets are loss; larger ones a restart of the sender (A.1).
pub const MAX_DROPOUT: u16 = 3_000;
/// Packets up to this many behind the newest are late or duplicate (A.1).
pub const MAX_MISORDER: u16 = 100;

/// What to make of a packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// The first packet of the source.
    First,
    /// In the sequence: newest, or a little behind.
    InSequence,
    /// The sender restarted its sequence: this is the second packet of the new one. Counters start anew.
    Restarted,
    /// A jump, believed only when the next packet follows it. Drop this one.
    Jump,
}

/// What one RTCP report block says about the source (section 6.4.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Reception {
    /// Fraction lost since the last report, parts of 256.
    pub fraction_lost: u8,
    /// Packets lost since the beginning, 24 bits signed.
    pub cumulative_lost: i32,
    /// Extended highest sequence number received.
    pub highest_sequence: u32,
    /// Interarrival jitter in timestamp units.
    pub jitter: u32,
}

/// One source as RFC 3550 counts it. The first packet is accepted at once: a telephone call has no time for probation.
///
/// Another SSRC is not this source: the leg decides whether to follow it, with a new `Source`.
#[derive(Debug, Clone)]
pub struct Source {
    ssrc: u32,
    clock_rate: u32,
}

impl Source {
    /// The source of the first packet seen; `clock_rate` of its timestamps, in Hz.
    #[must_use]
    pub fn new(ssrc: u32, clock_rate: u32) -> Self {
        Self { ssrc, clock_rate }
    }

    /// Its SSRC.
    #[must_use]
    pub const fn ssrc(&self) -> u32 {
        self.ssrc
    }

    /// Takes note of a packet of this source. Duplicates count as received, as the RFC wants it.
    pub fn receive(&mut self, arrival: Instant, header: &Header) -> Verdict {
        let _ = (arrival, header, self.clock_rate);
        todo!()
    }

    /// Packets received.
    #[must_use]
    pub fn received(&self) -> u64 {
        todo!()
    }

    /// Packets expected less packets received; negative with duplicates.
    #[must_use]
    pub fn lost(&self) -> i64 {
        todo!()
    }

    /// Interarrival jitter, microseconds.
    #[must_use]
    pub fn jitter_us(&self) -> u64 {
        todo!()
    }

    /// The figures for a report block; the next call's `fraction_lost` begins here.
    pub fn report(&mut self) -> Reception {
        todo!()
    }
}
