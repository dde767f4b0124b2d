//! Credentials go to whom they are for, and unknown sources are asked for theirs without a trace.

use super::super::*;
use super::{Raw, sdp};
use crate::sip::auth::Algorithm;
use crate::sip::message::{HeaderName as H, Message, Method, Request, Response};

fn challenge(realm: &str) -> impl FnOnce(&mut Response) {
    let value = format!("Digest realm=\"{realm}\", nonce=\"n-{realm}\", qop=\"auth\"");
    move |response| response.headers.push(H::WwwAuthenticate, value)
}

fn calling(raw: &mut Raw, credentials: Credentials) -> (InviteId, Request) {
    let (from, to) = ("<sip:us@example.com>".parse().unwrap(), "sip:them@192.0.2.9".parse().unwrap());
    let mut call = OutgoingInvite::new(raw.flow, from, to, Some(sdp("offer")));
    call.credentials = Some(credentials);
    let now = raw.now;
    let id = raw.endpoint.invite(now, call).unwrap();
    (id, raw.request())
}

/// Answers the INVITE from a Contact at this place.
fn answered(raw: &mut Raw, invite: &Request, contact: &'static str) {
    raw.answer(invite, 200, "ok", |response| {
        response.headers.push(H::Contact, contact);
        *response = response.clone().with_body("application/sdp", "v=0\r\ns=answer\r\n");
    });
}

#[test]
fn a_bye_that_a_strange_realm_challenges_gets_no_credentials() {
    for credentials in [Credentials::new("us", "secret"), Credentials::new("us", "secret").for_realm("carrier")] {
        let mut raw = Raw::new();
        let (id, invite) = calling(&mut raw, credentials);
        raw.answer(&invite, 401, "c1", challenge("carrier"));
        let again = raw.requests().pop().unwrap();
        answered(&mut raw, &again, "<sip:them@192.0.2.9:5060>");
        raw.sent();
        let now = raw.now;
        raw.endpoint.hangup(now, id, None).unwrap();
        let bye = raw.request();
        raw.answer(&bye, 401, "", challenge("evil"));
        assert!(raw.requests().is_empty(), "not answered");
        raw.finish();
    }
}

#[test]
fn a_peer_that_was_called_without_challenge_cannot_ask_for_credentials_later() {
    let mut raw = Raw::new();
    let (id, invite) = calling(&mut raw, Credentials::new("us", "secret"));
    answered(&mut raw, &invite, "<sip:them@192.0.2.9:5060>");
    raw.sent();
    let now = raw.now;
    raw.endpoint.hangup(now, id, None).unwrap();
    let bye = raw.request();
    raw.answer(&bye, 401, "", challenge("evil"));
    assert!(raw.requests().is_empty());
    raw.finish();
}

#[test]
fn a_challenge_from_another_address_gets_no_credentials() {
    let mut raw = Raw::new();
    let (_, invite) = calling(&mut raw, Credentials::new("us", "secret").for_realm("carrier"));
    let right = raw.flow;
    raw.flow = right.towards("203.0.113.66:5060".parse().unwrap());
    raw.answer(&invite, 401, "c1", challenge("carrier"));
    assert!(raw.requests().iter().all(|request| request.method == Method::Ack));
    assert!(matches!(raw.events.pop(), Some(Event::Failed { .. })));
    raw.finish();
}

#[test]
fn requests_that_the_dialog_leads_elsewhere_carry_no_credentials() {
    for (networks, carried) in [(None, false), (Some("198.51.100.0"), true)] {
        let mut raw = Raw::new();
        let more =
            networks.map(|address: &str| crate::types::Network { address: address.parse().unwrap(), prefix: 24 });
        let (id, invite) = calling(&mut raw, Credentials::new("us", "secret").for_peers(more));
        raw.answer(&invite, 401, "c1", challenge("carrier"));
        let again = raw.requests().pop().unwrap();
        assert!(again.headers.contains(&H::Authorization));
        answered(&mut raw, &again, "<sip:them@198.51.100.66:5060>");
        let ack = raw.request();
        assert_eq!(ack.headers.contains(&H::Authorization), carried);
        let now = raw.now;
        raw.endpoint.hangup(now, id, None).unwrap();
        let bye = raw.request();
        assert_eq!(bye.headers.contains(&H::Authorization), carried);
        raw.answer(&bye, 200, "", |_| {});
        raw.finish();
    }
}

#[test]
fn a_called_side_that_hangs_up_has_no_credentials_to_lose() {
    let mut raw = Raw::new();
    raw.receive(&Message::Request(super::raw::invite("in")));
    raw.sent();
    let Some(Event::Incoming { invite, .. }) = raw.events.pop() else { panic!() };
    let now = raw.now;
    raw.endpoint.accept(now, invite, sdp("answer")).unwrap();
    let response = raw.responses().pop().unwrap();
    raw.receive(&Message::Request(super::raw::inside(&response, Method::Ack, 1, "ack")));
    raw.endpoint.hangup(now, invite, None).unwrap();
    let bye = raw.request();
    raw.answer(&bye, 401, "", challenge("evil"));
    assert!(raw.requests().is_empty());
    raw.finish();
}

#[test]
fn an_unknown_source_is_asked_without_anything_being_remembered() {
    struct Asking;
    impl Policy for Asking {
        fn admit(&mut self, _: &Request, _: &Flow) -> Admission {
            Admission::Challenge(
                [Algorithm::Sha256, Algorithm::Md5].map(|kind| Challenge::new("partyline", "n", kind)).to_vec(),
            )
        }
    }
    let mut raw = Raw::new();
    let (now, flow) = (raw.now, raw.flow);
    let invite = super::raw::request(Method::Invite, "1");
    for _ in 0..2 {
        raw.endpoint.handle_input(now, Input::Message { flow, bytes: invite.to_bytes() }, &mut Asking);
    }
    let cancel = super::raw::request(Method::Cancel, "1");
    raw.endpoint.handle_input(now, Input::Message { flow, bytes: cancel.to_bytes() }, &mut Asking);
    let responses = raw.responses();
    assert_eq!(responses.iter().map(|response| response.status.0).collect::<Vec<_>>(), [401, 401]);
    assert_eq!(responses[0].to().unwrap().tag(), responses[1].to().unwrap().tag());
    let asked: Vec<_> = responses[0].headers.all(&H::WwwAuthenticate).collect();
    assert!(
        asked[0].ends_with(b"algorithm=SHA-256, qop=\"auth\"") && asked[1].ends_with(b"algorithm=MD5, qop=\"auth\"")
    );
    let ack = super::raw::request(Method::Ack, "1");
    raw.endpoint.handle_input(now, Input::Message { flow, bytes: ack.to_bytes() }, &mut Asking);
    assert!(raw.endpoint.is_idle() && raw.sent().is_empty(), "{:?}", raw.endpoint.counts());
}
