//! Our bindings at registrars (RFC 3261 section 10.2): kept alive, tried again, removed.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use rand::Rng;

use super::auth::DigestClient;
use super::message::{
    Contacts, HeaderName as H, Method, MinExpires, NameAddr, Request, Response, Scheme, StatusCode, Text,
};
use super::service_route;
use crate::sip::core::{
    ALLOW, Core, EndpointError, Event, Owner, RegistrationConfig, RegistrationId, Timer, add_extra, retry_authorized,
    seconds,
};
use crate::sip::flow::Flow;
use crate::sip::transaction::ClientId;
use crate::types::{Network, Now};

/// The shortest time between two refreshes.
const MIN_REFRESH: Duration = Duration::from_secs(5);
/// First wait after a failure; doubled with each further one.
const FIRST_RETRY: Duration = Duration::from_secs(10);
/// Longest wait after a failure.
const MAX_RETRY: Duration = Duration::from_secs(1800);
/// What a registrar may raise the interval to (423), and lower or raise a binding to.
const MAX_EXPIRES: u32 = 7 * 24 * 3600;
/// Challenges and too short intervals answered for one REGISTER.
const MAX_ATTEMPTS: u8 = 4;

/// One binding of ours.
pub(crate) struct Registration {
    config: RegistrationConfig,
    contact_user: String,
    call_id: Text,
    from: Text,
    cseq: u32,
    /// What we ask for, in seconds.
    expires: u32,
    digest: DigestClient,
    tx: Option<ClientId>,
    attempts: u8,
    /// Failures in a row.
    failures: u32,
    /// Whether the registrar holds a binding of ours, as far as we know.
    bound: bool,
    /// When it forgets it.
    bound_until: Option<Instant>,
    /// The way requests to the registrar's network are to take (RFC 3608).
    service_route: Vec<NameAddr>,
    /// Whether it is to be removed.
    leaving: bool,
    /// Whether the REGISTER under way removes it.
    removing: bool,
}

/// All bindings of ours.
#[derive(Default)]
pub(crate) struct Registrations {
    table: HashMap<RegistrationId, Registration>,
}

impl Registrations {
    pub fn len(&self) -> usize {
        self.table.len()
    }

    pub fn is_empty(&self) -> bool {
        self.table.is_empty()
    }

    /// Registers, and keeps registered until [`Endpoint::unregister`].
    pub fn register(&mut self, core: &mut Core, now: Now, config: RegistrationConfig) -> RegistrationId {
        let id = RegistrationId(core.next_id());
        let tag = core.new_tag();
        let contact_user = config.contact_user.clone().unwrap_or_else(|| format!("{:032x}", core.rng.random::<u128>()));
        let registration = Registration {
            contact_user,
            call_id: core.new_call_id(),
            from: Text::from(config.address.clone().with_tag(tag.to_string()).to_string()),
            cseq: core.new_cseq(),
            expires: seconds(config.expires),
            digest: DigestClient::new(),
            tx: None,
            attempts: 0,
            failures: 0,
            bound: false,
            bound_until: None,
            service_route: Vec::new(),
            leaving: false,
            removing: false,
            config,
        };
        self.table.insert(id, registration);
        self.send_register(core, now, id);
        id
    }

    /// Removes the binding; `Unregistered` follows, whatever the registrar says.
    ///
    /// # Errors
    /// [`EndpointError::NoSuchCall`] when there is no such registration, [`EndpointError::WrongState`] when it is
    /// being removed already.
    pub fn unregister(&mut self, core: &mut Core, now: Now, id: RegistrationId) -> Result<(), EndpointError> {
        let registration = self.table.get_mut(&id).ok_or(EndpointError::NoSuchCall)?;
        if std::mem::replace(&mut registration.leaving, true) {
            return Err(EndpointError::WrongState);
        }
        core.timers.clear(Timer::Registration(id));
        // One that is under way may not be overtaken (RFC 3261 section 10.2).
        if registration.tx.is_none() {
            self.leave(core, now, id);
        }
        Ok(())
    }

    /// The user part of the Contact we registered: who sends a call there got it from this registrar. `None` for a bulk
    /// registration, whose Contact has no user.
    #[must_use]
    pub fn contact_user(&self, id: RegistrationId) -> Option<&str> {
        let registration = self.table.get(&id).filter(|registration| !registration.config.bulk);
        registration.map(|registration| registration.contact_user.as_str())
    }

    /// The host and port of the Contact that REGISTER tells now.
    #[must_use]
    pub fn contact_address(&self, core: &Core, id: RegistrationId) -> Option<SocketAddr> {
        self.table.get(&id).map(|registration| core.transactions.public_address(&registration.config.flow))
    }

