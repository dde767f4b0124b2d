//! Reliable provisional responses of ours, and the peer's PRACKs (RFC 3262).

use std::collections::VecDeque;
use std::time::Duration;

use rand::Rng;

use super::session::{Exchange, TheirRequest, busy_reply};
use super::{Stage, Usage};
use crate::sip::core::{Core, Event, InviteTimer, check_body, check_require};
use crate::sip::message::{Body, HeaderName as H, Headers, Method, StatusCode};
use crate::sip::transaction::{Received, Reply, ServerId};
use crate::types::Now;

/// Provisional responses that may wait for the one before them.
const MAX_WAITING: usize = 8;

/// The provisional responses of one INVITE that are sent reliably: one at a time.
#[derive(Debug)]
pub(crate) struct Reliable {
    next: u32,
    outstanding: Option<Outstanding>,
    waiting: VecDeque<(StatusCode, Option<Body>)>,
}

#[derive(Debug)]
struct Outstanding {
    rseq: u32,
    interval: Duration,
    described: bool,
    is_offer: bool,
}

impl Reliable {
    pub fn new(core: &mut Core) -> Self {
        // Anything up to 2³¹ − 1, says RFC 3262 section 3.
        Self { next: core.rng.random_range(1..1 << 30), outstanding: None, waiting: VecDeque::new() }
    }

    pub fn push(&mut self, status: StatusCode, body: Option<Body>) {
        if self.waiting.len() >= MAX_WAITING {
            self.waiting.pop_front();
        }
        self.waiting.push_back((status, body));
    }

    pub fn has_unacknowledged_description(&self) -> bool {
        self.outstanding.as_ref().is_some_and(|outstanding| outstanding.described)
            || self.waiting.iter().any(|(_, body)| body.is_some())
    }
}

impl Usage {
    pub(super) fn send_next_reliable(&mut self, core: &mut Core, now: Now) {
        let Stage::Incoming(incoming) = &mut self.stage else { return };
        if incoming.reliable.outstanding.is_some() {
            return;
        }
        let Some((status, body)) = incoming.reliable.waiting.pop_front() else { return };
        let session = &mut incoming.session;
        let body = body.filter(|_| matches!(session.exchange, Exchange::RemoteOffer | Exchange::Wanted));
        let is_offer = body.is_some() && session.exchange == Exchange::Wanted;
        let rseq = incoming.reliable.next;
        incoming.reliable.next = rseq.saturating_add(1);
        let reply = session
            .reply(core, &self.common, status)
            .with(H::Require, "100rel")
            .with(H::RSeq, rseq.to_string())
            .body(body.as_ref());
        core.transactions.respond(now, incoming.tx, reply);
        if body.is_some() {
            session.exchange = if is_offer { Exchange::LocalOffer } else { Exchange::Settled };
            session.local_body.clone_from(&body);
        }
        let interval = core.config.timing.t1;
        incoming.reliable.outstanding = Some(Outstanding { rseq, interval, described: body.is_some(), is_offer });
        let patience = core.config.timing.patience();
        core.set_call_timer(now, self.id, InviteTimer::Reliable, interval);
        core.set_call_timer(now, self.id, InviteTimer::PrackOverdue, patience);
    }

    pub(super) fn on_reliable_timer(&mut self, core: &mut Core, now: Now) {
        let Stage::Incoming(incoming) = &mut self.stage else { return };
        let Some(outstanding) = &mut incoming.reliable.outstanding else { return };
        outstanding.interval = outstanding.interval.saturating_mul(2);
        core.set_call_timer(now, self.id, InviteTimer::Reliable, outstanding.interval);
        core.transactions.respond_again(incoming.tx);
    }

    /// The INVITE is refused with a 5xx (RFC 3262 section 3).
    pub(super) fn on_prack_overdue(&mut self, core: &mut Core, now: Now) {
        if matches!(&self.stage, Stage::Incoming(incoming) if incoming.reliable.outstanding.is_some()) {
            self.refuse(core, now, Reply::new(StatusCode::SERVER_TIMEOUT));
            core.event(Event::Failed { invite: self.id, status: StatusCode::SERVER_TIMEOUT, response: None });
        }
    }

    pub(super) fn on_prack(&mut self, core: &mut Core, now: Now, received: Received, tx: ServerId) {
        let Stage::Incoming(incoming) = &mut self.stage else {
            return core.transactions.respond(now, tx, Reply::new(StatusCode::CALL_DOES_NOT_EXIST));
        };
        let request = &received.request;
        let Ok(rack) = request.rack() else {
            return core.transactions.respond(now, tx, Reply::new(StatusCode::BAD_REQUEST));
        };
        let matches = incoming.reliable.outstanding.as_ref().is_some_and(|outstanding| {
            outstanding.rseq == rack.rseq && incoming.cseq == rack.cseq && rack.method == Method::Invite
        });
        if !matches {
            return core.transactions.respond(now, tx, Reply::new(StatusCode::CALL_DOES_NOT_EXIST));
        }
        let body = match check_require(request, None).and_then(|()| check_body(request)) {
            Ok(body) => body,
            Err(reply) => return core.transactions.respond(now, tx, reply),
        };
        let session = &mut incoming.session;
        let is_answer = incoming.reliable.outstanding.as_ref().is_some_and(|outstanding| outstanding.is_offer);
        let is_offer = body.is_some() && !is_answer;
        if is_offer && (session.exchange != Exchange::Settled || session.is_busy()) {
            let reply = busy_reply(core);
            return core.transactions.respond(now, tx, reply);
        }
        incoming.reliable.outstanding = None;
        core.clear_call_timer(self.id, InviteTimer::Reliable);
        core.clear_call_timer(self.id, InviteTimer::PrackOverdue);
        if is_offer {
            session.exchange = Exchange::RemoteOffer;
            session.remote_body.clone_from(&body);
            session.theirs = Some(TheirRequest {
                tx,
                method: Method::Prack,
                cseq: received.cseq,
                wants_offer: false,
                agreed: None,
                refresh: Headers::new(),
                flow: received.flow,
            });
            let patience = core.config.timing.patience() / 2;
            core.set_call_timer(now, self.id, InviteTimer::AnswerOverdue, patience);
            core.event(Event::Offer { invite: self.id, body, method: Method::Prack });
            return;
        }
        core.transactions.respond(now, tx, Reply::new(StatusCode::OK));
        if is_answer {
            session.exchange = Exchange::Settled;
            session.remote_body.clone_from(&body);
            if let Some(body) = body {
                core.event(Event::Answer { invite: self.id, body });
            }
        }
        self.send_next_reliable(core, now);
        self.send_deferred_accept(core, now);
    }
}
