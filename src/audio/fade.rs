//! Ramps of 5 ms where sound begins or ends in its middle: a step would click.

use super::Rate;

/// Samples of a ramp at 8 kHz.
pub const RAMP: usize = 40;

/// The frame begins from silence.
pub fn fade_in(frame: &mut [i16], rate: Rate) {
    let length = RAMP * rate.scale();
    for (i, sample) in frame.iter_mut().take(length).enumerate() {
        *sample = part_of(*sample, i + 1, length);
    }
}

/// The frame ends in silence after a ramp.
pub fn fade_out(frame: &mut [i16], rate: Rate) {
    let length = RAMP * rate.scale();
    for (i, sample) in frame.iter_mut().enumerate() {
        *sample = part_of(*sample, length.saturating_sub(i + 1), length);
    }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_possible_wrap, reason = "a part of the sample")]
fn part_of(sample: i16, part: usize, of: usize) -> i16 {
    (i32::from(sample) * part as i32 / of as i32) as i16
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audio::FRAME_8K;

    #[test]
    fn no_step_is_left_at_either_end() {
        for rate in Rate::ALL {
            let loud = vec![16_000; FRAME_8K * rate.scale()];
            let (mut begins, mut ends) = (loud.clone(), loud);
            fade_in(&mut begins, rate);
            fade_out(&mut ends, rate);
            let step = 16_000 / i16::try_from(RAMP).unwrap();
            assert!(begins[0] <= step && begins.windows(2).all(|two| two[1] - two[0] <= step + 1));
            assert!(ends[0] >= 16_000 - step && ends.windows(2).all(|two| two[0] - two[1] <= step + 1));
            assert_eq!((begins[FRAME_8K / 2 * rate.scale()], ends[FRAME_8K / 2 * rate.scale()]), (16_000, 0));
        }
    }
}
