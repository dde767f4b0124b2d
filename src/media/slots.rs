//! Storage by name, by slot and by phase: a name is looked up once, a slot is an index, a phase lists what ticks on it.

use super::phase::{Beat, PHASES, phase_of};
use std::collections::HashMap;
use std::hash::Hash;

/// Slots that are kept though nothing is in them.
const KEPT_WHEN_EMPTY: usize = 256;

/// Where an engine keeps a leg. Valid from `AddLeg` or import until its `LegRemoved` or export.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct LegSlot(pub u32);

/// What ticks: its next tick tells its phase.
pub(crate) trait Ticking {
    /// The first beat on which it has not ticked yet.
    fn next_tick(&mut self) -> &mut Beat;
}

/// Units of one kind. A slot stays with its unit until it is removed, then it is used again.
#[derive(Debug)]
pub(crate) struct Slots<K, T> {
    slots: HashMap<K, u32>,
    entries: Vec<Option<(K, T)>>,
    free: Vec<u32>,
    /// The slots of each phase, in order.
    phases: [Vec<u32>; PHASES],
}

impl<K, T> Default for Slots<K, T> {
    fn default() -> Self {
        Self { slots: HashMap::new(), entries: Vec::new(), free: Vec::new(), phases: Default::default() }
    }
}

impl<K: Copy + Eq + Hash, T: Ticking> Slots<K, T> {
    /// Puts `value` under `key`, which must be new, and says in which slot.
    pub(crate) fn insert(&mut self, key: K, mut value: T) -> u32 {
        let phase = phase_of(*value.next_tick());
        let slot = self.free.pop().unwrap_or_else(|| {
            self.entries.push(None);
            u32::try_from(self.entries.len() - 1).expect("fewer than four thousand million units")
        });
        self.entries[slot as usize] = Some((key, value));
        let before = self.slots.insert(key, slot);
        debug_assert!(before.is_none(), "the key is new");
        self.list(phase, slot);
        slot
    }

    pub(crate) fn remove(&mut self, key: K) -> Option<(u32, T)> {
        let slot = self.slots.remove(&key)?;
        let (_, mut value) = self.entries[slot as usize].take().expect("a named slot is filled");
        self.unlist(phase_of(*value.next_tick()), slot);
        self.free.push(slot);
        if self.slots.is_empty() && self.entries.len() > KEPT_WHEN_EMPTY {
            // What a rush needed goes back.
            *self = Self::default();
        }
        Some((slot, value))
    }

    /// Moves the next tick of a unit, and with it its phase, by so many beats.
    pub(crate) fn shift(&mut self, key: K, beats: i64) {
        let Some(slot) = self.slot(key) else { return };
        let Some((_, value)) = self.at_mut(slot) else { return };
        let next = value.next_tick();
        let before = phase_of(*next);
        *next = next.saturating_add_signed(beats);
        let after = phase_of(*next);
        self.unlist(before, slot);
        self.list(after, slot);
    }

    /// The slots of all that tick on `beat`, in order.
    pub(crate) fn on(&self, beat: Beat) -> &[u32] {
        &self.phases[phase_of(beat)]
    }

    pub(crate) fn slot(&self, key: K) -> Option<u32> {
        self.slots.get(&key).copied()
    }

    pub(crate) fn contains(&self, key: K) -> bool {
        self.slots.contains_key(&key)
    }

    pub(crate) fn get(&self, key: K) -> Option<&T> {
        self.at(self.slot(key)?)
    }

    pub(crate) fn get_mut(&mut self, key: K) -> Option<&mut T> {
        self.at_mut(self.slot(key)?).map(|(_, value)| value)
    }

    /// What is in `slot`.
    pub(crate) fn at(&self, slot: u32) -> Option<&T> {
        self.entries.get(slot as usize)?.as_ref().map(|(_, value)| value)
    }

    pub(crate) fn at_mut(&mut self, slot: u32) -> Option<(K, &mut T)> {
        self.entries.get_mut(slot as usize)?.as_mut().map(|(key, value)| (*key, value))
    }

    pub(crate) fn len(&self) -> usize {
        self.slots.len()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.slots.is_empty()
    }

    fn list(&mut self, phase: usize, slot: u32) {
        let list = &mut self.phases[phase];
        if let Err(at) = list.binary_search(&slot) {
            list.insert(at, slot);
        }
    }

    fn unlist(&mut self, phase: usize, slot: u32) {
        let list = &mut self.phases[phase];
        if let Ok(at) = list.binary_search(&slot) {
            list.remove(at);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    impl Ticking for Beat {
        fn next_tick(&mut self) -> &mut Beat {
            self
        }
    }

    #[test]
    fn a_slot_is_kept_until_removal_and_then_used_again() {
        let mut slots = Slots::default();
        let a = slots.insert('a', 1);
        let b = slots.insert('b', 2);
        assert_eq!(slots.remove('a'), Some((a, 1)));
        assert_eq!(slots.remove('a'), None);
        assert_eq!(slots.slot('b'), Some(b));
        assert_eq!(slots.insert('c', 3), a);
        assert_eq!(slots.at(a), Some(&3));
        assert_eq!(slots.len(), 2);
    }

    #[test]
    fn a_phase_lists_what_ticks_on_it() {
        let mut slots = Slots::default();
        let (a, b, c) = (slots.insert('a', 16), slots.insert('b', 24), slots.insert('c', 3));
        assert_eq!((slots.on(0), slots.on(11)), (&[a, b][..], &[c][..]));
        slots.shift('a', -5);
        assert_eq!((slots.at(a), slots.on(8), slots.on(3)), (Some(&11), &[b][..], &[a, c][..]));
        slots.remove('c');
        assert_eq!(slots.on(3), [a]);
    }

    #[test]
    fn emptied_after_a_rush_it_gives_its_memory_back() {
        let mut slots = Slots::default();
        for key in 0..1_000u32 {
            slots.insert(key, Beat::from(key));
        }
        for key in 0..999 {
            slots.remove(key);
            assert!(slots.entries.capacity() >= 1_000);
        }
        slots.remove(999);
        assert!(slots.entries.capacity() == 0 && slots.is_empty());
        assert_eq!(slots.insert(1, 0), 0);
    }
}
