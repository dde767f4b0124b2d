//! PINs: keyed early, keyed wrong, guessed, and in no log.

use super::harness::slot::Slot;
use super::harness::{Gateway, PIN, Phone, Setup, Sipp, seconds, sound};

/// Wrong PINs that no log may hold.
const WRONG: [&str; 3] = ["730184", "619245", "508376"];

fn wrong_thrice() -> String {
    WRONG.map(|pin| format!("{pin}#")).concat()
}

#[test]
fn a_pin_keyed_during_the_prompt_works_and_stops_the_prompt() {
    let _slot = Slot::take();
    // The most talkative log there is.
    let gateway = Setup::new().environment("PARTYLINE_LOG", "trace").start();
    // The prompt lasts longer than this.
    assert!(sound::prompt("enter-pin").len() > 8_000 * 3 / 2);
    let called = Phone::dials("1000").keys(&format!("{PIN}#"), 0.7).seconds(5.0).run(&gateway).answered();
    let remains = gateway.finish();
    assert_eq!(remains.record()["rooms"][0], "demo");
    assert!(sound::contains_prompt(&called.heard, &sound::prompt("first-here")), "not told to be the first");
    remains.assert_silent_about(&[PIN]);
}

#[test]
fn a_star_begins_the_entry_anew() {
    let gateway = Gateway::start();
    let called = Phone::dials("1000").keys(&format!("{}*{PIN}#", WRONG[0]), 0.5).seconds(5.0).call(&gateway);
    gateway.wait_for_members("demo", 1);
    called.finish().answered();
    assert!(!gateway.finish().says(&["wrong PIN"]));
}

#[test]
fn digits_by_info_open_the_room() {
    let gateway = Gateway::start();
    let call = Sipp::new("info_digits").number("1000").call(&gateway);
    gateway.wait_for_members("demo", 1);
    call.finish();
    let remains = gateway.finish();
    remains.assert_silent_about(&[PIN]);
}

#[test]
fn three_wrong_pins_end_the_call_with_a_goodbye() {
    let _slot = Slot::take();
    let gateway = Gateway::start();
    let called = Phone::dials("1000").keys(&wrong_thrice(), 0.5).seconds(30.0).run(&gateway).answered();
    assert!(called.output.contains("the far end hung up"), "{}", called.output);
    assert!(sound::contains_prompt(&called.heard, &sound::prompt("goodbye")), "no goodbye was heard");
    let remains = gateway.finish();
    let record = remains.record();
    assert_eq!((record["cause"].as_str(), record["cause_detail"].as_str()), (Some("session"), Some("pin-refused")));
    assert!(record["rooms"].as_array().unwrap().is_empty());
    remains.assert_silent_about(&WRONG);
}

#[test]
fn ten_wrong_pins_block_the_caller_and_nobody_else() {
    let _slot = Slot::take();
    let gateway = Gateway::start();
    for _ in 0..3 {
        Phone::dials("1000").keys(&wrong_thrice(), 0.5).seconds(30.0).run(&gateway).answered();
    }
    // The tenth; then the right one, which is not even looked at.
    let keyed = format!("{}#{PIN}#", WRONG[0]);
    let blocked = Phone::dials("1000").keys(&keyed, 0.5).seconds(30.0).run(&gateway).answered();
    assert!(blocked.output.contains("the far end hung up"), "{}", blocked.output);
    assert!(sound::contains_prompt(&blocked.heard, &sound::prompt("pin-blocked")), "not told to be blocked");

    let other = Phone::dials("1000").from("1002").keys(&format!("{PIN}#"), 0.5).seconds(6.0).call(&gateway);
    gateway.wait_for_members("demo", 1);
    other.finish().answered();

    let remains = gateway.finish();
    let details: Vec<_> = remains.records.iter().map(|record| record["cause_detail"].as_str().unwrap_or("")).collect();
    assert_eq!(details[..4], ["pin-refused", "pin-refused", "pin-refused", "pin-blocked"]);
    assert_eq!(remains.log.matches("wrong PIN").count(), 10);
    remains.assert_silent_about(&[PIN]);
    remains.assert_silent_about(&WRONG);
}

#[test]
fn a_caller_who_keys_nothing_is_asked_again_and_then_sent_away() {
    let routes = r#"
[trunks.local]
allow = ["127.0.0.0/8"]
[rooms.demo]
pin = "482917"
[ivr.hasty]
say     = { prompt = "enter-pin" }
collect = { first_digit = "1s", next_digit = "1s", tries = 2 }
then    = { room = "by-pin" }
[[routes]]
name = "Hasty"
from = "local"
number = "1000"
ivr = "hasty"
"#;
    let gateway = Setup::new().routes(routes).start();
    let called = Phone::dials("1000").seconds(40.0).run(&gateway).answered();
    assert!(called.output.contains("the far end hung up"), "{}", called.output);
    gateway.wait_for("the call is over", seconds(5), |status| status["calls"].as_array().unwrap().is_empty());
    assert_eq!(gateway.finish().record()["cause_detail"], "pin-refused");
}

#[test]
fn when_the_shared_budget_is_spent_pins_are_looked_up_slowly_and_nobody_is_shut_out() {
    let _slot = Slot::take();
    let gateway = Setup::new().setting("pin_budget = 3").start();
    Phone::dials("1000").keys(&wrong_thrice(), 0.5).seconds(30.0).run(&gateway).answered();
    assert_eq!(gateway.status()["pins_slowed"], true);
    let keyed = format!("{PIN}#");
    let others =
        ["1002", "1003"].map(|from| Phone::dials("1000").from(from).keys(&keyed, 0.5).seconds(9.0).call(&gateway));
    gateway.wait_for_members("demo", 2);
    for other in others {
        other.finish().answered();
    }
    let remains = gateway.finish();
    assert!(remains.says(&["PIN waits"]), "{}", remains.log);
}
