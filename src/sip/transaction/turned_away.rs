//! INVITEs that were refused without a transaction, for as long as they may come again.
//!
//! What crosses a refusal on its way must not become a call for which the caller no longer waits.

use std::time::{Duration, Instant};

use super::Key;
use crate::types::IdMap;

/// Half the time that one is remembered for at most: a few round trips, and some refusals lost.
const GENERATION: Duration = Duration::from_secs(2);
/// Those remembered at once, at most twice over.
const MOST: usize = 65_536;

/// The keys of the last ones, in two generations of which the older one is forgotten as a whole.
#[derive(Debug, Default)]
pub(super) struct TurnedAway {
    young: IdMap<Key, ()>,
    old: IdMap<Key, ()>,
    /// When the young ones become old.
    ages_at: Option<Instant>,
}

impl TurnedAway {
    pub(super) fn note(&mut self, now: Instant, key: Key) {
        self.age(now);
        if self.young.len() >= MOST {
            self.old = std::mem::take(&mut self.young);
        }
        self.ages_at.get_or_insert(now + GENERATION);
        self.young.insert(key, ());
    }

    pub(super) fn contains(&mut self, now: Instant, key: &Key) -> bool {
        self.age(now);
        self.ages_at.is_some() && (self.young.contains_key(key) || self.old.contains_key(key))
    }

    fn age(&mut self, now: Instant) {
        while let Some(at) = self.ages_at.filter(|at| *at <= now) {
            self.old = std::mem::take(&mut self.young);
            self.ages_at = (!self.old.is_empty()).then(|| at + GENERATION);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::key::Keys;
    use super::*;
    use crate::sip::message::Method;
    use rand::{SeedableRng, rngs::StdRng};

    #[test]
    fn a_refusal_is_remembered_for_some_seconds_and_no_longer() {
        let start = crate::test_clock();
        let at = |seconds| start + Duration::from_secs(seconds);
        let keys = Keys::new(&mut StdRng::seed_from_u64(1));
        let key = |n| keys.merged("tag", "call", n, &Method::Invite);
        let mut refused = TurnedAway::default();
        assert!(!refused.contains(at(0), &key(1)));
        refused.note(at(0), key(1));
        refused.note(at(1), key(2));
        assert!(
            refused.contains(at(3), &key(1)) && refused.contains(at(3), &key(2)) && !refused.contains(at(3), &key(3))
        );
        assert!(!refused.contains(at(5), &key(1)) && refused.young.is_empty() && refused.old.is_empty());
        for n in 0..4 * MOST as u32 {
            refused.note(at(10), key(n));
        }
        assert!(refused.young.len() + refused.old.len() <= 2 * MOST);
    }
}
