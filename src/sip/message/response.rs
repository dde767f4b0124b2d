use std::fmt::Write as _;

use bytes::{Bytes, BytesMut};

use super::{
    CSeq, Contacts, HeaderName, Headers, InvalidValue, MinSe, NameAddr, RSeq, Request, RetryAfter, SessionExpires,
    StatusCode, Text, Via, WRITTEN, charset, write_line, write_tail,
};

/// A response (RFC 3261 section 7.2).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Response {
    /// The status code.
    pub status: StatusCode,
    /// The reason phrase.
    pub reason: Text,
    /// The headers, without Content-Length.
    pub headers: Headers,
    /// The body.
    pub body: Bytes,
}

impl Response {
    /// A response without headers and body, with the default reason phrase.
    pub fn new(status: StatusCode) -> Self {
        let reason = Text::from_static(status.reason());
        Self { status, reason, headers: Headers::new(), body: Bytes::new() }
    }

    /// An answer to `request` (RFC 3261 section 8.2.6): Via, From, To, Call-ID and CSeq are copied as they came, and
    /// Timestamp into a 100. The To tag is the caller's to add; see [`Response::set_to_tag`].
    pub fn to_request(request: &Request, status: StatusCode) -> Self {
        use HeaderName as H;
        let mut response = Self::new(status);
        response.headers.copy_all(&H::Via, &request.headers);
        for name in [H::From, H::To, H::CallId, H::CSeq] {
            if let Some(value) = request.headers.get(&name) {
                response.headers.push(name, value.clone());
            }
        }
        if status == StatusCode::TRYING {
            response.headers.copy_all(&H::Timestamp, &request.headers);
        }
        response
    }

    /// The same response with another reason phrase.
    #[must_use]
    pub fn with_reason(mut self, reason: impl Into<Text>) -> Self {
        self.reason = reason.into();
        self
    }

    /// The same response with one more header line.
    #[must_use]
    pub fn with(mut self, name: HeaderName, value: impl Into<Bytes>) -> Self {
        self.headers.push(name, value);
        self
    }

    /// The same response with this body and Content-Type.
    #[must_use]
    pub fn with_body(mut self, content_type: impl Into<Bytes>, body: impl Into<Bytes>) -> Self {
        self.headers.set(HeaderName::ContentType, content_type);
        self.body = body.into();
        self
    }

    /// Adds our tag to To, unless it has one; the rest of To stays the bytes that came.
    pub fn set_to_tag(&mut self, tag: &str) {
        let Some(value) = self.headers.get(&HeaderName::To) else { return };
        match NameAddr::parse(value) {
            Ok(to) if to.tag().is_some() => {}
            Ok(mut to) if to.params.contains("tag") => {
                to.params.set("tag", tag);
                self.headers.set_display(HeaderName::To, &to);
            }
            _ => {
                let tagged = [value, &b";tag="[..], tag.as_bytes()].concat();
                self.headers.set(HeaderName::To, tagged);
            }
        }
    }

    /// Writes the response for the wire.
    pub fn to_bytes(&self) -> Bytes {
        let mut out = BytesMut::with_capacity(128 + self.headers.written_len() + self.body.len());
        write!(out, "SIP/2.0 {:03} ", self.status.0).expect(WRITTEN);
        write_line(&mut out, self.reason.as_bytes());
        write_tail(&mut out, &self.headers, &self.body);
        out.freeze()
    }

    /// The top Via: ours.
    pub fn via_top(&self) -> Result<Via, InvalidValue> {
        self.headers.via_top()
    }

    /// From.
    pub fn from(&self) -> Result<NameAddr, InvalidValue> {
        self.headers.from()
    }

    /// To.
    pub fn to(&self) -> Result<NameAddr, InvalidValue> {
        self.headers.to()
    }

