//! SIP messages: bytes to message, what a user agent checks in it, an answer made from it, and message to bytes.

use std::hint::black_box;

use bytes::Bytes;
use partyline::sip::message::{HeaderName, Message, Response, StatusCode, check_request, check_response};

use super::Work;

/// As a carrier's border controller sends it.
pub const INVITE: &str = "INVITE sip:+442079460100@203.0.113.7:5060;user=phone SIP/2.0
Via: SIP/2.0/UDP 198.51.100.20:5060;branch=z9hG4bK3oc1vk10d0h2s5p6b8q0.1;rport
Record-Route: <sip:198.51.100.20;lr;ftag=gK0c9d2b11>
Max-Forwards: 66
From: \"Alice Liddell\" <sip:+442079460999@carrier.example;user=phone>;tag=gK0c9d2b11
To: <sip:+442079460100@203.0.113.7;user=phone>
Call-ID: 1073873_131203412@198.51.100.20
CSeq: 14623 INVITE
Contact: <sip:+442079460999@198.51.100.20:5060;transport=udp>
Allow: INVITE, ACK, CANCEL, BYE, REGISTER, REFER, INFO, SUBSCRIBE, NOTIFY, PRACK, UPDATE, OPTIONS, MESSAGE, PUBLISH
Accept: application/sdp, application/isup, application/dtmf, application/dtmf-relay, multipart/mixed
P-Asserted-Identity: \"Alice Liddell\" <sip:+442079460999@carrier.example;user=phone>
Supported: timer, 100rel, precondition, replaces
Session-Expires: 1800;refresher=uac
Min-SE: 90
User-Agent: Carrier SBC 9.2
Content-Type: application/sdp
Content-Length: 0

";

const OK: &str = "SIP/2.0 200 OK
Via: SIP/2.0/UDP 203.0.113.7:5060;branch=z9hG4bKd1f0b2c3a4e5;rport=5060;received=203.0.113.7
From: <sip:partyline@203.0.113.7>;tag=5f1c9a77
To: <sip:+442079460999@carrier.example>;tag=as58f4201b
Call-ID: b7e1d2c0-1f5a-4c3d-9e8f-0a1b2c3d4e5f
CSeq: 2 INVITE
Contact: <sip:+442079460999@198.51.100.20:5060>
Allow: INVITE, ACK, CANCEL, OPTIONS, BYE, REFER, SUBSCRIBE, NOTIFY, INFO, PUBLISH
Supported: replaces, timer
Server: Asterisk PBX 22.0.0
Content-Type: application/sdp
Content-Length: 0

";

/// As the other side of [`INVITE`]'s call ends it.
pub const BYE: &str = "BYE sip:partyline@203.0.113.7:5060 SIP/2.0
Via: SIP/2.0/UDP 198.51.100.20:5060;branch=z9hG4bK9a0b1c2d3e4f;rport
Max-Forwards: 70
From: <sip:+442079460999@carrier.example>;tag=gK0c9d2b11
To: <sip:+442079460100@203.0.113.7>;tag=5f1c9a77
Call-ID: 1073873_131203412@198.51.100.20
CSeq: 14624 BYE
Reason: Q.850;cause=16;text=\"Normal call clearing\"
Content-Length: 0

";

/// Lines as they go over the wire.
pub fn wire(text: &str) -> String {
    text.replace('\n', "\r\n")
}

/// A message of the texts above, with a body or without.
pub fn message(text: &str, body: &str) -> Bytes {
    let head = wire(text).replace("Content-Length: 0", &format!("Content-Length: {}", body.len()));
    Bytes::from(head + body)
}

/// What comes through many proxies, with all that each of them adds: about 7 KiB.
fn big() -> Bytes {
    let mut text = String::from("INVITE sip:room@203.0.113.7 SIP/2.0\n");
    for hop in 0..12 {
        text += &format!(
            "Via: SIP/2.0/UDP 198.51.100.{hop}:5060;branch=z9hG4bK{hop}af3c77e190;received=198.51.100.{hop};rport=5060\n"
        );
    }
    for hop in 0..10 {
        text += &format!("Record-Route: <sip:edge{hop}.carrier.example:5060;transport=udp;lr;did=6f1.{hop}a>\n");
    }
    text += INVITE.split_once('\n').map_or("", |(_, rest)| rest.split_once("Content-Length").map_or("", |(it, _)| it));
    for line in 0..40 {
        text += &format!("X-Carrier-Detail-{line}: key=value{line};other=\"some text, quoted\";more=0123456789\n");
    }
    text += "Content-Length: 0\n\n";
    message(&text, &wire(super::sdp::BROWSER))
}

pub fn works() -> Vec<Work> {
    let offer = wire(super::sdp::PHONE);
    let mut works = Vec::new();
    for (name, bytes) in [
        ("invite", message(INVITE, &offer)),
        ("ok", message(OK, &offer)),
        ("bye", message(BYE, "")),
        ("big_invite", big()),
    ] {
        let read = |bytes: &Bytes| Message::parse(bytes).expect("it is a message");
        let input = bytes.clone();
        works.push(Work::new(format!("sip/parse/{name}"), 20, move || {
            let input = input.clone();
            move || drop(black_box(read(black_box(&input))))
        }));
        let input = bytes.clone();
        works.push(Work::new(format!("sip/check/{name}"), 20, move || {
            let message = read(&input);
            move || {
                let verdict = match black_box(&message) {
                    Message::Request(request) => check_request(request),
                    Message::Response(response) => check_response(response),
                };
                verdict.expect("nothing is wrong with it");
            }
        }));
        works.push(Work::new(format!("sip/print/{name}"), 20, move || {
            let message = read(&bytes);
            move || drop(black_box(black_box(&message).to_bytes()))
        }));
    }
    let invite = message(INVITE, &offer);
    works.push(Work::new("sip/answer/invite", 20, move || {
        let Ok(Message::Request(request)) = Message::parse(&invite) else { panic!("it is a request") };
        let body = Bytes::from(wire(super::sdp::PHONE));
        move || {
            let mut answer = Response::to_request(black_box(&request), StatusCode::OK)
                .with(HeaderName::Contact, "<sip:partyline@203.0.113.7:5060>")
                .with_body("application/sdp", body.clone());
            answer.set_to_tag("5f1c9a77");
            drop(black_box(answer.to_bytes()));
        }
    }));
    works
}
