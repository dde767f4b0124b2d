//! `[trunks.*]`.

use super::{DigestAlgorithm, Identity, Secret, SipTransport, TrunkTls};
use crate::dialplan::number::NumberRules;
use crate::types::{CodecPolicy, Network};
use std::fmt;
use std::net::IpAddr;
use std::time::Duration;

/// A SIP peer that carries calls to and from the telephone network.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trunk {
    /// Its name in the file; what routes call it.
    pub name: String,
    /// Where it is reached, in this order (RFC 3263 for each). Empty: it only calls us.
    pub address: Vec<TrunkAddress>,
    /// How it is called. Default: as its NAPTR and SRV records say, and UDP where there are none.
    pub transport: Option<SipTransport>,
    /// Everything to this trunk goes by way of this host (RFC 3261 section 8.1.2), instead of to `address`. Default:
    /// none.
    pub proxy: Option<Proxy>,
    /// How it shows who it is, and we to it, when it is called by TLS.
    pub tls: TrunkTls,
    /// Time between two OPTIONS that ask whether it is there. Default 30 s for a trunk with an address; 5 s to 1 h, or
    /// `None` (`"off"`): it is taken for being there.
    pub ping: Option<Duration>,
    /// Networks its calls come from. Default: those of `address` that are IP addresses. Empty: only the addresses that
    /// the names in `address` resolve to.
    pub allow: Vec<Network>,
    /// Networks its media comes from. Empty (the default): the signalling peer and the SDP's address.
    pub media: Vec<Network>,
    /// What this trunk must see as our address. Default: the gateway's.
    pub public_address: Option<IpAddr>,
    /// User name for digest authentication and registration.
    pub username: Option<String>,
    /// Password for them. From the environment or a file.
    pub password: Option<Secret>,
    /// The only realm the password is given to. Default: any realm, asked for by this trunk.
    pub realm: Option<String>,
    /// Whether we register there, and what. Default no.
    pub register: Register,
    /// What a caller who is known by no address answers our digest challenge with. Default: nobody is asked. Whoever
    /// proves to know it is this trunk, wherever from; those known by address are not asked.
    pub auth: Option<TrunkAuth>,
    /// How long a registration is asked to last. Default 1 h; 1 min to 24 h.
    pub expires: Duration,
    /// Our number, E.164, on calls we make there. Default: none, the calls are anonymous.
    pub caller_id: Option<String>,
    /// What it is told of who calls, and believed of who calls in.
    pub identity: Identity,
    /// How numbers come from it and are written there. Default: the gateway's rules.
    pub numbers: NumberRules,
    /// Calls at one time, both directions; beyond it the trunk gets 486. Default: no limit of its own.
    pub max_calls: Option<u32>,
    /// Calls that may begin within any second, both directions; beyond it the trunk gets 480 and our calls go by the
    /// next trunk. Default: no limit. 1 to 10000.
    pub max_calls_per_second: Option<u32>,
    /// Whether our calls follow its redirections (3xx), by the same routes. Default no.
    pub redirects: bool,
    /// Whether it may refer its calls to somebody else (RFC 3515), and `partyline ctl transfer` may refer them to it.
    /// What it refers to is called by the routes with `from = "sessions"`, as any other call of ours. Default no.
    pub refer: bool,
    /// Whether a call of its may take the place of another call of its (RFC 3891). Default no.
    pub replaces: bool,
    /// Whether its 480 means that another trunk may do better. Default no: the callee is not available.
    pub failover_on_480: bool,
    /// Codecs spoken with it. Default: the gateway's.
    pub codecs: CodecPolicy,
    /// How digits are sent to it. Default: RFC 4733.
    pub digits: DigitTransport,
    /// Where the called number is looked for, in this order. Default: the request URI, then To.
    pub number_from: Vec<NumberSource>,
    /// Session timer (RFC 4028).
    pub session_timer: SessionTimer,
    /// How long nothing may be heard from a call that is not on hold before it is taken for gone. Default 60 s; 10 s to
    /// 24 h.
    pub media_timeout: Duration,
    /// Reliable provisional responses (RFC 3262). Default: when the peer requires it.
    pub reliable: ReliableProvisional,
    /// Whether its sound is encrypted. Default off.
    pub srtp: SrtpPolicy,
    /// Whether SRTP keys are offered and taken where whoever listens to the signalling can read them. Default no.
    pub srtp_keys_in_clear: bool,
    /// Whether whoever calls by it is brought to the same loudness. Default no.
    pub automatic_gain: bool,
    /// Whether the noise behind its callers is suppressed. Default no.
    pub noise_suppression: bool,
}

