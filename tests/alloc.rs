//! A warm tick of the mixing engine allocates nothing.

use partyline::audio::codec::{Encoder, g711};
use partyline::media::PacketKind;
use partyline::media::command::{Clip, Command, EVERYONE, Event, LegSettings};
use partyline::media::engine::{Engine, LegSlot, TICK};
use partyline::rtp::Header;
use partyline::rtp::srtp::{MAX_RTP_OVERHEAD, Protector};
use partyline::types::{
    AudioCodec, CallId, Direction, MediaParameters, Network, Now, OpusSettings, PlayerId, RoomId, SrtpKey, SrtpKeys,
    SrtpSuite, UnitId,
};
use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::net::SocketAddr;
use std::time::{Duration, UNIX_EPOCH};

/// The system's allocator, counting for each thread.
struct Counting;

thread_local! {
    static CALLS: Cell<u64> = const { Cell::new(0) };
}

fn count() {
    // While a thread ends there is no cell any more.
    let _ = CALLS.try_with(|calls| calls.set(calls.get() + 1));
}

// SAFETY: every call is passed on to the system's allocator as it is; counting touches a thread-local without a
// destructor and allocates nothing.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count();
        // SAFETY: as of the caller.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        count();
        // SAFETY: as of the caller.
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count();
        // SAFETY: as of the caller.
        unsafe { System.realloc(pointer, layout, size) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

const LEGS: u64 = 50;

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
            remote_rtp: Some(address(n)),
            remote_rtcp: Some(SocketAddr::new(address(n).ip(), address(n).port() + 1)),
            rtcp_mux: false,
            direction: Direction::SendRecv,
            codec,
            send_payload_type: codec.static_payload_type().unwrap(),
            receive_payload_types: vec![(0, AudioCodec::Pcmu), (8, AudioCodec::Pcma)],
            send_packet_time: Duration::from_millis([20, 10, 20, 30][usize::try_from(n % 4).unwrap()]),
            send_telephone_event: Some(101),
            receive_telephone_events: [(101, 8_000)].into_iter().collect(),
            send_comfort_noise: None,
            receive_comfort_noise: Default::default(),
            receive_audio_level: None,
            opus: OpusSettings::default(),
            accept_from: vec![Network { address: address(n).ip(), prefix: 24 }],
            srtp: key(n).map(|receive| SrtpKeys {
                send: SrtpKey::random(receive.suite(), |octets| octets.fill(0xFF)),
                receive,
            }),
        },
        seed: n,
        cname: format!("{n}@test"),
        media_timeout: Some(Duration::from_secs(10)),
        collect_digits: n.is_multiple_of(7),
    })
}

#[test]
fn a_warm_tick_allocates_nothing() {
    #[expect(clippy::disallowed_methods, reason = "a test needs some origin; it never reads the clock again")]
    let origin = std::time::Instant::now();
    let mut now = Now { instant: origin, wall: UNIX_EPOCH + Duration::from_secs(1_700_000_000) };
    let mut engine = Engine::new(0, now.instant);
    for n in 0..5 {
        engine.handle_command(now, Command::AddRoom { room: RoomId(n), loudest: EVERYONE });
    }
    for n in 0..LEGS {
        let (leg, room) = (UnitId::Leg(CallId(n)), UnitId::Room(RoomId(n % 5)));
        engine.handle_command(now, Command::AddLeg { leg: CallId(n), settings: settings(n) });
        engine.handle_command(now, Command::Connect { source: leg, sink: room });
        engine.handle_command(now, Command::Connect { source: room, sink: leg });
    }
    let clips = vec![Clip::Loop((0..8_000).map(|i| (i % 80) * 50).collect::<Vec<i16>>().into())];
    engine.handle_command(now, Command::AddPlayer { player: PlayerId(1), clips });
    let (source, sink) = (UnitId::Player(PlayerId(1)), UnitId::Leg(CallId(1)));
    engine.handle_command(now, Command::Connect { source, sink });

    let slots: Vec<LegSlot> = (0..LEGS).map(|n| engine.leg_slot(CallId(n)).unwrap()).collect();
    let mut payload = [0u8; 160];
    let mut packet = [0u8; 172 + MAX_RTP_OVERHEAD];
    let mut protectors: Vec<Option<Protector>> = (0..LEGS).map(|n| key(n).map(|key| Protector::new(&key))).collect();
    let mut sent = 0;
    for tick in 0u16..1_000 {
        if tick == 400 {
            assert!(CALLS.replace(0) > 0, "calls are counted");
            sent = 0;
        }
        for (n, slot) in (0u64..).zip(&slots) {
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
            let arrival = now.instant + Duration::from_millis(n % 20);
            engine.handle_packet(*slot, PacketKind::Rtp, arrival, address(n), &mut packet[..length]);
        }
        now = now.after(TICK);
        engine.handle_timeout(now);
        sent += engine.transmits().count();
        engine.clear_transmits();
        while engine.poll_event().is_some() {}
    }
    let calls = CALLS.get();
    for n in 0..LEGS {
        engine.handle_command(now, Command::QueryStatistics { leg: CallId(n) });
    }
    while let Some(event) = engine.poll_event() {
        let Event::Statistics { statistics, .. } = event else { continue };
        assert!(statistics.packets_received > 700 && statistics.packets_forged == 0, "{statistics:?}");
    }
    assert!(sent > 600 * 50, "{sent} packets");
    assert_eq!(calls, 0, "calls of the allocator in 600 ticks");
}

