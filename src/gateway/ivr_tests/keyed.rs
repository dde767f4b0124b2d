//! What is kept of keyed digits: how many, and never which.

use super::desk::{Desk, PROMPT};
use super::{CARRIER, dialplan, secs};
use crate::gateway::{Keyed, Reply, Request};
use crate::types::DigitSource;

/// A dialplan whose rooms are named by what is keyed, some of them configured.
fn named_by_digits() -> Desk {
    let more = "[rooms.conf_775310]\nmax_members = 1\n\
                [[routes]]\nname = \"Straight\"\nfrom = \"carrier\"\nnumber = \"2000\"\nroom = \"conf_775310\"\n";
    Desk::new(&dialplan("collect = { digits = \"4-10\" }\nthen = { room = \"conf_{digits}\" }", more))
}

fn comes(desk: &mut Desk, caller: &str, digits: &str) -> crate::types::CallId {
    let call = desk.call(CARRIER, caller, "1000");
    desk.run(secs(3));
    desk.key(call, &format!("{digits}#"));
    desk.run(secs(3));
    call
}

/// Everything that is written or shown.
fn all_that_is_said(desk: &mut Desk) -> Vec<String> {
    let status = serde_json::to_string(&desk.status()).unwrap();
    let records = desk.records.iter().map(|record| serde_json::to_string(record).unwrap());
    desk.log.iter().cloned().chain(records).chain([status]).collect()
}

#[test]
fn keyed_digits_are_in_no_record_log_or_status() {
    let mut desk = named_by_digits();
    let keyed = ["471108", "775310", "90919293"];
    let calls: Vec<_> =
        keyed.iter().enumerate().map(|(n, digits)| comes(&mut desk, &format!("+44208111000{n}"), digits)).collect();
    let other = comes(&mut desk, "+442081110009", keyed[0]);
    let rooms = desk.status().rooms;
    assert_eq!(rooms.len(), 3);
    assert!(rooms.iter().all(|room| room.room.starts_with("conf_")), "{rooms:?}");
    let shared = rooms.iter().find(|room| room.calls.len() == 2).expect("the same digits, the same room");
    assert!(shared.calls.contains(&other.to_string()));
    let mut said = all_that_is_said(&mut desk);
    calls.iter().chain([&other]).for_each(|call| desk.hang_up(*call));
    desk.run(secs(60));
    assert_eq!(desk.records.iter().filter(|record| record.rooms.len() == 1).count(), 4);
    said.extend(all_that_is_said(&mut desk));
    for line in said {
        assert!(keyed.iter().all(|digits| !line.contains(digits)), "{line}");
    }
}

#[test]
fn pins_right_and_wrong_are_in_no_record_log_or_status() {
    for then in ["{ room = \"by-pin\" }", "{ room = \"by-pin\", open_rooms = true }"] {
        let mut desk = Desk::new(&dialplan(&format!("collect = {{}}\nthen = {then}"), ""));
        for (n, digits) in ["482917", "661177", "90919293"].into_iter().enumerate() {
            comes(&mut desk, &format!("+44208111000{n}"), digits);
        }
        let mut said = all_that_is_said(&mut desk);
        desk.run(secs(200));
        said.extend(all_that_is_said(&mut desk));
        for line in said {
            assert!(["482917", "661177", "90919293"].iter().all(|digits| !line.contains(digits)), "{line}");
        }
    }
}

#[test]
fn a_configured_room_that_digits_open_keeps_its_settings_and_is_the_same_by_other_ways() {
    let mut desk = named_by_digits();
    comes(&mut desk, "+442081110001", "775310");
    // It has one place.
    let late = comes(&mut desk, "+442081110002", "775310");
    desk.run(secs(3));
    assert_eq!(desk.heard_by(late).last(), Some(&"room-full"));
    let straight = desk.call(CARRIER, "+442081110003", "2000");
    desk.run(secs(3));
    assert_eq!(desk.heard_by(straight).last(), Some(&"room-full"));
}

#[test]
fn a_record_counts_keys_and_entries() {
    let mut desk = Desk::new(&dialplan("collect = { tries = 4 }\nthen = { room = \"by-pin\" }", ""));
    let call = desk.call(CARRIER, "+442081110001", "1000");
    for entry in ["909192#", "12#", ""] {
        desk.run(secs(6));
        desk.key(call, entry);
    }
    // Nothing for ten seconds, then the right one, and a key in the room.
    desk.run(secs(20));
    desk.key(call, "482917#");
    desk.run(secs(6));
    desk.key(call, "5");
    desk.hang_up(call);
    desk.run(secs(5));
    let by = Some(DigitSource::TelephoneEvent);
    let counted = Keyed { keys: 7 + 3 + 7 + 1, wrong_pins: 1, too_short: 1, no_input: 1, blocked_pins: 0, by };
    assert_eq!(desk.records[0].keyed, counted);
    let record = serde_json::to_string(&desk.records[0]).unwrap();
    assert!(
        record.contains(
            r#""keyed":{"keys":18,"wrong_pins":1,"too_short":1,"no_input":1,"blocked_pins":0,"by":"rfc4733"}"#
        ),
        "{record}"
    );
    // Who keys nothing where nothing is asked has no such line; nor has a call that an administrator ends.
    let mut desk = named_by_digits();
    let call = desk.call(CARRIER, "+442081110001", "2000");
    desk.run(secs(5));
    assert!(matches!(desk.ask(Request::Kick { call: call.to_string() }), Reply::Done(_)));
    desk.run(secs(20));
    assert!(!serde_json::to_string(&desk.records[0]).unwrap().contains("keyed"));
}

#[test]
fn after_ten_seconds_of_silence_the_prompt_is_repeated_and_no_try_is_spent() {
    let mut desk = Desk::new(&dialplan("collect = { tries = 2 }\nthen = { room = \"by-pin\" }", ""));
    let call = desk.call(CARRIER, "+442081110001", "1000");
    let heard = |desk: &Desk| desk.heard_by(call).len();
    desk.run_until(secs(5), |desk| heard(desk) == 1);
    let waited = desk.run_until(secs(60), |desk| heard(desk) > 1);
    let [after, looked_at] = [PROMPT + secs(10), secs(1)];
    assert!(waited >= after && waited < after + looked_at, "{waited:?} from the beginning of the prompt");
    assert_eq!(desk.heard_by(call), ["enter-pin", "no-input", "enter-pin"]);
    // Both tries are left.
    desk.run(secs(5));
    desk.key(call, "909192#");
    desk.run(secs(5));
    desk.key(call, "909192#");
    desk.run(secs(5));
    assert_eq!(desk.heard_by(call)[3..], ["wrong-pin", "enter-pin", "wrong-pin", "goodbye"]);
}
