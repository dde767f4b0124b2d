//! What comes in: which transaction, which dialog, or something new (RFC 3261 sections 8.2, 9.2, 12.2.2, 17.2.3).

use bytes::Bytes;

use super::{Admission, Admitted, Endpoint, Policy};
use crate::sip::core::{
    Event, InviteId, InviteTimer, ReliableProvisional, RequestId, check_accept, check_body, check_require,
    check_scheme, elsewhere,
};
use crate::sip::dialog::Dialog;
use crate::sip::flow::Flow;
use crate::sip::invite::session::{Exchange, Session};
use crate::sip::invite::session_timer::agree;
use crate::sip::invite::{Incoming, Stage, Usage, ending::reason_of};
use crate::sip::message::{HeaderName as H, Message, Method, ParseError, Request, StatusCode, Tag, check_request};
use crate::sip::transaction::{Absorbed, Key, Received, Reply, ServerId, summary};
use crate::types::Now;

impl Endpoint {
    pub(super) fn on_message(&mut self, now: Now, flow: Flow, bytes: &Bytes, policy: &mut dyn Policy) {
        self.totals.received += 1;
        match Message::parse(bytes) {
            Ok(message) => {
                self.core.transactions.trace_received(&flow, &message);
                match message {
                    Message::Request(request) => self.on_request(now, flow, request, policy),
                    Message::Response(response) => self.on_response(now, &flow, response, None),
                }
            }
            Err(ParseError::KeepAlive) => {}
            Err(ParseError::Response { defect, stub: Some(response) }) => {
                self.on_response(now, &flow, *response, Some(defect));
            }
            Err(error) => {
                self.totals.malformed += 1;
                if let (Some(stub), Some(status)) = (error.stub(), error.status()) {
                    self.refuse_malformed(flow, stub, status, policy);
                }
            }
        }
    }

    fn refuse_malformed(&mut self, flow: Flow, request: &Request, status: StatusCode, policy: &mut dyn Policy) {
        let silent = matches!(policy.admit(request, &flow), Admission::Drop | Admission::Challenge(_));
        let status = (!silent).then_some(status);
        if let Some(status) = status {
            self.core.transactions.respond_unread(request, flow, status);
        }
        self.core.event(Event::Refused { summary: summary(request), flow, status, rule: "malformed" });
    }

    fn on_request(&mut self, now: Now, flow: Flow, request: Request, policy: &mut dyn Policy) {
        if let Err(defect) = check_request(&request) {
            self.totals.malformed += 1;
            if request.method != Method::Ack {
                self.refuse_malformed(flow, &request, defect.status(), policy);
            }
            return;
        }
        let Some(received) = Received::read(request, flow) else { return };
        match received.request.method {
            Method::Ack => return self.on_ack(now, &received),
            Method::Cancel => return self.on_cancel(now, &received, policy),
            _ => {}
        }
        let key = self.core.transactions.key(&received, &received.request.method);
        if self.core.transactions.absorb(now, &key, &received.request.method).is_some() {
            return;
        }
        if received.request.method == Method::Invite && self.core.transactions.is_turned_away(now, &key) {
            return self.turn_away(now, &received, key);
        }
        let dialog = received.to_tag.as_deref().and_then(|tag| self.dialog_of(tag, &received));
        if let Some(id) = dialog {
            if !is_kept_from_limits(&received.request.method) && self.is_over_limit(now, &received, key) {
                return;
            }
            let exposes = self.usages.get_mut(&id).is_some_and(|usage| usage.is_exposed_by(&received));
            if exposes && received.request.method != Method::Bye {
                return self.refuse_exposed(now, &received, key);
            }
            let tx = self.core.transactions.open(&received, key, None);
            self.core.transactions.set_server_user(tx, id);
            if !exposes {
                self.relist(id, &received.flow);
            }
            return self.with_usage(id, |usage, core| usage.on_request(core, now, received, tx)).unwrap_or_default();
        }
        let is_options = received.request.method == Method::Options;
        let may_merge = received.to_tag.is_none() && !is_options;
        let recognised_by = may_merge.then(|| self.core.transactions.merged_key(&received));
        let merged = recognised_by.is_some_and(|key| self.core.transactions.is_merged(&key));
        let admission =
            if merged { Admission::Reject(StatusCode::LOOP_DETECTED) } else { policy.admit(&received.request, &flow) };
        let admitted = match admission {
            Admission::Drop => return self.refused(&received, None, "not admitted"),
            Admission::Challenge(challenges) => return self.challenge(&received, key, &challenges),
            Admission::Accept(admitted) => Ok(admitted),
            Admission::Reject(status) => Err(status),
        };
        if is_options {
            return self.answer_options(&received, key, admitted.err());
        }
        if self.is_over_limit(now, &received, key) {
            return;
        }
        let tx = self.core.transactions.open(&received, key, recognised_by.filter(|_| !merged));
        match admitted {
            Ok(admitted) => self.on_new_request(now, received, tx, admitted),
            Err(status) => {
                self.refused(&received, Some(status), if merged { "merged request" } else { "rejected by policy" });
                self.core.transactions.respond(now, tx, Reply::new(status));
            }
        }
    }

