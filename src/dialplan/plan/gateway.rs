//! `[gateway]`.

use super::{Acme, CertificateFiles, Database, Origins, SoundSource};
use crate::dialplan::number::NumberRules;
use crate::types::{CodecPolicy, Network, OpusSettings};
use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::time::Duration;

/// How SIP travels to one of our listening addresses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum SipTransport {
    /// Datagrams.
    Udp,
    /// A stream.
    Tcp,
    /// An encrypted stream.
    Tls,
}

impl SipTransport {
    /// `udp`, `tcp` or `tls`, as the dialplan writes it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Udp => "udp",
            Self::Tcp => "tcp",
            Self::Tls => "tls",
        }
    }
}

/// One address SIP is taken on, `udp://0.0.0.0:5060`. An IPv6 address listens to IPv6 alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ListenAddress {
    /// How.
    pub transport: SipTransport,
    /// Where; `0.0.0.0` and `::` are all of a machine's addresses.
    pub address: SocketAddr,
}

impl fmt::Display for ListenAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}", self.transport.as_str(), self.address)
    }
}

/// How callers that no address tells are asked for a password (RFC 8760).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Digest {
    /// What the passwords are for; stored hashes hold it. Default: the domain, else `partyline`.
    pub realm: String,
    /// The algorithms offered, best first. Default SHA-256, then MD5; MD5 alone where there may be users.
    pub algorithms: Vec<DigestAlgorithm>,
    /// Whether the answer may cover the body of the request as well (`auth-int`). Default no: few peers can, some
    /// are confused.
    pub body: bool,
}

impl Default for Digest {
    fn default() -> Self {
        Self { realm: "partyline".into(), algorithms: vec![DigestAlgorithm::Sha256, DigestAlgorithm::Md5], body: false }
    }
}

/// A hash that digest authentication knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DigestAlgorithm {
    /// MD5: what every peer can.
    Md5,
    /// SHA-256.
    Sha256,
    /// SHA-512/256.
    Sha512_256,
}

impl DigestAlgorithm {
    /// All, as the dialplan writes them.
    pub const NAMES: [(&'static str, Self); 3] =
        [("MD5", Self::Md5), ("SHA-256", Self::Sha256), ("SHA-512-256", Self::Sha512_256)];

    /// Hexadecimal digits of a hash.
    #[must_use]
    pub const fn digits(self) -> usize {
        match self {
            Self::Md5 => 32,
            Self::Sha256 | Self::Sha512_256 => 64,
        }
    }
}

/// Whether two gateways' settings differ in one.
type Differs = fn(&Gateway, &Gateway) -> bool;

impl Gateway {
    /// The settings that are only taken up at a start, by their names in the dialplan.
    pub(in crate::dialplan) const AT_START: [(&'static str, Differs); 14] = [
        ("sip", |one, other| one.sip != other.sip),
        ("tls", |one, other| one.certificate != other.certificate),
        ("rtp_ports", |one, other| one.rtp_ports != other.rtp_ports),
        ("media_threads", |one, other| one.media_threads != other.media_threads),
        ("call_records", |one, other| one.call_records != other.call_records),
        ("control", |one, other| one.control != other.control),
        ("data", |one, other| one.data != other.data),
        ("database", |one, other| one.database != other.database),
        ("dscp", |one, other| one.dscp != other.dscp),
        ("http", |one, other| one.http != other.http),
        ("https", |one, other| one.https != other.https),
        ("acme", |one, other| one.acme != other.acme),
        ("ice_tcp", |one, other| one.ice_tcp != other.ice_tcp),
        ("https_tls", |one, other| one.https_certificate != other.https_certificate),
    ];

    /// The settings, by name, that differ from those the gateway was started with and are only taken up at a start.
    #[must_use]
    pub fn awaiting_restart(&self, started: &Self) -> Vec<&'static str> {
        Self::AT_START.into_iter().filter(|(_, differs)| differs(self, started)).map(|(name, _)| name).collect()
    }
}

/// How URLs of sounds are fetched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FetchSettings {
    /// Networks beside the public Internet that may be asked. Default: none.
    pub allow: Vec<Network>,
    /// Octets of the largest sound. Default 32 MiB.
    pub limit: u64,
    /// The longest time for one. Default 60 s.
    pub timeout: Duration,
}

impl Default for FetchSettings {
    fn default() -> Self {
        Self { allow: Vec::new(), limit: 32 << 20, timeout: Duration::from_secs(60) }
    }
}

/// How long recordings are kept.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Retention {
    /// After their end. Default: for ever.
    pub age: Option<Duration>,
    /// Octets of all together. Default: as many as there are.
    pub size: Option<u64>,
}

