use super::simulation::{Line, Outcome, run};
use super::*;
use crate::rtp::sequence::{Source, Verdict};

mod lifetime;
mod stalls;
mod streams;

const MINUTE: u32 = 60;

fn within(outcome: &Outcome, p50: f64, p99: f64) {
    assert!(outcome.percentile(50.0) <= p50, "p50 {}", outcome.percentile(50.0));
    assert!(outcome.percentile(99.0) <= p99, "p99 {}", outcome.percentile(99.0));
}

#[test]
fn a_clean_line_waits_for_the_next_tick_and_no_longer() {
    for packet_ms in [10, 20, 30, 40, 60] {
        for phase in [1, 500, 7_000, 13_000, 19_500, 20_000] {
            let outcome = run(&Line { packet_ms, phase, ..Line::default() });
            let counted = outcome.counted;
            assert_eq!((counted.concealed_samples, counted.late, counted.shortened_samples), (0, 0, 0));
            within(&outcome, 20.0, 20.0);
            if packet_ms % 20 == 0 {
                let to_the_tick = 20.0 - phase as f64 / 1e3;
                assert!((outcome.percentile(100.0) - to_the_tick).abs() < 0.01);
            }
        }
    }
}

#[test]
fn jitter_of_a_frame_costs_hardly_a_sample_and_little_delay() {
    let mut all = Vec::new();
    for seed in 0..40 {
        let phase = 250 + 500 * i64::try_from(seed).unwrap();
        let outcome = run(&Line { seed, phase, jitter: 20_000, seconds: MINUTE, ..Line::default() });
        assert!(outcome.concealed() <= 0.001, "seed {seed}: {}", outcome.concealed());
        all.extend(outcome.transit);
    }
    all.sort_by(f64::total_cmp);
    let all = Outcome { transit: all, ..Outcome::default() };
    within(&all, 30.5, 42.0);
}

#[test]
fn sixty_milliseconds_of_jitter_are_adapted_to() {
    for seed in 0..20 {
        let phase = 1_000 * i64::try_from(seed).unwrap();
        for packet_ms in [20, 30, 60] {
            let line =
                Line { seed, phase, packet_ms, jitter: 60_000, seconds: 5 * MINUTE, after: 5, ..Line::default() };
            let outcome = run(&line);
            assert!(outcome.concealed() < 0.005, "{}", outcome.concealed());
            assert!(outcome.counted.late * 200 < outcome.sent, "{}", outcome.counted.late);
            within(&outcome, 85.0, 105.0);
        }
    }
}

#[test]
fn arrivals_right_at_the_tick_do_not_make_it_swing() {
    for seed in 0..10 {
        let outcome = run(&Line { seed, phase: 19_000, jitter: 2_000, seconds: 10 * MINUTE, ..Line::default() });
        assert!(outcome.counted.concealments <= 1, "{:?}", outcome.counted);
        assert_eq!(outcome.counted.shortened_samples, 0);
        within(&outcome, 21.0, 21.5);
    }
}

#[test]
fn a_line_with_a_long_tail_is_not_shortened_again_and_again() {
    for seed in 0..5 {
        let line = Line { seed, tail: 8_000.0, seconds: 20 * MINUTE, after: 60, ..Line::default() };
        let outcome = run(&line);
        assert!(outcome.concealed() < 0.003, "{}", outcome.concealed());
        within(&outcome, 80.0, 120.0);
    }
}

#[test]
fn what_is_lost_is_concealed_and_no_more() {
    for (loss, jitter) in [(50, 0), (50, 20_000), (200, 0), (50, 60_000)] {
        for packet_ms in [10, 20, 30] {
            let outcome = run(&Line { loss, jitter, packet_ms, seconds: 5 * MINUTE, after: 10, ..Line::default() });
            let concealed = outcome.counted.concealed_samples as f64;
            let lost = outcome.lost as f64 * f64::from(packet_ms) * 8.0;
            let more = if jitter == 60_000 { 1.1 } else { 1.03 };
            assert!((lost * 0.95..lost * more).contains(&concealed), "{loss} {jitter} {packet_ms}: {concealed} {lost}");
        }
    }
}