    /// The Service-Route of the registrar's last answer (RFC 3608): routes for requests to its network by the flow of
    /// the registration. Empty without one, and once the binding has run out or is made elsewhere.
    #[must_use]
    pub fn service_route(&self, now: Now, id: RegistrationId) -> &[NameAddr] {
        let lasts = |it: &&Registration| it.bound_until.is_some_and(|until| now.instant < until);
        self.table.get(&id).filter(lasts).map(|it| it.service_route.as_slice()).unwrap_or_default()
    }

    /// Where REGISTER goes now.
    #[must_use]
    pub fn flow(&self, id: RegistrationId) -> Option<Flow> {
        self.table.get(&id).map(|registration| registration.config.flow)
    }

    /// Registers by another flow from now on, at once unless a REGISTER is under way there already: the former target
    /// failed, or its connection ended. Failures in a row are counted on, so that their waits grow.
    pub fn register_by(&mut self, core: &mut Core, now: Now, id: RegistrationId, flow: Flow) {
        let Some(registration) = self.table.get_mut(&id).filter(|it| !it.leaving) else { return };
        if registration.tx.is_some() && registration.config.flow == flow {
            return;
        }
        if registration.config.flow.remote != flow.remote || registration.config.flow.transport != flow.transport {
            registration.service_route.clear();
        }
        registration.config.flow = flow;
        // An answer to one under way to the former target is nobody's any more.
        registration.tx = None;
        registration.digest.clear();
        core.timers.clear(Timer::Registration(id));
        self.send_register(core, now, id);
    }

    /// Removes the binding if there may be one, and forgets the registration if there is none.
    fn leave(&mut self, core: &mut Core, now: Now, id: RegistrationId) {
        if self.table.get(&id).is_some_and(|registration| registration.bound) {
            self.send_register(core, now, id);
        } else if self.table.remove(&id).is_some() {
            core.timers.clear(Timer::Registration(id));
            core.event(Event::Unregistered { registration: id });
        }
    }

    fn send_register(&mut self, core: &mut Core, now: Now, id: RegistrationId) {
        let Some(registration) = self.table.get_mut(&id) else { return };
        registration.cseq = registration.cseq.saturating_add(1);
        registration.attempts = 0;
        registration.removing = registration.leaving;
        let RegistrationConfig { flow, registrar, address, .. } = &registration.config;
        let secure = registrar.scheme == Scheme::Sips;
        let expires = if registration.leaving { 0 } else { registration.expires };
        let mut request = Request::new(Method::Register, registrar.clone());
        request.headers.push(H::MaxForwards, "70");
        for route in &registration.config.route {
            request.headers.push_display(H::Route, route);
        }
        request.headers.push(H::From, registration.from.clone());
        request.headers.push_display(H::To, address);
        request.headers.push(H::CallId, registration.call_id.clone());
        request.headers.push(H::CSeq, format!("{} REGISTER", registration.cseq));
        if registration.config.bulk {
            request.headers.push(H::Contact, core.bulk_contact(flow, secure));
            request.headers.push(H::Require, "gin");
            request.headers.push(H::ProxyRequire, "gin");
        } else {
            request.headers.push(H::Contact, core.contact(flow, Some(&registration.contact_user), secure));
        }
        request.headers.push(H::Expires, expires.to_string());
        request.headers.push(H::Allow, ALLOW);
        // All that RFC 3327 asks of a user agent: Path itself is between proxies and registrar.
        request.headers.push(H::Supported, "path");
        add_extra(&mut request.headers, &registration.config.headers);
        if let Some(credentials) = &registration.config.credentials {
            let uri = request.uri.to_string();
            let covered = super::auth::Covered { method: &request.method, uri: &uri, body: &request.body };
            for (name, value) in registration.digest.again(covered, credentials) {
                request.headers.push(name, value);
            }
        }
        let flow = *flow;
        registration.tx = Some(core.transactions.start(now, request, flow, Owner::Registration(id).into()));
    }

    pub fn on_timer(&mut self, core: &mut Core, now: Now, id: RegistrationId) {
        if self.table.get(&id).is_some_and(|registration| registration.tx.is_none()) {
            self.send_register(core, now, id);
        }
    }

