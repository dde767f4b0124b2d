//! What came from the network and waits to be served: in which order, and for how long it may.
//!
//! As long as all is served at once, nothing of this shows. When more comes than can be served, what belongs to calls
//! that there are goes first, and so do trunks' OPTIONS, which ask whether we are there. New calls wait, and those that
//! have waited too long are to be refused: soon, while the caller has not yet sent its INVITE again, and for a fraction
//! of what a call costs, so that those that are taken are answered in time. Unknown sources come last, and what waits
//! too long of them is dropped.

use crate::sip;
use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// A new call that has waited this long is refused: less than T1 (RFC 3261 section 17.1.1.1), after which an INVITE
/// comes again.
const DEADLINE: Duration = Duration::from_millis(400);
/// The same where calls have waited without a break for `STANDING`: a queue that stands only makes all calls late.
const STANDING_DEADLINE: Duration = Duration::from_millis(100);
/// How long calls wait without a break in a burst that passes.
const STANDING: Duration = Duration::from_millis(500);
/// Where no more than this wait, nothing is refused: they are served within milliseconds, however late they are.
const SHORT: usize = 64;
/// Messages, and octets of them, that wait in one queue.
const MOST: usize = 16_384;
const MOST_OCTETS: usize = 16 << 20;
/// The same of unknown sources.
const MOST_UNKNOWN: usize = 4_096;
const MOST_UNKNOWN_OCTETS: usize = 4 << 20;
/// Thousandths of its time that the least busy media thread may work before calls are refused: beyond, the sound of
/// those that there are suffers, and where it shares its core it leaves nothing to signalling.
const MOST_BUSY: u32 = 850;
/// While calls of known peers wait, one message of an unknown source is served after so many of them.
const KNOWN_IN_A_ROW: u32 = 8;

/// Where a message waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Lane {
    /// It belongs to something that there is, or costs next to nothing and must not be lost.
    First,
    /// It is new, of a known peer; with `refusable` it asks for a call.
    New { refusable: bool },
    /// It is of an unknown source.
    Unknown,
}

/// A message whose turn it is.
#[derive(Debug)]
pub(super) struct Next {
    pub(super) input: sip::Input,
    /// It asks for a call and has waited too long, or there is nobody to carry its sound.
    pub(super) is_late: bool,
}

#[derive(Debug)]
struct Waiting {
    since: Instant,
    input: sip::Input,
    refusable: bool,
}

impl Waiting {
    fn octets(&self) -> usize {
        if let sip::Input::Message { bytes, .. } = &self.input { bytes.len() } else { 0 }
    }
}

#[derive(Debug, Default)]
struct Queue {
    waiting: VecDeque<Waiting>,
    octets: usize,
}

impl Queue {
    fn push(&mut self, waiting: Waiting) {
        self.octets += waiting.octets();
        self.waiting.push_back(waiting);
    }

    fn pop(&mut self) -> Option<Waiting> {
        let waiting = self.waiting.pop_front()?;
        self.octets -= waiting.octets();
        if self.waiting.is_empty() {
            // What a rush needed is given back.
            self.waiting.shrink_to(SHORT);
        }
        Some(waiting)
    }

    fn len(&self) -> usize {
        self.waiting.len()
    }

    fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    fn has_room(&self, most: usize, most_octets: usize) -> bool {
        self.len() < most && self.octets < most_octets
    }
}

/// All that waits. Bounded: what does not fit is dropped, as in the network, but for the first lane, of which
/// [`Intake::is_full`] tells.
#[derive(Debug, Default)]
pub(super) struct Intake {
    first: Queue,
    new: Queue,
    unknown: Queue,
    /// Since when something new has waited without a break.
    standing_since: Option<Instant>,
    known_in_a_row: u32,
    /// How busy the media threads are, in thousandths.
    busy: u32,
    /// Messages of unknown sources dropped since the start.
    pub(super) dropped_unknown: u64,
}

