//! The mixing engine: 20 ms of a conference, packets in and packets out, without sockets.

use std::hint::black_box;
use std::net::SocketAddr;
use std::time::Duration;

use partyline::audio::codec::g711;
use partyline::media::PacketKind;
use partyline::media::command::{Command, EVERYONE, LegSettings, PlayoutCounters, VoiceProcessing};
use partyline::media::engine::{Engine, LegSlot};
use partyline::rtp::Header;
use partyline::types::{AudioCodec, CallId, MediaParameters, Now, RoomId, UnitId};

use super::sound::voice;
use super::{Work, start};

/// Every leg sends and receives a packet in so long.
const ROUND: Duration = Duration::from_millis(20);
/// Rounds until everything has been everywhere and rooms have settled: eight seconds.
const WARM_UP: usize = 400;
/// A talker's peak, and that of a room in which nobody talks (−60 dBFS).
const TALK: i16 = 8_000;
const NOISE: i16 = 33;

/// Who sits where, and who talks.
#[derive(Clone, Copy)]
enum Seating {
    OneRoomAllTalk,
    RoomsOfTen,
    ThreeTalk,
}

impl Seating {
    fn room(self, leg: u32) -> RoomId {
        match self {
            Self::OneRoomAllTalk | Self::ThreeTalk => RoomId(0),
            Self::RoomsOfTen => RoomId(u64::from(leg / 10)),
        }
    }

    fn peak(self, leg: u32) -> i16 {
        match self {
            Self::ThreeTalk if leg >= 3 => NOISE,
            _ => TALK,
        }
    }
}

pub fn address(leg: u32) -> SocketAddr {
    SocketAddr::from(([192, 0, 2, 1], 10_000 + 2 * u16::try_from(leg).expect("not so many legs")))
}

pub fn settings(leg: u32) -> Box<LegSettings> {
    let remote = address(leg);
    Box::new(LegSettings {
        parameters: MediaParameters {
            receive_payload_types: vec![(0, AudioCodec::Pcmu), (8, AudioCodec::Pcma)],
            send_telephone_event: Some(101),
            receive_telephone_events: [(101, 8_000)].into_iter().collect(),
            ..MediaParameters::plain(remote, AudioCodec::Pcmu, 0)
        },
        seed: u64::from(leg),
        cname: format!("{leg}@bench"),
        media_timeout: Some(Duration::from_secs(10)),
        collect_digits: false,
        playout: PlayoutCounters::default(),
        processing: VoiceProcessing::default(),
    })
}

/// The other end of a leg: the same 20 ms over and over, at its own moment of each round.
struct Phone {
    slot: LegSlot,
    source: SocketAddr,
    offset: Duration,
    header: Header,
    packet: [u8; 172],
}

struct Conference {
    engine: Engine,
    now: Now,
    /// In the order of their moments.
    phones: Vec<Phone>,
}

impl Conference {
    fn new(seating: Seating, legs: u32) -> Self {
        let now = start();
        let mut engine = Engine::new(0, now.instant);
        let mut phones = Vec::new();
        for leg in 0..legs {
            let (call, room) = (CallId(u64::from(leg)), seating.room(leg));
            if engine.leg_count() == 0 || seating.room(leg - 1) != room {
                engine.handle_command(now, Command::AddRoom { room, loudest: EVERYONE });
            }
            engine.handle_command(now, Command::AddLeg { leg: call, settings: settings(leg) });
            let (unit, room) = (UnitId::Leg(call), UnitId::Room(room));
            engine.handle_command(now, Command::Connect { source: unit, sink: room });
            engine.handle_command(now, Command::Connect { source: room, sink: unit });
            let mut packet = [0; 172];
            g711::encode_ulaw(&voice(leg, seating.peak(leg)), &mut packet[12..]);
            phones.push(Phone {
                slot: engine.leg_slot(call).expect("it was just added"),
                source: address(leg),
                // Spread over the round, in no order that has to do with the rooms.
                offset: Duration::from_micros(u64::from(leg) * 7_919 % 20_000),
                header: Header { marker: false, payload_type: 0, sequence: 0, timestamp: 0, ssrc: 77 + leg },
                packet,
            });
        }
        phones.sort_by_key(|phone| phone.offset);
        Self { engine, now, phones }
    }

    /// 20 ms: whatever the engine does at its deadlines in that time, each with the packets that came before it.
    /// Returns the packets sent.
    fn round(&mut self) -> usize {
        let Self { engine, phones, now } = self;
        let end = now.after(ROUND);
        let mut waiting = phones.iter_mut().peekable();
        let mut sent = 0;
        loop {
            let due = engine.poll_timeout().expect("legs have ticks").max(now.instant);
            let at = now.after(due.min(end.instant) - now.instant);
            while let Some(phone) = waiting.next_if(|phone| now.instant + phone.offset < at.instant) {
                phone.header.sequence = phone.header.sequence.wrapping_add(1);
                phone.header.timestamp = phone.header.timestamp.wrapping_add(160);
                phone.packet[..12].copy_from_slice(&phone.header.to_bytes());
                let arrival = now.instant + phone.offset;
                engine.handle_packet(phone.slot, PacketKind::Rtp, arrival, phone.source, &mut phone.packet);
            }
            if due > end.instant {
                break;
            }
            engine.handle_timeout(at);
            for transmit in engine.transmits() {
                black_box(transmit);
                sent += 1;
            }
            engine.clear_transmits();
            while engine.poll_event().is_some() {}
        }
        *now = end;
        sent
    }
}

pub fn works() -> Vec<Work> {
    let mut works = Vec::new();
    for (name, seating) in [
        ("one_room_all_talk", Seating::OneRoomAllTalk),
        ("rooms_of_ten", Seating::RoomsOfTen),
        ("three_talk", Seating::ThreeTalk),
    ] {
        for legs in [10, 100, 1_000] {
            // A second of a hundred legs tells as much as one of a thousand.
            let counted = if legs == 100 { 50 } else { 0 };
            works.push(Work::new(format!("engine/{name}/{legs}"), counted, move || {
                let mut conference = Conference::new(seating, legs);
                let sent = (0..WARM_UP).map(|_| conference.round()).last();
                assert!(sent.is_some_and(|sent| sent >= legs as usize), "everybody is sent something: {sent:?}");
                move || {
                    black_box(conference.round());
                }
            }));
        }
    }
    works
}
