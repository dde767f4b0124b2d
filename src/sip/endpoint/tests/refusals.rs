use super::super::*;
use super::raw::{inside, invite, request};
use super::{Raw, ms, sdp, secs};
use crate::sip::message::{HeaderName as H, Headers, Message, Method, Response, StatusCode, Text, Transport};

/// A call that is up, seen from the peer: the 2xx.
fn answered(raw: &mut Raw) -> (InviteId, Response) {
    answered_as(raw, "1")
}

fn answered_as(raw: &mut Raw, branch: &str) -> (InviteId, Response) {
    raw.receive(&Message::Request(invite(branch)));
    raw.sent();
    let Some(Event::Incoming { invite: id, .. }) = raw.events.pop() else { panic!() };
    let now = raw.now;
    raw.endpoint.accept(now, id, sdp("ours")).unwrap();
    let ok = raw.responses().pop().unwrap();
    raw.receive(&Message::Request(inside(&ok, Method::Ack, 1, "ack")));
    raw.sent();
    assert!(matches!(raw.events.pop(), Some(Event::Acknowledged { .. })));
    (id, ok)
}

#[test]
fn what_cannot_be_served_is_refused_with_the_right_status() {
    let mut raw = Raw::new();
    let unknown = |name: &str| Method::Other(Text::from(name));
    let mut scheme = invite("a");
    scheme.uri = "nobodyknows:this".parse().unwrap();
    let requires = invite("b").with(H::Require, "100rel, teleport");
    let body = invite("c").with_body("application/isup", "x");
    let optional = invite("c2").with_body("text/plain", "x").with(H::ContentDisposition, "render;handling=optional");
    let encoded = invite("d").with(H::ContentEncoding, "gzip");
    let brief = invite("e").with(H::Supported, "timer").with(H::SessionExpires, "30");
    for (request, status) in [
        (scheme, 416),
        (requires, 420),
        (body, 415),
        (encoded, 415),
        (brief, 422),
        (request(Method::Subscribe, "f"), 405),
        (request(Method::Register, "g"), 405),
        (request(unknown("JUMP"), "h"), 501),
        (request(Method::Bye, "i"), 481),
        (request(Method::Prack, "j"), 481),
        (request(Method::Update, "k"), 481),
        (request(Method::Info, "l"), 481),
        (request(Method::Cancel, "m"), 481),
        (request(Method::Options, "n"), 200),
        (optional, 100),
    ] {
        let mut request = request;
        request.headers.set(H::CallId, request.via_top().unwrap().branch.unwrap());
        raw.receive(&Message::Request(request.clone()));
        let responses = raw.responses();
        assert_eq!(responses[0].status.0, status, "{request:?}");
        let has = |name: H| responses[0].headers.contains(&name);
        match status {
            420 => assert_eq!(responses[0].headers.get_str(&H::Unsupported), Some("teleport")),
            415 => assert!(has(H::Accept)),
            422 => assert_eq!(responses[0].headers.get_str(&H::MinSe), Some("90")),
            405 | 501 => assert!(has(H::Allow)),
            200 => assert!(has(H::Allow) && has(H::Accept) && has(H::Supported)),
            _ => {}
        }
    }
    raw.finish();
}

#[test]
fn requests_with_the_tag_of_no_dialog_are_never_new() {
    let mut raw = Raw::new();
    for (at, method) in [Method::Invite, Method::Bye, Method::Options, Method::Refer].into_iter().enumerate() {
        let mut request = request(method, &format!("t{at}"));
        request.headers.set(H::To, "<sip:room@192.0.2.1>;tag=0123456789abcdef");
        assert_eq!(raw.ask(&request), [481]);
    }
    let mut ack = request(Method::Ack, "t9");
    ack.headers.set(H::To, "<sip:room@192.0.2.1>;tag=0123456789abcdef");
    assert!(raw.ask(&ack).is_empty());
    assert_eq!(raw.endpoint.counts().stray_acks, 1);
    raw.finish();
}

