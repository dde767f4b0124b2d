//! The worst that unknown sources can send, in two sizes: each octet is to cost the same in both.

use std::fmt::Write;
use std::hint::black_box;

use bytes::Bytes;
use partyline::dialplan::number::NumberRules;
use partyline::rtp::rtcp;
use partyline::sdp::SessionDescription;
use partyline::sip::auth::Authorization;
use partyline::sip::message::{Message, NameAddr, Outline, Response, StatusCode, StreamFramer, Uri, check_request};

use super::call::Peer;
use super::{Run, Work};

/// A kind of input: its name, what is done with it, the two sizes in octets, and how it is made.
struct Kind {
    name: &'static str,
    read: fn(&Bytes),
    sizes: [usize; 2],
    made: fn(usize) -> String,
}

/// Lines may hold 8 KiB, heads 32 KiB, bodies and messages 64 KiB.
const LINE: [usize; 2] = [1_000, 8_000];
const HEAD: [usize; 2] = [4_000, 30_000];
const BODY: [usize; 2] = [8_000, 60_000];
const GLANCE: [usize; 2] = [500, 3_900];

const KINDS: &[Kind] = &[
    Kind { name: "via_rport", read: message, sizes: LINE, made: |size| invite(&via(&repeated(size, ";rport"))) },
    Kind { name: "via_params", read: message, sizes: LINE, made: |size| invite(&via(&numbered(size, ";a", "=b"))) },
    Kind {
        name: "via_list",
        read: message,
        sizes: LINE,
        made: |size| invite(&format!("{}{}\r\n", via("").trim_end(), repeated(size, ", SIP/2.0/UDP h;branch=z"))),
    },
    Kind {
        name: "via_lines",
        read: message,
        sizes: [700, 5_000],
        made: |size| invite(&(via("") + &repeated(size, "v: SIP/2.0/UDP h\r\n"))),
    },
    Kind {
        name: "route_params",
        read: message,
        sizes: LINE,
        made: |size| invite(&(via("") + "Record-Route: <sip:h" + &numbered(size, ";a", "=b") + ">\r\n")),
    },
    Kind {
        name: "route_list",
        read: message,
        sizes: LINE,
        made: |size| invite(&(via("") + "Record-Route: <sip:h;lr>" + &repeated(size, ",<sip:h;lr>") + "\r\n")),
    },
    Kind {
        name: "contact_list",
        read: message,
        sizes: LINE,
        made: |size| invite(&(via("") + "Contact: <sip:h>" + &repeated(size, ",\"\\\"<\" <sip:h>;q=1") + "\r\n")),
    },
    Kind {
        name: "folded_lines",
        read: message,
        sizes: LINE,
        made: |size| invite(&(via("") + "Subject: x" + &repeated(size, "\r\n x") + "\r\n")),
    },
    Kind {
        name: "long_lines",
        read: message,
        sizes: HEAD,
        made: |size| invite(&(via("") + &repeated(size, &format!("X: {}\r\n", "\"\\\"".repeat(1_000))))),
    },
    Kind {
        name: "quoted_name",
        read: message,
        sizes: LINE,
        made: |size| from(&format!("\"{}\" <sip:a@h>", repeated(size, "\\\""))),
    },
    Kind { name: "open_quotes", read: message, sizes: LINE, made: |size| from(&repeated(size, "\"<")) },
    Kind {
        name: "commas",
        read: message,
        sizes: LINE,
        made: |size| {
            invite(
                &(via("") + "Supported: a" + &repeated(size, ",") + "\r\nRequire: " + &repeated(size, "b,") + "\r\n"),
            )
        },
    },
    Kind {
        name: "credentials",
        read: message,
        sizes: LINE,
        made: |size| {
            invite(&(via("") + "Authorization: Digest username=\"a\"" + &numbered(size, ",b", "=\"\\\"\"") + "\r\n"))
        },
    },
    Kind {
        name: "authorization_params",
        read: authorization,
        sizes: LINE,
        made: |size| digest("") + &numbered(size, ",b", "=\"\\\"\""),
    },
    Kind {
        name: "authorization_quotes",
        read: authorization,
        sizes: LINE,
        made: |size| digest(&repeated(size, "\\\",=")),
    },
    Kind {
        name: "authorization_names",
        read: authorization,
        sizes: LINE,
        made: |size| digest("") + &repeated(size, ", qop=auth"),
    },
    Kind {
        name: "stream_lines",
        read: stream,
        sizes: HEAD,
        made: |size| format!("INVITE sip:h SIP/2.0\r\n{}l: 0\r\n\r\n", repeated(size, "a:b\r\n")),
    },
    Kind {
        name: "stream_open_head",
        read: stream,
        sizes: HEAD,
        made: |size| format!("INVITE sip:h SIP/2.0\r\n{}", repeated(size, "a\n\r")),
    },
    Kind {
        name: "stream_one_line",
        read: stream,
        sizes: HEAD,
        made: |size| format!("INVITE sip:h SIP/2.0\r\na: {}", repeated(size, "b")),
    },
    Kind {
        name: "stream_body",
        read: stream,
        sizes: HEAD,
        made: |size| format!("INVITE sip:h SIP/2.0\r\nl: {size}\r\n\r\n{}", repeated(size, "\n")),
    },
    Kind { name: "stream_pings", read: stream, sizes: HEAD, made: |size| repeated(size, "\r\n\r\n") },
    Kind { name: "stream_line_ends", read: stream, sizes: HEAD, made: |size| repeated(size, "\n") },
    // No more than 4 KiB of a message are looked at.
    Kind {
        name: "outline_lines",
        read: outline,
        sizes: GLANCE,
        made: |size| format!("INVITE sip:h SIP/2.0\r\n{}", repeated(size, "t\n")),
    },
    Kind {
        name: "outline_user",
        read: outline,
        sizes: GLANCE,
        made: |size| format!("INVITE sip:{}@h SIP/2.0\r\n\r\n", repeated(size, ":")),
    },
    Kind {
        name: "outline_to",
        read: outline,
        sizes: GLANCE,
        made: |size| format!("INVITE sip:h SIP/2.0\r\nTo: {}\r\n", repeated(size, "\"\\\"<;ta")),
    },
    Kind { name: "uri_params", read: uri, sizes: LINE, made: |size| format!("sip:a@h{}", numbered(size, ";a", "=b")) },
    Kind {
        name: "uri_headers",
        read: uri,
        sizes: LINE,
        made: |size| format!("sip:a@h?a=b{}", repeated(size, "&a=%41")),
    },
    Kind {
        name: "address_params",
        read: address,
        sizes: LINE,
        made: |size| format!("<sip:a@h>{}", numbered(size, ";a", "=\"\\\"\"")),
    },
    Kind { name: "sdp_attributes", read: sdp, sizes: BODY, made: |size| session(&repeated(size, "a=x:y\r\n")) },
    Kind {
        name: "sdp_media",
        read: sdp,
        sizes: BODY,
        made: |size| session(&repeated(size, "m=audio 9 RTP/AVP 0\r\n")),
    },
    Kind {
        name: "sdp_maps",
        read: sdp,
        sizes: BODY,
        made: |size| session(&repeated(size, "a=rtpmap:96 opus/48000/2\r\na=fmtp:96 a\r\n")),
    },
    Kind {
        name: "sdp_formats",
        read: sdp,
        sizes: LINE,
        made: |size| session(&format!("m=audio 9 RTP/AVP 0{}\r\n", repeated(size, " 96"))),
    },
    Kind { name: "number", read: number, sizes: LINE, made: |size| repeated(size, "(0)") },
];

