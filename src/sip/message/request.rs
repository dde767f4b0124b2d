use std::{fmt::Write as _, net::SocketAddr};

use bytes::{Bytes, BytesMut};

use super::{
    CSeq, Contacts, Expires, HeaderName, Headers, InvalidValue, MaxForwards, Method, MinSe, NameAddr, RAck, Replaces,
    SessionExpires, Text, Uri, Via, WRITTEN, write_tail,
};

/// A request (RFC 3261 section 7.1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// The method.
    pub method: Method,
    /// The request URI.
    pub uri: Uri,
    /// The headers, without Content-Length.
    pub headers: Headers,
    /// The body.
    pub body: Bytes,
}

impl Request {
    /// A request without headers and body.
    pub fn new(method: Method, uri: Uri) -> Self {
        Self { method, uri, headers: Headers::new(), body: Bytes::new() }
    }

    /// The same request with one more header line.
    #[must_use]
    pub fn with(mut self, name: HeaderName, value: impl Into<Bytes>) -> Self {
        self.headers.push(name, value);
        self
    }

    /// The same request with this body and Content-Type.
    #[must_use]
    pub fn with_body(mut self, content_type: impl Into<Bytes>, body: impl Into<Bytes>) -> Self {
        self.headers.set(HeaderName::ContentType, content_type);
        self.body = body.into();
        self
    }

    /// Writes the request for the wire.
    pub fn to_bytes(&self) -> Bytes {
        let mut out = BytesMut::with_capacity(256 + self.headers.written_len() + self.body.len());
        write!(out, "{} {} SIP/2.0\r\n", self.method, self.uri).expect(WRITTEN);
        write_tail(&mut out, &self.headers, &self.body);
        out.freeze()
    }

    /// The top Via.
    pub fn via_top(&self) -> Result<Via, InvalidValue> {
        self.headers.via_top()
    }

    /// Notes in the top Via where the request came from (see [`Via::mark_received`]); other Vias stay as they are.
    pub fn mark_received(&mut self, source: SocketAddr) -> Result<Via, InvalidValue> {
        let before = self.via_top()?;
        let mut via = before.clone();
        via.mark_received(source);
        if via != before {
            self.headers.replace_first_value(&HeaderName::Via, &via);
        }
        Ok(via)
    }

    /// From.
    pub fn from(&self) -> Result<NameAddr, InvalidValue> {
        self.headers.from()
    }

    /// To.
    pub fn to(&self) -> Result<NameAddr, InvalidValue> {
        self.headers.to()
    }

    /// The Call-ID header's value.
    pub fn call_id(&self) -> Option<Text> {
        self.headers.call_id()
    }

    /// CSeq.
    pub fn cseq(&self) -> Result<CSeq, InvalidValue> {
        self.headers.cseq()
    }

    /// The first Contact address: the dialog's remote target. An error when there is none.
    pub fn contact(&self) -> Result<NameAddr, InvalidValue> {
        self.headers.contact()
    }

    /// All Contact addresses.
    pub fn contacts(&self) -> Result<Contacts, InvalidValue> {
        self.headers.contacts()
    }

    /// Max-Forwards; `None` where it is missing, as in RFC 2543 requests.
    pub fn max_forwards(&self) -> Option<Result<MaxForwards, InvalidValue>> {
        self.headers.get(&HeaderName::MaxForwards).map(MaxForwards::parse)
    }

    /// RAck of a PRACK.
    pub fn rack(&self) -> Result<RAck, InvalidValue> {
        self.headers.get(&HeaderName::RAck).ok_or(InvalidValue("RAck")).and_then(RAck::parse)
    }

    /// Replaces, where given.
    pub fn replaces(&self) -> Option<Result<Replaces, InvalidValue>> {
        self.headers.get(&HeaderName::Replaces).map(Replaces::parse)
    }

    /// Refer-To of a REFER.
    pub fn refer_to(&self) -> Result<NameAddr, InvalidValue> {
        let value = self.headers.get(&HeaderName::ReferTo).ok_or(InvalidValue("Refer-To"))?;
        NameAddr::parse(value).map_err(|_| InvalidValue("Refer-To"))
    }

