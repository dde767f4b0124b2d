//! Sequence numbers of one source: validation, order, loss, jitter (RFC 3550 appendix A.1, A.3, A.8).
//!
//! The one place that judges sequence numbers: what it takes has a place in a row without wraps and restarts, and the
//! jitter buffer goes by that.

mod run;

use super::Header;
use crate::types::micros_since;
use run::{Behind, Run};
use std::time::{Duration, Instant};

/// Forward jumps up to this many packets are loss; larger ones a restart of the sender (A.1).
pub const MAX_DROPOUT: u16 = 3_000;
/// Packets up to this many behind the newest are late or duplicate (A.1).
pub const MAX_MISORDER: u16 = 100;

/// Packets in order that begin a restart: a number far from the others is believed when the next one follows it (A.1).
const RESTART_AFTER: u32 = 2;
/// The same for numbers that could as well be late or repeated packets of what was sent before, …
const RESTART_AFTER_NEAR: u32 = 3;
/// … and how long nothing new may have come then: whatever repeats packets does it sooner than this.
const RESTART_NEAR_QUIET: Duration = Duration::from_millis(40);
/// The place of a source's first packet. Room below for packets that it overtook.
const FIRST_PLACE: i64 = 1 << 20;

/// What to make of a packet. Places count a source's packets without wraps and across restarts: each packet's is one
/// more than that of the packet sent before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// In the sequence, at this place: the first, the newest, or a little behind.
    InSequence(i64),
    /// The sender restarted its sequence, and its timestamps perhaps: this packet confirms it.
    Restarted(i64),
    /// It came before. Drop this one.
    Duplicate,
    /// A jump, believed only when the next packet follows it. Drop this one.
    Jump,
}

impl Verdict {
    /// The place of a packet that counts.
    #[must_use]
    pub const fn place(self) -> Option<i64> {
        match self {
            Self::InSequence(place) | Self::Restarted(place) => Some(place),
            Self::Duplicate | Self::Jump => None,
        }
    }
}

/// What one RTCP report block says about the source (section 6.4.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Reception {
    /// Fraction lost since the last report, parts of 256.
    pub fraction_lost: u8,
    /// Packets lost since the beginning, restarts or not, 24 bits signed: as [`Source::lost`].
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
    /// When its newest packet came.
    advanced: Option<Instant>,
    /// Packets that may be the beginning of another run.
    candidate: Option<Candidate>,
    /// Packets of runs before this one.
    received_before: u64,
    lost_before: i64,
    duplicates: u64,
    jitter: Jitter,
}

/// Packets in order that do not continue the run.
#[derive(Debug, Clone, Copy)]
struct Candidate {
    /// The number that would be the next.
    expected: u16,
    packets: u32,
    /// How many there must be.
    needed: u32,
    /// How many of them the run counted as received.
    counted: u64,
}

impl Source {
    /// The source of the first packet seen; `clock_rate` of its timestamps, in Hz.
    #[must_use]
    pub fn new(ssrc: u32, clock_rate: u32) -> Self {
        Self {
            ssrc,
            clock_rate,
            run: None,
            advanced: None,
            candidate: None,
            received_before: 0,
            lost_before: 0,
            duplicates: 0,
            jitter: Jitter::default(),
        }
    }

    /// Its SSRC.
    #[must_use]
    pub const fn ssrc(&self) -> u32 {
        self.ssrc
    }

    /// Its timestamps run at another rate from here on, Hz.
    pub const fn change_clock(&mut self, clock_rate: u32) {
        if self.clock_rate != clock_rate {
            self.clock_rate = clock_rate;
            self.jitter = Jitter { last: None, sixteenths: 0 };
        }
    }

    /// Takes note of a packet of this source. Duplicates count as received, as the RFC wants it.
    pub fn receive(&mut self, arrival: Instant, header: &Header) -> Verdict {
        let verdict = self.judge(arrival, header.sequence);
        if verdict != Verdict::Jump {
            self.jitter.receive(arrival, header.timestamp, self.clock_rate);
        }
        verdict
    }

    /// As [`Source::receive`] for a packet whose timestamp does not say when it was sent, so that it has no part in the
    /// jitter: a telephone event's says when the key was pressed (RFC 4733 section 2.5.1), and that of a payload type
    /// which was not negotiated, or that of comfort noise, may be of any clock.
    pub fn receive_other(&mut self, arrival: Instant, header: &Header) -> Verdict {
        self.judge(arrival, header.sequence)
    }

