//! Client transactions: RFC 3261 section 17.1 carried out.

use std::net::IpAddr;
use std::time::Duration;

use bytes::Bytes;
use rand::Rng;

use super::core::Core;
use super::timer::{ClientId, Timer};
use super::{Flow, InviteId, PingId, RegistrationId};
use crate::sip::invite::session::Common;
use crate::sip::message::{HeaderName as H, Message, Method, Reason, Request, Response, StatusCode, Text, Transport};
use crate::sip::transaction::{Action, TimerName, client, client_invite};
use crate::types::{Now, relax};

/// How long a peer that refused TCP is not asked again.
const REFUSAL_KEPT: Duration = Duration::from_secs(600);
/// Beyond this many such peers, they are counted anew.
const REFUSALS_KEPT: usize = 1_024;

/// Who wants to hear of a client transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Owner {
    /// A call; the request's method says what for.
    Invite(InviteId),
    /// A registration.
    Registration(RegistrationId),
    /// An OPTIONS of its own.
    Ping(PingId),
    /// Nobody: a CANCEL, the BYE of a stray dialog.
    Nobody,
}

/// Why no response will come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Failure {
    Timeout,
    Transport,
}

impl Failure {
    /// The status RFC 3261 section 8.1.3.1 puts in the place of the missing response.
    pub fn status(self) -> StatusCode {
        match self {
            Self::Timeout => StatusCode::REQUEST_TIMEOUT,
            Self::Transport => StatusCode::SERVICE_UNAVAILABLE,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Machine {
    Invite(client_invite::State),
    Other(client::State),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum CancelState {
    No,
    /// To be sent with the first provisional response.
    Wanted,
    Sent,
}

/// A request of ours and what became of it. The request is kept as bytes only: it is seldom looked at again.
pub(crate) struct ClientTransaction {
    pub method: Method,
    pub flow: Flow,
    pub request: Bytes,
    pub owner: Owner,
    /// The same request by UDP, in case its TCP is refused.
    datagram: Option<Box<(Flow, Bytes)>>,
    machine: Machine,
    interval: Duration,
    cancel: CancelState,
    /// What the CANCEL says, and the BYE after an answer that comes all the same.
    pub cancel_reason: Option<Box<Reason>>,
    /// ACKs to repeat when the final response is repeated, by its To tag. More than one when the INVITE forked.
    acks: Vec<(Text, Flow, Bytes)>,
    /// What answers a challenge where the call is gone that it belonged to.
    pub proof: Option<Box<Common>>,
    /// Where the latest response came from.
    answered_by: Option<IpAddr>,
}

impl ClientTransaction {
    /// Whether both the one it went to and the one who answered are such a peer.
    pub fn is_between(&self, such: impl Fn(IpAddr) -> bool) -> bool {
        such(self.flow.peer()) && self.answered_by.is_none_or(such)
    }

    /// The request, read again.
    pub fn parsed_request(&self) -> Option<Request> {
        match Message::parse(&self.request) {
            Ok(Message::Request(request)) => Some(request),
            _ => None,
        }
    }

    /// How many dialogs were acknowledged.
    pub fn ack_count(&self) -> usize {
        self.acks.len()
    }
}

/// Something a machine has to be outcome.
#[derive(Debug, Clone, Copy)]
enum Event {
    Response(StatusCode),
    Timer(TimerName),
    TransportError,
}

/// What the transaction user has to be told after an event.
#[derive(Debug, Default)]
struct Outcome {
    pass_up: bool,
    failure: Option<Failure>,
}

impl Core {
    /// Sends `request` (complete but for Via and User-Agent) in a transaction of its own.
    pub fn start_client(&mut self, now: Now, mut request: Request, flow: Flow, owner: Owner) -> ClientId {
        let id = ClientId { branch: self.rng.random(), cancel: false };
        request.headers.push_front(H::Via, self.via(&flow, id));
        self.add_identity(&mut request.headers, H::UserAgent);
        let bytes = request.to_bytes();
        if !self.is_too_large(now, &flow, bytes.len()) {
            self.launch(now, id, request.method, bytes, flow, owner, None);
            return id;
        }
        let stream = Flow { transport: Transport::Tcp, connection: None, ..flow };
        request.headers.set(H::Via, self.via(&stream, id));
        let datagram = Some(Box::new((flow, bytes)));
        let bytes = request.to_bytes();
        self.launch(now, id, request.method, bytes, stream, owner, datagram);
        id
    }

    /// Whether a request is too large for a datagram and may go by TCP (RFC 3261 section 18.1.1).
    fn is_too_large(&self, now: Now, flow: &Flow, bytes: usize) -> bool {
        flow.transport == Transport::Udp
            && bytes > self.config.datagram_limit
            && self.no_tcp.get(&flow.remote).is_none_or(|until| *until <= now.instant)
    }

    /// A large request whose TCP was refused goes by UDP after all. Says whether there was such a way left.
    fn send_as_datagram(&mut self, now: Now, id: ClientId) -> bool {
        let Some(transaction) = self.clients.get_mut(&id) else { return false };
        let fresh = matches!(
            transaction.machine,
            Machine::Invite(client_invite::State::Calling) | Machine::Other(client::State::Trying)
        );
        let Some(datagram) = transaction.datagram.take().filter(|_| fresh) else { return false };
        let (flow, request) = *datagram;
        if self.no_tcp.len() >= REFUSALS_KEPT {
            self.no_tcp.clear();
        }
        self.no_tcp.insert(flow.remote, now.instant + REFUSAL_KEPT);
        if transaction.cancel != CancelState::No {
            // Given up meanwhile, and nobody has seen it: there it stays.
            return false;
        }
        transaction.flow = flow;
        transaction.request = request;
        transaction.interval = self.config.timing.t1;
        let start = match transaction.machine {
            Machine::Invite(_) => client_invite::START,
            Machine::Other(_) => client::START,
        };
        self.waiting.entry(flow.identity()).or_default().insert(id);
        self.act(now, id, start, None, &mut Outcome::default());
        true
    }

    /// Sends a request that has no transaction: the ACK of a 2xx. Returns its bytes to repeat.
    pub fn send_ack(&mut self, mut request: Request, flow: Flow) -> Bytes {
        let id = ClientId { branch: self.rng.random(), cancel: false };
        request.headers.push_front(H::Via, self.via(&flow, id));
        let bytes = request.to_bytes();
        self.transmit(flow, bytes.clone());
        bytes
    }

    #[expect(clippy::too_many_arguments, reason = "they are the transaction's parts")]
    fn launch(
        &mut self,
        now: Now,
        id: ClientId,
        method: Method,
        request: Bytes,
        flow: Flow,
        owner: Owner,
        datagram: Option<Box<(Flow, Bytes)>>,
    ) {
        let (machine, start) = match method {
            Method::Invite => (Machine::Invite(client_invite::State::Calling), client_invite::START),
            _ => (Machine::Other(client::State::Trying), client::START),
        };
        let interval = self.config.timing.t1;
        let cancel = CancelState::No;
        let transaction = ClientTransaction {
            method,
            flow,
            request,
            owner,
            datagram,
            machine,
            interval,
            cancel,
            cancel_reason: None,
            acks: Vec::new(),
            proof: None,
            answered_by: None,
        };
        self.clients.insert(id, Box::new(transaction));
        self.waiting.entry(flow.identity()).or_default().insert(id);
        self.act(now, id, start, None, &mut Outcome::default());
    }

    /// The response's transaction, once it has taken note of it; `None` where there is nothing to be passed up.
    pub fn receive_response(&mut self, now: Now, id: ClientId, flow: &Flow, response: &Response) -> Option<ClientId> {
        self.adopt_connection(id, flow);
        if let Some(transaction) = self.clients.get_mut(&id) {
            transaction.answered_by = Some(flow.peer());
        }
        if self.repeat_ack(id, response) {
            return None;
        }
        let outcome = self.drive(now, id, Event::Response(response.status), Some(response));
        if response.status.is_provisional() {
            self.send_wanted_cancel(now, id);
            self.bound_proceeding(now, id);
        }
        if !outcome.pass_up {
            self.sweep_client(id);
        }
        outcome.pass_up.then_some(id)
    }

    /// Forgets a transaction that has come to its end.
    pub fn sweep_client(&mut self, id: ClientId) {
        if self.clients.get(&id).is_some_and(|transaction| transaction.is_terminated()) {
            self.forget_client(id);
        }
    }

    /// An INVITE has no timer of its own any more once a provisional response came: it gets this one.
    fn bound_proceeding(&mut self, now: Now, id: ClientId) {
        let proceeding = Machine::Invite(client_invite::State::Proceeding);
        let timer = Timer::Stalled(id);
        if self.clients.get(&id).is_some_and(|it| it.machine == proceeding) && self.timers.get(timer).is_none() {
            let after = self.config.ring_timeout + self.config.timing.patience() * 2;
            self.set_timer(now, timer, after);
        }
    }

    /// The INVITE never ended. Says whom to tell.
    pub fn stalled(&mut self, id: ClientId) -> Option<(Owner, Method, Failure)> {
        let (owner, method) = self.clients.get(&id).map(|it| (it.owner, it.method.clone()))?;
        self.forget_client(id);
        Some((owner, method, Failure::Timeout))
    }

    /// Learns by which connection a request went that left the choice to the shell, so that its end is noticed.
    fn adopt_connection(&mut self, id: ClientId, flow: &Flow) {
        let Some(transaction) = self.clients.get_mut(&id) else { return };
        let before = transaction.flow;
        if before.connection.is_some() || flow.connection.is_none() || before.transport != flow.transport {
            return;
        }
        transaction.flow.connection = flow.connection;
        if transaction.is_waiting() {
            let after = transaction.flow;
            self.stop_waiting(&before, id);
            self.waiting.entry(after.identity()).or_default().insert(id);
        }
    }

    /// The transaction whose branch a response bears.
    pub fn matching_client(&self, response: &Response) -> Option<ClientId> {
        let via = response.via_top().ok()?;
        let branch = via.branch.as_deref()?.strip_prefix("z9hG4bK").filter(|branch| branch.len() == 16)?;
        let branch = u64::from_str_radix(branch, 16).ok()?;
        let Ok(cseq) = response.cseq() else {
            // Without the method, an INVITE and its CANCEL look the same.
            let both = [true, false].map(|cancel| ClientId { branch, cancel });
            return both.into_iter().find(|id| self.clients.contains_key(id));
        };
        let id = ClientId { branch, cancel: cseq.method == Method::Cancel };
        self.clients.get(&id).filter(|transaction| transaction.method == cseq.method).map(|_| id)
    }

    /// A 2xx that came again is acknowledged again, without anybody else hearing of it.
    fn repeat_ack(&mut self, id: ClientId, response: &Response) -> bool {
        if !response.status.is_success() {
            return false;
        }
        let Some(transaction) = self.clients.get(&id).filter(|it| !it.acks.is_empty()) else { return false };
        let tag = to_tag(response);
        let Some((_, flow, bytes)) = transaction.acks.iter().find(|(other, ..)| *other == tag) else { return false };
        let (flow, bytes) = (*flow, bytes.clone());
        self.totals.retransmitted += 1;
        self.transmit(flow, bytes);
        true
    }

    /// Notes the ACK of a 2xx with this To tag, to be repeated with it.
    pub fn note_ack(&mut self, id: ClientId, tag: Text, flow: Flow, bytes: Bytes) {
        if let Some(transaction) = self.clients.get_mut(&id) {
            transaction.acks.push((tag, flow, bytes));
        }
    }

    /// A timer fired. Says whom to tell that no response will come.
    pub fn client_timer(&mut self, now: Now, id: ClientId, timer: TimerName) -> Option<(Owner, Method, Failure)> {
        let (owner, method) = self.clients.get(&id).map(|it| (it.owner, it.method.clone()))?;
        let outcome = self.drive(now, id, Event::Timer(timer), None);
        outcome.failure.map(|failure| (owner, method, failure))
    }

    /// The transport of `flow` failed: every transaction that still waits on it ends.
    pub fn fail_flow(&mut self, now: Now, flow: &Flow) -> Vec<(ClientId, Owner, Method)> {
        let Some(waiting) = self.waiting.remove(&flow.identity()) else { return Vec::new() };
        let mut failed = Vec::new();
        for id in waiting {
            if self.send_as_datagram(now, id) {
                continue;
            }
            let Some((owner, method)) = self.clients.get(&id).map(|it| (it.owner, it.method.clone())) else { continue };
            if self.drive(now, id, Event::TransportError, None).failure.is_some() {
                failed.push((id, owner, method));
            }
        }
        failed
    }

    /// Gives an INVITE up: CANCEL now, or with the first provisional response (RFC 3261 section 9.1).
    pub fn cancel_client(&mut self, now: Now, id: ClientId, reason: Option<&Reason>) {
        let Some(transaction) = self.clients.get_mut(&id) else { return };
        transaction.cancel_reason = reason.map(|reason| Box::new(reason.clone()));
        match transaction.machine {
            Machine::Invite(client_invite::State::Calling) => transaction.cancel = CancelState::Wanted,
            Machine::Invite(client_invite::State::Proceeding) => {
                transaction.cancel = CancelState::Wanted;
                self.send_cancel(now, id);
            }
            _ => transaction.cancel = CancelState::Sent,
        }
    }

    fn send_wanted_cancel(&mut self, now: Now, id: ClientId) {
        let wanted = |transaction: &ClientTransaction| {
            transaction.cancel == CancelState::Wanted
                && transaction.machine == Machine::Invite(client_invite::State::Proceeding)
        };
        if self.clients.get(&id).is_some_and(|transaction| wanted(transaction)) {
            self.send_cancel(now, id);
        }
    }

    fn send_cancel(&mut self, now: Now, id: ClientId) {
        let Some(transaction) = self.clients.get_mut(&id) else { return };
        transaction.cancel = CancelState::Sent;
        let flow = transaction.flow;
        let Some(invite) = transaction.parsed_request() else { return };
        let mut cancel = hop_request(&invite, Method::Cancel, invite.headers.get(&H::To).cloned());
        if let Some(reason) = &transaction.cancel_reason {
            cancel.headers.push_display(H::Reason, reason);
        }
        let patience = self.config.timing.patience();
        self.set_timer(now, Timer::Cancelled(id), patience);
        let id = ClientId { cancel: true, ..id };
        self.launch(now, id, Method::Cancel, cancel.to_bytes(), flow, Owner::Nobody, None);
    }

    /// The cancelled INVITE never ended: it is forgotten.
    pub fn forget_client(&mut self, id: ClientId) {
        if let Some(transaction) = self.clients.remove(&id) {
            relax(&mut self.clients);
            self.stop_waiting(&transaction.flow, id);
            for timer in
                [TimerName::A, TimerName::B, TimerName::D, TimerName::E, TimerName::F, TimerName::K, TimerName::M]
            {
                self.timers.clear(Timer::Client(id, timer));
            }
            self.timers.clear(Timer::Cancelled(id));
            self.timers.clear(Timer::Stalled(id));
        }
    }

    fn stop_waiting(&mut self, flow: &Flow, id: ClientId) {
        if let Some(waiting) = self.waiting.get_mut(&flow.identity()) {
            waiting.remove(&id);
            if waiting.is_empty() {
                self.waiting.remove(&flow.identity());
            }
        }
    }

    fn drive(&mut self, now: Now, id: ClientId, event: Event, response: Option<&Response>) -> Outcome {
        let mut outcome = Outcome::default();
        let Some(transaction) = self.clients.get_mut(&id) else { return outcome };
        let before = transaction.machine;
        let actions = transaction.step(event);
        let finished = transaction.machine != before && !transaction.is_waiting();
        let flow = transaction.flow;
        if finished {
            self.stop_waiting(&flow, id);
            self.timers.clear(Timer::Stalled(id));
        }
        self.act(now, id, actions, response, &mut outcome);
        // After a response its user is to see the transaction once more.
        if response.is_none() {
            self.sweep_client(id);
        }
        outcome
    }

    fn act(&mut self, now: Now, id: ClientId, actions: &[Action], response: Option<&Response>, outcome: &mut Outcome) {
        for action in actions {
            let Some(transaction) = self.clients.get_mut(&id) else { return };
            let reliable = transaction.flow.transport.is_reliable();
            match *action {
                Action::Send => {
                    let (flow, bytes) = (transaction.flow, transaction.request.clone());
                    let hurried = transaction.datagram.is_some();
                    self.transmit_as(flow, bytes, hurried);
                }
                Action::Ack => self.acknowledge_failure(id, response),
                Action::PassUp => outcome.pass_up = true,
                Action::ReportTimeout => outcome.failure = Some(Failure::Timeout),
                Action::ReportTransportError => outcome.failure = Some(Failure::Transport),
                Action::Stop(timer) => {
                    self.timers.clear(Timer::Client(id, timer));
                }
                Action::Again(timer) => {
                    transaction.interval = self.config.timing.next(timer, transaction.interval);
                    let interval = transaction.interval;
                    self.totals.retransmitted += 1;
                    self.set_timer(now, Timer::Client(id, timer), interval);
                }
                Action::AtT2(timer) => {
                    transaction.interval = self.config.timing.t2;
                    self.totals.retransmitted += 1;
                    let interval = self.config.timing.t2;
                    self.set_timer(now, Timer::Client(id, timer), interval);
                }
                Action::Start(timer) => match self.config.timing.first(timer, reliable) {
                    None => {}
                    Some(Duration::ZERO) => {
                        // Fires at once: one more step, which has no actions of its own.
                        transaction.step(Event::Timer(timer));
                    }
                    Some(after) => self.set_timer(now, Timer::Client(id, timer), after),
                },
            }
        }
    }

    fn acknowledge_failure(&mut self, id: ClientId, response: Option<&Response>) {
        let Some(transaction) = self.clients.get_mut(&id) else { return };
        let flow = transaction.flow;
        let bytes = match (transaction.acks.first(), response) {
            (Some((_, _, bytes)), _) => bytes.clone(),
            (None, Some(response)) => {
                let Some(invite) = transaction.parsed_request() else { return };
                let to = response.headers.get(&H::To).or(invite.headers.get(&H::To)).cloned();
                let ack = hop_request(&invite, Method::Ack, to);
                let bytes = ack.to_bytes();
                transaction.acks.push((Text::default(), flow, bytes.clone()));
                bytes
            }
            (None, None) => return,
        };
        self.transmit(flow, bytes);
    }
}

impl ClientTransaction {
    fn step(&mut self, event: Event) -> &'static [Action] {
        match &mut self.machine {
            Machine::Invite(state) => {
                let event = match event {
                    Event::Response(status) if status.is_provisional() => client_invite::Event::Provisional,
                    Event::Response(status) if status.is_success() => client_invite::Event::Success,
                    Event::Response(_) => client_invite::Event::Failure,
                    Event::Timer(timer) => client_invite::Event::Timer(timer),
                    Event::TransportError => client_invite::Event::TransportError,
                };
                let (next, actions) = client_invite::step(*state, event);
                *state = next;
                actions
            }
            Machine::Other(state) => {
                let event = match event {
                    Event::Response(status) if status.is_provisional() => client::Event::Provisional,
                    Event::Response(_) => client::Event::Final,
                    Event::Timer(timer) => client::Event::Timer(timer),
                    Event::TransportError => client::Event::TransportError,
                };
                let (next, actions) = client::step(*state, event);
                *state = next;
                actions
            }
        }
    }

    fn is_terminated(&self) -> bool {
        matches!(
            self.machine,
            Machine::Invite(client_invite::State::Terminated) | Machine::Other(client::State::Terminated)
        )
    }

    /// Whether no final response has come.
    fn is_waiting(&self) -> bool {
        matches!(
            self.machine,
            Machine::Invite(client_invite::State::Calling | client_invite::State::Proceeding)
                | Machine::Other(client::State::Trying | client::State::Proceeding)
        )
    }
}

/// The ACK of a failure, or the CANCEL, of `invite`: same top Via, request URI, routes and CSeq number
/// (RFC 3261 sections 9.1 and 17.1.1.3).
fn hop_request(invite: &Request, method: Method, to: Option<Bytes>) -> Request {
    let mut request = Request::new(method, invite.uri.clone());
    if let Some(via) = invite.headers.values(&H::Via).next() {
        request.headers.push(H::Via, via);
    }
    request.headers.push(H::MaxForwards, "70");
    request.headers.copy_all(&H::Route, &invite.headers);
    request.headers.copy_all(&H::From, &invite.headers);
    if let Some(to) = to {
        request.headers.push(H::To, to);
    }
    request.headers.copy_all(&H::CallId, &invite.headers);
    let number = invite.cseq().map(|cseq| cseq.number).unwrap_or_default();
    request.headers.push(H::CSeq, format!("{number} {}", request.method));
    request
}

/// The To tag of a response; empty where an RFC 2543 peer left it out.
pub(crate) fn to_tag(response: &Response) -> Text {
    response.to_tag()
}
