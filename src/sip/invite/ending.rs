//! How calls end: BYE both ways, CANCEL of ours, and what runs out (RFC 3261 section 15).

use super::{Stage, Usage};
use crate::sip::core::{Core, EndedBy, EndpointError, Event, InviteTimer};
use crate::sip::message::{HeaderName as H, Headers, Reason, Response, StatusCode};
use crate::sip::transaction::{ClientId, Received, Reply, ServerId};
use crate::types::Now;

/// Reasons that are looked at; each protocol has one, and there are two.
const MOST_REASONS: usize = 8;

/// The Reason of a message (RFC 3326; in a response RFC 6432): the telephone network's where there are several, else
/// the first that can be read.
#[must_use]
pub fn reason_of(headers: &Headers) -> Option<Reason> {
    let mut reasons = headers.values(&H::Reason).take(MOST_REASONS).filter_map(|value| Reason::parse(&value).ok());
    let first = reasons.next()?;
    let is_network = |reason: &Reason| reason.protocol.eq_ignore_ascii_case("Q.850");
    if is_network(&first) { Some(first) } else { reasons.find(is_network).or(Some(first)) }
}

impl EndedBy {
    /// What the BYE says that the endpoint sends by itself.
    fn reason(self) -> Option<Reason> {
        match self {
            Self::Local | Self::Remote => None,
            Self::AckTimeout => Some(Reason::q850(102, "No ACK came")),
            Self::SessionExpired => Some(Reason::q850(102, "Session timer expired")),
            Self::DialogLost => Some(Reason::sip(StatusCode::CALL_DOES_NOT_EXIST, "Dialog lost")),
            Self::TransportFailed => Some(Reason::q850(38, "Network out of order")),
            Self::NoAnswer => Some(Reason::sip(StatusCode::NOT_ACCEPTABLE_HERE, "No answer to the offer")),
        }
    }
}

impl Usage {
    pub fn hangup(&mut self, core: &mut Core, now: Now, reason: Option<Reason>) -> Result<(), EndpointError> {
        match &mut self.stage {
            Stage::Incoming(_) => {
                let mut reply = Reply::new(StatusCode::DECLINE);
                if let Some(reason) = &reason {
                    reply.headers.push_display(H::Reason, reason);
                }
                self.refuse(core, now, reply);
            }
            Stage::Outgoing(_) => self.cancel(core, now, reason.as_ref()),
            Stage::Confirmed(_) => {
                self.end(core, now, reason);
            }
            Stage::Ending(_) | Stage::Gone => return Err(EndpointError::NoSuchCall),
        }
        core.event(Event::Ended { invite: self.id, by: EndedBy::Local, reason: None });
        Ok(())
    }

    /// Gives an outgoing call up; its last event is the caller's to give. What still comes for its INVITE is
    /// answered by the endpoint.
    fn cancel(&mut self, core: &mut Core, now: Now, reason: Option<&Reason>) {
        if let Stage::Outgoing(outgoing) = std::mem::replace(&mut self.stage, Stage::Gone) {
            for mut fork in outgoing.forks {
                fork.refuse_waiting(core, now);
            }
            core.transactions.cancel(now, outgoing.tx, reason);
            // An answer that comes all the same is ended by a BYE, for which the peer may ask who we are.
            if let Some(client) = core.transactions.client_user(outgoing.tx) {
                client.proof = self.common.proof.lasting().map(Box::new);
            }
        }
    }

    /// Gives an outgoing call up that cannot come about.
    pub(super) fn give_up(&mut self, core: &mut Core, now: Now, status: StatusCode) {
        self.cancel(core, now, Some(&Reason::sip(status, "Call given up")));
        core.event(Event::Failed { invite: self.id, status, response: None });
    }

    /// Ends an answered call: BYE now, or when our 2xx is acknowledged, which BYE may not overtake.
    fn end(&mut self, core: &mut Core, now: Now, reason: Option<Reason>) {
        let Stage::Confirmed(mut session) = std::mem::replace(&mut self.stage, Stage::Gone) else { return };
        for timer in [InviteTimer::AnswerOverdue, InviteTimer::Glare, InviteTimer::Refresh, InviteTimer::Expiry] {
            core.clear_call_timer(self.id, timer);
        }
        session.refuse_waiting(core, now);
        session.bye_reason = reason;
        if let Some(owed) = session.owed_ack.take() {
            session.acknowledge(core, &mut self.common, owed, None);
        }
        let wait = session.awaited_ack.is_some();
        self.stage = Stage::Ending(session);
        if !wait {
            self.send_bye(core, now);
        }
    }

