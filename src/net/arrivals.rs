//! How fast connections may come. A plain value: the time is a parameter.

use crate::types::{Network, Rate, Taken, relax};
use std::collections::{HashMap, HashSet};
use std::fmt;
use std::net::{IpAddr, Ipv6Addr};
use std::time::{Duration, Instant};

/// Connections of one trunk's address.
const TRUNK: Rate = Rate { burst: 500, interval: Duration::from_millis(5) };
/// Connections of an unknown source.
const UNKNOWN: Rate = Rate { burst: 300, interval: Duration::from_millis(20) };
/// TLS handshakes of an unknown source, each of which costs us a signature.
const UNKNOWN_TLS: Rate = Rate { burst: 40, interval: Duration::from_millis(100) };
/// TLS handshakes of all unknown sources together.
const ALL_UNKNOWN_TLS: Rate = Rate { burst: 200, interval: Duration::from_millis(10) };

/// Sources that are remembered. Where more are busy at once, the others are refused until those are done.
const SOURCES: usize = 4_096;
/// Time between two looks for sources that can be forgotten.
const SWEEP: Duration = Duration::from_secs(1);
/// Addresses of trunks' servers that are remembered.
const PEERS: usize = 4_096;

#[derive(Debug, Clone, Copy)]
struct Source {
    connections: Taken,
    handshakes: Taken,
}

impl Source {
    fn is_done(&self, now: Instant) -> bool {
        self.connections.is_done(now) && self.handshakes.is_done(now)
    }
}

/// Why a connection is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Refusal {
    /// Its source opens too many.
    Source,
    /// All unknown sources together do.
    All,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Source => "it opens connections too fast",
            Self::All => "all unknown sources together open connections too fast",
        })
    }
}

/// Who may open a connection now.
///
/// A source is an address, or the /64 of an IPv6 address, all of which one customer has. Addresses that trunks allow,
/// and those of trunks' servers, are known: they have a higher rate, and what unknown sources do takes nothing from it.
#[derive(Debug)]
pub(super) struct Arrivals {
    trunks: Vec<Network>,
    peers: HashSet<IpAddr>,
    sources: HashMap<IpAddr, Source>,
    unknown_handshakes: Taken,
    sweep_at: Instant,
}

impl Arrivals {
    pub(super) fn new(now: Instant) -> Self {
        Self {
            trunks: Vec::new(),
            peers: HashSet::new(),
            sources: HashMap::new(),
            unknown_handshakes: Taken::nothing(now),
            sweep_at: now,
        }
    }

    /// Takes the networks that the trunks of a dialplan allow.
    pub(super) fn set_trunks(&mut self, trunks: Vec<Network>) {
        self.trunks = trunks;
    }

    /// Takes note of an address that we connect to.
    pub(super) fn note_peer(&mut self, address: IpAddr) {
        if self.peers.len() >= PEERS && !self.peers.contains(&address) {
            self.peers.clear();
        }
        self.peers.insert(address);
    }

    /// Whether an address is a trunk's.
    pub(super) fn is_trunk(&self, address: IpAddr) -> bool {
        self.peers.contains(&address) || self.trunks.iter().any(|network| network.contains(address))
    }

    /// Whether `address` may open one more connection; with `tls`, one that costs a handshake.
    ///
    /// # Errors
    /// When it, or all unknown sources together, opened too many.
    pub(super) fn admit(&mut self, now: Instant, address: IpAddr, tls: bool) -> Result<(), Refusal> {
        self.sweep(now);
        let is_trunk = self.is_trunk(address);
        let key = source(address);
        if self.sources.len() >= SOURCES && !self.sources.contains_key(&key) {
            return if is_trunk { Ok(()) } else { Err(Refusal::All) };
        }
        let unused = Source { connections: Taken::nothing(now), handshakes: Taken::nothing(now) };
        let source = self.sources.entry(key).or_insert(unused);
        if is_trunk {
            return if source.connections.take(now, TRUNK) { Ok(()) } else { Err(Refusal::Source) };
        }
        if !source.connections.take(now, UNKNOWN) || (tls && !source.handshakes.take(now, UNKNOWN_TLS)) {
            return Err(Refusal::Source);
        }
        if tls && !self.unknown_handshakes.take(now, ALL_UNKNOWN_TLS) {
            return Err(Refusal::All);
        }
        Ok(())
    }

    /// Forgets sources that have made good what they took.
    pub(super) fn sweep(&mut self, now: Instant) {
        if now < self.sweep_at {
            return;
        }
        self.sweep_at = now + SWEEP;
        self.sources.retain(|_, source| !source.is_done(now));
        relax(&mut self.sources);
    }
}

/// What shares one rate with `address`.
pub(super) fn source(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0).into()
        }
        address => address,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    fn admitted(arrivals: &mut Arrivals, now: Instant, address: &str, tls: bool, tries: usize) -> usize {
        (0..tries).filter(|_| arrivals.admit(now, ip(address), tls).is_ok()).count()
    }

    #[test]
    fn a_flood_of_handshakes_from_one_source_is_cut_to_its_rate_and_takes_nothing_from_others() {
        let start = crate::test_clock();
        let mut arrivals = Arrivals::new(start);
        assert_eq!(admitted(&mut arrivals, start, "192.0.2.1", true, 5_000), 40);
        assert_eq!(admitted(&mut arrivals, start + Duration::from_secs(1), "192.0.2.1", true, 5_000), 10);
        assert_eq!(admitted(&mut arrivals, start + Duration::from_secs(1), "192.0.2.2", true, 20), 20);
        assert_eq!(arrivals.admit(start, ip("192.0.2.1"), true), Err(Refusal::Source));
    }

    #[test]
    fn unknown_sources_together_take_nothing_from_a_trunk() {
        let start = crate::test_clock();
        let mut arrivals = Arrivals::new(start);
        arrivals.set_trunks(vec![Network { address: ip("198.51.100.0"), prefix: 24 }]);
        arrivals.note_peer(ip("203.0.113.5"));
        let sources = (0..10_000_u32).map(|n| IpAddr::from((0x0a00_0000 + n).to_be_bytes()));
        let taken = sources.filter(|source| arrivals.admit(start, *source, true).is_ok()).count();
        assert_eq!(taken, 200);
        assert_eq!(arrivals.admit(start, ip("10.200.0.1"), true), Err(Refusal::All));
        assert_eq!(admitted(&mut arrivals, start, "198.51.100.7", true, 400), 400);
        assert_eq!(admitted(&mut arrivals, start, "203.0.113.5", true, 400), 400);
    }

    #[test]
    fn one_customers_ipv6_addresses_are_one_source() {
        let start = crate::test_clock();
        let mut arrivals = Arrivals::new(start);
        let taken = (0..1_000).filter(|n| arrivals.admit(start, ip(&format!("2001:db8::{n:x}")), true).is_ok()).count();
        assert_eq!(taken, 40);
        assert!(arrivals.admit(start, ip("2001:db8:0:1::1"), true).is_ok());
    }

    #[test]
    fn what_is_remembered_of_sources_is_bounded_and_given_back() {
        let start = crate::test_clock();
        let mut arrivals = Arrivals::new(start);
        for n in 0..100_000_u32 {
            _ = arrivals.admit(start, IpAddr::from((0x0a00_0000 + n).to_be_bytes()), false);
        }
        assert_eq!(arrivals.sources.len(), SOURCES);
        arrivals.sweep(start + Duration::from_secs(60));
        assert!(
            arrivals.sources.capacity() * size_of::<(IpAddr, Source)>() <= 16_384,
            "{}",
            arrivals.sources.capacity()
        );
    }
}