impl Intake {
    /// Puts a message at the end of a lane; `since` is when it came.
    pub(super) fn push(&mut self, since: Instant, input: sip::Input, lane: Lane) {
        let waiting = Waiting { since, input, refusable: lane == Lane::New { refusable: true } };
        match lane {
            Lane::First => self.first.push(waiting),
            Lane::New { .. } if self.new.has_room(MOST, MOST_OCTETS) => {
                self.standing_since.get_or_insert(since);
                self.new.push(waiting);
            }
            // It comes again.
            Lane::New { .. } => {}
            Lane::Unknown if self.unknown.has_room(MOST_UNKNOWN, MOST_UNKNOWN_OCTETS) => self.unknown.push(waiting),
            Lane::Unknown => self.dropped_unknown += 1,
        }
    }

    /// The message whose turn it is.
    pub(super) fn next(&mut self, now: Instant) -> Option<Next> {
        if let Some(Waiting { input, .. }) = self.first.pop() {
            return Some(Next { input, is_late: false });
        }
        self.drop_stale(now);
        if self.new.is_empty() || self.known_in_a_row >= KNOWN_IN_A_ROW {
            self.known_in_a_row = 0;
            if let Some(Waiting { input, .. }) = self.unknown.pop() {
                return Some(Next { input, is_late: false });
            }
        }
        let waiting = self.new.pop()?;
        let waited = now.saturating_duration_since(waiting.since);
        let left = self.new.len();
        let is_too_much = waited >= self.deadline(now) || left >= MOST / 2 || self.media_is_full();
        let is_late = waiting.refusable && left >= SHORT && is_too_much;
        if self.new.is_empty() {
            self.standing_since = None;
        }
        if !is_late {
            self.known_in_a_row += 1;
        }
        Some(Next { input: waiting.input, is_late })
    }

    fn deadline(&self, now: Instant) -> Duration {
        let stands = self.standing_since.is_some_and(|since| now.saturating_duration_since(since) >= STANDING);
        if stands { STANDING_DEADLINE } else { DEADLINE }
    }

    /// Drops what has waited too long of unknown sources.
    fn drop_stale(&mut self, now: Instant) {
        let is_stale = |waiting: &Waiting| now.saturating_duration_since(waiting.since) >= DEADLINE;
        while self.unknown.len() > SHORT && self.unknown.waiting.front().is_some_and(is_stale) {
            self.unknown.pop();
            self.dropped_unknown += 1;
        }
    }

    /// Takes note of how busy the least busy media thread is, in thousandths of its time.
    pub(super) const fn note_busy(&mut self, thousandths: u32) {
        self.busy = thousandths;
    }

    /// Whether no media thread has time for another call.
    pub(super) const fn media_is_full(&self) -> bool {
        self.busy > MOST_BUSY
    }

    /// Whether nothing new waits.
    pub(super) fn has_nothing_new(&self) -> bool {
        self.new.is_empty()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.first.is_empty() && self.new.is_empty() && self.unknown.is_empty()
    }

