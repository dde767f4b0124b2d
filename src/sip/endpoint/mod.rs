//! The SIP element: transport-independent, sans-IO.
//!
//! Drive it with [`Endpoint::handle_input`] and [`Endpoint::handle_timeout`], and after each drain
//! [`Endpoint::poll_output`]; [`Endpoint::poll_timeout`] says when it wants to be woken. Calls in:
//! `Event::Incoming` → [`provisional`](Endpoint::provisional)* → [`accept`](Endpoint::accept) or
//! [`reject`](Endpoint::reject). Calls out: [`invite`](Endpoint::invite) → `Event::Progress`* → `Event::Answered`
//! (→ [`acknowledge`](Endpoint::acknowledge)). Inside a call: [`reinvite`](Endpoint::reinvite),
//! [`update`](Endpoint::update), [`answer_offer`](Endpoint::answer_offer), [`info`](Endpoint::info),
//! [`refer`](Endpoint::refer), [`answer_refer`](Endpoint::answer_refer), [`hangup`](Endpoint::hangup). Registrations:
//! [`register`](Endpoint::register), [`unregister`](Endpoint::unregister). Asking whether a peer is there:
//! [`ping`](Endpoint::ping).
//!
//! What comes in is matched in this order: ACK against dialogs, then transactions; every other request against
//! transactions (a repeated re-INVITE must not reach its dialog twice), then dialogs, and only what carries no To tag
//! is new and put before the [`Policy`]. A request with the To tag of no dialog is answered 481, never taken for new.

pub(crate) mod body;
pub(crate) mod calls;
pub(crate) mod clients;
pub(crate) mod config;
pub(crate) mod core;
mod event;
mod flow;
mod ping;
pub(crate) mod receive;
mod replacing;
mod request;
mod responses;
pub(crate) mod retention;
pub(crate) mod servers;
pub(crate) mod timer;

use std::collections::{BTreeSet, HashMap};
use std::time::Instant;

use self::core::Core;
use super::dialog::{DialogSnapshot, Tag};
use super::invite::Usage;
use super::message::{Request, StatusCode};
use super::registration::Registration;
use crate::types::{Addresses, IdMap, Now, relax};
use timer::Timer;

pub use super::auth::{Challenge, Credentials};
pub use config::{EndpointConfig, Limits, ReliableProvisional, Terms};
pub use event::{
    Body, EndedBy, Event, Input, InviteId, Output, PingId, Referral, RegistrationId, TraceDirection, TraceLine,
};
pub use flow::Flow;
pub use request::{OutgoingInvite, RegistrationConfig};

/// Who may reach us. Asked once for each new request outside any dialog or transaction, before anything is answered.
pub trait Policy {
    /// What to do with `request`, which came by `flow`. Also asked for requests that could only be read in part.
    fn admit(&mut self, request: &Request, flow: &Flow) -> Admission;
}

/// What a [`Policy`] says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Admission {
    /// Go on.
    Accept(Admitted),
    /// Silence, as scanners deserve.
    Drop,
    /// Answer with this status.
    Reject(StatusCode),
    /// Ask for a password: 401 with these, without remembering anything (RFC 3261 section 8.2.7).
    Challenge(Vec<Challenge>),
}

/// Who a peer is, as its [`Policy`] calls it. The endpoint hands it back with [`Event::Incoming`] and knows nothing of it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PeerId(pub u64);

/// What a [`Policy`] knows of a peer whose request goes on: decided once, so that nobody need ask again.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Admitted {
    /// Who it is.
    pub peer: PeerId,
    /// What holds for its calls. `None`: what the configuration says.
    pub terms: Option<Terms>,
}

/// Why a method of the endpoint did nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum EndpointError {
    /// The id is gone or never was.
    #[error("no such call")]
    NoSuchCall,
    /// The call is not in a state where this can be done now.
    #[error("not possible in the call's present state")]
    WrongState,
    /// A limit of [`Limits`] is reached.
    #[error("too many calls or transactions")]
    LimitReached,
}

/// How much an endpoint holds, and what it has seen.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize)]
pub struct Counts {
    /// Calls, those being hung up included.
    pub calls: usize,
    /// Transactions we started, those that only absorb retransmissions included.
    pub client_transactions: usize,
    /// Transactions peers started, likewise.
    pub server_transactions: usize,
    /// Registrations.
    pub registrations: usize,
    /// Deadlines set.
    pub timers: usize,
    /// Since the start: messages received.
    pub received: u64,
    /// Since the start: messages sent, retransmissions included.
    pub sent: u64,
    /// Since the start: messages sent again because a timer or a repeated request asked for it.
    pub retransmitted: u64,
    /// Since the start: messages that could not be read.
    pub malformed: u64,
    /// Since the start: responses that belong to nothing.
    pub stray_responses: u64,
    /// Since the start: ACKs that belong to nothing.
    pub stray_acks: u64,
    /// Since the start: requests the policy dropped or rejected.
    pub refused: u64,
    /// Since the start: requests that a limit kept out.
    pub limited: u64,
}

/// The SIP element; see the module's text.
pub struct Endpoint {
    pub(crate) core: Core,
    usages: IdMap<InviteId, Usage>,
    /// Calls by our tag: each has one, forked or not.
    tags: HashMap<Tag, InviteId>,
    /// Calls by the connection they came over.
    connections: HashMap<u64, BTreeSet<InviteId>>,
    pub(crate) registrations: HashMap<RegistrationId, Registration>,
}

