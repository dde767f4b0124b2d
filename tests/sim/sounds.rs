//! Prompts that an ear can tell apart: each is a tone of its own.

use partyline::audio::tone::Tone;
use partyline::gateway::{Sounds, Unspoken};
use partyline::media::command::{Clip, Pcm};
use std::time::Duration;

/// Level of every prompt, dBFS.
pub(crate) const LEVEL: f32 = -20.0;

/// A sound file that an administrator may have played.
pub(crate) const NOTICE: &str = "notice.wav";

/// Every sound of the simulation: name, frequency in Hz, length in milliseconds.
pub(crate) const SOUNDS: &[(&str, f64, u64)] = &[
    ("enter-pin", 1_500.0, 4_000),
    ("wrong-pin", 1_600.0, 1_000),
    ("no-input", 1_700.0, 1_000),
    ("goodbye", 1_800.0, 1_000),
    ("pin-blocked", 1_900.0, 1_000),
    ("first-here", 2_000.0, 1_000),
    ("room-full", 2_100.0, 1_000),
    ("please-wait", 2_200.0, 1_000),
    ("join", 2_400.0, 200),
    ("leave", 2_500.0, 200),
    ("busy", 2_600.0, 1_000),
    ("press-one", 2_700.0, 2_000),
    ("ringback", 2_800.0, 1_000),
    ("number-busy", 2_900.0, 1_000),
    ("no-answer", 3_000.0, 1_000),
    ("call-failed", 3_100.0, 1_000),
    ("no-such-number", 3_200.0, 1_000),
    ("hold", 3_300.0, 1_000),
    ("too-short", 3_400.0, 1_000),
    ("joining", 3_700.0, 400),
    ("alone", 3_800.0, 300),
    ("muted", 2_300.0, 500),
    ("unmuted", 3_500.0, 500),
    (NOTICE, 3_600.0, 500),
];

pub(crate) struct Tones;

/// A catalogue without a sound.
pub(crate) struct Silence;

impl Sounds for Silence {
    fn prompt(&self, _language: &str, _name: &str) -> Option<Pcm> {
        None
    }

    fn text(&self, _language: &str, _text: &str) -> Option<Pcm> {
        None
    }

    fn file(&self, _path: &partyline::dialplan::SoundSource, _: bool) -> Option<partyline::media::command::Clip> {
        None
    }

    fn tone(&self, _name: &str) -> Option<Clip> {
        None
    }
}

impl Tones {
    pub(crate) fn named(name: &str) -> Option<Pcm> {
        let (_, frequency, length) = SOUNDS.iter().find(|(known, ..)| *known == name)?;
        Some(Tone::sine(*frequency, LEVEL).samples(Duration::from_millis(*length)).into())
    }
}

impl Sounds for Tones {
    fn prompt(&self, _language: &str, name: &str) -> Option<Pcm> {
        Self::named(name)
    }

    fn text(&self, _language: &str, _text: &str) -> Option<Pcm> {
        None
    }

    fn unspoken(&self, language: &str, text: &str) -> Unspoken {
        let stand_in = if text.starts_with("never") { Self::named("enter-pin") } else { None };
        Unspoken { language: language.to_owned(), stand_in }
    }

    fn file(&self, _path: &partyline::dialplan::SoundSource, _: bool) -> Option<partyline::media::command::Clip> {
        None
    }

    fn tone(&self, name: &str) -> Option<Clip> {
        let sound = Self::named(name)?;
        Some(if matches!(name, "ringback" | "hold") { Clip::Loop(sound) } else { Clip::Samples(sound) })
    }
}
