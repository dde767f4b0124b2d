//! PIN checks while others guess.

use super::desk::Desk;
use super::{CARRIER, secs};
use crate::types::CallId;
use std::time::Duration;

const TRUSTED: [u8; 4] = [198, 51, 100, 8];

fn desk() -> Desk {
    Desk::new(
        r##"
[trunks.carrier]
allow = "198.51.100.7"

[trunks.believed]
allow   = "198.51.100.8"
trusted = true

[rooms.red]
pin = "482917"

[ivr.conference]
say     = { prompt = "enter-pin" }
collect = { digits = "6", tries = 3 }
then    = { room = "by-pin" }

[[routes]]
name   = "Conference"
from   = ["carrier", "believed"]
number = "1000"
ivr    = "conference"
"##,
    )
}

fn accepted(desk: &Desk) -> usize {
    desk.log.iter().filter(|line| line.contains("PIN accepted")).count()
}

/// Whether a PIN of the call is not looked up yet.
fn waits(desk: &Desk, call: CallId) -> bool {
    desk.gateway.pins.is_waiting(call)
}

/// `count` calls of different numbers that have keyed a wrong PIN and wait with the next.
fn guessers(desk: &mut Desk, count: u32) -> Vec<CallId> {
    let first = desk.log.len();
    let number = |n| format!("+4420{:07}", first + n);
    let calls: Vec<CallId> = (0..count).map(|n| desk.call(CARRIER, &number(n as usize), "1000")).collect();
    // The first sixty are looked up at once, the rest one by one.
    for call in &calls {
        desk.key(*call, "909192");
    }
    calls
}

/// Goes on guessing in every call that is asked again, until it is over.
fn guess_on(desk: &mut Desk, calls: &[CallId], time: Duration) {
    for _ in 0..time.as_secs() {
        desk.run(secs(1));
        for call in calls.iter().filter(|call| !desk.ended.contains(call)).copied().collect::<Vec<_>>() {
            if !waits(desk, call) {
                desk.key(call, "909192");
            }
        }
    }
}

/// Prints the table in benches/README.md.
#[test]
fn a_right_pin_is_checked_at_the_next_turn_while_a_thousand_others_guess() {
    for count in [20, 40, 1_000] {
        let mut desk = desk();
        let calls = guessers(&mut desk, count);
        guess_on(&mut desk, &calls, secs(20));
        let calls: Vec<CallId> = if count < 1_000 { guessers(&mut desk, count) } else { calls };
        guess_on(&mut desk, &calls, secs(2));
        assert!(desk.status().pins_slowed, "{count}");
        let anna = desk.call(CARRIER, "+442079460001", "1000");
        desk.run(secs(1));
        // What the IVR itself takes from the last key to the verdict is nothing: a full entry is checked at once.
        desk.key(anna, "482917");
        let wait = desk.run_until(secs(600), |desk| accepted(desk) == 1);
        println!("{count} guessers: a right PIN is checked after {:.1} s", wait.as_secs_f64());
        assert!(wait <= secs(6), "{count} guessers: {wait:?}");
    }
}

#[test]
fn four_bad_calls_of_withheld_callers_shut_no_withheld_caller_out() {
    let mut desk = desk();
    let withheld =
        |desk: &mut Desk| desk.call_saying(CARRIER, "<sip:anonymous@anonymous.invalid>", "Privacy: id\r\n", "1000");
    for _ in 0..4 {
        let mallory = withheld(&mut desk);
        for _ in 0..3 {
            desk.key(mallory, "909192");
            desk.run_until(secs(40), |desk| !waits(desk, mallory));
        }
        desk.run(secs(10));
        assert!(desk.ended.contains(&mallory));
    }
    let anna = withheld(&mut desk);
    desk.key(anna, "482917");
    desk.run_until(secs(31), |desk| accepted(desk) == 1);
    assert!(!desk.heard_by(anna).contains(&"pin-blocked"));
}

#[test]
fn a_hidden_number_that_a_trusted_trunk_asserts_is_a_caller_of_its_own() {
    let hidden = |number: &str| format!("P-Asserted-Identity: <sip:{number}@carrier.example>\r\nPrivacy: id\r\n");
    let anonymous = "\"Anonymous\" <sip:anonymous@anonymous.invalid>";
    let call = |desk: &mut Desk, trunk, number: &str| desk.call_saying(trunk, anonymous, &hidden(number), "1000");
    let guess = |desk: &mut Desk, trunk| {
        for _ in 0..4 {
            let mallory = call(desk, trunk, "+442080000666");
            for _ in 0..3 {
                desk.key(mallory, "909192");
                desk.run_until(secs(40), |desk| !waits(desk, mallory));
            }
            desk.run(secs(10));
        }
    };
    let mut desk = self::desk();
    guess(&mut desk, TRUSTED);
    let anna = call(&mut desk, TRUSTED, "+442079460001");
    desk.key(anna, "482917");
    assert_eq!(accepted(&desk), 1, "not slowed down by another's guesses");
    let mallory = call(&mut desk, TRUSTED, "+442080000666");
    desk.key(mallory, "482917");
    desk.run(secs(5));
    assert!(desk.heard_by(mallory).contains(&"pin-blocked"), "{:?}", desk.heard_by(mallory));
    // The number is for counting alone.
    assert!(!desk.log.iter().any(|line| line.contains("0000666")));
    desk.run(secs(60));
    assert!(desk.records.iter().all(|record| record.from.is_empty()));
    // Who is not trusted gains nothing by it: another number each time is still one withheld caller.
    guess(&mut desk, CARRIER);
    let other = call(&mut desk, CARRIER, "+442079460002");
    desk.key(other, "482917");
    assert_eq!(accepted(&desk), 1);
    desk.run_until(secs(31), |desk| accepted(desk) == 2);
}
