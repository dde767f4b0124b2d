use super::*;
use crate::types::Seed;
use proptest::prelude::*;

const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3_600);

fn guard() -> PinGuard {
    PinGuard::new(Limits::default(), Seed::fixed(1).generator())
}

fn caller(number: u32) -> CallerKey {
    CallerKey::of("carrier", &format!("+4420{number}"))
}

/// Asks for a check, in a call without a wrong PIN.
fn ask(guard: &mut PinGuard, now: Instant, call: u64, key: CallerKey) -> Decision {
    guard.check(now, CallId(call), key, 0)
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
        assert_eq!(ask(&mut guard, now, 1, caller(7)), Decision::Now);
        assert_eq!(guard.wrong(now, caller(7)), n == 9);
    }
    let blocked_at = start + 9 * MINUTE;
    assert_eq!(ask(&mut guard, blocked_at, 2, caller(7)), Decision::Blocked);
    assert_eq!(ask(&mut guard, blocked_at, 3, caller(8)), Decision::Now);
    assert_eq!(ask(&mut guard, blocked_at + HOUR - SECOND, 4, caller(7)), Decision::Blocked);
    assert_eq!(ask(&mut guard, blocked_at + HOUR, 5, caller(7)), Decision::Now);
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
    assert_eq!(ask(&mut guard, start + HOUR, 1, caller(7)), Decision::Now);
}

#[test]
fn past_the_shared_budget_checks_come_one_every_few_seconds() {
    let start = crate::test_clock();
    let mut guard = spent(start);
    assert!(guard.is_slow(start));
    assert_eq!(ask(&mut guard, start, 1, caller(1)), Decision::Now);
    for n in 2..=4u32 {
        assert_eq!(ask(&mut guard, start + SECOND, n.into(), caller(n)), Decision::Wait);
    }
    assert_eq!(guard.take_due(start + 2 * SECOND), None);
    let served = [1, 2, 3].map(|turn| {
        let due = start + turn * 3 * SECOND;
        assert_eq!(guard.poll_timeout(), Some(due));
        let (call, decision) = guard.take_due(due).unwrap();
        assert_eq!(decision, Decision::Now);
        assert_eq!(guard.take_due(due), None);
        call.0
    });
    assert_eq!(BTreeSet::from(served), BTreeSet::from([2, 3, 4]));
    assert_eq!(guard.poll_timeout(), None);
    assert_eq!(ask(&mut guard, start + 9 * SECOND, 5, caller(5)), Decision::Wait);
    assert_eq!(guard.poll_timeout(), Some(start + 12 * SECOND));
}

