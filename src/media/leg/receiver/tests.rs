//! Senders that break the rules, and how much of them is heard.

mod redundancy;

use super::*;
use crate::audio::codec::g711;
use crate::rtp::telephone_event::TelephoneEvent;
use rand::rngs::StdRng;
use rand::{RngCore, SeedableRng};
use std::collections::HashMap;

/// Pieces of so many samples tell where in the sound they are from.
const PIECE: usize = 16;
const COMFORT_NOISE: u8 = 13;
const EVENT: u8 = 101;

fn parameters() -> MediaParameters {
    MediaParameters {
        send_telephone_event: Some(EVENT),
        receive_telephone_events: [(EVENT, 8_000)].into_iter().collect(),
        ..MediaParameters::plain("192.0.2.1:4000".parse().unwrap(), AudioCodec::Pcmu, 0)
    }
}

/// A sender of noise, no two pieces of which are alike, and what is heard of it.
struct Line {
    receiver: Receiver,
    start: Instant,
    /// Now, microseconds.
    now: u64,
    ticks: u64,
    sequence: u16,
    timestamp: u32,
    listen: bool,
    random: StdRng,
    /// What was said, and what was heard.
    said: Vec<i16>,
    heard: Vec<i16>,
    too_long: Vec<u32>,
    digits: String,
    repair: Repair,
}

impl Line {
    fn new() -> Self {
        Self {
            receiver: Receiver::new(&parameters(), 1, &Libraries::default()),
            start: crate::test_clock(),
            now: 0,
            ticks: 0,
            sequence: 65_400,
            timestamp: 4_294_900_000,
            listen: true,
            random: StdRng::seed_from_u64(7),
            said: Vec::new(),
            heard: Vec::new(),
            too_long: Vec::new(),
            digits: String::new(),
            repair: Repair::none(),
        }
    }

    /// Time passes.
    fn pass(&mut self, milliseconds: u64) {
        self.now += milliseconds * 1_000;
        while (self.ticks + 1) * 20_000 - 7_000 <= self.now {
            self.ticks += 1;
            let tick = self.start + Duration::from_micros(self.ticks * 20_000 - 7_000);
            let mut frame = [0; 160];
            if self.listen && self.receiver.pull(tick, &mut frame, &mut self.repair) != Presence::Absent {
                self.heard.extend(frame);
            }
        }
    }

    fn header(&mut self, payload_type: u8) -> Header {
        let sequence = self.sequence;
        self.sequence = sequence.wrapping_add(1);
        Header { marker: false, payload_type, sequence, timestamp: self.timestamp, ssrc: 1 }
    }

    fn at(&self) -> Instant {
        self.start + Duration::from_micros(self.now)
    }

    fn arrives(&mut self, header: Header, payload: &[u8]) {
        let packet = Packet { header, payload };
        let Received { digit, too_long, .. } = self.receiver.receive(self.at(), &packet, &[], self.listen);
        self.digits.extend(digit);
        self.too_long.extend(too_long);
    }

    /// A packet of so much sound. Where its timestamp leads is the caller's.
    fn packet(&mut self, milliseconds: usize) {
        let mut payload = vec![0; 8 * milliseconds];
        self.random.fill_bytes(&mut payload);
        let mut samples = vec![0; payload.len()];
        g711::decode_ulaw(&payload, &mut samples);
        self.said.extend(samples);
        let header = self.header(0);
        self.arrives(header, &payload);
    }

    /// As honest senders talk: packets of `packet_ms`.
    fn talk(&mut self, packets: usize, packet_ms: u32) {
        for _ in 0..packets {
            self.pass(u64::from(packet_ms));
            self.packet(packet_ms as usize);
            self.timestamp = self.timestamp.wrapping_add(packet_ms * 8);
        }
    }

    fn comfort_noise(&mut self) {
        let header = self.header(COMFORT_NOISE);
        let at = self.at();
        assert!(self.receiver.receive_unknown(at, &header, self.listen));
    }