#[test]
fn a_line_that_loses_has_what_follows_a_gap_in_time() {
    for (packet_ms, loss) in [(20, 10), (20, 50), (20, 200), (30, 50)] {
        let outcome = run(&Line { packet_ms, loss, seconds: 120, after: 30, ..Line::default() });
        // Of the gaps that are concealed, in how many what follows was handed out with them.
        let mended = outcome.mended as f64 / outcome.gaps as f64;
        assert!(mended > 0.9, "{packet_ms} {loss}: {mended} of {}", outcome.gaps);
        let most = if loss == 200 { 75.0 } else { 55.0 + f64::from(packet_ms) };
        assert!(outcome.percentile(50.0) <= most, "{packet_ms} {loss}: {}", outcome.percentile(50.0));
    }
    // A loss now and then is no reason, and after half a minute without the delay is what it was.
    let seldom = run(&Line { loss: 1, seconds: 120, ..Line::default() });
    assert!(seldom.percentile(50.0) <= 13.1, "{}", seldom.percentile(50.0));
    let over = run(&Line { loss: 100, lossless_from: Some(30), seconds: 90, after: 80, ..Line::default() });
    assert!(over.percentile(100.0) <= 15.1, "{}", over.percentile(100.0));
}

#[test]
fn hours_with_a_wrong_clock_cost_what_the_drift_demands() {
    const HOURS: u32 = 4 * 60 * MINUTE;
    for ppm in [-200, 200] {
        for jitter in [0, 1_500] {
            let outcome = run(&Line { ppm, jitter, seconds: HOURS, ..Line::default() });
            let demanded = f64::from(HOURS) * 8_000.0 * 200e-6;
            let counted = outcome.counted;
            let spent = (counted.concealed_samples + counted.shortened_samples + counted.lengthened_samples) as f64;
            assert!(spent <= demanded * 1.5 && counted.skipped == 0, "{ppm}: {spent} for {demanded}, {counted:?}");
            assert!(outcome.percentile(100.0) < 45.0, "{}", outcome.percentile(100.0));
            within(&outcome, 16.0, 25.0);
        }
    }
}

#[test]
fn after_a_spike_the_delay_comes_back_within_ten_seconds() {
    for (length, seed) in [(150_000, 1), (60_000, 2), (900_000, 3), (3_000_000, 4)] {
        let outcome = run(&Line { seed, spike: Some((20.0, length)), seconds: 40, ..Line::default() });
        let end = 20.0 + length as f64 / 1e6;
        let later = outcome.course.iter().filter(|(at, _)| *at > end + 10.0).map(|(_, ms)| *ms).fold(0.0, f64::max);
        assert!(later <= 33.0, "{length}: {later}");
        let settled = outcome.settled();
        assert!(settled <= 13.1, "{length}: {settled}");
        // What came in the burst is bounded: at most the longest delay is played of it.
        let worst = outcome.course.iter().filter(|(at, _)| *at > end + 0.3).map(|(_, ms)| *ms).fold(0.0, f64::max);
        assert!(worst <= 225.0, "{length}: {worst}");
    }
}

#[test]
fn a_single_straggler_does_not_delay_the_rest() {
    // One packet in a thousand is 100 ms late: alone, it is given up.
    let outcome = run(&Line { stragglers: (1, 100_000), seconds: 10 * MINUTE, ..Line::default() });
    assert!(outcome.counted.late > 10);
    assert!(outcome.percentile(90.0) <= 13.1, "{}", outcome.percentile(90.0));
    // One in twenty is worth a longer delay.
    let outcome = run(&Line { stragglers: (50, 100_000), seconds: 10 * MINUTE, after: 30, ..Line::default() });
    assert!(outcome.concealed() < 0.005, "{}", outcome.concealed());
    assert!(outcome.counted.late * 200 < outcome.sent, "{} late", outcome.counted.late);
    within(&outcome, 125.0, 145.0);
}

