//! How long a callback of a scenario may take, by the clock.

use crate::session::scenario::Stopwatch;
use std::time::{Duration, Instant};

/// A callback's second.
#[derive(Debug)]
pub struct Second {
    until: Instant,
}

/// How long a callback may take.
const LONGEST_CALLBACK: Duration = Duration::from_secs(1);

impl Default for Second {
    /// One that begins now.
    fn default() -> Self {
        Self { until: Instant::now() + LONGEST_CALLBACK }
    }
}

impl Stopwatch for Second {
    fn begin(&mut self) {
        *self = Self::default();
    }

    fn is_over(&mut self) -> bool {
        Instant::now() >= self.until
    }
}
