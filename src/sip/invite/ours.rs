//! Our re-INVITE, UPDATE and INFO (RFC 3261 section 14.1, RFC 3311, RFC 4028 section 7).

use std::time::Duration;

use rand::Rng;

use super::session::{Exchange, OurRequest, OwedAck, Session};
use super::session_timer::SessionTimer;
use super::{Stage, Usage, lenient_description};
use crate::sip::core::{Core, EndedBy, EndpointError, Event, InviteId, InviteTimer, Timer, retry_authorized};
use crate::sip::message::{Body, Headers, Method, MinSe, Response, StatusCode};
use crate::sip::transaction::{ClientId, Failure};
use crate::types::Now;

/// Tries of one re-INVITE, after 491, 422 and challenges.
const MAX_ATTEMPTS: u8 = 6;
/// When a refresh that could not be sent, or was refused for now, is tried again.
const REFRESH_AGAIN: Duration = Duration::from_secs(5);
/// And never sooner than this.
const REFRESH_AGAIN_LEAST: Duration = Duration::from_secs(1);

impl Usage {
    pub fn reinvite(&mut self, core: &mut Core, now: Now, body: Option<Body>) -> Result<(), EndpointError> {
        let Stage::Confirmed(session) = &mut self.stage else { return Err(EndpointError::WrongState) };
        let answer_due = session.awaited_ack.as_ref().is_some_and(|awaited| awaited.has_offer);
        if session.is_busy() && !(answer_due && session.ours.is_none() && session.theirs.is_none()) {
            return Err(EndpointError::WrongState);
        }
        session.ours = Some(OurRequest::new(Method::Invite, body, false));
        // While our 2xx waits for its ACK, so does this.
        self.go_on(core, now);
        Ok(())
    }

    pub fn update(&mut self, core: &mut Core, now: Now, body: Option<Body>) -> Result<(), EndpointError> {
        let id = self.id;
        let session = match &mut self.stage {
            Stage::Incoming(incoming) if !incoming.is_accepted() => &mut incoming.session,
            Stage::Outgoing(outgoing) => outgoing.forks.first_mut().ok_or(EndpointError::WrongState)?,
            Stage::Confirmed(session) => session,
            _ => return Err(EndpointError::WrongState),
        };
        let busy =
            session.ours.is_some() || (body.is_some() && (session.is_busy() || session.exchange == Exchange::Wanted));
        if busy || !session.peer_allows_update {
            return Err(EndpointError::WrongState);
        }
        session.ours = Some(OurRequest::new(Method::Update, body, false));
        session.send_ours(core, now, id, &mut self.common);
        Ok(())
    }

    pub fn info(&mut self, core: &mut Core, now: Now, headers: &Headers, body: &Body) -> Result<(), EndpointError> {
        self.send_inside(core, now, Method::Info, headers, body)
    }

    pub fn message(&mut self, core: &mut Core, now: Now, headers: &Headers, body: &Body) -> Result<(), EndpointError> {
        self.send_inside(core, now, Method::Message, headers, body)
    }

    fn send_inside(
        &mut self,
        core: &mut Core,
        now: Now,
        method: Method,
        headers: &Headers,
        body: &Body,
    ) -> Result<(), EndpointError> {
        let Stage::Confirmed(session) = &mut self.stage else { return Err(EndpointError::WrongState) };
        let mut request = session.dialog.request(method);
        request.headers.extend(headers);
        request.set_body(Some(body));
        session.send(core, now, self.id, &mut self.common, request);
        Ok(())
    }

    /// The dialog whose request of ours `tx` is.
    fn session_of(&mut self, tx: ClientId) -> Option<&mut Session> {
        let is_it = |session: &&mut Session| session.ours.as_ref().is_some_and(|ours| ours.tx == Some(tx));
        match &mut self.stage {
            Stage::Incoming(incoming) => Some(&mut incoming.session).filter(is_it),
            Stage::Outgoing(outgoing) => outgoing.forks.iter_mut().find(is_it),
            Stage::Confirmed(session) | Stage::Ending(session) => Some(&mut **session).filter(is_it),
            Stage::Gone => None,
        }
    }

