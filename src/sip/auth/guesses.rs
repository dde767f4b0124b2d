//! How many wrong answers came from where: a password is not found out by trying.
//!
//! **A right answer forgives nothing.** If it did, whoever knows one trunk's password, or saw one right answer and
//! sends it again, could do so between guesses at another's, and guess for ever.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::time::{Duration, Instant};

/// Wrong answers from one place within a window before it hears nothing more.
const MOST_WRONG: u32 = 10;
/// From the first wrong answer on.
const WINDOW: Duration = Duration::from_secs(600);
/// Places remembered.
const MOST_PLACES: usize = 4_096;

/// Wrong answers by place.
#[derive(Debug, Default)]
pub(super) struct Guesses {
    places: HashMap<IpAddr, (u32, Instant)>,
}

impl Guesses {
    /// Whether so many wrong answers came from there that nothing is answered any more.
    pub fn exhausted(&self, now: Instant, source: IpAddr) -> bool {
        self.places.get(&network(source)).is_some_and(|(wrong, ends)| *wrong >= MOST_WRONG && now < *ends)
    }

    /// Counts a wrong answer.
    pub fn wrong(&mut self, now: Instant, source: IpAddr) {
        let source = network(source);
        if self.places.get(&source).is_some_and(|(_, ends)| *ends <= now) {
            self.places.remove(&source);
        }
        if !self.places.contains_key(&source) && self.places.len() >= MOST_PLACES {
            self.places.retain(|_, (_, ends)| *ends > now);
            let oldest = self.places.iter().min_by_key(|(_, (wrong, ends))| (*wrong, *ends)).map(|(place, _)| *place);
            if let Some(oldest) = oldest.filter(|_| self.places.len() >= MOST_PLACES) {
                self.places.remove(&oldest);
            }
        }
        let (wrong, _) = self.places.entry(source).or_insert((0, now + WINDOW));
        *wrong = wrong.saturating_add(1);
    }
}

/// An IPv6 network as its customers get it counts as one place: they have all its addresses.
fn network(source: IpAddr) -> IpAddr {
    match source.to_canonical() {
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() & (u128::MAX << 64)).into(),
        address => address,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ten_wrong_answers_close_a_place_for_a_while() {
        let (now, mut guesses) = (crate::test_clock(), Guesses::default());
        let (one, same, other): (IpAddr, IpAddr, IpAddr) =
            ("2001:db8::1".parse().unwrap(), "2001:db8::ff:1".parse().unwrap(), "2001:db8:0:1::1".parse().unwrap());
        for _ in 0..MOST_WRONG {
            assert!(!guesses.exhausted(now, same));
            guesses.wrong(now, one);
        }
        assert!(guesses.exhausted(now, same) && !guesses.exhausted(now, other));
        assert!(!guesses.exhausted(now + WINDOW, one));
        guesses.wrong(now + WINDOW, one);
        assert!(!guesses.exhausted(now + WINDOW, one));
    }

    #[test]
    fn the_memory_of_places_is_bounded_and_keeps_the_closed_ones() {
        let (now, mut guesses) = (crate::test_clock(), Guesses::default());
        let guesser: IpAddr = [192, 0, 2, 1].into();
        for _ in 0..MOST_WRONG {
            guesses.wrong(now, guesser);
        }
        for number in 0..10_000_u32 {
            guesses.wrong(now, IpAddr::V4((0x0a00_0000 + number).into()));
        }
        assert!(guesses.places.len() <= MOST_PLACES && guesses.exhausted(now, guesser));
    }
}