#[test]
fn talk_spurts_keep_what_was_learned_and_forget_a_spike() {
    for spurts in [(50, 25), (10, 10), (200, 100)] {
        let clean = run(&Line { spurts: Some(spurts), seconds: 5 * MINUTE, ..Line::default() });
        // The pause at the very end is not over yet.
        assert!(clean.counted.concealed_samples <= 800, "{:?}", clean.counted);
        within(&clean, 13.1, 13.1);
        let line = Line { spurts: Some(spurts), jitter: 60_000, seconds: 10 * MINUTE, after: 10, ..Line::default() };
        let jittery = run(&line);
        assert!(jittery.concealed() < 0.005, "{spurts:?}: {}", jittery.concealed());
        within(&jittery, 85.0, 105.0);
        let spike = Some((20.0, 150_000));
        let spiked = run(&Line { spurts: Some(spurts), spike, seconds: 60, ..Line::default() });
        assert!(spiked.settled() <= 33.0, "{spurts:?}: {}", spiked.settled());
    }
}

#[test]
fn duplicates_are_counted_and_change_nothing() {
    let outcome = run(&Line { doubled: 300, ..Line::default() });
    assert!(outcome.duplicates > 700);
    assert_eq!((outcome.counted.concealed_samples, outcome.counted.late), (0, 0));
    within(&outcome, 13.1, 13.1);
}

/// A buffer driven by hand, one tick at a time; the playout is a counter.
struct Hand {
    source: Source,
    buffer: JitterBuffer,
    start: Instant,
    tick: u32,
    pending: usize,
    sequence: u16,
    timestamp: u32,
    /// An octet is a sample: packets are not all of a frame.
    counts_octets: bool,
    /// How many packets before it a packet carries.
    carried: usize,
}

/// What a tick played: the first octet of each packet, or `-` for a concealed and `.` for a silent piece.
type Played = String;

impl Hand {
    fn new() -> Self {
        Self {
            source: Source::new(1, 8_000),
            buffer: JitterBuffer::new(Settings::default()),
            start: crate::test_clock(),
            tick: 1,
            pending: 0,
            sequence: 100,
            timestamp: 9_000,
            counts_octets: false,
            carried: 1,
        }
    }

    fn header(&self) -> Header {
        Header { marker: false, payload_type: 0, sequence: self.sequence, timestamp: self.timestamp, ssrc: 1 }
    }

    /// The next packet arrives, 5 ms before the next tick.
    fn packet(&mut self, name: char) -> Option<Inserted> {
        let header = self.header();
        self.sequence = self.sequence.wrapping_add(1);
        self.timestamp = self.timestamp.wrapping_add(160);
        self.arrives(&header, name)
    }

    fn arrives(&mut self, header: &Header, name: char) -> Option<Inserted> {
        let arrival = self.start + Duration::from_millis(u64::from(self.tick) * 20 - 5);
        let place = self.place(arrival, header)?;
        Some(self.buffer.insert(arrival, place, header, 160, &[name as u8; 160]))
    }

    /// As a leg's receiver does it.
    fn place(&mut self, arrival: Instant, header: &Header) -> Option<i64> {
        let verdict = self.source.receive(arrival, header);
        if matches!(verdict, Verdict::Restarted(_)) {
            self.buffer.source_restarted();
        }
        verdict.place()
    }

    /// So many packets are lost.
    fn lose(&mut self, packets: u32) {
        self.sequence = self.sequence.wrapping_add(packets as u16);
        self.timestamp = self.timestamp.wrapping_add(160 * packets);
    }