#[test]
fn a_call_whose_contact_has_a_bracket_in_a_quoted_parameter_is_taken() {
    let mut raw = Raw::new();
    let mut invite = invite("1");
    invite.headers.set(H::Contact, "sip:peer@192.0.2.9:5066;+sip.instance=\"<urn:uuid:1>\"");
    raw.receive(&Message::Request(invite));
    assert_eq!(raw.statuses(), [100]);
    let Some(Event::Incoming { invite: id, .. }) = raw.events.pop() else { panic!() };
    assert_eq!(raw.endpoint.snapshot(id).unwrap().target, "sip:peer@192.0.2.9:5066");
    let now = raw.now;
    raw.endpoint.hangup(now, id, None).unwrap();
    raw.finish();
}

#[test]
fn a_merged_request_is_refused() {
    let mut raw = Raw::new();
    assert_eq!(raw.ask(&invite("1")), [100]);
    assert_eq!(raw.ask(&invite("1")), [100], "a retransmission");
    assert_eq!(raw.ask(&invite("other-way")), [482]);
    assert_eq!(raw.events.iter().filter(|event| matches!(event, Event::Incoming { .. })).count(), 1);
    raw.finish();
}

#[test]
fn a_policy_that_drops_makes_no_sound() {
    struct Closed;
    impl Policy for Closed {
        fn admit(&mut self, request: &crate::sip::message::Request, _: &Flow) -> Admission {
            if request.method == Method::Options { Admission::Reject(StatusCode::FORBIDDEN) } else { Admission::Drop }
        }
    }
    let mut raw = Raw::new();
    let (now, flow) = (raw.now, raw.flow);
    for request in [invite("1"), request(Method::Cancel, "2"), request(Method::Bye, "3"), request(Method::Options, "4")]
    {
        raw.endpoint.handle_input(now, Input::Message { flow, bytes: request.to_bytes() }, &mut Closed);
    }
    let garbage = "INVITE sip:a@b SIP/3.0\r\nVia: SIP/2.0/UDP x;branch=z9hG4bK1\r\nFrom: <sip:a@b>;tag=1\r\nTo: <sip:a@b>\r\n\
                   Call-ID: 1\r\nCSeq: 1 INVITE\r\n\r\n";
    raw.endpoint.handle_input(now, Input::Message { flow, bytes: garbage.into() }, &mut Closed);
    assert_eq!(raw.statuses(), [403]);
    let refused = raw.events.iter().filter(|event| matches!(event, Event::Refused { .. })).count();
    assert_eq!(refused, 5);
    raw.finish();
}

#[test]
fn who_a_peer_is_is_asked_once_and_comes_back_with_its_call() {
    struct Counting(u64);
    impl Policy for Counting {
        fn admit(&mut self, _: &crate::sip::message::Request, _: &Flow) -> Admission {
            self.0 += 1;
            Admission::Accept(Admitted { peer: PeerId(40 + self.0), terms: None, may_register: false })
        }
    }
    let mut raw = Raw::new();
    let mut policy = Counting(0);
    let (now, flow) = (raw.now, raw.flow);
    for request in [invite("1"), invite("1")] {
        raw.endpoint.handle_input(now, Input::Message { flow, bytes: request.to_bytes() }, &mut policy);
    }
    assert_eq!(raw.statuses(), [100, 100]);
    assert_eq!(policy.0, 1, "not for its terms, and not for a retransmission");
    let Some(Event::Incoming { peer, invite: id, .. }) = raw.events.pop() else { panic!() };
    assert_eq!(peer, PeerId(41));
    raw.endpoint.reject(now, id, StatusCode(486), Headers::new()).unwrap();
}

