//! Storage by name and by slot: a name is looked up once, a slot is an index.

use std::collections::HashMap;
use std::hash::Hash;

/// Slots that are kept though nothing is in them.
const KEPT_WHEN_EMPTY: usize = 256;

/// Things of one kind. A slot stays with its thing until it is removed, then it is used again.
#[derive(Debug)]
pub(crate) struct Slots<K, T> {
    slots: HashMap<K, u32>,
    entries: Vec<Option<(K, T)>>,
    free: Vec<u32>,
}

impl<K, T> Default for Slots<K, T> {
    fn default() -> Self {
        Self { slots: HashMap::new(), entries: Vec::new(), free: Vec::new() }
    }
}

impl<K: Copy + Eq + Hash, T> Slots<K, T> {
    /// Puts `value` under `key`, which must be new, and says in which slot.
    pub(crate) fn insert(&mut self, key: K, value: T) -> u32 {
        let slot = self.free.pop().unwrap_or_else(|| {
            self.entries.push(None);
            u32::try_from(self.entries.len() - 1).expect("fewer than four thousand million units")
        });
        self.entries[slot as usize] = Some((key, value));
        let before = self.slots.insert(key, slot);
        debug_assert!(before.is_none(), "the key is new");
        slot
    }

    pub(crate) fn remove(&mut self, key: K) -> Option<(u32, T)> {
        let slot = self.slots.remove(&key)?;
        let (_, value) = self.entries[slot as usize].take().expect("a named slot is filled");
        self.free.push(slot);
        if self.slots.is_empty() && self.entries.len() > KEPT_WHEN_EMPTY {
            // What a rush needed goes back.
            *self = Self::default();
        }
        Some((slot, value))
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

    /// Every slot, key and value, in the order of slots.
    pub(crate) fn iter_mut(&mut self) -> impl Iterator<Item = (u32, K, &mut T)> {
        (0u32..)
            .zip(self.entries.iter_mut())
            .filter_map(|(slot, entry)| entry.as_mut().map(|(key, value)| (slot, *key, value)))
    }

    pub(crate) fn len(&self) -> usize {
        self.slots.len()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.slots.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
        assert_eq!(slots.iter_mut().map(|(_, key, _)| key).collect::<String>(), "cb");
    }

    #[test]
    fn emptied_after_a_rush_it_gives_its_memory_back() {
        let mut slots = Slots::default();
        for key in 0..1_000 {
            slots.insert(key, [0_u8; 64]);
        }
        for key in 0..999 {
            slots.remove(key);
            assert!(slots.entries.capacity() >= 1_000);
        }
        slots.remove(999);
        assert!(slots.entries.capacity() == 0 && slots.is_empty());
        assert_eq!(slots.insert(1, [0; 64]), 0);
    }
}