    pub(super) fn send_bye(&mut self, core: &mut Core, now: Now) {
        if let Stage::Ending(session) = &mut self.stage
            && session.bye.is_none()
        {
            session.send_bye(core, now, self.id, &mut self.common);
        }
    }

    /// Ends an answered call that cannot go on.
    pub(super) fn lose(&mut self, core: &mut Core, now: Now, by: EndedBy) {
        if matches!(self.stage, Stage::Confirmed(_)) {
            self.end(core, now, by.reason());
            core.event(Event::Ended { invite: self.id, by, reason: None });
        }
    }

    pub(super) fn on_bye(&mut self, core: &mut Core, now: Now, received: &Received, tx: ServerId) {
        core.transactions.respond(now, tx, Reply::new(StatusCode::OK));
        let reason = reason_of(&received.request.headers);
        match std::mem::replace(&mut self.stage, Stage::Gone) {
            Stage::Incoming(incoming) => {
                self.stage = Stage::Incoming(incoming);
                self.refuse(core, now, Reply::new(StatusCode::REQUEST_TERMINATED));
                core.event(Event::Cancelled { invite: self.id, reason });
            }
            Stage::Outgoing(mut outgoing) => {
                // The callee may not do this before it answered; that fork is over, the others are not.
                if let Some(at) = outgoing.forks.iter().position(|fork| fork.dialog.remote_tag == received.from_tag) {
                    outgoing.forks.swap_remove(at).refuse_waiting(core, now);
                }
                self.stage = Stage::Outgoing(outgoing);
            }
            Stage::Confirmed(mut session) => {
                session.refuse_waiting(core, now);
                if let Some(awaited) = &session.awaited_ack {
                    core.transactions.forget_response(awaited.tx);
                }
                if let Some(owed) = session.owed_ack.take() {
                    session.acknowledge(core, &mut self.common, owed, None);
                }
                core.event(Event::Ended { invite: self.id, by: EndedBy::Remote, reason });
            }
            // Both hung up at once.
            Stage::Ending(_) | Stage::Gone => {}
        }
    }

    pub(super) fn on_bye_response(&mut self, core: &mut Core, now: Now, tx: ClientId, response: &Response) {
        if response.status.is_provisional() {
            return;
        }
        let Stage::Ending(session) = &mut self.stage else { return };
        if session.bye != Some(tx) {
            return;
        }
        match session.retry_authorized(core, now, &mut self.common, tx, response) {
            Some(again) => session.bye = Some(again),
            None => self.stage = Stage::Gone,
        }
    }

    /// The 2xx to INVITE is sent again, over reliable transports too: a proxy on the way may use another.
    pub(super) fn on_accepted_timer(&mut self, core: &mut Core, now: Now) {
        let (Stage::Confirmed(session) | Stage::Ending(session)) = &mut self.stage else { return };
        let Some(awaited) = &mut session.awaited_ack else { return };
        awaited.interval = awaited.interval.saturating_mul(2).min(core.config.timing.t2);
        core.set_call_timer(now, self.id, InviteTimer::Accepted, awaited.interval);
        core.transactions.respond_again(awaited.tx);
    }

    pub(super) fn on_ack_overdue(&mut self, core: &mut Core, now: Now) {
        let (Stage::Confirmed(session) | Stage::Ending(session)) = &mut self.stage else { return };
        if let Some(awaited) = session.awaited_ack.take() {
            core.transactions.forget_response(awaited.tx);
        }
        core.clear_call_timer(self.id, InviteTimer::Accepted);
        self.lose(core, now, EndedBy::AckTimeout);
        self.send_bye(core, now);
    }

    pub(super) fn on_expiry(&mut self, core: &mut Core, now: Now) {
        self.lose(core, now, EndedBy::SessionExpired);
    }

    /// Nobody answered an incoming call in time, or the far end an outgoing one.
    pub(super) fn on_unanswered(&mut self, core: &mut Core, now: Now) {
        let status = match &self.stage {
            Stage::Incoming(_) => {
                let status = StatusCode::TEMPORARILY_UNAVAILABLE;
                self.refuse(core, now, Reply::new(status));
                status
            }
            Stage::Outgoing(_) => {
                self.cancel(core, now, Some(&Reason::q850(19, "No answer from user")));
                StatusCode::REQUEST_TIMEOUT
            }
            _ => return,
        };
        core.event(Event::Failed { invite: self.id, status, response: None });
    }
}
