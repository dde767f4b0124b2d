//! What waits to be written: the newest of each user and of each room, and of so many.

use super::PATIENCE;
use super::rows::Rows;
use crate::gateway::{StoredBinding, StoredRoom};
use std::collections::{BTreeMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::Notify;

/// Users whose bindings may wait. Of one more the oldest are given up, and written at the next refresh. (Of rooms there
/// are only so many.)
const MOST: usize = 100_000;
/// Waits after a failure, each longer than the one before.
const WAITS: [Duration; 4] =
    [Duration::from_secs(1), Duration::from_secs(2), Duration::from_secs(5), Duration::from_secs(10)];

/// What is to be kept, in the place of what was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Item {
    /// The bindings of a user.
    Bindings { user: String, bindings: Vec<StoredBinding> },
    /// What was made of a room.
    Room { name: String, room: Option<StoredRoom> },
}

/// Whose it is.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Key {
    User(String),
    Room(String),
}

impl Item {
    fn key(&self) -> Key {
        match self {
            Self::Bindings { user, .. } => Key::User(user.clone()),
            Self::Room { name, .. } => Key::Room(name.clone()),
        }
    }
}

#[derive(Debug, Default)]
struct Waiting {
    items: BTreeMap<Key, Item>,
    /// Of users and of rooms, each in the order of the first.
    users: VecDeque<Key>,
    rooms: VecDeque<Key>,
    /// Whose is being written.
    busy: Option<Key>,
    closed: bool,
}

impl Waiting {
    fn order(&mut self, key: &Key) -> &mut VecDeque<Key> {
        match key {
            Key::User(_) => &mut self.users,
            Key::Room(_) => &mut self.rooms,
        }
    }
}

/// What waits, shared between whoever puts it there and whoever writes it.
#[derive(Debug, Default)]
pub(super) struct Behind {
    waiting: Mutex<Waiting>,
    more: Notify,
    emptied: Notify,
}

impl Behind {
    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts something in the place of what waits of the same user or room.
    pub(super) fn put(&self, item: Item) {
        let mut waiting = self.waiting();
        let key = item.key();
        if waiting.items.insert(key.clone(), item).is_none() {
            waiting.order(&key).push_back(key.clone());
        }
        if waiting.users.len() > MOST
            && let Some(oldest) = waiting.users.pop_front()
        {
            waiting.items.remove(&oldest);
        }
        drop(waiting);
        self.more.notify_one();
    }

    /// Of how many users and of how many rooms something waits, or is being written.
    pub(super) fn count(&self) -> (u64, u64) {
        let waiting = self.waiting();
        let [users, rooms] = [&waiting.users, &waiting.rooms].map(|order| order.len() as u64);
        let (user, room) = match &waiting.busy {
            None => (0, 0),
            Some(Key::User(_)) => (1, 0),
            Some(Key::Room(_)) => (0, 1),
        };
        (users + user, rooms + room)
    }

    /// Nothing more comes: what waits is written, and then it is over.
    pub(super) fn close(&self) {
        self.waiting().closed = true;
        self.more.notify_one();
    }

    /// Waits until nothing waits.
    pub(super) async fn emptied(&self) {
        loop {
            let notified = self.emptied.notified();
            if self.count() == (0, 0) {
                return;
            }
            notified.await;
        }
    }

    /// The next to be written, rooms first: they are few.
    fn next(&self) -> Option<Item> {
        let mut waiting = self.waiting();
        let key = waiting.rooms.pop_front().or_else(|| waiting.users.pop_front());
        waiting.busy.clone_from(&key);
        key.and_then(|key| waiting.items.remove(&key))
    }

    /// It could not be written: it waits again, unless something newer does.
    fn put_back(&self, item: Item) {
        let mut waiting = self.waiting();
        let key = item.key();
        if !waiting.items.contains_key(&key) {
            waiting.items.insert(key.clone(), item);
            waiting.order(&key).push_front(key.clone());
        }
    }

    /// Writes what waits, one after the other, until it is closed and empty.
    pub(super) async fn write(&self, rows: &Rows) {
        let mut failures = 0;
        loop {
            let Some(item) = self.next() else {
                self.emptied.notify_waiters();
                if self.waiting().closed {
                    return;
                }
                self.more.notified().await;
                continue;
            };
            let written = match tokio::time::timeout(PATIENCE, rows.keep(&item)).await {
                Ok(Ok(())) => Ok(()),
                Ok(Err(error)) => Err(error.to_string()),
                Err(_) => Err(format!("no answer within {} s", PATIENCE.as_secs())),
            };
            match written {
                Ok(()) => {
                    if failures > 0 {
                        tracing::info!("the database takes bindings and rooms again");
                    }
                    failures = 0;
                }
                Err(error) => {
                    if failures == 0 {
                        tracing::warn!("bindings and rooms are not written, and wait: {error}");
                    }
                    self.put_back(item);
                    if self.waiting().closed {
                        return;
                    }
                    let wait = WAITS.get(failures).or(WAITS.last()).copied().unwrap_or_default();
                    failures += 1;
                    tokio::time::sleep(wait).await;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(user: &str, cseq: u32) -> Item {
        let bindings = vec![StoredBinding { cseq, ..super::super::tests::binding() }];
        Item::Bindings { user: user.into(), bindings }
    }

    #[test]
    fn of_each_user_the_newest_waits_and_in_the_order_of_the_first() {
        let behind = Behind::default();
        behind.put(of("alice", 1));
        behind.put(of("bob", 2));
        behind.put(of("alice", 3));
        assert_eq!(behind.count(), (2, 0));
        let alice = behind.next().unwrap();
        assert_eq!(alice, of("alice", 3));
        assert_eq!(behind.count(), (2, 0), "one of them is being written");
        behind.put(of("alice", 4));
        behind.put_back(alice);
        assert_eq!(behind.next(), Some(of("bob", 2)));
        assert_eq!(behind.next(), Some(of("alice", 4)), "what is newer stays");
        assert_eq!(behind.next(), None);
        assert_eq!(behind.count(), (0, 0));
    }

    #[test]
    fn what_waits_of_users_is_bounded_and_rooms_go_first() {
        let behind = Behind::default();
        let room = |name: &str| Item::Room { name: name.into(), room: None };
        behind.put(room("board"));
        for number in 0..=MOST {
            behind.put(Item::Bindings { user: number.to_string(), bindings: Vec::new() });
        }
        behind.put(room("board"));
        assert_eq!(behind.waiting().items.len(), MOST + 1);
        assert_eq!(behind.next(), Some(room("board")));
        assert_eq!(behind.next(), Some(Item::Bindings { user: "1".into(), bindings: Vec::new() }));
    }
}
