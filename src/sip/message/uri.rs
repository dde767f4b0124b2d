use std::collections::BTreeMap;
use std::{fmt, str::FromStr};

use bytes::Bytes;

use super::{Host, HostPort, InvalidValue, Params, Replaces, Text, Transport, charset};

const INVALID: InvalidValue = InvalidValue("URI");

/// What kind of URI it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Scheme {
    /// `sip:` (RFC 3261 section 19.1).
    Sip,
    /// `sips:`
    Sips,
    /// `tel:` (RFC 3966).
    Tel,
    /// Any other; the scheme in lower case.
    Other(Text),
}

impl Scheme {
    /// As written before the colon.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Sip => "sip",
            Self::Sips => "sips",
            Self::Tel => "tel",
            Self::Other(name) => name,
        }
    }
}

/// A URI as SIP uses it.
///
/// `==` compares what is written, field by field, hosts without regard to case; [`Uri::is_equivalent`] compares by
/// the rules of RFC 3261 section 19.1.4.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Uri {
    /// The scheme.
    pub scheme: Scheme,
    /// The user, escapes as written; for `tel:` the number, for other schemes all behind the colon.
    pub user: Option<Text>,
    /// The password, escapes as written.
    pub password: Option<Text>,
    /// The host; an empty name for `tel:` and other schemes.
    pub host: Host,
    /// The port, where given.
    pub port: Option<u16>,
    /// The URI's own parameters.
    pub params: Params,
    /// What stands behind `?`, as written: headers for the request to be made from this URI.
    pub headers: Option<Text>,
}

impl Uri {
    /// A `sip:` URI; `user` is escaped where needed.
    pub fn sip(user: Option<&str>, host: impl Into<Host>, port: Option<u16>) -> Self {
        Self {
            scheme: Scheme::Sip,
            user: user.map(|user| escape_user(user).into()),
            password: None,
            host: host.into(),
            port,
            params: Params::new(),
            headers: None,
        }
    }

    /// Reads a URI, without `<>` and white space around it.
    pub fn parse(value: &Bytes) -> Result<Self, InvalidValue> {
        Self::parse_part(value, value)
    }

