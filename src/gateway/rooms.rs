//! The room directory: the only place that knows where a room is (today: here), and who is in it.

use super::bridges::Bridges;
use super::effects::Effects;
use super::made_rooms::MadeRooms;
use super::{SessionId, StoredRoom};
use crate::dialplan::{Room, RoomAccess};
use crate::media::command::Command;
use crate::session::{self, RoomHandle};
use crate::types::{CallId, IdMap, PlayerId, RoomId, UnitId, relax};
use std::collections::{BTreeMap, BTreeSet, HashMap};
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
    /// Who speaks, as told last.
    speaker: Option<CallId>,
}

impl OpenRoom {
    /// Calls connected to it.
    pub(super) fn members(&self) -> usize {
        self.members.len()
    }

    /// The sessions that hold it open, and what each calls it.
    pub(super) fn watchers(&self) -> &[(SessionId, RoomHandle)] {
        &self.watchers
    }

    /// Whether a call is connected to it.
    pub(super) fn has(&self, call: CallId) -> bool {
        self.members.contains_key(&call)
    }

    /// Who speaks.
    pub(super) const fn speaker(&self) -> Option<CallId> {
        self.speaker
    }

    /// The calls connected to it.
    pub(super) fn calls(&self) -> impl Iterator<Item = CallId> + '_ {
        self.members.keys().copied()
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
    /// The rooms each call is in.
    by_call: IdMap<CallId, BTreeSet<RoomId>>,
    bridges: Bridges,
    /// What administrators made of rooms, open or not.
    made: MadeRooms,
    /// Somebody has come into a room where others are.
    has_new_company: bool,
    /// Turns of measuring so far.
    turns: u64,
}

impl Rooms {
    /// The settings of the room of that name that an administrator made.
    pub(super) fn made(&self, name: &str) -> Option<&Arc<Room>> {
        self.made.get(name)
    }

    /// How many there are.
    pub(super) fn made_count(&self) -> usize {
        self.made.len()
    }

    pub(super) fn made_names(&self) -> impl Iterator<Item = &str> {
        self.made.names()
    }

    /// The made room that a PIN opens, and as whom.
    pub(super) fn made_by_pin(&self, keyed: &str) -> Option<(&Arc<Room>, RoomAccess)> {
        self.made.by_pin(keyed)
    }

    /// Makes a room, or changes it.
    pub(super) fn make(&mut self, room: Room) {
        let room = Arc::new(room);
        let open = self.by_name.get(&room.name).and_then(|id| self.open.get_mut(id));
        open.into_iter().for_each(|open| open.settings = Arc::clone(&room));
        self.made.insert(room);
    }

    /// Takes a made room away; says whether there was one.
    pub(super) fn unmake(&mut self, name: &str) -> bool {
        self.made.remove(name)
    }

    /// Whether only those who are in it may be in the room of that name.
    pub(super) fn is_locked(&self, name: &str) -> bool {
        self.made.is_locked(name)
    }

    /// What is kept of the room of that name.
    pub(super) fn stored(&self, name: &str) -> Option<StoredRoom> {
        self.made.stored(name)
    }

    /// How many rooms are locked.
    pub(super) fn lock_count(&self) -> usize {
        self.made.locks()
    }

    pub(super) fn set_locked(&mut self, name: &str, locked: bool) {
        self.made.set_locked(name, locked);
    }

    /// The locked rooms that nobody is in, by name.
    pub(super) fn locked_and_empty(&self) -> Vec<String> {
        let empty = |name: &&str| self.named(name).is_none_or(|room| room.members() == 0);
        self.made.locked().filter(empty).map(str::to_owned).collect()
    }

