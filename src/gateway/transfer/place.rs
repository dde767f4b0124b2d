//! What a call hears and where it is heard, moved to another call.

use crate::gateway::rooms::{Change, Membership};
use crate::gateway::{Gateway, Level};
use crate::media::command::Command;
use crate::types::{CallId, Now, RoomId, UnitId};

/// Where a call is heard, and what it hears.
#[derive(Debug, Default)]
pub(super) struct Place {
    rooms: Vec<(RoomId, Membership)>,
    /// Source and sink, of which one was the call.
    bridges: Vec<(CallId, CallId)>,
    /// Whose place it is.
    of: Option<CallId>,
    muted: bool,
    gain: i8,
}

impl Gateway {
    /// Takes a call out of its place, which stays free: nobody is told that it left.
    pub(super) fn vacate(&mut self, id: CallId) -> Place {
        let Some(call) = self.calls.get(&id) else { return Place::default() };
        let has_leg = call.media.leg;
        let mut place = Place { of: Some(id), muted: call.muted, gain: call.gain, ..Place::default() };
        let leg = UnitId::Leg(id);
        place.rooms = self.rooms.take_out(id);
        for &(room, _) in &place.rooms {
            self.note_left(id, room);
            if has_leg {
                self.media(Command::Disconnect { source: leg, sink: UnitId::Room(room) });
                self.media(Command::Disconnect { source: UnitId::Room(room), sink: leg });
            }
        }
        place.bridges = self.rooms.unbridge_all(id);
        for &(source, sink) in &place.bridges {
            self.media(Command::Disconnect { source: UnitId::Leg(source), sink: UnitId::Leg(sink) });
        }
        place
    }

    /// Puts a call into a place. Gives the room back that has filled up meanwhile, if one has.
    pub(super) fn occupy(&mut self, _now: Now, id: CallId, place: Place) -> Option<String> {
        let leg = UnitId::Leg(id);
        for (room, membership) in place.rooms {
            let Some(open) = self.rooms.get(room) else { continue };
            let name = open.settings.name.clone();
            if open.is_full_for(id) {
                return Some(self.shown_name(room, &name));
            }
            self.rooms.put_in(room, id, membership);
            if membership.speaks {
                self.media(Command::Connect { source: leg, sink: UnitId::Room(room) });
            }
            if membership.hears {
                self.media(Command::Connect { source: UnitId::Room(room), sink: leg });
            }
            self.note_joined(id, room);
        }
        for (source, sink) in place.bridges {
            let stands = |end: CallId| if Some(end) == place.of { id } else { end };
            let (source, sink) = (stands(source), stands(sink));
            let is_there = |end: &CallId| self.calls.get(end).is_some_and(|call| call.media.leg);
            if is_there(&source) && is_there(&sink) {
                self.rooms.bridge(source, sink);
                self.media(Command::Connect { source: UnitId::Leg(source), sink: UnitId::Leg(sink) });
            }
        }
        if let Some(call) = self.calls.get_mut(&id) {
            call.muted = place.muted;
        }
        self.apply_mute(id);
        self.apply_gain(id, place.gain);
        None
    }

    /// Nobody will take the place: those in its rooms are told that somebody left.
    pub(super) fn give_place_up(&mut self, place: Place) {
        for (room, _) in place.rooms {
            let remain = self.rooms.get(room).map_or(0, |open| open.members());
            self.on_membership(room, Change::Left { remain });
            self.rooms.close_if_empty(&mut self.effects, room);
        }
        if let Some(of) = place.of {
            self.log(Level::Info, Some(of), "not transferred", "and it hung up meanwhile".into());
        }
    }
}
