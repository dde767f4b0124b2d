//! What an administrator makes of rooms while the gateway runs: new ones, locks, and who is in which.

use super::made_rooms::NewRoom;
use super::rooms::{Change, Way};
use super::{Gateway, Output, Refusal, Reply, Rule, StoredRoom, StoredSettings};
use crate::dialplan::{Pin, Room};
use crate::media::command::Command;
use crate::session::{RoomName, collect};
use crate::types::{CallId, Now, RoomId, UnitId};
use std::sync::Arc;

/// The longest name of a room, in characters, and most keys that are pressed at once.
const LONGEST: usize = 64;
/// Digits of a PIN, as in the dialplan.
const PIN_DIGITS: std::ops::RangeInclusive<usize> = 4..=16;
/// Rooms that are made while the gateway runs, and locks.
const MOST: usize = 10_000;

impl Gateway {
    /// Whether there is a room of that name: configured, made, or open.
    pub(super) fn has_room(&self, name: &str) -> bool {
        self.plan.room(name).is_some() || self.rooms.made(name).is_some() || self.rooms.named(name).is_some()
    }

    /// Makes a room that lasts until it is taken away, or changes one that was made.
    pub(super) fn make_room(&mut self, name: &str, new: &NewRoom, replace: bool) -> Reply {
        match self.try_make_room(name, new, replace) {
            Ok(()) => Reply::Done(format!("room {name} is made")),
            Err(why) => Reply::Error(why),
        }
    }

    fn try_make_room(&mut self, name: &str, new: &NewRoom, replace: bool) -> Result<(), Refusal> {
        let invalid = |why: &str| Refusal::new(Rule::Invalid, why);
        if name.trim().is_empty() || name.chars().any(char::is_control) {
            return Err(invalid("a room has a name"));
        }
        if name.chars().count() > LONGEST {
            return Err(invalid("the room's name is too long"));
        }
        if self.plan.room(name).is_some() {
            return Err(Refusal::new(Rule::InDialplan, format!("room {name} is the dialplan's, and changed there")));
        }
        let is_made = self.rooms.made(name).is_some();
        if !replace && (is_made || self.rooms.named(name).is_some()) {
            return Err(Refusal::new(Rule::Exists, format!("there is a room {name} already")));
        }
        if replace && !is_made {
            let why = format!("room {name} was not made by an administrator: it has no settings to be changed");
            return Err(Refusal::new(if self.has_room(name) { Rule::NoChange } else { Rule::NoSuchRoom }, why));
        }
        if !is_made && self.rooms.made_count() >= MOST {
            return Err(Refusal::new(Rule::Limit, format!("{MOST} rooms are made already")));
        }
        if new.max_members.is_some_and(|most| !(1..=10_000).contains(&most)) {
            return Err(invalid("max_members is 1 to 10000"));
        }
        let pin = |text: &Option<String>| match text {
            None => Ok(None),
            Some(text) => Pin::new(text)
                .filter(|_| PIN_DIGITS.contains(&text.len()))
                .map(Some)
                .ok_or_else(|| invalid("a PIN is 4 to 16 digits")),
        };
        let (pin, host_pin) = (pin(&new.pin)?, pin(&new.host_pin)?);
        let texts = [new.pin.as_ref(), new.host_pin.as_ref()];
        let is_taken = |text: &String| {
            let plans = self.plan.room_by_pin(text).is_some();
            plans || self.rooms.made_by_pin(text).is_some_and(|(room, _)| room.name != name)
        };
        if texts.into_iter().flatten().any(is_taken) || (new.pin.is_some() && new.pin == new.host_pin) {
            return Err(Refusal::new(Rule::PinTaken, "this PIN opens another room, or this one in two ways"));
        }
        let NewRoom { max_members, mute, .. } = *new;
        let room = Room { pin, host_pin, max_members, mute, ..Room::on_demand(name.to_owned()) };
        self.rooms.make(room);
        self.keep_room(name);
        Ok(())
    }

    /// What an administrator made of a room has changed: it outlives the gateway, where there is a database.
    fn keep_room(&mut self, name: &str) {
        if self.users.has_database() {
            let room = self.rooms.stored(name);
            self.effects.output(Output::KeepRoom { name: name.to_owned(), room });
        }
    }

    /// Takes rooms over that were made or locked in an earlier life. What was done since the start goes before, and so
    /// does the dialplan. Gives how many there are.
    pub(super) fn restore_rooms(&mut self, rooms: Vec<StoredRoom>) -> usize {
        let mut count = 0;
        for StoredRoom { name, made, locked } in rooms {
            if self.rooms.stored(&name).is_some() {
                continue;
            }
            count += 1;
            self.rooms.set_locked(&name, locked);
            if let Some(StoredSettings { pin, host_pin, max_members, mute }) =
                made.filter(|_| self.plan.room(&name).is_none())
            {
                self.rooms.make(Room { pin, host_pin, max_members, mute, ..Room::on_demand(name) });
            }
        }
        count
    }