/// Bodies of several parts, by how their kind is named: what stands in them over and over.
const MULTIPARTS: [(&str, &str); 4] = [
    ("multipart_parts", "--b\r\nc: application/sdp\r\n\r\nv=0\r\n"),
    ("multipart_dashes", "--\n--a\n"),
    ("multipart_heads", "a:b\r\n"),
    ("multipart_nested", "--b\r\nc: multipart/mixed;boundary=b\r\n\r\n"),
];

fn repeated(size: usize, piece: &str) -> String {
    piece.repeat(size / piece.len())
}

/// `;a1=b;a2=b…`: no two are alike.
fn numbered(size: usize, before: &str, after: &str) -> String {
    let mut text = String::new();
    for number in 0.. {
        if text.len() >= size {
            break;
        }
        let _ = write!(text, "{before}{number}{after}");
    }
    text
}

fn via(more: &str) -> String {
    format!("Via: SIP/2.0/UDP 198.51.100.20:5060;branch=z9hG4bK1{more}\r\n")
}

fn invite(head: &str) -> String {
    from_with("<sip:a@h>;tag=1", head)
}

fn from(value: &str) -> String {
    from_with(value, &via(""))
}

fn from_with(from: &str, head: &str) -> String {
    format!(
        "INVITE sip:b@h SIP/2.0\r\n{head}From: {from}\r\nTo: <sip:b@h>\r\nCall-ID: 1\r\nCSeq: 1 INVITE\r\n\
         Max-Forwards: 70\r\nContent-Length: 0\r\n\r\n"
    )
}

