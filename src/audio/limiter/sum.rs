//! A limiter of what several say at once, for all who hear it less their own share.

use super::{BLOCKS, CEILING, FULL, Limiter, NARROW, Slope, WIDE};
use crate::audio::Rate;
use crate::audio::mix::{self, saturate};

/// How much the factor rises in a block, at most: 40 dB a second. Two voices of full scale take 6 dB.
const RISE: f32 = 1.011_579;

/// One more than the loudest that fits.
const FULL_SCALE: f32 = 32_768.0;
/// Limits the sum of a mix. All who hear it, whole or less their own share, hear it with the same factors, so that
/// nobody's loudness depends on who listens. While the sum passes full scale nowhere, and did not lately, nothing of it
/// is changed.
///
/// What is left once a talker's own share is taken out may pass full scale where the sum did not, and is clipped there:
/// where two others and the talker are loud at once, and the talker's own wave makes up for theirs. Of four voices of
/// −15 dBov that never pause it is one sample in ten thousand, and what that adds is far fainter than what µ-law adds
/// (`benches/README.md`). So nothing is done about it: a limiter for each talker would cost every leg that talks.
#[derive(Debug)]
pub struct SumLimiter {
    limiter: Limiter,
    /// The factors of the last frame, and the same as parts of 32,768.
    curve: Box<[f32]>,
    factors: Box<[i16]>,
    acts: bool,
}

impl SumLimiter {
    /// For frames of a rate.
    #[must_use]
    pub fn new(rate: Rate) -> Self {
        let (curve, factors) = (vec![1.0; rate.frame()].into(), vec![0; rate.frame()].into());
        Self { limiter: Limiter::rising_by(RISE), curve, factors, acts: false }
    }

    /// Writes the mix of a frame: the sum, limited.
    #[inline]
    pub fn mix(&mut self, sum: &[i32], mixed: &mut [i16]) {
        self.acts = !(self.limiter.is_at_rest() && mix::fit(sum, mixed));
        if self.acts {
            self.act(sum, mixed);
        }
    }

    /// There is nothing to be heard.
    #[inline]
    pub const fn reset(&mut self) {
        self.acts = false;
        self.limiter.reset();
    }

    /// By what the last frame was multiplied, parts of 32,768, each sample by its own; `None` where nothing was changed.
    #[must_use]
    #[inline]
    pub fn factors(&self) -> Option<&[i16]> {
        self.acts.then_some(&self.factors)
    }

    #[inline(never)]
    fn act(&mut self, sum: &[i32], mixed: &mut [i16]) {
        match sum.len() / BLOCKS {
            NARROW => self.act_on::<NARROW>(sum, mixed),
            WIDE => self.act_on::<WIDE>(sum, mixed),
            _ => self.act_on::<FULL>(sum, mixed),
        }
    }

    #[inline]
    fn act_on<const LENGTH: usize>(&mut self, sum: &[i32], mixed: &mut [i16]) {
        let mut bears = [1.0; BLOCKS];
        bears.iter_mut().zip(sum.as_chunks::<LENGTH>().0).for_each(|(bears, block)| *bears = borne(block));
        let slopes = self.limiter.follow(&bears);
        if let Some(factor) = level(&slopes) {
            let part = saturate(nearest(factor * 32_767.0));
            self.factors.fill(part);
            mixed.iter_mut().zip(sum).for_each(|(mixed, sum)| *mixed = saturate(nearest(float(*sum) * factor)));
            return;
        }
        for (slope, block) in slopes.into_iter().zip(self.curve.as_chunks_mut::<LENGTH>().0) {
            slope.write(block);
        }
        for (((mixed, sum), factor), part) in mixed.iter_mut().zip(sum).zip(&self.curve).zip(&mut self.factors) {
            *mixed = saturate(nearest(float(*sum) * factor));
            *part = saturate(nearest(factor * 32_767.0));
        }
    }
}

