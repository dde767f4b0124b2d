//! A message of our own for each row of the torture table, so that every fault is tried where the RFC's files are not.

use bytes::Bytes;
use partyline::sip::message::{HeaderName as H, Message, Request};

use crate::torture::{RFC4475, judge};

const SDP: &str =
    "v=0\r\no=- 8811 1 IN IP4 198.51.100.23\r\ns=-\r\nc=IN IP4 198.51.100.23\r\nt=0 0\r\nm=audio 30116 RTP/AVP 0 8\r\n";
const CONTACT: &str = "Contact: <sip:dana@198.51.100.23:5062>";
const SDP_TYPE: &str = "Content-Type: application/sdp";

/// A message: `special` lines stand first and replace the usual ones of the same name; a special line that is a name
/// and nothing else leaves the usual one out.
struct Own<'a> {
    fault: &'a str,
    start: &'a str,
    special: &'a [&'a str],
    body: &'a [u8],
}

impl Own<'_> {
    fn bytes(&self) -> Bytes {
        let cseq = match self.start.split_once(' ') {
            Some(("SIP/2.0" | "SIP/9.3", _)) | None => "INVITE",
            Some((method, _)) => method,
        };
        let usual = [
            ("Via", format!("SIP/2.0/UDP 198.51.100.23:5062;branch=z9hG4bKown-{}", self.fault)),
            ("From", "\"Dana\" <sip:dana@branch.example>;tag=d4n4".to_owned()),
            ("To", "<sip:+442079460107@gate.example>".to_owned()),
            ("Call-ID", format!("{}-5521@198.51.100.23", self.fault)),
            ("CSeq", format!("4021 {cseq}")),
            ("Max-Forwards", "61".to_owned()),
            ("Content-Length", self.body.len().to_string()),
        ];
        let name = |line: &str| line.split(':').next().unwrap_or_default().trim().to_ascii_lowercase();
        let mut head = format!("{}\r\n", self.start);
        for line in self.special.iter().filter(|line| line.contains(':')) {
            head.push_str(line);
            head.push_str("\r\n");
        }
        for (usual, value) in usual {
            if !self.special.iter().any(|line| name(line) == usual.to_ascii_lowercase()) {
                head.push_str(&format!("{usual}: {value}\r\n"));
            }
        }
        [head.as_bytes(), b"\r\n", self.body].concat().into()
    }
}

fn own<'a>(fault: &'a str, start: &'a str, special: &'a [&'a str], body: &'a str) -> (&'a str, Bytes) {
    (fault, Own { fault, start, special, body: body.as_bytes() }.bytes())
}

/// Each fault with a message that has it.
pub fn messages() -> Vec<(&'static str, Bytes)> {
    let options = "OPTIONS sip:+442079460107@gate.example SIP/2.0";
    let invite = "INVITE sip:+442079460107@gate.example SIP/2.0";
    let register = "REGISTER sip:gate.example SIP/2.0";
    let no_contact = &["X-Nothing: special"][..];
    let long = "quitealongword".repeat(40);
    let mut all = parser_tests(options, invite, register);
    all.extend([
        ("longreq", {
            let special = [
                format!("From: \"{long}\" <sip:{long}@{long}.example;{long}={long}>;tag={long};{long}"),
                format!("X-{long}: {long}"),
                format!("Via: SIP/2.0/UDP {long}.example;branch=z9hG4bK{long}, SIP/2.0/TCP {long};x-{long}={long}"),
                format!("Call-ID: {long}@{long}"),
            ];
            let special: Vec<_> = special.iter().map(String::as_str).collect();
            Own { fault: "longreq", start: options, special: &special, body: b"" }.bytes()
        }),
        ("dblreq", {
            let (_, first) = own("dblreq", register, no_contact, "");
            let (_, second) = own("behind", invite, &[CONTACT, SDP_TYPE], SDP);
            [&first[..], b"\r\n\r\n", &second[..]].concat().into()
        }),
        ("mpart01", {
            let special = ["Content-Type: multipart/mixed;boundary=cut-here", "MIME-Version: 1.0"];
            let body = b"--cut-here\r\n\r\nhello\r\n--cut-here\r\nContent-Type: application/x-bin\r\n\r\n\0\xff\r\n\r\n\x80SIP/2.0\r\n--cut-here--\r\n";
            Own { fault: "mpart01", start: "MESSAGE sip:dana@gate.example SIP/2.0", special: &special, body }.bytes()
        }),
    ]);
    all.extend(meaning_tests(options, invite, register));
    all
}

