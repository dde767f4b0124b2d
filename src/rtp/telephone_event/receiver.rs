//! From packets to key presses.

use super::super::Header;
use super::{TelephoneEvent, digit_of};
use std::time::{Duration, Instant};

/// How long a key press is remembered after its last packet: longer than packets travel, shorter than it takes a sender
/// to come back to the same timestamp.
const MEMORY: Duration = Duration::from_secs(5);
/// A key is taken as released when no packet came for so long: updates come at least every 50 ms.
const RELEASED_AFTER: Duration = Duration::from_millis(200);
/// The length of all segments of a long event but the last (RFC 4733 section 2.5.1.3).
const SEGMENT: u32 = 0xFFFF;
/// Segments in a row that may be lost whole and still leave it the same key press.
const MAX_SEGMENTS_LOST: u32 = 4;
/// Key presses remembered at a time.
const PRESSES: usize = 8;

/// What a receiver counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Statistics {
    /// Key presses reported.
    pub digits: u64,
    /// Packets too short, or of an event that is no digit.
    pub ignored: u64,
}

/// Reports each key press once, at its start or, if that was lost, as soon as any of its packets arrives.
///
/// A key press is known by its event code and RTP timestamp, which all its packets share. The marker bit is not needed,
/// nor the end; a packet that comes late, even after the next key was pressed, finds its own press remembered.
#[derive(Debug, Clone, Default)]
pub struct Receiver {
    /// Oldest overwritten first.
    presses: [Option<Press>; PRESSES],
    next: usize,
    /// Index of the press last reported.
    newest: usize,
    statistics: Statistics,
}

#[derive(Debug, Clone, Copy)]
struct Press {
    event: u8,
    /// The timestamp; of its latest segment.
    timestamp: u32,
    /// Its longest duration seen.
    duration: u16,
    /// The sequence number of its newest packet.
    sequence: u16,
    ended: bool,
    seen: Instant,
}

impl Press {
    fn matches(&self, event: &TelephoneEvent, timestamp: u32) -> bool {
        // Packets of earlier segments may still arrive after the first of a later one.
        let behind = self.timestamp.wrapping_sub(timestamp);
        self.event == event.event && behind.is_multiple_of(SEGMENT) && behind / SEGMENT <= MAX_SEGMENTS_LOST
    }

    /// Whether `timestamp` begins a later segment of this press.
    fn continues(&self, event: &TelephoneEvent, header: &Header) -> bool {
        let ahead = header.timestamp.wrapping_sub(self.timestamp);
        self.event == event.event
            && !self.ended
            && !header.marker
            && ahead != 0
            && ahead.is_multiple_of(SEGMENT)
            && ahead / SEGMENT <= MAX_SEGMENTS_LOST
    }

    /// Whether a packet of the same timestamp is of another press after all: senders exist that never move the
    /// timestamp. It is newer than the end that was seen, and begins anew.
    fn is_reused(&self, event: &TelephoneEvent, header: &Header) -> bool {
        let newer = header.sequence.wrapping_sub(self.sequence).cast_signed() > 0;
        self.ended && newer && !event.end && event.duration < self.duration
    }

    fn note(&mut self, arrival: Instant, event: &TelephoneEvent, header: &Header) {
        if header.timestamp == self.timestamp {
            self.duration = self.duration.max(event.duration);
            self.ended |= event.end;
        }
        if header.sequence.wrapping_sub(self.sequence).cast_signed() > 0 {
            self.sequence = header.sequence;
        }
        self.seen = self.seen.max(arrival);
    }
}