/// The credentials of somebody whose client nonce is `cnonce`.
fn digest(cnonce: &str) -> String {
    format!(
        "Digest username=\"a\", realm=\"r\", nonce=\"n\", uri=\"sip:h\", response=\"{}\", nc=00000001, cnonce=\"{cnonce}\"",
        "0".repeat(32)
    )
}

fn session(lines: &str) -> String {
    format!("v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\nm=audio 9 RTP/AVP 0\r\n{lines}")
}

fn message(bytes: &Bytes) {
    if let Ok(Message::Request(request)) = Message::parse(bytes) {
        let _ = black_box(check_request(&request));
        let _ = black_box(request.via_top().map(|via| via.to_string()));
        drop(black_box(Response::to_request(&request, StatusCode::OK).to_bytes()));
    }
}

fn authorization(bytes: &Bytes) {
    let _ = black_box(Authorization::parse(bytes));
}

/// As an unknown source may send it that has time: octet by octet.
fn stream(bytes: &Bytes) {
    let mut framer = StreamFramer::new();
    for octet in bytes.chunks(1) {
        framer.push(octet);
        for frame in framer.by_ref() {
            drop(black_box(frame));
        }
    }
}

fn outline(bytes: &Bytes) {
    black_box(Outline::of(bytes));
}

fn uri(bytes: &Bytes) {
    if let Ok(uri) = Uri::parse(bytes) {
        black_box(uri.is_equivalent(&uri.clone()));
        black_box(uri.to_string());
    }
}

fn address(bytes: &Bytes) {
    let _ = black_box(NameAddr::parse(bytes).map(|address| address.to_string()));
}

fn sdp(bytes: &Bytes) {
    let _ = black_box(SessionDescription::parse(bytes));
}

fn number(bytes: &Bytes) {
    let text = std::str::from_utf8(bytes).unwrap_or_default();
    let rules = NumberRules::of_country("GB").expect("a country");
    black_box(rules.normalise(text));
}

/// A compound packet of many of a kind.
fn reports(size: usize) -> Bytes {
    let goodbye = [0x81, 203, 0, 1, 0, 0, 0, 1];
    let mut compound = vec![0x80, 201, 0, 1, 0, 0, 0, 1];
    while compound.len() < size {
        compound.extend(goodbye);
    }
    compound.into()
}

/// An INVITE with a body of several parts, for [`Peer::call_with`].
fn multipart(size: usize, piece: &str) -> Bytes {
    let body = format!("--b\r\n{}\r\n--b--\r\n", repeated(size, piece));
    let head = from_with("<sip:a@h>;tag=1", &via("").replace("bK1", "bKBRANCH"));
    let head = head.replace("Call-ID: 1", "Call-ID: CALL").replace("Length: 0", &format!("Length: {}", body.len()));
    format!("{}\r\nContact: <sip:a@h>\r\nc: multipart/mixed;boundary=b\r\n\r\n{body}", head.trim_end()).into()
}

/// Of each kind the name and what is done with each size of it, with the octets.
pub fn kinds() -> Vec<(String, [(Work, usize); 2])> {
    let work = |name: String, bytes: Bytes, read: fn(&Bytes)| {
        let length = bytes.len();
        let prepare = move || -> Run {
            let bytes = bytes.clone();
            Box::new(move || read(black_box(&bytes)))
        };
        (Work { name, counted: 1, prepare: Box::new(prepare) }, length)
    };
    let texts = KINDS.iter().map(|kind| {
        let sized = |size: usize| work(format!("hostile/{}/{size}", kind.name), (kind.made)(size).into(), kind.read);
        (format!("hostile/{}", kind.name), kind.sizes.map(sized))
    });
    let read_reports: fn(&Bytes) = |bytes| {
        if let Ok(packets) = rtcp::parse(bytes) {
            black_box(packets.count());
        }
    };
    let sized = |size: usize| work(format!("hostile/rtcp/{size}"), reports(size), read_reports);
    let bodies = MULTIPARTS.iter().map(|(name, piece)| {
        let sized = |size: usize| {
            let (text, name) = (multipart(size, piece), format!("hostile/{name}/{size}"));
            let length = text.len();
            let prepare = move || -> Run {
                let (text, mut peer) = (String::from_utf8(text.to_vec()).expect("it is ASCII"), Peer::new());
                Box::new(move || peer.call_with(&text))
            };
            (Work { name, counted: 1, prepare: Box::new(prepare) }, length)
        };
        (format!("hostile/{name}"), BODY.map(sized))
    });
    texts.chain([("hostile/rtcp".to_owned(), [150, 1_200].map(sized))]).chain(bodies).collect()
}
