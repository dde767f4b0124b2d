//! Joins: a session calls a conference, which is another session, without SIP and without media of its own.

use super::flat::{Difference, End};
use super::joins::{Half, JoinRequest};
use super::message_limit::{self, MessageLimit};
use super::scenarios::UNANSWERED;
use super::timer::Timer;
use super::{Gateway, Level, Masked, SessionId, Way};
use crate::dialplan::route;
use crate::dialplan::{Origin, RouteTarget};
use crate::session::{self, Alerting, CallHandle, DialCause, Ending, Verb, VerbError, collect};
use crate::types::{CallId, Now, UnitId};
use std::sync::Arc;

/// Halves that there may be at one time.
const MOST: usize = 20_000;
/// Sessions that may start one another in a row.
const DEEPEST: u8 = 8;
/// The longest name of a conference, in characters.
const LONGEST_NAME: usize = 128;

impl Gateway {
    /// Calls a conference, once the caller's guesses allow it; or tells the session, the log and a record by which rule
    /// not.
    pub(super) fn join_conference(&mut self, now: Now, session: SessionId, request: JoinRequest) {
        match self.guesser(session, &request.to) {
            Some(caller) => self.check_conference(now, session, caller, request),
            None => self.place_conference(now, session, request),
        }
    }

    /// The caller from outside who finds out by this name of a conference whether there is one. `None`: nobody does.
    fn guesser(&self, session: SessionId, to: &str) -> Option<CallId> {
        let (room, _) = self.told_room(session, to)?;
        let caller = self.caller_from_outside(session, DEEPEST)?;
        let invited_to = self.calls.get(&caller)?.peer.invited_to();
        (invited_to.is_none_or(|invited| invited.room != room)).then_some(caller)
    }

