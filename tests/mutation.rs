//! A million mutated packets. A gateway with a call in progress gets SIP, SDP, RTP and RTCP that somebody bent, cut,
//! spliced and repeated, from a source it listens to. Afterwards it answers OPTIONS, holds nothing, and has not grown.
//!
//! A binary of its own: it looks at the memory of the whole process.

use bytes::Bytes;
use partyline::dialplan::{self, Trusting};
use partyline::gateway::{Gateway, Input, OpenedTransport, Output, Sounds};
use partyline::media::PacketKind;
use partyline::media::command::{Clip, Event, Pcm};
use partyline::media::sim::SimMedia;
use partyline::rtp::{self, Header, rtcp};
use partyline::sdp::SessionDescription;
use partyline::sip::message::{Message, Transport};
use partyline::sip::{self, EndpointConfig, Flow};
use partyline::types::{CallId, Now};
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{Rng, SeedableRng};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant, UNIX_EPOCH};

/// Packets of each of the four kinds.
const EACH: usize = 250_000;
/// Of them, before memory is measured for the first time: queues and tables have grown to their size by then.
const WARM_UP: usize = 50_000;
/// What the process may grow by from then on, bytes: pages that the allocator keeps.
const TOLERANCE: u64 = 4 << 20;
/// Virtual time between two packets.
const STEP: Duration = Duration::from_micros(1_500);

const PLAN: &str = r#"
[gateway]
sip       = ["udp://10.0.0.1:5060"]
max_calls = 20

[trunks.fuzz]
allow = ["198.51.100.0/24"]

[[routes]]
name   = "All"
from   = "fuzz"
number = ".*"
room   = "lobby"
"#;

struct Silent;

impl Sounds for Silent {
    fn prompt(&self, _: &str, _: &str) -> Option<Pcm> {
        Some(vec![0; 800].into())
    }

    fn text(&self, _: &str, _: &str) -> Option<Pcm> {
        None
    }

    fn file(&self, _: &partyline::dialplan::SoundSource, _: bool) -> Option<partyline::media::command::Clip> {
        None
    }

    fn tone(&self, _: &str) -> Option<Clip> {
        Some(Clip::Silence(Duration::from_millis(100)))
    }
}

/// How many packets a parser took and how many it refused.
#[derive(Debug, Default, Clone, Copy)]
struct Reached {
    read: usize,
    refused: usize,
}

impl Reached {
    fn count(&mut self, read: bool) {
        if read {
            self.read += 1;
        } else {
            self.refused += 1;
        }
    }
}

/// Seeds and the ways to spoil them.
struct Mutator {
    random: StdRng,
}

impl Mutator {
    /// One seed with faults.
    fn mutate(&mut self, seeds: &[Vec<u8>]) -> Vec<u8> {
        let mut bytes = seeds.choose(&mut self.random).unwrap().clone();
        // Mostly one or two: with more, hardly anything gets past the first look.
        loop {
            self.spoil(&mut bytes, seeds);
            if self.random.random_bool(0.5) {
                break;
            }
        }
        bytes.truncate(4_000);
        bytes
    }

    fn spoil(&mut self, bytes: &mut Vec<u8>, seeds: &[Vec<u8>]) {
        let random = &mut self.random;
        if bytes.is_empty() {
            bytes.push(random.random());
            return;
        }
        let at = random.random_range(0..bytes.len());
        let end = (at + random.random_range(1..=24)).min(bytes.len());
        match random.random_range(0..8) {
            0 => bytes[at] ^= 1 << random.random_range(0..8),
            1 => bytes[at] = random.random(),
            2 => bytes.truncate(at),
            3 => drop(bytes.drain(at..end)),
            4 => {
                let piece = bytes[at..end].to_vec();
                let times = random.random_range(1..=4);
                let many = piece.repeat(times);
                bytes.splice(at..at, many);
            }
            5 => {
                let other = seeds.choose(random).unwrap();
                if !other.is_empty() {
                    let from = random.random_range(0..other.len());
                    let to = (from + random.random_range(1..=64)).min(other.len());
                    bytes.splice(at..end, other[from..to].iter().copied());
                }
            }
            6 => edit_number(bytes, at, random),
            _ => {
                let extreme = [0, 0xFF, 0x7F, 0x80, b'\r', b'\n', b' ', b';', b'"', b'<', b',', b':'];
                bytes[at] = *extreme.choose(random).unwrap();
            }
        }
    }
}