    /// Why a call may not come into a room, as a session hears it.
    pub(super) fn keeps_out(&self, id: RoomId, call: CallId) -> Option<&'static str> {
        let room = self.open.get(&id)?;
        if room.is_full_for(call) {
            return Some("the room is full");
        }
        let is_locked = !room.members.contains_key(&call) && self.is_locked(&room.settings.name);
        is_locked.then_some("the room is locked")
    }

    /// The identifier of the open room of that name.
    pub(super) fn id_of(&self, name: &str) -> Option<RoomId> {
        self.by_name.get(name).copied()
    }

    /// The open room of that name.
    pub(super) fn named(&self, name: &str) -> Option<&OpenRoom> {
        self.open.get(self.by_name.get(name)?)
    }

    /// Opens the room that `settings` name for a session; when it is new, so many at once are mixed in it, the
    /// `loudest`.
    pub(super) fn open(
        &mut self,
        effects: &mut Effects,
        settings: Arc<Room>,
        loudest: usize,
        watcher: (SessionId, RoomHandle),
    ) -> RoomId {
        let fresh = RoomId(effects.fresh_id());
        let known = self.by_name.get(&settings.name).copied();
        let id = known.unwrap_or(fresh);
        if known.is_none() {
            effects.media(Command::AddRoom { room: id, loudest });
            self.by_name.insert(settings.name.clone(), id);
            let room =
                OpenRoom { settings, members: BTreeMap::new(), watchers: Vec::new(), alone: None, speaker: None };
            self.open.insert(id, room);
        }
        if let Some(room) = self.open.get_mut(&id) {
            room.watchers.push(watcher);
        }
        id
    }

    pub(super) fn get(&self, id: RoomId) -> Option<&OpenRoom> {
        self.open.get(&id)
    }

    /// Notes what plays from now on while a single call is in a room; gives back what played before.
    pub(super) fn set_alone(&mut self, id: RoomId, player: Option<PlayerId>) -> Option<PlayerId> {
        std::mem::replace(&mut self.open.get_mut(&id)?.alone, player)
    }

    /// Notes who speaks in a room. Says whether that is news.
    pub(super) fn set_speaker(&mut self, id: RoomId, speaker: Option<CallId>) -> bool {
        self.open.get_mut(&id).is_some_and(|room| std::mem::replace(&mut room.speaker, speaker) != speaker)
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
        if !is_new {
            return Change::None;
        }
        self.by_call.entry(call).or_default().insert(id);
        self.has_new_company |= before > 0;
        Change::Joined { before }
    }

    /// Whether somebody has come into a room where others are, since this was asked last.
    pub(super) fn has_new_company(&mut self) -> bool {
        std::mem::take(&mut self.has_new_company)
    }

    /// The rooms that several are in, or whose speaker was left alone and may go on, in no order.
    pub(super) fn with_company(&self) -> impl Iterator<Item = RoomId> {
        let is_heard = |room: &OpenRoom| room.members() > 1 || room.speaker.is_some();
        self.open.iter().filter(move |(_, room)| is_heard(room)).map(|(id, _)| *id)
    }

    /// The number of the next turn of measuring.
    pub(super) const fn next_turn(&mut self) -> u64 {
        self.turns += 1;
        self.turns
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
        let remain = room.members.len();
        self.is_out_of(id, call);
        Change::Left { remain }
    }

    /// The rooms a call is in.
    pub(super) fn of(&self, call: CallId) -> impl Iterator<Item = RoomId> + '_ {
        self.by_call.get(&call).into_iter().flatten().copied()
    }

    /// Takes a call that is over out of the next of its rooms; `None`: it is in none any more.
    pub(super) fn leave_next(&mut self, call: CallId) -> Option<(RoomId, Change)> {
        let id = self.of(call).next()?;
        self.is_out_of(id, call);
        let room = self.open.get_mut(&id)?;
        room.members.remove(&call);
        Some((id, Change::Left { remain: room.members.len() }))
    }

    fn is_out_of(&mut self, id: RoomId, call: CallId) {
        let Some(rooms) = self.by_call.get_mut(&call) else { return };
        rooms.remove(&id);
        if rooms.is_empty() {
            self.by_call.remove(&call);
            relax(&mut self.by_call);
        }
    }

    /// Takes a call out of all its rooms without a word, and says how it was connected.
    pub(super) fn take_out(&mut self, call: CallId) -> Vec<(RoomId, Membership)> {
        let rooms = self.by_call.remove(&call).unwrap_or_default();
        let taken = |id: RoomId| Some((id, self.open.get_mut(&id)?.members.remove(&call)?));
        rooms.into_iter().filter_map(taken).collect()
    }

    /// Puts a call in without a word, connected like this.
    pub(super) fn put_in(&mut self, id: RoomId, call: CallId, membership: Membership) {
        if let Some(room) = self.open.get_mut(&id) {
            self.has_new_company |= !room.members.is_empty();
            room.members.insert(call, membership);
            self.by_call.entry(call).or_default().insert(id);
        }
    }

    /// Notes that one call hears another.
    pub(super) fn bridge(&mut self, source: CallId, sink: CallId) {
        self.bridges.connect(source, sink);
    }

    /// Notes that one call does not hear another any more.
    pub(super) fn unbridge(&mut self, source: CallId, sink: CallId) {
        self.bridges.disconnect(source, sink);
    }

    /// Notes that a call hears no other, nor is heard by one. Gives the source and sink of each that went.
    pub(super) fn unbridge_all(&mut self, call: CallId) -> Vec<(CallId, CallId)> {
        self.bridges.take_out(call)
    }

    /// All that a call hears, by rooms and bridges.
    pub(super) fn sources_of(&self, call: CallId) -> Vec<UnitId> {
        let heard = self.of(call).filter(|id| self.get(*id).is_some_and(|room| room.is_heard_by(call)));
        heard.map(UnitId::Room).chain(self.bridges.sources_of(call).map(UnitId::Leg)).collect()
    }

    /// Tells the sessions that hold a room open how many are in it.
    pub(super) fn tell_watchers(&self, effects: &mut Effects, id: RoomId) {
        let Some(room) = self.get(id) else { return };
        for &(session, handle) in &room.watchers {
            effects.emit(session, session::Event::RoomChanged { room: handle, members: room.members() });
        }
    }

    /// Forgets a session's interest in a room.
    pub(super) fn release(&mut self, effects: &mut Effects, id: RoomId, session: SessionId) {
        if let Some(room) = self.open.get_mut(&id) {
            room.watchers.retain(|(watcher, _)| *watcher != session);
        }
        self.close_if_empty(effects, id);
    }

    /// Removes the room if nobody is in it and nobody holds it open.
    pub(super) fn close_if_empty(&mut self, effects: &mut Effects, id: RoomId) {
        let empty = self.open.get(&id).is_some_and(|room| room.members.is_empty() && room.watchers.is_empty());
        if empty && let Some(room) = self.open.remove(&id) {
            self.by_name.remove(&room.settings.name);
            relax(&mut self.by_name);
            relax(&mut self.open);
            effects.media(Command::RemoveRoom { room: id });
        }
    }

    /// Whether no room is open and no call connected.
    pub(super) fn is_idle(&self) -> bool {
        self.open.is_empty() && self.by_call.is_empty() && self.bridges.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gateway::Output;
    use crate::types::Disturbance;

    const ANNA: CallId = CallId(1);
    const BEN: CallId = CallId(2);

    fn opened() -> (Rooms, Effects, RoomId) {
        let (mut rooms, mut effects) = (Rooms::default(), Effects::default());
        let settings = Arc::new(Room::on_demand("kitchen".to_owned()));
        let id = rooms.open(&mut effects, settings, 8, (SessionId(1), RoomHandle(0)));
        assert!(
            matches!(effects.poll_output(), Some(Output::Media(Command::AddRoom { room, loudest: 8 })) if room == id)
        );
        (rooms, effects, id)
    }

    #[test]
    fn a_call_connected_both_ways_counts_once_and_leaves_with_the_second_end() {
        let (mut rooms, _, id) = opened();
        assert_eq!(rooms.connect(id, ANNA, Way::Speaks), Change::Joined { before: 0 });
        assert_eq!(rooms.connect(id, ANNA, Way::Hears), Change::None);
        assert_eq!(rooms.connect(id, BEN, Way::Hears), Change::Joined { before: 1 });
        assert_eq!(rooms.disconnect(id, ANNA, Way::Speaks), Change::None);
        assert_eq!(rooms.disconnect(id, ANNA, Way::Hears), Change::Left { remain: 1 });
    }

    #[test]
    fn a_room_is_gone_when_nobody_is_in_it_or_holds_it() {
        let (mut rooms, mut effects, id) = opened();
        rooms.connect(id, ANNA, Way::Hears);
        rooms.release(&mut effects, id, SessionId(1));
        assert!(effects.poll_output().is_none());
        assert_eq!(rooms.leave_next(ANNA), Some((id, Change::Left { remain: 0 })));
        assert_eq!(rooms.leave_next(ANNA), None);
        rooms.close_if_empty(&mut effects, id);
        assert!(matches!(effects.poll_output(), Some(Output::Media(Command::RemoveRoom { room })) if room == id));
        assert!(rooms.named("kitchen").is_none());
        assert!(rooms.is_idle());
    }

    #[test]
    fn two_sessions_that_open_one_name_share_the_room() {
        let (mut rooms, mut effects, id) = opened();
        let settings = Arc::new(Room::on_demand("kitchen".to_owned()));
        assert_eq!(rooms.open(&mut effects, settings, 8, (SessionId(2), RoomHandle(5))), id);
        assert!(effects.poll_output().is_none(), "the media plane has it already");
        rooms.connect(id, ANNA, Way::Speaks);
        rooms.tell_watchers(&mut effects, id);
        let told = std::iter::from_fn(|| effects.pop_news()).map(|news| news.session);
        assert_eq!(told.collect::<Vec<_>>(), [SessionId(1), SessionId(2)]);
    }

    #[test]
    fn what_a_call_hears_is_kept_for_the_one_that_takes_its_place() {
        let (mut rooms, _, id) = opened();
        rooms.connect(id, ANNA, Way::Hears);
        rooms.bridge(BEN, ANNA);
        assert_eq!(rooms.sources_of(ANNA), [UnitId::Room(id), UnitId::Leg(BEN)]);
        let (taken, bridges) = (rooms.take_out(ANNA), rooms.unbridge_all(ANNA));
        assert_eq!((taken.len(), bridges), (1, vec![(BEN, ANNA)]));
        assert!(rooms.sources_of(ANNA).is_empty() && rooms.of(ANNA).next().is_none());
        rooms.put_in(id, BEN, taken[0].1);
        assert_eq!(rooms.sources_of(BEN), [UnitId::Room(id)]);
    }

    #[test]
    fn what_changes_of_a_made_room_holds_for_those_who_are_in_it() {
        let (mut rooms, mut effects) = (Rooms::default(), Effects::default());
        rooms.make(Room::on_demand("board".to_owned()));
        let settings = Arc::clone(rooms.made("board").unwrap());
        let id = rooms.open(&mut effects, settings, 8, (SessionId(1), RoomHandle(0)));
        rooms.connect(id, ANNA, Way::Speaks);
        let mute = [Disturbance::Echo].into_iter().collect();
        rooms.make(Room { mute, ..Room::on_demand("board".to_owned()) });
        assert_eq!((rooms.get(id).unwrap().settings.mute, rooms.get(id).unwrap().members()), (mute, 1));
    }

    #[test]
    fn who_speaks_in_a_room_is_news_once() {
        let (mut rooms, _, id) = opened();
        assert!(rooms.set_speaker(id, Some(ANNA)) && !rooms.set_speaker(id, Some(ANNA)));
        assert_eq!(rooms.get(id).unwrap().speaker(), Some(ANNA));
        // Alone, and listened to until she is heard to have stopped.
        assert_eq!(rooms.with_company().collect::<Vec<_>>(), [id]);
        assert!(rooms.set_speaker(id, None) && rooms.with_company().next().is_none());
        assert!(!rooms.set_speaker(id, None) && !rooms.set_speaker(RoomId(99), None));
    }

    #[test]
    fn a_full_room_still_knows_its_members() {
        let (mut rooms, mut effects) = (Rooms::default(), Effects::default());
        let mut settings = Room::on_demand("closet".to_owned());
        settings.max_members = Some(1);
        let id = rooms.open(&mut effects, Arc::new(settings), 8, (SessionId(1), RoomHandle(0)));
        rooms.connect(id, ANNA, Way::Speaks);
        let room = rooms.get(id).unwrap();
        assert!(room.is_full_for(BEN));
        assert!(!room.is_full_for(ANNA));
    }
}
