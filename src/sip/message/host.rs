use std::{
    fmt,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
};

use bytes::Bytes;

use super::{InvalidValue, Text, charset};

const INVALID: InvalidValue = InvalidValue("host");

/// A host in a URI or a Via (RFC 3261 section 25.1, with RFC 5118's corrections for IPv6).
#[derive(Clone, Debug)]
pub enum Host {
    /// A domain name as written; compared without regard to case. Empty in URIs that have no host.
    Name(Text),
    /// An address; IPv6 is written in brackets.
    Ip(IpAddr),
}

impl Host {
    /// Reads a host; an IPv6 address must be in brackets.
    pub fn parse(value: &Bytes) -> Result<Self, InvalidValue> {
        Self::parse_part(value, value)
    }

    pub(super) fn parse_part(whole: &Bytes, part: &[u8]) -> Result<Self, InvalidValue> {
        if let [b'[', inside @ .., b']'] = part {
            return parse_v6(inside).map(|address| Self::Ip(address.into())).ok_or(INVALID);
        }
        let is_host = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_');
        if part.is_empty() || !part.iter().all(is_host) {
            return Err(INVALID);
        }
        if part.first().is_some_and(u8::is_ascii_digit)
            && let Some(address) = std::str::from_utf8(part).ok().and_then(|text| text.parse::<Ipv4Addr>().ok())
        {
            return Ok(Self::Ip(address.into()));
        }
        Ok(Self::Name(Text::part(whole, part)))
    }

    /// The address, if it is one.
    pub fn ip(&self) -> Option<IpAddr> {
        match self {
            Self::Name(_) => None,
            Self::Ip(address) => Some(*address),
        }
    }
}

/// An IPv6 address without brackets. RFC 3261's grammar, read as it stands, allows a third colon before an embedded
/// IPv4 address (RFC 5118 section 4.10); it can mean only one thing and is taken as such.
pub(super) fn parse_v6(inside: &[u8]) -> Option<Ipv6Addr> {
    let text = std::str::from_utf8(inside).ok()?;
    text.parse().ok().or_else(|| text.replacen(":::", "::", 1).parse().ok())
}

impl PartialEq for Host {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Name(a), Self::Name(b)) => a.eq_ignore_ascii_case(b),
            (Self::Ip(a), Self::Ip(b)) => a == b,
            _ => false,
        }
    }
}

impl Eq for Host {}

impl From<IpAddr> for Host {
    fn from(address: IpAddr) -> Self {
        Self::Ip(address)
    }
}

impl From<&str> for Host {
    /// An address, in brackets or not, or else a name.
    fn from(text: &str) -> Self {
        let bare = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(text);
        bare.parse().map_or_else(|_| Self::Name(text.into()), Self::Ip)
    }
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) => f.write_str(name),
            Self::Ip(IpAddr::V4(address)) => write!(f, "{address}"),
            Self::Ip(IpAddr::V6(address)) => write!(f, "[{address}]"),
        }
    }
}

/// A host and, where given, a port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostPort {
    /// The host.
    pub host: Host,
    /// The port, where given.
    pub port: Option<u16>,
}

impl HostPort {
    /// Reads `host` or `host:port`, with white space around the colon as Via allows it.
    pub(super) fn parse_part(whole: &Bytes, part: &[u8]) -> Result<Self, InvalidValue> {
        let part = charset::trim(part);
        let host_end = match part.first() {
            Some(b'[') => memchr::memchr(b']', part).ok_or(INVALID)? + 1,
            _ => memchr::memchr(b':', part).unwrap_or(part.len()),
        };
        let (host, rest) = part.split_at(host_end);
        let port = match charset::trim(rest) {
            [] => None,
            [b':', digits @ ..] => {
                let port = charset::number(charset::trim(digits), u16::MAX.into()).ok_or(InvalidValue("port"))?;
                Some(u16::try_from(port).map_err(|_| InvalidValue("port"))?)
            }
            _ => return Err(INVALID),
        };
        Ok(Self { host: Host::parse_part(whole, charset::trim(host))?, port })
    }
}

impl From<SocketAddr> for HostPort {
    fn from(address: SocketAddr) -> Self {
        Self { host: address.ip().into(), port: Some(address.port()) }
    }
}

impl fmt::Display for HostPort {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.port {
            Some(port) => write!(f, "{}:{port}", self.host),
            None => write!(f, "{}", self.host),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn host_port(text: &'static str) -> Result<String, InvalidValue> {
        let whole = Bytes::from_static(text.as_bytes());
        HostPort::parse_part(&whole, &whole).map(|parsed| parsed.to_string())
    }

    #[test]
    fn names_and_addresses_of_both_families_are_hosts() {
        for good in ["example.com", "192.0.2.1:5060", "[2001:db8::1]", "[2001:db8::1]:5070", "[::ffff:192.0.2.1]:1"] {
            assert_eq!(host_port(good).as_deref(), Ok(good));
        }
        assert_eq!(host_port("  a.example : 5070 ").as_deref(), Ok("a.example:5070"));
    }

    #[test]
    fn what_is_no_host_is_refused() {
        for bad in
            ["", "2001:db8::1", "[2001:db8::1", "[]", "[1.2.3.4]", "a b", "h:", "h:65536", "h:-1", "a@b", "[::1]x"]
        {
            assert!(host_port(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_third_colon_before_an_embedded_address_is_forgiven() {
        assert_eq!(host_port("[2001:db8:::192.0.2.1]").as_deref(), Ok("[2001:db8::c000:201]"));
    }
}
