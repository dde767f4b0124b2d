//! Verbs of sessions → effects.

use super::call::Phase;
use super::ending::Final;
use super::identity::extensions_to;
use super::joins::JoinRequest;
use super::outbound::DialRequest;
use super::timer::{FIRST_PACKET, Timer};
use super::{Call, Gateway, Level, SessionId};
use crate::dialplan::Room;
use crate::media::command::Command;
use crate::session::{self, CallHandle, RoomHandle, RoomName, Unit, Verb, VerbError, collect};
use crate::sip::message::StatusCode;
use crate::types::{CallId, Now, RoomId};
use std::sync::Arc;

impl Gateway {
    /// Does what a session asks. What cannot be done comes back to the session as an event.
    pub(super) fn apply(&mut self, now: Now, session: SessionId, verb: Verb) {
        let Some(verb) = self.keep_for_conference(session, verb) else { return };
        let (call, room) = (call_of(&verb), room_of(&verb));
        let half = call.and_then(|call| self.half_under(session, call));
        let done = match half {
            // What connects or plays to it is done like the same to any other call.
            Some(half)
                if !matches!(
                    verb,
                    Verb::Play { .. } | Verb::Connect { .. } | Verb::Dial { .. } | Verb::Join { .. }
                ) =>
            {
                self.apply_to_half(now, half, verb)
            }
            _ => self.try_apply(now, session, verb),
        };
        if let Err(error) = done {
            let id = call.and_then(|call| self.call_under(session, call)).map(|call| call.id);
            self.log_limited(now, Level::Warn, id, "not possible", || error.to_string());
            if let Some(room) = room {
                self.tell_scenario(session, session::Event::RoomFailed { room, why: error.to_string() });
            }
            self.emit(session, session::Event::VerbFailed { call, error });
        }
    }

