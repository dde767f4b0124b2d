//! Tones: frequencies, cadence, level.

use super::level;
use crate::types::SampleRate;
use std::f64::consts::{PI, TAU};
use std::time::Duration;

/// How long a tone takes to rise and to fall: short to the ear, long enough not to click.
const RAMP: Duration = Duration::from_millis(4);

/// A tone: one or more sines, sounding and pausing in turn.
#[derive(Debug, Clone, PartialEq)]
pub struct Tone {
    /// Frequencies in Hz, sounding together, each at `level`.
    pub frequencies: Vec<f64>,
    /// Level of each sine, dBFS.
    pub level: f32,
    /// How long it sounds and pauses; repeated. Empty: it sounds throughout.
    pub cadence: Vec<(Duration, Duration)>,
}

impl Tone {
    /// One sine without pause.
    #[must_use]
    pub fn sine(frequency: f64, level: f32) -> Self {
        Self { frequencies: vec![frequency], level, cadence: Vec::new() }
    }

    /// The two sines of a DTMF digit (ITU-T Q.23); `None` when it is none.
    #[must_use]
    pub fn dtmf(digit: char, level: f32) -> Option<Self> {
        const KEYS: &str = "123A456B789C*0#D";
        const ROWS: [f64; 4] = [697.0, 770.0, 852.0, 941.0];
        const COLUMNS: [f64; 4] = [1_209.0, 1_336.0, 1_477.0, 1_633.0];
        let key = KEYS.find(digit.to_ascii_uppercase())?;
        Some(Self { frequencies: vec![ROWS[key / 4], COLUMNS[key % 4]], level, cadence: Vec::new() })
    }

    /// `length` of it at 8 kHz, without clicks: 4 ms ramps at every start and end.
    #[must_use]
    pub fn samples(&self, length: Duration) -> Vec<i16> {
        self.samples_at(SampleRate::HZ_8000, length)
    }

    /// `length` of it at any rate. Allocates: never in the tick.
    #[must_use]
    pub fn samples_at(&self, rate: SampleRate, length: Duration) -> Vec<i16> {
        let total = count(rate, length);
        let mut samples = vec![0; total];
        let period: usize = self.cadence.iter().map(|(on, off)| count(rate, *on) + count(rate, *off)).sum();
        if period == 0 {
            self.sound(rate, 0, &mut samples);
            return samples;
        }
        let mut at = 0;
        while at < total {
            for (on, off) in &self.cadence {
                let end = (at + count(rate, *on)).min(total);
                if let Some(piece) = samples.get_mut(at..end) {
                    self.sound(rate, at, piece);
                }
                at += count(rate, *on) + count(rate, *off);
            }
        }
        samples
    }

    /// Sounds throughout `out`, whose first sample is number `first` of the tone.
    #[expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, reason = "sample numbers; clamped")]
    fn sound(&self, rate: SampleRate, first: usize, out: &mut [i16]) {
        let amplitude = f64::from(level::amplitude(self.level));
        let len = out.len();
        let ramp = count(rate, RAMP).min(len / 2);
        for (i, sample) in out.iter_mut().enumerate() {
            let time = (first + i) as f64 / f64::from(rate.0);
            let sum: f64 = self.frequencies.iter().map(|frequency| (TAU * frequency * time).sin()).sum();
            let from_edge = i.min(len - 1 - i);
            let gain = if from_edge < ramp { 0.5 - 0.5 * (PI * from_edge as f64 / ramp as f64).cos() } else { 1.0 };
            *sample = (sum * gain * amplitude).round().clamp(-32_768.0, 32_767.0) as i16;
        }
    }
}

fn count(rate: SampleRate, length: Duration) -> usize {
    usize::try_from(length.as_micros() * u128::from(rate.0) / 1_000_000).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audio::goertzel;

    #[test]
    fn a_cadence_sounds_and_pauses() {
        let second = Duration::from_secs(1);
        let ring = Tone {
            frequencies: vec![400.0, 450.0],
            level: -19.0,
            cadence: vec![(second * 2 / 5, second / 5), (second * 2 / 5, second * 2)],
        };
        let samples = ring.samples(second * 4);
        assert_eq!(samples.len(), 32_000);
        let sounds = |from: usize, to: usize| samples[from..to].iter().any(|s| s.unsigned_abs() > 1_000);
        assert!(sounds(0, 3_200) && sounds(4_800, 8_000) && sounds(24_000, 27_200));
        assert!(!sounds(3_200, 4_800) && !sounds(8_000, 24_000));
        assert!((goertzel::tone_dbfs(&samples[400..2_800], 8_000, 450.0) + 19.0).abs() < 1.0);
    }

    #[test]
    fn starts_and_ends_do_not_click() {
        let samples = Tone::sine(1_000.0, -6.0).samples(Duration::from_millis(100));
        assert!(samples[0].abs() < 10 && samples[samples.len() - 1].abs() < 10);
        assert!(samples[..8].iter().all(|s| s.abs() < 3_000));
        assert!(Tone::sine(1_000.0, -6.0).samples(Duration::ZERO).is_empty());
    }

    #[test]
    fn keys_sound_with_their_two_frequencies() {
        let hash = Tone::dtmf('#', -10.0).unwrap();
        assert_eq!(hash.frequencies, [941.0, 1_477.0]);
        assert_eq!(Tone::dtmf('5', -10.0).unwrap().frequencies, [770.0, 1_336.0]);
        assert_eq!(Tone::dtmf('x', -10.0), None);
    }
}
