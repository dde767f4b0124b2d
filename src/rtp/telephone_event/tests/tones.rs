//! Sound beside events and after them.

use crate::rtp::Header;
use crate::rtp::telephone_event::{Receiver, TelephoneEvent};
use std::time::{Duration, Instant};

const START: u32 = 50_000;

/// A phone that sends a packet each 20 ms.
struct Phone {
    start: Instant,
    now: Instant,
    sequence: u16,
    receiver: Receiver,
}

impl Phone {
    fn new() -> Self {
        let start = crate::test_clock();
        Self { start, now: start, sequence: 100, receiver: Receiver::default() }
    }

    /// Milliseconds of our clock since its first packet, as timestamp.
    fn timestamp(&self) -> u32 {
        START + (self.now - self.start).as_millis() as u32 * 8
    }

    fn pass(&mut self, millis: u64) {
        self.now += Duration::from_millis(millis);
    }

    fn header(&mut self, payload_type: u8, timestamp: u32) -> Header {
        self.sequence = self.sequence.wrapping_add(1);
        Header { marker: false, payload_type, sequence: self.sequence, timestamp, ssrc: 1 }
    }

    fn event(&mut self, timestamp: u32, end: bool, duration: u16) {
        let header = self.header(101, timestamp);
        let event = TelephoneEvent { event: 5, end, volume: 10, duration };
        self.receiver.receive(self.now, &header, &event.to_bytes());
    }

    /// Whether 20 ms of sound that begin at `timestamp` are taken for a tone.
    fn sound(&mut self, timestamp: u32) -> bool {
        let header = self.header(0, timestamp);
        self.receiver.is_tone(self.now, &header, 160)
    }

    /// A key of 100 ms without sound beside it, whose packets claim the duration that is given for the true one.
    fn key(&mut self, claims: impl Fn(u16) -> u16) {
        let start = self.timestamp();
        for n in 1..=7 {
            self.pass(20);
            self.event(start, n >= 5, claims(n.min(5) * 160));
        }
    }
}

#[test]
fn a_duration_in_another_clock_silences_no_sound_after_the_key() {
    let claims: [fn(u16) -> u16; 4] = [|true_one| true_one, |true_one| true_one * 6, |_| u16::MAX, |_| 0];
    for (n, claims) in claims.into_iter().enumerate() {
        let mut phone = Phone::new();
        phone.key(claims);
        let silenced = (0..400)
            .filter(|_| {
                phone.pass(20);
                phone.sound(phone.timestamp() - 160)
            })
            .count();
        assert_eq!(silenced, 0, "claims {n}");
    }
}

#[test]
fn a_late_first_packet_silences_one_packet_at_most() {
    let mut phone = Phone::new();
    let start = phone.timestamp();
    phone.pass(20);
    phone.event(start, false, u16::MAX);
    // The network holds the next ones back for 300 ms; the key was down for 40.
    phone.pass(320);
    phone.event(start, true, u16::MAX);
    let silenced = (0..100).filter(|n| phone.sound(start + 320 + n * 160)).count();
    assert_eq!(silenced, 1);
}

#[test]
fn tones_beside_an_event_are_not_heard_and_their_last_piece_neither() {
    let mut phone = Phone::new();
    let start = phone.timestamp();
    for n in 1..=10 {
        phone.pass(20);
        phone.event(start, n == 10, n * 160);
        assert!(phone.sound(start + u32::from(n - 1) * 160), "packet {n}");
    }
    phone.pass(20);
    assert!(!phone.sound(start + 1_600));
    // Sound of before the key that comes late is sound.
    assert!(!phone.sound(start - 160));
}

#[test]
fn tones_beside_an_event_that_moves_its_timestamp_are_not_heard() {
    let mut phone = Phone::new();
    let start = phone.timestamp();
    for n in 0..500 {
        let timestamp = start + n * 160;
        phone.pass(20);
        phone.event(timestamp, false, 160);
        assert!(phone.sound(timestamp), "packet {n}");
    }
}

#[test]
fn after_ends_that_are_all_lost_sound_is_heard_within_a_tenth_of_a_second() {
    let mut phone = Phone::new();
    let start = phone.timestamp();
    for n in 1..=5 {
        phone.pass(20);
        phone.event(start, false, n * 160);
    }
    phone.sequence += 3;
    phone.pass(40);
    let silenced = (0..100)
        .filter(|_| {
            phone.pass(20);
            phone.sound(phone.timestamp() - 160)
        })
        .count();
    assert!(silenced <= 5, "{silenced} packets");
}

#[test]
fn sequence_numbers_that_wrap_bring_no_old_key_back() {
    let mut phone = Phone::new();
    phone.key(|duration| duration);
    // An hour, in which the numbers wrap twice.
    for _ in 0..180_000 {
        phone.pass(20);
        assert!(!phone.sound(phone.timestamp() - 160));
    }
}

#[test]
fn a_key_that_goes_on_under_another_ssrc_is_one() {
    let mut phone = Phone::new();
    let start = phone.timestamp();
    phone.pass(20);
    phone.event(start, false, 160);
    phone.receiver.change_source();
    phone.sequence = 9_000;
    phone.pass(20);
    phone.event(7, false, 320);
    phone.pass(20);
    phone.event(7, true, 480);
    assert_eq!(phone.receiver.statistics().digits, 1);
    // Pressed anew under a third one.
    phone.receiver.change_source();
    phone.pass(20);
    phone.event(9_999, false, 160);
    assert_eq!(phone.receiver.statistics().digits, 2);
}
