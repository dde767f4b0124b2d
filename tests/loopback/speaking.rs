//! Who speaks in a room, as followers of the API's events hear of it and call records say it.

use super::harness::http::{WebSocket, request};
use super::harness::slot::Slot;
use super::harness::{Gateway, Phone, Setup, VIEWER, seconds, sound, wait};
use serde_json::{Value, json};

const ROOM: &str = "\
[rooms.office]
announce = \"none\"
alone = \"silence\"
[[routes]]
name = \"Office\"
from = \"local\"
number = \"2900\"
room = \"office\"
";

/// Writes three seconds of speech and so many of silence.
fn speech(gateway: &Gateway, name: &str, pause: usize) -> std::path::PathBuf {
    let mut samples = ["enter-pin", "room-full", "press-one"].map(sound::prompt).concat();
    samples.resize(3 * 8_000, 0);
    samples.resize((3 + pause) * 8_000, 0);
    let path = gateway.folder().join(name);
    sound::write(&path, &samples);
    path
}

/// The call of who calls from this number.
fn call_of(gateway: &Gateway, from: &str) -> Value {
    let status = gateway.status();
    let calls = status["calls"].as_array().unwrap();
    calls.iter().find(|call| call["from"] == from).unwrap_or_else(|| panic!("{status:#}"))["call"].clone()
}

#[test]
fn a_follower_sees_who_speaks_and_who_after_that_and_the_records_say_for_how_long() {
    let _slot = Slot::take();
    let gateway = Setup::new().web().also(ROOM).start();
    let bearer = format!("Bearer {VIEWER}");
    let mut follower = WebSocket::open(&gateway, "/api/v1/events/ws", &[("Authorization", &bearer)]).unwrap();
    // The next time that somebody else speaks than before: who.
    let mut next = || loop {
        let event: Value = serde_json::from_str(&follower.receive_text()).unwrap();
        if event["event"] == "speaker_changed" {
            assert_eq!(event["room"], "office", "{event}");
            return event["call"].clone();
        }
    };
    let call = |from: &str, path: &std::path::Path, members| {
        let phone = Phone::dials("2900").from(from).plays(path).seconds(300.0).call(&gateway);
        gateway.wait_for_members("office", members);
        (phone, call_of(&gateway, from))
    };
    let silence = gateway.folder().join("silence.wav");
    sound::write(&silence, &[0; 8_000]);
    let (listener, listens) = call("1001", &silence, 1);
    let (anna, speaks) = call("1002", &speech(&gateway, "anna.wav", 6), 2);
    assert_eq!(next(), speaks, "Anna speaks");
    // Ben says as much in another rhythm: sooner or later in one of her pauses.
    let (ben, answers) = call("1003", &speech(&gateway, "ben.wav", 4), 3);
    let mut turns = vec![next()];
    while turns.last() != Some(&answers) {
        turns.push(next());
    }
    wait::until_true("the API says that somebody speaks", seconds(20), || {
        let room = request(&gateway, "GET", "/api/v1/rooms/office", Some(VIEWER), None).json();
        [&speaks, &answers].contains(&&room["speaker"])
    });
    gateway.ctl(&["kick", answers.as_str().unwrap()]);
    while next() != speaks {}
    // Left alone, she pauses, and is not who speaks any more.
    gateway.ctl(&["kick", listens.as_str().unwrap()]);
    gateway.wait_for_members("office", 1);
    assert_eq!(next(), Value::Null);
    gateway.ctl(&["kick", speaks.as_str().unwrap()]);
    for phone in [listener, anna, ben] {
        phone.finish();
    }
    let records = gateway.finish().records;
    let spoke = |call: &Value| {
        let record = records.iter().find(|record| record["call"] == *call).unwrap();
        record["media"]["active_speaker_ms"].clone()
    };
    assert_eq!(spoke(&listens), json!(null), "{records:#?}");
    for who in [&speaks, &answers] {
        assert!(spoke(who).as_u64() > Some(0), "{records:#?}");
    }
}
