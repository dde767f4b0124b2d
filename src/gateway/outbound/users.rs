//! Calls to a user: one INVITE to each place where the user is registered, and the first that is answered counts (RFC
//! 3261 section 16.7, as a proxy forks).

use super::dial::{DialRequest, NotPlaced};
use super::verdict::{Failure, Stage, Verdict, verdict};
use crate::gateway::call::{Beginning, Call, Phase};
use crate::gateway::cause::{self, Cause};
use crate::gateway::forking::{Branch, Forking, shown_host, user_address};
use crate::gateway::peer::{Peer, User};
use crate::gateway::timer::Timer;
use crate::gateway::{Gateway, Level, Output, SessionId, TransportKind};
use crate::sdp::{self, LocalMedia};
use crate::session::{self, CallHandle, CallerId, DialCause, Party};
use crate::sip::message::{StatusCode, Transport, Uri};
use crate::sip::registrar::Binding;
use crate::sip::{Body, Flow, InviteId, OutgoingInvite};
use crate::types::{CallId, Now};
use std::sync::Arc;
use std::time::Duration;

/// How long a user's clients ring.
const RING_TIMEOUT: Duration = Duration::from_secs(60);
/// Who calls, where no caller does.
const OURSELVES: &str = "conference";

impl Gateway {
    /// Places a call to a user.
    pub(super) fn try_dial_user(
        &mut self,
        now: Now,
        session: SessionId,
        request: DialRequest,
        name: &str,
    ) -> Result<CallId, NotPlaced> {
        let plan = self.sessions.get(&session).map_or_else(|| Arc::clone(&self.plan), |it| Arc::clone(&it.plan));
        let not_placed =
            |rule: String, cause: DialCause| NotPlaced { number: name.to_owned(), route: None, rule, cause };
        let by_rule = |rule: String| not_placed(rule.clone(), DialCause::Refused(rule));
        let Some(user) = self.users.get(name) else {
            return Err(not_placed(format!("there is no user {name}"), DialCause::NoSuchNumber));
        };
        let calling = match request.caller {
            CallerId::Of(other) => self.call_under(session, other),
            CallerId::Trunk | CallerId::Given(_) | CallerId::Withheld => None,
        };
        let gr = calling.filter(|call| call.number == name).and_then(|call| call.called_instance.as_deref());
        let bindings = self.users.registrar().targets(now.instant, name, gr);
        if bindings.is_empty() {
            return Err(not_placed(format!("user {name} is not registered"), DialCause::NoAnswer));
        }
        self.session_limit(now, session, (plan.gateway.dial_limit, plan.gateway.dial_rate)).map_err(by_rule)?;
        if let Some((_, rule)) = self.gateway_limit() {
            return Err(by_rule(rule));
        }
        if let Some((_, rule)) = self.admission.peers.limit(now.instant, &Peer::User(Arc::clone(&user)), 0) {
            return Err(not_placed(rule, DialCause::Busy));
        }
        let kind = kind_for(&bindings);
        let Some(first) = bindings.first().map(|binding| binding.flow) else {
            return Err(not_placed(format!("user {name} is not registered"), DialCause::NoAnswer));
        };
        let caller = match request.caller {
            CallerId::Of(other) => self.call_under(session, other).map(|call| call.from.clone()).unwrap_or_default(),
            CallerId::Trunk => Party { number: OURSELVES.into(), name: None },
            CallerId::Given(party) => party,
            CallerId::Withheld => Party::default(),
        };
        let forking = Forking {
            caller,
            branches: bindings.into_iter().map(Branch::new).collect(),
            refused: None,
            rings: false,
            headers: request.headers,
        };
        let id = self.begin_user_call(now, session, (request.call, &user), forking, &first);
        let ring = request.timeout.unwrap_or(RING_TIMEOUT).min(RING_TIMEOUT);
        self.effects.timers.set(Timer::NoAnswer(id), now.instant + ring);
        // A user's client is one of ours: nobody need press 1.
        self.emit_of(id, |call| session::Event::Dialled { call, confirm: Some(false) });
        self.effects.output(Output::OpenTransport { call: id, kind, local: first.local.ip() });
        Ok(id)
    }

