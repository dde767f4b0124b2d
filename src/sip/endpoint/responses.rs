//! Responses and failures: who they are for, and what is done with those nobody waits for any more.

use super::Endpoint;
use crate::sip::core::{Client, Event, Owner, Proof, authorize, retry_authorized};
use crate::sip::dialog::Dialog;
use crate::sip::flow::Flow;
use crate::sip::invite::session::{Exchange, Session};
use crate::sip::message::{Defect, HeaderName as H, Method, Reason, Response, StatusCode, Tag, check_response};
use crate::sip::transaction::{ClientId, ClientTransaction, Failed};
use crate::types::Now;

impl Endpoint {
    /// A response, perhaps one of which something could not be read. What bears our branch is ours all the same: each
    /// 2xx to an INVITE began a call that somebody pays for, and each refusal ends a wait.
    pub(super) fn on_response(&mut self, now: Now, flow: &Flow, response: Response, defect: Option<Defect>) {
        let defect = defect.or_else(|| check_response(&response).err());
        self.totals.malformed += u64::from(defect.is_some());
        let Some(tx) = self.core.transactions.matching(&response).or_else(|| self.calling_as(&response)) else {
            self.totals.stray_responses += 1;
            return;
        };
        if let Some(defect) = defect.or_else(|| dialog_defect(&response)) {
            let invite = match self.core.transactions.client(tx).map(|it| it.user.owner) {
                Some(Owner::Invite(id)) => Some(id),
                _ => None,
            };
            self.core.event(Event::OddResponse { invite, flow: *flow, status: response.status, defect });
        }
        let Some(tx) = self.core.transactions.receive_response(now, tx, flow, &response) else { return };
        if let Some((owner, method)) = self.core.transactions.client(tx).map(|it| (it.user.owner, it.method.clone())) {
            self.pass_response(now, tx, owner, &method, response);
        }
        // Over reliable transports a finished transaction is forgotten at once, but not before its user has seen it.
        self.core.transactions.sweep_client(tx);
    }

    /// The INVITE whose From tag, which nobody else knows, a response bears whose Via cannot be read.
    fn calling_as(&self, response: &Response) -> Option<ClientId> {
        if response.via_top().is_ok() {
            return None;
        }
        let (from, cseq) = (response.from().ok()?, response.cseq().ok()?);
        let id = *self.tags.get(&Tag::parse(from.tag()?)?)?;
        let is_it = |transaction: &ClientTransaction<Client>| {
            matches!(transaction.user.owner, Owner::Invite(owner) if owner == id)
                && transaction.method == Method::Invite
                && transaction.parsed_request().and_then(|invite| invite.cseq().ok()) == Some(cseq.clone())
        };
        // Rare enough, and known to nobody but our peers, to look through all of them.
        self.core.transactions.find_client(is_it)
    }

    fn pass_response(&mut self, now: Now, tx: ClientId, owner: Owner, method: &Method, response: Response) {
        match owner {
            Owner::Invite(id) => {
                let claimed = self.usages.get_mut(&id).is_some_and(|usage| usage.claims(tx, method, &response));
                if claimed {
                    self.with_usage(id, |usage, core| usage.on_response(core, now, tx, method, response));
                } else if *method == Method::Invite && response.status.is_success() {
                    self.on_stray_success(now, tx, &response);
                }
            }
            Owner::Registration(id) => self.registrations.on_response(&mut self.core, now, id, tx, &response),
            Owner::Ping(id) => {
                self.on_pinged(id, response.status, response.retry_after().map(|retry| retry.duration()), true)
            }
            Owner::Message(id) => self.on_message_answered(id, response.status),
            Owner::Nobody => self.retry_with_auth(now, tx, &response),
        }
    }

    /// Answers the challenge of a BYE of nobody's, once.
    fn retry_with_auth(&mut self, now: Now, tx: ClientId, response: &Response) {
        if response.status.is_provisional() {
            return;
        }
        let Some(mut proof) = self.core.transactions.client_user(tx).and_then(|client| client.proof.take()) else {
            return;
        };
        let transaction = self.core.transactions.client(tx);
        let Some(cseq) = transaction.and_then(|it| it.parsed_request()).and_then(|request| request.cseq().ok()) else {
            return;
        };
        let (core, cseq) = (&mut self.core, cseq.number.saturating_add(1));
        retry_authorized(core, now, proof.credentials.as_ref(), &mut proof.digest, tx, response, cseq);
    }

