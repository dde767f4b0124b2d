//! What senders and networks do to a stream, case by case.

use super::*;

/// Packets come, and nothing is made up; the tick plays what came.
fn plays(hand: &mut Hand, names: &str) {
    assert_eq!(hand.talk(names), names);
}

impl Hand {
    fn at(sequence: u16, timestamp: u32) -> Self {
        Self { sequence, timestamp, ..Self::new() }
    }

    /// A packet without audio, as comfort noise, at the next sequence number.
    fn other(&mut self) {
        let header = Header { payload_type: 13, ..self.header() };
        let arrival = self.start + Duration::from_millis(u64::from(self.tick) * 20 - 5);
        if let Some(place) = self.place(arrival, &header) {
            self.buffer.insert_other(arrival, place);
        }
        self.sequence = self.sequence.wrapping_add(1);
    }

    /// Time passes for the sender's clock, and for ours.
    fn pauses(&mut self, ticks: u32) -> Played {
        self.timestamp = self.timestamp.wrapping_add(160 * ticks);
        self.ticks(ticks as usize)
    }

    /// Packets made up so far.
    fn concealed(&self) -> u64 {
        self.buffer.lifetime().concealed_samples / 160
    }
}

#[test]
fn the_wrap_of_sequence_numbers_and_timestamps_is_no_event() {
    for before in 0..4u16 {
        for (sequence, timestamp) in [
            (u16::MAX - before, 9_000),
            (100, u32::MAX - 160 * u32::from(before)),
            (u16::MAX - before, u32::MAX - 160 * u32::from(before)),
            (u16::MAX - before, u32::MAX - 160 * u32::from(before) - 77),
        ] {
            let mut hand = Hand::at(sequence, timestamp);
            plays(&mut hand, "abcdefgh");
            // The same with the packets at the wrap lost, or overtaken, or in a pause.
            let mut hand = Hand::at(sequence, timestamp);
            plays(&mut hand, "ab");
            hand.lose(2);
            assert_eq!(hand.ticks(2), "--");
            plays(&mut hand, "efgh");
            assert_eq!(hand.concealed(), 2);
            let mut hand = Hand::at(sequence, timestamp);
            plays(&mut hand, "a");
            let overtaken = hand.header();
            hand.lose(1);
            hand.packet('c');
            hand.arrives(&overtaken, 'b');
            assert_eq!(hand.ticks(2), "bc");
            let mut hand = Hand::at(sequence, timestamp);
            plays(&mut hand, "a");
            hand.pauses(50);
            plays(&mut hand, "bcdefgh");
            assert_eq!((hand.concealed(), hand.buffer.statistics().resyncs), (0, 0));
        }
    }
}

#[test]
fn what_is_older_than_the_first_packet_played_is_late() {
    let mut hand = Hand::new();
    let first = hand.header();
    let [older, oldest] = [1, 2].map(|back| Header {
        sequence: first.sequence - back,
        timestamp: first.timestamp - 160 * u32::from(back),
        ..first
    });
    plays(&mut hand, "a");
    assert_eq!(hand.arrives(&oldest, 'y'), Some(Inserted::Late));
    assert_eq!(hand.arrives(&older, 'z'), Some(Inserted::Late));
    // Where packets come so late the delay grows, and all else is played in its order.
    let played = hand.talk("bcdefghijkl");
    assert!("bcdefghijkl".starts_with(&played) && played.len() >= 8, "{played}");
    assert_eq!((hand.buffer.statistics().late, hand.concealed()), (2, 0));
}

#[test]
fn the_first_packets_may_come_in_any_order() {
    let mut hand = Hand::new();
    let mut headers = [0u16, 1, 2].map(|n| {
        let first = hand.header();
        Header { sequence: first.sequence + n, timestamp: first.timestamp + 160 * u32::from(n), ..first }
    });
    headers.rotate_left(1);
    for (header, name) in headers.iter().zip("bca".chars()) {
        hand.arrives(header, name);
    }
    hand.lose(3);
    assert_eq!(hand.ticks(3), "abc");
    plays(&mut hand, "defg");
    assert_eq!(hand.buffer.statistics().late, 0);
}

