//! Listeners who are told who is heard (RFC 3550 section 5.1, RFC 6465).

use super::world::{World, leg, ms, room};
use crate::media::command::{Command, EVERYONE};
use crate::types::{AudioCodec, MediaParameters, RoomId};

/// Four phones in a room, of which 1 (Opus), 2 (G.711) and 4 (G.711, noise behind its gate) are told who is heard.
fn told(threads: usize, loudest: usize) -> World {
    let mut world = World::new(threads);
    world.send(Command::AddRoom { room: RoomId(1), loudest });
    for n in 1..=4 {
        let codec = if n == 1 { AudioCodec::Opus } else { AudioCodec::Pcmu };
        let parameters = World::parameters_of(n, codec);
        let levels = (n == 2).then_some(5);
        world.phone_with(
            n,
            MediaParameters { send_contributors: n != 3, send_contributor_levels: levels, ..parameters },
        );
        world.join(leg(n), room(1));
    }
    world.phones.get_mut(&4).unwrap().loudness = 0.0;
    world
}

fn named(world: &World, n: u64) -> Vec<u32> {
    let mut named = world.phones[&n].contributors.clone();
    named.sort_unstable();
    named
}

#[test]
fn a_packet_names_those_who_are_heard_in_it_and_never_its_listener() {
    for threads in [1, 2] {
        let mut world = told(threads, EVERYONE);
        world.phones.get_mut(&4).unwrap().talking = false;
        world.run(ms(1_500));
        assert_eq!([1, 2, 4].map(|n| named(&world, n)), [vec![2, 3], vec![1, 3], vec![1, 2, 3]]);
        assert!(named(&world, 3).is_empty(), "it is not told");
        assert_eq!(
            [world.tones(1, &[2, 3]), world.tones(2, &[1, 3]), world.tones(4, &[1, 2, 3])].map(|t| t.len()),
            [2, 2, 3]
        );
        world.phones.get_mut(&2).unwrap().talking = false;
        world.phones.get_mut(&3).unwrap().talking = false;
        world.run(ms(1_500));
        assert_eq!([1, 2, 4].map(|n| named(&world, n)), [vec![], vec![1], vec![1]]);
        world.end();
    }
}

#[test]
fn of_more_than_are_mixed_those_are_named_who_are_mixed() {
    let mut world = told(1, 2);
    world.phones.get_mut(&4).unwrap().talking = false;
    world.run(ms(1_500));
    let heard: Vec<u32> =
        [1, 2, 3].into_iter().filter(|n| world.tones(4, &[*n]).len() == 1).map(|n| n as u32).collect();
    assert_eq!(heard.len(), 2);
    assert_eq!(named(&world, 4), heard);
    world.end();
}

#[test]
fn who_is_told_no_more_gets_plain_packets() {
    let mut world = told(1, EVERYONE);
    world.run(ms(500));
    assert!(!named(&world, 2).is_empty());
    world.update(2, |_| {});
    world.run(ms(500));
    assert!(named(&world, 2).is_empty());
    world.end();
}

#[test]
fn two_who_are_joined_without_a_room_are_told_of_each_other() {
    let mut world = World::new(1);
    for n in 1..=2 {
        world.phone_with(n, MediaParameters { send_contributors: true, ..World::parameters(n) });
    }
    world.connect(leg(1), leg(2));
    world.connect(leg(2), leg(1));
    world.run(ms(500));
    assert_eq!([1, 2].map(|n| named(&world, n)), [vec![2], vec![1]]);
    world.end();
}
