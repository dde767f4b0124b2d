//! A last word to somebody in a room whose call we end though its session would go on.

use super::cause::Cause;
use super::players::Owner;
use super::timer::Timer;
use super::{Call, Gateway};
use crate::media::command::{Clip, Command};
use crate::types::{CallId, Now, UnitId};
use std::time::Duration;

/// Longest that it may take until the hangup.
const LIMIT: Duration = Duration::from_secs(10);

impl Gateway {
    /// Takes a call out of its rooms, says a prompt to it and hangs up; at once where nobody would hear it, or one who
    /// has had the word already.
    pub(super) fn dismiss(&mut self, now: Now, id: CallId, prompt: &str, cause: Cause) {
        let hears = |call: &&Call| {
            call.phase.is_talking()
                && call.media.leg
                && !call.on_hold
                && !call.phase.is_held()
                && call.phase.dismissed().is_none()
                && self.rooms.of(call.id).next().is_some()
        };
        let sound = self.calls.get(&id).filter(hears).and_then(|call| {
            let language = self.sessions.get(&call.session)?.running.language();
            self.players.sounds.prompt(language, prompt)
        });
        let Some((sound, call)) = sound.zip(self.calls.get_mut(&id)) else {
            return self.hang_up(now, id, cause);
        };
        call.phase.dismiss(cause);
        let leg = UnitId::Leg(id);
        while let Some((room, change)) = self.rooms.leave_next(id) {
            self.note_left(id, room);
            self.media(Command::Disconnect { source: leg, sink: UnitId::Room(room) });
            self.media(Command::Disconnect { source: UnitId::Room(room), sink: leg });
            self.on_membership(room, change);
            self.rooms.close_if_empty(&mut self.effects, room);
        }
        self.barge_in(id);
        let player = self.players.add(&mut self.effects, Owner::Dismissal(id));
        self.players.start(&mut self.effects, player, vec![Clip::Samples(sound)], leg);
        self.effects.timers.set(Timer::Dismissal(id), now.instant + LIMIT);
    }

    /// The word was said, or took too long.
    pub(super) fn on_dismissed(&mut self, now: Now, id: CallId) {
        if let Some(cause) = self.calls.get(&id).and_then(|call| call.phase.dismissed()).cloned() {
            self.hang_up(now, id, cause);
        }
    }
}
