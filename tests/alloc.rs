//! A warm tick of the mixing engine allocates nothing, and what a leg takes is bounded.

use nix::sys::eventfd::EventFd;
use partyline::audio::codec::{Encoder, Libraries, g711};
use partyline::media::PacketKind;
use partyline::media::command::{
    Clip, Command, EVERYONE, Event, LegSettings, LegStatistics, Pcm, PlayoutCounters, Stream, StreamSample,
    VoiceProcessing,
};
use partyline::media::engine::{Engine, LegSlot, TICK};
use partyline::rtp::Header;
use partyline::rtp::srtp::{MAX_RTP_OVERHEAD, Protector};
use partyline::types::{
    AudioCodec, CallId, MediaParameters, Network, Now, OpusSettings, PlayerId, RoomId, SrtpKey, SrtpKeys, SrtpSuite,
    UnitId,
};
use partyline::webrtc;
use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

/// The system's allocator, counting for each thread.
struct Counting;

thread_local! {
    static CALLS: Cell<u64> = const { Cell::new(0) };
    /// Octets that are allocated, less those that were when the thread began.
    static OCTETS: Cell<usize> = const { Cell::new(0) };
    /// The most there were at one time, since somebody asked for it.
    static PEAK: Cell<usize> = const { Cell::new(0) };
}

fn count(more: usize, fewer: usize) {
    // While a thread ends there is no cell any more. A thread may give back what another one took.
    let _ = CALLS.try_with(|calls| calls.set(calls.get() + 1));
    let _ = OCTETS.try_with(|octets| {
        let now = octets.get().wrapping_add(more).wrapping_sub(fewer);
        octets.set(now);
        // Less than when the thread began is less than nothing.
        let _ = PEAK
            .try_with(|peak| peak.set(if peak.get().wrapping_sub(now) > usize::MAX / 2 { now } else { peak.get() }));
    });
}

/// The most that `work` had allocated at one time, octets.
pub fn peak(work: impl FnOnce()) -> usize {
    let before = OCTETS.get();
    PEAK.set(before);
    work();
    PEAK.get().wrapping_sub(before)
}

