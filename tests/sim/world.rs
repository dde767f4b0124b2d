//! The gateway, its media plane, a network and phones on one virtual clock.
//!
//! A scenario makes a [`World`], lets phones do things, lets time pass with [`World::run`], asserts, and ends with
//! [`World::finish`], which checks that nothing is left.

use super::network::{Datagram, Network, Weather};
use super::phone::{Agent, End, LEVEL, Phone, Stage, tone};
use super::plan;
use super::sounds::Tones;
use bytes::Bytes;
use partyline::audio::goertzel;
use partyline::dialplan::{Plan, TrunkAddress};
use partyline::gateway::{
    self, CallRecord, Gateway, Input, OpenedTransport, Output, Reply, Request, SessionId, TransportKind,
};
use partyline::media::PacketKind;
use partyline::media::command::{Clip, Command, Event, LegStatistics, StreamSample};
use partyline::media::sim::SimMedia;
use partyline::session::{self, Verb};
use partyline::sip::message::Transport;
use partyline::sip::{self, EndpointConfig, Flow};
use partyline::types::{AudioCodec, CallId, Now};
use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant, UNIX_EPOCH};

/// A tone is heard when it is within 6 dB, and is not heard 24 dB below.
const HEARD: f32 = LEVEL - 6.0;
const UNHEARD: f32 = LEVEL - 24.0;

/// The level of a tone in dBFS: the mean power of two half seconds, since a tone that concealment shifted by half a
/// period is heard as well as before, and would cancel what came before it in one measurement.
fn steady_level(samples: &[i16], frequency: f64) -> f32 {
    let pieces = samples.chunks_exact(4_000);
    let count = pieces.len() as f32;
    let power: f32 = pieces.map(|piece| 10f32.powf(goertzel::tone_dbfs(piece, 8_000, frequency) / 10.0)).sum();
    10.0 * (power / count).log10()
}

/// The gateway's address, for everything.
pub(crate) const GATEWAY: [u8; 4] = [10, 0, 0, 1];
/// What the gateway may still wait for when the last call is over.
const AFTERMATH: Duration = Duration::from_secs(300);

pub(crate) fn ms(milliseconds: u64) -> Duration {
    Duration::from_millis(milliseconds)
}

pub(crate) fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

#[expect(clippy::disallowed_methods, reason = "a virtual clock needs some origin; it never reads the clock again")]
fn origin() -> Instant {
    Instant::now()
}

/// What a world is made of.
pub(crate) struct Settings {
    pub(crate) seed: u64,
    /// Lines for the dialplan's `[gateway]`.
    pub(crate) gateway: &'static str,
    /// Lines for trunk "carrier", and for trunks "first" and "second", by which calls go out.
    pub(crate) carrier: &'static str,
    pub(crate) first: &'static str,
    pub(crate) second: &'static str,
    pub(crate) endpoint: EndpointConfig,
    /// How long a message takes between the gateway and a media thread.
    pub(crate) media_latency: Duration,
    /// Pairs of media ports there are.
    pub(crate) ports: usize,
    /// How long it takes to open one.
    pub(crate) port_delay: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            seed: 1,
            gateway: "",
            carrier: "",
            first: "",
            second: "",
            endpoint: EndpointConfig { trace: true, ..EndpointConfig::default() },
            media_latency: ms(1),
            ports: 1_000,
            port_delay: Duration::ZERO,
        }
    }
}

/// A scenario, which the test runs by hand.
#[derive(Debug)]
pub(crate) struct Started {
    pub(crate) session: SessionId,
    pub(crate) scenario: String,
    pub(crate) rule: String,
    /// Why it is over, when it is.
    pub(crate) over: Option<&'static str>,
    /// What it was told.
    pub(crate) told: Vec<session::Event>,
    /// The other ends of its streams.
    pub(crate) streams: Vec<(session::StreamHandle, gateway::StreamEnd)>,
}

