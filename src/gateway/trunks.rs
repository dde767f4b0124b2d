//! Trunks at work: their servers, our registrations there, and who may call us by them.

use super::health::{Health, Presence};
use super::targets::Targets;
use super::{Event, Gateway, Level, Output};
use crate::dialplan::{Plan, Register, SipTransport, Trunk};
use crate::sip::locate::Located;
use crate::sip::message::{Headers, Host, NameAddr, StatusCode, Transport, Uri};
use crate::sip::{Credentials, Flow, PingId, RegistrationConfig, RegistrationId};
use crate::types::{Addresses, Deadlines, Network, Now};
use rand::Rng;
use std::collections::HashMap;
use std::fmt::Write;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How soon a name that could not be looked up is tried again.
const RESOLVE_AGAIN: Duration = Duration::from_secs(30);
/// An answer of the DNS holds for this long at least: a provider with a time to live of a second is not asked every second.
const SHORTEST_LIFETIME: Duration = Duration::from_secs(60);
/// It is looked up again after this time at most.
const LONGEST_LIFETIME: Duration = Duration::from_secs(3_600);
/// Registrations whose connection ended are made again within this time, each at its own moment.
const RECONNECT_WITHIN: Duration = Duration::from_secs(3);

/// Where we stand at one trunk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum TrunkState {
    /// No registration is asked for.
    Static,
    /// Its address is being looked up, or a REGISTER is on its way: the first, or the next after its connection ended.
    Trying,
    /// Its registrar has our binding.
    Registered,
    /// Its registrar refused or is silent; when it is asked again, if it is.
    Failed { status: StatusCode, retry_at: Option<Instant> },
}

/// What is waited for, for the trunk at a place in the dialplan.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum TrunkTimer {
    /// Its name is looked up again.
    Resolve(usize),
    /// It is asked whether it is there.
    Ping(usize),
    /// It has not answered in time.
    PingLate(usize),
    /// Its connection ended: register by a new one.
    Reconnect(usize),
}

/// How a server treated a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ServerOutcome {
    /// A response, good or bad: it is there.
    Answer,
    /// Nothing, or the wish to be left alone.
    Failure { retry_after: Option<Duration> },
}

/// One trunk of the dialplan at work.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) trunk: Arc<Trunk>,
    pub(super) state: TrunkState,
    pub(super) targets: Targets,
    addresses: Vec<IpAddr>,
    pub(super) registration: Option<RegistrationId>,
    contact_user: Option<String>,
    /// The host and port of the Contact that its registrar has.
    pub(super) contact_address: Option<SocketAddr>,
    pub(super) health: Health,
    /// What went wrong when it was last looked up.
    pub(super) trouble: Option<String>,
    /// Servers that TLS failed with when it was last tried, and why.
    pub(super) no_tls: Vec<(Flow, String)>,
    /// The OPTIONS under way, and where it went.
    pub(super) ping: Option<(PingId, Flow)>,
}

impl Entry {
    fn new(trunk: &Arc<Trunk>) -> Self {
        Self {
            trunk: Arc::clone(trunk),
            state: if trunk.register == Register::No { TrunkState::Static } else { TrunkState::Trying },
            targets: Targets::default(),
            addresses: trunk.address.iter().filter_map(crate::dialplan::TrunkAddress::ip).collect(),
            registration: None,
            contact_user: None,
            contact_address: None,
            health: Health::default(),
            trouble: None,
            no_tls: Vec::new(),
            ping: None,
        }
    }

    /// Takes other settings of the same trunk over: only what they change is begun anew. Gives back a registration that is
    /// not good any more.
    fn adapt(self, trunk: &Arc<Trunk>) -> (Self, Option<RegistrationId>) {
        let fresh = Self::new(trunk);
        let registers = self.trunk.registers_as(trunk);
        let given_up = self.registration.filter(|_| !registers);
        if !self.trunk.is_reached_as(trunk) {
            return (fresh, given_up);
        }
        // A PING under way is left out: its answer would be looked for at its former place.
        let found = Self {
            targets: self.targets,
            addresses: self.addresses,
            health: self.health,
            trouble: self.trouble,
            no_tls: self.no_tls,
            ..fresh
        };
        if !registers {
            return (found, given_up);
        }
        let (state, registration) = (self.state, self.registration);
        let (contact_user, contact_address) = (self.contact_user, self.contact_address);
        (Self { state, registration, contact_user, contact_address, ..found }, None)
    }

    /// Whether it was last found at this address.
    pub(super) fn is_at(&self, address: IpAddr) -> bool {
        self.addresses.contains(&address.to_canonical())
    }
}