/// Makes another number of the next digits: the ends of the ranges, and what lies beyond.
fn edit_number(bytes: &mut Vec<u8>, at: usize, random: &mut StdRng) {
    let Some(start) = bytes[at..].iter().position(u8::is_ascii_digit).map(|start| at + start) else { return };
    let end = bytes[start..].iter().position(|byte| !byte.is_ascii_digit()).map_or(bytes.len(), |end| start + end);
    let numbers =
        ["0", "1", "-1", "255", "256", "65535", "65536", "2147483648", "4294967296", "18446744073709551616", ""];
    bytes.splice(start..end, numbers.choose(random).unwrap().bytes());
}

fn corpus(name: &str) -> Vec<Vec<u8>> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus").join(name);
    let files = std::fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut paths: Vec<PathBuf> = files.map(|file| file.unwrap().path()).collect();
    paths.sort();
    paths.into_iter().map(|path| std::fs::read(path).unwrap()).collect()
}

/// A gateway with its media plane, and a caller who only talks.
struct Target {
    now: Now,
    gateway: Gateway,
    media: SimMedia,
    ports: BTreeMap<CallId, u16>,
    next_port: u16,
    sent: Vec<Bytes>,
    records: usize,
    /// The call that the media is for, our dialog with it, and the number of its last request.
    victim: Option<Victim>,
    calls: u32,
    /// What the legs of those calls counted: accepted, unreadable, foreign.
    media_counts: [u64; 3],
    /// Messages the gateway sent.
    answers: usize,
}

struct Victim {
    leg: CallId,
    call_id: String,
    to: String,
    cseq: u32,
    sequence: u16,
}

fn gateway_address() -> SocketAddr {
    SocketAddr::from(([10, 0, 0, 1], 5060))
}

/// The caller; its media is two ports of the same host.
fn caller() -> SocketAddr {
    SocketAddr::from(([198, 51, 100, 9], 5060))
}

const OFFER: &str = "v=0\r\no=- 1 1 IN IP4 198.51.100.9\r\ns=-\r\nc=IN IP4 198.51.100.9\r\nt=0 0\r\n\
                     m=audio 30000 RTP/AVP 0 8 101\r\na=rtpmap:101 telephone-event/8000\r\n";

impl Target {
    fn new() -> Self {
        #[expect(clippy::disallowed_methods, reason = "a virtual clock needs some origin")]
        let now = Now { instant: Instant::now(), wall: UNIX_EPOCH + Duration::from_secs(1_790_000_000) };
        let plan = dialplan::parse("dialplan.toml", PLAN, &Trusting).unwrap().plan;
        let gateway =
            Gateway::new(now, plan, Arc::new(Silent), EndpointConfig::default(), partyline::types::Seed::fixed(1));
        let media = SimMedia::new(now, 2);
        Self {
            now,
            gateway,
            media,
            ports: BTreeMap::new(),
            next_port: 20_000,
            sent: Vec::new(),
            records: 0,
            victim: None,
            calls: 0,
            media_counts: [0; 3],
            answers: 0,
        }
    }

    fn run(&mut self, time: Duration) {
        let end = self.now.instant + time;
        while let Some(at) = self.gateway.poll_timeout().into_iter().chain(self.media.poll_timeout()).min() {
            if at > end {
                break;
            }
            self.now = self.now.after(at.saturating_duration_since(self.now.instant));
            if self.gateway.poll_timeout().is_some_and(|at| at <= self.now.instant) {
                self.gateway.handle_timeout(self.now);
            }
            if self.media.poll_timeout().is_some_and(|at| at <= self.now.instant) {
                self.media.handle_timeout(self.now);
            }
            self.settle();
        }
        self.now = self.now.after(end.saturating_duration_since(self.now.instant));
    }

