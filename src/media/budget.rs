//! What the legs of an engine may spend together in 20 ms on what few of them need: however many do, no tick is late
//! for it.

use crate::audio::FRAME_8K;
use crate::audio::codec::Repair;
use crate::types::SUPPRESSED_A_THREAD;

/// All of it.
#[derive(Debug, Default)]
pub(crate) struct Budget {
    pub(crate) repair: Repair,
    pub(crate) suppression: SuppressionBudget,
}

/// Of how many legs the noise is suppressed. Whoever's is goes on to be while they sound; what is beyond the budget is
/// heard as it is, and counted, until there is room. Rounds are the 20 ms in which each leg ticks once.
#[derive(Debug)]
pub(crate) struct SuppressionBudget {
    /// Pieces of 160 samples in a round, at most.
    pub(crate) most: usize,
    round: u64,
    /// Pieces in the round before, in this one so far, and of those who began in it.
    before: usize,
    now: usize,
    begun: usize,
    /// Frames that were beyond it and have not been told of, and the round in which some were.
    left_out: u64,
    told: u64,
}

impl Default for SuppressionBudget {
    fn default() -> Self {
        Self { most: SUPPRESSED_A_THREAD, round: 0, before: 0, now: 0, begun: 0, left_out: 0, told: 0 }
    }
}

impl SuppressionBudget {
    /// Rounds between two reports of what was left out: a second.
    const REPORT: u64 = 50;

    /// Whether there is room for so many samples in `round` of a leg whose noise was suppressed in the round `last`,
    /// which is this one if there is.
    pub(crate) fn takes(&mut self, round: u64, last: &mut u64, samples: usize) -> bool {
        if round > self.round {
            self.before = if round == self.round + 1 { self.now } else { 0 };
            (self.round, self.now, self.begun) = (round, 0, 0);
        }
        if *last == self.round {
            return true;
        }
        let pieces = samples / FRAME_8K;
        let goes_on = *last + 1 == self.round;
        let kept = if goes_on { 0 } else { self.before + self.begun };
        if self.now.max(kept) + pieces > self.most {
            self.left_out += 1;
            return false;
        }
        self.now += pieces;
        self.begun += if goes_on { 0 } else { pieces };
        *last = self.round;
        true
    }

    /// How many frames were left out since this was asked last, if any were; once a second at most.
    pub(crate) fn left_out(&mut self) -> Option<u64> {
        if self.left_out == 0 || self.round < self.told + Self::REPORT {
            return None;
        }
        self.told = self.round;
        Some(std::mem::take(&mut self.left_out))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A round of legs, each with the round in which its noise was suppressed last: who of them has room.
    fn round(budget: &mut SuppressionBudget, round: u64, legs: &mut [u64], samples: usize) -> Vec<bool> {
        legs.iter_mut().map(|last| budget.takes(round, last, samples)).collect()
    }

    #[test]
    fn who_has_room_keeps_it_and_who_has_none_waits_until_somebody_goes() {
        let mut budget = SuppressionBudget::default();
        let mut legs = vec![0; SUPPRESSED_A_THREAD + 2];
        let first: Vec<bool> = (0..legs.len()).map(|leg| leg < SUPPRESSED_A_THREAD).collect();
        assert_eq!(round(&mut budget, 7, &mut legs, 160), first);
        // The two who wait come first now.
        legs.rotate_right(2);
        let last: Vec<bool> = (0..legs.len()).map(|leg| leg >= 2).collect();
        for n in 8..57 {
            assert_eq!(round(&mut budget, n, &mut legs, 160), last, "{n}");
        }
        assert_eq!(budget.left_out(), Some(100));
        assert_eq!(budget.left_out(), None);
        // One goes: there is room for one in the round after, which knows of it.
        legs.pop();
        assert_eq!(round(&mut budget, 57, &mut legs, 160)[..2], [false, false]);
        assert_eq!(round(&mut budget, 58, &mut legs, 160)[..3], [true, false, true]);
        assert_eq!(budget.left_out(), None, "not within a second");
    }

    #[test]
    fn a_leg_of_16_khz_counts_as_two_and_a_tick_that_is_gone_through_twice_as_one() {
        let mut budget = SuppressionBudget::default();
        let mut legs = vec![0; SUPPRESSED_A_THREAD];
        let room = round(&mut budget, 1, &mut legs, 320);
        assert_eq!(room.iter().filter(|has| **has).count(), SUPPRESSED_A_THREAD / 2);
        assert!(round(&mut budget, 1, &mut legs[..1], 320)[0]);
        // Others than in the round before, as many.
        let mut others = vec![0; SUPPRESSED_A_THREAD];
        let room = round(&mut budget, 3, &mut others, 160);
        assert!(room.iter().all(|has| *has), "nobody of two rounds ago goes on");
        // More than there is room for come from another thread and would go on.
        let mut moved = vec![3; 2 * SUPPRESSED_A_THREAD];
        let room = round(&mut budget, 4, &mut moved, 160);
        assert_eq!(room.iter().filter(|has| **has).count(), SUPPRESSED_A_THREAD);
    }
}
