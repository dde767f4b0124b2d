//! Text to speech, beside the calls: a queue, two threads, and the programs that speak.
//!
//! [`Speaker::start`] once. [`Speaker::queue`] has a text said sentence by sentence, so that it can be heard before all
//! of it is ready; [`Speaker::render`] waits for the whole. What was said before comes from the disk, and waits for
//! nobody.
//!
//! | file | what happens there |
//! |---|---|
//! | `speaker.rs` | the threads, and whose sentence is next |
//! | `sentences.rs` | a text in pieces |
//! | `voice.rs` | which voice speaks a language |
//! | `voices.rs` | the natural voice, else espeak-ng; who fails is replaced |
//! | `worker.rs` | what they are told and answer, and how long they may take |
//! | `process.rs` | their processes |
//! | `loudness.rs` | one level for all that is said |
//! | `cache.rs` | what was said before |

mod cache;
mod loudness;
mod process;
mod sentences;
mod speaker;
#[cfg(test)]
pub(super) mod tests;
mod voice;
mod voices;
mod worker;

pub use loudness::LEVEL;
pub use speaker::{Saying, Speaker};
pub use voices::Patience;

use crate::media::command::Pcm;
use crate::speech::file::at_both_rates;
use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// The longest text, octets.
const LONGEST: usize = 16 << 10;
/// Longest wait for espeak-ng to say whether it has a voice.
const VOICE_CHECK: Duration = Duration::from_secs(5);
/// Why a text is not said that makes the speaker panic.
const FAILED: &str = "the speaker failed; the log says why";

/// Samples a second of what is played to calls: telephones hear the half of it.
pub const SPEECH_RATE: u32 = 16_000;

/// Sound at a rate of its own, mono.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sound {
    /// Samples a second.
    pub rate: u32,
    /// 16 bits.
    pub samples: Vec<i16>,
}

impl Sound {
    /// Writes a WAV file, whole or not at all.
    ///
    /// # Errors
    /// The disk's.
    pub fn save(&self, path: &Path) -> io::Result<()> {
        cache::save(path, self)
    }
}

/// Where the voices are, and where what they said is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Paths {
    /// Folder of the natural voice, as `make voice` fills it.
    pub voice: PathBuf,
    /// Folder of what was said before.
    pub cache: PathBuf,
    /// The program espeak-ng.
    pub espeak: PathBuf,
}

impl Paths {
    /// Those of a gateway that keeps its files in `data`.
    #[must_use]
    pub fn within(data: &Path) -> Self {
        Self { voice: data.join("voice"), cache: data.join("speech"), espeak: "espeak-ng".into() }
    }
}

/// Why a text is not said.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SpeechError {
    /// Nobody here can say it.
    #[error("no voice can say it: {0}")]
    NoVoice(String),
    /// There is nothing in it to say.
    #[error("there is nothing to say")]
    Empty,
    /// It is longer than 16 KiB.
    #[error("the text is longer than 16 KiB")]
    TooLong,
    /// Too many texts wait already.
    #[error("too many texts wait to be said")]
    Busy,
    /// The speaker has ended.
    #[error("the speaker has ended")]
    Ended,
}

/// What is to be said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Text {
    /// A language tag, `en-GB`.
    pub language: String,
    /// The words.
    pub text: String,
    /// Samples a second of the sound.
    pub rate: u32,
}

/// A sentence of a text, or why there is none. The last one says so.
pub type Piece = (Result<Sound, SpeechError>, bool);

/// Who wants a text said. Whoever stands first here is served first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum For {
    /// A caller who hears it while it is said.
    Caller,
    /// The dialplan: somebody will hear it. It is said to its end, however long that is.
    Dialplan,
    /// An administrator, to those who hear it while it is said.
    Administrator,
}

/// Whether somebody here can say texts of a language. espeak-ng is asked, once for each language that it speaks.
///
/// # Errors
/// What is missing.
pub fn can_say(paths: &Paths, language: &str) -> Result<(), String> {
    static SPOKEN: Mutex<BTreeSet<(PathBuf, String)>> = Mutex::new(BTreeSet::new());
    let has_natural = voice::natural(language).is_some() && paths.voice.join("version").exists();
    let name = voice::plain(language);
    let asked = (paths.espeak.clone(), name);
    if SPOKEN.lock().unwrap_or_else(PoisonError::into_inner).contains(&asked) {
        return Ok(());
    }
    // The natural voice asks espeak-ng how words are spoken.
    match worker::has_voice(&asked.0, &asked.1, VOICE_CHECK) {
        Ok(()) => {
            SPOKEN.lock().unwrap_or_else(PoisonError::into_inner).insert(asked);
            Ok(())
        }
        Err(worker::NoPlainVoice::NotInstalled) if has_natural => {
            Err("the natural voice needs the program espeak-ng".to_owned())
        }
        Err(worker::NoPlainVoice::NotInstalled) => {
            Err("neither the natural voice nor the program espeak-ng is installed".to_owned())
        }
        Err(worker::NoPlainVoice::Unknown(why)) => Err(format!("espeak-ng has no voice `{}`: {why}", asked.1)),
    }
}

impl Sound {
    /// How long it sounds.
    #[must_use]
    pub fn duration(&self) -> Duration {
        Duration::from_secs(self.samples.len() as u64) / self.rate.max(1)
    }

    /// As a player takes it.
    #[must_use]
    pub fn into_pcm(self) -> Pcm {
        let mono: Vec<f32> = self.samples.iter().map(|sample| f32::from(*sample) / 32_768.0).collect();
        at_both_rates(&mono, self.rate)
    }
}

fn checked(text: Text) -> Result<Text, SpeechError> {
    if text.text.len() > LONGEST {
        return Err(SpeechError::TooLong);
    }
    if text.text.chars().any(char::is_alphanumeric) { Ok(text) } else { Err(SpeechError::Empty) }
}
