//! Digest authentication, both sides (RFC 3261 section 22, RFC 7616, RFC 8760).
//!
//! A [`DigestClient`] belongs to one user of credentials (a registration, a call). A 401 or 407 goes to
//! [`DigestClient::answer`], whose headers are added to the request when it is sent again; later requests get theirs
//! from [`DigestClient::again`] without waiting to be challenged. Passwords are never sent or printed, and nothing is
//! computed for a realm other than the configured one; without one, the realms that asked before the first request was
//! accepted are the only ones. A [`DigestServer`] asks, and judges the answers.

mod algorithm;
mod authorization;
mod challenge;
mod guesses;
mod replay;
mod server;

pub use algorithm::Algorithm;
pub use authorization::Authorization;
pub use challenge::{Challenge, Qop};
pub use server::{DigestServer, DigestSettings, UserKeys, Verdict};

use std::fmt;
use std::net::IpAddr;

use super::message::{HeaderName, Method, Response};
use crate::types::Network;

/// Why no authorization was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AuthError {
    /// The header does not follow its grammar.
    #[error("malformed authentication header")]
    Malformed,
    /// A scheme that is not Digest.
    #[error("authentication scheme not supported")]
    Scheme,
    /// A digest algorithm, or a quality of protection, that we do not have.
    #[error("digest algorithm not supported")]
    Algorithm,
    /// The answer holds no challenge that we could answer.
    #[error("no challenge that we support")]
    NoChallenge,
    /// Every challenge is for a realm that our credentials are not for.
    #[error("challenge for another realm")]
    ForeignRealm,
    /// The credentials were tried and refused.
    #[error("credentials refused")]
    Refused,
}

/// A user name and its password, perhaps for one realm only.
#[derive(Clone, PartialEq, Eq)]
pub struct Credentials {
    /// The only realm these are for; `None`: whichever asks while the first request is under way.
    pub realm: Option<String>,
    /// Further networks of the peer these are for. The address that a call or a registration first goes to is always
    /// one; nobody elsewhere is answered.
    pub peers: Vec<Network>,
    /// The user name.
    pub username: String,
    /// The password.
    pub password: String,
}

impl Credentials {
    /// Credentials for any realm of the peer they are used with.
    pub fn new(username: impl Into<String>, password: impl Into<String>) -> Self {
        Self { realm: None, peers: Vec::new(), username: username.into(), password: password.into() }
    }

    /// The same credentials, for this realm only.
    #[must_use]
    pub fn for_realm(mut self, realm: impl Into<String>) -> Self {
        self.realm = Some(realm.into());
        self
    }

    /// The same credentials, for peers in these networks as well.
    #[must_use]
    pub fn for_peers(mut self, peers: impl IntoIterator<Item = Network>) -> Self {
        self.peers.extend(peers);
        self
    }

    /// Whether whoever is at `peer` may be answered.
    pub fn are_for(&self, peer: IpAddr) -> bool {
        self.peers.iter().any(|network| network.contains(peer))
    }

    fn serve(&self, realm: &str) -> bool {
        self.realm.as_deref().is_none_or(|only| only == realm)
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials")
            .field("realm", &self.realm)
            .field("username", &self.username)
            .finish_non_exhaustive()
    }
}

/// The parts of a request that a digest covers.
#[derive(Clone, Copy, Debug)]
pub struct Covered<'a> {
    /// The method.
    pub method: &'a Method,
    /// The request URI as it is written.
    pub uri: &'a str,
    /// The body.
    pub body: &'a [u8],
}

/// How many challengers one client remembers: a proxy and a server on the way, and some to spare.
const MAX_SESSIONS: usize = 4;

/// What is known of one challenger.
#[derive(Clone, Debug)]
struct Session {
    header: HeaderName,
    challenge: Challenge,
    /// How many requests used this nonce.
    count: u32,
    /// Whether any of our answers to this challenger was good enough since it last challenged us.
    accepted: bool,
    /// The client nonce of the first of them. The `-sess` algorithms bind it into the key, so it stays.
    cnonce: String,
}

/// Answers challenges and keeps count; see the module's text.
#[derive(Clone, Debug, Default)]
pub struct DigestClient {
    sessions: Vec<Session>,
    /// Whether a request was accepted: a realm that asks for the first time now is an unknown source.
    settled: bool,
}

impl DigestClient {
    /// A client that nobody has challenged yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Answers the challenges of a 401 or 407: the headers to have when the request is sent again, in the place of all
    /// such headers it had.
    ///
    /// Every realm that asks, the server's or a proxy's, gets an answer to its strongest supported challenge (a forking
    /// proxy collects them, RFC 3261 section 22.3). Another challenge by the same realm before
    /// [`accepted`](Self::accepted) was called means that the credentials are wrong, [`AuthError::Refused`], unless it
    /// says once that the nonce was stale. `cnonce` is fresh randomness of the caller's.
    pub fn answer(
        &mut self,
        response: &Response,
        covered: Covered<'_>,
        credentials: &Credentials,
        cnonce: &str,
    ) -> Result<Vec<(HeaderName, String)>, AuthError> {
        let asked = self.choose_all(response, credentials)?;
        let mut answered = Vec::new();
        for (reply, challenge) in asked {
            let is_same = |session: &Session| session.header == reply && session.challenge.realm == challenge.realm;
            let before = self.sessions.iter().find(|session| is_same(session));
            let mut session = Session::new(reply.clone(), challenge.clone(), cnonce);
            if let Some(before) = before {
                let stale_once = session.challenge.stale && !before.challenge.stale;
                if !before.accepted && !stale_once {
                    return Err(AuthError::Refused);
                }
                if session.challenge.nonce == before.challenge.nonce {
                    session.count = before.count;
                    session.cnonce.clone_from(&before.cnonce);
                }
            }
            answered.push(session);
        }
        for session in answered {
            let same =
                |other: &Session| other.header == session.header && other.challenge.realm == session.challenge.realm;
            self.sessions.retain(|other| !same(other));
            if self.sessions.len() >= MAX_SESSIONS {
                self.sessions.remove(0);
            }
            self.sessions.push(session);
        }
        Ok(self.again(covered, credentials))
    }