/// All trunks at work, in the order of the dialplan.
#[derive(Debug, Default)]
pub(super) struct Trunks {
    pub(super) entries: Vec<Entry>,
    pub(super) timers: Deadlines<TrunkTimer>,
    /// Connections that began with a trunk's certificate.
    certified: HashMap<u64, String>,
    /// Which address of ours each peer must use.
    pub(super) own_addresses: Addresses,
}

impl Trunks {
    /// The trunk at which we registered a Contact with this user part.
    pub(super) fn by_contact_user(&self, user: &str) -> Option<&str> {
        let entry = self.entries.iter().find(|entry| entry.contact_user.as_deref() == Some(user))?;
        Some(&entry.trunk.name)
    }

    /// The trunk whose host name was last found at this address.
    pub(super) fn by_address(&self, address: IpAddr) -> Option<&str> {
        let entry = self.entries.iter().find(|entry| entry.is_at(address))?;
        Some(&entry.trunk.name)
    }

    /// The trunk whose certificate the connection began with.
    pub(super) fn by_certificate(&self, flow: &Flow) -> Option<&str> {
        self.certified.get(&flow.connection?).map(String::as_str)
    }

    /// Takes note of whose certificate a connection began with.
    pub(super) fn identified(&mut self, flow: &Flow, trunk: &str) {
        if let Some(connection) = flow.connection {
            self.certified.insert(connection, trunk.to_owned());
        }
    }

    /// Whether calls may go there: not while it does not answer.
    pub(super) fn is_up(&self, name: &str) -> bool {
        let entry = self.entries.iter().find(|entry| entry.trunk.name == name);
        entry.is_some_and(|entry| entry.health.presence() != Presence::Down)
    }

    /// Its servers, in an order drawn for one call; those left alone come last.
    pub(super) fn draw(&self, now: Instant, name: &str, random: &mut impl Rng) -> Vec<(Flow, bool)> {
        let entry = self.entries.iter().find(|entry| entry.trunk.name == name);
        entry.map(|entry| entry.targets.draw(now, random)).unwrap_or_default()
    }

    /// How long a server is still to be left alone because it asked for it.
    pub(super) fn rests(&self, now: Instant, name: &str, flow: &Flow) -> Option<Duration> {
        self.entries.iter().find(|entry| entry.trunk.name == name)?.targets.rests(now, flow)
    }

    /// Takes note of how a call fared at a server.
    pub(super) fn note_outcome(&mut self, now: Instant, name: &str, flow: &Flow, outcome: ServerOutcome) {
        let Some(entry) = self.entries.iter_mut().find(|entry| entry.trunk.name == name) else { return };
        match outcome {
            ServerOutcome::Answer => entry.targets.works(flow),
            ServerOutcome::Failure { retry_after } => entry.targets.failed(now, flow, retry_after),
        }
    }

    /// Each, with its server.
    pub(super) fn states(&self, now: Instant) -> impl Iterator<Item = (&Entry, Option<Flow>)> {
        self.entries.iter().map(move |entry| (entry, entry.targets.best(now)))
    }

    fn by_registration(&mut self, registration: RegistrationId) -> Option<(usize, &mut Entry)> {
        self.entries.iter_mut().enumerate().find(|(_, entry)| entry.registration == Some(registration))
    }
}

impl Gateway {
    pub(super) fn start_trunks(&mut self, now: Now) {
        self.apply_plan(now, Vec::new());
    }

    /// After a reload: of each trunk, only what its changed settings ask for is begun anew. Its servers are looked for again
    /// where it is reached in another way, its binding is made again where that or an account has changed. Bindings of
    /// trunks that are gone are given up.
    pub(super) fn refresh_trunks(&mut self, now: Now) {
        self.advertise_addresses();
        if self.shutdown.has_begun() {
            // No trunk is to send calls here any more.
            return;
        }
        let before = std::mem::take(&mut self.trunks.entries);
        let timers = std::mem::take(&mut self.trunks.timers);
        let places = before.iter().enumerate();
        let reconnecting: Vec<_> = places
            .filter_map(|(place, entry)| Some((entry.registration?, timers.get(TrunkTimer::Reconnect(place))?)))
            .collect();
        // Whoever was known by a certificate is not any more where the trunk judges certificates in another way.
        let plan = &self.plan;
        let judges_as_before = |name: &str| {
            let before = before.iter().find(|entry| entry.trunk.name == name);
            plan.trunk(name).zip(before).is_some_and(|(trunk, before)| trunk.tls == before.trunk.tls)
        };
        self.trunks.certified.retain(|_, name| judges_as_before(name));
        for registration in self.apply_plan(now, before) {
            let result = self.endpoint.unregister(now, registration);
            if let Err(error) = result {
                self.log(Level::Debug, None, "unregister", error.to_string());
            }
        }
        for place in 0..self.trunks.entries.len() {
            // Another account at servers that are known.
            self.start_registration(now, place);
            let Some(entry) = self.trunks.entries.get(place) else { continue };
            let known = entry.registration.zip(entry.contact_address);
            if known.is_some_and(|(id, told)| self.endpoint.registered_contact_address(id) != Some(told)) {
                // Its registrar would send calls to an address that is not ours any more.
                self.register_by_best(now, place);
            }
        }
        for (registration, at) in reconnecting {
            if let Some((place, _)) = self.trunks.by_registration(registration) {
                self.trunks.timers.set(TrunkTimer::Reconnect(place), at);
            }
        }
    }

