//! A sender, a bad network and a receiver's ticks, all by one seed.

use super::{JitterBuffer, LifetimeStatistics, Pull, Settings, Statistics};
use crate::rtp::Header;
use crate::rtp::sequence::{Source, Verdict};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use std::time::{Duration, Instant};

/// What the line is like. Times in microseconds.
pub(super) struct Line {
    pub seed: u64,
    /// Length of the sound in a packet, milliseconds.
    pub packet_ms: u32,
    /// How long after a tick the first packet arrives.
    pub phase: i64,
    /// The sender's clock is faster by so many parts in a million.
    pub ppm: i64,
    /// Each packet is late by up to this, uniformly.
    pub jitter: i64,
    /// From this second on none is.
    pub quiet_from: Option<u32>,
    /// So many of a thousand packets are later still, by so much.
    pub stragglers: (u32, i64),
    /// On top of that an exponential distribution of this mean.
    pub tail: f64,
    /// Packets of speech and of pause in turn (timestamps go on, sequence numbers do not).
    pub spurts: Option<(u64, u64)>,
    /// Packets lost, of a thousand.
    pub loss: u32,
    /// From this second on none is lost.
    pub lossless_from: Option<u32>,
    /// Packets doubled, of a thousand.
    pub doubled: u32,
    /// From when (seconds) on, and for how long, nothing gets through; then all at once.
    pub spike: Option<(f64, i64)>,
    /// From when (seconds) on every packet takes so much longer.
    pub detour: Option<(f64, i64)>,
    pub seconds: u32,
    /// Figures count from here.
    pub after: u32,
}

impl Default for Line {
    fn default() -> Self {
        Self {
            seed: 1,
            packet_ms: 20,
            phase: 7_000,
            ppm: 0,
            jitter: 0,
            quiet_from: None,
            stragglers: (0, 0),
            tail: 0.0,
            spurts: None,
            loss: 0,
            lossless_from: None,
            doubled: 0,
            spike: None,
            detour: None,
            seconds: 60,
            after: 0,
        }
    }
}

/// What came of it, since `after`.
#[derive(Debug, Default)]
pub(super) struct Outcome {
    pub sent: u64,
    pub lost: u64,
    pub ticks: u64,
    pub counted: Statistics,
    /// From the beginning.
    pub lifetime: LifetimeStatistics,
    /// Gaps that were concealed, and those with which what follows them was handed out, while the end of them waited.
    pub gaps: u64,
    pub mended: u64,
    /// From the beginning.
    pub duplicates: u64,
    /// Delay of each packet from sending to playing, milliseconds; sorted.
    pub transit: Vec<f64>,
    /// The same in order of time: (seconds, milliseconds).
    pub course: Vec<(f64, f64)>,
}

impl Outcome {
    pub fn percentile(&self, percent: f64) -> f64 {
        self.transit[((self.transit.len() - 1) as f64 * percent / 100.0) as usize]
    }

    /// Part of the samples played that were concealed.
    pub fn concealed(&self) -> f64 {
        self.counted.concealed_samples as f64 / (self.ticks * 160) as f64
    }

    /// Transit at the end, the greatest of the last second.
    pub fn settled(&self) -> f64 {
        let end = self.course.last().unwrap().0;
        self.course.iter().filter(|(at, _)| *at > end - 1.0).map(|(_, ms)| *ms).fold(0.0, f64::max)
    }
}

struct Flying {
    arrival: i64,
    sent: i64,
    /// In its timestamp.
    number: u64,
    /// In its sequence number.
    spoken: u64,
}

