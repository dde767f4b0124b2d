//! A response in the making.

use bytes::Bytes;

use crate::sip::message::{Body, HeaderName as H, Headers, StatusCode};

/// What a response has: what comes on top of the headers every response has.
#[derive(Debug)]
pub(crate) struct Reply {
    pub status: StatusCode,
    pub headers: Headers,
    pub body: Bytes,
}

impl Reply {
    pub fn new(status: StatusCode) -> Self {
        Self { status, headers: Headers::new(), body: Bytes::new() }
    }

    pub fn with(mut self, name: H, value: impl Into<Bytes>) -> Self {
        self.headers.push(name, value);
        self
    }

    pub fn body(mut self, body: Option<&Body>) -> Self {
        if let Some(body) = body {
            self.headers.push(H::ContentType, body.content_type.as_bytes().to_vec());
            self.body = body.bytes.clone();
        }
        self
    }
}
