//! When to send the next report (RFC 3550 section 6.2, appendix A.7, for two members).
//!
//! With two members a report is so small a part of the session's bandwidth that only the minimum between reports
//! counts; reconsideration has nothing to reconsider.

use rand::Rng;
use rand::rngs::StdRng;
use std::time::{Duration, Instant};

/// The timer of one session's reports.
#[derive(Debug, Clone)]
pub struct Interval {
    minimum: Duration,
    next: Instant,
}

impl Interval {
    /// The deterministic minimum between reports.
    pub const MINIMUM: Duration = Duration::from_secs(5);
    /// e − 3/2: what timer reconsideration would converge to (section 6.3.1).
    const COMPENSATION: f64 = 1.218_28;

    /// Starts the timer: the first report comes after half the interval (section 6.2).
    #[must_use]
    pub fn new(now: Instant, random: &mut StdRng) -> Self {
        Self::with_minimum(now, Self::MINIMUM, random)
    }

    /// The same with the reduced minimum of section 6.2: 360 seconds by the session's bandwidth in kb/s, at least one
    /// second and at most [`Self::MINIMUM`].
    #[must_use]
    pub fn reduced(now: Instant, kilobits_per_second: u32, random: &mut StdRng) -> Self {
        let minimum = Duration::from_secs_f64(360.0 / f64::from(kilobits_per_second.max(1)));
        Self::with_minimum(now, minimum.clamp(Duration::from_secs(1), Self::MINIMUM), random)
    }

    fn with_minimum(now: Instant, minimum: Duration, random: &mut StdRng) -> Self {
        let mut interval = Self { minimum, next: now };
        interval.next = now + interval.draw(random) / 2;
        interval
    }

    /// When the next report is due.
    #[must_use]
    pub const fn due(&self) -> Instant {
        self.next
    }

    /// A report was sent at `now`: draws the time of the next one.
    pub fn sent(&mut self, now: Instant, random: &mut StdRng) {
        self.next = now + self.draw(random);
    }

    /// Between a half and one and a half of the minimum, so that a thousand legs set up at once do not report at once.
    fn draw(&self, random: &mut StdRng) -> Duration {
        self.minimum.mul_f64(random.random_range(0.5..1.5) / Self::COMPENSATION)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::SeedableRng;

    #[test]
    fn reports_come_about_every_four_seconds_and_never_together() {
        let start = crate::test_clock();
        let mut random = StdRng::seed_from_u64(1);
        let mut interval = Interval::new(start, &mut random);
        let first = interval.due() - start;
        assert!(first >= Duration::from_millis(1_000) && first <= Duration::from_millis(3_100), "{first:?}");
        let mut total = Duration::ZERO;
        for _ in 0..1_000 {
            let now = interval.due();
            interval.sent(now, &mut random);
            let wait = interval.due() - now;
            assert!(wait >= Duration::from_millis(2_052) && wait <= Duration::from_millis(6_157), "{wait:?}");
            total += wait;
        }
        assert!((3_900..4_300).contains(&(total.as_millis() / 1_000)));
    }

    #[test]
    fn the_reduced_minimum_follows_the_bandwidth_within_limits() {
        let start = crate::test_clock();
        let mut random = StdRng::seed_from_u64(1);
        assert_eq!(Interval::reduced(start, 64, &mut random).minimum, Interval::MINIMUM);
        assert_eq!(Interval::reduced(start, 90, &mut random).minimum, Duration::from_secs(4));
        assert_eq!(Interval::reduced(start, 100_000, &mut random).minimum, Duration::from_secs(1));
        assert_eq!(Interval::reduced(start, 0, &mut random).minimum, Interval::MINIMUM);
    }
}
