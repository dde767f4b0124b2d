//! Phones around a media plane: a driver, a bad network, and ears.

use crate::audio::codec::{Decoder, Encoder, Libraries};
use crate::audio::{Rate, goertzel};
use crate::media::command::{Command, Event, LegSettings, LegStatistics, PlayoutCounters, VoiceProcessing};
use crate::media::outbox::PacketKind;
use crate::media::sim::SimMedia;
use crate::rtp::telephone_event::TelephoneEvent;
use crate::rtp::{Header, Packet, packet};
use crate::types::{
    AudioCodec, CallId, MediaParameters, Network, Now, OpusSettings, PlayerId, RecorderId, RoomId, UnitId,
};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use std::collections::{BTreeMap, VecDeque};
use std::net::SocketAddr;
use std::sync::OnceLock;
use std::time::{Duration, Instant, UNIX_EPOCH};

pub(super) const TICK: Duration = Duration::from_millis(20);
/// Every tone is this loud, dBFS.
const LEVEL: f32 = -22.0;
/// A tone is heard when it is within 6 dB, and is not heard 30 dB below.
const HEARD: f32 = LEVEL - 6.0;
const UNHEARD: f32 = LEVEL - 30.0;

pub(super) fn ms(milliseconds: u64) -> Duration {
    Duration::from_millis(milliseconds)
}

pub(super) fn leg(n: u64) -> UnitId {
    UnitId::Leg(CallId(n))
}

pub(super) fn room(n: u64) -> UnitId {
    UnitId::Room(RoomId(n))
}

pub(super) fn player(n: u64) -> UnitId {
    UnitId::Player(PlayerId(n))
}

pub(super) fn recorder(n: u64) -> UnitId {
    UnitId::Recorder(RecorderId(n))
}

/// Whole hertz, so that one second holds whole periods of each and they do not leak into each other.
pub(super) fn tone(n: u64) -> f64 {
    300.0 + 53.0 * n as f64
}

/// What the network does to packets on their way to us.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Weather {
    pub(super) loss: f64,
    pub(super) jitter: Duration,
    pub(super) duplicates: f64,
    /// How much slower their clock is than ours, parts in a million.
    pub(super) drift: i32,
}

pub(super) struct Phone {
    pub(super) address: SocketAddr,
    pub(super) ssrc: u32,
    pub(super) sequence: u16,
    pub(super) timestamp: u32,
    /// Samples of the tone so far.
    phase: u64,
    /// The frequency of its tone, Hz.
    pub(super) hertz: f64,
    /// Samples that it plays before its tone goes on.
    pub(super) plays: VecDeque<i16>,
    /// 0 talks digital silence.
    pub(super) loudness: f32,
    pub(super) talking: bool,
    /// What it speaks; what it hears is decoded by payload type.
    pub(super) codec: AudioCodec,
    pub(super) payload_type: u8,
    encoder: Encoder,
    /// What it tells of each packet's loudness (RFC 6464): the octet, in the extension 1.
    pub(super) level: Option<u8>,
    decoders: BTreeMap<u8, Decoder>,
    next: Instant,
    pub(super) weather: Weather,
    /// All that came from the leg: time, header, decoded samples (events have none).
    pub(super) heard: Vec<(Instant, Header, Vec<i16>)>,
    /// Who was named in the last packet (CSRC).
    pub(super) contributors: Vec<u32>,
    /// The comfort noise that came: time, header, payload.
    pub(super) noises: Vec<(Instant, Header, Vec<u8>)>,
    pub(super) reports: Vec<Vec<u8>>,
}

pub(super) struct World {
    pub(super) media: SimMedia,
    pub(super) now: Now,
    pub(super) start: Instant,
    pub(super) phones: BTreeMap<u64, Phone>,
    pub(super) events: Vec<Event>,
    /// What is done to the sound of the legs that are made.
    pub(super) processing: VoiceProcessing,
    flying: Vec<(Instant, u64, SocketAddr, Vec<u8>)>,
    random: StdRng,
}