    /// Takes a room away that was made, once nobody is in it.
    pub(super) fn unmake_room(&mut self, name: &str) -> Reply {
        if self.plan.room(name).is_some() {
            return Reply::Error(Refusal::new(Rule::InDialplan, format!("room {name} is the dialplan's")));
        }
        if self.rooms.named(name).is_some_and(|open| open.members() > 0) {
            return Reply::Error(Refusal::new(Rule::Busy, format!("somebody is in room {name}")));
        }
        if self.rooms.unmake(name) {
            self.keep_room(name);
            Reply::Done(format!("room {name} is taken away"))
        } else {
            Reply::Error(no_room(name))
        }
    }

    /// Locks a room: who is not in it cannot come in; or unlocks it.
    pub(super) fn lock_room(&mut self, name: &str, locked: bool) -> Reply {
        if !self.has_room(name) && !self.rooms.is_locked(name) {
            return Reply::Error(no_room(name));
        }
        if locked && self.rooms.lock_count() >= MOST && !self.rooms.is_locked(name) {
            return Reply::Error(Refusal::new(Rule::Limit, format!("{MOST} rooms are locked already")));
        }
        self.rooms.set_locked(name, locked);
        self.keep_room(name);
        Reply::Done(format!("room {name} is {}", if locked { "locked" } else { "open" }))
    }

    /// Takes a call out of its room and into another one, which is made if nobody has.
    pub(super) fn move_call(&mut self, call: &str, room: &str) -> Reply {
        match self.try_move(call, room) {
            Ok(id) => Reply::Done(format!("{id} is in room {room}")),
            Err(why) => Reply::Error(why),
        }
    }

    fn try_move(&mut self, call: &str, name: &str) -> Result<CallId, Refusal> {
        let id = self.call_named(call)?;
        let session = self.calls.get(&id).map(|call| call.session).ok_or_else(Refusal::call_is_over)?;
        let before = self.rooms.of(id).next();
        let before = before.ok_or_else(|| Refusal::new(Rule::NotAnswered, format!("{id} is in no room")))?;
        if !self.has_room(name) {
            return Err(no_room(name));
        }
        if self.rooms.id_of(name) == Some(before) {
            return Err(Refusal::new(Rule::NoChange, format!("{id} is in room {name} already")));
        }
        if self.rooms.named(name).is_some_and(|open| open.is_full_for(id)) {
            return Err(Refusal::new(Rule::RoomFull, format!("room {name} is full")));
        }
        // Its session goes on in the new room under the name that it gave to the old one.
        let running = self.sessions.get(&session);
        let handle = running.and_then(|session| session.rooms.iter().find(|(_, room)| **room == before));
        let handle = handle.map(|(handle, _)| *handle);
        let handle =
            handle.ok_or_else(|| Refusal::new(Rule::Busy, format!("{id} was put into its room by another")))?;
        let others = running.is_some_and(|session| session.calls.len() > 1);
        if others {
            return Err(Refusal::new(Rule::Busy, format!("{id} is not alone with what it does")));
        }
        let room = self.open_room(session, handle, &RoomName::Plain(name.to_owned()));
        self.leave_room(id, before);
        self.enter_room(id, room);
        Ok(id)
    }

    fn leave_room(&mut self, id: CallId, room: RoomId) {
        let leg = UnitId::Leg(id);
        self.media(Command::Disconnect { source: leg, sink: UnitId::Room(room) });
        self.media(Command::Disconnect { source: UnitId::Room(room), sink: leg });
        for way in [Way::Speaks, Way::Hears] {
            let change = self.rooms.disconnect(room, id, way);
            if let Change::Left { .. } = change {
                self.note_left(id, room);
            }
            self.on_membership(room, change);
        }
        self.rooms.close_if_empty(&mut self.effects, room);
    }

    fn enter_room(&mut self, id: CallId, room: RoomId) {
        let leg = UnitId::Leg(id);
        self.media(Command::Connect { source: leg, sink: UnitId::Room(room) });
        // Who is on hold hears it when it is taken back.
        if !self.is_held(leg) {
            self.media(Command::Connect { source: UnitId::Room(room), sink: leg });
        }
        for way in [Way::Speaks, Way::Hears] {
            let change = self.rooms.connect(room, id, way);
            if let Change::Joined { .. } = change {
                self.note_joined(id, room);
            }
            self.on_membership(room, change);
        }
    }

    /// Presses keys in the direction of a call's other end.
    pub(super) fn press(&mut self, now: Now, call: &str, digits: String) -> Reply {
        if digits.is_empty() || digits.len() > LONGEST || !digits.chars().all(collect::is_dtmf) {
            let why = format!("digits are 0 to 9, *, # and A to D, at most {LONGEST}");
            return Reply::Error(Refusal::new(Rule::Invalid, why));
        }
        let id = match self.call_named(call) {
            Ok(id) => id,
            Err(why) => return Reply::Error(why),
        };
        if !self.calls.get(&id).is_some_and(|call| call.media.leg) {
            return Reply::Error(Refusal::new(Rule::NotAnswered, format!("{id} is not answered")));
        }
        self.send_digits(now, id, digits);
        Reply::Done(format!("{id} is sent the keys"))
    }

    /// The settings of the room of that name, where an administrator made it.
    pub(super) fn made_room(&self, name: &str) -> Option<Arc<Room>> {
        self.rooms.made(name).cloned()
    }
}

fn no_room(name: &str) -> Refusal {
    Refusal::new(Rule::NoSuchRoom, format!("there is no room {name:?}"))
}
