//! From noise to payloads.

use super::{Description, ORDER, predictor};
use crate::audio::level;
use crate::types::SampleRate;

/// The longest piece that is looked at as one: 20 ms at 16 kHz.
const LONGEST_PIECE: usize = 320;
/// A piece counts for this much of the average when many were heard before: about 200 ms are remembered.
const LEAST_WEIGHT: f32 = 0.1;
/// A changed noise is described anew after 100 ms, an unchanged one after a second, since its packet may be lost.
const CHANGES_A_SECOND: u32 = 10;
/// What counts as a change: decibels, and how much worse the filter that was sent does than the best one (1 dB).
const LEVEL_CHANGE: u8 = 2;
const SPECTRUM_CHANGE: f32 = 1.26;
/// A floor under the spectrum, 40 dB down, or the quantisation of G.711 would be described.
const FLOOR: f32 = 1.000_1;

/// Describes the noise of pauses.
///
/// A pause starts with [`Encoder::begin`]; each of its frames goes through [`Encoder::encode`], which says when a
/// payload is to be sent.
#[derive(Debug, Clone)]
pub struct Encoder {
    rate: SampleRate,
    /// Averages: the autocorrelation of a windowed sample, and the mean square.
    correlation: [f32; ORDER + 1],
    mean_square: f32,
    /// Pieces in the averages.
    pieces: f32,
    /// What was sent last in this pause, and how many samples ago.
    sent: Option<Description>,
    since: u32,
}

impl Encoder {
    /// For noise sampled at `rate`: 8 or 16 kHz, the clock rate of the payload type.
    #[must_use]
    pub const fn new(rate: SampleRate) -> Self {
        Self { rate, correlation: [0.0; ORDER + 1], mean_square: 0.0, pieces: 0.0, sent: None, since: 0 }
    }

    /// A pause begins: its first frame is described at once.
    pub const fn begin(&mut self) {
        *self = Self::new(self.rate);
    }

    /// Listens to a frame of the pause. Returns the octets written to `payload`; 0 where nothing need be sent. A
    /// payload with room for fewer than [`super::LONGEST_PAYLOAD`] gets fewer coefficients.
    pub fn encode(&mut self, samples: &[i16], payload: &mut [u8]) -> usize {
        samples.chunks(LONGEST_PIECE).for_each(|piece| self.listen(piece));
        self.since = self.since.saturating_add(u32::try_from(samples.len()).unwrap_or(u32::MAX));
        if samples.is_empty() || !self.is_due() {
            return 0;
        }
        let described = Description::new(self.mean_square, &reflection(&self.correlation));
        self.sent = Some(described);
        self.since = 0;
        described.write(payload)
    }

    #[expect(clippy::cast_precision_loss, reason = "an average needs no more")]
    fn listen(&mut self, piece: &[i16]) {
        let length = piece.len() as f32;
        self.pieces += 1.0;
        let weight = self.pieces.recip().max(LEAST_WEIGHT);
        self.mean_square += weight * (level::energy(piece) as f32 / length - self.mean_square);
        // A parabola is window enough, and needs no table.
        let mut windowed = [0.0; LONGEST_PIECE];
        let (middle, half) = ((length - 1.0) / 2.0, f32::midpoint(length, 1.0));
        for (i, (place, &sample)) in windowed.iter_mut().zip(piece).enumerate() {
            let from_middle = (i as f32 - middle) / half;
            *place = f32::from(sample) * (1.0 - from_middle * from_middle);
        }
        for (lag, average) in self.correlation.iter_mut().enumerate() {
            let now = product(&windowed[..piece.len()], &windowed[lag.min(piece.len())..piece.len()]) / length;
            *average += weight * (now - *average);
        }
    }

    fn is_due(&self) -> bool {
        let Some(sent) = self.sent else { return true };
        let second = self.rate.0;
        if self.since < second / CHANGES_A_SECOND {
            return false;
        }
        let reflection = reflection(&self.correlation);
        let now = Description::new(self.mean_square, &reflection);
        let worse = residual(&self.correlation, &predictor(&sent.reflection()))
            / residual(&self.correlation, &predictor(&reflection)).max(f32::MIN_POSITIVE);
        self.since >= second || now.level.abs_diff(sent.level) >= LEVEL_CHANGE || worse > SPECTRUM_CHANGE
    }
}

/// The sum of products, in eight sums so that it is made of vectors.
fn product(a: &[f32], b: &[f32]) -> f32 {
    let length = a.len().min(b.len());
    let (a, rest_a) = a[..length].as_chunks::<8>();
    let (b, rest_b) = b[..length].as_chunks::<8>();
    let mut sums = [0.0; 8];
    for (a, b) in a.iter().zip(b) {
        for ((sum, a), b) in sums.iter_mut().zip(a).zip(b) {
            *sum += a * b;
        }
    }
    sums.iter().sum::<f32>() + rest_a.iter().zip(rest_b).map(|(a, b)| a * b).sum::<f32>()
}

/// The autocorrelation with a floor under its spectrum; digital silence is white.
const fn floored(correlation: &[f32; ORDER + 1]) -> [f32; ORDER + 1] {
    let mut floored = *correlation;
    floored[0] = floored[0] * FLOOR + 1e-3;
    floored
}

/// The reflection coefficients of a noise, by the recursion of Levinson and Durbin.
fn reflection(correlation: &[f32; ORDER + 1]) -> [f32; ORDER] {
    let r = floored(correlation);
    let mut reflection = [0.0; ORDER];
    let mut a = [0.0; ORDER];
    let mut error = r[0];
    for m in 0..ORDER {
        let sum = r[m + 1] + (0..m).map(|i| a[i] * r[m - i]).sum::<f32>();
        let k = (-sum / error).clamp(-0.999, 0.999);
        reflection[m] = k;
        let before = a;
        a[m] = k;
        for i in 0..m {
            a[i] += k * before[m - 1 - i];
        }
        error *= 1.0 - k * k;
    }
    reflection
}

/// What a predictor leaves of a noise: its mean square.
fn residual(correlation: &[f32; ORDER + 1], predictor: &[f32; ORDER]) -> f32 {
    let r = floored(correlation);
    let coefficient = |i: usize| if i == 0 { 1.0 } else { predictor[i - 1] };
    (0..=ORDER).map(|i| (0..=ORDER).map(|j| coefficient(i) * coefficient(j) * r[i.abs_diff(j)]).sum::<f32>()).sum()
}