impl World {
    pub(super) fn new(threads: usize) -> Self {
        Self::with(threads, Duration::ZERO)
    }

    pub(super) fn with(threads: usize, latency: Duration) -> Self {
        let now = Now { instant: crate::test_clock(), wall: UNIX_EPOCH + Duration::from_secs(1_700_000_000) };
        Self {
            media: SimMedia::new(now, threads).with_latency(latency).with_libraries(&libraries()),
            now,
            start: now.instant,
            phones: BTreeMap::new(),
            events: vec![],
            processing: VoiceProcessing::default(),
            flying: vec![],
            random: StdRng::seed_from_u64(1),
        }
    }

    pub(super) fn parameters(n: u64) -> MediaParameters {
        let address = Self::address(n);
        MediaParameters {
            receive_payload_types: vec![(0, AudioCodec::Pcmu), (8, AudioCodec::Pcma)],
            send_telephone_event: Some(101),
            receive_telephone_events: [(96, 8_000)].into_iter().collect(),
            accept_from: vec![Network { address: address.ip(), prefix: 24 }],
            ..MediaParameters::plain(address, AudioCodec::Pcmu, 0)
        }
    }

    /// The same for a phone that speaks `codec`.
    pub(super) fn parameters_of(n: u64, codec: AudioCodec) -> MediaParameters {
        MediaParameters {
            codec,
            send_payload_type: payload_type(codec),
            receive_payload_types: [codec, AudioCodec::Pcmu].map(|codec| (payload_type(codec), codec)).to_vec(),
            opus: OpusSettings { bitrate: 48_000, ..OpusSettings::default() },
            ..Self::parameters(n)
        }
    }

    fn address(n: u64) -> SocketAddr {
        SocketAddr::from(([192, 0, 2, 1 + (n / 200) as u8], 10_000 + 2 * n as u16))
    }

    /// A phone that talks its tone, and the leg for it.
    pub(super) fn phone(&mut self, n: u64) -> &mut Phone {
        self.phone_with(n, Self::parameters(n))
    }

    pub(super) fn phone_with(&mut self, n: u64, parameters: MediaParameters) -> &mut Phone {
        let codec = parameters.codec;
        let settings = Box::new(LegSettings {
            parameters,
            seed: n,
            cname: format!("leg{n}@test"),
            media_timeout: None,
            collect_digits: false,
            playout: PlayoutCounters::default(),
            processing: self.processing,
        });
        self.send(Command::AddLeg { leg: CallId(n), settings });
        let phone = Phone {
            address: Self::address(n),
            ssrc: 1_000 + n as u32,
            sequence: 65_500 + (n % 30) as u16,
            timestamp: (n as u32).wrapping_mul(0x4321_8765),
            phase: 0,
            hertz: tone(n),
            plays: VecDeque::new(),
            loudness: LEVEL,
            talking: true,
            codec,
            payload_type: payload_type(codec),
            encoder: encoder(codec, 48_000),
            level: None,
            decoders: BTreeMap::new(),
            next: self.now.instant + ms(3 + 7 * n % 20),
            weather: Weather::default(),
            heard: vec![],
            contributors: vec![],
            noises: vec![],
            reports: vec![],
        };
        self.phones.entry(n).or_insert(phone)
    }

    pub(super) fn send(&mut self, command: Command) {
        self.media.send(self.now, command);
        self.collect();
    }

    pub(super) fn connect(&mut self, source: UnitId, sink: UnitId) {
        self.send(Command::Connect { source, sink });
    }

    /// Connects both ways.
    pub(super) fn join(&mut self, leg: UnitId, room: UnitId) {
        self.connect(leg, room);
        self.connect(room, leg);
    }

    pub(super) fn update(&mut self, n: u64, change: impl FnOnce(&mut MediaParameters)) {
        let mut parameters = Self::parameters(n);
        change(&mut parameters);
        self.send(Command::UpdateLeg { leg: CallId(n), parameters: Box::new(parameters) });
    }

