//! The thread of one session.

use super::fetch::Fetches;
use super::recordings::Recordings;
use super::scripts::{Compiled, compiled};
use super::sockets::Sockets;
use super::stopwatch::Second;
use super::{Message, State};
use crate::dialplan::Scenario;
use crate::gateway::{Input, SessionId};
use crate::session::scenario::{Runtime, Setup, SocketAsk, Stopwatch, Turn};
use crate::types::{Now, Plain};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, SyncSender};
use std::time::{Instant, SystemTime};
use tokio::sync::mpsc;

/// What a thread has from those who started it.
pub(super) struct Own {
    pub(super) session: SessionId,
    pub(super) script: Compiled,
    pub(super) state: Arc<State>,
    pub(super) answers: mpsc::Sender<Input>,
    pub(super) inbox: Receiver<Message>,
    pub(super) outbox: SyncSender<Message>,
    pub(super) fetches: Arc<Fetches>,
    pub(super) sockets: Arc<Sockets>,
    pub(super) recordings: Arc<Recordings>,
    pub(super) began: Instant,
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

/// Runs a scenario from its first line to its end.
pub(super) fn run(own: Own, setup: Setup, scenario: &Scenario) {
    // A panic would be a mistake of ours, but the session's end alone.
    let ended = catch_unwind(AssertUnwindSafe(|| own.serve(setup, scenario)));
    if let Err(cause) = ended.unwrap_or_else(|_| Err("its engine has failed".to_owned())) {
        own.answer(Input::SessionFailed { session: own.session, cause });
    }
    // Nothing is asked of them any more.
    own.sockets.end(own.session);
    own.recordings.end(own.session);
}

impl Own {
    /// Takes events until the session is over.
    ///
    /// # Errors
    /// A mistake of the scenario's that ended it.
    fn serve(&self, setup: Setup, scenario: &Scenario) -> Result<(), String> {
        let watch = Watch { second: Second::default(), state: Arc::clone(&self.state) };
        let mut runtime = self.busy(|| Runtime::new(setup, watch)).map_err(|fault| fault.to_string())?;
        let turn = self.busy(|| runtime.begin(now(), compiled(&self.script, scenario)));
        self.carry_out(turn, &scenario.name)?;
        while let Ok(message) = self.inbox.recv() {
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
            self.carry_out(turn, &scenario.name)?;
            if is_over {
                return Ok(());
            }
        }
        Ok(())
    }

    /// Does something that takes time, for those who watch.
    fn busy<T>(&self, work: impl FnOnce() -> T) -> T {
        let since = u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX).saturating_add(1);
        self.state.busy_since.store(since, Ordering::Relaxed);
        let done = work();
        self.state.busy_since.store(0, Ordering::Relaxed);
        done
    }

    fn carry_out(&self, turn: Turn, name: &str) -> Result<(), String> {
        for line in turn.lines {
            tracing::info!("scenario {name} {}: {}", self.session.0, Plain(line));
        }
        if let Some(fault) = turn.end {
            return Err(fault.to_string());
        }
        // Before the verbs that open their streams.
        for record in turn.recordings {
            self.recordings.begin(self.session, record, name, self.outbox.clone());
        }
        if !turn.verbs.is_empty() {
            self.answer(Input::Verbs { session: self.session, verbs: turn.verbs });
        }
        for fetch in turn.fetches {
            Fetches::begin(&self.fetches, fetch, self.outbox.clone());
        }
        for ask in turn.sockets {
            if ask == SocketAsk::Listen {
                self.state.listens.store(true, Ordering::Relaxed);
                continue;
            }
            self.sockets.ask(self.session, ask, self.outbox.clone());
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
