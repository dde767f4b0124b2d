//! The jitter buffer: a tick with what arrived before it, on a clean line and on a bad one.

use std::hint::black_box;
use std::time::Duration;

use partyline::audio::FRAME_8K;
use partyline::rtp::jitter_buffer::{JitterBuffer, Pull, Settings};
use partyline::rtp::{Header, jitter_buffer::Inserted};

use super::{Numbers, Work, start};

const TICK: Duration = Duration::from_millis(20);
/// After so many packets the line does the same again.
const PERIOD: u32 = 500;

/// When each packet of a period arrives, in microseconds from the period's start, and which it is: in order of arrival.
fn line(late_by: u32, lost_percent: u32) -> Vec<(u64, u32)> {
    let mut numbers = Numbers(7);
    let mut arrivals = Vec::new();
    for packet in 0..PERIOD {
        let late = if late_by > 0 { numbers.below(late_by) } else { 0 };
        if numbers.below(100) >= lost_percent {
            arrivals.push((u64::from(packet) * 20_000 + 3_000 + u64::from(late), packet));
        }
    }
    arrivals.sort_unstable();
    arrivals
}

fn work(name: &str, late_by: u32, lost_percent: u32) -> Work {
    Work::new(format!("jitter_buffer/{name}"), 500, move || {
        let arrivals = line(late_by, lost_percent);
        let mut buffer = JitterBuffer::new(Settings::default());
        let mut at = 0;
        let mut period = 0u32;
        let mut begun = start().instant;
        let mut tick = begun;
        let mut pending = 0;
        let mut stored = 0;
        let payload = [0xD5; FRAME_8K];
        let mut run = move || {
            tick += TICK;
            loop {
                let Some(&(micros, packet)) = arrivals.get(at) else {
                    (at, period, begun) = (0, period.wrapping_add(1), begun + TICK * PERIOD);
                    continue;
                };
                let arrival = begun + Duration::from_micros(micros);
                if arrival > tick {
                    break;
                }
                at += 1;
                let number = period.wrapping_mul(PERIOD).wrapping_add(packet);
                let [.., high, low] = number.to_be_bytes();
                let header = Header {
                    marker: false,
                    payload_type: 8,
                    sequence: u16::from_be_bytes([high, low]),
                    timestamp: number.wrapping_mul(160),
                    ssrc: 7,
                };
                let stored_it = buffer.insert(arrival, number.into(), &header, FRAME_8K, &payload);
                stored += u64::from(stored_it == Inserted::Stored);
            }
            loop {
                match buffer.pull(tick, pending) {
                    Pull::Packet { payload, .. } => pending += black_box(payload).len(),
                    Pull::Conceal(count) | Pull::Silence(count) | Pull::Recover { samples: count, .. } => {
                        pending += count;
                    }
                    // A place is found at once, half as long as wished.
                    Pull::Shorten { most, .. } => {
                        pending -= most / 2;
                        buffer.shortened(most / 2);
                    }
                    Pull::Lengthen { most, .. } => {
                        pending += most / 2;
                        buffer.lengthened(most / 2);
                    }
                    Pull::Done => break,
                }
            }
            pending -= FRAME_8K;
            stored
        };
        // A period to settle in; what is lost or too late is the line's doing.
        let heard = (0..PERIOD).map(|_| run()).last();
        assert!(heard.is_some_and(|stored| stored > u64::from(PERIOD) * 8 / 10), "{heard:?} of {PERIOD} packets");
        move || {
            black_box(run());
        }
    })
}

pub fn works() -> Vec<Work> {
    vec![work("clean", 0, 0), work("late_by_20_ms", 20_000, 0), work("late_by_60_ms_1_percent_lost", 60_000, 1)]
}