    fn begin_user_call(
        &mut self,
        now: Now,
        session: SessionId,
        (handle, user): (Option<CallHandle>, &Arc<User>),
        forking: Forking,
        flow: &Flow,
    ) -> CallId {
        let id = CallId(self.fresh_id());
        let places = forking.branches.len();
        self.log(Level::Info, Some(id), "calling", format!("user {}, registered at {places}", user.name));
        let peer = Peer::User(Arc::clone(user));
        self.admission.peers.call_began(now.instant, &peer);
        let plan = self.sessions.get(&session).map_or_else(|| Arc::clone(&self.plan), |it| Arc::clone(&it.plan));
        if let Some(running) = self.sessions.get_mut(&session) {
            running.calls.insert(id, handle);
        }
        let call = Call::begin(Beginning {
            id,
            session,
            plan,
            peer,
            flow,
            from: forking.caller.clone(),
            number: user.name.clone(),
            route: String::new(),
            phase: Phase::Forking(Box::new(forking)),
            now,
        });
        self.effects.event(call.start_event());
        self.calls.insert(call);
        id
    }

    /// The media ports are open: every place is sent its INVITE.
    pub(super) fn send_to_branches(&mut self, now: Now, id: CallId) {
        let Some(call) = self.calls.get(&id) else { return };
        let Some((local, forking)) = call.media.local.clone().zip(call.phase.forking()) else { return };
        let (terms, name, domain) = (call.peer.terms(), call.number.clone(), call.plan.gateway.domain.clone());
        let (caller, headers) = (forking.caller.clone(), forking.headers.clone());
        let bindings: Vec<Binding> = forking.branches.iter().map(|branch| branch.binding.clone()).collect();
        for (place, binding) in bindings.into_iter().enumerate() {
            let flow = binding.flow;
            let local = self.local_towards(&local, id, &flow);
            let offer = sdp::offer(&local, None);
            let host = shown_host(domain.as_deref(), local.address);
            let to = Uri::sip(Some(name.as_str()), host.clone(), None);
            let invite = OutgoingInvite {
                request_uri: binding.contact.clone(),
                headers: headers.clone(),
                terms: Some(terms),
                ..OutgoingInvite::new(flow, user_address(&caller, &host), to, Some(Body::sdp(offer.to_string())))
            };
            let sent = self.endpoint.invite(now, invite).ok();
            let sip_call_id = sent.and_then(|invite| self.endpoint.call_id(invite)).unwrap_or_default();
            if let Some(invite) = sent {
                self.calls.forked(id, invite);
            }
            let forking = self.calls.get_mut(&id).and_then(|call| call.phase.forking_mut());
            if let Some(branch) = forking.and_then(|forking| forking.branches.get_mut(place)) {
                branch.invite = sent;
                branch.sip_call_id = sip_call_id;
                branch.offered = Some((local, offer));
            }
            self.tell_progress(id, &format!("calling at {}:{}", flow.transport.as_param(), flow.remote));
        }
        if self.calls.get(&id).and_then(|call| call.phase.forking()).is_some_and(Forking::is_over) {
            let why = "no INVITE could be sent".to_owned();
            self.dial_failed(now, id, DialCause::Unreachable, Cause::Unreachable(why));
        }
    }

    /// Our side as one place is told of it: by the address that it must use, a browser of ICE and DTLS, a telephone of
    /// RTP, with keys only where nobody reads them.
    fn local_towards(&mut self, local: &LocalMedia, id: CallId, flow: &Flow) -> LocalMedia {
        let address = self.trunks.own_addresses.towards(flow.remote.ip(), flow.local.ip());
        if is_browser(flow) {
            return LocalMedia { address, rtcp_port: local.rtp_port, srtp: None, ..local.clone() };
        }
        let media = self.calls.get(&id).map(|call| call.peer.media());
        let srtp = media.and_then(|media| media.fresh_srtp(flow.transport.is_secure(), &mut self.keys));
        LocalMedia { address, srtp, webrtc: None, ..local.clone() }
    }

