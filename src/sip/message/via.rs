use std::{
    fmt,
    net::{IpAddr, SocketAddr},
    str::FromStr,
};

use bytes::Bytes;

use super::{Host, HostPort, InvalidValue, Params, Text, Transport, charset, host};

const INVALID: InvalidValue = InvalidValue("Via");

/// One Via value (RFC 3261 section 20.42, `rport` of RFC 3581).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Via {
    /// The transport as written: any token. See [`Via::known_transport`].
    pub transport: Text,
    /// Who sent it, by his own account.
    pub host: Host,
    /// The port of `host`, where given.
    pub port: Option<u16>,
    /// The transaction's name; every RFC 3261 element gives one that begins with [`Via::MAGIC_COOKIE`].
    pub branch: Option<Text>,
    /// Where it came from, as the next element saw it.
    pub received: Option<IpAddr>,
    /// `Some(None)` asks for the source port to be filled in, `Some(Some(port))` is it filled in.
    pub rport: Option<Option<u16>>,
    /// Where answers go instead, when multicast is used.
    pub maddr: Option<Host>,
    /// All other parameters.
    pub params: Params,
}

impl Via {
    /// What a branch made by RFC 3261 rules begins with.
    pub const MAGIC_COOKIE: &str = "z9hG4bK";

    /// A Via of our own, asking for `rport`.
    pub fn new(transport: Transport, host: impl Into<Host>, port: Option<u16>, branch: impl Into<Text>) -> Self {
        Self {
            transport: Text::from_static(transport.as_str()),
            host: host.into(),
            port,
            branch: Some(branch.into()),
            received: None,
            rport: Some(None),
            maddr: None,
            params: Params::new(),
        }
    }

    /// Reads one Via value; white space around `/` and `:` is allowed. Of a parameter given twice the first counts.
    pub fn parse(value: &Bytes) -> Result<Self, InvalidValue> {
        let (name, rest) = charset::split_at_byte(value, b'/');
        let (version, rest) = charset::split_at_byte(rest.ok_or(INVALID)?, b'/');
        let rest = charset::trim(rest.ok_or(INVALID)?);
        // Any version: who sends another one is to be told so, along this Via.
        if !charset::trim(name).eq_ignore_ascii_case(b"SIP") || !charset::is_token_text(charset::trim(version)) {
            return Err(INVALID);
        }
        let transport_end = rest.iter().position(|byte| !charset::is_token(*byte)).ok_or(INVALID)?;
        let (transport, rest) = rest.split_at(transport_end);
        if transport.is_empty() || !rest.first().is_some_and(|byte| charset::is_space(*byte)) {
            return Err(INVALID);
        }
        let (sent_by, params) = charset::split_at_byte(rest, b';');
        let HostPort { host, port } = HostPort::parse_part(value, sent_by).map_err(|_| INVALID)?;
        let mut params = Params::parse_part(value, params.unwrap_or_default()).map_err(|_| INVALID)?;
        let [received, rport, maddr, branch] = params.take(["received", "rport", "maddr", "branch"]);
        let received = match received.and_then(|param| param.value) {
            Some(text) => Some(parse_received(&text).ok_or(INVALID)?),
            None => None,
        };
        let rport = match rport.map(|param| param.value) {
            Some(Some(text)) if !text.is_empty() => Some(Some(text.parse().map_err(|_| INVALID)?)),
            Some(_) => Some(None),
            None => None,
        };
        let maddr = match maddr.and_then(|param| param.value) {
            Some(text) => Some(Host::parse(&text.into()).map_err(|_| INVALID)?),
            None => None,
        };
        let branch = branch.and_then(|param| param.value).filter(|branch| !branch.is_empty());
        Ok(Self { transport: Text::part(value, transport), host, port, branch, received, rport, maddr, params })
    }

    /// The transport, if it is one we know.
    pub fn known_transport(&self) -> Option<Transport> {
        Transport::from_token(&self.transport)
    }

    /// Whether the branch identifies a transaction by itself (RFC 3261 section 17.2.3): cookie and something behind it.
    pub fn has_rfc3261_branch(&self) -> bool {
        self.branch.as_deref().is_some_and(|branch| {
            let (cookie, rest) = branch.split_at_checked(Self::MAGIC_COOKIE.len()).unwrap_or_default();
            cookie.eq_ignore_ascii_case(Self::MAGIC_COOKIE) && !rest.is_empty()
        })
    }

    /// Notes where the message came from: `received` when it is not what the Via says or `rport` was asked for, and
    /// `rport` when asked for (RFC 3261 section 18.2.1, RFC 3581 section 4). Anything the sender wrote there is
    /// replaced.
    pub fn mark_received(&mut self, source: SocketAddr) {
        let source_ip = source.ip().to_canonical();
        let told = self.host.ip().map(|address| address.to_canonical());
        self.received = (told != Some(source_ip) || self.rport.is_some()).then_some(source_ip);
        if self.rport.is_some() {
            self.rport = Some(Some(source.port()));
        }
    }

