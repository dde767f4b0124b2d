//! The peer's re-INVITE and UPDATE, and our user's answers (RFC 3261 section 14.2, RFC 3311).

use std::time::Duration;

use super::incoming::add_agreed;
use super::session::{AwaitedAck, Exchange, Session, TheirRequest, busy_reply};
use super::session_timer::agree;
use super::{Stage, Usage};
use crate::sip::core::{Core, EndedBy, EndpointError, Event, InviteId, InviteTimer, check_body, check_require};
use crate::sip::message::{Body, HeaderName as H, Headers, Method, StatusCode};
use crate::sip::transaction::{Received, Reply, ServerId};
use crate::types::Now;

/// An INVITE inside a dialog that is not answered by then gets 100 (RFC 3261 section 17.2.1).
const TRYING_AFTER: Duration = Duration::from_millis(200);

impl Usage {
    pub(super) fn on_modify(&mut self, core: &mut Core, now: Now, received: Received, tx: ServerId) {
        let id = self.id;
        let is_invite = received.request.method == Method::Invite;
        if is_invite && !matches!(self.stage, Stage::Confirmed(_)) {
            // The first INVITE has no final response yet.
            let reply = busy_reply(core);
            return core.transactions.respond(now, tx, reply);
        }
        let Some(session) = self.session(&received.from_tag, &received.call_id) else { return };
        let request = &received.request;
        let checked =
            check_require(request, Some(&session.terms)).and_then(|()| check_body(request)).and_then(|body| {
                let agreed = agree(&session.terms, session.timer, request).map_err(|least| {
                    Reply::new(StatusCode::SESSION_INTERVAL_TOO_SMALL).with(H::MinSe, least.to_string())
                })?;
                Ok((body, agreed))
            });
        let (body, agreed) = match checked {
            Ok(checked) => checked,
            Err(reply) => return core.transactions.respond(now, tx, reply),
        };
        if let Some(reply) = session.crossing(core, is_invite, body.is_some()) {
            return core.transactions.respond(now, tx, reply);
        }
        if is_invite {
            session.imply_ack(core, id);
            core.transactions.try_after(now, tx, TRYING_AFTER);
        }
        let mut refresh = Headers::new();
        refresh.copy_all(&H::Contact, &request.headers);
        refresh.copy_all(&H::Allow, &request.headers);
        let method = request.method.clone();
        let (wants_offer, cseq, flow) = (is_invite && body.is_none(), received.cseq, received.flow);
        session.theirs = Some(TheirRequest { tx, method: method.clone(), cseq, wants_offer, agreed, refresh, flow });
        if !is_invite && body.is_none() {
            // It only refreshes: nothing for our user to say.
            return self.conclude(core, now, Some(received.from_tag.as_ref()), None);
        }
        if body.is_some() {
            session.exchange = Exchange::RemoteOffer;
            session.remote_body.clone_from(&body);
            session.changed = true;
        }
        let patience = core.config.timing.patience() / 2;
        core.set_call_timer(now, id, InviteTimer::AnswerOverdue, patience);
        core.event(Event::Offer { invite: id, body, method });
    }

    /// The dialog in which our user owes something.
    fn owing(&mut self) -> Option<&mut Session> {
        let owes = |session: &&mut Session| {
            session.theirs.is_some() || session.owed_ack.is_some() || session.owed_prack.is_some()
        };
        match &mut self.stage {
            Stage::Incoming(incoming) => Some(&mut incoming.session).filter(owes),
            Stage::Outgoing(outgoing) => outgoing.forks.iter_mut().find(owes),
            Stage::Confirmed(session) => Some(&mut **session).filter(owes),
            Stage::Ending(_) | Stage::Gone => None,
        }
    }

    pub fn answer_offer(
        &mut self,
        core: &mut Core,
        now: Now,
        answer: Result<Body, StatusCode>,
    ) -> Result<(), EndpointError> {
        let id = self.id;
        let session = self.owing().ok_or(EndpointError::WrongState)?;
        if answer.as_ref().is_err_and(|status| !(300..700).contains(&status.0)) {
            return Err(EndpointError::WrongState);
        }
        if session.theirs.is_some() {
            match answer {
                Ok(body) => self.conclude(core, now, None, Some(body)),
                Err(status) => self.decline(core, now, Reply::new(status)),
            }
            return Ok(());
        }
        core.clear_call_timer(id, InviteTimer::AnswerOverdue);
        let mut common = std::mem::replace(&mut self.common, super::session::Common::empty());
        let session = self.owing().ok_or(EndpointError::WrongState)?;
        let body = answer.as_ref().ok();
        session.exchange = Exchange::Settled;
        if let Some(body) = body {
            session.local_body = Some(body.clone());
        }
        if let Some(rack) = session.owed_prack.take() {
            session.send_prack(core, now, id, &mut common, &rack, body);
        }
        if let Some(owed) = session.owed_ack.take() {
            session.acknowledge(core, &mut common, owed, body);
        }
        self.common = common;
        match answer {
            // The 2xx cannot be taken back, so the call ends (RFC 3261 section 13.2.2.4); nor can the 18x.
            Err(status) if matches!(self.stage, Stage::Outgoing(_)) => self.give_up(core, now, status),
            Err(_) => self.lose(core, now, EndedBy::NoAnswer),
            Ok(_) => {}
        }
        Ok(())
    }

