//! Text to speech, beside the calls: a queue, a thread, and the programs that speak.
//!
//! [`Speaker::start`] once. [`Speaker::queue`] has a text said sentence by sentence, so that it can be heard before all of
//! it is ready; [`Speaker::render`] waits for the whole. What was said before comes from the disk.
//!
//! | file | what happens there |
//! |---|---|
//! | `sentences.rs` | a text in pieces |
//! | `voice.rs` | which voice speaks a language |
//! | `voices.rs` | the natural voice, else espeak-ng; who fails is replaced |
//! | `worker.rs` | their processes, and how long they may take |
//! | `loudness.rs` | one level for all that is said |
//! | `cache.rs` | what was said before |

mod cache;
mod loudness;
mod sentences;
#[cfg(test)]
mod tests;
mod voice;
mod voices;
mod worker;

pub use loudness::LEVEL;
pub use voices::Patience;

use crate::media::command::Pcm;
use crate::speech::file::at_both_rates;
use std::io;
use std::panic::AssertUnwindSafe;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, SyncSender, TrySendError};
use std::time::Duration;
use voices::Voices;

/// Texts that wait to be said; beyond it they are refused.
const QUEUE: usize = 64;
/// The longest text, octets.
const LONGEST: usize = 16 << 10;
/// Why a text is not said that makes the speaker panic.
const FAILED: &str = "the speaker failed; the log says why";
/// The natural voice is let go when it had nothing to say for so long.
const IDLE: Duration = Duration::from_secs(600);

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
    /// Too many texts wait already, or the speaker has ended.
    #[error("too many texts wait to be said")]
    Busy,
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

struct Job {
    text: Text,
    deliver: Box<dyn FnMut(Piece) + Send>,
}

/// Whether somebody here can say texts of a language, as far as can be seen without trying.
///
/// # Errors
/// What is missing.
pub fn can_say(paths: &Paths, language: &str) -> Result<(), String> {
    let has_natural = voice::natural(language).is_some() && paths.voice.join("version").exists();
    let path = std::env::var_os("PATH").unwrap_or_default();
    let has_espeak = std::env::split_paths(&path).any(|folder| folder.join(&paths.espeak).exists());
    // The natural voice asks espeak-ng how words are spoken.
    match (has_natural, has_espeak) {
        (_, true) => Ok(()),
        (true, false) => Err("the natural voice needs the program espeak-ng".to_owned()),
        (false, false) => Err("neither the natural voice nor the program espeak-ng is installed".to_owned()),
    }
}

/// Says texts, one at a time, in a thread of its own. It ends with its last handle.
#[derive(Clone)]
pub struct Speaker {
    queue: SyncSender<Job>,
}

impl std::fmt::Debug for Speaker {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Speaker")
    }
}

impl Speaker {
    /// Starts the thread. Programs are started when there is something to say.
    ///
    /// # Errors
    /// The system's, when there is no thread to be had.
    pub fn start(paths: Paths, patience: Patience) -> io::Result<Self> {
        let (queue, jobs) = mpsc::sync_channel(QUEUE);
        let voices = Voices::new(paths, patience);
        std::thread::Builder::new().name("speech".into()).spawn(move || work(&jobs, voices))?;
        Ok(Self { queue })
    }

    /// Has a text said; never waits. `deliver` is called with each sentence as it is ready, in the speaker's thread, up to
    /// the last one or the first error.
    ///
    /// # Errors
    /// It is not queued, and why.
    pub fn queue(&self, text: Text, deliver: impl FnMut(Piece) + Send + 'static) -> Result<(), SpeechError> {
        let job = Job { text: checked(text)?, deliver: Box::new(deliver) };
        self.queue.try_send(job).map_err(|refused| match refused {
            TrySendError::Full(_) | TrySendError::Disconnected(_) => SpeechError::Busy,
        })
    }

    /// Has a text said and waits for all of it: not for those who serve calls.
    ///
    /// # Errors
    /// Why there is no sound.
    pub fn render(&self, text: Text) -> Result<Sound, SpeechError> {
        let rate = text.rate;
        let (told, pieces) = mpsc::channel();
        let deliver = Box::new(move |piece| drop(told.send(piece)));
        self.queue.send(Job { text: checked(text)?, deliver }).map_err(|_| SpeechError::Busy)?;
        let mut samples = Vec::new();
        for (piece, is_last) in pieces {
            samples.extend(piece?.samples);
            if is_last {
                return Ok(Sound { rate, samples });
            }
        }
        Err(SpeechError::NoVoice(FAILED.to_owned()))
    }
}

impl Sound {
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

fn work(jobs: &Receiver<Job>, mut voices: Voices) {
    be_nice();
    loop {
        match jobs.recv_timeout(IDLE) {
            Ok(Job { text, mut deliver }) => {
                let said = AssertUnwindSafe(|| say(&text, &mut deliver, &mut voices));
                if std::panic::catch_unwind(said).is_err() {
                    voices.rest();
                    // Whoever waits for the text learns that no more is to come. It may be `deliver` that panics.
                    let failed = Err(SpeechError::NoVoice(FAILED.to_owned()));
                    let _ = std::panic::catch_unwind(AssertUnwindSafe(|| deliver((failed, true))));
                }
            }
            Err(RecvTimeoutError::Timeout) => voices.rest(),
            Err(RecvTimeoutError::Disconnected) => return,
        }
    }
}

fn say(text: &Text, deliver: &mut impl FnMut(Piece), voices: &mut Voices) {
    let Text { language, text, rate } = text;
    let sentences = sentences::sentences(text);
    for (number, sentence) in sentences.iter().enumerate() {
        let sound = voices.say(language, sentence, *rate);
        let is_last = number + 1 == sentences.len() || sound.is_err();
        deliver((sound, is_last));
        if is_last {
            return;
        }
    }
}

/// Calls go first: this thread, and the programs that it starts, take what they leave.
fn be_nice() {
    // SAFETY: changes a number of the calling thread (who 0), and touches no memory.
    unsafe {
        libc::setpriority(libc::PRIO_PROCESS, 0, 10);
    }
}
