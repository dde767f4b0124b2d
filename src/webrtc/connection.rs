//! ICE and DTLS of one leg.

use super::identity::{Identity, fingerprint_of};
use crate::types::{DtlsRole, Fingerprint, IceCredentials, SrtpKey, SrtpKeys, SrtpSuite, WebRtcPeer};
use dimpl::{Dtls, KeyingMaterial, Output, SrtpProfile};
use is::stun::{StunMessage, StunPacket};
use is::{Candidate, IceAgent, IceAgentEvent, IceCreds, Protocol};
use std::collections::VecDeque;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

/// So long without a valid answer to a check of ours ends the connection (RFC 7675 section 5.1).
pub(super) const CONSENT: Duration = Duration::from_secs(30);
/// Addresses from which checks with the right password are taken, in all.
const MOST_SOURCES: usize = 64;
/// Pairs of candidates that are checked at once.
const MOST_PAIRS: usize = 64;
/// Octets of the longest datagram of DTLS that is sent.
const LONGEST: usize = 1_500;

/// Our end of a connection.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Where the socket is bound.
    pub local: SocketAddr,
    /// The port on the same address that TCP connections of this leg come to, where they may.
    pub tcp_port: Option<u16>,
    /// What checks to us are signed with.
    pub ice: IceCredentials,
}

/// The other end of a pair of candidates (RFC 8445 section 4).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TransportAddress {
    /// What carries packets there: UDP, or a TCP connection from there (RFC 6544).
    pub protocol: Protocol,
    /// Its address and port.
    pub address: SocketAddr,
}

impl TransportAddress {
    /// That of a TCP connection.
    #[must_use]
    pub const fn tcp(address: SocketAddr) -> Self {
        Self { protocol: Protocol::Tcp, address }
    }
}

impl From<SocketAddr> for TransportAddress {
    /// By UDP.
    fn from(address: SocketAddr) -> Self {
        Self { protocol: Protocol::Udp, address }
    }
}

/// A datagram to send from the leg's socket, or a frame for a TCP connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transmit {
    /// Where to.
    pub destination: TransportAddress,
    /// What.
    pub bytes: Vec<u8>,
}

/// What became of a connection.
#[derive(Debug, PartialEq, Eq)]
pub enum Event {
    /// Media can flow. Said once, and before all others.
    Connected {
        /// Where to.
        remote: TransportAddress,
        /// Under which keys.
        keys: SrtpKeys,
    },
    /// Media goes there from now on.
    Moved {
        /// Where to.
        remote: TransportAddress,
    },
    /// It is over.
    Lost(Lost),
}

/// Why a connection is over.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Lost {
    /// ICE found no way, or lost it.
    #[error("no valid answer to a connectivity check for 30 s")]
    Consent,
    /// Somebody else is at the other end.
    #[error("its certificate is not the one that its description names")]
    Fingerprint,
    /// The DTLS handshake failed.
    #[error("DTLS: {0}")]
    Handshake(String),
    /// The other side closed it (`close_notify`).
    #[error("the other side closed it")]
    Closed,
}

/// ICE and DTLS of one leg.
///
/// In: [`Connection::handle_packet`] and [`Connection::handle_timeout`] at [`Connection::poll_timeout`]. Out, after
/// each of these: [`Connection::poll_transmit`] and [`Connection::poll_event`] until there is none.
pub struct Connection {
    local: SocketAddr,
    /// Of our candidate by TCP, if there is one.
    local_tcp: Option<SocketAddr>,
    ice: IceAgent,
    /// The pair in use, by its other end.
    remote: Option<TransportAddress>,
    /// From where valid checks came.
    sources: Vec<TransportAddress>,
    /// The last valid answer to a check, or the beginning.
    consent: Instant,
    dtls: Dtls,
    role: DtlsRole,
    /// When DTLS has something to do.
    dtls_due: Option<Instant>,
    /// Who spoke DTLS last.
    dtls_source: Option<TransportAddress>,
    expected: Vec<Fingerprint>,
    is_verified: bool,
    /// Keys that wait for a pair to be used on.
    keys: Option<SrtpKeys>,
    stage: Stage,
    now: Instant,
    buffer: Vec<u8>,
    transmits: VecDeque<Transmit>,
    events: VecDeque<Event>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// ICE looks for a pair.
    Checking,
    /// DTLS shakes hands.
    Securing,
    Connected,
    Over,
}

