//! A browser's call as the gateway sees it: messages by hand, its transport and media plane played by the test.

use crate::dialplan::{self, SoundSource, Trusting};
use crate::gateway::{Gateway, Input, OpenedTransport, Output, Sounds, TransportKind};
use crate::media::command::{Clip, Command, Event, LegSettings, LegStatistics, Pcm};
use crate::sdp::SessionDescription;
use crate::sip::message::Transport;
use crate::sip::{self, EndpointConfig, Flow};
use crate::types::{CallId, Fingerprint, IceCredentials, Now, Seed, SrtpKey, SrtpKeys, SrtpSuite, WebRtcPeer};
use bytes::Bytes;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

const PLAN: &str = "[trunks.t]\nallow = [\"192.0.2.0/24\"]\n[rooms.lobby]\nannounce = \"none\"\n\
                    [[routes]]\nname = \"In\"\nfrom = \"t\"\nnumber = \"2000\"\nroom = \"lobby\"\n";

struct Silent;

impl Sounds for Silent {
    fn prompt(&self, _: &str, _: &str) -> Option<Pcm> {
        None
    }
    fn text(&self, _: &str, _: &str) -> Option<Pcm> {
        None
    }
    fn file(&self, _: &SoundSource, _: bool) -> Option<Clip> {
        None
    }
    fn tone(&self, _: &str) -> Option<Clip> {
        None
    }
}

/// A gateway with one browser.
struct Desk {
    gateway: Gateway,
    now: Now,
    flow: Flow,
    to: String,
    sequence: u32,
    opened: Vec<(CallId, TransportKind)>,
    connects: Vec<(IceCredentials, WebRtcPeer)>,
    legs: Vec<LegSettings>,
    commands: Vec<Command>,
    /// Descriptions of the gateway.
    answers: Vec<String>,
    byes: Vec<String>,
    causes: Vec<String>,
}

impl Desk {
    fn new() -> Self {
        let plan = dialplan::parse("dialplan.toml", PLAN, &Trusting).unwrap().plan;
        let now = Now { instant: crate::test_clock(), wall: SystemTime::UNIX_EPOCH };
        let gateway = Gateway::new(now, plan, Arc::new(Silent), EndpointConfig::default(), Seed::fixed(1));
        let (local, remote) = (SocketAddr::from(([10, 0, 0, 1], 5060)), SocketAddr::from(([192, 0, 2, 9], 5060)));
        Self {
            gateway,
            now,
            flow: Flow { transport: Transport::Udp, local, remote, connection: None },
            to: "<sip:2000@10.0.0.1>".into(),
            sequence: 0,
            opened: Vec::new(),
            connects: Vec::new(),
            legs: Vec::new(),
            commands: Vec::new(),
            answers: Vec::new(),
            byes: Vec::new(),
            causes: Vec::new(),
        }
    }

    /// A call that is answered and acknowledged; its transport is on its way.
    fn answered() -> Self {
        let mut desk = Self::new();
        desk.invite("aaaa");
        desk.send("ACK", "");
        desk
    }

    fn invite(&mut self, fragment: &str) {
        let offer = format!(
            "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=group:BUNDLE 0\r\n\
             m=audio 9 UDP/TLS/RTP/SAVPF 0\r\nc=IN IP4 0.0.0.0\r\na=mid:0\r\na=rtcp-mux\r\na=setup:actpass\r\n\
             a=ice-ufrag:{fragment}\r\na=ice-pwd:0123456789abcdefghijklmn\r\na=fingerprint:{}\r\n",
            Fingerprint([7; 32])
        );
        self.sequence += 1;
        self.send("INVITE", &offer);
    }

