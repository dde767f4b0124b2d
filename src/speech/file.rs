//! One sound file.

use super::error::SoundError;
use crate::audio::wav;
use crate::media::command::Pcm;
use crate::sound::{self, LONGEST_WHOLE, Loaded};
use std::collections::HashMap;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

/// Sound files by their paths, each decoded once: a dialplan is checked before what it names is loaded.
#[derive(Debug, Default)]
pub struct SoundFiles {
    decoded: Mutex<HashMap<PathBuf, Loaded>>,
}

impl SoundFiles {
    /// Reads a sound file of any form: all of it, if it is not too long for that.
    ///
    /// # Errors
    /// The file cannot be opened, is no sound that is played, or holds no sound at all.
    pub fn load(&self, path: &Path) -> Result<Loaded, SoundError> {
        let mut decoded = self.decoded.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(sound) = decoded.get(path) {
            return Ok(sound.clone());
        }
        let sound = sound::load(path).map_err(|error| SoundError::new(path, error.to_string()))?;
        decoded.insert(path.to_owned(), sound.clone());
        Ok(sound)
    }

    /// The same for a prompt, which is kept in memory.
    ///
    /// # Errors
    /// Beside those: it is too long.
    pub fn load_prompt(&self, path: &Path) -> Result<Pcm, SoundError> {
        match self.load(path)? {
            Loaded::Whole(sound) => Ok(sound),
            Loaded::Long => {
                Err(SoundError::new(path, format!("is longer than a prompt may be: {} s", LONGEST_WHOLE.as_secs())))
            }
        }
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
