//! Key presses as RFC 4733 has them.

use crate::rtp::Header;
use crate::rtp::telephone_event::{Receiver, Statistics, TelephoneEvent};
use std::time::{Duration, Instant};

/// The length of a segment.
const SEGMENT: u32 = 0xFFFF;

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
        let mut sent: Vec<_> = (1..=updates).map(|i| self.packet(event, timestamp, i * 160, false, i == 1)).collect();
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
    assert!(!receiver.is_pressed(keys[2].0 + Duration::from_millis(200)));
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
