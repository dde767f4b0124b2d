//! Bytes ⇄ SIP messages: tolerant, lossless, bounded (RFC 3261 sections 7, 20 and 25).
//!
//! [`Message::parse`] turns one datagram, or one frame that a [`StreamFramer`] cut out of a TCP stream, into a
//! [`Request`] or a [`Response`]. It unfolds headers, knows compact names and bounds every count; header values stay
//! the bytes that came (shared slices, not copies). Typed values ([`NameAddr`], [`Via`], [`CSeq`], …) are read from
//! those bytes only where somebody asks for them, so an odd value in a header that nobody needs never costs a call.
//! [`check_request`] and [`check_response`] say whether what a user agent does need is there and sound.
//!
//! What cannot be parsed comes back as a [`ParseError`] that knows the status to answer with and, where the
//! headers for an answer could be read, a stub of the request to answer to.

mod body;
pub(in crate::sip) mod charset;
mod date;
mod error;
mod framer;
mod header_name;
mod headers;
mod host;
mod method;
mod name_addr;
mod numeric;
mod outline;
mod params;
mod parse;
mod reason;
mod refer;
mod reliability;
mod repeated;
mod request;
mod response;
mod sequence;
mod session_timer;
mod status;
mod tag;
mod text;
mod transport;
mod uri;
mod validate;
mod via;
mod warning;
mod with_params;

pub use body::Body;
pub use date::Date;
pub use error::{Defect, InvalidValue, ParseError};
pub use framer::{Frame, FramingError, StreamFramer};
pub use header_name::{HeaderName, OtherName};
pub use headers::{Headers, Values};
pub use host::{Host, HostPort};
pub use method::Method;
pub use name_addr::{Contacts, NameAddr};
pub use numeric::{Expires, MaxForwards, MinExpires, RetryAfter};
pub use outline::Outline;
pub use params::{Param, Params};
pub use parse::{MAX_HEADER_BYTES, MAX_HEADERS, MAX_MESSAGE_BYTES};
pub use reason::Reason;
pub use refer::{Diversion, Replaces};
pub use reliability::{RAck, RSeq};
pub(in crate::sip) use repeated::Repeated;
pub use request::Request;
pub use response::Response;
pub use sequence::CSeq;
pub use session_timer::{MinSe, Refresher, SessionExpires};
pub use status::StatusCode;
pub use tag::Tag;
pub use text::Text;
pub use transport::Transport;
pub use uri::{Scheme, Uri};
pub use validate::{check_request, check_response};
pub use via::Via;
pub use warning::Warning;
pub use with_params::WithParams;

use std::fmt::Write as _;

use bytes::{Bytes, BytesMut};

/// A SIP message: a request or a response (RFC 3261 section 7).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Message {
    /// A request.
    Request(Request),
    /// A response.
    Response(Response),
}

impl Message {
    /// Reads one whole message: a datagram, or a [`Frame::Message`] of a stream.
    ///
    /// Octets behind the body that Content-Length announces are left out; a missing Content-Length means "to the end".
    pub fn parse(datagram: &Bytes) -> Result<Self, ParseError> {
        parse::parse(datagram)
    }

    /// Writes the message for the wire. Content-Length is always written and always right.
    pub fn to_bytes(&self) -> Bytes {
        match self {
            Self::Request(request) => request.to_bytes(),
            Self::Response(response) => response.to_bytes(),
        }
    }

    /// The headers, whichever kind of message it is.
    pub fn headers(&self) -> &Headers {
        match self {
            Self::Request(request) => &request.headers,
            Self::Response(response) => &response.headers,
        }
    }

    /// The body, whichever kind of message it is.
    pub fn body(&self) -> &Bytes {
        match self {
            Self::Request(request) => &request.body,
            Self::Response(response) => &response.body,
        }
    }

    /// The request inside, if it is one.
    pub fn request(&self) -> Option<&Request> {
        match self {
            Self::Request(request) => Some(request),
            Self::Response(_) => None,
        }
    }

    /// The response inside, if it is one.
    pub fn response(&self) -> Option<&Response> {
        match self {
            Self::Request(_) => None,
            Self::Response(response) => Some(response),
        }
    }
}

/// Why `write!` into a `BytesMut` does not fail.
const WRITTEN: &str = "a message of memory's size has room for more";

/// Writes headers and body behind a start line that is already in `out`.
fn write_tail(out: &mut BytesMut, headers: &Headers, body: &Bytes) {
    headers.write(out);
    write!(out, "Content-Length: {}\r\n\r\n", body.len()).expect(WRITTEN);
    out.extend_from_slice(body);
}

/// Writes the rest of a line and its end. A line end inside (never from the parser) becomes a space, so that nothing
/// can smuggle in a header.
fn write_line(out: &mut BytesMut, text: &[u8]) {
    if memchr::memchr2(b'\r', b'\n', text).is_none() {
        out.extend_from_slice(text);
    } else {
        out.extend(text.iter().map(|byte| if matches!(byte, b'\r' | b'\n') { b' ' } else { *byte }));
    }
    out.extend_from_slice(b"\r\n");
}
