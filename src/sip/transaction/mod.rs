//! Transactions (RFC 3261 section 17 with RFC 6026): the layer under calls and registrations.
//!
//! [`Transactions`] takes requests to be sent ([`start`](Transactions::start), [`cancel`](Transactions::cancel)) and
//! hands responses on ([`matching`](Transactions::matching), [`receive_response`](Transactions::receive_response)); it
//! takes requests that came ([`absorb`](Transactions::absorb) for those it knows, [`open`](Transactions::open) for new
//! ones) and sends what they are answered with ([`respond`](Transactions::respond)). Retransmission either way, timers,
//! TCP in the place of UDP and what is remembered of finished transactions are its own business. It knows nothing of
//! what is above: its users leave a value with each of their transactions, and get it back with what becomes of it.
//!
//! The files: `machine` has the RFC's four tables; `clients` and `servers` carry them out; `matching` finds the request
//! a response belongs to, `cancelling` gives an INVITE up, `large` chooses between TCP and UDP, `stateless` answers
//! what gets no transaction; `retention` remembers the finished ones, `turned_away` the INVITEs that had none.

mod cancelling;
mod client;
mod clients;
mod key;
mod large;
mod machine;
mod matching;
mod received;
mod reply;
mod retention;
mod servers;
mod stateless;
mod timer;
mod trace;
mod turned_away;

pub(crate) use client::{ClientTransaction, Failed, Failure};
pub(crate) use key::{Key, is_stateless_tag};
pub(crate) use received::Received;
pub(crate) use reply::Reply;
pub(crate) use servers::Absorbed;
pub(crate) use timer::{ClientId, ServerId};
pub use timer::{TimerName, Timing};
pub(crate) use trace::summary;
pub use trace::{TraceDirection, TraceLine};

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

use bytes::Bytes;
use rand::{Rng, rngs::StdRng};

use super::flow::Flow;
use super::message::{HeaderName as H, Headers, Message, StatusCode, Tag};
use crate::types::{Addresses, Deadlines, IdMap, Now, Seed};
use key::Keys;
use retention::Retention;
use servers::ServerTransaction;
use timer::Timer;
use turned_away::TurnedAway;

/// What the layer is told when it is made.
#[derive(Debug, Clone)]
pub(crate) struct Config {
    /// Value of User-Agent and Server; empty: neither is sent.
    pub identity: Bytes,
    /// T1, T2 and T4.
    pub timing: Timing,
    /// How long an INVITE of ours may ring.
    pub ring_timeout: Duration,
    /// Requests of more bytes than this go by TCP where that can be had.
    pub datagram_limit: usize,
    /// Whether each message is also reported as [`Output::Trace`].
    pub trace: bool,
    /// Transactions of both kinds beyond which no peer opens another.
    pub most: usize,
    /// Requests of one source address that may wait for our final response.
    pub pending_per_source: u32,
}

/// What the layer wants done.
#[derive(Debug)]
pub(crate) enum Output {
    /// Send these bytes; see [`Output::Transmit`](crate::sip::Output::Transmit).
    Transmit { flow: Flow, bytes: Bytes, hurried: bool },
    /// One message for the ladder.
    Trace(TraceLine),
}

/// How much the layer has seen since the start.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Totals {
    /// Messages sent, retransmissions included.
    pub sent: u64,
    /// Messages sent again because a timer or a repeated request asked for it.
    pub retransmitted: u64,
}

/// All transactions of an endpoint. `C` is what the user leaves with those it starts, `S` with those that peers start.
///
/// After each call [`poll_output`](Self::poll_output) until it is `None`; at [`poll_timeout`](Self::poll_timeout) call
/// [`handle_timeout`](Self::handle_timeout) until it is `None`.
pub(crate) struct Transactions<C, S> {
    config: Config,
    rng: StdRng,
    timers: Deadlines<Timer>,
    outputs: VecDeque<Output>,
    totals: Totals,
    addresses: Addresses,
    clients: IdMap<ClientId, Box<ClientTransaction<C>>>,
    /// Unfinished client transactions by the flow they wait on (its identity).
    waiting: HashMap<Flow, BTreeSet<ClientId>>,
    /// Peers that refused TCP, and until when they are not asked again.
    no_tcp: HashMap<SocketAddr, Instant>,
    keys: Keys,
    servers: IdMap<ServerId, Box<ServerTransaction<S>>>,
    server_keys: IdMap<Key, ServerId>,
    merges: IdMap<Key, ServerId>,
    retention: Retention,
    /// Requests without a final response, by source.
    pending: HashMap<IpAddr, u32>,
    turned_away: TurnedAway,
    last_server: u64,
}

impl<C: Clone + Default, S: Copy> Transactions<C, S> {
    pub fn new(config: Config, seed: Seed) -> Self {
        let mut rng = seed.generator();
        Self {
            config,
            // A stream of its own: what is drawn for messages tells nothing of the keys' secret.
            keys: Keys::new(&mut Seed::drawn(&mut rng).generator()),
            rng,
            timers: Deadlines::default(),
            outputs: VecDeque::new(),
            totals: Totals::default(),
            addresses: Addresses::default(),
            clients: IdMap::default(),
            waiting: HashMap::new(),
            no_tcp: HashMap::new(),
            servers: IdMap::default(),
            server_keys: IdMap::default(),
            merges: IdMap::default(),
            retention: Retention::default(),
            pending: HashMap::new(),
            turned_away: TurnedAway::default(),
            last_server: 0,
        }
    }

