//! Events on their way to the gateway: bounded, and honest about what was dropped.
//!
//! What answers a command is always kept (commands are bounded themselves). What a network can cause is bounded: every
//! leg has an allowance, and statistics go first when the gateway does not keep up.

use super::command::Event;
use super::phase::Beat;
use std::collections::VecDeque;

/// Events kept for a gateway that does not collect them, beside answers to commands.
const CAPACITY: usize = 4096;
/// From here on statistics are dropped.
const STATISTICS_UNTIL: usize = CAPACITY / 2;

/// The queue of one engine.
#[derive(Debug)]
pub(crate) struct EventQueue {
    queue: VecDeque<Event>,
    dropped_statistics: u64,
}

impl Default for EventQueue {
    fn default() -> Self {
        Self { queue: VecDeque::with_capacity(CAPACITY + CAPACITY / 4), dropped_statistics: 0 }
    }
}

impl EventQueue {
    /// An answer to a command: always kept.
    pub(crate) fn answer(&mut self, event: Event) {
        if matches!(event, Event::Statistics { .. } | Event::Measured(_)) && self.queue.len() >= STATISTICS_UNTIL {
            self.dropped_statistics += 1;
            return;
        }
        self.queue.push_back(event);
    }

    /// Something the network or time caused, within `allowance`. Says whether the allowance was just broken: the caller
    /// reports [`Event::LegOverran`] then, and the leg is silent afterwards.
    pub(crate) fn notify(&mut self, event: Event, allowance: &mut Allowance, beat: Beat) -> bool {
        if !allowance.spend(beat) || self.queue.len() >= CAPACITY {
            return !std::mem::replace(&mut allowance.broken, true);
        }
        self.queue.push_back(event);
        false
    }

    pub(crate) fn pop(&mut self) -> Option<Event> {
        self.queue.pop_front()
    }

    /// Whether what may wait should be pushed.
    pub(crate) fn has_room(&self) -> bool {
        self.queue.len() < STATISTICS_UNTIL
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.queue.is_empty()
    }
}

/// How many events a leg may still cause: a bucket of 64 that fills by ten a second.
#[derive(Debug, Clone)]
pub(crate) struct Allowance {
    left: u64,
    /// The beat up to which it was filled.
    filled: Beat,
    broken: bool,
}

impl Allowance {
    const DEPTH: u64 = 64;
    const BEATS_EACH: Beat = 40;

    pub(crate) fn new(beat: Beat) -> Self {
        Self { left: Self::DEPTH, filled: beat, broken: false }
    }

    fn spend(&mut self, beat: Beat) -> bool {
        let more = beat.saturating_sub(self.filled) / Self::BEATS_EACH;
        self.filled += more * Self::BEATS_EACH;
        self.left = (self.left + more).min(Self::DEPTH);
        if self.broken || self.left == 0 {
            return false;
        }
        self.left -= 1;
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::{CallId, DigitSource};

    fn digit() -> Event {
        Event::Digit { leg: CallId(1), digit: '1', source: DigitSource::TelephoneEvent }
    }

    #[test]
    fn a_leg_that_floods_is_reported_once_and_silenced() {
        let mut events = EventQueue::default();
        let mut allowance = Allowance::new(0);
        let overruns = (0..500).filter(|_| events.notify(digit(), &mut allowance, 0)).count();
        assert_eq!(overruns, 1);
        assert_eq!(std::iter::from_fn(|| events.pop()).count(), 64);
    }

    #[test]
    fn a_fast_typist_is_never_cut_off() {
        let mut events = EventQueue::default();
        let mut allowance = Allowance::new(0);
        for key in 0..5_000 {
            assert!(!events.notify(digit(), &mut allowance, key * 40));
            events.pop();
        }
    }

    #[test]
    fn statistics_are_dropped_first_and_answers_never() {
        let mut events = EventQueue::default();
        for leg in 0..3_000 {
            events.answer(Event::Statistics { leg: CallId(leg), statistics: Box::default() });
        }
        assert_eq!(events.dropped_statistics, 3_000 - 2_048);
        events.answer(Event::LegRemoved { leg: CallId(1), statistics: Box::default() });
        assert_eq!(std::iter::from_fn(|| events.pop()).count(), 2_049);
    }
}