    fn judge(&mut self, arrival: Instant, sequence: u16) -> Verdict {
        let Some(run) = &mut self.run else {
            self.run = Some(Run::new(sequence, FIRST_PLACE));
            self.advanced = Some(arrival);
            return Verdict::InSequence(FIRST_PLACE);
        };
        let ahead = run.ahead(sequence);
        if (1..MAX_DROPOUT).contains(&ahead) {
            self.candidate = None;
            self.advanced = Some(arrival);
            return Verdict::InSequence(run.advance(ahead));
        }
        let behind = ahead.wrapping_neg();
        if behind > MAX_MISORDER {
            return self.suspect(arrival, sequence, RESTART_AFTER, 0).unwrap_or(Verdict::Jump);
        }
        let continues = self.candidate.is_some_and(|candidate| candidate.expected == sequence);
        match run.fall_behind(behind) {
            Behind::Missing(place) if !continues => Verdict::InSequence(place),
            Behind::Missing(place) | Behind::BeforeFirst(place) => {
                self.suspect(arrival, sequence, RESTART_AFTER_NEAR, 1).unwrap_or(Verdict::InSequence(place))
            }
            Behind::Known => {
                let restarted = self.suspect(arrival, sequence, RESTART_AFTER_NEAR, 1);
                self.duplicates += u64::from(restarted.is_none());
                restarted.unwrap_or(Verdict::Duplicate)
            }
        }
    }

    /// A packet that is not what should come: it may be one of a sender that restarted.
    fn suspect(&mut self, arrival: Instant, sequence: u16, needed: u32, counted: u64) -> Option<Verdict> {
        let mut candidate = self.candidate.filter(|candidate| candidate.expected == sequence).unwrap_or(Candidate {
            expected: sequence,
            packets: 0,
            needed,
            counted: 0,
        });
        candidate.expected = sequence.wrapping_add(1);
        candidate.packets += 1;
        candidate.counted += counted;
        self.candidate = Some(candidate);
        let quiet = self.advanced.is_none_or(|last| arrival.saturating_duration_since(last) >= RESTART_NEAR_QUIET);
        let is_restart = candidate.packets >= candidate.needed && (quiet || candidate.needed == RESTART_AFTER);
        let run = self.run.as_mut().filter(|_| is_restart)?;
        // What the run took for its own was none of it.
        run.received -= candidate.counted;
        self.received_before += run.received;
        self.lost_before += run.lost();
        let place = run.newest() + 1;
        *run = Run::new(sequence, place);
        self.candidate = None;
        self.advanced = Some(arrival);
        self.jitter = Jitter::default();
        Some(Verdict::Restarted(place))
    }

