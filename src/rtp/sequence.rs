//! Sequence numbers of one source: validation, loss, jitter (RFC 3550 appendix A.1, A.3, A.8).

use super::Header;
use std::time::Instant;

/// Forward jumps up to this many packets are loss; larger ones a restart of the sender (A.1).
pub const MAX_DROPOUT: u16 = 3_000;
/// Packets up to this many behind the newest are late or duplicate (A.1).
pub const MAX_MISORDER: u16 = 100;

/// What to make of a packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// The first packet of the source.
    First,
    /// In the sequence: newest, or a little behind.
    InSequence,
    /// The sender restarted its sequence: this is the second packet of the new one. Counters start anew.
    Restarted,
    /// A jump, believed only when the next packet follows it. Drop this one.
    Jump,
}

/// What one RTCP report block says about the source (section 6.4.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Reception {
    /// Fraction lost since the last report, parts of 256.
    pub fraction_lost: u8,
    /// Packets lost since the beginning, 24 bits signed.
    pub cumulative_lost: i32,
    /// Extended highest sequence number received.
    pub highest_sequence: u32,
    /// Interarrival jitter in timestamp units.
    pub jitter: u32,
}

/// One source as RFC 3550 counts it. The first packet is accepted at once: a telephone call has no time for probation.
///
/// Another SSRC is not this source: the leg decides whether to follow it, with a new `Source`.
#[derive(Debug, Clone)]
pub struct Source {
    ssrc: u32,
    clock_rate: u32,
    /// The current run of sequence numbers; `None` before the first packet.
    run: Option<Run>,
    /// After a jump: the number that would confirm it.
    expected_after_jump: Option<u16>,
    /// Packets of runs before this one.
    received_before: u64,
    lost_before: i64,
    jitter: Jitter,
}

/// Sequence numbers without a restart between them.
#[derive(Debug, Clone)]
struct Run {
    base: u16,
    highest: u16,
    cycles: u32,
    received: u64,
    expected_at_report: u64,
    received_at_report: u64,
}

impl Run {
    const fn new(sequence: u16) -> Self {
        Self { base: sequence, highest: sequence, cycles: 0, received: 1, expected_at_report: 0, received_at_report: 0 }
    }

    fn extended_highest(&self) -> u32 {
        self.cycles.wrapping_add(u32::from(self.highest))
    }

    fn expected(&self) -> u64 {
        u64::from(self.extended_highest().wrapping_sub(u32::from(self.base))) + 1
    }

    fn lost(&self) -> i64 {
        self.expected().cast_signed().saturating_sub(self.received.cast_signed())
    }
}

impl Source {
    /// The source of the first packet seen; `clock_rate` of its timestamps, in Hz.
    #[must_use]
    pub fn new(ssrc: u32, clock_rate: u32) -> Self {
        Self {
            ssrc,
            clock_rate,
            run: None,
            expected_after_jump: None,
            received_before: 0,
            lost_before: 0,
            jitter: Jitter::default(),
        }
    }

    /// Its SSRC.
    #[must_use]
    pub const fn ssrc(&self) -> u32 {
        self.ssrc
    }

    /// Takes note of a packet of this source. Duplicates count as received, as the RFC wants it.
    pub fn receive(&mut self, arrival: Instant, header: &Header) -> Verdict {
        let verdict = self.receive_event(header);
        if verdict != Verdict::Jump {
            self.jitter.receive(arrival, header.timestamp, self.clock_rate);
        }
        verdict
    }

    /// As [`Source::receive`] for a telephone event, whose timestamp says when the key was pressed and not when the packet
    /// was sent (RFC 4733 section 2.5.1): it has no part in the jitter.
    pub fn receive_event(&mut self, header: &Header) -> Verdict {
        let verdict = self.judge(header.sequence);
        if verdict == Verdict::Restarted {
            self.jitter = Jitter::default();
        }
        verdict
    }