    /// Option tags of Require.
    pub fn require(&self) -> impl Iterator<Item = Text> + '_ {
        self.headers.texts(&HeaderName::Require)
    }

    /// Option tags of Supported.
    pub fn supported(&self) -> impl Iterator<Item = Text> + '_ {
        self.headers.texts(&HeaderName::Supported)
    }

    /// Whether Supported or Require names this option tag.
    pub fn supports(&self, option: &str) -> bool {
        self.supported().chain(self.require()).any(|tag| tag.eq_ignore_ascii_case(option))
    }

    /// Whether Require names this option tag.
    pub fn requires(&self, option: &str) -> bool {
        self.require().any(|tag| tag.eq_ignore_ascii_case(option))
    }

    /// Expires, where given and sound.
    pub fn expires(&self) -> Option<Expires> {
        self.headers.get(&HeaderName::Expires).and_then(|value| Expires::parse(value).ok())
    }

    /// Session-Expires, where given.
    pub fn session_expires(&self) -> Option<Result<SessionExpires, InvalidValue>> {
        self.headers.session_expires()
    }

    /// Min-SE, where given.
    pub fn min_se(&self) -> Option<Result<MinSe, InvalidValue>> {
        self.headers.min_se()
    }
}

/// The typed readings that requests and responses share.
impl Headers {
    /// The top Via.
    pub fn via_top(&self) -> Result<Via, InvalidValue> {
        self.values(&HeaderName::Via).next().ok_or(InvalidValue("Via")).and_then(|value| Via::parse(&value))
    }

    /// From.
    pub fn from(&self) -> Result<NameAddr, InvalidValue> {
        let value = self.get(&HeaderName::From).ok_or(InvalidValue("From"))?;
        NameAddr::parse(value).map_err(|_| InvalidValue("From"))
    }

    /// To.
    pub fn to(&self) -> Result<NameAddr, InvalidValue> {
        let value = self.get(&HeaderName::To).ok_or(InvalidValue("To"))?;
        NameAddr::parse(value).map_err(|_| InvalidValue("To"))
    }

    /// The Call-ID header's value, if there is one that is not empty.
    pub fn call_id(&self) -> Option<Text> {
        self.get(&HeaderName::CallId).filter(|value| !value.is_empty()).map(|value| Text::from_wire(value.clone()))
    }

    /// CSeq.
    pub fn cseq(&self) -> Result<CSeq, InvalidValue> {
        self.get(&HeaderName::CSeq).ok_or(InvalidValue("CSeq")).and_then(CSeq::parse)
    }

    /// All Contact addresses.
    pub fn contacts(&self) -> Result<Contacts, InvalidValue> {
        Contacts::parse(self.all(&HeaderName::Contact))
    }

    /// The first Contact address; an error when there is none.
    pub fn contact(&self) -> Result<NameAddr, InvalidValue> {
        let value = self.values(&HeaderName::Contact).next().ok_or(InvalidValue("Contact"))?;
        NameAddr::parse(&value).map_err(|_| InvalidValue("Contact"))
    }

    /// The addresses of a list header: Route, Record-Route, Path, Service-Route, P-Asserted-Identity, Diversion.
    pub fn addresses(&self, name: &HeaderName) -> Result<Vec<NameAddr>, InvalidValue> {
        self.values(name).map(|value| NameAddr::parse(&value)).collect()
    }

    /// The words of a list header: Require, Supported, Allow, Accept, …
    pub fn texts<'a>(&'a self, name: &'a HeaderName) -> impl Iterator<Item = Text> + 'a {
        self.values(name).map(Text::from_wire)
    }

    /// Session-Expires, where given.
    pub fn session_expires(&self) -> Option<Result<SessionExpires, InvalidValue>> {
        self.get(&HeaderName::SessionExpires).map(SessionExpires::parse)
    }

    /// Min-SE, where given.
    pub fn min_se(&self) -> Option<Result<MinSe, InvalidValue>> {
        self.get(&HeaderName::MinSe).map(MinSe::parse)
    }

    /// Content-Type without parameters, in lower case.
    pub fn content_type(&self) -> Option<String> {
        let value = self.get_str(&HeaderName::ContentType)?;
        Some(value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase())
    }
}
