//! A dialog that began over TLS, continued by a transport that anybody may read.

use super::super::*;
use super::raw::{inside, invite};
use super::{Raw, sdp};
use crate::sip::message::{HeaderName as H, Message, Method, Request, Transport};

fn clear(transport: Transport) -> Flow {
    let connection = transport.is_reliable().then_some(8);
    Flow { transport, local: "192.0.2.1:5060".parse().unwrap(), remote: "192.0.2.9:5060".parse().unwrap(), connection }
}

/// A call that came by TLS and is answered; its acknowledgement is to come.
fn answered(offer: bool) -> (Raw, InviteId, crate::sip::message::Response) {
    let mut raw = Raw::with(EndpointConfig::default(), Transport::Tls);
    let mut call = invite("i");
    if !offer {
        call.body = bytes::Bytes::new();
        call.headers.remove(&H::ContentType);
    }
    raw.receive(&Message::Request(call));
    raw.sent();
    let Some(Event::Incoming { invite: id, .. }) = raw.events.pop() else { panic!() };
    let now = raw.now;
    raw.endpoint.accept(now, id, sdp("answer")).unwrap();
    let ok = raw.responses().pop().unwrap();
    (raw, id, ok)
}

fn ask_by(raw: &mut Raw, flow: Flow, request: &Request) -> Vec<u16> {
    let before = std::mem::replace(&mut raw.flow, flow);
    let statuses = raw.ask(request);
    raw.flow = before;
    statuses
}

#[test]
fn a_request_in_the_clear_changes_nothing_in_a_private_dialog() {
    for transport in [Transport::Udp, Transport::Tcp] {
        let (mut raw, id, ok) = answered(true);
        raw.ask(&inside(&ok, Method::Ack, 1, "a"));
        raw.events.clear();
        let offer = |method, branch: &str| inside(&ok, method, 5, branch).with_body("application/sdp", "v=0\r\n");
        for (n, method) in [Method::Invite, Method::Update, Method::Info, Method::Refer].into_iter().enumerate() {
            let request = offer(method, &format!("c{n}"));
            assert_eq!(ask_by(&mut raw, clear(transport), &request), [403], "{}", request.method);
        }
        let unheard = |event: &Event| matches!(event, Event::Refused { .. });
        assert!(raw.events.drain(..).all(|event| unheard(&event)));
        // Not even the order of requests: the same number comes again by TLS.
        raw.ask(&offer(Method::Invite, "t"));
        assert!(matches!(raw.events.pop(), Some(Event::Offer { .. })));
        let now = raw.now;
        raw.endpoint.answer_offer(now, id, Ok(sdp("again"))).unwrap();
        let sent = raw.sent_by_flow();
        assert!(sent.iter().all(|(flow, _)| *flow == raw.flow) && sent.len() == 1);
        raw.ask(&inside(&ok, Method::Ack, 5, "a5"));
        // The end of the other connection is not the call's.
        let now = raw.now;
        raw.endpoint.handle_input(now, Input::FlowClosed { flow: clear(transport) }, &mut super::Open);
        raw.endpoint.hangup(now, id, None).unwrap();
        let (flow, _) = raw.sent_by_flow().pop().unwrap();
        assert_eq!(flow, raw.flow);
        raw.finish();
    }
}

#[test]
fn bye_in_the_clear_ends_a_private_call_all_the_same() {
    let (mut raw, _, ok) = answered(true);
    raw.ask(&inside(&ok, Method::Ack, 1, "a"));
    assert_eq!(ask_by(&mut raw, clear(Transport::Udp), &inside(&ok, Method::Bye, 2, "b")), [200]);
    assert!(matches!(raw.events.pop(), Some(Event::Ended { by: EndedBy::Remote, .. })));
    raw.finish();
}

#[test]
fn an_answer_in_the_clear_is_no_answer() {
    let (mut raw, _, ok) = answered(false);
    let answer = inside(&ok, Method::Ack, 1, "a").with_body("application/sdp", "v=0\r\n");
    raw.events.clear();
    ask_by(&mut raw, clear(Transport::Udp), &answer);
    assert!(raw.events.is_empty());
    raw.ask(&answer);
    assert!(matches!(raw.events.pop(), Some(Event::Acknowledged { body: Some(_), .. })));
    raw.ask(&inside(&ok, Method::Bye, 2, "b"));
    raw.finish();
}