    fn send(&mut self, method: &str, body: &str) {
        let Self { to, sequence, .. } = self;
        let kind = if body.is_empty() { "" } else { "Content-Type: application/sdp\r\n" };
        let text = format!(
            "{method} sip:2000@10.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.9;branch=z9hG4bK{method}{sequence}\r\n\
             Max-Forwards: 70\r\nFrom: <sip:1009@192.0.2.9>;tag=b\r\nTo: {to}\r\nCall-ID: browser\r\n\
             CSeq: {sequence} {method}\r\nContact: <sip:192.0.2.9>\r\n{kind}Content-Length: {}\r\n\r\n{body}",
            body.len()
        );
        let input = sip::Input::Message { flow: self.flow, bytes: Bytes::from(text) };
        self.input(Input::Sip(input));
    }

    fn input(&mut self, input: Input) {
        self.gateway.handle_input(self.now, input);
        self.settle();
    }

    fn settle(&mut self) {
        while let Some(output) = self.gateway.poll_output() {
            match output {
                Output::Sip { bytes, .. } => self.on_message(&String::from_utf8_lossy(&bytes)),
                Output::OpenTransport { call, kind, .. } => {
                    self.opened.push((call, kind));
                    let address = SocketAddr::from(([10, 0, 0, 1], 20_000));
                    let opened = OpenedTransport::WebRtc { address, fingerprint: Fingerprint([9; 32]), tcp_port: None };
                    self.gateway.handle_input(self.now, Input::TransportOpened { call, opened });
                }
                Output::ConnectTransport { ice, peer, .. } => self.connects.push((ice, *peer)),
                Output::Media(Command::AddLeg { settings, .. }) => self.legs.push(*settings),
                Output::Media(Command::RemoveLeg { leg }) => {
                    let removed = Event::LegRemoved { leg, statistics: Box::<LegStatistics>::default() };
                    self.gateway.handle_input(self.now, Input::Media(removed));
                }
                Output::Media(command) => self.commands.push(command),
                Output::Record(record) => self.causes.push(record.cause.to_string()),
                _ => {}
            }
        }
    }

    fn on_message(&mut self, message: &str) {
        let to = message.lines().find_map(|line| line.strip_prefix("To: ")).unwrap_or_default();
        if message.starts_with("SIP/2.0 200") {
            to.clone_into(&mut self.to);
            self.answers.push(message.split_once("\r\n\r\n").unwrap().1.to_owned());
        } else if message.starts_with("BYE ") {
            self.byes.push(message.to_owned());
        }
    }

    fn connected(&mut self) {
        let call = self.opened[0].0;
        self.input(Input::TransportConnected { call, remote: remote(), keys: Box::new(keys()) });
    }

    fn pass(&mut self, time: Duration) {
        let end = self.now.instant + time;
        while let Some(due) = self.gateway.poll_timeout().filter(|due| *due <= end) {
            self.now = self.now.after(due.saturating_duration_since(self.now.instant));
            self.gateway.handle_timeout(self.now);
            self.settle();
        }
        self.now = self.now.after(end.saturating_duration_since(self.now.instant));
    }

    /// Whether the call is in its room.
    fn is_in_room(&self) -> bool {
        self.commands.iter().any(|command| matches!(command, Command::Connect { .. }))
    }
}

fn remote() -> SocketAddr {
    "203.0.113.9:51000".parse().unwrap()
}

fn keys() -> SrtpKeys {
    let key = |octet: u8| SrtpKey::new(SrtpSuite::AeadAes128Gcm, &[octet; 28]).unwrap();
    SrtpKeys { send: key(1), receive: key(2) }
}

