//! When to send the next report (RFC 3550 section 6.2, appendix A.7, for two members).

use rand::rngs::StdRng;
use std::time::{Duration, Instant};

/// The timer of one session's reports.
#[derive(Debug, Clone)]
pub struct Interval {
    next: Instant,
}

impl Interval {
    /// The deterministic minimum between reports.
    pub const MINIMUM: Duration = Duration::from_secs(5);

    /// Starts the timer: the first report comes after half the interval (section 6.2).
    #[must_use]
    pub fn new(now: Instant, random: &mut StdRng) -> Self {
        let _ = random;
        Self { next: now }
    }

    /// When the next report is due.
    #[must_use]
    pub const fn due(&self) -> Instant {
        self.next
    }

    /// A report was sent at `now`: draws the time of the next one.
    pub fn sent(&mut self, now: Instant, random: &mut StdRng) {
        let _ = (now, random);
        todo!()
    }
}
