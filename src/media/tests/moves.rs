//! Units that move between threads.

use super::world::{World, leg, ms, player, room};
use crate::media::command::{Clip, Command, EVERYONE, Event};
use crate::types::{CallId, PlayerId, RoomId};
use std::time::Duration;

#[test]
fn legs_are_spread_and_the_smaller_set_moves() {
    let mut world = World::new(2);
    world.send(Command::AddRoom { room: RoomId(1), loudest: EVERYONE });
    for n in 1..=4 {
        world.phone(n);
    }
    let thread = |world: &World, n: u64| world.media.thread_of(leg(n)).unwrap();
    assert_eq!((1..=4).map(|n| thread(&world, n)).collect::<Vec<_>>(), [0, 1, 0, 1]);
    for n in 1..=3 {
        world.join(leg(n), room(1));
    }
    assert!((1..=3).all(|n| thread(&world, n) == 0));
    assert_eq!(thread(&world, 4), 1);
    world.join(leg(4), room(1));
    assert_eq!(thread(&world, 4), 0);
    // The next one goes where there is least to do.
    world.phone(5);
    assert_eq!(thread(&world, 5), 1);
    world.end();
}

/// A talks to B in one room; then the room of A and B is joined to a larger one on the other thread, in mid-sentence.
fn moved_in_mid_sentence(latency: Duration) {
    let mut world = World::with(2, latency);
    for n in [1, 2] {
        world.send(Command::AddRoom { room: RoomId(n), loudest: EVERYONE });
    }
    for n in [1, 2, 3, 4, 5] {
        world.phone(n);
    }
    world.run(ms(200));
    for n in [1, 3, 5] {
        world.join(leg(n), room(1));
    }
    for n in [2, 4] {
        world.join(leg(n), room(2));
    }
    world.run(ms(1_500));
    assert_ne!(world.media.thread_of(leg(1)), world.media.thread_of(leg(2)));
    world.assert_hears(&[1, 2, 3, 4, 5], |listener, talker| listener != talker && listener % 2 == talker % 2);
    world.run(ms(13));
    let before = world.now.instant;
    world.connect(room(1), room(2));
    world.run(ms(1_500));
    assert_eq!(world.media.thread_of(leg(1)), world.media.thread_of(leg(2)));
    for (n, phone) in &world.phones {
        phone.assert_continuous(latency + latency + ms(40));
        assert!(phone.heard.iter().any(|(at, ..)| *at > before), "{n} hears on");
    }
    world.assert_hears(&[1, 2, 3, 4, 5], |listener, talker| {
        listener != talker && (listener % 2 == talker % 2 || listener % 2 == 0)
    });
    for n in 1..=5 {
        let statistics = world.statistics(n);
        assert_eq!((statistics.packets_lost, statistics.frames_concealed, statistics.packets_late), (0, 0, 0), "{n}");
    }
    world.end();
}

#[test]
fn nothing_is_lost_when_a_set_moves_at_once() {
    moved_in_mid_sentence(Duration::ZERO);
}

#[test]
fn nothing_is_lost_when_a_move_takes_time() {
    for latency in [1, 5, 8, 12, 19] {
        moved_in_mid_sentence(ms(latency));
    }
}

#[test]
fn the_sound_that_a_moving_set_hears_is_whole() {
    // The tone of 4 reaches 2 over the move without a break: no frame of it is quieter than the rest.
    let mut world = World::with(2, ms(12));
    for n in [1, 2, 3, 4, 5] {
        world.phone(n).talking = n == 4;
    }
    for n in [1, 2] {
        world.send(Command::AddRoom { room: RoomId(n), loudest: EVERYONE });
    }
    world.run(ms(100));
    for n in [1, 3, 5] {
        world.join(leg(n), room(1));
    }
    for n in [2, 4] {
        world.join(leg(n), room(2));
    }
    world.run(ms(1_000));
    world.connect(room(2), room(1));
    world.run(ms(1_000));
    let heard = world.last(2, ms(1_800));
    for (at, frame) in heard.chunks(160).enumerate() {
        let level = crate::audio::level::dbfs(frame);
        assert!((-25.0..-20.0).contains(&level), "frame {at}: {level} dBFS");
    }
    world.end();
}

#[test]
fn commands_about_units_on_their_way_wait_in_order() {
    let mut world = World::with(2, ms(15));
    for n in [1, 2, 3] {
        world.phone(n);
    }
    world.run(ms(500));
    // 1 and 3 live on one thread, 2 on the other. The last word counts.
    world.connect(leg(1), leg(2));
    world.connect(leg(3), leg(2));
    world.connect(leg(2), leg(1));
    world.send(Command::Mute { leg: CallId(3), muted: true });
    world.send(Command::Mute { leg: CallId(3), muted: false });
    world.run(ms(2_000));
    world.assert_hears(&[1, 2, 3], |listener, talker| matches!((listener, talker), (2, 3) | (1, 2)));
    world.send(Command::RemoveLeg { leg: CallId(2) });
    world.connect(leg(2), leg(3));
    world.run(ms(200));
    assert!(world.events.iter().any(|event| matches!(event, Event::LegRemoved { leg, .. } if leg.0 == 2)));
    world.phones.remove(&2);
    world.end();
}

#[test]
fn a_player_moves_with_its_leg_and_does_not_stutter() {
    let mut world = World::with(2, ms(5));
    for n in [1, 2, 3] {
        world.phone(n).talking = false;
    }
    world.run(ms(100));
    world.connect(leg(1), leg(3));
    // Every sample tells its place.
    let clip: Vec<i16> = (0..16_000).map(|i| (i / 160) as i16 * 64).collect();
    world.send(Command::AddPlayer { player: PlayerId(1), clips: vec![Clip::Samples(clip.into())] });
    world.connect(player(1), leg(2));
    world.run(ms(500));
    world.connect(leg(2), leg(1));
    world.run(ms(2_000));
    assert_eq!(world.media.thread_of(leg(1)), world.media.thread_of(leg(2)));
    assert!(world.events.contains(&Event::PlaybackFinished { player: PlayerId(1), completed: true }));
    let heard = world.phones[&2].heard.iter().map(|(.., samples)| samples[80]);
    let steps: Vec<i16> = heard.filter(|sample| *sample > 100).collect();
    assert!(steps.is_sorted(), "{steps:?}");
    // The first two frames are too quiet to be told from noise.
    assert_eq!(steps.len(), 98);
    world.end();
}
