//! Finding the session description in a body (RFC 3261 section 8.2.3, RFC 5621).

use bytes::Bytes;

use crate::sip::message::{HeaderName as H, Headers, WithParams};

/// Why a body cannot be taken: both are answered 415.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum BodyRefusal {
    /// A Content-Type we do not know.
    Type,
    /// A Content-Encoding we do not know: we know none.
    Encoding,
}

/// Parts of a multipart body looked at, and how deep they may nest.
const MAX_PARTS: usize = 16;
const MAX_DEPTH: usize = 3;

/// The session description in a body, if there is one. A body that may be passed over (`handling=optional`) counts
/// as none.
pub(crate) fn session_description(headers: &Headers, body: &Bytes) -> Result<Option<Bytes>, BodyRefusal> {
    if body.is_empty() {
        return Ok(None);
    }
    let found = match encoded(headers.get(&H::ContentEncoding)) {
        true => Err(BodyRefusal::Encoding),
        false => find(headers.get(&H::ContentType), body, 0).map_err(|()| BodyRefusal::Type),
    };
    match found {
        Err(_) if has_handling(headers.get(&H::ContentDisposition), "optional") => Ok(None),
        other => other,
    }
}

fn encoded(encoding: Option<&Bytes>) -> bool {
    encoding.is_some_and(|encoding| {
        let encoding = encoding.trim_ascii();
        !encoding.is_empty() && !encoding.eq_ignore_ascii_case(b"identity")
    })
}

/// What a Content-Disposition says of those who cannot read the body (RFC 3261 section 20.11).
fn has_handling(disposition: Option<&Bytes>, handling: &str) -> bool {
    let disposition = disposition.and_then(|disposition| WithParams::parse(disposition).ok());
    let said = disposition.and_then(|disposition| disposition.params.get_unquoted("handling"));
    said.is_some_and(|said| said.eq_ignore_ascii_case(handling))
}

/// `Err`: nothing in it is ours to read.
fn find(content_type: Option<&Bytes>, body: &Bytes, depth: usize) -> Result<Option<Bytes>, ()> {
    let Some(content_type) = content_type else {
        // Some leave the type out; a session description is known by how it begins.
        return if body.starts_with(b"v=0") { Ok(Some(body.clone())) } else { Err(()) };
    };
    let content_type = WithParams::parse(content_type).map_err(|_| ())?;
    if content_type.is("application/sdp") {
        return Ok(Some(body.clone()));
    }
    let kind = content_type.value.as_bytes();
    let multipart = kind.get(..10).is_some_and(|start| start.eq_ignore_ascii_case(b"multipart/"));
    if !multipart || depth >= MAX_DEPTH {
        return Err(());
    }
    let boundary = content_type.params.get_unquoted("boundary").filter(|boundary| !boundary.is_empty()).ok_or(())?;
    let mut found = None;
    let mut refused = false;
    for part in parts(body, boundary.as_bytes()).take(MAX_PARTS) {
        let (head, content) = split_head(&part);
        let field = |name: &str| field(&head, name);
        let inside = if encoded(field("content-encoding")) {
            Err(())
        } else {
            // A part without a type is text/plain (RFC 2046 section 5.2), so none for us.
            match field("content-type") {
                Some(kind) => find(Some(kind), &content, depth + 1),
                None => Err(()),
            }
        };
        match inside {
            Ok(description) => found = found.or(description),
            Err(()) => refused |= has_handling(field("content-disposition"), "required"),
        }
    }
    if refused || found.is_none() { Err(()) } else { Ok(found) }
}

/// The parts between boundary lines (RFC 2046 section 5.1.1).
fn parts<'a>(body: &'a Bytes, boundary: &'a [u8]) -> impl Iterator<Item = Bytes> + 'a {
    let mut delimiters = memchr::memmem::find_iter(body, b"--")
        .filter(|at| {
            let at_line_start = *at == 0 || body.get(at - 1) == Some(&b'\n');
            at_line_start && body.get(at + 2..).is_some_and(|rest| rest.starts_with(boundary))
        })
        .map(move |at| (at, at + 2 + boundary.len()))
        .peekable();
    std::iter::from_fn(move || {
        let (_, after) = delimiters.next()?;
        let (next, _) = *delimiters.peek()?;
        let line_end = body.get(after..next)?.iter().position(|byte| *byte == b'\n')?;
        let mut content = body.get(after + line_end + 1..next)?;
        // The line end before a boundary belongs to the boundary.
        content = content.strip_suffix(b"\n").unwrap_or(content);
        content = content.strip_suffix(b"\r").unwrap_or(content);
        Some(body.slice_ref(content))
    })
}

