//! Sampling rate conversion of recordings, whole or piece by piece.

use std::f64::consts::PI;

/// Zero crossings of the sinc on each side, at the lower of the two rates.
const CROSSINGS: usize = 24;
/// Pass band as a part of the lower rate's Nyquist frequency: 3.7 kHz for telephones.
const CUTOFF: f64 = 0.925;
/// Phases of the filter, and taps of all of them, beyond which phases are interpolated.
const MOST_PHASES: u64 = 1_024;
const MOST_TAPS: u64 = 1 << 18;
/// Phases between which is interpolated: the error is 90 dB down.
const STEPS: u32 = 128;
/// Sums that are made side by side.
const LANES: usize = 8;

/// Converts mono samples from one rate to another. The result has `samples.len() · to / from` samples, rounded up, and
/// no delay against the original. See [`Resampler`].
#[must_use]
pub fn resample(samples: &[f32], from: u32, to: u32) -> Vec<f32> {
    let mut resampler = Resampler::new(from, to);
    let mut out = Vec::new();
    resampler.push(samples, &mut out);
    resampler.finish(&mut out);
    out
}

/// Converts a recording piece by piece (band-limited; a polyphase windowed sinc); wherever it is cut, the result is the
/// same. Allocates: for prompts and files, never in the tick.
#[derive(Debug, Clone)]
pub struct Resampler {
    /// `None`: both rates are the same.
    filter: Option<Filter>,
    /// What outputs to come are made of. Its first sample is number `start`; the recording begins with number
    /// `reach − 1`, with silence before it.
    window: Vec<f32>,
    start: u64,
    received: u64,
    made: u64,
}

/// A filter from one rate to another.
#[derive(Debug, Clone)]
struct Filter {
    /// Output samples for each `down` of the input.
    up: u64,
    down: u64,
    /// Taps to each side.
    reach: usize,
    /// Phase by phase.
    taps: Vec<f32>,
    /// Whether there are [`STEPS`] phases and one more, and not `up`.
    is_interpolated: bool,
}

impl Resampler {
    /// A resampler at the beginning of a recording. With a rate of 0 it changes nothing.
    #[must_use]
    pub fn new(from: u32, to: u32) -> Self {
        let filter = (from != to && from != 0 && to != 0).then(|| Filter::new(from, to));
        let silence = filter.as_ref().map_or(0, |filter| filter.reach - 1);
        Self { filter, window: vec![0.0; silence], start: 0, received: 0, made: 0 }
    }

    /// Takes samples, and appends to `out` what they are enough for.
    pub fn push(&mut self, samples: &[f32], out: &mut Vec<f32>) {
        self.received += samples.len() as u64;
        if self.filter.is_none() {
            out.extend_from_slice(samples);
            return;
        }
        self.window.extend_from_slice(samples);
        self.run(u64::MAX, out);
    }

    /// The recording is over: appends the rest.
    pub fn finish(&mut self, out: &mut Vec<f32>) {
        let Some(Filter { up, down, reach, .. }) = self.filter else { return };
        let length = (self.received * up).div_ceil(down);
        self.window.resize(self.window.len() + 2 * reach, 0.0);
        self.run(length, out);
    }

    fn run(&mut self, length: u64, out: &mut Vec<f32>) {
        let Some(filter) = &self.filter else { return };
        let mut from = 0;
        while self.made < length {
            let position = self.made * filter.down;
            // Never more than a few frames behind `start`.
            from = usize::try_from(position / filter.up - self.start).unwrap_or(usize::MAX);
            let Some(window) = self.window.get(from..).and_then(|rest| rest.get(..2 * filter.reach)) else { break };
            out.push(filter.apply(window, position % filter.up));
            self.made += 1;
        }
        let past = from.min(self.window.len());
        self.window.drain(..past);
        self.start += past as u64;
    }
}

impl Filter {
    #[expect(clippy::cast_possible_truncation, clippy::cast_precision_loss, clippy::cast_sign_loss, reason = "sizes")]
    fn new(from: u32, to: u32) -> Self {
        let common = gcd(from, to);
        let (up, down) = (to / common, from / common);
        // In units of input samples: the filter's cut-off, and its length to each side.
        let cutoff = CUTOFF * (f64::from(to) / f64::from(from)).min(1.0);
        let reach = (CROSSINGS as f64 / cutoff).ceil() as usize;
        let is_interpolated = u64::from(up) > MOST_PHASES || u64::from(up) * 2 * reach as u64 > MOST_TAPS;
        let (phases, of) = if is_interpolated { (STEPS + 1, STEPS) } else { (up, up) };
        let taps = (0..phases).flat_map(|phase| taps(f64::from(phase) / f64::from(of), cutoff, reach)).collect();
        Self { up: up.into(), down: down.into(), reach, taps, is_interpolated }
    }

    /// One output sample, `number` of `up` parts behind the middle of the window.
    #[expect(clippy::cast_possible_truncation, clippy::cast_precision_loss, reason = "parts of one")]
    fn apply(&self, window: &[f32], number: u64) -> f32 {
        let phase = |phase: usize| self.taps.get(phase * window.len()..).map_or(0.0, |taps| product(window, taps));
        if !self.is_interpolated {
            return phase(number as usize);
        }
        let place = number * u64::from(STEPS);
        let (step, rest) = ((place / self.up) as usize, (place % self.up) as f32 / self.up as f32);
        phase(step) * (1.0 - rest) + phase(step + 1) * rest
    }
}

