//! Words to sound: the catalogue of prompts, sound files that the dialplan names, and the gateway's own tones.
//!
//! A shell: it reads files, when the gateway starts and when the dialplan is reloaded, never while a caller waits.
//! [`Catalogue::load`] once, then [`Catalogue::get`], [`Catalogue::by_text`] and [`Catalogue::tone`] give sound that is
//! decoded already and shared by all who play it; [`SoundFiles`] for the files the dialplan names. [`list_prompts`]
//! tells what the prompts say without decoding them.
//!
//! What no prompt says is spoken ([`synthesis`]): what the dialplan says from when it is loaded on, beside the calls,
//! so that hardly any prompt is late and no start waits.
//!
//! The English prompts are part of the binary, so that it speaks wherever it is started. A folder `<dir>/<language>/`
//! with WAV files and a `catalogue.toml` (name = "text") replaces them one by one and adds languages.
//!
//! Beyond the edges of a control-plane shell it uses `audio`, to decode WAV files and to make tones, and
//! `media::command`, whose `Pcm` and `Clip` are what a player takes: pure functions and plain data both.

mod built_in;
mod catalogue;
mod error;
mod file;
mod folder;
mod library;
mod listing;
pub mod synthesis;
#[cfg(test)]
mod tests;
mod tones;

pub use catalogue::Catalogue;
pub use error::{CatalogueError, SoundError};
pub use file::SoundFiles;
pub use library::{Library, check_prompts, list_prompts};
pub use listing::DEFAULT_LANGUAGE;
pub use synthesis::{For, Paths, Patience, SPEECH_RATE, Saying, Sound, Speaker, SpeechError, Text, can_say};
pub use tones::{TONES, tone};
