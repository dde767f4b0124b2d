//! The clocks, read here only.

use crate::types::Now;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// Both clocks now.
#[expect(clippy::disallowed_methods, reason = "the media plane's one place that reads the clocks")]
pub(super) fn now() -> Now {
    Now { instant: Instant::now(), wall: SystemTime::now() }
}

/// A kernel time stamp (wall clock) on the monotonic clock. One that lies ahead, or more than a second back (the wall
/// clock was set), counts as now.
pub(super) fn arrival(now: Now, since_1970: Duration) -> Instant {
    let age = now.wall.duration_since(UNIX_EPOCH + since_1970).unwrap_or_default();
    let age = if age < Duration::from_secs(1) { age } else { Duration::ZERO };
    now.instant.checked_sub(age).unwrap_or(now.instant)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stamp_becomes_an_instant_and_a_wild_one_becomes_now() {
        let now =
            Now { instant: crate::test_clock() + Duration::from_secs(100), wall: UNIX_EPOCH + Duration::from_secs(50) };
        assert_eq!(arrival(now, Duration::from_millis(49_990)), now.instant - Duration::from_millis(10));
        assert_eq!(arrival(now, Duration::from_millis(50_010)), now.instant);
        assert_eq!(arrival(now, Duration::from_secs(3)), now.instant);
    }
}