impl Receiver {
    /// Takes one packet of the negotiated telephone-event payload type. Returns the digit when this packet is the first
    /// that is seen of its key press.
    pub fn receive(&mut self, arrival: Instant, header: &Header, payload: &[u8]) -> Option<char> {
        let parsed = TelephoneEvent::parse(payload).and_then(|event| Some((event, digit_of(event.event)?)));
        let Some((event, digit)) = parsed else {
            self.statistics.ignored += 1;
            return None;
        };
        let fresh = |press: &Press| arrival.saturating_duration_since(press.seen) < MEMORY;
        for press in self.presses.iter_mut().flatten().filter(|press| fresh(press)) {
            if press.matches(&event, header.timestamp) {
                if press.is_reused(&event, header) {
                    // Forgotten, so that what follows belongs to the new press.
                    press.seen = arrival.checked_sub(MEMORY).unwrap_or(press.seen);
                    press.event = u8::MAX;
                    break;
                }
                press.note(arrival, &event, header);
                return None;
            }
            if press.continues(&event, header) {
                press.timestamp = header.timestamp;
                press.duration = event.duration;
                press.note(arrival, &event, header);
                return None;
            }
        }
        self.presses[self.next] = Some(Press {
            event: event.event,
            timestamp: header.timestamp,
            duration: event.duration,
            sequence: header.sequence,
            ended: event.end,
            seen: arrival,
        });
        self.newest = self.next;
        self.next = (self.next + 1) % PRESSES;
        self.statistics.digits += 1;
        Some(digit)
    }

    /// Whether a key is down at `now`: its end has not been seen and its last packet is not long past.
    #[must_use]
    pub fn is_pressed(&self, now: Instant) -> bool {
        self.presses[self.newest]
            .is_some_and(|press| !press.ended && now.saturating_duration_since(press.seen) < RELEASED_AFTER)
    }

    /// Forgets what was seen of the current source (another SSRC).
    pub fn restart(&mut self) {
        self.presses = [None; PRESSES];
    }

    /// What it counted.
    #[must_use]
    pub const fn statistics(&self) -> Statistics {
        self.statistics
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Packets of keys, 20 ms apart, as a sender makes them.
    struct Phone {
        now: Instant,
        sequence: u16,
    }

    type Sent = (Instant, Header, [u8; 4]);

    impl Phone {
        fn new() -> Self {
            Self { now: crate::test_clock(), sequence: 65_530 }
        }

        fn packet(&mut self, event: u8, timestamp: u32, duration: u16, end: bool, marker: bool) -> Sent {
            self.now += Duration::from_millis(20);
            self.sequence = self.sequence.wrapping_add(1);
            let header = Header { marker, payload_type: 101, sequence: self.sequence, timestamp, ssrc: 1 };
            (self.now, header, TelephoneEvent { event, end, volume: 10, duration }.to_bytes())
        }

        /// `updates` packets and three ends.
        fn key(&mut self, event: u8, timestamp: u32, updates: u16) -> Vec<Sent> {
            let mut sent: Vec<_> =
                (1..=updates).map(|i| self.packet(event, timestamp, i * 160, false, i == 1)).collect();
            sent.extend((0..3).map(|_| self.packet(event, timestamp, (updates + 1) * 160, true, false)));
            sent
        }
    }

    fn heard<'a>(sent: impl IntoIterator<Item = &'a Sent>) -> String {
        let mut receiver = Receiver::default();
        sent.into_iter().filter_map(|(at, header, payload)| receiver.receive(*at, header, payload)).collect()
    }

    #[test]
    fn a_key_press_is_one_digit_at_its_start() {
        let keys = Phone::new().key(5, 1_000, 4);
        assert_eq!(heard(&keys), "5");
        assert_eq!(heard(&keys[..1]), "5");
    }

    #[test]
    fn any_part_of_a_key_press_will_do() {
        let keys = Phone::new().key(11, 1_000, 3);
        for i in 0..keys.len() {
            assert_eq!(heard(&keys[i..]), "#", "lost start of {i}");
            assert_eq!(heard(&keys[i..=i]), "#", "only packet {i}");
            assert_eq!(heard(&keys[..=i]), "#", "lost end after {i}");
        }
    }

    #[test]
    fn equal_digits_back_to_back_are_two_even_with_ends_lost() {
        let mut phone = Phone::new();
        let mut keys = phone.key(7, 1_000, 1); // 40 ms
        keys.extend(phone.key(7, 1_320, 1));
        assert_eq!(heard(&keys), "77");
        assert_eq!(heard(keys.iter().filter(|(.., payload)| payload[1] & 0x80 == 0)), "77");
        assert_eq!(heard(keys.iter().filter(|(.., payload)| payload[1] & 0x80 != 0)), "77");
    }