impl Connection {
    /// Begins to look for `peer`, who has our description or is about to get it.
    #[must_use]
    pub fn new(now: Instant, identity: &Identity, settings: &Settings, peer: &WebRtcPeer) -> Self {
        let mut ice = IceAgent::new(credentials(&settings.ice));
        ice.set_controlling(peer.we_control);
        ice.set_max_candidate_pairs(MOST_PAIRS);
        if let Ok(candidate) = Candidate::host(settings.local, "udp") {
            ice.add_local_candidate(candidate);
        }
        let local_tcp = settings.tcp_port.map(|port| SocketAddr::new(settings.local.ip(), port));
        if let Some(address) = local_tcp
            && let Ok(candidate) = Candidate::host(address, Protocol::Tcp)
        {
            ice.add_local_candidate(candidate);
        }
        let mut connection = Self {
            local: settings.local,
            local_tcp,
            ice,
            remote: None,
            sources: Vec::new(),
            consent: now,
            dtls: identity.dtls(now),
            role: peer.role,
            dtls_due: None,
            dtls_source: None,
            expected: peer.fingerprints.clone(),
            is_verified: false,
            keys: None,
            stage: Stage::Checking,
            now,
            buffer: vec![0; LONGEST],
            transmits: VecDeque::new(),
            events: VecDeque::new(),
        };
        connection.meet(peer);
        connection.handle_timeout(now);
        connection
    }

    /// ICE begins anew (RFC 8445 section 9): both sides have new credentials. What goes on meanwhile goes where it
    /// went.
    pub fn restart(&mut self, now: Instant, ice: &IceCredentials, peer: &WebRtcPeer) {
        if self.stage == Stage::Over {
            return;
        }
        self.ice.ice_restart(credentials(ice), true);
        self.sources.clear();
        self.consent = now;
        self.meet(peer);
        self.handle_timeout(now);
    }

    /// Says goodbye; what is to be sent of it is there afterwards.
    pub fn close(&mut self) {
        if self.stage == Stage::Connected && self.dtls.close().is_ok() {
            self.drain_dtls();
        }
        self.stage = Stage::Over;
        self.events.clear();
    }

    fn meet(&mut self, peer: &WebRtcPeer) {
        self.ice.set_remote_credentials(credentials(&peer.ice));
        for candidate in &peer.candidates {
            if let Ok(candidate) = Candidate::from_sdp_string(candidate) {
                self.ice.add_remote_candidate(candidate);
            }
        }
    }

    /// Takes a datagram, or a frame of a TCP connection, that is no media.
    pub fn handle_packet(&mut self, now: Instant, source: impl Into<TransportAddress>, bytes: &[u8]) {
        if self.stage == Stage::Over {
            return;
        }
        self.now = now;
        let source = source.into();
        match bytes.first() {
            Some(0..=3) => self.handle_stun(source, bytes),
            Some(20..=63) => self.handle_dtls(source, bytes),
            _ => {}
        }
    }

    /// A TCP connection has ended: what ICE knew of it is forgotten, and it looks for another pair.
    pub fn handle_disconnect(&mut self, now: Instant, address: SocketAddr) {
        let is_it = |candidate: &Candidate| candidate.proto() == Protocol::Tcp && candidate.addr() == address;
        self.sources.retain(|source| *source != TransportAddress::tcp(address));
        let candidates: Vec<Candidate> = self.ice.remote_candidates().filter(is_it).collect();
        for candidate in candidates {
            self.ice.invalidate_candidate(&candidate);
        }
        self.handle_timeout(now);
    }