    fn judge(&mut self, sequence: u16) -> Verdict {
        let Some(run) = &mut self.run else {
            self.run = Some(Run::new(sequence));
            return Verdict::First;
        };
        let ahead = sequence.wrapping_sub(run.highest);
        if ahead < MAX_DROPOUT {
            if sequence < run.highest {
                run.cycles = run.cycles.wrapping_add(1 << 16);
            }
            run.highest = sequence;
        } else if ahead <= u16::MAX - MAX_MISORDER {
            if self.expected_after_jump != Some(sequence) {
                self.expected_after_jump = Some(sequence.wrapping_add(1));
                return Verdict::Jump;
            }
            self.received_before += run.received;
            self.lost_before += run.lost();
            *run = Run::new(sequence);
            self.expected_after_jump = None;
            return Verdict::Restarted;
        }
        run.received += 1;
        self.expected_after_jump = None;
        Verdict::InSequence
    }

    /// Packets received.
    #[must_use]
    pub fn received(&self) -> u64 {
        self.received_before + self.run.as_ref().map_or(0, |run| run.received)
    }

    /// Packets expected less packets received; negative with duplicates.
    #[must_use]
    pub fn lost(&self) -> i64 {
        self.lost_before + self.run.as_ref().map_or(0, Run::lost)
    }

    /// Interarrival jitter, microseconds.
    #[must_use]
    pub fn jitter_us(&self) -> u64 {
        u64::from(self.jitter.sixteenths) * 1_000_000 / 16 / u64::from(self.clock_rate.max(1))
    }

    /// The figures for a report block; the next call's `fraction_lost` begins here (A.3).
    pub fn report(&mut self) -> Reception {
        let jitter = self.jitter.sixteenths >> 4;
        let Some(run) = &mut self.run else {
            return Reception { jitter, ..Reception::default() };
        };
        let expected = run.expected().saturating_sub(run.expected_at_report);
        let received = run.received.saturating_sub(run.received_at_report);
        run.expected_at_report = run.expected();
        run.received_at_report = run.received;
        let lost = expected.saturating_sub(received);
        let fraction = (lost << 8).checked_div(expected).unwrap_or(0).min(255);
        Reception {
            fraction_lost: u8::try_from(fraction).unwrap_or(u8::MAX),
            cumulative_lost: i32::try_from(run.lost().clamp(-0x80_0000, 0x7F_FFFF)).unwrap_or(0),
            highest_sequence: run.extended_highest(),
            jitter,
        }
    }
}

/// Interarrival jitter (A.8).
#[derive(Debug, Clone, Default)]
struct Jitter {
    /// Arrival and timestamp of the packet before.
    last: Option<(Instant, u32)>,
    /// The estimate, in sixteenths of a timestamp unit.
    sixteenths: u32,
}