/// RFC 4475 section 3.1.
fn parser_tests(options: &'static str, invite: &'static str, register: &'static str) -> Vec<(&'static str, Bytes)> {
    vec![
        own(
            "wsinv",
            "INVITE sip:desk@gate.example;odd SIP/2.0",
            &[
                "tO\t:\r\n \"De\\\\sk \\\"one\\\"\"\t<sip:desk@gate.example>\r\n\t;\r\n tag =\r\n x17",
                "f : \"a\\\"b\"<sip:dana@branch.example> ; tag\t=\td4n4",
                "V: SIP /\r\n 2.0 / UDP\r\n\t198.51.100.23 : 5062 ;\r\n branch = oldstyle , SIP/2.0/TCP a.example;branch=z9hG4bKx",
                "via: SIP / 2.0 / TLS b.example",
                "From",
                "CSEQ: 00017\r\n\tINVITE",
                "mAX-fORWARDS :  007",
                "Strange-One: ,,;;=",
                "K:",
                "m : \"q \\\\\" <sip:dana@198.51.100.23>;\r\n q=0.5",
                SDP_TYPE,
            ],
            SDP,
        ),
        own(
            "intmeth",
            "Ping.2-it!%~*+'`_ sip:a.b-c_d!e~f*g'(h)&i=j+k$l,m;n?o/p:q&r=s+t$u,v@gate.example SIP/2.0",
            &[
                "To: \"tab\t del\u{7f} nul\u{0}\" <sip:b@gate.example>",
                "From: a.b!c <sip:x@y.example>;t~g=\"ąę\";tag=.-!%*_+`'~",
            ],
            "",
        ),
        own(
            "esc01",
            "INVITE sip:a%40b%3ac@gate.example SIP/2.0",
            &["To: sip:%64esk@gate.example", "Contact: <sip:d%61na@198.51.100.23;%74ransport=tcp;x=%25>", SDP_TYPE],
            SDP,
        ),
        own("escnull", register, &["To: <sip:a%00b@gate.example>", "Contact: <sip:%00@198.51.100.23>"], ""),
        own(
            "esc02",
            "OPT%49ONS sip:gate.example SIP/2.0",
            &["From: \"100%\" <sip:d@branch.example>;tag=%zz", "T%6F: x"],
            "",
        ),
        own("lwsdisp", options, &["From: Dana<sip:dana@branch.example>;tag=1"], ""),
        own("semiuri", "OPTIONS sip:107;ext=9;at=%40@gate.example SIP/2.0", &[], ""),
        own(
            "transports",
            options,
            &[
                "Via: SIP/2.0/WSS a.invalid;branch=z9hG4bK1",
                "Via: SIP/2.0/PIGEON b.example;branch=z9hG4bK2, SIP/2.0/SCTP c.example;branch=z9hG4bK3",
            ],
            "",
        ),
        own("unreason", "SIP/2.0 200 śmiało, 好的", &[CONTACT, SDP_TYPE], SDP),
        own("noreason", "SIP/2.0 180 ", &[], ""),
        own("badinv01", invite, &["Via: SIP/2.0/UDP 198.51.100.23;;;,;,", CONTACT, SDP_TYPE], SDP),
        own("clerr", invite, &["Content-Length: 4096", CONTACT, SDP_TYPE], SDP),
        own("ncl", invite, &["Content-Length: -17", CONTACT, SDP_TYPE], SDP),
        own(
            "scalar02",
            register,
            &[
                "CSeq: 18446744073709551617 REGISTER",
                "Max-Forwards: 1000",
                "Expires: 340282366920938463463374607431768211456",
            ],
            "",
        ),
        own(
            "scalarlg",
            "SIP/2.0 503 Busy",
            &["CSeq: 73786976294838206464 INVITE", "Retry-After: 73786976294838206464"],
            "",
        ),
        own("quotbal", invite, &["To: \"Room seven <sip:7@gate.example>", CONTACT, SDP_TYPE], SDP),
        own("ltgtruri", "INVITE <sip:7@gate.example> SIP/2.0", &[CONTACT, SDP_TYPE], SDP),
        own("lwsruri", "INVITE sip:7@gate.example; user=phone SIP/2.0", &[CONTACT, SDP_TYPE], SDP),
        own("lwsstart", "INVITE   sip:7@gate.example SIP/2.0", &[CONTACT, SDP_TYPE], SDP),
        own("trws", "OPTIONS sip:7@gate.example SIP/2.0 \t ", &[], ""),
        own("escruri", "INVITE sip:7@gate.example?Subject=hi SIP/2.0", &[CONTACT, SDP_TYPE], SDP),
        own("baddate", invite, &["Date: Wed, 04 Mar 2026 09:30:00 CET", CONTACT, SDP_TYPE], SDP),
        own("regbadct", register, &["Contact: sip:d@198.51.100.23?Path=%3Csip:p.example%3E"], ""),
        own("badaspec", options, &["To: \"Seven\" <\tsip:7@gate.example  >"], ""),
        own(
            "baddn",
            options,
            &["From: Doe, Dana <sip:dana@branch.example>;tag=1", "To: Seven (7) <sip:7@gate.example>"],
            "",
        ),
        own("badvers", "OPTIONS sip:gate.example SIP/9.3", &["Via: SIP/9.3/UDP 198.51.100.23;branch=z9hG4bKv"], ""),
        own("mismatch01", "BYE sip:7@gate.example SIP/2.0", &["CSeq: 12 INVITE"], ""),
        own("mismatch02", "SHOUT sip:7@gate.example SIP/2.0", &["CSeq: 12 INVITE"], ""),
        own("bigcode", "SIP/2.0 8589934792 wrapped round this would be two hundred", &[], ""),
    ]
}

