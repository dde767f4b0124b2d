//! Who hears whom.

use super::world::{World, leg, ms, room, tone};
use crate::audio::goertzel;
use crate::media::command::{Command, EVERYONE, Event, RefusedReason};
use crate::types::{AudioCodec, CallId, RoomId};

fn conference(threads: usize, legs: &[u64]) -> World {
    let mut world = World::new(threads);
    world.send(Command::AddRoom { room: RoomId(1), loudest: EVERYONE });
    for &n in legs {
        world.phone(n);
        world.join(leg(n), room(1));
    }
    world
}

#[test]
fn everybody_hears_every_tone_but_their_own() {
    for threads in [1, 2] {
        let all = [1, 2, 3, 4, 5];
        let mut world = conference(threads, &all);
        world.run(ms(2_000));
        world.assert_hears(&all, |listener, talker| listener != talker);
        for phone in world.phones.values() {
            phone.assert_continuous(ms(20));
        }
        world.end();
    }
}

#[test]
fn rooms_on_two_threads_do_not_hear_each_other() {
    let mut world = World::new(2);
    let all = [1, 2, 3, 4, 5, 6];
    for n in [1, 2] {
        world.send(Command::AddRoom { room: RoomId(n), loudest: EVERYONE });
    }
    for n in all {
        world.phone(n);
        world.join(leg(n), room(1 + n % 2));
    }
    world.run(ms(2_000));
    assert_ne!(world.media.thread_of(room(1)), world.media.thread_of(room(2)));
    world.assert_hears(&all, |listener, talker| listener != talker && listener % 2 == talker % 2);
    world.end();
}

#[test]
fn silent_listeners_hear_all_and_a_speaker_with_another_codec_too() {
    let mut world = conference(1, &[1, 2]);
    for n in [3, 4] {
        world.phone(n).loudness = -60.0;
        world.join(leg(n), room(1));
    }
    let a_law = crate::types::MediaParameters {
        codec: AudioCodec::Pcma,
        send_payload_type: 8,
        send_packet_time: ms(30),
        ..World::parameters(5)
    };
    world.phone_with(5, a_law);
    world.join(leg(5), room(1));
    world.run(ms(2_000));
    for listener in 1..=5 {
        let wanted: Vec<u64> = [1, 2, 5].into_iter().filter(|&talker| talker != listener).collect();
        assert_eq!(world.tones(listener, &[1, 2, 3, 4, 5]), wanted, "what {listener} hears");
    }
    // The two silent µ-law listeners were sent the same octets.
    assert_eq!(world.last(3, ms(1_000)), world.last(4, ms(1_000)));
    world.end();
}

#[test]
fn a_leg_heard_directly_is_heard_by_that_leg_alone() {
    let mut world = World::new(2);
    for n in [1, 2, 3] {
        world.phone(n);
    }
    world.connect(leg(1), leg(2));
    world.run(ms(2_000));
    world.assert_hears(&[1, 2, 3], |listener, talker| (listener, talker) == (2, 1));
    world.connect(leg(3), leg(2));
    world.run(ms(2_000));
    world.assert_hears(&[1, 2, 3], |listener, talker| (listener, talker) == (2, 3));
    world.send(Command::Disconnect { source: leg(3), sink: leg(2) });
    world.run(ms(2_000));
    world.assert_hears(&[1, 2, 3], |_, _| false);
    world.end();
}

#[test]
fn a_room_sent_to_another_is_heard_there_and_not_back() {
    let mut world = World::new(2);
    for n in [1, 2] {
        world.send(Command::AddRoom { room: RoomId(n), loudest: EVERYONE });
    }
    for n in [1, 2, 3, 4] {
        world.phone(n);
        world.join(leg(n), room(1 + n % 2));
    }
    world.connect(room(1), room(2));
    world.run(ms(2_000));
    let in_one = |n: u64| n.is_multiple_of(2);
    world.assert_hears(&[1, 2, 3, 4], |listener, talker| listener != talker && (in_one(talker) || !in_one(listener)));
    world.connect(room(2), room(1));
    world.run(ms(100));
    assert!(world.events.contains(&Event::Refused { unit: room(1), reason: RefusedReason::Cycle }));
    // One who speaks in the first and hears the second does not hear themselves.
    world.connect(room(2), leg(2));
    world.run(ms(2_000));
    assert_eq!(world.tones(2, &[1, 2, 3, 4]), [1, 3, 4]);
    world.end();
}

#[test]
fn listening_only_adds_nothing() {
    let mut world = conference(2, &[1, 2]);
    world.phone(3);
    world.connect(room(1), leg(3));
    world.run(ms(2_000));
    world.assert_hears(&[1, 2, 3], |listener, talker| listener != talker && talker != 3);
    world.end();
}

