//! When in the 20 ms of a tick rooms have theirs.

use super::world::{TICK, Weather, World, leg, ms, player, room, tone};
use crate::media::command::{Clip, Command, EVERYONE};
use crate::types::{PlayerId, RoomId};
use std::collections::BTreeMap;
use std::time::Duration;

/// Where in the 20 ms after the begin of the world the phone heard its last packet.
fn phase(world: &World, n: u64) -> Duration {
    let (at, ..) = world.phones[&n].heard.last().expect("it heard something");
    Duration::from_nanos((at.duration_since(world.start).as_nanos() % TICK.as_nanos()) as u64)
}

/// A world of rooms with so many phones in each, all of which talk.
fn rooms(rooms: u64, each: u64) -> World {
    let mut world = World::new(1);
    for n in 0..rooms {
        world.send(Command::AddRoom { room: RoomId(n), loudest: EVERYONE });
    }
    for n in 0..rooms * each {
        world.phone(n);
        world.join(leg(n), room(n % rooms));
    }
    world
}

/// How long after the talker's packets the listener gets its own.
fn transit(world: &World, talker: u64, listener: u64) -> Duration {
    let next = world.phones[&talker].next_packet().duration_since(world.start);
    let (heard, ..) = world.phones[&listener].heard.last().expect("it heard something");
    let late =
        heard.duration_since(world.start) + TICK - Duration::from_nanos((next.as_nanos() % TICK.as_nanos()) as u64);
    Duration::from_nanos((late.as_nanos() % TICK.as_nanos()) as u64)
}

#[test]
fn many_rooms_are_spread_over_the_phases_few_are_not_and_each_has_one() {
    for (count, phases) in [(10, 1), (40, 3), (120, 8)] {
        let mut world = rooms(count, 9);
        world.run(ms(100));
        let mut packets = BTreeMap::<Duration, u32>::new();
        for n in 0..9 * count {
            assert_eq!(phase(&world, n), phase(&world, n % count), "{n} and the first of its room");
            *packets.entry(phase(&world, n)).or_default() += 1;
        }
        assert_eq!(packets.len(), phases, "{packets:?}");
        assert!(packets.values().all(|count| *count <= 150), "{packets:?}");
    }
}

#[test]
fn who_comes_from_another_phase_is_heard_whole_and_hears_no_echo() {
    for wait in 0..8 {
        let mut world = rooms(5, 2);
        world.run(ms(300));
        for n in 20..28 {
            world.phone(n);
            let clips = vec![Clip::Loop(
                (0..8_000)
                    .map(|i| (9_000.0 * (std::f64::consts::TAU * tone(n + 20) * f64::from(i) / 8_000.0).sin()) as i16)
                    .collect::<Vec<i16>>()
                    .into(),
            )];
            world.send(Command::AddPlayer { player: PlayerId(n), clips });
            world.connect(player(n), leg(n));
        }
        world.run(ms(1_500) + Duration::from_micros(2_500 * wait));
        for n in 20..28 {
            world.send(Command::StopPlayer { player: PlayerId(n) });
            world.join(leg(n), room(n % 5));
        }
        world.run(ms(1_300));
        world.end();
    }
}

#[test]
fn a_room_settles_just_behind_the_packets_of_its_talker() {
    for talker in 0..4 {
        let mut world = rooms(1, 4);
        for n in (0..4).filter(|n| *n != talker) {
            world.phones.get_mut(&n).unwrap().loudness = -96.0;
        }
        world.run(ms(40_000));
        for listener in (0..4).filter(|n| *n != talker) {
            let transit = transit(&world, talker, listener);
            assert!(transit >= ms(2) && transit <= Duration::from_micros(7_500), "{talker} → {listener}: {transit:?}");
            world.phones[&listener].assert_continuous(TICK);
        }
        let statistics = world.statistics(talker);
        assert_eq!((statistics.packets_lost, statistics.frames_concealed, statistics.packets_late), (0, 0, 0));
        world.end();
    }
}

#[test]
fn a_settled_room_loses_nothing_of_two_talkers_or_of_one_on_an_uneven_line() {
    let mut world = rooms(2, 4);
    for n in [0, 2, 5] {
        world.phones.get_mut(&n).unwrap().loudness = -96.0;
    }
    world.phones.get_mut(&4).unwrap().weather = Weather { jitter: ms(6), ..Weather::default() };
    world.phones.get_mut(&3).unwrap().weather = Weather { drift: 100, ..Weather::default() };
    world.run(ms(60_000));
    for talker in [1, 4, 6, 7] {
        let statistics = world.statistics(talker);
        assert!(statistics.frames_concealed <= 2, "{talker}: {} of 3,000", statistics.frames_concealed);
    }
    world.end();
}