    /// Makes the entries that the plan asks for, of those there were as far as they still fit. Gives back the registrations
    /// that do not.
    fn apply_plan(&mut self, now: Now, mut before: Vec<Entry>) -> Vec<RegistrationId> {
        let mut given_up = Vec::new();
        let plan: Arc<Plan> = Arc::clone(&self.plan);
        for (place, trunk) in plan.trunks.iter().enumerate() {
            let same = before.iter().position(|entry| entry.trunk.name == trunk.name);
            let entry = match same.map(|at| before.swap_remove(at)) {
                None => Entry::new(trunk),
                Some(entry) => {
                    let (entry, registration) = entry.adapt(trunk);
                    given_up.extend(registration);
                    entry
                }
            };
            self.trunks.entries.push(entry);
            self.schedule_ping(now, place);
            if !trunk.address.is_empty() {
                self.effects.output(Output::Resolve { trunk: trunk.name.clone() });
            }
        }
        self.advertise_addresses();
        given_up.extend(before.into_iter().filter_map(|entry| entry.registration));
        given_up
    }

    /// Tells the endpoint which address of ours each peer must use.
    fn advertise_addresses(&mut self) {
        let own = self.trunks.entries.iter().filter_map(|entry| Some((entry, entry.trunk.public_address?)));
        let peers = own.flat_map(|(entry, public)| {
            let found = entry.addresses.iter().map(|address| Network::host(*address));
            found.chain(entry.trunk.allow.iter().copied()).map(move |network| (network, public))
        });
        let settings = &self.plan.gateway;
        let addresses = Addresses {
            public: settings.public_address,
            local_net: settings.local_net.clone(),
            peers: peers.collect(),
        };
        self.endpoint.set_addresses(addresses.clone());
        self.trunks.own_addresses = addresses;
    }

    /// Gives up all bindings, so that trunks send no more calls here, and asks after nobody any more.
    pub(super) fn unregister_all(&mut self, now: Now) {
        self.trunks.timers = Deadlines::default();
        let registrations: Vec<_> = self.trunks.entries.iter().filter_map(|entry| entry.registration).collect();
        for registration in registrations {
            if let Err(error) = self.endpoint.unregister(now, registration) {
                self.log(Level::Debug, None, "unregister", error.to_string());
            }
        }
    }

    pub(super) fn on_trunk_timer(&mut self, now: Now, timer: TrunkTimer) {
        match timer {
            TrunkTimer::Resolve(place) => {
                if let Some(entry) = self.trunks.entries.get(place) {
                    self.effects.output(Output::Resolve { trunk: entry.trunk.name.clone() });
                }
            }
            TrunkTimer::Ping(place) => self.ping_trunk(now, place),
            TrunkTimer::PingLate(place) => self.on_ping_late(now, place),
            TrunkTimer::Reconnect(place) => self.register_by_best(now, place),
        }
    }