    fn try_apply(&mut self, now: Now, session: SessionId, verb: Verb) -> Result<(), VerbError> {
        let name = verb.name();
        match verb {
            Verb::Ring { call } => {
                let invite = self.call_in(session, call, name, Phase::is_incoming)?.invite;
                if let Some(invite) = invite {
                    self.provisional(now, invite, StatusCode::RINGING, None);
                }
                Ok(())
            }
            Verb::EarlyMedia { call } => self.early_media(now, session, call),
            Verb::Answer { call } => {
                let id = self.call_in(session, call, name, Phase::is_incoming)?.id;
                self.answer(now, id)
            }
            Verb::Reject { call, status } => {
                let call = self.call_in(session, call, name, Phase::is_incoming)?.id;
                let rule = format!("rejected by the route with {status}");
                self.refuse(now, call, Final::status(status), rule);
                Ok(())
            }
            Verb::Hangup { call, .. } if self.give_up_conference(session, call) => Ok(()),
            Verb::Hangup { call, cause } => {
                let call = self.call_in(session, call, name, |phase| !phase.is_ending())?.id;
                self.hang_up(now, call, super::Cause::Session(cause.into_owned()));
                Ok(())
            }
            Verb::Play { to, playback, items, repeat } => self.play(now, session, to, playback, (&items, repeat)),
            Verb::StopPlayback { playback } => self.stop_playback(session, playback),
            Verb::PausePlayback { playback, on } => self.pause_playback(session, playback, on),
            Verb::StopPlaybacks { call } => {
                let call = self.call_with_leg(session, call, name)?.id;
                self.barge_in(call);
                Ok(())
            }
            Verb::HandleDigits { call, on } => {
                let call = self.call_with_leg(session, call, name)?.id;
                self.media(Command::CollectDigits { leg: call, on });
                Ok(())
            }
            Verb::Collect { call, spec } => {
                let call = self.call_with_leg(session, call, name)?.id;
                self.media(Command::CollectDigits { leg: call, on: true });
                self.collect(now, call, collect::Input::Start(spec));
                Ok(())
            }
            Verb::StopCollect { call } => {
                let call = self.call_with_leg(session, call, name)?.id;
                self.collect(now, call, collect::Input::Stop);
                self.media(Command::CollectDigits { leg: call, on: false });
                Ok(())
            }
            Verb::SendDigits { call, digits } => {
                let call = self.call_with_leg(session, call, name)?.id;
                self.send_digits(now, call, digits);
                Ok(())
            }
            Verb::Dial { call, to, caller, timeout, headers } => {
                self.fresh_handle(session, call, name)?;
                let headers = extensions_to(headers);
                self.dial(now, session, DialRequest { call: Some(call), to, caller, timeout, headers });
                Ok(())
            }
            Verb::Join { call, to, from, headers } => {
                self.fresh_handle(session, call, name)?;
                self.join_conference(now, session, JoinRequest { call, to, from, headers });
                Ok(())
            }
            Verb::ForwardDirect { call, to } => {
                let call = self.call_in(session, call, name, Phase::is_incoming)?.id;
                self.forward_direct(now, call, to)
            }
            Verb::SendMessage { call, text } => self.send_text(now, session, call, text),
            Verb::SendInfo { call, content_type, headers, body } => {
                self.send_info(now, session, call, (content_type, body), headers)
            }
            Verb::CloseRoom { room } => {
                let id = self.room_of(session, room, name)?;
                if let Some(running) = self.sessions.get_mut(&session) {
                    running.rooms.remove(&room);
                }
                self.release_room(session, id);
                Ok(())
            }
            Verb::CheckPin { call, pin, room, open_rooms } => {
                self.check_pin(now, session, call, super::pins::PendingPin { pin, room, open_rooms })
            }
            Verb::OpenRoom { room, name } => {
                self.open_room(session, room, &name);
                Ok(())
            }
            Verb::OpenStream { stream, way } => self.open_stream(session, stream, way),
            Verb::CloseStream { stream } => self.close_stream(session, stream),
            Verb::Connect { source, sink } => self.connect(session, source, sink),
            Verb::Disconnect { source, sink } => self.disconnect(session, source, sink),
            Verb::Hold { call, on } => {
                let id = self.call_in(session, call, name, |phase| !phase.is_ending())?.id;
                let held = self.hold_call(now, id, None, on);
                held.map_err(|_| VerbError::WrongState {
                    verb: name,
                    state: "one that cannot be held or taken back now",
                })
            }
            Verb::Refer { call, to } => {
                let id = self.call_in(session, call, name, |phase| !phase.is_ending())?.id;
                if let Err(why) = self.refer_to(now, session, id, to) {
                    self.emit(session, session::Event::Referred { call, status: 403, reason: why.detail });
                }
                Ok(())
            }
            Verb::Mute { call, muted } => {
                let call = self.call_with_leg(session, call, name)?.id;
                if let Some(call) = self.calls.get_mut(&call) {
                    call.muted = muted;
                }
                self.apply_mute(call);
                Ok(())
            }
            Verb::SetTimer { timer, after } => {
                if let Some(running) = self.sessions.get_mut(&session) {
                    if !running.timers.contains(&timer) {
                        running.timers.push(timer);
                    }
                    self.effects.timers.set(Timer::Session(session, timer), now.instant + after);
                }
                Ok(())
            }
            Verb::ClearTimer { timer } => {
                if let Some(running) = self.sessions.get_mut(&session) {
                    running.timers.retain(|known| *known != timer);
                    self.effects.timers.clear(Timer::Session(session, timer));
                }
                Ok(())
            }
            Verb::Store { request, what } => {
                self.ask_storage(session, request, what);
                Ok(())
            }
            Verb::EndSession => {
                self.end_session(now, session, "session ended");
                Ok(())
            }
        }
    }

    fn early_media(&mut self, now: Now, session: SessionId, call: CallHandle) -> Result<(), VerbError> {
        let call = self.call_in(session, call, "early_media", Phase::is_incoming)?;
        let (id, invite, body) = (call.id, call.invite, call.local_description());
        let Some(body) = body else {
            return Err(VerbError::WrongState { verb: "early_media", state: "without an offer of the caller" });
        };
        self.start_leg(now, id);
        if let Some(invite) = invite {
            self.provisional(now, invite, StatusCode::SESSION_PROGRESS, Some(body));
        }
        Ok(())
    }

