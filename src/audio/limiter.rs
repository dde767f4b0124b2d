//! Makes what is too loud for 16 bits quieter, instead of clipping it: a peak limiter that looks ahead within a frame.
//!
//! A frame is cut into eight blocks of 2.5 ms. The factor changes along straight lines between their borders, and at
//! none of them is it more than either block beside it bears: so nothing is clipped but a block at the begin of a frame
//! that is suddenly louder, for a part of a millisecond. It stays down for 20 to 40 ms, longer than a period of the
//! lowest voice, so that it does not follow the waves; then it rises.

mod sum;

pub use sum::SumLimiter;

use super::Rate;

/// Blocks in a frame, and samples in a block at each rate.
const BLOCKS: usize = 8;
const NARROW: usize = Rate::Narrow.frame() / BLOCKS;
const WIDE: usize = Rate::Wide.frame() / BLOCKS;
const FULL: usize = Rate::Full.frame() / BLOCKS;
/// The loudest that comes out.
const CEILING: f32 = 32_000.0;
/// How much the factor rises in a block, at most, unless said otherwise: 10 dB a second.
const RISE: f32 = 1.002_882;
/// Nothing is louder than so many times what comes out, even where a fall begins.
const MOST: f32 = 64.0;
/// So small a part of a block, its inverse, is for a fall that nobody saw coming.
const FALL: usize = 4;
/// The samples of the longest block, counted.
const COUNTED: [f32; FULL] = {
    let mut counted = [0.0; FULL];
    let mut at = 0;
    while at < FULL {
        counted[at] = (at + 1) as f32;
        at += 1;
    }
    counted
};

/// A limiter.
#[derive(Debug, Clone)]
pub struct Limiter {
    /// The factor at the end of the last frame.
    factor: f32,
    /// How much it rises in a block, at most.
    rise: f32,
    /// The least that a block of the last frame bore.
    held: f32,
}

impl Default for Limiter {
    fn default() -> Self {
        Self::rising_by(RISE)
    }
}

impl Limiter {
    /// A limiter whose factor rises by this factor in a block, at most.
    const fn rising_by(rise: f32) -> Self {
        Self { factor: 1.0, rise, held: 1.0 }
    }

    /// Whether it makes nothing quieter just now.
    #[must_use]
    pub fn is_at_rest(&self) -> bool {
        self.factor >= 1.0
    }

    /// There is nothing to be heard.
    pub const fn reset(&mut self) {
        (self.factor, self.held) = (1.0, 1.0);
    }

    /// Limits a frame of one of our rates. What is not too loud, and follows nothing that was, stays as it is.
    pub fn apply(&mut self, frame: &mut [f32]) {
        match frame.len() / BLOCKS {
            NARROW => self.apply_to::<NARROW>(frame),
            WIDE => self.apply_to::<WIDE>(frame),
            _ => self.apply_to::<FULL>(frame),
        }
    }

    fn apply_to<const LENGTH: usize>(&mut self, frame: &mut [f32]) {
        let blocks = frame.as_chunks_mut::<LENGTH>().0;
        let bears = std::array::from_fn(|at| blocks.get(at).map_or(1.0, bears));
        if self.is_at_rest() && bears.iter().all(|bears| *bears >= 1.0) {
            return;
        }
        for (slope, block) in self.follow(&bears).into_iter().zip(blocks) {
            let mut factors = [0.0; LENGTH];
            slope.write(&mut factors);
            block.iter_mut().zip(factors).for_each(|(sample, factor)| *sample *= factor);
        }
    }

    /// Gives the factors of a frame whose blocks bear so much: of each block at its begin and at its end, and where it is
    /// a fall that the block before could not see, from which factor.
    #[inline]
    fn follow(&mut self, bears: &[f32; BLOCKS]) -> [Slope; BLOCKS] {
        let mut held = self.held;
        let slopes = std::array::from_fn(|at| {
            let next = bears.get(at + 1).copied().unwrap_or(1.0);
            held = lesser(held, bears[at]);
            let slope = Slope {
                before: lesser(self.factor, bears[at] * MOST),
                begin: lesser(self.factor, bears[at]),
                end: lesser(lesser(self.factor * self.rise, held), next),
            };
            self.factor = slope.end;
            slope
        });
        self.held = bears.iter().copied().fold(1.0, lesser);
        slopes
    }
}

/// The lesser of two numbers: one instruction where neither may be none.
const fn lesser(one: f32, other: f32) -> f32 {
    if one < other { one } else { other }
}

/// How the factor changes in a block.
#[derive(Debug, Clone, Copy)]
struct Slope {
    before: f32,
    begin: f32,
    end: f32,
}

impl Slope {
    /// Writes the factor of each sample of a block.
    #[inline]
    fn write<const LENGTH: usize>(self, factors: &mut [f32; LENGTH]) {
        let step = (self.end - self.begin) / LENGTH as f32;
        for (factor, counted) in factors.iter_mut().zip(&COUNTED) {
            *factor = self.begin + step * counted;
        }
        if self.before > self.begin {
            self.write_fall(factors);
        }
    }

    #[cold]
    fn write_fall(self, factors: &mut [f32]) {
        let over = factors.len() / FALL;
        for (factor, counted) in factors[..over].iter_mut().zip(&COUNTED) {
            *factor = self.before + (*factor - self.before) * counted / over as f32;
        }
    }
}

/// By what a block can be multiplied without getting too loud, 1 at most.
#[inline]
fn bears<const LENGTH: usize>(block: &[f32; LENGTH]) -> f32 {
    // Four peaks at once.
    let mut peaks = [0.0f32; 4];
    for four in block.as_chunks::<4>().0 {
        for (peak, sample) in peaks.iter_mut().zip(four) {
            let sample = sample.abs();
            *peak = if sample > *peak { sample } else { *peak };
        }
    }
    let peak = peaks.into_iter().fold(0.0, |peak, other| if other > peak { other } else { peak });
    if peak > CEILING { CEILING / peak } else { 1.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

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
        let mut limiter = Limiter { factor: 0.5, ..Limiter::default() };
        limiter.reset();
        assert!(limiter.is_at_rest());
        limiter.apply(&mut []);
    }
}
