//! Calls of ours, until they are answered (RFC 3261 section 13.2), forked or not.

use super::session::{Exchange, OwedAck, Session};
use super::session_timer::SessionTimer;
use super::{Stage, Usage, lenient_description};
use crate::sip::core::{Core, Event, InviteTimer, Terms, retry_authorized};
use crate::sip::dialog::Dialog;
use crate::sip::flow::Flow;
use crate::sip::message::{Body, HeaderName as H, Method, MinSe, RAck, Response, SessionExpires, StatusCode, Tag};
use crate::sip::transaction::ClientId;
use crate::types::Now;

/// Challenges and too short intervals answered before the call is given up.
const MAX_ATTEMPTS: u8 = 5;

/// An INVITE of ours without a final response.
pub(crate) struct Outgoing {
    pub tx: ClientId,
    pub cseq: u32,
    pub flow: Flow,
    /// Our offer; `None`: the peer is to make it.
    pub offer: Option<Body>,
    pub attempts: u8,
    /// What holds with this peer.
    pub terms: Terms,
    /// The early dialogs: one for each place it forked to.
    pub forks: Vec<Session>,
}

impl Usage {
    /// A response to our first INVITE.
    pub(super) fn on_answer(&mut self, core: &mut Core, now: Now, response: Response) {
        if response.status.is_provisional() {
            self.on_progress(core, now, &response);
        } else if response.status.is_success() {
            self.on_success(core, now, response);
        } else {
            self.on_refusal(core, now, response);
        }
    }

    fn on_progress(&mut self, core: &mut Core, now: Now, response: &Response) {
        let Stage::Outgoing(outgoing) = &mut self.stage else { return };
        let id = self.id;
        let status = response.status;
        if status == StatusCode::TRYING {
            return core.event(Event::Trying { invite: id });
        }
        let body = lenient_description(&response.headers, &response.body);
        let tag = response.to_tag();
        if tag.is_empty() {
            return core.event(Event::Progress { invite: id, status, body });
        }
        let (offered, cseq) = (outgoing.offer.is_some(), outgoing.cseq);
        let Some(session) = outgoing.fork(core, &tag, response, self.local_tag) else { return };
        session.update_allow(&response.headers);
        let reliable = response.rseq().filter(|_| response.requires("100rel"));
        let Some(rseq) = reliable else {
            let body = body.filter(|_| offered);
            return core.event(Event::Progress { invite: id, status, body });
        };
        // A repeated one is dropped, and so is one that overtook another (RFC 3262 section 4).
        if session.remote_rseq.is_some_and(|latest| rseq.0 != latest.wrapping_add(1)) || session.owed_prack.is_some() {
            return;
        }
        session.remote_rseq = Some(rseq.0);
        let rack = RAck { rseq: rseq.0, cseq, method: Method::Invite };
        let body = body.filter(|_| matches!(session.exchange, Exchange::LocalOffer | Exchange::Wanted));
        if session.exchange == Exchange::Wanted && body.is_some() {
            session.exchange = Exchange::RemoteOffer;
            session.owed_prack = Some(rack);
            session.remote_body.clone_from(&body);
            let patience = core.config.timing.patience() / 2;
            core.set_call_timer(now, id, InviteTimer::AnswerOverdue, patience);
            core.event(Event::Progress { invite: id, status, body: None });
            return core.event(Event::Offer { invite: id, body, method: Method::Invite });
        }
        if body.is_some() {
            session.exchange = Exchange::Settled;
            session.remote_body.clone_from(&body);
        }
        session.send_prack(core, now, id, &mut self.common, &rack, None);
        core.event(Event::Progress { invite: id, status, body });
    }