    pub(super) fn refused(&mut self, received: &Received, status: Option<StatusCode>, rule: &'static str) {
        self.totals.refused += 1;
        self.core.event(Event::Refused { summary: summary(&received.request), flow: received.flow, status, rule });
    }

    /// A request by a transport that anybody may read, in a dialog that began over one that nobody can: an answer would
    /// carry our media keys, and what comes after it would follow. Nothing changes. BYE alone is obeyed: it carries no
    /// keys, moves no dialog, and a call whose peer hung up would only be left standing.
    fn refuse_exposed(&mut self, now: Now, received: &Received, key: Key) {
        let status = StatusCode::FORBIDDEN;
        let tx = self.core.transactions.open(received, key, None);
        self.refused(received, Some(status), "its call began over an encrypted transport");
        self.core.transactions.respond(now, tx, Reply::new(status));
    }

    /// The call whose dialog a request with our tag in To belongs to.
    fn dialog_of(&mut self, tag: &str, received: &Received) -> Option<InviteId> {
        let id = *self.tags.get(&Tag::parse(tag)?)?;
        self.usages.get_mut(&id)?.has_dialog(received).then_some(id)
    }

    fn on_ack(&mut self, now: Now, received: &Received) {
        let absorbed =
            self.core.transactions.absorb(now, &self.core.transactions.key(received, &Method::Invite), &Method::Ack);
        if matches!(absorbed, Some((_, Absorbed::Yes))) {
            return;
        }
        let id = received.to_tag.as_deref().and_then(|tag| self.dialog_of(tag, received));
        // An answer in the clear, with the peer's keys in it, is none.
        let shows_keys = |usage: &mut Usage| usage.is_exposed_by(received) && !received.request.body.is_empty();
        let id = id.filter(|id| !self.usages.get_mut(id).is_some_and(shows_keys));
        let awaited = id.and_then(|id| self.with_usage(id, |usage, core| usage.on_ack(core, now, received)));
        if awaited != Some(true) {
            self.totals.stray_acks += 1;
        }
    }

    fn on_cancel(&mut self, now: Now, received: &Received, policy: &mut dyn Policy) {
        let key = self.core.transactions.key(received, &Method::Cancel);
        if self.core.transactions.absorb(now, &key, &Method::Cancel).is_some() {
            return;
        }
        let invite = self.core.transactions.find(&self.core.transactions.key(received, &Method::Invite));
        let Some(invite) = invite else {
            let admission = policy.admit(&received.request, &received.flow);
            if matches!(admission, Admission::Drop | Admission::Challenge(_)) {
                return self.refused(received, None, "not admitted");
            }
            if self.is_over_limit(now, received, key) {
                return;
            }
            let tx = self.core.transactions.open(received, key, None);
            return self.core.transactions.respond(now, tx, Reply::new(StatusCode::CALL_DOES_NOT_EXIST));
        };
        let tx = self.core.transactions.open(received, key, None);
        let owner = self.core.transactions.server_user(invite);
        if let Some(usage) = owner.and_then(|id| self.usages.get(&id)) {
            self.core.transactions.tag(tx, &usage.local_tag.to_string());
        }
        self.core.transactions.respond(now, tx, Reply::new(StatusCode::OK));
        if let Some(id) = owner
            && self.core.transactions.is_pending(invite)
        {
            let reason = reason_of(&received.request.headers);
            self.with_usage(id, |usage, core| usage.on_cancel(core, now, invite, reason));
        }
    }

    fn on_new_request(&mut self, now: Now, received: Received, tx: ServerId, admitted: Admitted) {
        let request = &received.request;
        let inside_only =
            matches!(request.method, Method::Bye | Method::Prack | Method::Update | Method::Info | Method::Notify);
        if inside_only || (received.to_tag.is_some() && is_known(&request.method)) {
            self.refused(&received, Some(StatusCode::CALL_DOES_NOT_EXIST), "no such call");
            return self.core.transactions.respond(now, tx, Reply::new(StatusCode::CALL_DOES_NOT_EXIST));
        }
        if request.method == Method::Register && admitted.may_register && request.uri.is_sip() {
            let flow = received.response_flow();
            let request = Box::new(received.request);
            return self.core.event(Event::Registering { id: RequestId(tx), peer: admitted.peer, request, flow });
        }
        if request.method == Method::Message
            && admitted.terms.is_some_and(|terms| terms.messages)
            && check_require(request, None).is_ok()
            && request.uri.is_sip()
        {
            let request = Box::new(received.request);
            return self.core.event(Event::Messaged { id: RequestId(tx), peer: admitted.peer, request });
        }
        let (summary, flow) = (summary(request), received.flow);
        let reply = if request.method == Method::Invite {
            match self.on_invite(now, received, tx, admitted) {
                Ok(()) => return,
                Err(reply) => reply,
            }
        } else {
            elsewhere(request)
        };
        if let Some(rule) = rule_of(reply.status) {
            self.totals.refused += 1;
            self.core.event(Event::Refused { summary, flow, status: Some(reply.status), rule });
        }
        self.core.transactions.respond(now, tx, reply);
    }

