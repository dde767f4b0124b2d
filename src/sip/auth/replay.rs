//! Which uses of which nonces were seen: each counts once.

use std::collections::BTreeMap;

/// What a nonce is known by: when it was made, in milliseconds, and its random part.
pub(super) type NonceId = (u64, u64);

/// Nonces of those who proved that they know a password, and what was counted of each. Nobody else takes up room here.
#[derive(Debug)]
pub(super) struct Replay {
    seen: BTreeMap<NonceId, Window>,
    /// Nonces made up to here are forgotten, and none of them is taken any more.
    floor: Option<u64>,
    most: usize,
}

/// The highest count of a nonce, and which of the 64 up to it were seen: datagrams may overtake each other.
#[derive(Debug, Clone, Copy)]
struct Window {
    highest: u32,
    /// Bit `i`: `highest - i` was seen.
    seen: u64,
}

impl Replay {
    /// Remembers at most so many nonces; the oldest are given up, which their users notice as one more challenge.
    pub fn new(most: usize) -> Self {
        Self { seen: BTreeMap::new(), floor: None, most }
    }

    /// Whether a nonce made then may still be used.
    pub fn remembers(&self, made: u64) -> bool {
        self.floor.is_none_or(|floor| made > floor)
    }

    /// Counts a use; false if it was counted before, or is too old to tell.
    pub fn count(&mut self, nonce: NonceId, count: u32) -> bool {
        if count == 0 || !self.remembers(nonce.0) {
            return false;
        }
        if let Some(window) = self.seen.get_mut(&nonce) {
            return window.count(count);
        }
        while self.seen.len() >= self.most {
            let Some((&(made, _), _)) = self.seen.first_key_value() else { break };
            self.forget(made);
        }
        if !self.remembers(nonce.0) {
            return false;
        }
        self.seen.insert(nonce, Window { highest: count, seen: 1 });
        true
    }

    /// Forgets the nonces made up to then.
    pub fn forget(&mut self, made: u64) {
        self.floor = self.floor.max(Some(made));
        self.seen = made.checked_add(1).map_or_else(BTreeMap::new, |next| self.seen.split_off(&(next, 0)));
    }

    #[cfg(test)]
    pub fn len(&self) -> usize {
        self.seen.len()
    }
}

impl Window {
    fn count(&mut self, count: u32) -> bool {
        if let Some(ahead) = count.checked_sub(self.highest).filter(|ahead| *ahead > 0) {
            self.seen = self.seen.checked_shl(ahead).unwrap_or(0) | 1;
            self.highest = count;
            return true;
        }
        let behind = self.highest - count;
        let Some(bit) = 1_u64.checked_shl(behind) else { return false };
        let fresh = self.seen & bit == 0;
        self.seen |= bit;
        fresh
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_count_is_taken_once_in_any_near_order() {
        let mut replay = Replay::new(8);
        let nonce = (1_000, 7);
        for (count, fresh) in
            [(0, false), (1, true), (1, false), (3, true), (2, true), (2, false), (100, true), (37, true), (36, false)]
        {
            assert_eq!(replay.count(nonce, count), fresh, "{count}");
        }
        assert!(replay.count(nonce, u32::MAX));
        assert!(!replay.count(nonce, u32::MAX));
        assert!(!replay.count(nonce, 100));
        assert!(replay.count(nonce, u32::MAX - 63));
    }

    #[test]
    fn what_is_forgotten_is_refused_not_taken_again() {
        let mut replay = Replay::new(3);
        for made in 1..=5 {
            assert!(replay.count((made, 0), 1));
        }
        assert_eq!(replay.len(), 3);
        assert!(!replay.remembers(2) && replay.remembers(3));
        assert!(!replay.count((1, 0), 1));
        assert!(!replay.count((2, 9), 1));
        replay.forget(4);
        assert_eq!(replay.len(), 1);
        assert!(!replay.count((5, 0), 1) && replay.count((5, 0), 2));
    }

    #[test]
    fn nonces_of_one_moment_do_not_crowd_out_their_memory() {
        let mut replay = Replay::new(2);
        assert!(replay.count((1, 1), 1) && replay.count((1, 2), 1));
        // Room for it would mean to forget the whole moment, its own nonce too.
        assert!(!replay.count((1, 3), 1));
        assert!(replay.count((2, 1), 1));
    }
}