impl Started {
    /// Takes what it was told since, but for the beginnings of sound, which `scenario_sound` looks at.
    pub(crate) fn take(&mut self) -> Vec<session::Event> {
        use session::Event::{FirstPacket, PlaybackStarted};
        let mut told = self.take_all();
        told.retain(|event| !matches!(event, FirstPacket { .. } | PlaybackStarted { .. }));
        told
    }

    /// Takes all that it was told since.
    pub(crate) fn take_all(&mut self) -> Vec<session::Event> {
        std::mem::take(&mut self.told)
    }
}

pub(crate) struct World {
    pub(crate) now: Now,
    start: Instant,
    pub(crate) gateway: Gateway,
    pub(crate) media: SimMedia,
    plan: Arc<Plan>,
    /// Sounds that are to be fetched do not come.
    pub(crate) holds_sounds: bool,
    held_sounds: Vec<rtrb::Producer<StreamSample>>,
    /// Where nothing can be sent to.
    pub(crate) unreachable: BTreeSet<IpAddr>,
    /// Until then the gateway serves nothing that comes.
    stalled_until: Option<Instant>,
    network: Network,
    pub(crate) phones: Vec<Phone>,
    /// Media ports that are open, by call, and those that are being opened.
    ports: BTreeMap<CallId, u16>,
    opening: Vec<(Instant, CallId)>,
    settings: Settings,
    next_port: u16,
    /// All lines of the log, with their time.
    pub(crate) log: Vec<String>,
    pub(crate) records: Vec<CallRecord>,
    /// The gateway's events.
    pub(crate) gateway_events: Vec<gateway::Event>,
    /// The records of calls that were answered, should the gateway stop.
    pub(crate) answered: Vec<CallRecord>,
    /// Host names of media that are to be looked up.
    pub(crate) host_lookups: Vec<(CallId, String)>,
    pub(crate) replies: Vec<Reply>,
    /// Scenarios that were started, the oldest first.
    pub(crate) scenarios: Vec<Started>,
    /// Texts that nobody hears any more.
    pub(crate) cancelled_speeches: usize,
    pub(crate) drained: bool,
    /// Events of the media plane that are not asked for by anything else.
    pub(crate) events: Vec<Event>,
    /// Where the gateway sent datagrams and no phone is.
    pub(crate) astray: Vec<SocketAddr>,
    pins: BTreeSet<String>,
    /// Datagrams of signalling as one line each, and log lines: the course of the run.
    pub(crate) trace: Vec<String>,
    finished: bool,
}

impl World {
    pub(crate) fn new(settings: Settings) -> Self {
        let now = Now { instant: origin(), wall: UNIX_EPOCH + secs(1_790_000_000) };
        let text = plan::with_trunks(settings.gateway, settings.first, settings.second);
        let carrier = format!("[trunks.carrier]\n{}\n", settings.carrier);
        let plan = plan::parse(&text.replacen("[trunks.carrier]\n", &carrier, 1));
        let gateway = Gateway::new(
            now,
            Arc::clone(&plan),
            Arc::new(Tones),
            settings.endpoint.clone(),
            partyline::types::Seed::fixed(settings.seed),
        );
        let mut world = Self {
            now,
            start: now.instant,
            gateway,
            media: SimMedia::new(now, 2).with_latency(settings.media_latency),
            plan,
            holds_sounds: false,
            held_sounds: Vec::new(),
            unreachable: BTreeSet::new(),
            stalled_until: None,
            network: Network::new(settings.seed.wrapping_mul(31)),
            phones: Vec::new(),
            ports: BTreeMap::new(),
            opening: Vec::new(),
            next_port: 20_000,
            settings,
            log: Vec::new(),
            records: Vec::new(),
            gateway_events: Vec::new(),
            answered: Vec::new(),
            host_lookups: Vec::new(),
            replies: Vec::new(),
            scenarios: Vec::new(),
            cancelled_speeches: 0,
            drained: false,
            events: Vec::new(),
            astray: Vec::new(),
            pins: BTreeSet::from([plan::RED.to_owned(), plan::BLUE.to_owned()]),
            trace: Vec::new(),
            finished: false,
        };
        world.settle();
        world
    }

