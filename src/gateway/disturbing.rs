//! What is heard in rooms: who speaks, and who disturbs the others, who is told of it, and who is muted for it.

use super::{Event, Gateway, Level, Timer};
use crate::media::command::Command;
use crate::session;
use crate::types::{CallId, Disturbance, Disturbances, Now, RoomId};
use std::time::Duration;

/// Each room is measured in one of so many turns, twice a second: not all at once.
const TURNS: u64 = 4;
/// Time between two turns.
const TURN: Duration = Duration::from_millis(125);

/// How a call disturbs.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Disturbing {
    pub(super) now: Disturbances,
    /// Since it began, for its record.
    pub(super) ever: Disturbances,
    /// It is muted by the rule of its room.
    is_muted: bool,
    /// Somebody has let it be heard again, until it disturbs no more.
    is_spared: bool,
}

impl Disturbing {
    /// Whether the rule of its room mutes it.
    pub(super) const fn is_muted(&self) -> bool {
        self.is_muted
    }

    /// Lets it be heard, whatever the rule says, until it disturbs no more.
    pub(super) const fn spare(&mut self) {
        self.is_spared = self.is_muted;
        self.is_muted = false;
    }

    /// Takes note of whether its rooms have a rule against what it does. Says whether it is muted now and was not, or
    /// the other way round.
    fn obey(&mut self, rule: Disturbances) -> bool {
        let is_against = self.now.intersects(rule);
        self.is_spared &= is_against;
        let is_muted = is_against && !self.is_spared;
        std::mem::replace(&mut self.is_muted, is_muted) != is_muted
    }
}

impl Gateway {
    /// Rooms are measured as long as somebody in them can be disturbed.
    pub(super) fn begin_measuring(&mut self, now: Now) {
        if self.rooms.has_new_company() && self.effects.timers.get(Timer::Measure).is_none() {
            self.effects.timers.set(Timer::Measure, now.instant + TURN);
        }
    }

    /// Has the rooms measured whose turn it is.
    pub(super) fn on_measure(&mut self, now: Now) {
        let turn = self.rooms.next_turn() % TURNS;
        let mut has_company = false;
        for room in self.rooms.with_company() {
            has_company = true;
            if room.0 % TURNS == turn {
                self.effects.media(Command::MeasureRoom { room });
            }
        }
        if has_company {
            self.effects.timers.set(Timer::Measure, now.instant + TURN);
        }
    }

    /// A call begins to disturb a room, or does so no more.
    pub(super) fn on_disturbance(&mut self, id: CallId, room: RoomId, disturbance: Disturbance, is_heard: bool) {
        let name = self.rooms.get(room).map(|room| room.settings.name.clone());
        // A room that is gone disturbs nobody, but may have been what a disturbance ends with.
        if is_heard && name.is_none() {
            return;
        }
        let Some(call) = self.calls.get_mut(&id) else { return };
        // Of whoever is on hold nobody hears anything, music least of all.
        let is_held = call.on_hold || call.phase.is_held();
        if (is_heard && is_held) || !call.disturbing.now.set(disturbance, is_heard) {
            return;
        }
        let shown = self.shown_name(room, name.as_deref().unwrap_or_default());
        let logged = self.logged_room(&shown);
        self.tell_scenario_of(id, |call| session::Event::Disturbs { call, disturbance, on: is_heard });
        if is_heard {
            if let Some(call) = self.calls.get_mut(&id) {
                call.disturbing.ever.set(disturbance, true);
            }
            self.log(Level::Warn, Some(id), "disturbs its room", format!("{disturbance} in room {logged}"));
            self.effects.event(Event::DisturbanceBegan { call: id, room: shown, disturbance });
        } else {
            self.log(Level::Info, Some(id), "disturbs no more", format!("{disturbance} in room {logged}"));
            self.effects.event(Event::DisturbanceEnded { call: id, room: shown, disturbance });
        }
        self.obey_rule(id);
    }

    /// Somebody else speaks in a room, or nobody does any more.
    pub(super) fn on_active_speaker(&mut self, id: RoomId, speaker: Option<CallId>) {
        let Some(room) = self.rooms.get(id) else { return };
        let (name, is_in) = (room.settings.name.clone(), speaker.is_none_or(|call| room.has(call)));
        if is_in && self.rooms.set_speaker(id, speaker) {
            let room = self.shown_name(id, &name);
            self.effects.event(Event::SpeakerChanged { room, call: speaker });
        }
    }

    /// Mutes a call that disturbs a room where that is the rule, or lets it be heard again, and tells its caller.
    fn obey_rule(&mut self, id: CallId) {
        let rules = self.rooms.of(id).filter_map(|room| Some(self.rooms.get(room)?.settings.mute));
        let rule = rules.flat_map(Disturbances::iter).collect();
        let Some(call) = self.calls.get_mut(&id) else { return };
        if !call.disturbing.obey(rule) {
            return;
        }
        let (is_muted, is_muted_by_hand) = (call.disturbing.is_muted(), call.muted);
        let done = if is_muted { "muted by the rule of its room" } else { "no longer muted by the rule of its room" };
        self.log(Level::Info, Some(id), done, String::new());
        self.apply_mute(id);
        if !is_muted_by_hand {
            self.tell_muted(id, is_muted);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_disturbs_is_muted_by_the_rule_until_it_is_over_or_somebody_spares_it() {
        let rule: Disturbances = [Disturbance::Echo, Disturbance::Music].into_iter().collect();
        let mut call = Disturbing::default();
        assert!(!call.obey(rule) && !call.is_muted());
        call.now.set(Disturbance::Noise, true);
        assert!(!call.obey(rule) && !call.is_muted(), "no rule is against noise");
        call.now.set(Disturbance::Echo, true);
        assert!(call.obey(rule) && call.is_muted() && !call.obey(rule));
        call.spare();
        assert!(!call.obey(rule) && !call.is_muted());
        call.now.set(Disturbance::Music, true);
        assert!(!call.obey(rule) && !call.is_muted(), "it is spared while it disturbs");
        call.now = Disturbances::default();
        assert!(!call.obey(rule));
        call.now.set(Disturbance::Music, true);
        assert!(call.obey(rule) && call.is_muted());
        call.now = Disturbances::default();
        assert!(call.obey(rule) && !call.is_muted());
        // Sparing one that is heard is nothing for later.
        call.spare();
        call.now.set(Disturbance::Echo, true);
        assert!(call.obey(rule) && call.is_muted());
    }
}