#[test]
fn packets_from_before_a_restart_are_not_played_after_it() {
    let mut hand = Hand::new();
    plays(&mut hand, "ab");
    let before = hand.header();
    hand.lose(1);
    hand.ticks(1);
    hand.buffer.restart();
    hand.source = Source::new(1, 8_000);
    (hand.sequence, hand.timestamp) = (40_000, 77);
    plays(&mut hand, "fgh");
    assert_ne!(hand.arrives(&before, 'c'), Some(Inserted::Stored));
    plays(&mut hand, "ijk");
}

#[test]
fn comfort_noise_is_a_pause_however_it_comes() {
    // First of all, once, each 200 ms, doubled, and with one of them lost.
    let mut hand = Hand::new();
    hand.other();
    assert_eq!(hand.pauses(10), "..........");
    plays(&mut hand, "abc");
    hand.other();
    assert_eq!(hand.pauses(60), ".".repeat(60));
    plays(&mut hand, "def");
    for _ in 0..5 {
        hand.other();
        let again = hand.sequence.wrapping_sub(1);
        hand.sequence = again;
        hand.other();
        assert_eq!(hand.pauses(10), "..........");
    }
    plays(&mut hand, "ghi");
    assert_eq!(hand.concealed(), 0);
    hand.other();
    hand.pauses(10);
    hand.sequence += 1;
    hand.pauses(10);
    plays(&mut hand, "jkl");
    assert!(hand.concealed() <= 1, "{}", hand.concealed());
}

#[test]
fn a_word_whose_end_comes_after_the_pause_was_told_keeps_its_order() {
    let mut hand = Hand::new();
    plays(&mut hand, "ab");
    let late = hand.header();
    hand.lose(1);
    hand.other();
    assert_eq!(hand.tick(), ".");
    assert_eq!(hand.pauses(5), ".....");
    // Nothing newer was played: it is heard late, before what comes.
    assert_eq!(hand.arrives(&late, 'c'), Some(Inserted::Stored));
    let played = hand.talk("defghi");
    assert!(played.starts_with('c') && "cdefghi".starts_with(&played.replace('.', "")), "{played}");
    assert!(played.len() >= 5 && hand.concealed() == 0, "{played}");
}

#[test]
fn senders_that_fall_silent_without_a_word_cost_no_delay() {
    let dtx = |ppm| Line { spurts: Some((100, 400)), ppm, seconds: 10 * MINUTE, ..Line::default() };
    for ppm in [0, -100, 100] {
        let outcome = run(&dtx(ppm));
        assert!(outcome.lifetime.concealed_samples <= 160 * 12, "{ppm}: {:?}", outcome.lifetime);
        within(&outcome, 22.0, 33.0);
    }
}

#[test]
fn a_clock_that_is_wrong_by_a_tenth_is_followed() {
    for (ppm, most) in [(-100_000, 45.0), (100_000, 225.0)] {
        for spurts in [None, Some((100, 50)), Some((500, 1_500))] {
            let outcome = run(&Line { ppm, spurts, seconds: 5 * MINUTE, after: 5, ..Line::default() });
            assert!(outcome.percentile(100.0) <= most, "{ppm} {spurts:?}: {}", outcome.percentile(100.0));
            // What a slow sender does not send is made up; what a fast one sends too much is taken out. In pauses both
            // cost nothing.
            let counted = outcome.lifetime;
            let spent = counted.concealed_samples
                + counted.removed_samples_for_acceleration
                + counted.inserted_samples_for_deceleration
                + 160 * outcome.counted.skipped;
            let demanded = 160 * outcome.sent / 10;
            assert!(spent <= demanded * 3 / 2, "{ppm} {spurts:?}: {spent} for {demanded}, {:?}", outcome.counted);
        }
    }
}

#[test]
fn the_delay_is_in_proportion_to_the_jitter() {
    let mut before = 0.0;
    for jitter in [0, 10_000, 20_000, 40_000, 60_000, 100_000, 150_000] {
        let line = Line { jitter, phase: 1_000, seconds: 2 * MINUTE, after: 20, ..Line::default() };
        let outcome = run(&line);
        let needed = 20.0 + jitter as f64 / 1e3;
        let median = outcome.percentile(50.0);
        assert!((before..=needed + 22.0).contains(&median), "{jitter}: {median} after {before}");
        assert!(outcome.concealed() <= 0.002, "{jitter}: {}", outcome.concealed());
        before = median;
    }
}

