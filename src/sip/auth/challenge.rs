use std::fmt;

use bytes::Bytes;

use super::{Algorithm, AuthError};
use crate::sip::message::{Text, charset};

/// Quality of protection: what a digest covers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Qop {
    /// Method and URI.
    Auth,
    /// The body as well.
    AuthInt,
}

impl Qop {
    /// As written in a header.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Auth => "auth",
            Self::AuthInt => "auth-int",
        }
    }

    pub(super) fn from_token(name: &str) -> Option<Self> {
        [Self::Auth, Self::AuthInt].into_iter().find(|qop| qop.as_str().eq_ignore_ascii_case(name))
    }
}

/// A digest challenge: the value of WWW-Authenticate or Proxy-Authenticate (RFC 7616 section 3.3).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Challenge {
    /// Whom the password is for.
    pub realm: Text,
    /// The server's nonce.
    pub nonce: Text,
    /// To be handed back as it is.
    pub opaque: Option<Text>,
    /// The algorithm; MD5 where none is named.
    pub algorithm: Algorithm,
    /// Whether the challenge named it.
    pub algorithm_named: bool,
    /// What the digest is to cover: `auth` where that is offered; `None` is RFC 2069's way, without client nonce.
    pub qop: Option<Qop>,
    /// Whether `auth-int` is offered besides `auth`.
    pub integrity: bool,
    /// The nonce was too old, the credentials are not in doubt.
    pub stale: bool,
    /// The user name is to be sent hashed.
    pub userhash: bool,
}

impl Challenge {
    /// A plain challenge with `qop=auth`.
    pub fn new(realm: impl Into<Text>, nonce: impl Into<Text>, algorithm: Algorithm) -> Self {
        Self {
            realm: realm.into(),
            nonce: nonce.into(),
            opaque: None,
            algorithm,
            algorithm_named: true,
            qop: Some(Qop::Auth),
            integrity: false,
            stale: false,
            userhash: false,
        }
    }

    /// Reads one header value: one challenge.
    pub fn parse(value: &Bytes) -> Result<Self, AuthError> {
        let params = AuthParams::parse(value)?;
        let algorithm = params.get("algorithm");
        let (qop, integrity) = match params.get("qop") {
            Some(offered) => {
                let offers = |qop| offered.split(',').any(|name| Qop::from_token(name.trim()) == Some(qop));
                match (offers(Qop::Auth), offers(Qop::AuthInt)) {
                    (true, integrity) => (Some(Qop::Auth), integrity),
                    (false, true) => (Some(Qop::AuthInt), false),
                    (false, false) => return Err(AuthError::Algorithm),
                }
            }
            None => (None, false),
        };
        Ok(Self {
            realm: params.require("realm")?,
            nonce: params.require("nonce")?,
            opaque: params.get("opaque").cloned(),
            algorithm: match algorithm {
                Some(name) => Algorithm::from_token(name).ok_or(AuthError::Algorithm)?,
                None => Algorithm::Md5,
            },
            algorithm_named: algorithm.is_some(),
            qop,
            integrity,
            stale: params.get("stale").is_some_and(|stale| stale.eq_ignore_ascii_case("true")),
            userhash: params.get("userhash").is_some_and(|hashed| hashed.eq_ignore_ascii_case("true")),
        })
    }
}

impl fmt::Display for Challenge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Digest realm={}, nonce={}", Quoted(&self.realm), Quoted(&self.nonce))?;
        if let Some(opaque) = &self.opaque {
            write!(f, ", opaque={}", Quoted(opaque))?;
        }
        if self.algorithm_named {
            write!(f, ", algorithm={}", self.algorithm)?;
        }
        if let Some(qop) = self.qop {
            let integrity = if self.integrity && qop == Qop::Auth { ",auth-int" } else { "" };
            write!(f, ", qop=\"{}{integrity}\"", qop.as_str())?;
        }
        if self.stale {
            f.write_str(", stale=true")?;
        }
        if self.userhash { f.write_str(", userhash=true") } else { Ok(()) }
    }
}

/// Writes a text as a quoted string.
pub(super) struct Quoted<'a>(pub &'a str);

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        charset::write_quoted(f, self.0)
    }
}

/// The `name=value` list behind `Digest`, values without their quotes.
pub(super) struct AuthParams(Vec<(Text, Text)>);

impl AuthParams {
    /// More than any scheme has.
    const MAX: usize = 32;

    pub fn parse(value: &Bytes) -> Result<Self, AuthError> {
        let part = charset::trim(value);
        let end = part.iter().position(|byte| charset::is_space(*byte)).unwrap_or(part.len());
        let (scheme, mut rest) = part.split_at(end);
        if !scheme.eq_ignore_ascii_case(b"Digest") {
            return Err(AuthError::Scheme);
        }
        let mut params = Vec::new();
        while !rest.is_empty() {
            let end = charset::find_outside_quotes(rest, b',', true).unwrap_or(rest.len());
            let (param, behind) = rest.split_at(end);
            rest = behind.get(1..).unwrap_or_default();
            let param = charset::trim(param);
            if param.is_empty() {
                continue;
            }
            let (name, text) = charset::split_at_byte(param, b'=');
            let name = charset::trim(name);
            let text = charset::trim(text.ok_or(AuthError::Malformed)?);
            if !charset::is_token_text(name) || params.len() >= Self::MAX {
                return Err(AuthError::Malformed);
            }
            let text = match charset::quoted_inside(text) {
                Some(inside) if !inside.contains(&b'\\') => Text::from_wire(value.slice_ref(inside)),
                Some(inside) => Text::from_wire(charset::unescape_quoted(inside).into()),
                None if text.contains(&b'"') => return Err(AuthError::Malformed),
                None => Text::from_wire(value.slice_ref(text)),
            };
            params.push((Text::from_wire(value.slice_ref(name)), text));
        }
        Ok(Self(params))
    }

    pub fn get(&self, name: &str) -> Option<&Text> {
        self.0.iter().find(|(other, _)| other.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }

    pub fn require(&self, name: &str) -> Result<Text, AuthError> {
        self.get(name).cloned().ok_or(AuthError::Malformed)
    }
}
