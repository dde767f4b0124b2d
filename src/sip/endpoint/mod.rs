//! The SIP element: transport-independent, sans-IO.
//!
//! Drive it with [`Endpoint::handle_input`] and [`Endpoint::handle_timeout`], and after each drain
//! [`Endpoint::poll_output`]; [`Endpoint::poll_timeout`] says when it wants to be woken. Calls in:
//! `Event::Incoming` → [`provisional`](Endpoint::provisional)* → [`accept`](Endpoint::accept) or
//! [`reject`](Endpoint::reject). Calls out: [`invite`](Endpoint::invite) → `Event::Progress`* → `Event::Answered`
//! (→ [`acknowledge`](Endpoint::acknowledge)). Inside a call: [`reinvite`](Endpoint::reinvite),
//! [`update`](Endpoint::update), [`answer_offer`](Endpoint::answer_offer), [`info`](Endpoint::info),
//! [`message`](Endpoint::message),
//! [`refer`](Endpoint::refer), [`answer_refer`](Endpoint::answer_refer), [`hangup`](Endpoint::hangup). Registrations:
//! [`register`](Endpoint::register), [`unregister`](Endpoint::unregister); those of peers at us: `Event::Registering` →
//! [`respond`](Endpoint::respond). Messages outside of calls: `Event::Messaged` → [`respond`](Endpoint::respond), and
//! [`send_message`](Endpoint::send_message) → `Event::MessageAnswered`. Asking whether a peer is there:
//! [`ping`](Endpoint::ping).
//!
//! Where more comes in than can be answered, [`refuse_late`](Endpoint::refuse_late) refuses an INVITE at the lowest
//! cost.
//!
//! What comes in is matched in this order: ACK against dialogs, then transactions; every other request against
//! transactions (a repeated re-INVITE must not reach its dialog twice), then dialogs, and only what carries no To tag
//! is new and put before the [`Policy`]. A request with the To tag of no dialog is answered 481, never taken for new.

mod calls;
mod message;
mod ping;
mod receive;
mod registrations;
mod replacing;
mod responses;
mod stateless;

use std::collections::{BTreeSet, HashMap};
use std::time::Instant;

use super::core::{Core, Timer};
use super::dialog::DialogSnapshot;
use super::invite::Usage;
use super::message::{Request, StatusCode, Tag};
use super::registration::Registrations;
use super::transaction::is_stateless_tag;
use crate::types::{Addresses, IdMap, Now, Seed, relax};

pub use super::auth::{Challenge, Credentials};
pub use super::core::{
    EndedBy, EndpointConfig, EndpointError, Event, Input, InviteId, Limits, MessageId, OutgoingInvite, Output, PeerId,
    PingId, Referral, RegistrationConfig, RegistrationId, ReliableProvisional, RequestId, Terms,
};
pub use super::flow::Flow;
pub use super::message::Body;
pub use super::transaction::{TraceDirection, TraceLine};
pub use message::OutgoingMessage;

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

/// What a [`Policy`] knows of a peer whose request goes on: decided once, so that nobody need ask again.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Admitted {
    /// Who it is.
    pub peer: PeerId,
    /// What holds for its calls. `None`: what the configuration says.
    pub terms: Option<Terms>,
    /// Its REGISTERs are served: they come as [`Event::Registering`].
    pub may_register: bool,
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
    core: Core,
    usages: IdMap<InviteId, Usage>,
    /// Calls by our tag: each has one, forked or not.
    tags: HashMap<Tag, InviteId>,
    /// Calls by the connection they came over.
    connections: HashMap<u64, BTreeSet<InviteId>>,
    registrations: Registrations,
    /// What has been seen since the start; the other numbers are counted when they are asked for.
    totals: Counts,
}

impl Endpoint {
    /// An endpoint with nothing to do. The same seed and the same inputs give the same outputs.
    #[must_use]
    pub fn new(config: EndpointConfig, seed: Seed) -> Self {
        Self {
            core: Core::new(config, seed),
            usages: IdMap::default(),
            tags: HashMap::new(),
            connections: HashMap::new(),
            registrations: Registrations::default(),
            totals: Counts::default(),
        }
    }

    /// Which address peers are to use to reach us, for Via and Contact. Default: the one their messages come to.
    pub fn set_addresses(&mut self, addresses: Addresses) {
        self.core.transactions.set_addresses(addresses);
    }

    /// Whether messages are reported from now on, as [`EndpointConfig::trace`] said at the start.
    pub fn set_trace(&mut self, on: bool) {
        self.core.transactions.set_trace(on);
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
        self.core.poll_output()
    }

    /// When to call [`Endpoint::handle_timeout`] next.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Instant> {
        self.core.next_deadline()
    }

    /// Does what is due at `now`; [`Endpoint::poll_timeout`] is later than `now` afterwards.
    pub fn handle_timeout(&mut self, now: Now) {
        while let Some(failed) = self.core.transactions.handle_timeout(now) {
            self.on_failure(now, failed);
        }
        while let Some(timer) = self.core.timers.pop_due(now.instant) {
            match timer {
                Timer::Invite(id, timer) => {
                    self.with_usage(id, |usage, core| usage.on_timer(core, now, timer));
                }
                Timer::Registration(id) => self.registrations.on_timer(&mut self.core, now, id),
            }
        }
    }

    /// Whether nothing is left: no transaction, call, registration or timer.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        self.usages.is_empty()
            && self.registrations.is_empty()
            && self.core.timers.is_empty()
            && self.tags.is_empty()
            && self.connections.is_empty()
            && self.core.transactions.is_idle()
    }

    /// How much is held, and what has been seen.
    #[must_use]
    pub fn counts(&self) -> Counts {
        let transactions = &self.core.transactions;
        let seen = transactions.totals();
        Counts {
            calls: self.usages.len(),
            client_transactions: transactions.client_count(),
            server_transactions: transactions.server_count(),
            registrations: self.registrations.len(),
            timers: self.core.timers.len() + transactions.timer_count(),
            sent: seen.sent,
            retransmitted: seen.retransmitted,
            ..self.totals
        }
    }

    /// Whether a tag is one of ours, so that what bears it in To belongs to a call.
    #[must_use]
    pub fn is_of_call(&self, tag: &str) -> bool {
        Tag::parse(tag).is_some_and(|tag| self.tags.contains_key(&tag))
    }

    /// Whether a tag is of an answer without a transaction: the ACK that bears it in To is over with its arrival.
    #[must_use]
    pub fn is_stateless_tag(tag: &str) -> bool {
        is_stateless_tag(tag)
    }

    /// Whether a request of ours waits for a response by this flow.
    #[must_use]
    pub fn is_awaited(&self, flow: &Flow) -> bool {
        self.core.transactions.is_awaited(flow)
    }

    /// The call's dialog as plain data; of a forked call that is not answered, the first one.
    #[must_use]
    pub fn snapshot(&self, id: InviteId) -> Option<DialogSnapshot> {
        self.usages.get(&id)?.snapshot()
    }

    /// Does something with a call and forgets the call when it is gone.
    fn with_usage<T>(&mut self, id: InviteId, act: impl FnOnce(&mut Usage, &mut Core) -> T) -> Option<T> {
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