#[test]
fn the_slow_time_ends_when_the_budget_is_whole_again() {
    let start = crate::test_clock();
    let mut guard = spent(start);
    let late = start + HOUR - SECOND;
    assert_eq!(ask(&mut guard, late, 1, caller(1)), Decision::Now);
    for n in 2..5u64 {
        assert_eq!(ask(&mut guard, late, n, caller(2)), Decision::Wait);
    }
    assert_eq!(guard.poll_timeout(), Some(start + HOUR));
    for n in 2..5u64 {
        assert_eq!(guard.take_due(start + HOUR), Some((CallId(n), Decision::Now)), "calls of one caller, in order");
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
        let decision = match guard.check(now, call, caller(number), 0) {
            Decision::Wait => {
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
    ask(&mut guard, start, 0, caller(0));
    for n in 1..=1_000 {
        ask(&mut guard, start, n, caller(1));
        assert!(guard.forget(CallId(n)));
    }
    assert!(!guard.forget(CallId(7)));
    assert_eq!(ask(&mut guard, start, 5_000, caller(2)), Decision::Wait);
    assert_eq!(ask(&mut guard, start, 5_000, caller(2)), Decision::Wait, "one place a call");
    assert_eq!(guard.counts().0, 1);
}

#[test]
fn a_caller_blocked_while_waiting_hears_so_and_takes_no_turn() {
    let start = crate::test_clock();
    let mut guard = spent(start);
    ask(&mut guard, start, 0, caller(0));
    ask(&mut guard, start, 1, caller(7));
    ask(&mut guard, start, 2, caller(8));
    for _ in 0..10 {
        guard.wrong(start, caller(7));
    }
    assert_eq!(guard.poll_timeout(), Some(start), "nobody waits to hear it");
    assert_eq!(guard.take_due(start), Some((CallId(1), Decision::Blocked)));
    assert_eq!(guard.take_due(start), None);
    assert_eq!(guard.take_due(start + 3 * SECOND), Some((CallId(2), Decision::Now)));
}

#[test]
fn remembered_callers_are_bounded_and_the_oldest_go_first() {
    let start = crate::test_clock();
    let mut guard = PinGuard::new(Limits { callers: 100, ..Limits::default() }, Seed::fixed(1).generator());
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
        ask(&mut guard, crate::test_clock(), u64::from(n), caller(n));
    }
    assert_eq!(guard.counts(), (0, 0));
}

#[test]
fn a_caller_is_its_number_on_its_trunk_and_withheld_callers_of_a_trunk_are_one() {
    let key = CallerKey::of;
    assert_eq!(key("a", "+4420"), key("a", "+4420"));
    assert_ne!(key("a", "+4420"), key("b", "+4420"));
    assert_ne!(key("a", "+4420"), key("a", "+4421"));
    assert!(key("a", "").is_withheld() && !key("a", "+4420").is_withheld());
    assert_ne!(key("a", ""), key("b", ""));
}

/// A guard whose slow time began at `now` and in which `guessers` with something wrong wait, of trunk "carrier".
fn under_attack(now: Instant, guessers: u32) -> PinGuard {
    let mut guard = guard();
    // With fewer than the budget each has had more than one try.
    for _ in 0..60u32.div_ceil(guessers) {
        for n in 0..guessers {
            guard.wrong(now, caller(1_000 + n));
        }
    }
    ask(&mut guard, now, 0, caller(1_000));
    for n in 0..guessers {
        assert_eq!(ask(&mut guard, now, (1_000 + n).into(), caller(1_000 + n)), Decision::Wait);
    }
    guard
}

/// Lets time pass until it is this call's turn, all guesses of others being wrong ones, and guessers asking again at
/// once.
fn wait_of(guard: &mut PinGuard, start: Instant, call: u64) -> Duration {
    loop {
        let now = guard.poll_timeout().unwrap();
        while let Some((served, decision)) = guard.take_due(now) {
            if served == CallId(call) {
                return now - start;
            }
            if decision == Decision::Now {
                let guesser = caller(u32::try_from(served.0).unwrap());
                guard.wrong(now, guesser);
                ask(guard, now, served.0, guesser);
            }
        }
    }
}

/// Prints the table in benches/README.md.
#[test]
fn a_caller_with_nothing_wrong_waits_for_the_next_check_however_many_guess() {
    let start = crate::test_clock();
    for guessers in [20, 40, 1_000] {
        let mut guard = under_attack(start, guessers);
        assert_eq!(ask(&mut guard, start, 1, caller(1)), Decision::Wait);
        let same = wait_of(&mut guard, start, 1);
        assert!(same <= 3 * SECOND, "{guessers} guessers: {same:?}");
        // With a clean caller on another trunk as well.
        let mut guard = under_attack(start, guessers);
        ask(&mut guard, start, 2, CallerKey::of("other", "+441"));
        ask(&mut guard, start, 1, caller(1));
        let other = wait_of(&mut guard, start, 1);
        assert!(other <= 6 * SECOND, "{guessers} guessers: {other:?}");
        println!("{guessers} guessers: {} s, with a caller of another trunk {} s", same.as_secs(), other.as_secs());
    }
}

#[test]
fn whoever_comes_has_one_of_the_next_two_turns_though_a_thousand_numbers_never_seen_wait() {
    let start = crate::test_clock();
    let mut guard = spent(start);
    ask(&mut guard, start, 0, caller(0));
    for n in 10..1_010u32 {
        ask(&mut guard, start, n.into(), caller(n));
    }
    for n in 1..9u32 {
        let now = start + n * 60 * SECOND;
        ask(&mut guard, now, n.into(), caller(n));
        // All turns of the minute before are taken first: nobody looked.
        let served: Vec<u64> = (0..2).map(|turn| guard.take_due(now + turn * 3 * SECOND).unwrap().0.0).collect();
        assert!(served.contains(&n.into()), "{served:?}");
    }
}

/// A thousand guessers wait, each with a number never seen, and as many more as `comes` says come just before each turn
/// (the first is turn 0). How long each of a hundred callers waits, of whom each comes alone, five minutes after the
/// guessers and at another time between two turns; `None`: longer than five minutes more.
fn waits_among_ever_new_numbers(comes: fn(u32) -> u32) -> Vec<Option<Duration>> {
    let start = crate::test_clock();
    // Made once: they are digests.
    let keys: Vec<CallerKey> = (0..2_000).map(caller).collect();
    let trial = |seed: u32| {
        let mut guard = PinGuard::new(Limits::default(), Seed::fixed(seed.into()).generator());
        for key in &keys[100..160] {
            guard.wrong(start, *key);
        }
        ask(&mut guard, start, 0, keys[0]);
        let mut numbers = 200..;
        let mut guess = |guard: &mut PinGuard, now| {
            let number = numbers.next().unwrap();
            ask(guard, now, number as u64, keys[number]);
        };
        (0..1_000).for_each(|_| guess(&mut guard, start));
        let (came, mut is_here) = (start + 5 * MINUTE + Duration::from_millis(300 * u64::from(seed)), false);
        for turn in 0..200 {
            let now = guard.poll_timeout().unwrap();
            if !is_here && came <= now {
                ask(&mut guard, came, 1, keys[1]);
                is_here = true;
            }
            (0..comes(turn)).for_each(|_| guess(&mut guard, now));
            let (call, decision) = guard.take_due(now).unwrap();
            assert_eq!(decision, Decision::Now);
            if call == CallId(1) {
                return Some(now - came);
            }
        }
        None
    };
    let mut waits: Vec<Option<Duration>> = (0..100).map(trial).collect();
    waits.sort_by_key(|wait| wait.unwrap_or(Duration::MAX));
    waits
}

/// Prints the table in benches/README.md.
#[test]
fn a_thousand_guessers_with_ever_new_numbers_do_not_shut_a_caller_out() {
    let within = |waits: &[Option<Duration>], seconds: u32| {
        waits.iter().flatten().filter(|wait| **wait <= seconds * SECOND).count()
    };
    let told = |name: &str, waits: &[Option<Duration>]| {
        let median =
            waits[waits.len() / 2].map_or("more than 300 s".to_owned(), |wait| format!("{} s", wait.as_secs()));
        let [six, minute, all] = [6, 60, 300].map(|seconds| within(waits, seconds));
        println!("{name}: {six} of 100 within 6 s, {minute} within 60 s, {all} within 300 s; median {median}");
    };
    // Nobody else comes any more.
    let none = waits_among_ever_new_numbers(|_| 0);
    told("none comes after", &none);
    assert_eq!(within(&none, 6), 100);
    // Just before each turn that is of who came last: whoever came before loses them all.
    let timed = waits_among_ever_new_numbers(|turn| turn % 2);
    told("one before every second turn", &timed);
    assert!(within(&timed, 60) >= 70 && within(&timed, 300) >= 95);
    // As many as are served.
    let each = waits_among_ever_new_numbers(|_| 1);
    told("one before every turn", &each);
    assert!(within(&each, 60) >= 50);
    // Oftener than turns: no order serves all, but each has its share.
    let more = waits_among_ever_new_numbers(|_| 3);
    told("three before every turn", &more);
    assert!(within(&more, 60) >= 5);
}

#[test]
fn one_slip_waits_for_others_with_one_and_not_for_those_who_go_on_guessing() {
    let start = crate::test_clock();
    let mut guard = under_attack(start, 20);
    guard.wrong(start, caller(1));
    ask(&mut guard, start, 1, caller(1));
    assert_eq!(wait_of(&mut guard, start, 1), 3 * SECOND);
}

#[test]
fn a_thousand_calls_of_one_caller_take_one_turn() {
    let start = crate::test_clock();
    let mut guard = spent(start);
    ask(&mut guard, start, 0, caller(0));
    for n in 10..1_010 {
        ask(&mut guard, start, n, caller(7));
    }
    for n in 1..3u32 {
        ask(&mut guard, start, n.into(), caller(n));
    }
    let mut served = |seconds: u32| guard.take_due(start + seconds * SECOND).unwrap().0.0;
    assert_eq!(BTreeSet::from([served(3), served(6), served(9)]), BTreeSet::from([1, 2, 10]));
    assert_eq!(served(12), 11);
}

#[test]
fn a_thousand_callers_of_one_trunk_take_one_turn_against_another_trunk() {
    let start = crate::test_clock();
    let mut guard = spent(start);
    ask(&mut guard, start, 0, caller(0));
    for n in 10..1_010u32 {
        ask(&mut guard, start, n.into(), caller(n));
    }
    for n in 1..3 {
        ask(&mut guard, start, n, CallerKey::of("other", &format!("+44{n}")));
    }
    let mut served = |seconds: u32| guard.take_due(start + seconds * SECOND).unwrap().0.0;
    let served = [served(3), served(6), served(9), served(12), served(15)];
    assert_eq!(served.map(|call| call < 10), [false, true, false, true, false], "{served:?}");
}

#[test]
fn who_has_opened_a_room_goes_before_a_thousand_numbers_never_seen() {
    let start = crate::test_clock();
    let mut guard = spent(start);
    guard.right(start, caller(1));
    let later = start + 20 * MINUTE;
    ask(&mut guard, later, 0, caller(0));
    for n in 10..1_010u32 {
        ask(&mut guard, later, n.into(), caller(n));
    }
    ask(&mut guard, later, 1, caller(1));
    assert_eq!(wait_of(&mut guard, later, 1), 3 * SECOND);
    // A right PIN forgives nothing all the same.
    for n in 0..10 {
        assert_eq!(guard.wrong(later, caller(1)), n == 9);
        guard.right(later, caller(1));
    }
    assert_eq!(ask(&mut guard, later, 2, caller(1)), Decision::Blocked);
}

#[test]
fn known_callers_are_bounded_and_forgotten_after_a_month() {
    let start = crate::test_clock();
    let mut guard = PinGuard::new(Limits { callers: 100, ..Limits::default() }, Seed::fixed(1).generator());
    for n in 0..1_000 {
        guard.right(start, caller(n));
    }
    assert_eq!(guard.known.len(), 100);
    guard.is_blocked(start + 30 * 24 * HOUR, caller(1));
    assert_eq!(guard.known.len(), 0);
}

fn withheld() -> CallerKey {
    CallerKey::of("carrier", "")
}

/// So many wrong PINs of withheld callers.
fn guess(guard: &mut PinGuard, now: Instant, count: usize) {
    for _ in 0..count {
        guard.wrong(now, withheld());
    }
}

#[test]
fn withheld_callers_of_a_trunk_are_slowed_down_and_never_blocked() {
    let start = crate::test_clock();
    let mut guard = guard();
    for _ in 0..4 {
        // Four calls of three tries.
        guess(&mut guard, start, 3);
    }
    assert!(!guard.is_blocked(start, withheld()));
    assert_eq!(ask(&mut guard, start, 1, withheld()), Decision::Wait);
    assert_eq!(ask(&mut guard, start, 2, withheld()), Decision::Wait);
    assert_eq!(ask(&mut guard, start, 3, caller(3)), Decision::Now, "others are not slowed down");
    assert_eq!(ask(&mut guard, start, 4, CallerKey::of("other", "")), Decision::Now);
    for (call, due) in [(1, 30), (2, 60)] {
        assert_eq!(guard.poll_timeout(), Some(start + due * SECOND));
        assert_eq!(guard.take_due(start + due * SECOND), Some((CallId(call), Decision::Now)));
        assert_eq!(guard.take_due(start + due * SECOND), None);
    }
    assert_eq!(guard.poll_timeout(), None);
    assert_eq!(ask(&mut guard, start + HOUR, 5, withheld()), Decision::Now, "for an hour");
}

#[test]
fn a_withheld_caller_with_nothing_wrong_goes_before_withheld_guessers() {
    let start = crate::test_clock();
    let mut guard = guard();
    guess(&mut guard, start, 10);
    for n in 10..30 {
        assert_eq!(guard.check(start, CallId(n), withheld(), 1), Decision::Wait);
    }
    ask(&mut guard, start, 1, withheld());
    assert_eq!(guard.take_due(start + 30 * SECOND), Some((CallId(1), Decision::Now)));
}

#[test]
fn withheld_guessers_gain_nothing_and_delay_others_by_one_turn() {
    let start = crate::test_clock();
    let mut guard = spent(start);
    ask(&mut guard, start, 0, caller(0));
    for n in 10..1_010 {
        ask(&mut guard, start, n, withheld());
    }
    ask(&mut guard, start, 1, caller(1));
    ask(&mut guard, start, 2, caller(2));
    let mut now = start;
    let (mut guesses, mut met) = (0, Vec::new());
    while let Some(due) = guard.poll_timeout().filter(|due| *due < start + HOUR) {
        now = due;
        while let Some((call, decision)) = guard.take_due(now) {
            assert_eq!(decision, Decision::Now);
            if call.0 < 10 {
                met.push((call.0, (now - start).as_secs()));
            } else {
                guesses += 1;
                guard.wrong(now, withheld());
                guard.check(now, call, withheld(), 1);
            }
        }
    }
    assert!(now > start + HOUR - MINUTE);
    assert!(met.len() == 2 && met.iter().all(|(_, seconds)| *seconds <= 9), "one turn each, and one withheld: {met:?}");
    assert!((110..=130).contains(&guesses), "{guesses} guesses in an hour");
}

#[test]
fn withheld_calls_that_wait_go_on_when_the_hour_is_over_or_they_hang_up() {
    let start = crate::test_clock();
    let mut guard = guard();
    guess(&mut guard, start, 10);
    let late = start + HOUR - SECOND;
    assert_eq!(ask(&mut guard, late, 1, withheld()), Decision::Now);
    for n in 2..5 {
        assert_eq!(ask(&mut guard, late, n, withheld()), Decision::Wait);
    }
    assert!(guard.forget(CallId(3)) && !guard.forget(CallId(3)));
    guard.rename(CallId(4), CallId(40));
    // The deadline of the wait comes later than the end of the hour: whoever comes then finds all free.
    assert_eq!(ask(&mut guard, start + HOUR, 9, caller(9)), Decision::Wait);
    let due = guard.poll_timeout().unwrap();
    assert_eq!(due, start + HOUR);
    let served: Vec<u64> = std::iter::from_fn(|| guard.take_due(due)).map(|(call, _)| call.0).collect();
    assert_eq!(BTreeSet::from_iter(&served), BTreeSet::from([&2, &9, &40]));
    assert!(served.iter().position(|call| *call == 2) < served.iter().position(|call| *call == 40), "{served:?}");
    assert_eq!(guard.counts(), (0, 0));
}

/// Caller 0 of the properties is one who withholds the number.
fn anybody(number: u32) -> CallerKey {
    if number == 0 { withheld() } else { caller(number) }
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
        let mut guard = PinGuard::new(Limits { shared_wrong: 3, callers: 5, ..Limits::default() }, Seed::fixed(1).generator());
        let mut waiting = std::collections::HashSet::new();
        for step in steps {
            match step {
                Step::Check(call, number) => {
                    match ask(&mut guard, now, call, anybody(number)) {
                        Decision::Wait => { waiting.insert(CallId(call)); }
                        Decision::Now | Decision::Blocked => { waiting.remove(&CallId(call)); }
                    }
                }
                Step::Wrong(number) => { guard.wrong(now, anybody(number)); }
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