    /// The strongest challenge of each realm that the credentials are for.
    fn choose_all(
        &self,
        response: &Response,
        credentials: &Credentials,
    ) -> Result<Vec<(HeaderName, Challenge)>, AuthError> {
        let mut chosen: Vec<(HeaderName, Challenge)> = Vec::new();
        let mut foreign = false;
        for (ask, reply) in [
            (HeaderName::WwwAuthenticate, HeaderName::Authorization),
            (HeaderName::ProxyAuthenticate, HeaderName::ProxyAuthorization),
        ] {
            for challenge in response.headers.all(&ask).filter_map(|value| Challenge::parse(value).ok()) {
                if !credentials.serve(&challenge.realm) || self.is_strange(&challenge.realm, credentials) {
                    foreign = true;
                    continue;
                }
                let rival = chosen.iter_mut().find(|(name, other)| *name == reply && other.realm == challenge.realm);
                if let Some((_, best)) = rival {
                    // The first of equals is the server's preference (RFC 8760 section 2.4).
                    if challenge.algorithm > best.algorithm {
                        *best = challenge;
                    }
                } else if chosen.len() < MAX_SESSIONS {
                    chosen.push((reply.clone(), challenge));
                }
            }
        }
        if chosen.is_empty() {
            return Err(if foreign { AuthError::ForeignRealm } else { AuthError::NoChallenge });
        }
        Ok(chosen)
    }

    /// Whether this realm, which no setting names, comes up only after a request was accepted without it.
    fn is_strange(&self, realm: &str, credentials: &Credentials) -> bool {
        let known = || self.sessions.iter().any(|session| *session.challenge.realm == *realm);
        self.settled && credentials.realm.is_none() && !known()
    }

    /// The headers for one more request to those who challenged before; none if nobody did.
    pub fn again(&mut self, covered: Covered<'_>, credentials: &Credentials) -> Vec<(HeaderName, String)> {
        let authorize = |session: &mut Session| (session.header.clone(), session.authorize(covered, credentials));
        self.sessions.iter_mut().filter(|session| credentials.serve(&session.challenge.realm)).map(authorize).collect()
    }

    /// Answers one challenge, whatever was answered before.
    pub fn authorize(
        &self,
        challenge: &Challenge,
        covered: Covered<'_>,
        credentials: &Credentials,
        cnonce: &str,
    ) -> Result<String, AuthError> {
        if !credentials.serve(&challenge.realm) {
            return Err(AuthError::ForeignRealm);
        }
        let mut session = Session::new(HeaderName::Authorization, challenge.clone(), cnonce);
        Ok(session.authorize(covered, credentials))
    }

    /// Notes that a request with our authorization was accepted: a challenge from now on is a new one, not a refusal.
    /// `next_nonce` is what Authentication-Info named, if anything.
    pub fn accepted(&mut self, next_nonce: Option<&str>) {
        self.settled = true;
        for session in &mut self.sessions {
            session.accepted = true;
            if let Some(nonce) = next_nonce.filter(|nonce| **nonce != *session.challenge.nonce) {
                session.challenge.nonce = nonce.into();
                session.count = 0;
            }
        }
    }

    /// Forgets every challenger.
    pub fn clear(&mut self) {
        *self = Self::default();
    }
}

impl Session {
    fn new(header: HeaderName, challenge: Challenge, cnonce: &str) -> Self {
        Self { header, challenge, count: 0, accepted: false, cnonce: cnonce.to_owned() }
    }

    fn authorize(&mut self, covered: Covered<'_>, credentials: &Credentials) -> String {
        self.count = self.count.saturating_add(1);
        let Challenge { realm, nonce, opaque, algorithm, qop, userhash, .. } = &self.challenge;
        let mut authorization = Authorization {
            username: if *userhash {
                algorithm.hash(&[&credentials.username, realm]).into()
            } else {
                credentials.username.as_str().into()
            },
            realm: realm.clone(),
            nonce: nonce.clone(),
            uri: covered.uri.into(),
            response: "".into(),
            algorithm: *algorithm,
            algorithm_named: self.challenge.algorithm_named,
            opaque: opaque.clone(),
            qop: *qop,
            nonce_count: self.count,
            cnonce: (qop.is_some() || algorithm.is_session()).then(|| self.cnonce.as_str().into()),
            userhash: *userhash,
        };
        let key = algorithm.hash(&[&credentials.username, realm, &credentials.password]);
        authorization.response = authorization.expected_response(&key, covered.method, covered.body).into();
        authorization.to_string()
    }
}

#[cfg(test)]
#[path = "auth/tests.rs"]
mod tests;
