//! SIP over WebSocket (RFC 7118).

use super::super::harness::http::{self, BINARY, Http, WebSocket};
use super::super::harness::{Gateway, Phone, Setup, VIEWER, seconds, wait};
use super::sip_client::{Client, ROUTES, header};

fn start() -> Gateway {
    Setup::new().routes(ROUTES).web().setting("origins = [\"https://app.example\"]").start()
}

const SIP: (&str, &str) = ("Sec-WebSocket-Protocol", "sip");

#[test]
fn only_clients_of_sip_from_pages_of_ours_are_let_in() {
    let gateway = start();
    for (path, headers, expected) in [
        ("/sip", &[SIP][..], None),
        ("/", &[SIP], None),
        ("/sip", &[("Sec-WebSocket-Protocol", "chat, sip")], None),
        ("/sip", &[SIP, ("Origin", "http://gate.example")], None),
        ("/sip", &[SIP, ("Origin", "https://app.example")], None),
        ("/sip", &[SIP, ("Origin", "https://evil.example")], Some((403, "foreign-origin"))),
        ("/sip", &[SIP, ("Origin", "https://gate.example")], Some((403, "foreign-origin"))),
        ("/sip", &[SIP, ("Origin", "null")], Some((403, "foreign-origin"))),
        ("/sip", &[], Some((400, "bad-request"))),
        ("/sip", &[("Sec-WebSocket-Protocol", "chat")], Some((400, "bad-request"))),
        ("/nowhere", &[SIP], Some((404, "not-found"))),
    ] {
        let refused = WebSocket::open(&gateway, path, headers).err().map(|answer| (answer.status, answer.rule()));
        assert_eq!(refused, expected.map(|(status, rule)| (status, rule.to_owned())), "{path} {headers:?}");
    }
    let plain = http::request(&gateway, "GET", "/sip", None, None);
    assert_eq!((plain.status, plain.rule().as_str()), (426, "no-websocket"));
    gateway.finish();
}

#[test]
fn a_client_calls_by_its_password_from_a_trunks_address_and_is_called_back_over_its_connection() {
    let gateway = start();
    let mut client = Client::new(WebSocket::sip(&gateway), "2000");
    let answer = client.calls();
    assert!(answer.starts_with("SIP/2.0 200"), "{answer}");
    assert!(header(&answer, "Contact").contains(";transport=ws"), "{answer}");
    assert!(header(&answer, "Via").starts_with("SIP/2.0/WS "), "{answer}");
    gateway.wait_for_members("lobby", 1);
    gateway.kick_only_call();
    // What it is played comes first.
    let bye = client.line.receive_text();
    assert!(bye.starts_with("BYE sip:anna@df7jal23ls0d.invalid;transport=ws SIP/2.0"), "{bye}");
    assert!(header(&bye, "Via").starts_with("SIP/2.0/WS "), "{bye}");
    client.accepts(&bye);
    let remains = gateway.finish();
    assert_eq!(remains.record()["trunk"], "web", "{}", remains.record());
}

#[test]
fn without_a_password_nobody_calls_whatever_address_the_page_is_opened_at() {
    let gateway = start();
    let mut client = Client::new(WebSocket::sip(&gateway), "2000");
    let offer = client.offer();
    let invite = client.request("INVITE", "", &offer);
    client.line.send(&invite);
    let challenge = client.final_response();
    assert!(challenge.starts_with("SIP/2.0 401"), "{challenge}");
    let wrong = client.answer_to(&challenge, "another password");
    let invite = client.request("INVITE", &wrong, &offer);
    client.line.send(&invite);
    assert!(client.final_response().starts_with("SIP/2.0 401"));
    let remains = gateway.finish();
    assert!(remains.records.is_empty(), "{:?}", remains.records);
}

#[test]
fn messages_may_be_binary_and_empty_lines_are_answered() {
    let gateway = start();
    let mut client = Client::new(WebSocket::sip(&gateway), "2000");
    let options = client.request("OPTIONS", "", "");
    client.line.send_frame(0x80 | BINARY, options.as_bytes()).unwrap();
    assert!(client.final_response().starts_with("SIP/2.0 401"));
    client.line.send("\r\n\r\n");
    assert_eq!(client.line.receive_text(), "\r\n");
    gateway.finish();
}

