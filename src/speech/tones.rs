//! The gateway's own tones.

use crate::audio::tone::Tone;
use crate::media::command::{Clip, Pcm};
use std::time::Duration;

/// The names that [`tone`] knows.
pub const TONES: [&str; 11] = [
    "join",
    "leave",
    "alone",
    "ringback",
    "ringback-na",
    "ringback-eu",
    "ringback-fr",
    "ringback-jp",
    "ringback-cn",
    "busy",
    "hold",
];

/// A tone by its name; `None` for a name that is not one of [`TONES`].
///
/// - `join`, `leave`: two short notes, rising and falling, a fifth apart; quiet, since they sound over talk.
/// - `alone`: one short note, quieter still, for somebody who is alone in a room.
/// - `ringback`: 400 + 450 Hz, 0.4 s on, 0.2 s off, 0.4 s on, 2 s off, over and over (the United Kingdom's).
/// - `ringback-na`: 440 + 480 Hz, 2 s on, 4 s off (North America's); `ringback-eu`: 425 Hz, 1 s on, 4 s off (most of
///   Europe's, and many others'); `ringback-fr`: 440 Hz, 1.5 s on, 3.5 s off; `ringback-jp`: 384 + 416 Hz, 1 s on, 2 s
///   off; `ringback-cn`: 450 Hz, 1 s on, 4 s off. All after ITU-T E.180.
/// - `busy`: 400 Hz, 0.375 s on and off, over and over (the United Kingdom's).
/// - `hold`: a chord taken apart, quiet, and 2 s of silence, over and over.
///
/// Makes the samples anew with each call: keep them ([`super::Catalogue::tone`] does).
#[must_use]
pub fn tone(name: &str) -> Option<Clip> {
    let clip = match name {
        "join" => Clip::Samples(notes([587.33, 880.0])),
        "leave" => Clip::Samples(notes([880.0, 587.33])),
        "alone" => Clip::Samples(note(440.0)),
        "ringback" => Clip::Loop(period(&[400.0, 450.0], -22.0, &[(400, 200), (400, 2_000)])),
        "ringback-na" => Clip::Loop(period(&[440.0, 480.0], -22.0, &[(2_000, 4_000)])),
        "ringback-eu" => Clip::Loop(period(&[425.0], -20.0, &[(1_000, 4_000)])),
        "ringback-fr" => Clip::Loop(period(&[440.0], -20.0, &[(1_500, 3_500)])),
        "ringback-jp" => Clip::Loop(period(&[384.0, 416.0], -22.0, &[(1_000, 2_000)])),
        "ringback-cn" => Clip::Loop(period(&[450.0], -20.0, &[(1_000, 4_000)])),
        "busy" => Clip::Loop(period(&[400.0], -20.0, &[(375, 375)])),
        "hold" => Clip::Loop(tune()),
        _ => return None,
    };
    Some(clip)
}

/// Two notes of 120 ms, 40 ms apart.
fn notes(frequencies: [f64; 2]) -> Pcm {
    let note = |frequency| Tone { cadence: vec![milliseconds((120, 40))], ..Tone::sine(frequency, -24.0) };
    frequencies.into_iter().flat_map(|frequency| note(frequency).samples(Duration::from_millis(160))).collect()
}

/// One note of 300 ms.
fn note(frequency: f64) -> Pcm {
    Tone { cadence: vec![milliseconds((300, 20))], ..Tone::sine(frequency, -27.0) }
        .samples(Duration::from_millis(320))
        .into()
}

/// Six notes of a C major chord, up and down, 300 ms each, and a pause.
fn tune() -> Pcm {
    let note = |frequency| Tone { cadence: vec![milliseconds((280, 20))], ..Tone::sine(frequency, -24.0) };
    let notes = [523.25, 659.25, 783.99, 1_046.5, 783.99, 659.25];
    let sound = notes.into_iter().flat_map(|frequency| note(frequency).samples(Duration::from_millis(300)));
    sound.chain(std::iter::repeat_n(0, 16_000)).collect()
}

/// One turn of a cadence, given in milliseconds.
fn period(frequencies: &[f64], level: f32, cadence: &[(u64, u64)]) -> Pcm {
    let length = Duration::from_millis(cadence.iter().map(|(on, off)| on + off).sum());
    let cadence = cadence.iter().copied().map(milliseconds).collect();
    Tone { frequencies: frequencies.to_vec(), level, cadence }.samples(length).into()
}

fn milliseconds((on, off): (u64, u64)) -> (Duration, Duration) {
    (Duration::from_millis(on), Duration::from_millis(off))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audio::{goertzel, level};

    fn samples(name: &str) -> Pcm {
        match tone(name) {
            Some(Clip::Samples(pcm) | Clip::Loop(pcm)) => pcm,
            other => panic!("{name}: {other:?}"),
        }
    }

    #[test]
    fn every_named_tone_is_there_and_no_other() {
        for name in TONES {
            let level = level::dbfs(samples(name).narrow());
            assert!((-34.0..-15.0).contains(&level), "{name}: {level} dBFS");
        }
        assert_eq!(tone("dial"), None);
    }

    #[test]
    fn join_rises_and_leave_falls() {
        let share = |pcm: &[i16], frequency| goertzel::tone_dbfs(pcm, 8_000, frequency);
        for (name, first, second) in [("join", 587.33, 880.0), ("leave", 880.0, 587.33)] {
            let sound = samples(name);
            let pcm = sound.narrow();
            let (start, end) = pcm.split_at(pcm.len() / 2);
            assert!(share(start, first) > share(start, second) + 15.0, "{name}");
            assert!(share(end, second) > share(end, first) + 15.0, "{name}");
        }
    }

    #[test]
    fn ringback_and_busy_keep_the_cadence() {
        let on = |pcm: &[i16], ms: usize| pcm[ms * 8 + 80..ms * 8 + 800].iter().any(|sample| sample.abs() > 500);
        let sound = samples("ringback");
        let ringback = sound.narrow();
        assert_eq!(ringback.len(), 3_000 * 8);
        assert_eq!(
            [0, 200, 430, 650, 1_000, 2_800].map(|ms| on(ringback, ms)),
            [true, true, false, true, false, false]
        );
        let sound = samples("busy");
        let busy = sound.narrow();
        assert_eq!(busy.len(), 750 * 8);
        assert_eq!([0, 200, 400, 600].map(|ms| on(busy, ms)), [true, true, false, false]);
    }
}
