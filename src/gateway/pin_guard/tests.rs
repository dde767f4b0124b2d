use super::*;
use proptest::prelude::*;

const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3_600);

fn guard() -> PinGuard {
    PinGuard::new(Limits::default())
}

fn caller(number: u32) -> CallerKey {
    CallerKey::of(Some("carrier"), &format!("+4420{number}"), "203.0.113.9".parse().unwrap())
}

/// A guard whose shared budget was spent at `now` by sixty callers.
fn spent(now: Instant) -> PinGuard {
    let mut guard = guard();
    for n in 0..60 {
        guard.wrong(now, caller(1_000 + n));
    }
    guard
}

#[test]
fn ten_wrong_pins_in_an_hour_block_that_caller_for_an_hour_and_nobody_else() {
    let start = crate::test_clock();
    let mut guard = guard();
    for n in 0..10u32 {
        let now = start + n * MINUTE;
        assert_eq!(guard.check(now, CallId(1), caller(7)), Decision::Now);
        assert_eq!(guard.wrong(now, caller(7)), n == 9);
    }
    let blocked_at = start + 9 * MINUTE;
    assert_eq!(guard.check(blocked_at, CallId(2), caller(7)), Decision::Blocked);
    assert_eq!(guard.check(blocked_at, CallId(3), caller(8)), Decision::Now);
    assert_eq!(guard.check(blocked_at + HOUR - SECOND, CallId(4), caller(7)), Decision::Blocked);
    assert_eq!(guard.check(blocked_at + HOUR, CallId(5), caller(7)), Decision::Now);
    assert_eq!(guard.counts(), (0, 0), "an expired block leaves nothing behind");
}

#[test]
fn wrong_pins_spread_over_more_than_an_hour_block_nobody() {
    let start = crate::test_clock();
    let mut guard = guard();
    for n in 0..100u32 {
        assert!(!guard.wrong(start + n * (7 * MINUTE), caller(7)), "wrong PIN {n}");
    }
}

#[test]
fn a_block_is_not_prolonged_by_trying_again() {
    let start = crate::test_clock();
    let mut guard = guard();
    for _ in 0..10 {
        guard.wrong(start, caller(7));
    }
    assert!(guard.wrong(start + 59 * MINUTE, caller(7)));
    assert_eq!(guard.check(start + HOUR, CallId(1), caller(7)), Decision::Now);
}

#[test]
fn past_the_shared_budget_checks_come_one_every_few_seconds_in_order() {
    let start = crate::test_clock();
    let mut guard = spent(start);
    assert!(guard.is_slow(start));
    assert_eq!(guard.check(start, CallId(1), caller(1)), Decision::Now);
    for n in 2..=4u32 {
        let expected = Decision::At(start + (n - 1) * 3 * SECOND);
        assert_eq!(guard.check(start + SECOND, CallId(n.into()), caller(n)), expected);
    }
    assert_eq!(guard.take_due(start + 2 * SECOND), None);
    for n in 2..=4u32 {
        let due = start + (n - 1) * 3 * SECOND;
        assert_eq!(guard.poll_timeout(), Some(due));
        assert_eq!(guard.take_due(due), Some((CallId(n.into()), Decision::Now)));
        assert_eq!(guard.take_due(due), None);
    }
    assert_eq!(guard.poll_timeout(), None);
    assert_eq!(guard.check(start + 9 * SECOND, CallId(5), caller(5)), Decision::At(start + 12 * SECOND));
}

#[test]
fn the_slow_time_ends_when_the_budget_is_whole_again() {
    let start = crate::test_clock();
    let mut guard = spent(start);
    let late = start + HOUR - SECOND;
    assert_eq!(guard.check(late, CallId(1), caller(1)), Decision::Now);
    for n in 2..5u64 {
        assert!(matches!(guard.check(late, CallId(n), caller(2)), Decision::At(_)));
    }
    assert_eq!(guard.poll_timeout(), Some(start + HOUR));
    for n in 2..5u64 {
        assert_eq!(guard.take_due(start + HOUR), Some((CallId(n), Decision::Now)));
    }
    assert!(!guard.is_slow(start + HOUR));
}

#[test]
fn wrong_pins_in_the_slow_time_keep_it_slow() {
    let start = crate::test_clock();
    let mut guard = spent(start);
    for n in 0..60 {
        guard.wrong(start + 30 * MINUTE, caller(2_000 + n));
    }
    assert!(guard.is_slow(start + HOUR));
    assert!(!guard.is_slow(start + 90 * MINUTE));
}

#[test]
fn forged_numbers_gain_nothing() {
    let start = crate::test_clock();
    let mut guard = guard();
    let (mut guesses, mut now, mut number) = (0u32, start, 0);
    while now < start + HOUR {
        let call = CallId(u64::from(number));
        let decision = match guard.check(now, call, caller(number)) {
            Decision::At(_) => {
                now = guard.poll_timeout().unwrap();
                guard.take_due(now).unwrap().1
            }
            decision => decision,
        };
        assert_eq!(decision, Decision::Now);
        guard.wrong(now, caller(number));
        guesses += 1;
        number += 1;
        now += Duration::from_millis(1);
    }
    assert!((1_200..=1_262).contains(&guesses), "{guesses} guesses in an hour");
    assert!(guard.counts().1 <= 1_262);
}