impl Endpoint {
    /// An endpoint with nothing to do. The same seed and the same inputs give the same outputs.
    #[must_use]
    pub fn new(config: EndpointConfig, seed: u64) -> Self {
        Self {
            core: Core::new(config, seed),
            usages: IdMap::default(),
            tags: HashMap::new(),
            connections: HashMap::new(),
            registrations: HashMap::new(),
        }
    }

    /// Which address peers are to use to reach us, for Via and Contact. Default: the one their messages come to.
    pub fn set_addresses(&mut self, addresses: Addresses) {
        self.core.addresses = addresses;
    }

    /// Takes what came from the network.
    pub fn handle_input(&mut self, now: Now, input: Input, policy: &mut dyn Policy) {
        match input {
            Input::Message { flow, bytes } => self.on_message(now, flow, &bytes, policy),
            Input::FlowClosed { flow } => self.on_flow_closed(now, &flow),
            Input::FlowIdentified { .. } | Input::TlsOpened { .. } | Input::TlsFailed { .. } => {}
            Input::SendFailed { flow } => self.on_send_failed(now, &flow),
        }
    }

    /// What is to be done next, in order.
    pub fn poll_output(&mut self) -> Option<Output> {
        self.core.outputs.pop_front()
    }

    /// When to call [`Endpoint::handle_timeout`] next.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Instant> {
        self.core.next_deadline()
    }

    /// Does what is due at `now`; [`Endpoint::poll_timeout`] is later than `now` afterwards.
    pub fn handle_timeout(&mut self, now: Now) {
        self.core.forget_retained(now);
        while let Some(timer) = self.core.timers.pop_due(now.instant) {
            match timer {
                Timer::Client(tx, name) => {
                    if let Some((owner, method, failure)) = self.core.client_timer(now, tx, name) {
                        self.on_failure(now, tx, owner, &method, failure);
                    }
                }
                Timer::Stalled(tx) => {
                    if let Some((owner, method, failure)) = self.core.stalled(tx) {
                        self.on_failure(now, tx, owner, &method, failure);
                    }
                }
                Timer::Cancelled(tx) => self.core.forget_client(tx),
                Timer::Server(tx, name) => self.core.server_timer(now, tx, name),
                Timer::Trying(tx) => {
                    self.core.respond(now, tx, servers::Reply::new(StatusCode::TRYING));
                }
                Timer::Invite(id, timer) => {
                    self.with_usage(id, |usage, core| usage.on_timer(core, now, timer));
                }
                Timer::Registration(id) => self.on_registration_timer(now, id),
            }
        }
    }

    /// Whether nothing is left: no transaction, call, registration or timer.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        let Counts { calls, client_transactions, server_transactions, registrations, timers, .. } = self.counts();
        calls + client_transactions + server_transactions + registrations + timers == 0
            && self.tags.is_empty()
            && self.connections.is_empty()
            && self.core.waiting.is_empty()
            && self.core.server_keys.is_empty()
            && self.core.merges.is_empty()
            && self.core.pending.is_empty()
    }

    /// How much is held, and what has been seen.
    #[must_use]
    pub fn counts(&self) -> Counts {
        Counts {
            calls: self.usages.len(),
            client_transactions: self.core.clients.len(),
            server_transactions: self.core.servers.len(),
            registrations: self.registrations.len(),
            timers: self.core.timers.len() + self.core.retention.len(),
            ..self.core.totals
        }
    }

    /// The call's dialog as plain data; of a forked call that is not answered, the first one.
    #[must_use]
    pub fn snapshot(&self, id: InviteId) -> Option<DialogSnapshot> {
        self.usages.get(&id)?.snapshot()
    }

    /// Does something with a call and forgets the call when it is gone.
    pub(crate) fn with_usage<T>(&mut self, id: InviteId, act: impl FnOnce(&mut Usage, &mut Core) -> T) -> Option<T> {
        let usage = self.usages.get_mut(&id)?;
        let result = act(usage, &mut self.core);
        if usage.is_gone()
            && let Some(usage) = self.usages.remove(&id)
        {
            relax(&mut self.usages);
            usage.clear_timers(&mut self.core);
            self.tags.remove(&usage.local_tag);
            relax(&mut self.tags);
            self.unlist(id, usage.connection);
        }
        Some(result)
    }

    fn add_usage(&mut self, mut usage: Usage, flow: &Flow) {
        let id = usage.id;
        usage.connection = flow.connection;
        if let Some(connection) = flow.connection {
            self.connections.entry(connection).or_default().insert(id);
        }
        self.tags.insert(usage.local_tag, id);
        self.usages.insert(id, usage);
    }

    /// Notes that the call's peer speaks to us over another connection now.
    fn relist(&mut self, id: InviteId, flow: &Flow) {
        let Some(connection) = flow.connection else { return };
        let Some(usage) = self.usages.get_mut(&id) else { return };
        let before = usage.connection.replace(connection);
        if before != Some(connection) {
            self.unlist(id, before);
            self.connections.entry(connection).or_default().insert(id);
        }
    }

    fn unlist(&mut self, id: InviteId, connection: Option<u64>) {
        let Some(connection) = connection else { return };
        if let Some(calls) = self.connections.get_mut(&connection) {
            calls.remove(&id);
            if calls.is_empty() {
                self.connections.remove(&connection);
            }
        }
    }
}

#[cfg(test)]
mod tests;