/// RFC 4475 sections 3.2 to 3.4.
fn meaning_tests(options: &'static str, invite: &'static str, register: &'static str) -> Vec<(&'static str, Bytes)> {
    vec![
        own("badbranch", options, &["Via: SIP/2.0/UDP 198.51.100.23;branch=z9hG4bK"], ""),
        own("insuf", invite, &["From", "To", "Call-ID", CONTACT, SDP_TYPE], SDP),
        own("unkscm", "OPTIONS carrier-pigeon:loft-9 SIP/2.0", &[], ""),
        own("novelsc", "OPTIONS https://gate.example:8443/room SIP/2.0", &[], ""),
        own("unksm2", register, &["To: urn:isbn:0", "From: <mailto:d@branch.example>;tag=1", "Contact: <loft:9>"], ""),
        own("bext01", options, &["Require: telepathy, levitation", "Proxy-Require: teleport"], ""),
        own("invut", invite, &[CONTACT, "Content-Type: application/x-semaphore"], "flags up\r\n"),
        own("regaut01", register, &["Authorization: Handshake grip=\"firm\""], ""),
        own(
            "multi01",
            invite,
            &[
                "From: <sip:a@branch.example>;tag=1",
                "From: <sip:b@branch.example>;tag=2",
                "To: <sip:7@gate.example>",
                "To: <sip:8@gate.example>",
                "Call-ID: one",
                "i: two",
                "CSeq: 3 INVITE",
                "CSeq: 4 INVITE",
                "Max-Forwards: 9",
                "Max-Forwards: 8",
                CONTACT,
                SDP_TYPE,
            ],
            SDP,
        ),
        own("mcl01", options, &["Content-Length: 4", "Content-Type: text/plain", "l: 9"], "How many octets are mine?"),
        own(
            "bcast",
            "SIP/2.0 200 OK",
            &[
                "Via: SIP/2.0/UDP 198.51.100.23;branch=z9hG4bKa",
                "Via: SIP/2.0/UDP 203.0.113.255;branch=z9hG4bKb",
                CONTACT,
            ],
            "",
        ),
        own("zeromf", options, &["Max-Forwards: 0"], ""),
        own("cparam01", register, &["Contact: sip:dana@198.51.100.23;x-colour=green"], ""),
        own("cparam02", register, &["Contact: <sip:dana@198.51.100.23;x-colour=green>"], ""),
        own("regescrt", register, &["m: <sip:dana@198.51.100.23?Route=%3Csip:p.example;lr%3E>"], ""),
        own("sdp01", invite, &["Accept: image/x-drawing", CONTACT, SDP_TYPE], SDP),
        own(
            "inv2543",
            invite,
            &[
                "Via: SIP/2.0/UDP old.example",
                "From: <sip:dana@old.example;user=phone>",
                "Max-Forwards",
                "Content-Length",
                SDP_TYPE,
            ],
            SDP,
        ),
    ]
}

