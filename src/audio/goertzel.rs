//! How much of a frequency is in a signal: for tests, and for the test phone to say what it heard.

use super::level;

/// The level in dBFS of the sine of `frequency` Hz in `samples` taken at `rate` Hz (Goertzel's algorithm).
///
/// The resolution is `rate / samples.len()` Hz. No window is applied: for tones near each other use long slices.
#[must_use]
pub fn tone_dbfs(samples: &[i16], rate: u32, frequency: f64) -> f32 {
    if samples.is_empty() || rate == 0 {
        return level::SILENCE_DBFS;
    }
    let step = std::f64::consts::TAU * frequency / f64::from(rate);
    let coefficient = 2.0 * step.cos();
    let (mut last, mut before) = (0.0f64, 0.0f64);
    for &sample in samples {
        let next = f64::from(sample) + coefficient * last - before;
        before = last;
        last = next;
    }
    let power = last * last + before * before - coefficient * last * before;
    #[expect(clippy::cast_precision_loss, reason = "far below 2^52 samples")]
    let amplitude = 2.0 * power.max(0.0).sqrt() / samples.len() as f64;
    #[expect(clippy::cast_possible_truncation, reason = "a level needs no more")]
    let level = (20.0 * (amplitude / 32_768.0).max(1e-9).log10()) as f32;
    level.max(level::SILENCE_DBFS)
}

/// Whether the tone of `frequency` sounds in `samples`: at least `least` dBFS.
#[must_use]
pub fn hears(samples: &[i16], rate: u32, frequency: f64, least: f32) -> bool {
    tone_dbfs(samples, rate, frequency) >= least
}

/// Those of `candidates` that sound in `samples`, each with its level in dBFS; `least` dBFS or louder.
#[must_use]
pub fn tones_heard(samples: &[i16], rate: u32, candidates: &[f64], least: f32) -> Vec<(f64, f32)> {
    candidates
        .iter()
        .map(|&frequency| (frequency, tone_dbfs(samples, rate, frequency)))
        .filter(|&(_, level)| level >= least)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audio::tone::Tone;

    #[test]
    fn a_tone_is_heard_at_its_level_and_no_other_is() {
        let tone = Tone::sine(600.0, -12.0).samples(std::time::Duration::from_secs(1));
        assert!((tone_dbfs(&tone, 8_000, 600.0) + 12.0).abs() < 0.3);
        assert!(tone_dbfs(&tone, 8_000, 700.0) < -45.0);
        assert_eq!(tones_heard(&tone, 8_000, &[500.0, 600.0, 700.0], -20.0).len(), 1);
        assert!(hears(&tone, 8_000, 600.0, -13.0));
        assert_eq!(tone_dbfs(&[], 8_000, 600.0), level::SILENCE_DBFS);
    }
}
