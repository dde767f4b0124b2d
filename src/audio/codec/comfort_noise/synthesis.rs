//! From payloads to noise.

use super::{Description, Empty, ORDER, predictor};
use crate::types::SampleRate;

/// Noise is no louder than this, whatever a payload says: decibels below overload.
const LOUDEST: u8 = 20;
/// What a step may have more than that, as an amplitude: 9 dB. A sharp filter swings, and one that moves from a whistle
/// to another may swing without an end.
const SWING: f64 = 2.8;
/// Nearer to 1 a coefficient makes a whistle of noise.
const SHARPEST: f32 = 0.99;
/// The filter moves in steps of 5 ms, each a tenth of the way that is left: most of it within 100 ms.
const STEPS_A_SECOND: u32 = 200;
const SHARE: f32 = 0.1;
/// Samples in a step at 48 kHz.
const LONGEST_STEP: usize = 240;

/// Makes the noise that payloads describe.
#[derive(Debug, Clone)]
pub struct Decoder {
    /// Samples in a step.
    step: usize,
    /// Where it is going; `None` until a payload was heard.
    target: Option<Shape>,
    now: Shape,
    /// The filter of `now`, and the amplitude of what goes in.
    predictor: [f64; ORDER],
    amplitude: f64,
    /// The last samples, the newest last.
    past: [f64; ORDER],
    /// Samples until the filter moves.
    left: usize,
    random: u32,
}

/// A noise.
#[derive(Debug, Clone, Copy)]
struct Shape {
    /// dBov.
    level: f32,
    reflection: [f32; ORDER],
}

impl Decoder {
    /// Makes noise at `rate`: the clock rate of the payload type, or the spectrum is another. Equal seeds make equal
    /// noise.
    #[must_use]
    pub const fn new(rate: SampleRate, seed: u32) -> Self {
        let step = (rate.0 / STEPS_A_SECOND) as usize;
        Self {
            step: if step > LONGEST_STEP { LONGEST_STEP } else { step },
            target: None,
            now: Shape { level: -127.0, reflection: [0.0; ORDER] },
            predictor: [0.0; ORDER],
            amplitude: 0.0,
            past: [0.0; ORDER],
            left: 0,
            random: seed | 1,
        }
    }

    /// A pause ends: the next one starts with the noise that its first payload describes.
    pub const fn end(&mut self) {
        self.target = None;
    }

    /// Takes a payload. The first one of a pause counts at once, later ones change the noise slowly.
    ///
    /// # Errors
    /// The payload is empty; the noise stays as it was.
    pub fn update(&mut self, payload: &[u8]) -> Result<(), Empty> {
        let description = Description::parse(payload)?;
        let target = Shape {
            level: -f32::from(description.level.max(LOUDEST)),
            reflection: description.reflection().map(|k| k.clamp(-SHARPEST, SHARPEST)),
        };
        if self.target.replace(target).is_none() {
            self.now = target;
            self.past = [0.0; ORDER];
            self.tune();
            self.left = self.step;
        }
        Ok(())
    }

    /// Takes a payload and makes the noise that follows it: all of `samples`. Returns how many they are.
    ///
    /// # Errors
    /// The payload is empty.
    pub fn decode(&mut self, payload: &[u8], samples: &mut [i16]) -> Result<usize, Empty> {
        self.update(payload)?;
        self.fill(samples);
        Ok(samples.len())
    }

    /// Writes noise; silence until a payload was heard.
    pub fn fill(&mut self, mut samples: &mut [i16]) {
        let Some(target) = self.target else {
            samples.fill(0);
            return;
        };
        while !samples.is_empty() {
            if self.left == 0 {
                self.now.approach(&target);
                self.tune();
                self.left = self.step;
            }
            let piece = samples.split_off_mut(..self.left.min(samples.len())).unwrap_or_default();
            self.left -= piece.len();
            self.synthesize(piece);
        }
    }

    /// The filter and amplitude of `now`.
    fn tune(&mut self) {
        // What an all-pole filter makes of white noise is louder by the product of 1 / (1 − k²).
        let lost: f64 = self.now.reflection.iter().map(|&k| 1.0 - f64::from(k) * f64::from(k)).product();
        self.amplitude = 32_768.0 * 10f64.powf(f64::from(self.now.level) / 20.0) * lost.sqrt();
        self.predictor = predictor(&self.now.reflection).map(f64::from);
    }

    /// At most a step.
    #[expect(clippy::cast_possible_truncation, reason = "clamped")]
    fn synthesize(&mut self, samples: &mut [i16]) {
        let mut signal = [0.0; ORDER + LONGEST_STEP];
        signal[..ORDER].copy_from_slice(&self.past);
        for i in 0..samples.len() {
            let past: &[f64; ORDER] = signal[i..].first_chunk().unwrap_or(&self.past);
            // The newest last: whatever does not wait for it is summed first.
            let predicted: f64 = past.iter().zip(self.predictor.iter().rev()).map(|(past, a)| past * a).sum();
            let value = (self.amplitude * uniform(&mut self.random) - predicted).clamp(-32_768.0, 32_767.0);
            signal[ORDER + i] = value;
        }
        let made = &mut signal[ORDER..ORDER + samples.len()];
        let power = made.iter().map(|value| value * value).sum::<f64>() / made.len() as f64;
        let most = 32_768.0 * 10f64.powf(-f64::from(LOUDEST) / 20.0) * SWING;
        if power > most * most {
            let gain = most / power.sqrt();
            made.iter_mut().for_each(|value| *value *= gain);
        }
        for (sample, value) in samples.iter_mut().zip(made) {
            *sample = value.round() as i16;
        }
        self.past.copy_from_slice(&signal[samples.len()..samples.len() + ORDER]);
    }
}

impl Shape {
    /// Between two sets of coefficients within ±1 lie only such.
    fn approach(&mut self, target: &Self) {
        self.level += (target.level - self.level) * SHARE;
        for (now, target) in self.reflection.iter_mut().zip(target.reflection) {
            *now += (target - *now) * SHARE;
        }
    }
}

/// A random number of variance 1: uniform, which a filter makes normal. (xorshift)
fn uniform(random: &mut u32) -> f64 {
    *random ^= *random << 13;
    *random ^= *random >> 17;
    *random ^= *random << 5;
    f64::from(random.cast_signed()) * (3f64.sqrt() / 2_147_483_648.0)
}