#[test]
fn every_fault_of_the_table_has_a_message_of_ours_with_the_same_outcome() {
    let messages = messages();
    assert_eq!(messages.len(), RFC4475.len());
    for case in &RFC4475 {
        let (_, bytes) =
            messages.iter().find(|(fault, _)| *fault == case.name).unwrap_or_else(|| panic!("{}", case.name));
        assert_eq!(judge(bytes), case.at_message(), "{}: {:?}", case.name, Message::parse(bytes));
        if let Ok(message) = Message::parse(bytes) {
            assert_eq!(Message::parse(&message.to_bytes()), Ok(message), "{}", case.name);
        }
    }
}

fn request(fault: &str) -> Request {
    let (_, bytes) = messages().into_iter().find(|(other, _)| *other == fault).unwrap();
    match Message::parse(&bytes) {
        Ok(Message::Request(request)) => request,
        other => panic!("{fault}: {other:?}"),
    }
}

#[test]
fn tortuous_messages_are_understood() {
    let wsinv = request("wsinv");
    assert_eq!(wsinv.to().unwrap().display.as_deref(), Some(r#"De\sk "one""#));
    assert_eq!((wsinv.to().unwrap().tag(), wsinv.from().unwrap().tag()), (Some("x17"), Some("d4n4")));
    assert_eq!(wsinv.via_top().unwrap().branch.as_deref(), Some("oldstyle"));
    assert_eq!(wsinv.headers.values(&H::Via).count(), 3);
    assert_eq!(wsinv.cseq().unwrap().number, 17);
    assert_eq!(wsinv.contact().unwrap().display.as_deref(), Some(r"q \"));
    assert_eq!(wsinv.body, SDP);

    assert_eq!(request("esc01").uri.user_decoded().as_deref(), Some("a@b:c"));
    assert_eq!(request("escnull").to().unwrap().uri.user_decoded().as_deref(), Some("a\0b"));
    assert_eq!(request("semiuri").uri.user_decoded().as_deref(), Some("107;ext=9;at=@"));
    assert!(request("dblreq").body.is_empty());
    assert_eq!(request("baddn").from().unwrap().display.as_deref(), Some("Doe, Dana"));
    assert!(request("mpart01").body.ends_with(b"--cut-here--\r\n"));
    assert_eq!(request("inv2543").body, SDP);
}