    pub(super) fn parse_part(whole: &Bytes, part: &[u8]) -> Result<Self, InvalidValue> {
        let (scheme, rest) = charset::split_at_byte(part, b':');
        let rest = rest.ok_or(INVALID)?;
        let is_scheme = scheme.first().is_some_and(u8::is_ascii_alphabetic)
            && scheme.iter().all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(byte));
        // To the end even where it is known before: so it is done many bytes at a time.
        let is_bad = |byte: u8| byte <= b' ' || byte == 0x7f || byte == b'<' || byte == b'>' || byte == b'"';
        if !is_scheme || part.iter().fold(false, |bad, byte| bad | is_bad(*byte)) {
            return Err(INVALID);
        }
        match scheme {
            _ if scheme.eq_ignore_ascii_case(b"sip") => Self::parse_sip(Scheme::Sip, whole, rest),
            _ if scheme.eq_ignore_ascii_case(b"sips") => Self::parse_sip(Scheme::Sips, whole, rest),
            _ if scheme.eq_ignore_ascii_case(b"tel") => {
                let (number, params) = charset::split_at_byte(rest, b';');
                if number.is_empty() {
                    return Err(INVALID);
                }
                let params = Params::parse_part(whole, params.unwrap_or_default())?;
                Ok(Self { params, ..Self::opaque(Scheme::Tel, Text::part(whole, number)) })
            }
            _ => {
                let mut name = Text::part(whole, scheme);
                if name.bytes().any(|byte| byte.is_ascii_uppercase()) {
                    name = name.to_ascii_lowercase().into();
                }
                Ok(Self::opaque(Scheme::Other(name), Text::part(whole, rest)))
            }
        }
    }

    fn opaque(scheme: Scheme, rest: Text) -> Self {
        let host = Host::Name(Text::default());
        Self { scheme, user: Some(rest), password: None, host, port: None, params: Params::new(), headers: None }
    }

    fn parse_sip(scheme: Scheme, whole: &Bytes, rest: &[u8]) -> Result<Self, InvalidValue> {
        // `;` and `?` may stand in a user part, so `@` is looked for first.
        let (user, password, rest) = match charset::split_at_byte(rest, b'@') {
            (user_info, Some(rest)) => {
                let (user, password) = charset::split_at_byte(user_info, b':');
                if user.is_empty() {
                    return Err(INVALID);
                }
                (Some(user), password, rest)
            }
            (all, None) => (None, None, all),
        };
        let (rest, headers) = charset::split_at_byte(rest, b'?');
        let (host_port, params) = charset::split_at_byte(rest, b';');
        let HostPort { host, port } = HostPort::parse_part(whole, host_port)?;
        let text = |part: &[u8]| Text::part(whole, part);
        Ok(Self {
            scheme,
            user: user.map(text),
            password: password.map(text),
            host,
            port,
            params: Params::parse_part(whole, params.unwrap_or_default())?,
            headers: headers.map(text),
        })
    }

    /// The user with its escapes undone; for `tel:` the number.
    pub fn user_decoded(&self) -> Option<String> {
        self.user.as_deref().map(decode)
    }

    /// The transport the URI asks for; TLS for `sips:` without one, `None` where it leaves the choice or names an
    /// unknown one.
    pub fn transport(&self) -> Option<Transport> {
        match (self.params.get("transport"), &self.scheme) {
            (Some(name), Scheme::Sips) => match Transport::from_token(name) {
                Some(Transport::Ws | Transport::Wss) => Some(Transport::Wss),
                Some(_) => Some(Transport::Tls),
                None => None,
            },
            (Some(name), _) => Transport::from_token(name),
            (None, Scheme::Sips) => Some(Transport::Tls),
            (None, _) => None,
        }
    }

    /// The same as a request URI may be: without headers and `method` (RFC 3261 section 19.1.1, table 1).
    #[must_use]
    pub fn for_request(mut self) -> Self {
        self.headers = None;
        let _ = self.params.take(["method"]);
        self
    }

    /// Whether its host is this address, and its port this one, written or implied.
    pub fn is_at(&self, address: std::net::SocketAddr) -> bool {
        let transport = self.transport().unwrap_or(Transport::Udp);
        self.host.ip().is_some_and(|ip| ip.to_canonical() == address.ip().to_canonical())
            && self.port.unwrap_or(transport.default_port()) == address.port()
    }

    /// Whether this is a loose router's URI.
    pub fn is_loose_router(&self) -> bool {
        self.params.contains("lr")
    }

    /// Whether it is `sip:` or `sips:`.
    pub fn is_sip(&self) -> bool {
        matches!(self.scheme, Scheme::Sip | Scheme::Sips)
    }

    /// Whether both name the same resource by RFC 3261 section 19.1.4 (not transitive, as the RFC says).
    pub fn is_equivalent(&self, other: &Self) -> bool {
        let same_text = |a: &Option<Text>, b: &Option<Text>| match (a, b) {
            (Some(a), Some(b)) => charset::percent_decode(a) == charset::percent_decode(b),
            (None, None) => true,
            _ => false,
        };
        if self.scheme == Scheme::Tel && other.scheme == Scheme::Tel {
            return tel_digits(self) == tel_digits(other) && self.params_agree(other, |_| true);
        }
        self.scheme == other.scheme
            && same_text(&self.user, &other.user)
            && same_text(&self.password, &other.password)
            && self.host == other.host
            && self.port == other.port
            && self.params_agree(other, |name| {
                ["transport", "user", "ttl", "method", "maddr"].iter().any(|known| name.eq_ignore_ascii_case(known))
            })
            && self.header_list() == other.header_list()
    }

    /// Parameters in both must be equal; those in one only matter when `must_match` says so.
    fn params_agree(&self, other: &Self, must_match: impl Fn(&str) -> bool) -> bool {
        // Each by its name, and of equal ones the first: so many are compared in one pass.
        let by_name = |params: &Params| {
            let mut named: BTreeMap<String, Text> = BTreeMap::new();
            for param in params.iter() {
                let value = || param.value.clone().unwrap_or_default();
                named.entry(param.name.to_ascii_lowercase()).or_insert_with(value);
            }
            named
        };
        if self.params.is_empty() && other.params.is_empty() {
            return true;
        }
        let (ours, theirs) = (by_name(&self.params), by_name(&other.params));
        let is_same = |a: &Text, b: &Text| decode(a).eq_ignore_ascii_case(&decode(b));
        ours.iter().all(|(name, value)| match theirs.get(name) {
            Some(other) => is_same(value, other),
            None => !must_match(name),
        }) && theirs.keys().all(|name| ours.contains_key(name) || !must_match(name))
    }

    /// The headers as comparable pairs in any order.
    fn header_list(&self) -> Vec<(String, String)> {
        let mut list: Vec<_> = self
            .headers
            .as_deref()
            .unwrap_or_default()
            .split('&')
            .filter(|header| !header.is_empty())
            .map(|header| header.split_once('=').unwrap_or((header, "")))
            .map(|(name, value)| (decode(name).to_ascii_lowercase(), decode(value)))
            .collect();
        list.sort();
        list
    }
}

/// The number of a `tel:` URI without visual separators (RFC 3966 section 4).
fn tel_digits(uri: &Uri) -> String {
    let number = uri.user.as_deref().unwrap_or_default();
    number.chars().filter(|c| !matches!(c, '-' | '.' | '(' | ')')).map(|c| c.to_ascii_lowercase()).collect()
}

fn decode(text: &str) -> String {
    String::from_utf8_lossy(&charset::percent_decode(text)).into_owned()
}

fn escape_user(user: &str) -> String {
    escape(user, b"-_.!~*'()&=+$,;?/")
}

/// All but letters, digits and these.
fn escape(text: &str, plain: &[u8]) -> String {
    use std::fmt::Write as _;
    let mut escaped = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || plain.contains(&byte) {
            escaped.push(char::from(byte));
        } else {
            write!(escaped, "%{byte:02X}").expect("a String takes all");
        }
    }
    escaped
}

