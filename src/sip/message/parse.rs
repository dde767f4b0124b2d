//! From bytes to a message. Hostile input ends in an error after bounded work; defects are collected while reading on,
//! so that a bad request can still be answered.

use bytes::Bytes;

use super::{
    Defect, HeaderName, Headers, Host, Message, Method, Params, ParseError, Request, Response, Scheme, StatusCode,
    Text, Uri, charset,
};

/// The largest message taken, in bytes: what a UDP datagram can hold.
pub const MAX_MESSAGE_BYTES: usize = 65_536;
/// The longest start line and headers taken together, in bytes.
pub const MAX_HEADER_BYTES: usize = 32_768;
/// The most header lines taken.
pub const MAX_HEADERS: usize = 256;
/// The longest single line taken (folds included), in bytes.
const MAX_LINE_BYTES: usize = 8_192;

/// One line of the head and what stands behind it.
pub(super) struct Line<'a> {
    /// The line without its end; folds inside are as they came.
    pub text: &'a [u8],
    pub rest: &'a [u8],
    /// Whether a line end was there at all.
    pub complete: bool,
}

/// Takes one line. Lines end with LF, with or without CR before it; with `folds`, lines that begin with white space
/// continue the one before.
pub(super) fn take_line(bytes: &[u8], folds: bool) -> Line<'_> {
    let mut from = 0;
    while let Some(found) = memchr::memchr(b'\n', bytes.get(from..).unwrap_or_default()) {
        let end = from + found;
        let rest = bytes.get(end + 1..).unwrap_or_default();
        let text = bytes.get(..end).unwrap_or_default();
        let text = text.strip_suffix(b"\r").unwrap_or(text);
        // An empty line ends the headers, whatever follows it.
        if !folds || text.is_empty() || !matches!(rest, [b' ' | b'\t', ..]) {
            return Line { text, rest, complete: true };
        }
        from = end + 1;
    }
    Line { text: bytes, rest: &[], complete: false }
}

/// A header line's name and raw value.
pub(super) fn split_header(line: &[u8]) -> Option<(HeaderName, &[u8])> {
    let (name, value) = charset::split_at_byte(line, b':');
    let name = match name {
        [.., b' ' | b'\t'] => charset::trim(name),
        _ => name,
    };
    // White space before a name would be a fold; only the first header line can have any.
    if line.first().is_some_and(|byte| charset::is_space(*byte)) {
        return None;
    }
    Some((HeaderName::from_wire(name)?, charset::trim(value?)))
}

/// A value without folds: shared if it had none.
fn unfold(whole: &Bytes, value: &[u8]) -> Bytes {
    if memchr::memchr2(b'\r', b'\n', value).is_none() {
        return whole.slice_ref(value);
    }
    let mut out = Vec::with_capacity(value.len());
    for (index, piece) in value.split(|byte| matches!(byte, b'\r' | b'\n')).enumerate() {
        let piece = if index == 0 { piece } else { charset::trim(piece) };
        if index > 0 && !piece.is_empty() {
            while matches!(out.last(), Some(b' ' | b'\t')) {
                out.pop();
            }
            out.push(b' ');
        }
        out.extend_from_slice(piece);
    }
    Bytes::copy_from_slice(charset::trim(&out))
}

/// What the first line says.
#[expect(clippy::large_enum_variant, reason = "lives on the stack for one call")]
enum Start {
    Request(Method, Uri),
    Response(StatusCode, Text),
}

pub(super) fn parse(datagram: &Bytes) -> Result<Message, ParseError> {
    let begin = datagram.iter().position(|byte| !matches!(byte, b'\r' | b'\n')).ok_or(ParseError::KeepAlive)?;
    let whole = datagram.slice(begin..);
    let first = take_line(&whole, false);
    let (start, start_defect) = parse_start(&whole, first.text)?;
    let too_large = (whole.len() > MAX_MESSAGE_BYTES).then_some(Defect::TooLarge);
    let mut head = parse_head(&whole, first.rest);
    if !first.complete {
        head.note(Defect::Truncated);
    }
    let defect = too_large.or(start_defect).or(head.defect);
    let (headers, body) = (head.headers, head.body);
    match (start, defect) {
        (Start::Request(method, uri), None) => Ok(Message::Request(Request { method, uri, headers, body })),
        (Start::Response(status, reason), None) => Ok(Message::Response(Response { status, reason, headers, body })),
        (Start::Response(status, reason), Some(defect)) => {
            let stub = Some(Box::new(Response { status, reason, headers, body }));
            Err(ParseError::Response { defect, stub })
        }
        (Start::Request(method, uri), Some(defect)) => {
            let stub = Request { method, uri, headers, body: Bytes::new() };
            let stub = is_answerable(&stub).then(|| Box::new(stub));
            Err(ParseError::Request { defect, stub })
        }
    }
}

fn is_answerable(request: &Request) -> bool {
    let has_all = [HeaderName::From, HeaderName::To, HeaderName::CallId, HeaderName::CSeq]
        .iter()
        .all(|name| request.headers.contains(name));
    has_all && request.method != Method::Ack && request.via_top().is_ok()
}