    fn sip(&mut self, bytes: Bytes) {
        let flow = Flow { transport: Transport::Udp, local: gateway_address(), remote: caller(), connection: None };
        self.gateway.handle_input(self.now, Input::Sip(sip::Input::Message { flow, bytes }));
        self.settle();
    }

    fn packet(&mut self, kind: PacketKind, bytes: &[u8]) {
        let Some(leg) = self.victim.as_ref().map(|victim| victim.leg) else { return };
        let port = if kind == PacketKind::Rtp { 30_000 } else { 30_001 };
        self.media.deliver(self.now, leg, kind, SocketAddr::new(caller().ip(), port), bytes);
        self.settle();
    }

    fn settle(&mut self) {
        loop {
            if let Some(output) = self.gateway.poll_output() {
                match output {
                    Output::Sip { bytes, .. } => {
                        self.answers += 1;
                        self.sent.push(bytes);
                    }
                    Output::Media(command) => self.media.send(self.now, command),
                    Output::OpenTransport { call, .. } => self.open(call),
                    Output::CloseTransport { call } => drop(self.ports.remove(&call)),
                    Output::Record(_) => self.records += 1,
                    _ => {}
                }
            } else if self.media.poll_transmit().is_some() {
            } else if let Some(event) = self.media.poll_event() {
                if let Event::LegRemoved { leg, statistics } = &event {
                    self.ports.remove(leg);
                    let counts = [statistics.packets_received, statistics.packets_invalid, statistics.packets_foreign];
                    for (sum, count) in self.media_counts.iter_mut().zip(counts) {
                        *sum += count;
                    }
                    self.victim.take_if(|victim| victim.leg == *leg);
                }
                self.gateway.handle_input(self.now, Input::Media(event));
            } else {
                return;
            }
        }
    }

    fn open(&mut self, call: CallId) {
        let port = self.next_port;
        self.next_port = if port > 29_000 { 20_000 } else { port + 2 };
        self.ports.insert(call, port);
        let address = SocketAddr::new(gateway_address().ip(), port);
        let opened = OpenedTransport::Rtp { address, rtcp_port: port + 1 };
        self.gateway.handle_input(self.now, Input::TransportOpened { call, opened });
    }

    /// The statuses of what was sent since the last look, and the last response to an INVITE.
    fn last_final(&mut self, call_id: &str) -> Option<(u16, String)> {
        let messages: Vec<Message> =
            self.sent.drain(..).map(|bytes| Message::parse(&bytes).expect("what is sent can be read")).collect();
        let finals = messages.iter().rev().filter_map(Message::response).filter(|response| response.status.0 >= 200);
        let mut ours = finals.filter(|response| response.call_id().is_some_and(|id| *id == *call_id));
        ours.next().map(|response| (response.status.0, response.to().unwrap().to_string()))
    }

    fn request(&mut self, method: &str, victim: &Victim, branch: &str, body: &[u8]) {
        let Victim { call_id, to, cseq, .. } = victim;
        let mut text = format!(
            "{method} sip:2000@10.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP 198.51.100.9:5060;branch=z9hG4bK{branch}\r\n\
             From: <sip:+442079460111@198.51.100.9>;tag=f\r\nTo: {to}\r\nCall-ID: {call_id}\r\nCSeq: {cseq} {method}\r\n\
             Max-Forwards: 70\r\nContact: <sip:198.51.100.9:5060>\r\n"
        );
        if !body.is_empty() {
            text += "Content-Type: application/sdp\r\n";
        }
        text += &format!("Content-Length: {}\r\n\r\n", body.len());
        self.sip(Bytes::from([text.as_bytes(), body].concat()));
    }

