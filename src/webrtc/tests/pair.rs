//! The peers and the network between them.

use crate::rtp::srtp::{Protector, Unprotector};
use crate::types::{DtlsRole, IceCredentials, Seed, SrtpKeys, WebRtcPeer};
use crate::webrtc::{Connection, Event, Identity, Lost, Protocol, Settings, Transmit, TransportAddress};
use rand::Rng;
use rand::rngs::StdRng;
use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

/// How long a datagram takes.
const LATENCY: Duration = Duration::from_millis(10);

/// Two certificates for all tests.
pub(super) fn identities() -> &'static [Identity; 2] {
    static IDENTITIES: OnceLock<[Identity; 2]> = OnceLock::new();
    IDENTITIES.get_or_init(|| [Identity::new().unwrap(), Identity::new().unwrap()])
}

pub(super) fn at(text: &str) -> SocketAddr {
    text.parse().unwrap()
}

/// What is known of one end.
pub(super) struct End {
    pub(super) connection: Connection,
    pub(super) address: SocketAddr,
    /// Its end of the TCP connection, where there may be one.
    pub(super) tcp: SocketAddr,
    pub(super) connected: Option<(TransportAddress, SrtpKeys)>,
    pub(super) moved: Option<TransportAddress>,
    pub(super) lost: Option<Lost>,
}

impl End {
    fn at(&self, protocol: Protocol) -> TransportAddress {
        TransportAddress { protocol, address: if protocol == Protocol::Udp { self.address } else { self.tcp } }
    }
}

/// The gateway's candidates.
pub(super) fn candidates(protocol: Protocol) -> Vec<String> {
    let by_udp = "candidate:1 1 udp 2130706431 198.51.100.5 20000 typ host";
    let by_tcp = "candidate:2 1 tcp 1520435199 198.51.100.5 3478 typ host tcptype passive";
    let all = if protocol == Protocol::Udp { vec![by_udp] } else { vec![by_udp, by_tcp] };
    all.into_iter().map(str::to_owned).collect()
}

/// A datagram on its way.
struct Flying {
    arrival: Instant,
    source: TransportAddress,
    transmit: Transmit,
}

/// The gateway (0) and a browser (1).
pub(super) struct Pair {
    pub(super) now: Instant,
    pub(super) ends: [End; 2],
    /// All that was sent, by who sent it.
    pub(super) sent: Vec<(usize, Transmit)>,
    /// Parts of a hundred that are lost.
    pub(super) loss: u32,
    /// What passes the firewall between them.
    passes: Vec<Protocol>,
    random: StdRng,
    flying: VecDeque<Flying>,
}

/// The credentials of an end; those of a restart have another number.
pub(super) fn ice(number: u64) -> IceCredentials {
    IceCredentials::random(&mut Seed::fixed(number).generator())
}

/// What one end knows of the other.
pub(super) fn peer(number: u64, identity: &Identity, role: DtlsRole, we_control: bool) -> WebRtcPeer {
    WebRtcPeer {
        ice: ice(number),
        candidates: Vec::new(),
        fingerprints: vec![identity.fingerprint()],
        role,
        we_control,
    }
}

impl Pair {
    /// A gateway with this part in the handshake, and a browser with the other one. The gateway is not told where the
    /// browser is.
    pub(super) fn new(ours: DtlsRole) -> Self {
        let [us, them] = identities();
        Self::with(peer(1, them, ours, false), us)
    }

    /// The same, where the gateway believes this of the browser.
    pub(super) fn with(believed: WebRtcPeer, us: &Identity) -> Self {
        Self::over(Protocol::Udp, believed, us)
    }

