//! Callers that no address tells: who proves by digest to be one of our trunks, or a user (RFC 7616, RFC 8760).

use crate::dialplan::{AuthSecret, DigestAlgorithm, Plan};
use crate::sip::auth::{Algorithm, DigestServer, DigestSettings, UserKeys, Verdict};
use crate::sip::message::{Method, Request};
use crate::sip::{Challenge, Flow};
use crate::types::Seed;
use std::collections::HashMap;
use std::time::Instant;

/// Whose password a request proves to know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Holder {
    /// This trunk's.
    Trunk(String),
    /// This user's.
    User(String),
}

/// What a request from an unknown source gets.
#[derive(Debug)]
pub(super) enum DigestAdmission {
    /// It is who holds this password.
    Accept(Holder),
    /// A question; `wrong` after a wrong answer.
    Challenge { challenges: Vec<Challenge>, wrong: bool },
    /// Nothing at all.
    Drop(&'static str),
}

/// Challenges unknown sources, if any trunk or user may be known by a password.
#[derive(Debug)]
pub(super) struct CallerDigest {
    server: DigestServer,
    /// The trunk and the keys of each user name.
    trunks: HashMap<String, (String, UserKeys)>,
    /// The keys of each user.
    users: HashMap<String, UserKeys>,
    /// There are users, or may be.
    takes_users: bool,
}

impl CallerDigest {
    pub(super) fn new(now: Instant, seed: Seed, plan: &Plan) -> Self {
        let server = DigestServer::new(now, seed, settings(plan));
        let trunks = trunks(plan, server.settings());
        Self { server, trunks, users: HashMap::new(), takes_users: plan.has_users() }
    }

    /// Takes a plan that was read anew. Nonces of the same realm stay good.
    pub(super) fn set_plan(&mut self, plan: &Plan) {
        self.server.set(settings(plan));
        self.trunks = trunks(plan, self.server.settings());
        self.takes_users = plan.has_users();
    }

    /// Takes the keys of all users there are.
    pub(super) fn set_users(&mut self, users: HashMap<String, UserKeys>) {
        self.users = users;
    }

    /// Takes the keys of one more user.
    pub(super) fn add_user(&mut self, name: &str, keys: UserKeys) {
        self.users.insert(name.to_owned(), keys);
    }

    /// Knows a user no more.
    pub(super) fn remove_user(&mut self, name: &str) {
        self.users.remove(name);
    }

    /// Whether there are users, or may be.
    pub(super) const fn takes_users(&self) -> bool {
        self.takes_users
    }

    /// What a request from nowhere we know gets. The same for every number, before anything is looked up: only calls,
    /// OPTIONS and registrations are asked for a password, and where nobody has one, nobody is.
    pub(super) fn admit(&mut self, now: Instant, request: &Request, flow: &Flow) -> DigestAdmission {
        const UNKNOWN: &str = "which no trunk allows";
        let is_asked = match request.method {
            Method::Invite | Method::Options => self.takes_users || !self.trunks.is_empty(),
            Method::Register | Method::Message => self.takes_users,
            _ => false,
        };
        if !is_asked {
            return DigestAdmission::Drop(UNKNOWN);
        }
        let source = flow.peer();
        let (trunks, users, takes_users) = (&self.trunks, &self.users, self.takes_users);
        let verdict = self.server.judge(now, request, source, |name| {
            let user = || users.get(name).filter(|_| takes_users);
            trunks.get(name).map(|(_, keys)| keys).or_else(user)
        });
        let (stale, wrong) = match verdict {
            Verdict::Proven { username } => {
                return DigestAdmission::Accept(match self.trunks.get(&username) {
                    Some((trunk, _)) => Holder::Trunk(trunk.clone()),
                    None => Holder::User(username),
                });
            }
            Verdict::Barred => return DigestAdmission::Drop("after ten wrong passwords"),
            Verdict::Absent => (false, false),
            Verdict::Stale => (true, false),
            Verdict::Wrong => (false, true),
        };
        DigestAdmission::Challenge { challenges: self.server.challenge(now, source, stale), wrong }
    }
}

fn settings(plan: &Plan) -> DigestSettings {
    let digest = &plan.gateway.digest;
    DigestSettings {
        realm: digest.realm.clone(),
        algorithms: digest.algorithms.iter().copied().map(algorithm).collect(),
        integrity: digest.body,
    }
}

fn trunks(plan: &Plan, settings: &DigestSettings) -> HashMap<String, (String, UserKeys)> {
    let with_auth = plan.trunks.iter().filter_map(|trunk| Some((trunk, trunk.auth.as_ref()?)));
    let keys = with_auth.map(|(trunk, auth)| {
        let keys = keys_of(&auth.username, &auth.secret, settings);
        (auth.username.clone(), (trunk.name.clone(), keys))
    });
    keys.collect()
}

/// The keys of the users of a plan.
pub(super) fn users(plan: &Plan) -> HashMap<String, UserKeys> {
    let settings = settings(plan);
    plan.users.iter().map(|user| (user.name.clone(), keys_of(&user.name, &user.secret, &settings))).collect()
}

fn keys_of(username: &str, secret: &AuthSecret, settings: &DigestSettings) -> UserKeys {
    match secret {
        AuthSecret::Password(password) => UserKeys::of_password(username, password.reveal(), settings),
        AuthSecret::Hashes(hashes) => {
            UserKeys::of_hashes(hashes.iter().map(|(kind, hash)| (algorithm(*kind), hash.reveal().to_owned())))
        }
    }
}

/// Keys that were kept: algorithm and hash of each.
pub(super) fn keys_of_hashes<'a>(hashes: impl Iterator<Item = (&'a str, &'a str)>) -> UserKeys {
    UserKeys::of_hashes(hashes.filter_map(|(name, hash)| Some((Algorithm::from_token(name)?, hash.to_owned()))))
}

/// What is kept of a password: algorithm and hash, whatever is offered today.
pub(super) fn hashes_of(username: &str, realm: &str, password: &str) -> [(&'static str, String); 3] {
    [Algorithm::Md5, Algorithm::Sha256, Algorithm::Sha512_256]
        .map(|algorithm| (algorithm.as_str(), algorithm.hash(&[username, realm, password])))
}

fn algorithm(kind: DigestAlgorithm) -> Algorithm {
    match kind {
        DigestAlgorithm::Md5 => Algorithm::Md5,
        DigestAlgorithm::Sha256 => Algorithm::Sha256,
        DigestAlgorithm::Sha512_256 => Algorithm::Sha512_256,
    }
}
