//! Rooms that an administrator made or locked while the gateway ran.

use super::{StoredRoom, StoredSettings};
use crate::dialplan::{Pin, Room, RoomAccess};
use crate::types::Disturbances;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// A room as an administrator makes it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct NewRoom {
    pub(super) pin: Option<String>,
    pub(super) host_pin: Option<String>,
    pub(super) max_members: Option<u32>,
    pub(super) mute: Disturbances,
}

/// They last until they are taken away or unlocked.
#[derive(Debug, Default)]
pub(super) struct MadeRooms {
    by_name: BTreeMap<String, Arc<Room>>,
    locked: BTreeSet<String>,
}

impl MadeRooms {
    pub(super) fn get(&self, name: &str) -> Option<&Arc<Room>> {
        self.by_name.get(name)
    }

    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.by_name.keys().map(String::as_str)
    }

    pub(super) fn len(&self) -> usize {
        self.by_name.len()
    }

    pub(super) fn insert(&mut self, room: Arc<Room>) {
        self.by_name.insert(room.name.clone(), room);
    }

    /// What is kept of the room of that name.
    pub(super) fn stored(&self, name: &str) -> Option<StoredRoom> {
        let made = self.by_name.get(name).map(|room| StoredSettings {
            pin: room.pin.clone(),
            host_pin: room.host_pin.clone(),
            max_members: room.max_members,
            mute: room.mute,
        });
        let locked = self.is_locked(name);
        (made.is_some() || locked).then(|| StoredRoom { name: name.to_owned(), made, locked })
    }

    /// Says whether there was one.
    pub(super) fn remove(&mut self, name: &str) -> bool {
        self.locked.remove(name);
        self.by_name.remove(name).is_some()
    }

    /// The room that a PIN opens, and as whom. All are compared, each in constant time.
    pub(super) fn by_pin(&self, keyed: &str) -> Option<(&Arc<Room>, RoomAccess)> {
        let keyed = Pin::new(keyed)?;
        let mut found = None;
        for room in self.by_name.values() {
            for (pin, access) in [(&room.pin, RoomAccess::Member), (&room.host_pin, RoomAccess::Host)] {
                if pin.as_ref().is_some_and(|pin| pin.matches(&keyed)) {
                    found.get_or_insert((room, access));
                }
            }
        }
        found
    }

    pub(super) fn is_locked(&self, name: &str) -> bool {
        self.locked.contains(name)
    }

    pub(super) fn locked(&self) -> impl Iterator<Item = &str> {
        self.locked.iter().map(String::as_str)
    }

    pub(super) fn locks(&self) -> usize {
        self.locked.len()
    }

    pub(super) fn set_locked(&mut self, name: &str, locked: bool) {
        if locked {
            self.locked.insert(name.to_owned());
        } else {
            self.locked.remove(name);
        }
    }
}
