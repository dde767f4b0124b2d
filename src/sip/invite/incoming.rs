//! Calls to us, until the final response (RFC 3261 section 13.3).

use std::net::SocketAddr;
use std::time::Duration;

use super::reliable::Reliable;
use super::session::{AwaitedAck, Exchange, Session};
use super::session_timer::Agreed;
use super::{Stage, Usage};
use crate::sip::core::{Core, EndedBy, EndpointError, Event, InviteTimer, ReliableProvisional};
use crate::sip::flow::Flow;
use crate::sip::message::{Body, HeaderName as H, Headers, Reason, Request, StatusCode};
use crate::sip::transaction::{Received, Reply, ServerId};
use crate::types::Now;

/// How often a ringing call is mentioned again, lest a proxy takes it for dead.
const STILL_RINGING: Duration = Duration::from_secs(60);

/// An INVITE to us without a final response.
pub(crate) struct Incoming {
    pub tx: ServerId,
    pub cseq: u32,
    pub session: Session,
    pub reliable: Reliable,
    /// Whether provisional responses are sent reliably.
    is_reliable: bool,
    agreed: Option<Agreed>,
    /// The latest unreliable provisional response, to be repeated.
    latest: Option<(StatusCode, Option<Body>)>,
    /// Accepted, but a reliable response with a description must be acknowledged first (RFC 3262 section 3).
    accepted: Option<Body>,
    /// Where responses go when the connection is gone.
    sent_by_port: Option<u16>,
}

impl Incoming {
    /// `session`: the early dialog; its exchange says whether the INVITE had an offer.
    pub fn new(core: &mut Core, received: &Received, tx: ServerId, session: Session, agreed: Option<Agreed>) -> Self {
        let request: &Request = &received.request;
        let is_reliable = request.requires("100rel")
            || (session.terms.reliable_provisional == ReliableProvisional::WhenSupported && request.supports("100rel"));
        Self {
            tx,
            cseq: received.cseq,
            session,
            reliable: Reliable::new(core),
            is_reliable,
            agreed,
            latest: None,
            accepted: None,
            sent_by_port: received.via.port,
        }
    }

    /// Where responses can still go after the connection closed (RFC 3261 section 18.2.2).
    pub fn reopened_flow(&self, closed: &Flow) -> Flow {
        let port = self.sent_by_port.unwrap_or(closed.transport.default_port());
        Flow { remote: SocketAddr::new(closed.remote.ip(), port), connection: None, ..*closed }
    }

    pub fn is_accepted(&self) -> bool {
        self.accepted.is_some()
    }
}

impl Usage {
    pub fn provisional(
        &mut self,
        core: &mut Core,
        now: Now,
        status: StatusCode,
        body: Option<Body>,
    ) -> Result<(), EndpointError> {
        let Stage::Incoming(incoming) = &mut self.stage else { return Err(EndpointError::WrongState) };
        if !(101..200).contains(&status.0) || incoming.is_accepted() {
            return Err(EndpointError::WrongState);
        }
        if incoming.is_reliable {
            incoming.reliable.push(status, body);
            self.send_next_reliable(core, now);
            return Ok(());
        }
        // Without an offer in the INVITE a description here would be an offer, which must be sent reliably.
        let body = body.filter(|_| incoming.session.exchange == Exchange::RemoteOffer);
        let reply = incoming.session.reply(core, &self.common, status).body(body.as_ref());
        core.transactions.respond(now, incoming.tx, reply);
        incoming.latest = Some((status, body));
        core.set_call_timer(now, self.id, InviteTimer::StillRinging, STILL_RINGING);
        Ok(())
    }

    pub(super) fn on_still_ringing(&mut self, core: &mut Core, now: Now) {
        let Stage::Incoming(incoming) = &mut self.stage else { return };
        let Some((status, body)) = &incoming.latest else { return };
        let reply = incoming.session.reply(core, &self.common, *status).body(body.as_ref());
        core.transactions.respond(now, incoming.tx, reply);
        core.set_call_timer(now, self.id, InviteTimer::StillRinging, STILL_RINGING);
    }

