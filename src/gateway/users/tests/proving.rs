//! A user is who proves to know the password, and nobody else.

use super::desk::{ALICE, BOB, Client, Desk, PLAN};
use crate::gateway::Reply;
use crate::sip::message::{HeaderName as H, Method};
use std::time::Duration;

#[test]
fn a_user_calls_a_room_and_is_shown_by_the_accounts_name() {
    let mut desk = Desk::new();
    let mut alice = Client::new(ALICE, 9);
    let mut request = alice.request(Method::Invite, "lobby");
    // Whatever the request claims.
    request.headers.set(H::From, "\"Mallory\" <sip:bob@sip.example.com>;tag=x");
    request.headers.push(H::PAssertedIdentity, "<sip:bob@sip.example.com>");
    let offer = "v=0\r\no=- 1 1 IN IP4 192.0.2.9\r\ns=-\r\nc=IN IP4 192.0.2.9\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\n";
    let request = request.with_body("application/sdp", offer);
    assert_eq!(alice.ask(&mut desk, request).unwrap().status.0, 200);
    let Reply::Status(status) = desk.ask(crate::gateway::Request::Status) else { panic!() };
    let call = &status.calls[0];
    assert_eq!((call.user.as_str(), call.trunk.as_str(), call.from.as_str()), ("alice", "", "alice"));
    desk.assert_logged("alice to lobby by user alice, route Lobby");
}

#[test]
fn what_no_route_takes_is_refused() {
    let mut desk = Desk::new();
    assert_eq!(Client::new(ALICE, 9).call(&mut desk, "+442079460100").unwrap().status.0, 404);
    assert_eq!((desk.records[0].user.as_str(), desk.records[0].from.as_str()), ("alice", "alice"));
}

#[test]
fn a_user_has_so_many_calls_at_once() {
    let mut desk = Desk::new();
    assert_eq!(Client::new(BOB, 9).call(&mut desk, "lobby").unwrap().status.0, 200);
    assert_eq!(Client::new(BOB, 10).call(&mut desk, "lobby").unwrap().status.0, 486);
    desk.assert_logged("users.bob.max_calls = 1 is reached");
    assert_eq!(Client::new(ALICE, 9).call(&mut desk, "lobby").unwrap().status.0, 200);
}

#[test]
fn wrong_passwords_and_users_there_are_none_of_are_asked_again_alike() {
    for who in [("alice", "wrong"), ("nobody", "wrong"), ("bob", "correct horse battery")] {
        let mut desk = Desk::new();
        let mut client = Client::new(who, 9);
        let answer = client.register(&mut desk).unwrap();
        assert_eq!(answer.status.0, 401, "{who:?}");
        assert_eq!(answer.headers.all(&H::WwwAuthenticate).count(), 1);
        assert!(desk.users().iter().all(|user| user.bindings.is_empty()));
        assert_eq!(Client::new(who, 10).call(&mut desk, "lobby").unwrap().status.0, 401);
    }
}

#[test]
fn ten_wrong_passwords_are_the_last_that_are_heard() {
    let mut desk = Desk::new();
    for _ in 0..10 {
        assert_eq!(Client::new(("alice", "wrong"), 9).register(&mut desk).unwrap().status.0, 401);
    }
    assert!(Client::new(ALICE, 9).register(&mut desk).is_none(), "silence");
    assert_eq!(Client::new(ALICE, 10).register(&mut desk).unwrap().status.0, 200, "from elsewhere");
    desk.pass(Duration::from_secs(601));
    assert_eq!(Client::new(ALICE, 9).register(&mut desk).unwrap().status.0, 200);
}

#[test]
fn an_answer_counts_once() {
    let mut desk = Desk::new();
    let mut alice = Client::new(ALICE, 9);
    assert_eq!(alice.register(&mut desk).unwrap().status.0, 200);
    let mut request = alice.request(Method::Register, "alice").with(H::Expires, "0");
    let uri = request.uri.to_string();
    let covered = crate::sip::auth::Covered { method: &Method::Register, uri: &uri, body: b"" };
    for (name, value) in alice.digest.again(covered, &alice.credentials) {
        request.headers.push(name, value);
    }
    desk.send(alice.flow, &request);
    assert_eq!(desk.finals(), [200]);
    assert_eq!(alice.register(&mut desk).unwrap().status.0, 200);
    // The same once more, as whoever listened would send it, by a transaction of its own.
    request.headers.set(H::Via, "SIP/2.0/UDP 192.0.2.9:5060;branch=z9hG4bKreplayed");
    request.headers.set(H::CallId, "another");
    desk.send(alice.flow, &request);
    let answer = desk.responses().remove(0);
    assert_eq!(answer.status.0, 401);
    assert!(answer.headers.get_str(&H::WwwAuthenticate).unwrap().contains("stale=true"));
    assert_eq!(desk.users()[0].bindings.len(), 1, "she is still there");
}

#[test]
fn an_answer_for_another_realm_or_from_another_address_is_none() {
    let mut desk = Desk::new();
    let mut alice = Client::new(ALICE, 9);
    assert_eq!(alice.register(&mut desk).unwrap().status.0, 200);
    let right = alice.flow;
    // The nonce was made for another source.
    alice.flow = Client::new(ALICE, 66).flow;
    let request = alice.request(Method::Register, "alice");
    let uri = request.uri.to_string();
    let covered = crate::sip::auth::Covered { method: &Method::Register, uri: &uri, body: b"" };
    let answer = alice.digest.again(covered, &alice.credentials).remove(0).1;
    desk.send(alice.flow, &request.clone().with(H::Authorization, answer.clone()));
    assert_eq!(desk.finals(), [401]);
    alice.flow = right;
    let foreign = answer.replace("realm=\"sip.example.com\"", "realm=\"elsewhere\"");
    assert_ne!(foreign, answer);
    desk.send(alice.flow, &alice.request(Method::Register, "alice").with(H::Authorization, foreign));
    assert_eq!(desk.finals(), [401]);
}

#[test]
fn where_there_are_no_users_nobody_is_asked() {
    let plan = PLAN.replace("\"users\", ", "");
    let start = plan.find("[users.alice]").unwrap();
    let end = plan.find("[rooms.lobby]").unwrap();
    let mut desk = Desk::with(&format!("{}{}", &plan[..start], &plan[end..]));
    assert!(Client::new(ALICE, 9).register(&mut desk).is_none());
    assert!(Client::new(ALICE, 9).call(&mut desk, "lobby").is_none());
}

#[test]
fn who_leaves_the_dialplan_is_known_no_more() {
    let mut desk = Desk::new();
    let mut alice = Client::new(ALICE, 9);
    assert_eq!(alice.register(&mut desk).unwrap().status.0, 200);
    let start = PLAN.find("[users.alice]").unwrap();
    let end = PLAN.find("[users.bob]").unwrap();
    let text = format!("{}{}", &PLAN[..start], &PLAN[end..]);
    let plan = crate::dialplan::parse("dialplan.toml", &text, &crate::dialplan::Trusting).unwrap().plan;
    desk.input(crate::gateway::Input::Reload(plan));
    assert_eq!(desk.users().len(), 1);
    assert_eq!(alice.call(&mut desk, "lobby").unwrap().status.0, 401);
    assert_eq!(Client::new(BOB, 10).register(&mut desk).unwrap().status.0, 200);
}
