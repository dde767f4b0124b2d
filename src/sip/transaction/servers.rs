//! Server transactions: RFC 3261 section 17.2 carried out.

use std::net::IpAddr;
use std::time::Duration;

use bytes::Bytes;

use super::machine::{Action, server, server_invite};
use super::timer::{ServerId, Timer, TimerName};
use super::{Key, Received, Reply, Transactions};
use crate::sip::flow::Flow;
use crate::sip::message::{HeaderName as H, Headers, Method, Response, StatusCode, Via};
use crate::types::{Now, relax};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Machine {
    Invite(server_invite::State),
    Other(server::State),
}

/// A peer's request and how it was answered.
///
/// Thousands that only absorb retransmissions are alive at once: what only an open one needs is let go with its final
/// response.
pub(super) struct ServerTransaction<S> {
    flow: Flow,
    /// What the user left with it, if anything.
    user: Option<S>,
    machine: Machine,
    interval: Duration,
    /// What every response begins with: Via, From, To, Call-ID, CSeq, Record-Route. Empty after the final response.
    template: Headers,
    /// Whether To still lacks our tag.
    untagged: bool,
    response: Option<Bytes>,
    key: Key,
    merged: Option<Key>,
    /// Counted as pending against this source until the final response.
    pending: Option<IpAddr>,
}

/// What came of a request that belongs to a transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Absorbed {
    /// It was a retransmission.
    Yes,
    /// It was an ACK of a 2xx that its sender numbered like the INVITE.
    PassUp,
}

impl<C: Clone + Default, S: Copy> Transactions<C, S> {
    /// Begins a transaction for a new request. `merged`: the key by which it is recognised when it comes by another
    /// way.
    pub fn open(&mut self, received: &Received, key: Key, merged: Option<Key>) -> ServerId {
        self.last_server += 1;
        let id = ServerId(self.last_server);
        let request = &received.request;
        let mut template = Headers::new();
        template.copy_all(&H::Via, &request.headers);
        template.copy_all(&H::From, &request.headers);
        template.copy_all(&H::To, &request.headers);
        template.copy_all(&H::CallId, &request.headers);
        template.copy_all(&H::CSeq, &request.headers);
        let machine = if request.method == Method::Invite {
            template.copy_all(&H::Timestamp, &request.headers);
            template.copy_all(&H::RecordRoute, &request.headers);
            Machine::Invite(server_invite::State::Proceeding)
        } else {
            Machine::Other(server::State::Trying)
        };
        if let Some(merged) = merged {
            self.merges.insert(merged, id);
        }
        self.server_keys.insert(key, id);
        let source = received.flow.peer();
        *self.pending.entry(source).or_default() += 1;
        let transaction = ServerTransaction {
            flow: received.response_flow(),
            user: None,
            machine,
            interval: self.config.timing.t1,
            template,
            untagged: received.to_tag.is_none(),
            response: None,
            key,
            merged,
            pending: Some(source),
        };
        self.servers.insert(id, Box::new(transaction));
        id
    }

    /// Leaves a value with a request of a peer's.
    pub fn set_server_user(&mut self, tx: ServerId, user: S) {
        if let Some(transaction) = self.servers.get_mut(&tx) {
            transaction.user = Some(user);
        }
    }

    /// What was left with it.
    pub fn server_user(&self, tx: ServerId) -> Option<S> {
        self.servers.get(&tx).and_then(|transaction| transaction.user)
    }

    /// The transaction a request belongs to, as if it were of `method`.
    pub fn key(&self, received: &Received, method: &Method) -> Key {
        received.key(&self.keys, method)
    }

    /// The same for a request of which no more was read than the top Via; `None` where that does not name it.
    pub fn key_by_branch(&self, via: &Via, method: &Method) -> Option<Key> {
        self.keys.by_branch(via, method)
    }

    /// The key by which the same request is recognised that comes by another way.
    pub fn merged_key(&self, received: &Received) -> Key {
        received.merged(&self.keys)
    }

    /// The transaction with this key.
    pub fn find(&self, key: &Key) -> Option<ServerId> {
        self.server_keys.get(key).copied()
    }

    /// Whether a request with this key has come before, by another way.
    pub fn is_merged(&self, key: &Key) -> bool {
        self.merges.contains_key(key)
    }

    /// Sends 100 if nothing else has been sent by then.
    pub fn try_after(&mut self, now: Now, tx: ServerId, after: Duration) {
        self.set_timer(now, Timer::Trying(tx), after);
    }