    /// Answers a call that waits for that.
    pub(super) fn answer(&mut self, now: Now, id: CallId) -> Result<(), VerbError> {
        let invite = self.calls.get(&id).and_then(|call| call.invite);
        let Some(body) = self.description_for_answer(id) else {
            return Err(VerbError::WrongState { verb: "answer", state: "without media ports" });
        };
        // The leg before the 200: the caller gets silence from the first packet, not nothing.
        self.start_leg(now, id);
        if let Some(call) = self.calls.get_mut(&id) {
            call.phase = Phase::Answering { acknowledged: false, heard: false };
            call.times.answer(now);
            call.status = Some(200);
        }
        self.effects.timers.set(Timer::FirstPacket(id), now.instant + FIRST_PACKET);
        self.expect_sound(now, id);
        self.note_answered(now, id);
        match invite {
            Some(invite) => self.accept(now, invite, body),
            None => self.guest_answered(id, &body),
        }
        Ok(())
    }

    pub(super) fn open_room(&mut self, session: SessionId, handle: RoomHandle, name: &RoomName) -> RoomId {
        let is_own = matches!(name, RoomName::Own);
        let plan =
            self.sessions.get(&session).map_or_else(|| Arc::clone(&self.plan), |running| Arc::clone(&running.plan));
        let (name, shown) = match name {
            RoomName::Own => {
                let name = format!("session-{}-{}", session.0, handle.0);
                (name.clone(), name)
            }
            name => self.pins.room_names(&plan, name),
        };
        let settings = match plan.room(&name) {
            _ if is_own => Arc::new(Room::silent(shown)),
            Some(room) if shown == name => Arc::clone(room),
            Some(room) => Arc::new(Room { name: shown, ..Room::clone(room) }),
            None => self.made_room(&name).unwrap_or_else(|| Arc::new(Room::on_demand(shown))),
        };
        let loudest = usize::try_from(plan.gateway.loudest).unwrap_or(usize::MAX);
        let room = self.rooms.open(&mut self.effects, settings, loudest, (session, handle));
        let before = self.sessions.get_mut(&session).and_then(|running| running.rooms.insert(handle, room));
        if let Some(before) = before.filter(|before| *before != room) {
            self.rooms.release(&mut self.effects, before, session);
        }
        room
    }

    /// Feeds a call's digit collection and does what comes of it.
    pub(super) fn collect(&mut self, now: Now, id: CallId, input: collect::Input) {
        if let Some(call) = self.calls.get_mut(&id) {
            if let collect::Input::Digit(_) = input {
                call.keyed.keys = call.keyed.keys.saturating_add(1);
            }
            call.collector.handle_input(now.instant, input);
        }
        self.after_collector(id);
    }

    pub(super) fn collect_timeout(&mut self, now: Now, id: CallId) {
        if let Some(call) = self.calls.get_mut(&id) {
            call.collector.handle_timeout(now.instant);
        }
        self.after_collector(id);
    }

    pub(super) fn after_collector(&mut self, id: CallId) {
        while let Some(output) = self.calls.get_mut(&id).and_then(|call| call.collector.poll_output()) {
            match output {
                collect::Output::BargeIn => self.barge_in(id),
                collect::Output::Collected { digits, how } => {
                    self.media(Command::CollectDigits { leg: id, on: false });
                    self.count_entry(id, how);
                    self.emit_of(id, |call| session::Event::Collected { call, digits, how });
                }
                collect::Output::Digit(digit) => self.emit_of(id, |call| session::Event::Digit { call, digit }),
            }
        }
        match self.calls.get(&id).and_then(|call| call.collector.poll_timeout()) {
            Some(at) => self.effects.timers.set(Timer::Collect(id), at),
            None => {
                self.effects.timers.clear(Timer::Collect(id));
            }
        }
    }

