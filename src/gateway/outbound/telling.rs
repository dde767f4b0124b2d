//! What the administrator hears who asked for a call.

use crate::gateway::outgoing::Target;
use crate::gateway::{Gateway, Progress, Refusal, Reply, Rule, RunningSession, SessionId};
use crate::session::{self, Invited, Running, collect};
use crate::types::{CallId, Now};
use std::sync::Arc;

/// The longest name of a room, and most keys pressed after the answer.
const LONGEST: usize = 64;

impl Gateway {
    /// Begins a session that calls somebody into a room; all further replies are its calls'.
    pub(in crate::gateway) fn invite_into_room(&mut self, now: Now, asked: u64, invited: Invited) {
        let wrong = if invited.room.trim().is_empty() || invited.room.chars().any(char::is_control) {
            Some("a room has a name")
        } else if invited.room.chars().count() > LONGEST {
            Some("the room's name is too long")
        } else if !invited.digits.iter().flat_map(|digits| digits.chars()).all(collect::is_dtmf) {
            Some("digits are 0 to 9, *, # and A to D")
        } else if invited.digits.as_ref().is_some_and(|digits| digits.len() > LONGEST) {
            Some("too many digits")
        } else {
            None
        };
        if let Some(wrong) = wrong {
            return self.effects.reply(asked, Reply::Error(Refusal::new(Rule::Invalid, wrong)));
        }
        let session = SessionId(self.fresh_id());
        let running = Running::inviting(&self.plan, invited);
        let mut running = RunningSession::new(running, Arc::clone(&self.plan), Arc::clone(&self.players.sounds));
        running.asked = Some(asked);
        self.sessions.insert(session, running);
        self.run_session(now, session, &session::Event::Started);
    }

    /// Something happened to a call: whoever asked for it is told.
    pub(super) fn tell_progress(&mut self, id: CallId, what: &str) {
        let Some(asked) = self.calls.get(&id).and_then(|call| self.sessions.get(&call.session)?.asked) else { return };
        let progress = Progress { call: id.to_string(), what: what.to_owned() };
        self.effects.reply(asked, Reply::Progress(progress));
    }

    pub(super) fn tell_target(&mut self, id: CallId, target: &Target) {
        let what = format!("calling by trunk {} at {}", target.trunk.name, target.flow.remote);
        self.tell_progress(id, &what);
    }

    /// The call is in a room: that is what was asked for.
    pub(in crate::gateway) fn tell_joined(&mut self, id: CallId, room: &str) {
        let Some(session) = self.calls.get(&id).map(|call| call.session) else { return };
        if let Some(asked) = self.sessions.get_mut(&session).and_then(|session| session.asked.take()) {
            let reply = Reply::Done(format!("{id} is in room {room}"));
            self.effects.reply(asked, reply);
        }
    }

    /// The call is over before it came into a room.
    pub(in crate::gateway) fn tell_dial_over(&mut self, session: SessionId, id: CallId) {
        let cause = self.calls.get(&id).and_then(|call| Some((call.phase.cause()?, call.reason.as_ref()))).map_or_else(
            String::new,
            |(cause, reason)| match reason {
                Some(reason) => format!("{cause} ({reason})"),
                None => cause.to_string(),
            },
        );
        if let Some(asked) = self.sessions.get_mut(&session).and_then(|session| session.asked.take()) {
            let why = Refusal::new(Rule::Failed, format!("{id}: {cause}"));
            self.effects.reply(asked, Reply::Error(why));
        }
    }
}
