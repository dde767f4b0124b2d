//! The INVITE usage: one call from its INVITE to its end (RFC 3261 sections 13 to 15).
//!
//! [`Usage`] knows how far the call is; everything inside a dialog is in [`Session`](session::Session). The files:
//! `incoming` and `reliable` for calls to us, `outgoing` for calls of ours, `ours` and `theirs` for re-INVITE and
//! UPDATE either way, `messages` for INFO and MESSAGE, `ending` for BYE and all that leads to it, `refer` for REFER and
//! NOTIFY, `session_timer` for RFC 4028.

pub(crate) mod ending;
mod incoming;
mod messages;
mod ours;
mod outgoing;
pub(crate) mod refer;
mod reliable;
pub(crate) mod session;
pub(crate) mod session_timer;
mod theirs;

pub(crate) use incoming::Incoming;
pub(crate) use outgoing::Outgoing;

use bytes::Bytes;
use session::{Common, Session};

use super::auth::Credentials;
use super::dialog::{DialogSnapshot, Order};
use super::message::{Method, Response, StatusCode, Tag};
use crate::sip::core::{Core, Event, InviteId, InviteTimer, Proof, Timer, elsewhere, session_description};
use crate::sip::flow::Flow;
use crate::sip::transaction::{ClientId, Failure, Received, Reply, ServerId};
use crate::types::Now;

/// How far a call is.
pub(crate) enum Stage {
    /// To us, without a final response.
    Incoming(Box<Incoming>),
    /// Of ours, without a final response.
    Outgoing(Box<Outgoing>),
    /// Answered.
    Confirmed(Box<Session>),
    /// Over for our user; BYE is under way, or waits for the ACK it may not overtake.
    Ending(Box<Session>),
    /// To be forgotten.
    Gone,
}

/// One call.
pub(crate) struct Usage {
    pub id: InviteId,
    pub local_tag: Tag,
    /// The connection it is listed under, if it came over one.
    pub connection: Option<u64>,
    pub common: Common,
    messages: messages::Messages,
    pub stage: Stage,
}

impl Usage {
    pub fn new(id: InviteId, local_tag: Tag, contact_user: Option<String>, credentials: Option<Credentials>) -> Self {
        let common = Common { contact_user, proof: Proof::new(credentials) };
        Self { id, local_tag, connection: None, common, messages: messages::Messages::default(), stage: Stage::Gone }
    }

    /// Whether the endpoint may forget it.
    pub fn is_gone(&self) -> bool {
        matches!(self.stage, Stage::Gone)
    }

    /// Whether its last event is out.
    pub fn is_over(&self) -> bool {
        matches!(self.stage, Stage::Ending(_) | Stage::Gone)
    }

    /// Clears every timer; the last thing done with it.
    pub fn clear_timers(&self, core: &mut Core) {
        for timer in InviteTimer::ALL {
            core.clear_call_timer(self.id, timer);
        }
    }

    /// The dialog, as plain data.
    pub fn snapshot(&self) -> Option<DialogSnapshot> {
        match &self.stage {
            Stage::Incoming(incoming) => Some(incoming.session.dialog.snapshot()),
            Stage::Outgoing(outgoing) => outgoing.forks.first().map(|fork| fork.dialog.snapshot()),
            Stage::Confirmed(session) => Some(session.dialog.snapshot()),
            Stage::Ending(_) | Stage::Gone => None,
        }
    }

    /// The dialog with this remote tag and Call-ID.
    fn session(&mut self, remote_tag: &str, call_id: &str) -> Option<&mut Session> {
        let is_it =
            |session: &&mut Session| *session.dialog.remote_tag == *remote_tag && *session.dialog.call_id == *call_id;
        match &mut self.stage {
            Stage::Incoming(incoming) => Some(&mut incoming.session).filter(is_it),
            Stage::Outgoing(outgoing) => outgoing.forks.iter_mut().find(is_it),
            Stage::Confirmed(session) | Stage::Ending(session) => Some(&mut **session).filter(is_it),
            Stage::Gone => None,
        }
    }

    /// Whether a request belongs to one of the call's dialogs.
    pub fn has_dialog(&mut self, received: &Received) -> bool {
        self.session(&received.from_tag, &received.call_id).is_some()
    }

    /// Whether a request came by a transport that anybody may read, although its dialog goes by one that nobody can.
    pub fn is_exposed_by(&mut self, received: &Received) -> bool {
        let session = self.session(&received.from_tag, &received.call_id);
        !received.flow.transport.is_secure() && session.is_some_and(|session| session.is_private())
    }

    /// A request inside a dialog of the call (see [`Usage::has_dialog`]) that is neither ACK nor CANCEL.
    pub fn on_request(&mut self, core: &mut Core, now: Now, received: Received, tx: ServerId) {
        let Some(session) = self.session(&received.from_tag, &received.call_id) else {
            return core.transactions.respond(now, tx, Reply::new(StatusCode::CALL_DOES_NOT_EXIST));
        };
        if session.dialog.check_order(received.cseq) == Order::OutOfOrder {
            return core.transactions.respond(now, tx, Reply::new(StatusCode::SERVER_INTERNAL_ERROR));
        }
        if received.request.method == Method::Bye {
            return self.on_bye(core, now, &received, tx);
        }
        if matches!(self.stage, Stage::Ending(_)) {
            return core.transactions.respond(now, tx, Reply::new(StatusCode::CALL_DOES_NOT_EXIST));
        }
        match received.request.method {
            Method::Invite | Method::Update => self.on_modify(core, now, received, tx),
            Method::Prack => self.on_prack(core, now, received, tx),
            Method::Info => self.on_info(core, now, received, tx),
            Method::Message => self.on_message(core, now, received, tx),
            Method::Refer => self.on_refer(core, now, received, tx),
            Method::Notify => self.on_notify(core, now, &received, tx),
            _ => core.transactions.respond(now, tx, elsewhere(&received.request)),
        }
    }