// SAFETY: every call is passed on to the system's allocator as it is; counting touches a thread-local without a
// destructor and allocates nothing.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(layout.size(), 0);
        // SAFETY: as of the caller.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        count(0, layout.size());
        // SAFETY: as of the caller.
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count(size, layout.size());
        // SAFETY: as of the caller.
        unsafe { System.realloc(pointer, layout, size) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

const LEGS: u64 = 50;

/// Ticks until all is warm, and all of them.
const WARM: u16 = 400;
const TICKS: u16 = 1_000;

fn address(n: u64) -> SocketAddr {
    SocketAddr::from(([192, 0, 2, 1], 10_000 + 2 * u16::try_from(n).unwrap()))
}

/// The other side's key of every third leg, of all suites.
fn key(n: u64) -> Option<SrtpKey> {
    let suite = SrtpSuite::ALL[usize::try_from(n / 3).unwrap() % SrtpSuite::ALL.len()];
    n.is_multiple_of(3).then(|| SrtpKey::random(suite, |octets| octets.fill(n as u8)))
}

/// Half of them with another packet time, some with the other codec.
fn settings(n: u64) -> Box<LegSettings> {
    let codec = AudioCodec::G711[usize::from(n.is_multiple_of(5))];
    Box::new(LegSettings {
        parameters: MediaParameters {
            receive_payload_types: vec![(0, AudioCodec::Pcmu), (8, AudioCodec::Pcma)],
            send_packet_time: Duration::from_millis([20, 10, 20, 30][usize::try_from(n % 4).unwrap()]),
            send_telephone_event: Some(101),
            receive_telephone_events: [(101, 8_000)].into_iter().collect(),
            accept_from: vec![Network { address: address(n).ip(), prefix: 24 }],
            srtp: key(n).map(|receive| SrtpKeys {
                send: SrtpKey::random(receive.suite(), |octets| octets.fill(0xFF)),
                receive,
            }),
            ..MediaParameters::plain(address(n), codec, codec.static_payload_type().unwrap())
        },
        seed: n,
        cname: format!("{n}@test"),
        media_timeout: Some(Duration::from_secs(10)),
        collect_digits: n.is_multiple_of(7),
        playout: PlayoutCounters::default(),
        processing: VoiceProcessing { automatic_gain: n.is_multiple_of(4), noise_suppression: n % 16 == 3 },
    })
}

/// An engine with legs, whose ticks are counted.
struct Conference {
    engine: Engine,
    now: Now,
    slots: Vec<LegSlot>,
    /// Packets sent since all is warm, and how many of them were reports.
    sent: usize,
    reports: usize,
}

impl Conference {
    /// With so many rooms, in each of which so many are mixed at once.
    fn new(rooms: u64, loudest: usize) -> Self {
        #[expect(clippy::disallowed_methods, reason = "a test needs some origin; it never reads the clock again")]
        let origin = std::time::Instant::now();
        let now = Now { instant: origin, wall: UNIX_EPOCH + Duration::from_secs(1_700_000_000) };
        let mut engine = Engine::new(0, now.instant);
        for n in 0..rooms {
            engine.handle_command(now, Command::AddRoom { room: RoomId(n), loudest });
        }
        Self { engine, now, slots: Vec::new(), sent: 0, reports: 0 }
    }

    /// The next leg, in a room.
    fn add(&mut self, room: u64, settings: Box<LegSettings>) {
        let leg = CallId(self.slots.len() as u64);
        self.command(Command::AddLeg { leg, settings });
        self.connect(UnitId::Leg(leg), UnitId::Room(RoomId(room)));
        self.connect(UnitId::Room(RoomId(room)), UnitId::Leg(leg));
        self.slots.push(self.engine.leg_slot(leg).unwrap());
    }

    fn connect(&mut self, source: UnitId, sink: UnitId) {
        self.command(Command::Connect { source, sink });
    }

    fn command(&mut self, command: Command) {
        self.engine.handle_command(self.now, command);
    }

    /// Plays to a room, and to each of its first five legs alone: sound of 8 and of 16 kHz, pauses, and streams, which
    /// the test feeds.
    fn play_at_both_rates(&mut self, room: u64) -> Vec<rtrb::Producer<StreamSample>> {
        let tone = |samples: i16| (0..samples).map(|i| i % 80 * 50).collect::<Vec<i16>>();
        let wide = || Clip::Samples(Pcm::wideband(tone(8_000), tone(16_000)));
        let both = vec![wide(), Clip::Samples(tone(800).into()), Clip::Restart];
        let beeps = |pause| {
            let beep = Clip::Samples(Pcm::wideband(tone(400), tone(800)));
            vec![beep, Clip::Silence(Duration::from_millis(pause)), Clip::Restart]
        };
        let (rings, heard): (Vec<_>, Vec<_>) = (0..3).map(|_| Stream::new(1_600)).unzip();
        let streams = heard.into_iter().map(|stream| vec![Clip::Stream(stream)]);
        let sinks = (0..5).map(|leg| UnitId::Leg(CallId(leg))).chain([UnitId::Room(RoomId(room))]);
        for ((n, sink), clips) in (0..).zip(sinks).zip(streams.chain([both, beeps(130), beeps(4_950)])) {
            self.command(Command::AddPlayer { player: PlayerId(n), clips });
            self.connect(UnitId::Player(PlayerId(n)), sink);
        }
        rings
    }

    /// A packet comes for leg `n` in this tick.
    fn receive(&mut self, n: u64, kind: PacketKind, source: SocketAddr, packet: &mut [u8]) {
        let arrival = self.now.instant + Duration::from_millis(n % 20);
        let slot = self.slots[usize::try_from(n).unwrap()];
        self.engine.handle_packet(slot, kind, arrival, source, packet);
    }

    /// The tick number `tick` begins: from the first warm one on is counted.
    fn begin(&mut self, tick: u16) {
        if tick == WARM {
            assert!(CALLS.replace(0) > 0, "calls are counted");
            (self.sent, self.reports) = (0, 0);
        }
    }

    fn end_tick(&mut self) {
        self.now = self.now.after(TICK);
        self.engine.handle_timeout(self.now);
        self.sent += self.engine.transmits().count();
        self.reports += self.engine.transmits().filter(|packet| packet.kind == PacketKind::Rtcp).count();
        self.engine.clear_transmits();
        while self.engine.poll_event().is_some() {}
    }

    /// Calls of the allocator since all is warm, and what the legs counted.
    fn finish(mut self) -> (u64, Vec<LegStatistics>) {
        let calls = CALLS.get();
        for n in 0..self.slots.len() as u64 {
            self.command(Command::QueryStatistics { leg: CallId(n) });
        }
        let mut all = Vec::new();
        while let Some(event) = self.engine.poll_event() {
            let Event::Statistics { statistics, .. } = event else { continue };
            all.push(*statistics);
        }
        assert_eq!(all.len(), self.slots.len());
        (calls, all)
    }
}

/// What a leg takes of the heap in a room of its kind, KiB: a telephone at most 24, so that with its sockets and its
/// call it stays within 30; the others as benches/README.md states it.
#[test]
fn the_memory_of_a_leg_is_bounded() {
    const LEGS: u64 = 128;
    let mut taken = Vec::new();
    for (codec, most) in [(AudioCodec::Pcmu, 24), (AudioCodec::G722, 48), (AudioCodec::Opus, 272)] {
        let mut conference = Conference::new(1, EVERYONE);
        let before = OCTETS.get();
        for n in 0..LEGS {
            let mut settings = settings(n);
            let parameters = &mut settings.parameters;
            parameters.srtp = None;
            parameters.codec = codec;
            let payload_type = codec.static_payload_type().unwrap_or(111);
            parameters.receive_payload_types = vec![(payload_type, codec), (8, AudioCodec::Pcma)];
            parameters.receive_audio_level = (codec == AudioCodec::Opus).then_some(1);
            conference.add(0, settings);
        }
        (0..50).for_each(|_| conference.end_tick());
        let each = (OCTETS.get() - before) / 1_024 / LEGS as usize;
        taken.push((codec, each, most));
    }
    // For benches/README.md.
    println!("{taken:?}");
    assert!(taken.iter().all(|(_, each, most)| each <= most), "codec, KiB, at most: {taken:?}");
}

#[test]
fn a_warm_tick_allocates_nothing() {
    let mut conference = Conference::new(5, EVERYONE);
    for n in 0..LEGS {
        conference.add(n % 5, settings(n));
    }
    let clips = vec![Clip::Loop((0..8_000).map(|i| (i % 80) * 50).collect::<Vec<i16>>().into())];
    conference.command(Command::AddPlayer { player: PlayerId(1), clips });
    conference.connect(UnitId::Player(PlayerId(1)), UnitId::Leg(CallId(1)));

    let mut payload = [0u8; 160];
    let mut packet = [0u8; 172 + MAX_RTP_OVERHEAD];
    let mut protectors: Vec<Option<Protector>> = (0..LEGS).map(|n| key(n).map(|key| Protector::new(&key))).collect();
    for tick in 0..TICKS {
        conference.begin(tick);
        for n in 0..LEGS {
            // One in ten is quiet, one loses packets, one keys digits.
            if n == 11 && tick % 20 == 3 {
                continue;
            }
            let loud: i16 = if n.is_multiple_of(10) { 1 } else { 4_000 };
            let samples: [i16; 160] =
                std::array::from_fn(|i| if (i + usize::from(tick)) % 16 < 8 { loud } else { -loud });
            g711::encode_ulaw(&samples, &mut payload);
            let timestamp = u32::from(tick) * 160;
            let ssrc = 77 + u32::try_from(n).unwrap();
            let header = Header { marker: false, payload_type: 0, sequence: tick, timestamp, ssrc };
            let mut length = 172;
            packet[..12].copy_from_slice(&header.to_bytes());
            packet[12..172].copy_from_slice(&payload);
            if n == 14 && tick % 50 < 10 {
                let event = Header { payload_type: 101, timestamp: u32::from(tick / 50) * 8_000, ..header };
                let [high, low] = (tick % 50 * 160 + 160).to_be_bytes();
                packet[..12].copy_from_slice(&event.to_bytes());
                packet[12..16].copy_from_slice(&[5, if tick % 50 > 7 { 0x8a } else { 0x0a }, high, low]);
                length = 16;
            }
            if let Some(protector) = &mut protectors[usize::try_from(n).unwrap()] {
                length = protector.protect_rtp(&mut packet, length).unwrap();
            }
            conference.receive(n, PacketKind::Rtp, address(n), &mut packet[..length]);
        }
        conference.end_tick();
    }
    let sent = conference.sent;
    let (calls, statistics) = conference.finish();
    for statistics in statistics {
        assert!(statistics.packets_received > 700 && statistics.packets_forged == 0, "{statistics:?}");
    }
    assert!(sent > 600 * 50, "{sent} packets");
    assert_eq!(calls, 0, "calls of the allocator in 600 ticks");
}

/// Telephones, G.722, Opus and G.729 in one room where more speak than are mixed: some begin and stop, some lose
/// packets, some say of their pauses how loud they are, some describe them and have them described; now and then all
/// are silent. To some of them, and to all, something is played.
#[test]
fn a_warm_tick_of_every_codec_allocates_nothing() {
    use AudioCodec::{G722, G729, Opus, Pcma, Pcmu};
    const CODECS: [AudioCodec; 5] = [Pcmu, Pcma, G722, Opus, G729];
    const MIXED: u64 = 20;
    const NOISE: u8 = 13;
    let codec = |n: u64| CODECS[usize::try_from(n).unwrap() % CODECS.len()];
    let payload_type = |codec: AudioCodec| codec.static_payload_type().unwrap_or(111);
    let tells_level = |n: u64| n >= MIXED / 2;
    let describes = |n: u64| n < MIXED / 2 && codec(n) != AudioCodec::Opus;
    let libraries = Libraries::default();
    libraries.load_g729().expect("`make test` installs libbcg729-0");
    let mut conference = Conference::new(1, 4);
    conference.engine = conference.engine.with_libraries(libraries.clone());
    for n in 0..MIXED {
        let mut settings = settings(n);
        let parameters = &mut settings.parameters;
        parameters.srtp = None;
        parameters.codec = codec(n);
        parameters.send_payload_type = payload_type(codec(n));
        parameters.receive_payload_types = vec![(payload_type(codec(n)), codec(n))];
        parameters.receive_audio_level = tells_level(n).then_some(1);
        parameters.send_comfort_noise = describes(n).then_some(NOISE);
        parameters.receive_comfort_noise = describes(n).then_some((NOISE, 8_000)).into_iter().collect();
        // The first five press keys that are tones.
        if n < 5 {
            parameters.receive_telephone_events.clear();
        }
        conference.add(0, settings);
    }
    let mut streams = conference.play_at_both_rates(0);
    let encoder = |n: u64| Encoder::new(codec(n), &OpusSettings::default(), &libraries).unwrap();
    let mut encoders: Vec<Encoder> = (0..MIXED).map(encoder).collect();
    let mut sequences = [0; MIXED as usize];
    let mut packet = [0u8; 20 + 1_276];
    for tick in 0..TICKS {
        conference.begin(tick);
        for stream in &mut streams {
            // Now and then too late.
            let ready = if tick % 40 == 7 { 20 } else { 160 };
            (0..ready).for_each(|n| stream.push(StreamSample { narrow: n, wide: [n, n] }).unwrap());
        }
        for ((n, encoder), sequence) in (0..).zip(&mut encoders).zip(&mut sequences) {
            // Words of a second, at other times for each; then two seconds of nothing.
            let speaks = tick % 300 < 200 && (tick / 50 + u16::try_from(n).unwrap()) % 3 != 0;
            let loud: i16 = if speaks { 4_000 } else { 0 };
            let frame = usize::try_from(codec(n).sample_rate().0 / 50).unwrap();
            let sine = |hertz: f64, i: usize| {
                let seconds = f64::from(tick) / 50.0 + i as f64 / (frame * 50) as f64;
                (f64::from(loud) * (std::f64::consts::TAU * hertz * seconds).sin()) as i16
            };
            let samples: [i16; 960] = std::array::from_fn(|i| match n < 5 {
                true => sine(770.0, i) + sine(1_336.0, i),
                false if i % 96 < 48 => loud,
                false => -loud,
            });
            let payload = if tells_level(n) { 20 } else { 12 };
            let mut length = encoder.encode(&samples[..frame], &mut packet[payload..]);
            let mut payload_type = payload_type(codec(n));
            if describes(n) && !speaks {
                // Of a pause that goes on nothing is sent.
                if tick % 50 > 0 {
                    continue;
                }
                payload_type = NOISE;
                length = 4;
                packet[payload..payload + length].copy_from_slice(&[60, 120, 140, u8::try_from(tick / 50).unwrap()]);
            }
            *sequence += 1;
            if n > 8 && tick % 20 == 3 {
                continue;
            }
            let header = Header {
                marker: false,
                payload_type,
                sequence: *sequence,
                timestamp: u32::from(tick) * (codec(n).clock_rate() / 50),
                ssrc: 77 + u32::try_from(n).unwrap(),
            };
            packet[..12].copy_from_slice(&header.to_bytes());
            if tells_level(n) {
                packet[0] |= 0x10;
                packet[12..20].copy_from_slice(&[0xBE, 0xDE, 0, 1, 0x10, if speaks { 0x80 | 20 } else { 127 }, 0, 0]);
            }
            conference.receive(n, PacketKind::Rtp, address(n), &mut packet[..payload + length]);
        }
        conference.end_tick();
    }
    let sent = conference.sent;
    let (calls, statistics) = conference.finish();
    assert!(statistics.iter().all(|statistics| statistics.packets_received > 300), "{statistics:?}");
    assert!(sent > 600 * 14, "{sent} packets");
    let keyed = statistics.iter().filter(|statistics| statistics.digits_in_band > 3).count();
    assert!(keyed >= 4, "{keyed} legs pressed keys");
    assert_eq!(calls, 0, "calls of the allocator in 600 ticks");
}

/// All legs are SRTP, of every suite, every third of a browser; packets are authentic, forged and replayed, sound,
/// events and reports, and ICE's checks, which are handed aside.
#[test]
fn a_warm_tick_of_srtp_allocates_nothing() {
    const SECURE: u64 = 24;
    let suite = |n: u64| SrtpSuite::ALL[usize::try_from(n).unwrap() % SrtpSuite::ALL.len()];
    let key = |n: u64| SrtpKey::random(suite(n), |octets| octets.fill(n as u8));
    let mut conference = Conference::new(1, EVERYONE);
    let is_browser = |n: u64| n.is_multiple_of(3);
    let (mut aside, mut reader) = webrtc::aside(Arc::new(EventFd::new().unwrap()));
    let (mut check, mut checks) = ([0; 100], 0);
    for n in 0..SECURE {
        let mut settings = settings(n);
        let send = SrtpKey::random(suite(n), |octets| octets.fill(0xFF));
        settings.parameters.srtp = Some(SrtpKeys { send, receive: key(n) });
        settings.parameters.ice = is_browser(n);
        settings.collect_digits = n.is_multiple_of(2);
        conference.add(0, settings);
    }
    let mut protectors: Vec<Protector> = (0..SECURE).map(|n| Protector::new(&key(n))).collect();
    let (mut packet, mut copy) = ([0u8; 172 + MAX_RTP_OVERHEAD], [0u8; 172 + MAX_RTP_OVERHEAD]);
    for tick in 0..TICKS {
        conference.begin(tick);
        for (n, protector) in (0u64..).zip(&mut protectors) {
            let ssrc = 77 + u32::try_from(n).unwrap();
            let payload_type = if tick % 40 < 8 && n.is_multiple_of(2) { 101 } else { 0 };
            let timestamp = if payload_type == 101 { u32::from(tick / 40) * 6_400 } else { u32::from(tick) * 160 };
            let header = Header { marker: false, payload_type, sequence: tick, timestamp, ssrc };
            packet[..12].copy_from_slice(&header.to_bytes());
            packet[12..172].fill(if tick % 3 == 0 { 0x20 } else { 0xA0 });
            let mut clear = 172;
            if payload_type == 101 {
                let [high, low] = (tick % 40 * 160 + 160).to_be_bytes();
                packet[12..16].copy_from_slice(&[5, if tick % 40 > 5 { 0x8A } else { 0x0A }, high, low]);
                clear = 16;
            }
            let length = protector.protect_rtp(&mut packet, clear).unwrap();
            let source = address(n);
            copy[..length].copy_from_slice(&packet[..length]);
            conference.receive(n, PacketKind::Rtp, source, &mut packet[..length]);
            // It comes again, as it was and as if it were a later one.
            if tick % 7 == 0 {
                packet[..length].copy_from_slice(&copy[..length]);
                conference.receive(n, PacketKind::Rtp, source, &mut packet[..length]);
                copy[2..4].copy_from_slice(&(tick + 2).to_be_bytes());
                conference.receive(n, PacketKind::Rtp, source, &mut copy[..length]);
            }
            if is_browser(n) && tick % 50 == 5 {
                conference.receive(n, PacketKind::Rtp, source, &mut check);
                aside.offer(source, &check);
                checks += usize::from(reader.pop().is_some_and(|datagram| datagram.bytes() == check));
            }
            if tick % 50 == 3 {
                copy[..4].copy_from_slice(&[0x80, 201, 0, 1]);
                copy[4..8].copy_from_slice(&ssrc.to_be_bytes());
                let length = protector.protect_rtcp(&mut copy, 8).unwrap();
                let rtcp = SocketAddr::new(source.ip(), source.port() + 1);
                conference.receive(n, PacketKind::Rtcp, rtcp, &mut copy[..length]);
            }
        }
        conference.end_tick();
    }
    let (sent, reports) = (conference.sent, conference.reports);
    let (calls, statistics) = conference.finish();
    for statistics in statistics {
        assert!(statistics.packets_received >= 1_000, "{statistics:?}");
        assert!(statistics.packets_replayed > 100 && statistics.packets_forged > 100, "{statistics:?}");
        assert_eq!(statistics.packets_invalid, 0, "{statistics:?}");
    }
    assert_eq!(checks, 20 * SECURE as usize / 3);
    assert!(sent > 600 * 20 && reports > 24, "{sent} packets, {reports} reports");
    assert_eq!(calls, 0, "calls of the allocator in 600 ticks");
}
