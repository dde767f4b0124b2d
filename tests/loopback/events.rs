//! `partyline ctl events`.

use super::harness::{Gateway, Phone, seconds, wait};
use serde_json::Value;

/// Whole lines, each a JSON object.
fn objects(lines: &str) -> Vec<Value> {
    let whole = lines.rfind('\n').map_or("", |end| &lines[..end]);
    whole.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"))).collect()
}

fn names(events: &[Value]) -> Vec<&str> {
    events.iter().map(|event| event["event"].as_str().unwrap()).collect()
}

#[test]
fn a_follower_sees_a_call_from_its_start_to_its_end_and_a_reload() {
    let gateway = Gateway::start();
    let follower = gateway.start_ctl(&["events", "--follow", "--json"]);
    let phone = Phone::dials("2000").from("+442079460123").seconds(20.0).call(&gateway);
    gateway.wait_for_members("lobby", 1);
    gateway.kick_only_call();
    phone.finish().answered();
    assert_eq!(gateway.ctl(&["reload"]).code(), 0);
    let events = wait::until("the event of the reload", seconds(5), || {
        let events = objects(&follower.output());
        (events.last()?["event"] == "reloaded").then_some(events)
    });
    let expected = ["call_started", "call_answered", "room_joined", "room_left", "call_ended", "reloaded"];
    assert_eq!(names(&events), expected);
    let call = &events[0]["call"];
    assert!(events[..5].iter().all(|event| event["call"] == *call && event["at"].is_string()), "{events:?}");
    assert_eq!(
        (&events[0]["way"], &events[0]["trunk"], &events[0]["route"]),
        (&"in".into(), &"local".into(), &"Lobby".into())
    );
    assert_eq!((&events[2]["room"], &events[2]["members"]), (&"lobby".into(), &1.into()));
    assert_eq!((&events[4]["cause"], &events[4]["status"]), (&"kicked".into(), &200.into()));

    // Whoever comes later finds the last ones.
    let last = gateway.ctl(&["events", "--last", "2", "--json"]);
    assert_eq!((last.code(), objects(&last.output)), (0, events[4..].to_vec()));
    let words = gateway.ctl(&["events"]).output;
    assert_eq!(words.lines().count(), expected.len());
    assert!(words.contains(" call_ended call=") && words.contains(" from=+442…23 number=2000 "), "{words}");
    assert!(!words.contains("2079460123"), "{words}");

    // A follower that is there at the end does not hold the gateway.
    gateway.finish();
    assert_eq!(follower.finish(seconds(5)).code(), 1);
}