    /// Where an answer goes over an unreliable transport: `received` and `rport`, else what the sender wrote
    /// (RFC 3261 section 18.2.2; `maddr` is left to the caller). `None` where only a name is known.
    pub fn response_address(&self) -> Option<SocketAddr> {
        let default = self.known_transport().map_or(5060, Transport::default_port);
        let port = self.rport.flatten().or(self.port).unwrap_or(default);
        Some(SocketAddr::new(self.received.or(self.host.ip())?, port))
    }
}

/// RFC 3261's grammar has no brackets here, implementations write them all the same (RFC 5118 section 4.5).
fn parse_received(text: &str) -> Option<IpAddr> {
    let bare = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(text);
    bare.parse().ok().or_else(|| host::parse_v6(bare.as_bytes()).map(IpAddr::V6))
}

impl FromStr for Via {
    type Err = InvalidValue;
    fn from_str(text: &str) -> Result<Self, InvalidValue> {
        Self::parse(&Bytes::copy_from_slice(text.as_bytes()))
    }
}

impl fmt::Display for Via {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SIP/2.0/{} {}", self.transport, self.host)?;
        if let Some(port) = self.port {
            write!(f, ":{port}")?;
        }
        if let Some(branch) = &self.branch {
            write!(f, ";branch={branch}")?;
        }
        if let Some(received) = self.received {
            write!(f, ";received={received}")?;
        }
        match self.rport {
            Some(Some(port)) => write!(f, ";rport={port}")?,
            Some(None) => f.write_str(";rport")?,
            None => {}
        }
        if let Some(maddr) = &self.maddr {
            write!(f, ";maddr={maddr}")?;
        }
        write!(f, "{}", self.params)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn via(text: &str) -> Via {
        text.parse().unwrap_or_else(|error| panic!("{text}: {error}"))
    }

    #[test]
    fn white_space_around_the_separators_is_allowed() {
        let via = via("SIP / 2.0 / UDP \t 192.0.2.2 : 5070 ; branch = z9hG4bK1 ;rport");
        assert_eq!(via.to_string(), "SIP/2.0/UDP 192.0.2.2:5070;branch=z9hG4bK1;rport");
        assert_eq!(via.known_transport(), Some(Transport::Udp));
    }

    #[test]
    fn received_is_read_with_and_without_brackets() {
        for text in ["[2001:db8::9:255]", "2001:db8::9:255"] {
            let via = via(&format!("SIP/2.0/UDP [2001:db8::9:1];received={text};branch=z9hG4bKas3-111"));
            assert_eq!(via.received, Some("2001:db8::9:255".parse().unwrap()));
        }
    }

    #[test]
    fn of_a_parameter_given_twice_the_first_counts() {
        let via = via("SIP/2.0/UDP h;branch=;rport=1;branch=z9hG4bKb;rport=2");
        assert_eq!((via.branch.as_deref(), via.rport, via.params.is_empty()), (None, Some(Some(1)), true));
    }

    #[test]
    fn what_is_no_via_is_refused() {
        for bad in ["", "SIP/2.0/UDP", "HTTP/2.0/UDP h", "SIP/2.0/ h", "SIP/2.0/UDP h;received=name", "SIP/2.0/UDP ::1"]
        {
            assert!(bad.parse::<Via>().is_err(), "{bad}");
        }
    }

    #[test]
    fn a_branch_needs_more_than_the_cookie() {
        assert!(via("SIP/2.0/UDP h;branch=z9hG4bKa").has_rfc3261_branch());
        assert!(!via("SIP/2.0/UDP h;branch=z9hG4bK").has_rfc3261_branch());
        assert!(!via("SIP/2.0/UDP h;branch=1").has_rfc3261_branch());
    }

    #[test]
    fn the_source_is_noted_and_answers_go_there() {
        let source: SocketAddr = "203.0.113.9:4444".parse().unwrap();
        let mut asked = via("SIP/2.0/UDP 10.0.0.1:5060;branch=z9hG4bKa;rport;received=192.0.2.66");
        asked.mark_received(source);
        assert_eq!(asked.response_address(), Some(source));

        let mut unasked = via("SIP/2.0/UDP 10.0.0.1:5070;branch=z9hG4bKa");
        unasked.mark_received(source);
        assert_eq!(unasked.response_address(), Some("203.0.113.9:5070".parse().unwrap()));

        let mut honest = via("SIP/2.0/UDP 203.0.113.9;branch=z9hG4bKa");
        honest.mark_received(source);
        assert_eq!((honest.received, honest.response_address()), (None, Some("203.0.113.9:5060".parse().unwrap())));
    }
}