    /// Lets everything happen for `time`.
    pub(super) fn run(&mut self, time: Duration) {
        let end = self.now.instant + time;
        loop {
            let talk = self.phones.values().filter(|phone| phone.talking).map(|phone| phone.next).min();
            let arrival = self.flying.iter().map(|(at, ..)| *at).min();
            let next = [talk, arrival, self.media.poll_timeout()].into_iter().flatten().min();
            let Some(next) = next.filter(|at| *at <= end) else { break };
            self.advance(next);
            self.talk();
            self.arrive();
            if self.media.poll_timeout().is_some_and(|at| at <= self.now.instant) {
                self.media.handle_timeout(self.now);
                assert!(self.media.poll_timeout().is_none_or(|at| at > self.now.instant), "a timeout that was done");
            }
            self.collect();
        }
        self.advance(end);
    }

    fn advance(&mut self, to: Instant) {
        self.now = self.now.after(to.saturating_duration_since(self.now.instant));
    }

    fn talk(&mut self) {
        for (&n, phone) in &mut self.phones {
            if !phone.talking {
                phone.next = phone.next.max(self.now.instant);
                continue;
            }
            while phone.next <= self.now.instant {
                let bytes = phone.audio();
                let weather = phone.weather;
                for copy in 0..2 {
                    let sent = if copy == 0 {
                        weather.loss == 0.0 || !self.random.random_bool(weather.loss)
                    } else {
                        weather.duplicates > 0.0 && self.random.random_bool(weather.duplicates)
                    };
                    if sent {
                        let late = weather.jitter.mul_f64(self.random.random::<f64>());
                        self.flying.push((phone.next + late, n, phone.address, bytes.clone()));
                    }
                }
                phone.next += TICK.mul_f64(1.0 + f64::from(weather.drift) / 1e6);
            }
        }
    }

    fn arrive(&mut self) {
        self.flying.sort_by_key(|(at, ..)| *at);
        while self.flying.first().is_some_and(|(at, ..)| *at <= self.now.instant) {
            let (_, n, source, bytes) = self.flying.remove(0);
            self.media.deliver(self.now, CallId(n), PacketKind::Rtp, source, &bytes);
        }
    }

    /// A datagram arrives now.
    pub(super) fn inject(&mut self, n: u64, kind: PacketKind, source: &str, bytes: &[u8]) {
        self.media.deliver(self.now, CallId(n), kind, source.parse().unwrap(), bytes);
        self.collect();
    }

    /// The phone presses a key for `length` (whole packets), with three end packets; the world runs meanwhile.
    pub(super) fn press(&mut self, n: u64, event: u8, length: Duration) {
        let phone = self.phones.get_mut(&n).unwrap();
        phone.talking = false;
        let start = phone.timestamp;
        let packets = (length.as_millis() / 20) as u16;
        for i in 1..=packets + 2 {
            let phone = self.phones.get_mut(&n).unwrap();
            let event = TelephoneEvent { event, end: i >= packets, volume: 10, duration: i.min(packets) * 160 };
            let bytes = phone.write(i == 1, 96, start, &event.to_bytes());
            let address = phone.address;
            self.media.deliver(self.now, CallId(n), PacketKind::Rtp, address, &bytes);
            self.collect();
            self.run(TICK);
        }
        let phone = self.phones.get_mut(&n).unwrap();
        phone.timestamp = phone.timestamp.wrapping_add(u32::from(packets + 2) * 160);
        phone.talking = true;
    }

    fn collect(&mut self) {
        while let Some(sent) = self.media.poll_transmit() {
            let Some(phone) = self.phones.get_mut(&sent.leg.0) else { continue };
            if sent.kind == PacketKind::Rtcp {
                phone.reports.push(sent.bytes);
                continue;
            }
            let packet = Packet::parse(&sent.bytes).unwrap();
            phone.contributors = Header::contributing_sources(&sent.bytes);
            if packet.header.payload_type == 13 {
                phone.noises.push((self.now.instant, packet.header, packet.payload.to_vec()));
                continue;
            }
            let mut samples = vec![];
            if packet.header.payload_type != 101 {
                samples = phone.decode(packet.header.payload_type, packet.payload);
            }
            phone.heard.push((self.now.instant, packet.header, samples));
        }
        while let Some(event) = self.media.poll_event() {
            self.events.push(event);
        }
    }

