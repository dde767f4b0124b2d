//! The side that asks (RFC 7616 section 3.3 to 3.5, RFC 8760 section 2.3).
//!
//! Nonces are stateless: time, a random number, and a HMAC of both with realm and source address under a secret of this
//! process. Nothing is remembered of those who only ask; of those who answered right, each use of a nonce counts once.
//! Whether a user exists makes no difference to what is computed or answered.

use crate::types::Seed;
use std::fmt;
use std::net::IpAddr;
use std::time::{Duration, Instant};

use hmac::{Hmac, Mac};
use rand::{Rng, RngCore, rngs::StdRng};
use sha2::Sha256;
use subtle::ConstantTimeEq;

use super::guesses::Guesses;
use super::replay::{NonceId, Replay};
use super::{Algorithm, Authorization, Challenge, Qop};
use crate::sip::message::{HeaderName, Request, Uri};

/// How long a nonce is good. A peer that uses one longer is asked again, and told that it was stale.
const LIFETIME: Duration = Duration::from_secs(300);
/// Nonces in use that are remembered.
const MOST_NONCES: usize = 16_384;
/// Hexadecimal digits: two numbers and half a SHA-256.
const NONCE_DIGITS: usize = 64;

/// How a [`DigestServer`] asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DigestSettings {
    /// What the passwords are for; part of every stored key.
    pub realm: String,
    /// The algorithms offered, best first; each is a challenge of its own (RFC 8760 section 2.4).
    pub algorithms: Vec<Algorithm>,
    /// Whether `auth-int` is offered besides `auth`, so that the answer covers the body.
    pub integrity: bool,
}

/// What is stored of a password: for each algorithm the hash of user name, realm and password (HA1).
#[derive(Clone, PartialEq, Eq)]
pub struct UserKeys(Vec<(Algorithm, String)>);

impl UserKeys {
    /// The keys of a password, for all that `settings` offers.
    #[must_use]
    pub fn of_password(username: &str, password: &str, settings: &DigestSettings) -> Self {
        let key = |algorithm: Algorithm| (algorithm, algorithm.hash(&[username, &settings.realm, password]));
        let mut algorithms: Vec<_> = settings.algorithms.iter().map(|algorithm| algorithm.base()).collect();
        algorithms.sort_unstable();
        algorithms.dedup();
        Self(algorithms.into_iter().map(key).collect())
    }

    /// Keys computed elsewhere, in hexadecimal.
    pub fn of_hashes(hashes: impl IntoIterator<Item = (Algorithm, String)>) -> Self {
        Self(hashes.into_iter().map(|(algorithm, key)| (algorithm.base(), key.to_ascii_lowercase())).collect())
    }

    fn get(&self, algorithm: Algorithm) -> Option<&str> {
        self.0.iter().find(|(own, _)| *own == algorithm.base()).map(|(_, key)| key.as_str())
    }
}

impl fmt::Debug for UserKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.0.iter().map(|(algorithm, _)| algorithm)).finish()
    }
}

/// What a request's credentials are worth.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Its sender knows this user's password.
    Proven {
        /// The user name.
        username: String,
    },
    /// There are none for our realm: ask.
    Absent,
    /// The nonce is not one of ours, too old, or was used like this before: ask again, saying so.
    Stale,
    /// The answer is wrong: ask again. Counted against its source.
    Wrong,
    /// So many wrong answers came from there that nothing is said any more, for ten minutes from the first.
    Barred,
}

/// Asks for passwords and judges the answers; see the module's text.
pub struct DigestServer {
    settings: DigestSettings,
    secret: [u8; 32],
    random: StdRng,
    began: Instant,
    replay: Replay,
    guesses: Guesses,
    /// Stands in for the keys of users there are none of.
    nobody: String,
}

impl DigestServer {
    /// A server with a secret of its own, drawn from `seed`; the same seed and inputs give the same nonces.
    #[must_use]
    pub fn new(now: Instant, seed: Seed, settings: DigestSettings) -> Self {
        let mut random = seed.generator();
        let secret = random.random();
        let nobody: [u8; 32] = random.random();
        Self {
            settings,
            secret,
            random,
            began: now,
            replay: Replay::new(MOST_NONCES),
            guesses: Guesses::default(),
            nobody: nobody.iter().map(|byte| format!("{byte:02x}")).collect(),
        }
    }

    /// How it asks.
    #[must_use]
    pub fn settings(&self) -> &DigestSettings {
        &self.settings
    }

    /// Asks otherwise from now on. Nonces of another realm are stale.
    pub fn set(&mut self, settings: DigestSettings) {
        self.settings = settings;
    }

    /// The challenges for whoever is at `source`, best first: one header each.
    pub fn challenge(&mut self, now: Instant, source: IpAddr, stale: bool) -> Vec<Challenge> {
        let nonce = self.nonce(now, source);
        let one = |algorithm: &Algorithm| Challenge {
            integrity: self.settings.integrity,
            stale,
            ..Challenge::new(self.settings.realm.as_str(), nonce.as_str(), *algorithm)
        };
        self.settings.algorithms.iter().map(one).collect()
    }