#[test]
fn what_no_client_sends_ends_its_connection_and_nobody_elses() {
    let gateway = start();
    let phone = Phone::dials("2000").seconds(3.0).call(&gateway);
    let mut good = Client::new(WebSocket::sip(&gateway), "2000");
    let unmasked = [0x81, 3, b'a', b'b', b'c'];
    for (what, bytes) in [("no frame", &[0xff; 64][..]), ("an unmasked frame", &unmasked), ("too much", &[])] {
        let mut bad = WebSocket::sip(&gateway);
        if bytes.is_empty() {
            let _ = bad.send_frame(0x81, &[b'x'; 70_000]);
        } else {
            bad.send_raw(bytes);
        }
        assert!(bad.is_closed(), "{what}");
    }
    // What is no SIP is dropped, as a datagram is.
    let mut noise = WebSocket::sip(&gateway);
    noise.send("hello");
    noise.send_frame(0x80 | BINARY, &[0; 1_000]).unwrap();
    noise.send_frame(0x81, &[0xff, 0xfe]).unwrap();
    assert!(noise.is_closed(), "text that is none");
    let options = good.request("OPTIONS", "", "");
    good.line.send(&options);
    assert!(good.final_response().starts_with("SIP/2.0 401"));
    phone.finish().answered();
    gateway.finish();
}

#[test]
fn a_call_whose_connection_is_gone_in_the_middle_of_a_transaction_leaves_nothing() {
    let gateway = start();
    let mut client = Client::new(WebSocket::sip(&gateway), "2000");
    let offer = client.offer();
    let invite = client.request("INVITE", "", &offer);
    client.line.send(&invite);
    let challenge = client.final_response();
    let answer = client.answer_to(&challenge, super::sip_client::PASSWORD);
    let invite = client.request("INVITE", &answer, &offer);
    client.line.send(&invite);
    client.final_response();
    // No ACK comes any more.
    drop(client);
    gateway.wait_for("the call is over", seconds(70), |status| status["calls"].as_array().unwrap().is_empty());
    let remains = gateway.finish();
    assert_eq!(remains.records.len(), 1);
}

#[test]
fn a_connection_that_only_keeps_alive_uses_no_place_of_the_apis() {
    let gateway = start();
    let mut open: Vec<_> = (0..100).map(|_| WebSocket::sip(&gateway)).collect();
    wait::until_true("the API answers", seconds(5), || {
        Http::open(&gateway).send("GET", "/api/openapi.json", &[], "").is_some_and(|answer| answer.status == 200)
    });
    open[0].send("\r\n\r\n");
    assert_eq!(open[0].receive_text(), "\r\n");
    gateway.finish();
}

const USERS: &str = r##"
[users.anna]
password = { plain = "a password that nobody guesses" }

[rooms.lobby]
announce = "none"

[[routes]]
name   = "Lobby"
from   = "users"
number = "2000"
room   = "lobby"
"##;

#[test]
fn a_user_registers_and_calls_over_its_connection_and_is_gone_with_it() {
    let gateway = Setup::new().routes(USERS).web().start();
    let mut client = Client::new(WebSocket::sip(&gateway), "2000");
    let registered = client.registers(600);
    assert!(registered.starts_with("SIP/2.0 200"), "{registered}");
    let users = || http::request(&gateway, "GET", "/api/v1/users", Some(VIEWER), None).json();
    let binding = users()[0]["bindings"][0].clone();
    assert!(binding["address"].as_str().unwrap().starts_with("ws:127.0.0.1:"), "{binding}");
    let answer = client.calls();
    assert!(answer.starts_with("SIP/2.0 200"), "{answer}");
    gateway.wait_for_members("lobby", 1);
    client.hangs_up();
    drop(client);
    wait::until_true("the user is registered nowhere", seconds(10), || {
        users()[0]["bindings"].as_array().unwrap().is_empty()
    });
    let remains = gateway.finish();
    assert_eq!(remains.record()["from"], "anna", "{}", remains.record());
}