#[test]
fn responses_go_where_via_and_rport_say() {
    let mut raw = Raw::new();
    raw.flow.remote = "198.51.100.7:40000".parse().unwrap();
    raw.receive(&Message::Request(request(Method::Options, "1")));
    let (flow, message) = raw.sent_by_flow().remove(0);
    assert_eq!(flow.remote, raw.flow.remote);
    let via = message.response().unwrap().via_top().unwrap();
    assert_eq!((via.received, via.rport), (Some(raw.flow.remote.ip()), Some(Some(40000))));

    let mut request = request(Method::Options, "2");
    request.headers.set(H::Via, "SIP/2.0/UDP 192.0.2.9:5080;branch=z9hG4bKx;maddr=203.0.113.1");
    request.headers.set(H::CallId, "other");
    raw.receive(&Message::Request(request));
    let (flow, _) = raw.sent_by_flow().remove(0);
    assert_eq!(
        flow.remote,
        "198.51.100.7:5080".parse().unwrap(),
        "without rport the port of Via; maddr is not followed"
    );
    raw.finish();
}

#[test]
fn the_order_of_requests_inside_a_dialog_is_kept() {
    let mut raw = Raw::new();
    let (id, ok) = answered(&mut raw);
    assert_eq!(raw.ask(&inside(&ok, Method::Options, 5, "o5")), [200]);
    assert_eq!(raw.ask(&inside(&ok, Method::Info, 4, "i4")), [500]);
    assert_eq!(raw.ask(&inside(&ok, Method::Info, 6, "i6")), [200]);
    assert_eq!(raw.ask(&inside(&ok, Method::Info, 6, "i6")), [200], "a retransmission");
    assert_eq!(raw.events.iter().filter(|event| matches!(event, Event::Info { .. })).count(), 1);
    assert_eq!(raw.ask(&inside(&ok, Method::Refer, 7, "r7")), [400], "without a Refer-To");
    assert_eq!(raw.ask(&inside(&ok, Method::Bye, 8, "b8")), [200]);
    assert_eq!(raw.ask(&inside(&ok, Method::Bye, 8, "b8")), [200]);
    assert_eq!(raw.ask(&inside(&ok, Method::Bye, 9, "b9")), [481]);
    let now = raw.now;
    assert_eq!(raw.endpoint.hangup(now, id, None), Err(EndpointError::NoSuchCall));
    raw.finish();
}

#[test]
fn a_second_reinvite_while_one_waits_gets_500_with_retry_after() {
    let mut raw = Raw::new();
    let (id, ok) = answered(&mut raw);
    let offer = |cseq, branch| inside(&ok, Method::Invite, cseq, branch).with_body("application/sdp", "v=0\r\ns=2\r\n");
    assert!(raw.ask(&offer(2, "r2")).is_empty());
    raw.wait(ms(200));
    assert_eq!(raw.statuses(), [100]);
    raw.receive(&Message::Request(offer(3, "r3")));
    let refused = raw.responses().remove(0);
    assert_eq!(refused.status.0, 500);
    assert!(refused.retry_after().unwrap().seconds <= 10);
    assert_eq!(raw.ask(&inside(&ok, Method::Update, 4, "u4").with_body("application/sdp", "v=0\r\n")), [500]);
    let now = raw.now;
    raw.endpoint.answer_offer(now, id, Ok(sdp("fine"))).unwrap();
    assert_eq!(raw.statuses(), [200]);
    raw.receive(&Message::Request(inside(&ok, Method::Ack, 2, "a2")));
    assert_eq!(raw.ask(&inside(&ok, Method::Bye, 5, "b5")), [200]);
    raw.finish();
}

#[test]
fn bye_ends_what_still_waits() {
    let mut raw = Raw::new();
    let (_, ok) = answered(&mut raw);
    raw.ask(&inside(&ok, Method::Invite, 2, "r2"));
    assert_eq!(raw.ask(&inside(&ok, Method::Bye, 3, "b3")), [200, 487]);
    raw.receive(&Message::Request(inside(&ok, Method::Ack, 2, "r2")));
    raw.finish();
}

