//! WebRTC in offers and answers: BUNDLE of one audio line, ICE and DTLS (RFC 8839, RFC 8842, RFC 9143).

use super::audio::{find, target};
use super::description::{Attribute, MediaDescription, SessionDescription};
use super::error::Refusal;
use crate::types::{DtlsRole, Fingerprint, IceCredentials, WebRtcPeer};
use std::net::{IpAddr, SocketAddr};

/// Candidates of one line that are kept.
const MOST_CANDIDATES: usize = 32;
/// Fingerprints of one line that are kept.
const MOST_FINGERPRINTS: usize = 8;
/// The most characters of ICE credentials (RFC 8839 section 5.4).
const LONGEST_CREDENTIAL: usize = 256;
/// The priority of our candidate by UDP, of type host (RFC 8445 section 5.1.2.1).
const PRIORITY: u32 = (126 << 24) | (65_535 << 8) | 255;
/// The same of that by TCP, which waits for connections (RFC 6544 section 4.2): tried where UDP does not pass.
const TCP_PRIORITY: u32 = (90 << 24) | (((4 << 13) | 8_191) << 8) | 255;
/// What our line is called where nobody has named it.
const MID: &str = "0";
/// What our sound is called: without a stream of that name pages that play what comes with one hear nothing.
const STREAM: &str = "partyline audio";

/// Our end of a call's WebRTC transport. With it no other is spoken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LocalWebRtc {
    /// What checks to us are signed with. Other credentials than those sent last restart ICE.
    pub ice: IceCredentials,
    /// Our certificate.
    pub fingerprint: Fingerprint,
    /// The port of our address that takes connections by TCP (RFC 6544), if one does.
    pub tcp_port: Option<u16>,
    /// The SSRC of what we send (RFC 5576): not everybody takes sound that is not announced.
    pub ssrc: u32,
    /// Its canonical name.
    pub cname: String,
}

/// Which part in the handshake a line's writer wants (RFC 5763 section 5).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Setup {
    /// Either: offers alone say so.
    ActPass,
    Is(DtlsRole),
}

/// What a line says of its writer's end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Described {
    ice: Option<IceCredentials>,
    candidates: Vec<String>,
    fingerprints: Vec<Fingerprint>,
    setup: Setup,
    /// It only answers checks (RFC 8445 section 2.5): we control.
    is_lite: bool,
    rtcp_mux: bool,
}

impl Described {
    pub(super) fn read(session: &SessionDescription, line: &MediaDescription) -> Self {
        let named = |name: &'static str| {
            let of_line = line.attributes.iter().filter(move |attribute| attribute.name.eq_ignore_ascii_case(name));
            let of_all = session.attributes.iter().filter(move |attribute| attribute.name.eq_ignore_ascii_case(name));
            of_line.chain(of_all).filter_map(|attribute| attribute.value.as_deref())
        };
        let credential = |name, shortest| {
            let fits = |value: &&str| (shortest..=LONGEST_CREDENTIAL).contains(&value.len()) && value.is_ascii();
            named(name).next().filter(fits).map(str::to_owned)
        };
        let ice = credential("ice-ufrag", 4).zip(credential("ice-pwd", 22));
        let setup = match named("setup").next().map(str::to_ascii_lowercase).as_deref() {
            Some("active") => Setup::Is(DtlsRole::Client),
            Some("passive") => Setup::Is(DtlsRole::Server),
            _ => Setup::ActPass,
        };
        Self {
            ice: ice.map(|(fragment, password)| IceCredentials { fragment, password }),
            candidates: named("candidate").filter_map(candidate).take(MOST_CANDIDATES).collect(),
            fingerprints: named("fingerprint").filter_map(Fingerprint::parse).take(MOST_FINGERPRINTS).collect(),
            setup,
            is_lite: find(&session.attributes, "ice-lite").is_some(),
            rtcp_mux: find(&line.attributes, "rtcp-mux").is_some(),
        }
    }

    /// What checks to its writer are signed with.
    pub(super) fn into_ice(self) -> Option<IceCredentials> {
        self.ice
    }

    /// What an offer of the peer comes to. Where there is an association already, its parts stay (RFC 8842 section
    /// 5.5).
    pub(super) fn for_offered(&self, before: Option<&WebRtcPeer>) -> Result<WebRtcPeer, Refusal> {
        let role = match (before, self.setup) {
            (Some(before), _) => before.role,
            (None, Setup::Is(DtlsRole::Client)) => DtlsRole::Server,
            (None, Setup::ActPass | Setup::Is(DtlsRole::Server)) => DtlsRole::Client,
        };
        let peer = self.peer(role, before.map_or(self.is_lite, |before| before.we_control))?;
        if before.is_some_and(|before| before.fingerprints != peer.fingerprints) {
            return Err(Refusal::CertificateChanged);
        }
        Ok(peer)
    }

    /// What an answer of the peer comes to.
    pub(super) fn for_answered(&self) -> Result<WebRtcPeer, Refusal> {
        let role = match self.setup {
            Setup::Is(DtlsRole::Client) => DtlsRole::Server,
            Setup::ActPass | Setup::Is(DtlsRole::Server) => DtlsRole::Client,
        };
        self.peer(role, true)
    }

    fn peer(&self, role: DtlsRole, we_control: bool) -> Result<WebRtcPeer, Refusal> {
        if !self.rtcp_mux {
            return Err(Refusal::IncompleteWebRtc("rtcp-mux"));
        }
        let ice = self.ice.clone().ok_or(Refusal::IncompleteWebRtc("ice-ufrag and ice-pwd"))?;
        if self.fingerprints.is_empty() {
            return Err(Refusal::IncompleteWebRtc("a SHA-256 fingerprint"));
        }
        let (candidates, fingerprints) = (self.candidates.clone(), self.fingerprints.clone());
        Ok(WebRtcPeer { ice, candidates, fingerprints, role, we_control })
    }
}