    fn tick(&mut self) -> Played {
        let now = self.start + Duration::from_millis(u64::from(self.tick) * 20);
        self.tick += 1;
        let mut played = String::new();
        for step in 0.. {
            assert!(step < 200, "the loop of a tick must end");
            match self.buffer.pull(now, self.pending) {
                Pull::Packet { payload, .. } => {
                    played.push(payload[0] as char);
                    self.pending += if self.counts_octets { payload.len() } else { 160 };
                }
                Pull::Conceal(n) => {
                    played.push('-');
                    self.pending += n;
                }
                Pull::Recover { samples, ahead, .. } => {
                    let recovery = match self.carried {
                        _ if ahead > 160 * self.carried => Recovery::Nothing,
                        1 => Recovery::One,
                        _ => Recovery::Several,
                    };
                    self.buffer.recovered(samples, recovery);
                    played.push(if recovery == Recovery::Nothing { '-' } else { '+' });
                    self.pending += samples;
                }
                Pull::Silence(n) => {
                    played.push('.');
                    self.pending += n;
                }
                Pull::Shorten { most, .. } => {
                    self.buffer.shortened(most);
                    self.pending -= most;
                }
                Pull::Lengthen { most, .. } => {
                    self.buffer.lengthened(most);
                    self.pending += most;
                }
                Pull::Done => break,
            }
        }
        self.pending -= 160;
        played
    }

    fn ticks(&mut self, count: usize) -> Played {
        (0..count).map(|_| self.tick()).collect()
    }

    fn talk(&mut self, names: &str) -> Played {
        let each = |name| {
            self.packet(name);
            self.tick()
        };
        names.chars().map(each).collect()
    }
}

#[test]
fn nothing_is_silence_and_costs_nothing() {
    let mut hand = Hand::new();
    assert!(hand.buffer.is_idle());
    assert_eq!(hand.ticks(3), "...");
    assert_eq!(hand.talk("abc"), "abc");
    assert!(!hand.buffer.is_idle());
    assert_eq!(hand.ticks(8), "-----...");
    assert!(hand.buffer.is_idle());
}

#[test]
fn a_packet_from_after_the_nominal_tick_is_played_at_once() {
    // A late thread reads what came while it was late.
    for samples in [80, 160, 240] {
        let mut hand = Hand::new();
        let header = hand.header();
        let arrival = hand.start + Duration::from_millis(23);
        hand.buffer.insert(arrival, 1, &header, samples, &vec![b'a'; samples]);
        hand.pending += 160 - 160.min(samples);
        assert_eq!(hand.tick().trim_start_matches('.'), "a");
    }
}

#[test]
fn overtaken_packets_are_put_in_order() {
    let mut hand = Hand::new();
    hand.talk("a");
    let second = hand.header();
    hand.sequence += 1;
    hand.timestamp += 160;
    hand.packet('c');
    hand.arrives(&second, 'b');
    assert_eq!(hand.ticks(2), "bc");
}

#[test]
fn the_last_of_several_lost_packets_is_made_of_what_follows() {
    for lost in 1u16..5 {
        let mut hand = Hand::new();
        hand.buffer = JitterBuffer::new(Settings { recovers: true, ..Settings::default() });
        assert_eq!(hand.talk("a"), "a");
        hand.sequence += lost;
        hand.timestamp += 160 * u32::from(lost);
        hand.packet('b');
        let concealed = "-".repeat(usize::from(lost) - 1);
        assert_eq!(hand.ticks(usize::from(lost) + 1), format!("{concealed}+b"), "{lost} lost");
        let statistics = hand.buffer.statistics();
        assert_eq!(statistics.recoveries, 1, "{lost} lost");
        assert_eq!(statistics.concealed_samples, 160 * u64::from(lost - 1), "{lost} lost");
    }
}