#[test]
fn a_browsers_leg_is_made_when_its_transport_is_connected() {
    let mut desk = Desk::answered();
    assert_eq!(desk.opened.len(), 1);
    assert_eq!(desk.opened[0].1, TransportKind::WebRtc);
    let (ice, peer) = &desk.connects[0];
    assert!(desk.answers[0].contains(&format!("a=ice-ufrag:{}\r\n", ice.fragment)), "{}", desk.answers[0]);
    assert!(desk.answers[0].contains("a=candidate:1 1 udp 2130706431 10.0.0.1 20000 typ host\r\n"));
    assert_eq!((peer.ice.fragment.as_str(), peer.fingerprints.as_slice()), ("aaaa", &[Fingerprint([7; 32])][..]));
    desk.pass(Duration::from_secs(3));
    assert!(desk.legs.is_empty() && !desk.is_in_room());
    desk.connected();
    let announced = format!("a=ssrc:{} cname:{}\r\n", LegSettings::ssrc(desk.legs[0].seed), desk.legs[0].cname);
    assert!(desk.answers[0].contains(&announced), "{announced} in {}", desk.answers[0]);
    let parameters = &desk.legs[0].parameters;
    assert!(parameters.ice && parameters.rtcp_mux);
    assert_eq!((parameters.remote_rtp, parameters.srtp.as_ref()), (Some(remote()), Some(&keys())));
    assert!(!desk.is_in_room(), "it waits for a word of the browser …");
    desk.pass(Duration::from_millis(600));
    assert!(desk.is_in_room(), "… but not for long");
}

#[test]
fn a_new_beginning_of_ice_has_new_credentials_and_any_other_offer_has_not() {
    let mut desk = Desk::answered();
    desk.connected();
    desk.invite("aaaa");
    desk.send("ACK", "");
    assert_eq!((desk.connects.len(), desk.answers.len()), (1, 2));
    let fragment = |answer: &str| {
        let answer = SessionDescription::parse(answer.as_bytes()).unwrap();
        let ice = answer.media[0].attributes.iter().find(|attribute| attribute.name == "ice-ufrag");
        ice.unwrap().value.clone().unwrap()
    };
    assert_eq!(fragment(&desk.answers[0]), fragment(&desk.answers[1]));
    desk.invite("bbbb");
    desk.send("ACK", "");
    assert_eq!(desk.connects.len(), 2);
    assert_ne!(fragment(&desk.answers[1]), fragment(&desk.answers[2]));
    assert_eq!(fragment(&desk.answers[2]), desk.connects[1].0.fragment);
    assert_eq!(desk.connects[1].1.ice.fragment, "bbbb");
    assert_eq!(desk.legs.len(), 1, "the leg goes on");
}

#[test]
fn another_way_that_ice_finds_is_the_legs() {
    let mut desk = Desk::answered();
    desk.connected();
    let (call, elsewhere) = (desk.opened[0].0, "192.0.2.77:40000".parse().unwrap());
    desk.input(Input::TransportMoved { call, remote: elsewhere });
    let updated = desk.commands.iter().find_map(|command| match command {
        Command::UpdateLeg { parameters, .. } => Some(parameters),
        _ => None,
    });
    let updated = updated.unwrap();
    assert_eq!((updated.remote_rtp, updated.srtp.as_ref()), (Some(elsewhere), Some(&keys())));
}

#[test]
fn a_transport_that_is_lost_ends_the_call_whether_it_was_connected_or_not() {
    for was_connected in [false, true] {
        let mut desk = Desk::answered();
        if was_connected {
            desk.connected();
        }
        let call = desk.opened[0].0;
        desk.input(Input::TransportLost { call, why: "nobody is there".into() });
        assert_eq!(desk.byes.len(), 1);
        assert_eq!(desk.causes, ["the connection for its sound was lost: nobody is there"]);
        assert_eq!(desk.gateway.call_count(), 0);
        // What was on its way meanwhile finds nobody.
        desk.connected();
        desk.input(Input::TransportMoved { call, remote: remote() });
        assert_eq!(desk.legs.len(), usize::from(was_connected));
    }
}

#[test]
fn a_browser_that_hangs_up_before_it_is_connected_leaves_nothing() {
    let mut desk = Desk::answered();
    desk.sequence += 1;
    desk.send("BYE", "");
    desk.connected();
    assert!(desk.legs.is_empty());
    assert_eq!(desk.causes, ["the caller hung up"]);
    desk.pass(Duration::from_secs(60));
    assert!(desk.gateway.is_idle());
}