/// A candidate that can be tried, `foundation component transport priority address port typ …` (RFC 8839 section 5.1):
/// by UDP, at an address and not at a name (`.local`), for RTP.
fn candidate(value: &str) -> Option<String> {
    let mut fields = value.split_ascii_whitespace().skip(1);
    let (component, transport, _priority) = (fields.next()?, fields.next()?, fields.next()?);
    let (address, port) = (fields.next()?.parse::<IpAddr>().ok()?, fields.next()?.parse().ok()?);
    let fits = component == "1" && transport.eq_ignore_ascii_case("udp") && target(address, port).is_some();
    fits.then(|| format!("candidate:{value}"))
}

/// What a line of ours says of our end.
#[derive(Debug, Clone, Copy)]
pub(super) struct OurEnd<'a> {
    pub local: &'a LocalWebRtc,
    pub setup: Setup,
    pub mid: &'a str,
    /// Where our socket is, as the other side has to see it.
    pub address: SocketAddr,
}

impl OurEnd<'_> {
    /// Its attributes.
    pub(super) fn attributes(&self) -> Vec<Attribute> {
        let setup = match self.setup {
            Setup::ActPass => "actpass",
            Setup::Is(DtlsRole::Client) => "active",
            Setup::Is(DtlsRole::Server) => "passive",
        };
        let (ip, port) = (self.address.ip(), self.address.port());
        let by_tcp = self.local.tcp_port.map(|port| {
            Attribute::with_value("candidate", format!("2 1 tcp {TCP_PRIORITY} {ip} {port} typ host tcptype passive"))
        });
        let mut attributes = vec![
            Attribute::with_value("mid", self.mid),
            Attribute::with_value("msid", STREAM),
            Attribute::with_value("ssrc", format!("{} cname:{}", self.local.ssrc, self.local.cname)),
            Attribute::with_value("ice-ufrag", self.local.ice.fragment.as_str()),
            Attribute::with_value("ice-pwd", self.local.ice.password.as_str()),
            Attribute::with_value("fingerprint", self.local.fingerprint.to_string()),
            Attribute::with_value("setup", setup),
            Attribute::with_value("candidate", format!("1 1 udp {PRIORITY} {ip} {port} typ host")),
        ];
        attributes.extend(by_tcp);
        attributes.push(Attribute::flag("end-of-candidates"));
        attributes
    }
}

/// What a line is called (RFC 5888), or what we call it.
pub(super) fn mid(line: Option<&MediaDescription>) -> &str {
    line.and_then(|line| find(&line.attributes, "mid")?.value.as_deref()).unwrap_or(MID)
}

/// A line refused as such ones are: it keeps its name, or browsers miss it.
pub(super) fn refused(line: &MediaDescription) -> MediaDescription {
    let attributes = find(&line.attributes, "mid").cloned().into_iter().collect();
    MediaDescription { attributes, ..line.refused() }
}

/// The group of our only line, where the peer has one (RFC 9143); in offers of ours there always is.
pub(super) fn bundle(mid: &str, offer: Option<&SessionDescription>) -> Option<Attribute> {
    let is_group = |attribute: &&Attribute| {
        let mut words = attribute.value.as_deref().unwrap_or_default().split_ascii_whitespace();
        attribute.name.eq_ignore_ascii_case("group")
            && words.next().is_some_and(|semantics| semantics.eq_ignore_ascii_case("BUNDLE"))
            && words.any(|word| word == mid)
    };
    let is_grouped = offer.is_none_or(|offer| offer.attributes.iter().any(|attribute| is_group(&attribute)));
    is_grouped.then(|| Attribute::with_value("group", format!("BUNDLE {mid}")))
}
