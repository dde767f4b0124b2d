//! Sound with copies of what went before it (RFC 2198) on a line that loses packets.

use super::*;
use crate::rtp::redundancy::{LONGEST_REDUNDANCY, put_copy};
use rand::Rng;

const REDUNDANT: u8 = 63;

fn line(copies: usize) -> (Line, usize) {
    let mut line = Line::new();
    let parameters = MediaParameters { receive_redundancy: Some(REDUNDANT), ..parameters() };
    line.receiver = Receiver::new(&parameters, 1, &Libraries::default());
    (line, copies)
}

/// Heads and blocks, the oldest first.
fn redundant(payloads: &[Vec<u8>]) -> Vec<u8> {
    let (now, before) = payloads.split_last().unwrap();
    let mut packet = Vec::new();
    for (age, payload) in before.iter().enumerate().map(|(at, payload)| (before.len() - at, payload)) {
        packet.extend([0x80]);
        packet.extend(&((160 * age as u32) << 10 | payload.len() as u32).to_be_bytes()[1..]);
    }
    packet.push(0);
    before.iter().for_each(|payload| packet.extend(payload));
    packet.extend(now);
    packet
}

/// Talks for a while with so many copies in each packet; `lost` says which packets are.
fn talk((line, copies): &mut (Line, usize), packets: usize, mut lost: impl FnMut(usize) -> bool) {
    let mut payloads: Vec<Vec<u8>> = Vec::new();
    for n in 0..packets {
        line.pass(20);
        let mut payload = vec![0; 160];
        line.random.fill_bytes(&mut payload);
        let mut samples = vec![0; 160];
        g711::decode_ulaw(&payload, &mut samples);
        line.said.extend(samples);
        payloads.push(payload);
        let header = line.header(REDUNDANT);
        if !lost(n) {
            let from = payloads.len().saturating_sub(*copies + 1);
            line.arrives(header, &redundant(&payloads[from..]));
        }
        line.timestamp = line.timestamp.wrapping_add(160);
    }
}

#[test]
fn what_is_lost_is_heard_from_the_next_packets_copy() {
    let clean = [0, 1, 2].map(|copies| {
        let mut random = StdRng::seed_from_u64(3);
        let mut line = line(copies);
        talk(&mut line, 3_000, |_| random.random_bool(0.1));
        line.0.clean_since(0)
    });
    println!("clean with 0, 1 and 2 copies at 10 % loss: {clean:?}");
    assert!(clean[0] < 92.0, "{clean:?}");
    assert!(clean[1] > 98.0 && clean[2] > clean[1], "{clean:?}");
}

#[test]
fn a_loss_that_was_mended_is_a_loss_to_who_counts_them() {
    let mut line = line(1);
    talk(&mut line, 1_000, |n| n % 20 == 10);
    let statistics = line.0.statistics();
    assert_eq!((statistics.packets_received, statistics.packets_lost), (950, 50));
    assert_eq!(statistics.packets_redundant, 950);
    assert!((45..=50).contains(&statistics.packets_recovered), "{statistics:?}");
    assert!(line.0.report().fraction_lost >= 12);
}

#[test]
fn without_loss_copies_change_nothing() {
    let mut line = line(2);
    talk(&mut line, 1_000, |_| false);
    line.0.assert_clean("copies of what came");
    let statistics = line.0.statistics();
    assert_eq!((statistics.packets_late, statistics.frames_concealed, statistics.packets_lost), (0, 0, 0));
    assert!(statistics.max_buffer_ms <= 40, "{statistics:?}");
}

#[test]
fn packets_with_and_without_copies_may_alternate() {
    let mut line = line(1);
    for _ in 0..50 {
        talk(&mut line, 10, |_| false);
        line.0.talk(10, 20);
    }
    line.0.assert_clean("copies now and then");
}

#[test]
fn what_cannot_be_read_was_not_lost_and_is_not_heard() {
    let mut line = line(1);
    talk(&mut line, 100, |_| false);
    for payload in [&[][..], &[0x80], &[0x80, 0, 0, 9, 0, 1], &[77, 1, 2, 3]] {
        let header = line.0.header(REDUNDANT);
        line.0.arrives(header, payload);
    }
    talk(&mut line, 100, |_| false);
    assert_eq!(line.0.statistics().packets_lost, 0);
    let mut out = [0; LONGEST_REDUNDANCY];
    let length = put_copy(0, Some((160, &[1; 160])), &mut out);
    assert_eq!(redundant(&[vec![1; 160], vec![]]), out[..length]);
}