    /// Gives the To of the responses to come our tag, unless it has one.
    pub fn tag(&mut self, id: ServerId, tag: &str) {
        let Some(transaction) = self.servers.get_mut(&id).filter(|transaction| transaction.untagged) else { return };
        transaction.untagged = false;
        if let Some(to) = transaction.template.get(&H::To) {
            let mut tagged = to.to_vec();
            tagged.extend_from_slice(b";tag=");
            tagged.extend_from_slice(tag.as_bytes());
            transaction.template.set(H::To, tagged);
        }
    }

    /// Answers. What its machine has no room for (a second final response) is left out.
    pub fn respond(&mut self, now: Now, id: ServerId, reply: Reply) {
        let Some(transaction) = self.servers.get(&id).filter(|transaction| !transaction.has_final()) else { return };
        if transaction.untagged && reply.status != StatusCode::TRYING {
            let tag = self.new_tag().to_string();
            self.tag(id, &tag);
        }
        let Some(transaction) = self.servers.get_mut(&id) else { return };
        let mut response = Response::new(reply.status);
        response.headers = if reply.status.is_provisional() {
            transaction.template.clone()
        } else {
            std::mem::take(&mut transaction.template)
        };
        if reply.status != StatusCode::TRYING {
            response.headers.remove(&H::Timestamp);
        }
        if reply.status.0 >= 300 || reply.status == StatusCode::TRYING {
            response.headers.remove(&H::RecordRoute);
        }
        response.headers.extend(&reply.headers);
        response.body = reply.body;
        if reply.status != StatusCode::TRYING {
            self.add_identity(&mut response.headers, H::Server);
        }
        let bytes = response.to_bytes();
        let event = match reply.status {
            status if status.is_provisional() => Event::Provisional,
            status if status.is_success() => Event::Success,
            _ => Event::Failure,
        };
        self.send_response(now, id, bytes, event);
    }

    fn send_response(&mut self, now: Now, id: ServerId, bytes: Bytes, event: Event) {
        let Some(transaction) = self.servers.get_mut(&id) else { return };
        transaction.response = Some(bytes);
        self.timers.clear(Timer::Trying(id));
        self.drive_server(now, id, event);
    }

    /// Sends the latest response once more.
    pub fn respond_again(&mut self, id: ServerId) {
        let Some(transaction) = self.servers.get(&id) else { return };
        if let Some(bytes) = transaction.response.clone() {
            let flow = transaction.flow;
            self.totals.retransmitted += 1;
            self.transmit(flow, bytes);
        }
    }

    /// The 2xx was acknowledged: its bytes are no longer needed.
    pub fn forget_response(&mut self, id: ServerId) {
        if let Some(transaction) = self.servers.get_mut(&id) {
            transaction.response = None;
        }
    }

    /// Whether no final response has gone out.
    pub fn is_pending(&self, id: ServerId) -> bool {
        self.servers.get(&id).is_some_and(|transaction| !transaction.has_final())
    }

    /// The connection is gone: responses go to where a new one can be opened.
    pub fn redirect(&mut self, id: ServerId, flow: Flow) {
        if let Some(transaction) = self.servers.get_mut(&id) {
            transaction.flow = flow;
        }
    }

    /// Gives a request that belongs to a transaction to it; `None` if there is none.
    pub fn absorb(&mut self, now: Now, key: &Key, method: &Method) -> Option<(ServerId, Absorbed)> {
        let id = *self.server_keys.get(key)?;
        let transaction = self.servers.get(&id)?;
        let event = if *method == Method::Ack { Event::Ack } else { Event::Request };
        if event == Event::Request && transaction.response.is_some() {
            self.totals.retransmitted += 1;
        }
        let pass_up = self.drive_server(now, id, event);
        Some((id, if pass_up { Absorbed::PassUp } else { Absorbed::Yes }))
    }

    pub(super) fn server_timer(&mut self, now: Now, id: ServerId, timer: TimerName) {
        self.drive_server(now, id, Event::Timer(timer));
    }

    /// Forgets the transactions whose timer J or L has fired.
    pub(super) fn forget_retained(&mut self, now: Now) {
        while let Some(id) = self.retention.pop_due(now.instant) {
            let Some(transaction) = self.servers.get(&id) else { continue };
            let timer = if transaction.is_invite() { TimerName::L } else { TimerName::J };
            self.drive_server(now, id, Event::Timer(timer));
        }
    }

