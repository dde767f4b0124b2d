//! How loud each of the last frames of a leg was, for whoever looks for what disturbs a conference.

use super::super::command::{MEASURED, Measured};
use super::{HeardAs, Leg};
use crate::audio::Rate;
use crate::types::CallId;

/// The energy of a sample of full scale.
const FULL_SCALE: f32 = 32_768.0 * 32_768.0;

impl Leg {
    /// Takes note of how loud what was just heard is, whether the others hear it or not.
    #[inline]
    pub(crate) fn note_power(&mut self, round: u64) {
        // Of a leg whose noise is suppressed, what the others hear of it.
        let energy = match &self.leveling {
            None => self.receiver.energy(),
            Some(leveling) => leveling.energy(),
        };
        if let Some(energy) = energy {
            self.powers.put(round, energy);
        }
    }

    /// How loud it was in the rounds up to `end`; `None` if it was silent.
    pub(crate) fn measured(&self, id: CallId, end: u64) -> Option<Measured> {
        let powers = self.powers.until(end, self.receiver.rate())?;
        Some(Measured { leg: id, is_heard: !matches!(self.heard_as, HeardAs::End | HeardAs::Nothing), powers })
    }
}

/// The powers of the last frames. What is silent writes nothing.
#[derive(Debug)]
pub(super) struct Powers {
    /// The round of the frame that was written last.
    last: u64,
    /// Energies by their rounds: floating-point numbers of 32 bits without the lower half.
    energies: Box<[u16; MEASURED]>,
}

impl Powers {
    pub(super) fn new() -> Self {
        Self { last: 0, energies: Box::new([0; MEASURED]) }
    }

    /// Takes note of the energy of the frame of a round.
    #[inline]
    pub(super) fn put(&mut self, round: u64, energy: u64) {
        if round != self.last + 1 {
            self.pass(round);
        }
        self.last = round;
        // A frame has less than 2⁴¹, and the sign converts in one instruction.
        #[expect(clippy::cast_precision_loss, reason = "3 % are enough")]
        let energy = (energy.cast_signed() as f32).to_bits() >> 16;
        self.energies[round as usize % MEASURED] = energy as u16;
    }

    /// The rounds before this one were silent.
    #[cold]
    fn pass(&mut self, round: u64) {
        let silent = round.saturating_sub(self.last + 1).min(MEASURED as u64);
        for round in round - silent..round {
            self.energies[round as usize % MEASURED] = 0;
        }
    }

    /// The powers of the frames up to that of round `end`, a sample of full scale being 1; `None` if all were silent.
    pub(super) fn until(&self, end: u64, rate: Rate) -> Option<Box<[f32; MEASURED]>> {
        let begin = end.saturating_sub(MEASURED as u64 - 1);
        if self.last < begin {
            return None;
        }
        #[expect(clippy::cast_precision_loss, reason = "960 at most")]
        let scale = 1.0 / (FULL_SCALE * rate.frame() as f32);
        let mut powers = Box::new([0.0; MEASURED]);
        for (power, round) in powers.iter_mut().zip(begin..=end.min(self.last)) {
            // What was not written twice over is of the rounds that are asked for.
            if self.last - round < MEASURED as u64 {
                *power = f32::from_bits(u32::from(self.energies[round as usize % MEASURED]) << 16) * scale;
            }
        }
        Some(powers)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_are_kept_by_their_rounds_and_what_was_not_written_was_silent() {
        let mut powers = Powers::new();
        let one = 160 << 30;
        (1_000..1_020).chain(1_040..=1_050).for_each(|round| powers.put(round, one));
        let read = powers.until(1_052, Rate::Narrow).unwrap();
        let loud: Vec<usize> = (0..MEASURED).filter(|at| read[*at] > 0.0).map(|at| at + 1_053 - MEASURED).collect();
        assert_eq!(loud, (1_000..1_020).chain(1_040..=1_050).collect::<Vec<_>>());
        assert!(read.iter().all(|power| *power == 0.0 || (*power - 1.0).abs() < 0.01));
        assert!(powers.until(1_050 + MEASURED as u64, Rate::Narrow).is_none());
        // Rounds that are not over yet are left out; those long gone were written over.
        assert_eq!(powers.until(1_045, Rate::Narrow).unwrap().iter().filter(|power| **power > 0.0).count(), 26);
        powers.put(2_000, one / 4);
        let read = powers.until(2_000, Rate::Narrow).unwrap();
        assert_eq!(read.iter().position(|power| *power > 0.0), Some(MEASURED - 1));
        assert!((read[MEASURED - 1] - 0.25).abs() < 0.01);
    }

    #[test]
    fn a_phase_that_moves_back_writes_its_round_again() {
        let mut powers = Powers::new();
        [7, 8, 8, 9].into_iter().for_each(|round| powers.put(round, 1 << 30));
        assert_eq!(powers.until(9, Rate::Narrow).unwrap().iter().filter(|power| **power > 0.0).count(), 3);
    }
}
