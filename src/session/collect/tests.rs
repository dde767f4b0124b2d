use super::*;
use proptest::prelude::*;

/// One step of a script: what happens, after how many milliseconds.
enum Step {
    Start,
    Stop,
    Keys(&'static str),
    Playing(bool),
    Wait(u64),
}
use Step::{Keys, Playing, Start, Stop, Wait};

const KEY_GAP: Duration = Duration::from_millis(100);

fn spec() -> CollectSpec {
    CollectSpec {
        min_digits: 4,
        max_digits: 10,
        terminator: Some('#'),
        restart: Some('*'),
        first_digit: Duration::from_secs(10),
        next_digit: Duration::from_secs(5),
    }
}

/// Runs a script, waking the collector exactly when it asks; returns each output with its time in milliseconds.
fn run_with(spec: &CollectSpec, steps: &[Step]) -> Vec<(u64, String)> {
    let origin = crate::test_clock();
    let mut now = origin;
    let mut collector = Collector::new();
    let mut seen = Vec::new();
    let mut drain = |collector: &mut Collector, now: Instant| {
        while let Some(output) = collector.poll_output() {
            let text = match output {
                Output::BargeIn => "barge-in".to_owned(),
                Output::Collected { digits, how } => format!("{how:?} {}", &*digits).trim_end().to_owned(),
                Output::Digit(digit) => format!("digit {digit}"),
            };
            seen.push((u64::try_from((now - origin).as_millis()).unwrap(), text));
        }
    };
    for step in steps {
        match step {
            Start => collector.handle_input(now, Input::Start(spec.clone())),
            Stop => collector.handle_input(now, Input::Stop),
            Playing(on) => collector.handle_input(now, Input::Playing(*on)),
            Keys(keys) => {
                for key in keys.chars() {
                    collector.handle_input(now, Input::Digit(key));
                    drain(&mut collector, now);
                    now += KEY_GAP;
                }
            }
            Wait(milliseconds) => {
                let until = now + Duration::from_millis(*milliseconds);
                while let Some(due) = collector.poll_timeout().filter(|due| *due <= until) {
                    collector.handle_timeout(due);
                    drain(&mut collector, due);
                }
                now = until;
            }
        }
        drain(&mut collector, now);
    }
    seen
}

fn run(steps: &[Step]) -> Vec<String> {
    run_with(&spec(), steps).into_iter().map(|(_, text)| text).collect()
}

#[test]
fn an_entry_ends_as_its_keys_say() {
    let table: &[(&str, &[Step], &[&str])] = &[
        ("terminator", &[Start, Keys("482917#")], &["Terminator 482917"]),
        ("full", &[Start, Keys("1234567890")], &["Full 1234567890"]),
        ("too short", &[Start, Keys("123#")], &["TooShort 123"]),
        ("terminator alone", &[Start, Keys("#")], &["TooShort"]),
        ("restart", &[Start, Keys("99*4829#")], &["Terminator 4829"]),
        ("restart twice", &[Start, Keys("*1**4829#")], &["Terminator 4829"]),
        ("pause with enough digits", &[Start, Keys("4829"), Wait(6_000)], &["NextDigitTimeout 4829"]),
        ("pause with too few", &[Start, Keys("48"), Wait(6_000)], &["TooShort 48"]),
        ("nothing", &[Start, Wait(11_000)], &["NoInput"]),
        ("nothing after a restart", &[Start, Keys("12*"), Wait(11_000)], &["NoInput"]),
        ("letters are keys, other characters are not", &[Start, Keys("1x2 A4é#")], &["Terminator 12A4"]),
        ("given up", &[Start, Keys("12"), Stop, Wait(60_000)], &[]),
        ("begun anew", &[Start, Keys("12"), Start, Keys("4829#")], &["Terminator 4829"]),
    ];
    for (name, steps, expected) in table {
        assert_eq!(run(steps), *expected, "{name}");
    }
}

#[test]
fn the_first_key_stops_the_prompt_and_only_the_first() {
    assert_eq!(run(&[Playing(true), Start, Keys("4829#")]), ["barge-in", "Terminator 4829"]);
    assert_eq!(run(&[Playing(true), Start, Keys("*4829#")]), ["barge-in", "Terminator 4829"]);
    assert_eq!(run(&[Start, Keys("4829#")]), ["Terminator 4829"]);
}

#[test]
fn the_time_for_the_first_digit_begins_when_the_prompt_ends() {
    let seen = run_with(&spec(), &[Playing(true), Start, Wait(60_000), Playing(false), Wait(20_000)]);
    assert_eq!(seen, [(70_000, "NoInput".to_owned())]);
    let seen = run_with(&spec(), &[Start, Wait(9_000), Playing(true), Wait(9_000), Playing(false), Wait(20_000)]);
    assert_eq!(seen, [(28_000, "NoInput".to_owned())], "a prompt that starts late stops the clock");
}

#[test]
fn each_digit_has_its_own_time() {
    let seen = run_with(&spec(), &[Start, Keys("4"), Wait(4_800), Keys("8"), Wait(4_800), Keys("29"), Wait(9_000)]);
    assert_eq!(seen, [(14_900, "NextDigitTimeout 4829".to_owned())]);
}

#[test]
fn keys_pressed_before_the_collection_count() {
    assert_eq!(
        run(&[Keys("48"), Playing(true), Start, Keys("29#")]),
        ["digit 4", "digit 8", "barge-in", "Terminator 4829"]
    );
    assert_eq!(run(&[Keys("48#"), Start]), ["digit 4", "digit 8", "digit #", "TooShort 48"]);
    let seen = run_with(&spec(), &[Keys("4829"), Start, Wait(6_000)]);
    assert_eq!(seen.last().unwrap(), &(5_400, "NextDigitTimeout 4829".to_owned()));
}

#[test]
fn a_second_entry_may_be_typed_ahead_of_its_prompt() {
    let steps = [Start, Keys("1111#4829#"), Playing(true), Start];
    assert_eq!(
        run(&steps)[1..],
        ["digit 4", "digit 8", "digit 2", "digit 9", "digit #", "barge-in", "Terminator 4829"]
    );
}

#[test]
fn stale_and_forgotten_keys_do_not_count() {
    assert_eq!(run(&[Keys("77"), Wait(16_000), Start, Keys("4829#")])[2..], ["Terminator 4829"]);
    assert_eq!(run(&[Keys("77"), Wait(16_000), Keys("48"), Start, Keys("29#")])[4..], ["Terminator 4829"]);
    assert_eq!(run(&[Keys("77"), Stop, Start, Keys("4829#")])[2..], ["Terminator 4829"]);
}

#[test]
fn type_ahead_is_bounded() {
    let mut long = spec();
    long.max_digits = 255;
    let keys = "12345678901234567890";
    let seen = run_with(&long, &[Keys(keys), Start, Keys("#")]);
    assert_eq!(seen.last().unwrap().1, format!("Terminator {}", &keys[..TYPE_AHEAD_DIGITS]));
}

#[test]
fn the_rest_of_an_entry_that_was_too_long_does_not_spoil_the_next() {
    let rest_dropped = ["Full 1234567890", "Terminator 4829"];
    assert_eq!(run(&[Start, Keys("1234567890"), Start, Keys("12#4829#")]), rest_dropped);
    assert_eq!(run(&[Start, Keys("1234567890"), Start, Keys("12"), Wait(1_500), Keys("4829#")]), rest_dropped);
    assert_eq!(run(&[Start, Keys("1234567890"), Wait(2_500), Start, Keys("#4829#")]), rest_dropped);
    assert_eq!(run(&[Start, Keys("1234567890"), Wait(3_500), Start, Keys("#")]), ["Full 1234567890", "TooShort"]);
    assert_eq!(run(&[Keys("123456789012#"), Start, Start, Keys("4829#")])[13..], rest_dropped, "typed ahead");
}

#[test]
fn after_an_entry_of_fixed_length_only_the_terminator_is_dropped() {
    let mut fixed = spec();
    fixed.max_digits = 4;
    let texts = |steps: &[Step]| run_with(&fixed, steps).into_iter().map(|(_, text)| text).collect::<Vec<_>>();
    assert_eq!(texts(&[Start, Keys("1111#"), Start, Keys("2222")]), ["Full 1111", "Full 2222"]);
    assert_eq!(texts(&[Start, Keys("11112"), Start, Keys("222")]), ["Full 1111", "digit 2", "Full 2222"]);
    assert_eq!(texts(&[Keys("1111#2222"), Start, Start])[9..], ["Full 1111", "Full 2222"], "typed ahead");
}

#[test]
fn without_terminator_and_restart_their_keys_are_digits() {
    let plain = CollectSpec { terminator: None, restart: None, max_digits: 4, ..spec() };
    assert_eq!(run_with(&plain, &[Start, Keys("1*#2")]).last().unwrap().1, "Full 1*#2");
}

#[test]
fn extreme_specifications_end_too() {
    let none = CollectSpec { min_digits: 0, max_digits: 0, ..spec() };
    assert_eq!(run_with(&none, &[Start, Keys("7")]).last().unwrap().1, "Full 7");
    let never = CollectSpec { first_digit: Duration::MAX, next_digit: Duration::MAX, ..spec() };
    assert_eq!(run_with(&never, &[Start, Wait(1_000_000), Keys("4829#")]).last().unwrap().1, "Terminator 4829");
    let at_once = CollectSpec { first_digit: Duration::ZERO, ..spec() };
    assert_eq!(run_with(&at_once, &[Start, Wait(0)]), [(0, "NoInput".to_owned())]);
}

#[derive(Debug, Clone)]
enum Any {
    Input(Input),
    Wait(u64),
}

fn any_step() -> impl Strategy<Value = Any> {
    let spec = (0u8..6, 0u8..6, 0u64..4, 0u64..4, any::<bool>(), any::<bool>()).prop_map(
        |(min, max, first, next, end, restart)| {
            Input::Start(CollectSpec {
                min_digits: min,
                max_digits: max,
                terminator: end.then_some('#'),
                restart: restart.then_some('*'),
                first_digit: Duration::from_secs(first),
                next_digit: Duration::from_secs(next),
            })
        },
    );
    let key = prop::sample::select("0123456789*#ABCDx".chars().collect::<Vec<_>>());
    prop_oneof![
        2 => spec.prop_map(Any::Input),
        1 => Just(Any::Input(Input::Stop)),
        8 => key.prop_map(|key| Any::Input(Input::Digit(key))),
        2 => any::<bool>().prop_map(|on| Any::Input(Input::Playing(on))),
        3 => (0u64..5_000).prop_map(Any::Wait),
    ]
}

proptest! {
    #[test]
    fn every_collection_ends_once_and_deadlines_move_on(steps in prop::collection::vec(any_step(), 0..200)) {
        let mut now = crate::test_clock();
        let mut collector = Collector::new();
        let mut open = false;
        for step in steps {
            match step {
                Any::Wait(milliseconds) => now += Duration::from_millis(milliseconds),
                Any::Input(input) => {
                    collector.handle_timeout(now);
                    while let Some(output) = collector.poll_output() {
                        if matches!(output, Output::Collected { .. }) {
                            prop_assert!(std::mem::take(&mut open));
                        }
                    }
                    match &input {
                        Input::Start(_) => open = true,
                        Input::Stop => open = false,
                        _ => {}
                    }
                    collector.handle_input(now, input);
                }
            }
            collector.handle_timeout(now);
            prop_assert!(collector.poll_timeout().is_none_or(|due| due > now));
            while let Some(output) = collector.poll_output() {
                if matches!(output, Output::Collected { .. }) {
                    prop_assert!(std::mem::take(&mut open));
                }
            }
            prop_assert_eq!(open, collector.is_collecting());
        }
    }
}
