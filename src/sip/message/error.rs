use super::{Request, Response, StatusCode};

/// A header value or a part of one that does not follow its grammar; says which.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("malformed {0}")]
pub struct InvalidValue(pub &'static str);

/// What is wrong with a message: always the sender's fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Defect {
    /// The first line is neither a request line nor a status line.
    #[error("malformed start line")]
    StartLine,
    /// The request URI does not follow its grammar.
    #[error("malformed request URI")]
    RequestUri,
    /// A version other than SIP/2.0.
    #[error("SIP version not supported")]
    Version,
    /// A status code outside 100 to 699.
    #[error("status code out of range")]
    StatusCode,
    /// A header line without a colon or with a name that is no token.
    #[error("malformed header line")]
    HeaderLine,
    /// The headers end before the empty line does.
    #[error("message cut off")]
    Truncated,
    /// Content-Length is not a number, or comes twice with different numbers.
    #[error("malformed Content-Length")]
    ContentLength,
    /// Content-Length announces more than there is.
    #[error("body shorter than Content-Length")]
    BodyTooShort,
    /// The message is larger than the parser's bounds.
    #[error("message too large")]
    TooLarge,
    /// A header that every message needs is not there.
    #[error("{0} header missing")]
    Missing(&'static str),
    /// A header that may come once only comes more often.
    #[error("{0} header repeated")]
    Repeated(&'static str),
    /// A header that is needed does not follow its grammar.
    #[error("malformed {0} header")]
    Malformed(&'static str),
    /// CSeq names another method than the start line.
    #[error("CSeq names another method")]
    MethodMismatch,
    /// A response that was not meant for this element.
    #[error("response for somebody else")]
    Misrouted,
}

impl Defect {
    /// The status a request with this defect is answered with.
    pub fn status(self) -> StatusCode {
        match self {
            Self::Version => StatusCode::VERSION_NOT_SUPPORTED,
            Self::TooLarge => StatusCode::MESSAGE_TOO_LARGE,
            _ => StatusCode::BAD_REQUEST,
        }
    }
}

impl From<InvalidValue> for Defect {
    fn from(InvalidValue(what): InvalidValue) -> Self {
        Self::Malformed(what)
    }
}

/// Why bytes are no SIP message, and what is to be done about it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ParseError {
    /// Nothing but line ends and white space: a keep-alive. Drop it.
    #[error("keep-alive")]
    KeepAlive,
    /// No SIP at all. Drop it.
    #[error("not SIP")]
    NotSip,
    /// A response of which something cannot be read.
    #[error("bad response: {defect}")]
    Response {
        /// What is wrong with it.
        defect: Defect,
        /// What could be read, where its status could: a 2xx to an INVITE began a call however badly the rest is
        /// written.
        stub: Option<Box<Response>>,
    },
    /// A request that cannot be used.
    #[error("bad request: {defect}")]
    Request {
        /// What is wrong with it.
        defect: Defect,
        /// What an answer needs (Via, From, To, Call-ID, CSeq; see [`Response::to_request`](super::Response)), where
        /// all of it could be read. An ACK has none: it is never answered.
        stub: Option<Box<Request>>,
    },
}

impl ParseError {
    /// The status to answer with; `None` where there is nobody to answer.
    pub fn status(&self) -> Option<StatusCode> {
        match self {
            Self::Request { defect, stub: Some(_) } => Some(defect.status()),
            _ => None,
        }
    }

    /// The request to answer, as far as it could be read.
    pub fn stub(&self) -> Option<&Request> {
        match self {
            Self::Request { stub, .. } => stub.as_deref(),
            _ => None,
        }
    }
}