fn parse_start(whole: &Bytes, line: &[u8]) -> Result<(Start, Option<Defect>), ParseError> {
    let is_version = |word: &[u8]| word.get(..4).is_some_and(|start| start.eq_ignore_ascii_case(b"SIP/"));
    if is_version(line) {
        let unusable = |defect| ParseError::Response { defect, stub: None };
        return parse_status_line(whole, line).map(|start| (start, None)).map_err(unusable);
    }
    let sound = charset::trim(line);
    let method_end = memchr::memchr(b' ', sound).ok_or(ParseError::NotSip)?;
    let uri_end = memchr::memrchr(b' ', sound).ok_or(ParseError::NotSip)?;
    let method = sound.get(..method_end).unwrap_or_default();
    let uri_text = sound.get(method_end + 1..uri_end);
    let version = sound.get(uri_end + 1..).unwrap_or_default();
    if !is_version(version) {
        return Err(ParseError::NotSip);
    }
    let uri = uri_text.and_then(|text| Uri::parse_part(whole, text).ok());
    let defect = if !version.eq_ignore_ascii_case(b"SIP/2.0") {
        Some(Defect::Version)
    } else if sound.len() != line.len() || !charset::is_token_text(method) || line.len() > MAX_LINE_BYTES {
        Some(Defect::StartLine)
    } else if uri.is_none() {
        Some(Defect::RequestUri)
    } else {
        None
    };
    let uri = uri.unwrap_or_else(|| unreadable_uri(whole, uri_text.unwrap_or_default()));
    Ok((Start::Request(Method::from_token(Text::part(whole, method)), uri), defect))
}

/// What a stub has in the place of a URI that could not be read.
fn unreadable_uri(whole: &Bytes, text: &[u8]) -> Uri {
    Uri {
        scheme: Scheme::Other(Text::from_static("invalid")),
        user: Some(Text::part(whole, text)),
        password: None,
        host: Host::Name(Text::default()),
        port: None,
        params: Params::new(),
        headers: None,
    }
}

fn parse_status_line(whole: &Bytes, line: &[u8]) -> Result<Start, Defect> {
    let (version, rest) = charset::split_at_byte(line, b' ');
    let (code, reason) = charset::split_at_byte(rest.ok_or(Defect::StartLine)?, b' ');
    if !version.eq_ignore_ascii_case(b"SIP/2.0") {
        return Err(Defect::Version);
    }
    let code = charset::number(code, 699).and_then(|code| u16::try_from(code).ok()).filter(|code| *code >= 100);
    let reason = Text::part(whole, charset::trim(reason.unwrap_or_default()));
    // A bare CR, as in a header's value, is white space.
    let reason = if reason.contains('\r') { reason.replace('\r', " ").into() } else { reason };
    Ok(Start::Response(StatusCode(code.ok_or(Defect::StatusCode)?), reason))
}

/// Headers and body as far as they could be read, and the first thing that was wrong.
#[derive(Default)]
struct Head {
    headers: Headers,
    body: Bytes,
    defect: Option<Defect>,
}

impl Head {
    fn note(&mut self, defect: Defect) {
        self.defect.get_or_insert(defect);
    }
}

fn parse_head(whole: &Bytes, mut rest: &[u8]) -> Head {
    let mut head = Head { headers: Headers::with_capacity(16), ..Head::default() };
    let mut content_length = None;
    loop {
        if rest.is_empty() {
            // The last header's line end is there, the empty line is not: nothing is lost.
            break;
        }
        let line = take_line(rest, true);
        if line.complete && line.text.is_empty() {
            rest = line.rest;
            break;
        }
        let read_so_far = whole.len().saturating_sub(line.rest.len());
        if head.headers.len() > MAX_HEADERS || line.text.len() > MAX_LINE_BYTES || read_so_far > MAX_HEADER_BYTES {
            head.note(Defect::TooLarge);
            return head;
        }
        match split_header(line.text) {
            _ if !line.complete => head.note(Defect::Truncated),
            None => head.note(Defect::HeaderLine),
            Some((HeaderName::ContentLength, value)) => match (charset::number(value, u64::MAX), content_length) {
                (Some(length), None) => content_length = Some(length),
                (Some(length), Some(before)) if length == before => {}
                _ => head.note(Defect::ContentLength),
            },
            Some((name, value)) => head.headers.push(name, unfold(whole, value)),
        }
        rest = line.rest;
    }
    if head.headers.len() > MAX_HEADERS {
        head.note(Defect::TooLarge);
    }
    let length = content_length.and_then(|length| usize::try_from(length).ok()).unwrap_or(match content_length {
        Some(_) => usize::MAX,
        None => rest.len(),
    });
    match rest.get(..length) {
        Some(body) => head.body = whole.slice_ref(body),
        None => {
            head.note(Defect::BodyTooShort);
            head.body = whole.slice_ref(rest);
        }
    }
    head
}

#[cfg(test)]
#[path = "parse_tests.rs"]
mod tests;
