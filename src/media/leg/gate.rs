//! Tells speech from the noise of the room it is spoken in.

use super::super::voices::Presence;
use crate::audio::{Frame, Rate, level};

/// What is quieter than this for long enough adds nothing to a conference.
const THRESHOLD_DBFS: f32 = -55.0;
/// Frames for which the gate stays open after the last loud one: the end of a word and the pause before the next.
const HANGOVER: u8 = 20;

/// A gate with hangover: one comparison a frame.
#[derive(Debug, Clone)]
pub(crate) struct Gate {
    threshold: u64,
    open: u8,
    /// Of the last frame.
    energy: u64,
}

impl Gate {
    pub(crate) fn new() -> Self {
        Self { threshold: level::energy_at(THRESHOLD_DBFS, Rate::Narrow.frame()), open: 0, energy: 0 }
    }

    /// Frames come at this rate from here on.
    pub(crate) fn set_rate(&mut self, rate: Rate) {
        self.threshold = level::energy_at(THRESHOLD_DBFS, rate.frame());
    }

    pub(crate) fn judge(&mut self, frame: &[i16]) -> Presence {
        // Of known length it is made of vectors without a rest.
        let energy = match <&Frame>::try_from(frame) {
            Ok(narrow) => level::energy(narrow),
            Err(_) => level::energy(frame),
        };
        self.energy = energy;
        if energy >= self.threshold {
            self.open = HANGOVER;
        } else {
            self.open = self.open.saturating_sub(1);
        }
        match (self.open, energy) {
            (0, 0) => Presence::Absent,
            (0, _) => Presence::Quiet,
            _ => Presence::Loud,
        }
    }

    /// The energy of the last frame, where it passed the gate.
    pub(crate) fn passed(&self) -> Option<u64> {
        (self.open > 0).then_some(self.energy)
    }

    pub(crate) fn close(&mut self) {
        self.open = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audio::FRAME_8K;

    #[test]
    fn the_gate_stays_open_through_a_pause_and_closes_in_noise() {
        let mut gate = Gate::new();
        let (noise, speech) = ([20i16; FRAME_8K], [900i16; FRAME_8K]);
        assert_eq!(gate.judge(&noise), Presence::Quiet);
        assert_eq!(gate.judge(&speech), Presence::Loud);
        for _ in 1..HANGOVER {
            assert_eq!(gate.judge(&noise), Presence::Loud);
        }
        assert_eq!(gate.judge(&noise), Presence::Quiet);
        assert_eq!(gate.judge(&[0; FRAME_8K]), Presence::Absent);
    }
}
