//! The ways a call ends. All lead to [`Gateway::finish`], which writes its one record.

use super::call::Call;
use super::call_record::{CallRecord, Keyed, Way};
use super::cause::Cause;
use super::reason::PeerReason;
use super::timer::{LEG_REMOVAL, Timer};
use super::{Event, Gateway, Level, Output, SessionId};
use crate::media::command::{Command, LegStatistics};
use crate::session::{self, DialCause};
use crate::sip::message::{HeaderName, Headers, Reason, StatusCode};
use crate::sip::{EndedBy, InviteId};
use crate::types::{CallId, Now, UnitId};

/// When a caller who was turned away for want of room may try again, seconds.
const RETRY_AFTER: &str = "10";

/// A final refusal of an INVITE.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Final {
    status: StatusCode,
    retry: bool,
}

impl Final {
    /// With this status.
    pub(super) const fn status(status: u16) -> Self {
        Self { status: StatusCode(status), retry: false }
    }

    /// For now: 503 says when to come back, other statuses do not (RFC 3261 section 21.5.4).
    pub(super) fn busy(status: StatusCode) -> Self {
        Self { status, retry: status == StatusCode::SERVICE_UNAVAILABLE }
    }
}

impl Gateway {
    /// Sends the refusal of an INVITE. Gives the status back, for log and record.
    pub(super) fn reject(&mut self, now: Now, invite: InviteId, answer: &Final) -> u16 {
        let mut headers = Headers::new();
        if answer.retry {
            headers.push(HeaderName::RetryAfter, RETRY_AFTER);
        }
        if let Err(error) = self.endpoint.reject(now, invite, answer.status, headers) {
            self.log(Level::Debug, None, "reject", error.to_string());
        }
        answer.status.0
    }

    /// Refuses a call that is not answered, by a rule.
    pub(super) fn refuse(&mut self, now: Now, id: CallId, answer: Final, rule: String) {
        let Some(call) = self.calls.get_mut(&id) else { return };
        call.status = Some(answer.status.0);
        let words = call.in_words();
        if let Some(invite) = call.invite {
            self.reject(now, invite, &answer);
        }
        self.log_limited(now, Level::Info, Some(id), "call refused", || {
            format!("{}, {rule}: {words}", answer.status.0)
        });
        self.end(now, id, Cause::Refused(rule));
    }

    /// Hangs a call up in the way its state asks for.
    pub(super) fn hang_up(&mut self, now: Now, id: CallId, cause: Cause) {
        if self.joins.contains(id) {
            return self.end_join(now, id, &cause.to_string(), None);
        }
        let Some(call) = self.calls.get_mut(&id).filter(|call| !call.phase.is_ending()) else { return };
        let (invite, ours) = (call.invite, call.phase.is_dialling());
        let Some(invite) = invite else { return self.end(now, id, cause) };
        if !ours && !call.is_answered() && call.status.is_none() {
            // Not a hangup's 603, which would say that the number cannot be reached anywhere else either.
            call.status = Some(480);
            self.reject(now, invite, &Final::status(480));
        } else if let Err(error) = self.endpoint.hangup(now, invite, Some(cause.reason())) {
            self.log(Level::Debug, Some(id), "hangup", error.to_string());
        }
        self.end(now, id, cause);
    }

    /// The endpoint says that the call is over.
    pub(super) fn on_ended(&mut self, now: Now, invite: InviteId, by: EndedBy, reason: Option<&Reason>) {
        let Some(id) = self.calls.signalling_over(invite) else { return };
        let ours = self.calls.get(&id).is_some_and(|call| call.way == Way::Out);
        let cause = match by {
            EndedBy::Remote if ours => Cause::CalledHungUp,
            EndedBy::Remote => Cause::CallerHungUp,
            EndedBy::AckTimeout => Cause::AckTimeout,
            EndedBy::SessionExpired => Cause::SessionExpired,
            EndedBy::DialogLost | EndedBy::TransportFailed => Cause::TransportFailed,
            EndedBy::NoAnswer => Cause::MediaRefused("no answer to our offer came".into()),
            EndedBy::Local => Cause::Session("hangup".into()),
        };
        self.note_reason(id, reason);
        self.end(now, id, cause);
    }