#[test]
fn what_describes_several_lost_packets_is_waited_for() {
    for (carried, recovered) in [(1, [1; 3]), (5, [5; 3])] {
        let mut hand = Hand::new();
        hand.buffer = JitterBuffer::new(Settings { recovers: true, ..Settings::default() });
        hand.carried = carried;
        hand.lose(1);
        let mut seen = Vec::new();
        // The second gap tells that the line loses, the third that its packets describe several.
        for _ in 0..6 {
            hand.talk(&"a".repeat(100));
            let before = hand.buffer.statistics().recoveries;
            hand.lose(5);
            hand.ticks(5);
            hand.talk(&"a".repeat(100));
            seen.push(hand.buffer.statistics().recoveries - before);
        }
        assert_eq!(seen[3..], recovered, "{carried} carried: {seen:?}");
    }
}

#[test]
fn a_late_packet_is_played_late_if_nothing_newer_was() {
    let mut hand = Hand::new();
    assert_eq!(hand.talk("ab"), "ab");
    assert_eq!(hand.tick(), "-");
    hand.packet('c');
    hand.packet('d');
    assert_eq!(hand.ticks(2), "cd");
    assert_eq!(hand.buffer.statistics().late, 0);
}

#[test]
fn a_packet_that_comes_after_its_successor_was_played_is_late() {
    let mut hand = Hand::new();
    hand.talk("ab");
    let lost = hand.header();
    hand.sequence += 1;
    hand.timestamp += 160;
    assert_eq!(hand.tick(), "-");
    assert_eq!(hand.talk("d"), "d");
    assert_eq!(hand.arrives(&lost, 'c'), Some(Inserted::Late));
    assert_eq!(hand.arrives(&lost, 'c'), None);
    assert_eq!(hand.talk("ef"), "ef");
}

#[test]
fn a_pause_told_by_the_sender_is_silence_at_once() {
    let mut hand = Hand::new();
    hand.talk("ab");
    for _ in 0..5 {
        let header = Header { payload_type: 101, ..hand.header() };
        let arrival = hand.start + Duration::from_millis(u64::from(hand.tick) * 20 - 5);
        let place = hand.place(arrival, &header).unwrap();
        hand.buffer.insert_other(arrival, place);
        hand.sequence += 1;
        assert_eq!(hand.tick(), ".");
    }
    hand.timestamp += 5 * 160;
    assert_eq!(hand.talk("cde"), "cde");
    assert_eq!(hand.buffer.statistics().concealed_samples, 0);
}

#[test]
fn after_a_pause_the_sound_comes_at_the_next_tick() {
    for pause in [1u32, 3, 20, 400, 30_000] {
        for timestamps_go_on in [true, false] {
            let mut hand = Hand::new();
            hand.talk("ab");
            hand.ticks(pause as usize);
            if timestamps_go_on {
                hand.timestamp += 160 * pause;
            }
            assert_eq!(hand.talk("cdef"), "cdef", "{pause}");
        }
    }
}

#[test]
fn jumps_of_timestamp_and_sequence_are_followed_without_silence_or_repetition() {
    for (sequence, timestamp) in [
        (0u16, 1_000_000_000u32),
        (0, 3_000_000_000),
        (0, 0u32.wrapping_sub(160)),
        (0, 0u32.wrapping_sub(800)),
        (0, 8_000),
        (20_000, 0),
        (50_000, 77_777),
        (30_000, 3_000_000_000),
        (300, 300 * 160),
        (0u16.wrapping_sub(5_000), 0),
    ] {
        let mut hand = Hand::new();
        hand.talk("abcdefgh");
        hand.sequence = hand.sequence.wrapping_add(sequence);
        hand.timestamp = hand.timestamp.wrapping_add(timestamp);
        // The first packet of a new sequence is a stray until the second confirms it.
        let jump = sequence > 3_000;
        let heard = if jump { "-jklmnop" } else { "ijklmnop" };
        assert_eq!(hand.talk("ijklmnop"), heard, "{sequence} {timestamp}");
        assert!(hand.buffer.statistics().resyncs <= 1);
        assert_eq!(hand.buffer.statistics().late, 0);
    }
}

