//! Whose sentence is said next: a thread that hands out what was said before, and one that has the rest said.

use super::sentences::{sentences, soon_begun};
use super::voices::{Known, Patience, Voices};
use super::{FAILED, For, Paths, Piece, Sound, SpeechError, Text, checked};
use std::collections::VecDeque;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Texts of callers and administrators that wait; beyond it they are refused.
pub(super) const QUEUE: usize = 64;
/// A text that is heard while it is said rests when so much of it is ready and not heard yet.
const AHEAD: Duration = Duration::from_secs(30);
/// The natural voice is let go when it had nothing to say for so long.
const IDLE: Duration = Duration::from_secs(600);

/// Says texts, one sentence at a time, beside the calls. With its last handle it ends, and with it what waits to be
/// said.
#[derive(Debug, Clone)]
pub struct Speaker {
    handle: Arc<Handle>,
    known: Known,
}

/// Ends the threads when it is dropped.
#[derive(Debug)]
struct Handle(Arc<Shared>);

impl Drop for Handle {
    fn drop(&mut self) {
        let mut waiting = self.0.lock();
        *waiting = Waiting { has_ended: true, ..Waiting::default() };
        drop(waiting);
        self.0.changed.notify_all();
    }
}

/// A text that is being said. Once it is dropped, no other sentence of it is said.
#[derive(Debug)]
pub struct Saying {
    progress: Arc<Progress>,
    shared: Arc<Shared>,
}

impl Saying {
    /// So much of it is heard: as much more is said.
    pub fn heard(&self, length: Duration) {
        let heard = milliseconds(length);
        // Whole sentences are counted in and out, each rounded once: it never falls below nothing by more than that.
        let less = |ahead: u64| Some(ahead.saturating_sub(heard));
        let _ = self.progress.ahead.fetch_update(Ordering::AcqRel, Ordering::Acquire, less);
        self.shared.wake();
    }
}

impl Drop for Saying {
    fn drop(&mut self) {
        self.progress.is_cancelled.store(true, Ordering::Release);
        self.shared.wake();
    }
}

/// What the one who hears a text and the one who says it tell each other.
#[derive(Debug, Default)]
struct Progress {
    is_cancelled: AtomicBool,
    /// Milliseconds that are said and not heard.
    ahead: AtomicU64,
}

struct Job {
    who: For,
    language: String,
    rate: u32,
    /// What is left of it.
    sentences: VecDeque<String>,
    progress: Arc<Progress>,
    deliver: Box<dyn FnMut(Piece) -> bool + Send>,
}

impl std::fmt::Debug for Job {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Job").field("who", &self.who).field("left", &self.sentences.len()).finish_non_exhaustive()
    }
}

impl Job {
    /// Whether it is heard while it is said.
    fn is_live(&self) -> bool {
        self.who != For::Dialplan
    }

    fn is_cancelled(&self) -> bool {
        self.progress.is_cancelled.load(Ordering::Acquire)
    }

    /// Whether enough of it is ready.
    fn rests(&self) -> bool {
        self.is_live() && self.progress.ahead.load(Ordering::Acquire) >= milliseconds(AHEAD)
    }

    /// Hands out the next sentence. Says whether another one is wanted.
    fn deliver(&mut self, sound: Result<Sound, SpeechError>) -> bool {
        self.sentences.pop_front();
        let is_last = self.sentences.is_empty() || sound.is_err();
        if let Ok(sound) = &sound {
            self.progress.ahead.fetch_add(milliseconds(sound.duration()), Ordering::AcqRel);
        }
        let is_taken = catch_unwind(AssertUnwindSafe(|| (self.deliver)((sound, is_last)))).unwrap_or_else(|_| {
            // Whoever waits for the text learns that no more is to come.
            let failed = || (self.deliver)((Err(SpeechError::NoVoice(FAILED.to_owned())), true));
            let _ = catch_unwind(AssertUnwindSafe(failed));
            false
        });
        is_taken && !is_last && !self.is_cancelled()
    }
}

/// The texts that wait.
#[derive(Debug, Default)]
struct Waiting {
    /// Those that were not looked for on the disk yet.
    unread: VecDeque<Job>,
    /// Those whose next sentence is to be said, the one that had the last turn at the end.
    unsaid: VecDeque<Job>,
    has_ended: bool,
}

impl Waiting {
    /// The text whose sentence is next.
    fn next_unsaid(&mut self) -> Option<Job> {
        self.unsaid.retain(|job| !job.is_cancelled());
        let ready = self.unsaid.iter().enumerate().filter(|(_, job)| !job.rests());
        let next = ready.min_by_key(|(turn, job)| (job.who, *turn)).map(|(at, _)| at);
        next.and_then(|at| self.unsaid.remove(at))
    }
}

#[derive(Debug, Default)]
struct Shared {
    waiting: Mutex<Waiting>,
    changed: Condvar,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Has the threads look again, whatever they are just about to do.
    fn wake(&self) {
        drop(self.lock());
        self.changed.notify_all();
    }

    /// Has a text wait until it is said.
    fn to_be_said(&self, job: Job) {
        let mut waiting = self.lock();
        if !waiting.has_ended {
            waiting.unsaid.push_back(job);
        }
        drop(waiting);
        self.changed.notify_all();
    }
}

