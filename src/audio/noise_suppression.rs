//! Makes the noise behind a voice quieter, by WebRTC's suppressor.

use super::{Rate, frame::FRAME_8K};
use sonora_ns::config::SuppressionLevel;
use sonora_ns::noise_suppressor::NoiseSuppressor;
use std::fmt;

/// Suppresses noise by up to 12 dB: more of it takes from the voice as well. Sound comes 12 ms later at 8 kHz, and 6 ms
/// at 16 kHz. At 48 kHz nothing is done: browsers suppress noise themselves.
pub struct NoiseSuppression {
    suppressor: NoiseSuppressor,
    rate: Rate,
}

impl fmt::Debug for NoiseSuppression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NoiseSuppression").field("rate", &self.rate).finish_non_exhaustive()
    }
}

impl NoiseSuppression {
    /// For frames of a rate. Allocates.
    #[must_use]
    pub fn new(rate: Rate) -> Self {
        Self { suppressor: NoiseSuppressor::with_level(SuppressionLevel::K12dB), rate }
    }

    /// Frames come at another rate from here on.
    pub const fn set_rate(&mut self, rate: Rate) {
        self.rate = rate;
    }

    /// Whether anything is done at a rate.
    #[must_use]
    pub fn is_for(rate: Rate) -> bool {
        rate != Rate::Full
    }

    /// Suppresses the noise in a frame. It takes a second of sound to know it.
    #[expect(clippy::cast_possible_truncation, reason = "a cast to i16 saturates")]
    pub fn apply(&mut self, frame: &mut [i16]) {
        if !Self::is_for(self.rate) {
            return;
        }
        // It takes 160 samples at a time: 10 ms at 16 kHz, for which it was made, and 20 ms of a telephone.
        for piece in frame.chunks_exact_mut(FRAME_8K) {
            let mut sound = [0.0f32; FRAME_8K];
            sound.iter_mut().zip(piece.iter()).for_each(|(out, sample)| *out = f32::from(*sample));
            self.suppressor.analyze(&sound);
            self.suppressor.process(&mut sound);
            piece.iter_mut().zip(sound).for_each(|(sample, out)| *sample = out.round() as i16);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audio::level;
    use rand::rngs::StdRng;
    use rand::{Rng, SeedableRng};

    /// Seconds of syllables of a voice at −26 dBov, 600 of 1,000 ms, over noise that is so loud.
    fn speech(rate: Rate, seconds: usize, noise_dbov: f32) -> Vec<i16> {
        let mut random = StdRng::seed_from_u64(3);
        let hertz = (50 * rate.frame()) as f32;
        let amplitude = |dbov: f32| 32_768.0 * 10f32.powf(dbov / 20.0);
        let sample = |at: usize| {
            let second = at as f32 / hertz;
            // A pitch that wanders, and twelve of its harmonics.
            let turn = std::f32::consts::TAU * (140.0 * second + 6.0 * (2.1 * second).sin());
            let voice: f32 = (1..=12).map(|n| (turn * n as f32).sin() / n as f32).sum();
            let is_syllable = second.fract() < 0.6 && (second * 5.0).fract() < 0.8;
            let voice = if is_syllable { voice * amplitude(-26.0) * 1.13 } else { 0.0 };
            (voice + random.random_range(-1.0..1.0f32) * amplitude(noise_dbov) * 1.73) as i16
        };
        (0..seconds * 50 * rate.frame()).map(sample).collect()
    }

    /// The loudness of the last seconds' pauses and of their syllables, dBFS.
    fn loudness(sound: &[i16], rate: Rate) -> (f32, f32) {
        let second = 50 * rate.frame();
        let last = sound.chunks_exact(second).skip(6);
        let of = |from: usize, to: usize| {
            let levels: Vec<f32> =
                last.clone().map(|one| level::dbfs(&one[from * rate.frame()..to * rate.frame()])).collect();
            levels.iter().sum::<f32>() / levels.len() as f32
        };
        (of(35, 49), of(2, 8))
    }

    #[test]
    fn noise_gets_quieter_and_the_voice_does_not() {
        for rate in [Rate::Narrow, Rate::Wide] {
            for noise in [-46.0, -41.0] {
                let before = speech(rate, 10, noise);
                let mut after = before.clone();
                let mut suppression = NoiseSuppression::new(rate);
                after.chunks_mut(rate.frame()).for_each(|frame| suppression.apply(frame));
                let ((pause_before, talk_before), (pause, talk)) = (loudness(&before, rate), loudness(&after, rate));
                assert!(pause < pause_before - 8.0, "{rate:?} {noise}: {pause_before} to {pause}");
                assert!((talk - talk_before).abs() < 3.0, "{rate:?} {noise}: {talk_before} to {talk}");
            }
        }
    }

    #[test]
    fn a_clean_voice_and_48_khz_stay_as_they_are() {
        let before = speech(Rate::Narrow, 10, -90.0);
        let mut after = before.clone();
        let mut suppression = NoiseSuppression::new(Rate::Narrow);
        after.chunks_mut(160).for_each(|frame| suppression.apply(frame));
        let (talk_before, talk) = (loudness(&before, Rate::Narrow).1, loudness(&after, Rate::Narrow).1);
        assert!((talk - talk_before).abs() < 1.5, "{talk_before} to {talk}");
        let mut wide = [700i16; 960];
        NoiseSuppression::new(Rate::Full).apply(&mut wide);
        assert_eq!(wide, [700; 960]);
    }
}
