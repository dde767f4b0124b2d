//! Any order of commands is survived and leaves nothing behind.

use super::world::{World, leg, ms, player, recorder, room};
use crate::media::command::{Clip, Command, EVERYONE, RecorderSink};
use crate::media::outbox::PacketKind;
use crate::types::{CallId, Direction, PlayerId, RecorderId, RoomId, SampleRate, UnitId};
use proptest::prelude::*;
use std::collections::HashSet;
use std::sync::{Arc, Mutex};

#[derive(Debug, Clone)]
enum Step {
    Phone(u64),
    Room(u64),
    Player(u64, u64),
    Recorder(u64),
    Remove(UnitId),
    Connect(UnitId, UnitId),
    Disconnect(UnitId, UnitId),
    Update(u64, u8),
    Mute(u64, bool),
    Gain(u64, i8),
    Collect(u64, bool),
    Digits(u64),
    Run(u64),
}

fn unit() -> impl Strategy<Value = UnitId> {
    prop_oneof![
        4 => (0u64..6).prop_map(leg),
        3 => (0u64..4).prop_map(room),
        2 => (0u64..40).prop_map(player),
        1 => (0u64..2).prop_map(recorder),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (0u64..6).prop_map(Step::Phone),
        2 => (0u64..4).prop_map(Step::Room),
        3 => (0u64..40, 0u64..300).prop_map(|(n, length)| Step::Player(n, length)),
        1 => (0u64..2).prop_map(Step::Recorder),
        2 => unit().prop_map(Step::Remove),
        12 => (unit(), unit()).prop_map(|(source, sink)| Step::Connect(source, sink)),
        4 => (unit(), unit()).prop_map(|(source, sink)| Step::Disconnect(source, sink)),
        1 => (0u64..6, 0u8..4).prop_map(|(n, direction)| Step::Update(n, direction)),
        1 => (0u64..6, any::<bool>()).prop_map(|(n, on)| Step::Mute(n, on)),
        1 => (0u64..6, any::<i8>()).prop_map(|(n, decibels)| Step::Gain(n, decibels)),
        1 => (0u64..6, any::<bool>()).prop_map(|(n, on)| Step::Collect(n, on)),
        1 => (0u64..6).prop_map(Step::Digits),
        6 => (0u64..70).prop_map(Step::Run),
    ]
}

fn take(world: &mut World, used: &mut HashSet<u64>, step: Step) {
    match step {
        Step::Phone(n) => {
            world.phone(n);
        }
        Step::Room(n) => world.send(Command::AddRoom { room: RoomId(n), loudest: EVERYONE }),
        // The names of players are not used again: one that ended may still be on its way to be reported.
        Step::Player(n, length) => {
            if !used.insert(n) {
                return;
            }
            let clips = vec![Clip::Samples(vec![900; 300].into()), Clip::Silence(ms(length))];
            world.send(Command::AddPlayer { player: PlayerId(n), clips });
        }
        Step::Recorder(n) => {
            let sink = RecorderSink(Arc::new(Mutex::new(Some(rtrb::RingBuffer::new(400).0))));
            world.send(Command::AddRecorder {
                recorder: RecorderId(n),
                sink,
                rate: SampleRate(8_000),
                less: None,
                ear: false,
            });
        }
        Step::Remove(UnitId::Leg(leg)) => {
            world.send(Command::RemoveLeg { leg });
            world.phones.remove(&leg.0);
        }
        Step::Remove(UnitId::Room(room)) => world.send(Command::RemoveRoom { room }),
        Step::Remove(UnitId::Player(player)) => world.send(Command::StopPlayer { player }),
        Step::Remove(UnitId::Recorder(recorder)) => world.send(Command::RemoveRecorder { recorder }),
        Step::Connect(source, sink) => world.connect(source, sink),
        Step::Disconnect(source, sink) => world.send(Command::Disconnect { source, sink }),
        Step::Update(n, direction) => world.update(n, |parameters| {
            parameters.direction = Direction::of(direction & 1 == 1, direction & 2 == 2);
            parameters.send_packet_time = ms([10, 20, 30, 60][usize::from(direction)]);
        }),
        Step::Gain(n, decibels) => world.send(Command::SetGain { leg: CallId(n), decibels }),
        Step::Mute(n, muted) => world.send(Command::Mute { leg: CallId(n), muted }),
        Step::Collect(n, on) => world.send(Command::CollectDigits { leg: CallId(n), on }),
        Step::Digits(n) => {
            world.send(Command::SendDigits { leg: CallId(n), digits: "19".into(), duration: ms(60) });
        }
        Step::Run(time) => world.run(ms(time)),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_order_of_commands_is_survived(
        steps in prop::collection::vec(step(), 1..120),
        latency in prop_oneof![Just(0u64), 1u64..30],
    ) {
        let mut world = World::with(2, ms(latency));
        let mut used = HashSet::new();
        for step in steps {
            take(&mut world, &mut used, step);
        }
        world.run(ms(300));
        world.end();
    }
    #[test]
    fn any_bytes_are_survived(
        datagrams in prop::collection::vec((any::<bool>(), prop::collection::vec(any::<u8>(), 0..80), 0u8..4), 1..80),
    ) {
        let mut world = World::new(1);
        let address = world.phone(1).address.to_string();
        world.join(leg(1), leg(1));
        for (rtcp, mut bytes, like) in datagrams {
            // Most look enough like the real thing to get past the first check.
            if let (1.., [first, second, ..]) = (like, bytes.as_mut_slice()) {
                *first = 0x80 | (*first & if like == 1 { 0x3f } else { 0x01 });
                *second = if rtcp { 200 + *second % 5 } else { [0, 8, 96][usize::from(*second) % 3] };
            }
            let kind = if rtcp { PacketKind::Rtcp } else { PacketKind::Rtp };
            world.inject(1, kind, &address, &bytes);
            world.run(ms(u64::from(like) * 7));
        }
        world.end();
    }
}
