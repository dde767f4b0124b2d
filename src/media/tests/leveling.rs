//! Calls whose trunk has each caller heard equally loud.

use super::world::{World, leg, ms, room, tone};
use crate::audio::{goertzel, level};
use crate::media::command::{Command, EVERYONE, Event, VoiceProcessing};
use crate::types::{AudioCodec, RoomId};

/// A room with a talker, leveled or not, and two who listen.
fn room_with(codec: AudioCodec, is_leveled: bool) -> World {
    let mut world = World::new(1);
    world.send(Command::AddRoom { room: RoomId(1), loudest: EVERYONE });
    world.processing.automatic_gain = is_leveled;
    world.phone_with(1, World::parameters_of(1, codec));
    world.processing.automatic_gain = false;
    for n in 2..=3 {
        world.phone_with(n, World::parameters_of(n, AudioCodec::Pcmu)).loudness = -90.0;
    }
    for n in 1..=3 {
        world.join(leg(n), room(1));
    }
    world
}

/// The talker speaks: 160 ms and 40 ms of pause in turn, and what the listener hears of the last syllable, dBFS.
fn speaks(world: &mut World, loudness: f32, syllables: usize) -> f32 {
    for _ in 0..syllables {
        world.phones.get_mut(&1).unwrap().loudness = loudness;
        world.run(ms(160));
        world.phones.get_mut(&1).unwrap().loudness = -90.0;
        world.run(ms(40));
    }
    let heard = world.last(2, ms(200));
    let loudest = |frames: &[i16]| frames.chunks(160).map(level::dbfs).fold(-96.0, f32::max);
    loudest(&heard)
}

#[test]
fn faint_and_loud_talkers_are_heard_equally_loud() {
    for codec in [AudioCodec::Pcmu, AudioCodec::G722, AudioCodec::Opus] {
        for loudness in [-37.0, -27.0, -17.0, -8.0] {
            let mut world = room_with(codec, true);
            let heard = speaks(&mut world, loudness, 50);
            // −20 dBov is −17 dBFS.
            assert!((heard + 17.0).abs() < 3.5, "{codec:?} {loudness}: {heard}");
            world.end();
        }
    }
}

#[test]
fn where_it_is_not_wanted_nothing_changes() {
    for loudness in [-37.0, -17.0] {
        let mut world = room_with(AudioCodec::Pcmu, false);
        let heard = speaks(&mut world, loudness, 30);
        assert!((heard - loudness).abs() < 1.0, "{loudness}: {heard}");
        world.end();
    }
}

#[test]
fn the_gain_that_somebody_set_comes_on_top() {
    let mut world = room_with(AudioCodec::Pcmu, true);
    world.send(Command::SetGain { leg: crate::types::CallId(1), decibels: -10 });
    let heard = speaks(&mut world, -37.0, 50);
    assert!((heard + 27.0).abs() < 3.5, "{heard}");
    world.end();
}

#[test]
fn a_leg_that_is_in_the_middle_of_a_call_is_leveled_from_then_on() {
    let mut world = room_with(AudioCodec::Pcmu, false);
    assert!((speaks(&mut world, -37.0, 20) + 37.0).abs() < 1.0);
    let leg = crate::types::CallId(1);
    let leveled = VoiceProcessing { automatic_gain: true, noise_suppression: false };
    world.send(Command::SetProcessing { leg, processing: leveled });
    let heard = speaks(&mut world, -37.0, 50);
    assert!((heard + 17.0).abs() < 3.5, "{heard}");
    world.send(Command::SetProcessing { leg, processing: VoiceProcessing::default() });
    let heard = speaks(&mut world, -37.0, 10);
    assert!((heard + 37.0).abs() < 1.0, "{heard}");
    world.end();
}

/// How loud two talkers of steady tones, which is noise, are heard by a third in the end, where noise is suppressed for
/// so many, dBFS; and in how many frames it was not.
fn noises(codec: AudioCodec, room_for: usize) -> (f32, f32, u64) {
    let mut world = World::new(1);
    world.media.engine(0).budget.suppression.most = room_for;
    world.send(Command::AddRoom { room: RoomId(1), loudest: EVERYONE });
    world.processing.noise_suppression = true;
    for n in 1..=2 {
        world.phone_with(n, World::parameters_of(n, codec)).loudness = -30.0;
    }
    world.processing.noise_suppression = false;
    world.phone_with(3, World::parameters_of(3, AudioCodec::Pcmu)).loudness = -90.0;
    for n in 1..=3 {
        world.join(leg(n), room(1));
    }
    world.run(ms(6_000));
    let heard = world.last(3, ms(1_000));
    let [one, other] = [1, 2].map(|n| goertzel::tone_dbfs(&heard, 8_000, tone(n)));
    let left = world.events.iter().filter_map(|event| match event {
        Event::NoiseNotSuppressed { thread: 0, count } => Some(*count),
        _ => None,
    });
    let told: Vec<u64> = left.collect();
    assert!(told.len() <= 6 && told.iter().all(|count| *count > 0), "{told:?}");
    world.end();
    (one, other, told.iter().sum())
}

#[test]
fn noise_is_suppressed_of_as_many_as_there_is_time_for_and_the_others_are_told() {
    for (codec, pieces) in [(AudioCodec::Pcmu, 1), (AudioCodec::G722, 2)] {
        let (one, other, left) = noises(codec, 2 * pieces);
        assert!(one < -38.0 && other < -38.0 && left == 0, "{codec:?}: {one} {other} {left}");
        let (one, other, left) = noises(codec, 2 * pieces - 1);
        assert!(one < -38.0 && other > -32.0, "{codec:?}: {one} {other}");
        assert!((200..=300).contains(&left), "{codec:?}: {left}");
    }
    let (one, other, left) = noises(AudioCodec::Opus, 0);
    assert!(one > -32.0 && other > -32.0 && left == 0, "nothing is done at 48 kHz: {one} {other} {left}");
}
