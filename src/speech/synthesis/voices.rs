//! Who says a sentence: the natural voice where it is installed, else espeak-ng; and what becomes of those who fail.

use super::cache::Cache;
use super::worker::{Made, Worker, espeak};
use super::{Paths, Sound, SpeechError, loudness, voice};
use std::time::{Duration, Instant};

/// Octets of what was said before.
const CACHE: u64 = 256 << 20;
/// Failures in a row after which the natural voice is left alone …
const FAILURES: u32 = 3;
/// … for so long.
const REST: Duration = Duration::from_secs(60);

/// How long a sentence may take.
#[derive(Debug, Clone, Copy)]
pub struct Patience {
    /// In any case: the natural voice reads its model first.
    pub start: Duration,
    /// For each character.
    pub character: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self { start: Duration::from_secs(15), character: Duration::from_millis(150) }
    }
}

impl Patience {
    fn with(self, sentence: &str) -> Duration {
        self.start + self.character * u32::try_from(sentence.len()).unwrap_or(1_000).min(1_000)
    }
}

/// The voices of this machine.
#[derive(Debug)]
pub(super) struct Voices {
    paths: Paths,
    patience: Patience,
    cache: Cache,
    worker: Option<Worker>,
    failures: u32,
    rests_until: Option<Instant>,
    /// That there is no natural voice is said once, and so is that nothing can be kept.
    told_missing: bool,
    told_disk: bool,
}

impl Voices {
    pub(super) fn new(paths: Paths, patience: Patience) -> Self {
        Self {
            cache: Cache::new(paths.cache.clone(), CACHE),
            paths,
            patience,
            worker: None,
            failures: 0,
            rests_until: None,
            told_missing: false,
            told_disk: false,
        }
    }

    /// One sentence, as a prompt. From the disk if it was said before.
    pub(super) fn say(&mut self, language: &str, sentence: &str, rate: u32) -> Result<Sound, SpeechError> {
        if let Some(name) = voice::natural(language)
            && let Some(version) = self.installed()
        {
            let key = format!("{name} {version}");
            if let Some(sound) = self.cache.get(sentence, &key, rate) {
                return Ok(sound);
            }
            if let Some(made) = self.natural(name, sentence)
                && let Some(sound) = self.finish(&made, sentence, &key, rate)
            {
                return Ok(sound);
            }
        }
        let name = voice::plain(language);
        let key = format!("espeak-ng {name}");
        if let Some(sound) = self.cache.get(sentence, &key, rate) {
            return Ok(sound);
        }
        let made = espeak(&self.paths.espeak, &name, sentence, self.patience.with(sentence))
            .map_err(|why| SpeechError::NoVoice(format!("espeak-ng: {why}")))?;
        self.finish(&made, sentence, &key, rate).ok_or_else(|| SpeechError::NoVoice("espeak-ng: no sound".to_owned()))
    }

    /// Frees what the natural voice holds while nobody speaks.
    pub(super) fn rest(&mut self) {
        self.worker = None;
    }

    /// What tells one installation of the natural voice from another; `None`: there is none, which is said once.
    fn installed(&mut self) -> Option<String> {
        let version = std::fs::read_to_string(self.paths.voice.join("version")).ok();
        if version.is_none() && !std::mem::replace(&mut self.told_missing, true) {
            let folder = self.paths.voice.display();
            tracing::warn!("no natural voice in {folder}: espeak-ng speaks instead; `make voice` installs one");
        }
        version.map(|version| version.trim().to_owned())
    }

    /// The natural voice. `None` where it fails; it is replaced then.
    fn natural(&mut self, name: &str, sentence: &str) -> Option<Made> {
        if self.rests_until.is_some_and(|until| now() < until) {
            return None;
        }
        let patience = self.patience.with(sentence);
        let worker = match self.worker.take() {
            Some(worker) => Ok(worker),
            None => Worker::start(&self.paths.voice).map_err(|error| format!("it cannot be started: {error}")),
        };
        let said = worker.and_then(|mut worker| {
            let made = worker.say(name, sentence, patience)?;
            Ok((made, worker))
        });
        match said {
            Ok((made, worker)) => {
                self.worker = Some(worker);
                (self.failures, self.rests_until) = (0, None);
                Some(made)
            }
            Err(why) => {
                self.failures += 1;
                let rests = self.failures >= FAILURES;
                self.rests_until = rests.then(|| now() + REST);
                let next = if rests { "it is left alone for a minute" } else { "another one takes its place" };
                tracing::warn!("the natural voice failed: {why}; {next}, and espeak-ng speaks meanwhile");
                None
            }
        }
    }

    fn finish(&mut self, (samples, from): &Made, sentence: &str, key: &str, rate: u32) -> Option<Sound> {
        let sound = loudness::as_prompt(samples, *from, rate)?;
        if let Err(error) = self.cache.put(sentence, key, &sound)
            && !std::mem::replace(&mut self.told_disk, true)
        {
            tracing::warn!("what is said cannot be kept in {}: {error}", self.paths.cache.display());
        }
        Some(sound)
    }
}

#[expect(clippy::disallowed_methods, reason = "a shell: programs take their time")]
fn now() -> Instant {
    Instant::now()
}
