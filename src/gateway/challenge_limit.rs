//! How many 401s go out to unknown sources by UDP.
//!
//! Anybody can write another's address as the source of a datagram. What is answered to unknown sources is therefore
//! bounded, for each address and for all of them together: sent through us, a flood reaches nobody. Trunks known by
//! address, and peers that answer a challenge right, take nothing from either rate.

use crate::types::{Rate, Taken, relax};
use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::time::{Duration, Instant};

/// Challenges to one source.
const SOURCE: Rate = Rate { burst: 50, interval: Duration::from_millis(50) };
/// Challenges to all unknown sources together.
const ALL: Rate = Rate { burst: 5_000, interval: Duration::from_micros(200) };
/// Sources that are remembered. Where more are busy at once, the others hear nothing until those are done.
const SOURCES: usize = 16_384;
/// Time between two looks for sources that can be forgotten.
const SWEEP: Duration = Duration::from_secs(1);

/// Says whether one more challenge may go to an address. A source is an address, or the /64 of an IPv6 address.
#[derive(Debug)]
pub(super) struct ChallengeLimit {
    sources: HashMap<IpAddr, Taken>,
    all: Taken,
    sweep_at: Instant,
}

impl ChallengeLimit {
    pub(super) fn new(now: Instant) -> Self {
        Self { sources: HashMap::new(), all: Taken::nothing(now), sweep_at: now }
    }

    /// Whether `address` may be sent one more.
    ///
    /// # Errors
    /// Why not, in words for the log.
    pub(super) fn admit(&mut self, now: Instant, address: IpAddr) -> Result<(), &'static str> {
        self.sweep(now);
        let key = source(address);
        if self.sources.len() >= SOURCES && !self.sources.contains_key(&key) {
            return Err("too many unknown sources ask for a challenge");
        }
        if !self.sources.entry(key).or_insert_with(|| Taken::nothing(now)).take(now, SOURCE) {
            return Err("which was sent too many challenges");
        }
        if !self.all.take(now, ALL) {
            return Err("too many unknown sources ask for a challenge");
        }
        Ok(())
    }

    fn sweep(&mut self, now: Instant) {
        if now < self.sweep_at {
            return;
        }
        self.sweep_at = now + SWEEP;
        self.sources.retain(|_, taken| !taken.is_done(now));
        relax(&mut self.sources);
    }
}

fn source(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() & (u128::MAX << 64)).into(),
        address => address,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sent(limit: &mut ChallengeLimit, now: Instant, address: IpAddr, asked: u32) -> usize {
        (0..asked).filter(|_| limit.admit(now, address).is_ok()).count()
    }

    #[test]
    fn one_source_is_sent_few_challenges_and_the_others_theirs() {
        let (start, victim) = (crate::test_clock(), [192, 0, 2, 1].into());
        let mut limit = ChallengeLimit::new(start);
        assert_eq!(sent(&mut limit, start, victim, 10_000), 50);
        assert_eq!(sent(&mut limit, start, [192, 0, 2, 2].into(), 2), 2);
        assert_eq!(sent(&mut limit, start + Duration::from_secs(1), victim, 10_000), 20);
    }

    #[test]
    fn the_addresses_of_one_ipv6_customer_are_one_source() {
        let now = crate::test_clock();
        let mut limit = ChallengeLimit::new(now);
        let addresses = (0..1_000_u128).map(|low| Ipv6Addr::from_bits((0x2001_0db8 << 96) | low).into());
        assert_eq!(addresses.filter(|address| limit.admit(now, *address).is_ok()).count(), 50);
    }

    #[test]
    fn all_unknown_sources_together_are_sent_so_many_and_their_memory_is_bounded() {
        let start = crate::test_clock();
        let mut limit = ChallengeLimit::new(start);
        let addresses = || (0..100_000_u32).map(|number| IpAddr::V4((0x0a00_0000 + number).into()));
        assert_eq!(addresses().filter(|address| limit.admit(start, *address).is_ok()).count(), 5_000);
        assert!(limit.sources.len() <= SOURCES);
        assert_eq!(sent(&mut limit, start + Duration::from_secs(10), [192, 0, 2, 1].into(), 1), 1);
        assert_eq!(limit.sources.len(), 1, "the others are forgotten");
    }
}
