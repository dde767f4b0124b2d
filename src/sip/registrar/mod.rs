//! Bindings of users: the registrar's side of REGISTER (RFC 3261 section 10.3), with flows of clients behind NAT (RFC
//! 5626) and public GRUUs (RFC 5627).
//!
//! Whoever asks has been found to be who the address of record belongs to. [`Registrar::register`] changes the
//! bindings, or none of them, and says what to answer; [`Registrar::targets`] tells where an address of record is
//! reached; [`Registrar::expire`] and [`Registrar::closed`] take away what has run out, or whose connection has ended.

mod binding;

pub use binding::Binding;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::flow::Flow;
use super::message::{Contacts, HeaderName as H, Headers, Request, StatusCode, Text, Transport, Uri};
use crate::types::relax;
use binding::Contact;

/// The shortest binding that is made; one that is asked for shorter gets 423.
const SHORTEST: Duration = Duration::from_secs(60);
/// The longest, and what is given where nothing is asked for.
const LONGEST: Duration = Duration::from_secs(3_600);
/// The longest by datagrams from behind a NAT, which forgets a mapping that is not used.
const BEHIND_NAT: Duration = Duration::from_secs(120);
/// Bindings of one address of record. One more takes the place of that which was refreshed longest ago.
const MOST: usize = 10;
/// Characters of what a client calls itself that are kept.
const LONGEST_USER_AGENT: usize = 64;
/// The longest Call-ID that is kept.
const LONGEST_CALL_ID: usize = 256;

/// What a REGISTER is answered with, and whether anything has changed.
#[derive(Debug)]
pub struct Registered {
    /// The status.
    pub status: StatusCode,
    /// Headers beside those that every response has.
    pub headers: Headers,
    /// Bindings were made, refreshed or removed.
    pub changed: bool,
    /// A binding was made that was not there.
    pub fresh: bool,
}

impl Registered {
    fn refused(status: StatusCode) -> Self {
        Self { status, headers: Headers::new(), changed: false, fresh: false }
    }
}

/// All bindings, by address of record.
#[derive(Debug, Default)]
pub struct Registrar {
    bindings: BTreeMap<Arc<str>, Vec<Binding>>,
    /// When each address of record loses its next binding.
    due: BTreeSet<(Instant, Arc<str>)>,
    /// Addresses of record with a binding by a connection.
    connections: HashMap<u64, BTreeSet<Arc<str>>>,
    /// How many bindings there are by each flow.
    flows: HashMap<Flow, u32>,
    refreshed: u64,
}

impl Registrar {
    /// Serves a REGISTER for `aor`, which came by `flow`; responses to it go there, and so will requests.
    pub fn register(&mut self, now: Instant, aor: &str, request: &Request, flow: Flow) -> Registered {
        let known = ["outbound", "gruu"];
        let strange: Vec<String> = request
            .require()
            .filter(|tag| !known.iter().any(|known| tag.eq_ignore_ascii_case(known)))
            .map(|tag| tag.to_string())
            .collect();
        if !strange.is_empty() {
            let mut refused = Registered::refused(StatusCode::BAD_EXTENSION);
            refused.headers.push(H::Unsupported, strange.join(", "));
            return refused;
        }
        let parts = (request.contacts(), request.call_id(), request.cseq(), request.to());
        let (Ok(contacts), Some(call_id), Ok(cseq), Ok(to)) = parts else {
            return Registered::refused(StatusCode::BAD_REQUEST);
        };
        if call_id.len() > LONGEST_CALL_ID {
            return Registered::refused(StatusCode::BAD_REQUEST);
        }
        let call_id = Text::from(call_id.as_str());
        let update = Update { call_id, cseq: cseq.number, request, flow };
        let key: Arc<str> = aor.into();
        let mut kept = self.live(now, &key);
        let before = kept.clone();
        let outbound = match self.update(now, &mut kept, contacts, &update) {
            Ok(outbound) => outbound,
            Err(refused) => return refused,
        };
        let is_new = |binding: &Binding| !before.iter().any(|other| other.same_place(binding));
        let fresh = kept.iter().any(is_new);
        let changed = kept != before;
        let gruu_of = request.supports("gruu").then_some(&to.uri);
        let mut headers = Headers::new();
        for binding in &kept {
            headers.push_display(H::Contact, &binding.described(now, gruu_of));
        }
        if outbound {
            headers.push(H::Require, "outbound");
        }
        headers.push(H::Supported, known.join(", "));
        if changed {
            self.put(&key, kept);
        }
        Registered { status: StatusCode::OK, headers, changed, fresh }
    }