    /// The room that a session's call to a conference tells of, and whether there is one.
    pub(super) fn told_room<'to>(&self, session: SessionId, to: &'to str) -> Option<(&'to str, bool)> {
        route::decide(&self.sessions.get(&session)?.plan, &Origin::Sessions, to).told_room(to)
    }

    /// Who may have keyed what a session does: whoever has called it, be it by other sessions, or else whom it has
    /// called.
    fn caller_from_outside(&self, session: SessionId, depth: u8) -> Option<CallId> {
        let depth = depth.checked_sub(1)?;
        let calls = || self.sessions.get(&session).into_iter().flat_map(|running| running.calls.calls());
        let is = |id: &CallId, way| self.calls.get(id).is_some_and(|call| call.way == way);
        let by_join = |id| {
            let half = self.joins.get(id).filter(|half| !half.is_callers)?;
            self.caller_from_outside(self.joins.get(half.other)?.session, depth)
        };
        let caller = calls().find(|id| is(id, Way::In)).or_else(|| calls().find_map(by_join));
        caller.or_else(|| calls().find(|id| is(id, Way::Out)))
    }

    /// Calls a conference, or tells the session, the log and a record by which rule not.
    pub(super) fn place_conference(&mut self, now: Now, session: SessionId, request: JoinRequest) {
        if let Err(rule) = self.try_place_conference(now, session, &request) {
            let cause = DialCause::Refused(rule.clone());
            self.conference_refused(now, session, &request, rule, (cause, 404));
        }
    }

    /// A conference is not called by a rule, which the session, the log and a record are told.
    pub(super) fn conference_refused(
        &mut self,
        now: Now,
        session: SessionId,
        request: &JoinRequest,
        rule: String,
        (cause, status): (DialCause, u16),
    ) {
        let (call, to) = (request.call, self.pins.without_digits(&request.to));
        self.note_not_placed(now, to, None, rule, &cause);
        self.emit(session, session::Event::DialFailed { call, cause, status });
    }

    fn try_place_conference(&mut self, now: Now, session: SessionId, request: &JoinRequest) -> Result<(), String> {
        let JoinRequest { call, to, from, headers } = request;
        if to.is_empty() || to.chars().count() > LONGEST_NAME || to.chars().any(char::is_control) {
            return Err("a conference has a name of 1 to 128 characters".into());
        }
        let (plan, depth) = self
            .sessions
            .get(&session)
            .map(|it| (Arc::clone(&it.plan), it.depth))
            .ok_or_else(|| "the session is over".to_owned())?;
        let decision = route::decide(&plan, &Origin::Sessions, to);
        let Some(found) = decision.route else { return Err(decision.no_route()) };
        let route = found.name.clone();
        let RouteTarget::Scenario(_) = found.target else {
            return Err(format!("route {route} leads to no scenario"));
        };
        if self.joins.len() >= MOST {
            return Err("there are too many joins".into());
        }
        self.session_limit(now, session, (plan.gateway.dial_limit, plan.gateway.dial_rate))?;
        let there = match self.joins.conference(to).filter(|there| self.sessions.get(there).is_some()) {
            Some(there) if there == session => return Err("a session cannot join itself".into()),
            Some(there) => there,
            None => {
                if self.shutdown.has_begun() {
                    return Err("the gateway is shutting down".into());
                }
                if depth >= DEEPEST {
                    return Err(format!("{DEEPEST} sessions have started one another in a row"));
                }
                let Some(running) = session::for_route(&plan, found) else {
                    return Err(format!("route {route} leads to no scenario"));
                };
                let there = SessionId(self.fresh_id());
                self.begin_session(there, running, &route);
                if let Some(running) = self.sessions.get_mut(&there) {
                    running.depth = depth + 1;
                }
                self.joins.begin_conference(to.clone(), there);
                there
            }
        };
        self.begin_join(
            now,
            (session, *call),
            there,
            Half {
                session,
                other: CallId(0),
                is_callers: true,
                from: from.clone(),
                number: to.clone(),
                route,
                answered: None,
                muted: false,
                messages: MessageLimit::default(),
            },
            headers.clone(),
        );
        Ok(())
    }

    fn begin_join(
        &mut self,
        now: Now,
        (session, call): (SessionId, CallHandle),
        there: SessionId,
        half: Half,
        headers: Vec<(String, String)>,
    ) {
        let (one, other) = (CallId(self.fresh_id()), CallId(self.fresh_id()));
        let (from, number) = (half.from.clone(), half.number.clone());
        let to = self.pins.without_digits(&number);
        let words = format!("{} joins {to}, {other}, route {}", Masked(&from.number), half.route);
        self.log(Level::Info, Some(one), "calling", words);
        let half = Half { other, ..half };
        let its = Half { session: there, other: one, is_callers: false, ..half.clone() };
        self.joins.insert((one, half), (other, its));
        if let Some(running) = self.sessions.get_mut(&session) {
            running.calls.insert(one, Some(call));
        }
        if let Some(running) = self.sessions.get_mut(&there) {
            running.calls.give(other);
        }
        self.effects.timers.set(Timer::NoAnswer(other), now.instant + UNANSWERED);
        self.emit_of_half(one, |call| session::Event::Dialled { call, confirm: Some(false) });
        let headers = super::identity::only_extensions(headers);
        let alerting = Some(Box::new(Alerting { to: number.clone(), headers }));
        self.emit_of_half(other, |call| session::Event::Incoming { call, from, number, alerting });
    }

    /// Tells the session of a half something of it.
    fn emit_of_half(&mut self, half: CallId, event: impl FnOnce(CallHandle) -> session::Event) {
        let Some(session) = self.joins.get(half).map(|half| half.session) else { return };
        let handle = self.sessions.get(&session).and_then(|session| session.calls.of(half));
        if let Some(handle) = handle {
            self.effects.emit_of(half, session, event(handle));
        }
    }

    /// The half that a session means, if it means one.
    pub(super) fn half_under(&self, session: SessionId, call: CallHandle) -> Option<CallId> {
        let id = self.sessions.get(&session)?.calls.call(call)?;
        self.joins.contains(id).then_some(id)
    }

    /// Does what a session asks of a half.
    pub(super) fn apply_to_half(&mut self, now: Now, id: CallId, verb: Verb) -> Result<(), VerbError> {
        let name = verb.name();
        let Some(half) = self.joins.get(id) else { return Err(VerbError::Unknown { verb: name }) };
        let (other, state) = (half.other, half.state());
        let is_alerting = !half.is_callers && half.answered.is_none();
        let wrong = || VerbError::WrongState { verb: name, state };
        match verb {
            Verb::Ring { .. } if is_alerting => {
                self.emit_of_half(other, |call| session::Event::Ringing { call, tone: "ringback".into() });
            }
            Verb::EarlyMedia { .. } if is_alerting => {
                self.emit_of_half(other, |call| session::Event::EarlyMedia { call });
            }
            Verb::Answer { .. } if is_alerting => {
                self.effects.timers.clear(Timer::NoAnswer(id));
                for half in [id, other] {
                    if let Some(half) = self.joins.get_mut(half) {
                        half.answered = Some(now);
                    }
                    self.emit_of_half(half, |call| session::Event::Answered { call });
                    self.emit_of_half(half, |call| session::Event::FirstPacket { call });
                }
                self.log(Level::Info, Some(other), "answered", String::new());
            }
            Verb::Reject { status, .. } if is_alerting => self.end_join(now, id, "rejected", Some(status)),
            Verb::Hangup { cause, .. } => self.end_join(now, id, &cause, None),
            Verb::Mute { muted, .. } => {
                if let Some(half) = self.joins.get_mut(id) {
                    half.muted = muted;
                }
                let difference = self.joins.flat.mute(id, muted);
                self.carry_difference(difference);
            }
            Verb::Hold { on, .. } => self.emit_of_half(other, |call| session::Event::Held { call, on }),
            Verb::HandleDigits { .. } | Verb::StopCollect { .. } | Verb::StopPlaybacks { .. } => {}
            Verb::SendDigits { digits, .. } => {
                for digit in digits.chars().filter(|digit| collect::is_dtmf(*digit)).take(128) {
                    self.emit_of_half(other, |call| session::Event::Digit { call, digit });
                }
            }
            Verb::SendMessage { text, .. } => {
                self.admit_half_message(now, id, name, text.len())?;
                self.emit_of_half(other, |call| session::Event::Message { call, text });
            }
            Verb::SendInfo { content_type, headers, body, .. } => {
                self.admit_half_message(now, id, name, body.len())?;
                let headers = super::identity::only_extensions(headers);
                self.emit_of_half(other, |call| session::Event::Info { call, content_type, headers, body });
            }
            _ => return Err(wrong()),
        }
        Ok(())
    }

    fn admit_half_message(&mut self, now: Now, id: CallId, verb: &'static str, octets: usize) -> Result<(), VerbError> {
        if octets > message_limit::LONGEST {
            return Err(VerbError::Limit { verb, limit: "8 KiB" });
        }
        let admitted = self.joins.get_mut(id).is_some_and(|half| half.messages.admit(now.instant));
        if admitted { Ok(()) } else { Err(VerbError::Limit { verb, limit: message_limit::LIMIT }) }
    }

    /// Nobody has answered a join in time. Says whether it is one.
    pub(super) fn on_join_unanswered(&mut self, now: Now, id: CallId) -> bool {
        let is_open = self.joins.get(id).is_some_and(|half| half.answered.is_none());
        if is_open {
            self.end_join(now, id, "not answered", Some(408));
        }
        is_open
    }

    /// A join is over by the will of the session that has this half. `status`: it never came about, so that its caller
    /// is told.
    pub(super) fn end_join(&mut self, now: Now, id: CallId, why: &str, status: Option<u16>) {
        let difference = self.joins.flat.part(id);
        self.carry_difference(difference);
        let Some((half, its)) = self.joins.remove(id) else { return };
        self.effects.timers.clear(Timer::NoAnswer(id));
        self.effects.timers.clear(Timer::NoAnswer(half.other));
        let talked = half.talked(now);
        self.log(Level::Info, Some(id), "ended", format!("{why}, after {:.1} s", talked.as_secs_f64()));
        let is_answered = half.answered.is_some();
        for (id, half, by_peer) in [(id, &half, false), (half.other, &its, true)] {
            let Some(session) = self.sessions.get_mut(&half.session) else { continue };
            let Some(call) = session.calls.remove(id) else { continue };
            let event = if half.is_callers && !is_answered {
                let cause = if by_peer { cause_of(status) } else { DialCause::GivenUp };
                let status = status.unwrap_or_else(|| cause.status());
                session::Event::DialFailed { call, cause, status }
            } else {
                let ending = Ending { by_peer, reason: why.to_owned().into(), talked };
                session::Event::Ended { call, ending }
            };
            self.emit(half.session, event);
        }
    }

    /// What joins change for the media plane.
    pub(super) fn carry_difference(&mut self, difference: Difference) {
        for (source, sink) in difference.ended {
            self.unlink(source, sink);
        }
        for (source, sink) in difference.begun {
            if let Err(error) = self.link(source, sink, "connect") {
                self.log(Level::Info, None, "not heard by a join", error.to_string());
            }
        }
    }

    /// Has `sink` hear `source`, one of which is a half.
    pub(super) fn connect_half(&mut self, source: End, sink: End) -> Result<(), VerbError> {
        let circle = |_| VerbError::Limit { verb: "connect", limit: "joins that lead in a circle" };
        let difference = self.joins.flat.connect(source, sink).map_err(circle)?;
        self.carry_difference(difference);
        Ok(())
    }

    /// Plays to whoever hears the other half.
    pub(super) fn play_to_half(&mut self, player: crate::types::PlayerId, half: CallId) {
        // Never a circle: a player hears nothing.
        if let Ok(difference) = self.joins.flat.connect(End::Unit(UnitId::Player(player)), End::Half(half)) {
            self.carry_difference(difference);
        }
    }
}

fn cause_of(status: Option<u16>) -> DialCause {
    match status {
        Some(486 | 600) => DialCause::Busy,
        Some(404) => DialCause::NoSuchNumber,
        Some(408 | 480) => DialCause::NoAnswer,
        _ => DialCause::Declined,
    }
}
