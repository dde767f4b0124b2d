//! Browsers that talk in one room, and what that costs a server: `browsers whip URL PID [LEGS] [SECONDS]` joins by
//! WHIP, with the bearer token in the environment's TOKEN; `browsers janus URL PID [LEGS] [SECONDS]` joins a room that
//! it makes in Janus' AudioBridge, at 48 kHz. Both have the same clients (str0m, Opus, 20 ms, everybody talks), in one
//! thread, at the address that the URL names. Janus offers none of loopback: it needs another one of the machine.

#![expect(clippy::disallowed_methods, reason = "a client in real time reads the clock")]

use nix::sys::epoll::{Epoll, EpollCreateFlags, EpollEvent, EpollFlags, EpollTimeout};
use partyline::audio::codec::{Decoder, Encoder, Libraries};
use partyline::audio::{Rate, goertzel};
use partyline::types::{AudioCodec, OpusSettings};
use serde_json::{Value, json};
use std::error::Error;
use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::time::{Duration, Instant};
use str0m::change::{SdpAnswer, SdpOffer};
use str0m::media::{Direction, Frequency, MediaKind, MediaTime, Mid};
use str0m::net::{Protocol, Receive};
use str0m::{Candidate, Event, Input, Output, Rtc};
use url::{Host, Url};

type Result<T> = std::result::Result<T, Box<dyn Error>>;

const PACKET: Duration = Duration::from_millis(20);
/// Everybody's tone is one of so many.
const TONES: usize = 10;
/// All are there and talk for so long before anything is measured.
const WARM_UP: Duration = Duration::from_secs(3);
/// Time between two who join, so that handshakes are no rush.
const APART: Duration = Duration::from_millis(50);

fn hertz(client: usize) -> f64 {
    400.0 + 150.0 * (client % TONES) as f64
}

/// Where the clients go.
enum Server {
    Whip { url: String, token: String },
    Janus { url: String, room: u64 },
}

impl Server {
    fn post(url: &str, body: &Value) -> Result<Value> {
        let mut response = ureq::post(url).header("Content-Type", "application/json").send(body.to_string())?;
        Ok(serde_json::from_str(&response.body_mut().read_to_string()?)?)
    }

    /// Janus: what is asked, and the event that comes of it where one does.
    fn message(session: &str, handle: u64, body: &Value, jsep: Option<&str>, is_event: bool) -> Result<Value> {
        let mut message = json!({ "janus": "message", "transaction": "t", "body": body });
        if let Some(sdp) = jsep {
            message["jsep"] = json!({ "type": "offer", "sdp": sdp });
        }
        let reply = Self::post(&format!("{session}/{handle}"), &message)?;
        if !is_event {
            return Ok(reply);
        }
        loop {
            let mut response = ureq::get(format!("{session}?maxev=1")).call()?;
            let event: Value = serde_json::from_str(&response.body_mut().read_to_string()?)?;
            if event["janus"] == "event" && event["sender"] == handle {
                return Ok(event);
            }
        }
    }

    /// The address of this machine that the clients are at.
    fn address(&self) -> Result<IpAddr> {
        let (Self::Whip { url, .. } | Self::Janus { url, .. }) = self;
        match Url::parse(url)?.host() {
            Some(Host::Ipv4(address)) => Ok(address.into()),
            Some(Host::Ipv6(address)) => Ok(address.into()),
            _ => Err(format!("{url} names no address").into()),
        }
    }

    /// The answer to an offer.
    fn join(&self, offer: &str) -> Result<String> {
        match self {
            Self::Whip { url, token } => {
                let request = ureq::post(url).header("Content-Type", "application/sdp");
                let mut response = request.header("Authorization", format!("Bearer {token}")).send(offer)?;
                Ok(response.body_mut().read_to_string()?)
            }
            Self::Janus { url, room } => {
                let created = Self::post(url, &json!({ "janus": "create", "transaction": "t" }))?;
                let session = format!("{url}/{}", created["data"]["id"]);
                let attach = json!({ "janus": "attach", "plugin": "janus.plugin.audiobridge", "transaction": "t" });
                let handle = Self::post(&session, &attach)?["data"]["id"].as_u64().ok_or("no handle")?;
                let make = json!({ "request": "create", "room": room, "sampling_rate": 48_000, "permanent": false });
                // But for the first it is there.
                Self::message(&session, handle, &make, None, false)?;
                let join = json!({ "request": "join", "room": room, "muted": false });
                Self::message(&session, handle, &join, None, true)?;
                let configured = json!({ "request": "configure", "muted": false });
                let event = Self::message(&session, handle, &configured, Some(offer), true)?;
                Ok(event["jsep"]["sdp"].as_str().ok_or_else(|| format!("no answer: {event}"))?.to_owned())
            }
        }
    }
}

