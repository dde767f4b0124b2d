//! The twelve situations of RFC 5118 (SIP over IPv6), in messages of our own.

use std::net::IpAddr;

use bytes::Bytes;
use partyline::sip::message::{Host, Message, Request};

use crate::torture::{Outcome, judge};

/// One situation: its name and section, a message, and what an endpoint does with it.
pub struct Case {
    pub name: &'static str,
    /// The message, lines ended by LF alone for legibility.
    text: &'static str,
    pub outcome: Outcome,
}

impl Case {
    /// The message as it comes over the wire.
    pub fn bytes(&self) -> Bytes {
        self.text.replace('\n', "\r\n").into()
    }
}

pub static RFC5118: [Case; 12] = [
    Case {
        name: "4.1 an IPv6 reference in URI, Via and Contact",
        text: "\
REGISTER sip:[2001:db8:7::53] SIP/2.0
Via: SIP/2.0/UDP [2001:db8:8::a1];branch=z9hG4bKv6-41
To: <sip:desk@conference.example>
From: <sip:desk@conference.example>;tag=41a
Call-ID: v6-41@[2001:db8:8::a1]
CSeq: 7 REGISTER
Max-Forwards: 70
Contact: <sip:desk@[2001:db8:8::a1]>
Content-Length: 0

",
        outcome: Outcome::Accept,
    },
    Case {
        name: "4.2 an IPv6 address without brackets in the request URI",
        text: "\
REGISTER sip:2001:db8:7::53 SIP/2.0
Via: SIP/2.0/UDP [2001:db8:8::a1];branch=z9hG4bKv6-42
To: <sip:desk@conference.example>
From: <sip:desk@conference.example>;tag=42a
Call-ID: v6-42@[2001:db8:8::a1]
CSeq: 8 REGISTER
Max-Forwards: 70
Contact: <sip:desk@[2001:db8:8::a1]>
Content-Length: 0

",
        outcome: Outcome::Reject(400),
    },
    Case {
        name: "4.3 what may have been meant as a port is inside the brackets, so it is address",
        text: "\
OPTIONS sip:[2001:db8:7::53:5062] SIP/2.0
Via: SIP/2.0/UDP [2001:db8:8::a1];branch=z9hG4bKv6-43
To: <sip:desk@conference.example>
From: <sip:lobby@conference.example>;tag=43a
Call-ID: v6-43@[2001:db8:8::a1]
CSeq: 9 OPTIONS
Max-Forwards: 70
Contact: <sip:lobby@[2001:db8:8::a1]>
Content-Length: 0

",
        outcome: Outcome::Accept,
    },
    Case {
        name: "4.4 a port outside the brackets",
        text: "\
OPTIONS sip:[2001:db8:7::53]:5062 SIP/2.0
Via: SIP/2.0/UDP [2001:db8:8::a1]:5064;branch=z9hG4bKv6-44
To: <sip:desk@conference.example>
From: <sip:lobby@conference.example>;tag=44a
Call-ID: v6-44@[2001:db8:8::a1]
CSeq: 10 OPTIONS
Max-Forwards: 70
Contact: <sip:lobby@[2001:db8:8::a1]:5064>
Content-Length: 0

",
        outcome: Outcome::Accept,
    },
    Case {
        name: "4.5 received with brackets",
        text: "\
BYE sip:[2001:db8:7::53] SIP/2.0
Via: SIP/2.0/UDP [2001:db8:8::a1:7];received=[2001:db8:8::a1:ff];branch=z9hG4bKv6-45
To: <sip:desk@conference.example>;tag=45b
From: <sip:lobby@conference.example>;tag=45a
Call-ID: v6-45@[2001:db8:8::a1]
CSeq: 11 BYE
Max-Forwards: 70
Content-Length: 0

",
        outcome: Outcome::Accept,
    },
    Case {
        name: "4.5 received without brackets",
        text: "\
BYE sip:[2001:db8:7::53] SIP/2.0
Via: SIP/2.0/UDP [2001:db8:8::a1:7];received=2001:db8:8::a1:ff;branch=z9hG4bKv6-45b
To: <sip:desk@conference.example>;tag=45b
From: <sip:lobby@conference.example>;tag=45a
Call-ID: v6-45b@[2001:db8:8::a1]
CSeq: 12 BYE
Max-Forwards: 70
Content-Length: 0

",
        outcome: Outcome::Accept,
    },
    Case {
        name: "4.6 IPv6 in the session description",
        text: "\
INVITE sip:room@[2001:db8:7::53] SIP/2.0
Via: SIP/2.0/UDP [2001:db8:8::a1];branch=z9hG4bKv6-46
To: <sip:room@[2001:db8:7::53]>
From: <sip:lobby@conference.example>;tag=46a
Call-ID: v6-46@[2001:db8:8::a1]
CSeq: 13 INVITE
Max-Forwards: 70
Contact: <sip:lobby@[2001:db8:8::a1]>
Content-Type: application/sdp

v=0
o=lobby 46 1 IN IP6 2001:db8:8::a1
s=-
c=IN IP6 2001:db8:8::a1
t=0 0
m=audio 40046 RTP/AVP 0
",
        outcome: Outcome::Accept,
    },
    Case {
        name: "4.7 addresses of both families in the headers",
        text: "\
BYE sip:room@conference.example SIP/2.0
Via: SIP/2.0/UDP [2001:db8:8::a1]:6050;branch=z9hG4bKv6-47c
Via: SIP/2.0/UDP 198.51.100.47:5070;received=2001:db8:8::47;branch=z9hG4bKv6-47b
Via: SIP/2.0/TCP [2001:db8:9::1]:7001;received=203.0.113.47;branch=z9hG4bKv6-47a
To: <sip:room@conference.example>;tag=47b
From: <sip:lobby@conference.example>;tag=47a
Call-ID: v6-47@198.51.100.47
CSeq: 14 BYE
Max-Forwards: 68
Content-Length: 0

",
        outcome: Outcome::Accept,
    },
    Case {
        name: "4.8 addresses of both families in the session description",
        text: "\
INVITE sip:room@[2001:db8:7::53] SIP/2.0
Via: SIP/2.0/UDP [2001:db8:8::a1]:6050;branch=z9hG4bKv6-48
To: <sip:room@[2001:db8:7::53]>
From: <sip:lobby@conference.example>;tag=48a
Call-ID: v6-48@[2001:db8:8::a1]
CSeq: 15 INVITE
Max-Forwards: 70
Contact: <sip:lobby@[2001:db8:8::a1]>
Content-Type: application/sdp

v=0
o=lobby 48 1 IN IP6 2001:db8:8::a1
s=-
t=0 0
m=audio 40048 RTP/AVP 0
c=IN IP6 2001:db8:8::a1
m=video 40050 RTP/AVP 31
c=IN IP4 198.51.100.48
",
        outcome: Outcome::Accept,
    },
    Case {
        name: "4.9 IPv4-mapped addresses",
        text: "\
INVITE sip:room@conference.example SIP/2.0
Via: SIP/2.0/UDP [::ffff:198.51.100.49]:5070;branch=z9hG4bKv6-49b
Via: SIP/2.0/UDP [::ffff:198.51.100.9];branch=z9hG4bKv6-49a
To: <sip:room@conference.example>
From: <sip:lobby@conference.example>;tag=49a
Call-ID: v6-49@lobby.example
CSeq: 16 INVITE
Max-Forwards: 68
Contact: <sip:lobby@[::ffff:198.51.100.9]>
Content-Type: application/sdp

v=0
o=lobby 49 1 IN IP6 ::ffff:198.51.100.9
s=-
c=IN IP6 ::ffff:198.51.100.9
t=0 0
m=audio 40049 RTP/AVP 0
",
        outcome: Outcome::Accept,
    },
    Case {
        name: "4.10 two colons before an embedded IPv4 address, as the corrected grammar has it",
        text: "\
OPTIONS sip:room@[2001:db8::198.51.100.50] SIP/2.0
Via: SIP/2.0/UDP [2001:db8::198.51.100.51];branch=z9hG4bKv6-50
To: <sip:room@[2001:db8::198.51.100.50]>
From: <sip:lobby@conference.example>;tag=50a
Call-ID: v6-50@lobby.example
CSeq: 17 OPTIONS
Max-Forwards: 70
Content-Length: 0

",
        outcome: Outcome::Accept,
    },
    Case {
        name: "4.10 three colons, as the uncorrected grammar would have it: forgiven",
        text: "\
OPTIONS sip:room@[2001:db8:::198.51.100.50] SIP/2.0
Via: SIP/2.0/UDP [2001:db8:::198.51.100.51];branch=z9hG4bKv6-51
To: <sip:room@[2001:db8:::198.51.100.50]>
From: <sip:lobby@conference.example>;tag=51a
Call-ID: v6-51@lobby.example
CSeq: 18 OPTIONS
Max-Forwards: 70
Content-Length: 0

",
        outcome: Outcome::Accept,
    },
];

