//! Sessions that run elsewhere, as scenarios do: their events go out, and their verbs come in when they like.

use super::cause::Cause;
use super::ending::Final;
use super::timer::Timer;
use super::{Gateway, Level, Output, RunningSession, SessionId};
use crate::session::{self, CallHandle, Running, Verb};
use crate::types::{CallId, Now};
use std::sync::Arc;
use std::time::Duration;

/// How long a scenario goes on without a call.
const IDLE: Duration = Duration::from_secs(60);
/// How long a call may wait for its scenario's answer.
pub(super) const UNANSWERED: Duration = Duration::from_secs(60);
/// Most that the log says of why a scenario failed, in characters.
const LONGEST_CAUSE: usize = 500;

impl Gateway {
    /// A session begins, by the route of that name.
    pub(super) fn begin_session(&mut self, id: SessionId, running: Running, rule: &str) {
        if let Some(scenario) = running.scenario() {
            let (scenario, rule, language) = (Arc::clone(scenario), rule.to_owned(), running.language().to_owned());
            self.log(Level::Info, None, "scenario", format!("{} started by route {rule}", scenario.name));
            self.effects.output(Output::StartSession { session: id, scenario, rule, language });
            self.effects.output(Output::SessionEvent { session: id, event: session::Event::Started });
        }
        let session = RunningSession::new(running, Arc::clone(&self.plan), Arc::clone(&self.players.sounds));
        self.sessions.insert(id, session);
    }

    /// Hands an event to a session that runs elsewhere. Says whether it does.
    pub(super) fn tell_elsewhere(&mut self, id: SessionId, event: &session::Event) -> bool {
        if self.sessions.get(&id).is_none_or(|session| session.running.scenario().is_none()) {
            return false;
        }
        self.effects.output(Output::SessionEvent { session: id, event: event.clone() });
        true
    }

    /// Tells a session what scenarios alone are told.
    pub(super) fn tell_scenario(&mut self, id: SessionId, event: session::Event) {
        if self.sessions.get(&id).is_some_and(|session| session.running.scenario().is_some()) {
            self.emit(id, event);
        }
    }

    /// The same of one of its calls.
    pub(super) fn tell_scenario_of(&mut self, call: CallId, event: impl FnOnce(CallHandle) -> session::Event) {
        let session = self.calls.get(&call).and_then(|call| self.sessions.get(&call.session));
        if session.is_some_and(|session| session.running.scenario().is_some()) {
            self.emit_of(call, event);
        }
    }

    pub(super) fn on_verbs(&mut self, now: Now, id: SessionId, verbs: Vec<Verb>) {
        if self.sessions.get(&id).is_some_and(|session| session.running.scenario().is_some()) {
            self.carry_out(now, id, verbs.into_iter());
        }
    }

    /// A scenario is no more. Its calls say so in their records, and the log says why.
    pub(super) fn on_session_failed(&mut self, now: Now, id: SessionId, cause: &str) {
        let Some(session) = self.sessions.get(&id) else { return };
        let Some(name) = session.running.scenario().map(|scenario| scenario.name.clone()) else { return };
        let calls: Vec<_> = session.calls.calls().collect();
        let cause: String = cause.chars().take(LONGEST_CAUSE).collect();
        self.log_limited(now, Level::Warn, None, "scenario failed", || format!("{name}: {cause}"));
        for call in calls {
            self.hang_up(now, call, Cause::Session("scenario-failed".to_owned()));
        }
        self.end_session(now, id, "scenario failed");
    }

    /// A call has waited long enough for its scenario's answer.
    pub(super) fn on_scenario_slow(&mut self, now: Now, id: CallId) {
        if self.calls.get(&id).is_some_and(|call| call.phase.is_incoming()) {
            self.refuse(now, id, Final::status(480), "its scenario has not answered within 60 s".into());
        }
    }

    /// A session has lost its last call. Whoever was there for calls alone is done; a scenario may make others.
    pub(super) fn last_call_over(&mut self, now: Now, id: SessionId) {
        let is_scenario = self.sessions.get(&id).is_some_and(|session| session.running.scenario().is_some());
        if is_scenario && !self.shutdown.has_begun() {
            self.effects.timers.set(Timer::Idle(id), now.instant + IDLE);
        } else {
            self.end_session(now, id, "last call ended");
        }
    }

    /// A scenario has had no call for a while, unless it has made one.
    pub(super) fn on_idle_session(&mut self, now: Now, id: SessionId) {
        if self.sessions.get(&id).is_some_and(|session| session.calls.is_empty()) {
            self.end_session(now, id, "no calls for 60 s");
        }
    }
}