    /// Keeps what the peer says of why it ends a call.
    pub(super) fn note_reason(&mut self, id: CallId, reason: Option<&Reason>) {
        if let Some((reason, call)) = reason.and_then(PeerReason::new).zip(self.calls.get_mut(&id)) {
            call.reason = Some(reason);
        }
    }

    /// The signalling of a call is over or on its way out: takes its leg, tells its session, awaits the statistics.
    pub(super) fn end(&mut self, now: Now, id: CallId, cause: Cause) {
        if self.calls.get(&id).is_none_or(|call| call.phase.is_ending()) {
            return;
        }
        self.leave_branches(now, id);
        self.leave_callee(now, id, &cause);
        self.guest_over(id, &cause);
        self.hold_over(id);
        let unknown = self.end_of_transfer(now, id, &cause);
        let Some(call) = self.calls.get_mut(&id).filter(|call| !call.phase.is_ending()) else { return };
        let is_told = self.sessions.get(&call.session).is_some_and(|session| session.running.scenario().is_some());
        let ending = is_told.then(|| session::Ending {
            by_peer: cause.is_of_peer(),
            reason: cause.masked().to_string().into(),
            talked: call.times.talked(now),
        });
        let is_given_up = call.phase.is_dialling();
        call.phase.end(cause);
        call.unsent_digits.clear();
        let (session, has_leg) = (call.session, call.media.leg);
        if let Some(invite) = call.invite {
            self.calls.signalling_over(invite);
        }
        if !unknown {
            self.tell_dial_over(session, id);
        }
        self.forget_pins(id);
        for timer in
            [Timer::FirstPacket(id), Timer::Silence(id), Timer::NoAnswer(id), Timer::Longest(id), Timer::InfoDigit(id)]
                .into_iter()
                .chain([Timer::Transferred(id), Timer::NoSound(id), Timer::MediaHost(id)])
        {
            self.effects.timers.clear(timer);
        }
        self.effects.timers.clear(Timer::Collect(id));
        self.effects.timers.clear(Timer::Dismissal(id));
        self.joins.flat.forget(UnitId::Leg(id));
        self.rooms.unbridge_all(id);
        while let Some((room, change)) = self.rooms.leave_next(id) {
            self.note_left(id, room);
            self.on_membership(room, change);
            self.rooms.close_if_empty(&mut self.effects, room);
        }
        if has_leg {
            self.effects.timers.set(Timer::LegRemoval(id), now.instant + LEG_REMOVAL);
            self.media(Command::RemoveLeg { leg: id });
        } else {
            self.effects.output(Output::CloseTransport { call: id });
            self.finish(now, id, None);
        }
        if !unknown {
            self.leave_session(session, id, is_given_up, ending.unwrap_or_default());
        }
    }

    /// The session loses a call, and is told; when it was the last, the session is over.
    fn leave_session(&mut self, id: SessionId, call: CallId, is_given_up: bool, ending: session::Ending) {
        let Some(session) = self.sessions.get_mut(&id) else { return };
        if let Some(handle) = session.calls.remove(call) {
            let cause = DialCause::GivenUp;
            self.emit(
                id,
                match is_given_up {
                    true => session::Event::DialFailed { call: handle, status: cause.status(), cause },
                    false => session::Event::Ended { call: handle, ending },
                },
            );
        }
    }

