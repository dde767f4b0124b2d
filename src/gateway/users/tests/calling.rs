//! Users are called: by each other, by telephones, by an administrator, wherever they are registered.

use super::desk::{ALICE, BOB, Client, Desk, PLAN};
use crate::gateway::{Cause, Reply, Request};
use crate::sip::message::{HeaderName as H, Method, Request as SipRequest, Response, StatusCode};
use crate::sip::{self, Flow};
use std::time::Duration;

const ANSWER: &str =
    "v=0\r\no=- 1 1 IN IP4 192.0.2.77\r\ns=-\r\nc=IN IP4 192.0.2.77\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\n";

fn desk() -> Desk {
    let routes = "\n[[routes]]\nname = \"ToUser\"\nfrom = [\"users\", \"office\"]\nnumber = 'alice|bob|nobody'\nto_user = \"{number}\"\n";
    Desk::with(&format!("{PLAN}{routes}"))
}

fn respond(desk: &mut Desk, flow: Flow, request: &SipRequest, status: u16) {
    let mut response = Response::to_request(request, StatusCode(status));
    if status > 100 {
        response.set_to_tag(&format!("tag-{}", flow.remote.ip()));
        response.headers.push(H::Contact, format!("<sip:{}>", flow.remote));
    }
    if status == 200 && request.method == Method::Invite {
        response = response.with_body("application/sdp", ANSWER);
    }
    let input = sip::Input::Message { flow, bytes: response.to_bytes() };
    desk.input(crate::gateway::Input::Sip(input));
}

/// The INVITEs that are out, and where each went.
fn invites(desk: &mut Desk) -> Vec<(Flow, SipRequest)> {
    let requests = desk.requests();
    requests.into_iter().filter(|(_, request)| request.method == Method::Invite).collect()
}

fn methods(desk: &mut Desk) -> Vec<(String, u8)> {
    let last = |flow: &Flow| flow.remote.ip().to_string().rsplit('.').next().unwrap().parse().unwrap();
    desk.requests().iter().map(|(flow, request)| (request.method.as_str().to_owned(), last(flow))).collect()
}

/// Bob calls; gives his client.
fn bob_calls(desk: &mut Desk, whom: &str) -> (Client, Option<u16>) {
    let mut bob = Client::new(BOB, 20);
    let answer = bob.call(desk, whom);
    (bob, answer.map(|answer| answer.status.0))
}

#[test]
fn the_one_who_is_called_rings_and_answers_and_the_caller_with_her() {
    let mut desk = desk();
    let alice = {
        let mut alice = Client::new(ALICE, 9);
        alice.register(&mut desk).unwrap();
        alice
    };
    let (_, answer) = bob_calls(&mut desk, "alice");
    assert_eq!(answer, None, "not answered before she is");
    let (flow, invite) = invites(&mut desk).remove(0);
    assert_eq!((flow, invite.uri.to_string().as_str()), (alice.flow, "sip:alice@192.0.2.9:5060"));
    assert_eq!(invite.to().unwrap().uri.to_string(), "sip:alice@sip.example.com");
    assert_eq!(invite.from().unwrap().uri.to_string(), "sip:bob@sip.example.com");
    respond(&mut desk, flow, &invite, 180);
    assert_eq!(desk.responses().iter().map(|it| it.status.0).filter(|it| *it > 100).collect::<Vec<_>>(), [180]);
    respond(&mut desk, flow, &invite, 200);
    // She is there when she is heard, or after half a second.
    desk.pass(Duration::from_millis(500));
    assert_eq!(desk.finals(), [200]);
    assert_eq!(methods(&mut desk), [("ACK".to_owned(), 9)]);
    let Reply::Status(status) = desk.ask(Request::Status) else { panic!() };
    let mut users: Vec<&str> = status.calls.iter().map(|call| call.user.as_str()).collect();
    users.sort_unstable();
    assert_eq!(users, ["alice", "bob"]);
    // She hangs up: so is he.
    let call = status.calls.iter().find(|call| call.user == "alice").unwrap().call.clone();
    desk.ask(Request::Kick { call });
    desk.pass(Duration::from_secs(8));
    let byes = methods(&mut desk);
    assert!(byes.contains(&("BYE".to_owned(), 9)), "{byes:?}");
}

#[test]
fn all_places_ring_and_the_first_that_answers_has_the_call() {
    let mut desk = desk();
    for host in [9, 10, 11] {
        Client::new(ALICE, host).register(&mut desk).unwrap();
    }
    bob_calls(&mut desk, "alice");
    let invites = invites(&mut desk);
    assert_eq!(invites.len(), 3);
    for (flow, invite) in &invites {
        respond(&mut desk, *flow, invite, 180);
    }
    let (winner, won) = invites[1].clone();
    respond(&mut desk, winner, &won, 200);
    let host = |n: usize| invites[n].0.remote.ip().to_string().rsplit('.').next().unwrap().parse::<u8>().unwrap();
    let mut sent = methods(&mut desk);
    sent.sort();
    let mut expected =
        vec![("ACK".to_owned(), host(1)), ("CANCEL".to_owned(), host(0)), ("CANCEL".to_owned(), host(2))];
    expected.sort();
    assert_eq!(sent, expected);
    // One of the others answered before it heard of that: it is acknowledged and hung up.
    respond(&mut desk, invites[0].0, &invites[0].1, 200);
    let sent = methods(&mut desk);
    assert!(sent.contains(&("ACK".to_owned(), host(0))) && sent.contains(&("BYE".to_owned(), host(0))), "{sent:?}");
    desk.pass(Duration::from_millis(500));
    assert_eq!(desk.finals(), [200]);
    let Reply::Status(status) = desk.ask(Request::Status) else { panic!() };
    assert_eq!(status.calls.len(), 2);
}