impl Trunk {
    /// Whether SRTP is spoken with it over signalling that is encrypted or is not.
    #[must_use]
    pub fn speaks_srtp(&self, signalling_is_secure: bool) -> bool {
        self.srtp != SrtpPolicy::Off && (signalling_is_secure || self.srtp_keys_in_clear)
    }

    /// Whether both are reached in the same way: what was found of one holds for the other.
    #[must_use]
    pub fn is_reached_as(&self, other: &Self) -> bool {
        self.address == other.address
            && self.transport == other.transport
            && self.proxy == other.proxy
            && self.tls == other.tls
    }

    /// Whether a registration made by the settings of one is good for the other.
    #[must_use]
    pub fn registers_as(&self, other: &Self) -> bool {
        // The networks in `allow` are those that the password may be proved to.
        self.is_reached_as(other)
            && self.register == other.register
            && self.username == other.username
            && self.password == other.password
            && self.realm == other.realm
            && self.expires == other.expires
            && self.allow == other.allow
    }

    /// Whether a request from `source` may be this trunk's.
    #[must_use]
    pub fn allows(&self, source: IpAddr) -> bool {
        self.allow.iter().any(|network| network.contains(source))
    }
}

/// What we register at a trunk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Register {
    /// Nothing.
    #[default]
    No,
    /// One Contact, for calls to the account (RFC 3261 section 10).
    Account,
    /// One Contact for all numbers of the account: each comes in the request URI of its calls (RFC 6140).
    Bulk,
}

/// `auth = { … }`: whom a digest proves to be this trunk (RFC 7616).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrunkAuth {
    /// The user name; no two trunks have the same.
    pub username: String,
    /// What the answer is checked with.
    pub secret: AuthSecret,
}

/// What is stored of a caller's password.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AuthSecret {
    /// The password itself.
    Password(Secret),
    /// Hashes of `username:realm:password` (HA1) in hexadecimal, at most one for each algorithm.
    Hashes(Vec<(DigestAlgorithm, Secret)>),
}

/// A host on the way to a trunk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proxy {
    /// Where it is.
    pub address: TrunkAddress,
    /// How it is reached, where that was written.
    pub transport: Option<SipTransport>,
}

/// A host name or address, and the port if one was written. A name without a port is looked up by its NAPTR and SRV
/// records; with a port, or without such records, by its addresses.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct TrunkAddress {
    /// Name, or address without brackets.
    pub host: String,
    /// Port.
    pub port: Option<u16>,
}

impl TrunkAddress {
    /// The address, if the host is one.
    #[must_use]
    pub fn ip(&self) -> Option<IpAddr> {
        self.host.parse().ok()
    }
}

impl fmt::Display for TrunkAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.host.contains(':'), self.port) {
            (true, Some(port)) => write!(f, "[{}]:{port}", self.host),
            (false, Some(port)) => write!(f, "{}:{port}", self.host),
            (_, None) => f.write_str(&self.host),
        }
    }
}

/// Where a trunk puts the called number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum NumberSource {
    /// The request URI's user.
    RequestUri,
    /// The To header's.
    To,
    /// P-Called-Party-ID (RFC 7315 section 4.2).
    PCalledPartyId,
    /// The first Diversion (RFC 5806): the number that was called before it was forwarded to us.
    Diversion,
}

/// How digits are sent down a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum DigitTransport {
    /// In the sound's own stream (RFC 4733).
    #[default]
    Rtp,
    /// As SIP INFO, `application/dtmf-relay`.
    Info,
}

/// Session timer of calls with a trunk (RFC 4028).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SessionTimer {
    /// What we ask for. Default 30 min; 90 s to 24 h.
    pub expires: Duration,
    /// The shortest we agree to. Default 90 s, which is also the least allowed.
    pub min: Duration,
}

/// When provisional responses are sent reliably (RFC 3262).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum ReliableProvisional {
    /// Never; a peer that requires it gets 420.
    Never,
    /// When the peer requires it.
    #[default]
    WhenRequired,
    /// Whenever the peer supports it.
    WhenSupported,
}

/// Encryption of a trunk's sound: SRTP with keys in the signalling (RFC 3711, RFC 4568).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum SrtpPolicy {
    /// Plain RTP only.
    #[default]
    Off,
    /// Where the other side has keys too (RFC 8643), else plain RTP.
    Opportunistic,
    /// Calls without it are refused with 488.
    Required,
}

impl SrtpPolicy {
    /// As the dialplan writes it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::Opportunistic => "opportunistic",
            Self::Required => "required",
        }
    }
}
