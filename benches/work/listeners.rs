//! A room of Opus in which one talks and the others listen, sending the noise of a pause: with and without levels of
//! their packets (RFC 6464). 20 ms of packets in and packets out.

use std::hint::black_box;
use std::net::SocketAddr;
use std::time::Duration;

use partyline::audio::codec::{Encoder, LONGEST_PAYLOAD, Libraries};
use partyline::audio::comfort_noise::ComfortNoise;
use partyline::media::PacketKind;
use partyline::media::command::{Command, EVERYONE, LegSettings};
use partyline::media::engine::{Engine, LegSlot};
use partyline::rtp::Header;
use partyline::types::{AudioCodec, CallId, MediaParameters, Now, OpusSettings, RoomId, UnitId};

use super::engine::{address, settings};
use super::sound::voice;
use super::{Work, start};

const LEGS: u32 = 400;
const ROUND: Duration = Duration::from_millis(20);
/// Until pauses have lasted long enough to be passed over: a second and a half.
const WARM_UP: u32 = 75;
/// Packets that are sent over and over.
const PACKETS: usize = 25;
const PAYLOAD_TYPE: u8 = 111;
/// The extension of levels, with the level of the pause: −71 dBov, no voice.
const LEVEL: [u8; 8] = [0xBE, 0xDE, 0, 1, 0x10, 71, 0, 0];

fn opus_settings(leg: u32, levels: bool) -> Box<LegSettings> {
    let mut settings = settings(leg);
    settings.parameters = MediaParameters {
        codec: AudioCodec::Opus,
        send_payload_type: PAYLOAD_TYPE,
        receive_payload_types: vec![(PAYLOAD_TYPE, AudioCodec::Opus)],
        receive_audio_level: levels.then_some(1),
        ..settings.parameters
    };
    settings
}

/// Packets of a talker, or of somebody who listens.
fn payloads(talks: bool) -> Vec<Vec<u8>> {
    let mut encoder =
        Encoder::new(AudioCodec::Opus, &OpusSettings::default(), &Libraries::default()).expect("it is built in");
    let mut noise = ComfortNoise::new(1, -68.0);
    let payload = |n: usize| {
        let mut samples = [0; 960];
        if talks {
            let frame = voice(n as u32 / 5, 8_000);
            samples.iter_mut().enumerate().for_each(|(i, sample)| *sample = frame[i / 6]);
        } else {
            noise.fill(&mut samples);
        }
        let mut payload = vec![0; LONGEST_PAYLOAD];
        let length = encoder.encode(&samples, &mut payload);
        payload.truncate(length);
        payload
    };
    (0..PACKETS).map(payload).collect()
}

struct Room {
    engine: Engine,
    now: Now,
    slots: Vec<LegSlot>,
    speech: Vec<Vec<u8>>,
    pause: Vec<Vec<u8>>,
    levels: bool,
    sent: u16,
}

impl Room {
    fn new(levels: bool) -> Self {
        let now = start();
        let mut engine = Engine::new(0, now.instant);
        let room = RoomId(0);
        engine.handle_command(now, Command::AddRoom { room, loudest: EVERYONE });
        let mut slots = Vec::new();
        for leg in 0..LEGS {
            let call = CallId(u64::from(leg));
            engine.handle_command(now, Command::AddLeg { leg: call, settings: opus_settings(leg, levels) });
            let (unit, room) = (UnitId::Leg(call), UnitId::Room(room));
            engine.handle_command(now, Command::Connect { source: unit, sink: room });
            engine.handle_command(now, Command::Connect { source: room, sink: unit });
            slots.push(engine.leg_slot(call).expect("it was just added"));
        }
        Self { engine, now, slots, speech: payloads(true), pause: payloads(false), levels, sent: 0 }
    }

    /// 20 ms. Returns the packets sent.
    fn round(&mut self) -> usize {
        let mut packet = [0; 20 + LONGEST_PAYLOAD];
        self.sent = self.sent.wrapping_add(1);
        for (leg, slot) in (0..).zip(&self.slots) {
            let payloads = if leg == 0 { &self.speech } else { &self.pause };
            let payload = &payloads[usize::from(self.sent) % PACKETS];
            let timestamp = u32::from(self.sent) * 960;
            let header =
                Header { marker: false, payload_type: PAYLOAD_TYPE, sequence: self.sent, timestamp, ssrc: 77 + leg };
            packet[..12].copy_from_slice(&header.to_bytes());
            let mut at = 12;
            if self.levels && leg > 0 {
                packet[0] |= 0x10;
                packet[12..20].copy_from_slice(&LEVEL);
                at = 20;
            }
            packet[at..at + payload.len()].copy_from_slice(payload);
            let source: SocketAddr = address(leg);
            let arrival = self.now.instant + Duration::from_micros(u64::from(leg) * 7_919 % 20_000);
            self.engine.handle_packet(*slot, PacketKind::Rtp, arrival, source, &mut packet[..at + payload.len()]);
        }
        self.now = self.now.after(ROUND);
        self.engine.handle_timeout(self.now);
        let sent = self.engine.transmits().map(black_box).count();
        self.engine.clear_transmits();
        while self.engine.poll_event().is_some() {}
        sent
    }
}

pub fn works() -> Vec<Work> {
    let work = |(name, levels)| {
        // Too long to be counted each time.
        Work::new(format!("engine/opus_listeners/{name}"), 0, move || {
            let mut room = Room::new(levels);
            let sent = (0..WARM_UP).map(|_| room.round()).last();
            assert!(sent.is_some_and(|sent| sent >= LEGS as usize), "everybody is sent something: {sent:?}");
            move || {
                black_box(room.round());
            }
        })
    };
    [("plain", false), ("levels", true)].map(work).into()
}