    /// Which address peers are to use to reach us.
    pub fn set_addresses(&mut self, addresses: Addresses) {
        self.addresses = addresses;
    }

    /// The address `flow`'s peer is to use for its socket.
    pub fn public_address(&self, flow: &Flow) -> SocketAddr {
        SocketAddr::new(self.addresses.towards(flow.remote.ip(), flow.local.ip()), flow.local.port())
    }

    /// What is to be sent next.
    pub fn poll_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// When to call [`Self::handle_timeout`] next.
    pub fn poll_timeout(&self) -> Option<Instant> {
        [self.timers.next(), self.retention.next()].into_iter().flatten().min()
    }

    /// Does what is due, as far as to the first request of ours that comes to nothing; `None`: nothing more is due.
    pub fn handle_timeout(&mut self, now: Now) -> Option<Failed<C>> {
        self.forget_retained(now);
        while let Some(timer) = self.timers.pop_due(now.instant) {
            let failed = match timer {
                Timer::Client(tx, name) => self.client_timer(now, tx, name),
                Timer::Stalled(tx) => self.stalled(tx),
                Timer::Cancelled(tx) => {
                    self.forget_client(tx);
                    None
                }
                Timer::Server(tx, name) => {
                    self.server_timer(now, tx, name);
                    None
                }
                Timer::Trying(tx) => {
                    self.respond(now, tx, Reply::new(StatusCode::TRYING));
                    None
                }
            };
            if failed.is_some() {
                return failed;
            }
        }
        None
    }

    /// Whether nothing is left, not even in the tables beside the transactions.
    pub fn is_idle(&self) -> bool {
        self.client_count() + self.server_count() + self.timer_count() == 0
            && self.waiting.is_empty()
            && self.server_keys.is_empty()
            && self.merges.is_empty()
            && self.pending.is_empty()
    }

    /// Transactions we started, those that only absorb retransmissions included.
    pub fn client_count(&self) -> usize {
        self.clients.len()
    }

    /// Transactions peers started, likewise.
    pub fn server_count(&self) -> usize {
        self.servers.len()
    }

    /// Deadlines set.
    pub fn timer_count(&self) -> usize {
        self.timers.len() + self.retention.len()
    }

    /// What has been seen since the start.
    pub fn totals(&self) -> Totals {
        self.totals
    }

    /// Whether a request of ours waits for a response by this flow.
    pub fn is_awaited(&self, flow: &Flow) -> bool {
        self.waiting.contains_key(&flow.identity())
    }

    /// Notes that an INVITE was refused without a transaction.
    pub fn note_turned_away(&mut self, now: Now, key: Key) {
        self.turned_away.note(now.instant, key);
    }

    /// Whether the same INVITE was refused like that a moment ago.
    pub fn is_turned_away(&mut self, now: Now, key: &Key) -> bool {
        self.turned_away.contains(now.instant, key)
    }

    /// Whether no further transaction fits.
    pub fn is_full(&self) -> bool {
        self.clients.len() + self.servers.len() >= self.config.most
    }

    /// Whether a peer may open no further transaction now.
    pub fn is_over_limit(&self, peer: IpAddr) -> bool {
        self.is_full() || self.pending.get(&peer).copied().unwrap_or(0) >= self.config.pending_per_source
    }

    /// Whether messages are reported from now on.
    pub fn set_trace(&mut self, on: bool) {
        self.config.trace = on;
    }

    /// Reports a message that came, if messages are reported.
    pub fn trace_received(&mut self, flow: &Flow, message: &Message) {
        if self.config.trace {
            self.outputs.push_back(Output::Trace(TraceLine::new(TraceDirection::In, flow, message)));
        }
    }

    /// Sends bytes that are a whole message.
    fn transmit(&mut self, flow: Flow, bytes: Bytes) {
        self.transmit_as(flow, bytes, false);
    }

    /// The same; `hurried` if there is a datagram that goes in its place.
    fn transmit_as(&mut self, flow: Flow, bytes: Bytes, hurried: bool) {
        self.totals.sent += 1;
        if self.config.trace
            && let Ok(message) = Message::parse(&bytes)
        {
            self.outputs.push_back(Output::Trace(TraceLine::new(TraceDirection::Out, &flow, &message)));
        }
        self.outputs.push_back(Output::Transmit { flow, bytes, hurried });
    }

    /// Sets a timer; never for now, so that `handle_timeout` always comes to an end.
    fn set_timer(&mut self, now: Now, timer: Timer, after: Duration) {
        let after = after.max(Duration::from_millis(1));
        if let Some(at) = now.instant.checked_add(after) {
            self.timers.set(timer, at);
        }
    }

    /// A tag for responses that have none.
    fn new_tag(&mut self) -> Tag {
        Tag(self.rng.random())
    }

    /// Adds what every request and response says about us.
    fn add_identity(&self, headers: &mut Headers, name: H) {
        if !self.config.identity.is_empty() {
            headers.push(name, self.config.identity.clone());
        }
    }
}