#[test]
fn another_source_begins_at_once() {
    let mut hand = Hand::new();
    hand.talk("abc");
    hand.packet('x');
    hand.packet('y');
    hand.buffer.restart();
    hand.source = Source::new(2, 8_000);
    hand.sequence = 5;
    hand.timestamp = 0;
    assert_eq!(hand.talk("de"), "de");
}

#[test]
fn a_flood_is_cut_to_the_longest_delay() {
    let mut hand = Hand::new();
    hand.talk("ab");
    for i in 0..400u32 {
        hand.packet(char::from(b'A' + (i % 26) as u8));
    }
    let played = hand.ticks(30);
    // 10 frames of 20 ms, after a bridge, and then nothing more.
    let newest: String = (390..400).map(|i| char::from(b'A' + (i % 26) as u8)).collect();
    assert_eq!(played.trim_start_matches('-').trim_end_matches(['-', '.']), newest);
    assert!(hand.buffer.statistics().skipped >= 389);
    assert!(hand.buffer.is_idle());
}

#[test]
fn what_is_no_audio_is_refused() {
    let mut hand = Hand::new();
    let (start, header) = (hand.start, hand.header());
    assert_eq!(hand.buffer.insert(start, 1, &header, 0, &[]), Inserted::Empty);
    assert_eq!(hand.buffer.insert(start, 2, &header, 160, &[]), Inserted::Empty);
    assert_eq!(hand.buffer.insert(start, 3, &header, 1_601, &[0; 1_601]), Inserted::TooLong);
    assert_eq!(hand.buffer.insert(start, 4, &header, 1_600, &[0; 1_600]), Inserted::Stored);
    assert_eq!(hand.buffer.statistics().too_long, 1);
}

proptest::proptest! {
    /// Whatever arrives: every tick ends, the playout stays small, and the memory is what it was.
    #[test]
    fn no_packets_make_it_panic_or_wait_for_long(packets in proptest::collection::vec(
        (proptest::num::u16::ANY, proptest::num::u32::ANY, 1usize..1_700, 0u64..70, 0u8..4), 1..300)) {
        let mut hand = Hand::new();
        let mut steady = (0u16, 0u32);
        for (sequence, timestamp, samples, arrival, kind) in packets {
            // A mixture of steady numbers, small steps and wild ones.
            steady = match kind {
                0 => (steady.0.wrapping_add(1), steady.1.wrapping_add(160)),
                1 => (steady.0.wrapping_add(sequence % 16).wrapping_sub(8), steady.1.wrapping_add(timestamp % 4_000)),
                2 => (steady.0.wrapping_add(1), steady.1.wrapping_add(timestamp)),
                _ => (sequence, timestamp),
            };
            let header = Header { marker: false, payload_type: 0, sequence: steady.0, timestamp: steady.1, ssrc: 1 };
            let at = hand.start + Duration::from_millis(u64::from(hand.tick) * 20 + arrival) - Duration::from_millis(40);
            match hand.place(at, &header) {
                Some(place) if kind == 2 && samples % 7 == 0 => hand.buffer.insert_other(at, place),
                Some(place) => {
                    hand.buffer.insert(at, place, &header, samples, &[b'x'; 480]);
                }
                None => {}
            }
            if arrival % 3 == 0 {
                hand.tick();
                proptest::prop_assert!(hand.pending <= 12 * 160);
            }
        }
        // Afterwards a sound stream is played as it comes.
        hand.sequence = steady.0.wrapping_add(20_000);
        hand.timestamp = steady.1.wrapping_add(123_456_789);
        hand.talk(&"a".repeat(60));
        proptest::prop_assert_eq!(hand.talk("bcdefgh").len(), 7);
    }
}