    /// An ACK inside a dialog of the call.
    pub fn on_ack(&mut self, core: &mut Core, now: Now, received: &Received) -> bool {
        let id = self.id;
        let Some(session) = self.session(&received.from_tag, &received.call_id) else { return false };
        let Some(awaited) = session.awaited_ack.take_if(|awaited| awaited.cseq == received.cseq) else { return false };
        core.clear_call_timer(id, InviteTimer::Accepted);
        core.clear_call_timer(id, InviteTimer::AckOverdue);
        core.transactions.forget_response(awaited.tx);
        let request = &received.request;
        let body = session_description(&request.headers, &request.body).ok().flatten().filter(|_| awaited.has_offer);
        if matches!(self.stage, Stage::Ending(_)) {
            self.send_bye(core, now);
            return true;
        }
        let Stage::Confirmed(session) = &mut self.stage else { return true };
        if awaited.has_offer {
            session.exchange = session::Exchange::Settled;
            session.remote_body.clone_from(&body);
        }
        core.event(match (awaited.initial, awaited.has_offer, body) {
            (true, _, body) => Event::Acknowledged { invite: id, body },
            (false, true, Some(body)) => Event::Answer { invite: id, body },
            (false, true, None) => Event::OfferFailed { invite: id, status: StatusCode::BAD_REQUEST },
            (false, false, _) => {
                self.go_on(core, now);
                return true;
            }
        });
        self.go_on(core, now);
        true
    }

    /// What waited for the ACK may go out now.
    fn go_on(&mut self, core: &mut Core, now: Now) {
        let glare = core.timers.get(Timer::Invite(self.id, InviteTimer::Glare)).is_some();
        if let Stage::Confirmed(session) = &self.stage
            && session.ours.as_ref().is_some_and(|ours| ours.tx.is_none())
            && session.awaited_ack.is_none()
            && !glare
        {
            self.on_glare_timer(core, now);
        }
    }

    /// A response to a request of the call's.
    pub fn on_response(&mut self, core: &mut Core, now: Now, tx: ClientId, method: &Method, response: Response) {
        match method {
            Method::Invite if matches!(&self.stage, Stage::Outgoing(outgoing) if outgoing.tx == tx) => {
                self.on_answer(core, now, response);
            }
            Method::Invite | Method::Update => self.on_modify_response(core, now, tx, method, &response),
            Method::Bye => self.on_bye_response(core, now, tx, &response),
            Method::Notify | Method::Refer if response.status.is_provisional() => {}
            Method::Notify => self.on_notify_answered(core, now, tx, Some(&response)),
            Method::Refer => self.on_refer_answered(core, now, tx, Some(&response)),
            _ => self.on_other_response(core, now, tx, &response),
        }
    }

    /// No response came to a request of the call's.
    pub fn on_failure(&mut self, core: &mut Core, now: Now, tx: ClientId, method: &Method, failure: Failure) {
        match method {
            Method::Invite if matches!(&self.stage, Stage::Outgoing(outgoing) if outgoing.tx == tx) => {
                self.fail(core, now, failure.status(), None);
            }
            Method::Bye => self.stage = Stage::Gone,
            Method::Prack => {}
            // The news of a referral are lost, not the call (RFC 5057 section 5.3).
            Method::Notify => self.on_notify_answered(core, now, tx, None),
            Method::Refer => self.on_refer_answered(core, now, tx, None),
            _ => self.on_request_lost(core, now, tx, failure),
        }
    }

    /// A timer of the call fired.
    pub fn on_timer(&mut self, core: &mut Core, now: Now, timer: InviteTimer) {
        match timer {
            InviteTimer::Unanswered => self.on_unanswered(core, now),
            InviteTimer::StillRinging => self.on_still_ringing(core, now),
            InviteTimer::Reliable => self.on_reliable_timer(core, now),
            InviteTimer::PrackOverdue => self.on_prack_overdue(core, now),
            InviteTimer::Accepted => self.on_accepted_timer(core, now),
            InviteTimer::AckOverdue => self.on_ack_overdue(core, now),
            InviteTimer::AnswerOverdue => self.on_answer_overdue(core, now),
            InviteTimer::Glare => self.on_glare_timer(core, now),
            InviteTimer::Refresh => self.on_refresh_timer(core, now),
            InviteTimer::Expiry => self.on_expiry(core, now),
        }
    }

    /// The connection the call came over is gone.
    pub fn on_flow_closed(&mut self, core: &mut Core, closed: &Flow) {
        match &mut self.stage {
            Stage::Incoming(incoming) => {
                incoming.session.reopen(closed);
                let back = incoming.reopened_flow(closed);
                core.transactions.redirect(incoming.tx, back);
            }
            Stage::Outgoing(outgoing) => outgoing.forks.iter_mut().for_each(|fork| fork.reopen(closed)),
            Stage::Confirmed(session) | Stage::Ending(session) => session.reopen(closed),
            Stage::Gone => {}
        }
    }
}

/// The description in a body, for messages that cannot be refused for it.
pub(crate) fn lenient_description(headers: &super::message::Headers, body: &Bytes) -> Option<Bytes> {
    session_description(headers, body).ok().flatten()
}