/// Runs the line. The playout is a counter of samples, and every place is a good one to shorten or lengthen by up to 60
/// samples (a pitch period).
pub(super) fn run(line: &Line) -> Outcome {
    let origin = crate::test_clock() + Duration::from_secs(1);
    let at = |micros: i64| -> Instant { origin + Duration::from_micros(u64::try_from(micros).unwrap()) };
    let mut random = StdRng::seed_from_u64(line.seed);
    let mut buffer = JitterBuffer::new(Settings::default());
    let mut source = Source::new(1, 8_000);
    let mut outcome = Outcome::default();
    let samples = line.packet_ms * 8;
    let mut flying: Vec<Flying> = Vec::new();
    let mut next = 0u64;
    let mut sent_at = std::collections::HashMap::new();
    let mut pending = 0usize;
    let mut before = None;
    let mut in_gap = false;
    for tick in 1..=u64::from(line.seconds) * 50 {
        let now = i64::try_from(tick).unwrap() * 20_000;
        let counts = now >= i64::from(line.after) * 1_000_000;
        if counts && before.is_none() {
            before = Some(buffer.statistics());
        }
        outcome.ticks += u64::from(counts);
        loop {
            // A packet leaves when its last sample is spoken.
            let exact =
                i128::from(next) * i128::from(line.packet_ms) * 1_000 * 1_000_000 / i128::from(1_000_000 + line.ppm);
            let sent = line.phase + i64::try_from(exact).unwrap();
            if sent > now {
                break;
            }
            let number = next;
            next += 1;
            let spoken = match line.spurts {
                Some((speech, pause)) if number % (speech + pause) >= speech => continue,
                Some((speech, pause)) => number / (speech + pause) * speech + number % (speech + pause),
                None => number,
            };
            outcome.sent += u64::from(counts);
            let loses = line.lossless_from.is_none_or(|from| now < i64::from(from) * 1_000_000);
            if random.random_range(0..1_000) < line.loss && loses {
                outcome.lost += u64::from(counts);
                continue;
            }
            let is_quiet = line.quiet_from.is_some_and(|from| now >= i64::from(from) * 1_000_000);
            let jitter = if is_quiet { 0 } else { line.jitter };
            let mut arrival = sent + if jitter > 0 { random.random_range(0..jitter) } else { 0 };
            if line.tail > 0.0 {
                arrival -= (line.tail * random.random_range(1e-9..1.0f64).ln()) as i64;
            }
            if random.random_range(0..1_000) < line.stragglers.0 {
                arrival += line.stragglers.1;
            }
            if let Some((from, longer)) = line.detour {
                arrival += if sent >= (from * 1e6) as i64 { longer } else { 0 };
            }
            if let Some((from, length)) = line.spike {
                let from = (from * 1e6) as i64;
                if (from..from + length).contains(&arrival) {
                    arrival = from + length;
                }
            }
            flying.push(Flying { arrival, sent, number, spoken });
            if random.random_range(0..1_000) < line.doubled {
                flying.push(Flying { arrival: arrival + 3_000, sent, number, spoken });
            }
        }
        flying.sort_by_key(|packet| packet.arrival);
        let arrived = flying.partition_point(|packet| packet.arrival <= now);
        for packet in flying.drain(..arrived) {
            let header = Header {
                marker: false,
                payload_type: 0,
                sequence: 65_000u16.wrapping_add(packet.spoken as u16),
                timestamp: 4_294_000_000u32.wrapping_add((packet.number as u32).wrapping_mul(samples)),
                ssrc: 1,
            };
            let mut payload = vec![0; samples as usize];
            payload[..8].copy_from_slice(&packet.number.to_be_bytes());
            sent_at.insert(packet.number, packet.sent);
            match source.receive(at(packet.arrival), &header) {
                Verdict::InSequence(place) => {
                    buffer.insert(at(packet.arrival), place, &header, samples as usize, &payload);
                }
                Verdict::Duplicate => {}
                verdict => panic!("nobody restarts: {verdict:?}"),
            }
        }
        let mut steps = 0;
        let mut concealed_now = false;
        loop {
            steps += 1;
            assert!(steps < 30, "the loop of a tick must end");
            match buffer.pull(at(now), pending) {
                Pull::Packet { payload, .. } => {
                    let number = u64::from_be_bytes(payload[..8].try_into().unwrap());
                    let sent = sent_at.remove(&number).expect("no packet is played twice");
                    if counts {
                        let transit = (now - sent) as f64 / 1e3 + pending as f64 / 8.0;
                        outcome.transit.push(transit);
                        outcome.course.push((now as f64 / 1e6, transit));
                    }
                    pending += payload.len();
                    if counts && std::mem::take(&mut in_gap) {
                        outcome.gaps += 1;
                        outcome.mended += u64::from(concealed_now);
                    }
                    concealed_now = false;
                }
                Pull::Conceal(n) => {
                    pending += n;
                    (in_gap, concealed_now) = (true, true);
                }
                Pull::Silence(n) | Pull::Recover { samples: n, .. } => pending += n,
                Pull::Shorten { most, .. } => {
                    let n = most.min(60);
                    pending -= n;
                    assert!(pending >= 160);
                    buffer.shortened(n);
                }
                Pull::Lengthen { most, .. } => {
                    let n = most.min(60);
                    pending += n;
                    buffer.lengthened(n);
                }
                Pull::Done => break,
            }
        }
        pending -= 160;
        assert!(pending <= 1_000, "the playout is bounded");
        sent_at.retain(|number, _| number + 1_000 > next);
    }
    outcome.duplicates = source.duplicates();
    outcome.lifetime = buffer.lifetime();
    let (end, start) = (buffer.statistics(), before.unwrap());
    outcome.counted = Statistics {
        stored: end.stored - start.stored,
        late: end.late - start.late,
        skipped: end.skipped - start.skipped,
        concealed_samples: end.concealed_samples - start.concealed_samples,
        concealments: end.concealments - start.concealments,
        shortened_samples: end.shortened_samples - start.shortened_samples,
        lengthened_samples: end.lengthened_samples - start.lengthened_samples,
        ..end
    };
    outcome.transit.sort_by(f64::total_cmp);
    outcome
}