/// By what a block of a sum can be multiplied without getting too loud, 1 where it fits.
#[inline]
fn borne<const LENGTH: usize>(block: &[i32; LENGTH]) -> f32 {
    // In steps of an eighth of a decibel, 512, which fit 16 bits: of those the greatest of eight is one instruction.
    const STEP: u32 = 9;
    let mut small = [0i16; LENGTH];
    small.iter_mut().zip(block).for_each(|(small, sample)| *small = saturate(sample >> STEP));
    let high = small.iter().fold(0, |high, sample| if *sample > high { *sample } else { high });
    let low = small.iter().fold(0, |low, sample| if *sample < low { *sample } else { low });
    let peak = float((i32::from(high) + 1).max(-i32::from(low)) << STEP);
    if peak > FULL_SCALE { CEILING / peak } else { 1.0 }
}

/// The factor of the whole frame, where it is one.
fn level(slopes: &[Slope; BLOCKS]) -> Option<f32> {
    let factor = slopes[0].before;
    slopes.iter().all(|slope| slope.begin == factor && slope.end == factor).then_some(factor)
}

/// A sum of 512 voices is exact.
#[expect(clippy::cast_precision_loss, reason = "of more, 24 bits are enough")]
const fn float(sample: i32) -> f32 {
    sample as f32
}