    /// Does what the Contacts ask for with the bindings, or nothing. Says whether flows are kept apart for this client.
    fn update(
        &mut self,
        now: Instant,
        bindings: &mut Vec<Binding>,
        contacts: Contacts,
        update: &Update<'_>,
    ) -> Result<bool, Registered> {
        let wish = update.request.expires().map(|expires| expires.0);
        let list = match contacts {
            Contacts::List(list) => list,
            Contacts::Star => {
                if wish != Some(0) {
                    return Err(Registered::refused(StatusCode::BAD_REQUEST));
                }
                if bindings.iter().any(|binding| update.is_late_for(binding)) {
                    return Err(Registered::refused(StatusCode(500)));
                }
                bindings.clear();
                return Ok(false);
            }
        };
        if list.len() > MOST {
            return Err(Registered::refused(StatusCode::BAD_REQUEST));
        }
        let supports_outbound = update.request.supports("outbound");
        let mut outbound = false;
        for address in &list {
            let contact = Contact::read(address, supports_outbound)
                .ok_or_else(|| Registered::refused(StatusCode::BAD_REQUEST))?;
            if contact.reg_id.is_some() {
                // Another hop stands between us and the client, and knows nothing of flows (RFC 5626 section 6).
                if update.request.headers.values(&H::Via).nth(1).is_some() {
                    return Err(Registered::refused(StatusCode(439)));
                }
                outbound = true;
            }
            let time = granted(&contact, wish, &update.flow)?;
            let place = bindings.iter().position(|binding| binding.is_of(&contact));
            if place.and_then(|place| bindings.get(place)).is_some_and(|binding| update.is_late_for(binding)) {
                return Err(Registered::refused(StatusCode(500)));
            }
            if let Some(place) = place {
                bindings.remove(place);
            }
            if time.is_zero() {
                continue;
            }
            if bindings.len() >= MOST
                && let Some(oldest) = (0..bindings.len()).min_by_key(|at| bindings.get(*at).map(|it| it.refreshed))
            {
                bindings.remove(oldest);
            }
            self.refreshed += 1;
            bindings.push(update.binding(contact, now + time, self.refreshed));
        }
        Ok(outbound)
    }

    /// Where `aor` is reached: all of its bindings, the preferred first; of several flows of one instance the one that
    /// was refreshed last (RFC 5626 section 7). `gr`: that of the GRUU that was called, which is of one instance alone
    /// (RFC 5627 section 5.4).
    #[must_use]
    pub fn targets(&self, now: Instant, aor: &str, gr: Option<&str>) -> Vec<Binding> {
        let mut live = self.live(now, aor);
        if let Some(gr) = gr {
            live.retain(|binding| binding.is_instance(gr));
        }
        live.sort_by_key(|binding| (std::cmp::Reverse(binding.q), std::cmp::Reverse(binding.refreshed)));
        let mut seen: BTreeSet<String> = BTreeSet::new();
        live.retain(|binding| match (&binding.instance, binding.reg_id) {
            (Some(instance), Some(_)) => seen.insert(instance.clone()),
            _ => true,
        });
        live
    }

    /// The bindings of `aor`, in the order in which they were refreshed.
    #[must_use]
    pub fn live(&self, now: Instant, aor: &str) -> Vec<Binding> {
        let all = self.bindings.get(aor).into_iter().flatten();
        all.filter(|binding| binding.expires_at > now).cloned().collect()
    }

    /// Puts bindings in place that were kept elsewhere. Nothing, where `aor` has any: they are newer.
    pub fn restore(&mut self, aor: &str, bindings: Vec<Binding>) {
        if !self.bindings.contains_key(aor) && !bindings.is_empty() {
            let bindings = bindings.into_iter().take(MOST).map(|binding| {
                self.refreshed += 1;
                Binding { refreshed: self.refreshed, ..binding }
            });
            let bindings = bindings.collect();
            self.put(&aor.into(), bindings);
        }
    }

    /// Takes all bindings of `aor` away. Says whether there were any.
    pub fn remove(&mut self, aor: &str) -> bool {
        let is_there = self.bindings.contains_key(aor);
        if is_there {
            self.put(&aor.into(), Vec::new());
        }
        is_there
    }