#[test]
fn a_reinvite_can_be_cancelled_and_a_call_ended_early() {
    let mut raw = Raw::new();
    let (_, ok) = answered(&mut raw);
    raw.ask(&inside(&ok, Method::Invite, 2, "r2"));
    let cancel = inside(&ok, Method::Cancel, 2, "r2");
    assert_eq!(raw.ask(&cancel), [200, 487]);
    assert_eq!(raw.ask(&inside(&ok, Method::Bye, 3, "b3")), [200]);

    let mut early = invite("early");
    early.headers.set(H::CallId, "early");
    raw.receive(&Message::Request(early));
    raw.sent();
    let Some(Event::Incoming { invite: id, .. }) = raw.events.pop() else { panic!() };
    let now = raw.now;
    raw.endpoint.provisional(now, id, StatusCode::RINGING, None).unwrap();
    let ringing = raw.responses().pop().unwrap();
    let mut bye = inside(&ringing, Method::Bye, 2, "eb");
    bye.headers.set(H::CallId, "early");
    assert_eq!(raw.ask(&bye), [200, 487]);
    assert!(matches!(raw.events.pop(), Some(Event::Cancelled { .. })));
    raw.finish();
}

#[test]
fn a_request_from_rfc_2543_times_is_matched_without_a_branch() {
    let mut raw = Raw::new();
    let mut invite = invite("x");
    invite.headers.set(H::Via, "SIP/2.0/UDP 192.0.2.9:5060");
    invite.headers.set(H::From, "<sip:peer@192.0.2.9>");
    assert_eq!(raw.ask(&invite), [100]);
    assert_eq!(raw.ask(&invite), [100]);
    raw.sent();
    assert_eq!(raw.events.len(), 1);
    let Some(Event::Incoming { invite: id, .. }) = raw.events.pop() else { panic!() };
    let now = raw.now;
    raw.endpoint.accept(now, id, sdp("ours")).unwrap();
    let ok = raw.responses().pop().unwrap();
    let mut ack = invite.clone();
    ack.method = Method::Ack;
    ack.headers.set(H::CSeq, "1 ACK");
    ack.headers.set(H::To, ok.headers.get(&H::To).unwrap().clone());
    raw.receive(&Message::Request(ack));
    raw.sent();
    assert!(matches!(raw.events.pop(), Some(Event::Acknowledged { .. })));
    raw.wait(secs(10));
    assert!(raw.sent().is_empty(), "the 2xx is not repeated");
    let now = raw.now;
    raw.endpoint.hangup(now, id, None).unwrap();
    let bye = raw.request();
    assert_eq!(bye.headers.get_str(&H::To), Some("<sip:peer@192.0.2.9>"));
    raw.answer(&bye, 200, "", |_| {});
    raw.finish();
}

#[test]
fn limits_hold() {
    let limits = Limits { calls: 2, pending_per_source: 3, ..Limits::default() };
    let mut raw = Raw::with(EndpointConfig { limits, ..EndpointConfig::default() }, Transport::Udp);
    let mut statuses = Vec::new();
    for at in 0..5 {
        let mut invite = invite(&format!("l{at}"));
        invite.headers.set(H::CallId, format!("l{at}"));
        statuses.extend(raw.ask(&invite));
    }
    assert_eq!(statuses, [100, 100, 503, 503, 503]);
    assert_eq!(raw.endpoint.counts().limited, 3);
    raw.finish();
}

#[test]
fn requests_follow_the_route_set_and_nat_is_seen_through() {
    for (contact, record_route, expected) in [
        ("<sip:peer@192.0.2.9:5060>", None, "192.0.2.9:5060"),
        ("<sip:peer@198.51.100.5:5070>", None, "198.51.100.5:5070"),
        ("<sip:peer@198.51.100.5>", Some("<sip:203.0.113.3;lr>"), "203.0.113.3:5060"),
        ("<sip:peer@10.0.0.5>", None, "192.0.2.9:5060"),
        ("<sip:peer@host.invalid>", None, "192.0.2.9:5060"),
    ] {
        let mut raw = Raw::new();
        let mut invite = invite("1");
        invite.headers.set(H::Contact, contact);
        if let Some(route) = record_route {
            invite.headers.push(H::RecordRoute, route);
        }
        raw.receive(&Message::Request(invite));
        raw.sent();
        let Some(Event::Incoming { invite: id, .. }) = raw.events.pop() else { panic!() };
        let now = raw.now;
        raw.endpoint.accept(now, id, sdp("ours")).unwrap();
        let ok = raw.responses().pop().unwrap();
        assert_eq!(ok.headers.contains(&H::RecordRoute), record_route.is_some());
        raw.receive(&Message::Request(inside(&ok, Method::Ack, 1, "a")));
        raw.endpoint.hangup(now, id, None).unwrap();
        let (flow, bye) = raw.sent_by_flow().pop().unwrap();
        assert_eq!(flow.remote, expected.parse().unwrap(), "{contact}");
        raw.answer(bye.request().unwrap(), 200, "", |_| {});
        raw.finish();
    }
}

