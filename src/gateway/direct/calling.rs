//! A direct call up to its answer: every place where the callee is registered gets the caller's offer.

use crate::gateway::call::{CallMedia, Phase};
use crate::gateway::cause::{self, Cause};
use crate::gateway::ending::Final;
use crate::gateway::forking::{shown_host, user_address};
use crate::gateway::incoming::{Arrival, Refusal};
use crate::gateway::peer::Peer;
use crate::gateway::relayed::{Place, Relayed};
use crate::gateway::timer::Timer;
use crate::gateway::{Gateway, Level, Output, SessionId};
use crate::session::{self, VerbError};
use crate::sip::message::{StatusCode, Uri};
use crate::sip::registrar::Binding;
use crate::sip::{Body, InviteId, OutgoingInvite};
use crate::types::{CallId, Now};
use bytes::Bytes;
use std::time::Duration;

/// How long the callee's clients ring.
const RING_TIMEOUT: Duration = Duration::from_secs(60);

impl Gateway {
    /// Where the user `name` is registered, who is called directly by the route of that name; at one instance of its
    /// alone, where its GRUU was called.
    pub(in crate::gateway) fn direct_places(
        &self,
        now: Now,
        (name, gr): (&str, Option<&str>),
        route: &str,
    ) -> Result<Vec<Binding>, Refusal> {
        let refusal = |answer, rule| Refusal { answer, rule, route: Some(route.to_owned()) };
        let Some(user) = self.users.get(name) else {
            return Err(refusal(Final::status(404), format!("there is no user {name}")));
        };
        if let Some((status, rule)) = self.admission.peers.limit(now.instant, &Peer::User(user), 0) {
            return Err(refusal(Final::status(status.0), rule));
        }
        let places = self.users.registrar().targets(now.instant, name, gr);
        if places.is_empty() {
            return Err(refusal(Final::status(480), format!("user {name} is not registered")));
        }
        Ok(places)
    }

    /// A direct call begins.
    pub(in crate::gateway) fn begin_direct(
        &mut self,
        now: Now,
        arrival: Arrival<'_>,
        route: String,
        places: Vec<Binding>,
        offer: Option<&Bytes>,
    ) {
        let phase = Phase::Relayed(Box::new(Relayed::new(places.clone())));
        let session = SessionId(self.fresh_id());
        let id = self.enter(now, arrival, route, session, phase);
        let callee = self.calls.get(&id).map(|call| call.number.clone()).unwrap_or_default();
        self.call_places(now, id, &callee, places, offer);
    }

    /// A scenario forwards its caller to a user: from here on it is a direct call.
    pub(in crate::gateway) fn forward_direct(
        &mut self,
        now: Now,
        id: CallId,
        to: Option<String>,
    ) -> Result<(), VerbError> {
        const VERB: &str = "forward_direct";
        let Some(call) = self.calls.get(&id) else { return Err(VerbError::Unknown { verb: VERB }) };
        if !matches!(call.peer, Peer::User(_)) || call.invite.is_none() {
            return Err(VerbError::WrongState { verb: VERB, state: "one of a telephone" });
        }
        if call.media.leg {
            return Err(VerbError::WrongState { verb: VERB, state: "heard already" });
        }
        let (callee, route) = (to.unwrap_or_else(|| call.number.clone()), call.route.clone());
        let offer = call.media.as_offered.clone();
        let places = match self.direct_places(now, (&callee, None), &route) {
            Ok(places) => places,
            Err(refusal) => {
                self.refuse(now, id, refusal.answer, refusal.rule);
                return Ok(());
            }
        };
        self.effects.output(Output::CloseTransport { call: id });
        if let Some(call) = self.calls.get_mut(&id) {
            call.phase = Phase::Relayed(Box::new(Relayed::new(places.clone())));
            call.media = CallMedia::default();
        }
        self.call_places(now, id, &callee, places, offer.as_ref());
        Ok(())
    }

    /// Sends the caller's offer to every place of the callee.
    fn call_places(&mut self, now: Now, id: CallId, callee: &str, places: Vec<Binding>, offer: Option<&Bytes>) {
        let Some(call) = self.calls.get(&id) else { return };
        let (caller, terms) = (call.from.clone(), call.peer.terms());
        let (domain, detail) = (call.plan.gateway.domain.clone(), call.in_words());
        self.log(Level::Info, Some(id), "incoming", format!("{detail}, direct to {} places", places.len()));
        for (at, binding) in places.into_iter().enumerate() {
            let flow = binding.flow;
            let address = self.trunks.own_addresses.towards(flow.remote.ip(), flow.local.ip());
            let host = shown_host(domain.as_deref(), address);
            let to = Uri::sip(Some(callee), host.clone(), None);
            let body = offer.map(|offer| Body::sdp(offer.clone()));
            let invite = OutgoingInvite {
                request_uri: binding.contact,
                terms: Some(terms),
                ..OutgoingInvite::new(flow, user_address(&caller, &host), to, body)
            };
            let Ok(invite) = self.endpoint.invite(now, invite) else { continue };
            self.calls.forked(id, invite);
            let relayed = self.calls.get_mut(&id).and_then(|call| call.phase.relayed_mut());
            if let Some(place) = relayed.and_then(|relayed| relayed.places.get_mut(at)) {
                place.invite = Some(invite);
            }
        }
        if self.calls.get(&id).and_then(|call| call.phase.relayed()).is_some_and(Relayed::is_over) {
            let answer = Final::busy(StatusCode::SERVICE_UNAVAILABLE);
            return self.refuse(now, id, answer, "no INVITE could be sent".into());
        }
        self.effects.timers.set(Timer::NoAnswer(id), now.instant + RING_TIMEOUT);
    }