/// The filter for an output sample `fraction` behind an input sample: one tap for each input sample from `reach − 1`
/// before it to `reach` behind it.
#[expect(clippy::cast_possible_truncation, clippy::cast_precision_loss, reason = "filter values")]
fn taps(fraction: f64, cutoff: f64, reach: usize) -> Vec<f32> {
    let tap = |i: usize| {
        let x = i as f64 - (reach - 1) as f64 - fraction;
        let sinc = if x == 0.0 { 1.0 } else { (PI * cutoff * x).sin() / (PI * cutoff * x) };
        let w = x / reach as f64;
        // Blackman: side lobes below the noise of 12-bit telephony.
        let window = if w.abs() >= 1.0 { 0.0 } else { 0.42 + 0.5 * (PI * w).cos() + 0.08 * (2.0 * PI * w).cos() };
        cutoff * sinc * window
    };
    let taps: Vec<f64> = (0..2 * reach).map(tap).collect();
    // Each phase passes a constant unchanged, or the phases would hum.
    let sum: f64 = taps.iter().sum();
    taps.iter().map(|tap| (tap / sum) as f32).collect()
}

/// The sum of the products, in lanes, so that it becomes vectors.
fn product(window: &[f32], taps: &[f32]) -> f32 {
    let mut lanes = [0.0; LANES];
    let taps = taps.get(..window.len()).unwrap_or_default();
    let (window, rest_window) = window.as_chunks::<LANES>();
    let (taps, rest_taps) = taps.as_chunks::<LANES>();
    for (window, taps) in window.iter().zip(taps) {
        for ((lane, sample), tap) in lanes.iter_mut().zip(window).zip(taps) {
            *lane += sample * tap;
        }
    }
    let rest: f32 = rest_window.iter().zip(rest_taps).map(|(sample, tap)| sample * tap).sum();
    lanes.iter().sum::<f32>() + rest
}

const fn gcd(a: u32, b: u32) -> u32 {
    if b == 0 { a } else { gcd(b, a % b) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sine(frequency: f64, rate: u32, len: usize) -> Vec<f32> {
        (0..len).map(|i| (2.0 * PI * frequency * i as f64 / f64::from(rate)).sin() as f32).collect()
    }

    /// Root mean square, edges apart.
    fn rms(samples: &[f32]) -> f32 {
        let inner = &samples[samples.len() / 8..samples.len() * 7 / 8];
        (inner.iter().map(|s| s * s).sum::<f32>() / inner.len() as f32).sqrt()
    }

    #[test]
    fn a_tone_keeps_frequency_phase_and_level() {
        for rate in [4_000, 11_025, 16_000, 22_050, 24_000, 44_100, 48_000, 96_000, 47_999] {
            let converted = resample(&sine(1_000.0, rate, rate as usize), rate, 8_000);
            assert_eq!(converted.len(), 8_000);
            let difference: Vec<f32> = converted.iter().zip(sine(1_000.0, 8_000, 8_000)).map(|(a, b)| a - b).collect();
            assert!(rms(&difference) < 0.001, "{rate}: {}", rms(&difference));
        }
    }

    #[test]
    fn what_telephones_cannot_carry_is_removed_and_not_folded_back() {
        for frequency in [4_400.0, 5_000.0, 7_000.0, 15_000.0] {
            assert!(rms(&resample(&sine(frequency, 48_000, 48_000), 48_000, 8_000)) < 0.001, "{frequency}");
        }
        let edge = rms(&resample(&sine(3_400.0, 48_000, 48_000), 48_000, 8_000));
        assert!(edge > 0.65, "{edge}");
    }

    #[test]
    fn short_and_empty_recordings_are_no_trouble() {
        assert!(resample(&[], 48_000, 8_000).is_empty());
        assert_eq!(resample(&[0.5], 48_000, 8_000).len(), 1);
        assert_eq!(resample(&[0.5; 3], 8_000, 48_000).len(), 18);
        assert_eq!(resample(&[0.5; 3], 8_000, 8_000), [0.5; 3]);
    }

    #[test]
    fn wherever_a_recording_is_cut_the_result_is_the_same() {
        for (from, to) in [(44_100, 8_000), (8_000, 16_000), (1_000, 16_000), (384_000, 8_000), (47_999, 8_000)] {
            let sound = sine(300.0, from, 3_000);
            let whole = resample(&sound, from, to);
            assert_eq!(whole.len() as u64, (3_000 * u64::from(to)).div_ceil(from.into()));
            for piece in [1, 7, 160, 2_999] {
                let (mut resampler, mut out) = (Resampler::new(from, to), Vec::new());
                sound.chunks(piece).for_each(|piece| resampler.push(piece, &mut out));
                resampler.finish(&mut out);
                assert!(out == whole, "{from} to {to} in pieces of {piece}");
            }
        }
    }

    #[test]
    fn what_is_kept_of_a_long_recording_does_not_grow() {
        let mut resampler = Resampler::new(44_100, 8_000);
        let mut out = Vec::new();
        for _ in 0..1_000 {
            resampler.push(&[0.1; 441], &mut out);
            out.clear();
        }
        assert!(resampler.window.capacity() < 4_096, "{}", resampler.window.capacity());
    }
}
