//! Whose turn it is, among the calls that wait for a PIN check.
//!
//! ```text
//! priority → trunks, in turn → callers, in turn → calls, in the order they came
//! ```
//!
//! The best priority that waits is served first. Within it each trunk has one turn, then the next; within a trunk each
//! caller; so a thousand calls of one caller, or of one trunk, delay others by a single turn.
//!
//! Among the callers of a trunk every second turn belongs to the one who came last. The turns between are drawn by lot:
//! one in four goes to the one who has waited longest, the others to one of the latest [`LATEST`].
//!
//! Guessers who call with a number never seen before cannot be told from others until their first PIN is looked up. In
//! one line they would stand before everybody who comes later, and nobody would be served before giving up. Like this
//! whoever comes has one of the next two turns unless others come after; and since nobody knows whose the turn between
//! is, guessers who take care to come last shut nobody out. What no order can do is serve more callers than there are
//! turns: where new numbers come oftener than turns, each of them has its share of the turns and no more.

use super::caller::{CallerKey, TrunkKey};
use crate::types::CallId;
use rand::Rng;
use rand::rngs::StdRng;
use std::collections::{BTreeMap, HashMap};
use std::hash::Hash;

/// How soon a waiting call is served, the lowest first.
pub(super) type Priority = u8;

/// Among how many who came last, and have had no turn yet, the lot is drawn. Few, or a caller waits for as many turns;
/// more than one, or whoever comes next takes the place.
const LATEST: usize = 4;
/// Of the turns that are drawn by lot, those of the one who has waited longest: nobody is left for ever.
const LONGEST: f64 = 0.25;

type Trunks = Circle<TrunkKey, Callers>;
type Callers = Circle<CallerKey, Calls>;
/// By the order they came.
type Calls = BTreeMap<u64, CallId>;

/// The calls that wait. One place for each call; nothing scans.
#[derive(Debug)]
pub(super) struct Turns {
    priorities: BTreeMap<Priority, Trunks>,
    places: HashMap<CallId, Place>,
    next_place: u64,
    random: StdRng,
}

#[derive(Debug, Clone, Copy)]
struct Place {
    priority: Priority,
    key: CallerKey,
    place: u64,
}

impl Turns {
    /// Nobody waits.
    pub(super) fn new(random: StdRng) -> Self {
        Self { priorities: BTreeMap::new(), places: HashMap::new(), next_place: 0, random }
    }

    /// Adds a call, unless it waits already.
    pub(super) fn add(&mut self, call: CallId, key: CallerKey, priority: Priority) {
        if self.places.contains_key(&call) {
            return;
        }
        self.next_place += 1;
        self.put(call, Place { priority, key, place: self.next_place });
    }

    /// Takes a call out. Says whose it was, if it waited.
    pub(super) fn remove(&mut self, call: CallId) -> Option<CallerKey> {
        let place = self.places.remove(&call)?;
        let trunks = self.priorities.get_mut(&place.priority)?;
        let callers = trunks.get_mut(&place.key.trunk)?;
        let calls = callers.get_mut(&place.key)?;
        calls.remove(&place.place);
        if calls.is_empty() {
            callers.remove(&place.key);
        }
        if callers.is_empty() {
            trunks.remove(&place.key.trunk);
        }
        if trunks.is_empty() {
            self.priorities.remove(&place.priority);
        }
        Some(place.key)
    }

    /// Another call takes the place of one that waits.
    pub(super) fn rename(&mut self, call: CallId, to: CallId) {
        let Some(place) = self.places.remove(&call) else { return };
        self.put(to, place);
    }

    /// Takes the call whose turn it is; its caller and its trunk go to the end of their circles.
    pub(super) fn take(&mut self) -> Option<(CallId, CallerKey)> {
        let trunks = self.priorities.values_mut().next()?;
        let callers = trunks.turn()?;
        let call = *callers.turn_by_lot(&mut self.random)?.values().next()?;
        self.remove(call).map(|key| (call, key))
    }