    pub fn acknowledge(&mut self, core: &mut Core, now: Now, body: Option<Body>) -> Result<(), EndpointError> {
        match &self.stage {
            Stage::Confirmed(session) if session.owed_ack.is_some() => {}
            _ => return Err(EndpointError::WrongState),
        }
        match body {
            Some(body) => self.answer_offer(core, now, Ok(body)),
            None => self.answer_offer(core, now, Err(StatusCode::NOT_ACCEPTABLE_HERE)),
        }
    }

    /// Answers the peer's request with a 2xx; `tag` names the dialog where there may be several.
    fn conclude(&mut self, core: &mut Core, now: Now, tag: Option<&str>, body: Option<Body>) {
        let id = self.id;
        let confirmed = matches!(self.stage, Stage::Confirmed(_));
        let common = std::mem::replace(&mut self.common, super::session::Common::empty());
        let session = match (&mut self.stage, tag) {
            (Stage::Outgoing(outgoing), Some(tag)) => {
                outgoing.forks.iter_mut().find(|fork| *fork.dialog.remote_tag == *tag)
            }
            _ => self.owing(),
        };
        if let Some(session) = session
            && let Some(theirs) = session.theirs.take()
        {
            core.clear_call_timer(id, InviteTimer::AnswerOverdue);
            session.conclude(core, now, id, &common, theirs, body, confirmed);
        }
        self.common = common;
        self.send_next_reliable(core, now);
        self.send_deferred_accept(core, now);
    }

    /// Refuses the peer's request; the call goes on as before.
    fn decline(&mut self, core: &mut Core, now: Now, reply: Reply) {
        let id = self.id;
        let Some(session) = self.owing() else { return };
        let Some(theirs) = session.theirs.take() else { return };
        core.clear_call_timer(id, InviteTimer::AnswerOverdue);
        if session.exchange == Exchange::RemoteOffer {
            session.exchange = Exchange::Settled;
        }
        core.transactions.respond(now, theirs.tx, reply);
        self.send_next_reliable(core, now);
        self.send_deferred_accept(core, now);
    }

    /// Our user did not answer in time.
    pub(super) fn on_answer_overdue(&mut self, core: &mut Core, now: Now) {
        let Some(session) = self.owing() else { return };
        if session.theirs.is_some() {
            self.decline(core, now, Reply::new(StatusCode::SERVER_TIMEOUT));
        } else {
            let _ = self.answer_offer(core, now, Err(StatusCode::SERVER_TIMEOUT));
        }
    }
}

impl Session {
    /// The refusal of a request that crosses another one, if it does.
    fn crossing(&self, core: &mut Core, is_invite: bool, has_offer: bool) -> Option<Reply> {
        if self.theirs.is_some() || (has_offer && self.exchange == Exchange::RemoteOffer) {
            return Some(busy_reply(core));
        }
        let ours_in_flight =
            self.ours.as_ref().is_some_and(|ours| ours.tx.is_some() && (is_invite || ours.body.is_some()));
        let ours_open = ours_in_flight || matches!(self.exchange, Exchange::LocalOffer | Exchange::Wanted);
        let ack_due = self.owed_ack.is_some() || self.owed_prack.is_some();
        let crosses = ((is_invite || has_offer) && ours_open) || (is_invite && ack_due);
        crosses.then(|| Reply::new(StatusCode::REQUEST_PENDING))
    }

    /// A re-INVITE of the peer's shows that it has our 2xx, although the ACK was lost.
    fn imply_ack(&mut self, core: &mut Core, id: InviteId) {
        if let Some(awaited) = self.awaited_ack.take() {
            core.clear_call_timer(id, InviteTimer::Accepted);
            core.clear_call_timer(id, InviteTimer::AckOverdue);
            core.transactions.forget_response(awaited.tx);
            if awaited.initial {
                core.event(Event::Acknowledged { invite: id, body: None });
            }
        }
    }

    /// Waits for the ACK of a 2xx, sending it again and again (RFC 3261 section 13.3.1.4).
    pub(super) fn await_ack(&mut self, core: &mut Core, now: Now, id: InviteId, awaited: AwaitedAck) {
        let patience = core.config.timing.patience();
        core.set_call_timer(now, id, InviteTimer::Accepted, awaited.interval);
        core.set_call_timer(now, id, InviteTimer::AckOverdue, patience);
        self.awaited_ack = Some(awaited);
    }

    #[expect(clippy::too_many_arguments, reason = "all of it differs from call to call")]
    fn conclude(
        &mut self,
        core: &mut Core,
        now: Now,
        id: InviteId,
        common: &super::session::Common,
        theirs: TheirRequest,
        body: Option<Body>,
        confirmed: bool,
    ) {
        let is_target_refresh = theirs.method != Method::Prack;
        if is_target_refresh {
            self.refresh_target(&theirs.refresh, Some(theirs.flow));
        }
        let mut reply = self.reply(core, common, StatusCode::OK).body(body.as_ref());
        if is_target_refresh {
            add_agreed(&mut reply, theirs.agreed);
        }
        core.transactions.respond(now, theirs.tx, reply);
        if let Some(body) = body {
            self.local_body = Some(body);
            self.changed = true;
            self.exchange = if theirs.wants_offer { Exchange::LocalOffer } else { Exchange::Settled };
            if let Some(ours) = &mut self.ours {
                ours.overtaken = true;
            }
        }
        if theirs.method == Method::Invite {
            let interval = core.config.timing.t1;
            let (tx, cseq, has_offer) = (theirs.tx, theirs.cseq, theirs.wants_offer);
            self.await_ack(core, now, id, AwaitedAck { tx, cseq, interval, has_offer, initial: false });
        }
        if is_target_refresh && confirmed {
            self.restart_timer(core, now, id, theirs.agreed.map(|agreed| agreed.timer));
        }
    }
}