    fn on_invite(&mut self, now: Now, received: Received, tx: ServerId, admitted: Admitted) -> Result<(), Reply> {
        let request = &received.request;
        let terms = admitted.terms.unwrap_or(self.core.config.terms());
        check_scheme(request)?;
        check_require(request, Some(&terms))?;
        if terms.reliable_provisional == ReliableProvisional::Never && request.requires("100rel") {
            return Err(Reply::new(StatusCode::BAD_EXTENSION).with(H::Unsupported, "100rel"));
        }
        let offer = check_body(request)?;
        check_accept(request)?;
        let replaces = self.replaced(request, &terms)?;
        let agreed = agree(&terms, None, request)
            .map_err(|least| Reply::new(StatusCode::SESSION_INTERVAL_TOO_SMALL).with(H::MinSe, least.to_string()))?;
        if self.usages.len() >= self.core.config.limits.calls {
            self.totals.limited += 1;
            return Err(Reply::new(StatusCode::SERVICE_UNAVAILABLE).with(H::RetryAfter, "5"));
        }
        let local_tag = self.core.new_tag();
        let cseq = self.core.new_cseq();
        let dialog = Dialog::answering(request, local_tag, cseq).map_err(|_| Reply::new(StatusCode::BAD_REQUEST))?;
        self.core.transactions.tag(tx, &local_tag.to_string());
        let id = InviteId(self.core.next_id());
        self.core.transactions.set_server_user(tx, id);
        let exchange = if offer.is_some() { Exchange::RemoteOffer } else { Exchange::Wanted };
        let mut session = Session::new(dialog, received.response_flow(), received.sent_by(), exchange, terms);
        session.update_allow(&request.headers);
        session.remote_body.clone_from(&offer);
        let mut usage = Usage::new(id, local_tag, None, None);
        usage.stage = Stage::Incoming(Incoming::new(&mut self.core, &received, tx, session, agreed).into());
        self.core.transactions.respond(now, tx, Reply::new(StatusCode::TRYING));
        let patience = self.core.config.answer_timeout;
        self.core.set_call_timer(now, id, InviteTimer::Unanswered, patience);
        self.add_usage(usage, &received.flow);
        let Received { request, flow, .. } = received;
        self.core.event(Event::Incoming {
            invite: id,
            peer: admitted.peer,
            request: request.into(),
            flow,
            offer,
            replaces,
        });
        Ok(())
    }
}

/// The rule by which a request was refused, for the log; `None` when it was not.
pub(super) fn rule_of(status: StatusCode) -> Option<&'static str> {
    Some(match status {
        // 422 is a step of a negotiation: the peer calls again with a longer interval.
        StatusCode::OK | StatusCode::SESSION_INTERVAL_TOO_SMALL => return None,
        StatusCode::BAD_REQUEST => "it makes no dialog",
        StatusCode::CALL_DOES_NOT_EXIST | StatusCode::DECLINE => "the call it is to replace is not there",
        StatusCode::BUSY_HERE => "the call it is to replace is answered",
        StatusCode::FORBIDDEN => "its trunk does not say replaces = true",
        StatusCode::METHOD_NOT_ALLOWED => "a method we do not take",
        StatusCode::NOT_ACCEPTABLE => "it accepts no session description",
        StatusCode::UNSUPPORTED_MEDIA_TYPE => "a body we cannot read",
        StatusCode::UNSUPPORTED_URI_SCHEME => "a URI scheme we do not know",
        StatusCode::BAD_EXTENSION => "it requires what we do not support",
        StatusCode::NOT_IMPLEMENTED => "an unknown method",
        StatusCode::SERVICE_UNAVAILABLE => "too many calls",
        _ => "it cannot be served",
    })
}

/// Whether a request inside a call is taken whatever limits say: what ends the call, refreshes it or brings it about.
/// Each makes an end of something or is answered at once, and the call was let in.
fn is_kept_from_limits(method: &Method) -> bool {
    matches!(method, Method::Bye | Method::Invite | Method::Update | Method::Prack)
}

fn is_known(method: &Method) -> bool {
    !matches!(method, Method::Other(_))
}
