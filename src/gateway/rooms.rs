//! The room directory: the only place that knows where a room is. Today: here.

use super::SessionId;
use crate::dialplan::Room;
use crate::session::RoomHandle;
use crate::types::{CallId, PlayerId, RoomId, relax};
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

/// Which ways a call is connected to a room.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Membership {
    pub(super) speaks: bool,
    pub(super) hears: bool,
}

/// One room that somebody opened.
#[derive(Debug)]
pub(super) struct OpenRoom {
    pub(super) settings: Arc<Room>,
    members: BTreeMap<CallId, Membership>,
    watchers: Vec<(SessionId, RoomHandle)>,
    /// What plays while a single call is in it.
    alone: Option<PlayerId>,
}

impl OpenRoom {
    /// Calls connected to it.
    pub(super) fn members(&self) -> usize {
        self.members.len()
    }

    /// The calls connected to it.
    pub(super) fn calls(&self) -> impl Iterator<Item = CallId> + '_ {
        self.members.keys().copied()
    }

    /// Sessions that opened it, each with its own name for it.
    pub(super) fn watchers(&self) -> &[(SessionId, RoomHandle)] {
        &self.watchers
    }

    /// Whether something plays for a call that is alone in it.
    pub(super) const fn sounds_alone(&self) -> bool {
        self.alone.is_some()
    }

    /// Whether a call in it hears the others.
    pub(super) fn is_heard_by(&self, call: CallId) -> bool {
        self.members.get(&call).is_some_and(|membership| membership.hears)
    }

    /// Whether one more call may come in.
    pub(super) fn is_full_for(&self, call: CallId) -> bool {
        let limit = self.settings.max_members.map_or(usize::MAX, |limit| limit as usize);
        !self.members.contains_key(&call) && self.members.len() >= limit
    }
}

/// Which end of a connection the room is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    /// The call is heard in the room.
    Speaks,
    /// The call hears the room.
    Hears,
}

/// What a change of connections did to the membership.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Change {
    /// Nobody came or went.
    None,
    /// The call came in; so many were there before.
    Joined { before: usize },
    /// The call left; so many remain.
    Left { remain: usize },
}

/// Rooms by name and by identifier.
#[derive(Debug, Default)]
pub(super) struct Rooms {
    by_name: HashMap<String, RoomId>,
    open: HashMap<RoomId, OpenRoom>,
}

impl Rooms {
    /// The identifier of the open room of that name.
    pub(super) fn id_of(&self, name: &str) -> Option<RoomId> {
        self.by_name.get(name).copied()
    }

    /// The open room of that name.
    pub(super) fn named(&self, name: &str) -> Option<&OpenRoom> {
        self.open.get(self.by_name.get(name)?)
    }

    /// Opens the room that `settings` name for a session. Says whether it is new, so that the engine must make it.
    pub(super) fn open(
        &mut self,
        settings: Arc<Room>,
        watcher: (SessionId, RoomHandle),
        fresh: RoomId,
    ) -> (RoomId, bool) {
        let known = self.by_name.get(&settings.name).copied();
        let id = known.unwrap_or(fresh);
        if known.is_none() {
            self.by_name.insert(settings.name.clone(), id);
            let room = OpenRoom { settings, members: BTreeMap::new(), watchers: Vec::new(), alone: None };
            self.open.insert(id, room);
        }
        if let Some(room) = self.open.get_mut(&id) {
            room.watchers.push(watcher);
        }
        (id, known.is_none())
    }

    pub(super) fn get(&self, id: RoomId) -> Option<&OpenRoom> {
        self.open.get(&id)
    }

    /// Notes what plays from now on while a single call is in a room; gives back what played before.
    pub(super) fn set_alone(&mut self, id: RoomId, player: Option<PlayerId>) -> Option<PlayerId> {
        std::mem::replace(&mut self.open.get_mut(&id)?.alone, player)
    }

    /// All open rooms, in no order.
    pub(super) fn iter(&self) -> impl Iterator<Item = &OpenRoom> {
        self.open.values()
    }

    /// Notes a connection between a call and a room.
    pub(super) fn connect(&mut self, id: RoomId, call: CallId, way: Way) -> Change {
        let Some(room) = self.open.get_mut(&id) else { return Change::None };
        let before = room.members.len();
        let is_new = !room.members.contains_key(&call);
        let membership = room.members.entry(call).or_default();
        match way {
            Way::Speaks => membership.speaks = true,
            Way::Hears => membership.hears = true,
        }
        if is_new { Change::Joined { before } } else { Change::None }
    }

