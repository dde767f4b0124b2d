//! JavaScript scenarios: call control by scripts, as the VoxEngine platform's run them.
//!
//! A [`Runtime`] is one session's QuickJS: events in, verbs out, like any [`Session`](super::Session). It reads no
//! clock, opens no file, and asks for what lies outside by a [`Turn`]. Whoever runs it (`scenarios/`, or a test) hands
//! in the time and the [`Stopwatch`] that says when a callback has had its second.
//!
//! The object model itself is JavaScript (`js/`), on a few native functions that push verbs (`natives.rs`). It is
//! compiled once, and each runtime loads the parts of it that its scenario uses (`prelude.rs`, `late.rs`).

mod fault;
mod guards;
mod hashes;
mod late;
mod limits;
mod natives;
mod octets;
mod owners;
mod prelude;
mod recordings;
mod script;
mod shared;
mod sockets;
#[cfg(test)]
mod tests;
mod tone_script;

pub use fault::{Fault, Place};
pub use limits::{Fuel, MEMORY, SOURCE, STACK, Stopwatch};
pub use recordings::{Record, RecordNews};
pub use script::Script;
pub use shared::{Fetch, Fetched, HttpRequest, Turn};
pub use sockets::{SocketAsk, SocketNews};

use super::{CallHandle, DialCause, Event, StorageAnswer, StoredText, Verb, VerbError};
use crate::types::{Now, Seed};
use limits::{Breach, Metered};
use rquickjs::context::intrinsic;
use rquickjs::function::IntoArgs;
use rquickjs::{CatchResultExt, Context, Ctx, Function, Persistent, TypedArray, qjs};
use shared::Shared;
use std::rc::Rc;
use std::time::SystemTime;

/// What a session begins with.
#[derive(Debug, Clone)]
pub struct Setup {
    /// The session's name, as `AppEvents.Started` gives it.
    pub session: String,
    /// What `VoxEngine.customData()` says at first.
    pub custom_data: String,
    /// The session's own URLs, by HTTP and HTTPS, as `AppEvents.Started` gives them; empty where there are none.
    pub access: [String; 2],
    /// All its random numbers follow from this.
    pub seed: Seed,
}

/// One scenario that runs, on one thread at a time.
pub struct Runtime {
    // Values of the engine go before the engine.
    deliver: Option<Persistent<Function<'static>>>,
    settle: Option<Persistent<Function<'static>>>,
    context: Context,
    engine: rquickjs::Runtime,
    shared: Rc<Shared>,
    setup: Setup,
    is_over: bool,
}

impl Runtime {
    /// An engine with the object model, and no script yet.
    ///
    /// # Errors
    /// There is not the memory for it.
    pub fn new(setup: Setup, stopwatch: impl Stopwatch + Send + 'static) -> Result<Self, Fault> {
        let shared = Rc::new(Shared::new(&setup.seed, Box::new(stopwatch)));
        let unmade = |error: rquickjs::Error| Fault::new(format!("the engine cannot be made: {error}"));
        shared.begin(std::time::UNIX_EPOCH);
        let engine = rquickjs::Runtime::new_with_alloc(Metered::new(Rc::clone(&shared))).map_err(unmade)?;
        engine.set_max_stack_size(limits::STACK);
        engine.set_gc_threshold(limits::GARBAGE);
        let context = Context::custom::<Intrinsics>(&engine).map_err(unmade)?;
        let rejected = Rc::clone(&shared);
        engine.set_host_promise_rejection_tracker(Some(Box::new(move |ctx, promise, reason, is_handled| {
            rejected.track(&ctx, promise, &reason, is_handled);
        })));
        context
            .with(|ctx| {
                prelude::load(&ctx, &shared).catch(&ctx).map_err(|error| Fault::of(&ctx, error, &shared.files.borrow()))
            })
            .map_err(|fault| fault.within("the object model"))?;
        // The object model is ours, and ends: where a thousand sessions begin at once, it may take more than a second.
        let interrupted = Rc::clone(&shared);
        engine.set_interrupt_handler(Some(Box::new(move || interrupted.is_to_stop())));
        let (deliver, settle) = shared.entries.take().unzip();
        Ok(Self { deliver, settle, context, engine, shared, setup, is_over: false })
    }

