//! What a voice made, as a prompt is: the words alone, at one loudness.

use super::Sound;
use crate::audio::active_level::active_level;
use crate::audio::resample::resample;

/// The active speech level of all that is said, dBov (ITU-T P.56).
pub const LEVEL: f64 = -20.0;
/// From here on peaks are bent, so that none reaches full scale.
const KNEE: f32 = 0.6;
/// The highest that a peak can be.
const CEILING: f32 = 0.94;
/// What is quieter than this, against the loudest, is no word.
const SILENCE: f32 = 0.01;
/// What is kept before and after the words, seconds.
const LEAD: f64 = 0.04;
const RING: f64 = 0.08;
/// Silence before and after that, seconds.
const BEFORE: f64 = 0.05;
const AFTER: f64 = 0.25;

/// Brings sound to `rate` and [`LEVEL`], with the silence round it cut to size. `None` where there is no sound.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    reason = "lengths of seconds, samples within ±1"
)]
pub(super) fn as_prompt(samples: &[f32], from: u32, rate: u32) -> Option<Sound> {
    let loudest = samples.iter().fold(0.0f32, |most, sample| most.max(sample.abs()));
    let is_word = |sample: &f32| sample.abs() > loudest * SILENCE;
    let first = samples.iter().position(is_word)?;
    let last = samples.iter().rposition(is_word)?;
    // The breath before a word and its last ring are kept, and come and go gently: what begins at once is heard as a
    // sound.
    let margin = |seconds: f64| (seconds * f64::from(from)) as usize;
    let (lead, ring) = (margin(LEAD).min(first), margin(RING).min(samples.len() - 1 - last));
    let mut kept = samples.get(first - lead..=last + ring)?.to_vec();
    kept.iter_mut().take(lead).enumerate().for_each(|(at, sample)| *sample *= at as f32 / lead as f32);
    kept.iter_mut().rev().take(ring).enumerate().for_each(|(at, sample)| *sample *= at as f32 / ring as f32);
    let words = resample(&kept, from, rate);
    let silence = |seconds: f64| std::iter::repeat_n(0.0f32, (seconds * f64::from(rate)) as usize);
    let mut sound: Vec<f32> = silence(BEFORE).chain(words).chain(silence(AFTER)).collect();
    // Bent peaks take a little of the level away: it is given back, and bent again.
    for _ in 0..4 {
        let level = active_level(&sound, rate)?;
        let gain = 10f64.powf((LEVEL - level.dbov) / 20.0) as f32;
        sound.iter_mut().for_each(|sample| *sample = bent(*sample * gain));
    }
    let samples = sound.into_iter().map(|sample| (sample * 32_767.0).round() as i16).collect();
    Some(Sound { rate, samples })
}

fn bent(sample: f32) -> f32 {
    let over = sample.abs() - KNEE;
    if over <= 0.0 {
        return sample;
    }
    let room = CEILING - KNEE;
    (KNEE + room * (over / room).tanh()).copysign(sample)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_come_out_at_one_level_whatever_they_went_in_at() {
        for gain in [0.002, 0.1, 1.0] {
            // Syllables with steep peaks.
            let word = |i: i32| {
                let t = f64::from(i) / 24_000.0;
                let peak = (std::f64::consts::TAU * 150.0 * t).sin().powi(9);
                (peak * (std::f64::consts::TAU * 2.0 * t).sin().abs() * gain) as f32
            };
            let made: Vec<f32> = vec![0.0; 12_000].into_iter().chain((0..48_000).map(word)).collect();
            let sound = as_prompt(&made, 24_000, 8_000).unwrap();
            let floats: Vec<f32> = sound.samples.iter().map(|s| f32::from(*s) / 32_768.0).collect();
            let level = active_level(&floats, 8_000).unwrap().dbov;
            assert!((level - LEVEL).abs() < 0.5, "{gain}: {level}");
            assert!(sound.samples.iter().all(|s| s.unsigned_abs() < 31_200), "{gain}: clipped");
            assert!((2.0..2.6).contains(&(sound.samples.len() as f64 / 8_000.0)), "{}", sound.samples.len());
        }
    }

    #[test]
    fn silence_is_no_prompt() {
        assert!(as_prompt(&[0.0; 8_000], 8_000, 8_000).is_none());
        assert!(as_prompt(&[], 8_000, 8_000).is_none());
    }
}
