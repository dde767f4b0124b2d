//! Notices that the other side's media stopped.

use std::time::{Duration, Instant};

/// Counts from the last packet heard, and reports each silence once.
#[derive(Debug, Clone)]
pub(crate) struct Watch {
    timeout: Option<Duration>,
    since: Instant,
    /// Before this time the timeout cannot have passed, whatever was heard.
    next_look: Instant,
    reported: bool,
}

impl Watch {
    pub(crate) fn new(now: Instant, timeout: Option<Duration>) -> Self {
        Self { timeout, since: now, next_look: now, reported: false }
    }

    /// Counting begins anew: nothing was to be expected before.
    pub(crate) fn restart(&mut self, now: Instant) {
        self.since = now;
        self.reported = false;
    }

    pub(crate) fn heard(&mut self, arrival: Instant) {
        self.since = self.since.max(arrival);
        self.reported = false;
    }

    /// Whether the timeout has passed; true once for each silence.
    pub(crate) fn expired(&mut self, now: Instant) -> bool {
        if now < self.next_look || self.reported {
            return false;
        }
        let Some(timeout) = self.timeout else { return false };
        self.next_look = self.since + timeout;
        self.reported = now >= self.next_look;
        self.reported
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_silence_is_reported_once() {
        let start = crate::test_clock();
        let at = |seconds| start + Duration::from_secs(seconds);
        let mut watch = Watch::new(start, Some(Duration::from_secs(10)));
        assert!(!watch.expired(at(9)));
        assert!(watch.expired(at(10)));
        assert!(!watch.expired(at(20)));
        watch.heard(at(21));
        assert!(!watch.expired(at(30)));
        assert!(watch.expired(at(31)));
        assert!(!Watch::new(start, None).expired(at(1_000)));
    }
}