    /// Whether a response to `tx` is for this call. Those that come too late are not; nor is the 2xx of a fork.
    pub fn claims(&mut self, tx: ClientId, method: &Method, response: &Response) -> bool {
        let outgoing = matches!(&self.stage, Stage::Outgoing(outgoing) if outgoing.tx == tx);
        match method {
            Method::Invite => {
                outgoing || self.owes_ack(tx, response) || self.session_of(tx).is_some() && !self.is_over()
            }
            Method::Update => self.session_of(tx).is_some() && !self.is_over(),
            _ => true,
        }
    }

    /// Whether this 2xx came before and waits for our user's answer.
    fn owes_ack(&self, tx: ClientId, response: &Response) -> bool {
        matches!(&self.stage, Stage::Confirmed(session) if session.owed_ack.is_some_and(|owed| owed.tx == tx)
            && session.dialog.remote_tag == response.to_tag())
    }

    /// A response to a re-INVITE or UPDATE.
    pub(super) fn on_modify_response(
        &mut self,
        core: &mut Core,
        now: Now,
        tx: ClientId,
        method: &Method,
        response: &Response,
    ) {
        let status = response.status;
        if status.is_provisional() || self.session_of(tx).is_none() {
            return;
        }
        if status.is_success() {
            self.on_modified(core, now, tx, method, response);
        } else if matches!(status, StatusCode::CALL_DOES_NOT_EXIST | StatusCode::REQUEST_TIMEOUT) {
            self.lose(core, now, EndedBy::DialogLost);
        } else if !self.try_again(core, now, tx, response) {
            self.on_modify_refused(core, now, tx, status, response.retry_after().map(|after| after.duration()));
        }
    }

    fn on_modified(&mut self, core: &mut Core, now: Now, tx: ClientId, method: &Method, response: &Response) {
        let id = self.id;
        let is_invite = *method == Method::Invite;
        let confirmed = matches!(self.stage, Stage::Confirmed(_));
        self.common.proof.digest.accepted(None);
        let Some(session) = self.session_of(tx) else { return };
        let Some(ours) = session.ours.take() else { return };
        session.refresh_target(&response.headers, None);
        let body = lenient_description(&response.headers, &response.body);
        let asked = || core.transactions.client(tx).and_then(|tx| tx.parsed_request()?.cseq().ok());
        let cseq = response.cseq().ok().or_else(asked).map(|cseq| cseq.number).unwrap_or_default();
        let owed = OwedAck { tx, cseq };
        if confirmed {
            let timer = SessionTimer::from_response(&session.terms, ours.asked.as_ref(), response);
            session.restart_timer(core, now, id, timer);
        }
        if is_invite && ours.body.is_none() && body.is_some() {
            // A late offer: our user's answer goes into the ACK.
            session.exchange = Exchange::RemoteOffer;
            session.remote_body.clone_from(&body);
            session.owed_ack = Some(owed);
            let patience = core.config.timing.patience() / 2;
            core.set_call_timer(now, id, InviteTimer::AnswerOverdue, patience);
            return core.event(Event::Offer { invite: id, body, method: Method::Invite });
        }
        let offered = ours.body.is_some();
        if offered {
            session.exchange = Exchange::Settled;
            session.local_body = ours.body;
            session.changed = true;
        }
        let unchanged = ours.refresh && body == session.remote_body;
        if body.is_some() && offered {
            session.remote_body.clone_from(&body);
        }
        match body {
            Some(body) if offered && !unchanged => core.event(Event::Answer { invite: id, body }),
            None if offered && !ours.refresh => {
                core.event(Event::OfferFailed { invite: id, status: StatusCode::BAD_REQUEST });
            }
            _ => {}
        }
        if is_invite && let Stage::Confirmed(session) = &mut self.stage {
            session.acknowledge(core, &mut self.common, owed, None);
        }
    }

