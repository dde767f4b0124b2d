//! Callers that no address tells: who proves by digest to be one of our trunks (RFC 7616, RFC 8760).

use crate::dialplan::{AuthSecret, DigestAlgorithm, Plan};
use crate::sip::auth::{Algorithm, DigestServer, DigestSettings, UserKeys, Verdict};
use crate::sip::message::{Method, Request};
use crate::sip::{Challenge, Flow};
use crate::types::Seed;
use std::collections::HashMap;
use std::time::Instant;

/// What a request from an unknown source gets.
#[derive(Debug)]
pub(super) enum DigestAdmission {
    /// It is this trunk.
    Accept(String),
    /// A question; `wrong` after a wrong answer.
    Challenge { challenges: Vec<Challenge>, wrong: bool },
    /// Nothing at all.
    Drop(&'static str),
}

/// Challenges unknown sources, if any trunk may be known by one.
#[derive(Debug)]
pub(super) struct TrunkDigest {
    server: DigestServer,
    /// The trunk and the keys of each user name.
    users: HashMap<String, (String, UserKeys)>,
}

impl TrunkDigest {
    pub(super) fn new(now: Instant, seed: Seed, plan: &Plan) -> Self {
        let server = DigestServer::new(now, seed, settings(plan));
        let users = users(plan, server.settings());
        Self { server, users }
    }

    /// Takes a plan that was read anew. Nonces of the same realm stay good.
    pub(super) fn set_plan(&mut self, plan: &Plan) {
        self.server.set(settings(plan));
        self.users = users(plan, self.server.settings());
    }

    /// What a request from nowhere we know gets. The same for every number, before anything is looked up: only calls
    /// and OPTIONS are asked for a password, and where no trunk has one, nobody is.
    pub(super) fn admit(&mut self, now: Instant, request: &Request, flow: &Flow) -> DigestAdmission {
        if self.users.is_empty() || !matches!(request.method, Method::Invite | Method::Options) {
            return DigestAdmission::Drop("which no trunk allows");
        }
        let source = flow.peer();
        let users = &self.users;
        let verdict = self.server.judge(now, request, source, |name| users.get(name).map(|(_, keys)| keys));
        let (stale, wrong) = match verdict {
            Verdict::Proven { username } => {
                return match self.users.get(&username) {
                    Some((trunk, _)) => DigestAdmission::Accept(trunk.clone()),
                    None => DigestAdmission::Drop("which no trunk allows"),
                };
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

fn users(plan: &Plan, settings: &DigestSettings) -> HashMap<String, (String, UserKeys)> {
    let with_auth = plan.trunks.iter().filter_map(|trunk| Some((trunk, trunk.auth.as_ref()?)));
    let user = with_auth.map(|(trunk, auth)| {
        let keys = match &auth.secret {
            AuthSecret::Password(password) => UserKeys::of_password(&auth.username, password.reveal(), settings),
            AuthSecret::Hashes(hashes) => {
                UserKeys::of_hashes(hashes.iter().map(|(kind, hash)| (algorithm(*kind), hash.reveal().to_owned())))
            }
        };
        (auth.username.clone(), (trunk.name.clone(), keys))
    });
    user.collect()
}

fn algorithm(kind: DigestAlgorithm) -> Algorithm {
    match kind {
        DigestAlgorithm::Md5 => Algorithm::Md5,
        DigestAlgorithm::Sha256 => Algorithm::Sha256,
        DigestAlgorithm::Sha512_256 => Algorithm::Sha512_256,
    }
}
