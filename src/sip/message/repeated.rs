//! What an answer repeats of its request (RFC 3261 section 8.2.6), taken from the bytes without parsing the rest: for
//! answers that must cost next to nothing.

use bytes::{BufMut, Bytes, BytesMut};
use smallvec::SmallVec;
use std::fmt::Write as _;
use std::net::SocketAddr;

use super::{Headers, StatusCode, Via, WRITTEN, charset, write_tail};

/// Header lines that are looked at; a request with more is parsed.
const MOST_LINES: usize = 64;

/// The lines, folds and odd ones left to the parser.
#[derive(Debug)]
pub(in crate::sip) struct Repeated<'a> {
    /// The top Via, marked with where it came from.
    pub via: Via,
    /// Whether that changed it.
    is_marked: bool,
    /// The first line of Vias as it came, and what stands in it behind the top one, from its comma.
    first: (&'a [u8], &'a [u8]),
    vias: SmallVec<[&'a [u8]; 4]>,
    from: &'a [u8],
    to: &'a [u8],
    call_id: &'a [u8],
    cseq: &'a [u8],
}

impl<'a> Repeated<'a> {
    /// Looks for them in a request that is outside of any call. `None` where the parser should have a look: a To tag,
    /// perhaps, folded lines, something twice or missing.
    pub fn of_new(request: &'a Bytes, source: SocketAddr) -> Option<Self> {
        let (mut vias, mut once) = (SmallVec::<[&[u8]; 4]>::new(), [None; 4]);
        let (_, rest) = charset::split_at_byte(request, b'\n');
        let mut rest = rest?;
        for count in 0.. {
            let (line, behind) = charset::split_at_byte(rest, b'\n');
            rest = behind?;
            let line = line.strip_suffix(b"\r").unwrap_or(line);
            if line.is_empty() {
                break;
            }
            let (name, value) = charset::split_at_byte(line, b':');
            let value = charset::trim(value?);
            if count == MOST_LINES || charset::is_space(*name.first()?) || memchr::memchr(b'\r', line).is_some() {
                return None;
            }
            let Some(slot) = slot(charset::trim(name)) else { continue };
            let Some(slot) = slot.checked_sub(1) else {
                vias.push(value);
                continue;
            };
            if once.get_mut(slot)?.replace(value).is_some() {
                return None;
            }
        }
        let [from, to, call_id, cseq] = once;
        let to = to.filter(|to| memchr::memmem::find(to, b"tag").is_none())?;
        let first = *vias.first()?;
        let top = charset::find_outside_quotes(first, b',', false).unwrap_or(first.len());
        let (top, behind) = first.split_at(top);
        let mut via = Via::parse(&request.slice_ref(charset::trim(top))).ok()?;
        let before = via.clone();
        via.mark_received(source);
        let is_marked = via != before;
        Some(Self { via, is_marked, first: (first, behind), vias, from: from?, to, call_id: call_id?, cseq: cseq? })
    }

    /// The answer with this To tag and these headers, for the wire.
    pub fn answer(&self, status: StatusCode, tag: &str, headers: &Headers) -> Bytes {
        let vias: usize = self.vias.iter().map(|via| via.len() + 8).sum();
        let lines = self.from.len() + self.to.len() + self.call_id.len() + self.cseq.len();
        let mut out = BytesMut::with_capacity(256 + vias + lines + headers.written_len());
        write!(out, "SIP/2.0 {:03} {}\r\nVia: ", status.0, status.reason()).expect(WRITTEN);
        let (first, behind) = self.first;
        if self.is_marked {
            write!(out, "{}", self.via).expect(WRITTEN);
            out.put_slice(behind);
        } else {
            out.put_slice(first);
        }
        for via in self.vias.iter().skip(1) {
            out.put_slice(b"\r\nVia: ");
            out.put_slice(via);
        }
        for (name, value) in [(&b"\r\nFrom: "[..], self.from), (b"\r\nTo: ", self.to), (&b";tag="[..], tag.as_bytes())]
        {
            out.put_slice(name);
            out.put_slice(value);
        }
        for (name, value) in [(&b"\r\nCall-ID: "[..], self.call_id), (b"\r\nCSeq: ", self.cseq), (b"\r\n", b"")] {
            out.put_slice(name);
            out.put_slice(value);
        }
        write_tail(&mut out, headers, &Bytes::new());
        out.freeze()
    }
}

