//! How many messages a session may send in one call.

use std::time::{Duration, Instant};

/// Messages within [`WINDOW`].
const MOST: u32 = 40;
const WINDOW: Duration = Duration::from_secs(2);

/// In words, for whoever sends more.
pub(super) const LIMIT: &str = "40 messages of one call within 2 s";

/// Octets of the longest text.
pub(super) const LONGEST: usize = 8 * 1_024;

/// What was sent within the current window.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct MessageLimit {
    since: Option<Instant>,
    count: u32,
}

impl MessageLimit {
    /// Whether another one may be sent now; it is counted.
    pub(super) fn admit(&mut self, now: Instant) -> bool {
        if self.since.is_none_or(|since| now.saturating_duration_since(since) >= WINDOW) {
            (self.since, self.count) = (Some(now), 0);
        }
        self.count = self.count.saturating_add(1);
        self.count <= MOST
    }
}