    /// Whether what comes next is better left where it is.
    pub(super) fn is_full(&self) -> bool {
        !self.first.has_room(MOST, MOST_OCTETS)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sip::Flow;
    use crate::sip::message::Transport;
    use bytes::Bytes;

    const NEW: Lane = Lane::New { refusable: true };

    fn message(text: &str) -> sip::Input {
        let address = "192.0.2.1:5060".parse().unwrap();
        let flow = Flow { transport: Transport::Udp, local: address, remote: address, connection: None };
        sip::Input::Message { flow, bytes: Bytes::copy_from_slice(text.as_bytes()) }
    }

    fn text(next: &Next) -> String {
        let sip::Input::Message { bytes, .. } = &next.input else { panic!("no message") };
        String::from_utf8_lossy(bytes).into_owned()
    }

    fn ms(milliseconds: u64) -> Duration {
        Duration::from_millis(milliseconds)
    }

    /// Serves one message every `each` while one comes every `every`, for `time`. Gives back how many of those that
    /// came were served and refused, and the longest time that one that was served had waited.
    fn offered(every: Duration, each: Duration, time: Duration) -> (u32, u32, Duration) {
        let start = crate::test_clock();
        let refusal = each / 20;
        let (mut intake, mut now, mut next_at) = (Intake::default(), start, start);
        let (mut served, mut refused, mut longest) = (0, 0, Duration::ZERO);
        let mut came = VecDeque::new();
        while now < start + time {
            while next_at <= now {
                intake.push(next_at, message("INVITE"), NEW);
                came.push_back(next_at);
                next_at += every;
            }
            match intake.next(now) {
                Some(next) => {
                    let waited = now - came.pop_front().unwrap();
                    if next.is_late {
                        refused += 1;
                        now += refusal;
                    } else {
                        served += 1;
                        longest = longest.max(waited);
                        now += each;
                    }
                }
                None => now = next_at,
            }
        }
        (served, refused, longest)
    }

    #[test]
    fn at_four_times_the_rate_four_fifths_of_the_best_are_served_and_nobody_served_waits_longer_than_the_deadline() {
        let each = Duration::from_micros(200);
        let (best, refused, _) = offered(each, each, ms(10_000));
        assert_eq!(refused, 0);
        for times in [2, 4] {
            let (served, refused, longest) = offered(each / times, each, ms(10_000));
            assert!(served * 10 >= best * 8, "{served} of {best} at {times} times the rate");
            assert!(longest <= DEADLINE, "{longest:?}");
            assert!(refused > best / 2);
        }
    }

    #[test]
    fn a_burst_that_passes_is_served_whole() {
        let start = crate::test_clock();
        let mut intake = Intake::default();
        for n in 0..1_000 {
            intake.push(start + Duration::from_micros(n), message("INVITE"), NEW);
        }
        let late = (0..1_000).filter(|n| intake.next(start + ms(5) + ms(n / 3)).unwrap().is_late).count();
        assert_eq!(late, 0);
        assert!(intake.is_empty());
    }

    #[test]
    fn what_belongs_to_calls_goes_first_and_unknown_sources_last() {
        let now = crate::test_clock();
        let mut intake = Intake::default();
        for n in 0..9 {
            intake.push(now, message("unknown"), Lane::Unknown);
            intake.push(now, message("new"), NEW);
            if n == 8 {
                intake.push(now, message("first"), Lane::First);
            }
        }
        let order: Vec<String> = std::iter::from_fn(|| intake.next(now)).map(|next| text(&next)).collect();
        assert_eq!(order[0], "first");
        assert!(order[1..9].iter().all(|text| text == "new"), "{order:?}");
        assert_eq!((order[9].as_str(), order[10].as_str()), ("unknown", "new"));
        assert_eq!(order.len(), 19);
    }

    #[test]
    fn a_few_that_came_long_ago_are_served_all_the_same() {
        let start = crate::test_clock();
        let mut intake = Intake::default();
        for _ in 0..SHORT {
            intake.push(start, message("INVITE"), NEW);
            intake.push(start, message("OPTIONS"), Lane::Unknown);
        }
        let served: Vec<Next> = std::iter::from_fn(|| intake.next(start + ms(3_000))).collect();
        assert!(served.len() == 2 * SHORT && served.iter().all(|next| !next.is_late));
    }

    #[test]
    fn what_waits_is_bounded_and_never_at_the_cost_of_calls() {
        let now = crate::test_clock();
        let mut intake = Intake::default();
        for _ in 0..MOST + 100 {
            intake.push(now, message("unknown"), Lane::Unknown);
            intake.push(now, message("new"), NEW);
        }
        assert_eq!((intake.unknown.len(), intake.new.len()), (MOST_UNKNOWN, MOST));
        assert!(intake.dropped_unknown > 0 && !intake.is_full());
        intake.push(now, message("first"), Lane::First);
        assert_eq!(text(&intake.next(now).unwrap()), "first");
        assert!(intake.next(now).unwrap().is_late, "too many wait, however short their wait was");
        let large = message(&"x".repeat(60_000));
        for _ in 0..MOST {
            intake.push(now, large.clone(), Lane::Unknown);
        }
        assert!(intake.unknown.octets <= MOST_UNKNOWN_OCTETS + 60_000);
    }
}