    /// Whether a refusal is one that we can do something about.
    fn try_again(&mut self, core: &mut Core, now: Now, tx: ClientId, response: &Response) -> bool {
        let id = self.id;
        let mut common = std::mem::replace(&mut self.common, super::session::Common::empty());
        let again =
            self.session_of(tx).is_some_and(|session| session.try_again(core, now, id, &mut common, tx, response));
        self.common = common;
        again
    }

    /// `after`: when the peer wants to be asked again.
    fn on_modify_refused(
        &mut self,
        core: &mut Core,
        now: Now,
        tx: ClientId,
        status: StatusCode,
        after: Option<Duration>,
    ) {
        let id = self.id;
        let Some(session) = self.session_of(tx) else { return };
        let Some(ours) = session.ours.take() else { return };
        if ours.body.is_some() {
            session.exchange = Exchange::Settled;
        }
        if ours.refresh {
            if status == StatusCode::METHOD_NOT_ALLOWED || status == StatusCode::NOT_IMPLEMENTED {
                session.peer_allows_update = false;
            }
            // The session goes on until it expires; perhaps the next try is luckier. It comes when the peer wants it,
            // but not so late that the session is over by then.
            let expiry = core.timers.get(Timer::Invite(id, InviteTimer::Expiry));
            let left = expiry.map(|at| at.saturating_duration_since(now.instant)).unwrap_or(Duration::MAX);
            let wait = after.unwrap_or(REFRESH_AGAIN).min(left / 2).max(REFRESH_AGAIN_LEAST);
            core.set_call_timer(now, id, InviteTimer::Refresh, wait);
        } else {
            core.event(Event::OfferFailed { invite: id, status });
        }
    }

    /// A request of ours that waited may go out: after a 491 (RFC 3261 section 14.1), or for an ACK.
    pub(super) fn on_glare_timer(&mut self, core: &mut Core, now: Now) {
        let id = self.id;
        let session = match &mut self.stage {
            Stage::Incoming(incoming) => &mut incoming.session,
            Stage::Outgoing(outgoing) => {
                let waits = |fork: &&mut Session| fork.ours.as_ref().is_some_and(|ours| ours.tx.is_none());
                let Some(fork) = outgoing.forks.iter_mut().find(waits) else { return };
                fork
            }
            Stage::Confirmed(session) => session,
            Stage::Ending(_) | Stage::Gone => return,
        };
        let Some(ours) = session.ours.as_mut().filter(|ours| ours.tx.is_none()) else { return };
        if ours.overtaken && !ours.refresh {
            session.ours = None;
            return core.event(Event::OfferFailed { invite: id, status: StatusCode::REQUEST_PENDING });
        }
        if ours.refresh && ours.body.is_some() {
            ours.body.clone_from(&session.local_body);
        }
        let unacknowledged = ours.method == Method::Invite && session.awaited_ack.is_some();
        if unacknowledged
            || session.theirs.is_some()
            || matches!(session.exchange, Exchange::RemoteOffer | Exchange::LocalOffer)
        {
            return core.set_call_timer(now, id, InviteTimer::Glare, Duration::from_millis(500));
        }
        session.send_ours(core, now, id, &mut self.common);
    }

    /// The session is to be refreshed: by UPDATE if the peer takes it, else by a re-INVITE that changes nothing.
    pub(super) fn on_refresh_timer(&mut self, core: &mut Core, now: Now) {
        let id = self.id;
        let Stage::Confirmed(session) = &mut self.stage else { return };
        if session.is_busy() || session.awaited_ack.is_some() {
            return core.set_call_timer(now, id, InviteTimer::Refresh, REFRESH_AGAIN);
        }
        let (method, body) = if session.peer_allows_update {
            (Method::Update, None)
        } else {
            (Method::Invite, session.local_body.clone())
        };
        session.ours = Some(OurRequest::new(method, body, true));
        session.send_ours(core, now, id, &mut self.common);
    }

