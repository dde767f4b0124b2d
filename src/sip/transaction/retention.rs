//! Finished transactions that only absorb retransmissions, until the RFC lets them be forgotten.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use super::timer::ServerId;
use crate::types::excess;

/// Transactions that finish within this time are forgotten together, so that thousands a second wake us but now and
/// then.
const TOGETHER: Duration = Duration::from_millis(50);

/// Timers J and L: they run equally long for every transaction and nothing stops them, so those that come first are due
/// first, and a queue does for them what an ordered set does for the other timers.
#[derive(Debug, Default)]
pub(super) struct Retention {
    queue: VecDeque<(Instant, ServerId)>,
}

impl Retention {
    /// Keeps `id` until `at`, or a little longer.
    pub fn keep(&mut self, id: ServerId, at: Instant) {
        let together = self.queue.back().map(|(due, _)| *due).filter(|due| *due >= at);
        self.queue.push_back((together.unwrap_or(at + TOGETHER), id));
    }

    /// When the next one is to be forgotten.
    pub fn next(&self) -> Option<Instant> {
        self.queue.front().map(|(due, _)| *due)
    }

    /// The next one that is due at `now`.
    pub fn pop_due(&mut self, now: Instant) -> Option<ServerId> {
        self.queue.front().filter(|(due, _)| *due <= now)?;
        let (_, id) = self.queue.pop_front()?;
        if let Some(keep) = excess(self.queue.capacity(), self.queue.len(), size_of::<(Instant, ServerId)>()) {
            self.queue.shrink_to(keep);
        }
        Some(id)
    }

    pub fn len(&self) -> usize {
        self.queue.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_is_kept_for_its_time_and_neighbours_leave_together() {
        let start = crate::test_clock();
        let at = |ms| start + Duration::from_millis(ms);
        let mut retention = Retention::default();
        for id in 0..100 {
            retention.keep(ServerId(id), at(1_000 + id));
        }
        let mut wakes = 0;
        let mut left = Vec::new();
        while let Some(due) = retention.next() {
            wakes += 1;
            while let Some(id) = retention.pop_due(due) {
                assert!(due >= at(1_000 + id.0), "{id:?} is forgotten too early");
                left.push(id.0);
            }
        }
        assert_eq!(left, (0..100).collect::<Vec<_>>());
        assert_eq!(wakes, 2);
    }
}
