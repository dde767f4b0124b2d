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
