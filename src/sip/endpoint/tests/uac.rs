use super::super::*;
use super::{Raw, sdp, secs};
use crate::sip::message::{HeaderName as H, Method, Request, StatusCode, Transport};

fn call(raw: &mut Raw, credentials: Option<Credentials>, body: Option<Body>) -> (InviteId, Request) {
    let mut call = OutgoingInvite::new(
        raw.flow,
        "<sip:us@example.com>".parse().unwrap(),
        "sip:them@192.0.2.9".parse().unwrap(),
        body,
    );
    call.credentials = credentials;
    let now = raw.now;
    let id = raw.endpoint.invite(now, call).unwrap();
    (id, raw.request())
}

fn with_contact(response: &mut crate::sip::message::Response) {
    response.headers.push(H::Contact, "<sip:them@192.0.2.9:5060>");
}

fn success(response: &mut crate::sip::message::Response) {
    with_contact(response);
    *response = response.clone().with_body("application/sdp", "v=0\r\ns=answer\r\n");
}

#[test]
fn every_2xx_of_a_fork_is_acknowledged_and_the_extra_ones_are_ended() {
    let mut raw = Raw::new();
    let (id, invite) = call(&mut raw, None, Some(sdp("offer")));
    for tag in ["one", "two"] {
        raw.answer(&invite, 180, tag, with_contact);
    }
    raw.answer(&invite, 200, "two", success);
    let ack = raw.request();
    assert_eq!((ack.method.clone(), ack.to().unwrap().tag()), (Method::Ack, Some("two")));
    for tag in ["one", "three"] {
        raw.answer(&invite, 200, tag, success);
        let requests = raw.requests();
        assert_eq!(
            requests.iter().map(|request| request.method.clone()).collect::<Vec<_>>(),
            [Method::Ack, Method::Bye]
        );
        assert!(requests.iter().all(|request| request.to().unwrap().tag() == Some(tag)));
        raw.answer(&requests[1], 200, "", |_| {});
    }
    // Repeated: only acknowledged.
    for tag in ["one", "two", "three"] {
        raw.answer(&invite, 200, tag, success);
        let ack = raw.request();
        assert_eq!((ack.method.clone(), ack.to().unwrap().tag()), (Method::Ack, Some(tag)));
    }
    let answered = raw.events.iter().filter(|event| matches!(event, Event::Answered { .. })).count();
    assert_eq!(answered, 1);
    let now = raw.now;
    raw.endpoint.hangup(now, id, None).unwrap();
    let bye = raw.request();
    assert_eq!(bye.to().unwrap().tag(), Some("two"));
    raw.answer(&bye, 200, "", |_| {});
    raw.finish();
}

#[test]
fn every_2xx_is_acknowledged_and_ended_however_many_answer() {
    let mut raw = Raw::new();
    let (id, invite) = call(&mut raw, None, Some(sdp("offer")));
    raw.answer(&invite, 200, "first", success);
    assert_eq!(raw.request().method, Method::Ack);
    for at in 0..60 {
        let tag = format!("fork-{at}");
        raw.answer(&invite, 200, &tag, success);
        let requests = raw.requests();
        let methods: Vec<_> = requests.iter().map(|request| request.method.clone()).collect();
        assert_eq!(methods, [Method::Ack, Method::Bye], "{tag}");
        assert!(requests.iter().all(|request| request.to().unwrap().tag() == Some(tag.as_str())));
        raw.answer(&requests[1], 200, "", |_| {});
    }
    let now = raw.now;
    raw.endpoint.hangup(now, id, None).unwrap();
    let bye = raw.request();
    raw.answer(&bye, 200, "", |_| {});
    raw.finish();
}

#[test]
fn a_stray_2xx_is_dropped() {
    let mut raw = Raw::new();
    let (id, mut invite) = call(&mut raw, None, Some(sdp("offer")));
    let real = invite.clone();
    invite.headers.set(H::Via, "SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bK0123456789abcdef");
    raw.answer(&invite, 200, "x", success);
    assert!(raw.sent().is_empty());
    assert_eq!(raw.endpoint.counts().stray_responses, 1);
    let mut wrong = real.clone();
    wrong.headers.set(H::CSeq, "1 BYE");
    raw.answer(&wrong, 200, "x", success);
    assert!(raw.sent().is_empty());
    let now = raw.now;
    raw.endpoint.hangup(now, id, None).unwrap();
    raw.finish();
}