    /// A final response to a PRACK or INFO of ours.
    pub(super) fn on_other_response(&mut self, core: &mut Core, now: Now, tx: ClientId, response: &Response) {
        let status = response.status;
        if status.is_success() {
            self.common.proof.digest.accepted(None);
        }
        if !status.is_failure() {
            return;
        }
        let is_info = core.transactions.client(tx).is_some_and(|it| it.method == Method::Info);
        if is_info && matches!(status, StatusCode::CALL_DOES_NOT_EXIST | StatusCode::REQUEST_TIMEOUT) {
            return self.lose(core, now, EndedBy::DialogLost);
        }
        let session = match &mut self.stage {
            Stage::Confirmed(session) => session,
            Stage::Outgoing(outgoing) => {
                let tag = response.to_tag();
                let Some(fork) = outgoing.forks.iter_mut().find(|fork| fork.dialog.remote_tag == tag) else { return };
                fork
            }
            _ => return,
        };
        session.retry_authorized(core, now, &mut self.common, tx, response);
    }

    /// No response came to a re-INVITE, UPDATE or INFO.
    pub(super) fn on_request_lost(&mut self, core: &mut Core, now: Now, tx: ClientId, failure: Failure) {
        let early = !matches!(self.stage, Stage::Confirmed(_));
        if early {
            return self.on_modify_refused(core, now, tx, failure.status(), None);
        }
        let by = match failure {
            Failure::Timeout => EndedBy::DialogLost,
            Failure::Transport => EndedBy::TransportFailed,
        };
        self.lose(core, now, by);
    }
}

impl OurRequest {
    fn new(method: Method, body: Option<Body>, refresh: bool) -> Self {
        Self { method, tx: None, body, refresh, overtaken: false, attempts: 0, min_se: None, asked: None }
    }
}

impl Session {
    fn try_again(
        &mut self,
        core: &mut Core,
        now: Now,
        id: InviteId,
        common: &mut super::session::Common,
        tx: ClientId,
        response: &Response,
    ) -> bool {
        let initiator = self.dialog.initiator;
        let Some(ours) = self.ours.as_mut().filter(|ours| ours.attempts < MAX_ATTEMPTS) else { return false };
        match response.status {
            StatusCode::REQUEST_PENDING => {
                ours.tx = None;
                if ours.body.is_some() {
                    self.exchange = Exchange::Settled;
                }
                // Whoever made the Call-ID waits longer, so that both do not meet again.
                let units = if initiator { core.rng.random_range(210..=400) } else { core.rng.random_range(0..=200) };
                core.set_call_timer(now, id, InviteTimer::Glare, Duration::from_millis(units * 10));
                true
            }
            StatusCode::SESSION_INTERVAL_TOO_SMALL => {
                let Some(Ok(MinSe(least))) = response.min_se() else { return false };
                if ours.min_se.is_some_and(|before| before >= least) {
                    return false;
                }
                ours.min_se = Some(least);
                self.send_ours(core, now, id, common);
                true
            }
            _ => match self.retry_authorized(core, now, common, tx, response) {
                Some(tx) => {
                    if let Some(ours) = &mut self.ours {
                        ours.tx = Some(tx);
                        ours.attempts += 1;
                    }
                    true
                }
                None => false,
            },
        }
    }

    /// Answers a challenge to a request inside the dialog.
    pub(super) fn retry_authorized(
        &mut self,
        core: &mut Core,
        now: Now,
        common: &mut super::session::Common,
        tx: ClientId,
        response: &Response,
    ) -> Option<ClientId> {
        let cseq = self.dialog.local_cseq.saturating_add(1);
        let credentials = common.proof.credentials.as_ref();
        let again = retry_authorized(core, now, credentials, &mut common.proof.digest, tx, response, cseq)?;
        self.dialog.local_cseq = cseq;
        Some(again)
    }
}