impl Jitter {
    fn receive(&mut self, arrival: Instant, timestamp: u32, clock_rate: u32) {
        if let Some((last_arrival, last_timestamp)) = self.last {
            if timestamp == last_timestamp {
                // Later packets of a telephone event: their timestamp says nothing of when they were sent.
                return;
            }
            let rate = i64::from(clock_rate);
            let micros = match arrival.checked_duration_since(last_arrival) {
                Some(later) => i64::try_from(later.as_micros()).unwrap_or(i64::MAX),
                None => -i64::try_from(last_arrival.duration_since(arrival).as_micros()).unwrap_or(i64::MAX),
            };
            let elapsed = micros.saturating_mul(rate) / 1_000_000;
            let stamped = i64::from(timestamp.wrapping_sub(last_timestamp).cast_signed());
            let difference = elapsed.saturating_sub(stamped).unsigned_abs();
            // A change of more than ten seconds is a jump of the sender's clock, not jitter.
            if let Ok(difference) = u32::try_from(difference)
                && u64::from(difference) < 10 * u64::from(clock_rate)
            {
                let faded = self.sixteenths - ((self.sixteenths + 8) >> 4);
                self.sixteenths = faded.saturating_add(difference);
            }
        }
        self.last = Some((arrival, timestamp));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn header(sequence: u16, timestamp: u32) -> Header {
        Header { marker: false, payload_type: 0, sequence, timestamp, ssrc: 1 }
    }

    /// Feeds sequence numbers, 20 ms apart.
    fn feed(source: &mut Source, numbers: impl IntoIterator<Item = u16>) -> Vec<Verdict> {
        let start = crate::test_clock();
        let each = |(i, n): (usize, u16)| {
            let i = i as u32;
            source.receive(start + Duration::from_millis(20) * i, &header(n, i * 160))
        };
        numbers.into_iter().enumerate().map(each).collect()
    }

    #[test]
    fn the_first_packet_counts_and_the_numbers_wrap() {
        let mut source = Source::new(1, 8_000);
        let verdicts = feed(&mut source, [65_533, 65_534, 65_535, 0, 2, 1, 3]);
        assert_eq!(verdicts[0], Verdict::First);
        assert!(verdicts[1..].iter().all(|v| *v == Verdict::InSequence));
        assert_eq!((source.received(), source.lost()), (7, 0));
        assert_eq!(source.report().highest_sequence, 65_539);
    }

    #[test]
    fn a_key_held_down_between_packets_of_sound_is_no_jitter() {
        let start = crate::test_clock();
        let mut source = Source::new(1, 8_000);
        for i in 0..200_u16 {
            let arrival = start + Duration::from_millis(20) * u32::from(i);
            source.receive(arrival, &header(2 * i, u32::from(i) * 160));
            assert_eq!(source.receive_event(&header(2 * i + 1, 160)), Verdict::InSequence);
        }
        assert_eq!(source.jitter_us(), 0);
        assert_eq!((source.received(), source.lost()), (400, 0));
    }

    #[test]
    fn losses_show_in_the_fraction_since_the_last_report() {
        let mut source = Source::new(1, 8_000);
        feed(&mut source, (0..100).filter(|n| n % 4 != 1));
        let report = source.report();
        assert_eq!((report.fraction_lost, report.cumulative_lost), (64, 25));
        feed(&mut source, 100..200);
        let report = source.report();
        assert_eq!((report.fraction_lost, report.cumulative_lost), (0, 25));
        assert_eq!(source.report().fraction_lost, 0);
        assert_eq!(source.lost(), 25);
    }

    #[test]
    fn duplicates_make_the_loss_negative_and_the_fraction_zero() {
        let mut source = Source::new(1, 8_000);
        feed(&mut source, (0..50).flat_map(|n| [n, n]));
        let report = source.report();
        assert_eq!((report.fraction_lost, report.cumulative_lost), (0, -50));
    }

    #[test]
    fn a_restart_is_believed_at_its_second_packet() {
        let mut source = Source::new(1, 8_000);
        let verdicts = feed(&mut source, [10, 11, 40_000, 40_001, 40_002, 7]);
        use Verdict::{First, InSequence, Jump, Restarted};
        assert_eq!(verdicts, [First, InSequence, Jump, Restarted, InSequence, Jump]);
        assert_eq!((source.received(), source.lost()), (4, 0));
    }

    #[test]
    fn even_packets_have_no_jitter_and_uneven_ones_do() {
        let start = crate::test_clock();
        let mut source = Source::new(1, 8_000);
        for i in 0..1_000u16 {
            source.receive(start + Duration::from_millis(20) * u32::from(i), &header(i, u32::from(i) * 160));
        }
        assert_eq!(source.jitter_us(), 0);
        for i in 1_000..2_000u16 {
            let late = Duration::from_millis(if i % 2 == 0 { 10 } else { 0 });
            source.receive(start + Duration::from_millis(20) * u32::from(i) + late, &header(i, u32::from(i) * 160));
        }
        assert!((9_500..10_100).contains(&source.jitter_us()), "{}", source.jitter_us());
        // A clock that jumps, the repeated timestamp of an event, a time stamp before the last: none disturbs it.
        let end = start + Duration::from_secs(40);
        source.receive(end, &header(2_000, 4_000_000_000));
        source.receive(end + Duration::from_secs(3), &header(2_001, 4_000_000_000));
        source.receive(end - Duration::from_micros(1), &header(2_002, 4_000_000_160));
        assert!(source.jitter_us() < 12_000, "{}", source.jitter_us());
    }
}
