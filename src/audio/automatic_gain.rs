//! Brings whoever speaks to the same loudness, slowly: see [`AutomaticGain`].

use super::limiter::Limiter;
use super::{LONGEST_FRAME, level};

/// How loud speech is to be, dBov: 0 is a square wave at full scale.
const WANTED_DBOV: f32 = -20.0;
/// By how much it is made louder or quieter at most, dB.
const MOST_DB: f32 = 20.0;
const LEAST_DB: f32 = -12.0;
/// How fast, dB in a tick: 6 dB a second of speech up, 12 down.
const UP_DB: f32 = 0.12;
const DOWN_DB: f32 = 0.24;
/// Noise is made no louder than this, dBov.
const NOISE_DBOV: f32 = -50.0;
/// What is quieter is no speech, dBov.
const FAINTEST_DBOV: f32 = -58.0;
/// Speech stands out of the noise by so much, dB.
const STANDS_OUT_DB: f32 = 9.0;
/// What is so much quieter than the speech was is a pause (ITU-T P.56 has 15.9), dB.
const PAUSE_DB: f32 = 16.0;
/// The level of the last so many ticks of speech counts, 1.5 s.
const REMEMBERED: u16 = 75;
/// So many ticks of speech must be heard before anything is done, 200 ms.
const ENOUGH: u16 = 10;
/// Where so many ticks stand out of the noise and none is as loud as the speech was, somebody else speaks: more than it
/// takes until noise that begins is known for what it is.
const OTHER: u16 = 2 * WINDOW + 10;
/// The noise is the quietest of two windows of so many ticks, 1.5 s each.
const WINDOW: u16 = 75;
/// What dBFS is more than dBov.
const DBFS: f32 = 3.01;

/// Automatic gain control: the level of speech, as ITU-T P.56 has it, is brought towards −20 dBov, by −12 to +20 dB.
/// In pauses and in steady noise the gain stays what it is, and noise is made no louder than −50 dBov. What gets too
/// loud is limited, not clipped.
#[derive(Debug, Clone)]
pub struct AutomaticGain {
    /// What is applied, dB and as a factor.
    decibels: f32,
    factor: f32,
    /// Mean power of the last speech, 1 at full scale, and of how many ticks.
    speech: f32,
    ticks: u16,
    /// Ticks that stood out and were too quiet for that speech.
    quieter: u16,
    noise: NoiseFloor,
    limiter: Limiter,
}

/// The power of what is there all the time.
#[derive(Debug, Clone, Copy)]
struct NoiseFloor {
    before: f32,
    now: f32,
    ticks: u16,
}

impl NoiseFloor {
    const NEW: Self = Self { before: f32::MAX, now: f32::MAX, ticks: 0 };

    fn hear(&mut self, power: f32) -> f32 {
        self.now = self.now.min(power);
        self.ticks += 1;
        let floor = self.now.min(self.before);
        if self.ticks >= WINDOW {
            *self = Self { before: self.now, ..Self::NEW };
        }
        floor
    }
}

impl Default for AutomaticGain {
    /// Sound stays as it is until speech is heard.
    fn default() -> Self {
        Self {
            decibels: 0.0,
            factor: 1.0,
            speech: 0.0,
            ticks: 0,
            quieter: 0,
            noise: NoiseFloor::NEW,
            limiter: Limiter::default(),
        }
    }
}

impl AutomaticGain {
    /// What is applied just now, dB.
    #[must_use]
    pub const fn decibels(&self) -> f32 {
        self.decibels
    }

    /// Applies it to a frame of any rate, whose sound it learns from where it `may_be_speech`.
    #[expect(clippy::cast_possible_truncation, reason = "a cast to i16 saturates")]
    pub fn apply(&mut self, frame: &mut [i16], may_be_speech: bool) {
        let from = self.factor;
        self.learn(frame, may_be_speech);
        let mut sound = [0.0f32; LONGEST_FRAME];
        let sound = &mut sound[..frame.len().min(LONGEST_FRAME)];
        let step = (self.factor - from) / sound.len().max(1) as f32;
        for (at, (out, sample)) in sound.iter_mut().zip(frame.iter()).enumerate() {
            *out = f32::from(*sample) * (from + step * (at + 1) as f32);
        }
        self.limiter.apply(sound);
        for (sample, out) in frame.iter_mut().zip(sound.iter()) {
            *sample = out.round() as i16;
        }
    }

