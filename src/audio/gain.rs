//! Sound made louder or quieter.

use std::ops::RangeInclusive;

/// By how many decibels sound can be made louder, or quieter.
pub const DECIBELS: RangeInclusive<i8> = -40..=20;

/// The factor of sound that stays as it is: factors are parts of this.
const UNITY: i32 = 1 << 12;

/// A factor, and the one that it is on its way to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Gain {
    now: i32,
    wanted: i32,
}

impl Default for Gain {
    /// Sound stays as it is.
    fn default() -> Self {
        Self { now: UNITY, wanted: UNITY }
    }
}

impl Gain {
    /// What is applied from now on, [`DECIBELS`]; more or less than that is the nearest of them.
    #[expect(clippy::cast_possible_truncation, reason = "ten times 4096 at most")]
    pub fn set(&mut self, decibels: i8) {
        let decibels = decibels.clamp(*DECIBELS.start(), *DECIBELS.end());
        self.wanted = (f64::from(UNITY) * 10.0_f64.powf(f64::from(decibels) / 20.0)).round() as i32;
    }

    /// Whether sound stays as it is.
    #[must_use]
    pub const fn is_unity(&self) -> bool {
        self.now == UNITY && self.wanted == UNITY
    }

    /// Makes a frame louder or quieter; what gets too loud is clamped. A change is spread over the frame, for a step
    /// would click.
    pub fn apply(&mut self, frame: &mut [i16]) {
        let (from, change) = (self.now, self.wanted - self.now);
        let length = i32::try_from(frame.len()).unwrap_or(i32::MAX).max(1);
        self.now = self.wanted;
        if change == 0 {
            frame.iter_mut().for_each(|sample| *sample = scaled(*sample, from));
            return;
        }
        // A factor is at most 2^16, and a frame has 960 samples.
        for (at, sample) in (1..).zip(frame) {
            *sample = scaled(*sample, from + change * at / length);
        }
    }

    /// There is nothing to be heard, and so no step.
    pub const fn settle(&mut self) {
        self.now = self.wanted;
    }
}

#[expect(clippy::cast_possible_truncation, reason = "clamped just before")]
fn scaled(sample: i16, factor: i32) -> i16 {
    (i32::from(sample) * factor / UNITY).clamp(i32::from(i16::MIN), i32::from(i16::MAX)) as i16
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audio::FRAME_8K;

    fn applied(decibels: i8, sample: i16) -> i16 {
        let mut gain = Gain::default();
        gain.set(decibels);
        gain.settle();
        let mut frame = [sample; FRAME_8K];
        gain.apply(&mut frame);
        assert!(frame.iter().all(|other| *other == frame[0]));
        frame[0]
    }

    #[test]
    fn every_decibel_is_what_it_says_and_what_gets_too_loud_is_clamped() {
        for decibels in DECIBELS {
            let expected = 3_000.0 * 10.0_f64.powf(f64::from(decibels) / 20.0);
            assert!((f64::from(applied(decibels, 3_000)) - expected).abs() <= expected * 0.02 + 1.0, "{decibels}");
        }
        assert_eq!((applied(20, i16::MAX), applied(20, i16::MIN)), (i16::MAX, i16::MIN));
        assert_eq!((applied(0, i16::MAX), applied(0, i16::MIN)), (i16::MAX, i16::MIN));
        assert_eq!((applied(i8::MAX, 100), applied(i8::MIN, 100)), (applied(20, 100), applied(-40, 100)));
    }

    #[test]
    fn a_change_is_no_step_and_zero_is_as_it_was() {
        let mut gain = Gain::default();
        assert!(gain.is_unity());
        gain.set(20);
        let mut frame = [1_000; FRAME_8K];
        gain.apply(&mut frame);
        assert!(frame.windows(2).all(|two| (0..=60).contains(&(two[1] - two[0]))), "{frame:?}");
        assert!(frame[0] < 1_100 && frame[FRAME_8K - 1] == 10_000);
        gain.set(0);
        assert!(!gain.is_unity());
        gain.apply(&mut frame);
        assert!(gain.is_unity());
    }
}
