//! Client transactions: RFC 3261 section 17.1 carried out.

use std::time::Duration;

use bytes::Bytes;
use rand::Rng;

use super::Transactions;
use super::client::{CancelState, ClientTransaction, Event, Failed, Failure, Machine};
use super::machine::{Action, client, client_invite};
use super::timer::{ClientId, Timer, TimerName};
use crate::sip::flow::Flow;
use crate::sip::message::{HeaderName as H, HostPort, Method, Request, Response, Transport};
use crate::types::{Now, relax};

/// What the transaction user has to be told after an event.
#[derive(Debug, Default)]
pub(super) struct Outcome {
    pub(super) pass_up: bool,
    pub(super) failure: Option<Failure>,
}

impl<C: Clone + Default, S: Copy> Transactions<C, S> {
    /// Sends `request` (complete but for Via and User-Agent) in a transaction of its own.
    pub fn start(&mut self, now: Now, mut request: Request, flow: Flow, user: C) -> ClientId {
        let id = ClientId { branch: self.rng.random(), cancel: false };
        request.headers.push_front(H::Via, self.via(&flow, id));
        self.add_identity(&mut request.headers, H::UserAgent);
        let bytes = request.to_bytes();
        if !self.is_too_large(now, &flow, bytes.len()) {
            self.launch(now, id, request.method, bytes, flow, user, None);
            return id;
        }
        let stream = Flow { transport: Transport::Tcp, connection: None, ..flow };
        request.headers.set(H::Via, self.via(&stream, id));
        let datagram = Some(Box::new((flow, bytes)));
        let bytes = request.to_bytes();
        self.launch(now, id, request.method, bytes, stream, user, datagram);
        id
    }

    /// Sends a request again in a new transaction with another CSeq number, for the same user and by the same flow as
    /// `tx`.
    pub fn resend(&mut self, now: Now, tx: ClientId, mut request: Request, cseq: u32) -> Option<ClientId> {
        let (flow, user) = self.clients.get(&tx).map(|it| (it.flow, it.user.clone()))?;
        request.headers.remove(&H::Via);
        request.headers.remove(&H::UserAgent);
        let value = format!("{cseq} {}", request.method);
        request.headers.set(H::CSeq, value);
        Some(self.start(now, request, flow, user))
    }

    /// A request of ours that is not forgotten yet.
    pub fn client(&self, tx: ClientId) -> Option<&ClientTransaction<C>> {
        self.clients.get(&tx).map(|transaction| &**transaction)
    }

    /// The first request of ours that is such, looked for in all of them.
    pub fn find_client(&self, such: impl Fn(&ClientTransaction<C>) -> bool) -> Option<ClientId> {
        self.clients.iter().find(|(_, transaction)| such(transaction)).map(|(tx, _)| *tx)
    }

    /// What its user left with a request of ours.
    pub fn client_user(&mut self, tx: ClientId) -> Option<&mut C> {
        self.clients.get_mut(&tx).map(|transaction| &mut transaction.user)
    }

    /// The Via of a request of ours on `flow`, with the branch of `id`.
    pub(super) fn via(&self, flow: &Flow, id: ClientId) -> String {
        let sent_by = HostPort::from(self.public_address(flow));
        format!("SIP/2.0/{} {sent_by};branch=z9hG4bK{:016x};rport", flow.transport, id.branch)
    }

    #[expect(clippy::too_many_arguments, reason = "they are the transaction's parts")]
    pub(super) fn launch(
        &mut self,
        now: Now,
        id: ClientId,
        method: Method,
        request: Bytes,
        flow: Flow,
        user: C,
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
            user,
            datagram,
            machine,
            interval,
            cancel,
            cancel_reason: None,
            acks: Vec::new(),
            answered_by: None,
        };
        self.clients.insert(id, Box::new(transaction));
        self.waiting.entry(flow.identity()).or_default().insert(id);
        self.act(now, id, start, None, &mut Outcome::default());
    }

    /// An INVITE has no timer of its own any more once a provisional response came: it gets this one.
    pub(super) fn bound_proceeding(&mut self, now: Now, id: ClientId) {
        let proceeding = Machine::Invite(client_invite::State::Proceeding);
        let timer = Timer::Stalled(id);
        if self.clients.get(&id).is_some_and(|it| it.machine == proceeding) && self.timers.get(timer).is_none() {
            let after = self.config.ring_timeout + self.config.timing.patience() * 2;
            self.set_timer(now, timer, after);
        }
    }

    /// The INVITE never ended.
    pub(super) fn stalled(&mut self, tx: ClientId) -> Option<Failed<C>> {
        let transaction = self.clients.get(&tx)?;
        let (user, method) = (transaction.user.clone(), transaction.method.clone());
        self.forget_client(tx);
        Some(Failed { tx, user, method, failure: Failure::Timeout })
    }

    /// A timer fired. Says whom to tell that no response will come.
    pub(super) fn client_timer(&mut self, now: Now, tx: ClientId, timer: TimerName) -> Option<Failed<C>> {
        self.fail(now, tx, Event::Timer(timer))
    }

    /// The transport of `flow` failed: every transaction that still waits on it ends.
    pub fn fail_flow(&mut self, now: Now, flow: &Flow) -> Vec<Failed<C>> {
        let Some(waiting) = self.waiting.remove(&flow.identity()) else { return Vec::new() };
        let mut failed = Vec::new();
        for tx in waiting {
            if !self.send_as_datagram(now, tx) {
                failed.extend(self.fail(now, tx, Event::TransportError));
            }
        }
        failed
    }

    /// Something other than a response; says whom to tell if none will come.
    fn fail(&mut self, now: Now, tx: ClientId, event: Event) -> Option<Failed<C>> {
        let failure = self.drive(now, tx, event, None).failure;
        let failed = failure.and_then(|failure| {
            let transaction = self.clients.get(&tx)?;
            Some(Failed { tx, user: transaction.user.clone(), method: transaction.method.clone(), failure })
        });
        self.sweep_client(tx);
        failed
    }

    /// The cancelled INVITE never ended: it is forgotten.
    pub(super) fn forget_client(&mut self, id: ClientId) {
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

    pub(super) fn stop_waiting(&mut self, flow: &Flow, id: ClientId) {
        if let Some(waiting) = self.waiting.get_mut(&flow.identity()) {
            waiting.remove(&id);
            if waiting.is_empty() {
                self.waiting.remove(&flow.identity());
            }
        }
    }

    /// Takes a step. Its user is to see the transaction once more before it is swept.
    pub(super) fn drive(&mut self, now: Now, id: ClientId, event: Event, response: Option<&Response>) -> Outcome {
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
        outcome
    }

    pub(super) fn act(
        &mut self,
        now: Now,
        id: ClientId,
        actions: &[Action],
        response: Option<&Response>,
        outcome: &mut Outcome,
    ) {
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
}
