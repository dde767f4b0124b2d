//! What an [`Endpoint`](crate::sip::Endpoint) is told when it is made.

use std::time::Duration;

use super::{ALLOW, ALLOW_WITH_BOTH, ALLOW_WITH_MESSAGE, ALLOW_WITH_REFER, SUPPORTED};
use crate::sip::transaction::Timing;

/// Settings of an endpoint; every one has a default.
#[derive(Debug, Clone)]
pub struct EndpointConfig {
    /// Value of User-Agent and Server. Default `Partyline` with the version.
    pub user_agent: String,
    /// T1, T2 and T4 (RFC 3261 section 17.1.1.1).
    pub timing: Timing,
    /// The user part of our Contact where a call names none. Default `partyline`.
    pub contact_user: String,
    /// The session interval we ask for (RFC 4028). `None`: we ask for none, and still honour the peer's wish.
    /// Default 1800 s; at least `min_session_expires`.
    pub session_expires: Option<Duration>,
    /// The shortest session interval we accept; at least the 90 s of RFC 4028. Default 90 s.
    pub min_session_expires: Duration,
    /// When provisional responses of ours are sent reliably (RFC 3262). Default: only when the peer requires it.
    pub reliable_provisional: ReliableProvisional,
    /// How long an outgoing INVITE may ring before it is cancelled. Default 300 s.
    pub ring_timeout: Duration,
    /// How long an incoming INVITE may wait for our final response before it gets 480. Default 300 s.
    pub answer_timeout: Duration,
    /// Requests of more bytes than this go by TCP where they would go by UDP, and by UDP after all where TCP is refused
    /// (RFC 3261 section 18.1.1). Default 1300.
    pub datagram_limit: usize,
    /// Whether each message is also reported as [`Output::Trace`](super::Output::Trace). Default no.
    pub trace: bool,
    /// Bounds on what the network can make us hold.
    pub limits: Limits,
}

/// What holds between us and one peer; see [`Admitted::terms`](crate::sip::Admitted::terms).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Terms {
    /// As [`EndpointConfig::session_expires`].
    pub session_expires: Option<Duration>,
    /// As [`EndpointConfig::min_session_expires`].
    pub min_session_expires: Duration,
    /// As [`EndpointConfig::reliable_provisional`].
    pub reliable_provisional: ReliableProvisional,
    /// Whether calls may be referred (RFC 3515), so that REFER and NOTIFY are said to be allowed.
    pub refer: bool,
    /// Whether MESSAGE (RFC 3428) and INFO of any kind are taken, in calls and, MESSAGE, outside of them.
    pub messages: bool,
    /// Whether one call may take the place of another (RFC 3891), so that `replaces` is said to be supported.
    pub replaces: bool,
}

impl EndpointConfig {
    /// What holds where a peer has no terms of its own.
    #[must_use]
    pub const fn terms(&self) -> Terms {
        Terms {
            session_expires: self.session_expires,
            min_session_expires: self.min_session_expires,
            reliable_provisional: self.reliable_provisional,
            refer: false,
            messages: false,
            replaces: false,
        }
    }
}

impl Terms {
    /// The methods we take, for Allow.
    pub(crate) const fn allow(&self) -> &'static str {
        match (self.refer, self.messages) {
            (false, false) => ALLOW,
            (true, false) => ALLOW_WITH_REFER,
            (false, true) => ALLOW_WITH_MESSAGE,
            (true, true) => ALLOW_WITH_BOTH,
        }
    }

    /// The extensions we speak, for Supported.
    pub(crate) const fn supported(&self) -> &'static str {
        match (self.refer, self.replaces) {
            (false, false) => SUPPORTED,
            (true, false) => "100rel, timer, norefersub",
            (false, true) => "100rel, timer, replaces",
            (true, true) => "100rel, timer, replaces, norefersub",
        }
    }

    /// Whether a request may require this extension of us, beside those that hold with everybody.
    pub(crate) fn understands(&self, tag: &str) -> bool {
        (self.refer && tag.eq_ignore_ascii_case("norefersub"))
            || (self.replaces && tag.eq_ignore_ascii_case("replaces"))
    }
}

/// When provisional responses of ours are sent reliably.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ReliableProvisional {
    /// Never: an INVITE that requires it gets 420.
    Never,
    /// Only when the INVITE requires it.
    #[default]
    WhenRequired,
    /// When the INVITE supports it.
    WhenSupported,
}

/// Bounds on what the network can make an endpoint hold.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Transactions of both kinds, those that only absorb retransmissions included. Default 500,000.
    pub transactions: usize,
    /// Calls. Default 50,000.
    pub calls: usize,
    /// Requests of one source address that wait for our final response. Default 4,096.
    pub pending_per_source: u32,
    /// Early dialogs one outgoing INVITE may fork into. Default 16.
    pub forks: usize,
    /// 2xx of different peers to one outgoing INVITE that are acknowledged and ended: whoever answers begins to bill.
    /// Default 256.
    pub answers: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { transactions: 500_000, calls: 50_000, pending_per_source: 4_096, forks: 16, answers: 256 }
    }
}

impl Default for EndpointConfig {
    fn default() -> Self {
        Self {
            user_agent: concat!("Partyline/", env!("CARGO_PKG_VERSION")).into(),
            timing: Timing::default(),
            contact_user: "partyline".into(),
            session_expires: Some(Duration::from_secs(1800)),
            min_session_expires: Duration::from_secs(90),
            reliable_provisional: ReliableProvisional::default(),
            ring_timeout: Duration::from_secs(300),
            answer_timeout: Duration::from_secs(300),
            datagram_limit: 1_300,
            trace: false,
            limits: Limits::default(),
        }
    }
}