    /// A phone on the trunk "carrier".
    pub(crate) fn phone(&mut self) -> usize {
        self.phone_at([198, 51, 100], AudioCodec::Pcmu)
    }

    pub(crate) fn phone_at(&mut self, network: [u8; 3], codec: AudioCodec) -> usize {
        let n = self.phones.len();
        let [a, b, c] = network;
        let address = IpAddr::from([a, b, c, 10 + u8::try_from(n).unwrap()]);
        self.phones.push(Phone::new(n, address, SocketAddr::from((GATEWAY, 5060)), codec));
        n
    }

    /// Phones that are in the room `number` leads to, or have keyed its PIN; their prompts are over.
    pub(crate) fn phones_in(&mut self, number: &str, count: usize) -> Vec<usize> {
        let phones: Vec<usize> = (0..count).map(|_| self.phone()).collect();
        for &phone in &phones {
            self.dial(phone, number);
            self.run(ms(700));
        }
        self.run(ms(2_500));
        phones
    }

    pub(crate) fn dial(&mut self, phone: usize, number: &str) {
        self.act(phone, |agent, now| agent.dial(now, number));
    }

    pub(crate) fn bye(&mut self, phone: usize) {
        self.act(phone, Agent::bye);
    }

    pub(crate) fn cancel(&mut self, phone: usize) {
        self.act(phone, Agent::cancel);
    }

    pub(crate) fn reinvite(&mut self, phone: usize) {
        self.act(phone, Agent::reinvite);
    }

    /// The phone's user does something.
    pub(crate) fn act(&mut self, phone: usize, what: impl FnOnce(&mut Agent, Instant)) {
        let now = self.now.instant;
        let acting = &mut self.phones[phone];
        what(&mut acting.agent, now);
        acting.follow(now);
        self.carry(phone);
    }

    /// Presses keys, 100 ms each. Those of a PIN are remembered: no line of the log may hold them.
    pub(crate) fn key(&mut self, phone: usize, keys: &str) {
        self.remember_pin(keys);
        self.phones[phone].mouth.press(keys);
    }

    /// No line of the log may hold the digits of these keys.
    pub(crate) fn remember_pin(&mut self, keys: &str) {
        let digits: String = keys.chars().filter(char::is_ascii_digit).collect();
        if digits.len() >= 4 {
            self.pins.insert(digits);
        }
    }

    /// Presses keys and waits until the last one is released.
    pub(crate) fn key_and_wait(&mut self, phone: usize, keys: &str) {
        self.key(phone, keys);
        while self.phones[phone].mouth.is_pressing() {
            self.run(ms(20));
        }
    }

    pub(crate) fn ask(&mut self, request: Request) -> Reply {
        self.input(Input::Control { id: 7, request });
        self.settle();
        self.replies.last().cloned().expect("a reply")
    }

    /// A scenario asks for something.
    pub(crate) fn say(&mut self, session: SessionId, verbs: Vec<Verb>) {
        self.input(Input::Verbs { session, verbs });
        self.settle();
    }

    fn scenario(&mut self, session: SessionId) -> &mut Started {
        let found = self.scenarios.iter_mut().find(|started| started.session == session);
        found.expect("a scenario that was started")
    }

    pub(crate) fn input(&mut self, input: Input) {
        self.gateway.handle_input(self.now, input);
    }

    /// A datagram from anywhere to the media port of a phone's call arrives now.
    pub(crate) fn inject(&mut self, phone: usize, from: &str, bytes: &[u8]) {
        let to = self.phones[phone].agent.remote.as_ref().expect("a call").media;
        self.arrive(Datagram { from: from.parse().unwrap(), to, bytes: Bytes::copy_from_slice(bytes) });
        self.settle();
    }

