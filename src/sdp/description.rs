//! A session description as data (RFC 8866), and its printed form.

use super::error::SdpError;
use crate::types::Direction;
use bytes::Bytes;
use std::fmt::{self, Write as _};
use std::net::IpAddr;

/// One session description. Lines that nobody here needs (`i= u= e= p= b= t= r= z= k=` and unknown ones) are not kept;
/// attributes are, all of them, in order.
///
/// Printed by [`fmt::Display`] with CRLF line ends; `t=0 0` is always written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionDescription {
    /// `o=`.
    pub origin: Origin,
    /// `s=`; `-` when there is none.
    pub name: String,
    /// The session's `c=`, which holds for every `m=` line without its own.
    pub connection: Option<NetAddress>,
    /// The session's `a=` lines.
    pub attributes: Vec<Attribute>,
    /// The `m=` lines with what belongs to each.
    pub media: Vec<MediaDescription>,
}

/// The `o=` line (RFC 8866 section 5.2).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    /// `-` when there is none. May hold blanks: some phones put a display name there.
    pub username: String,
    /// Constant for the life of the session. A peer's number that does not fit is cut to the greatest; nothing depends
    /// on it.
    pub session_id: u64,
    /// Grows by one with each change. A peer's is read as `session_id` is.
    pub version: u64,
    /// Where it was made.
    pub address: NetAddress,
}

/// An address in `o=`, `c=` and `a=rtcp` (RFC 8866 section 5.7), without time to live.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum NetAddress {
    /// `IN IP4 203.0.113.7`, `IN IP6 2001:db8::7`.
    Ip(IpAddr),
    /// A host name, to be resolved by whoever asked for the description ([`super::Negotiation::host`]).
    Name {
        /// `IP6` rather than `IP4`.
        ip6: bool,
        /// The name.
        host: String,
    },
    /// Something else, as it was written: another network (`PSTN E164 +44…`), or cut off. Where it stands for a line
    /// that we would use, that line is refused.
    Unreadable(String),
}

/// `a=name` or `a=name:value`. `Debug` leaves out the keys of `a=crypto` and the passwords of ICE.
#[derive(Clone, PartialEq, Eq)]
pub struct Attribute {
    /// Before the colon.
    pub name: String,
    /// After the colon, blanks around it removed.
    pub value: Option<String>,
}

/// An `m=` line with its `c=` and `a=` lines (RFC 8866 section 5.14).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MediaDescription {
    /// `audio`, `video`, `image`, …
    pub media: String,
    /// 0: refused, switched off, or unreadable.
    pub port: u16,
    /// `RTP/AVP`, `udptl`, …
    pub protocol: String,
    /// Payload types, or what else the protocol calls formats.
    pub formats: Vec<String>,
    /// Its own `c=`.
    pub connection: Option<NetAddress>,
    /// Its `a=` lines.
    pub attributes: Vec<Attribute>,
    /// What is wrong with the line: it cannot be used, and is answered with port 0 in its place.
    pub fault: Option<SdpError>,
}

impl SessionDescription {
    /// The printed form.
    #[must_use]
    pub fn to_bytes(&self) -> Bytes {
        let lines = self.attributes.len() + self.media.iter().map(|media| media.attributes.len() + 2).sum::<usize>();
        let mut text = String::with_capacity(128 + lines * 40);
        write!(text, "{self}").expect("a String takes all");
        Bytes::from(text)
    }

    /// The address of the first open audio line, hold addresses included: tells which address family the peer speaks.
    #[must_use]
    pub fn audio_address(&self) -> Option<IpAddr> {
        let line = self.media.iter().find(|line| line.is_audio() && line.port != 0)?;
        match line.connection.as_ref().or(self.connection.as_ref())? {
            NetAddress::Ip(address) => Some(*address),
            NetAddress::Name { .. } | NetAddress::Unreadable(_) => None,
        }
    }
}

