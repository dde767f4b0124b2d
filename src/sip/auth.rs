//! Digest authentication, the client's side (RFC 3261 section 22, RFC 7616, RFC 8760).
//!
//! A [`DigestClient`] belongs to one user of credentials (a registration, a call). A 401 or 407 goes to
//! [`DigestClient::answer`], whose header is added to the request when it is sent again; later requests get theirs
//! from [`DigestClient::again`] without waiting to be challenged. Passwords are never sent or printed, and nothing is
//! computed for a realm other than the configured one.

mod algorithm;
mod authorization;
mod challenge;

pub use algorithm::Algorithm;
pub use authorization::Authorization;
pub use challenge::{Challenge, Qop};

use std::fmt;

use super::message::{HeaderName, Method, Response};

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
    /// The only realm these are for; `None`: whichever asks.
    pub realm: Option<String>,
    /// The user name.
    pub username: String,
    /// The password.
    pub password: String,
}

impl Credentials {
    /// Credentials for any realm of the peer they are used with.
    pub fn new(username: impl Into<String>, password: impl Into<String>) -> Self {
        Self { realm: None, username: username.into(), password: password.into() }
    }

    /// The same credentials, for this realm only.
    #[must_use]
    pub fn for_realm(mut self, realm: impl Into<String>) -> Self {
        self.realm = Some(realm.into());
        self
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
}

impl DigestClient {
    /// A client that nobody has challenged yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Answers the challenges of a 401 or 407: the header to add when the request is sent again, and its value.
    ///
    /// The strongest supported challenge is taken. Another challenge by the same realm before
    /// [`accepted`](Self::accepted) was called means that the credentials are wrong, [`AuthError::Refused`], unless it
    /// says once that the nonce was stale. `cnonce` is fresh randomness of the caller's.
    pub fn answer(
        &mut self,
        response: &Response,
        covered: Covered<'_>,
        credentials: &Credentials,
        cnonce: &str,
    ) -> Result<(HeaderName, String), AuthError> {
        let (ask, reply) = match response.status.0 {
            407 => (HeaderName::ProxyAuthenticate, HeaderName::ProxyAuthorization),
            _ => (HeaderName::WwwAuthenticate, HeaderName::Authorization),
        };
        let challenges = response.headers.all(&ask).filter_map(|value| Challenge::parse(value).ok());
        let challenge = choose(challenges, credentials)?;
        let is_same = |session: &Session| session.header == reply && session.challenge.realm == challenge.realm;
        let before = self.sessions.iter().position(is_same).map(|at| self.sessions.remove(at));
        let mut session = Session::new(reply.clone(), challenge, cnonce);
        if let Some(before) = before {
            let stale_once = session.challenge.stale && !before.challenge.stale;
            if !before.accepted && !stale_once {
                self.sessions.push(before);
                return Err(AuthError::Refused);
            }
            if session.challenge.nonce == before.challenge.nonce {
                session.count = before.count;
                session.cnonce = before.cnonce;
            }
        }
        if self.sessions.len() >= MAX_SESSIONS {
            self.sessions.remove(0);
        }
        let value = session.authorize(covered, credentials);
        self.sessions.push(session);
        Ok((reply, value))
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
        let challenge = choose(std::iter::once(challenge.clone()), credentials)?;
        let mut session = Session::new(HeaderName::Authorization, challenge, cnonce);
        Ok(session.authorize(covered, credentials))
    }

    /// Notes that a request with our authorization was accepted: a challenge from now on is a new one, not a refusal.
    /// `next_nonce` is what Authentication-Info named, if anything.
    pub fn accepted(&mut self, next_nonce: Option<&str>) {
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
        self.sessions.clear();
    }
}

/// The strongest challenge that the credentials are for.
fn choose(challenges: impl Iterator<Item = Challenge>, credentials: &Credentials) -> Result<Challenge, AuthError> {
    let mut foreign = false;
    let served = challenges.filter(|challenge| {
        let serves = credentials.serve(&challenge.realm);
        foreign |= !serves;
        serves
    });
    // The first of equals is the server's preference (RFC 8760 section 2.4).
    let best = served.reduce(|best, next| if next.algorithm > best.algorithm { next } else { best });
    best.ok_or(if foreign { AuthError::ForeignRealm } else { AuthError::NoChallenge })
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
