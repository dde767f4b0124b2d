//! Our registrations at trunks: made at the best server, taken to the next when it fails, made anew when their
//! connection ends (`sip/registration.rs` keeps them).

use super::trunks::{Entry, TrunkState, TrunkTimer, credentials, destination, next_try, registration_trouble};
use super::{Event, Gateway, Level};
use crate::dialplan::{Register, Trunk};
use crate::sip::message::{Headers, NameAddr, StatusCode, Uri};
use crate::sip::{Flow, RegistrationConfig, RegistrationId};
use crate::types::Now;
use rand::Rng;
use std::fmt::Write;
use std::time::{Duration, Instant};

/// Registrations whose connection ended are made again within this time, each at its own moment.
const RECONNECT_WITHIN: Duration = Duration::from_secs(3);

impl Gateway {
    /// Registers at a trunk that wants it: for the first time, or because the server in use is no longer one of its.
    pub(super) fn start_registration(&mut self, now: Now, place: usize) {
        let wants = |entry: &&Entry| entry.trunk.register != Register::No;
        let Some(entry) = self.trunks.entries.get(place).filter(wants) else { return };
        if let Some(registration) = entry.registration {
            let flow = self.endpoint.registration_flow(registration);
            if flow.is_some_and(|flow| !entry.targets.is_ours(&flow)) {
                self.register_by_best(now, place);
            }
            return;
        }
        let Some(flow) = entry.targets.best(now.instant) else { return };
        let config = registration_config(&entry.trunk, flow);
        let registration = self.endpoint.register(now, config);
        let contact_user = self.endpoint.registered_contact_user(registration).map(str::to_owned);
        if let Some(entry) = self.trunks.entries.get_mut(place) {
            entry.registration = Some(registration);
            entry.contact_user = contact_user;
        }
    }

    /// Registers anew, at the best server there is now.
    pub(super) fn register_by_best(&mut self, now: Now, place: usize) {
        let Some(entry) = self.trunks.entries.get(place).filter(|_| !self.shutdown.has_begun()) else { return };
        if let (Some(registration), Some(flow)) = (entry.registration, entry.targets.best(now.instant)) {
            self.endpoint.register_by(now, registration, flow);
        }
    }

    pub(super) fn on_registered(&mut self, registration: RegistrationId, expires: Duration, ignored_routes: usize) {
        let flow = self.endpoint.registration_flow(registration);
        let contact_address = self.endpoint.registered_contact_address(registration);
        let Some((_, entry)) = self.trunks.by_registration(registration) else { return };
        entry.contact_address = contact_address;
        if let Some(flow) = flow {
            entry.targets.works(&flow);
        }
        let fresh = entry.state != TrunkState::Registered;
        entry.state = TrunkState::Registered;
        let name = entry.trunk.name.clone();
        let level = if fresh { Level::Info } else { Level::Debug };
        self.log(level, None, "registered", format!("{name} for {} s", expires.as_secs()));
        if fresh {
            self.effects.event(Event::Registered { trunk: name.clone(), expires: expires.as_secs() });
        }
        if ignored_routes > 0 {
            let detail = format!("{name}: {ignored_routes} of its Service-Route ignored: no routes, or too many");
            self.log(if fresh { Level::Warn } else { Level::Debug }, None, "trunk", detail);
        }
    }

    pub(super) fn on_registration_failed(
        &mut self,
        now: Now,
        registration: RegistrationId,
        status: StatusCode,
        retry_at: Option<Instant>,
        retry_after: Option<Duration>,
    ) {
        let flow = self.endpoint.registration_flow(registration);
        let Some((place, entry)) = self.trunks.by_registration(registration) else { return };
        entry.state = TrunkState::Failed { status, retry_at };
        let name = entry.trunk.name.clone();
        let is_bulk = entry.trunk.register == Register::Bulk;
        let mut other = None;
        // RFC 3263 section 4.3: the next server is tried after silence and failures of this one, not after a refusal.
        if let (Some(flow), 408 | 500 | 502 | 503 | 504) = (flow, status.0) {
            entry.targets.failed(now.instant, &flow, retry_after);
            other = entry.targets.next(now.instant);
        }
        let next = match (other, retry_at) {
            (Some(other), _) => format!("{} is tried next", other.remote),
            (None, at) => next_try(now.instant, at),
        };
        let why = registration_trouble(status);
        let mut detail = format!("{name}: {why} ({} {}), {next}", status.0, status.reason());
        if is_bulk && status == StatusCode::BAD_EXTENSION {
            let _ = write!(
                detail,
                "; its registrar knows no bulk registration (RFC 6140): trunks.{name}.register = \"bulk\""
            );
        }
        self.log(Level::Warn, None, "registration failed", detail);
        self.effects.event(Event::RegistrationFailed { trunk: name, status: status.0, why: why.to_owned() });
        if other.is_some() {
            self.register_by_best(now, place);
        } else {
            let sleeps = self.trunks.timers.get(TrunkTimer::Reconnect(place)).is_none();
            if let (Some(at), true) = (retry_at, sleeps) {
                // By then another server may be the best.
                self.trunks.timers.set(TrunkTimer::Reconnect(place), at);
            }
        }
    }

    /// A binding over a connection ends with it: what the trunk sends would not reach us any more (RFC 5626 section
    /// 4.4).
    pub(super) fn on_connection_ended(&mut self, now: Now, closed: &Flow) {
        if let Some(connection) = closed.connection {
            self.trunks.connection_ended(connection);
        }
        for place in 0..self.trunks.entries.len() {
            let Some(entry) = self.trunks.entries.get_mut(place) else { continue };
            let flow = entry.registration.and_then(|registration| self.endpoint.registration_flow(registration));
            let over_it = flow.is_some_and(|flow| {
                flow.transport == closed.transport
                    && flow.remote == closed.remote
                    && (flow.connection.is_none() || flow.connection == closed.connection)
            });
            if over_it && entry.state == TrunkState::Registered {
                entry.state = TrunkState::Trying;
                self.effects.event(Event::RegistrationLost { trunk: entry.trunk.name.clone() });
                let wait = RECONNECT_WITHIN.mul_f64(self.random.random_range(0.2..1.0));
                self.trunks.timers.set(TrunkTimer::Reconnect(place), now.instant + wait);
            }
        }
    }

    /// Gives up all bindings, so that trunks send no more calls here, and asks after nobody any more.
    pub(super) fn unregister_all(&mut self, now: Now) {
        for registration in self.trunks.stop() {
            if let Err(error) = self.endpoint.unregister(now, registration) {
                self.log(Level::Debug, None, "unregister", error.to_string());
            }
        }
    }
}

fn registration_config(trunk: &Trunk, flow: Flow) -> RegistrationConfig {
    let user = trunk.username.clone().unwrap_or_default();
    let (registrar, route) = destination(trunk, &flow);
    let address = Uri::sip(Some(user.as_str()), registrar.host.clone(), None);
    RegistrationConfig {
        flow,
        registrar,
        address: NameAddr::new(address),
        credentials: credentials(trunk),
        expires: trunk.expires,
        contact_user: None,
        bulk: trunk.register == Register::Bulk,
        headers: Headers::new(),
        route,
    }
}