#[test]
fn a_reinvite_moves_the_remote_target_only_when_it_is_accepted() {
    let mut raw = Raw::new();
    let (id, ok) = answered(&mut raw);
    let target = |raw: &Raw| raw.endpoint.snapshot(id).unwrap().target;
    for (cseq, accept, expected) in [(2, false, "sip:peer@192.0.2.9:5060"), (3, true, "sip:moved@192.0.2.9:5099")] {
        let mut reinvite =
            inside(&ok, Method::Invite, cseq, &format!("m{cseq}")).with_body("application/sdp", "v=0\r\n");
        reinvite.headers.set(H::Contact, "<sip:moved@192.0.2.9:5099>");
        raw.receive(&Message::Request(reinvite));
        let now = raw.now;
        let answer = if accept { Ok(sdp("fine")) } else { Err(StatusCode::NOT_ACCEPTABLE_HERE) };
        raw.endpoint.answer_offer(now, id, answer).unwrap();
        assert_eq!(raw.statuses(), [if accept { 200 } else { 488 }]);
        let branch = if accept { "ack" } else { "m2" };
        raw.receive(&Message::Request(inside(&ok, Method::Ack, cseq, branch)));
        assert_eq!(target(&raw), expected);
    }
    let now = raw.now;
    raw.endpoint.hangup(now, id, None).unwrap();
    let (flow, bye) = raw.sent_by_flow().pop().unwrap();
    assert_eq!(flow.remote.port(), 5099);
    raw.answer(bye.request().unwrap(), 200, "", |_| {});
    raw.finish();
}

#[test]
fn over_a_stream_only_the_2xx_is_ever_repeated() {
    let mut raw = Raw::with(EndpointConfig::default(), Transport::Tcp);
    raw.receive(&Message::Request(invite("1")));
    raw.sent();
    let Some(Event::Incoming { invite: id, .. }) = raw.events.pop() else { panic!() };
    let mut refused = invite("2");
    refused.headers.set(H::CallId, "refused");
    raw.receive(&Message::Request(refused));
    let Some(Event::Incoming { invite: other, .. }) = ({
        raw.sent();
        raw.events.pop()
    }) else {
        panic!()
    };
    let now = raw.now;
    raw.endpoint.accept(now, id, sdp("ours")).unwrap();
    raw.endpoint.reject(now, other, StatusCode::BUSY_HERE, crate::sip::message::Headers::new()).unwrap();
    assert_eq!(raw.statuses(), [200, 486]);
    raw.wait(secs(5));
    assert_eq!(raw.statuses(), [200, 200, 200]);
    raw.wait(secs(28));
    let bye = raw.requests();
    assert_eq!(bye.len(), 1, "sent once");
    raw.answer(&bye[0], 200, "", |_| {});
    raw.finish();
}

#[test]
fn messages_are_traced_when_asked() {
    let mut raw = Raw::with(EndpointConfig { trace: true, ..EndpointConfig::default() }, Transport::Udp);
    raw.receive(&Message::Request(request(Method::Options, "1")));
    let mut lines = Vec::new();
    while let Some(output) = raw.endpoint.poll_output() {
        if let Output::Trace(line) = output {
            lines.push((line.direction, line.call_id, line.summary));
        }
    }
    let line = |direction, summary: &str| (direction, "call-1".to_owned(), summary.to_owned());
    assert_eq!(
        lines,
        [line(TraceDirection::In, "OPTIONS sip:room@192.0.2.1"), line(TraceDirection::Out, "200 OK (OPTIONS)"),]
    );
    raw.finish();
}

