//! Conversion between the rates at which sound is mixed, a frame at a time: see [`RateConverter`].

use super::frame::{LONGEST_FRAME, Rate};
use std::f64::consts::PI;
use std::sync::OnceLock;

/// Taps of the filter at 48 kHz: 4 ms, and so 2 ms of delay, its middle.
const TAPS_48K: usize = 192;
/// Where a filter reaches half, as a part of the lower rate's Nyquist frequency.
const CUTOFF: f64 = 0.96;
/// The shape of the Kaiser window: side lobes of −60 dB.
const BETA: f64 = 5.65;
/// Sums that are made side by side.
const LANES: usize = 8;
/// The longest piece of the past that a sample is made of, in samples of the input.
const LONGEST_PAST: usize = TAPS_48K;

/// A filter for each pair of rates, made when first used.
static FILTERS: [[OnceLock<Box<[f32]>>; 3]; 3] = [const { [const { OnceLock::new() }; 3] }; 3];

/// Converts one stream of sums from one rate to another: a polyphase filter of linear phase, delay 2 ms, flat within
/// half a decibel to 85 % of the lower rate's Nyquist frequency. Allocates when it is made, never after.
#[derive(Debug, Clone)]
pub struct RateConverter {
    from: Rate,
    to: Rate,
    /// The filter, phase by phase, each reversed: a sample is the product of a phase and the samples up to now.
    filter: &'static [f32],
    /// Samples of the input that one of the output is made of.
    reach: usize,
    /// The past, and behind it the frame.
    window: Box<[f32]>,
    /// Whether anything is left of what went in before.
    is_clear: bool,
}

impl RateConverter {
    /// A converter with silence behind it.
    #[must_use]
    pub fn new(from: Rate, to: Rate) -> Self {
        let filter = FILTERS[from.index()][to.index()].get_or_init(|| filter(from, to));
        let reach = filter.len() / up(from, to);
        Self { from, to, filter, reach, window: vec![0.0; LONGEST_PAST + from.frame()].into(), is_clear: true }
    }

    /// The rate of what goes in.
    #[must_use]
    pub const fn from(&self) -> Rate {
        self.from
    }

    /// The rate of what comes out.
    #[must_use]
    pub const fn to(&self) -> Rate {
        self.to
    }

    /// Whether silence in gives silence out: nothing is left of what went in before.
    #[must_use]
    pub const fn is_clear(&self) -> bool {
        self.is_clear
    }

    /// Converts a frame, given as sums or samples, and adds it to `sum`, a frame of the other rate.
    pub fn add<T: Copy + Into<i32>>(&mut self, input: &[T], sum: &mut [i32]) {
        let frame = self.from.frame();
        for (place, &sample) in self.window[LONGEST_PAST..].iter_mut().zip(input) {
            #[expect(clippy::cast_precision_loss, reason = "a sum of 2^24 is far beyond full scale")]
            {
                *place = sample.into() as f32;
            }
        }
        self.is_clear = false;
        self.run(sum);
        self.window.copy_within(frame.., 0);
    }

    /// Lets a frame of silence in; what is left of the past comes out and is added to `sum`.
    pub fn add_silence(&mut self, sum: &mut [i32]) {
        if self.is_clear {
            return;
        }
        let frame = self.from.frame();
        self.window[LONGEST_PAST..].fill(0.0);
        self.run(sum);
        self.window.copy_within(frame.., 0);
        self.is_clear = true;
    }

    /// Forgets the past.
    pub fn clear(&mut self) {
        self.window.fill(0.0);
        self.is_clear = true;
    }

    fn run(&self, sum: &mut [i32]) {
        let (up, down) = (up(self.from, self.to), up(self.to, self.from));
        let reach = self.reach;
        // The last sample that an output is made of stands before `end`.
        let mut end = LONGEST_PAST + 1;
        let mut phase = 0;
        for out in sum.iter_mut().take(self.to.frame()) {
            let taps = &self.filter[phase * reach..(phase + 1) * reach];
            *out += rounded(product(taps, &self.window[end - reach..end]));
            phase += 1;
            if phase == up {
                phase = 0;
                end += down;
            }
        }
    }
}

/// How many samples of `to` come for each of `from`, or 1.
const fn up(from: Rate, to: Rate) -> usize {
    let ratio = to.scale() / from.scale();
    if ratio == 0 { 1 } else { ratio }
}

#[expect(clippy::cast_possible_truncation, reason = "far beyond full scale is far beyond full scale")]
fn rounded(value: f32) -> i32 {
    (value + 0.5).floor() as i32
}

/// The sum of the products, in lanes, so that it becomes vectors.
fn product(a: &[f32], b: &[f32]) -> f32 {
    let mut lanes = [0.0; LANES];
    let (a, rest_a) = a.as_chunks::<LANES>();
    let (b, rest_b) = b.as_chunks::<LANES>();
    for (a, b) in a.iter().zip(b) {
        for ((lane, a), b) in lanes.iter_mut().zip(a).zip(b) {
            *lane += a * b;
        }
    }
    let rest: f32 = rest_a.iter().zip(rest_b).map(|(a, b)| a * b).sum();
    lanes.iter().sum::<f32>() + rest
}

