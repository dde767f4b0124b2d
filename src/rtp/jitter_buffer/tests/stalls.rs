//! A line that stands still for a while, and one that was bad for a while.

use super::*;

/// The greatest transit of what is played from so many seconds on, milliseconds.
fn worst_from(outcome: &Outcome, from: f64) -> f64 {
    outcome.course.iter().filter(|(at, _)| *at >= from).map(|(_, ms)| *ms).fold(0.0, f64::max)
}

#[test]
fn two_seconds_after_a_stall_the_delay_is_what_it_was() {
    for length in [100_000, 150_000, 200_000, 300_000, 700_000, 2_000_000, 4_000_000, 8_000_000] {
        for packet_ms in [10, 20, 30, 60] {
            for phase in [1_000, 13_000] {
                let line = Line { packet_ms, phase, spike: Some((20.0, length)), seconds: 40, ..Line::default() };
                let outcome = run(&line);
                let end = 20.0 + length as f64 / 1e6;
                let worst = worst_from(&outcome, end + 2.0);
                let steady = worst_from(&run(&Line { packet_ms, phase, seconds: 20, ..Line::default() }), 5.0);
                assert!(worst < 40.0 && worst <= steady + 20.0, "{length} {packet_ms} {phase}: {worst} for {steady}");
                // What the stall took is missing, and no more.
                let concealed = outcome.counted.concealed_samples + outcome.counted.silent_samples;
                let stalled = length.cast_unsigned() / 125;
                assert!(concealed <= stalled + 160, "{length} {packet_ms} {phase}: {concealed} of {stalled}");
            }
        }
    }
}

#[test]
fn after_a_stall_of_a_jittery_line_the_jitter_costs_no_more_than_before() {
    for seed in 0..20 {
        let phase = 1_000 * i64::try_from(seed).unwrap();
        let line = Line { seed, phase, jitter: 40_000, spike: Some((30.0, 2_000_000)), seconds: 60, ..Line::default() };
        let outcome = run(&line);
        let before = run(&Line { seconds: 29, after: 20, spike: None, ..line });
        let after = worst_from(&outcome, 34.0);
        assert!(after <= before.percentile(100.0) + 45.0, "{seed}: {after} and {} before", before.percentile(100.0));
        // The two seconds, and ten frames more.
        let concealed = outcome.counted.concealed_samples + outcome.counted.silent_samples;
        assert!(concealed <= 16_000 + 10 * 160, "{seed}: {concealed}");
    }
}

#[test]
fn a_way_that_has_become_longer_is_not_taken_for_a_stall() {
    for longer in [100_000, 180_000] {
        let outcome = run(&Line { detour: Some((20.0, longer)), seconds: 60, ..Line::default() });
        let concealed = outcome.counted.concealed_samples + outcome.counted.silent_samples;
        assert!(concealed <= longer.cast_unsigned() / 125 + 160, "{longer}: {concealed}");
        assert_eq!(outcome.counted.shortened_samples, 0, "{longer}");
    }
}

#[test]
fn jitter_of_sixty_milliseconds_costs_no_audible_gap() {
    for packet_ms in [10, 20, 30, 60] {
        for seed in 0..10 {
            let phase = 2_000 * i64::try_from(seed).unwrap();
            let outcome = run(&Line { seed, phase, packet_ms, jitter: 60_000, seconds: 5 * MINUTE, ..Line::default() });
            // From the first packet on, when nothing is known of the line.
            let frames = outcome.counted.concealments;
            assert!(frames * 1_000 < outcome.ticks, "{packet_ms} {seed}: {frames} of {}", outcome.ticks);
        }
    }
}

#[test]
fn a_line_that_is_quiet_again_has_its_delay_back_within_five_seconds() {
    for seed in 0..20 {
        let phase = 1_000 * i64::try_from(seed).unwrap();
        let line = Line { seed, phase, jitter: 60_000, quiet_from: Some(60), seconds: 80, ..Line::default() };
        let outcome = run(&line);
        let worst = worst_from(&outcome, 65.0);
        assert!(worst <= 40.0, "{seed}: {worst}");
        let held = |(at, _): &&(f64, f64)| (50.0..60.0).contains(at);
        assert!(outcome.course.iter().filter(held).all(|(_, ms)| *ms > 55.0), "{seed}: it had grown");
    }
}
