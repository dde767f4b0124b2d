//! Makes what is too loud for 16 bits quieter, instead of clipping it: a peak limiter that looks ahead within a frame.
//!
//! A frame is cut into eight blocks of 2.5 ms. The factor changes along straight lines between their borders, and at
//! none of them is it more than either block beside it bears: so nothing is clipped but a block at the begin of a frame
//! that is suddenly louder, for a part of a millisecond. It rises again by 10 dB a second.

/// Blocks in a frame.
const BLOCKS: usize = 8;
/// The loudest that comes out.
const CEILING: f32 = 32_000.0;
/// How much the factor rises in a block, at most: 10 dB a second.
const RISE: f32 = 1.002_882;
/// So small a part of a block, its inverse, is for a fall that nobody saw coming.
const FALL: usize = 4;

/// A limiter.
#[derive(Debug, Clone)]
pub struct Limiter {
    /// The factor at the end of the last frame.
    factor: f32,
}

impl Default for Limiter {
    fn default() -> Self {
        Self { factor: 1.0 }
    }
}

impl Limiter {
    /// Whether it makes nothing quieter just now.
    #[must_use]
    pub fn is_at_rest(&self) -> bool {
        self.factor >= 1.0
    }

    /// There is nothing to be heard.
    pub const fn reset(&mut self) {
        self.factor = 1.0;
    }

    /// Limits a frame, a whole number of blocks. What is not too loud, and follows nothing that was, stays as it is.
    pub fn apply(&mut self, frame: &mut [f32]) {
        let length = frame.len() / BLOCKS;
        if length == 0 {
            return;
        }
        let mut bears = [1.0f32; BLOCKS];
        for (bears, block) in bears.iter_mut().zip(frame.chunks_exact(length)) {
            let peak = block.iter().fold(0.0f32, |peak, sample| peak.max(sample.abs()));
            if peak > CEILING {
                *bears = CEILING / peak;
            }
        }
        if self.is_at_rest() && bears.iter().all(|bears| *bears >= 1.0) {
            return;
        }
        for (at, block) in frame.chunks_exact_mut(length).enumerate() {
            let next = bears.get(at + 1).copied().unwrap_or(1.0);
            let end = (self.factor * RISE).min(bears[at]).min(next).min(1.0);
            // A fall that the block before could not see.
            let (from, over) = if self.factor > bears[at] { (self.factor, length / FALL) } else { (self.factor, 0) };
            let begin = self.factor.min(bears[at]);
            let step = (end - begin) / length as f32;
            for (i, sample) in block.iter_mut().enumerate() {
                let mut factor = begin + step * (i + 1) as f32;
                if i < over {
                    factor = from + (factor - from) * (i + 1) as f32 / over as f32;
                }
                *sample *= factor;
            }
            self.factor = end;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audio::Rate;

    /// Voices of tones, summed: hertz and amplitude.
    fn sum(tones: &[(f64, f64)], rate: Rate, seconds: usize) -> Vec<f32> {
        let hertz = (50 * rate.frame()) as f64;
        let at = |i: usize| {
            tones
                .iter()
                .map(move |(tone, amplitude)| amplitude * (std::f64::consts::TAU * tone * i as f64 / hertz).sin())
        };
        (0..seconds * 50 * rate.frame()).map(|i| at(i).sum::<f64>() as f32).collect()
    }

    fn limited(sound: &[f32], rate: Rate) -> Vec<f32> {
        let (mut sound, mut limiter) = (sound.to_vec(), Limiter::default());
        sound.chunks_mut(rate.frame()).for_each(|frame| limiter.apply(frame));
        sound
    }

    /// The power of a tone in a sound, and of all that is none of these tones, dB.
    fn distortion(sound: &[f32], tones: &[f64], rate: Rate) -> f64 {
        let hertz = (50 * rate.frame()) as f64;
        let mut rest: Vec<f64> = sound.iter().map(|sample| f64::from(*sample)).collect();
        let total: f64 = rest.iter().map(|sample| sample * sample).sum();
        for tone in tones {
            let turn = |i: usize| std::f64::consts::TAU * tone * i as f64 / hertz;
            let part = |f: fn(f64) -> f64| {
                2.0 * rest.iter().enumerate().map(|(i, s)| s * f(turn(i))).sum::<f64>() / rest.len() as f64
            };
            let (sine, cosine) = (part(f64::sin), part(f64::cos));
            for (i, sample) in rest.iter_mut().enumerate() {
                *sample -= sine * turn(i).sin() + cosine * turn(i).cos();
            }
        }
        10.0 * (rest.iter().map(|sample| sample * sample).sum::<f64>() / total).log10()
    }

    #[test]
    fn what_is_not_too_loud_stays_as_it_is() {
        for rate in Rate::ALL {
            let sound = sum(&[(440.0, 20_000.0), (1_000.0, 11_000.0)], rate, 1);
            assert_eq!(limited(&sound, rate), sound);
        }
    }

    #[test]
    fn two_loud_voices_are_not_clipped() {
        for rate in Rate::ALL {
            for tones in [[(200.0, 26_000.0), (710.0, 26_000.0)], [(130.0, 32_000.0), (1_900.0, 32_000.0)]] {
                let sound = sum(&tones, rate, 4);
                let clipped: Vec<f32> = sound.iter().map(|sample| sample.clamp(-32_768.0, 32_767.0)).collect();
                let limited = limited(&sound, rate);
                let settled = limited.len() / 2;
                assert!(limited[settled..].iter().all(|sample| sample.abs() <= CEILING * 1.001), "{rate:?}");
                let hertz = tones.map(|(tone, _)| tone);
                let [before, after] = [&clipped, &limited].map(|sound| distortion(&sound[settled..], &hertz, rate));
                assert!(after < -38.0 && after < before - 15.0, "{rate:?} {tones:?}: {after} dB, clipped {before} dB");
            }
        }
    }

    #[test]
    fn a_sudden_loud_voice_is_clipped_for_less_than_a_millisecond() {
        for rate in Rate::ALL {
            let mut sound = sum(&[(300.0, 5_000.0)], rate, 1);
            // At its crest a tone of four times what fits begins: at the begin of a frame, and in its middle.
            for begin in [20 * rate.frame(), 20 * rate.frame() + rate.frame() / 3] {
                for (i, sample) in sound[begin..].iter_mut().enumerate() {
                    *sample += 120_000.0 * (i as f32 * 0.3 / rate.scale() as f32).cos();
                }
                let limited = limited(&sound, rate);
                let clipped = limited.iter().filter(|sample| sample.abs() > 32_767.0).count();
                assert!(clipped <= rate.frame() / 20, "{rate:?}: {clipped}");
                sound = sum(&[(300.0, 5_000.0)], rate, 1);
            }
        }
    }

    #[test]
    fn after_what_was_too_loud_it_comes_back_without_a_step() {
        let rate = Rate::Narrow;
        let mut sound = vec![60_000.0f32; rate.frame() * 5];
        sound.extend(vec![10_000.0; rate.frame() * 100]);
        let limited = limited(&sound, rate);
        let after = &limited[rate.frame() * 5..];
        assert!(after.windows(2).all(|two| (0.0..10.0).contains(&(two[1] - two[0]))), "it rises");
        assert_eq!(after[after.len() - 1], 10_000.0);
        let mut limiter = Limiter { factor: 0.5 };
        limiter.reset();
        assert!(limiter.is_at_rest());
        limiter.apply(&mut []);
    }
}