    fn drive_server(&mut self, now: Now, id: ServerId, event: Event) -> bool {
        let Some(transaction) = self.servers.get_mut(&id) else { return false };
        let reliable = transaction.flow.transport.is_reliable();
        let actions = transaction.step(event);
        if transaction.has_final()
            && let Some(source) = transaction.pending.take()
        {
            self.release_pending(source);
        }
        let mut pass_up = false;
        for action in actions {
            let Some(transaction) = self.servers.get_mut(&id) else { break };
            match *action {
                Action::Send => {
                    if let Some(bytes) = transaction.response.clone() {
                        let flow = transaction.flow;
                        self.transmit(flow, bytes);
                    }
                }
                Action::PassUp => pass_up = true,
                Action::Stop(timer) => {
                    self.timers.clear(Timer::Server(id, timer));
                }
                Action::Again(timer) | Action::AtT2(timer) => {
                    transaction.interval = self.config.timing.next(timer, transaction.interval);
                    let interval = transaction.interval;
                    self.totals.retransmitted += 1;
                    self.set_timer(now, Timer::Server(id, timer), interval);
                }
                Action::Start(timer) => match self.config.timing.first(timer, reliable) {
                    None => {}
                    Some(Duration::ZERO) => {
                        transaction.step(Event::Timer(timer));
                    }
                    Some(after) if matches!(timer, TimerName::J | TimerName::L) => {
                        if let Some(at) = now.instant.checked_add(after) {
                            self.retention.keep(id, at);
                        }
                    }
                    Some(after) => self.set_timer(now, Timer::Server(id, timer), after),
                },
                // Nobody waits for these: an unacknowledged failure is over, a lost transport shows in the call.
                Action::Ack | Action::ReportTimeout | Action::ReportTransportError => {}
            }
        }
        if self.servers.get(&id).is_some_and(|transaction| transaction.is_terminated()) {
            self.forget_server(id);
        }
        pass_up
    }

    fn forget_server(&mut self, id: ServerId) {
        let Some(transaction) = self.servers.remove(&id) else { return };
        relax(&mut self.servers);
        self.server_keys.remove(&transaction.key);
        relax(&mut self.server_keys);
        if let Some(merged) = &transaction.merged
            && self.merges.get(merged) == Some(&id)
        {
            self.merges.remove(merged);
            relax(&mut self.merges);
        }
        if let Some(source) = transaction.pending {
            self.release_pending(source);
        }
        self.timers.clear(Timer::Trying(id));
        if transaction.is_invite() {
            self.timers.clear(Timer::Server(id, TimerName::G));
        }
    }

    fn release_pending(&mut self, source: IpAddr) {
        if let Some(count) = self.pending.get_mut(&source) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                self.pending.remove(&source);
            }
        }
    }
}

/// Something a machine has to be told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Event {
    Request,
    Ack,
    Provisional,
    Success,
    Failure,
    Timer(TimerName),
}

impl<S> ServerTransaction<S> {
    fn step(&mut self, event: Event) -> &'static [Action] {
        match &mut self.machine {
            Machine::Invite(state) => {
                let event = match event {
                    Event::Request => server_invite::Event::Invite,
                    Event::Ack => server_invite::Event::Ack,
                    Event::Provisional => server_invite::Event::SendProvisional,
                    Event::Success => server_invite::Event::SendSuccess,
                    Event::Failure => server_invite::Event::SendFailure,
                    Event::Timer(timer) => server_invite::Event::Timer(timer),
                };
                let (next, actions) = server_invite::step(*state, event);
                *state = next;
                actions
            }
            Machine::Other(state) => {
                let event = match event {
                    Event::Request | Event::Ack => server::Event::Request,
                    Event::Provisional => server::Event::SendProvisional,
                    Event::Success | Event::Failure => server::Event::SendFinal,
                    Event::Timer(timer) => server::Event::Timer(timer),
                };
                let (next, actions) = server::step(*state, event);
                *state = next;
                actions
            }
        }
    }

    const fn is_invite(&self) -> bool {
        matches!(self.machine, Machine::Invite(_))
    }

    fn has_final(&self) -> bool {
        !matches!(
            self.machine,
            Machine::Invite(server_invite::State::Proceeding)
                | Machine::Other(server::State::Trying | server::State::Proceeding)
        )
    }

    fn is_terminated(&self) -> bool {
        matches!(
            self.machine,
            Machine::Invite(server_invite::State::Terminated) | Machine::Other(server::State::Terminated)
        )
    }
}