    /// When [`Self::expire`] is to be called.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Instant> {
        self.due.first().map(|(at, _)| *at)
    }

    /// Takes away what has run out of the next address of record; gives it, or `None` where nothing is due.
    pub fn expire(&mut self, now: Instant) -> Option<Arc<str>> {
        let (at, aor) = self.due.first()?.clone();
        if at > now {
            return None;
        }
        let live = self.live(now, &aor);
        self.put(&aor, live);
        Some(aor)
    }

    /// The connection of a flow has ended, and with it its bindings. Gives the addresses of record that had any.
    pub fn closed(&mut self, flow: &Flow) -> Vec<Arc<str>> {
        let Some(connection) = flow.connection else { return Vec::new() };
        let lost: Vec<_> = self.connections.get(&connection).into_iter().flatten().cloned().collect();
        for aor in &lost {
            let mut left = self.bindings.get(aor).cloned().unwrap_or_default();
            left.retain(|binding| binding.flow.connection != Some(connection));
            self.put(aor, left);
        }
        lost
    }

    /// Whether there is a binding by this flow: what comes by it is of somebody we know.
    #[must_use]
    pub fn is_flow_known(&self, flow: &Flow) -> bool {
        !self.flows.is_empty() && self.flows.contains_key(&known_as(flow))
    }

    /// The addresses of record that have any bindings.
    pub fn users(&self) -> impl Iterator<Item = Arc<str>> + '_ {
        self.bindings.keys().cloned()
    }

    /// How many bindings there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.bindings.values().map(Vec::len).sum()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.bindings.is_empty()
    }

    /// Puts the bindings of `aor` in the place of those that were.
    fn put(&mut self, aor: &Arc<str>, bindings: Vec<Binding>) {
        let before = self.bindings.remove(aor).unwrap_or_default();
        if let Some(at) = earliest(&before) {
            self.due.remove(&(at, Arc::clone(aor)));
        }
        for binding in &before {
            let flow = known_as(&binding.flow);
            if let Some(count) = self.flows.get_mut(&flow) {
                *count -= 1;
                if *count == 0 {
                    self.flows.remove(&flow);
                }
            }
            if let Some(connection) = binding.flow.connection
                && let Some(aors) = self.connections.get_mut(&connection)
            {
                aors.remove(aor);
                if aors.is_empty() {
                    self.connections.remove(&connection);
                }
            }
        }
        relax(&mut self.flows);
        relax(&mut self.connections);
        for binding in &bindings {
            *self.flows.entry(known_as(&binding.flow)).or_default() += 1;
            if let Some(connection) = binding.flow.connection {
                self.connections.entry(connection).or_default().insert(Arc::clone(aor));
            }
        }
        if let Some(at) = earliest(&bindings) {
            self.due.insert((at, Arc::clone(aor)));
        }
        if !bindings.is_empty() {
            self.bindings.insert(Arc::clone(aor), bindings);
        }
    }
}

/// One REGISTER.
struct Update<'a> {
    call_id: Text,
    cseq: u32,
    request: &'a Request,
    flow: Flow,
}

impl Update<'_> {
    /// Whether this binding was changed by a later request of the same client (RFC 3261 section 10.3, steps 6 and 7).
    fn is_late_for(&self, binding: &Binding) -> bool {
        binding.call_id == self.call_id && self.cseq <= binding.cseq
    }

    fn binding(&self, contact: Contact, expires_at: Instant, refreshed: u64) -> Binding {
        let named = self.request.headers.get_str(&H::UserAgent);
        let user_agent =
            named.map(|name| name.chars().filter(|letter| !letter.is_control()).take(LONGEST_USER_AGENT).collect());
        Binding {
            contact: contact.uri,
            flow: self.flow,
            q: contact.q,
            instance: contact.instance,
            reg_id: contact.reg_id,
            call_id: self.call_id.clone(),
            cseq: self.cseq,
            user_agent,
            expires_at,
            refreshed,
        }
    }
}

impl Binding {
    /// Whether both lead to the same place, however long each holds.
    fn same_place(&self, other: &Self) -> bool {
        self.contact == other.contact && self.flow == other.flow
    }
}

/// How long a binding is made for; zero: it is removed.
fn granted(contact: &Contact, wish: Option<u32>, flow: &Flow) -> Result<Duration, Registered> {
    let asked = contact.expires.or(wish).map_or(LONGEST, |seconds| Duration::from_secs(seconds.into()));
    if !asked.is_zero() && asked < SHORTEST {
        let mut refused = Registered::refused(StatusCode::INTERVAL_TOO_BRIEF);
        refused.headers.push(H::MinExpires, SHORTEST.as_secs().to_string());
        return Err(refused);
    }
    let most = if is_behind_nat(&contact.uri, flow) { BEHIND_NAT } else { LONGEST };
    Ok(asked.min(most))
}

/// Whether a client's idea of its address is another than ours, and nothing but its datagrams keeps the way open.
fn is_behind_nat(contact: &Uri, flow: &Flow) -> bool {
    flow.transport == Transport::Udp && contact.host.ip().is_some_and(|ip| ip.to_canonical() != flow.peer())
}

/// A flow as what comes by it is told by: the connection, or where datagrams come from.
fn known_as(flow: &Flow) -> Flow {
    match flow.connection {
        Some(_) => flow.identity(),
        // Whichever of our addresses they go to.
        None => Flow { local: flow.remote, ..*flow },
    }
}

fn earliest(bindings: &[Binding]) -> Option<Instant> {
    bindings.iter().map(|binding| binding.expires_at).min()
}

#[cfg(test)]
mod tests;