    fn on_success(&mut self, core: &mut Core, now: Now, response: Response) {
        let id = self.id;
        let Stage::Outgoing(outgoing) = std::mem::replace(&mut self.stage, Stage::Gone) else { return };
        let mut outgoing = *outgoing;
        let tag = response.to_tag();
        let invite = core.transactions.client(outgoing.tx).and_then(|tx| tx.parsed_request());
        let asked = invite.as_ref().and_then(|invite| invite.session_expires()?.ok());
        let dialog = invite.and_then(|invite| Dialog::calling(&invite, &response, self.local_tag).ok());
        let Some(dialog) = dialog else {
            // A 2xx nobody can make a dialog of; another one may come.
            self.stage = Stage::Outgoing(outgoing.into());
            return;
        };
        for timer in [InviteTimer::Unanswered, InviteTimer::AnswerOverdue] {
            core.clear_call_timer(id, timer);
        }
        let mut session = match outgoing.forks.iter().position(|fork| *fork.dialog.remote_tag == *tag) {
            Some(at) => {
                let mut session = outgoing.forks.swap_remove(at);
                session.confirm(dialog);
                session
            }
            None => outgoing.session(dialog),
        };
        for mut other in outgoing.forks.drain(..) {
            other.refuse_waiting(core, now);
        }
        session.update_allow(&response.headers);
        let offered = outgoing.offer.is_some();
        let owed = OwedAck { tx: outgoing.tx, cseq: outgoing.cseq };
        let body = lenient_description(&response.headers, &response.body);
        let (body, needs_answer) = match session.exchange {
            Exchange::LocalOffer => (body, false),
            Exchange::Wanted => {
                let has_offer = body.is_some();
                (body, has_offer)
            }
            // Answered in a reliable response already; nothing to tell if it was changed since.
            _ => (session.remote_body.clone().filter(|_| !session.changed && offered), false),
        };
        if body.is_some() {
            session.remote_body.clone_from(&body);
        }
        if needs_answer {
            session.exchange = Exchange::RemoteOffer;
            session.owed_ack = Some(owed);
            let patience = core.config.timing.patience() / 2;
            core.set_call_timer(now, id, InviteTimer::AnswerOverdue, patience);
        } else {
            if session.owed_prack.is_none() && session.theirs.is_none() {
                session.exchange = Exchange::Settled;
            }
            session.acknowledge(core, &mut self.common, owed, None);
        }
        let timer = SessionTimer::from_response(&session.terms, asked.as_ref(), &response);
        session.restart_timer(core, now, id, timer);
        self.common.proof.digest.accepted(None);
        self.stage = Stage::Confirmed(session.into());
        core.event(Event::Answered { invite: id, response: response.into(), body, needs_answer });
    }

    fn on_refusal(&mut self, core: &mut Core, now: Now, response: Response) {
        let Stage::Outgoing(outgoing) = &mut self.stage else { return };
        let cseq = outgoing.next_cseq();
        let again = if outgoing.attempts >= MAX_ATTEMPTS {
            None
        } else if response.status == StatusCode::SESSION_INTERVAL_TOO_SMALL {
            retry_longer(core, now, outgoing.tx, &response, cseq)
        } else {
            let credentials = self.common.proof.credentials.as_ref();
            retry_authorized(core, now, credentials, &mut self.common.proof.digest, outgoing.tx, &response, cseq)
        };
        match again {
            Some(tx) => {
                for mut fork in outgoing.forks.drain(..) {
                    fork.refuse_waiting(core, now);
                }
                (outgoing.tx, outgoing.cseq) = (tx, cseq);
                outgoing.attempts += 1;
            }
            None => self.fail(core, now, response.status, Some(response)),
        }
    }

    /// The call did not come about.
    pub(super) fn fail(&mut self, core: &mut Core, now: Now, status: StatusCode, response: Option<Response>) {
        if let Stage::Outgoing(outgoing) = std::mem::replace(&mut self.stage, Stage::Gone) {
            for mut fork in outgoing.forks {
                fork.refuse_waiting(core, now);
            }
            core.event(Event::Failed { invite: self.id, status, response: response.map(Box::new) });
        }
    }
}

impl Outgoing {
    /// The early dialog with this tag, made if it is new and there is room.
    fn fork(&mut self, core: &Core, tag: &str, response: &Response, local_tag: Tag) -> Option<&mut Session> {
        let known = self.forks.iter().position(|fork| *fork.dialog.remote_tag == *tag);
        let at = match known {
            Some(at) => at,
            None if self.forks.len() >= core.config.limits.forks => return None,
            None => {
                let invite = core.transactions.client(self.tx)?.parsed_request()?;
                let dialog = Dialog::calling(&invite, response, local_tag).ok()?;
                let session = self.session(dialog);
                self.forks.push(session);
                self.forks.len() - 1
            }
        };
        self.forks.get_mut(at)
    }

    fn session(&self, dialog: Dialog) -> Session {
        let exchange = if self.offer.is_some() { Exchange::LocalOffer } else { Exchange::Wanted };
        let mut session = Session::new(dialog, self.flow, None, exchange, self.terms);
        session.local_body.clone_from(&self.offer);
        session
    }

    /// The CSeq number for the INVITE's next try: above all that the early dialogs used.
    fn next_cseq(&self) -> u32 {
        let used = self.forks.iter().map(|fork| fork.dialog.local_cseq).max().unwrap_or(0).max(self.cseq);
        used.saturating_add(1)
    }
}

/// Asks again with the interval the peer wants (RFC 4028 section 7.3).
fn retry_longer(core: &mut Core, now: Now, tx: ClientId, response: &Response, cseq: u32) -> Option<ClientId> {
    let mut request = core.transactions.client(tx)?.parsed_request()?;
    let MinSe(least) = response.min_se()?.ok()?;
    let before = request.session_expires()?.ok()?;
    if least <= before.seconds {
        return None;
    }
    request.headers.set_display(H::SessionExpires, &SessionExpires { seconds: least, ..before });
    request.headers.set(H::MinSe, least.to_string());
    core.transactions.resend(now, tx, request, cseq)
}
