//! Messages outside of calls.

use super::desk::{ALICE, BOB, Client, Desk, PLAN};
use crate::sip::message::{HeaderName as H, Message, Method, Request, StatusCode};
use crate::sip::{Body, Flow};
use std::time::Duration;

const ROUTES: &str = "\n[[routes]]\nname = \"Bob\"\nfrom = \"users\"\nnumber = \"desk\"\nto_user = \"bob\"\n\
    [[routes]]\nname = \"P2P\"\nfrom = \"users\"\nnumber = \"bob|carol\"\nto_user = \"direct\"\n";

fn desk() -> (Desk, Client) {
    let mut desk = Desk::with(&format!("{PLAN}{ROUTES}"));
    for host in [12, 13] {
        let mut bob = Client::new(BOB, host);
        let register = bob.request(Method::Register, "bob");
        assert_eq!(bob.ask(&mut desk, register).unwrap().status, StatusCode::OK);
    }
    (desk, Client::new(ALICE, 11))
}

fn saying(alice: &mut Client, whom: &str, text: &str) -> Request {
    let mut request = alice.request(Method::Message, whom);
    request.set_body(Some(&Body { content_type: "text/plain".into(), bytes: text.to_owned().into() }));
    request
}

/// The messages that went to Bob's places.
fn passed_on(desk: &mut Desk) -> Vec<(Flow, Request)> {
    let sent = std::mem::take(&mut desk.sent);
    let requests = sent.into_iter().filter_map(|(flow, message)| match message {
        Message::Request(request) if request.method == Method::Message => Some((flow, request)),
        _ => None,
    });
    requests.collect()
}

fn answer(desk: &mut Desk, (flow, request): &(Flow, Request), status: &str) {
    let copied = [H::Via, H::From, H::To, H::CallId, H::CSeq].map(|name| {
        let value = request.headers.get(&name).unwrap();
        format!("{}: {}\r\n", name.as_str(), String::from_utf8_lossy(value))
    });
    let response = format!("SIP/2.0 {status}\r\n{}Content-Length: 0\r\n\r\n", copied.concat());
    let input = crate::sip::Input::Message { flow: *flow, bytes: response.into() };
    desk.input(crate::gateway::Input::Sip(input));
}

#[test]
fn a_message_goes_to_every_place_and_the_first_that_takes_it_answers() {
    for whom in ["bob", "desk"] {
        let (mut desk, mut alice) = desk();
        let message = saying(&mut alice, whom, "grüß");
        assert!(alice.ask(&mut desk, message).is_none(), "nothing is said before Bob's side has");
        let passed = passed_on(&mut desk);
        assert_eq!(passed.len(), 2);
        for (_, request) in &passed {
            assert_eq!(request.body, "grüß".as_bytes());
            assert_eq!(request.headers.content_type().as_deref(), Some("text/plain"));
            let from = request.from().unwrap().to_string();
            assert!(from.starts_with("\"Alice Ashton\" <sip:alice@sip.example.com>"), "{from}");
            assert!(!request.headers.contains(&H::Authorization) && !request.headers.contains(&H::Contact));
        }
        answer(&mut desk, &passed[0], "480 Temporarily Unavailable");
        assert!(desk.finals().is_empty());
        answer(&mut desk, &passed[1], "202 Accepted");
        assert_eq!(desk.finals(), [202]);
        desk.pass(Duration::from_secs(64));
        assert!(desk.gateway.is_idle());
    }
}

#[test]
fn when_every_place_refuses_the_best_refusal_is_told() {
    let (mut desk, mut alice) = desk();
    let message = saying(&mut alice, "bob", "hello");
    alice.ask(&mut desk, message);
    let passed = passed_on(&mut desk);
    answer(&mut desk, &passed[0], "415 Unsupported Media Type");
    desk.pass(Duration::from_secs(33));
    assert_eq!(desk.finals(), [415]);
}

#[test]
fn a_message_goes_nowhere_where_no_call_could_go() {
    let (mut desk, mut alice) = desk();
    for (whom, status) in [("nobody", 404), ("lobby", 404), ("carol", 404)] {
        let message = saying(&mut alice, whom, "hello");
        assert_eq!(alice.ask(&mut desk, message).unwrap().status.0, status, "{whom}");
    }
    let message = saying(&mut alice, "bob", &"x".repeat(8 * 1_024 + 1));
    assert_eq!(alice.ask(&mut desk, message).unwrap().status.0, 413);
    assert!(passed_on(&mut desk).is_empty());
    let mut nobody = Client::new(("alice", "wrong"), 14);
    let message = saying(&mut nobody, "bob", "hello");
    assert_ne!(nobody.ask(&mut desk, message).map(|response| response.status.0 / 100), Some(2));
    assert!(passed_on(&mut desk).is_empty());
}

#[test]
fn a_user_who_floods_is_told_to_wait() {
    let (mut desk, mut alice) = desk();
    let mut refused = 0;
    for _ in 0..30 {
        let message = saying(&mut alice, "bob", "hello");
        if let Some(response) = alice.ask(&mut desk, message) {
            assert_eq!(response.status, StatusCode::SERVICE_UNAVAILABLE);
            assert!(response.headers.contains(&H::RetryAfter));
            refused += 1;
        }
    }
    assert_eq!(refused, 10);
}
