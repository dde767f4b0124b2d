//! What the API does to calls where a peer has a say: what it is played, where it is sent, and calls that it makes.

use super::super::harness::http::{Answer, WebSocket, request};
use super::super::harness::{Gateway, OPERATOR, Phone, Setup, seconds};
use super::sip_client::{Client, PASSWORD, header};
use serde_json::json;

/// A page that is a trunk, whose calls may be transferred; a trunk that is called; a user.
const ROUTES: &str = r#"
[trunks.web]
auth  = { username = "anna", password = { plain = "a password that nobody guesses" } }
refer = true

[trunks.out]
address = ["127.0.0.1:9"]

[users.ben]
password = { plain = "a password that nobody guesses" }

[[routes]]
name   = "Web"
from   = ["web", "users"]
number = "2000"
room   = "lobby"

[[routes]]
name   = "Out"
from   = "sessions"
number = '\+4420\d+'
trunk  = "out"
"#;

fn start() -> Gateway {
    let gateway = Setup::new().also(ROUTES).web().start();
    gateway.wait_for_log("users loaded", seconds(20));
    gateway
}

fn operate(gateway: &Gateway, method: &str, path: &str, body: &str) -> Answer {
    request(gateway, method, path, Some(OPERATOR), Some(body).filter(|body| !body.is_empty()))
}

/// The name of the call by the trunk, or of the user.
fn call_of(gateway: &Gateway, who: &str) -> String {
    let status = gateway.status();
    let calls = status["calls"].as_array().unwrap();
    let call = calls.iter().find(|call| call["trunk"] == *who || call["user"] == *who);
    call.unwrap_or_else(|| panic!("{who}: {status:#}"))["call"].as_str().unwrap().to_owned()
}

#[test]
fn a_call_is_played_to_and_spoken_to_transferred_and_hung_up() {
    let gateway = start();
    // Whoever comes second hears nothing that would have to end first.
    let phone = Phone::dials("2000").seconds(60.0).call(&gateway);
    gateway.wait_for_members("lobby", 1);
    let mut anna = Client::of(WebSocket::sip(&gateway), "2000", ("anna", PASSWORD));
    assert!(anna.calls().starts_with("SIP/2.0 200"));
    gateway.wait_for_members("lobby", 2);
    let path = format!("/api/v1/calls/{}", call_of(&gateway, "web"));
    for (what, body) in [("play", r#"{"sound":"goodbye"}"#), ("say", r#"{"text":"Goodbye."}"#)] {
        let done = operate(&gateway, "POST", &format!("{path}/{what}"), body);
        assert_eq!(done.status, 204, "{what}: {}", done.body);
    }
    let transferred = std::thread::scope(|scope| {
        let number = r#"{"number":"+442079460123"}"#;
        let transferred = scope.spawn(|| operate(&gateway, "POST", &format!("{path}/transfer"), number));
        let refer = anna.line.receive_text();
        assert!(refer.starts_with("REFER "), "{refer}");
        assert!(header(&refer, "Refer-To").contains("+442079460123"), "{refer}");
        anna.accepts(&refer);
        transferred.join().unwrap()
    });
    assert_eq!(transferred.status, 202, "{}", transferred.body);
    let hung_up = operate(&gateway, "DELETE", &path, "");
    assert_eq!(hung_up.status, 204, "{}", hung_up.body);
    let bye = anna.line.receive_text();
    assert!(bye.starts_with("BYE "), "{bye}");
    anna.accepts(&bye);
    assert_eq!(operate(&gateway, "DELETE", "/api/v1/rooms/lobby/participants", "").status, 204);
    phone.finish().answered();
    gateway.finish();
}

#[test]
fn somebody_is_called_into_a_room() {
    let gateway = start();
    let mut ben = Client::of(WebSocket::sip(&gateway), "2000", ("ben", PASSWORD));
    assert!(ben.registers(600).starts_with("SIP/2.0 200"));
    let dialled = operate(&gateway, "POST", "/api/v1/rooms/lobby/dial", r#"{"number":"user:ben"}"#);
    assert_eq!(dialled.status, 202, "{}", dialled.body);
    let invite = ben.line.receive_text();
    assert!(invite.starts_with("INVITE sip:ben@"), "{invite}");
    let call = dialled.json()["call"].as_str().unwrap().to_owned();
    assert_eq!(call, call_of(&gateway, "ben"));
    assert_eq!(operate(&gateway, "DELETE", &format!("/api/v1/calls/{call}"), "").status, 204);
    gateway.finish();
}

#[test]
fn what_the_api_writes_the_client_of_a_call_and_of_a_room_reads() {
    let gateway = start();
    let phone = Phone::dials("2000").seconds(60.0).call(&gateway);
    gateway.wait_for_members("lobby", 1);
    let mut ben = Client::of(WebSocket::sip(&gateway), "2000", ("ben", PASSWORD));
    assert!(ben.calls().starts_with("SIP/2.0 200"));
    gateway.wait_for_members("lobby", 2);
    let longest = "ä".repeat(4_096);
    let body = |text: &str| json!({ "text": text }).to_string();
    let call = format!("/api/v1/calls/{}/messages", call_of(&gateway, "ben"));
    for (path, text) in [(&*call, "to you alone"), ("/api/v1/rooms/lobby/messages", &longest)] {
        let sent = operate(&gateway, "POST", path, &body(text));
        assert_eq!(sent.status, 204, "{path}: {}", sent.body);
        let message = ben.line.receive_text();
        assert!(message.starts_with("MESSAGE ") && message.ends_with(text), "{path}: {message}");
        assert_eq!(header(&message, "Content-Type"), "text/plain;charset=UTF-8");
        ben.accepts(&message);
        let too_long = operate(&gateway, "POST", path, &body(&format!("{longest}x")));
        assert_eq!((too_long.status, too_long.rule()), (422, "invalid".into()), "{path}");
    }
    assert_eq!(operate(&gateway, "DELETE", "/api/v1/rooms/lobby/participants", "").status, 204);
    let bye = ben.line.receive_text();
    assert!(bye.starts_with("BYE "), "{bye}");
    ben.accepts(&bye);
    phone.finish().answered();
    let remains = gateway.finish();
    assert!(!remains.log.contains("to you alone"), "{}", remains.log);
}