    /// A client of the callee rings, or describes what comes before its answer.
    pub(super) fn direct_rings(&mut self, now: Now, id: CallId, status: StatusCode, body: Option<Bytes>) {
        let Some(call) = self.calls.get_mut(&id) else { return };
        let Some((caller, relayed)) = call.invite.zip(call.phase.relayed_mut()) else { return };
        // Of several that ring none speaks for the others.
        let body = body.filter(|_| relayed.places.len() == 1);
        let is_first = !std::mem::replace(&mut relayed.rings, true);
        if is_first {
            self.log(Level::Info, Some(id), "ringing", format!("{}", status.0));
        }
        if is_first || body.is_some() {
            let status = if body.is_some() { status } else { StatusCode::RINGING };
            self.provisional(now, caller, status, body);
        }
    }

    /// A client of the callee answered: the others' calls are over, and the caller gets its answer.
    pub(super) fn direct_answered(
        &mut self,
        now: Now,
        id: CallId,
        (invite, needs_answer): (InviteId, bool),
        body: Option<Bytes>,
    ) {
        let Some(call) = self.calls.get_mut(&id) else { return };
        let Some((caller, relayed)) = call.invite.zip(call.phase.relayed_mut()) else { return };
        let others: Vec<Place> = std::mem::take(&mut relayed.places);
        relayed.callee = Some(invite);
        relayed.answer_in_ack = needs_answer;
        call.times.answer(now);
        call.status = Some(200);
        self.effects.timers.clear(Timer::NoAnswer(id));
        for other in others.into_iter().filter_map(|place| place.invite).filter(|other| *other != invite) {
            self.calls.signalling_over(other);
            let result = self.endpoint.hangup(now, other, Some(cause::elsewhere()));
            self.note("cancel", result);
        }
        self.note_answered(now, id);
        self.emit_of(id, |call| session::Event::Answered { call });
        match body {
            Some(body) => self.accept(now, caller, body),
            None => self.hang_up(now, id, Cause::MediaRefused("the answer had no description".into())),
        }
    }

    /// The caller's ACK has come.
    pub(super) fn direct_acknowledged(&mut self, now: Now, id: CallId, answer: Option<Bytes>) {
        let relayed = self.calls.get_mut(&id).and_then(|call| call.phase.relayed_mut());
        let Some(callee) = relayed.filter(|it| it.answer_in_ack).and_then(|it| {
            it.answer_in_ack = false;
            it.callee
        }) else {
            return;
        };
        let result = self.endpoint.acknowledge(now, callee, answer.map(Body::sdp));
        self.note("acknowledge", result);
    }

    /// The INVITE to one place failed.
    pub(super) fn direct_refused(&mut self, now: Now, id: CallId, invite: InviteId, status: StatusCode) {
        self.calls.signalling_over(invite);
        let Some(relayed) = self.calls.get_mut(&id).and_then(|call| call.phase.relayed_mut()) else { return };
        let place = relayed.note_refusal(invite, status).map(|binding| binding.flow.remote);
        let best = relayed.refused.unwrap_or(status);
        let is_over = relayed.is_over() || best.0 >= 600;
        if let Some(place) = place {
            self.log(Level::Info, Some(id), "not there", format!("{place}: {} {}", status.0, status.reason()));
        }
        if is_over {
            self.refuse_direct(now, id, best);
        }
    }

    /// Nobody has answered in time.
    pub(in crate::gateway) fn on_direct_unanswered(&mut self, now: Now, id: CallId) {
        if self.calls.get(&id).and_then(|call| call.phase.relayed()).is_some_and(|relayed| relayed.callee.is_none()) {
            self.refuse_direct(now, id, StatusCode::TEMPORARILY_UNAVAILABLE);
        }
    }

    fn refuse_direct(&mut self, now: Now, id: CallId, status: StatusCode) {
        let Some(call) = self.calls.get_mut(&id) else { return };
        call.status = Some(status.0);
        let caller = call.invite;
        if let Some(caller) = caller {
            self.reject(now, caller, &Final::busy(status));
        }
        let cause = match status.0 {
            486 | 600 => Cause::Busy,
            408 | 480 => Cause::NoAnswer,
            503 => Cause::Unreachable("503 Service Unavailable".into()),
            _ => Cause::Declined(format!("{} {}", status.0, status.reason())),
        };
        self.end(now, id, cause);
    }
}