/// The whole number that is nearest to one of at most ±2²². Unlike a cast it is made of vectors: added to 1.5 · 2²³, it is
/// the lower part of the sum.
fn nearest(number: f32) -> i32 {
    const MIDDLE: f32 = 12_582_912.0;
    (number + MIDDLE).to_bits().cast_signed() - MIDDLE.to_bits().cast_signed()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audio::active_level::active_level;
    use crate::audio::wav;
    use std::f64::consts::TAU;
    use std::fs::File;
    use std::path::{Path, PathBuf};

    /// Voices of tones: hertz and amplitude.
    fn voices(tones: &[(f64, f64)], rate: Rate, ticks: usize) -> Vec<Vec<i16>> {
        let hertz = (50 * rate.frame()) as f64;
        let samples = |(tone, amplitude): &(f64, f64)| {
            let at = |i: usize| (amplitude * (TAU * tone * i as f64 / hertz).sin()) as i16;
            (0..ticks * rate.frame()).map(at).collect()
        };
        tones.iter().map(samples).collect()
    }

    fn total(voices: &[Vec<i16>]) -> Vec<i32> {
        let mut sum = vec![0; voices[0].len()];
        voices.iter().for_each(|voice| mix::add(&mut sum, voice));
        sum
    }

    fn limited(sum: &[i32], rate: Rate) -> (Vec<i16>, Vec<Option<i16>>) {
        let (mut mixed, mut limiter, mut factors) = (vec![0; sum.len()], SumLimiter::new(rate), Vec::new());
        for (frame, mixed) in sum.chunks(rate.frame()).zip(mixed.chunks_mut(rate.frame())) {
            limiter.mix(frame, mixed);
            match limiter.factors() {
                Some(known) => factors.extend(known.iter().map(|factor| Some(*factor))),
                None => factors.extend(vec![None; frame.len()]),
            }
        }
        (mixed, factors)
    }

    /// All that is not the tone, dB of the whole.
    fn distortion(sound: &[i16], tone: f64, rate: Rate) -> f64 {
        let turn = |i: usize| TAU * tone * i as f64 / (50 * rate.frame()) as f64;
        let part = |f: fn(f64) -> f64| {
            2.0 * sound.iter().enumerate().map(|(i, s)| f64::from(*s) * f(turn(i))).sum::<f64>() / sound.len() as f64
        };
        let (sine, cosine) = (part(f64::sin), part(f64::cos));
        let rest = |(i, sample): (usize, &i16)| f64::from(*sample) - sine * turn(i).sin() - cosine * turn(i).cos();
        let rest: f64 = sound.iter().enumerate().map(rest).map(|rest| rest * rest).sum();
        10.0 * (rest / sound.iter().map(|s| f64::from(*s).powi(2)).sum::<f64>()).log10()
    }

    #[test]
    fn what_fits_stays_the_same_samples() {
        for rate in Rate::ALL {
            let mut sum = total(&voices(&[(300.0, 20_000.0), (710.0, 12_000.0)], rate, 50));
            (sum[7], sum[8]) = (i32::from(i16::MAX), i32::from(i16::MIN));
            let (limited, factors) = limited(&sum, rate);
            assert!(limited.iter().zip(&sum).all(|(limited, sum)| i32::from(*limited) == *sum), "{rate:?}");
            assert!(factors.iter().all(Option::is_none), "{rate:?}");
        }
    }

    #[test]
    fn one_sample_too_loud_is_limited_and_not_wrapped() {
        for too_loud in [i32::from(i16::MAX) + 1, i32::from(i16::MIN) - 1, 400 * 32_767, -400 * 32_768] {
            let mut sum = vec![100; 160];
            sum[50] = too_loud;
            let (limited, _) = limited(&sum, Rate::Narrow);
            let peak = i32::from(limited[50]);
            assert!((31_000..=32_001).contains(&peak.abs()) && peak.signum() == too_loud.signum(), "{peak}");
        }
    }

    #[test]
    fn a_tone_of_twice_full_scale_stays_a_tone() {
        for rate in Rate::ALL {
            for tone in [100.0, 250.0, 1_000.0] {
                let sum = total(&voices(&[(tone, 32_000.0), (tone, 32_000.0)], rate, 100));
                let mut clamped = vec![0; sum.len()];
                mix::clamp(&sum, &mut clamped);
                let (limited, _) = limited(&sum, rate);
                let settled = sum.len() / 2;
                assert!(limited[settled..].iter().all(|sample| sample.abs() <= 32_001), "{rate:?} {tone}");
                let [before, after] = [&clamped, &limited].map(|sound| distortion(&sound[settled..], tone, rate));
                assert!(before > -18.0 && after < -50.0, "{rate:?} {tone}: {after} dB, clamped {before} dB");
            }
        }
    }

    #[test]
    fn two_voices_of_full_scale_are_never_clipped_for_as_long_as_a_millisecond() {
        for rate in Rate::ALL {
            let mut voices = voices(&[(210.0, 32_000.0), (1_330.0, 32_000.0)], rate, 100);
            // They speak in turns, and at times both: the second begins at a crest, in the middle of a frame.
            for (at, sample) in voices[1].iter_mut().enumerate() {
                *sample *= i16::from(at / (rate.frame() * 7 + rate.frame() / 3) % 2 == 1);
            }
            let (limited, _) = limited(&total(&voices), rate);
            let clips = limited.split(|sample| (-32_767..32_767).contains(sample)).map(<[i16]>::len);
            assert!(clips.max() < Some(rate.frame() / 20), "{rate:?}");
        }
    }

    #[test]
    fn after_two_were_too_loud_one_has_its_loudness_back_within_200_ms_without_a_step() {
        for rate in Rate::ALL {
            let mut voices = voices(&[(210.0, 32_000.0), (440.0, 32_000.0)], rate, 100);
            voices[1][rate.frame() * 50..].fill(0);
            let (_, factors) = limited(&total(&voices), rate);
            let during = factors[rate.frame() * 49].unwrap();
            assert!((during - 16_700).abs() < 700, "{rate:?}: {during}");
            let after = &factors[rate.frame() * 50..];
            let rest = after.iter().position(Option::is_none).unwrap_or(usize::MAX);
            assert!(rest <= 10 * rate.frame(), "{rate:?}: {} ms", rest / rate.frame() * 20);
            assert!(after[rest..].iter().all(Option::is_none));
            let rising: Vec<i16> = after.iter().map_while(|factor| *factor).collect();
            let step = rising.windows(2).map(|two| (two[1] - two[0]).abs()).max();
            assert!(step <= Some(30), "{rate:?}: {step:?}");
            assert!(rising.last() >= Some(&32_700), "{rate:?}: {:?}", rising.last());
        }
    }

    #[test]
    fn a_share_can_be_taken_out_of_what_was_limited() {
        let voices = voices(&[(300.0, 30_000.0), (530.0, 20_000.0), (1_100.0, 25_000.0)], Rate::Narrow, 20);
        let mut limiter = SumLimiter::new(Rate::Narrow);
        for (tick, frame) in total(&voices).chunks(160).enumerate() {
            let (mut mixed, mut heard) = ([0; 160], [0; 160]);
            limiter.mix(frame, &mut mixed);
            let Some(factors) = limiter.factors() else { continue };
            let own = &voices[0][tick * 160..][..160];
            mix::minus_limited(&mixed, own, factors, &mut heard);
            let mut wide: Vec<i32> = mixed.iter().map(|sample| i32::from(*sample)).collect();
            let share: Vec<i32> = own.iter().map(|sample| i32::from(*sample)).collect();
            mix::subtract_limited(&mut wide, &share, factors);
            for (i, heard) in heard.iter().enumerate() {
                let others = f64::from(voices[1][tick * 160 + i]) + f64::from(voices[2][tick * 160 + i]);
                // But for the moment in which the limiter begins to act.
                if mixed[i].unsigned_abs() <= 32_001 {
                    let wanted = (others * f64::from(factors[i]) / 32_768.0).clamp(-32_768.0, 32_767.0);
                    assert!((f64::from(*heard) - wanted).abs() < 5.0, "{heard} {wanted}");
                    assert!((wide[i].clamp(-32_768, 32_767) - i32::from(*heard)).abs() <= 2);
                }
            }
        }
        limiter.reset();
        assert!(limiter.factors().is_none());
    }

    /// Who talks without end at 0 dBov, samples of ±1: the prompts of a language.
    fn talker(language: &str) -> Vec<f32> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("prompts").join(language);
        let mut paths: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
        paths.retain(|path| path.extension().is_some_and(|extension| extension == "wav"));
        paths.sort();
        let read = |path: &PathBuf| wav::read(File::open(path).unwrap()).unwrap();
        let mono: Vec<f32> = paths.iter().flat_map(read).map(|sample| f32::from(sample) / 32_768.0).collect();
        let gain = 10f64.powf(-active_level(&mono, 8_000).unwrap().dbov / 20.0) as f32;
        mono.iter().map(|sample| sample * gain).collect()
    }

    /// What each talker hears of the others: which part of the samples is clipped, how many in a row at most, and how
    /// loud what that adds is, dB of the whole.
    fn clipped(voices: &[Vec<i16>]) -> (f64, usize, f64) {
        let (mut limiter, mut mixed) = (SumLimiter::new(Rate::Narrow), [0; 160]);
        let mut rows = vec![0; voices.len()];
        let (mut longest, mut clips, mut heard, mut added) = (0, 0usize, 0.0, 0.0);
        for (at, frame) in total(voices).chunks(160).enumerate() {
            limiter.mix(frame, &mut mixed);
            for (voice, row) in voices.iter().zip(&mut rows) {
                for (i, own) in voice[at * 160..][..160].iter().enumerate() {
                    let factor = limiter.factors().map_or(1.0, |factors| f64::from(factors[i]) / 32_768.0);
                    let others = f64::from(mixed[i]) - f64::from(*own) * factor;
                    let over = (others.abs() - 32_767.0).max(0.0);
                    *row = if over > 1.0 { *row + 1 } else { 0 };
                    clips += usize::from(over > 1.0);
                    longest = longest.max(*row);
                    (heard, added) = (heard + others * others, added + over * over);
                }
            }
        }
        let samples = (voices.len() * voices[0].len()) as f64;
        (clips as f64 / samples, longest, 10.0 * (added.max(1.0) / heard).log10())
    }

    #[test]
    fn what_talkers_hear_of_the_others_is_clipped_for_single_samples_and_seldom() {
        let talkers = ["en-GB", "en-US", "es-ES", "fr-FR"].map(talker);
        let voice = |n: usize, dbov: f32| {
            let gain = 10f32.powf(dbov / 20.0);
            let from = talkers[n % 4].iter().cycle().skip(n * 41_000);
            from.take(20 * 8_000).map(|sample| wav::to_i16(sample * gain)).collect()
        };
        for (count, dbov) in [(2, -10.0), (3, -20.0), (4, -20.0), (4, -15.0), (8, -20.0), (8, -10.0)] {
            let (part, longest, added) = clipped(&(0..count).map(|n| voice(n, dbov)).collect::<Vec<_>>());
            println!("{count} of {dbov} dBov: {:.4} %, {longest} in a row, {added:.0} dB", part * 100.0);
            assert!(part < 1.0 / 2_000.0 && longest < 8 && added < -44.0, "{count} of {dbov} dBov");
            assert!(longest == 0 || count > 2, "one voice fits");
        }
    }
}
