//! One sound file.

use super::error::SoundError;
use crate::audio::wav;
use crate::media::command::Pcm;
use std::collections::HashMap;
use std::fs::File;
use std::io::{BufReader, Read};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

/// Reads a WAV file of any common format (8 to 32 bits, mono or more channels, any rate) as mono.
///
/// # Errors
/// The file cannot be opened, is no WAV file, is cut short, or holds no sound at all.
pub fn load_file(path: &Path) -> Result<Pcm, SoundError> {
    let file = File::open(path).map_err(|error| SoundError::new(path, format!("cannot be opened: {error}")))?;
    decode(BufReader::new(file)).map_err(|problem| SoundError::new(path, problem))
}

/// Sound files by their paths, each decoded once: a dialplan is checked before what it names is loaded.
#[derive(Debug, Default)]
pub struct SoundFiles {
    decoded: Mutex<HashMap<PathBuf, Pcm>>,
}

impl SoundFiles {
    /// As [`load_file`].
    ///
    /// # Errors
    /// As for [`load_file`].
    pub fn load(&self, path: &Path) -> Result<Pcm, SoundError> {
        let mut decoded = self.decoded.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(sound) = decoded.get(path) {
            return Ok(sound.clone());
        }
        let sound = load_file(path)?;
        decoded.insert(path.to_owned(), sound.clone());
        Ok(sound)
    }
}

/// Reads WAV; the error is a half sentence.
pub(super) fn decode(reader: impl Read) -> Result<Pcm, String> {
    let (mono, rate) = wav::read_mono(reader).map_err(|error| format!("cannot be read as WAV: {error}"))?;
    let sound = at_both_rates(&mono, rate);
    // A caller who hears nothing waits for what never comes: a recording that failed is not taken for a prompt.
    if sound.narrow().iter().all(|sample| *sample == 0) {
        return Err("holds no sound".to_owned());
    }
    Ok(sound)
}

/// Mono samples of ±1 as a player takes them.
pub(super) fn at_both_rates(mono: &[f32], rate: u32) -> Pcm {
    let narrow = wav::at_rate(mono, rate, wav::RATE);
    if rate > wav::RATE { Pcm::wideband(narrow, wav::at_rate(mono, rate, 2 * wav::RATE)) } else { narrow.into() }
}
