//! The methods by which the endpoint's user makes and runs calls.

use super::Endpoint;
use crate::sip::core::{Core, EndpointError, InviteId, InviteTimer, OutgoingInvite, Owner, add_extra, seconds};
use crate::sip::invite::{Outgoing, Stage, Usage};
use crate::sip::message::{
    Body, HeaderName as H, Headers, Method, MinSe, NameAddr, Reason, Request, Scheme, StatusCode,
};
use crate::types::{Network, Now};

impl Endpoint {
    /// Tells the caller that we are at it: 180, or 183 with a description of early media. Sent reliably where
    /// [`EndpointConfig::reliable_provisional`](super::EndpointConfig::reliable_provisional) and the peer say so; then
    /// the description is the answer, or our offer if the INVITE had none.
    ///
    /// # Errors
    /// [`EndpointError::WrongState`] after the final response, and for a status outside 101-199.
    pub fn provisional(
        &mut self,
        now: Now,
        id: InviteId,
        status: StatusCode,
        body: Option<Body>,
    ) -> Result<(), EndpointError> {
        self.on_call(id, |usage, core| usage.provisional(core, now, status, body))
    }

    /// Answers the call with 200. `body` is our answer, or our offer if the INVITE had none; it is left out when offer
    /// and answer went through reliable provisional responses.
    ///
    /// # Errors
    /// [`EndpointError::WrongState`] after the final response, and while an offer in a PRACK waits for `answer_offer`.
    pub fn accept(&mut self, now: Now, id: InviteId, body: Body) -> Result<(), EndpointError> {
        self.on_call(id, |usage, core| usage.accept(core, now, body))
    }

    /// Refuses or redirects the call; `Ended` by `Local` is queued.
    ///
    /// # Errors
    /// [`EndpointError::WrongState`] after the final response, and for a status outside 300-699.
    pub fn reject(
        &mut self,
        now: Now,
        id: InviteId,
        status: StatusCode,
        headers: Headers,
    ) -> Result<(), EndpointError> {
        self.on_call(id, |usage, core| usage.reject(core, now, status, headers))
    }

    /// Ends the call, whatever its state asks for: 603, CANCEL or BYE. `Ended` by `Local` is queued at once; what the
    /// network still needs is done without the user.
    ///
    /// # Errors
    /// [`EndpointError::NoSuchCall`] after the last event.
    pub fn hangup(&mut self, now: Now, id: InviteId, reason: Option<Reason>) -> Result<(), EndpointError> {
        self.on_call(id, |usage, core| usage.hangup(core, now, reason))
    }

    /// Offers anew in an answered call, or with `None` asks the peer to. Leads to `Answer` (or `Offer`) or
    /// `OfferFailed`. While our 2xx is not acknowledged it waits for that.
    ///
    /// # Errors
    /// [`EndpointError::WrongState`] while another offer is open, and before the call is answered.
    pub fn reinvite(&mut self, now: Now, id: InviteId, body: Option<Body>) -> Result<(), EndpointError> {
        self.on_call(id, |usage, core| usage.reinvite(core, now, body))
    }

    /// The same by UPDATE (RFC 3311), also before the call is answered, where the peer allows it.
    ///
    /// # Errors
    /// [`EndpointError::WrongState`] while another offer is open, without a dialog, and when the peer does not allow
    /// UPDATE.
    pub fn update(&mut self, now: Now, id: InviteId, body: Option<Body>) -> Result<(), EndpointError> {
        self.on_call(id, |usage, core| usage.update(core, now, body))
    }

    /// Replies to `Event::Offer`: with our answer (or our offer, if it brought none), or with a refusal, after which
    /// the call goes on as before. An offer in a response cannot be refused: then the call ends.
    ///
    /// # Errors
    /// [`EndpointError::WrongState`] when there is nothing to answer any more.
    pub fn answer_offer(
        &mut self,
        now: Now,
        id: InviteId,
        answer: Result<Body, StatusCode>,
    ) -> Result<(), EndpointError> {
        self.on_call(id, |usage, core| usage.answer_offer(core, now, answer))
    }

    /// Replies to `Event::Answered { needs_answer: true }` with our answer; `None` acknowledges and ends the call.
    ///
    /// # Errors
    /// [`EndpointError::WrongState`] when no answer is needed.
    pub fn acknowledge(&mut self, now: Now, id: InviteId, body: Option<Body>) -> Result<(), EndpointError> {
        self.on_call(id, |usage, core| usage.acknowledge(core, now, body))
    }

    /// Sends an INFO in an answered call (RFC 6086), with these headers beside its own.
    ///
    /// # Errors
    /// [`EndpointError::WrongState`] before the call is answered.
    pub fn info(&mut self, now: Now, id: InviteId, headers: &Headers, body: &Body) -> Result<(), EndpointError> {
        self.on_call(id, |usage, core| usage.info(core, now, headers, body))
    }