/// The filter between two rates: at the higher one, cut into phases, each reversed.
#[expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, reason = "filter values")]
fn filter(from: Rate, to: Rate) -> Box<[f32]> {
    let up = up(from, to);
    let higher = from.scale().max(to.scale());
    let ratio = higher / from.scale().min(to.scale());
    let taps = TAPS_48K * higher / Rate::Full.scale();
    let cutoff = CUTOFF / ratio as f64;
    let middle = taps as f64 / 2.0;
    let tap = |n: usize| {
        let x = n as f64 - middle;
        let sinc = if x == 0.0 { 1.0 } else { (PI * cutoff * x).sin() / (PI * cutoff * x) };
        let w = x / middle;
        let window = bessel(BETA * (1.0 - w * w).max(0.0).sqrt()) / bessel(BETA);
        cutoff * sinc * window
    };
    let whole: Vec<f64> = (0..taps).map(tap).collect();
    let reach = taps / up;
    let mut filter = vec![0.0; taps];
    for phase in 0..up {
        // Each phase passes a constant unchanged, or the phases would hum.
        let sum: f64 = (0..reach).map(|k| whole[k * up + phase]).sum();
        for k in 0..reach {
            filter[phase * reach + reach - 1 - k] = (whole[k * up + phase] / sum) as f32;
        }
    }
    filter.into()
}

/// The modified Bessel function of the first kind, order 0.
fn bessel(x: f64) -> f64 {
    let (mut sum, mut term) = (1.0, 1.0);
    for n in 1..30 {
        term *= (x / 2.0 / f64::from(n)).powi(2);
        sum += term;
    }
    sum
}

/// One frame of sums, for work in between.
pub type Sums = [i32; LONGEST_FRAME];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audio::{goertzel, level};

    fn sine(hertz: f64, rate: Rate, frames: usize) -> Vec<i16> {
        let sample = |n: usize| 8_000.0 * (2.0 * PI * hertz * n as f64 / f64::from(rate.hertz())).sin();
        (0..rate.frame() * frames).map(|n| sample(n) as i16).collect()
    }

    fn converted(samples: &[i16], from: Rate, to: Rate) -> Vec<i16> {
        let mut converter = RateConverter::new(from, to);
        let mut out = Vec::new();
        for frame in samples.chunks_exact(from.frame()) {
            let mut sum = vec![0; to.frame()];
            converter.add(frame, &mut sum);
            out.extend(sum.iter().map(|&sum| sum.clamp(-32_768, 32_767) as i16));
        }
        out
    }

    fn pairs() -> impl Iterator<Item = (Rate, Rate)> {
        Rate::ALL.into_iter().flat_map(|from| Rate::ALL.map(|to| (from, to))).filter(|(from, to)| from != to)
    }

    fn tone(samples: &[i16], rate: Rate, hertz: f64) -> f32 {
        goertzel::tone_dbfs(&samples[rate.frame() * 2..rate.frame() * 12], rate.hertz(), hertz)
    }

    #[test]
    fn the_pass_band_is_flat_and_nothing_else_appears() {
        for (from, to) in pairs() {
            let edge = 0.425 * f64::from(from.hertz().min(to.hertz()));
            for hertz in [100.0, 300.0, 1_000.0, 0.5 * edge, edge].map(|hertz| (hertz / 50.0).round() * 50.0) {
                let before = sine(hertz, from, 14);
                let after = converted(&before, from, to);
                let change = tone(&after, to, hertz) - tone(&before, from, hertz);
                assert!(change.abs() < 0.5, "{from:?} to {to:?}: {hertz} Hz by {change} dB");
                // All that is there is the tone.
                let all = level::dbfs(&after[to.frame() * 2..to.frame() * 12]);
                assert!((all - tone(&after, to, hertz)).abs() < 0.05, "{from:?} to {to:?}: {hertz} Hz");
            }
        }
    }

    #[test]
    fn what_the_lower_rate_cannot_carry_is_not_folded_back() {
        for (from, to) in pairs().filter(|(from, to)| from > to) {
            let nyquist = f64::from(to.hertz()) / 2.0;
            for part in [1.1, 1.25, 1.5, 1.9] {
                let after = converted(&sine(part * nyquist, from, 14), from, to);
                let left = level::dbfs(&after[to.frame() * 2..]) - level::dbfs(&sine(1_000.0, from, 5));
                assert!(left < -45.0, "{from:?} to {to:?}: {part} of Nyquist leaves {left} dB");
            }
        }
    }

    #[test]
    fn images_do_not_appear_in_the_higher_rate() {
        for (from, to) in pairs().filter(|(from, to)| from < to) {
            let hertz = 0.3 * f64::from(from.hertz());
            let after = converted(&sine(hertz, from, 14), from, to);
            let image = tone(&after, to, f64::from(from.hertz()) - hertz) - tone(&after, to, hertz);
            assert!(image < -55.0, "{from:?} to {to:?}: {image} dB");
        }
    }

    #[test]
    fn the_delay_is_two_milliseconds() {
        for (from, to) in pairs() {
            let mut impulse = vec![0i16; from.frame() * 2];
            impulse[0] = 20_000;
            let after = converted(&impulse, from, to);
            let peak = (0..after.len()).max_by_key(|&n| after[n].unsigned_abs()).unwrap();
            let millis = peak as f64 / f64::from(to.hertz()) * 1_000.0;
            assert!(millis <= 2.0, "{from:?} to {to:?}: {millis} ms");
        }
    }

    #[test]
    fn silence_flushes_it() {
        for (from, to) in pairs() {
            let mut converter = RateConverter::new(from, to);
            let mut sum = vec![0; to.frame()];
            converter.add_silence(&mut sum);
            assert!(converter.is_clear() && sum.iter().all(|&sum| sum == 0));
            converter.add(&sine(1_000.0, from, 1), &mut sum);
            assert!(!converter.is_clear());
            sum.fill(0);
            converter.add_silence(&mut sum);
            assert!(converter.is_clear() && sum.iter().any(|&sum| sum != 0));
            sum.fill(0);
            converter.add(&vec![0i16; from.frame()], &mut sum);
            assert!(sum.iter().all(|&sum| sum.abs() <= 1));
        }
    }
}
