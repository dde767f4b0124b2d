//! Every route of the API: good, bad and forbidden input.

use super::super::harness::http::{Http, request};
use super::super::harness::{ADMIN, Gateway, LOBBY, OPERATOR, Phone, Setup, VIEWER, seconds};
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// One request: method, path, token, body; then the status and, where it is refused, the rule. `CALL` in a path is the
/// call in room `lobby`, and `INVITATION` and `TOKEN` are those of an invitation to room `demo`.
type Row = (&'static str, &'static str, &'static str, &'static str, u16, &'static str);

const NO: &str = "";

/// In this order, while a call is in room `lobby` and nobody in `demo`.
const TABLE: &[Row] = &[
    ("GET", "/api/v1/status", VIEWER, NO, 200, NO),
    ("GET", "/api/v1/status", NO, NO, 401, "unauthorized"),
    ("GET", "/api/v1/status", "of-nobody-0123456789", NO, 401, "unauthorized"),
    ("GET", "/api/v1/status", LOBBY, NO, 403, "all-rooms"),
    ("GET", "/api/v1/ice-servers", LOBBY, NO, 200, NO),
    ("GET", "/api/v1/ice-servers", NO, NO, 401, "unauthorized"),
    ("GET", "/api/v1/rooms", VIEWER, NO, 200, NO),
    ("GET", "/api/v1/rooms", NO, NO, 401, "unauthorized"),
    ("POST", "/api/v1/rooms", ADMIN, r#"{"name":"board","pin":"902817"}"#, 201, NO),
    ("POST", "/api/v1/rooms", ADMIN, r#"{"name":"board"}"#, 409, "exists"),
    ("POST", "/api/v1/rooms", ADMIN, r#"{"name":"demo"}"#, 409, "in-dialplan"),
    ("POST", "/api/v1/rooms", ADMIN, r#"{"name":"other","pin":"482917"}"#, 409, "pin-taken"),
    ("POST", "/api/v1/rooms", ADMIN, r#"{"name":"other","pin":"12"}"#, 422, "invalid"),
    ("POST", "/api/v1/rooms", ADMIN, r#"{"name":" "}"#, 422, "invalid"),
    ("POST", "/api/v1/rooms", ADMIN, r#"{"name":"other","max_members":0}"#, 422, "invalid"),
    ("POST", "/api/v1/rooms", ADMIN, r#"{"name":"other","pim":"123456"}"#, 422, "invalid"),
    ("POST", "/api/v1/rooms", ADMIN, r#"{"name":7}"#, 422, "invalid"),
    ("POST", "/api/v1/rooms", ADMIN, "{", 400, "bad-request"),
    ("POST", "/api/v1/rooms", OPERATOR, r#"{"name":"other"}"#, 403, "role"),
    ("GET", "/api/v1/rooms/board", VIEWER, NO, 200, NO),
    ("GET", "/api/v1/rooms/nowhere", VIEWER, NO, 404, "no-such-room"),
    ("GET", "/api/v1/rooms/%ff", VIEWER, NO, 400, "bad-request"),
    ("GET", "/api/v1/rooms/demo", LOBBY, NO, 403, "room"),
    ("PUT", "/api/v1/rooms/board", ADMIN, r#"{"max_members":5}"#, 204, NO),
    ("PUT", "/api/v1/rooms/board", ADMIN, r#"{"max_members":5,"mute":["echo","noise"]}"#, 204, NO),
    ("PUT", "/api/v1/rooms/board", ADMIN, r#"{"mute":["dogs"]}"#, 422, "invalid"),
    ("PUT", "/api/v1/rooms/board", ADMIN, r#"{"pin":"x"}"#, 422, "invalid"),
    ("PUT", "/api/v1/rooms/demo", ADMIN, r#"{}"#, 409, "in-dialplan"),
    ("PUT", "/api/v1/rooms/nowhere", ADMIN, r#"{}"#, 404, "no-such-room"),
    ("PUT", "/api/v1/rooms/board", VIEWER, r#"{}"#, 403, "role"),
    ("PUT", "/api/v1/rooms/board/lock", OPERATOR, r#"{"locked":true}"#, 204, NO),
    ("PUT", "/api/v1/rooms/board/lock", OPERATOR, r#"{"locked":"yes"}"#, 422, "invalid"),
    ("PUT", "/api/v1/rooms/nowhere/lock", OPERATOR, r#"{"locked":true}"#, 404, "no-such-room"),
    ("PUT", "/api/v1/rooms/board/lock", VIEWER, r#"{"locked":true}"#, 403, "role"),
    ("PUT", "/api/v1/rooms/board/lock", LOBBY, r#"{"locked":true}"#, 403, "room"),
    ("DELETE", "/api/v1/rooms/board", OPERATOR, NO, 403, "role"),
    ("DELETE", "/api/v1/rooms/board", ADMIN, NO, 204, NO),
    ("DELETE", "/api/v1/rooms/board", ADMIN, NO, 404, "no-such-room"),
    ("DELETE", "/api/v1/rooms/demo", ADMIN, NO, 409, "in-dialplan"),
    ("GET", "/api/v1/rooms/lobby/participants", LOBBY, NO, 200, NO),
    ("GET", "/api/v1/rooms/nowhere/participants", VIEWER, NO, 404, "no-such-room"),
    ("GET", "/api/v1/rooms/demo/participants", LOBBY, NO, 403, "room"),
    ("POST", "/api/v1/rooms/lobby/dial", OPERATOR, r#"{"number":"+442079460123"}"#, 403, "not-allowed"),
    ("POST", "/api/v1/rooms/lobby/dial", OPERATOR, r#"{"number":"+442079460123","digits":"x"}"#, 422, "invalid"),
    ("POST", "/api/v1/rooms/nowhere/dial", OPERATOR, r#"{"number":"+442079460123"}"#, 404, "no-such-room"),
    ("POST", "/api/v1/rooms/lobby/dial", OPERATOR, r#"{}"#, 422, "invalid"),
    ("POST", "/api/v1/rooms/lobby/dial", VIEWER, r#"{"number":"+442079460123"}"#, 403, "role"),
    ("POST", "/api/v1/rooms/demo/dial", LOBBY, r#"{"number":"+442079460123"}"#, 403, "room"),
    ("POST", "/api/v1/rooms/lobby/play", LOBBY, r#"{"sound":"goodbye"}"#, 204, NO),
    ("POST", "/api/v1/rooms/lobby/play", OPERATOR, r#"{"sound":"/etc/passwd"}"#, 422, "no-such-sound"),
    ("POST", "/api/v1/rooms/lobby/play", OPERATOR, r#"{"sound":"http://127.0.0.1/a.mp3"}"#, 422, "no-such-sound"),
    ("POST", "/api/v1/rooms/demo/play", OPERATOR, r#"{"sound":"goodbye"}"#, 409, "nobody-there"),
    ("POST", "/api/v1/rooms/lobby/play", VIEWER, r#"{"sound":"goodbye"}"#, 403, "role"),
    ("POST", "/api/v1/rooms/lobby/say", OPERATOR, r#"{"text":"Goodbye."}"#, 204, NO),
    ("POST", "/api/v1/rooms/lobby/say", OPERATOR, r#"{"text":" "}"#, 422, "invalid"),
    ("POST", "/api/v1/rooms/demo/say", OPERATOR, r#"{"text":"Goodbye."}"#, 409, "nobody-there"),
    ("POST", "/api/v1/rooms/demo/say", LOBBY, r#"{"text":"Goodbye."}"#, 403, "room"),
    ("POST", "/api/v1/rooms/lobby/messages", OPERATOR, r#"{"text":"Slides at example.com."}"#, 204, NO),
    ("POST", "/api/v1/rooms/lobby/messages", OPERATOR, r#"{"text":""}"#, 422, "invalid"),
    ("POST", "/api/v1/rooms/lobby/messages", OPERATOR, r#"{"words":"x"}"#, 422, "invalid"),
    ("POST", "/api/v1/rooms/demo/messages", OPERATOR, r#"{"text":"x"}"#, 409, "nobody-there"),
    ("POST", "/api/v1/rooms/lobby/messages", VIEWER, r#"{"text":"x"}"#, 403, "role"),
    ("POST", "/api/v1/rooms/demo/messages", LOBBY, r#"{"text":"x"}"#, 403, "room"),
    ("GET", "/api/v1/calls", VIEWER, NO, 200, NO),
    ("GET", "/api/v1/calls", NO, NO, 401, "unauthorized"),
    ("GET", "/api/v1/calls/CALL", LOBBY, NO, 200, NO),
    ("GET", "/api/v1/calls/call-4711", VIEWER, NO, 404, "no-such-call"),
    ("GET", "/api/v1/calls/CALL", NO, NO, 401, "unauthorized"),
    ("PUT", "/api/v1/calls/CALL/mute", LOBBY, r#"{"muted":true}"#, 204, NO),
    ("PUT", "/api/v1/calls/CALL/mute", OPERATOR, r#"{"muted":1}"#, 422, "invalid"),
    ("PUT", "/api/v1/calls/call-4711/mute", OPERATOR, r#"{"muted":true}"#, 404, "no-such-call"),
    ("PUT", "/api/v1/calls/CALL/mute", VIEWER, r#"{"muted":true}"#, 403, "role"),
    ("PUT", "/api/v1/calls/CALL/gain", LOBBY, r#"{"decibels":-6}"#, 204, NO),
    ("PUT", "/api/v1/calls/CALL/gain", OPERATOR, r#"{"decibels":21}"#, 422, "invalid"),
    ("PUT", "/api/v1/calls/CALL/gain", OPERATOR, r#"{"decibels":-41}"#, 422, "invalid"),
    ("PUT", "/api/v1/calls/CALL/gain", OPERATOR, r#"{"decibels":1000}"#, 422, "invalid"),
    ("PUT", "/api/v1/calls/call-4711/gain", OPERATOR, r#"{"decibels":0}"#, 404, "no-such-call"),
    ("PUT", "/api/v1/calls/CALL/gain", VIEWER, r#"{"decibels":0}"#, 403, "role"),
    ("PUT", "/api/v1/calls/CALL/hold", OPERATOR, r#"{"held":false}"#, 409, "no-change"),
    ("PUT", "/api/v1/calls/CALL/hold", OPERATOR, r#"{"held":true}"#, 204, NO),
    ("PUT", "/api/v1/calls/CALL/hold", OPERATOR, r#"{"held":false}"#, 204, NO),
    ("PUT", "/api/v1/calls/call-4711/hold", OPERATOR, r#"{"held":true}"#, 404, "no-such-call"),
    ("PUT", "/api/v1/calls/CALL/hold", VIEWER, r#"{"held":true}"#, 403, "role"),
    ("POST", "/api/v1/calls/CALL/digits", LOBBY, r#"{"digits":"12#"}"#, 204, NO),
    ("POST", "/api/v1/calls/CALL/digits", OPERATOR, r#"{"digits":"12x"}"#, 422, "invalid"),
    ("POST", "/api/v1/calls/call-4711/digits", OPERATOR, r#"{"digits":"1"}"#, 404, "no-such-call"),
    ("POST", "/api/v1/calls/CALL/digits", VIEWER, r#"{"digits":"1"}"#, 403, "role"),
    ("POST", "/api/v1/calls/CALL/play", OPERATOR, r#"{"sound":"../../etc/passwd"}"#, 422, "no-such-sound"),
    ("POST", "/api/v1/calls/call-4711/play", OPERATOR, r#"{"sound":"goodbye"}"#, 404, "no-such-call"),
    ("POST", "/api/v1/calls/CALL/play", VIEWER, r#"{"sound":"goodbye"}"#, 403, "role"),
    ("POST", "/api/v1/calls/call-4711/say", OPERATOR, r#"{"text":"Goodbye."}"#, 404, "no-such-call"),
    ("POST", "/api/v1/calls/CALL/say", OPERATOR, r#"{}"#, 422, "invalid"),
    ("POST", "/api/v1/calls/CALL/say", VIEWER, r#"{"text":"Goodbye."}"#, 403, "role"),
    ("POST", "/api/v1/calls/CALL/messages", OPERATOR, r#"{"text":"A telephone reads nothing."}"#, 403, "not-allowed"),
    ("POST", "/api/v1/calls/CALL/messages", OPERATOR, r#"{}"#, 422, "invalid"),
    ("POST", "/api/v1/calls/call-4711/messages", OPERATOR, r#"{"text":"x"}"#, 404, "no-such-call"),
    ("POST", "/api/v1/calls/CALL/messages", VIEWER, r#"{"text":"x"}"#, 403, "role"),
    ("POST", "/api/v1/calls/CALL/transfer", OPERATOR, r#"{"number":"+442079460123"}"#, 403, "not-allowed"),
    ("POST", "/api/v1/calls/call-4711/transfer", OPERATOR, r#"{"number":"+442079460123"}"#, 404, "no-such-call"),
    ("POST", "/api/v1/calls/CALL/transfer", VIEWER, r#"{"number":"+442079460123"}"#, 403, "role"),
    ("PUT", "/api/v1/calls/CALL/room", LOBBY, r#"{"room":"demo"}"#, 403, "room"),
    ("PUT", "/api/v1/calls/CALL/room", OPERATOR, r#"{"room":"nowhere"}"#, 404, "no-such-room"),
    ("PUT", "/api/v1/calls/CALL/room", OPERATOR, r#"{"room":"lobby"}"#, 409, "no-change"),
    ("PUT", "/api/v1/calls/CALL/room", VIEWER, r#"{"room":"demo"}"#, 403, "role"),
    ("PUT", "/api/v1/calls/CALL/room", OPERATOR, r#"{"room":"demo"}"#, 204, NO),
    // It is in a room that this token is not good for.
    ("GET", "/api/v1/calls/CALL", LOBBY, NO, 404, "no-such-call"),
    ("DELETE", "/api/v1/calls/CALL", LOBBY, NO, 404, "no-such-call"),
    ("DELETE", "/api/v1/calls/CALL", VIEWER, NO, 403, "role"),
    ("DELETE", "/api/v1/calls/call-4711", OPERATOR, NO, 404, "no-such-call"),
    ("DELETE", "/api/v1/rooms/demo/participants", LOBBY, NO, 403, "room"),
    ("DELETE", "/api/v1/rooms/demo/participants", VIEWER, NO, 403, "role"),
    ("DELETE", "/api/v1/rooms/lobby/participants", OPERATOR, NO, 409, "nobody-there"),
    ("DELETE", "/api/v1/rooms/demo/participants", OPERATOR, NO, 204, NO),
    ("GET", "/api/v1/records", OPERATOR, NO, 200, NO),
    ("GET", "/api/v1/records?limit=0", OPERATOR, NO, 400, "bad-request"),
    ("GET", "/api/v1/records?limit=many", OPERATOR, NO, 400, "bad-request"),
    ("GET", "/api/v1/records", VIEWER, NO, 403, "role"),
    ("POST", "/api/v1/users", ADMIN, r#"{"name":"anna","password":"long and random"}"#, 201, NO),
    ("POST", "/api/v1/users", ADMIN, r#"{"name":"anna","password":"long and random"}"#, 409, "exists"),
    ("POST", "/api/v1/users", ADMIN, r#"{"name":"an na","password":"long and random"}"#, 422, "invalid"),
    ("POST", "/api/v1/users", ADMIN, r#"{"name":"ben","password":""}"#, 422, "invalid"),
    ("POST", "/api/v1/users", ADMIN, r#"{"name":"ben"}"#, 422, "invalid"),
    ("POST", "/api/v1/users", OPERATOR, r#"{"name":"ben","password":"long and random"}"#, 403, "role"),
    ("GET", "/api/v1/users/anna", VIEWER, NO, 200, NO),
    ("GET", "/api/v1/users/ben", VIEWER, NO, 404, "no-such-user"),
    ("GET", "/api/v1/users/anna", LOBBY, NO, 403, "all-rooms"),
    ("PATCH", "/api/v1/users/anna", ADMIN, r#"{"display_name":"Anna A.","temporary":3600}"#, 200, NO),
    ("PATCH", "/api/v1/users/anna", ADMIN, r#"{"password":"longer and random","temporary":0}"#, 200, NO),
    ("PATCH", "/api/v1/users/anna", ADMIN, r#"{}"#, 422, "invalid"),
    ("PATCH", "/api/v1/users/anna", ADMIN, r#"{"max_calls":0}"#, 422, "invalid"),
    ("PATCH", "/api/v1/users/anna", ADMIN, r#"{"name":"ben"}"#, 422, "invalid"),
    ("PATCH", "/api/v1/users/ben", ADMIN, r#"{"max_calls":1}"#, 404, "no-such-user"),
    ("PATCH", "/api/v1/users/anna", OPERATOR, r#"{"max_calls":1}"#, 403, "role"),
    ("DELETE", "/api/v1/users/anna", OPERATOR, NO, 403, "role"),
    ("DELETE", "/api/v1/users/ben", ADMIN, NO, 404, "no-such-user"),
    ("GET", "/api/v1/users", VIEWER, NO, 200, NO),
    ("DELETE", "/api/v1/users/anna", ADMIN, NO, 204, NO),
    ("GET", "/api/v1/users", LOBBY, NO, 403, "all-rooms"),
    ("POST", "/api/v1/rooms/demo/invitations", OPERATOR, r#"{"name":"Anna","expires":"2h"}"#, 201, NO),
    ("POST", "/api/v1/rooms/demo/invitations", OPERATOR, r#"{"name":"","expires":"2h"}"#, 422, "invalid"),
    ("POST", "/api/v1/rooms/demo/invitations", OPERATOR, r#"{"name":"Anna","expires":"tomorrow"}"#, 422, "invalid"),
    ("POST", "/api/v1/rooms/demo/invitations", OPERATOR, r#"{"name":"Anna","expires":"2years"}"#, 422, "invalid"),
    ("POST", "/api/v1/rooms/demo/invitations", OPERATOR, r#"{"name":"Anna"}"#, 422, "invalid"),
    ("POST", "/api/v1/rooms/nowhere/invitations", OPERATOR, r#"{"name":"Anna","expires":"2h"}"#, 404, "no-such-room"),
    ("POST", "/api/v1/rooms/demo/invitations", VIEWER, r#"{"name":"Anna","expires":"2h"}"#, 403, "role"),
    ("POST", "/api/v1/rooms/demo/invitations", LOBBY, r#"{"name":"Anna","expires":"2h"}"#, 403, "room"),
    ("POST", "/api/v1/rooms/demo/invitations", NO, r#"{"name":"Anna","expires":"2h"}"#, 401, "unauthorized"),
    ("GET", "/api/v1/rooms/demo/invitations", OPERATOR, NO, 200, NO),
    ("GET", "/api/v1/rooms/nowhere/invitations", OPERATOR, NO, 404, "no-such-room"),
    ("GET", "/api/v1/rooms/demo/invitations", VIEWER, NO, 403, "role"),
    ("GET", "/api/v1/rooms/demo/invitations", LOBBY, NO, 403, "room"),
    ("GET", "/join/demo/TOKEN", NO, NO, 200, NO),
    ("GET", "/join/lobby/TOKEN", NO, NO, 403, "invitation-room"),
    ("GET", "/join/demo/TOKENA", NO, NO, 403, "invitation-altered"),
    ("GET", "/join/%ff/TOKEN", NO, NO, 400, "bad-request"),
    ("POST", "/join/demo/TOKEN", NO, NO, 201, NO),
    ("POST", "/join/lobby/TOKEN", NO, NO, 403, "invitation-room"),
    ("POST", "/join/demo/nonsense", NO, NO, 403, "invitation-altered"),
    ("DELETE", "/api/v1/rooms/demo/invitations/INVITATION", VIEWER, NO, 403, "role"),
    ("DELETE", "/api/v1/rooms/demo/invitations/INVITATION", LOBBY, NO, 403, "room"),
    ("DELETE", "/api/v1/rooms/lobby/invitations/INVITATION", OPERATOR, NO, 404, "no-such-invitation"),
    ("DELETE", "/api/v1/rooms/demo/invitations/INVITATION", OPERATOR, NO, 204, NO),
    ("DELETE", "/api/v1/rooms/demo/invitations/INVITATION", OPERATOR, NO, 409, "no-change"),
    ("GET", "/join/demo/TOKEN", NO, NO, 410, "invitation-revoked"),
    ("POST", "/join/demo/TOKEN", NO, NO, 410, "invitation-revoked"),
    ("GET", "/api/v1/events", NO, NO, 401, "unauthorized"),
    ("GET", "/api/v1/events?last=x", VIEWER, NO, 400, "bad-request"),
    ("POST", "/api/v1/drain", OPERATOR, r#"{}"#, 403, "role"),
    ("POST", "/api/v1/drain", ADMIN, r#"{"seconds":"soon"}"#, 422, "invalid"),
];

fn ask(gateway: &Gateway, method: &str, path: &str, token: &str, body: &str) -> super::super::harness::http::Answer {
    request(
        gateway,
        method,
        path,
        Some(token).filter(|token| !token.is_empty()),
        Some(body).filter(|body| !body.is_empty()),
    )
}

/// With the usual routes and one for users, without which there are none.
fn with_users() -> Gateway {
    let routes = "[[routes]]\nname = \"Users\"\nfrom = \"users\"\nnumber = \"2000\"\nroom = \"lobby\"\n";
    let gateway = Setup::new().also(routes).web().start();
    gateway.wait_for_log("users loaded", seconds(20));
    gateway
}

#[test]
fn every_route_does_what_it_says_and_refuses_the_rest_by_its_rule() {
    let gateway = with_users();
    let phone = Phone::dials("2000").from("+442079460123").seconds(40.0).call(&gateway);
    gateway.wait_for_members("lobby", 1);
    let call = gateway.status()["calls"][0]["call"].as_str().unwrap().to_owned();
    let invitation = r#"{"name":"Ben","expires":"2h"}"#;
    let invited = ask(&gateway, "POST", "/api/v1/rooms/demo/invitations", OPERATOR, invitation).json();
    let (id, sealed) = (invited["id"].as_str().unwrap(), invited["token"].as_str().unwrap());
    for (method, path, token, body, status, rule) in TABLE {
        let path = path.replace("CALL", &call).replace("INVITATION", id).replace("TOKEN", sealed);
        let answer = ask(&gateway, method, &path, token, body);
        assert_eq!(answer.status, *status, "{method} {path} {body}: {}", answer.body);
        if !rule.is_empty() {
            assert_eq!(answer.rule(), *rule, "{method} {path} {body}: {}", answer.body);
        }
    }
    assert!(phone.finish().answered().output.contains("hung up"));
    let records = ask(&gateway, "GET", "/api/v1/records?limit=1", LOBBY, NO).json();
    assert_eq!(records[0]["rooms"], json!(["lobby", "demo"]), "{records}");
    assert_eq!(ask(&gateway, "GET", "/api/v1/records?room=red", OPERATOR, NO).json(), json!([]));
    let remains = gateway.finish();
    assert!(remains.says(&["API: operator: PUT /api/v1/calls/{call}/mute: 422"]), "{}", remains.log);
    assert!(!remains.log.contains("902817"), "a PIN is in the log");
}

/// Where a route that takes a peer, or ends the gateway, is tried with good input: method, path, file and test.
const ELSEWHERE: [(&str, &str, &str, &str); 8] = [
    ("DELETE", "/api/v1/calls/{call}", CALLS, "a_call_is_played_to_and_spoken_to_transferred_and_hung_up"),
    ("POST", "/api/v1/calls/{call}/play", CALLS, "a_call_is_played_to_and_spoken_to_transferred_and_hung_up"),
    ("POST", "/api/v1/calls/{call}/say", CALLS, "a_call_is_played_to_and_spoken_to_transferred_and_hung_up"),
    ("POST", "/api/v1/calls/{call}/messages", CALLS, "what_the_api_writes_the_client_of_a_call_and_of_a_room_reads"),
    ("POST", "/api/v1/calls/{call}/transfer", CALLS, "a_call_is_played_to_and_spoken_to_transferred_and_hung_up"),
    ("POST", "/api/v1/rooms/{room}/dial", CALLS, "somebody_is_called_into_a_room"),
    ("POST", "/api/v1/drain", include_str!("api.rs"), "a_drain_by_the_api_ends_the_gateway_after_its_calls"),
    (
        "GET",
        "/api/v1/events",
        include_str!("events.rs"),
        "a_call_is_followed_over_websocket_and_by_server_sent_events_and_each_token_sees_its_rooms",
    ),
];
const CALLS: &str = include_str!("calls.rs");

#[test]
fn every_route_of_the_description_is_tried_with_good_bad_and_forbidden_input() {
    let gateway = Setup::new().web().start();
    let api = request(&gateway, "GET", "/api/openapi.json", None, None).json();
    let mut count = 0;
    for (path, methods) in api["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            count += 1;
            let method = method.to_uppercase();
            let pattern: Vec<&str> = path.split('/').collect();
            let is_this = |row: &&Row| {
                let asked: Vec<&str> = row.1.split('?').next().unwrap().split('/').collect();
                row.0 == method
                    && asked.len() == pattern.len()
                    && asked.iter().zip(&pattern).all(|(asked, part)| part.starts_with('{') || asked == part)
            };
            let statuses: BTreeSet<u16> = TABLE.iter().filter(is_this).map(|row| row.4).collect();
            let elsewhere = ELSEWHERE.iter().find(|(other, place, ..)| *other == method && place == path);
            if let Some((.., file, test)) = elsewhere {
                assert!(file.contains(&format!("#[test]\nfn {test}()")), "there is no test {test}");
            }
            let tried =
                |what: &str, is_tried: bool| assert!(is_tried, "{method} {path}: no {what} input: {statuses:?}");
            tried("good", elsewhere.is_some() || statuses.iter().any(|status| *status < 300));
            let is_forbidden = |status: &u16| matches!(status, 401 | 403);
            tried("forbidden", statuses.iter().any(is_forbidden));
            // What takes nothing can be given nothing bad.
            let takes = operation["parameters"].is_array() || operation["requestBody"].is_object();
            tried("bad", !takes || statuses.iter().any(|status| *status >= 400 && !is_forbidden(status)));
            let known = &operation["responses"];
            for status in statuses {
                assert!(known[status.to_string()].is_object(), "{method} {path}: {status} is not described");
            }
        }
    }
    assert!(count > 30, "{count} operations");
    gateway.finish();
}

#[test]
fn rooms_are_seen_as_they_are_and_a_made_one_is_opened_by_its_pin() {
    let gateway = Setup::new().web().start();
    let made = ask(&gateway, "POST", "/api/v1/rooms", ADMIN, r#"{"name":"the board","pin":"902817"}"#);
    assert_eq!(made.header("location"), Some("/api/v1/rooms/the%20board"));
    assert_eq!(made.json(), json!({ "name": "the board", "origin": "made", "locked": false, "calls": [] }));
    let phone = Phone::dials("1000").keys("902817#", 1.0).seconds(30.0).call(&gateway);
    gateway.wait_for_members("the board", 1);
    Phone::dials("3001").seconds(1.0).run(&gateway).answered();
    ask(&gateway, "PUT", "/api/v1/rooms/the%20board/lock", OPERATOR, r#"{"locked":true}"#);
    let rooms = ask(&gateway, "GET", "/api/v1/rooms", VIEWER, NO).json();
    let seen = |name: &str| rooms.as_array().unwrap().iter().find(|room| room["name"] == name).cloned().unwrap();
    assert_eq!((&seen("demo")["origin"], &seen("lobby")["origin"]), (&json!("dialplan"), &json!("dialplan")));
    assert_eq!((&seen("the board")["locked"], seen("the board")["calls"].as_array().unwrap().len()), (&json!(true), 1));
    let inside = ask(&gateway, "GET", "/api/v1/rooms/the%20board/participants", VIEWER, NO).json();
    assert_eq!((&inside[0]["state"], &inside[0]["muted"]), (&json!("answered"), &json!(false)), "{inside}");
    let late = Phone::dials("1000").keys("902817#", 1.0).seconds(20.0).run(&gateway).answered();
    assert!(late.output.contains("hung up"), "{}", late.output);
    assert_eq!(ask(&gateway, "DELETE", "/api/v1/rooms/the%20board/participants", OPERATOR, NO).status, 204);
    phone.finish().answered();
    gateway.wait_for("all are gone", seconds(5), |status| status["calls"].as_array().unwrap().is_empty());
    let remains = gateway.finish();
    remains.assert_silent_about(&["902817"]);
}

#[test]
fn users_are_made_as_programs_written_for_a_hosted_platform_make_them() {
    let gateway = with_users();
    let ask = |path: &str, query: &str| {
        let answer = request(&gateway, "GET", &format!("/platform_api/{path}?{query}"), None, None);
        (answer.status, answer.json())
    };
    let key = format!("account_name=admin&api_key={ADMIN}");
    let anna = format!("{key}&user_name=anna&user_display_name=Anna%20A.&user_password=long+and+random");
    let code = |(status, answer): (u16, Value)| (status, answer["error"]["code"].as_u64().unwrap_or_default());
    assert_eq!(ask("AddUser", &format!("{anna}&application_name=app")), (200, json!({ "result": 1 })));
    assert_eq!(code(ask("AddUser", &anna)), (200, 409));
    assert_eq!(code(ask("AddUser", &format!("{key}&user_name=ben"))), (200, 400));
    let users = request(&gateway, "GET", "/api/v1/users", Some(VIEWER), None).json();
    assert_eq!((&users[0]["name"], &users[0]["display_name"]), (&json!("anna"), &json!("Anna A.")));
    assert_eq!(ask("BindUser", &format!("{key}&user_name=anna&application_name=app")), (200, json!({ "result": 1 })));
    assert_eq!(code(ask("BindUser", &format!("{key}&user_name=ben"))), (200, 404));
    for wrong in [
        "account_name=admin&api_key=of-nobody-0123456789".to_owned(),
        format!("account_name=viewer&api_key={ADMIN}"),
        format!("account_name=admin&api_key={VIEWER}"),
    ] {
        assert_eq!(code(ask("DelUser", &format!("{wrong}&user_name=anna"))), (200, 401), "{wrong}");
    }
    let viewer = format!("account_name=viewer&api_key={VIEWER}&user_name=anna");
    assert_eq!(code(ask("DelUser", &viewer)), (200, 403));
    assert_eq!(code(ask("DelUser", "user_name=anna")), (200, 400));
    let form = [("Content-Type", "application/x-www-form-urlencoded")];
    let sent = Http::open(&gateway).send("POST", "/platform_api/DelUser", &form, &format!("{key}&user_name=anna"));
    assert_eq!(sent.unwrap().json(), json!({ "result": 1 }));
    assert_eq!(code(ask("DelUser", &format!("{key}&user_name=anna"))), (200, 404));
    let remains = gateway.finish();
    assert!(!remains.log.contains(ADMIN) && !remains.log.contains("long and random"), "{}", remains.log);
}

#[test]
fn a_drain_by_the_api_ends_the_gateway_after_its_calls() {
    let gateway = Setup::new().web().start();
    let phone = Phone::dials("2000").seconds(4.0).call(&gateway);
    gateway.wait_for_members("lobby", 1);
    assert_eq!(ask(&gateway, "POST", "/api/v1/drain", ADMIN, r#"{"seconds":30}"#).status, 202);
    let status: Value = ask(&gateway, "GET", "/api/v1/status", VIEWER, NO).json();
    assert_eq!((&status["draining"], &status["calls"]), (&json!(true), &json!(1)));
    phone.finish().answered();
}

#[test]
fn the_page_is_whole_and_names_no_other_server() {
    let gateway = Setup::new().web().start();
    for path in ["/api/", "/api/page.js", "/api/page.css", "/api/openapi.json", "/api/asyncapi.yaml", "/api/problems"] {
        let answer = Http::open(&gateway).send("GET", path, &[], "").unwrap();
        assert_eq!(answer.status, 200, "{path}");
        assert!(!answer.body.contains("https://"), "{path}");
    }
    let problems = request(&gateway, "GET", "/api/problems", None, None).body;
    for row in TABLE.iter().filter(|row| !row.5.is_empty()) {
        assert!(problems.contains(&format!("id=\"{}\"", row.5)), "{}", row.5);
    }
    gateway.finish();
}

/// The variants of the gateway's events, as they are written.
fn events() -> Vec<String> {
    let source = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/src/gateway/event.rs")).unwrap();
    let file = syn::parse_file(&source).unwrap();
    let event = file.items.iter().find_map(|item| match item {
        syn::Item::Enum(item) if item.ident == "Event" => Some(item),
        _ => None,
    });
    let snake = |name: String| {
        let parts = name.char_indices().map(|(at, letter)| match letter {
            'A'..='Z' if at > 0 => format!("_{}", letter.to_ascii_lowercase()),
            letter => letter.to_ascii_lowercase().to_string(),
        });
        parts.collect::<String>()
    };
    event.unwrap().variants.iter().map(|variant| snake(variant.ident.to_string())).collect()
}

#[test]
fn the_description_of_events_knows_them_all() {
    let described = include_str!("../../../docs/asyncapi.yaml");
    let known = events();
    assert!(known.len() > 10, "{known:?}");
    for event in known {
        let channel = format!("      {event}: {{ $ref: '#/components/messages/{event}' }}");
        assert!(described.contains(&channel) && described.contains(&format!("event: {{ const: {event} }}")), "{event}");
    }
}