impl MediaDescription {
    /// Whether this is an audio line.
    #[must_use]
    pub fn is_audio(&self) -> bool {
        self.media.eq_ignore_ascii_case("audio")
    }

    /// This line refused, as it stands in an answer or a later offer: port 0, nothing but its formats
    /// (RFC 3264 section 6: they mean nothing, but one has to be there).
    #[must_use]
    pub fn refused(&self) -> Self {
        let formats = if self.formats.is_empty() { vec!["0".to_owned()] } else { self.formats.clone() };
        Self {
            media: self.media.clone(),
            port: 0,
            protocol: self.protocol.clone(),
            formats,
            connection: None,
            attributes: Vec::new(),
            fault: None,
        }
    }
}

impl Attribute {
    /// `a=name`.
    #[must_use]
    pub fn flag(name: &str) -> Self {
        Self { name: name.to_owned(), value: None }
    }

    /// `a=name:value`.
    #[must_use]
    pub fn with_value(name: &str, value: impl Into<String>) -> Self {
        Self { name: name.to_owned(), value: Some(value.into()) }
    }

    /// `a=sendrecv` and its like, written from the side of whoever says it.
    #[must_use]
    pub fn direction(direction: Direction) -> Self {
        Self::flag(name_of(direction))
    }

    /// The direction this attribute states, if it is one that does.
    #[must_use]
    pub fn as_direction(&self) -> Option<Direction> {
        if self.value.is_some() {
            return None;
        }
        [Direction::SendRecv, Direction::SendOnly, Direction::RecvOnly, Direction::Inactive]
            .into_iter()
            .find(|direction| name_of(*direction).eq_ignore_ascii_case(&self.name))
    }
}

const fn name_of(direction: Direction) -> &'static str {
    match direction {
        Direction::SendRecv => "sendrecv",
        Direction::SendOnly => "sendonly",
        Direction::RecvOnly => "recvonly",
        Direction::Inactive => "inactive",
    }
}

impl fmt::Debug for Attribute {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let is = |name: &&str| self.name.eq_ignore_ascii_case(name);
        let secret = ["crypto", "ice-pwd"].iter().any(is) && self.value.is_some();
        let value = if secret { Some("…") } else { self.value.as_deref() };
        f.debug_struct("Attribute").field("name", &self.name).field("value", &value).finish()
    }
}

impl fmt::Display for NetAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ip(IpAddr::V4(address)) => write!(f, "IN IP4 {address}"),
            Self::Ip(IpAddr::V6(address)) => write!(f, "IN IP6 {address}"),
            Self::Name { ip6: false, host } => write!(f, "IN IP4 {host}"),
            Self::Name { ip6: true, host } => write!(f, "IN IP6 {host}"),
            Self::Unreadable(text) => f.write_str(text),
        }
    }
}

impl fmt::Display for Attribute {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.value {
            Some(value) => write!(f, "a={}:{value}\r\n", self.name),
            None => write!(f, "a={}\r\n", self.name),
        }
    }
}

impl fmt::Display for MediaDescription {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "m={} {} {}", self.media, self.port, self.protocol)?;
        for format in &self.formats {
            write!(f, " {format}")?;
        }
        f.write_str("\r\n")?;
        if let Some(connection) = &self.connection {
            write!(f, "c={connection}\r\n")?;
        }
        self.attributes.iter().try_for_each(|attribute| attribute.fmt(f))
    }
}

impl fmt::Display for SessionDescription {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Origin { username, session_id, version, address } = &self.origin;
        write!(f, "v=0\r\no={username} {session_id} {version} {address}\r\ns={}\r\n", self.name)?;
        if let Some(connection) = &self.connection {
            write!(f, "c={connection}\r\n")?;
        }
        f.write_str("t=0 0\r\n")?;
        self.attributes.iter().try_for_each(|attribute| attribute.fmt(f))?;
        self.media.iter().try_for_each(|media| media.fmt(f))
    }
}
