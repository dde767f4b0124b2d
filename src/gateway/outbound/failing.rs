//! What comes of a target that failed: the next one, a redirection, the end. Silence and time-outs.

use super::targets::Choice;
use super::verdict::{Failure, Stage, Verdict, verdict};
use crate::dialplan::{Route, RouteTarget, outgoing};
use crate::gateway::call_record::Tried;
use crate::gateway::cause::Cause;
use crate::gateway::outgoing::Target;
use crate::gateway::timer::Timer;
use crate::gateway::trunks::ServerOutcome;
use crate::gateway::{Gateway, Level, Masked, cause};
use crate::session::{self, DialCause};
use crate::sip::message::{Contacts, NameAddr, Response, StatusCode};
use crate::sip::{InviteId, reason_of};
use crate::types::{CallId, Now};
use std::net::SocketAddr;
use std::sync::Arc;

impl Gateway {
    /// A target refused, redirected, or cannot be reached. `response`: its own; none: there was none.
    pub(in crate::gateway) fn on_dial_response(
        &mut self,
        now: Now,
        invite: InviteId,
        status: StatusCode,
        response: Option<&Response>,
    ) {
        let failure = match (response, status) {
            (Some(response), _) => Failure::Status(response.status),
            (None, StatusCode::SERVICE_UNAVAILABLE) => Failure::Transport,
            (None, _) => Failure::Silent,
        };
        if self.on_branch_failed(now, invite, failure) {
            return;
        }
        let Some(id) = self.calls.signalling_over(invite) else { return };
        self.effects.timers.clear(Timer::Silence(id));
        self.note_reason(id, response.and_then(|response| reason_of(&response.headers)).as_ref());
        let Some(call) = self.calls.get_mut(&id) else { return };
        call.invite = None;
        call.status = response.map(|response| response.status.0);
        if let Some(outgoing) = call.phase.outgoing() {
            let retry_after =
                response.filter(|it| it.status == StatusCode::SERVICE_UNAVAILABLE).and_then(Response::retry_after);
            let outcome = match (response, retry_after) {
                (Some(_), None) => ServerOutcome::Answer,
                (_, after) => ServerOutcome::Failure { retry_after: after.map(|after| after.duration()) },
            };
            self.trunks.note_outcome(now.instant, call.peer.name(), &outgoing.target.flow, outcome);
        }
        let outcome = match failure {
            Failure::Status(status) => format!("{} {}", status.0, status.reason()),
            Failure::Silent => "no response".into(),
            Failure::Transport => {
                let flow = call.phase.outgoing().map(|outgoing| outgoing.target.flow);
                match flow.and_then(|flow| self.trunks.no_tls(call.peer.name(), &flow)) {
                    Some(why) => format!("no TLS: {why}"),
                    None => "the transport failed".into(),
                }
            }
        };
        self.target_failed(now, id, failure, outcome, response);
    }

    /// The target has not said a word for four seconds. While there is another one, that is enough; what still comes of
    /// this one is cancelled, or acknowledged and hung up, by the endpoint.
    pub(in crate::gateway) fn on_silence(&mut self, now: Now, id: CallId) {
        let choice = Choice { now: now.instant, trunks: &self.trunks, peers: &self.admission.peers };
        let Some(call) = self.calls.get_mut(&id) else { return };
        let Some(outgoing) = call.phase.outgoing() else { return };
        // One that is full, or wants to be left alone, is no better than one that may yet answer.
        if choice.next(Some(&call.peer), &mut outgoing.targets.clone(), &mut Vec::new()).is_none() {
            self.log(Level::Info, Some(id), "silent", "no response for 4 s, and no other target can be tried".into());
            return;
        }
        let failure = ServerOutcome::Failure { retry_after: None };
        self.trunks.note_outcome(now.instant, call.peer.name(), &outgoing.target.flow, failure);
        if let Some(invite) = call.invite.take() {
            self.calls.signalling_over(invite);
            let result = self.endpoint.hangup(now, invite, Some(cause::elsewhere()));
            self.note("cancel", result);
        }
        self.target_failed(now, id, Failure::Silent, "silent for 4 s".into(), None);
    }