#[test]
fn reliable_responses_are_acknowledged_once_and_in_order() {
    let mut raw = Raw::new();
    let (id, invite) = call(&mut raw, None, Some(sdp("offer")));
    let reliable = |rseq: u32| {
        move |response: &mut crate::sip::message::Response| {
            with_contact(response);
            response.headers.push(H::Require, "100rel");
            response.headers.push(H::RSeq, rseq.to_string());
        }
    };
    raw.answer(&invite, 180, "one", reliable(7));
    let prack = raw.request();
    assert_eq!(prack.method, Method::Prack);
    let cseq = invite.cseq().unwrap().number;
    assert_eq!(prack.headers.get_str(&H::RAck), Some(format!("7 {cseq} INVITE").as_str()));
    raw.answer(&invite, 180, "one", reliable(7));
    raw.answer(&invite, 180, "one", reliable(9));
    assert!(raw.requests().is_empty());
    raw.answer(&invite, 180, "one", reliable(8));
    assert_eq!(raw.request().method, Method::Prack);
    raw.answer(&invite, 180, "two", reliable(100));
    assert_eq!(raw.request().to().unwrap().tag(), Some("two"));
    assert_eq!(raw.events.iter().filter(|event| matches!(event, Event::Progress { .. })).count(), 3);
    let now = raw.now;
    raw.endpoint.hangup(now, id, None).unwrap();
    let cancel = raw.request();
    assert_eq!((cancel.method.clone(), cancel.via_top().unwrap()), (Method::Cancel, invite.via_top().unwrap()));
    raw.finish();
}

fn challenge(nonce: &str, stale: bool) -> impl FnOnce(&mut crate::sip::message::Response) {
    let stale = if stale { ", stale=true" } else { "" };
    let value = format!("Digest realm=\"example.com\", nonce=\"{nonce}\", qop=\"auth\"{stale}");
    move |response| response.headers.push(H::WwwAuthenticate, value)
}

#[test]
fn a_challenge_is_answered_once_a_nonce() {
    let mut raw = Raw::with(EndpointConfig::default(), Transport::Tcp);
    let (_, invite) =
        call(&mut raw, Some(Credentials::new("us", "secret").for_realm("example.com")), Some(sdp("offer")));
    raw.answer(&invite, 401, "c1", challenge("n1", false));
    let requests = raw.requests();
    assert_eq!(requests[0].method, Method::Ack);
    let again = &requests[1];
    assert!(again.headers.contains(&H::Authorization));
    assert_eq!(again.cseq().unwrap().number, invite.cseq().unwrap().number + 1);
    assert_eq!((again.call_id(), again.from().unwrap()), (invite.call_id(), invite.from().unwrap()));
    assert_ne!(again.via_top().unwrap().branch, invite.via_top().unwrap().branch);
    raw.answer(again, 401, "c2", challenge("n2", true));
    let third = raw.requests().pop().unwrap();
    raw.answer(&third, 200, "ok", success);
    let ack = raw.request();
    assert_eq!(ack.headers.get(&H::Authorization), third.headers.get(&H::Authorization));
    let Some(Event::Answered { invite: id, .. }) = raw.events.pop() else { panic!() };
    // BYE brings authorization at once, and answers a new challenge.
    let now = raw.now;
    raw.endpoint.hangup(now, id, None).unwrap();
    let bye = raw.request();
    assert!(bye.headers.contains(&H::Authorization));
    raw.answer(&bye, 401, "", challenge("n3", false));
    let bye = raw.request();
    assert_eq!(bye.method, Method::Bye);
    assert!(bye.headers.get_str(&H::Authorization).unwrap().contains("n3"));
    raw.answer(&bye, 200, "", |_| {});
    raw.finish();
}

