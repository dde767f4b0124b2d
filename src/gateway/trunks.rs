//! Our registrations at trunks, and who may call us by them.

use super::timer::Timer;
use super::{Gateway, Level, Output};
use crate::dialplan::{Plan, Trunk};
use crate::sip::message::{Headers, Host, NameAddr, StatusCode, Uri};
use crate::sip::{Credentials, Flow, RegistrationConfig, RegistrationId};
use crate::types::Now;
use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Longest that a target is left alone because it asked for it.
const LONGEST_REST: Duration = Duration::from_secs(3_600);
/// How soon a name that could not be looked up is tried again.
const RESOLVE_AGAIN: Duration = Duration::from_secs(30);

/// Where we stand at one trunk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum TrunkState {
    /// No registration is asked for.
    Static,
    /// Its address is being looked up, or the first REGISTER is on its way.
    Trying,
    /// Its registrar has our binding.
    Registered,
    /// Its registrar refused or is silent.
    Failed(u16),
}

/// One trunk of the dialplan at work.
#[derive(Debug)]
struct Entry {
    trunk: Arc<Trunk>,
    state: TrunkState,
    addresses: Vec<IpAddr>,
    /// Ways to reach it, best first; empty while its name is not found.
    flows: Vec<Flow>,
    registration: Option<RegistrationId>,
    contact_user: Option<String>,
}

impl Entry {
    fn new(trunk: &Arc<Trunk>) -> Self {
        Self {
            trunk: Arc::clone(trunk),
            state: if trunk.register { TrunkState::Trying } else { TrunkState::Static },
            addresses: trunk.address.iter().filter_map(crate::dialplan::TrunkAddress::ip).collect(),
            flows: Vec::new(),
            registration: None,
            contact_user: None,
        }
    }
}

/// All trunks at work, in the order of the dialplan.
#[derive(Debug, Default)]
pub(super) struct Trunks {
    entries: Vec<Entry>,
    /// Targets that asked to be left alone (503 with Retry-After), until when.
    resting: HashMap<SocketAddr, Instant>,
}

impl Trunks {
    /// The trunk at which we registered a Contact with this user part.
    pub(super) fn by_contact_user(&self, user: &str) -> Option<&str> {
        let entry = self.entries.iter().find(|entry| entry.contact_user.as_deref() == Some(user))?;
        Some(&entry.trunk.name)
    }

    /// The trunk whose host name was last found at this address.
    pub(super) fn by_address(&self, address: IpAddr) -> Option<&str> {
        let address = address.to_canonical();
        let entry = self.entries.iter().find(|entry| entry.addresses.contains(&address))?;
        Some(&entry.trunk.name)
    }

    /// Name and state of each.
    pub(super) fn states(&self) -> impl Iterator<Item = (&str, &TrunkState)> {
        self.entries.iter().map(|entry| (entry.trunk.name.as_str(), &entry.state))
    }

    /// Ways to reach a trunk, best first.
    pub(super) fn flows(&self, name: &str) -> &[Flow] {
        self.entries.iter().find(|entry| entry.trunk.name == name).map_or(&[], |entry| &entry.flows)
    }

    /// Leaves a target alone for a while.
    pub(super) fn rest(&mut self, now: Instant, target: SocketAddr, time: Duration) {
        self.resting.retain(|_, until| *until > now);
        self.resting.insert(target, now + time.min(LONGEST_REST));
    }

    /// How long a target is still to be left alone.
    pub(super) fn rests(&self, now: Instant, target: SocketAddr) -> Option<Duration> {
        let until = self.resting.get(&target)?;
        Some(until.saturating_duration_since(now)).filter(|left| !left.is_zero())
    }

    fn by_registration(&mut self, registration: RegistrationId) -> Option<&mut Entry> {
        self.entries.iter_mut().find(|entry| entry.registration == Some(registration))
    }
}

impl Gateway {
    pub(super) fn start_registrations(&mut self) {
        self.follow_plan(Vec::new());
    }

    /// After a reload: bindings of trunks that are gone or changed are given up, those of new ones made. A trunk that is
    /// as it was keeps its binding, and the addresses its name was found at.
    pub(super) fn refresh_registrations(&mut self, now: Now) {
        if self.draining {
            // No trunk is to send calls here any more.
            return;
        }
        let before = std::mem::take(&mut self.trunks.entries);
        for place in 0..before.len() {
            self.timers.clear(Timer::Resolve(place));
        }
        for entry in self.follow_plan(before) {
            if let Some(registration) = entry.registration {
                let result = self.endpoint.unregister(now, registration);
                if let Err(error) = result {
                    self.log(Level::Debug, None, "unregister", error.to_string());
                }
            }
        }
    }