#[test]
fn whoever_hangs_up_gives_the_place_back() {
    let start = crate::test_clock();
    let mut guard = spent(start);
    guard.check(start, CallId(0), caller(0));
    for n in 1..=1_000 {
        guard.check(start, CallId(n), caller(1));
        assert!(guard.forget(CallId(n)));
    }
    assert!(!guard.forget(CallId(7)));
    assert_eq!(guard.check(start, CallId(5_000), caller(2)), Decision::At(start + 3 * SECOND));
    assert_eq!(guard.check(start, CallId(5_000), caller(2)), Decision::At(start + 3 * SECOND), "one place a call");
    assert_eq!(guard.counts().0, 1);
}

#[test]
fn a_caller_blocked_while_waiting_hears_so_and_takes_no_turn() {
    let start = crate::test_clock();
    let mut guard = spent(start);
    guard.check(start, CallId(0), caller(0));
    guard.check(start, CallId(1), caller(7));
    guard.check(start, CallId(2), caller(8));
    for _ in 0..10 {
        guard.wrong(start, caller(7));
    }
    let due = start + 3 * SECOND;
    assert_eq!(guard.take_due(due), Some((CallId(1), Decision::Blocked)));
    assert_eq!(guard.take_due(due), Some((CallId(2), Decision::Now)));
}

#[test]
fn remembered_callers_are_bounded_and_the_oldest_go_first() {
    let start = crate::test_clock();
    let mut guard = PinGuard::new(Limits { callers: 100, ..Limits::default() });
    for _ in 0..10 {
        guard.wrong(start + MINUTE, caller(7));
    }
    for n in 100..100_000 {
        guard.wrong(start, caller(n));
        assert!(guard.counts().1 <= 100);
    }
    assert!(guard.is_blocked(start + MINUTE, caller(7)), "who expires last is kept longest");
    assert!(guard.shared.len() <= 60);
}

#[test]
fn asking_alone_remembers_nobody() {
    let mut guard = guard();
    for n in 0..1_000 {
        guard.check(crate::test_clock(), CallId(u64::from(n)), caller(n));
    }
    assert_eq!(guard.counts(), (0, 0));
}

#[test]
fn a_caller_is_its_number_on_its_trunk_or_else_its_address() {
    let here = "203.0.113.9".parse().unwrap();
    let there = "198.51.100.1".parse().unwrap();
    let key = CallerKey::of;
    assert_eq!(key(Some("a"), "+4420", here), key(Some("a"), "+4420", there));
    assert_ne!(key(Some("a"), "+4420", here), key(Some("b"), "+4420", here));
    assert_ne!(key(Some("a"), "+4420", here), key(Some("a"), "+4421", here));
    assert_eq!(key(None, "+4420", here), key(None, "anything", here), "a stranger's number proves nothing");
    assert_eq!(key(Some("a"), "", here), key(None, "", here));
    assert_ne!(key(None, "", here), key(None, "", there));
    assert_eq!(key(None, "", "2001:db8::1".parse().unwrap()), key(None, "", "2001:db8::ffff:2".parse().unwrap()));
    assert_ne!(key(None, "", "2001:db8::1".parse().unwrap()), key(None, "", "2001:db8:0:1::1".parse().unwrap()));
    assert_eq!(key(None, "", "::ffff:203.0.113.9".parse().unwrap()), key(None, "", here));
}

#[derive(Debug, Clone)]
enum Step {
    Check(u64, u32),
    Wrong(u32),
    Forget(u64),
    Wait(u64),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        (0u64..20, 0u32..8).prop_map(|(call, number)| Step::Check(call, number)),
        (0u32..8).prop_map(Step::Wrong),
        (0u64..20).prop_map(Step::Forget),
        (0u64..400).prop_map(Step::Wait),
    ]
}

proptest! {
    #[test]
    fn every_call_that_waits_is_named_once_and_deadlines_move_on(steps in prop::collection::vec(step(), 0..300)) {
        let mut now = crate::test_clock();
        let mut guard = PinGuard::new(Limits { shared_wrong: 3, callers: 5, ..Limits::default() });
        let mut waiting = std::collections::HashSet::new();
        for step in steps {
            match step {
                Step::Check(call, number) => {
                    match guard.check(now, CallId(call), caller(number)) {
                        Decision::At(at) => {
                            prop_assert!(at >= now);
                            waiting.insert(CallId(call));
                        }
                        Decision::Now | Decision::Blocked => { waiting.remove(&CallId(call)); }
                    }
                }
                Step::Wrong(number) => { guard.wrong(now, caller(number)); }
                Step::Forget(call) => prop_assert_eq!(guard.forget(CallId(call)), waiting.remove(&CallId(call))),
                Step::Wait(seconds) => now += Duration::from_secs(seconds),
            }
            while let Some((call, _)) = guard.take_due(now) {
                prop_assert!(waiting.remove(&call));
            }
            prop_assert!(guard.poll_timeout().is_none_or(|due| due > now));
            prop_assert_eq!(guard.counts().0, waiting.len());
            prop_assert_eq!(guard.poll_timeout().is_some(), !waiting.is_empty());
            prop_assert!(guard.counts().1 <= 5);
        }
    }
}