    /// Another sound begins: what was learned of the noise may not hold, the gain stays.
    pub const fn reset(&mut self) {
        self.noise = NoiseFloor::NEW;
        self.limiter.reset();
    }

    fn learn(&mut self, frame: &[i16], may_be_speech: bool) {
        let power = 10f32.powf((level::dbfs(frame) - DBFS) / 10.0);
        let noise = self.noise.hear(power);
        if !may_be_speech || power < noise * of(STANDS_OUT_DB) || power < of(FAINTEST_DBOV) {
            return;
        }
        if self.ticks >= ENOUGH && power < self.speech / of(PAUSE_DB) {
            self.quieter += 1;
            if self.quieter >= OTHER {
                (self.speech, self.ticks, self.quieter) = (0.0, 0, 0);
            }
            return;
        }
        self.quieter = 0;
        self.ticks = (self.ticks + 1).min(REMEMBERED);
        self.speech += (power - self.speech) / f32::from(self.ticks);
        if self.ticks < ENOUGH {
            return;
        }
        let quietest = NOISE_DBOV - decibels_of(noise);
        let wanted = (WANTED_DBOV - decibels_of(self.speech)).clamp(LEAST_DB, MOST_DB).min(quietest.max(0.0));
        self.decibels += (wanted - self.decibels).clamp(-DOWN_DB, UP_DB);
        self.factor = 10f32.powf(self.decibels / 20.0);
    }
}

fn of(decibels: f32) -> f32 {
    10f32.powf(decibels / 10.0)
}