/// Telephones, G.722 and Opus in one room where more speak than are mixed: some begin and stop, some lose packets.
#[test]
fn a_warm_tick_of_every_codec_allocates_nothing() {
    const CODECS: [AudioCodec; 4] = [AudioCodec::Pcmu, AudioCodec::Pcma, AudioCodec::G722, AudioCodec::Opus];
    const MIXED: u64 = 16;
    #[expect(clippy::disallowed_methods, reason = "a test needs some origin; it never reads the clock again")]
    let origin = std::time::Instant::now();
    let mut now = Now { instant: origin, wall: UNIX_EPOCH + Duration::from_secs(1_700_000_000) };
    let mut engine = Engine::new(0, now.instant);
    engine.handle_command(now, Command::AddRoom { room: RoomId(0), loudest: 4 });
    let codec = |n: u64| CODECS[usize::try_from(n % 4).unwrap()];
    let payload_type = |codec: AudioCodec| codec.static_payload_type().unwrap_or(111);
    // Their pauses are passed over.
    let tells_level = |n: u64| n >= MIXED / 2;
    for n in 0..MIXED {
        let mut settings = settings(n);
        let parameters = &mut settings.parameters;
        parameters.srtp = None;
        parameters.codec = codec(n);
        parameters.send_payload_type = payload_type(codec(n));
        parameters.receive_payload_types = vec![(payload_type(codec(n)), codec(n))];
        parameters.receive_audio_level = tells_level(n).then_some(1);
        let (leg, room) = (UnitId::Leg(CallId(n)), UnitId::Room(RoomId(0)));
        engine.handle_command(now, Command::AddLeg { leg: CallId(n), settings });
        engine.handle_command(now, Command::Connect { source: leg, sink: room });
        engine.handle_command(now, Command::Connect { source: room, sink: leg });
    }
    let slots: Vec<LegSlot> = (0..MIXED).map(|n| engine.leg_slot(CallId(n)).unwrap()).collect();
    let encoder = |n: u64| Encoder::new(codec(n), &OpusSettings::default()).unwrap();
    let mut encoders: Vec<Encoder> = (0..MIXED).map(encoder).collect();
    let (mut sent, mut packet) = (0, [0u8; 20 + 1_276]);
    for tick in 0u16..1_000 {
        if tick == 400 {
            CALLS.set(0);
            sent = 0;
        }
        for ((n, slot), encoder) in (0u64..).zip(&slots).zip(&mut encoders) {
            if n > 8 && tick % 20 == 3 {
                continue;
            }
            // Words of a second, at other times for each.
            let speaks = (tick / 50 + u16::try_from(n).unwrap()) % 3 != 0;
            let loud: i16 = if speaks { 4_000 } else { 0 };
            let samples: [i16; 960] = std::array::from_fn(|i| if i % 96 < 48 { loud } else { -loud });
            let frame = usize::try_from(codec(n).sample_rate().0 / 50).unwrap();
            let payload = if tells_level(n) { 20 } else { 12 };
            let length = encoder.encode(&samples[..frame], &mut packet[payload..]);
            let header = Header {
                marker: false,
                payload_type: payload_type(codec(n)),
                sequence: tick,
                timestamp: u32::from(tick) * (codec(n).clock_rate() / 50),
                ssrc: 77 + u32::try_from(n).unwrap(),
            };
            packet[..12].copy_from_slice(&header.to_bytes());
            if tells_level(n) {
                packet[0] |= 0x10;
                packet[12..20].copy_from_slice(&[0xBE, 0xDE, 0, 1, 0x10, if speaks { 0x80 | 20 } else { 127 }, 0, 0]);
            }
            let arrival = now.instant + Duration::from_millis(n % 20);
            engine.handle_packet(*slot, PacketKind::Rtp, arrival, address(n), &mut packet[..payload + length]);
        }
        now = now.after(TICK);
        engine.handle_timeout(now);
        sent += engine.transmits().count();
        engine.clear_transmits();
        while engine.poll_event().is_some() {}
    }
    let calls = CALLS.get();
    assert!(sent > 600 * 14, "{sent} packets");
    assert_eq!(calls, 0, "calls of the allocator in 600 ticks");
}