    fn target_failed(&mut self, now: Now, id: CallId, failure: Failure, outcome: String, response: Option<&Response>) {
        let Some(call) = self.calls.get_mut(&id) else { return };
        let leg = call.media.leg;
        let Some(outgoing) = call.phase.outgoing_mut() else { return };
        let stage = Stage { rang: outgoing.rang_here, sounded: outgoing.sounds || leg };
        let trunk = Arc::clone(&outgoing.target.trunk);
        let place = format!("{} at {}", trunk.name, outgoing.target.flow.remote);
        let tried =
            Tried { trunk: trunk.name.clone(), target: Some(outgoing.target.flow.remote), outcome: outcome.clone() };
        self.log(Level::Info, Some(id), "target failed", format!("trunk {place}: {outcome}"));
        let found = verdict(failure, stage, trunk.failover_on_480).unreachable_by(failure, &outcome);
        match found {
            Verdict::Final(dial, cause) => self.dial_failed(now, id, dial, cause),
            Verdict::Next(dial, cause) => {
                let noted = self.calls.get(&id).map_or(0, |call| call.tried.len());
                self.note_tried(id, tried);
                self.tell_progress(id, &format!("trunk {place}: {outcome}"));
                if !self.try_next(now, id) {
                    // The last one is the call's own end, not one of those before it.
                    if let Some(call) = self.calls.get_mut(&id).filter(|call| call.tried.len() == noted + 1) {
                        call.tried.pop();
                    }
                    self.dial_failed(now, id, dial, cause);
                }
            }
            Verdict::Redirected => {
                self.note_tried(id, tried);
                self.redirect(now, id, &trunk, outcome, response);
            }
        }
    }

    fn note_tried(&mut self, id: CallId, tried: Tried) {
        if let Some(call) = self.calls.get_mut(&id) {
            call.tried.push(tried);
        }
    }

    /// Follows a redirection, if the trunk's may be followed: to the first Contact, by preference, whose number the
    /// routes allow. They say by which trunks; only an address that is the redirecting trunk's own is gone to as it
    /// stands.
    fn redirect(
        &mut self,
        now: Now,
        id: CallId,
        trunk: &Arc<crate::dialplan::Trunk>,
        outcome: String,
        response: Option<&Response>,
    ) {
        let Some(call) = self.calls.get_mut(&id) else { return };
        let plan = Arc::clone(&call.plan);
        let Some(outgoing) = call.phase.outgoing_mut() else { return };
        let left = outgoing.redirections_left;
        outgoing.redirections_left = left.saturating_sub(1);
        let declined = |why: &str| Cause::Declined(format!("{outcome}, {why}"));
        if !trunk.redirects {
            let cause = declined(&format!("and trunks.{}.redirects is not set", trunk.name));
            return self.dial_failed(now, id, DialCause::Declined, cause);
        }
        if left == 0 {
            return self.dial_failed(now, id, DialCause::Declined, declined("redirected too often"));
        }
        let here = outgoing.target.clone();
        let asks =
            |route: &Route| matches!(&route.target, RouteTarget::Trunks(outgoing) if outgoing.confirm == Some(true));
        let is_asked = asks(&outgoing.route);
        let session = call.session;
        let mut rule = None;
        for contact in preferred(response) {
            let Some(user) = contact.uri.user_decoded() else { continue };
            let allowed = match outgoing::allow(&plan, &trunk.numbers.normalise(&user)) {
                Ok(allowed) => allowed,
                Err(denied) => {
                    rule.get_or_insert(denied.to_string());
                    continue;
                }
            };
            if asks(allowed.route) && !is_asked {
                // The session was told that nobody need be.
                let name = &allowed.route.name;
                rule.get_or_insert(format!("route {name} says confirm = true, and nobody would be asked to press 1"));
                continue;
            }
            let limits = (plan.gateway.dial_limit, plan.gateway.dial_rate);
            if let Err(limit) = self.session_limit(now, session, limits) {
                rule.get_or_insert(limit);
                break;
            }
            let mut next = self.targets(now, &allowed.outgoing.trunks);
            let by_this = allowed.outgoing.trunks.iter().any(|other| other.name == trunk.name);
            let own = contact.uri.host.ip().filter(|ip| by_this && trunk.allows(*ip));
            if let Some(ip) = own {
                let address = SocketAddr::new(ip, contact.uri.port.unwrap_or(here.flow.transport.default_port()));
                next.retain(|target| target.flow.remote != address);
                next.push_front(Target::new(trunk, here.flow.towards(address)));
            }
            if next.is_empty() {
                continue;
            }
            self.log(Level::Info, Some(id), "redirected", format!("to {}", Masked(&allowed.number)));
            let (number, route) = (allowed.number.clone(), Arc::clone(allowed.route));
            if let Some(call) = self.calls.get_mut(&id)
                && let Some(outgoing) = call.phase.outgoing_mut()
            {
                // The record tells what was called in the end, and what led there.
                let before = std::mem::replace(&mut call.number, number.clone());
                call.route.clone_from(&route.name);
                if let Some(tried) = call.tried.last_mut() {
                    tried.outcome = format!("{}, when {before} was called", tried.outcome);
                }
                outgoing.number = number;
                outgoing.route = route;
                outgoing.targets = next;
            }
            self.tell_progress(id, "it is redirected");
            if !self.try_next(now, id) {
                self.dial_failed(now, id, DialCause::Unreachable, declined("where no trunk can go now"));
            }
            return;
        }
        match rule {
            Some(rule) => {
                let rule = format!("redirected to a number that is not called: {rule}");
                self.dial_failed(now, id, DialCause::Refused(rule.clone()), Cause::Refused(rule));
            }
            None => self.dial_failed(now, id, DialCause::Declined, declined("to nowhere that could be called")),
        }
    }

