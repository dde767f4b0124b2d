//! The sequence numbers of a source between two restarts of it.

use super::MAX_MISORDER;

/// Numbers this far behind the highest are remembered one by one.
const REMEMBERED: u16 = 128;
const _: () = assert!(MAX_MISORDER < REMEMBERED);

/// Sequence numbers without a restart between them.
#[derive(Debug, Clone)]
pub(super) struct Run {
    base: u16,
    highest: u16,
    cycles: u32,
    /// What its first packet was numbered, counting from the source's first.
    first: i64,
    /// Bit `i` stands for `highest − i`: whether it was received.
    seen: u128,
    pub received: u64,
    pub expected_at_report: u64,
    pub received_at_report: u64,
}

/// What to make of a number that is at most [`MAX_MISORDER`] behind the highest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Behind {
    /// It was missing.
    Missing(i64),
    /// It was received before.
    Known,
    /// It is older than the run.
    BeforeFirst(i64),
}

impl Run {
    /// The run that begins with this number on the wire, the `first` of the source's packets.
    pub const fn new(sequence: u16, first: i64) -> Self {
        Self {
            base: sequence,
            highest: sequence,
            cycles: 0,
            first,
            seen: 1,
            received: 1,
            expected_at_report: 0,
            received_at_report: 0,
        }
    }

    /// How far the number is ahead of the highest, modulo 2^16; 0 for the highest itself.
    pub const fn ahead(&self, sequence: u16) -> u16 {
        sequence.wrapping_sub(self.highest)
    }

    /// The number of the newest packet, counting from the source's first.
    pub fn newest(&self) -> i64 {
        self.first.saturating_add_unsigned(self.expected() - 1)
    }

    /// Takes a number that is `ahead` of the highest. Returns its place.
    pub fn advance(&mut self, ahead: u16) -> i64 {
        let (highest, wrapped) = self.highest.overflowing_add(ahead);
        if wrapped {
            self.cycles = self.cycles.wrapping_add(1 << 16);
        }
        self.highest = highest;
        self.seen = self.seen.checked_shl(u32::from(ahead)).unwrap_or(0) | 1;
        self.received += 1;
        self.newest()
    }

    /// Takes a number that is `behind` the highest, [`MAX_MISORDER`] at most. Whatever it is, it counts as received
    /// (RFC 3550 appendix A.3).
    pub fn fall_behind(&mut self, behind: u16) -> Behind {
        self.received += 1;
        let place = self.newest() - i64::from(behind);
        let bit = 1u128 << behind;
        if self.seen & bit != 0 {
            return Behind::Known;
        }
        self.seen |= bit;
        if place < self.first { Behind::BeforeFirst(place) } else { Behind::Missing(place) }
    }

    /// Whether the packet at this place is one that has not come, as far as is known.
    pub fn is_missing(&self, place: i64) -> bool {
        let behind = u32::try_from(self.newest() - place).ok();
        place >= self.first
            && behind.and_then(|behind| 1u128.checked_shl(behind)).is_some_and(|bit| self.seen & bit == 0)
    }

    pub fn extended_highest(&self) -> u32 {
        self.cycles.wrapping_add(u32::from(self.highest))
    }

    pub fn expected(&self) -> u64 {
        u64::from(self.extended_highest().wrapping_sub(u32::from(self.base))) + 1
    }

    pub fn lost(&self) -> i64 {
        self.expected().cast_signed().saturating_sub(self.received.cast_signed())
    }
}