#[test]
fn when_all_refuse_the_best_of_their_answers_is_the_callers() {
    for (answers, told) in
        [([486, 480], 486), ([503, 480], 480), ([408, 488], 603), ([603, 180], 603), ([600, 180], 486)]
    {
        let mut desk = desk();
        for host in [9, 10] {
            Client::new(ALICE, host).register(&mut desk).unwrap();
        }
        bob_calls(&mut desk, "alice");
        let invites = invites(&mut desk);
        for ((flow, invite), status) in invites.iter().zip(answers).rev() {
            respond(&mut desk, *flow, invite, status);
        }
        let last = desk.responses().last().unwrap().status.0;
        assert_eq!(last, told, "{answers:?}");
    }
}

#[test]
fn who_is_not_there_or_not_at_all_is_told() {
    let mut desk = desk();
    assert_eq!(bob_calls(&mut desk, "alice").1, Some(480));
    assert_eq!(Client::new(BOB, 21).call(&mut desk, "nobody").map(|answer| answer.status.0), Some(404));
    assert!(
        desk.records.iter().any(|record| record.cause == Cause::Unreachable("user alice is not registered".into()))
    );
}

#[test]
fn nobody_rings_for_ever_and_a_caller_may_give_up() {
    let mut desk = desk();
    Client::new(ALICE, 9).register(&mut desk).unwrap();
    bob_calls(&mut desk, "alice");
    let (flow, invite) = invites(&mut desk).remove(0);
    respond(&mut desk, flow, &invite, 180);
    desk.responses();
    desk.pass(Duration::from_secs(60));
    assert!(methods(&mut desk).contains(&("CANCEL".to_owned(), 9)));
    assert_eq!(desk.finals().first(), Some(&480));
    assert!(desk.records.iter().any(|record| record.cause == Cause::NoAnswer), "{:#?}", desk.records);
}

#[test]
fn an_administrator_calls_a_user_into_a_room() {
    let mut desk = desk();
    Client::new(ALICE, 9).by_tcp(4).register(&mut desk).unwrap();
    let dial = |number: &str| Request::Dial {
        room: "lobby".into(),
        number: number.into(),
        confirm: None,
        digits: None,
        create: false,
    };
    desk.input(crate::gateway::Input::Control { id: 7, request: dial("user:alice") });
    let (flow, invite) = invites(&mut desk).remove(0);
    assert_eq!(flow.connection, Some(4), "by the connection that she registered over");
    respond(&mut desk, flow, &invite, 200);
    desk.pass(Duration::from_secs(1));
    assert!(matches!(desk.replies.last(), Some(Reply::Done(_))), "{:?}", desk.replies);
    assert!(
        matches!(desk.ask(dial("user:bob")), Reply::Error(why) if why.detail.contains("user bob is not registered"))
    );
    assert!(
        matches!(desk.ask(dial("user:nobody")), Reply::Error(why) if why.detail.contains("there is no user nobody"))
    );
}

#[test]
fn a_busy_user_is_not_called() {
    let mut desk = desk();
    Client::new(BOB, 20).register(&mut desk).unwrap();
    assert_eq!(Client::new(BOB, 20).call(&mut desk, "lobby").unwrap().status.0, 200);
    assert_eq!(Client::new(ALICE, 9).call(&mut desk, "bob").unwrap().status.0, 486);
    desk.assert_logged("users.bob.max_calls = 1 is reached");
}

#[test]
fn the_end_of_a_connection_ends_the_ringing_there() {
    let mut desk = desk();
    let mut alice = Client::new(ALICE, 9).by_tcp(4);
    alice.register(&mut desk).unwrap();
    bob_calls(&mut desk, "alice");
    assert_eq!(invites(&mut desk).len(), 1);
    desk.input(crate::gateway::Input::Sip(sip::Input::FlowClosed { flow: alice.flow }));
    assert_eq!(desk.finals(), [480]);
    assert!(desk.users()[0].bindings.is_empty());
}

#[test]
fn a_browser_and_a_telephone_of_one_user_are_each_offered_what_they_speak() {
    let mut desk = desk();
    let browser = {
        let mut browser = Client::new(ALICE, 9).by_websocket(7);
        browser.register(&mut desk).unwrap();
        browser
    };
    Client::new(ALICE, 10).register(&mut desk).unwrap();
    bob_calls(&mut desk, "alice");
    let mut offers: Vec<(bool, String)> = invites(&mut desk)
        .into_iter()
        .map(|(flow, invite)| (flow == browser.flow, String::from_utf8(invite.body.to_vec()).unwrap()))
        .collect();
    offers.sort();
    let [(false, telephones), (true, browsers)] = &offers[..] else { panic!("{offers:#?}") };
    assert!(telephones.contains(" RTP/AVP ") && !telephones.contains("ice-ufrag"), "{telephones}");
    assert!(browsers.contains(" UDP/TLS/RTP/SAVPF ") && browsers.contains("a=ice-ufrag:"), "{browsers}");
    assert!(browsers.contains("a=setup:actpass") && browsers.contains("a=rtcp-mux"), "{browsers}");
}