    /// The same to its RTCP port.
    pub(crate) fn inject_report(&mut self, phone: usize, from: &str, bytes: &[u8]) {
        let media = self.phones[phone].agent.remote.as_ref().expect("a call").media;
        let to = SocketAddr::new(media.ip(), media.port() + 1);
        self.arrive(Datagram { from: from.parse().unwrap(), to, bytes: Bytes::copy_from_slice(bytes) });
        self.settle();
    }

    /// Lets everything happen for `time`.
    pub(crate) fn run(&mut self, time: Duration) {
        let end = self.now.instant + time;
        loop {
            let phones = self.phones.iter().filter_map(Phone::poll_timeout).min();
            let opening = self.opening.first().map(|(at, _)| *at);
            let cores = [self.gateway.poll_timeout(), self.media.poll_timeout(), self.network.poll_timeout()];
            let next = cores.into_iter().chain([phones, opening, self.stalled_until]).flatten().min();
            let Some(next) = next.filter(|at| *at <= end) else { break };
            self.advance(next);
            self.step();
        }
        self.advance(end);
    }

    /// Lets everything happen until `done`, for `limit` at most.
    pub(crate) fn run_until(&mut self, limit: Duration, mut done: impl FnMut(&Self) -> bool) {
        let end = self.now.instant + limit;
        while !done(self) {
            assert!(self.now.instant < end, "it did not happen within {limit:?}; log: {:#?}", self.tail());
            self.run(ms(20));
        }
    }

    fn advance(&mut self, to: Instant) {
        self.now = self.now.after(to.saturating_duration_since(self.now.instant));
    }

    /// Does what is due now.
    fn step(&mut self) {
        let now = self.now.instant;
        for phone in 0..self.phones.len() {
            if self.phones[phone].poll_timeout().is_some_and(|at| at <= now) {
                self.phones[phone].handle_timeout(now);
                self.carry(phone);
            }
        }
        while let Some(datagram) = self.network.arrived(now) {
            self.arrive(datagram);
        }
        while self.opening.first().is_some_and(|(at, _)| *at <= now) {
            let (_, call) = self.opening.remove(0);
            self.open(call);
        }
        self.stalled_until = self.stalled_until.filter(|at| *at > now);
        self.settle();
        if self.gateway.poll_timeout().is_some_and(|at| at <= now) {
            self.gateway.handle_timeout(self.now);
            self.settle();
            assert!(self.gateway.poll_timeout().is_none_or(|at| at > now), "a timeout of the gateway that was done");
        }
        if self.media.poll_timeout().is_some_and(|at| at <= now) {
            self.media.handle_timeout(self.now);
            self.settle();
            assert!(self.media.poll_timeout().is_none_or(|at| at > now), "a timeout of the media plane that was done");
        }
    }

    /// Puts what a phone sends on the network.
    fn carry(&mut self, phone: usize) {
        let now = self.now.instant;
        let sender = &mut self.phones[phone];
        let (sip, media) = sender.take_out(now);
        let (sip_weather, rtp_weather) = (sender.sip_weather, sender.rtp_weather);
        if sender.gone {
            return;
        }
        for datagram in sip {
            self.note(&datagram);
            self.network.send(now, &sip_weather, datagram);
        }
        for datagram in media {
            self.network.send(now, &rtp_weather, datagram);
        }
    }

    fn arrive(&mut self, datagram: Datagram) {
        let Datagram { from, to, bytes } = datagram;
        if to.ip() == IpAddr::from(GATEWAY) {
            if to.port() == 5060 {
                let flow = Flow { transport: Transport::Udp, local: to, remote: from, connection: None };
                self.gateway.queue(self.now.instant, sip::Input::Message { flow, bytes });
                self.settle();
            } else if let Some((call, kind)) = self.port_of(to.port()) {
                self.media.deliver(self.now, call, kind, from, &bytes);
            }
            return;
        }
        let now = self.now.instant;
        let is_sip = |phone: &Phone| phone.agent.address == to;
        let Some(n) = self.phones.iter().position(|phone| {
            is_sip(phone) || phone.mouth.address.ip() == to.ip() && phone.mouth.address.port() / 2 == to.port() / 2
        }) else {
            self.astray.push(to);
            return;
        };
        let phone = &mut self.phones[n];
        if phone.gone {
            return;
        }
        if is_sip(phone) {
            phone.handle_sip(now, &bytes);
            self.carry(n);
        } else {
            phone.handle_media(now, &bytes);
        }
    }

