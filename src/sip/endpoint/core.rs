//! What transactions, calls and registrations share: the queue out, the timers, the random numbers, the limits.

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

use bytes::Bytes;
use rand::{Rng, SeedableRng, rngs::StdRng};

use super::clients::ClientTransaction;
use super::retention::Retention;
use super::servers::ServerTransaction;
use super::timer::{ClientId, InviteTimer, ServerId, Timer};
use super::{Counts, EndpointConfig, Event, Flow, InviteId, Output, TraceDirection, TraceLine};
use crate::sip::dialog::Tag;
use crate::sip::message::{HeaderName as H, Headers, Host, HostPort, Message, Request, Scheme, Text, Transport, Uri};
use crate::sip::transaction::{Key, Keys};
use crate::types::{Addresses, Deadlines, IdMap, Now};

/// The methods we take, for Allow.
pub(crate) const ALLOW: &str = "INVITE, ACK, CANCEL, BYE, OPTIONS, PRACK, UPDATE, INFO";
/// The same where calls may be referred.
pub(crate) const ALLOW_WITH_REFER: &str = "INVITE, ACK, CANCEL, BYE, OPTIONS, PRACK, UPDATE, INFO, REFER, NOTIFY";
/// The extensions we speak, for Supported.
pub(crate) const SUPPORTED: &str = "100rel, timer";
/// The bodies we take, for Accept.
pub(crate) const ACCEPT: &str = "application/sdp, multipart/mixed";

/// The shared part of an endpoint.
pub(crate) struct Core {
    pub config: EndpointConfig,
    pub rng: StdRng,
    pub timers: Deadlines<Timer>,
    pub outputs: VecDeque<Output>,
    pub totals: Counts,
    pub clients: IdMap<ClientId, Box<ClientTransaction>>,
    /// Unfinished client transactions by the flow they wait on (its identity).
    pub waiting: HashMap<Flow, BTreeSet<ClientId>>,
    pub keys: Keys,
    pub servers: IdMap<ServerId, Box<ServerTransaction>>,
    pub server_keys: IdMap<Key, ServerId>,
    pub merges: IdMap<Key, ServerId>,
    pub retention: Retention,
    /// Requests without a final response, by source.
    pub pending: HashMap<IpAddr, u32>,
    /// Peers that refused TCP, and until when they are not asked again.
    pub no_tcp: HashMap<SocketAddr, Instant>,
    pub addresses: Addresses,
    next_id: u64,
}

impl Core {
    pub fn new(config: EndpointConfig, seed: u64) -> Self {
        Self {
            config,
            // A stream of its own: what is drawn for messages tells nothing of the keys' secret.
            keys: Keys::new(&mut StdRng::seed_from_u64(!seed)),
            rng: StdRng::seed_from_u64(seed),
            timers: Deadlines::default(),
            outputs: VecDeque::new(),
            totals: Counts::default(),
            clients: IdMap::default(),
            waiting: HashMap::new(),
            servers: IdMap::default(),
            server_keys: IdMap::default(),
            merges: IdMap::default(),
            retention: Retention::default(),
            pending: HashMap::new(),
            no_tcp: HashMap::new(),
            addresses: Addresses::default(),
            next_id: 0,
        }
    }

    /// The address `flow`'s peer is to use for its socket.
    pub fn public_address(&self, flow: &Flow) -> SocketAddr {
        SocketAddr::new(self.addresses.towards(flow.remote.ip(), flow.local.ip()), flow.local.port())
    }

    pub fn next_id(&mut self) -> u64 {
        self.next_id += 1;
        self.next_id
    }

    pub fn new_tag(&mut self) -> Tag {
        Tag(self.rng.random())
    }

    /// A Call-ID header's value nobody can guess.
    pub fn new_call_id(&mut self) -> Text {
        Text::from(format!("{:032x}", self.rng.random::<u128>()))
    }

    /// Where CSeq begins: small enough never to reach 2³¹.
    pub fn new_cseq(&mut self) -> u32 {
        self.rng.random_range(1..65_536)
    }

    pub fn event(&mut self, event: Event) {
        self.outputs.push_back(Output::Event(event));
    }

    /// Sets a timer; never for now, so that one call of `handle_timeout` always comes to an end.
    pub fn set_timer(&mut self, now: Now, timer: Timer, after: Duration) {
        let after = after.max(Duration::from_millis(1));
        if let Some(at) = now.instant.checked_add(after) {
            self.timers.set(timer, at);
        }
    }

