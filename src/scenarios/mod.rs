//! Scenarios at work: the threads that run them, their requests, WebSockets and recordings.
//!
//! The gateway says which session begins, what happens in it, and when it is over ([`Scenarios`]); what scenarios ask
//! for comes back as the gateway's [`Input`]. Each has its own [`Runtime`], and a thread while it has something to do
//! (`workers.rs`), so that a loop in one holds up nobody else.
//! Queues are bounded both ways: a scenario that cannot keep up with its events is ended, and one that asks for more
//! than the gateway takes waits.
#![allow(clippy::disallowed_methods, reason = "a shell: callbacks are timed")]

mod fetch;
mod mailbox;
mod recordings;
mod scripts;
mod serving;
mod sockets;
mod stopwatch;
#[cfg(test)]
mod tests;
mod workers;

use crate::dialplan::{FetchSettings, Retention, Scenario};
use crate::gateway::{Input, SessionId, StreamEnd};
use crate::session::scenario::{Fault, Place, Setup};
use crate::session::{self, scenario};
use crate::types::{IdMap, Rate, Seed, Taken};
use fetch::Fetches;
use hyper::upgrade::Upgraded;
use hyper_util::rt::TokioIo;
use mailbox::{MOST_WAITING, Mailbox, Unsent};
use rand::RngCore;
use rand::rngs::StdRng;
use recordings::Recordings;
use scripts::Scripts;
use serving::{Life, Session};
use sockets::Sockets;
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, Weak};
use std::time::{Duration, Instant};
pub use stopwatch::Second;
use tokio::sync::{mpsc, oneshot};
use workers::Workers;

#[cfg(doc)]
use crate::session::scenario::Runtime;

/// How long a scenario may be at one event. Its own limit is a second; this is for the few things of the language that
/// nothing can interrupt.
const PATIENCE: Duration = Duration::from_secs(5);
/// Stack of a thread: what scripts may use, and as much for the engine itself. What is not used costs nothing.
const STACK: usize = scenario::STACK + (256 << 10);

/// HTTP requests to one session.
const REQUESTS: Rate = Rate { burst: 50, interval: Duration::from_millis(50) };

/// All scenarios that run.
pub struct Scenarios {
    running: IdMap<SessionId, Running>,
    workers: Workers,
    answers: mpsc::Sender<Input>,
    fetches: Arc<Fetches>,
    sockets: Arc<Sockets>,
    recordings: Arc<Recordings>,
    scripts: Scripts,
    /// The unguessable last part of each session's own URL.
    keys: HashMap<String, SessionId>,
    /// What its URLs begin with, by HTTP and HTTPS; empty where there are none.
    access: [String; 2],
    seeds: StdRng,
    began: Instant,
}

/// Whoever has shown a session's key may hand over a connection whose handshake as a WebSocket is done.
pub type Entrance = oneshot::Sender<TokioIo<Upgraded>>;

/// One of them, as seen from outside.
struct Running {
    session: Arc<Session>,
    key: String,
    requests: Taken,
}

/// Why a session does not take an HTTP request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unasked {
    /// There is no session of that key.
    Nobody,
    /// It is asked too often, or has too much to do.
    Busy,
}

/// What those who serve a session and the others both know.
#[derive(Debug, Default)]
struct State {
    /// The session is over.
    is_over: AtomicBool,
    /// Others may open WebSockets to the session.
    listens: AtomicBool,
    /// Since when it is at an event, in milliseconds since all began, and 1; 0 while it waits for one.
    busy_since: AtomicU64,
}

/// What a session is sent.
#[derive(Debug)]
enum Message {
    Event(session::Event),
    Request(scenario::HttpRequest, oneshot::Sender<Option<String>>),
    Fetched(u32, scenario::Fetched),
    Socket(u32, scenario::SocketNews),
    Recorded(u32, scenario::RecordNews),
    Over,
}

impl Scenarios {
    /// None yet. What they ask for goes to `answers`; all their random numbers follow from `seed`.
    #[must_use]
    pub fn new(seed: &Seed, fetch: FetchSettings, answers: mpsc::Sender<Input>) -> Self {
        let sockets = Arc::new(Sockets::new(fetch.clone()));
        let fetches = Arc::new(Fetches::new(fetch));
        let (keys, access) = (HashMap::new(), [String::new(), String::new()]);
        let (seeds, began) = (seed.generator(), Instant::now());
        let recordings = Arc::new(Recordings::new("var/recordings".into()));
        let (running, scripts) = (IdMap::default(), Scripts::default());
        Self {
            running,
            workers: Workers::new(),
            answers,
            fetches,
            sockets,
            recordings,
            scripts,
            keys,
            access,
            seeds,
            began,
        }
    }

    /// The same with the gateway's own URLs, by HTTP and HTTPS, without a path; empty where there are none.
    #[must_use]
    pub fn with_access(mut self, access: [String; 2]) -> Self {
        self.access = access;
        self
    }

    /// The same with the folder that recordings are written to, made when it is needed. By default `var/recordings`.
    #[must_use]
    pub fn recording_to(mut self, folder: PathBuf) -> Self {
        self.recordings = Arc::new(Recordings::new(folder));
        self
    }

    /// Keeps recordings so long from now on.
    pub fn keep_recordings(&self, retention: Retention) {
        self.recordings.keep(retention);
    }

    /// Fetches by other settings from now on, in sessions that begin; WebSockets are opened by them in all.
    pub fn fetch_by(&mut self, settings: FetchSettings) {
        self.sockets.ask_by(settings.clone());
        self.fetches = Arc::new(Fetches::new(settings));
    }