    /// A 2xx to an INVITE of ours that nobody wants any more: of a fork that answered too late, of a call that was
    /// given up, of a re-INVITE in a call that ended. It is acknowledged, and what it began is ended.
    fn on_stray_success(&mut self, now: Now, tx: ClientId, response: &Response) {
        let limit = self.core.config.limits.answers;
        let Some(transaction) = self.core.transactions.client(tx).filter(|it| it.ack_count() < limit) else { return };
        let Some(invite) = transaction.parsed_request() else { return };
        let flow = transaction.flow;
        let reason = transaction.cancel_reason.clone();
        // Of a fork whose sister was answered, the call is there still.
        let usage = || match transaction.user.owner {
            Owner::Invite(id) => self.usages.get(&id).map(|usage| &usage.common.proof),
            _ => None,
        };
        let mut proof = transaction.user.proof.as_deref().or_else(usage).and_then(Proof::lasting);
        let inside = invite.to().is_ok_and(|to| to.tag().is_some());
        let tag = invite.from().ok().and_then(|from| from.tag().and_then(Tag::parse));
        let (Some(tag), Ok(cseq)) = (tag, invite.cseq()) else { return };
        let Ok(dialog) = Dialog::calling(&invite, response, tag) else { return };
        let mut session = Session::new(dialog, flow, None, Exchange::Settled, self.core.config.terms());
        let mut ack = session.dialog.ack(cseq.number);
        if inside {
            ack.headers.remove(&H::Route);
            ack.headers.copy_all(&H::Route, &invite.headers);
        }
        let peer = session.flow.peer();
        let may_see = |proof: &Proof| proof.credentials.as_ref().is_some_and(|credentials| credentials.are_for(peer));
        if peer == flow.peer() || proof.as_ref().is_some_and(may_see) {
            ack.headers.copy_all(&H::Authorization, &invite.headers);
            ack.headers.copy_all(&H::ProxyAuthorization, &invite.headers);
        }
        self.core.transactions.acknowledge(tx, session.dialog.remote_tag.clone(), ack, session.flow);
        if !inside {
            let mut bye = session.dialog.request(Method::Bye);
            match &reason {
                Some(reason) => bye.headers.push_display(H::Reason, reason),
                None => bye.headers.push_display(H::Reason, &Reason::sip(StatusCode::OK, "Call completed elsewhere")),
            }
            if let Some(proof) = &mut proof {
                proof.digest.accepted(None);
                authorize(proof, &mut bye, &session.flow);
            }
            let client = Client { owner: Owner::Nobody, proof: proof.map(Box::new) };
            self.core.transactions.start(now, bye, session.flow, client);
        }
    }

    pub(super) fn on_failure(&mut self, now: Now, failed: Failed<Client>) {
        let Failed { tx, user, method, failure } = failed;
        match user.owner {
            Owner::Invite(id) => {
                self.with_usage(id, |usage, core| usage.on_failure(core, now, tx, &method, failure));
            }
            Owner::Registration(id) => {
                self.registrations.on_failure(&mut self.core, now, id, failure.status());
            }
            Owner::Ping(id) => self.on_pinged(id, failure.status(), None, false),
            Owner::Message(id) => self.on_message_answered(id, failure.status()),
            Owner::Nobody => {}
        }
    }

    pub(super) fn on_flow_closed(&mut self, now: Now, flow: &Flow) {
        if let Some(calls) = flow.connection.and_then(|connection| self.connections.remove(&connection)) {
            for id in calls {
                self.with_usage(id, |usage, core| {
                    usage.connection = None;
                    usage.on_flow_closed(core, flow);
                });
            }
        }
        self.on_send_failed(now, flow);
    }

    pub(super) fn on_send_failed(&mut self, now: Now, flow: &Flow) {
        for failed in self.core.transactions.fail_flow(now, flow) {
            self.on_failure(now, failed);
        }
    }
}

/// What a 2xx to an INVITE says of its dialog that cannot be read and is done without.
fn dialog_defect(response: &Response) -> Option<Defect> {
    let is_answer = response.status.is_success() && response.cseq().is_ok_and(|cseq| cseq.method == Method::Invite);
    if !is_answer {
        return None;
    }
    if response.headers.contains(&H::Contact) && response.contact().is_err() {
        return Some(Defect::Malformed("Contact"));
    }
    response.headers.addresses(&H::RecordRoute).is_err().then_some(Defect::Malformed("Record-Route"))
}