    pub fn set_call_timer(&mut self, now: Now, id: InviteId, timer: InviteTimer, after: Duration) {
        self.set_timer(now, Timer::Invite(id, timer), after);
    }

    pub fn clear_call_timer(&mut self, id: InviteId, timer: InviteTimer) {
        self.timers.clear(Timer::Invite(id, timer));
    }

    pub fn next_deadline(&self) -> Option<Instant> {
        [self.timers.next(), self.retention.next()].into_iter().flatten().min()
    }

    /// Sends bytes that are a whole message.
    pub fn transmit(&mut self, flow: Flow, bytes: Bytes) {
        self.transmit_as(flow, bytes, false);
    }

    /// The same; `hurried` if there is a datagram that goes in its place.
    pub fn transmit_as(&mut self, flow: Flow, bytes: Bytes, hurried: bool) {
        self.totals.sent += 1;
        if self.config.trace
            && let Ok(message) = Message::parse(&bytes)
        {
            self.trace(TraceDirection::Out, &flow, &message);
        }
        self.outputs.push_back(Output::Transmit { flow, bytes, hurried });
    }

    pub fn trace(&mut self, direction: TraceDirection, flow: &Flow, message: &Message) {
        let call_id = message.headers().call_id().as_deref().unwrap_or_default().to_owned();
        let summary = match message {
            Message::Request(request) => summary(request),
            Message::Response(response) => {
                let method = response.cseq().map(|cseq| cseq.method.to_string()).unwrap_or_default();
                format!("{} {} ({method})", response.status.0, response.reason)
            }
        };
        self.outputs.push_back(Output::Trace(TraceLine { call_id, direction, flow: *flow, summary }));
    }

    /// The value of our Contact for messages on `flow`.
    pub fn contact(&self, flow: &Flow, user: Option<&str>, secure: bool) -> Text {
        let user = user.unwrap_or(&self.config.contact_user);
        let uri = self.contact_uri(flow, Some(user), secure);
        Text::from(format!("<{uri}>"))
    }

    /// The Contact that stands for all numbers of an account (RFC 6140 section 5.2).
    pub fn bulk_contact(&self, flow: &Flow, secure: bool) -> Text {
        let mut uri = self.contact_uri(flow, None, secure);
        uri.params.set_flag("bnc");
        Text::from(format!("<{uri}>"))
    }

    fn contact_uri(&self, flow: &Flow, user: Option<&str>, secure: bool) -> Uri {
        let address = self.public_address(flow);
        let mut uri = Uri::sip(user, address.ip(), Some(address.port()));
        if secure {
            uri.scheme = Scheme::Sips;
        }
        if flow.transport != Transport::Udp && !(secure && flow.transport == Transport::Tls) {
            uri.params.set("transport", flow.transport.as_param());
        }
        uri
    }

    /// The Via of a request of ours on `flow`, with the branch of `id`.
    pub fn via(&self, flow: &Flow, id: ClientId) -> String {
        let sent_by = HostPort::from(self.public_address(flow));
        format!("SIP/2.0/{} {sent_by};branch=z9hG4bK{:016x};rport", flow.transport, id.branch)
    }

    /// Adds what every request and response says about us.
    pub fn add_identity(&self, headers: &mut Headers, name: H) {
        if !self.config.user_agent.is_empty() {
            headers.push(name, Bytes::copy_from_slice(self.config.user_agent.as_bytes()));
        }
    }

    /// Up to `at_most`, drawn anew each time.
    pub fn jitter(&mut self, at_most: Duration) -> Duration {
        let millis = u64::try_from(at_most.as_millis()).unwrap_or(u64::MAX);
        Duration::from_millis(self.rng.random_range(0..=millis))
    }
}

/// The address itself where it is an IPv4 address in IPv6 clothes, as a socket for both families gives it.
pub(crate) fn canonical(address: SocketAddr) -> SocketAddr {
    SocketAddr::new(address.ip().to_canonical(), address.port())
}

/// A request in a line.
pub(crate) fn summary(request: &Request) -> String {
    format!("{} {}", request.method, request.uri)
}

/// The address a host and port name, where that can be said without DNS.
pub(crate) fn literal_address(host: &Host, port: Option<u16>, transport: Transport) -> Option<SocketAddr> {
    host.ip().map(|ip| SocketAddr::new(ip, port.unwrap_or(transport.default_port())))
}
