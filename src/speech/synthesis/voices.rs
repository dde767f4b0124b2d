//! Who says a sentence: the natural voice where it is installed, else espeak-ng; and what becomes of those who fail.

use super::cache::Cache;
use super::worker::{Made, Unsaid, Worker, espeak};
use super::{Paths, Sound, SpeechError, loudness, voice};
use std::collections::BTreeSet;
use std::time::{Duration, Instant};

/// Octets of what was said before.
const CACHE: u64 = 256 << 20;
/// Failures in a row after which the natural voice is left alone. One that hangs is left alone at once: to wait for it
/// costs the most.
const FAILURES: u32 = 3;

/// How long a sentence may take, and what follows.
#[derive(Debug, Clone, Copy)]
pub struct Patience {
    /// The first one of a natural voice that has just started: it reads its model.
    pub start: Duration,
    /// Any other one.
    pub sentence: Duration,
    /// For each character besides.
    pub character: Duration,
    /// How long a natural voice that failed is left alone.
    pub rest: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            start: Duration::from_secs(15),
            sentence: Duration::from_secs(3),
            character: Duration::from_millis(75),
            rest: Duration::from_secs(60),
        }
    }
}

impl Patience {
    /// For a sentence that waits `base` in any case.
    fn with(self, base: Duration, sentence: &str) -> Duration {
        base + self.character * u32::try_from(sentence.chars().count()).unwrap_or(1_000).min(1_000)
    }
}

/// The natural voice of a language, as it is installed.
#[derive(Debug)]
struct Natural {
    name: &'static str,
    /// What tells one installation from another.
    version: String,
    /// What its sound is kept under.
    key: String,
}

/// What was said before.
#[derive(Debug, Clone)]
pub(super) struct Known {
    paths: Paths,
    cache: Cache,
    /// `PARTYLINE_VOICE_SPEED`, which the natural voice reads as well.
    speed: Option<String>,
}

impl Known {
    pub(super) fn new(paths: Paths) -> Self {
        let speed = std::env::var("PARTYLINE_VOICE_SPEED").ok();
        Self { cache: Cache::new(paths.cache.clone(), CACHE), paths, speed }
    }

    /// A sentence, if whoever says it now has said it before.
    pub(super) fn find(&self, language: &str, sentence: &str, rate: u32) -> Option<Sound> {
        let key = self.natural(language).map_or_else(|| plain_key(&voice::plain(language)), |natural| natural.key);
        self.cache.get(sentence, &key, rate)
    }

    /// The natural voice; `None` where it is not installed or does not speak the language.
    fn natural(&self, language: &str) -> Option<Natural> {
        let name = voice::natural(language)?;
        let version = self.installed()?;
        let speed = self.speed.as_ref().map(|speed| format!(" at {speed}")).unwrap_or_default();
        Some(Natural { name, key: format!("{name} {version}{speed}"), version })
    }

    fn installed(&self) -> Option<String> {
        let version = std::fs::read_to_string(self.paths.voice.join("version")).ok()?;
        Some(version.trim().to_owned())
    }
}

/// What espeak-ng's sound is kept under.
fn plain_key(name: &str) -> String {
    format!("espeak-ng {name}")
}

/// The voices of this machine.
#[derive(Debug)]
pub(super) struct Voices {
    known: Known,
    patience: Patience,
    worker: Option<Worker>,
    failures: u32,
    rests_until: Option<Instant>,
    /// That there is no natural voice is said once, for each language that it does not speak, and so is that nothing
    /// can be kept.
    told_missing: BTreeSet<String>,
    told_disk: bool,
}

impl Voices {
    pub(super) fn new(known: Known, patience: Patience) -> Self {
        Self {
            known,
            patience,
            worker: None,
            failures: 0,
            rests_until: None,
            told_missing: BTreeSet::new(),
            told_disk: false,
        }
    }

