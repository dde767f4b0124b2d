//! Users: telephones that register here, call and are called, and are there again after a restart.

use super::harness::baresip::Baresip;
use super::harness::http::request;
use super::harness::linphone::Linphone;
use super::harness::postgres::Postgres;
use super::harness::slot::Slot;
use super::harness::{ADMIN, Gateway, Phone, Setup, address, seconds, sound};
use serde_json::Value;
use std::net::TcpListener;

const OURS: f64 = 500.0;
const BARESIPS: f64 = 900.0;
const LINPHONES: f64 = 900.0;
/// Seconds that baresip is there for.
const LENGTH: u64 = 32;
const PASSWORD: &str = "staple-gun-and-glue";

/// Alice stands in the dialplan; whoever else there is was made.
const ROUTES: &str = r#"
[users.alice]
display_name = "Alice Ashton"
password     = { plain = "correct horse battery" }

[rooms.lobby]
announce = "none"

[[routes]]
name   = "Lobby"
from   = "users"
number = "2000"
room   = "lobby"

[[routes]]
name    = "ToUser"
from    = "users"
number  = '1\d{3}|alice'
to_user = "{number}"
"#;

fn setup() -> Setup {
    Setup::new().routes(ROUTES)
}

/// A gateway with user 1003 too.
fn with_user(setup: Setup) -> Gateway {
    let gateway = setup.start();
    gateway.wait_for_log("users loaded", seconds(10));
    add_user(&gateway);
    gateway
}

fn add_user(gateway: &Gateway) {
    let added = gateway.ctl_with(&["add-user", "1003", "--display-name", "Baresip"], &format!("{PASSWORD}\n"));
    assert_eq!(added.code(), 0, "{}{}", added.output, added.errors);
}

/// Where the gateway takes SIP by this transport.
fn place(gateway: &Gateway, transport: &str) -> String {
    address::host_port(gateway.address, if transport == "tls" { gateway.tls_port } else { gateway.port })
}

/// Baresip as user 1003.
fn baresip(gateway: &Gateway, transport: &str) -> Baresip {
    let encrypted = if transport == "tls" { ";mediaenc=srtp" } else { "" };
    let account = format!(";auth_user=1003;auth_pass={PASSWORD}{encrypted}");
    Baresip::registered(&place(gateway, transport), transport, BARESIPS, LENGTH, &account)
}

fn users(gateway: &Gateway) -> Vec<Value> {
    let listed = gateway.ctl(&["users", "--json"]);
    assert_eq!(listed.code(), 0, "{}", listed.errors);
    serde_json::from_str::<Value>(&listed.output).unwrap().as_array().unwrap().clone()
}

/// A telephone of ours, as Alice.
fn alice(number: &'static str) -> Phone {
    Phone::dials(number).from("alice").says(OURS).account("alice", "correct horse battery")
}

/// Baresip registers, calls a room, is called into it, and is called by another user; each time both hear each other.
fn registers_calls_and_is_called(transport: &str) {
    let _slot = Slot::take();
    let gateway = with_user(if transport == "tls" { setup().tls() } else { setup() });
    let baresip = baresip(&gateway, transport);
    let of_1003 = &users(&gateway)[0];
    assert_eq!((&of_1003["user"], &of_1003["in_dialplan"]), (&"1003".into(), &false.into()), "{of_1003}");
    let at = of_1003["bindings"][0]["address"].as_str().unwrap();
    assert!(at.starts_with(&format!("{transport}:127.0.0.1:")), "{at}");

    baresip.dial(&format!("sip:2000@{};transport={transport}", place(&gateway, transport)));
    gateway.wait_for_members("lobby", 1);
    let in_room = alice("2000").call(&gateway).finish().answered().heard;
    baresip.hang_up();
    gateway.wait_for("nobody is left", seconds(10), |status| status["calls"].as_array().unwrap().is_empty());

    let dialled = gateway.ctl(&["dial", "--room", "lobby", "user:1003"]);
    assert_eq!(dialled.code(), 0, "{}{}", dialled.output, dialled.errors);
    gateway.wait_for_members("lobby", 1);
    gateway.kick_only_call();
    gateway.wait_for("nobody is left", seconds(10), |status| status["calls"].as_array().unwrap().is_empty());

    let direct = alice("1003").call(&gateway).finish().answered().heard;
    gateway.wait_for("nobody is left", seconds(10), |status| status["calls"].as_array().unwrap().is_empty());
    let heard = baresip.finish_all(LENGTH);
    assert_eq!(heard.len(), 3, "calls of baresip");
    for (ours, baresips) in [(in_room, &heard[0]), (direct, &heard[2])] {
        sound::assert_hears_other_not_own("the phone", &ours, BARESIPS, OURS);
        sound::assert_hears_other_not_own("baresip", baresips, OURS, BARESIPS);
    }
    let remains = gateway.finish();
    remains.assert_silent_about(&["correct horse", "staple-gun"]);
    let of = |user: &str| remains.records.iter().filter(|record| record["user"] == *user).count();
    assert_eq!((of("1003"), of("alice")), (3, 2), "{:#?}", remains.records);
}

