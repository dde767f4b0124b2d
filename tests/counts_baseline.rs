//! The comparison that decides whether `make counts` passes.

#[path = "../benches/counts/baseline.rs"]
mod baseline;

use baseline::{Baseline, Count};

fn count(name: &str, instructions: f64, allocations: f64) -> Count {
    Count { name: name.to_owned(), instructions, allocations }
}

fn accepted() -> Baseline {
    let counts = vec![count("sip/parse", 1_000.0, 2.0), count("engine", 50_000.0, 0.0)];
    Baseline { machine: "rustc 1.99.0, glibc 2.99, x86_64".to_owned(), counts }
}

/// What is printed for these counts on the baseline's own machine, and whether they pass.
fn compared(counts: &[Count]) -> (bool, String) {
    let report = accepted().compare(counts, &accepted().machine);
    (report.passed(), report.to_string())
}

#[test]
fn what_is_written_is_read_again() {
    assert_eq!(Baseline::parse(&accepted().to_string()), Ok(accepted()));
    for bad in ["", "# only words of ours\n", "machine\nname 12\n", "machine\nname 12 x\n", "machine\nname 1 2 3\n"] {
        assert!(Baseline::parse(bad).is_err(), "{bad:?}");
    }
}

#[test]
fn counts_within_the_tolerance_pass_and_gains_are_told() {
    let (passed, text) = compared(&[count("sip/parse", 1_029.0, 2.1), count("engine", 50_000.0, 0.0)]);
    assert!(passed && text.contains("2 counts within the baseline") && !text.contains("less than before"), "{text}");
    let (passed, text) = compared(&[count("sip/parse", 900.0, 2.0), count("engine", 50_000.0, 0.0)]);
    assert!(passed && text.contains("1 take less than before"), "{text}");
}

#[test]
fn what_creeps_fails_with_its_name_and_both_counts() {
    let (passed, text) = compared(&[count("sip/parse", 1_031.0, 2.0), count("engine", 50_000.0, 0.0)]);
    assert!(!passed && text.contains("FAILED: sip/parse takes 1031 instructions; it took 1000"), "{text}");
    assert!(text.contains("make counts-accept"), "{text}");
    let (passed, text) = compared(&[count("sip/parse", 1_000.0, 2.0), count("engine", 50_000.0, 1.0)]);
    assert!(!passed && text.contains("FAILED: engine allocates 1.0 times; it did so 0.0 times"), "{text}");
}

#[test]
fn the_baseline_names_what_is_counted() {
    let (passed, text) = compared(&[count("sip/parse", 1_000.0, 2.0), count("mix", 100.0, 0.0)]);
    assert!(!passed && text.contains("mix is not in the baseline"), "{text}");
    assert!(text.contains("engine is in the baseline and was not counted"), "{text}");
}

#[test]
fn another_machine_is_not_compared() {
    let counts = [count("sip/parse", 9_000.0, 9.0)];
    let report = accepted().compare(&counts, "rustc 2.0.0, glibc 2.99, x86_64");
    assert!(report.passed());
    assert!(report.to_string().contains("not compared: another compiler"), "{report}");
}