#[test]
fn credentials_are_not_shown_to_another_realm_nor_twice() {
    let mut raw = Raw::new();
    let (_, invite) = call(&mut raw, Some(Credentials::new("us", "secret").for_realm("elsewhere")), None);
    raw.answer(&invite, 401, "c1", challenge("n1", false));
    assert_eq!(raw.request().method, Method::Ack);
    assert!(matches!(raw.events.pop(), Some(Event::Failed { status: StatusCode::UNAUTHORIZED, .. })));

    let (_, invite) = call(&mut raw, Some(Credentials::new("us", "wrong")), None);
    raw.answer(&invite, 401, "c1", challenge("n1", false));
    let again = raw.requests().pop().unwrap();
    raw.answer(&again, 401, "c2", challenge("n1", false));
    assert_eq!(raw.request().method, Method::Ack);
    assert!(matches!(raw.events.pop(), Some(Event::Failed { status: StatusCode::UNAUTHORIZED, .. })));
    raw.finish();
}

#[test]
fn refusing_intervals_for_ever_ends_the_call() {
    let mut raw = Raw::new();
    let (_, mut invite) = call(&mut raw, None, None);
    for round in 1..10_u32 {
        raw.answer(&invite, 422, "x", move |response| {
            response.headers.push(H::MinSe, (1800 + round * 100).to_string());
        });
        let requests = raw.requests();
        assert_eq!(requests[0].method, Method::Ack);
        let Some(again) = requests.get(1) else { break };
        assert_eq!(again.session_expires().unwrap().unwrap().seconds, 1800 + round * 100);
        invite = again.clone();
    }
    assert!(matches!(raw.events.pop(), Some(Event::Failed { status: StatusCode::SESSION_INTERVAL_TOO_SMALL, .. })));
    raw.finish();
}

#[test]
fn a_cancelled_invite_that_never_ends_is_forgotten() {
    let mut raw = Raw::new();
    let (id, invite) = call(&mut raw, None, None);
    raw.answer(&invite, 180, "x", with_contact);
    let now = raw.now;
    raw.endpoint.hangup(now, id, None).unwrap();
    let cancel = raw.request();
    raw.answer(&cancel, 200, "x", |_| {});
    raw.wait(secs(33));
    assert!(raw.endpoint.is_idle());
}

#[test]
fn a_refresh_by_reinvite_repeats_the_last_description() {
    let config = EndpointConfig { session_expires: Some(secs(100)), ..EndpointConfig::default() };
    let mut raw = Raw::with(config, Transport::Udp);
    let (id, invite) = call(&mut raw, None, Some(sdp("offer")));
    raw.answer(&invite, 200, "x", |response| {
        success(response);
        response.headers.push(H::Allow, "INVITE, ACK, BYE");
        response.headers.push(H::SessionExpires, "100;refresher=uac");
    });
    assert_eq!(raw.request().method, Method::Ack);
    raw.events.clear();
    raw.wait(secs(50));
    let reinvite = raw.request();
    assert_eq!((reinvite.method.clone(), reinvite.body.clone()), (Method::Invite, sdp("offer").bytes));
    assert_eq!(reinvite.headers.get_str(&H::SessionExpires), Some("100;refresher=uac"));
    raw.answer(&reinvite, 200, "", |response| {
        success(response);
        response.headers.push(H::SessionExpires, "100;refresher=uas");
    });
    assert_eq!(raw.request().method, Method::Ack);
    assert!(raw.events.is_empty(), "nothing changed");
    // The peer says that it refreshes now, and does not: ours comes once more, if later, and is not answered.
    raw.wait(secs(55));
    assert!(raw.requests().is_empty());
    raw.wait(secs(13));
    let methods: Vec<Method> = raw.requests().into_iter().map(|request| request.method).collect();
    let (last, before) = methods.split_last().unwrap();
    assert!(*last == Method::Bye && before.iter().all(|method| *method == Method::Invite), "{methods:?}");
    assert!(matches!(raw.events.pop(), Some(Event::Ended { by: EndedBy::SessionExpired, .. })));
    let now = raw.now;
    assert_eq!(raw.endpoint.hangup(now, id, None), Err(EndpointError::NoSuchCall));
    raw.finish();
}

