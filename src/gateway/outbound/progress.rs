//! Ringing, sound before the answer, the answer.

use crate::dialplan::RouteTarget;
use crate::gateway::cause::Cause;
use crate::gateway::timer::{FIRST_PACKET, Timer};
use crate::gateway::{Gateway, Level};
use crate::sdp::{self, SessionDescription};
use crate::session;
use crate::sip::InviteId;
use crate::sip::message::StatusCode;
use crate::types::{CallId, Now};
use bytes::Bytes;

impl Gateway {
    /// Whether an INVITE is one of ours that is not answered yet.
    pub(in crate::gateway) fn is_calling(&self, invite: InviteId) -> bool {
        self.calls.of(invite).is_some_and(|id| self.is_being_called(id))
    }

    /// The target has our INVITE.
    pub(in crate::gateway) fn on_trying(&mut self, invite: InviteId) {
        if let Some(id) = self.calls.of(invite) {
            self.effects.timers.clear(Timer::Silence(id));
        }
    }

    /// It rings, perhaps with a description of what is to be heard meanwhile. A call that forked may bring several: the
    /// latest counts.
    pub(in crate::gateway) fn on_progress(
        &mut self,
        now: Now,
        invite: InviteId,
        status: StatusCode,
        body: Option<&Bytes>,
    ) {
        self.on_trying(invite);
        let Some(id) = self.calls.of(invite) else { return };
        let Some(call) = self.calls.get_mut(&id) else { return };
        let country = call.peer.numbers().country_code.as_deref();
        let tone = ringing_tone(country);
        if call.phase.forking().is_some() {
            // What one of them may play meanwhile is left: another may ring beside it.
            return self.on_fork_progress(id, status, tone);
        }
        let Some(outgoing) = call.phase.outgoing_mut() else { return };
        outgoing.rang_here = true;
        if !std::mem::replace(&mut outgoing.rings, true) {
            self.log(Level::Info, Some(id), "ringing", format!("{}", status.0));
            self.tell_progress(id, "ringing");
            self.emit_of(id, |call| session::Event::Ringing { call, tone: tone.into() });
        }
        if let Some(body) = body {
            self.on_early_description(now, id, body);
        }
    }

    /// What the far end may play before its answer. One that cannot be used costs only that sound.
    fn on_early_description(&mut self, now: Now, id: CallId, body: &Bytes) {
        let Some(call) = self.calls.get_mut(&id) else { return };
        let Some((offered, local)) = call.media.offered.as_ref().zip(call.media.local.as_ref()) else { return };
        let accepted = SessionDescription::parse(body)
            .map_err(|error| error.to_string())
            .and_then(|answer| sdp::accept_answer(offered, &answer, local).map_err(|refusal| refusal.to_string()));
        match accepted {
            Ok(negotiation) => {
                call.media.negotiation = Some(negotiation);
                self.start_leg(now, id);
                self.apply_negotiation(now, id);
            }
            Err(why) => self.log(Level::Debug, Some(id), "early media not used", why),
        }
    }

    /// The first packet of a call came: before its answer, that is the ringing as the far end has it.
    pub(in crate::gateway) fn note_early_sound(&mut self, id: CallId) {
        let Some(call) = self.calls.get_mut(&id) else { return };
        let Some(outgoing) = call.phase.outgoing_mut() else { return };
        if !std::mem::replace(&mut outgoing.sounds, true) {
            self.log(Level::Info, Some(id), "early media", String::new());
            self.emit_of(id, |call| session::Event::EarlyMedia { call });
        }
    }

    /// Somebody answered: the first one does, where it forked; the endpoint ends the calls of the others.
    pub(in crate::gateway) fn on_answered(&mut self, now: Now, invite: InviteId, answer: Option<&Bytes>) {
        let Some(id) = self.calls.of(invite) else { return };
        self.effects.timers.clear(Timer::Silence(id));
        self.effects.timers.clear(Timer::NoAnswer(id));
        let Some(call) = self.calls.get_mut(&id) else { return };
        let (heard, longest) = match call.phase.callee_answers() {
            Some(outgoing) => match &outgoing.route.target {
                RouteTarget::Trunks(settings) => (outgoing.sounds, Some(settings.max_duration)),
                _ => (outgoing.sounds, None),
            },
            None if self.fork_answered(now, id, invite) => (false, None),
            None => return,
        };
        let Some(call) = self.calls.get_mut(&id) else { return };
        call.times.answer(now);
        call.status = Some(200);
        let described = call.media.negotiation.is_some();
        self.note_answered(now, id);
        if !heard {
            self.expect_sound(now, id);
        }
        if let Some(longest) = longest {
            self.effects.timers.set(Timer::Longest(id), now.instant + longest);
        }
        match answer {
            Some(answer) => self.on_answer(now, id, answer),
            None if described => {
                // What came before the answer stands.
                if let Some(call) = self.calls.get_mut(&id) {
                    call.media.offered = None;
                }
                self.apply_negotiation(now, id);
            }
            None => {
                return self.hang_up(now, id, Cause::MediaRefused("the answer had no description".into()));
            }
        }
        if self.calls.get(&id).is_some_and(|call| call.is_answered()) {
            self.tell_progress(id, "answered");
            self.effects.timers.set(Timer::FirstPacket(id), now.instant + FIRST_PACKET);
            self.note_ready(id, true, heard);
        }
    }

    /// A call of ours has lasted as long as its route lets it.
    pub(in crate::gateway) fn on_longest(&mut self, now: Now, id: CallId) {
        let Some(call) = self.calls.get(&id) else { return };
        self.hang_up(now, id, Cause::Limit(format!("max_duration of route {} is reached", call.route)));
    }
}

/// What is heard in a country while it rings (ITU-T E.180).
fn ringing_tone(country: Option<&str>) -> &'static str {
    match country {
        None | Some("44" | "353" | "61" | "64" | "60" | "65" | "91" | "852" | "971" | "27") => "ringback",
        Some("1") => "ringback-na",
        Some("33") => "ringback-fr",
        Some("81") => "ringback-jp",
        Some("86") => "ringback-cn",
        Some(_) => "ringback-eu",
    }
}