    /// Takes all calls of a caller, in the order they came. Costs a look at each of its trunk's priorities.
    pub(super) fn take_all_of(&mut self, key: CallerKey) -> Vec<(CallId, Priority)> {
        let mut taken = Vec::new();
        for (priority, trunks) in &mut self.priorities {
            let calls = trunks.get_mut(&key.trunk).and_then(|callers| callers.get_mut(&key));
            taken.extend(
                calls.into_iter().flat_map(|calls| calls.iter()).map(|(place, call)| (*place, *call, *priority)),
            );
        }
        taken.sort_unstable();
        taken
            .into_iter()
            .map(|(_, call, priority)| (call, priority))
            .inspect(|(call, _)| {
                self.remove(*call);
            })
            .collect()
    }

    /// Takes the first call of a caller.
    pub(super) fn take_of(&mut self, key: CallerKey) -> Option<(CallId, Priority)> {
        let found = self.priorities.iter_mut().find_map(|(priority, trunks)| {
            let calls = trunks.get_mut(&key.trunk)?.get_mut(&key)?;
            Some((*calls.values().next()?, *priority))
        })?;
        self.remove(found.0);
        Some(found)
    }

    /// Whether this call waits.
    pub(super) fn holds(&self, call: CallId) -> bool {
        self.places.contains_key(&call)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.places.is_empty()
    }

    pub(super) fn len(&self) -> usize {
        self.places.len()
    }

    fn put(&mut self, call: CallId, place: Place) {
        let trunks = self.priorities.entry(place.priority).or_default();
        trunks.entry(place.key.trunk).entry(place.key).insert(place.place, call);
        self.places.insert(call, place);
    }
}

/// Things that take turns.
#[derive(Debug)]
struct Circle<K, V> {
    order: BTreeMap<u64, K>,
    /// Those who have not had a turn yet, by when they came.
    fresh: BTreeMap<u64, K>,
    members: HashMap<K, (u64, V)>,
    next: u64,
    /// Whether the next turn is of the one who came last.
    last_comes: bool,
}

impl<K, V> Default for Circle<K, V> {
    fn default() -> Self {
        Self { order: BTreeMap::new(), fresh: BTreeMap::new(), members: HashMap::new(), next: 0, last_comes: false }
    }
}

impl<K: Copy + Eq + Hash, V: Default> Circle<K, V> {
    /// The member of that name; a new one comes last.
    fn entry(&mut self, key: K) -> &mut V {
        let (order, fresh, next) = (&mut self.order, &mut self.fresh, &mut self.next);
        let (_, value) = self.members.entry(key).or_insert_with(|| {
            *next += 1;
            order.insert(*next, key);
            fresh.insert(*next, key);
            (*next, V::default())
        });
        value
    }

    fn get_mut(&mut self, key: &K) -> Option<&mut V> {
        self.members.get_mut(key).map(|(_, value)| value)
    }

    /// The one whose turn it is; it is the last afterwards.
    fn turn(&mut self) -> Option<&mut V> {
        let (_, key) = self.order.first_key_value()?;
        self.serve(*key)
    }

    /// Every second turn is of the one who came last, those between are drawn by lot.
    fn turn_by_lot(&mut self, random: &mut impl Rng) -> Option<&mut V> {
        let place = match self.last_comes {
            true => Some(0),
            false if random.random_bool(LONGEST) => None,
            false => Some(random.random_range(0..self.fresh.len().clamp(1, LATEST))),
        };
        self.last_comes = !self.last_comes;
        match place.and_then(|place| self.fresh.values().rev().nth(place)) {
            Some(key) => self.serve(*key),
            None => self.turn(),
        }
    }

    fn serve(&mut self, key: K) -> Option<&mut V> {
        let (turn, value) = self.members.get_mut(&key)?;
        self.order.remove(turn);
        self.fresh.remove(turn);
        self.next += 1;
        *turn = self.next;
        self.order.insert(self.next, key);
        Some(value)
    }

    fn remove(&mut self, key: &K) {
        if let Some((turn, _)) = self.members.remove(key) {
            self.order.remove(&turn);
            self.fresh.remove(&turn);
        }
    }

    fn is_empty(&self) -> bool {
        self.members.is_empty()
    }
}