    pub fn on_response(&mut self, core: &mut Core, now: Now, id: RegistrationId, tx: ClientId, response: &Response) {
        let Some(registration) = self.table.get_mut(&id).filter(|it| it.tx == Some(tx)) else { return };
        let status = response.status;
        if status.is_provisional() {
            return;
        }
        if status.is_success() {
            return self.on_registered(core, now, id, response);
        }
        let cseq = registration.cseq.saturating_add(1);
        registration.attempts = registration.attempts.saturating_add(1);
        let again = if registration.attempts > MAX_ATTEMPTS {
            None
        } else if status == StatusCode::INTERVAL_TOO_BRIEF {
            let least = response.headers.get(&H::MinExpires).and_then(|value| MinExpires::parse(value).ok());
            let least =
                least.map(|least| least.0).filter(|least| (registration.expires + 1..=MAX_EXPIRES).contains(least));
            least.and_then(|least| {
                registration.expires = least;
                let mut request = core.transactions.client(tx)?.parsed_request()?;
                request.headers.set(H::Expires, least.to_string());
                core.transactions.resend(now, tx, request, cseq)
            })
        } else {
            // They are for the server that is asked now, and no more for the one before it.
            let server = Network::host(registration.config.flow.peer());
            let credentials = registration.config.credentials.clone().map(|them| them.for_peers([server]));
            retry_authorized(core, now, credentials.as_ref(), &mut registration.digest, tx, response, cseq)
        };
        match again {
            Some(tx) => {
                registration.tx = Some(tx);
                registration.cseq = cseq;
            }
            None => {
                let wait = response.retry_after().map(|retry| retry.duration());
                self.registration_failed(core, now, id, status, wait);
            }
        }
    }

    fn on_registered(&mut self, core: &mut Core, now: Now, id: RegistrationId, response: &Response) {
        let Some(registration) = self.table.get_mut(&id) else { return };
        registration.tx = None;
        registration.failures = 0;
        // Authentication-Info's nextnonce is not used: a stale nonce costs one round trip, once.
        registration.digest.accepted(None);
        registration.bound = !registration.removing;
        if registration.leaving {
            registration.service_route.clear();
            return self.leave(core, now, id);
        }
        let (routes, ignored_routes) = service_route::read(response);
        registration.service_route = routes;
        let address = core.transactions.public_address(&registration.config.flow);
        let granted = registration.granted(response, address).clamp(1, MAX_EXPIRES);
        let expires = Duration::from_secs(granted.into());
        registration.bound_until = now.instant.checked_add(expires);
        // Somewhere between 70 and 90 %, so that many registrations spread.
        let refresh = expires.mul_f64(core.rng.random_range(0.7..0.9)).max(MIN_REFRESH);
        core.set_timer(now, Timer::Registration(id), refresh);
        core.event(Event::Registered { registration: id, expires, ignored_routes });
    }

    pub fn on_failure(&mut self, core: &mut Core, now: Now, id: RegistrationId, status: StatusCode) {
        self.registration_failed(core, now, id, status, None);
    }

    fn registration_failed(
        &mut self,
        core: &mut Core,
        now: Now,
        id: RegistrationId,
        status: StatusCode,
        wait: Option<Duration>,
    ) {
        let Some(registration) = self.table.get_mut(&id) else { return };
        registration.tx = None;
        registration.digest.clear();
        registration.failures = registration.failures.saturating_add(1);
        if registration.leaving {
            registration.bound = false;
            return self.leave(core, now, id);
        }
        let retry_after = wait;
        let doublings = (registration.failures - 1).min(16);
        let backoff = FIRST_RETRY.saturating_mul(1 << doublings).min(MAX_RETRY);
        // Between half and the whole of it, and never before the registrar said.
        let backoff = backoff / 2 + core.jitter(backoff / 2);
        let wait = wait.map_or(backoff, |wait| wait.min(MAX_RETRY).max(backoff));
        core.set_timer(now, Timer::Registration(id), wait);
        let retry_at = now.instant.checked_add(wait);
        core.event(Event::RegistrationFailed { registration: id, status, retry_at, retry_after });
    }
}

impl Registration {
    /// For how many seconds the registrar keeps our binding, whose Contact holds `address`.
    fn granted(&self, response: &Response, address: SocketAddr) -> u32 {
        let expires = response.headers.get(&H::Expires).and_then(|value| super::message::Expires::parse(value).ok());
        let default = expires.map_or(self.expires, |expires| expires.0);
        let Ok(Contacts::List(contacts)) = response.contacts() else { return default };
        let is_ours = |contact: &&NameAddr| {
            if self.config.bulk {
                contact.uri.user.is_none() && contact.uri.is_at(address)
            } else {
                contact.uri.user.as_deref() == Some(self.contact_user.as_str())
            }
        };
        let ours = contacts.iter().find(is_ours);
        match ours {
            Some(ours) => ours.params.get("expires").and_then(|expires| expires.parse().ok()).unwrap_or(default),
            None => default,
        }
    }
}
