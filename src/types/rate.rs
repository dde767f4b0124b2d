//! How fast things may come.

use std::time::{Duration, Instant};

/// So many at once, then one each interval.
#[derive(Debug, Clone, Copy)]
pub struct Rate {
    /// How many at once.
    pub burst: u32,
    /// From then on, the time for one.
    pub interval: Duration,
}

/// What was taken of a [`Rate`], as the time at which it is made good.
#[derive(Debug, Clone, Copy)]
pub struct Taken(Instant);

impl Taken {
    /// Nothing yet.
    #[must_use]
    pub const fn nothing(now: Instant) -> Self {
        Self(now)
    }

    /// Takes one more, if the rate allows it; says whether it did.
    pub fn take(&mut self, now: Instant, rate: Rate) -> bool {
        let until = self.0.max(now) + rate.interval;
        let is_within = until.duration_since(now) <= rate.interval * rate.burst;
        if is_within {
            self.0 = until;
        }
        is_within
    }

    /// Whether all that was taken is made good.
    #[must_use]
    pub fn is_done(self, now: Instant) -> bool {
        self.0 <= now
    }
}