impl Uri {
    /// The same with a Replaces header for the INVITE that is made from it, in the place of all headers it had (RFC
    /// 3891 section 4).
    #[must_use]
    pub fn with_replaces(mut self, replaces: &Replaces) -> Self {
        // RFC 3261 section 25.1, hvalue.
        self.headers = Some(format!("Replaces={}", escape(&replaces.to_string(), b"-_.!~*'()[]/?:+$")).into());
        self
    }
}

impl FromStr for Uri {
    type Err = InvalidValue;
    fn from_str(text: &str) -> Result<Self, InvalidValue> {
        Self::parse(&Bytes::copy_from_slice(text.as_bytes()))
    }
}

impl fmt::Display for Uri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:", self.scheme.as_str())?;
        if let Some(user) = &self.user {
            f.write_str(user)?;
            if let Some(password) = &self.password {
                write!(f, ":{password}")?;
            }
            if self.is_sip() {
                f.write_str("@")?;
            }
        }
        match self.port {
            Some(port) => write!(f, "{}:{port}", self.host)?,
            None => write!(f, "{}", self.host)?,
        }
        write!(f, "{}", self.params)?;
        match &self.headers {
            Some(headers) => write!(f, "?{headers}"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn uri(text: &str) -> Uri {
        text.parse().unwrap_or_else(|error| panic!("{text}: {error}"))
    }

    #[test]
    fn uris_print_as_they_were_written() {
        for text in [
            "sip:alice@atlanta.example",
            "sips:alice:secret@atlanta.example:5071;transport=tcp;lr?subject=x&priority=urgent",
            "sip:+15551234;ext=12@[2001:db8::9]:5070;user=phone",
            "sip:192.0.2.4",
            "sip:user;par=u%40example.net@example.com",
            "tel:+44-20-7946-0100;phone-context=example.com",
            "urn:service:sos",
            "nobodyKnowsThisScheme:totallyopaquecontent",
        ] {
            assert_eq!(uri(text).to_string().to_lowercase(), text.to_lowercase());
        }
    }

    #[test]
    fn uris_that_are_none_are_refused() {
        for bad in
            ["", "sip", "sip:", ":a@b", "sip:@b", "sip:a@", "sip:a@b c", "<sip:a@b>", "sip:a@b@c", "tel:", "1x:y"]
        {
            assert!(bad.parse::<Uri>().is_err(), "{bad}");
        }
    }

    #[test]
    fn equal_uris_of_rfc_3261_section_19_1_4() {
        for (a, b) in [
            ("sip:%61lice@atlanta.com;transport=TCP", "sip:alice@AtLanTa.CoM;Transport=tcp"),
            ("sip:carol@chicago.com", "sip:carol@chicago.com;newparam=5"),
            ("sip:carol@chicago.com;security=on", "sip:carol@chicago.com;newparam=5"),
            (
                "sip:biloxi.com;transport=tcp;method=REGISTER?to=sip:bob%40biloxi.com",
                "sip:biloxi.com;method=REGISTER;transport=tcp?to=sip:bob%40biloxi.com",
            ),
            (
                "sip:alice@atlanta.com?subject=project%20x&priority=urgent",
                "sip:alice@atlanta.com?priority=urgent&subject=project%20x",
            ),
            ("tel:+1-(555)-0100", "tel:+15550100"),
        ] {
            assert!(uri(a).is_equivalent(&uri(b)) && uri(b).is_equivalent(&uri(a)), "{a} {b}");
        }
    }

    #[test]
    fn different_uris_of_rfc_3261_section_19_1_4() {
        for (a, b) in [
            ("SIP:ALICE@AtLanTa.CoM;Transport=udp", "sip:alice@AtLanTa.CoM;Transport=UDP"),
            ("sip:bob@biloxi.com", "sip:bob@biloxi.com:5060"),
            ("sip:bob@biloxi.com", "sip:bob@biloxi.com;transport=udp"),
            ("sip:bob@biloxi.com;transport=udp", "sip:bob@biloxi.com:6000;transport=tcp"),
            ("sip:carol@chicago.com", "sip:carol@chicago.com?Subject=next%20meeting"),
            ("sip:bob@phone21.boxesbybob.com", "sip:bob@192.0.2.4"),
            ("sip:carol@chicago.com;security=on", "sip:carol@chicago.com;security=off"),
            ("sip:bob@biloxi.com", "sips:bob@biloxi.com"),
        ] {
            assert!(!uri(a).is_equivalent(&uri(b)), "{a} {b}");
        }
    }

    #[test]
    fn a_user_is_escaped_when_built_and_decoded_when_read() {
        let built = Uri::sip(Some("a b@c#"), "example.com", None);
        assert_eq!(built.to_string(), "sip:a%20b%40c%23@example.com");
        assert_eq!(built.user_decoded().as_deref(), Some("a b@c#"));
    }
}