    pub(super) fn on_resolved(&mut self, now: Now, name: &str, found: Located<Flow>) {
        if self.shutdown.has_begun() {
            // A look-up that was under way: no trunk is to send calls here any more.
            return;
        }
        let Located { candidates, lifetime, doubtful, trouble } = found;
        let place = self.trunks.entries.iter().position(|entry| entry.trunk.name == name);
        let Some((place, entry)) = place.and_then(|place| Some((place, self.trunks.entries.get_mut(place)?))) else {
            return;
        };
        let is_empty = candidates.iter().all(|candidate| candidate.targets.is_empty());
        let is_in_doubt = !doubtful.is_empty();
        let is_known = entry.targets.found(candidates, doubtful, &mut self.random);
        let why = trouble.as_deref().map_or_else(String::new, |why| format!(": {why}"));
        let level = if entry.trouble == trouble && trouble.is_some() { Level::Debug } else { Level::Warn };
        let is_over = entry.trouble.is_some() && trouble.is_none() && !is_empty;
        entry.trouble = trouble;
        if is_empty || is_in_doubt {
            let old = if is_known { "; the last answer stands" } else { "" };
            let what = if is_empty { "the address of the trunk cannot be found" } else { "the DNS is in trouble" };
            // Told once, not every half minute.
            self.log(level, None, "trunk", format!("{name}: {what}{why}{old}"));
            self.trunks.timers.set(TrunkTimer::Resolve(place), now.instant + RESOLVE_AGAIN);
            if is_empty {
                return;
            }
        } else if lifetime < Duration::MAX {
            if is_over {
                self.log(Level::Info, None, "trunk", format!("{name}: its address is found again"));
            }
            // Addresses that were written as such hold for ever.
            let at = now.instant + lifetime.clamp(SHORTEST_LIFETIME, LONGEST_LIFETIME);
            self.trunks.timers.set(TrunkTimer::Resolve(place), at);
        }
        let Some(entry) = self.trunks.entries.get_mut(place) else { return };
        entry.addresses = entry.trunk.address.iter().filter_map(crate::dialplan::TrunkAddress::ip).collect();
        let found: Vec<IpAddr> = entry.targets.addresses().collect();
        entry.addresses.extend(found);
        self.advertise_addresses();
        self.start_registration(now, place);
    }

    /// Registers at a trunk that wants it: for the first time, or because the server in use is no longer one of its.
    fn start_registration(&mut self, now: Now, place: usize) {
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

    pub(super) fn on_unregistered(&mut self, registration: RegistrationId) {
        if let Some((_, entry)) = self.trunks.by_registration(registration) {
            entry.registration = None;
            entry.contact_user = None;
            entry.contact_address = None;
            entry.state = TrunkState::Static;
        }
    }

    /// A binding over a connection ends with it: what the trunk sends would not reach us any more (RFC 5626 section 4.4).
    pub(super) fn on_connection_ended(&mut self, now: Now, closed: &Flow) {
        if let Some(connection) = closed.connection {
            self.trunks.certified.remove(&connection);
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
}

/// The trunk's request URI without a user, and the routes to it.
pub(super) fn destination(trunk: &Trunk, flow: &Flow) -> (Uri, Vec<NameAddr>) {
    let (host, port) = match trunk.address.first() {
        Some(address) => {
            (address.ip().map_or_else(|| Host::Name(address.host.as_str().into()), Host::Ip), address.port)
        }
        None => (Host::Ip(flow.remote.ip()), Some(flow.remote.port())),
    };
    let mut uri = Uri::sip(None, host, port);
    if trunk.transport.is_some() && flow.transport != Transport::Udp {
        uri.params.set("transport", flow.transport.as_param());
    }
    let route = trunk.proxy.as_ref().map(|proxy| {
        let address = &proxy.address;
        let host = address.ip().map_or_else(|| Host::Name(address.host.as_str().into()), Host::Ip);
        let mut uri = Uri::sip(None, host, address.port);
        if let Some(transport) = proxy.transport.filter(|transport| *transport != SipTransport::Udp) {
            uri.params.set("transport", transport.as_str());
        }
        uri.params.set_flag("lr");
        NameAddr::new(uri)
    });
    (uri, route.into_iter().collect())
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

/// When a registrar is asked again, in words.
pub(super) fn next_try(now: Instant, at: Option<Instant>) -> String {
    at.map_or_else(
        || "not tried again".to_owned(),
        |at| format!("tried again in {} s", at.saturating_duration_since(now).as_secs()),
    )
}

/// What a registrar's refusal means for whoever set the trunk up (RFC 3261 section 10.3 and 21.4).
pub(super) const fn registration_trouble(status: StatusCode) -> &'static str {
    match status.0 {
        401 | 407 => "the password was refused",
        403 => "the registrar refuses this account",
        404 | 410 | 604 => "the registrar knows no such account",
        405 | 501 => "the server takes no registrations",
        408 => "the registrar does not answer",
        420 => "the registrar does not support an extension that was asked for",
        421 => "the registrar wants an extension that is not supported here",
        423 => "the registrar wants a longer registration",
        503 => "the registrar is overloaded",
        500..=599 => "the registrar is in trouble",
        _ => "the registrar refuses",
    }
}