    /// Runs a script's code, as it stands outside all functions, and then `AppEvents.Started`.
    pub fn begin(&mut self, now: Now, script: &Script) -> Turn {
        self.load(now, script).unwrap_or_else(|| {
            let Setup { session, custom_data, access: [http, https], .. } = self.setup.clone();
            let facts = ("started", custom_data, session, http, https);
            self.enter(now.wall, |ctx, deliver| deliver.call(facts).catch(ctx).map_err(Into::into))
        })
    }

    /// Runs a script's code; the turn, if the scenario ended at that.
    fn load(&mut self, now: Now, script: &Script) -> Option<Turn> {
        if let Some(fault) = script.fault() {
            return Some(self.end(fault.clone()));
        }
        self.shared.files.borrow_mut().push(script.file().to_owned());
        let turn = self.enter(now.wall, |ctx, _| script.run(ctx).catch(ctx).map_err(Into::into));
        if turn.end.is_some() {
            return Some(turn);
        }
        self.shared.give_back(turn);
        None
    }

    /// What comes of an event. Nothing, once the scenario is over.
    pub fn handle(&mut self, now: Now, event: &Event) -> Turn {
        self.enter(now.wall, |ctx, deliver| tell(deliver, event).catch(ctx).map_err(Into::into))
    }

    /// What comes of an answer to a [`Fetch`].
    pub fn fetched(&mut self, now: Now, id: u32, answer: &Fetched) -> Turn {
        self.enter(now.wall, |ctx, deliver| {
            let headers = flat(&answer.headers);
            let body = TypedArray::<u8>::new(ctx.clone(), answer.body.as_slice()).catch(ctx)?;
            let facts = ("fetched", id, answer.code, answer.text.as_str(), body, headers, &*answer.error);
            deliver.call(facts).catch(ctx).map_err(Into::into)
        })
    }

    /// What comes of a request to the session's own URL, and the answer to it; `None` where nobody listens.
    pub fn requested(&mut self, now: Now, request: &HttpRequest) -> (Turn, Option<String>) {
        let mut answer = None;
        let turn = self.enter(now.wall, |ctx, deliver| {
            let facts = ("request", request.method.as_str(), request.path.as_str(), request.content.as_str());
            answer = deliver.call::<_, Option<String>>(facts).catch(ctx)?;
            Ok(())
        });
        (turn, answer)
    }

    /// What comes of something that happened to a recording.
    pub fn recorded(&mut self, now: Now, recording: u32, news: &RecordNews) -> Turn {
        let (kind, words, seconds) = recordings::facts(news);
        self.enter(now.wall, |ctx, deliver| {
            deliver.call(("recorded", recording, kind, words, seconds)).catch(ctx).map_err(Into::into)
        })
    }

    /// What comes of something that happened to a WebSocket.
    pub fn socket(&mut self, now: Now, socket: u32, news: &SocketNews) -> Turn {
        let (kind, a, b, c, number) = sockets::facts(news);
        self.enter(now.wall, |ctx, deliver| {
            deliver.call(("socket", f64::from(socket), kind, a, b, c, number)).catch(ctx).map_err(Into::into)
        })
    }

    /// The gateway has ended the session: the scenario may clear up, but asks for no verbs any more.
    pub fn over(&mut self, now: Now) -> Turn {
        let mut turn = self.enter(now.wall, |ctx, deliver| deliver.call(("over",)).catch(ctx).map_err(Into::into));
        self.is_over = true;
        turn.verbs.clear();
        turn.sockets.clear();
        turn.recordings.clear();
        turn
    }

    /// How many octets it holds.
    #[must_use]
    pub fn memory(&self) -> usize {
        self.shared.memory.get()
    }

    fn enter<F>(&mut self, wall: SystemTime, code: F) -> Turn
    where
        F: for<'js> FnOnce(&Ctx<'js>, &Function<'js>) -> Result<(), Ended<'js>>,
    {
        let (Some(deliver), Some(settle)) = (self.deliver.clone(), self.settle.clone()) else { return Turn::default() };
        if self.is_over {
            return Turn::default();
        }
        self.shared.begin(wall);
        let ended = self.context.with(|ctx| {
            here(&ctx);
            let outcome = deliver.restore(&ctx).and_then(|deliver| Ok((deliver, settle.restore(&ctx)?)));
            let outcome = match outcome.catch(&ctx) {
                Ok((deliver, settle)) => code(&ctx, &deliver).and_then(|()| self.finish(&ctx, &settle)),
                Err(error) => Err(error.into()),
            };
            outcome.err().map(|Ended(error)| Fault::of(&ctx, error, &self.shared.files.borrow()))
        });
        let rejection = self.shared.rejection();
        let ended = match self.shared.breach.get() {
            Some(breach) => Some(self.at(ended, breach)),
            None => ended.or(rejection),
        };
        match ended {
            Some(fault) => self.end(fault),
            None => {
                let turn = self.shared.take_turn();
                self.is_over = turn.verbs.last() == Some(&Verb::EndSession);
                turn
            }
        }
    }