    /// What a phone heard in the last `time`.
    pub(super) fn last(&self, n: u64, time: Duration) -> Vec<i16> {
        let heard = &self.phones[&n].heard;
        let from = self.now.instant - time;
        heard.iter().filter(|(at, ..)| *at > from).flat_map(|(.., samples)| samples.iter().copied()).collect()
    }

    /// Which of these tones a phone heard in the last second. A tone between heard and not heard is a failure.
    pub(super) fn tones(&self, n: u64, of: &[u64]) -> Vec<u64> {
        tones_in(&self.last(n, ms(1_000)), self.phones[&n].rate(), of)
    }

    /// Every phone in `all` hears those of `all` that `expected` says, and no others.
    pub(super) fn assert_hears(&self, all: &[u64], expected: impl Fn(u64, u64) -> bool) {
        for &listener in all {
            let heard = self.tones(listener, all);
            let wanted: Vec<u64> = all.iter().copied().filter(|&talker| expected(listener, talker)).collect();
            assert_eq!(heard, wanted, "what {listener} hears");
        }
    }

    pub(super) fn statistics(&mut self, n: u64) -> LegStatistics {
        self.send(Command::QueryStatistics { leg: CallId(n) });
        self.run(ms(100));
        let found = self.events.iter().rev().find_map(|event| match event {
            Event::Statistics { leg, statistics } if leg.0 == n => Some((**statistics).clone()),
            _ => None,
        });
        found.expect("the statistics came")
    }

    pub(super) fn digits(&self) -> String {
        let digit = |event: &Event| if let Event::Digit { digit, .. } = event { Some(*digit) } else { None };
        self.events.iter().filter_map(digit).collect()
    }

    /// Everybody hangs up; nothing is left.
    pub(super) fn end(mut self) {
        let legs: Vec<u64> = self.phones.keys().copied().collect();
        for n in legs {
            self.send(Command::RemoveLeg { leg: CallId(n) });
        }
        self.run(ms(200));
        for n in 0..40 {
            self.send(Command::RemoveRoom { room: RoomId(n) });
            self.send(Command::StopPlayer { player: PlayerId(n) });
            self.send(Command::RemoveRecorder { recorder: RecorderId(n) });
        }
        self.run(ms(200));
        assert!(self.media.is_idle(), "nothing is left: {:?}", self.media);
        assert_eq!(self.media.poll_timeout(), None);
    }
}

impl Phone {
    fn audio(&mut self) -> Vec<u8> {
        let amplitude =
            if self.loudness <= -90.0 { 0.0 } else { 32_767.0 * 10f64.powf(f64::from(self.loudness) / 20.0) };
        let rate = Rate::of(self.codec.sample_rate());
        let mut samples = vec![0i16; rate.frame()];
        for sample in &mut samples {
            let angle = std::f64::consts::TAU * self.hertz * self.phase as f64 / f64::from(rate.hertz());
            *sample = self.plays.pop_front().unwrap_or((amplitude * angle.sin()) as i16);
            self.phase += 1;
        }
        let mut payload = [0; 1_276];
        let length = self.encoder.encode(&samples, &mut payload);
        let timestamp = self.timestamp;
        self.timestamp = timestamp.wrapping_add(self.codec.clock_rate() / 50);
        let mut bytes = self.write(false, self.payload_type, timestamp, &payload[..length]);
        if let Some(level) = self.level {
            bytes[0] |= 0x10;
            bytes.splice(packet::HEADER_LEN..packet::HEADER_LEN, [0xBE, 0xDE, 0, 1, 0x10, level, 0, 0]);
        }
        bytes
    }

