use super::simulation::{Line, run};
use super::*;

#[test]
fn a_clean_line_waits_for_the_next_tick_and_no_longer() {
    for packet_ms in [10, 20, 30, 40, 60] {
        for phase in [1, 500, 7_000, 13_000, 19_500, 20_000] {
            let outcome = run(&Line { packet_ms, phase, ..Line::default() });
            let counted = outcome.counted;
            println!(
                "{packet_ms} {phase} p50 {} max {} {counted:?}",
                outcome.percentile(50.0),
                outcome.percentile(100.0)
            );
            assert_eq!((counted.concealed_samples, counted.late, counted.shortened_samples), (0, 0, 0));
        }
    }
}

#[test]
fn explore() {
    for jitter in [5_000, 20_000, 60_000] {
        for seed in 0..6 {
            let line =
                Line { jitter, seed, phase: 1_000 + 3_300 * seed as i64, seconds: 300, after: 10, ..Line::default() };
            let o = run(&line);
            println!(
                "jitter {jitter} seed {seed}: p50 {:.1} p99 {:.1} max {:.1} concealed {:.4}% late {} of {} short {} long {}",
                o.percentile(50.0),
                o.percentile(99.0),
                o.percentile(100.0),
                o.concealed() * 100.0,
                o.counted.late,
                o.sent,
                o.counted.shortened_samples,
                o.counted.lengthened_samples
            );
        }
    }
    for ppm in [-200, 200] {
        let o = run(&Line { ppm, seconds: 4 * 3_600, after: 10, jitter: 300, ..Line::default() });
        println!(
            "ppm {ppm}: p50 {:.1} p99 {:.1} max {:.1} concealed {} short {} long {}; demanded {}",
            o.percentile(50.0),
            o.percentile(99.0),
            o.percentile(100.0),
            o.counted.concealed_samples,
            o.counted.shortened_samples,
            o.counted.lengthened_samples,
            4 * 3600 * 8000 / 5000
        );
    }
    for loss in [50, 200] {
        for jitter in [0, 20_000] {
            let o = run(&Line { loss, jitter, seconds: 300, after: 10, ..Line::default() });
            println!(
                "loss {loss} jitter {jitter}: p50 {:.1} max {:.1} concealed {} lost {} late {} long {}",
                o.percentile(50.0),
                o.percentile(100.0),
                o.counted.concealed_samples as f64 / 160.0,
                o.lost,
                o.counted.late,
                o.counted.lengthened_samples
            );
        }
    }
    let o = run(&Line { spike: Some((20.0, 150_000)), seconds: 40, ..Line::default() });
    let mut last = 0.0;
    for (at, ms) in &o.course {
        if (ms - last).abs() > 3.0 {
            println!("spike: {at:.2} s {ms:.1} ms");
            last = *ms;
        }
    }
    println!("{:?}", o.counted);
}
