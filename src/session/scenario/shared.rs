//! What a runtime and its native functions have in common.

use super::Fault;
use super::limits::{Breach, LINE, LINES, Stopwatch, VERBS};
use super::recordings::Record;
use super::sockets::SocketAsk;
use crate::session::Verb;
use crate::types::Seed;
use rand::RngCore;
use rand::rngs::StdRng;
use rquickjs::{Ctx, Function, Persistent, Value};
use std::cell::{Cell, RefCell};
use std::time::{SystemTime, UNIX_EPOCH};

/// What a scenario asks for in answer to one event.
#[derive(Debug, Default, PartialEq)]
pub struct Turn {
    /// To be carried out in order. [`Verb::EndSession`] is the last where the scenario is over by its own will.
    pub verbs: Vec<Verb>,
    /// To be fetched, and handed in by [`Runtime::fetched`](super::Runtime::fetched).
    pub fetches: Vec<Fetch>,
    /// What is asked of WebSockets, in order, after the verbs.
    pub sockets: Vec<SocketAsk>,
    /// To be recorded, before the verbs that open the streams for it.
    pub recordings: Vec<Record>,
    /// Lines for the log, as the script wrote them.
    pub lines: Vec<String>,
    /// The scenario is over by a mistake of its own: its session is to be ended, with this as the cause.
    pub end: Option<Fault>,
}

/// An HTTP request that somebody makes to a session's own URL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HttpRequest {
    /// GET, POST and so on.
    pub method: String,
    /// The path, with its query.
    pub path: String,
    /// The body as text.
    pub content: String,
}

/// One HTTP request of a scenario.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fetch {
    /// Comes back with the answer.
    pub id: u32,
    /// As written.
    pub url: String,
    /// GET, POST and so on.
    pub method: String,
    /// Names and values.
    pub headers: Vec<(String, String)>,
    /// What is sent with it.
    pub body: Option<Vec<u8>>,
    /// How long it may take in all, in seconds.
    pub timeout: u32,
    /// How long the connection may take to come about, in seconds.
    pub connect_timeout: u32,
}

/// The answer to one.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Fetched {
    /// The HTTP status; or, below 100, why there is none.
    pub code: u16,
    /// Names and values.
    pub headers: Vec<(String, String)>,
    /// The body as text.
    pub text: String,
    /// The body.
    pub body: Vec<u8>,
    /// Why there is no answer; empty if there is one.
    pub error: String,
}

/// The two ways into the object model: an event, and the end of a callback.
pub(super) type Entries = (Persistent<Function<'static>>, Persistent<Function<'static>>);

pub(super) struct Shared {
    pub(super) turn: RefCell<Turn>,
    pub(super) breach: Cell<Option<Breach>>,
    /// The engine has been told to stop the script.
    pub(super) is_stopping: Cell<bool>,
    /// Octets that the engine has.
    pub(super) memory: Cell<usize>,
    /// The scripts' names.
    pub(super) files: RefCell<Vec<String>>,
    /// Set while the object model is being loaded.
    pub(super) entries: Cell<Option<Entries>>,
    /// Events of the object model's own wait.
    pub(super) is_awake: Cell<bool>,
    told: RefCell<String>,
    wall: Cell<SystemTime>,
    stopwatch: RefCell<Box<dyn Stopwatch + Send>>,
    random: RefCell<StdRng>,
    /// Promises that nobody has caught yet, and why they were rejected.
    rejections: RefCell<Vec<(Persistent<Value<'static>>, Fault)>>,
    dropped_lines: Cell<usize>,
}

impl Shared {
    pub(super) fn new(seed: &Seed, stopwatch: Box<dyn Stopwatch + Send>) -> Self {
        Self {
            turn: RefCell::default(),
            breach: Cell::new(None),
            is_stopping: Cell::new(false),
            memory: Cell::new(0),
            files: RefCell::default(),
            entries: Cell::new(None),
            is_awake: Cell::new(false),
            told: RefCell::default(),
            wall: Cell::new(UNIX_EPOCH),
            stopwatch: RefCell::new(stopwatch),
            random: RefCell::new(seed.generator()),
            rejections: RefCell::default(),
            dropped_lines: Cell::new(0),
        }
    }