    /// How much of what was said since then was heard as it was said, percent. The last third of a second may be on its
    /// way.
    fn clean_since(&mut self, said: usize) -> f64 {
        let said = &self.said[said..self.said.len().saturating_sub(2_700)];
        let places: HashMap<&[i16], usize> = said.windows(PIECE).enumerate().map(|(at, piece)| (piece, at)).collect();
        let mut heard = vec![false; said.len()];
        for piece in self.heard.windows(PIECE) {
            if let Some(at) = places.get(piece) {
                heard[*at..*at + PIECE].fill(true);
            }
        }
        heard.iter().filter(|heard| **heard).count() as f64 / said.len() as f64 * 100.0
    }

    fn assert_clean(&mut self, what: &str) {
        let clean = self.clean_since(0);
        println!("{what}: {clean:.1} % clean");
        assert!(clean >= 98.0, "{what}: {clean:.1} % clean");
    }

    fn statistics(&self) -> LegStatistics {
        let mut statistics = LegStatistics::default();
        self.receiver.count(&mut statistics);
        statistics
    }

    fn report(&mut self) -> crate::rtp::sequence::Reception {
        self.receiver.source().unwrap().report()
    }
}

#[test]
fn packets_of_10_to_200_ms_are_heard() {
    for packet_ms in [10, 20, 30, 40, 60, 90, 100, 120, 128, 140, 150, 160, 180, 199, 200] {
        let mut line = Line::new();
        line.talk(20_000 / packet_ms as usize, packet_ms);
        line.assert_clean(&format!("packets of {packet_ms} ms"));
        assert_eq!((line.statistics().packets_too_long, line.statistics().packets_lost), (0, 0));
    }
}

#[test]
fn packets_of_more_than_200_ms_are_counted_and_reported_once() {
    let mut line = Line::new();
    line.talk(10, 20);
    line.talk(4, 201);
    assert_eq!((line.statistics().packets_too_long, line.too_long.as_slice()), (4, &[201][..]));
    assert_eq!(line.statistics().packets_lost, 0);
    let said = line.said.len();
    line.talk(500, 20);
    let clean = line.clean_since(said);
    assert!(clean >= 98.0, "{clean}");
}

#[test]
fn a_sender_that_restarts_is_heard_within_200_ms() {
    // Back by so much; the last two are forward by 5,000 and by 3,001.
    let sequences = [1, 3, 30, 64, 100, 101, 102, 128, 500, 999, 1_000, 5_000, 60_000, 60_536, 62_535];
    for (n, back) in sequences.into_iter().enumerate() {
        for timestamp in [0u32, 50 * 160, 0u32.wrapping_sub(50 * 160), 0x8000_0000, 0xC000_0000, 160, 2_400] {
            for (pause, hold) in [(0, false), (700, false), (700, true), (30_000, true)] {
                let packet_ms = [20, 60][n % 2];
                let mut line = Line::new();
                line.talk(6_000 / packet_ms as usize, packet_ms);
                line.listen = !hold;
                if hold {
                    line.receiver.stop();
                }
                line.pass(pause);
                line.listen = true;
                line.sequence = line.sequence.wrapping_sub(back);
                line.timestamp = line.timestamp.wrapping_add(timestamp);
                let said = line.said.len();
                let what = format!("{back} back, {timestamp} on, {packet_ms} ms, {pause} ms of pause, {hold}");
                line.talk(2_400 / packet_ms as usize, packet_ms);
                // 200 ms after it began again.
                let clean = line.clean_since(said + 1_600);
                assert!(clean >= 98.0, "{what}: {clean:.1} % clean");
                assert!(line.statistics().packets_lost.abs() <= 3, "{what}: {:?}", line.statistics());
            }
        }
    }
}

#[test]
fn one_stray_old_packet_restarts_nothing() {
    let mut line = Line::new();
    line.talk(500, 20);
    for stray in [103u16, 500, 999, 5_000, 40_000] {
        let header = Header { sequence: line.sequence.wrapping_sub(stray), ..line.header(0) };
        line.sequence = line.sequence.wrapping_sub(1);
        line.arrives(header, &[0x55; 160]);
        line.talk(200, 20);
    }
    line.assert_clean("strays");
    assert_eq!((line.statistics().packets_lost, line.statistics().frames_concealed), (0, 0));
}