    /// A session begins.
    ///
    /// # Errors
    /// There can be no thread for it; the gateway is to be told, as for one that failed.
    pub fn start(&mut self, session: SessionId, scenario: Arc<Scenario>) -> Result<(), String> {
        let mut octets = [0_u8; 20];
        self.seeds.fill_bytes(&mut octets);
        let key: String = octets.iter().map(|octet| format!("{octet:02x}")).collect();
        let access = self.access.clone().map(|url| if url.is_empty() { url } else { format!("{url}/sessions/{key}") });
        let setup = Setup {
            access,
            session: format!("scenario-{}", session.0),
            custom_data: scenario.custom_data.clone(),
            seed: Seed::drawn(&mut self.seeds),
        };
        let entrance = self.workers.entrance();
        let served = Arc::new_cyclic(|served: &Weak<Session>| {
            let served = Weak::clone(served);
            let wake = move || {
                if let Some(served) = served.upgrade() {
                    entrance(served);
                }
            };
            Session {
                session,
                script: self.scripts.of(&scenario),
                scenario,
                state: Arc::new(State::default()),
                answers: self.answers.clone(),
                mailbox: Arc::new(Mailbox::new(wake)),
                fetches: Arc::clone(&self.fetches),
                sockets: Arc::clone(&self.sockets),
                recordings: Arc::clone(&self.recordings),
                began: self.began,
                life: Mutex::new(Life::New(Box::new(setup))),
            }
        });
        let job = Arc::clone(&served);
        self.workers.hand_in(job).map_err(|error| format!("there is no thread for it: {error}"))?;
        self.keys.insert(key.clone(), session);
        self.running.insert(session, Running { session: served, key, requests: Taken::nothing(Instant::now()) });
        Ok(())
    }

    /// Something happened in a session.
    ///
    /// # Errors
    /// The scenario does not keep up; the gateway is to be told, as for one that failed.
    pub fn tell(&mut self, session: SessionId, event: session::Event) -> Result<(), String> {
        let Some(running) = self.running.get(&session) else { return Ok(()) };
        let since = running.session.state.busy_since.load(Ordering::Relaxed);
        if since > 0 && self.began.elapsed() > Duration::from_millis(since) + PATIENCE {
            return Err(format!("it has been at one event for more than {} s", PATIENCE.as_secs()));
        }
        match running.session.mailbox.try_send(Message::Event(event)) {
            Err(Unsent::Full(_)) => Err(format!("more than {MOST_WAITING} events wait for it")),
            // It has ended, and has said so.
            Ok(()) | Err(Unsent::Closed) => Ok(()),
        }
    }

    /// A stream of a session's is open.
    pub fn stream(&mut self, session: SessionId, stream: session::StreamHandle, end: StreamEnd) {
        if self.running.contains_key(&session)
            && let Some(end) = self.recordings.stream(session, stream, end)
        {
            self.sockets.stream(session, stream, end);
        }
    }

    /// Somebody would open a WebSocket to the session of that key. `None`: there is none that takes them.
    #[must_use]
    pub fn enter(&self, key: &str) -> Option<Entrance> {
        let session = *self.keys.get(key)?;
        let running = self.running.get(&session)?;
        if !running.session.state.listens.load(Ordering::Relaxed) {
            return None;
        }
        let (entrance, entered) = oneshot::channel();
        self.sockets.enter(session, entered, Arc::clone(&running.session.mailbox));
        Some(entrance)
    }

    /// Somebody asks the session of that key. The answer is `None` where nobody there listens.
    ///
    /// # Errors
    /// It is not asked.
    pub fn request(
        &mut self,
        key: &str,
        request: scenario::HttpRequest,
    ) -> Result<oneshot::Receiver<Option<String>>, Unasked> {
        let session = self.keys.get(key).ok_or(Unasked::Nobody)?;
        let running = self.running.get_mut(session).ok_or(Unasked::Nobody)?;
        if !running.requests.take(Instant::now(), REQUESTS) {
            return Err(Unasked::Busy);
        }
        let (answer, answered) = oneshot::channel();
        running.session.mailbox.try_send(Message::Request(request, answer)).map_err(|error| match error {
            Unsent::Full(_) => Unasked::Busy,
            Unsent::Closed => Unasked::Nobody,
        })?;
        Ok(answered)
    }

    /// A session is over.
    pub fn end(&mut self, session: SessionId) {
        let Some(running) = self.running.remove(&session) else { return };
        self.keys.remove(&running.key);
        self.sockets.end(session);
        self.recordings.end(session);
        running.session.state.is_over.store(true, Ordering::Relaxed);
        running.session.mailbox.deliver(Message::Over);
    }

    /// How many run.
    #[must_use]
    pub fn len(&self) -> usize {
        self.running.len()
    }

    /// Whether none does.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.running.is_empty()
    }
}

impl std::fmt::Debug for Scenarios {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Scenarios").field("running", &self.running.len()).finish_non_exhaustive()
    }
}

/// Whether a file of scenarios is one, as far as can be told without running it.
///
/// # Errors
/// The first mistake, after its place in the file.
pub fn check(path: &Path, source: &str) -> Result<(), String> {
    let file = path.file_name().unwrap_or_default().to_string_lossy();
    match scenario::Script::compile(&file, source).fault() {
        None => Ok(()),
        Some(Fault { what, place: Some(Place { line, column, .. }) }) => {
            Err(format!("line {line}, column {column}: {what}"))
        }
        Some(Fault { what, place: None }) => Err(what.clone()),
    }
}
