//! Who may send us requests, and how many calls are taken.

use super::digest::{DigestAdmission, TrunkDigest};
use super::trunks::Trunks;
use super::{Gateway, Level};
use crate::dialplan::{Plan, ReliableProvisional, Trunk};
use crate::sip::message::{Request, StatusCode};
use crate::sip::{self, Flow, Policy};
use crate::types::Now;
use std::collections::{HashMap, VecDeque};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// What was turned away, and how many calls each trunk has.
#[derive(Debug, Default)]
pub(super) struct Admission {
    /// Requests from nowhere we know, dropped without an answer, in all.
    pub(super) strangers: u64,
    /// The last of them, which the log has still to hear of.
    untold: Option<(SocketAddr, &'static str)>,
    /// The trunk that the request at hand proved by digest to come from.
    proven: Option<String>,
    /// Calls in progress by the name of their trunk.
    calls: HashMap<String, u32>,
    /// When the latest calls began, for trunks with a limit on calls per second; as many as that limit.
    begun: HashMap<String, VecDeque<Instant>>,
}

/// What a limit on calls per second counts over.
const SECOND: Duration = Duration::from_secs(1);

impl Admission {
    /// Counts a call that begins.
    pub(super) fn call_began(&mut self, now: Instant, trunk: &Trunk) {
        match self.calls.get_mut(&trunk.name) {
            Some(calls) => *calls += 1,
            None => _ = self.calls.insert(trunk.name.clone(), 1),
        }
        if let Some(most) = trunk.max_calls_per_second {
            let begun = self.begun.entry(trunk.name.clone()).or_default();
            begun.push_back(now);
            while begun.len() > most as usize {
                begun.pop_front();
            }
        }
    }

    /// Whether as many calls began within the last second as the trunk may have.
    fn is_rushed(&self, now: Instant, trunk: &Trunk) -> bool {
        let Some(most) = trunk.max_calls_per_second else { return false };
        let recent = |begun: &VecDeque<Instant>| {
            begun.iter().filter(|at| now.saturating_duration_since(**at) < SECOND).count() >= most as usize
        };
        self.begun.get(&trunk.name).is_some_and(recent)
    }

    /// Forgets trunks that are not in the dialplan any more.
    pub(super) fn keep_trunks(&mut self, plan: &Plan) {
        self.begun.retain(|name, _| plan.trunk(name).is_some());
    }

    /// Counts a call that is over.
    pub(super) fn call_over(&mut self, trunk: &str) {
        if let Some(calls) = self.calls.get_mut(trunk) {
            *calls = calls.saturating_sub(1);
            if *calls == 0 {
                // The trunk may leave the dialplan before its name comes up again.
                self.calls.remove(trunk);
            }
        }
    }

    /// Calls in progress by a trunk, those being set up and ended included.
    pub(super) fn calls_by(&self, trunk: &str) -> u32 {
        self.calls.get(trunk).copied().unwrap_or(0)
    }

    /// Whether no call is counted.
    pub(super) fn is_idle(&self) -> bool {
        self.calls.is_empty()
    }

    /// Counts a request that was sent away.
    fn stranger(&mut self, flow: &Flow, why: &'static str) {
        self.strangers += 1;
        self.untold = Some((flow.remote, why));
    }
}

/// The endpoint's question, answered from the plan.
pub(super) struct TrunkPolicy<'a> {
    pub(super) plan: &'a Plan,
    pub(super) trunks: &'a Trunks,
    pub(super) admission: &'a mut Admission,
    pub(super) digest: &'a mut TrunkDigest,
    pub(super) now: Instant,
}

impl Policy for TrunkPolicy<'_> {
    fn admit(&mut self, request: &Request, flow: &Flow) -> sip::Admission {
        self.admission.proven = None;
        if trunk_of(self.plan, self.trunks, self.admission, request, flow).is_some() {
            return sip::Admission::Accept;
        }
        match self.digest.admit(self.now, request, flow) {
            DigestAdmission::Accept(trunk) => {
                self.admission.proven = Some(trunk);
                sip::Admission::Accept
            }
            DigestAdmission::Challenge { challenges, wrong } => {
                if wrong {
                    self.admission.stranger(flow, "whose password is wrong");
                }
                sip::Admission::Challenge(challenges)
            }
            // Scanners get silence: not even the news that something listens here.
            DigestAdmission::Drop(why) => {
                self.admission.stranger(flow, why);
                sip::Admission::Drop
            }
        }
    }

    fn terms(&mut self, request: &Request, flow: &Flow) -> Option<sip::Terms> {
        let trunk = trunk_of(self.plan, self.trunks, self.admission, request, flow)?;
        Some(terms_of(&trunk))
    }
}

/// What a trunk's settings say of session timers and reliable responses.
pub(super) fn terms_of(trunk: &Trunk) -> sip::Terms {
    sip::Terms {
        session_expires: Some(trunk.session_timer.expires),
        min_session_expires: trunk.session_timer.min,
        reliable_provisional: match trunk.reliable {
            ReliableProvisional::Never => sip::ReliableProvisional::Never,
            ReliableProvisional::WhenRequired => sip::ReliableProvisional::WhenRequired,
            ReliableProvisional::WhenSupported => sip::ReliableProvisional::WhenSupported,
        },
        refer: trunk.refer,
        replaces: trunk.replaces,
    }
}