fn decibels_of(power: f32) -> f32 {
    10.0 * power.max(1e-10).log10()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audio::Rate;
    use crate::audio::active_level::active_level;

    /// Somebody who speaks at this level: syllables of 160 ms with 40 ms between them, and a pause of 600 ms after each
    /// 2 s, with steady noise.
    struct Speaker {
        at: usize,
        state: u32,
        rate: Rate,
    }

    impl Speaker {
        const fn new(rate: Rate) -> Self {
            Self { at: 0, state: 7, rate }
        }

        fn random(&mut self) -> f64 {
            self.state = self.state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            f64::from(self.state) / f64::from(u32::MAX) * 2.0 - 1.0
        }

        fn frame(&mut self, speech_dbov: f64, noise_dbov: f64) -> Vec<i16> {
            let tick = self.at / self.rate.frame();
            let speaks = tick % 130 < 100 && tick % 10 < 8;
            let of = |dbov: f64| 32_768.0 * 10f64.powf(dbov / 20.0);
            let hertz = (50 * self.rate.frame()) as f64;
            let frame = (0..self.rate.frame()).map(|_| {
                let turn = std::f64::consts::TAU * self.at as f64 / hertz;
                self.at += 1;
                // Three harmonics, 4.5 dB of crest.
                let voice = (turn * 150.0).sin() + (turn * 300.0).cos() + (turn * 1_050.0).sin();
                let voice = if speaks { voice * of(speech_dbov) * (2.0 / 3.0f64).sqrt() } else { 0.0 };
                let noise = self.random() * of(noise_dbov) * 3f64.sqrt();
                (voice + noise).clamp(-32_768.0, 32_767.0) as i16
            });
            frame.collect()
        }
    }

    /// What comes out of so many seconds of a speaker.
    fn spoken(gain: &mut AutomaticGain, speaker: &mut Speaker, levels: (f64, f64), seconds: usize) -> Vec<i16> {
        let mut out = Vec::new();
        for _ in 0..seconds * 50 {
            let mut frame = speaker.frame(levels.0, levels.1);
            gain.apply(&mut frame, true);
            out.extend(frame);
        }
        out
    }

    fn active(sound: &[i16], rate: Rate) -> f64 {
        let samples: Vec<f32> = sound.iter().map(|sample| f32::from(*sample) / 32_768.0).collect();
        active_level(&samples, 50 * rate.frame() as u32).unwrap().dbov
    }

    #[test]
    fn whoever_speaks_comes_out_at_twenty_below_overload() {
        for rate in Rate::ALL {
            for level in [-40.0, -33.0, -26.0, -20.0, -14.0, -10.0] {
                let (mut gain, mut speaker) = (AutomaticGain::default(), Speaker::new(rate));
                spoken(&mut gain, &mut speaker, (level, -75.0), 6);
                let heard = active(&spoken(&mut gain, &mut speaker, (level, -75.0), 6), rate);
                assert!((heard + 20.0).abs() < 2.5, "{rate:?} {level}: {heard}");
            }
        }
    }

    #[test]
    fn the_gain_stays_within_its_bounds() {
        for (level, expected) in [(-52.0, MOST_DB), (-3.0, LEAST_DB)] {
            let (mut gain, mut speaker) = (AutomaticGain::default(), Speaker::new(Rate::Narrow));
            spoken(&mut gain, &mut speaker, (level, -80.0), 20);
            assert!((gain.decibels() - expected).abs() < 0.5, "{level}: {}", gain.decibels());
        }
    }

    #[test]
    fn noise_is_not_pumped_in_pauses() {
        let (mut gain, mut speaker) = (AutomaticGain::default(), Speaker::new(Rate::Narrow));
        spoken(&mut gain, &mut speaker, (-35.0, -60.0), 8);
        let after = gain.decibels();
        // A minute in which nobody speaks, with the noise as it was, and quieter, and louder.
        for noise in [-60.0, -70.0, -57.0, -50.0, -45.0] {
            spoken(&mut gain, &mut speaker, (-120.0, noise), 12);
            assert!((gain.decibels() - after).abs() < 1.0, "{noise}: {} after {after}", gain.decibels());
        }
    }

    #[test]
    fn noise_is_made_no_louder_than_it_may_be() {
        for noise in [-60.0, -54.0, -45.0] {
            let (mut gain, mut speaker) = (AutomaticGain::default(), Speaker::new(Rate::Narrow));
            spoken(&mut gain, &mut speaker, (-34.0, noise), 15);
            let most = (f64::from(NOISE_DBOV) - noise).max(0.0) as f32;
            assert!(gain.decibels() <= most + 1.0, "{noise}: {} of {most}", gain.decibels());
        }
    }

    #[test]
    fn somebody_else_at_the_same_telephone_is_followed() {
        let (mut gain, mut speaker) = (AutomaticGain::default(), Speaker::new(Rate::Narrow));
        spoken(&mut gain, &mut speaker, (-12.0, -75.0), 8);
        spoken(&mut gain, &mut speaker, (-38.0, -75.0), 16);
        let heard = active(&spoken(&mut gain, &mut speaker, (-38.0, -75.0), 6), Rate::Narrow);
        assert!((heard + 20.0).abs() < 2.5, "{heard}");
        // Back to the loud one: loud at once, and never clipped.
        let sudden = spoken(&mut gain, &mut speaker, (-12.0, -75.0), 8);
        let clipped = sudden.iter().filter(|sample| sample.unsigned_abs() >= 32_767).count();
        assert!(clipped < 40, "{clipped}");
        let heard = active(&spoken(&mut gain, &mut speaker, (-12.0, -75.0), 6), Rate::Narrow);
        assert!((heard + 20.0).abs() < 2.5, "{heard}");
    }

    #[test]
    fn a_cough_changes_little_and_nothing_is_learned_where_nobody_may_speak() {
        let (mut gain, mut speaker) = (AutomaticGain::default(), Speaker::new(Rate::Narrow));
        spoken(&mut gain, &mut speaker, (-30.0, -75.0), 8);
        let before = gain.decibels();
        for _ in 0..10 {
            gain.apply(&mut speaker.frame(-6.0, -75.0), true);
        }
        assert!(before - gain.decibels() < 2.5, "{} after {before}", gain.decibels());
        let now = gain.decibels();
        for _ in 0..200 {
            gain.apply(&mut speaker.frame(-6.0, -75.0), false);
        }
        assert_eq!(gain.decibels(), now);
        gain.reset();
        assert_eq!(gain.decibels(), now);
    }
}