#[test]
fn the_situations_of_rfc_5118_have_their_outcomes() {
    for case in &RFC5118 {
        assert_eq!(judge(&case.bytes()), case.outcome, "{}", case.name);
    }
}

fn request(index: usize) -> Request {
    match Message::parse(&RFC5118[index].bytes()) {
        Ok(Message::Request(request)) => request,
        other => panic!("{other:?}"),
    }
}

fn host(address: &str) -> Host {
    Host::Ip(address.parse().unwrap())
}

#[test]
fn a_port_is_what_stands_outside_the_brackets() {
    let (inside, outside) = (request(2).uri, request(3).uri);
    assert_eq!((inside.host, inside.port), (host("2001:db8:7::53:5062"), None));
    assert_eq!((outside.host, outside.port), (host("2001:db8:7::53"), Some(5062)));
}

#[test]
fn received_is_the_same_with_and_without_brackets() {
    let expected: IpAddr = "2001:db8:8::a1:ff".parse().unwrap();
    for index in [4, 5] {
        assert_eq!(request(index).via_top().unwrap().received, Some(expected));
    }
}

#[test]
fn two_and_three_colons_mean_the_same_address() {
    assert_eq!(request(10).uri.host, host("2001:db8::198.51.100.50"));
    assert_eq!(request(11).uri.host, request(10).uri.host);
}

#[test]
fn a_mapped_address_is_the_ipv4_address_it_maps() {
    let mut via = request(9).via_top().unwrap();
    via.rport = None;
    via.mark_received("198.51.100.49:5070".parse().unwrap());
    assert_eq!(via.received, None);
}