    /// One sentence, as a prompt. From the disk if it was said before.
    pub(super) fn say(&mut self, language: &str, sentence: &str, rate: u32) -> Result<Sound, SpeechError> {
        if let Some(natural) = self.known.natural(language) {
            if let Some(sound) = self.known.cache.get(sentence, &natural.key, rate) {
                return Ok(sound);
            }
            if let Some(made) = self.natural(&natural, sentence)
                && let Some(sound) = self.finish(&made, sentence, &natural.key, rate)
            {
                return Ok(sound);
            }
        } else {
            self.tell_missing(language);
        }
        let name = voice::plain(language);
        let key = plain_key(&name);
        if let Some(sound) = self.known.cache.get(sentence, &key, rate) {
            return Ok(sound);
        }
        let patience = self.patience.with(self.patience.sentence, sentence);
        let made = espeak(&self.known.paths.espeak, &name, sentence, patience)
            .map_err(|why| SpeechError::NoVoice(format!("espeak-ng: {why}")))?;
        self.finish(&made, sentence, &key, rate).ok_or_else(|| SpeechError::NoVoice("espeak-ng: no sound".to_owned()))
    }

    /// Frees what the natural voice holds while nobody speaks.
    pub(super) fn rest(&mut self) {
        self.worker = None;
    }

    /// Says why espeak-ng speaks: no natural voice is installed, or it does not speak the language.
    fn tell_missing(&mut self, language: &str) {
        let folder = self.known.paths.voice.display();
        if self.known.installed().is_some() {
            if self.told_missing.insert(language.to_owned()) {
                tracing::warn!("the natural voice does not speak {language}: espeak-ng speaks instead");
            }
        } else if self.told_missing.insert(String::new()) {
            tracing::warn!(
                "no natural voice in {folder}: espeak-ng speaks instead; `make voice VOICE={folder}` installs one"
            );
        }
    }

    /// The natural voice. `None` where it fails; it is replaced then.
    fn natural(&mut self, natural: &Natural, sentence: &str) -> Option<Made> {
        if self.rests_until.is_some_and(|until| now() < until) {
            return None;
        }
        // One that was started from another installation has had its day.
        let running = self.worker.take().filter(|worker| worker.version() == natural.version);
        let base = if running.is_some() { self.patience.sentence } else { self.patience.start };
        let patience = self.patience.with(base, sentence);
        let worker = match running {
            Some(worker) => Ok(worker),
            None => Worker::start(&self.known.paths.voice, &natural.version),
        };
        let started = worker.map_err(|error| Unsaid::Broken(format!("it cannot be started: {error}")));
        let said = started.and_then(|mut worker| match worker.say(natural.name, sentence, patience) {
            said @ (Ok(_) | Err(Unsaid::Refused(_))) => {
                self.worker = Some(worker);
                said
            }
            Err(Unsaid::Hung(why)) => Err(Unsaid::Hung(worker.with_last_words(why))),
            Err(Unsaid::Broken(why)) => Err(Unsaid::Broken(worker.with_last_words(why))),
        });
        let (why, is_hung) = match said {
            Ok(made) => {
                (self.failures, self.rests_until) = (0, None);
                return Some(made);
            }
            Err(Unsaid::Refused(why)) => {
                tracing::warn!("the natural voice cannot say a sentence: {why}; espeak-ng says it");
                return None;
            }
            Err(Unsaid::Hung(why)) => (why, true),
            Err(Unsaid::Broken(why)) => (why, false),
        };
        self.failures += 1;
        let rests = is_hung || self.failures >= FAILURES;
        self.rests_until = rests.then(|| now() + self.patience.rest);
        let next = if rests {
            format!("it is left alone for {} s", self.patience.rest.as_secs())
        } else {
            "another one takes its place".to_owned()
        };
        tracing::warn!("the natural voice failed: {why}; {next}, and espeak-ng speaks meanwhile");
        None
    }

    fn finish(&mut self, (samples, from): &Made, sentence: &str, key: &str, rate: u32) -> Option<Sound> {
        let sound = loudness::as_prompt(samples, *from, rate)?;
        if let Err(error) = self.known.cache.put(sentence, key, &sound)
            && !std::mem::replace(&mut self.told_disk, true)
        {
            tracing::warn!("what is said cannot be kept in {}: {error}", self.known.paths.cache.display());
        }
        Some(sound)
    }
}

#[expect(clippy::disallowed_methods, reason = "a shell: programs take their time")]
fn now() -> Instant {
    Instant::now()
}