    fn port_of(&self, port: u16) -> Option<(CallId, PacketKind)> {
        let (call, _) = self.ports.iter().find(|(_, open)| **open / 2 == port / 2)?;
        Some((*call, if port.is_multiple_of(2) { PacketKind::Rtp } else { PacketKind::Rtcp }))
    }

    /// Carries out what the cores want done, until they want nothing.
    pub(crate) fn settle(&mut self) {
        loop {
            if let Some(output) = self.gateway.poll_output() {
                self.carry_out(output);
            } else if let Some(sent) = self.media.poll_transmit() {
                let Some(&port) = self.ports.get(&sent.leg) else { panic!("{} sends without a port", sent.leg) };
                let port = port + u16::from(sent.kind == PacketKind::Rtcp);
                let from = SocketAddr::from((GATEWAY, port));
                let datagram = Datagram { from, to: sent.destination, bytes: sent.bytes.into() };
                let weather = self.weather_to(sent.destination, |phone| phone.rtp_weather);
                self.network.send(self.now.instant, &weather, datagram);
            } else if let Some(event) = self.media.poll_event() {
                if let Event::LegRemoved { leg, .. } = &event {
                    assert!(self.ports.remove(leg).is_some(), "the ports of {leg} were open");
                }
                self.events.push(event.clone());
                self.input(Input::Media(event));
            } else if self.stalled_until.is_some() || !self.gateway.serve(self.now) {
                return;
            }
        }
    }

    /// Has what comes wait for `time`, as behind too much work.
    pub(crate) fn stall(&mut self, time: Duration) {
        self.stalled_until = Some(self.now.instant + time);
    }

    fn weather_to(&self, to: SocketAddr, weather: impl Fn(&Phone) -> Weather) -> Weather {
        let phone = self.phones.iter().find(|phone| phone.agent.address.ip() == to.ip());
        phone.map_or(Weather::CLEAR, weather)
    }

