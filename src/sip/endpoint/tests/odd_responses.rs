//! Responses of which something cannot be read: a 2xx to an INVITE began a call that somebody pays for.

use super::super::*;
use super::{Raw, sdp, secs};
use crate::sip::message::{Defect, HeaderName as H, Method, Request, Response, StatusCode};

/// Our INVITE, as the peer has it.
fn calling(raw: &mut Raw) -> (InviteId, Request) {
    let from = "<sip:us@example.com>".parse().unwrap();
    let call = OutgoingInvite::new(raw.flow, from, "sip:them@192.0.2.9".parse().unwrap(), Some(sdp("offer")));
    let now = raw.now;
    let id = raw.endpoint.invite(now, call).unwrap();
    (id, raw.request())
}

/// A response with all that it should have.
fn response(invite: &Request, status: u16) -> Response {
    let mut response = Response::to_request(invite, StatusCode(status)).with(H::Contact, "<sip:them@192.0.2.9:5060>");
    response.set_to_tag("them");
    response.with_body("application/sdp", "v=0\r\ns=answer\r\n")
}

fn wire(response: &Response) -> String {
    String::from_utf8(response.to_bytes().to_vec()).unwrap()
}

/// The value of the header as `response` has it is replaced by this one.
fn with(mut response: Response, name: H, value: &str) -> String {
    response.headers.set(name, value.to_owned());
    wire(&response)
}

/// The header is not there.
fn without(mut response: Response, name: &H) -> String {
    response.headers.remove(name);
    wire(&response)
}

/// The header comes twice.
fn twice(response: Response, name: H, value: &str) -> String {
    let first = response.headers.get_str(&name).unwrap().to_owned();
    wire(&response.with(name, if value.is_empty() { first } else { value.to_owned() }))
}

/// Each kind of header that a response may have and that may not be readable.
fn odd(invite: &Request, status: u16) -> Vec<(&'static str, String)> {
    let ok = || response(invite, status);
    let with_length = |length: &str| {
        let text = wire(&ok());
        let (head, body) = text.split_once("Content-Length: ").unwrap();
        format!("{head}Content-Length: {length}{}", body.trim_start_matches(|digit: char| digit.is_ascii_digit()))
    };
    let to = ok().headers.get_str(&H::To).unwrap().to_owned();
    vec![
        ("Contact", with(ok(), H::Contact, "<sip:them@192.0.2.9")),
        ("Contact of no use", with(ok(), H::Contact, "*")),
        ("Contact missing", without(ok(), &H::Contact)),
        ("Record-Route", with(ok(), H::RecordRoute, "<sip:192.0.2.9;lr>, <sip:p2")),
        ("To", with(ok(), H::To, &format!("\"open {to}"))),
        ("To twice", twice(ok(), H::To, "")),
        ("From", with(ok(), H::From, "<<>>;tag=x")),
        ("From twice", twice(ok(), H::From, "")),
        ("Call-ID missing", without(ok(), &H::CallId)),
        ("CSeq", with(ok(), H::CSeq, "one INVITE")),
        ("CSeq missing", without(ok(), &H::CSeq)),
        ("Max-Forwards twice", twice(ok().with(H::MaxForwards, "70"), H::MaxForwards, "")),
        ("Via", with(ok(), H::Via, "SIP/2.0/UDP ;branch")),
        ("Via missing", without(ok(), &H::Via)),
        ("Via beyond the top", twice(ok(), H::Via, "SIP/2.0/UDP ::1")),
        ("Via of somebody else beyond the top", twice(ok(), H::Via, "SIP/2.0/UDP 192.0.2.77;branch=z9hG4bKx")),
        ("Session-Expires", with(ok(), H::SessionExpires, "soon;refresher=\"")),
        ("Require", with(ok(), H::Require, "teleport, \"")),
        ("RSeq", with(ok().with(H::Require, "100rel"), H::RSeq, "-1")),
        ("Allow", with(ok(), H::Allow, "\"INVITE")),
        ("Content-Length too long", with_length("4000")),
        ("Content-Length", with_length("many")),
        ("Content-Length twice", with_length("17\r\nContent-Length: 18")),
        ("a line without a colon", wire(&ok()).replace("Contact:", "Nonsense\r\nContact:")),
        ("too many lines", wire(&ok()).replace("Contact:", &format!("{}Contact:", "X: y\r\n".repeat(300)))),
    ]
}