    /// Speaks another codec from now on.
    pub(super) fn speak(&mut self, codec: AudioCodec) {
        self.codec = codec;
        self.payload_type = payload_type(codec);
        self.encoder = encoder(codec, 24_000);
        self.phase = 0;
    }

    /// The rate of what it heard last.
    pub(super) fn rate(&self) -> Rate {
        let (_, header, _) = self.heard.iter().rev().find(|(.., samples)| !samples.is_empty()).unwrap();
        Rate::of(codec_of(header.payload_type).sample_rate())
    }

    fn decode(&mut self, payload_type: u8, payload: &[u8]) -> Vec<i16> {
        let codec = codec_of(payload_type);
        let decoder = self.decoders.entry(payload_type).or_insert_with(|| Decoder::new(codec, &libraries()).unwrap());
        let units = crate::audio::codec::duration(codec, payload);
        let mut samples = vec![0; units * (codec.sample_rate().0 / codec.clock_rate()) as usize];
        assert_eq!(decoder.decode(payload, &mut samples), samples.len());
        samples
    }

    /// When it sends its next packet of sound; the others lie 20 ms apart.
    pub(super) fn next_packet(&self) -> Instant {
        self.next
    }

    pub(super) fn write(&mut self, marker: bool, payload_type: u8, timestamp: u32, payload: &[u8]) -> Vec<u8> {
        let sequence = self.sequence;
        self.sequence = sequence.wrapping_add(1);
        let header = Header { marker, payload_type, sequence, timestamp, ssrc: self.ssrc };
        let mut bytes = vec![0; packet::MAX_DATAGRAM];
        let length = Packet { header, payload }.write(&mut bytes).unwrap();
        bytes.truncate(length);
        bytes
    }

    /// Sequence numbers and timestamps of all packets heard go on without a gap, and no two are further apart than
    /// `longest`.
    pub(super) fn assert_continuous(&self, longest: Duration) {
        for pair in self.heard.windows(2) {
            let ((before_at, before, samples), (at, after, _)) = (&pair[0], &pair[1]);
            assert_eq!(after.sequence, before.sequence.wrapping_add(1));
            let codec = codec_of(before.payload_type);
            let units = samples.len() as u32 / (codec.sample_rate().0 / codec.clock_rate());
            assert_eq!(after.timestamp, before.timestamp.wrapping_add(units));
            assert!(*at - *before_at <= longest, "a gap of {:?}", *at - *before_at);
        }
    }
}

/// What codecs need that is not built in, as far as it is there.
pub(super) fn libraries() -> Libraries {
    static LIBRARIES: OnceLock<Libraries> = OnceLock::new();
    let load = || {
        let libraries = Libraries::default();
        // Without it the tests of that codec fail, and no others.
        let _ = libraries.load_g729();
        libraries
    };
    LIBRARIES.get_or_init(load).clone()
}

fn encoder(codec: AudioCodec, bitrate: u32) -> Encoder {
    let settings = OpusSettings { bitrate, ..OpusSettings::default() };
    Encoder::new(codec, &settings, &libraries()).expect("`make test` installs libbcg729-0")
}

/// The payload types of these peers.
pub(super) fn payload_type(codec: AudioCodec) -> u8 {
    codec.static_payload_type().unwrap_or(111)
}

fn codec_of(payload_type: u8) -> AudioCodec {
    let codec = AudioCodec::ALL.into_iter().find(|codec| self::payload_type(*codec) == payload_type);
    codec.unwrap_or_else(|| panic!("payload type {payload_type}"))
}

pub(super) fn tones_in(samples: &[i16], rate: Rate, of: &[u64]) -> Vec<u64> {
    let samples = &samples[..samples.len().min(rate.hertz() as usize)];
    let level = |n: u64| goertzel::tone_dbfs(samples, rate.hertz(), tone(n));
    let mut heard = vec![];
    for &n in of {
        if level(n) >= HEARD {
            heard.push(n);
        } else {
            assert!(level(n) < UNHEARD, "the tone of {n} is neither heard nor unheard: {} dBFS", level(n));
        }
    }
    heard
}