/// 0 for Via; 1 to 4 for what stands once.
fn slot(name: &[u8]) -> Option<usize> {
    let is = |long: &str, short: &str| {
        name.eq_ignore_ascii_case(long.as_bytes()) || name.eq_ignore_ascii_case(short.as_bytes())
    };
    // Most names are told from these by their first letter.
    match name.first()?.to_ascii_lowercase() {
        b'v' if is("Via", "v") => Some(0),
        b'f' if is("From", "f") => Some(1),
        b't' if is("To", "t") => Some(2),
        b'c' if is("Call-ID", "Call-ID") => Some(3),
        b'i' if is("i", "i") => Some(3),
        b'c' if is("CSeq", "CSeq") => Some(4),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::super::{HeaderName as H, Message, Response};
    use super::*;

    const SOURCE: &str = "198.51.100.7:40000";

    fn invite(lines: &str) -> Bytes {
        format!(
            "INVITE sip:1000@h SIP/2.0\r\n{lines}Max-Forwards: 70\r\nContact: <sip:a@b>\r\nContent-Length: 0\r\n\r\n"
        )
        .into()
    }

    /// What parsing and the ordinary way to answer make of it.
    fn ordinary(bytes: &Bytes, headers: &Headers) -> Bytes {
        let Ok(Message::Request(mut request)) = Message::parse(bytes) else { panic!("{bytes:?}") };
        request.mark_received(SOURCE.parse().unwrap()).unwrap();
        let mut response = Response::to_request(&request, StatusCode::SERVICE_UNAVAILABLE);
        response.set_to_tag("s1");
        response.headers.extend(headers);
        response.to_bytes()
    }

    #[test]
    fn the_answer_is_what_the_parser_would_have_had_it() {
        let mut headers = Headers::new();
        headers.push(H::RetryAfter, "5");
        for lines in [
            "Via: SIP/2.0/UDP h:5060;branch=z9hG4bK1;rport\r\nFrom: <sip:a@b>;tag=1\r\nTo: <sip:c@d>\r\nCall-ID: x\r\nCSeq: 1 INVITE\r\n",
            "Via: SIP/2.0/UDP 198.51.100.7;branch=z9hG4bK1\r\nf: <sip:a@b>;tag=1\r\nt: <sip:c@d>\r\ni:x\r\ncseq : 1 INVITE\r\n",
            "v: SIP/2.0/UDP h;branch=z9hG4bK1;rport, SIP/2.0/TCP i;branch=z9hG4bK2\r\nFrom: \"x, y\" <sip:a@b>;tag=1\r\n\
             Via: SIP/2.0/UDP j;branch=z9hG4bK3\r\nTo:  <sip:c@d> \r\nCall-ID: x\r\nCSeq: 1 INVITE\nVia: SIP/2.0/UDP k\r\n",
        ] {
            let bytes = invite(lines);
            let answer = Repeated::of_new(&bytes, SOURCE.parse().unwrap()).unwrap();
            let answer = answer.answer(StatusCode::SERVICE_UNAVAILABLE, "s1", &headers);
            assert_eq!(answer, ordinary(&bytes, &headers), "{lines}");
        }
    }

    #[test]
    fn what_is_odd_is_left_to_the_parser() {
        let via = "Via: SIP/2.0/UDP h;branch=z9hG4bK1\r\n";
        let rest = "Call-ID: x\r\nCSeq: 1 INVITE\r\n";
        for lines in [
            format!("{via}From: <sip:a@b>;tag=1\r\nTo: <sip:c@d>;tag=2\r\n{rest}"),
            format!("{via}From: <sip:a@b>;tag=1\r\nTo: <sip:c@d>\r\n ;tag=2\r\n{rest}"),
            format!("{via}From: <sip:a@b>;tag=1\r\nTo: <sip:c@d>\r\nTo: <sip:e@f>\r\n{rest}"),
            format!("{via}From: <sip:a@b>;tag=1\r\nTo: <sip:c\r@d>\r\n{rest}"),
            format!("{via}From: <sip:a@b>;tag=1\r\n{rest}"),
            format!("Via: nonsense\r\nFrom: <sip:a@b>;tag=1\r\nTo: <sip:c@d>\r\n{rest}"),
            format!("From: <sip:a@b>;tag=1\r\nTo: <sip:c@d>\r\n{rest}"),
            format!("{via}From: <sip:a@b>;tag=1\r\nTo: <sip:c@d>\r\n{rest}{}", "X: 1\r\n".repeat(100)),
        ] {
            assert!(Repeated::of_new(&invite(&lines), SOURCE.parse().unwrap()).is_none(), "{lines}");
        }
        let whole = invite(&format!("{via}From: <sip:a@b>;tag=1\r\nTo: <sip:c@d>\r\n{rest}"));
        let head = whole.len();
        for end in 0..head - 2 {
            assert!(Repeated::of_new(&whole.slice(..end), SOURCE.parse().unwrap()).is_none(), "cut off at {end}");
        }
    }
}