#[test]
fn pairs_that_change_places_cost_a_packet_of_delay_and_nothing_else() {
    let mut hand = Hand::new();
    plays(&mut hand, "abcd");
    let mut played = String::new();
    for _ in 0..200 {
        let first = hand.header();
        hand.lose(1);
        hand.packet('2');
        played += &hand.tick();
        hand.arrives(&first, '1');
        played += &hand.tick();
    }
    let heard = played.replace('-', "");
    assert!(heard.contains(&"12".repeat(190)), "{played}");
    assert!(hand.concealed() <= 6, "{}", hand.concealed());
}

#[test]
fn duplicates_are_dropped_whether_the_first_was_played_or_not() {
    let mut hand = Hand::new();
    let first = hand.header();
    hand.packet('a');
    assert_eq!(hand.arrives(&first, 'x'), None);
    assert_eq!(hand.tick(), "a");
    assert_eq!(hand.arrives(&first, 'y'), None);
    plays(&mut hand, "bcd");
    let third = Header { sequence: hand.sequence - 2, timestamp: hand.timestamp - 320, ..hand.header() };
    assert_eq!(hand.arrives(&third, 'z'), None);
    plays(&mut hand, "ef");
    assert_eq!((hand.concealed(), hand.buffer.statistics().late), (0, 0));
}

#[test]
fn late_packets_are_discarded_and_counted() {
    let mut hand = Hand::new();
    plays(&mut hand, "ab");
    let lost: Vec<Header> = (0..3)
        .map(|_| {
            let header = hand.header();
            hand.lose(1);
            hand.tick();
            header
        })
        .collect();
    plays(&mut hand, "fg");
    for header in &lost {
        assert_eq!(hand.arrives(header, 'x'), Some(Inserted::Late));
    }
    assert_eq!(hand.buffer.statistics().late, 3);
    assert_eq!(hand.concealed(), 3);
    assert!(!hand.talk(&"h".repeat(60)).contains('x'));
}

#[test]
fn a_long_gap_is_silence_and_the_sound_after_it_comes_at_once() {
    for gap in [50u32, 500, 5_000, 50_000] {
        let mut hand = Hand::new();
        plays(&mut hand, "ab");
        hand.lose(gap);
        let played = hand.ticks(gap as usize);
        assert_eq!(played.trim_start_matches('-').trim_start_matches('.'), "");
        // Beyond a few thousand numbers it is another stream, of which the second packet confirms the first.
        let heard = hand.talk("cdefgh");
        assert!(heard == "cdefgh" || heard == ".defgh", "{gap}: {heard}");
        assert!(hand.buffer.statistics().resyncs <= 1);
    }
}

#[test]
fn the_length_of_packets_may_change_at_any_time() {
    let mut hand = Hand { counts_octets: true, ..Hand::new() };
    let mut sounded = 0;
    let mut sent = 0;
    for (round, length) in [20u32, 60, 10, 30, 20, 40, 10].into_iter().cycle().take(70).enumerate() {
        let samples = length as usize * 8;
        for _ in 0..120 / length {
            let header = hand.header();
            // It is there when its last sample is spoken.
            while sent + samples > sounded + 160 * 3 {
                hand.tick();
                sounded += 160;
            }
            let arrival = hand.start + Duration::from_millis(u64::from(hand.tick) * 20 - 5);
            let place = hand.place(arrival, &header).unwrap();
            assert_eq!(hand.buffer.insert(arrival, place, &header, samples, &[b'a'; 480][..samples]), Inserted::Stored);
            hand.sequence = hand.sequence.wrapping_add(1);
            hand.timestamp = hand.timestamp.wrapping_add(samples as u32);
            sent += samples;
        }
        assert!(hand.buffer.statistics().delay_us <= 120_000, "{round}");
    }
    let counted = hand.buffer.statistics();
    assert_eq!((counted.resyncs, counted.late, counted.skipped), (0, 0, 0), "{counted:?}");
}
