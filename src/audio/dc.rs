//! Takes a constant offset out of sound, as bad converters add it: it is not heard, but takes away room for what is,
//! and holds gates open.

use super::Rate;

/// What is slower than this is taken out, Hz: below any voice.
const CORNER_HZ: f32 = 20.0;

/// A high-pass of first order.
#[derive(Debug, Clone)]
pub struct DcRemoval {
    keep: f32,
    before: Option<f32>,
    out: f32,
}

impl DcRemoval {
    /// For frames of this rate.
    #[must_use]
    pub fn new(rate: Rate) -> Self {
        let keep = 1.0 - std::f32::consts::TAU * CORNER_HZ / (50 * rate.frame()) as f32;
        Self { keep, before: None, out: 0.0 }
    }

    /// Takes the offset out of a frame. What comes first is taken for the offset, so that it begins without a click.
    #[expect(clippy::cast_possible_truncation, reason = "a cast to i16 saturates")]
    pub fn apply(&mut self, frame: &mut [i16]) {
        let Some(&first) = frame.first() else { return };
        let mut before = self.before.unwrap_or_else(|| f32::from(first));
        for sample in frame.iter_mut() {
            let now = f32::from(*sample);
            self.out = now - before + self.keep * self.out;
            before = now;
            *sample = self.out.round() as i16;
        }
        self.before = Some(before);
    }

    /// Another sound begins.
    pub const fn reset(&mut self) {
        self.before = None;
        self.out = 0.0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audio::level;

    #[expect(clippy::cast_possible_truncation, reason = "a test's sound")]
    fn tone(hertz: f64, amplitude: f64, offset: f64, rate: Rate) -> Vec<i16> {
        let step = std::f64::consts::TAU * hertz / (50 * rate.frame()) as f64;
        (0..100 * rate.frame()).map(|i| (offset + amplitude * (step * i as f64).sin()) as i16).collect()
    }

    fn mean(samples: &[i16]) -> f64 {
        samples.iter().map(|sample| f64::from(*sample)).sum::<f64>() / samples.len() as f64
    }

    #[test]
    fn the_offset_is_gone_and_the_voice_is_what_it_was() {
        for rate in Rate::ALL {
            for offset in [-8_000.0, 300.0, 15_000.0] {
                let mut sound = tone(200.0, 5_000.0, offset, rate);
                let mut removal = DcRemoval::new(rate);
                sound.chunks_mut(rate.frame()).for_each(|frame| removal.apply(frame));
                let settled = &sound[sound.len() / 2..];
                assert!(mean(settled).abs() < 2.0, "{rate:?} {offset}: {}", mean(settled));
                let clean = level::dbfs(&tone(200.0, 5_000.0, 0.0, rate));
                assert!((level::dbfs(settled) - clean).abs() < 0.2, "{rate:?} {offset}");
            }
        }
    }

    #[test]
    fn sound_with_an_offset_begins_without_a_click() {
        let mut frame = [9_000i16; 160];
        let mut removal = DcRemoval::new(Rate::Narrow);
        removal.apply(&mut frame);
        assert_eq!(frame, [0; 160]);
        removal.reset();
        let mut other = [-9_000i16; 160];
        removal.apply(&mut other);
        assert_eq!(other, [0; 160]);
    }

    #[test]
    fn what_is_as_loud_as_can_be_does_not_wrap() {
        let mut frame: Vec<i16> = (0..160).map(|i| if i % 80 < 40 { i16::MAX } else { i16::MIN }).collect();
        DcRemoval::new(Rate::Narrow).apply(&mut frame);
        assert!(frame[1..40].iter().all(|sample| *sample >= 0) || frame[41..80].iter().all(|sample| *sample <= 0));
    }
}