    fn carry_out(&mut self, output: Output) {
        match output {
            Output::Sip { flow, .. } if self.unreachable.contains(&flow.remote.ip()) => {
                self.input(Input::Sip(sip::Input::SendFailed { flow }));
            }
            Output::Sip { flow, bytes, .. } => {
                let datagram = Datagram { from: flow.local, to: flow.remote, bytes };
                self.note(&datagram);
                let weather = self.weather_to(flow.remote, |phone| phone.sip_weather);
                self.network.send(self.now.instant, &weather, datagram);
            }
            Output::Media(command) => {
                if let Command::AddLeg { leg, .. } = &command {
                    assert!(self.ports.contains_key(leg), "a leg without ports");
                }
                self.media.send(self.now, command);
            }
            Output::OpenTransport { kind: TransportKind::WebRtc | TransportKind::Either, .. }
            | Output::ConnectTransport { .. } => {
                panic!("there are no browsers here")
            }
            Output::OpenTransport { call, kind: TransportKind::Rtp, local } => {
                assert_eq!(local, IpAddr::from(GATEWAY));
                if self.settings.port_delay.is_zero() {
                    self.open(call);
                } else {
                    self.opening.push((self.now.instant + self.settings.port_delay, call));
                }
            }
            Output::CloseTransport { call } => {
                self.ports.remove(&call);
            }
            Output::Resolve { trunk } => {
                let local = SocketAddr::from((GATEWAY, 5060));
                let addresses = self.plan.trunk(&trunk).map(|trunk| trunk.address.clone()).unwrap_or_default();
                let flow =
                    |ip| Flow { transport: Transport::Udp, local, remote: SocketAddr::new(ip, 5060), connection: None };
                let flows: Vec<_> = addresses.iter().filter_map(TrunkAddress::ip).map(flow).collect();
                self.input(Input::Resolved { trunk, found: flows.into() });
            }
            Output::ResolveHost { call, host } => {
                self.host_lookups.push((call, host));
            }
            Output::SpeechHeard { .. } => {}
            Output::CancelSpeech { .. } => self.cancelled_speeches += 1,
            // Nobody says it, nor that they do not.
            Output::Synthesize { text, .. } if text.starts_with("never") => {}
            Output::Synthesize { id, text, .. } => {
                // Each word is a sentence, and the name of its sound.
                let last = text.split(' ').count() - 1;
                for (number, word) in text.split(' ').enumerate() {
                    let sound = Tones::named(word).ok_or_else(|| format!("nobody can say {word}"));
                    self.input(Input::Sound { id, sound, is_last: number == last });
                }
            }
            Output::LoadSound { id, to, source } => {
                let sound = Tones::named(&source.to_string()).map(Clip::Samples).ok_or_else(|| format!("no {source}"));
                self.input(Input::SoundLoaded { id, to, sound });
            }
            Output::StreamSound { stream, .. } if self.holds_sounds => self.held_sounds.push(stream),
            Output::StreamSound { id, url, mut stream, .. } => {
                let name = url.get().path().trim_start_matches('/').to_owned();
                let outcome = Tones::named(&name).ok_or_else(|| format!("no {url}"));
                if let Ok(sound) = &outcome {
                    for at in 0..sound.narrow().len() {
                        stream
                            .push(sound.stream_sample(at))
                            .expect("prompts are shorter than what a player has room for");
                    }
                }
                self.input(Input::SoundStreamed { id, outcome: outcome.map(|sound| Some(sound.duration())) });
            }
            // Users of these scenarios stand in the dialplan.
            Output::Query { id, .. } => {
                let answer = Ok(gateway::Kept::Loaded(gateway::Stored::default()));
                self.input(Input::QueryDone { id, answer });
            }
            Output::StartSession { session, scenario, rule, .. } => {
                self.scenarios.push(Started {
                    session,
                    scenario: scenario.name.clone(),
                    rule,
                    over: None,
                    told: Vec::new(),
                    streams: Vec::new(),
                });
            }
            Output::SessionEvent { session, event } => self.scenario(session).told.push(event),
            Output::StreamOpened { session, stream, end } => self.scenario(session).streams.push((stream, end)),
            Output::SessionOver { session, why } => {
                let before = self.scenario(session).over.replace(why);
                assert_eq!(before, None, "a session ends once");
            }
            Output::KeepBindings { .. } | Output::KeepRoom { .. } => {}
            Output::Answered(record) => self.answered.push(*record),
            Output::Record(record) => self.records.push(*record),
            Output::Log(line) => {
                let time = self.now.instant.duration_since(self.start);
                self.log.push(format!("{:10.3} {line}", time.as_secs_f64()));
                self.trace.push(self.log[self.log.len() - 1].clone());
            }
            Output::Event(event) => self.gateway_events.push(event),
            Output::Reply { reply, .. } => self.replies.push(reply),
            Output::Drained => self.drained = true,
        }
    }

    fn open(&mut self, call: CallId) {
        if self.ports.len() >= self.settings.ports {
            let reason = "no RTP port is free".to_owned();
            return self.input(Input::TransportRefused { call, reason });
        }
        let port = self.next_port;
        self.next_port += 2;
        self.ports.insert(call, port);
        let address = SocketAddr::from((GATEWAY, port));
        let opened = OpenedTransport::Rtp { address, rtcp_port: port + 1 };
        self.input(Input::TransportOpened { call, opened });
    }

    fn note(&mut self, datagram: &Datagram) {
        let line = datagram.bytes.split(|byte| *byte == b'\r').next().unwrap_or_default();
        let time = self.now.instant.duration_since(self.start).as_micros();
        self.trace.push(format!("{time} {} > {} {}", datagram.from, datagram.to, String::from_utf8_lossy(line)));
    }