struct Client {
    number: usize,
    rtc: Rtc,
    socket: UdpSocket,
    here: SocketAddr,
    mid: Mid,
    next: Instant,
    due: Instant,
    sent: u64,
    connected: bool,
    heard: u64,
    /// The newest payloads.
    payloads: Vec<Vec<u8>>,
}

impl Client {
    fn join(number: usize, server: &Server) -> Result<Self> {
        let socket = UdpSocket::bind((server.address()?, 0))?;
        socket.set_nonblocking(true)?;
        let here = socket.local_addr()?;
        let mut rtc = Rtc::builder().clear_codecs().enable_opus(true, false).build(Instant::now());
        rtc.add_local_candidate(Candidate::host(here, "udp")?);
        let mut api = rtc.sdp_api();
        let mid = api.add_media(MediaKind::Audio, Direction::SendRecv, None, None, None);
        let (offer, pending): (SdpOffer, _) = api.apply().ok_or("no offer")?;
        let answer = server.join(&offer.to_sdp_string())?;
        rtc.sdp_api().accept_answer(pending, SdpAnswer::from_sdp_string(&answer)?)?;
        let now = Instant::now();
        let (next, payloads) = (now, Vec::new());
        Ok(Self { number, rtc, socket, here, mid, next, due: now, sent: 0, connected: false, heard: 0, payloads })
    }

    fn drain(&mut self) -> Result<()> {
        loop {
            match self.rtc.poll_output()? {
                Output::Timeout(due) => {
                    self.due = due;
                    return Ok(());
                }
                Output::Transmit(transmit) => {
                    // A full buffer loses it, as the network would.
                    let _ = self.socket.send_to(&transmit.contents, transmit.destination);
                }
                Output::Event(Event::Connected) => {
                    self.connected = true;
                    self.next = Instant::now();
                }
                Output::Event(Event::MediaData(data)) => {
                    self.heard += 1;
                    if self.number == 0 {
                        self.payloads.push(data.data.to_vec());
                    }
                }
                Output::Event(_) => {}
            }
        }
    }

    fn receive(&mut self, bytes: &mut [u8]) -> Result<()> {
        while let Ok((length, source)) = self.socket.recv_from(bytes) {
            if let Ok(receive) = Receive::new(Protocol::Udp, source, self.here, &bytes[..length]) {
                self.rtc.handle_input(Input::Receive(Instant::now(), receive))?;
                self.drain()?;
            }
        }
        Ok(())
    }

    fn go_on(&mut self, now: Instant, tones: &[Vec<Vec<u8>>]) -> Result<()> {
        if self.due <= now {
            self.rtc.handle_input(Input::Timeout(now))?;
            self.drain()?;
        }
        while self.connected && self.next <= now {
            self.next += PACKET;
            let tone = &tones[self.number % TONES];
            let payload = tone[usize::try_from(self.sent)? % tone.len()].clone();
            if let Some(writer) = self.rtc.writer(self.mid) {
                let pt = writer.payload_params().next().ok_or("no codec")?.pt();
                writer.write(pt, now, MediaTime::new(self.sent * 960, Frequency::FORTY_EIGHT_KHZ), payload)?;
                self.sent += 1;
                self.drain()?;
            }
        }
        Ok(())
    }

    fn wakes(&self) -> Instant {
        if self.connected { self.due.min(self.next) } else { self.due }
    }
}

/// A second of each tone in packets.
fn tones() -> Result<Vec<Vec<Vec<u8>>>> {
    let frame = Rate::Full.frame();
    let tone = |number: usize| {
        let mut encoder = Encoder::new(AudioCodec::Opus, &OpusSettings::default(), &Libraries::default())?;
        let step = std::f64::consts::TAU * hertz(number) / f64::from(Rate::Full.hertz());
        let packets = (0..50).map(|packet| {
            let samples: Vec<i16> =
                (0..frame).map(|at| (3_000.0 * (step * (packet * frame + at) as f64).sin()) as i16).collect();
            let mut payload = [0; 1_276];
            let length = encoder.encode(&samples, &mut payload);
            payload[..length].to_vec()
        });
        Some(packets.collect())
    };
    (0..TONES).map(tone).collect::<Option<_>>().ok_or_else(|| "no encoder".into())
}