    /// Whether the packet at this place is one that has not come, as far as is known.
    #[must_use]
    pub fn is_missing(&self, place: i64) -> bool {
        self.run.as_ref().is_some_and(|run| run.is_missing(place))
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

    /// Packets that came again.
    #[must_use]
    pub const fn duplicates(&self) -> u64 {
        self.duplicates
    }

    /// Interarrival jitter, microseconds.
    #[must_use]
    pub fn jitter_us(&self) -> u64 {
        u64::from(self.jitter.sixteenths) * 1_000_000 / 16 / u64::from(self.clock_rate.max(1))
    }

    /// The figures for a report block; the next call's `fraction_lost` begins here (A.3).
    pub fn report(&mut self) -> Reception {
        let jitter = self.jitter.sixteenths >> 4;
        let lost_so_far = self.lost();
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
            cumulative_lost: i32::try_from(lost_so_far.clamp(-0x80_0000, 0x7F_FFFF)).unwrap_or(0),
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
            let elapsed = micros_since(last_arrival, arrival).saturating_mul(rate) / 1_000_000;
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
        let places: Vec<i64> = verdicts.iter().map(|verdict| verdict.place().unwrap() - FIRST_PLACE).collect();
        assert_eq!(places, [0, 1, 2, 3, 5, 4, 6]);
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
            let place = FIRST_PLACE + 2 * i64::from(i) + 1;
            assert_eq!(source.receive_other(arrival, &header(2 * i + 1, 160)), Verdict::InSequence(place));
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
        use Verdict::{InSequence, Jump, Restarted};
        let [first, second, third, fourth] = [0, 1, 2, 3].map(|place| FIRST_PLACE + place);
        assert_eq!(verdicts, [InSequence(first), InSequence(second), Jump, Restarted(third), InSequence(fourth), Jump]);
        assert_eq!((source.received(), source.lost()), (4, 0));
    }

    #[test]
    fn a_restart_is_believed_soon_wherever_it_goes() {
        for at in [0u16, 500, 33_000, 65_500] {
            let back = (1..=1_200).chain([5_000, 20_000, 32_768, 40_000, 62_535, 62_536]);
            for step in back {
                let mut source = Source::new(1, 8_000);
                feed(&mut source, (0..200).map(|n| at.wrapping_add(n)));
                let newest = at.wrapping_add(199);
                let start = crate::test_clock() + Duration::from_millis(200 * 20);
                let verdicts: Vec<Verdict> = (0..6u16)
                    .map(|n| {
                        let arrival = start + Duration::from_millis(20) * u32::from(n);
                        source.receive(arrival, &header(newest.wrapping_add(1).wrapping_sub(step).wrapping_add(n), 7))
                    })
                    .collect();
                // The last of a few numbers that went back by less is the run's next one.
                let restarted = verdicts.iter().position(|verdict| matches!(verdict, Verdict::Restarted(_)));
                let next = verdicts.iter().position(|verdict| *verdict == Verdict::InSequence(FIRST_PLACE + 200));
                let heard = restarted.or(next).unwrap_or_else(|| panic!("{at} back by {step}: {verdicts:?}"));
                assert!(heard <= 2, "{at} back by {step}: {verdicts:?}");
                assert!(
                    verdicts[heard..].windows(2).all(|two| two[1].place() == two[0].place().map(|place| place + 1))
                );
                assert!((-3..=0).contains(&source.lost()), "{at} back by {step}: {} lost", source.lost());
            }
        }
    }

    #[test]
    fn a_restart_is_believed_before_the_first_packet_of_the_run_too() {
        let mut source = Source::new(1, 8_000);
        feed(&mut source, 1_000..1_010);
        let start = crate::test_clock() + Duration::from_millis(200);
        let mut each = |n: u16| source.receive(start + Duration::from_millis(20) * u32::from(n), &header(950 + n, 7));
        let verdicts: Vec<Verdict> = (0..4).map(&mut each).collect();
        assert_eq!(verdicts[2], Verdict::Restarted(FIRST_PLACE + 10), "{verdicts:?}");
        assert_eq!(source.lost(), 0);
    }

    #[test]
    fn stray_old_packets_do_not_restart_a_source() {
        let mut source = Source::new(1, 8_000);
        let strays = (0..2_000u16).flat_map(|n| [Some(n), (n % 7 == 0).then(|| n.wrapping_sub(n % 900))]).flatten();
        let verdicts = feed(&mut source, strays);
        assert!(!verdicts.iter().any(|verdict| matches!(verdict, Verdict::Restarted(_))));
        assert!(source.duplicates() > 10);
    }

    #[test]
    fn packets_that_are_repeated_three_by_three_restart_nothing() {
        let mut source = Source::new(1, 8_000);
        let start = crate::test_clock();
        for group in 0..100u16 {
            for again in 0..2u16 {
                for n in 0..3u16 {
                    let after =
                        Duration::from_millis(60) * u32::from(group) + Duration::from_millis(1) * u32::from(again);
                    let verdict = source.receive(start + after, &header(3 * group + n, 480 * u32::from(group)));
                    let place = FIRST_PLACE + 3 * i64::from(group) + i64::from(n);
                    assert_eq!(verdict, [Verdict::InSequence(place), Verdict::Duplicate][usize::from(again)]);
                }
            }
        }
        assert_eq!(source.duplicates(), 300);
    }

    #[test]
    fn losses_before_a_restart_are_still_reported_after_it() {
        let mut source = Source::new(1, 8_000);
        feed(&mut source, (0..100).filter(|n| n % 10 != 5));
        feed(&mut source, 30_000..30_050);
        assert_eq!((i64::from(source.report().cumulative_lost), source.lost()), (10, 10));
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