    fn count_entry(&mut self, id: CallId, how: collect::Completion) {
        let Some(call) = self.calls.get_mut(&id) else { return };
        let count = match how {
            collect::Completion::TooShort => &mut call.keyed.too_short,
            collect::Completion::NoInput => &mut call.keyed.no_input,
            collect::Completion::Terminator | collect::Completion::Full | collect::Completion::NextDigitTimeout => {
                return;
            }
        };
        *count = count.saturating_add(1);
    }

    pub(super) fn room_of(
        &self,
        session: SessionId,
        handle: RoomHandle,
        verb: &'static str,
    ) -> Result<RoomId, VerbError> {
        let room = self.sessions.get(&session).and_then(|running| running.rooms.get(&handle));
        room.copied().ok_or(VerbError::Unknown { verb })
    }

    pub(super) fn call_with_leg(
        &self,
        session: SessionId,
        call: CallHandle,
        verb: &'static str,
    ) -> Result<&Call, VerbError> {
        let call = self.call_in(session, call, verb, |phase| !phase.is_ending())?;
        if call.media.leg { Ok(call) } else { Err(VerbError::WrongState { verb, state: call.phase.name() }) }
    }

    /// The call that a session knows by that handle.
    pub(super) fn call_under(&self, session: SessionId, call: CallHandle) -> Option<&Call> {
        self.calls.get(&self.sessions.get(&session)?.calls.call(call)?)
    }

    /// Whether a session may give a new call that handle.
    fn fresh_handle(&self, session: SessionId, call: CallHandle, verb: &'static str) -> Result<(), VerbError> {
        let known = self.sessions.get(&session).and_then(|session| session.calls.call(call));
        match known {
            None if call.is_own() => Ok(()),
            None => Err(VerbError::Unknown { verb }),
            Some(_) => Err(VerbError::WrongState { verb, state: "there already" }),
        }
    }

    /// The call, if the session has one of that handle and its state allows the verb.
    fn call_in(
        &self,
        session: SessionId,
        call: CallHandle,
        verb: &'static str,
        allowed: impl Fn(&Phase) -> bool,
    ) -> Result<&Call, VerbError> {
        let call = self.call_under(session, call).ok_or(VerbError::Unknown { verb })?;
        if allowed(&call.phase) { Ok(call) } else { Err(VerbError::WrongState { verb, state: call.phase.name() }) }
    }
}

/// The room that a verb is to connect.
const fn room_of(verb: &Verb) -> Option<RoomHandle> {
    match verb {
        Verb::Connect { sink: Unit::Room(room), .. } | Verb::Connect { source: Unit::Room(room), .. } => Some(*room),
        _ => None,
    }
}

/// The call a verb is about, if it is about one alone.
fn call_of(verb: &Verb) -> Option<CallHandle> {
    match verb {
        Verb::Ring { call }
        | Verb::EarlyMedia { call }
        | Verb::Answer { call }
        | Verb::Reject { call, .. }
        | Verb::Hangup { call, .. }
        | Verb::Collect { call, .. }
        | Verb::StopCollect { call }
        | Verb::SendDigits { call, .. }
        | Verb::Dial { call, .. }
        | Verb::Join { call, .. }
        | Verb::ForwardDirect { call, .. }
        | Verb::HandleDigits { call, .. }
        | Verb::StopPlaybacks { call }
        | Verb::SendMessage { call, .. }
        | Verb::SendInfo { call, .. }
        | Verb::CheckPin { call, .. }
        | Verb::Hold { call, .. }
        | Verb::Refer { call, .. }
        | Verb::Mute { call, .. } => Some(*call),
        Verb::Play { to: Unit::Call(call), .. } => Some(*call),
        Verb::Connect { source: Unit::Call(call), .. } | Verb::Connect { sink: Unit::Call(call), .. } => Some(*call),
        _ => None,
    }
}