    /// Makes the call that the media is for, unless it is there. It has to wait for a place among the mutants' calls.
    fn call(&mut self) {
        while self.victim.is_none() {
            self.calls += 1;
            let call_id = format!("victim-{}", self.calls);
            let to = "<sip:2000@10.0.0.1>".to_owned();
            let mut victim = Victim { leg: CallId(0), call_id, to, cseq: 1, sequence: 0 };
            let branch = format!("v{}", self.calls);
            self.sent.clear();
            self.request("INVITE", &victim, &branch, OFFER.as_bytes());
            let (status, to) = self.last_final(&victim.call_id).expect("a final answer");
            if status == 200 {
                victim.to = to;
                victim.leg = *self.ports.last_key_value().expect("ports of the newest call").0;
                self.request("ACK", &victim, &format!("{branch}a"), b"");
                self.victim = Some(victim);
            } else {
                self.request("ACK", &victim, &branch, b"");
                self.run(Duration::from_secs(10));
            }
        }
    }

    /// A new offer inside the call, acknowledged as it was answered. Says whether it was taken.
    fn offer(&mut self, body: &[u8]) -> bool {
        let Some(mut victim) = self.victim.take() else { return false };
        victim.cseq += 1;
        let branch = format!("{}o{}", victim.call_id, victim.cseq);
        self.sent.clear();
        self.request("INVITE", &victim, &branch, body);
        let (status, _) = self.last_final(&victim.call_id).expect("every offer is answered at once");
        let taken = status == 200;
        let ack = if taken { format!("{branch}a") } else { branch };
        // Without a body it was no offer: our answer to theirs goes with the ACK.
        let answer = if taken && body.is_empty() { OFFER.as_bytes() } else { b"" };
        self.request("ACK", &victim, &ack, answer);
        self.victim = Some(victim);
        taken
    }

    /// Makes a message of a corpus one of our call: its Call-ID, its tags, the next number.
    fn adopt(&mut self, bytes: &mut Vec<u8>) {
        let Some(victim) = &mut self.victim else { return };
        victim.cseq += 1;
        let tag = victim.to.split("tag=").nth(1).unwrap_or_default();
        let replacements = [
            (&b"Call-ID: "[..], format!("Call-ID: {}\r\nX-Was: ", victim.call_id)),
            (b"tag=f1", "tag=f".to_owned()),
            (b"tag=t1", format!("tag={tag}")),
            (b"CSeq: 1 ", format!("CSeq: {} ", victim.cseq)),
            (b"CSeq: 2 ", format!("CSeq: {} ", victim.cseq)),
            (b"CSeq: 3 ", format!("CSeq: {} ", victim.cseq)),
        ];
        for (old, new) in replacements {
            if let Some(at) = bytes.windows(old.len()).position(|window| window == old) {
                bytes.splice(at..at + old.len(), new.into_bytes());
            }
        }
    }

    fn say_something(&mut self) {
        let Some(victim) = &mut self.victim else { return };
        victim.sequence = victim.sequence.wrapping_add(1);
        let sequence = victim.sequence;
        let header =
            Header { marker: false, payload_type: 0, sequence, timestamp: u32::from(sequence) * 160, ssrc: 99 };
        let mut bytes = [0; 300];
        let length = rtp::Packet { header, payload: &[0x55; 160] }.write(&mut bytes).unwrap();
        self.packet(PacketKind::Rtp, &bytes[..length]);
    }

    /// Hangs up and waits until nothing can be left.
    fn rest(&mut self) {
        if let Some(mut victim) = self.victim.take() {
            victim.cseq += 1;
            let branch = format!("{}bye", victim.call_id);
            self.request("BYE", &victim, &branch, b"");
        }
        self.run(Duration::from_secs(400));
        assert!(self.gateway.is_idle(), "{} calls are left", self.gateway.call_count());
        assert!(self.media.is_idle() && self.ports.is_empty(), "{} ports are open", self.ports.len());
        self.sent = Vec::new();
    }