    #[test]
    fn reordered_and_repeated_packets_add_nothing() {
        let mut phone = Phone::new();
        let mut keys = phone.key(1, 1_000, 2);
        keys.extend(phone.key(2, 2_000, 2));
        keys.extend(phone.key(1, 3_000, 2));
        let mut shuffled = keys.clone();
        shuffled.swap(4, 5); // the last end of 1 after the start of 2
        shuffled.swap(8, 11);
        assert_eq!(heard(shuffled.iter().flat_map(|sent| [sent, sent])), "121");
        // An update that overtakes the start, an end that comes before it.
        shuffled = keys[..5].to_vec();
        shuffled.reverse();
        assert_eq!(heard(&shuffled), "1");
    }

    #[test]
    fn a_long_key_press_in_segments_is_one_digit() {
        let mut phone = Phone::new();
        let mut keys = vec![phone.packet(3, 5_000, 160, false, true)];
        for segment in 0..6u32 {
            let timestamp = 5_000u32.wrapping_add(segment * SEGMENT);
            keys.extend([160, 30_000, 0xFFFF].map(|duration| phone.packet(3, timestamp, duration, false, false)));
        }
        let timestamp = 5_000 + 6 * SEGMENT;
        keys.extend((0..3).map(|_| phone.packet(3, timestamp, 400, true, false)));
        assert_eq!(heard(&keys), "3");
        // Two segments lost, and late packets of the first after the second began.
        let mut some = [&keys[..3], &keys[10..]].concat();
        some.swap(2, 4);
        assert_eq!(heard(&some), "3");
        // A new press after it is another digit.
        let after = phone.key(3, timestamp + SEGMENT, 2);
        keys.extend(after);
        assert_eq!(heard(&keys), "33");
    }

    #[test]
    fn a_sender_that_never_moves_its_timestamp_is_understood() {
        let mut phone = Phone::new();
        let keys: Vec<_> = (0..3).flat_map(|_| phone.key(9, 0, 3)).collect();
        assert_eq!(heard(&keys), "999");
    }

    #[test]
    fn other_events_and_short_payloads_are_ignored() {
        let now = crate::test_clock();
        let header = Header { marker: true, payload_type: 101, sequence: 1, timestamp: 1, ssrc: 1 };
        let mut receiver = Receiver::default();
        assert_eq!(receiver.receive(now, &header, &[16, 0, 0, 160]), None); // flash
        assert_eq!(receiver.receive(now, &header, &[255, 0x80, 0, 160]), None);
        assert_eq!(receiver.receive(now, &header, &[1, 0, 0]), None);
        assert_eq!(receiver.receive(now, &header, &[]), None);
        assert_eq!(receiver.statistics(), Statistics { digits: 0, ignored: 4 });
        assert_eq!(receiver.receive(now, &header, &[15, 0xFF, 0, 160, 3, 10, 0, 160]), Some('D'));
    }

    #[test]
    fn a_key_is_down_until_its_end_or_until_it_falls_silent() {
        let keys = Phone::new().key(4, 1_000, 3);
        let mut receiver = Receiver::default();
        for (at, header, payload) in &keys[..3] {
            receiver.receive(*at, header, payload);
            assert!(receiver.is_pressed(*at));
        }
        assert!(!receiver.is_pressed(keys[2].0 + RELEASED_AFTER));
        receiver.receive(keys[3].0, &keys[3].1, &keys[3].2);
        assert!(!receiver.is_pressed(keys[3].0));
        receiver.restart();
        assert!(!receiver.is_pressed(keys[3].0));
    }

    proptest::proptest! {
        #[test]
        fn no_packets_make_it_panic(packets in proptest::collection::vec(
            (proptest::num::u32::ANY, proptest::num::u16::ANY,
             proptest::collection::vec(proptest::num::u8::ANY, 0..6), 0..10_000u64), 0..60)) {
            let start = crate::test_clock();
            let mut receiver = Receiver::default();
            for (timestamp, sequence, payload, at) in packets {
                let header = Header { marker: sequence % 2 == 0, payload_type: 101, sequence, timestamp, ssrc: 1 };
                let now = start + Duration::from_millis(at);
                receiver.receive(now, &header, &payload);
                let _ = receiver.is_pressed(now);
            }
        }
    }
}