fn methods(requests: &[Request]) -> Vec<Method> {
    requests.iter().map(|request| request.method.clone()).collect()
}

#[test]
fn a_2xx_is_acknowledged_and_its_call_ended_whichever_header_cannot_be_read() {
    let names: Vec<_> = odd(&super::raw::invite("1"), 200).into_iter().map(|(name, _)| name).collect();
    for (at, name) in names.iter().enumerate() {
        let mut raw = Raw::new();
        let (id, invite) = calling(&mut raw);
        let answer = odd(&invite, 200).remove(at).1;
        raw.receive_bytes(answer.clone());
        let ack = raw.request();
        assert_eq!(ack.method, Method::Ack, "{name}");
        assert_eq!(ack.cseq().unwrap().number, invite.cseq().unwrap().number, "{name}");
        assert_eq!(ack.uri.host, "192.0.2.9".into(), "{name}");
        let answered = raw.events.iter().filter(|event| matches!(event, Event::Answered { .. })).count();
        assert_eq!(answered, 1, "{name}");
        // It comes again: acknowledged again, and nobody is told twice.
        raw.receive_bytes(answer);
        assert_eq!(raw.request().method, Method::Ack, "{name}");
        let now = raw.now;
        raw.endpoint.hangup(now, id, None).unwrap();
        let bye = raw.request();
        assert_eq!((bye.method.clone(), bye.headers.get(&H::To)), (Method::Bye, ack.headers.get(&H::To)), "{name}");
        raw.answer(&bye, 200, "", |_| {});
        raw.finish();
    }
}

#[test]
fn ringing_is_heard_whichever_header_cannot_be_read() {
    for status in [180, 183] {
        let names: Vec<_> = odd(&super::raw::invite("1"), status).into_iter().map(|(name, _)| name).collect();
        for (at, name) in names.iter().enumerate() {
            let mut raw = Raw::new();
            let (id, invite) = calling(&mut raw);
            raw.receive_bytes(odd(&invite, status).remove(at).1);
            raw.sent();
            let rings = |event: &&Event| matches!(event, Event::Progress { status: said, .. } if said.0 == status);
            assert_eq!(raw.events.iter().filter(rings).count(), 1, "{name}");
            raw.receive_bytes(wire(&response(&invite, 200)));
            assert_eq!(raw.request().method, Method::Ack, "{name}");
            let now = raw.now;
            raw.endpoint.hangup(now, id, None).unwrap();
            let bye = raw.request();
            raw.answer(&bye, 200, "", |_| {});
            raw.finish();
        }
    }
}

#[test]
fn a_refusal_ends_the_call_whichever_header_cannot_be_read() {
    let names: Vec<_> = odd(&super::raw::invite("1"), 486).into_iter().map(|(name, _)| name).collect();
    for (at, name) in names.iter().enumerate() {
        let mut raw = Raw::new();
        let (_, invite) = calling(&mut raw);
        raw.receive_bytes(odd(&invite, 486).remove(at).1);
        let ack = raw.request();
        assert_eq!((ack.method.clone(), ack.headers.contains(&H::To)), (Method::Ack, true), "{name}");
        let failed = |event: &&Event| matches!(event, Event::Failed { status: StatusCode::BUSY_HERE, .. });
        assert_eq!(raw.events.iter().filter(failed).count(), 1, "{name}");
        raw.finish();
    }
}