    /// A callback begins.
    pub(super) fn begin(&self, wall: SystemTime) {
        self.wall.set(wall);
        self.stopwatch.borrow_mut().begin();
    }

    /// Whether the script is to be stopped where it stands.
    pub(super) fn is_to_stop(&self) -> bool {
        if self.breach.get().is_none() && self.stopwatch.borrow_mut().is_over() {
            self.break_limit(Breach::Time);
        }
        let stops = self.breach.get().is_some();
        self.is_stopping.set(stops);
        stops
    }

    /// The first limit that is broken counts.
    pub(super) fn break_limit(&self, breach: Breach) {
        if self.breach.get().is_none() {
            self.breach.set(Some(breach));
        }
    }

    /// A limit that the object model keeps was broken.
    pub(super) fn break_told(&self, what: String) {
        if self.breach.get().is_none() {
            *self.told.borrow_mut() = what;
        }
        self.break_limit(Breach::Told);
    }

    pub(super) fn told(&self, breach: Breach) -> String {
        if breach == Breach::Told { self.told.borrow().clone() } else { breach.text().to_owned() }
    }

    pub(super) fn push(&self, verb: Verb) {
        let mut turn = self.turn.borrow_mut();
        if turn.verbs.len() >= VERBS {
            return self.break_limit(Breach::Verbs);
        }
        turn.verbs.push(verb);
    }

    pub(super) fn ask(&self, ask: SocketAsk) {
        let mut turn = self.turn.borrow_mut();
        if turn.sockets.len() >= VERBS {
            return self.break_limit(Breach::Verbs);
        }
        turn.sockets.push(ask);
    }

    pub(super) fn log(&self, text: &str) {
        let mut turn = self.turn.borrow_mut();
        if turn.lines.len() >= LINES {
            return self.dropped_lines.set(self.dropped_lines.get() + 1);
        }
        let mut line: String = text.chars().take(LINE).collect();
        if line.len() < text.len() {
            line.push('…');
        }
        turn.lines.push(line);
    }

    pub(super) fn take_turn(&self) -> Turn {
        let dropped = self.dropped_lines.take();
        let mut turn = self.turn.take();
        if dropped > 0 {
            turn.lines.push(format!("{dropped} more lines at once are left out"));
        }
        turn
    }

    /// What was taken belongs to what comes next.
    pub(super) fn give_back(&self, turn: Turn) {
        *self.turn.borrow_mut() = turn;
    }

    /// Milliseconds since 1970.
    pub(super) fn now(&self) -> f64 {
        let since = self.wall.get().duration_since(UNIX_EPOCH).unwrap_or_default();
        (since.as_secs_f64() * 1_000.0).floor()
    }

    /// From 0 to less than 1.
    pub(super) fn random(&self) -> f64 {
        const PLACES: u32 = 53;
        let bits = self.random.borrow_mut().next_u64() >> (u64::BITS - PLACES);
        #[expect(clippy::cast_precision_loss, reason = "that many bits are exact")]
        let number = bits as f64;
        number / (1u64 << PLACES) as f64
    }

    /// A random UUID (RFC 9562 section 5.4).
    pub(super) fn uuid(&self) -> String {
        let mut octets = [0; 16];
        self.random.borrow_mut().fill_bytes(&mut octets);
        octets[6] = octets[6] & 0x0f | 0x40;
        octets[8] = octets[8] & 0x3f | 0x80;
        let hex: String = octets.iter().map(|octet| format!("{octet:02x}")).collect();
        let parts = [&hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]];
        parts.join("-")
    }

    /// A promise was rejected, or somebody has caught one that was.
    pub(super) fn track<'js>(&self, ctx: &Ctx<'js>, promise: Value<'js>, reason: &Value<'js>, is_handled: bool) {
        let promise = Persistent::save(ctx, promise);
        if is_handled {
            return self.rejections.borrow_mut().retain(|(known, _)| *known != promise);
        }
        let fault = Fault::of_value(ctx, reason, &self.files.borrow());
        self.rejections.borrow_mut().push((promise, fault));
    }

    /// The first rejection that nobody caught; all are forgotten.
    pub(super) fn rejection(&self) -> Option<Fault> {
        let rejection = self.rejections.take().into_iter().next();
        rejection.map(|(_, fault)| fault.within("a promise was rejected"))
    }
}
