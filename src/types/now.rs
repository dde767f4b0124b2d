//! Time as the cores see it.

use std::time::{Duration, Instant, SystemTime};

/// One reading of both clocks, handed to every core call.
///
/// `instant` orders and measures; `wall` is for what leaves the process (RTCP sender reports, call records).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Now {
    /// The monotonic clock.
    pub instant: Instant,
    /// The wall clock.
    pub wall: SystemTime,
}

impl Now {
    /// Both clocks, moved on by `step`.
    #[must_use]
    pub fn after(self, step: Duration) -> Self {
        Self { instant: self.instant + step, wall: self.wall + step }
    }
}

/// Microseconds from `since` to `at`; less than 0 where that is earlier.
#[must_use]
#[inline]
pub fn micros_since(since: Instant, at: Instant) -> i64 {
    at.checked_duration_since(since).map_or_else(|| -micros(since.duration_since(at)), micros)
}

#[inline]
fn micros(time: Duration) -> i64 {
    let seconds = i64::try_from(time.as_secs()).unwrap_or(i64::MAX);
    seconds.saturating_mul(1_000_000).saturating_add(time.subsec_micros().into())
}