    /// Notes that a connection is gone.
    pub(super) fn disconnect(&mut self, id: RoomId, call: CallId, way: Way) -> Change {
        let Some(room) = self.open.get_mut(&id) else { return Change::None };
        let Some(membership) = room.members.get_mut(&call) else { return Change::None };
        match way {
            Way::Speaks => membership.speaks = false,
            Way::Hears => membership.hears = false,
        }
        if membership.speaks || membership.hears {
            return Change::None;
        }
        room.members.remove(&call);
        Change::Left { remain: room.members.len() }
    }

    /// Notes that a call is gone from a room in every way.
    pub(super) fn leave(&mut self, id: RoomId, call: CallId) -> Change {
        let Some(room) = self.open.get_mut(&id) else { return Change::None };
        if room.members.remove(&call).is_none() {
            return Change::None;
        }
        Change::Left { remain: room.members.len() }
    }

    /// Takes a call out without a word, and says how it was connected.
    pub(super) fn take_out(&mut self, id: RoomId, call: CallId) -> Option<Membership> {
        self.open.get_mut(&id)?.members.remove(&call)
    }

    /// Puts a call in without a word, connected like this.
    pub(super) fn put_in(&mut self, id: RoomId, call: CallId, membership: Membership) {
        if let Some(room) = self.open.get_mut(&id) {
            room.members.insert(call, membership);
        }
    }

    /// Forgets a session's interest in a room.
    pub(super) fn release(&mut self, id: RoomId, session: SessionId) {
        if let Some(room) = self.open.get_mut(&id) {
            room.watchers.retain(|(watcher, _)| *watcher != session);
        }
    }

    /// Removes the room if nobody is in it and nobody holds it open. Says whether it did.
    pub(super) fn close_if_empty(&mut self, id: RoomId) -> bool {
        let empty = self.open.get(&id).is_some_and(|room| room.members.is_empty() && room.watchers.is_empty());
        if empty && let Some(room) = self.open.remove(&id) {
            self.by_name.remove(&room.settings.name);
            relax(&mut self.by_name);
            relax(&mut self.open);
        }
        empty
    }

    pub(super) fn len(&self) -> usize {
        self.open.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ANNA: CallId = CallId(1);
    const BEN: CallId = CallId(2);

    fn opened() -> (Rooms, RoomId) {
        let mut rooms = Rooms::default();
        let settings = Arc::new(Room::on_demand("kitchen".to_owned()));
        let (id, new) = rooms.open(settings, (SessionId(1), RoomHandle(0)), RoomId(9));
        assert!(new);
        (rooms, id)
    }

    #[test]
    fn a_call_connected_both_ways_counts_once_and_leaves_with_the_second_end() {
        let (mut rooms, id) = opened();
        assert_eq!(rooms.connect(id, ANNA, Way::Speaks), Change::Joined { before: 0 });
        assert_eq!(rooms.connect(id, ANNA, Way::Hears), Change::None);
        assert_eq!(rooms.connect(id, BEN, Way::Hears), Change::Joined { before: 1 });
        assert_eq!(rooms.disconnect(id, ANNA, Way::Speaks), Change::None);
        assert_eq!(rooms.disconnect(id, ANNA, Way::Hears), Change::Left { remain: 1 });
    }

    #[test]
    fn a_room_is_gone_when_nobody_is_in_it_or_holds_it() {
        let (mut rooms, id) = opened();
        rooms.connect(id, ANNA, Way::Hears);
        rooms.release(id, SessionId(1));
        assert!(!rooms.close_if_empty(id));
        assert_eq!(rooms.leave(id, ANNA), Change::Left { remain: 0 });
        assert!(rooms.close_if_empty(id));
        assert!(rooms.named("kitchen").is_none());
        assert_eq!(rooms.len(), 0);
    }

    #[test]
    fn two_sessions_that_open_one_name_share_the_room() {
        let (mut rooms, id) = opened();
        let again =
            rooms.open(Arc::new(Room::on_demand("kitchen".to_owned())), (SessionId(2), RoomHandle(5)), RoomId(10));
        assert_eq!(again, (id, false));
        assert_eq!(rooms.get(id).map(|room| room.watchers().len()), Some(2));
    }

    #[test]
    fn a_full_room_still_knows_its_members() {
        let mut rooms = Rooms::default();
        let mut settings = Room::on_demand("closet".to_owned());
        settings.max_members = Some(1);
        let (id, _) = rooms.open(Arc::new(settings), (SessionId(1), RoomHandle(0)), RoomId(1));
        rooms.connect(id, ANNA, Way::Speaks);
        let room = rooms.get(id).unwrap();
        assert!(room.is_full_for(BEN));
        assert!(!room.is_full_for(ANNA));
    }
}
