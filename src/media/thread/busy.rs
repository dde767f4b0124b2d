//! How much of its time a media thread works.

use std::time::{Duration, Instant};

/// The time over which it is measured.
const WINDOW: Duration = Duration::from_millis(100);

/// What was slept of the window that runs. A thread that others keep from its core does not sleep: it is busy.
#[derive(Debug)]
pub(super) struct Busy {
    since: Instant,
    slept: Duration,
}

impl Busy {
    pub(super) const fn new(now: Instant) -> Self {
        Self { since: now, slept: Duration::ZERO }
    }

    pub(super) fn sleep(&mut self, from: Instant, to: Instant) {
        self.slept += to.saturating_duration_since(from);
    }

    /// The thousandths of its time that the thread worked, when a window is over.
    pub(super) fn look(&mut self, now: Instant) -> Option<u32> {
        let window = now.saturating_duration_since(self.since);
        if window < WINDOW {
            return None;
        }
        let worked = window.saturating_sub(self.slept).as_nanos() * 1_000 / window.as_nanos();
        *self = Self::new(now);
        u32::try_from(worked).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_slept_is_work() {
        let start = crate::test_clock();
        let at = |ms| start + Duration::from_millis(ms);
        let mut busy = Busy::new(start);
        busy.sleep(at(10), at(40));
        assert_eq!(busy.look(at(99)), None);
        busy.sleep(at(60), at(105));
        assert_eq!(busy.look(at(150)), Some(500));
        assert_eq!(busy.look(at(250)), Some(1_000), "nothing was slept since");
        busy.sleep(at(250), at(360));
        assert_eq!(busy.look(at(360)), Some(0));
    }
}
