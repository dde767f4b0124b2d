use std::fmt;

use bytes::Bytes;
use subtle::ConstantTimeEq;

use super::{
    Algorithm, AuthError, Qop,
    challenge::{AuthParams, Quoted},
};
use crate::sip::message::{Method, Text};

/// The answer to a digest challenge: the value of Authorization or Proxy-Authorization (RFC 7616 section 3.4).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Authorization {
    /// The user name, hashed if `userhash` says so.
    pub username: Text,
    /// The challenge's realm.
    pub realm: Text,
    /// The challenge's nonce.
    pub nonce: Text,
    /// The request URI as the client wrote it.
    pub uri: Text,
    /// The digest, in hexadecimal.
    pub response: Text,
    /// The algorithm; MD5 where none is named.
    pub algorithm: Algorithm,
    /// Whether the header names it.
    pub algorithm_named: bool,
    /// The challenge's opaque.
    pub opaque: Option<Text>,
    /// What the digest covers.
    pub qop: Option<Qop>,
    /// How often the nonce was used, this time included; meaningless without `qop`.
    pub nonce_count: u32,
    /// The client's nonce.
    pub cnonce: Option<Text>,
    /// Whether the user name is hashed.
    pub userhash: bool,
}

impl Authorization {
    /// Reads one header value.
    pub fn parse(value: &Bytes) -> Result<Self, AuthError> {
        let params = AuthParams::parse(value)?;
        let algorithm = params.get("algorithm");
        let qop = match params.get("qop") {
            Some(name) => Some(Qop::from_token(name).ok_or(AuthError::Algorithm)?),
            None => None,
        };
        let nonce_count = match params.get("nc") {
            Some(count) if count.len() == 8 => u32::from_str_radix(count, 16).map_err(|_| AuthError::Malformed)?,
            Some(_) => return Err(AuthError::Malformed),
            None => 0,
        };
        let cnonce = params.get("cnonce").cloned();
        if qop.is_some() && (cnonce.is_none() || params.get("nc").is_none()) {
            return Err(AuthError::Malformed);
        }
        Ok(Self {
            username: params.require("username")?,
            realm: params.require("realm")?,
            nonce: params.require("nonce")?,
            uri: params.require("uri")?,
            response: params.require("response")?,
            algorithm: match algorithm {
                Some(name) => Algorithm::from_token(name).ok_or(AuthError::Algorithm)?,
                None => Algorithm::Md5,
            },
            algorithm_named: algorithm.is_some(),
            opaque: params.get("opaque").cloned(),
            qop,
            nonce_count,
            cnonce,
            userhash: params.get("userhash").is_some_and(|hashed| hashed.eq_ignore_ascii_case("true")),
        })
    }

    /// Whether whoever sent this knows the password. `username` is the plain name. Realm, nonce, count and URI are the
    /// caller's to check.
    pub fn verify(&self, method: &Method, body: &[u8], username: &str, password: &str) -> bool {
        let named = if self.userhash { self.algorithm.hash(&[username, &self.realm]) } else { username.to_owned() };
        let key = self.algorithm.hash(&[username, &self.realm, password]);
        let expected = self.expected_response(&key, method, body);
        let same = expected.as_bytes().ct_eq(self.response.to_ascii_lowercase().as_bytes());
        bool::from(same) && self.username == *named
    }

    /// The digest that belongs here. `key` is the hash of user name, realm and password.
    pub(super) fn expected_response(&self, key: &str, method: &Method, body: &[u8]) -> String {
        let cnonce = self.cnonce.as_deref().unwrap_or_default();
        let session_key;
        let key = if self.algorithm.is_session() {
            session_key = self.algorithm.hash(&[key, &self.nonce, cnonce]);
            &session_key
        } else {
            key
        };
        let what = match self.qop {
            Some(Qop::AuthInt) => self.algorithm.hash(&[method.as_str(), &self.uri, &self.algorithm.hash_bytes(body)]),
            _ => self.algorithm.hash(&[method.as_str(), &self.uri]),
        };
        match self.qop {
            Some(qop) => {
                let count = format!("{:08x}", self.nonce_count);
                self.algorithm.hash(&[key, &self.nonce, &count, cnonce, qop.as_str(), &what])
            }
            None => self.algorithm.hash(&[key, &self.nonce, &what]),
        }
    }
}

impl fmt::Display for Authorization {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "Digest username={}, realm={}, nonce={}, uri={}, response={}",
            Quoted(&self.username),
            Quoted(&self.realm),
            Quoted(&self.nonce),
            Quoted(&self.uri),
            Quoted(&self.response)
        )?;
        if self.algorithm_named {
            write!(f, ", algorithm={}", self.algorithm)?;
        }
        if let Some(opaque) = &self.opaque {
            write!(f, ", opaque={}", Quoted(opaque))?;
        }
        if let Some(qop) = self.qop {
            write!(f, ", qop={}, nc={:08x}", qop.as_str(), self.nonce_count)?;
        }
        if let Some(cnonce) = &self.cnonce {
            write!(f, ", cnonce={}", Quoted(cnonce))?;
        }
        if self.userhash { f.write_str(", userhash=true") } else { Ok(()) }
    }
}