    fn answers_options(&mut self) -> bool {
        let victim = Victim {
            leg: CallId(0),
            call_id: format!("options-{}", self.calls),
            to: "<sip:10.0.0.1>".into(),
            cseq: 1,
            sequence: 0,
        };
        self.sent.clear();
        self.request("OPTIONS", &victim, &victim.call_id, b"");
        let status = self.last_final(&victim.call_id).map(|(status, _)| status);
        self.run(Duration::from_secs(60));
        status == Some(200)
    }
}

/// Memory of this process that is in use, bytes.
fn resident() -> u64 {
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap();
    statm.split(' ').nth(1).unwrap().parse::<u64>().unwrap() * 4_096
}

#[test]
fn a_million_mutated_packets_leave_nothing_behind() {
    let [sip, sdp, rtp, rtcp] = ["sip", "sdp", "rtp", "rtcp"].map(corpus);
    let mut mutator = Mutator { random: StdRng::seed_from_u64(4) };
    let mut target = Target::new();
    let mut reached: [Reached; 4] = Default::default();
    let (mut offers_taken, mut before) = (0, 0);
    for n in 0..EACH {
        if n % 100 == 0 {
            target.call();
            target.say_something();
        }
        let mut bytes = fresh(mutator.mutate(&sip), n);
        if n % 8 == 1 {
            target.adopt(&mut bytes);
        }
        let bytes = Bytes::from(bytes);
        reached[0].count(Message::parse(&bytes).is_ok());
        target.sip(bytes);
        target.run(STEP);

        let bytes = mutator.mutate(&sdp);
        reached[1].count(SessionDescription::parse(&bytes).is_ok());
        offers_taken += usize::from(target.offer(&bytes));
        target.run(STEP);

        let bytes = mutator.mutate(&rtp);
        reached[2].count(rtp::Packet::parse(&bytes).is_ok());
        target.packet(PacketKind::Rtp, &bytes);
        target.run(STEP);

        let bytes = mutator.mutate(&rtcp);
        reached[3].count(rtcp::parse(&bytes).is_ok());
        target.packet(PacketKind::Rtcp, &bytes);
        target.run(STEP);

        target.sent.clear();
        if n + 1 == WARM_UP {
            target.rest();
            before = resident();
        }
    }
    target.rest();
    let grown = resident().saturating_sub(before);
    assert!(target.answers_options());
    let [accepted, invalid, foreign] = target.media_counts;
    println!("RTP: {accepted} accepted, {invalid} invalid, {foreign} foreign; {} SIP messages sent", target.answers);
    println!(
        "SIP {:?}, SDP {:?}, RTP {:?}, RTCP {:?}; {offers_taken} offers taken, {} call records, {} calls for the media, \
         {} KiB grown",
        reached[0],
        reached[1],
        reached[2],
        reached[3],
        target.records,
        target.calls,
        grown / 1_024
    );
    for kind in reached {
        assert_eq!(kind.read + kind.refused, EACH);
        assert!(kind.read > EACH / 10 && kind.refused > EACH / 50, "both ways were taken: {reached:?}");
    }
    assert!(offers_taken > EACH / 10 && target.answers > EACH);
    assert!(accepted > EACH as u64 / 10 && invalid > EACH as u64 / 10, "the engine saw them");
    assert!(grown <= TOLERANCE, "the process grew by {} KiB", grown / 1_024);
}

/// Seeds have one Call-ID and one branch for each kind; most mutants get one of their own, so that they are new calls.
fn fresh(bytes: Vec<u8>, n: usize) -> Vec<u8> {
    if n.is_multiple_of(4) {
        return bytes;
    }
    let mut out = Vec::with_capacity(bytes.len() + 32);
    let mut rest = &bytes[..];
    for marker in [&b"z9hG4bK"[..], b"seed-call"] {
        if let Some(at) = rest.windows(marker.len()).position(|window| window == marker) {
            let (head, tail) = rest.split_at(at + marker.len());
            out.extend_from_slice(head);
            out.extend_from_slice(format!("{n}x").as_bytes());
            rest = tail;
        }
    }
    out.extend_from_slice(rest);
    out
}