#[test]
fn addresses_of_a_socket_for_both_families_are_seen_through() {
    let mut raw = Raw::new();
    raw.flow.local = "[::ffff:192.0.2.1]:5060".parse().unwrap();
    raw.flow.remote = "[::ffff:192.0.2.9]:5060".parse().unwrap();
    let mut invite = invite("1");
    invite.headers.set(H::Contact, "<sip:peer@198.51.100.5>");
    raw.receive(&Message::Request(invite));
    raw.sent();
    let Some(Event::Incoming { invite: id, .. }) = raw.events.pop() else { panic!() };
    let now = raw.now;
    raw.endpoint.accept(now, id, sdp("ours")).unwrap();
    let (flow, ok) = raw.sent_by_flow().pop().unwrap();
    let ok = ok.response().unwrap().clone();
    assert_eq!(flow.remote, raw.flow.remote);
    assert_eq!(ok.contact().unwrap().uri.host.to_string(), "192.0.2.1");
    assert_eq!(ok.via_top().unwrap().received, Some("192.0.2.9".parse().unwrap()));
    raw.receive(&Message::Request(inside(&ok, Method::Ack, 1, "a")));
    raw.endpoint.hangup(now, id, None).unwrap();
    let (flow, bye) = raw.sent_by_flow().pop().unwrap();
    assert_eq!(flow.remote, "[::ffff:198.51.100.5]:5060".parse().unwrap());
    raw.answer(bye.request().unwrap(), 200, "", |_| {});
    raw.finish();
}

#[test]
fn an_info_of_an_unknown_package_gets_469_and_one_with_an_unknown_body_415() {
    let mut raw = Raw::new();
    let (id, ok) = answered(&mut raw);
    let info = |cseq: u32| inside(&ok, Method::Info, cseq, &format!("i{cseq}"));
    let dtmf = info(6).with_body("Application/DTMF-Relay; x=y", "Signal=5\r\n");
    assert_eq!(raw.ask(&info(5)), [200], "without a body: is the call still there?");
    assert_eq!(raw.ask(&dtmf), [200]);
    assert_eq!(raw.events.iter().filter(|event| matches!(event, Event::Info { .. })).count(), 2);
    raw.receive_bytes(info(7).with_body("application/media_control+xml", "<media_control/>").to_bytes());
    let refusal = raw.responses().remove(0);
    assert_eq!(refusal.status, StatusCode::UNSUPPORTED_MEDIA_TYPE);
    assert_eq!(refusal.headers.get_str(&H::Accept), Some("application/dtmf-relay, application/dtmf"));
    raw.receive_bytes(
        info(8).with(H::InfoPackage, "foo").with_body("application/dtmf-relay", "Signal=5\r\n").to_bytes(),
    );
    let refusal = raw.responses().remove(0);
    assert_eq!(refusal.status, StatusCode::BAD_INFO_PACKAGE);
    assert!(refusal.headers.contains(&H::RecvInfo));
    assert_eq!(raw.events.iter().filter(|event| matches!(event, Event::Info { .. })).count(), 2);
    let now = raw.now;
    raw.endpoint.hangup(now, id, None).unwrap();
    let bye = raw.request();
    raw.answer(&bye, 200, "", |_| {});
    raw.finish();
}

#[test]
fn options_leave_nothing_behind_and_get_the_same_answer_when_they_come_again() {
    let mut raw = Raw::new();
    let mut options = request(Method::Options, "1");
    let mut answers = Vec::new();
    for _ in 0..2 {
        raw.receive(&Message::Request(options.clone()));
        assert_eq!(raw.endpoint.counts().server_transactions, 0);
        answers.extend(raw.sent());
    }
    assert!(answers.len() == 2 && answers[0] == answers[1], "{answers:#?}");
    let answer = answers[0].response().unwrap();
    assert_eq!((answer.status.0, answer.headers.contains(&H::Allow)), (200, true));
    assert!(answer.to().unwrap().tag().is_some());
    // Another one has another tag; one that requires what we cannot do is refused as ever.
    options.headers.set(H::Via, "SIP/2.0/UDP 192.0.2.9:5060;branch=z9hG4bK2;rport");
    raw.receive(&Message::Request(options.clone()));
    let other = raw.responses().remove(0);
    assert_ne!(other.to_tag(), answer.to_tag());
    assert_eq!(raw.ask(&options.with(H::Require, "teleport")), [420]);
    assert!(raw.endpoint.is_idle(), "{:?}", raw.endpoint.counts());
}

