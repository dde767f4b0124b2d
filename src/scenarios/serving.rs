//! One session at work, on whichever thread takes it up.

use super::fetch::Fetches;
use super::mailbox::Mailbox;
use super::recordings::Recordings;
use super::scripts::{Compiled, compiled};
use super::sockets::Sockets;
use super::stopwatch::Second;
use super::workers::{Job, Progress};
use super::{Message, State};
use crate::dialplan::Scenario;
use crate::gateway::{Input, SessionId};
use crate::session::scenario::{Runtime, Setup, SocketAsk, Stopwatch, Turn};
use crate::types::{Now, Plain};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Instant, SystemTime};
use tokio::sync::mpsc;

/// Messages that it takes before others have their turn.
const MESSAGES: usize = 32;

/// What a session has from those who started it, and how far it has come.
pub(super) struct Session {
    pub(super) session: SessionId,
    pub(super) scenario: Arc<Scenario>,
    pub(super) script: Compiled,
    pub(super) state: Arc<State>,
    pub(super) answers: mpsc::Sender<Input>,
    pub(super) mailbox: Arc<Mailbox>,
    pub(super) fetches: Arc<Fetches>,
    pub(super) sockets: Arc<Sockets>,
    pub(super) recordings: Arc<Recordings>,
    pub(super) began: Instant,
    pub(super) life: Mutex<Life>,
}

/// How far a session has come.
pub(super) enum Life {
    New(Box<Setup>),
    Running(Box<Runtime>),
    Over,
}

/// A callback's second, and no more once its session is over.
struct Watch {
    second: Second,
    state: Arc<State>,
}

impl Stopwatch for Watch {
    fn begin(&mut self) {
        self.second.begin();
    }

    fn is_over(&mut self) -> bool {
        self.second.is_over() || self.state.is_over.load(Ordering::Relaxed)
    }
}

fn now() -> Now {
    Now { instant: Instant::now(), wall: SystemTime::now() }
}

impl Job for Session {
    fn work(&self) -> Progress {
        // What served it last has left it by now, or is about to.
        let mut life = self.life.lock().unwrap_or_else(PoisonError::into_inner);
        // A panic would be a mistake of ours, but the session's end alone.
        let served = catch_unwind(AssertUnwindSafe(|| self.serve(&mut life)));
        let cause = match served.unwrap_or_else(|_| Err("its engine has failed".to_owned())) {
            Ok(Some(progress)) => return progress,
            Ok(None) => None,
            Err(cause) => Some(cause),
        };
        *life = Life::Over;
        if let Some(cause) = cause {
            self.answer(Input::SessionFailed { session: self.session, cause });
        }
        self.mailbox.close();
        // Nothing is asked of them any more.
        self.sockets.end(self.session);
        self.recordings.end(self.session);
        Progress::Done
    }
}

impl Session {
    /// Takes what waits. `None`: the session is over.
    ///
    /// # Errors
    /// A mistake of the scenario's that ended it.
    fn serve(&self, life: &mut Life) -> Result<Option<Progress>, String> {
        if let Life::New(setup) = life {
            let setup = (**setup).clone();
            *life = Life::Running(Box::new(self.start(setup)?));
        }
        let Life::Running(runtime) = life else { return Ok(None) };
        for _ in 0..MESSAGES {
            let Some(message) = self.mailbox.take() else { return Ok(Some(Progress::Done)) };
            let is_over = self.state.is_over.load(Ordering::Relaxed);
            let turn = self.busy(|| match message {
                _ if is_over => runtime.over(now()),
                Message::Event(event) => runtime.handle(now(), &event),
                Message::Request(request, answer) => {
                    let (turn, text) = runtime.requested(now(), &request);
                    // Whoever asked may have gone.
                    let _ = answer.send(text);
                    turn
                }
                Message::Fetched(id, answer) => runtime.fetched(now(), id, &answer),
                Message::Socket(socket, news) => runtime.socket(now(), socket, &news),
                Message::Recorded(recording, news) => runtime.recorded(now(), recording, &news),
                Message::Over => runtime.over(now()),
            });
            self.carry_out(turn)?;
            if is_over {
                return Ok(None);
            }
        }
        Ok(Some(Progress::More))
    }

    /// Runs the script's code, as it stands outside all functions.
    fn start(&self, setup: Setup) -> Result<Runtime, String> {
        let watch = Watch { second: Second::default(), state: Arc::clone(&self.state) };
        let mut runtime = self.busy(|| Runtime::new(setup, watch)).map_err(|fault| fault.to_string())?;
        let turn = self.busy(|| runtime.begin(now(), compiled(&self.script, &self.scenario)));
        self.carry_out(turn)?;
        Ok(runtime)
    }

    /// Does something that takes time, for those who watch.
    fn busy<T>(&self, work: impl FnOnce() -> T) -> T {
        let since = u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX).saturating_add(1);
        self.state.busy_since.store(since, Ordering::Relaxed);
        let done = work();
        self.state.busy_since.store(0, Ordering::Relaxed);
        done
    }

    fn carry_out(&self, turn: Turn) -> Result<(), String> {
        let Self { session, scenario, mailbox, .. } = self;
        for line in turn.lines {
            tracing::info!("scenario {} {}: {}", scenario.name, session.0, Plain(line));
        }
        if let Some(fault) = turn.end {
            return Err(fault.to_string());
        }
        // Before the verbs that open their streams.
        for record in turn.recordings {
            self.recordings.begin(*session, record, &scenario.name, Arc::clone(mailbox));
        }
        if !turn.verbs.is_empty() {
            self.answer(Input::Verbs { session: *session, verbs: turn.verbs });
        }
        for fetch in turn.fetches {
            Fetches::begin(&self.fetches, fetch, Arc::clone(mailbox));
        }
        for ask in turn.sockets {
            if ask == SocketAsk::Listen {
                self.state.listens.store(true, Ordering::Relaxed);
                continue;
            }
            self.sockets.ask(*session, ask, Arc::clone(mailbox));
        }
        Ok(())
    }

    /// Tells the gateway. Where it is gone, so are all sessions.
    fn answer(&self, input: Input) {
        if !self.state.is_over.load(Ordering::Relaxed) {
            let _ = self.answers.blocking_send(input);
        }
    }
}