    /// One of the user's clients rings.
    pub(super) fn on_fork_progress(&mut self, id: CallId, status: StatusCode, tone: &'static str) {
        let Some(forking) = self.calls.get_mut(&id).and_then(|call| call.phase.forking_mut()) else { return };
        if !std::mem::replace(&mut forking.rings, true) {
            self.log(Level::Info, Some(id), "ringing", format!("{}", status.0));
            self.tell_progress(id, "ringing");
            self.emit_of(id, |call| session::Event::Ringing { call, tone: tone.into() });
        }
    }

    /// One of the user's clients answered: the call is its own from now on, and the others' is over. Says whether this
    /// was such a call.
    pub(super) fn fork_answered(&mut self, now: Now, id: CallId, invite: InviteId) -> bool {
        let Some(call) = self.calls.get_mut(&id) else { return false };
        let Some(forking) = call.phase.branch_answers() else { return false };
        let (winner, others): (Vec<Branch>, Vec<Branch>) =
            forking.branches.into_iter().partition(|branch| branch.invite == Some(invite));
        if let Some(branch) = winner.into_iter().next() {
            call.invite = Some(invite);
            call.remote = branch.binding.flow.remote;
            call.is_private = branch.binding.flow.transport.is_secure();
            call.sip_call_id = branch.sip_call_id;
            if let Some((local, offered)) = branch.offered {
                call.media.local = Some(local);
                call.media.offered = Some(offered);
            }
        }
        self.cancel_branches(now, others);
        true
    }

    /// The INVITE to one of the user's clients failed. Says whether it was one of a user's call.
    pub(super) fn on_branch_failed(&mut self, now: Now, invite: InviteId, failure: Failure) -> bool {
        let Some(id) = self.calls.of(invite) else { return false };
        let Some(forking) = self.calls.get_mut(&id).and_then(|call| call.phase.forking_mut()) else { return false };
        let Some(branch) = forking.branches.iter_mut().find(|branch| branch.invite == Some(invite)) else {
            return false;
        };
        branch.invite = None;
        let place = branch.binding.flow.remote;
        forking.note_refusal(failure.status());
        let (rings, status) = (forking.rings, forking.refused);
        let is_over = forking.is_over() || status.is_some_and(|status| status.0 >= 600);
        self.calls.signalling_over(invite);
        let said = failure.in_words();
        self.log(Level::Info, Some(id), "not there", format!("{place}: {said}"));
        self.tell_progress(id, &format!("{place}: {said}"));
        if is_over {
            if let Some(call) = self.calls.get_mut(&id) {
                call.status = status.map(|status| status.0);
            }
            let failure = status.map_or(failure, Failure::Status);
            let (dial, cause) = match verdict(failure, Stage { rang: rings, sounded: false }, false) {
                Verdict::Next(dial, cause) | Verdict::Final(dial, cause) => (dial, cause),
                Verdict::Redirected => (DialCause::Declined, Cause::Declined("redirected".into())),
            };
            self.dial_failed(now, id, dial, cause);
        }
        true
    }

    /// The call ends before anybody answered it.
    pub(in crate::gateway) fn leave_branches(&mut self, now: Now, id: CallId) {
        let forking = self.calls.get_mut(&id).and_then(|call| call.phase.forking_mut());
        let branches = forking.map(|forking| std::mem::take(&mut forking.branches)).unwrap_or_default();
        self.cancel_branches(now, branches);
    }

    fn cancel_branches(&mut self, now: Now, branches: Vec<Branch>) {
        for invite in branches.into_iter().filter_map(|branch| branch.invite) {
            self.calls.signalling_over(invite);
            let result = self.endpoint.hangup(now, invite, Some(cause::elsewhere()));
            self.note("cancel", result);
        }
    }
}

/// Browsers speak SIP over WebSocket, and nobody else does (RFC 7118).
fn is_browser(flow: &Flow) -> bool {
    matches!(flow.transport, Transport::Ws | Transport::Wss)
}

/// What serves all places at once.
fn kind_for(bindings: &[Binding]) -> TransportKind {
    match bindings.iter().filter(|binding| is_browser(&binding.flow)).count() {
        0 => TransportKind::Rtp,
        browsers if browsers == bindings.len() => TransportKind::WebRtc,
        _ => TransportKind::Either,
    }
}