#[test]
fn no_limit_refuses_what_ends_or_refreshes_a_call() {
    let limits = Limits { pending_per_source: 1, ..Limits::default() };
    let mut raw = Raw::with(EndpointConfig { limits, ..EndpointConfig::default() }, Transport::Udp);
    let (id, ok) = answered(&mut raw);
    // One request waits for its answer: as many as this source may have.
    let mut waiting = invite("w");
    waiting.headers.set(H::CallId, "waiting");
    assert_eq!(raw.ask(&waiting), [100]);
    assert_eq!(raw.ask(&inside(&ok, Method::Info, 2, "i2")), [503], "the limit is reached");
    assert_eq!(raw.ask(&inside(&ok, Method::Update, 3, "u3")), [200]);
    raw.receive(&Message::Request(
        inside(&ok, Method::Invite, 4, "r4").with_body("application/sdp", "v=0\r\ns=again\r\n"),
    ));
    let now = raw.now;
    raw.endpoint.answer_offer(now, id, Ok(sdp("fine"))).unwrap();
    assert_eq!(raw.statuses(), [200]);
    raw.receive(&Message::Request(inside(&ok, Method::Ack, 4, "a4")));
    assert_eq!(raw.ask(&inside(&ok, Method::Bye, 5, "b5")), [200]);
    // Nor what gives up the one that waits.
    let mut cancel = request(Method::Cancel, "w");
    cancel.headers.set(H::CallId, "waiting");
    assert_eq!(raw.ask(&cancel), [200, 487]);
    let mut ack = request(Method::Ack, "w");
    ack.headers.set(H::CallId, "waiting");
    raw.receive(&Message::Request(ack));
    raw.finish();
}

#[test]
fn a_late_invite_is_refused_at_once_and_every_time_it_comes_and_leaves_nothing_behind() {
    let mut raw = Raw::new();
    let late = |raw: &mut Raw, request: &crate::sip::message::Request| {
        let (now, flow) = (raw.now, raw.flow);
        raw.endpoint.refuse_late(now, flow, &request.to_bytes())
    };
    assert!(late(&mut raw, &invite("1")));
    let refusal = raw.responses().remove(0);
    assert_eq!((refusal.status.0, refusal.headers.contains(&H::RetryAfter)), (503, true));
    assert!(raw.events.is_empty() && raw.endpoint.is_idle(), "{:?}", raw.endpoint.counts());
    // It comes again, in time: its caller has been told already.
    raw.receive(&Message::Request(invite("1")));
    let again = raw.responses().remove(0);
    assert_eq!((again.status.0, again.to_tag()), (503, refusal.to_tag()));
    assert!(Endpoint::is_stateless_tag(&again.to_tag()) && !Endpoint::is_stateless_tag("0123456789abcdef"));
    // One that only the parser can read, as RFC 2543 has it.
    let mut old = invite("x");
    old.headers.set(H::Via, "SIP/2.0/UDP 192.0.2.9:5060");
    assert!(late(&mut raw, &old));
    let refusals = raw.responses();
    assert!(late(&mut raw, &old));
    assert_eq!(refusals[0].to_tag(), raw.responses()[0].to_tag());
    // What belongs to something is not refused, however late.
    let (_, ok) = answered_as(&mut raw, "2");
    assert!(!late(&mut raw, &invite("2")), "the INVITE of a call");
    assert!(!late(&mut raw, &inside(&ok, Method::Invite, 2, "r2")), "a re-INVITE");
    assert!(!late(&mut raw, &inside(&ok, Method::Bye, 3, "b3")));
    assert_eq!(raw.ask(&inside(&ok, Method::Bye, 3, "b3")), [200]);
    raw.finish();
}