    pub fn accept(&mut self, core: &mut Core, now: Now, body: Body) -> Result<(), EndpointError> {
        let Stage::Incoming(incoming) = &mut self.stage else { return Err(EndpointError::WrongState) };
        if incoming.is_accepted() || incoming.session.theirs.is_some() {
            return Err(EndpointError::WrongState);
        }
        if incoming.reliable.has_unacknowledged_description() {
            incoming.accepted = Some(body);
            return Ok(());
        }
        self.send_accept(core, now, body);
        Ok(())
    }

    /// Sends the 2xx that waited for a PRACK.
    pub(super) fn send_deferred_accept(&mut self, core: &mut Core, now: Now) {
        if let Stage::Incoming(incoming) = &mut self.stage
            && !incoming.reliable.has_unacknowledged_description()
            && incoming.session.theirs.is_none()
            && let Some(body) = incoming.accepted.take()
        {
            self.send_accept(core, now, body);
        }
    }

    fn send_accept(&mut self, core: &mut Core, now: Now, body: Body) {
        let Stage::Incoming(incoming) = std::mem::replace(&mut self.stage, Stage::Gone) else { return };
        let Incoming { tx, cseq, mut session, agreed, .. } = *incoming;
        for timer in
            [InviteTimer::Unanswered, InviteTimer::StillRinging, InviteTimer::Reliable, InviteTimer::PrackOverdue]
        {
            core.clear_call_timer(self.id, timer);
        }
        // Offer and answer are over when they were exchanged in reliable provisional responses.
        let described = matches!(session.exchange, Exchange::RemoteOffer | Exchange::Wanted);
        let has_offer = session.exchange == Exchange::Wanted;
        session.exchange = if has_offer { Exchange::LocalOffer } else { Exchange::Settled };
        let mut reply = session.reply(core, &self.common, StatusCode::OK);
        add_agreed(&mut reply, agreed);
        let body = described.then_some(body);
        core.transactions.respond(now, tx, reply.body(body.as_ref()));
        if body.is_some() {
            session.local_body = body;
        }
        session.await_ack(
            core,
            now,
            self.id,
            AwaitedAck { tx, cseq, interval: core.config.timing.t1, has_offer, initial: true },
        );
        session.restart_timer(core, now, self.id, agreed.map(|agreed| agreed.timer));
        self.stage = Stage::Confirmed(session.into());
    }

    pub fn reject(
        &mut self,
        core: &mut Core,
        now: Now,
        status: StatusCode,
        headers: Headers,
    ) -> Result<(), EndpointError> {
        if !(300..700).contains(&status.0) || !matches!(self.stage, Stage::Incoming(_)) {
            return Err(EndpointError::WrongState);
        }
        self.refuse(core, now, Reply { headers, ..Reply::new(status) });
        core.event(Event::Ended { invite: self.id, by: EndedBy::Local, reason: None });
        Ok(())
    }

    /// Sends a failure and forgets the call; its last event is the caller's to give.
    pub(super) fn refuse(&mut self, core: &mut Core, now: Now, reply: Reply) {
        if let Stage::Incoming(mut incoming) = std::mem::replace(&mut self.stage, Stage::Gone) {
            incoming.session.refuse_waiting(core, now);
            core.transactions.respond(now, incoming.tx, reply);
        }
    }

    /// CANCEL came for the INVITE; says whether there was still something to be cancelled.
    pub fn on_cancel(&mut self, core: &mut Core, now: Now, tx: ServerId, reason: Option<Reason>) {
        match &mut self.stage {
            Stage::Incoming(incoming) if incoming.tx == tx => {
                self.refuse(core, now, Reply::new(StatusCode::REQUEST_TERMINATED));
                core.event(Event::Cancelled { invite: self.id, reason });
            }
            // A re-INVITE that waits for our user.
            Stage::Confirmed(session) if session.theirs.as_ref().is_some_and(|theirs| theirs.tx == tx) => {
                session.theirs = None;
                session.exchange = Exchange::Settled;
                core.clear_call_timer(self.id, InviteTimer::AnswerOverdue);
                core.transactions.respond(now, tx, Reply::new(StatusCode::REQUEST_TERMINATED));
            }
            _ => {}
        }
    }
}

/// Session-Expires in a 2xx.
pub(super) fn add_agreed(reply: &mut Reply, agreed: Option<Agreed>) {
    let Some(agreed) = agreed else { return };
    reply.headers.push_display(H::SessionExpires, &agreed.for_response());
    if agreed.require {
        reply.headers.push(H::Require, "timer");
    }
}