    fn handle_stun(&mut self, source: TransportAddress, bytes: &[u8]) {
        let Ok(message) = StunMessage::parse(bytes) else { return };
        let destination = match source.protocol {
            Protocol::Udp => self.local,
            _ => match self.local_tcp {
                Some(address) => address,
                None => return,
            },
        };
        let is_known = self.sources.contains(&source);
        if !is_known && self.sources.len() >= MOST_SOURCES {
            return;
        }
        let is_answer = message.is_successful_binding_response();
        let packet = StunPacket { proto: source.protocol, source: source.address, destination, message };
        if !self.ice.handle_packet(self.now, packet) {
            return;
        }
        if !is_known {
            self.sources.push(source);
        }
        if is_answer && self.remote.is_none_or(|remote| remote == source) {
            self.consent = self.now;
        }
        self.ice.handle_timeout(self.now);
        self.drain_ice();
    }

    /// Only who answered a check of ours may speak of DTLS: nobody else makes us work.
    fn handle_dtls(&mut self, source: TransportAddress, bytes: &[u8]) {
        if !self.ice.has_viable_remote_candidate(source.address) || (self.stage == Stage::Checking && !self.is_server())
        {
            return;
        }
        self.dtls_source = Some(source);
        let taken = self.dtls.handle_timeout(self.now).and_then(|()| self.dtls.handle_packet(bytes));
        self.after_dtls(taken);
    }

    fn is_server(&self) -> bool {
        self.role == DtlsRole::Server
    }

    /// Does what is due.
    pub fn handle_timeout(&mut self, now: Instant) {
        if self.stage == Stage::Over {
            return;
        }
        self.now = now;
        if now.saturating_duration_since(self.consent) >= CONSENT {
            return self.lose(Lost::Consent);
        }
        self.ice.handle_timeout(now);
        self.drain_ice();
        if self.dtls_due.is_some_and(|due| due <= now) {
            let done = self.dtls.handle_timeout(now);
            self.after_dtls(done);
        }
    }

    /// When [`Connection::handle_timeout`] is due; `None` when it is over.
    #[must_use]
    pub fn poll_timeout(&mut self) -> Option<Instant> {
        if self.stage == Stage::Over {
            return None;
        }
        let ice = self.ice.poll_timeout();
        [ice, self.dtls_due, Some(self.consent + CONSENT)].into_iter().flatten().min()
    }

    /// The next datagram to send.
    pub fn poll_transmit(&mut self) -> Option<Transmit> {
        self.transmits.pop_front()
    }

    /// The next thing to tell.
    pub fn poll_event(&mut self) -> Option<Event> {
        self.events.pop_front()
    }

    fn drain_ice(&mut self) {
        while let Some(transmit) = self.ice.poll_transmit() {
            let destination = TransportAddress { protocol: transmit.proto, address: transmit.destination };
            self.transmits.push_back(Transmit { destination, bytes: transmit.contents.to_vec() });
        }
        while let Some(event) = self.ice.poll_event() {
            if let IceAgentEvent::NominatedSend { proto, destination, .. } = event {
                self.nominated(TransportAddress { protocol: proto, address: destination });
            }
        }
    }

    fn nominated(&mut self, destination: TransportAddress) {
        let before = self.remote.replace(destination);
        if before != Some(destination) {
            // It has just answered a check of ours.
            self.consent = self.now;
        }
        match self.stage {
            Stage::Checking => {
                self.stage = Stage::Securing;
                if !self.is_server() {
                    self.dtls.set_active(true);
                }
                let begun = self.dtls.handle_timeout(self.now);
                self.after_dtls(begun);
                self.connect();
            }
            Stage::Connected if before != Some(destination) => {
                self.events.push_back(Event::Moved { remote: destination });
            }
            Stage::Securing | Stage::Connected | Stage::Over => {}
        }
    }

