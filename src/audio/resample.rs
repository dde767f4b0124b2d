//! Sampling rate conversion of whole recordings.

use std::f64::consts::PI;

/// Zero crossings of the sinc on each side, at the lower of the two rates.
const CROSSINGS: usize = 24;
/// Pass band as a part of the lower rate's Nyquist frequency: 3.7 kHz for telephones.
const CUTOFF: f64 = 0.925;
/// Phases of the filter beyond which it is computed for each output sample anew.
const MOST_PHASES: u32 = 1_024;

/// Converts mono samples from one rate to another (band-limited; a polyphase windowed sinc). Allocates: for prompts and
/// files, never in the tick.
///
/// The result has `samples.len() · to / from` samples, rounded up, and no delay against the original.
#[must_use]
#[expect(clippy::cast_possible_truncation, clippy::cast_precision_loss, reason = "sample numbers and filter values")]
pub fn resample(samples: &[f32], from: u32, to: u32) -> Vec<f32> {
    if from == to || from == 0 || to == 0 {
        return samples.to_vec();
    }
    let common = gcd(from, to);
    let (up, down) = (to / common, from / common);
    // In units of input samples: the filter's cut-off, and its length to each side.
    let cutoff = CUTOFF * (f64::from(to) / f64::from(from)).min(1.0);
    let reach = (CROSSINGS as f64 / cutoff).ceil() as usize;
    let phase = |number: u32| filter(f64::from(number) / f64::from(up), cutoff, reach);
    let phases: Vec<Vec<f32>> = if up <= MOST_PHASES { (0..up).map(phase).collect() } else { Vec::new() };

    let len = (samples.len() as u64 * u64::from(up)).div_ceil(u64::from(down));
    let at = |output: u64| {
        let position = output * u64::from(down);
        let whole = (position / u64::from(up)) as usize;
        let number = (position % u64::from(up)) as u32;
        match phases.get(number as usize) {
            Some(taps) => convolve(samples, whole, reach, taps),
            None => convolve(samples, whole, reach, &phase(number)),
        }
    };
    (0..len).map(at).collect()
}

/// The filter for an output sample `fraction` behind an input sample: one tap for each input sample from `reach − 1`
/// before it to `reach` behind it.
#[expect(clippy::cast_possible_truncation, clippy::cast_precision_loss, reason = "filter values")]
fn filter(fraction: f64, cutoff: f64, reach: usize) -> Vec<f32> {
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

fn convolve(samples: &[f32], centre: usize, reach: usize, taps: &[f32]) -> f32 {
    let skipped = (reach - 1).saturating_sub(centre);
    let first = (centre + 1 + skipped).saturating_sub(reach);
    let taps = taps.get(skipped..).unwrap_or_default();
    samples.get(first..).unwrap_or_default().iter().zip(taps).map(|(sample, tap)| sample * tap).sum()
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
}