    /// The tag in To, looked for in its bytes where To cannot be read; empty where there is none (RFC 2543).
    pub fn to_tag(&self) -> Text {
        match (self.to(), self.headers.get(&HeaderName::To)) {
            (Ok(to), _) => to.params.get_text("tag").cloned().unwrap_or_default(),
            (Err(_), Some(value)) => {
                let tag = memchr::memmem::rfind(value, b";tag=").and_then(|at| value.get(at + 5..)).unwrap_or_default();
                let end = tag.iter().position(|byte| !charset::is_token(*byte)).unwrap_or(tag.len());
                Text::part(value, tag.get(..end).unwrap_or_default())
            }
            (Err(_), None) => Text::default(),
        }
    }

    /// The Call-ID header's value.
    pub fn call_id(&self) -> Option<Text> {
        self.headers.call_id()
    }

    /// CSeq.
    pub fn cseq(&self) -> Result<CSeq, InvalidValue> {
        self.headers.cseq()
    }

    /// The first Contact address.
    pub fn contact(&self) -> Result<NameAddr, InvalidValue> {
        self.headers.contact()
    }

    /// All Contact addresses.
    pub fn contacts(&self) -> Result<Contacts, InvalidValue> {
        self.headers.contacts()
    }

    /// RSeq, where given and sound.
    pub fn rseq(&self) -> Option<RSeq> {
        self.headers.get(&HeaderName::RSeq).and_then(|value| RSeq::parse(value).ok())
    }

    /// Retry-After, where given and sound.
    pub fn retry_after(&self) -> Option<RetryAfter> {
        self.headers.get(&HeaderName::RetryAfter).and_then(|value| RetryAfter::parse(value).ok())
    }

    /// Session-Expires, where given.
    pub fn session_expires(&self) -> Option<Result<SessionExpires, InvalidValue>> {
        self.headers.session_expires()
    }

    /// Min-SE, where given.
    pub fn min_se(&self) -> Option<Result<MinSe, InvalidValue>> {
        self.headers.min_se()
    }

    /// Whether Require names this option tag.
    pub fn requires(&self, option: &str) -> bool {
        self.headers.texts(&HeaderName::Require).any(|tag| tag.eq_ignore_ascii_case(option))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sip::message::Method;

    fn answer_to(to: &str) -> Response {
        let request = Request::new(Method::Options, "sip:b@h".parse().expect("a URI"))
            .with(HeaderName::Via, "SIP/2.0/UDP one.example;branch=z9hG4bK1, SIP/2.0/UDP two.example")
            .with(HeaderName::To, to.to_owned())
            .with(HeaderName::Via, "SIP/2.0/UDP three.example")
            .with(HeaderName::Timestamp, "54");
        Response::to_request(&request, StatusCode::TRYING)
    }

    #[test]
    fn an_answer_carries_every_via_in_order_and_the_timestamp_of_a_100() {
        let answer = answer_to("<sip:b@h>");
        assert_eq!(answer.headers.values(&HeaderName::Via).count(), 3);
        assert_eq!(answer.headers.get_str(&HeaderName::Timestamp), Some("54"));
    }

    #[test]
    fn the_tag_of_a_to_that_cannot_be_read_is_found() {
        for (to, tag) in [
            ("<sip:b@h>;Tag=one", "one"),
            ("\"open <sip:b@h>;tag=two;x", "two"),
            ("<sip:b@h;tag=three", "three"),
            ("sip:;tag=", ""),
            ("nothing", ""),
        ] {
            assert_eq!(&*answer_to(to).to_tag(), tag, "{to}");
        }
        assert_eq!(&*Response::new(StatusCode::OK).to_tag(), "");
    }

    #[test]
    fn the_to_tag_is_ours_unless_there_is_one() {
        for (to, tagged) in [
            ("\"B\"  <sip:b@h>;x=1", "\"B\"  <sip:b@h>;x=1;tag=ours"),
            ("sip:b@h", "sip:b@h;tag=ours"),
            ("<sip:b@h>;Tag=theirs", "<sip:b@h>;Tag=theirs"),
            ("<sip:b@h>;tag=;x", "<sip:b@h>;tag=ours;x"),
        ] {
            let mut answer = answer_to(to);
            answer.set_to_tag("ours");
            assert_eq!(answer.headers.get_str(&HeaderName::To), Some(tagged));
        }
    }
}