    fn after_dtls(&mut self, done: Result<(), dimpl::Error>) {
        match done {
            Ok(()) => self.drain_dtls(),
            Err(error) => self.lose(Lost::Handshake(error.to_string())),
        }
    }

    fn drain_dtls(&mut self) {
        loop {
            match self.dtls.poll_output(&mut self.buffer) {
                Output::Packet(bytes) => {
                    if let Some(destination) = self.remote.or(self.dtls_source) {
                        self.transmits.push_back(Transmit { destination, bytes: bytes.to_vec() });
                    }
                }
                Output::BufferTooSmall { needed } => self.buffer.resize(needed, 0),
                Output::PeerCert(certificate) => {
                    if !self.expected.contains(&fingerprint_of(certificate)) {
                        return self.lose(Lost::Fingerprint);
                    }
                    self.is_verified = true;
                }
                Output::KeyingMaterial(material, profile) => {
                    self.keys = keys(&material, profile, self.role);
                    if self.keys.is_none() {
                        return self.lose(Lost::Handshake(format!("no use is made of {profile}")));
                    }
                    self.connect();
                }
                Output::CloseNotify => return self.lose(Lost::Closed),
                Output::Timeout(at) => {
                    // Time goes on at each turn, whatever is asked for.
                    self.dtls_due = Some(at.max(self.now + Duration::from_millis(1)));
                    return;
                }
                _ => {}
            }
        }
    }

    /// Media flows once there is a pair for it, keys, and the right one at the other end.
    fn connect(&mut self) {
        let Some(remote) = self.remote.filter(|_| self.is_verified && self.stage == Stage::Securing) else { return };
        if let Some(keys) = self.keys.take() {
            self.stage = Stage::Connected;
            self.events.push_back(Event::Connected { remote, keys });
        }
    }

    fn lose(&mut self, why: Lost) {
        self.stage = Stage::Over;
        self.events.push_back(Event::Lost(why));
    }
}

impl std::fmt::Debug for Connection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { stage, remote, role, .. } = self;
        f.debug_struct("Connection").field("stage", stage).field("remote", remote).field("role", role).finish()
    }
}

/// Our username fragment in a connectivity check: by it the leg is found that the check is for. Nothing is proven by
/// that.
#[must_use]
pub fn fragment_of_check(bytes: &[u8]) -> Option<String> {
    let message = StunMessage::parse(bytes).ok().filter(StunMessage::is_binding_request)?;
    message.split_username().map(|(ours, _)| ours.to_owned())
}

fn credentials(ice: &IceCredentials) -> IceCreds {
    IceCreds { ufrag: ice.fragment.clone(), pass: ice.password.clone() }
}

/// The keys of both directions out of what DTLS exports (RFC 5764 section 4.2): the keys of client and server, then the
/// salts of both.
fn keys(material: &KeyingMaterial, profile: SrtpProfile, ours: DtlsRole) -> Option<SrtpKeys> {
    let suite = match profile {
        SrtpProfile::AES128_CM_SHA1_80 => SrtpSuite::AesCm128HmacSha1_80,
        SrtpProfile::AEAD_AES_128_GCM => SrtpSuite::AeadAes128Gcm,
        SrtpProfile::AEAD_AES_256_GCM => SrtpSuite::AeadAes256Gcm,
        _ => return None,
    };
    let (key, salt) = (suite.key_len(), suite.salt_len());
    let of = |place: usize| {
        let mut master = zeroize::Zeroizing::new(material.get(place * key..(place + 1) * key)?.to_vec());
        let salts = 2 * key + place * salt;
        master.extend_from_slice(material.get(salts..salts + salt)?);
        SrtpKey::new(suite, &master)
    };
    let (client, server) = (of(0)?, of(1)?);
    Some(match ours {
        DtlsRole::Client => SrtpKeys { send: client, receive: server },
        DtlsRole::Server => SrtpKeys { send: server, receive: client },
    })
}
