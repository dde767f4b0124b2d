//! The one ordered set of deadlines that each core keeps.

use super::table::{IdMap, relax};
use std::collections::BTreeSet;
use std::hash::Hash;
use std::time::Instant;

/// Deadlines by name: at most one for each `K`, ordered by time.
///
/// `K` names the timer (transaction and RFC timer, leg and purpose), so that a log line can say what woke the core. It
/// is made of identifiers of ours.
#[derive(Debug, Clone)]
pub struct Deadlines<K> {
    by_time: BTreeSet<(Instant, K)>,
    by_name: IdMap<K, Instant>,
}

impl<K> Default for Deadlines<K> {
    fn default() -> Self {
        Self { by_time: BTreeSet::new(), by_name: IdMap::default() }
    }
}

impl<K: Copy + Ord + Hash> Deadlines<K> {
    /// Sets the timer `name`, replacing an earlier setting of the same name.
    pub fn set(&mut self, name: K, at: Instant) {
        if let Some(before) = self.by_name.insert(name, at) {
            self.by_time.remove(&(before, name));
        }
        self.by_time.insert((at, name));
    }

    /// Clears the timer `name`. Says whether it was set.
    pub fn clear(&mut self, name: K) -> bool {
        match self.by_name.remove(&name) {
            Some(at) => {
                relax(&mut self.by_name);
                self.by_time.remove(&(at, name))
            }
            None => false,
        }
    }

    /// When `name` is due, if it is set.
    #[must_use]
    pub fn get(&self, name: K) -> Option<Instant> {
        self.by_name.get(&name).copied()
    }

    /// The earliest deadline.
    #[must_use]
    pub fn next(&self) -> Option<Instant> {
        self.by_time.first().map(|(at, _)| *at)
    }

    /// Takes the earliest timer that is due at `now`, if any.
    pub fn pop_due(&mut self, now: Instant) -> Option<K> {
        let &(at, name) = self.by_time.first()?;
        if at > now {
            return None;
        }
        self.by_time.pop_first();
        self.by_name.remove(&name);
        relax(&mut self.by_name);
        Some(name)
    }

    /// How many timers are set.
    #[must_use]
    pub fn len(&self) -> usize {
        self.by_time.len()
    }

    /// Whether no timer is set.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.by_time.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn setting_again_replaces_and_due_timers_come_in_order() {
        let start = crate::test_clock();
        let at = |s| start + Duration::from_secs(s);
        let mut deadlines = Deadlines::default();
        deadlines.set('a', at(5));
        deadlines.set('b', at(3));
        deadlines.set('a', at(1));
        assert_eq!(deadlines.len(), 2);
        assert_eq!(deadlines.next(), Some(at(1)));
        assert_eq!(deadlines.pop_due(at(0)), None);
        assert_eq!(deadlines.pop_due(at(4)), Some('a'));
        assert_eq!(deadlines.pop_due(at(4)), Some('b'));
        assert!(deadlines.is_empty());
    }

    #[test]
    fn a_cleared_timer_never_comes_due() {
        let start = crate::test_clock();
        let mut deadlines = Deadlines::default();
        deadlines.set(1, start);
        assert!(deadlines.clear(1));
        assert!(!deadlines.clear(1));
        assert_eq!(deadlines.pop_due(start), None);
    }
}
