//! Rooms that the API makes and locks are there after a kill.

use super::super::harness::http::request;
use super::super::harness::postgres::Postgres;
use super::super::harness::{ADMIN, OPERATOR, Phone, Setup, VIEWER, seconds};
use serde_json::json;

/// Made, changed, locked and taken away; killed, and started again.
fn are_there_after_a_kill(setup: Setup) {
    let gateway = setup.web().start();
    let ask = |method: &str, path: &str, token: &str, body: &str| {
        let body = Some(body).filter(|body| !body.is_empty());
        let answer = request(&gateway, method, path, Some(token), body);
        assert!(answer.status < 300, "{method} {path}: {}", answer.body);
    };
    ask("POST", "/api/v1/rooms", ADMIN, r#"{"name":"the board","pin":"902816"}"#);
    ask("PUT", "/api/v1/rooms/the%20board", ADMIN, r#"{"pin":"902817","host_pin":"663172","max_members":3}"#);
    ask("POST", "/api/v1/rooms", ADMIN, r#"{"name":"gone","pin":"551627"}"#);
    ask("DELETE", "/api/v1/rooms/gone", ADMIN, "");
    ask("PUT", "/api/v1/rooms/lobby/lock", OPERATOR, r#"{"locked":true}"#);
    gateway.wait_for("all is written", seconds(10), |status| status["backlog"]["rooms_waiting"] == 0);
    let gateway = gateway.kill_and_start_again();
    gateway.wait_for_log("rooms loaded", seconds(20));
    let rooms = request(&gateway, "GET", "/api/v1/rooms", Some(VIEWER), None).json();
    let seen = |name: &str| rooms.as_array().unwrap().iter().find(|room| room["name"] == name).cloned();
    let board = json!({ "name": "the board", "origin": "made", "locked": false, "calls": [] });
    assert_eq!((seen("the board"), seen("gone")), (Some(board), None), "{rooms}");
    assert_eq!(seen("lobby").unwrap()["locked"], true, "{rooms}");
    let late = Phone::dials("2000").seconds(20.0).run(&gateway).answered();
    assert!(late.output.contains("hung up"), "it is locked: {}", late.output);
    let phone = Phone::dials("1000").keys("902817#", 1.0).seconds(20.0).call(&gateway);
    gateway.wait_for_members("the board", 1);
    gateway.kick_only_call();
    phone.finish().answered();
    let remains = gateway.finish();
    remains.assert_silent_about(&["902816", "902817", "663172", "551627"]);
}

#[test]
fn made_rooms_and_locks_are_there_after_a_kill() {
    are_there_after_a_kill(Setup::new());
}

#[test]
fn made_rooms_and_locks_are_there_after_a_kill_on_postgresql() {
    let postgres = Postgres::start();
    are_there_after_a_kill(Setup::new().setting(&format!("database = \"{}\"", postgres.url())));
}