/// Seconds of processor time of a process so far, and KiB of its memory.
fn cost(pid: u32) -> Result<(f64, f64)> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat"))?;
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
    let ticks = fields[11].parse::<f64>()? + fields[12].parse::<f64>()?;
    let status = std::fs::read_to_string(format!("/proc/{pid}/status"))?;
    let resident = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).ok_or("no VmRSS")?;
    Ok((ticks / 100.0, resident.trim().trim_end_matches(" kB").parse()?))
}

fn serve(clients: &mut [Client], epoll: &Epoll, tones: &[Vec<Vec<u8>>], until: Instant) -> Result<()> {
    let mut events = [EpollEvent::empty(); 64];
    let mut bytes = [0; 2_000];
    loop {
        let now = Instant::now();
        if now >= until {
            return Ok(());
        }
        for client in clients.iter_mut() {
            if client.wakes() <= now {
                client.go_on(now, tones)?;
            }
        }
        let wakes = clients.iter().map(Client::wakes).min().unwrap_or(until).min(until);
        let wait = wakes.saturating_duration_since(Instant::now()).as_millis();
        let ready = epoll.wait(&mut events, EpollTimeout::try_from(i32::try_from(wait)?)?)?;
        for event in events.iter().take(ready) {
            if let Some(client) = clients.get_mut(usize::try_from(event.data())?) {
                client.receive(&mut bytes)?;
            }
        }
    }
}

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let (kind, url, pid, rest) = match arguments[..] {
        [kind, url, pid, ref rest @ ..] => (kind, url.to_owned(), pid.parse()?, rest),
        // As any bench, it may be run without a word.
        _ => return Ok(()),
    };
    let server = match kind {
        "whip" => Server::Whip { url, token: std::env::var("TOKEN")? },
        "janus" => Server::Janus { url, room: 77_000 + u64::from(std::process::id()) },
        other => return Err(format!("{other} is neither whip nor janus").into()),
    };
    let legs: usize = rest.first().map_or(Ok(100), |legs| legs.parse())?;
    let seconds: u64 = rest.get(1).map_or(Ok(20), |seconds| seconds.parse())?;
    let tones = tones()?;
    let (_, before) = cost(pid)?;
    let epoll = Epoll::new(EpollCreateFlags::EPOLL_CLOEXEC)?;
    let mut clients: Vec<Client> = Vec::new();
    for number in 0..legs {
        let mut client = Client::join(number, &server)?;
        epoll.add(&client.socket, EpollEvent::new(EpollFlags::EPOLLIN, number as u64))?;
        client.drain()?;
        clients.push(client);
        serve(&mut clients, &epoll, &tones, Instant::now() + APART)?;
    }
    serve(&mut clients, &epoll, &tones, Instant::now() + WARM_UP)?;
    let (begun, heard) = (cost(pid)?.0, clients.iter().map(|client| client.heard).sum::<u64>());
    serve(&mut clients, &epoll, &tones, Instant::now() + Duration::from_secs(seconds))?;
    let (ended, after) = cost(pid)?;
    let heard = clients.iter().map(|client| client.heard).sum::<u64>() - heard;
    let processor = (ended - begun) / seconds as f64 * 100.0 / legs as f64;
    println!("{kind}: {legs} browsers, all talking: {processor:.3} % of a core each");
    println!("memory: {:.0} KiB each, {:.1} MiB in all", (after - before) / legs as f64, after / 1_024.0);
    println!("packets a second that each hears: {:.1}", heard as f64 / (seconds * legs as u64) as f64);
    // What the first one hears at last: others' tones, and its own no louder.
    let mut decoder = Decoder::new(AudioCodec::Opus, &Libraries::default()).ok_or("no decoder")?;
    let mut samples = Vec::new();
    let payloads = &clients[0].payloads;
    for payload in payloads.iter().skip(payloads.len().saturating_sub(50)) {
        let at = samples.len();
        samples.resize(at + Rate::Full.frame(), 0);
        decoder.decode(payload, &mut samples[at..]);
    }
    let level = |hertz| goertzel::tone_dbfs(&samples, Rate::Full.hertz(), hertz);
    let levels: Vec<String> = (0..TONES).map(|tone| format!("{:.0}", level(hertz(tone)))).collect();
    println!("what the first hears of the tones, dBFS: {}", levels.join(" "));
    Ok(())
}