/// The trunk a request comes by: its source address is allowed, it names the Contact we registered there (one without a
/// user only from the trunk's addresses), its connection began with the trunk's certificate, or it proved a moment ago, when it was admitted, to know the trunk's password.
pub(super) fn trunk_of(
    plan: &Plan,
    trunks: &Trunks,
    admission: &Admission,
    request: &Request,
    flow: &Flow,
) -> Option<Arc<Trunk>> {
    let by_contact = request.uri.user.as_ref().and_then(|user| trunks.by_contact_user(user));
    if let Some(trunk) = by_contact.and_then(|name| plan.trunk(name)) {
        return Some(Arc::clone(trunk));
    }
    if let Some(trunk) = trunks.by_certificate(flow).and_then(|name| plan.trunk(name)) {
        return Some(Arc::clone(trunk));
    }
    if let Some(trunk) = trunks.by_bulk_contact(request, flow).and_then(|name| plan.trunk(name)) {
        return Some(Arc::clone(trunk));
    }
    let by_address = plan
        .trunk_for(flow.remote.ip())
        .or_else(|| trunks.by_address(flow.remote.ip()).and_then(|name| plan.trunk(name)));
    by_address.or_else(|| plan.trunk(admission.proven.as_deref()?)).cloned()
}

impl Gateway {
    /// Tells of a request that was dropped while the endpoint was at work.
    pub(super) fn tell_strangers(&mut self, now: Now) {
        if let Some((remote, why)) = self.admission.untold.take() {
            self.log_limited(now, Level::Info, None, "request dropped", || format!("from {remote}, {why}"));
        }
    }

    /// Why no further call may come in by this trunk now: the status, and the rule for log and record.
    pub(super) fn limit_for(&self, now: Now, trunk: &Trunk) -> Option<(StatusCode, String)> {
        self.gateway_limit().or_else(|| self.trunk_limit(now, trunk))
    }

    /// Why the gateway takes and makes no further call now.
    pub(super) fn gateway_limit(&self) -> Option<(StatusCode, String)> {
        self.gateway_limit_with(0)
    }

    /// The same for a call that takes another's place, for which there is room for one more until that one is over.
    pub(super) fn limit_for_replacing(&self, now: Now, trunk: &Trunk) -> Option<(StatusCode, String)> {
        self.gateway_limit_with(1).or_else(|| self.trunk_limit_with(now, trunk, 1))
    }

    fn gateway_limit_with(&self, spare: u32) -> Option<(StatusCode, String)> {
        if self.draining {
            return Some((StatusCode::SERVICE_UNAVAILABLE, "the gateway is shutting down".into()));
        }
        let most = self.plan.gateway.max_calls;
        if self.calls.len() >= most.saturating_add(spare) as usize {
            return Some((StatusCode::SERVICE_UNAVAILABLE, format!("gateway.max_calls = {most} is reached")));
        }
        None
    }

    /// Why no further call goes by this trunk now. Not 503, which would park the provider's whole trunk.
    pub(super) fn trunk_limit(&self, now: Now, trunk: &Trunk) -> Option<(StatusCode, String)> {
        self.trunk_limit_with(now, trunk, 0)
    }

    fn trunk_limit_with(&self, now: Now, trunk: &Trunk, spare: u32) -> Option<(StatusCode, String)> {
        let name = &trunk.name;
        if let Some(most) = trunk.max_calls.filter(|most| self.admission.calls_by(name) >= most.saturating_add(spare)) {
            return Some((StatusCode::BUSY_HERE, format!("trunks.{name}.max_calls = {most} is reached")));
        }
        let most = trunk.max_calls_per_second.filter(|_| self.admission.is_rushed(now.instant, trunk))?;
        let rule = format!("trunks.{name}.max_calls_per_second = {most} is reached");
        Some((StatusCode::TEMPORARILY_UNAVAILABLE, rule))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dialplan::{Trusting, parse};

    fn hurried() -> Arc<Plan> {
        let text = "[trunks.a]\nallow = \"192.0.2.1\"\nmax_calls_per_second = 10\n[[routes]]\nname = \"R\"\nfrom = \"a\"\nnumber = \"1\"\nroom = \"r\"\n";
        parse("dialplan.toml", text, &Trusting).unwrap().plan
    }

    #[test]
    fn the_eleventh_call_within_a_second_is_one_too_many_wherever_the_second_begins() {
        let plan = hurried();
        let trunk = plan.trunk("a").unwrap();
        let mut admission = Admission::default();
        let start = crate::test_clock();
        let at = |millis| start + Duration::from_millis(millis);
        for n in 0..10 {
            assert!(!admission.is_rushed(at(900 + 20 * n), trunk), "{n}");
            admission.call_began(at(900 + 20 * n), trunk);
        }
        assert!(admission.is_rushed(at(1_100), trunk) && admission.is_rushed(at(1_899), trunk));
        assert!(!admission.is_rushed(at(1_900), trunk));
        admission.call_began(at(1_900), trunk);
        assert!(admission.is_rushed(at(1_919), trunk) && !admission.is_rushed(at(1_920), trunk));
        assert_eq!(admission.begun["a"].len(), 10);
    }
}