/// All legs are SRTP, of every suite; packets are authentic, forged and replayed, sound, events and reports.
#[test]
fn a_warm_tick_of_srtp_allocates_nothing() {
    const SECURE: u64 = 24;
    #[expect(clippy::disallowed_methods, reason = "a test needs some origin; it never reads the clock again")]
    let origin = std::time::Instant::now();
    let mut now = Now { instant: origin, wall: UNIX_EPOCH + Duration::from_secs(1_700_000_000) };
    let mut engine = Engine::new(0, now.instant);
    engine.handle_command(now, Command::AddRoom { room: RoomId(0), loudest: EVERYONE });
    let suite = |n: u64| SrtpSuite::ALL[usize::try_from(n).unwrap() % SrtpSuite::ALL.len()];
    let key = |n: u64| SrtpKey::random(suite(n), |octets| octets.fill(n as u8));
    for n in 0..SECURE {
        let mut settings = settings(n);
        let send = SrtpKey::random(suite(n), |octets| octets.fill(0xFF));
        settings.parameters.srtp = Some(SrtpKeys { send, receive: key(n) });
        settings.collect_digits = n.is_multiple_of(2);
        let (leg, room) = (UnitId::Leg(CallId(n)), UnitId::Room(RoomId(0)));
        engine.handle_command(now, Command::AddLeg { leg: CallId(n), settings });
        engine.handle_command(now, Command::Connect { source: leg, sink: room });
        engine.handle_command(now, Command::Connect { source: room, sink: leg });
    }
    let slots: Vec<LegSlot> = (0..SECURE).map(|n| engine.leg_slot(CallId(n)).unwrap()).collect();
    let mut protectors: Vec<Protector> = (0..SECURE).map(|n| Protector::new(&key(n))).collect();
    let (mut packet, mut copy) = ([0u8; 172 + MAX_RTP_OVERHEAD], [0u8; 172 + MAX_RTP_OVERHEAD]);
    let (mut sent, mut reports) = (0, 0);
    for tick in 0u16..1_000 {
        if tick == 400 {
            CALLS.set(0);
            (sent, reports) = (0, 0);
        }
        for ((n, slot), protector) in (0u64..).zip(&slots).zip(&mut protectors) {
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
            let (arrival, source) = (now.instant + Duration::from_millis(n % 20), address(n));
            copy[..length].copy_from_slice(&packet[..length]);
            engine.handle_packet(*slot, PacketKind::Rtp, arrival, source, &mut packet[..length]);
            // It comes again, as it was and as if it were a later one.
            if tick % 7 == 0 {
                packet[..length].copy_from_slice(&copy[..length]);
                engine.handle_packet(*slot, PacketKind::Rtp, arrival, source, &mut packet[..length]);
                copy[2..4].copy_from_slice(&(tick + 2).to_be_bytes());
                engine.handle_packet(*slot, PacketKind::Rtp, arrival, source, &mut copy[..length]);
            }
            if tick % 50 == 3 {
                copy[..4].copy_from_slice(&[0x80, 201, 0, 1]);
                copy[4..8].copy_from_slice(&ssrc.to_be_bytes());
                let length = protector.protect_rtcp(&mut copy, 8).unwrap();
                let rtcp = SocketAddr::new(source.ip(), source.port() + 1);
                engine.handle_packet(*slot, PacketKind::Rtcp, arrival, rtcp, &mut copy[..length]);
            }
        }
        now = now.after(TICK);
        engine.handle_timeout(now);
        sent += engine.transmits().count();
        reports += engine.transmits().filter(|packet| packet.kind == PacketKind::Rtcp).count();
        engine.clear_transmits();
        while engine.poll_event().is_some() {}
    }
    let calls = CALLS.get();
    for n in 0..SECURE {
        engine.handle_command(now, Command::QueryStatistics { leg: CallId(n) });
    }
    while let Some(event) = engine.poll_event() {
        let Event::Statistics { statistics, .. } = event else { continue };
        assert!(statistics.packets_received >= 1_000, "{statistics:?}");
        assert!(statistics.packets_replayed > 100 && statistics.packets_forged > 100, "{statistics:?}");
    }
    assert!(sent > 600 * 20 && reports > 24, "{sent} packets, {reports} reports");
    assert_eq!(calls, 0, "calls of the allocator in 600 ticks");
}