    /// Judges what `request`, which came from `source`, says in Authorization. `keys` finds a user's.
    pub fn judge<'a>(
        &mut self,
        now: Instant,
        request: &Request,
        source: IpAddr,
        keys: impl FnOnce(&str) -> Option<&'a UserKeys>,
    ) -> Verdict {
        if self.guesses.exhausted(now, source) {
            return Verdict::Barred;
        }
        let values = request.headers.all(&HeaderName::Authorization);
        let ours = values.filter_map(|value| Authorization::parse(value).ok());
        let Some(answer) = ours.into_iter().find(|answer| *answer.realm == *self.settings.realm) else {
            return Verdict::Absent;
        };
        // A nonce that is not good is never judged further: else it would tell right passwords from wrong ones
        // without being counted.
        let Some(nonce) = self.good_nonce(now, &answer.nonce, source) else { return Verdict::Stale };
        let found = keys(&answer.username).and_then(|keys| keys.get(answer.algorithm));
        let key = found.unwrap_or_else(|| self.stand_in(answer.algorithm));
        let expected = answer.expected_response(key, &request.method, &request.body);
        let right = expected.as_bytes().ct_eq(answer.response.to_ascii_lowercase().as_bytes());
        if !(bool::from(right) && found.is_some() && self.is_as_asked(&answer) && is_for(&answer.uri, &request.uri)) {
            self.guesses.wrong(now, source);
            return Verdict::Wrong;
        }
        if !self.replay.count(nonce, answer.nonce_count) {
            return Verdict::Stale;
        }
        Verdict::Proven { username: answer.username.to_string() }
    }

    /// Whether an answer is of a kind that was asked for. Without `qop` nothing would tell a replay.
    fn is_as_asked(&self, answer: &Authorization) -> bool {
        let qop = match answer.qop {
            Some(Qop::Auth) => true,
            Some(Qop::AuthInt) => self.settings.integrity,
            None => false,
        };
        qop && !answer.userhash && self.settings.algorithms.contains(&answer.algorithm)
    }

    fn stand_in(&self, algorithm: Algorithm) -> &str {
        self.nobody.get(..algorithm.digits()).unwrap_or_default()
    }

    fn age(&self, now: Instant) -> u64 {
        u64::try_from(now.saturating_duration_since(self.began).as_millis()).unwrap_or(u64::MAX)
    }

    fn nonce(&mut self, now: Instant, source: IpAddr) -> String {
        let id = (self.age(now), self.random.next_u64());
        format!("{:016x}{:016x}{:032x}", id.0, id.1, self.seal(id, source))
    }

    /// The nonce's name, if we made it for this source and realm and it is not too old.
    fn good_nonce(&mut self, now: Instant, text: &str, source: IpAddr) -> Option<NonceId> {
        let plain = text.len() == NONCE_DIGITS && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        let number = |range: std::ops::Range<usize>| u64::from_str_radix(text.get(range)?, 16).ok();
        let id = (number(0..16).filter(|_| plain)?, number(16..32)?);
        let seal = u128::from_str_radix(text.get(32..)?, 16).ok()?;
        if !bool::from(seal.to_be_bytes().ct_eq(&self.seal(id, source).to_be_bytes())) {
            return None;
        }
        let lifetime = u64::try_from(LIFETIME.as_millis()).unwrap_or(u64::MAX);
        let expired = self.age(now).checked_sub(lifetime);
        if let Some(expired) = expired {
            self.replay.forget(expired);
        }
        (self.replay.remembers(id.0) && id.0 <= self.age(now)).then_some(id)
    }

    fn seal(&self, id: NonceId, source: IpAddr) -> u128 {
        let mut mac = <Hmac<Sha256> as Mac>::new_from_slice(&self.secret).expect("HMAC takes keys of any length");
        mac.update(&id.0.to_be_bytes());
        mac.update(&id.1.to_be_bytes());
        match source.to_canonical() {
            IpAddr::V4(address) => mac.update(&address.octets()),
            IpAddr::V6(address) => mac.update(&address.octets()),
        }
        mac.update(self.settings.realm.as_bytes());
        let bytes = mac.finalize().into_bytes();
        bytes.iter().take(16).fold(0, |seal, byte| (seal << 8) | u128::from(*byte))
    }
}

impl fmt::Debug for DigestServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DigestServer").field("settings", &self.settings).finish_non_exhaustive()
    }
}

/// Whether the URI of an answer is the request's (RFC 7616 section 3.4.6).
fn is_for(answered: &str, asked: &Uri) -> bool {
    answered == asked.to_string() || answered.parse::<Uri>().is_ok_and(|uri| uri.is_equivalent(asked))
}

#[cfg(test)]
#[path = "server_tests.rs"]
mod tests;