    /// The same over a network that passes this alone.
    pub(super) fn over(protocol: Protocol, believed: WebRtcPeer, us: &Identity) -> Self {
        let now = crate::test_clock();
        let addresses = [at("198.51.100.5:20000"), at("203.0.113.9:51000")];
        let theirs = if believed.role == DtlsRole::Client { DtlsRole::Server } else { DtlsRole::Client };
        let (tcp, tcp_port) = ([at("198.51.100.5:3478"), at("203.0.113.9:52000")], protocol == Protocol::Tcp);
        let known = WebRtcPeer { candidates: candidates(protocol), ..peer(0, us, theirs, true) };
        let end = |number: usize, identity: &Identity, peer: &WebRtcPeer| {
            let settings = Settings {
                local: addresses[number],
                tcp_port: tcp_port.then_some(tcp[number].port()),
                ice: ice(number as u64),
            };
            End {
                connection: Connection::new(now, identity, &settings, peer),
                address: addresses[number],
                tcp: tcp[number],
                connected: None,
                moved: None,
                lost: None,
            }
        };
        let ends = [end(0, us, &believed), end(1, &identities()[1], &known)];
        let random = Seed::fixed(7).generator();
        Self { now, ends, sent: Vec::new(), loss: 0, passes: vec![protocol], random, flying: VecDeque::new() }
    }

    /// Lets time pass until `done`, at most so long. Says whether it was.
    pub(super) fn run_until(&mut self, most: Duration, done: impl Fn(&Self) -> bool) -> bool {
        let end = self.now + most;
        loop {
            self.collect();
            if done(self) {
                return true;
            }
            let arrival = self.flying.iter().map(|flying| flying.arrival).min();
            let due = self.ends.iter_mut().filter_map(|end| end.connection.poll_timeout());
            let Some(next) = due.chain(arrival).min().filter(|next| *next <= end) else {
                self.now = end;
                return false;
            };
            self.now = self.now.max(next);
            self.deliver();
            for end in &mut self.ends {
                if end.connection.poll_timeout().is_some_and(|due| due <= self.now) {
                    end.connection.handle_timeout(self.now);
                    let later = end.connection.poll_timeout();
                    assert!(later.is_none_or(|later| later > self.now), "time goes on");
                }
            }
        }
    }

    /// Lets so much time pass.
    pub(super) fn run(&mut self, time: Duration) {
        self.run_until(time, |_| false);
    }

    /// Lets them connect.
    pub(super) fn connect(&mut self) {
        let both = |pair: &Self| pair.ends.iter().all(|end| end.connected.is_some());
        assert!(self.run_until(Duration::from_secs(10), both), "connected");
    }

    fn deliver(&mut self) {
        for _ in 0..self.flying.len() {
            let Some(flying) = self.flying.pop_front() else { return };
            if flying.arrival > self.now {
                self.flying.push_back(flying);
                continue;
            }
            let to = flying.transmit.destination;
            if let Some(end) = self.ends.iter_mut().find(|end| end.at(to.protocol) == to) {
                end.connection.handle_packet(self.now, flying.source, &flying.transmit.bytes);
            }
        }
    }

    fn collect(&mut self) {
        for number in 0..2 {
            let end = &mut self.ends[number];
            while let Some(event) = end.connection.poll_event() {
                match event {
                    Event::Connected { remote, keys } => end.connected = Some((remote, keys)),
                    Event::Moved { remote } => end.moved = Some(remote),
                    Event::Lost(why) => end.lost = Some(why),
                }
            }
            while let Some(transmit) = end.connection.poll_transmit() {
                self.sent.push((number, transmit.clone()));
                let passes = self.passes.contains(&transmit.destination.protocol);
                if passes && self.random.random_range(0..100) >= self.loss {
                    let source = end.at(transmit.destination.protocol);
                    self.flying.push_back(Flying { arrival: self.now + LATENCY, source, transmit });
                }
            }
        }
    }

    /// Whether each end opens what the other seals.
    pub(super) fn understand_each_other(&self) -> bool {
        [(0, 1), (1, 0)].into_iter().all(|(from, to)| {
            let keys = |end: usize| &self.ends[end].connected.as_ref().expect("connected").1;
            let mut packet = [0; 64];
            packet[..13].copy_from_slice(&[0x80, 111, 0, 1, 0, 0, 0, 9, 0, 0, 0, 7, 42]);
            let sealed = Protector::new(&keys(from).send).protect_rtp(&mut packet, 13).unwrap();
            let opened = Unprotector::new(&keys(to).receive).unprotect_rtp(&mut packet[..sealed]);
            opened == Ok(13) && packet[12] == 42
        })
    }
}