    /// What a phone heard in the last `time`.
    pub(crate) fn last(&self, phone: usize, time: Duration) -> Vec<i16> {
        self.phones[phone].ear.since(self.now.instant - time)
    }

    /// The prompts a phone heard in the last `time`.
    pub(crate) fn prompts(&self, phone: usize, time: Duration) -> Vec<&'static str> {
        let from = self.now.instant.checked_sub(time).unwrap_or(self.start);
        self.phones[phone].ear.prompts_since(from)
    }

    /// Which phones' tones a phone heard in the last second. A tone between heard and not heard is a failure.
    pub(crate) fn tones(&self, phone: usize) -> Vec<usize> {
        let mut samples = self.last(phone, secs(1));
        samples.truncate(8_000);
        let mut heard = Vec::new();
        for other in 0..self.phones.len() {
            let level = steady_level(&samples, tone(other));
            if level >= HEARD {
                heard.push(other);
            } else {
                assert!(level < UNHEARD, "phone {phone} hears {other} neither well nor not at all: {level} dBFS");
            }
        }
        heard
    }

    /// All of `phones` hear each other, nobody themselves, and nobody else.
    pub(crate) fn assert_together(&self, phones: &[usize]) {
        for &listener in phones {
            let others: Vec<usize> = phones.iter().copied().filter(|phone| *phone != listener).collect();
            assert_eq!(self.tones(listener), others, "what phone {listener} hears");
        }
    }

    pub(crate) fn assert_talking(&self, phones: &[usize]) {
        for &phone in phones {
            assert_eq!(self.phones[phone].agent.stage, Stage::Talking, "phone {phone}; log: {:#?}", self.tail());
        }
    }

    pub(crate) fn assert_ended(&self, phone: usize, end: End) {
        assert_eq!(self.phones[phone].agent.stage, Stage::Ended(end), "phone {phone}; log: {:#?}", self.tail());
    }

    /// Lines of the log with these words in them.
    pub(crate) fn lines(&self, words: &str) -> Vec<&String> {
        self.log.iter().filter(|line| line.contains(words)).collect()
    }

    pub(crate) fn assert_logged(&self, words: &str) {
        assert!(!self.lines(words).is_empty(), "no line says {words:?}: {:#?}", self.tail());
    }

    /// The last lines of the log but for the ladder.
    pub(crate) fn tail(&self) -> Vec<&String> {
        let lines: Vec<&String> = self.log.iter().filter(|line| !line.contains(" SIP: ")).collect();
        lines[lines.len().saturating_sub(12)..].to_vec()
    }

    /// The statistics of the leg of a phone's call so far.
    pub(crate) fn statistics(&mut self, phone: usize) -> LegStatistics {
        let port = self.phones[phone].agent.remote.as_ref().expect("a call").media.port();
        let (leg, _) = self.port_of(port).expect("a leg");
        self.media.send(self.now, Command::QueryStatistics { leg });
        self.run(ms(100));
        let found = self.events.iter().rev().find_map(|event| match event {
            Event::Statistics { leg: of, statistics } if *of == leg => Some((**statistics).clone()),
            _ => None,
        });
        found.expect("the statistics came")
    }

    /// The call identifiers of a phone's call, and the thread its leg is on.
    pub(crate) fn thread_of(&self, phone: usize) -> Option<usize> {
        let port = self.phones[phone].agent.remote.as_ref()?.media.port();
        let (leg, _) = self.port_of(port)?;
        self.media.thread_of(partyline::types::UnitId::Leg(leg))
    }

    /// The record of the last call of a phone.
    pub(crate) fn record(&self, phone: usize) -> &CallRecord {
        let call_id = &self.phones[phone].agent.invites.last().expect("a call").0;
        let found: Vec<&CallRecord> = self.records.iter().filter(|record| record.sip_call_id == *call_id).collect();
        assert_eq!(found.len(), 1, "one record of phone {phone}'s call; log: {:#?}", self.tail());
        found[0]
    }

    /// Everybody hangs up; then nothing is left: no call, leg, timer, port. Every INVITE had one final answer, and the
    /// events of every call are complete.
    pub(crate) fn finish(mut self) -> Vec<String> {
        self.finished = true;
        for phone in 0..self.phones.len() {
            self.phones[phone].sip_weather = Weather::CLEAR;
            match self.phones[phone].agent.stage {
                Stage::Calling { .. } => self.cancel(phone),
                _ => self.bye(phone),
            }
        }
        self.run(AFTERMATH);
        for phone in 0..self.phones.len() {
            // A CANCEL that came too late: the call is up now.
            self.bye(phone);
        }
        self.run(AFTERMATH);
        if self.phones.iter().any(|phone| phone.gone) {
            // Nothing is heard from who is on hold: without a session timer nobody notices that the phone is gone.
            for call in self.ports.keys().copied().collect::<Vec<_>>() {
                self.ask(Request::Kick { call: call.to_string() });
            }
            self.run(AFTERMATH);
        }
        assert!(self.gateway.is_idle(), "{} calls are left; log: {:#?}", self.gateway.call_count(), self.tail());
        assert!(self.media.is_idle(), "the media plane holds something; log: {:#?}", self.tail());
        assert!(self.ports.is_empty() && self.opening.is_empty(), "ports are open: {:?}", self.ports);
        self.assert_pins_unsaid();
        self.assert_journal();
        self.assert_answers();
        super::events::assert_complete(&self.gateway_events);
        let digests = self.phones.iter().map(|phone| format!("{:016x}", phone.ear.digest)).collect::<Vec<_>>();
        self.trace.extend(digests);
        std::mem::take(&mut self.trace)
    }

    fn assert_pins_unsaid(&self) {
        let records = self.records.iter().map(|record| serde_json::to_string(record).unwrap());
        for line in self.log.iter().cloned().chain(records) {
            for pin in &self.pins {
                assert!(!line.contains(pin.as_str()), "a PIN is said: {line}");
            }
        }
    }

    /// Each call that was answered, and no other, was told of when that was, in or out: so that none is unbilled should
    /// the gateway be killed.
    fn assert_journal(&self) {
        let mut answered: Vec<&str> = self.answered.iter().map(|record| record.call.as_str()).collect();
        let ended = self.records.iter().filter(|record| record.answered.is_some());
        let mut ended: Vec<&str> = ended.map(|record| record.call.as_str()).collect();
        answered.sort_unstable();
        ended.sort_unstable();
        assert_eq!(answered, ended, "calls that were answered, and records of such calls");
    }

    /// One final answer to each INVITE, and one record of each call that was let in.
    fn assert_answers(&self) {
        let told = self.records.len();
        let overloaded = !self.lines("overload: new calls").is_empty();
        for phone in self.phones.iter().filter(|phone| !phone.gone) {
            for (call_id, finals) in &phone.agent.invites {
                assert!(finals.len() <= 1, "{call_id} was answered {finals:?}");
                let records = self.records.iter().filter(|record| record.sip_call_id == *call_id).count();
                assert!(records <= 1, "{records} records of {call_id}");
                // 422 is a step of a negotiation and no call; nor is one that was to replace what is not there.
                // Calls that come faster than they can be served are counted, not recorded.
                if matches!(finals[..], [422 | 481 | 603]) || (overloaded && matches!(finals[..], [503])) {
                    continue;
                }
                // Refusals by rule are recorded up to a rate.
                if finals.iter().any(|status| *status == 200 || *status == 487) || (!finals.is_empty() && told < 20) {
                    assert_eq!(records, 1, "a record of {call_id}, answered {finals:?}");
                }
            }
        }
    }
}

impl Drop for World {
    fn drop(&mut self) {
        assert!(self.finished || std::thread::panicking(), "a scenario ends with finish()");
    }
}
