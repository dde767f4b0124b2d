//! The active speech level (ITU-T P.56, method B): how loud somebody is while they speak.

/// The envelope's time constant, seconds.
const TIME_CONSTANT: f64 = 0.03;
/// A pause shorter than this is part of the speech, seconds.
const HANGOVER: f64 = 0.2;
/// How far the threshold of activity lies under the level, dB.
const MARGIN: f64 = 15.9;
/// Thresholds, each twice the one before: the highest is half of full scale.
const THRESHOLDS: usize = 15;

/// What method B finds in a piece of sound.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ActiveLevel {
    /// Level while active, dBov: 0 is a square wave at full scale.
    pub dbov: f64,
    /// The part of the time that is active, 0 to 1.
    pub activity: f64,
}

/// Measures samples of ±1; `None` where there is no speech.
#[must_use]
#[expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "counts")]
pub fn active_level(samples: &[f32], rate: u32) -> Option<ActiveLevel> {
    let keep = (-1.0 / (f64::from(rate) * TIME_CONSTANT)).exp();
    let hangover = (HANGOVER * f64::from(rate)).ceil() as usize;
    let threshold = |number: usize| 2f64.powi(number as i32 - THRESHOLDS as i32);
    let mut active = [0usize; THRESHOLDS];
    let mut since = [hangover; THRESHOLDS];
    let (mut energy, mut smooth, mut envelope) = (0.0, 0.0, 0.0);
    for sample in samples.iter().map(|&sample| f64::from(sample)) {
        energy += sample * sample;
        smooth = keep * smooth + (1.0 - keep) * sample.abs();
        envelope = keep * envelope + (1.0 - keep) * smooth;
        for (number, (active, since)) in active.iter_mut().zip(&mut since).enumerate() {
            if envelope >= threshold(number) {
                *active += 1;
                *since = 0;
            } else if *since < hangover {
                *active += 1;
                *since += 1;
            }
        }
    }
    // For each threshold: the level of what is above it, and how far the threshold lies under that.
    let levels = active.iter().enumerate().filter(|(_, count)| **count > 0).map(|(number, count)| {
        let level = 10.0 * (energy / *count as f64).log10();
        (level, level - 20.0 * threshold(number).log10())
    });
    let mut before: Option<(f64, f64)> = None;
    for (level, margin) in levels {
        if margin <= MARGIN {
            let dbov = match before {
                Some((lower, wider)) if wider > margin => lower + (level - lower) * (wider - MARGIN) / (wider - margin),
                _ => level,
            };
            let total = 10.0 * (energy / samples.len() as f64).log10();
            return Some(ActiveLevel { dbov, activity: 10f64.powf((total - dbov) / 10.0).min(1.0) });
        }
        before = Some((level, margin));
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    const RATE: u32 = 16_000;

    /// Noise-like sound of a level in dBov.
    fn talk(seconds: f64, dbov: f64) -> Vec<f32> {
        let mut state = 1u32;
        let amplitude = 10f64.powf(dbov / 20.0) * 3f64.sqrt();
        let sample = |_| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            ((f64::from(state) / f64::from(u32::MAX) * 2.0 - 1.0) * amplitude) as f32
        };
        (0..(seconds * f64::from(RATE)) as usize).map(sample).collect()
    }

    #[test]
    fn steady_sound_has_its_own_level_and_is_always_active() {
        let level = active_level(&talk(4.0, -26.0), RATE).unwrap();
        assert!((level.dbov + 26.0).abs() < 0.2, "{level:?}");
        assert!(level.activity > 0.95, "{level:?}");
    }

    #[test]
    fn pauses_do_not_make_speech_quieter() {
        let mut sound = Vec::new();
        for _ in 0..4 {
            sound.extend(talk(1.0, -20.0));
            sound.extend(vec![0.0; RATE as usize]);
        }
        let level = active_level(&sound, RATE).unwrap();
        // What rings on after each word counts as speech: 0.2 s in each 2 s, and the envelope's own fall.
        assert!((level.dbov + 20.8).abs() < 0.8, "{level:?}");
        assert!((0.5..0.7).contains(&level.activity), "{level:?}");
        // The plain RMS is 3 dB lower.
        let rms = 10.0 * (sound.iter().map(|s| f64::from(s * s)).sum::<f64>() / sound.len() as f64).log10();
        assert!((rms + 23.0).abs() < 0.2, "{rms}");
    }

    #[test]
    fn twice_as_loud_is_six_decibels_more_and_silence_has_no_level() {
        let quiet = talk(2.0, -30.0);
        let loud: Vec<f32> = quiet.iter().map(|sample| sample * 2.0).collect();
        let difference = active_level(&loud, RATE).unwrap().dbov - active_level(&quiet, RATE).unwrap().dbov;
        assert!((difference - 6.02).abs() < 0.1, "{difference}");
        assert_eq!(active_level(&[0.0; 16_000], RATE), None);
        assert_eq!(active_level(&[], RATE), None);
    }
}
