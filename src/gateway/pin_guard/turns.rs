//! Whose turn it is, among the calls that wait for a PIN check.
//!
//! ```text
//! standing → trunks, in turn → callers, in turn → calls, in the order they came
//! ```
//!
//! The best standing that waits is served first. Within it each trunk has one turn, then the next; within a trunk each
//! caller; so a thousand calls of one caller, or of one trunk, delay others by a single turn.
//!
//! Callers of a trunk have their turn by turns from both ends: the one who has waited longest, then the one who came last.
//! Guessers who call with a number never seen before cannot be told from others until their first PIN is looked up. In
//! one line they would be before everybody who comes later, and nobody would be served before giving up; like this
//! whoever comes has one of the next two turns, unless others come after.

use super::caller::{CallerKey, TrunkKey};
use crate::types::CallId;
use std::collections::{BTreeMap, HashMap};
use std::hash::Hash;

/// How soon a waiting call is served, the lowest first.
pub(super) type Standing = u8;

type Trunks = Circle<TrunkKey, Callers>;
type Callers = Circle<CallerKey, Calls>;
/// By the order they came.
type Calls = BTreeMap<u64, CallId>;

/// The calls that wait. One place for each call; nothing scans.
#[derive(Debug, Default)]
pub(super) struct Turns {
    standings: BTreeMap<Standing, Trunks>,
    places: HashMap<CallId, Place>,
    next_place: u64,
}

#[derive(Debug, Clone, Copy)]
struct Place {
    standing: Standing,
    key: CallerKey,
    place: u64,
}

impl Turns {
    /// Adds a call, unless it waits already.
    pub(super) fn add(&mut self, call: CallId, key: CallerKey, standing: Standing) {
        if self.places.contains_key(&call) {
            return;
        }
        self.next_place += 1;
        self.put(call, Place { standing, key, place: self.next_place });
    }

    /// Takes a call out. Says whose it was, if it waited.
    pub(super) fn remove(&mut self, call: CallId) -> Option<CallerKey> {
        let place = self.places.remove(&call)?;
        let trunks = self.standings.get_mut(&place.standing)?;
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
            self.standings.remove(&place.standing);
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
        let trunks = self.standings.values_mut().next()?;
        let callers = trunks.turn()?;
        let call = *callers.turn_of_both_ends()?.values().next()?;
        self.remove(call).map(|key| (call, key))
    }

    /// Takes all calls of a caller, in the order they came. Costs a look at each of its trunk's standings.
    pub(super) fn take_all_of(&mut self, key: CallerKey) -> Vec<(CallId, Standing)> {
        let mut taken = Vec::new();
        for (standing, trunks) in &mut self.standings {
            let calls = trunks.get_mut(&key.trunk).and_then(|callers| callers.get_mut(&key));
            taken.extend(
                calls.into_iter().flat_map(|calls| calls.iter()).map(|(place, call)| (*place, *call, *standing)),
            );
        }
        taken.sort_unstable();
        taken
            .into_iter()
            .map(|(_, call, standing)| (call, standing))
            .inspect(|(call, _)| {
                self.remove(*call);
            })
            .collect()
    }

    /// Takes the first call of a caller.
    pub(super) fn take_of(&mut self, key: CallerKey) -> Option<(CallId, Standing)> {
        let found = self.standings.iter_mut().find_map(|(standing, trunks)| {
            let calls = trunks.get_mut(&key.trunk)?.get_mut(&key)?;
            Some((*calls.values().next()?, *standing))
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
        let trunks = self.standings.entry(place.standing).or_default();
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

    /// The same from both ends by turns.
    fn turn_of_both_ends(&mut self) -> Option<&mut V> {
        self.last_comes = !self.last_comes;
        match self.fresh.last_key_value() {
            Some((_, key)) if !self.last_comes => self.serve(*key),
            _ => self.turn(),
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