#[test]
fn packets_that_share_a_timestamp_are_heard() {
    for (packet_ms, shared) in [(20, 2), (10, 2), (20, 3), (30, 2)] {
        for at_once in [false, true] {
            let mut line = Line::new();
            for n in 1..=30_000 / packet_ms {
                if !at_once {
                    line.pass(u64::from(packet_ms));
                } else if n % shared == 0 {
                    line.pass(u64::from(packet_ms * shared));
                }
                line.packet(packet_ms as usize);
                if n % shared == 0 {
                    line.timestamp = line.timestamp.wrapping_add(packet_ms * 8 * shared);
                }
            }
            line.assert_clean(&format!("{shared} packets of {packet_ms} ms, together: {at_once}"));
        }
    }
}

#[test]
fn timestamps_of_another_rate_are_no_pauses() {
    for packet_ms in [10, 20, 30, 60] {
        for (times, of) in [(2, 1), (1, 2), (6, 1), (0, 1), (11, 10), (9, 10)] {
            let mut line = Line::new();
            for _ in 0..30_000 / packet_ms {
                line.pass(u64::from(packet_ms));
                line.packet(packet_ms as usize);
                line.timestamp = line.timestamp.wrapping_add(packet_ms * 8 * times / of);
            }
            line.assert_clean(&format!("timestamps at {times}/{of} of the rate, {packet_ms} ms"));
        }
    }
}

#[test]
fn timestamps_of_twice_the_rate_on_a_jittery_line_are_no_pauses() {
    let mut line = Line::new();
    let mut late = 0;
    for _ in 0..3_000 {
        let next = line.random.next_u64() % 21;
        line.pass(20 + next - late);
        late = next;
        line.packet(20);
        line.timestamp = line.timestamp.wrapping_add(320);
    }
    line.assert_clean("twice the rate, 20 ms of jitter");
}

#[test]
fn comfort_noise_is_neither_lost_nor_concealed() {
    let mut line = Line::new();
    for _ in 0..40 {
        line.talk(40, 20);
        for _ in 0..8 {
            line.pass(20);
            line.comfort_noise();
            line.timestamp = line.timestamp.wrapping_add(160);
        }
    }
    let report = line.report();
    assert_eq!((report.fraction_lost, report.cumulative_lost, line.statistics().packets_lost), (0, 0, 0));
    assert_eq!(line.statistics().frames_concealed, 0);
    line.assert_clean("comfort noise in pauses");
}

#[test]
fn what_is_lost_is_reported_alike_whatever_its_payload_type() {
    let mut line = Line::new();
    let mut lost = 0;
    for n in 0..400u32 {
        line.pass(20);
        if n % 10 == 7 {
            line.sequence = line.sequence.wrapping_add(1);
            lost += 1;
        } else if n % 4 == 1 {
            line.comfort_noise();
        } else if n % 4 == 2 {
            let header = line.header(EVENT);
            let event = TelephoneEvent { event: 5, end: true, volume: 10, duration: 800 };
            line.arrives(header, &event.to_bytes());
        } else {
            line.packet(20);
        }
        line.timestamp = line.timestamp.wrapping_add(160);
    }
    assert_eq!(i64::from(line.report().cumulative_lost), lost);
    assert_eq!(line.statistics().packets_lost, lost);
}

#[test]
fn a_key_pressed_again_after_a_restart_counts_again() {
    let mut line = Line::new();
    let press = |line: &mut Line| {
        for n in 1..=8 {
            line.pass(20);
            let header = line.header(EVENT);
            let event = TelephoneEvent { event: 5, end: n > 5, volume: 10, duration: n.min(6) * 160 };
            line.arrives(header, &event.to_bytes());
        }
    };
    line.talk(10, 20);
    let (sequence, timestamp) = (line.sequence, line.timestamp);
    press(&mut line);
    line.talk(150, 20);
    line.sequence = sequence;
    line.timestamp = timestamp;
    line.talk(0, 20);
    press(&mut line);
    assert_eq!(line.digits, "55");
}
