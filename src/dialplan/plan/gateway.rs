//! `[gateway]`.

use super::CertificateFiles;
use crate::dialplan::number::NumberRules;
use crate::types::Network;
use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::ops::RangeInclusive;
use std::path::PathBuf;

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

/// Settings of the whole gateway.
#[derive(Debug, Clone)]
pub struct Gateway {
    /// Addresses SIP is taken on. Default: udp and tcp, port 5060, every IPv4 and IPv6 address.
    pub sip: Vec<ListenAddress>,
    /// What we show to those who connect by TLS. There when `sip` has a `tls://` address. Read anew when the files change.
    pub certificate: Option<CertificateFiles>,
    /// Address of a web server. Checked only: there is no web server yet. Default: none.
    pub http: Option<SocketAddr>,
    /// UDP ports for media: two for each call (RTP even, RTCP odd). Default 20000 to 29999; 1024 to 65535.
    pub rtp_ports: RangeInclusive<u16>,
    /// What the world must use as our address, when behind NAT. Default: the address a packet came in on.
    pub public_address: Option<IpAddr>,
    /// Networks on our side of the NAT: peers within them see our own address, never the public one. Loopback is always
    /// one of them. Default: none other.
    pub local_net: Vec<Network>,
    /// Language of the prompts: a folder of `prompts`. Default `en-GB`.
    pub language: String,
    /// Folder for what the gateway writes. Default `var` beside the dialplan.
    pub data: PathBuf,
    /// Folder of prompts, one folder a language. Default `prompts` beside the dialplan.
    pub prompts: PathBuf,
    /// How numbers are brought to E.164: country code and prefixes.
    pub numbers: NumberRules,
    /// Threads that mix sound, 1 to 256. Default: one a core, told by `None`. A room is never on more than one.
    pub media_threads: Option<usize>,
    /// Wrong PINs an hour, all callers together, before PIN checks slow down for everybody. Default 60; at least 1.
    pub pin_budget: u32,
    /// Calls at one time; beyond it new ones get 503. Default 4000, or as many as `rtp_ports` has pairs;
    /// 1 to 100000. Each costs two ports and two sockets.
    pub max_calls: u32,
    /// File for call records, one JSON object a line. Default `calls.jsonl` in `data`.
    pub call_records: PathBuf,
    /// The Unix socket `partyline ctl` talks to. Default `partyline.sock` in `data`.
    pub control: PathBuf,
    /// DSCP of media packets, 0 to 63. Default 46 (expedited forwarding, RFC 3246).
    pub dscp: u8,
    /// What is logged, as `info` or `info,partyline::sip=debug`. Default `info`.
    pub log: String,
}