    /// Makes the entries that the plan asks for, of those there were where they still fit. Gives back the others.
    fn follow_plan(&mut self, mut before: Vec<Entry>) -> Vec<Entry> {
        let plan: Arc<Plan> = Arc::clone(&self.plan);
        for trunk in &plan.trunks {
            let same = before.iter().position(|entry| entry.trunk == *trunk);
            let entry = same.map(|at| before.swap_remove(at)).unwrap_or_else(|| Entry::new(trunk));
            self.trunks.entries.push(entry);
            if !trunk.address.is_empty() {
                self.outputs.push_back(Output::Resolve { trunk: trunk.name.clone() });
            }
        }
        before
    }

    /// Gives up all bindings, so that trunks send no more calls here.
    pub(super) fn unregister_all(&mut self, now: Now) {
        let registrations: Vec<_> = self.trunks.entries.iter().filter_map(|entry| entry.registration).collect();
        for registration in registrations {
            if let Err(error) = self.endpoint.unregister(now, registration) {
                self.log(Level::Debug, None, "unregister", error.to_string());
            }
        }
    }

    pub(super) fn resolve_trunk(&mut self, place: usize) {
        if let Some(entry) = self.trunks.entries.get(place) {
            self.outputs.push_back(Output::Resolve { trunk: entry.trunk.name.clone() });
        }
    }

    pub(super) fn on_resolved(&mut self, now: Now, name: &str, flows: Vec<Flow>) {
        if self.draining {
            // A look-up that was under way: no trunk is to send calls here any more.
            return;
        }
        let place = self.trunks.entries.iter().position(|entry| entry.trunk.name == name);
        let Some((place, entry)) = place.and_then(|place| Some((place, self.trunks.entries.get_mut(place)?))) else {
            return;
        };
        let Some(&flow) = flows.first() else {
            let detail = format!("{name}: the address of the trunk cannot be found");
            self.log(Level::Warn, None, "trunk", detail);
            self.timers.set(Timer::Resolve(place), now.instant + RESOLVE_AGAIN);
            return;
        };
        entry.flows.clone_from(&flows);
        entry.addresses = flows.iter().map(|flow| flow.remote.ip().to_canonical()).collect();
        if !entry.trunk.register || entry.registration.is_some() {
            return;
        }
        let trunk = Arc::clone(&entry.trunk);
        self.advertise_public_address(flow);
        let registration = self.endpoint.register(now, registration_config(&trunk, flow));
        let contact_user = self.endpoint.registered_contact_user(registration).map(str::to_owned);
        if let Some(entry) = self.trunks.entries.get_mut(place) {
            entry.registration = Some(registration);
            entry.contact_user = contact_user;
        }
    }

    pub(super) fn on_registered(&mut self, registration: RegistrationId, expires: Duration) {
        let Some(entry) = self.trunks.by_registration(registration) else { return };
        let fresh = entry.state != TrunkState::Registered;
        entry.state = TrunkState::Registered;
        let detail = format!("{} for {} s", entry.trunk.name, expires.as_secs());
        let level = if fresh { Level::Info } else { Level::Debug };
        self.log(level, None, "registered", detail);
    }

    pub(super) fn on_registration_failed(
        &mut self,
        now: Now,
        registration: RegistrationId,
        status: StatusCode,
        retry_at: Option<Instant>,
    ) {
        let Some(entry) = self.trunks.by_registration(registration) else { return };
        entry.state = TrunkState::Failed(status.0);
        let next = retry_at.map_or("not tried again".to_owned(), |at| {
            format!("tried again in {} s", at.saturating_duration_since(now.instant).as_secs())
        });
        let detail = format!("{}: {} {}, {next}", entry.trunk.name, status.0, status.reason());
        self.log(Level::Warn, None, "registration failed", detail);
    }

    pub(super) fn on_unregistered(&mut self, registration: RegistrationId) {
        if let Some(entry) = self.trunks.by_registration(registration) {
            entry.registration = None;
            entry.contact_user = None;
            entry.state = TrunkState::Static;
        }
    }
}

fn registration_config(trunk: &Trunk, flow: Flow) -> RegistrationConfig {
    let (host, port) = match trunk.address.first() {
        Some(address) => {
            (address.ip().map_or_else(|| Host::Name(address.host.as_str().into()), Host::Ip), address.port)
        }
        None => (Host::Ip(flow.remote.ip()), Some(flow.remote.port())),
    };
    let user = trunk.username.clone().unwrap_or_default();
    let registrar = Uri::sip(None, host.clone(), port);
    RegistrationConfig {
        flow,
        registrar,
        address: NameAddr::new(Uri::sip(Some(user.as_str()), host, None)),
        credentials: credentials(trunk),
        expires: trunk.expires,
        contact_user: None,
        headers: Headers::new(),
        route: Vec::new(),
    }
}

/// What we answer this trunk's challenges with, and nobody else's.
pub(super) fn credentials(trunk: &Trunk) -> Option<Credentials> {
    let password = trunk.password.as_ref()?.reveal();
    let credentials = Credentials::new(trunk.username.clone().unwrap_or_default(), password);
    let credentials = credentials.for_peers(trunk.allow.iter().copied());
    Some(match &trunk.realm {
        Some(realm) => credentials.for_realm(realm.as_str()),
        None => credentials,
    })
}
