//! Where users are registered.

use super::desk::{ALICE, BOB, Client, Desk};
use crate::gateway::{Event, Input};
use crate::sip::message::{HeaderName as H, Method};
use crate::sip::{self};
use std::time::Duration;

fn registered(user: &str, bindings: usize) -> Event {
    Event::UserRegistered { user: user.into(), bindings }
}

fn unregistered(user: &str) -> Event {
    Event::UserUnregistered { user: user.into() }
}

#[test]
fn a_user_is_registered_until_the_time_is_over() {
    let mut desk = Desk::new();
    let answer = Client::new(ALICE, 9).register(&mut desk).unwrap();
    assert!(answer.headers.get_str(&H::Contact).unwrap().contains(";expires=600"));
    let users = desk.users();
    assert_eq!((users[0].user.as_str(), users[0].display_name.as_str()), ("alice", "Alice Ashton"));
    assert_eq!(users[0].bindings[0].address, "udp:192.0.2.9:5060");
    assert!(users[1].bindings.is_empty());
    desk.pass(Duration::from_secs(599));
    assert_eq!(desk.users()[0].bindings.len(), 1);
    desk.pass(Duration::from_secs(1));
    assert!(desk.users()[0].bindings.is_empty());
    assert_eq!(desk.events, [registered("alice", 1), unregistered("alice")]);
}

#[test]
fn who_takes_the_registration_back_is_not_there() {
    let mut desk = Desk::new();
    let mut alice = Client::new(ALICE, 9);
    alice.register(&mut desk).unwrap();
    let mut request = alice.request(Method::Register, "alice").with(H::Expires, "0");
    request.headers.set(H::Contact, "*");
    assert_eq!(alice.ask(&mut desk, request).unwrap().status.0, 200);
    assert_eq!(desk.events, [registered("alice", 1), unregistered("alice")]);
}

#[test]
fn the_end_of_a_connection_takes_what_was_registered_by_it() {
    let mut desk = Desk::new();
    let mut by_tcp = Client::new(ALICE, 9).by_tcp(7);
    by_tcp.register(&mut desk).unwrap();
    Client::new(ALICE, 10).register(&mut desk).unwrap();
    desk.input(Input::Sip(sip::Input::FlowClosed { flow: by_tcp.flow }));
    let users = desk.users();
    assert_eq!(users[0].bindings.len(), 1);
    assert_eq!(users[0].bindings[0].address, "udp:192.0.2.10:5060");
    assert_eq!(desk.events, [registered("alice", 1), registered("alice", 2)]);
}

#[test]
fn a_user_registers_for_itself_and_here() {
    let mut desk = Desk::new();
    let mut alice = Client::new(ALICE, 9);
    let request = alice.request(Method::Register, "bob");
    assert_eq!(alice.ask(&mut desk, request).unwrap().status.0, 403);
    let mut request = alice.request(Method::Register, "alice");
    request.headers.set(H::To, "<sip:alice@elsewhere.example>");
    assert_eq!(alice.ask(&mut desk, request).unwrap().status.0, 404);
    // By the gateway's address, as telephones without DNS do.
    let mut request = alice.request(Method::Register, "alice");
    request.headers.set(H::To, "<sip:alice@192.0.2.1>");
    assert_eq!(alice.ask(&mut desk, request).unwrap().status.0, 200);
    assert!(desk.users()[1].bindings.is_empty());
}

#[test]
fn a_telephone_in_a_trunks_network_registers_as_a_user() {
    let mut desk = Desk::new();
    let mut bob = Client::new(BOB, 9);
    bob.flow.remote = "198.51.100.7:5060".parse().unwrap();
    assert_eq!(bob.register(&mut desk).unwrap().status.0, 200);
    assert_eq!(desk.users()[1].bindings[0].address, "udp:198.51.100.7:5060");
}

#[test]
fn what_comes_again_is_answered_again_and_done_once() {
    let mut desk = Desk::new();
    let mut alice = Client::new(ALICE, 9);
    alice.register(&mut desk).unwrap();
    let mut request = alice.request(Method::Register, "alice").with(H::Expires, "600");
    let uri = request.uri.to_string();
    let covered = crate::sip::auth::Covered { method: &Method::Register, uri: &uri, body: b"" };
    for (name, value) in alice.digest.again(covered, &alice.credentials) {
        request.headers.push(name, value);
    }
    desk.send(alice.flow, &request);
    desk.send(alice.flow, &request);
    assert_eq!(desk.finals(), [200, 200]);
}