/// Settings of the whole gateway.
#[derive(Debug, Clone)]
pub struct Gateway {
    /// Addresses SIP is taken on. Default: udp and tcp, port 5060, every IPv4 and IPv6 address.
    pub sip: Vec<ListenAddress>,
    /// What we show to those who connect by TLS. There when `sip` has a `tls://` address. Read anew when the files
    /// change.
    pub certificate: Option<CertificateFiles>,
    /// Addresses of the HTTP server. Default: none, and there is no HTTP server.
    pub http: Vec<SocketAddr>,
    /// The same by HTTPS.
    pub https: Vec<SocketAddr>,
    /// What `https` shows; there where it has an address. Read anew when the files change.
    pub https_certificate: Option<CertificateFiles>,
    /// The same where we get it ourselves.
    pub acme: Option<Acme>,
    /// Addresses that take the sound of browsers by TCP (RFC 6544). Default: none.
    pub ice_tcp: Vec<SocketAddr>,
    /// Reverse proxies, whose word on a client's address is believed. Default: none.
    pub trusted_proxies: Vec<Network>,
    /// Origins (RFC 6454) that may open WebSockets beside our own host's.
    pub origins: Origins,
    /// UDP ports for media: two for each call (RTP even, RTCP odd). Default 20000 to 29999; 1024 to 65535.
    pub rtp_ports: RangeInclusive<u16>,
    /// What the world must use as our address, when behind NAT. Default: the address a packet came in on.
    pub public_address: Option<IpAddr>,
    /// Networks on our side of the NAT: peers within them see our own address, never the public one. Loopback is always
    /// one of them. Default: none other.
    pub local_net: Vec<Network>,
    /// DNS servers that trunks are looked up at, and nobody else. Default: those of this machine, told by none.
    pub dns: Vec<SocketAddr>,
    /// Language of the prompts: a folder of `prompts`. Default `en-GB`.
    pub language: String,
    /// Folder for what the gateway writes. Default `var` beside the dialplan.
    pub data: PathBuf,
    /// Folder of prompts, one folder a language. Default `prompts` beside the dialplan.
    pub prompts: PathBuf,
    /// Where users are kept who are made while the gateway runs. Default: `partyline.db` in `data`.
    pub database: Database,
    /// Domain of the users' addresses. Default: any.
    pub domain: Option<String>,
    /// How callers that no address tells are asked for a password.
    pub digest: Digest,
    /// How numbers are brought to E.164: country code and prefixes.
    pub numbers: NumberRules,
    /// The number that telephones reach rooms by that have none of their own, for people. Default: none is known.
    pub access_number: Option<String>,
    /// Threads that mix sound, 1 to 256. Default: one a core, told by `None`. A room is never on more than one.
    pub media_threads: Option<usize>,
    /// How many are mixed in a room where more speak at once, the loudest. Default 8; 1 to 1000.
    pub loudest: u32,
    /// Wrong PINs an hour, all callers together, before PIN checks slow down for everybody. Default 60; at least 1.
    pub pin_budget: u32,
    /// Calls at one time; beyond it new ones get 503. Default 4000, or as many as `rtp_ports` has pairs;
    /// 1 to 100000. Each costs two ports and two sockets.
    pub max_calls: u32,
    /// Calls that one session may place in all. Default 20; 1 to 1000.
    pub dial_limit: u32,
    /// Calls that one session may place within any minute. Default 10; 1 to 1000.
    pub dial_rate: u32,
    /// File for call records, one JSON object a line. Default `calls.jsonl` in `data`.
    pub call_records: PathBuf,
    /// The Unix socket `partyline ctl` talks to. Default `partyline.sock` in `data`.
    pub control: PathBuf,
    /// Codecs that trunks without their own speak. Default: G.711 is offered, Opus and G.722 are accepted as well.
    pub codecs: CodecPolicy,
    /// How Opus is sent. Default 24 kb/s, 40 where packets are lost, complexity 6, FEC, no DTX.
    pub opus: OpusSettings,
    /// Whether comfort noise (RFC 3389) is taken where the other side offers it. Default yes.
    pub comfort_noise: bool,
    /// What calls on hold hear, and who is alone in a room with `alone = "music"`. Default: a tune of the gateway.
    pub music: Option<SoundSource>,
    /// How URLs of sounds are fetched.
    pub fetch: FetchSettings,
    /// How long what scenarios record is kept.
    pub recordings: Retention,
    /// DSCP of media packets, 0 to 63. Default 46 (expedited forwarding, RFC 3246).
    pub dscp: u8,
    /// What is logged, as `info` or `info,partyline::net=debug`. Default `info`.
    pub log: String,
}