    /// A limit that was broken, where the code was at the time.
    fn at(&self, fault: Option<Fault>, breach: Breach) -> Fault {
        Fault { place: fault.and_then(|fault| fault.place), ..Fault::new(self.shared.told(breach)) }
    }

    /// The scenario is over by a mistake of its own: nothing it asked for last is done.
    fn end(&mut self, fault: Fault) -> Turn {
        self.is_over = true;
        let mut turn = self.shared.take_turn();
        turn.verbs.clear();
        turn.fetches.clear();
        turn.sockets.clear();
        turn.recordings.clear();
        turn.end = Some(fault);
        turn
    }

    /// Promises' jobs, and events that the code led to, until there are none.
    fn finish<'js>(&self, ctx: &Ctx<'js>, settle: &Function<'js>) -> Result<(), Ended<'js>> {
        loop {
            let mut jobs = 0;
            while self.shared.breach.get().is_none() && ctx.execute_pending_job() {
                jobs += 1;
                if jobs > limits::JOBS {
                    self.shared.break_limit(Breach::Jobs);
                }
            }
            if self.shared.breach.get().is_some() || !self.shared.is_awake.take() {
                return Ok(());
            }
            if settle.call::<_, bool>(()).catch(ctx)? {
                self.shared.is_awake.set(true);
            }
        }
    }

    /// Collects garbage that holds itself: between events, when there is nothing else to do.
    pub fn collect_garbage(&self) {
        self.engine.run_gc();
    }
}

// SAFETY: whatever here is not `Send` by itself belongs to this runtime alone and moves with it: the engine and values
// of the engine, and one `Shared`, whose owners are this struct and what the engine holds (its allocator, its handlers,
// its native functions). None of that is ever handed out. QuickJS keeps nothing by thread but the end of its stack,
// which is told at each entrance (`here`); mimalloc takes back on any thread what it gave on another.
unsafe impl Send for Runtime {}

/// The engine's stack is this thread's from here on.
fn here(ctx: &Ctx<'_>) {
    // SAFETY: the context is alive and entered.
    unsafe { qjs::JS_UpdateStackTop(qjs::JS_GetRuntime(ctx.as_raw().as_ptr())) }
}

impl Drop for Runtime {
    /// The engine must outlive its values, wherever a panic may have left some.
    fn drop(&mut self) {
        self.shared.rejection();
        self.shared.entries.take();
    }
}

impl std::fmt::Debug for Runtime {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Runtime").field("setup", &self.setup).field("is_over", &self.is_over).finish_non_exhaustive()
    }
}

/// What of the language there is from the start. Dates, typed arrays and weak references come when they are asked for
/// (`late.rs`); there is nothing of what browsers have and scripts here have no use for.
type Intrinsics = (
    intrinsic::Eval,
    intrinsic::RegExpCompiler,
    intrinsic::RegExp,
    intrinsic::Json,
    intrinsic::Proxy,
    intrinsic::MapSet,
    intrinsic::Promise,
);

/// What ended a callback early.
struct Ended<'js>(rquickjs::CaughtError<'js>);

impl<'js> From<rquickjs::CaughtError<'js>> for Ended<'js> {
    fn from(error: rquickjs::CaughtError<'js>) -> Self {
        Self(error)
    }
}

/// Names and values, one after the other.
fn flat(headers: &[(String, String)]) -> Vec<&str> {
    headers.iter().flat_map(|(name, value)| [name.as_str(), value.as_str()]).collect()
}

