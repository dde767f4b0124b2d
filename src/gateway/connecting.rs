//! Who hears whom: what sessions connect and take apart, and who comes into rooms and leaves them by that.

use super::flat::End;
use super::rooms::{Change, Way};
use super::{Event, Gateway, Level, SessionId};
use crate::dialplan::Announce;
use crate::media::command::Command;
use crate::session::{Unit, VerbError};
use crate::types::{CallId, RoomId, UnitId};

impl Gateway {
    pub(super) fn connect(&mut self, session: SessionId, source: Unit, sink: Unit) -> Result<(), VerbError> {
        const VERB: &str = "connect";
        match (self.end_of(session, source, VERB)?, self.end_of(session, sink, VERB)?) {
            (End::Unit(UnitId::Recorder(_)), _) | (_, End::Unit(UnitId::Player(_))) => {
                Err(VerbError::WrongState { verb: VERB, state: "of the other way" })
            }
            (End::Unit(from), End::Unit(to)) => {
                let before = self.joins.flat.clear(End::Unit(to));
                self.link(from, to, VERB)?;
                self.carry_difference(before);
                Ok(())
            }
            (source, sink) => {
                if let End::Unit(to) = sink {
                    self.replace_source(to, None);
                }
                self.connect_half(source, sink)
            }
        }
    }

    pub(super) fn disconnect(&mut self, session: SessionId, source: Unit, sink: Unit) -> Result<(), VerbError> {
        const VERB: &str = "disconnect";
        match (self.end_of(session, source, VERB)?, self.end_of(session, sink, VERB)?) {
            (End::Unit(from), End::Unit(to)) => self.unlink(from, to),
            (source, sink) => {
                let difference = self.joins.flat.disconnect(source, sink);
                self.carry_difference(difference);
            }
        }
        Ok(())
    }

    /// A leg hears one source, and from now on another one.
    fn replace_source(&mut self, sink: UnitId, by: Option<UnitId>) {
        let UnitId::Leg(leg) = sink else { return };
        for before in self.rooms.sources_of(leg) {
            if Some(before) != by {
                self.unlink(before, sink);
            }
        }
    }

    /// Has `to` hear `from`.
    pub(super) fn link(&mut self, from: UnitId, to: UnitId, verb: &'static str) -> Result<(), VerbError> {
        // Sound before an answer is no member yet.
        let joining = part_of(from, to).filter(|(call, ..)| !self.is_being_called(*call));
        if let Some((call, room, _)) = joining
            && let Some(limit) = self.rooms.keeps_out(room, call)
        {
            return Err(VerbError::Limit { verb, limit });
        }
        if !matches!(from, UnitId::Player(_)) {
            self.replace_source(to, Some(from));
        }
        // Who is on hold hears it when it is taken back.
        if !self.is_held(to) {
            self.media(Command::Connect { source: from, sink: to });
        }
        if let (UnitId::Leg(from), UnitId::Leg(to)) = (from, to) {
            self.rooms.bridge(from, to);
        }
        if let Some((call, room, way)) = joining {
            let change = self.rooms.connect(room, call, way);
            if let Change::Joined { .. } = change {
                self.note_joined(call, room);
            }
            self.on_membership(room, change);
        }
        Ok(())
    }

    /// Has `to` not hear `from` any more.
    pub(super) fn unlink(&mut self, from: UnitId, to: UnitId) {
        self.media(Command::Disconnect { source: from, sink: to });
        if let (UnitId::Leg(from), UnitId::Leg(to)) = (from, to) {
            self.rooms.unbridge(from, to);
        }
        if let Some((id, room, way)) = part_of(from, to) {
            let change = self.rooms.disconnect(room, id, way);
            if let Change::Left { .. } = change {
                self.note_left(id, room);
            }
            self.on_membership(room, change);
            self.rooms.close_if_empty(&mut self.effects, room);
        }
    }

    pub(super) fn note_joined(&mut self, id: CallId, room: RoomId) {
        let Some(open) = self.rooms.get(room) else { return };
        let (name, members) = (open.settings.name.clone(), open.members());
        if let Some(call) = self.calls.get_mut(&id)
            && call.room_names.last() != Some(&name)
        {
            call.room_names.push(name.clone());
        }
        let shown = self.shown_name(room, &name);
        let logged = self.logged_room(&shown);
        self.log(Level::Info, Some(id), "joined", format!("room {logged}, {members} in it"));
        self.effects.event(Event::RoomJoined { call: id, room: shown, members });
        self.apply_processing(id);
        self.tell_joined(id, &name);
    }

    /// A call has left a room.
    pub(super) fn note_left(&mut self, id: CallId, room: RoomId) {
        let Some(open) = self.rooms.get(room) else { return };
        let (shown, members) = (self.shown_name(room, &open.settings.name), open.members());
        self.effects.event(Event::RoomLeft { call: id, room: shown, members });
        self.apply_processing(id);
    }

    /// A room's name for the log and for events: one made on demand may be a whole telephone number.
    pub(super) fn shown_name(&self, room: RoomId, name: &str) -> String {
        let is_chosen = self.plan.room(name).is_some() || self.rooms.made(name).is_some();
        if is_chosen { name.to_owned() } else { room.to_string() }
    }

    /// A room's name as a log has it: that of a scenario's conference is what telephones key, and hidden as a PIN is.
    pub(super) fn logged_room(&self, name: &str) -> String {
        let room = self.plan.room(name);
        if room.is_some_and(|room| room.is_keyed_by_name()) { self.pins.without_digits(name) } else { name.to_owned() }
    }

    /// Tells sessions and members of a room that somebody came or went.
    pub(super) fn on_membership(&mut self, room: RoomId, change: Change) {
        let (tone, others) = match change {
            Change::None => return,
            Change::Joined { before } => ("join", before),
            Change::Left { remain } => ("leave", remain),
        };
        let Some(open) = self.rooms.get(room) else { return };
        let announced = open.settings.announce == Announce::Tone;
        self.rooms.tell_watchers(&mut self.effects, room);
        if announced && others > 0 {
            self.announce(room, tone);
        }
        self.sound_alone(room);
    }

    /// A session has no more to do with a room.
    pub(super) fn release_room(&mut self, session: SessionId, room: RoomId) {
        self.rooms.release(&mut self.effects, room, session);
        if self.rooms.get(room).is_none() {
            self.joins.flat.forget(UnitId::Room(room));
        }
    }

    fn end_of(&self, session: SessionId, unit: Unit, verb: &'static str) -> Result<End, VerbError> {
        match unit {
            Unit::Call(call) => match self.half_under(session, call) {
                Some(half) => Ok(End::Half(half)),
                None => self.call_with_leg(session, call, verb).map(|call| End::Unit(UnitId::Leg(call.id))),
            },
            Unit::Room(handle) => self.room_of(session, handle, verb).map(|room| End::Unit(UnitId::Room(room))),
            Unit::Stream(stream) => self.stream_of(session, stream, verb).map(End::Unit),
        }
    }
}

/// The part that a call has in a room by one connection; `None`: it is between others.
const fn part_of(from: UnitId, to: UnitId) -> Option<(CallId, RoomId, Way)> {
    match (from, to) {
        (UnitId::Leg(call), UnitId::Room(room)) => Some((call, room, Way::Speaks)),
        (UnitId::Room(room), UnitId::Leg(call)) => Some((call, room, Way::Hears)),
        _ => None,
    }
}
