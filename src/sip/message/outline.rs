//! A message at a glance: what it is and whether it belongs to something, before anybody parses it.
//!
//! For whoever must put messages into an order faster than they can be parsed. It is a look, not a judgement: folded or
//! odd lines may hide a tag from it, so that nothing may be refused by it alone.

use super::{Method, charset};

/// The header bytes that are looked at. A To that stands behind them is not seen.
const LOOKED_AT: usize = 4_096;

/// What a message seems to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outline<'a> {
    /// Nothing but line ends.
    KeepAlive,
    /// A response.
    Response,
    /// A request, or what nobody can read.
    Request {
        /// The method as written.
        method: &'a [u8],
        /// The user part of its request URI, escapes as written.
        user: Option<&'a str>,
        /// The tag in its To.
        to_tag: Option<&'a str>,
    },
}

impl<'a> Outline<'a> {
    /// Looks at a whole message. The work is bounded and linear.
    #[must_use]
    pub fn of(message: &'a [u8]) -> Self {
        let Some(begin) = message.iter().position(|byte| !matches!(byte, b'\r' | b'\n')) else {
            return Self::KeepAlive;
        };
        let message = &message[begin..message.len().min(begin.saturating_add(LOOKED_AT))];
        let (first, headers) = charset::split_at_byte(message, b'\n');
        if first.get(..4).is_some_and(|begin| begin.eq_ignore_ascii_case(b"SIP/")) {
            return Self::Response;
        }
        let (method, uri) = charset::split_at_byte(first, b' ');
        Self::Request { method, user: uri.and_then(user), to_tag: headers.and_then(to_tag) }
    }

    /// Whether it is a request of this method.
    #[must_use]
    pub fn is(&self, wanted: &Method) -> bool {
        matches!(self, Self::Request { method, .. } if *method == wanted.as_str().as_bytes())
    }

    /// The tag in the To of a request.
    #[must_use]
    pub fn to_tag(&self) -> Option<&'a str> {
        if let Self::Request { to_tag, .. } = self { *to_tag } else { None }
    }
}

/// The user part of the URI in the rest of a request line.
fn user(line: &[u8]) -> Option<&str> {
    let (uri, _) = charset::split_at_byte(line, b' ');
    let (_, rest) = charset::split_at_byte(uri, b':');
    let (user, host) = charset::split_at_byte(rest?, b'@');
    host?;
    let (user, _) = charset::split_at_byte(user, b':');
    std::str::from_utf8(user).ok()
}

/// The tag of the first To among header lines.
fn to_tag(mut headers: &[u8]) -> Option<&str> {
    loop {
        let (line, rest) = charset::split_at_byte(headers, b'\n');
        if let Some(value) = to_value(line) {
            return tag(value);
        }
        // An empty line ends the headers.
        headers = rest.filter(|_| !charset::trim(line).is_empty())?;
    }
}

fn to_value(line: &[u8]) -> Option<&[u8]> {
    let rest = match line {
        [b't' | b'T', b'o' | b'O', rest @ ..] | [b't' | b'T', rest @ ..] => rest,
        _ => return None,
    };
    let blank = rest.iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count();
    rest.get(blank..)?.strip_prefix(b":")
}

fn tag(value: &[u8]) -> Option<&str> {
    // What stands in brackets is the URI's.
    let parameters = memchr::memrchr(b'>', value).map_or(value, |at| &value[at..]);
    let at = memchr::memmem::rfind(parameters, b"tag=")?;
    let (before, from) = parameters.split_at(at);
    if charset::trim(before).last() != Some(&b';') {
        return None;
    }
    let tag = from.get(4..)?;
    let end = tag.iter().position(|byte| !charset::is_token(*byte)).unwrap_or(tag.len());
    std::str::from_utf8(&tag[..end]).ok().filter(|tag| !tag.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(head: &str) -> Outline<'_> {
        let outline = Outline::of(head.as_bytes());
        assert!(matches!(outline, Outline::Request { .. }), "{head}");
        outline
    }

    #[test]
    fn a_request_is_known_by_its_method_and_the_tag_in_to() {
        let invite = "INVITE sip:1000@192.0.2.1:5060 SIP/2.0\r\nVia: SIP/2.0/UDP a;branch=z9hG4bKt;tag=via\r\n\
                      From: <sip:a@b>;tag=from\r\nTo: <sip:1000@192.0.2.1>\r\nCall-ID: tag=1\r\n\r\nTo: <sip:x@y>;tag=body";
        let outline = request(invite);
        assert!(outline.is(&Method::Invite) && !outline.is(&Method::Info));
        assert_eq!(outline, Outline::Request { method: b"INVITE", user: Some("1000"), to_tag: None });
        for to in ["To: <sip:a@b>;tag=our", "t:sip:a@b;tag=our", "TO : \"x;tag=y\" <sip:a@b;tag=z>;x=1; tag=our;y"] {
            let text = format!("\r\nBYE sip:b SIP/2.0\r\nVia: x\r\n{to}\r\nCSeq: 2 BYE\r\n\r\n");
            assert_eq!(request(&text), Outline::Request { method: b"BYE", user: None, to_tag: Some("our") }, "{to}");
        }
        for to in ["To: <sip:a@b>;vtag=x", "To: <sip:a@b;tag=x>", "Topic: <sip:a@b>;tag=x", "To: <sip:a@b>;tag="] {
            assert_eq!(request(&format!("BYE sip:b SIP/2.0\r\n{to}\r\n\r\n")).to_tag(), None, "{to}");
        }
    }

    #[test]
    fn responses_and_keep_alives_are_told_apart_and_nothing_panics() {
        assert_eq!(Outline::of(b"SIP/2.0 200 OK\r\nTo: <sip:a@b>;tag=1\r\n\r\n"), Outline::Response);
        assert_eq!(Outline::of(b"\r\n\r\n"), Outline::KeepAlive);
        let whole = "INVITE sip:1000@h SIP/2.0\r\nTo: <sip:1000@h>;tag=1\r\n\r\n";
        for end in 0..whole.len() {
            _ = Outline::of(&whole.as_bytes()[..end]);
        }
        let long = format!("INVITE sip:a@h SIP/2.0\r\n{}To: <sip:a@h>;tag=1\r\n\r\n", "X: 1\r\n".repeat(2_000));
        assert_eq!(request(&long).to_tag(), None, "what is far behind is not looked for");
    }
}
