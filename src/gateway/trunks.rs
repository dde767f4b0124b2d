//! Trunks at work: their servers, where we stand at them, and who may call us by them.

use super::health::{Health, Presence};
use super::targets::Targets;
use super::{Gateway, Level, Output};
use crate::dialplan::{self, Register, SipTransport, Trunk};
use crate::sip::locate::Located;
use crate::sip::message::{Host, NameAddr, StatusCode, Transport, Uri};
use crate::sip::{Credentials, Flow, PingId, RegistrationId};
use crate::types::{Addresses, Deadlines, Network, Now};
use rand::Rng;
use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How soon a name that could not be looked up is tried again.
const RESOLVE_AGAIN: Duration = Duration::from_secs(30);
/// An answer of the DNS holds for this long at least: a provider with a time to live of a second is not asked every
/// second.
const SHORTEST_LIFETIME: Duration = Duration::from_secs(60);
/// It is looked up again after this time at most.
const LONGEST_LIFETIME: Duration = Duration::from_secs(3_600);

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
    /// The host and port of the Contact that its registrar has.
    pub(super) contact_address: Option<SocketAddr>,
    /// Its user part.
    pub(super) contact_user: Option<String>,
    pub(super) health: Health,
    /// What went wrong when it was last looked up.
    pub(super) trouble: Option<String>,
    /// Servers that TLS failed with when it was last tried, and why.
    pub(super) no_tls: Vec<(Flow, String)>,
    /// The OPTIONS under way, and where it went.
    pub(super) ping: Option<(PingId, Flow)>,
}

impl Entry {
    pub(super) fn new(trunk: &Arc<Trunk>) -> Self {
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

    /// Takes other settings of the same trunk over: only what they change is begun anew. Gives back a registration that
    /// is not good any more.
    pub(super) fn adapt(self, trunk: &Arc<Trunk>) -> (Self, Option<RegistrationId>) {
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
    /// The trunk of that name.
    pub(super) fn named(&self, name: &str) -> Option<&Entry> {
        self.entries.iter().find(|entry| entry.trunk.name == name)
    }

    fn named_mut(&mut self, name: &str) -> Option<&mut Entry> {
        self.entries.iter_mut().find(|entry| entry.trunk.name == name)
    }

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

    /// Forgets the certificates of trunks but these.
    pub(super) fn keep_certified(&mut self, keeps: impl Fn(&str) -> bool) {
        self.certified.retain(|_, name| keeps(name));
    }

    /// A connection is over, and with it what it was known by.
    pub(super) fn connection_ended(&mut self, connection: u64) {
        self.certified.remove(&connection);
    }

    /// Whether calls may go there: not while it does not answer.
    pub(super) fn is_up(&self, name: &str) -> bool {
        self.named(name).is_some_and(|entry| entry.health.presence() != Presence::Down)
    }

    /// Its servers, in an order drawn for one call; those left alone come last.
    pub(super) fn draw(&self, now: Instant, name: &str, random: &mut impl Rng) -> Vec<(Flow, bool)> {
        self.named(name).map(|entry| entry.targets.draw(now, random)).unwrap_or_default()
    }

    /// How long a server is still to be left alone because it asked for it.
    pub(super) fn rests(&self, now: Instant, name: &str, flow: &Flow) -> Option<Duration> {
        self.named(name)?.targets.rests(now, flow)
    }

    /// Takes note of how a call fared at a server.
    pub(super) fn note_outcome(&mut self, now: Instant, name: &str, flow: &Flow, outcome: ServerOutcome) {
        let Some(entry) = self.named_mut(name) else { return };
        match outcome {
            ServerOutcome::Answer => entry.targets.works(flow),
            ServerOutcome::Failure { retry_after } => entry.targets.failed(now, flow, retry_after),
        }
    }

    /// Each, with its server.
    pub(super) fn states(&self, now: Instant) -> impl Iterator<Item = (&Entry, Option<Flow>)> {
        self.entries.iter().map(move |entry| (entry, entry.targets.best(now)))
    }

    /// The trunk at which this registration is, and its place in the dialplan.
    pub(super) fn by_registration(&mut self, registration: RegistrationId) -> Option<(usize, &mut Entry)> {
        self.entries.iter_mut().enumerate().find(|(_, entry)| entry.registration == Some(registration))
    }

    /// A registration is given up: nothing is known of a binding any more.
    pub(super) fn unregistered(&mut self, registration: RegistrationId) {
        if let Some((_, entry)) = self.by_registration(registration) {
            entry.registration = None;
            entry.contact_user = None;
            entry.contact_address = None;
            entry.state = TrunkState::Static;
        }
    }

    /// Asks after nobody any more. Gives back the registrations there are.
    pub(super) fn stop(&mut self) -> Vec<RegistrationId> {
        self.timers = Deadlines::default();
        self.entries.iter().filter_map(|entry| entry.registration).collect()
    }

    /// Draws up which address of ours each peer must use, as the trunks now stand.
    fn draw_up_addresses(&mut self, settings: &dialplan::Gateway) -> &Addresses {
        let own = self.entries.iter().filter_map(|entry| Some((entry, entry.trunk.public_address?)));
        let peers = own.flat_map(|(entry, public)| {
            let found = entry.addresses.iter().map(|address| Network::host(*address));
            found.chain(entry.trunk.allow.iter().copied()).map(move |network| (network, public))
        });
        self.own_addresses = Addresses {
            public: settings.public_address,
            local_net: settings.local_net.clone(),
            peers: peers.collect(),
        };
        &self.own_addresses
    }
}

impl Gateway {
    /// Tells the endpoint which address of ours each peer must use.
    pub(super) fn advertise_addresses(&mut self) {
        let addresses = self.trunks.draw_up_addresses(&self.plan.gateway);
        self.endpoint.set_addresses(addresses.clone());
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