#[test]
fn a_2xx_to_a_reinvite_after_the_end_is_acknowledged() {
    let mut raw = Raw::new();
    let (id, invite) = call(&mut raw, None, Some(sdp("offer")));
    raw.answer(&invite, 200, "x", success);
    raw.sent();
    let now = raw.now;
    raw.endpoint.reinvite(now, id, Some(sdp("hold"))).unwrap();
    let reinvite = raw.request();
    raw.endpoint.hangup(now, id, None).unwrap();
    let bye = raw.request();
    raw.answer(&bye, 200, "", |_| {});
    raw.answer(&reinvite, 200, "", success);
    let requests = raw.requests();
    assert_eq!(requests.len(), 1, "{requests:?}");
    assert_eq!(requests[0].method, Method::Ack);
    raw.finish();
}

#[test]
fn a_reinvite_that_only_ever_rings_is_given_up() {
    let mut raw = Raw::new();
    let (id, invite) = call(&mut raw, None, Some(sdp("offer")));
    raw.answer(&invite, 200, "x", success);
    raw.sent();
    let now = raw.now;
    raw.endpoint.reinvite(now, id, Some(sdp("hold"))).unwrap();
    let reinvite = raw.request();
    raw.answer(&reinvite, 100, "", |_| {});
    raw.wait(secs(400));
    assert!(matches!(raw.requests()[..], [Request { method: Method::Bye, .. }, ..]));
    assert!(matches!(raw.events.pop(), Some(Event::Ended { by: EndedBy::DialogLost, .. })));
    raw.finish();
}

#[test]
fn the_end_of_a_connection_the_shell_chose_is_noticed() {
    let mut raw = Raw::with(EndpointConfig::default(), Transport::Tcp);
    let flow = raw.flow;
    raw.flow.connection = None;
    let (_, invite) = call(&mut raw, None, Some(sdp("offer")));
    raw.flow = flow;
    raw.answer(&invite, 180, "x", with_contact);
    let now = raw.now;
    raw.endpoint.handle_input(now, Input::FlowClosed { flow }, &mut super::Open);
    raw.sent();
    assert!(matches!(raw.events.pop(), Some(Event::Failed { status: StatusCode::SERVICE_UNAVAILABLE, .. })));
    raw.finish();
}

#[test]
fn the_bye_after_the_answer_of_a_call_that_was_given_up_answers_one_challenge() {
    for (realm, answered) in [("example.com", true), ("elsewhere", false)] {
        let mut raw = Raw::new();
        let credentials = Credentials::new("us", "secret").for_realm(realm);
        let (id, invite) = call(&mut raw, Some(credentials), Some(sdp("offer")));
        raw.answer(&invite, 180, "x", with_contact);
        let now = raw.now;
        raw.endpoint.hangup(now, id, None).unwrap();
        let cancel = raw.request();
        raw.answer(&cancel, 200, "x", |_| {});
        raw.answer(&invite, 200, "x", success);
        let requests = raw.requests();
        let [ack, bye] = &requests[..] else { panic!("{requests:?}") };
        assert_eq!((&ack.method, &bye.method), (&Method::Ack, &Method::Bye));
        raw.answer(bye, 407, "", |response| {
            let value = "Digest realm=\"example.com\", nonce=\"n1\", qop=\"auth\"";
            response.headers.push(H::ProxyAuthenticate, value);
        });
        let requests = raw.requests();
        assert_eq!(requests.len(), usize::from(answered), "{requests:?}");
        if let [again] = &requests[..] {
            assert!(again.headers.get_str(&H::ProxyAuthorization).unwrap().contains("n1"));
            assert_eq!(again.cseq().unwrap().number, bye.cseq().unwrap().number + 1);
            raw.answer(again, 407, "", |response| {
                response.headers.push(H::ProxyAuthenticate, "Digest realm=\"example.com\", nonce=\"n2\"");
            });
            assert!(raw.requests().is_empty(), "once");
        }
        raw.finish();
    }
}