#[test]
fn an_odd_2xx_that_nobody_waits_for_any_more_is_acknowledged_and_ended() {
    let names: Vec<_> = odd(&super::raw::invite("1"), 200).into_iter().map(|(name, _)| name).collect();
    for (at, name) in names.iter().enumerate().filter(|(_, name)| !name.starts_with("Via")) {
        let mut raw = Raw::new();
        let (id, invite) = calling(&mut raw);
        raw.answer(&invite, 180, "them", |_| {});
        let now = raw.now;
        raw.endpoint.hangup(now, id, None).unwrap();
        assert_eq!(raw.request().method, Method::Cancel);
        raw.receive_bytes(odd(&invite, 200).remove(at).1);
        let requests = raw.requests();
        assert_eq!(methods(&requests), [Method::Ack, Method::Bye], "{name}");
        raw.answer(&requests[1], 200, "", |_| {});
        raw.finish();
    }
}

#[test]
fn the_odd_2xx_of_a_reinvite_is_acknowledged_and_the_call_goes_on() {
    let names: Vec<_> = odd(&super::raw::invite("1"), 200).into_iter().map(|(name, _)| name).collect();
    for (at, name) in names.iter().enumerate().filter(|(_, name)| !matches!(**name, "Via" | "Via missing")) {
        let mut raw = Raw::new();
        let (id, invite) = calling(&mut raw);
        raw.receive_bytes(wire(&response(&invite, 200)));
        assert_eq!(raw.request().method, Method::Ack);
        let now = raw.now;
        raw.endpoint.reinvite(now, id, Some(sdp("again"))).unwrap();
        let again = raw.request();
        raw.receive_bytes(odd(&again, 200).remove(at).1);
        let ack = raw.request();
        assert_eq!(
            (ack.method.clone(), ack.cseq().unwrap().number),
            (Method::Ack, again.cseq().unwrap().number),
            "{name}"
        );
        assert!(!raw.events.iter().any(|event| matches!(event, Event::Ended { .. })), "{name}");
        let now = raw.now;
        raw.endpoint.hangup(now, id, None).unwrap();
        let bye = raw.request();
        raw.answer(&bye, 200, "", |_| {});
        raw.finish();
    }
}

#[test]
fn the_readable_part_of_a_route_is_used_and_the_request_uri_where_there_is_no_contact() {
    let mut raw = Raw::new();
    let (id, invite) = calling(&mut raw);
    let mut odd = response(&invite, 200);
    odd.headers.set(H::Contact, "<sip:them");
    odd.headers.set(H::RecordRoute, "<sip:192.0.2.9;lr;n=1>, \"<sip:p2.example;lr>, <sip:p3.example;lr>");
    raw.receive_bytes(odd.to_bytes());
    let ack = raw.request();
    assert_eq!(ack.uri, invite.uri);
    let told = raw.events.iter().find_map(|event| match event {
        Event::OddResponse { invite, defect, .. } => Some((*invite, *defect)),
        _ => None,
    });
    assert_eq!(told, Some((Some(id), Defect::Malformed("Contact"))));
    let now = raw.now;
    raw.endpoint.hangup(now, id, None).unwrap();
    let bye = raw.request();
    assert_eq!(bye.headers.get_str(&H::Route), Some("<sip:192.0.2.9;lr;n=1>"));
    raw.answer(&bye, 200, "", |_| {});
    raw.finish();
}

#[test]
fn a_response_that_bears_neither_our_branch_nor_our_tag_is_dropped() {
    let mut raw = Raw::new();
    let (id, invite) = calling(&mut raw);
    let mut foreign = response(&invite, 200);
    foreign.headers.set(H::Via, "SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bK0123456789abcdef");
    foreign.headers.set(H::From, "<sip:us@example.com>;tag=0123456789abcdef");
    raw.receive_bytes(foreign.to_bytes());
    assert!(raw.sent().is_empty() && raw.events.is_empty());
    assert_eq!(raw.endpoint.counts().stray_responses, 1);
    let now = raw.now;
    raw.endpoint.hangup(now, id, None).unwrap();
    raw.wait(secs(40));
    raw.finish();
}