#[test]
fn baresip_registers_by_udp_calls_and_is_called() {
    registers_calls_and_is_called("udp");
}

#[test]
fn baresip_registers_by_tcp_calls_and_is_called_by_its_connection() {
    registers_calls_and_is_called("tcp");
}

#[test]
fn baresip_registers_by_tls_calls_and_is_called_with_srtp() {
    registers_calls_and_is_called("tls");
}

#[test]
fn linphone_registers_calls_and_is_called() {
    let _slot = Slot::take();
    let gateway = with_user(setup());
    let account = format!("[auth_info_0]\nusername=1003\nuserid=1003\npasswd={PASSWORD}\nrealm=partyline\n");
    let is_registered = || !users(&gateway)[0]["bindings"].as_array().unwrap().is_empty();
    let mut linphone = Linphone::registered_at(&place(&gateway, "udp"), &account, is_registered, LINPHONES);
    linphone.tell(&format!("call sip:2000@{}", place(&gateway, "udp")));
    gateway.wait_for_members("lobby", 1);
    let in_room = alice("2000").call(&gateway).finish().answered().heard;
    linphone.hang_up();
    gateway.wait_for("nobody is left", seconds(10), |status| status["calls"].as_array().unwrap().is_empty());

    let dialled = gateway.ctl(&["dial", "--room", "lobby", "user:1003"]);
    assert_eq!(dialled.code(), 0, "{}{}", dialled.output, dialled.errors);
    gateway.wait_for_members("lobby", 1);
    let called_in = alice("2000").call(&gateway).finish().answered().heard;
    linphone.hang_up();
    gateway.wait_for("nobody is left", seconds(10), |status| status["calls"].as_array().unwrap().is_empty());
    let heard = linphone.finish();
    assert_eq!(heard.len(), 2, "calls of linphonec");
    for (ours, linphones) in [(in_room, &heard[0]), (called_in, &heard[1])] {
        sound::assert_hears_other_not_own("the phone", &ours, LINPHONES, OURS);
        sound::assert_hears_other_not_own("linphonec", linphones, OURS, LINPHONES);
    }
    let remains = gateway.finish();
    remains.assert_silent_about(&["staple-gun"]);
    let of_1003: Vec<_> = remains.records.iter().filter(|record| record["user"] == "1003").collect();
    assert_eq!(of_1003.len(), 2, "{:#?}", remains.records);
}

#[test]
fn who_is_not_there_is_told_to_the_caller() {
    let gateway = with_user(setup());
    alice("1003").run(&gateway).failed_with(480);
    alice("1004").run(&gateway).failed_with(404);
    Phone::dials("2000").account("alice", "wrong").run(&gateway).failed_with(401);
    Phone::dials("2000").account("nobody", "correct horse battery").run(&gateway).failed_with(401);
    assert_eq!(gateway.ctl(&["dial", "--room", "lobby", "user:1003"]).code(), 1);
    assert_eq!(gateway.ctl(&["dial", "--room", "lobby", "user:nobody"]).code(), 1);
    gateway.finish();
}

#[test]
fn of_two_telephones_of_a_user_the_first_that_answers_has_the_call() {
    let _slot = Slot::take();
    let gateway = with_user(setup());
    let telephones = [baresip(&gateway, "udp"), baresip(&gateway, "tcp")];
    assert_eq!(users(&gateway)[0]["bindings"].as_array().unwrap().len(), 2);
    let call = alice("1003").call(&gateway);
    gateway.wait_for("both are in a call", seconds(10), |status| {
        let calls = status["calls"].as_array().unwrap();
        calls.len() == 2 && calls.iter().all(|call| call["state"] == "answered")
    });
    sound::assert_hears_other_not_own("the phone", &call.finish().answered().heard, BARESIPS, OURS);
    gateway.wait_for("nobody is left", seconds(10), |status| status["calls"].as_array().unwrap().is_empty());
    drop(telephones);
    gateway.finish();
}

/// Killed and started again, without anybody who registers: the user is there, and is called.
fn is_there_after_a_restart(setup: Setup) {
    let _slot = Slot::take();
    let gateway = with_user(setup);
    let mut baresip = baresip(&gateway, "udp");
    let changed = gateway.ctl(&["change-user", "1003", "--display-name", "Changed", "--max-calls", "3"]);
    assert_eq!(changed.code(), 0, "{}{}", changed.output, changed.errors);
    gateway.wait_for("the binding is written", seconds(10), |status| status["backlog"]["bindings_waiting"] == 0);
    let gateway = gateway.kill_and_start_again();
    gateway.wait_for_log("users loaded", seconds(5));
    assert_eq!(users(&gateway)[0]["display_name"], "Changed");
    let dialled = gateway.ctl(&["dial", "--room", "lobby", "user:1003"]);
    assert_eq!(dialled.code(), 0, "{}{}\n{}", dialled.output, dialled.errors, gateway.log());
    baresip.wait_for("call: answering call");
    gateway.wait_for_members("lobby", 1);
    gateway.kick_only_call();
    let removed = gateway.ctl(&["remove-user", "1003"]);
    assert_eq!(removed.code(), 0, "{}", removed.errors);
    assert_eq!(users(&gateway).len(), 1);
    gateway.wait_for("nobody is left", seconds(10), |status| status["calls"].as_array().unwrap().is_empty());
    drop(baresip);
    gateway.finish();
}

