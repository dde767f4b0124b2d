//! How often a client may ask, and guess. A plain value: the time is a parameter.

use super::connections::source;
use crate::types::{Rate, Taken, relax};
use std::collections::HashMap;
use std::net::IpAddr;
use std::time::{Duration, Instant};

/// Requests of a source without a token.
const STRANGER: Rate = Rate { burst: 200, interval: Duration::from_millis(50) };
/// Wrong tokens of a source; beyond, it is told to wait.
const WRONG: Rate = Rate { burst: 10, interval: Duration::from_secs(6) };
/// Requests with one token.
const TOKEN: Rate = Rate { burst: 1_000, interval: Duration::from_millis(5) };

/// Sources that are remembered. Where more are busy at once, the others wait until those are done.
const SOURCES: usize = 4_096;
/// Time between two looks for sources that can be forgotten.
const SWEEP: Duration = Duration::from_secs(1);

#[derive(Debug, Clone, Copy)]
struct Source {
    requests: Taken,
    wrong: Taken,
}

/// Who has asked how often.
#[derive(Debug)]
pub(super) struct Limits {
    sources: HashMap<IpAddr, Source>,
    tokens: HashMap<[u8; 32], Taken>,
    sweep_at: Instant,
}

impl Limits {
    pub(super) fn new(now: Instant) -> Self {
        Self { sources: HashMap::new(), tokens: HashMap::new(), sweep_at: now }
    }

    /// Whether somebody without a token may ask; with `wrong`, after a token that is none.
    pub(super) fn stranger(&mut self, now: Instant, address: IpAddr, wrong: bool) -> bool {
        self.sweep(now);
        let key = source(address);
        if self.sources.len() >= SOURCES && !self.sources.contains_key(&key) {
            return false;
        }
        let unused = Source { requests: Taken::nothing(now), wrong: Taken::nothing(now) };
        let source = self.sources.entry(key).or_insert(unused);
        source.requests.take(now, STRANGER) && (!wrong || source.wrong.take(now, WRONG))
    }

    /// Whether whoever has the token with that hash, which is one of the dialplan's, may ask.
    pub(super) fn token(&mut self, now: Instant, hash: [u8; 32]) -> bool {
        self.tokens.entry(hash).or_insert_with(|| Taken::nothing(now)).take(now, TOKEN)
    }

    fn sweep(&mut self, now: Instant) {
        if now < self.sweep_at {
            return;
        }
        self.sweep_at = now + SWEEP;
        self.sources.retain(|_, source| !source.requests.is_done(now) || !source.wrong.is_done(now));
        relax(&mut self.sources);
        // Those of a dialplan that is gone.
        self.tokens.retain(|_, taken| !taken.is_done(now));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_source_that_guesses_waits_and_costs_no_other_anything() {
        let start = crate::test_clock();
        let mut limits = Limits::new(start);
        let (guesser, other): (IpAddr, IpAddr) = ("192.0.2.1".parse().unwrap(), "192.0.2.2".parse().unwrap());
        let guessed = (0..1_000).filter(|_| limits.stranger(start, guesser, true)).count();
        assert_eq!(guessed, 10);
        assert!(limits.stranger(start, other, true));
        assert!(limits.token(start, [7; 32]));
        assert!(limits.stranger(start + Duration::from_secs(60), guesser, true));
    }

    #[test]
    fn what_is_remembered_is_bounded() {
        let start = crate::test_clock();
        let mut limits = Limits::new(start);
        for n in 0..100_000_u32 {
            let address = IpAddr::from((0x0a00_0000 + n).to_be_bytes());
            _ = limits.stranger(start, address, true);
        }
        assert_eq!(limits.sources.len(), SOURCES);
        assert!(limits.stranger(start + Duration::from_secs(60), "192.0.2.1".parse().unwrap(), false));
        assert_eq!(limits.sources.len(), 1);
    }
}
