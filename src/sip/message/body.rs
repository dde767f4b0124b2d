//! A message body as we send it (RFC 3261 section 7.4).

use std::borrow::Cow;

use bytes::Bytes;

use super::{HeaderName, Request};

/// A message body with its type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Body {
    /// Value of Content-Type.
    pub content_type: Cow<'static, str>,
    /// The body itself.
    pub bytes: Bytes,
}

impl Body {
    /// A session description (RFC 8866).
    #[must_use]
    pub fn sdp(bytes: impl Into<Bytes>) -> Self {
        Self { content_type: Cow::Borrowed("application/sdp"), bytes: bytes.into() }
    }
}

impl Request {
    /// Gives the request its body, if there is one.
    pub(crate) fn set_body(&mut self, body: Option<&Body>) {
        if let Some(body) = body {
            self.headers.set(HeaderName::ContentType, body.content_type.as_bytes().to_vec());
            self.body = body.bytes.clone();
        }
    }
}