    /// Sends a MESSAGE in an answered call (RFC 3428), with these headers beside its own.
    ///
    /// # Errors
    /// [`EndpointError::WrongState`] before the call is answered.
    pub fn message(&mut self, now: Now, id: InviteId, headers: &Headers, body: &Body) -> Result<(), EndpointError> {
        self.on_call(id, |usage, core| usage.message(core, now, headers, body))
    }

    /// Replies to `Event::Referred`: with a success, after which `notify_refer` tells how it goes, or with a refusal,
    /// after which the call goes on as before.
    ///
    /// # Errors
    /// [`EndpointError::WrongState`] when there is nothing to reply to.
    pub fn answer_refer(&mut self, now: Now, id: InviteId, status: StatusCode) -> Result<(), EndpointError> {
        self.on_call(id, |usage, core| usage.answer_refer(core, now, status))
    }

    /// Tells the peer how far the call is that its REFER wanted (RFC 3515 section 2.4.5). A final status is the last
    /// word.
    ///
    /// # Errors
    /// [`EndpointError::WrongState`] without a referral under way, or when the peer does not want to hear of it any
    /// more.
    pub fn notify_refer(&mut self, now: Now, id: InviteId, status: StatusCode) -> Result<(), EndpointError> {
        self.on_call(id, |usage, core| usage.notify_refer(core, now, status))
    }

    /// Asks the peer to call `refer_to` in our place (RFC 3515). Leads to `ReferAccepted` and `ReferProgress`.
    ///
    /// # Errors
    /// [`EndpointError::WrongState`] before the call is answered, and while another referral of ours is under way.
    pub fn refer(&mut self, now: Now, id: InviteId, refer_to: &NameAddr) -> Result<(), EndpointError> {
        self.on_call(id, |usage, core| usage.refer(core, now, refer_to))
    }

    fn on_call(
        &mut self,
        id: InviteId,
        act: impl FnOnce(&mut Usage, &mut Core) -> Result<(), EndpointError>,
    ) -> Result<(), EndpointError> {
        self.with_usage(
            id,
            |usage, core| if usage.is_over() { Err(EndpointError::NoSuchCall) } else { act(usage, core) },
        )
        .unwrap_or(Err(EndpointError::NoSuchCall))
    }

    /// Calls somebody.
    ///
    /// # Errors
    /// [`EndpointError::LimitReached`].
    pub fn invite(&mut self, now: Now, call: OutgoingInvite) -> Result<InviteId, EndpointError> {
        if self.usages.len() >= self.core.config.limits.calls || self.core.transactions.is_full() {
            return Err(EndpointError::LimitReached);
        }
        let id = InviteId(self.core.next_id());
        let local_tag = self.core.new_tag();
        let cseq = self.core.new_cseq();
        let OutgoingInvite { flow, request_uri, from, to, contact_user, headers, body, credentials, route, terms } =
            call;
        let terms = terms.unwrap_or(self.core.config.terms());
        let secure = request_uri.scheme == Scheme::Sips;
        let mut request = Request::new(Method::Invite, request_uri);
        request.headers.push(H::MaxForwards, "70");
        for route in &route {
            request.headers.push_display(H::Route, route);
        }
        request.headers.push_display(H::From, &from.with_tag(local_tag.to_string()));
        request.headers.push_display(H::To, &to);
        request.headers.push(H::CallId, self.core.new_call_id());
        request.headers.push(H::CSeq, format!("{cseq} INVITE"));
        request.headers.push(H::Contact, self.core.contact(&flow, contact_user.as_deref(), secure));
        request.headers.push(H::Allow, terms.allow());
        request.headers.push(H::Supported, terms.supported());
        if let Some(expires) = terms.session_expires {
            let least = seconds(terms.min_session_expires);
            request.headers.push(H::SessionExpires, seconds(expires).max(least).to_string());
            if least > MinSe::DEFAULT.0 {
                request.headers.push(H::MinSe, least.to_string());
            }
        }
        add_extra(&mut request.headers, &headers);
        request.set_body(body.as_ref());
        let tx = self.core.transactions.start(now, request, flow, Owner::Invite(id).into());
        let patience = self.core.config.ring_timeout;
        self.core.set_call_timer(now, id, InviteTimer::Unanswered, patience);
        let credentials = credentials.map(|credentials| credentials.for_peers([Network::host(flow.peer())]));
        let mut usage = Usage::new(id, local_tag, contact_user, credentials);
        let outgoing = Outgoing { tx, cseq, flow, offer: body, attempts: 0, terms, forks: Vec::new() };
        usage.stage = Stage::Outgoing(outgoing.into());
        self.add_usage(usage, &flow);
        Ok(id)
    }
}

impl Endpoint {
    /// The Call-ID of a call of ours that is not answered yet.
    #[must_use]
    pub fn call_id(&self, id: InviteId) -> Option<String> {
        let Stage::Outgoing(outgoing) = &self.usages.get(&id)?.stage else { return None };
        let request = self.core.transactions.client(outgoing.tx)?.parsed_request()?;
        request.call_id().map(|id| id.to_string())
    }
}
