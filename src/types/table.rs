//! Hash tables for keys that no peer chooses, and how tables give memory back after a rush.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hash, Hasher};

/// A table whose keys are ours: identifiers that we number ourselves, or digests made with a secret.
///
/// Hashing one is a multiplication. Keys that a peer chooses belong into an ordinary [`HashMap`], whose hash nobody can
/// foresee: here a peer could have them all fall into one place.
pub type IdMap<K, V> = HashMap<K, V, BuildHasherDefault<IdHasher>>;

/// The hash of [`IdMap`].
#[derive(Debug, Clone, Copy, Default)]
pub struct IdHasher(u64);

/// 2⁶⁴ divided by the golden ratio: odd, so that numbers in a row fall into places of their own.
const GOLDEN: u64 = 0x9e37_79b9_7f4a_7c15;

impl Hasher for IdHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.write_u64(u64::from(*byte));
        }
    }

    fn write_u64(&mut self, number: u64) {
        self.0 = (self.0.rotate_left(5) ^ number).wrapping_mul(GOLDEN);
    }

    fn write_u8(&mut self, number: u8) {
        self.write_u64(number.into());
    }

    fn write_u32(&mut self, number: u32) {
        self.write_u64(number.into());
    }

    fn write_usize(&mut self, number: usize) {
        self.write_u64(number as u64);
    }

    fn write_isize(&mut self, number: isize) {
        self.write_u64(number.cast_unsigned() as u64);
    }
}

/// Tables of fewer octets keep their memory.
const SMALL: usize = 16_384;

/// Whether a table that has room for `capacity` entries of `size` octets and holds `length` keeps much more than it
/// needs; then the room it is to keep. Asked after each removal, it costs a comparison, and moves each entry once for
/// many removals.
#[must_use]
pub const fn excess(capacity: usize, length: usize, size: usize) -> Option<usize> {
    if capacity * size > SMALL && length < capacity / 8 { Some(length * 2) } else { None }
}

/// Gives memory back if `table` has become nearly empty.
pub fn relax<K: Eq + Hash, V, S: std::hash::BuildHasher>(table: &mut HashMap<K, V, S>) {
    if let Some(keep) = excess(table.capacity(), table.len(), size_of::<(K, V)>()) {
        table.shrink_to(keep);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;
    use std::hash::{BuildHasher, BuildHasherDefault};

    #[test]
    fn numbers_in_a_row_fall_into_places_of_their_own() {
        let hasher = BuildHasherDefault::<IdHasher>::default();
        let places: HashSet<u64> = (0..4_096_u64).map(|id| hasher.hash_one(id) % 4_096).collect();
        assert_eq!(places.len(), 4_096);
    }

    #[test]
    fn an_emptied_table_gives_its_memory_back_and_a_full_one_does_not() {
        let mut table: IdMap<u64, u64> = (0..100_000).map(|id| (id, id)).collect();
        let full = table.capacity();
        relax(&mut table);
        assert_eq!(table.capacity(), full);
        for id in 0..99_990 {
            table.remove(&id);
            relax(&mut table);
        }
        assert!(table.capacity() * size_of::<(u64, u64)>() <= 2 * SMALL, "{}", table.capacity());
        assert!((99_990..100_000).all(|id| table.get(&id) == Some(&id)));
    }
}