#[test]
fn users_and_bindings_are_there_after_a_kill() {
    is_there_after_a_restart(setup());
}

#[test]
fn users_and_bindings_are_there_after_a_kill_on_postgresql() {
    let postgres = Postgres::start();
    is_there_after_a_restart(setup().setting(&format!("database = \"{}\"", postgres.url())));
}

#[test]
fn a_database_that_goes_away_leaves_calls_alone_and_is_found_again() {
    let mut postgres = Postgres::start();
    let gateway = with_user(setup().web().setting(&format!("database = \"{}\"", postgres.url())));
    let call = alice("2000").seconds(6.0).call(&gateway);
    gateway.wait_for_members("lobby", 1);
    postgres.stop();
    let refused = gateway.ctl_with(&["add-user", "1004"], "long enough a password\n");
    assert!(refused.code() == 1 && refused.errors.contains("the database"), "{}{}", refused.output, refused.errors);
    assert_ne!(gateway.status()["database_trouble"], "");
    for (method, path, body) in [
        ("POST", "/api/v1/users", r#"{"name":"1005","password":"long and random"}"#),
        ("PATCH", "/api/v1/users/1003", r#"{"max_calls":1}"#),
        ("DELETE", "/api/v1/users/1003", ""),
    ] {
        let answer = request(&gateway, method, path, Some(ADMIN), Some(body).filter(|body| !body.is_empty()));
        assert_eq!((answer.status, answer.rule().as_str()), (503, "unavailable"), "{method} {path}: {}", answer.body);
    }
    // A room is made all the same, and written when it is there again.
    let room = request(&gateway, "POST", "/api/v1/rooms", Some(ADMIN), Some(r#"{"name":"board"}"#));
    assert_eq!(room.status, 201, "{}", room.body);
    assert_eq!(gateway.status()["backlog"]["rooms_waiting"], 1);
    alice("2000").seconds(1.0).run(&gateway).answered();
    call.finish().answered();
    postgres.run();
    let added = gateway.ctl_with(&["add-user", "1004"], "long enough a password\n");
    assert_eq!(added.code(), 0, "{}{}", added.output, added.errors);
    assert_eq!(gateway.status()["database_trouble"], "");
    gateway.wait_for("the room is written", seconds(30), |status| status["backlog"]["rooms_waiting"] == 0);
    gateway.finish();
}

/// What takes a database: method, path, body.
const ASKS_THE_DATABASE: [(&str, &str, &str); 4] = [
    ("POST", "/api/v1/users", r#"{"name":"1004","password":"long and random"}"#),
    ("PATCH", "/api/v1/users/1004", r#"{"max_calls":1}"#),
    ("POST", "/api/v1/rooms/lobby/invitations", r#"{"name":"Anna","expires":"2h"}"#),
    ("DELETE", "/api/v1/rooms/lobby/invitations/0123456789abcdef", ""),
];

#[test]
fn a_database_that_never_answers_holds_up_nobody() {
    // Takes connections, and says nothing.
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("postgres://partyline@{}/postgres", silent.local_addr().unwrap());
    let gateway = setup().web().setting(&format!("database = \"{url}\"")).start();
    alice("2000").seconds(1.0).run(&gateway).answered();
    let refused = gateway.ctl_with(&["add-user", "1004"], "long enough a password\n");
    assert!(refused.code() == 1 && refused.errors.contains("the database"), "{}{}", refused.output, refused.errors);
    // By HTTP it is 503, and when to come back; what needs no database is answered.
    for (method, path, body) in ASKS_THE_DATABASE {
        let answer = request(&gateway, method, path, Some(ADMIN), Some(body).filter(|body| !body.is_empty()));
        assert_eq!((answer.status, answer.rule().as_str()), (503, "unavailable"), "{method} {path}: {}", answer.body);
        assert_eq!(answer.header("retry-after"), Some("10"), "{method} {path}");
    }
    for path in ["/api/v1/users", "/api/v1/rooms", "/api/v1/calls", "/api/v1/status"] {
        assert_eq!(request(&gateway, "GET", path, Some(ADMIN), None).status, 200, "{path}");
    }
    gateway.wait_for_log("users not loaded", seconds(10));
    gateway.finish();
}
