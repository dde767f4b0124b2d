//! What every request is held against (RFC 3261 section 8.2), and the answer to those that fail.

use bytes::Bytes;

use super::description::{BodyRefusal, session_description};
use super::{ACCEPT, ALLOW, SUPPORTED, Terms};
use crate::sip::message::{HeaderName as H, Method, Request, Scheme, StatusCode};
use crate::sip::transaction::Reply;

/// Extensions a request may require of us.
const UNDERSTOOD: [&str; 2] = ["100rel", "timer"];

/// Answers what needs no call: OPTIONS, and methods we do not take.
pub(crate) fn elsewhere(request: &Request) -> Reply {
    match request.method {
        Method::Options => check_scheme(request)
            .and_then(|()| check_require(request, None))
            .map(|()| {
                let reply = Reply::new(StatusCode::OK).with(H::Allow, ALLOW).with(H::Accept, ACCEPT);
                reply.with(H::AcceptEncoding, "identity").with(H::AcceptLanguage, "en").with(H::Supported, SUPPORTED)
            })
            .unwrap_or_else(|reply| reply),
        Method::Other(_) => Reply::new(StatusCode::NOT_IMPLEMENTED).with(H::Allow, ALLOW),
        _ => Reply::new(StatusCode::METHOD_NOT_ALLOWED).with(H::Allow, ALLOW),
    }
}

/// RFC 3261 section 8.2.2.1.
pub(crate) fn check_scheme(request: &Request) -> Result<(), Reply> {
    match request.uri.scheme {
        Scheme::Sip | Scheme::Sips | Scheme::Tel => Ok(()),
        Scheme::Other(_) => Err(Reply::new(StatusCode::UNSUPPORTED_URI_SCHEME)),
    }
}

/// RFC 3261 section 8.2.2.3.
pub(crate) fn check_require(request: &Request, terms: Option<&Terms>) -> Result<(), Reply> {
    let unknown: Vec<_> = request
        .require()
        .filter(|tag| !UNDERSTOOD.iter().any(|known| known.eq_ignore_ascii_case(tag)))
        .filter(|tag| !terms.is_some_and(|terms| terms.understands(tag)))
        .map(|tag| tag.to_string())
        .collect();
    if unknown.is_empty() {
        return Ok(());
    }
    Err(Reply::new(StatusCode::BAD_EXTENSION).with(H::Unsupported, unknown.join(", ")))
}

/// What an INFO may carry: keys, as telephones that know no telephone events send them. None of an Info-Package (RFC
/// 6086).
const INFO_TYPES: [&str; 2] = ["application/dtmf-relay", "application/dtmf"];

/// Whether an INFO is of a kind that is understood here (RFC 6086 sections 3.2 and 4.2.2). One without a body asks
/// whether the call is still there.
pub(crate) fn check_info(request: &Request) -> Result<(), Reply> {
    check_require(request, None)?;
    if request.headers.contains(&H::InfoPackage) {
        return Err(Reply::new(StatusCode::BAD_INFO_PACKAGE).with(H::RecvInfo, ""));
    }
    let content_type = request.headers.content_type();
    let kind = content_type.as_deref().and_then(|it| it.split(';').next()).unwrap_or_default().trim();
    if request.body.is_empty() || INFO_TYPES.iter().any(|known| known.eq_ignore_ascii_case(kind)) {
        return Ok(());
    }
    Err(Reply::new(StatusCode::UNSUPPORTED_MEDIA_TYPE).with(H::Accept, INFO_TYPES.join(", ")))
}

/// RFC 3261 section 20.1: whether an answer of ours can be read at all.
pub(crate) fn check_accept(request: &Request) -> Result<(), Reply> {
    if !request.headers.contains(&H::Accept) {
        return Ok(());
    }
    let readable = request.headers.texts(&H::Accept).any(|range| {
        let range = range.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        matches!(range.as_str(), "application/sdp" | "application/*" | "*/*" | "multipart/mixed" | "multipart/*")
    });
    if readable { Ok(()) } else { Err(Reply::new(StatusCode::NOT_ACCEPTABLE).with(H::Accept, ACCEPT)) }
}

/// RFC 3261 section 8.2.3: the session description in the body, if any.
pub(crate) fn check_body(request: &Request) -> Result<Option<Bytes>, Reply> {
    session_description(&request.headers, &request.body).map_err(|refusal| {
        let reply = Reply::new(StatusCode::UNSUPPORTED_MEDIA_TYPE);
        match refusal {
            BodyRefusal::Type => reply.with(H::Accept, ACCEPT),
            BodyRefusal::Encoding => reply.with(H::AcceptEncoding, "identity").with(H::Accept, ACCEPT),
        }
    })
}