/// Header lines of a part, and its content.
fn split_head(part: &Bytes) -> (Vec<(String, Bytes)>, Bytes) {
    let mut head = Vec::new();
    let mut rest: &[u8] = part;
    while let Some(end) = memchr::memchr(b'\n', rest) {
        let (line, behind) = rest.split_at(end);
        rest = behind.get(1..).unwrap_or_default();
        let line = line.trim_ascii();
        if line.is_empty() {
            break;
        }
        if let Some(colon) = memchr::memchr(b':', line)
            && head.len() < MAX_PARTS
        {
            let (name, value) = line.split_at(colon);
            let name = String::from_utf8_lossy(name.trim_ascii()).to_ascii_lowercase();
            head.push((name, part.slice_ref(value.get(1..).unwrap_or_default().trim_ascii())));
        }
    }
    (head, part.slice_ref(rest))
}

fn field<'a>(head: &'a [(String, Bytes)], name: &str) -> Option<&'a Bytes> {
    let long = |other: &str| match other {
        "c" => "content-type",
        "e" => "content-encoding",
        _ => "",
    };
    head.iter().find(|(other, _)| other == name || long(other) == name).map(|(_, value)| value)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(content_type: &str, disposition: Option<&str>, body: &'static str) -> Result<Option<Bytes>, BodyRefusal> {
        let mut headers = Headers::new();
        headers.push(H::ContentType, content_type.as_bytes().to_vec());
        if let Some(disposition) = disposition {
            headers.push(H::ContentDisposition, disposition.as_bytes().to_vec());
        }
        session_description(&headers, &Bytes::from_static(body.as_bytes()))
    }

    #[test]
    fn a_description_is_found_alone_and_among_other_parts() {
        assert_eq!(read("Application/SDP; x=y", None, "v=0\r\n"), Ok(Some(Bytes::from("v=0\r\n"))));
        let mixed = "preamble\r\n--b\r\nContent-Type: application/isup\r\nContent-Disposition: signal;handling=optional\r\n\
                     \r\n\x01\x02\r\n--b\r\nc: application/sdp\r\n\r\nv=0\r\ns=-\r\n\r\n--b--\r\n";
        assert_eq!(read("multipart/mixed; boundary=\"b\"", None, mixed), Ok(Some(Bytes::from("v=0\r\ns=-\r\n"))));
    }

    #[test]
    fn delimiters_in_quoted_parameters_of_a_body_are_text() {
        let mixed = "--a;b\r\nContent-Type: application/isup;x=\"\\\"\"\r\n\
                     Content-Disposition: signal;x=\"a;handling=required\";handling=optional\r\n\r\n1\r\n\
                     --a;b\r\nContent-Type: application/sdp\r\n\r\nv=0\r\n--a;b--\r\n";
        let found = read("multipart/mixed;x=\";boundary=no\";boundary=\"a;b\"", None, mixed);
        assert_eq!(found, Ok(Some(Bytes::from("v=0"))));
        let disposition = Some("session;x=\";handling=optional\"");
        assert_eq!(read("text/plain", disposition, "hello"), Err(BodyRefusal::Type));
    }

    #[test]
    fn what_must_be_understood_and_is_not_is_refused() {
        assert_eq!(read("text/plain", None, "hello"), Err(BodyRefusal::Type));
        assert_eq!(read("text/plain", Some("session;handling=optional"), "hello"), Ok(None));
        let required = "--b\r\nContent-Type: application/isup\r\nContent-Disposition: signal;handling=required\r\n\r\n1\r\n\
                        --b\r\nContent-Type: application/sdp\r\n\r\nv=0\r\n--b--\r\n";
        assert_eq!(read("multipart/mixed;boundary=b", None, required), Err(BodyRefusal::Type));
        assert_eq!(read("multipart/mixed", None, required), Err(BodyRefusal::Type));
    }

    #[test]
    fn broken_multipart_is_survived() {
        for body in ["", "--b", "--b\r\n", "--b\r\n--b", "--b--", "--b\n\n--b--", "--b\r\nx"] {
            let _ = read("multipart/mixed;boundary=b", None, body);
        }
    }
}