/// Hands an event to the object model, under the name that `js/deliver.js` has for it.
fn tell<'js>(deliver: &Function<'js>, event: &Event) -> rquickjs::Result<()> {
    fn call<'js>(deliver: &Function<'js>, facts: impl IntoArgs<'js>) -> rquickjs::Result<()> {
        deliver.call(facts)
    }
    match event {
        Event::Incoming { call: handle, from, number, alerting } => {
            let (to, headers) = alerting.as_deref().map_or(("", &[][..]), |known| (&*known.to, &known.headers));
            let name = from.name.as_deref().unwrap_or_default();
            call(deliver, ("incoming", id(*handle), &**number, &*from.number, name, to, flat(headers)))
        }
        Event::Ringing { call: handle, .. } => call(deliver, ("ringing", id(*handle))),
        Event::EarlyMedia { call: handle } => call(deliver, ("earlyMedia", id(*handle))),
        Event::Answered { call: handle } => call(deliver, ("answered", id(*handle))),
        Event::DialFailed { call: handle, cause, status } => {
            // As the platform has it: to a caller by SIP a rule is 403.
            let code = if matches!(cause, DialCause::Refused(_)) { 402 } else { *status };
            call(deliver, ("failed", id(*handle), code, reason(cause)))
        }
        Event::Ended { call: handle, ending } => {
            call(deliver, ("ended", id(*handle), &*ending.reason, ending.talked.as_secs()))
        }
        Event::Message { call: handle, text } => call(deliver, ("message", id(*handle), &**text)),
        Event::Info { call: handle, content_type, headers, body } => {
            call(deliver, ("info", id(*handle), &**content_type, flat(headers), &**body))
        }
        Event::Held { call: handle, on } => call(deliver, ("held", id(*handle), *on)),
        Event::Referred { call: handle, status, reason } => {
            call(deliver, ("referred", id(*handle), *status, &**reason))
        }
        Event::Digit { call: handle, digit } => call(deliver, ("digit", id(*handle), digit.to_string())),
        Event::FirstPacket { call: handle } => call(deliver, ("firstPacket", id(*handle))),
        Event::SoundStopped { call: handle } => call(deliver, ("soundStopped", id(*handle))),
        Event::Disturbs { call: handle, disturbance, on } => {
            call(deliver, ("disturbs", id(*handle), disturbance.name(), *on))
        }
        Event::RoomFailed { room, why } => call(deliver, ("roomFailed", room.0, &**why)),
        Event::PlaybackStarted { playback, length } => {
            call(deliver, ("playing", playback.0, length.unwrap_or_default().as_millis() as f64))
        }
        Event::PlaybackFinished { playback, completed } => call(deliver, ("played", playback.0, *completed)),
        Event::Stored { request, outcome } => match outcome {
            Err(why) => call(deliver, ("notStored", request.0, &**why)),
            Ok(StorageAnswer::Keys(keys)) => call(deliver, ("storedKeys", request.0, keys.clone())),
            Ok(StorageAnswer::Text(Some(StoredText { key, value, until }))) => {
                let until = until.duration_since(std::time::UNIX_EPOCH).unwrap_or_default().as_secs();
                call(deliver, ("storedText", request.0, &**key, &**value, until as f64))
            }
            Ok(_) => call(deliver, ("storedText", request.0)),
        },
        Event::Timer { timer } => call(deliver, ("timer", timer.0)),
        Event::VerbFailed { call: handle, error } => {
            let handle = handle.map_or(f64::NAN, id);
            let missing = if let VerbError::NoSuchSound(sound) = error { sound } else { "" };
            call(deliver, ("refused", handle, error.verb(), error.to_string(), missing))
        }
        // The first came when the script was run; the others answer verbs that scenarios do not use.
        Event::Started
        | Event::Dialled { .. }
        | Event::Collected { .. }
        | Event::PinChecked { .. }
        | Event::RoomChanged { .. } => Ok(()),
    }
}

/// A handle as the object model has it.
fn id(handle: CallHandle) -> f64 {
    handle.0.into()
}

/// The reason of `CallEvents.Failed`.
fn reason(cause: &DialCause) -> &str {
    match cause {
        DialCause::Refused(rule) => rule,
        DialCause::Busy => "Busy Here",
        DialCause::NoAnswer => "Request Timeout",
        DialCause::Declined => "Decline",
        DialCause::NoSuchNumber => "Not Found",
        DialCause::Unreachable => "Temporarily Unavailable",
        DialCause::GivenUp => "Request Terminated",
    }
}