impl Speaker {
    /// Starts the threads. Programs are started when there is something to say.
    ///
    /// # Errors
    /// The system's, when there is no thread to be had.
    pub fn start(paths: Paths, patience: Patience) -> io::Result<Self> {
        let known = Known::new(paths);
        let speaker = Self { handle: Arc::new(Handle(Arc::default())), known: known.clone() };
        let voices = Voices::new(known.clone(), patience);
        let shared = Arc::clone(&speaker.handle.0);
        std::thread::Builder::new().name("speech".into()).spawn(move || say_all(&shared, voices))?;
        let shared = Arc::clone(&speaker.handle.0);
        std::thread::Builder::new().name("speech-known".into()).spawn(move || hand_out_known(&shared, &known))?;
        Ok(speaker)
    }

    /// Has a text said; never waits. `deliver` is called with each sentence as it is ready, in a thread of the
    /// speaker's, up to the last one or the first error; it says whether it wants another one.
    ///
    /// # Errors
    /// It is not queued, and why.
    pub fn queue(
        &self,
        who: For,
        text: Text,
        deliver: impl FnMut(Piece) -> bool + Send + 'static,
    ) -> Result<Saying, SpeechError> {
        let Text { language, text, rate } = checked(text)?;
        let progress = Arc::<Progress>::default();
        let saying = Saying { progress: Arc::clone(&progress), shared: Arc::clone(&self.handle.0) };
        let sentences = sentences(&text).into();
        let job = Job { who, language, rate, sentences, progress, deliver: Box::new(deliver) };
        let mut waiting = self.handle.0.lock();
        let live = waiting.unread.iter().chain(&waiting.unsaid).filter(|job| job.is_live() && !job.is_cancelled());
        if job.is_live() && live.count() >= QUEUE {
            return Err(SpeechError::Busy);
        }
        waiting.unread.push_back(job);
        drop(waiting);
        self.handle.0.changed.notify_all();
        Ok(saying)
    }

    /// Has a text said and waits for all of it: not for those who serve calls.
    ///
    /// # Errors
    /// Why there is no sound.
    pub fn render(&self, text: Text) -> Result<Sound, SpeechError> {
        let rate = text.rate;
        let (told, pieces) = mpsc::channel();
        let _saying = self.queue(For::Dialplan, text, move |piece| told.send(piece).is_ok())?;
        let mut samples = Vec::new();
        for (piece, is_last) in pieces {
            samples.extend(piece?.samples);
            if is_last {
                return Ok(Sound { rate, samples });
            }
        }
        Err(SpeechError::Ended)
    }

    /// A text of which all was said before; read from the disk here and now.
    #[must_use]
    pub fn known(&self, text: &Text) -> Option<Sound> {
        let text = checked(text.clone()).ok()?;
        let mut samples = Vec::new();
        for sentence in sentences(&text.text) {
            samples.extend(self.known.find(&text.language, &sentence, text.rate)?.samples);
        }
        Some(Sound { rate: text.rate, samples })
    }
}

/// Hands out what was said before, so that it waits for nothing that has to be said.
fn hand_out_known(shared: &Shared, known: &Known) {
    be_nice();
    loop {
        let mut waiting = shared.lock();
        let mut job = loop {
            match waiting.unread.pop_front() {
                _ if waiting.has_ended => return,
                Some(job) => break job,
                None => waiting = shared.changed.wait(waiting).unwrap_or_else(PoisonError::into_inner),
            }
        };
        drop(waiting);
        let find = |job: &Job| {
            let sentence = job.sentences.front()?;
            catch_unwind(AssertUnwindSafe(|| known.find(&job.language, sentence, job.rate))).ok()?
        };
        let mut sound = find(&job);
        if sound.is_none() && job.is_live() {
            job.sentences = soon_begun(job.sentences.into()).into();
            sound = find(&job);
        }
        let mut is_wanted = !job.is_cancelled();
        while is_wanted && let Some(sentence) = sound.take() {
            is_wanted = job.deliver(Ok(sentence));
            if is_wanted && !job.rests() {
                sound = find(&job);
            }
        }
        if is_wanted {
            shared.to_be_said(job);
        }
    }
}

/// Has sentences said, each text in its turn.
fn say_all(shared: &Shared, mut voices: Voices) {
    be_nice();
    loop {
        let mut waiting = shared.lock();
        let mut job = loop {
            match waiting.next_unsaid() {
                _ if waiting.has_ended => return,
                Some(job) => break job,
                None => {}
            }
            let (woken, wait) = shared.changed.wait_timeout(waiting, IDLE).unwrap_or_else(PoisonError::into_inner);
            waiting = woken;
            if wait.timed_out() {
                voices.rest();
            }
        };
        drop(waiting);
        let sentence = job.sentences.front().map_or("", String::as_str);
        // Who waits for a text that makes us panic learns that no more is to come.
        let said = catch_unwind(AssertUnwindSafe(|| voices.say(&job.language, sentence, job.rate)));
        let sound = said.unwrap_or_else(|_| {
            voices.rest();
            Err(SpeechError::NoVoice(FAILED.to_owned()))
        });
        if job.deliver(sound) {
            shared.to_be_said(job);
        }
    }
}

fn milliseconds(length: Duration) -> u64 {
    u64::try_from(length.as_millis()).unwrap_or(u64::MAX)
}

/// Calls go first: this thread, and the programs that it starts, take what they leave.
fn be_nice() {
    // SAFETY: changes a number of the calling thread (who 0), and touches no memory.
    unsafe {
        libc::setpriority(libc::PRIO_PROCESS, 0, 10);
    }
}
