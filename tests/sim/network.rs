//! The network between the phones and the gateway: as bad as a scenario wants it, by one seeded generator.

use bytes::Bytes;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

/// What happens to datagrams on one path, the same both ways.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Weather {
    /// How many are lost, 0 to 1.
    pub(crate) loss: f64,
    /// What every datagram takes.
    pub(crate) delay: Duration,
    /// What a datagram takes on top, drawn evenly between nothing and this.
    pub(crate) jitter: Duration,
    /// How many are held back for 45 ms, so that two later ones overtake them.
    pub(crate) reordered: f64,
    /// How many come twice.
    pub(crate) duplicated: f64,
}

impl Weather {
    /// A line without faults.
    pub(crate) const CLEAR: Self =
        Self { loss: 0.0, delay: Duration::from_millis(10), jitter: Duration::ZERO, reordered: 0.0, duplicated: 0.0 };

    pub(crate) const fn losing(loss: f64) -> Self {
        Self { loss, ..Self::CLEAR }
    }
}

#[derive(Debug, Clone)]
pub(crate) struct Datagram {
    pub(crate) from: SocketAddr,
    pub(crate) to: SocketAddr,
    pub(crate) bytes: Bytes,
}

#[derive(Debug)]
pub(crate) struct Network {
    random: StdRng,
    /// In the order of arrival, then of sending.
    flying: BTreeMap<(Instant, u64), Datagram>,
    sent: u64,
}

impl Network {
    pub(crate) fn new(seed: u64) -> Self {
        Self { random: StdRng::seed_from_u64(seed), flying: BTreeMap::new(), sent: 0 }
    }

    pub(crate) fn send(&mut self, at: Instant, weather: &Weather, datagram: Datagram) {
        let copies = 1 + usize::from(self.happens(weather.duplicated));
        for _ in 0..copies {
            if self.happens(weather.loss) {
                continue;
            }
            let mut arrival = at + weather.delay;
            if weather.jitter > Duration::ZERO {
                arrival += weather.jitter.mul_f64(self.random.random());
            }
            if self.happens(weather.reordered) {
                arrival += Duration::from_millis(45);
            }
            self.sent += 1;
            self.flying.insert((arrival, self.sent), datagram.clone());
        }
    }

    pub(crate) fn poll_timeout(&self) -> Option<Instant> {
        self.flying.first_key_value().map(|((at, _), _)| *at)
    }

    /// The next datagram that has arrived.
    pub(crate) fn arrived(&mut self, now: Instant) -> Option<Datagram> {
        let first = self.flying.first_entry()?;
        (first.key().0 <= now).then(|| first.remove())
    }

    fn happens(&mut self, probability: f64) -> bool {
        probability > 0.0 && self.random.random_bool(probability)
    }
}
