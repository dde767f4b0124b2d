//! Who may send us requests, and how many calls are taken.

use super::trunks::Trunks;
use super::{Gateway, Level};
use crate::dialplan::{Plan, ReliableProvisional, Trunk};
use crate::sip::message::{Request, StatusCode};
use crate::sip::{self, Flow, Policy};
use crate::types::Now;
use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Refusals told one by one within a window; more are counted.
const REFUSALS_TOLD: u64 = 20;
/// Length of that window.
pub(super) const REFUSAL_WINDOW: Duration = Duration::from_secs(60);

/// What was turned away, and how much of it the log may still hear of in this window.
#[derive(Debug, Default)]
pub(super) struct Admission {
    /// Requests from nowhere we know, dropped without an answer, in all.
    pub(super) strangers: u64,
    strangers_untold: Vec<SocketAddr>,
    strangers_in_window: u64,
    /// Counted apart: scanners must not silence what is said of a trunk's own calls.
    refused_in_window: u64,
    window_ends: Option<Instant>,
    /// Calls in progress by the name of their trunk.
    calls: HashMap<String, u32>,
}

impl Admission {
    /// Counts a call that begins.
    pub(super) fn call_began(&mut self, trunk: &str) {
        match self.calls.get_mut(trunk) {
            Some(calls) => *calls += 1,
            None => _ = self.calls.insert(trunk.to_owned(), 1),
        }
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

    /// Whether one more refusal of a request that was admitted may be told. Starts a window.
    fn may_tell(&mut self, now: Instant) -> bool {
        self.window_ends.get_or_insert(now + REFUSAL_WINDOW);
        self.refused_in_window += 1;
        self.refused_in_window <= REFUSALS_TOLD
    }

    /// Whether one more stranger may be told. Starts a window.
    fn may_tell_stranger(&mut self, now: Instant) -> bool {
        self.window_ends.get_or_insert(now + REFUSAL_WINDOW);
        self.strangers_in_window += 1;
        self.strangers_in_window <= REFUSALS_TOLD
    }
}

/// The endpoint's question, answered from the plan.
pub(super) struct TrunkPolicy<'a> {
    pub(super) plan: &'a Plan,
    pub(super) trunks: &'a Trunks,
    pub(super) admission: &'a mut Admission,
    pub(super) now: Instant,
}

impl Policy for TrunkPolicy<'_> {
    fn admit(&mut self, request: &Request, flow: &Flow) -> sip::Admission {
        if trunk_of(self.plan, self.trunks, request, flow).is_some() {
            return sip::Admission::Accept;
        }
        // Scanners get silence: not even the news that something listens here.
        self.admission.strangers += 1;
        if self.admission.may_tell_stranger(self.now) {
            self.admission.strangers_untold.push(flow.remote);
        }
        sip::Admission::Drop
    }

    fn terms(&mut self, request: &Request, flow: &Flow) -> Option<sip::Terms> {
        let trunk = trunk_of(self.plan, self.trunks, request, flow)?;
        Some(sip::Terms {
            session_expires: Some(trunk.session_timer.expires),
            min_session_expires: trunk.session_timer.min,
            reliable_provisional: match trunk.reliable {
                ReliableProvisional::Never => sip::ReliableProvisional::Never,
                ReliableProvisional::WhenRequired => sip::ReliableProvisional::WhenRequired,
                ReliableProvisional::WhenSupported => sip::ReliableProvisional::WhenSupported,
            },
        })
    }
}

/// The trunk a request comes by: its source address is allowed, it names the Contact we registered there, or its
/// connection began with the trunk's certificate.
pub(super) fn trunk_of(plan: &Plan, trunks: &Trunks, request: &Request, flow: &Flow) -> Option<Arc<Trunk>> {
    let by_contact = request.uri.user.as_ref().and_then(|user| trunks.by_contact_user(user));
    if let Some(trunk) = by_contact.and_then(|name| plan.trunk(name)) {
        return Some(Arc::clone(trunk));
    }
    if let Some(trunk) = trunks.by_certificate(flow).and_then(|name| plan.trunk(name)) {
        return Some(Arc::clone(trunk));
    }
    let by_address = plan
        .trunk_for(flow.remote.ip())
        .or_else(|| trunks.by_address(flow.remote.ip()).and_then(|name| plan.trunk(name)));
    by_address.cloned()
}

impl Gateway {
    /// Tells of strangers that were dropped while the endpoint was at work.
    pub(super) fn tell_strangers(&mut self) {
        for remote in std::mem::take(&mut self.admission.strangers_untold) {
            self.log(Level::Info, None, "request dropped", format!("from {remote}, which no trunk allows"));
        }
        if let Some(ends) = self.admission.window_ends {
            self.timers.set(super::Timer::RefusalWindow, ends);
        }
    }

    pub(super) fn may_tell_refusal(&mut self, now: Now) -> bool {
        let may = self.admission.may_tell(now.instant);
        if let Some(ends) = self.admission.window_ends {
            self.timers.set(super::Timer::RefusalWindow, ends);
        }
        may
    }

    pub(super) fn end_refusal_window(&mut self) {
        let untold = [&mut self.admission.refused_in_window, &mut self.admission.strangers_in_window]
            .into_iter()
            .map(|count| std::mem::take(count).saturating_sub(REFUSALS_TOLD))
            .sum::<u64>();
        self.admission.window_ends = None;
        if untold > 0 {
            self.log(
                Level::Warn,
                None,
                "refusals",
                format!("{untold} more in the last minute were not told one by one"),
            );
        }
    }

    /// Why no further call may come in by this trunk now: the status, and the rule for log and record.
    pub(super) fn limit_for(&self, trunk: &Trunk) -> Option<(StatusCode, String)> {
        if self.draining {
            return Some((StatusCode::SERVICE_UNAVAILABLE, "the gateway is shutting down".into()));
        }
        let most = self.plan.gateway.max_calls as usize;
        if self.calls.len() >= most {
            return Some((StatusCode::SERVICE_UNAVAILABLE, format!("gateway.max_calls = {most} is reached")));
        }
        // Not 503: that would park the provider's whole trunk.
        let most = trunk.max_calls?;
        (self.admission.calls_by(&trunk.name) >= most)
            .then(|| (StatusCode::BUSY_HERE, format!("trunks.{}.max_calls = {most} is reached", trunk.name)))
    }
}
