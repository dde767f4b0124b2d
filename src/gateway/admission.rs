//! Who may send us requests, and how many calls are taken.

use super::challenge_limit::ChallengeLimit;
use super::digest::{CallerDigest, DigestAdmission, Holder};
use super::peer::{Peer, Peers, User};
use super::trunks::Trunks;
use super::{Gateway, Level};
use crate::dialplan::Plan;
use crate::sip::auth::UserKeys;
use crate::sip::message::{Method, Request, StatusCode, Transport};
use crate::sip::{self, Admitted, Flow, Policy};
use crate::types::{Now, Seed};
use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;

/// Whom we know, and what was turned away.
#[derive(Debug)]
pub(super) struct Admission {
    pub(super) peers: Peers,
    digest: CallerDigest,
    challenges: ChallengeLimit,
    /// Requests from nowhere we know, dropped without an answer, in all.
    pub(super) unknown_sources: u64,
    /// The last of them, which the log has still to hear of.
    untold: Option<(SocketAddr, &'static str)>,
}

impl Admission {
    /// The nonces' secret follows from `seed`.
    pub(super) fn new(now: Instant, seed: Seed, plan: &Plan) -> Self {
        Self {
            peers: Peers::new(plan),
            digest: CallerDigest::new(now, seed, plan),
            challenges: ChallengeLimit::new(now),
            unknown_sources: 0,
            untold: None,
        }
    }

    /// Takes a plan that was read anew.
    pub(super) fn set_plan(&mut self, plan: &Plan) {
        self.digest.set_plan(plan);
        self.peers.set_plan(plan);
    }

    /// Takes all users there are, with their keys.
    pub(super) fn set_users(&mut self, users: &[Arc<User>], keys: HashMap<String, UserKeys>) {
        self.peers.set_users(users.iter().map(Arc::clone));
        self.digest.set_users(keys);
    }

    /// Lets one more user in.
    pub(super) fn add_user(&mut self, user: &Arc<User>, keys: UserKeys) {
        self.peers.add_user(user);
        self.digest.add_user(&user.name, keys);
    }

    /// Lets a user in no more; calls go on.
    pub(super) fn remove_user(&mut self, name: &str) {
        self.peers.remove_user(name);
        self.digest.remove_user(name);
    }

    /// Counts a request that was sent away.
    fn unknown_source(&mut self, flow: &Flow, why: &'static str) {
        self.unknown_sources += 1;
        self.untold = Some((flow.remote, why));
    }
}

/// The endpoint's question, answered from the plan.
pub(super) struct CallerPolicy<'a> {
    pub(super) plan: &'a Plan,
    pub(super) trunks: &'a Trunks,
    pub(super) admission: &'a mut Admission,
    pub(super) now: Instant,
}

impl Policy for CallerPolicy<'_> {
    fn admit(&mut self, request: &Request, flow: &Flow) -> sip::Admission {
        // No trunk registers with us: whoever does is a user, whose address may be a trunk's too.
        let registers = request.method == Method::Register && self.admission.digest.takes_users();
        if let Some(admitted) = self.trunk_of(request, flow).filter(|_| !registers) {
            return sip::Admission::Accept(admitted);
        }
        match self.admission.digest.admit(self.now, request, flow) {
            DigestAdmission::Accept(holder) => {
                let admitted = match &holder {
                    Holder::Trunk(name) => self.admission.peers.admit(name),
                    Holder::User(name) => self.admission.peers.admit_user(name),
                };
                match admitted {
                    Some(admitted) => sip::Admission::Accept(admitted),
                    None => self.turn_away(flow, "which no trunk allows"),
                }
            }
            DigestAdmission::Challenge { challenges, wrong } => {
                // Over a connection the source is true: a challenge reaches whoever asked.
                if flow.transport == Transport::Udp
                    && let Err(why) = self.admission.challenges.admit(self.now, flow.peer())
                {
                    return self.turn_away(flow, why);
                }
                if wrong {
                    self.admission.unknown_source(flow, "whose password is wrong");
                }
                sip::Admission::Challenge(challenges)
            }
            DigestAdmission::Drop(why) => self.turn_away(flow, why),
        }
    }
}