#[test]
fn a_removed_room_falls_silent() {
    let mut world = conference(2, &[1, 2]);
    world.run(ms(500));
    world.send(Command::RemoveRoom { room: RoomId(1) });
    world.run(ms(2_000));
    world.assert_hears(&[1, 2], |_, _| false);
    world.end();
}

#[test]
fn muted_is_not_heard_and_still_hears() {
    let mut world = conference(1, &[1, 2, 3]);
    world.send(Command::Mute { leg: CallId(2), muted: true });
    world.run(ms(2_000));
    world.assert_hears(&[1, 2, 3], |listener, talker| listener != talker && talker != 2);
    world.send(Command::Mute { leg: CallId(2), muted: false });
    world.run(ms(2_000));
    world.assert_hears(&[1, 2, 3], |listener, talker| listener != talker);
    world.end();
}

#[test]
fn a_gain_is_heard_by_all_others_as_it_says_at_any_rate_and_muting_goes_with_it() {
    let mut world = conference(2, &[1, 2, 3]);
    world.run(ms(2_000));
    let level = |world: &World, listener: u64, talker: u64| {
        let rate = world.phones[&listener].rate().hertz();
        goertzel::tone_dbfs(&world.last(listener, ms(1_000)), rate, tone(talker))
    };
    let before = [level(&world, 1, 2), level(&world, 3, 2), level(&world, 1, 3), level(&world, 2, 1)];
    for decibels in [-12, 6, -20, 0] {
        world.send(Command::SetGain { leg: CallId(2), decibels });
        world.run(ms(1_500));
        let after = [level(&world, 1, 2), level(&world, 3, 2), level(&world, 1, 3), level(&world, 2, 1)];
        for (at, expected) in [f32::from(decibels), f32::from(decibels), 0.0, 0.0].into_iter().enumerate() {
            let change = after[at] - before[at];
            assert!((change - expected).abs() < 1.0, "{decibels} dB, {at}: {before:?}, {after:?}");
        }
    }
    world.send(Command::SetGain { leg: CallId(2), decibels: 6 });
    world.send(Command::Mute { leg: CallId(2), muted: true });
    world.run(ms(1_500));
    world.assert_hears(&[1, 2, 3], |listener, talker| listener != talker && talker != 2);
    world.send(Command::Mute { leg: CallId(2), muted: false });
    world.run(ms(1_500));
    assert!((level(&world, 1, 2) - before[0] - 6.0).abs() < 0.7);
    world.end();
}

#[test]
fn what_a_gain_makes_too_loud_is_clamped_not_wrapped() {
    let mut world = conference(1, &[1, 2]);
    for (n, loudness) in [(1, -15.0), (2, -90.0)] {
        world.phones.get_mut(&n).unwrap().loudness = loudness;
    }
    world.send(Command::SetGain { leg: CallId(1), decibels: 20 });
    world.run(ms(1_000));
    let heard = world.last(2, ms(500));
    // A wrapped sample would be a jump from one end to the other.
    let jump = heard.windows(2).map(|two| (i32::from(two[1]) - i32::from(two[0])).abs()).max();
    assert!(heard.iter().any(|sample| *sample > 32_000) && heard.iter().any(|sample| *sample < -32_000));
    assert!(jump < Some(40_000), "{jump:?}");
    world.end();
}

#[test]
fn of_more_than_there_are_places_the_loudest_are_heard_and_a_pause_lets_the_next_in() {
    let mut world = World::new(1);
    world.send(Command::AddRoom { room: RoomId(1), loudest: 3 });
    let all = [1, 2, 3, 4, 5];
    for n in all {
        world.phone(n);
        world.join(leg(n), room(1));
        world.phones.get_mut(&n).unwrap().loudness = -90.0;
    }
    world.run(ms(500));
    for n in [1, 2, 3] {
        world.phones.get_mut(&n).unwrap().loudness = -22.0;
    }
    world.run(ms(500));
    for n in [4, 5] {
        world.phones.get_mut(&n).unwrap().loudness = -20.0;
    }
    world.run(ms(1_500));
    world.assert_hears(&all, |listener, talker| listener != talker && talker <= 3);
    // Those who wait are listeners like any other: the same octets go to both.
    assert_eq!(world.last(4, ms(1_000)), world.last(5, ms(1_000)));
    world.phones.get_mut(&2).unwrap().loudness = -90.0;
    world.run(ms(300));
    world.phones.get_mut(&2).unwrap().loudness = -22.0;
    world.run(ms(1_500));
    let mixed = world.tones(2, &all);
    assert!(mixed == [1, 3, 4] || mixed == [1, 3, 5], "{mixed:?}");
    world.end();
}