    /// Ends a session: its calls are hung up, its rooms released, its players stopped, its timers cleared.
    pub(super) fn end_session(&mut self, now: Now, id: SessionId, why: &'static str) {
        let Some(session) = self.sessions.remove(&id) else { return };
        if session.running.scenario().is_some() {
            self.effects.timers.clear(Timer::Idle(id));
            self.joins.end_conference(id);
            self.effects.output(Output::SessionOver { session: id, why });
        }
        if let Some(asked) = session.asked {
            self.effects.reply(asked, super::Reply::Error(super::Refusal::new(super::Rule::Failed, why)));
        }
        for timer in session.timers {
            self.effects.timers.clear(Timer::Session(id, timer));
        }
        for call in session.calls.calls() {
            self.hang_up(now, call, Cause::Session(why.to_owned()));
        }
        for player in session.playbacks.into_values() {
            // What one call alone hears ends with its leg.
            if self.players.is_for_a_room(player) {
                self.media(Command::StopPlayer { player });
            }
        }
        for (_, unit) in session.streams {
            self.end_stream(unit);
        }
        for room in session.rooms.into_values() {
            self.release_room(id, room);
        }
        // What is still queued for it finds nobody: looking for it here would cost a rush of endings the square of its
        // size.
    }

    pub(super) fn on_leg_removed(&mut self, now: Now, id: CallId, statistics: Box<LegStatistics>) {
        self.finish(now, id, Some(statistics));
    }

    /// Writes the record and forgets the call. `statistics`: what its leg counted, if it had one and it has reported.
    pub(super) fn finish(&mut self, now: Now, id: CallId, statistics: Option<Box<LegStatistics>>) {
        self.effects.timers.clear(Timer::LegRemoval(id));
        let Some(call) = self.calls.remove(&id) else { return };
        self.admission.peers.call_over(&call.peer);
        let talked = call.times.talked(now);
        let warning = call.warning(talked);
        let cause = call.phase.cause().cloned().unwrap_or(Cause::TransportFailed);
        let said = call.reason.as_ref().map_or_else(String::new, |reason| format!(" ({})", reason.for_log()));
        let detail = format!("{cause}{said}, after {:.1} s", talked.as_secs_f64());
        if matches!(cause, Cause::Refused(_)) {
            // As often as anybody sends an INVITE that cannot be met.
            self.log_limited(now, Level::Info, Some(id), "ended", || detail);
        } else {
            self.log(Level::Info, Some(id), "ended", detail);
        }
        let masked = cause.masked();
        let record = record_of(&call, now, cause);
        self.effects.event(Event::CallEnded { call: id, cause: masked, status: call.status, talk_ms: record.talk_ms });
        let record = CallRecord { tried: call.tried, warning, media: statistics, reason: call.reason, ..record };
        self.effects.output(Output::Record(Box::new(record)));
    }

    /// A call is answered: from now on it has a record, whatever becomes of us.
    pub(super) fn note_answered(&mut self, now: Now, id: CallId) {
        self.log(Level::Info, Some(id), "answered", String::new());
        self.effects.event(Event::CallAnswered { call: id });
        if let Some(call) = self.calls.get(&id) {
            let record = record_of(call, now, Cause::GatewayStopped);
            self.effects.output(Output::Answered(Box::new(record)));
        }
    }

    pub(super) fn hang_up_all(&mut self, now: Now) {
        let calls: Vec<CallId> = self.calls.keys().copied().collect();
        for id in calls {
            self.hang_up(now, id, Cause::Shutdown);
        }
    }
}

/// The record of a call that is over now, less what is known of it only then.
fn record_of(call: &Call, now: Now, cause: Cause) -> CallRecord {
    CallRecord {
        call: call.id.to_string(),
        way: call.way,
        tried: Vec::new(),
        sip_call_id: call.sip_call_id.clone(),
        trunk: call.peer.trunk_name().to_owned(),
        user: call.peer.user_name().to_owned(),
        from: call.from.number.clone(),
        number: call.number.clone(),
        route: Some(call.route.clone()).filter(|route| !route.is_empty()),
        rooms: call.room_names.clone(),
        keyed: Keyed { by: call.keys.source(), ..call.keyed },
        started: call.times.started(),
        answered: call.times.answered(),
        ended: call.times.wall(now),
        talk_ms: u64::try_from(call.times.talked(now).as_millis()).unwrap_or(u64::MAX),
        status: call.status,
        cause,
        reason: None,
        warning: None,
        disturbed: call.disturbing.ever,
        media: None,
    }
}