impl CallerPolicy<'_> {
    /// The trunk a request comes by, known without a password: the request names the Contact we registered there (one
    /// without a user only from the trunk's addresses), its connection began with the trunk's certificate, or its
    /// source address is allowed.
    fn trunk_of(&self, request: &Request, flow: &Flow) -> Option<Admitted> {
        if flow.transport.is_websocket() {
            // A page, whatever address it is opened at.
            return None;
        }
        let source = flow.remote.ip();
        let admit = |name: &str| self.admission.peers.admit(name);
        let by_contact = request.uri.user.as_ref().and_then(|user| self.trunks.by_contact_user(user));
        by_contact
            .and_then(admit)
            .or_else(|| self.trunks.by_certificate(flow).and_then(admit))
            .or_else(|| self.trunks.by_bulk_contact(request, flow).and_then(admit))
            .or_else(|| self.plan.trunk_for(source).and_then(|trunk| admit(&trunk.name)))
            .or_else(|| self.trunks.by_address(source).and_then(admit))
    }

    /// Scanners get silence: not even the news that something listens here.
    fn turn_away(&mut self, flow: &Flow, why: &'static str) -> sip::Admission {
        self.admission.unknown_source(flow, why);
        sip::Admission::Drop
    }
}

impl Gateway {
    /// Whether somebody is a trunk, or a user who is registered by this flow, as far as can be said without parsing:
    /// what [`CallerPolicy`] asks, but for the questions that need the whole request. `user` is that of the request
    /// URI.
    pub(super) fn is_known(&self, flow: &Flow, user: Option<&str>) -> bool {
        if flow.transport.is_websocket() {
            return self.users.is_flow_known(flow);
        }
        let source = flow.remote.ip();
        self.plan.trunk_for(source).is_some()
            || self.trunks.by_address(source).is_some()
            || self.trunks.by_certificate(flow).is_some()
            || user.is_some_and(|user| self.trunks.by_contact_user(user).is_some())
            || self.users.is_flow_known(flow)
    }

    /// Tells of a request that was dropped while the endpoint was at work.
    pub(super) fn tell_unknown_sources(&mut self, now: Now) {
        if let Some((remote, why)) = self.admission.untold.take() {
            self.log_limited(now, Level::Info, None, "request dropped", || format!("from {remote}, {why}"));
        }
    }

    /// Why no further call may come in from this peer now: the status, and the rule for log and record.
    pub(super) fn limit_for(&self, now: Now, peer: &Peer) -> Option<(StatusCode, String)> {
        self.gateway_limit().or_else(|| self.admission.peers.limit(now.instant, peer, 0))
    }

    /// Why the gateway takes and makes no further call now.
    pub(super) fn gateway_limit(&self) -> Option<(StatusCode, String)> {
        self.gateway_limit_with(0)
    }

    /// The same for a call that takes another's place, for which there is room for one more until that one is over.
    pub(super) fn limit_for_replacing(&self, now: Now, peer: &Peer) -> Option<(StatusCode, String)> {
        self.gateway_limit_with(1).or_else(|| self.admission.peers.limit(now.instant, peer, 1))
    }

    fn gateway_limit_with(&self, spare: u32) -> Option<(StatusCode, String)> {
        if self.shutdown.has_begun() {
            return Some((StatusCode::SERVICE_UNAVAILABLE, "the gateway is shutting down".into()));
        }
        let most = self.plan.gateway.max_calls;
        if self.calls.len() >= most.saturating_add(spare) as usize {
            return Some((StatusCode::SERVICE_UNAVAILABLE, format!("gateway.max_calls = {most} is reached")));
        }
        if self.intake.media_is_full() {
            return Some((StatusCode::SERVICE_UNAVAILABLE, "the media threads have no time for another call".into()));
        }
        None
    }
}
