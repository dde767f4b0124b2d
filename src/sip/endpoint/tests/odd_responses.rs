//! Responses of which something cannot be read: a 2xx to an INVITE began a call that somebody pays for.

use super::super::*;
use super::{Raw, sdp, secs};
use crate::sip::message::{Defect, HeaderName as H, Method, Request, Response, StatusCode};

/// A call of ours, and the one odd response that its peer has for it.
struct Caller {
    raw: Raw,
    id: InviteId,
    /// Our INVITE, as the peer has it.
    invite: Request,
    status: u16,
    /// Which of [`odd`].
    at: usize,
    name: &'static str,
}

impl Caller {
    fn new(status: u16, at: usize, name: &'static str) -> Self {
        let mut raw = Raw::new();
        let from = "<sip:us@example.com>".parse().unwrap();
        let call = OutgoingInvite::new(raw.flow, from, "sip:them@192.0.2.9".parse().unwrap(), Some(sdp("offer")));
        let now = raw.now;
        let id = raw.endpoint.invite(now, call).unwrap();
        let invite = raw.request();
        Self { raw, id, invite, status, at, name }
    }

    /// The odd response to a request.
    fn odd(&self, request: &Request) -> String {
        odd(request, self.status).remove(self.at).1
    }

    /// The response to our INVITE comes, as it should be or odd.
    fn receive(&mut self, response: String) {
        self.raw.receive_bytes(response);
    }

    fn hang_up(&mut self) {
        let now = self.raw.now;
        self.raw.endpoint.hangup(now, self.id, None).unwrap();
    }

    /// The call that is up is hung up; the BYE, which the peer has answered.
    fn end(mut self) -> Request {
        self.hang_up();
        let bye = self.raw.request();
        assert_eq!(bye.method, Method::Bye, "{}", self.name);
        self.raw.answer(&bye, 200, "", |_| {});
        self.raw.finish();
        bye
    }
}

/// A call for each odd response of this status.
fn callers(status: u16) -> impl Iterator<Item = Caller> {
    let names = odd(&super::raw::invite("1"), status).into_iter().map(|(name, _)| name);
    names.enumerate().map(move |(at, name)| Caller::new(status, at, name))
}

/// A call whose response is made by the test.
fn caller() -> Caller {
    Caller::new(200, 0, "")
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
    for mut caller in callers(200) {
        let (name, answer) = (caller.name, caller.odd(&caller.invite));
        caller.receive(answer.clone());
        let ack = caller.raw.request();
        assert_eq!(ack.method, Method::Ack, "{name}");
        assert_eq!(ack.cseq().unwrap().number, caller.invite.cseq().unwrap().number, "{name}");
        assert_eq!(ack.uri.host, "192.0.2.9".into(), "{name}");
        let answered = caller.raw.events.iter().filter(|event| matches!(event, Event::Answered { .. })).count();
        assert_eq!(answered, 1, "{name}");
        // It comes again: acknowledged again, and nobody is told twice.
        caller.receive(answer);
        assert_eq!(caller.raw.request().method, Method::Ack, "{name}");
        assert_eq!(caller.end().headers.get(&H::To), ack.headers.get(&H::To), "{name}");
    }
}

#[test]
fn ringing_is_heard_whichever_header_cannot_be_read() {
    for mut caller in [180, 183].into_iter().flat_map(callers) {
        let (name, status) = (caller.name, caller.status);
        caller.receive(caller.odd(&caller.invite));
        caller.raw.sent();
        let rings = |event: &&Event| matches!(event, Event::Progress { status: said, .. } if said.0 == status);
        assert_eq!(caller.raw.events.iter().filter(rings).count(), 1, "{name}");
        caller.receive(wire(&response(&caller.invite, 200)));
        assert_eq!(caller.raw.request().method, Method::Ack, "{name}");
        caller.end();
    }
}

#[test]
fn a_refusal_ends_the_call_whichever_header_cannot_be_read() {
    for mut caller in callers(486) {
        let name = caller.name;
        caller.receive(caller.odd(&caller.invite));
        let ack = caller.raw.request();
        assert_eq!((ack.method.clone(), ack.headers.contains(&H::To)), (Method::Ack, true), "{name}");
        let failed = |event: &&Event| matches!(event, Event::Failed { status: StatusCode::BUSY_HERE, .. });
        assert_eq!(caller.raw.events.iter().filter(failed).count(), 1, "{name}");
        caller.raw.finish();
    }
}

#[test]
fn an_odd_2xx_that_nobody_waits_for_any_more_is_acknowledged_and_ended() {
    for mut caller in callers(200).filter(|caller| !caller.name.starts_with("Via")) {
        caller.raw.answer(&caller.invite, 180, "them", |_| {});
        caller.hang_up();
        assert_eq!(caller.raw.request().method, Method::Cancel);
        caller.receive(caller.odd(&caller.invite));
        let requests = caller.raw.requests();
        assert_eq!(methods(&requests), [Method::Ack, Method::Bye], "{}", caller.name);
        caller.raw.answer(&requests[1], 200, "", |_| {});
        caller.raw.finish();
    }
}

#[test]
fn the_odd_2xx_of_a_reinvite_is_acknowledged_and_the_call_goes_on() {
    for mut caller in callers(200).filter(|caller| !matches!(caller.name, "Via" | "Via missing")) {
        let name = caller.name;
        caller.receive(wire(&response(&caller.invite, 200)));
        assert_eq!(caller.raw.request().method, Method::Ack);
        let now = caller.raw.now;
        caller.raw.endpoint.reinvite(now, caller.id, Some(sdp("again"))).unwrap();
        let again = caller.raw.request();
        caller.receive(caller.odd(&again));
        let ack = caller.raw.request();
        assert_eq!(
            (ack.method.clone(), ack.cseq().unwrap().number),
            (Method::Ack, again.cseq().unwrap().number),
            "{name}"
        );
        assert!(!caller.raw.events.iter().any(|event| matches!(event, Event::Ended { .. })), "{name}");
        caller.end();
    }
}

#[test]
fn the_readable_part_of_a_route_is_used_and_the_request_uri_where_there_is_no_contact() {
    let mut caller = caller();
    let mut odd = response(&caller.invite, 200);
    odd.headers.set(H::Contact, "<sip:them");
    odd.headers.set(H::RecordRoute, "<sip:192.0.2.9;lr;n=1>, \"<sip:p2.example;lr>, <sip:p3.example;lr>");
    caller.receive(wire(&odd));
    let ack = caller.raw.request();
    assert_eq!(ack.uri, caller.invite.uri);
    let told = caller.raw.events.iter().find_map(|event| match event {
        Event::OddResponse { invite, defect, .. } => Some((*invite, *defect)),
        _ => None,
    });
    assert_eq!(told, Some((Some(caller.id), Defect::Malformed("Contact"))));
    assert_eq!(caller.end().headers.get_str(&H::Route), Some("<sip:192.0.2.9;lr;n=1>"));
}

#[test]
fn a_response_that_bears_neither_our_branch_nor_our_tag_is_dropped() {
    let mut caller = caller();
    let mut foreign = response(&caller.invite, 200);
    foreign.headers.set(H::Via, "SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bK0123456789abcdef");
    foreign.headers.set(H::From, "<sip:us@example.com>;tag=0123456789abcdef");
    caller.receive(wire(&foreign));
    assert!(caller.raw.sent().is_empty() && caller.raw.events.is_empty());
    assert_eq!(caller.raw.endpoint.counts().stray_responses, 1);
    caller.hang_up();
    caller.raw.wait(secs(40));
    caller.raw.finish();
}
