//! What calls and registrations are made of, between the transactions under them and the endpoint above: the user agent
//! core of RFC 3261 section 8.
//!
//! [`Core`] is handed to whoever acts: transactions, deadlines, random numbers, what goes out. What is said to the user
//! of the endpoint is in `event`, what it says in `config` and `request`.

mod authorization;
mod checks;
mod config;
mod description;
mod event;
mod owner;
mod request;
mod timer;

pub(crate) use authorization::{Proof, authorize, retry_authorized};
pub(crate) use checks::{check_accept, check_body, check_info, check_require, check_scheme, elsewhere};
pub use config::{EndpointConfig, Limits, ReliableProvisional, Terms};
pub(crate) use description::session_description;
pub use event::{
    EndedBy, EndpointError, Event, Input, InviteId, MessageId, Output, PeerId, PingId, Referral, RegistrationId,
    RequestId,
};
pub(crate) use owner::{Client, Owner};
pub(crate) use request::add_extra;
pub use request::{OutgoingInvite, RegistrationConfig};
pub(crate) use timer::{InviteTimer, Timer};

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use bytes::Bytes;
use rand::{Rng, rngs::StdRng};

use super::flow::Flow;
use super::message::{Scheme, Tag, Text, Transport, Uri};
use super::transaction::{self, Transactions};
use crate::types::{Deadlines, Now, Seed};

/// The methods we take, for Allow.
pub(crate) const ALLOW: &str = "INVITE, ACK, CANCEL, BYE, OPTIONS, PRACK, UPDATE, INFO";
/// The same where calls may be referred.
pub(crate) const ALLOW_WITH_REFER: &str = "INVITE, ACK, CANCEL, BYE, OPTIONS, PRACK, UPDATE, INFO, REFER, NOTIFY";
/// The same where messages are taken.
pub(crate) const ALLOW_WITH_MESSAGE: &str = "INVITE, ACK, CANCEL, BYE, OPTIONS, PRACK, UPDATE, INFO, MESSAGE";
/// The same where both are so.
pub(crate) const ALLOW_WITH_BOTH: &str =
    "INVITE, ACK, CANCEL, BYE, OPTIONS, PRACK, UPDATE, INFO, REFER, NOTIFY, MESSAGE";
/// The extensions we speak, for Supported.
pub(crate) const SUPPORTED: &str = "100rel, timer";
/// The bodies we take, for Accept.
pub(crate) const ACCEPT: &str = "application/sdp, multipart/mixed";

/// What calls and registrations share.
pub(crate) struct Core {
    pub config: EndpointConfig,
    pub rng: StdRng,
    pub timers: Deadlines<Timer>,
    pub transactions: Transactions<Client, InviteId>,
    outputs: VecDeque<Output>,
    last_id: u64,
}

impl Core {
    pub fn new(config: EndpointConfig, seed: Seed) -> Self {
        let layer = transaction::Config {
            identity: Bytes::copy_from_slice(config.user_agent.as_bytes()),
            timing: config.timing,
            ring_timeout: config.ring_timeout,
            datagram_limit: config.datagram_limit,
            trace: config.trace,
            most: config.limits.transactions,
            pending_per_source: config.limits.pending_per_source,
        };
        let mut rng = seed.generator();
        Self {
            transactions: Transactions::new(layer, Seed::drawn(&mut rng)),
            config,
            rng,
            timers: Deadlines::default(),
            outputs: VecDeque::new(),
            last_id: 0,
        }
    }

    pub fn next_id(&mut self) -> u64 {
        self.last_id += 1;
        self.last_id
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

    /// Tells the endpoint's user, after all that has been sent before.
    pub fn event(&mut self, event: Event) {
        while let Some(output) = self.transactions.poll_output() {
            self.outputs.push_back(output.into());
        }
        self.outputs.push_back(Output::Event(event));
    }

    /// What goes out next, in the order in which it came about.
    pub fn poll_output(&mut self) -> Option<Output> {
        self.outputs.pop_front().or_else(|| self.transactions.poll_output().map(Into::into))
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
        [self.timers.next(), self.transactions.poll_timeout()].into_iter().flatten().min()
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
        let address = self.transactions.public_address(flow);
        let mut uri = Uri::sip(user, address.ip(), Some(address.port()));
        if secure {
            uri.scheme = Scheme::Sips;
        }
        if flow.transport != Transport::Udp && !(secure && flow.transport == Transport::Tls) {
            uri.params.set("transport", flow.transport.as_param());
        }
        uri
    }

    /// Up to `at_most`, drawn anew each time.
    pub fn jitter(&mut self, at_most: Duration) -> Duration {
        let millis = u64::try_from(at_most.as_millis()).unwrap_or(u64::MAX);
        Duration::from_millis(self.rng.random_range(0..=millis))
    }
}

/// Whole seconds, at least one.
pub(crate) fn seconds(duration: Duration) -> u32 {
    u32::try_from(duration.as_secs()).unwrap_or(u32::MAX).max(1)
}