    /// It has rung for as long as it may.
    pub(in crate::gateway) fn on_no_answer(&mut self, now: Now, id: CallId) {
        self.on_direct_unanswered(now, id);
        if self.on_join_unanswered(now, id) {
            return;
        }
        self.on_scenario_slow(now, id);
        if !self.is_being_called(id) {
            return;
        }
        let rang = self.calls.get(&id).is_some_and(|call| call.phase.rings());
        if rang {
            self.dial_failed(now, id, DialCause::NoAnswer, Cause::NoAnswer);
        } else {
            let why = "no answer within the ring_timeout, and it never rang";
            self.dial_failed(now, id, DialCause::Unreachable, Cause::Unreachable(why.into()));
        }
    }

    /// The call does not come about: whatever is on its way is cancelled, the session told, the record written.
    pub(in crate::gateway) fn dial_failed(&mut self, now: Now, id: CallId, dial: DialCause, cause: Cause) {
        let Some(call) = self.calls.get(&id) else { return };
        if !call.phase.is_dialling() {
            return;
        }
        if self.transfers.is_pending(id) {
            return self.hang_up(now, id, cause);
        }
        let (session, said) = (call.session, call.status);
        // It is over for its session here and now: nothing else is told of it.
        let handle = self.sessions.get_mut(&session).and_then(|session| session.calls.remove(id));
        self.hang_up(now, id, cause);
        if let Some(call) = handle {
            let status = said.filter(|status| *status >= 400).unwrap_or_else(|| dial.status());
            self.emit(session, session::Event::DialFailed { call, cause: dial, status });
        }
    }
}

/// The Contacts of a redirection, the preferred first (RFC 3261 section 20.10); not more than a few.
fn preferred(response: Option<&Response>) -> Vec<NameAddr> {
    const MOST: usize = 8;
    let Some(Ok(Contacts::List(mut list))) = response.map(Response::contacts) else { return Vec::new() };
    let preference = |contact: &NameAddr| -> u32 {
        let q = contact.params.get_text("q").and_then(|q| q.parse::<f32>().ok()).unwrap_or(1.0);
        // Thousandths, as the grammar has them; anything else sorts last.
        if (0.0..=1.0).contains(&q) { (q * 1_000.0) as u32 } else { 0 }
    };
    list.sort_by_key(|contact| std::cmp::Reverse(preference(contact)));
    list.truncate(MOST);
    list
}
