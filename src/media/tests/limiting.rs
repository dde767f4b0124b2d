//! What several say at once is limited where it is too loud, and not clipped.

use super::world::{World, leg, ms, room, tone};
use crate::audio::{goertzel, level};
use crate::media::command::{Command, EVERYONE};
use crate::types::{AudioCodec, RoomId};

const CODECS: [AudioCodec; 3] = [AudioCodec::Pcmu, AudioCodec::G722, AudioCodec::Opus];

/// Two who talk with these codecs, and a listener of each codec: 3, 4 and 5.
fn conference(talkers: [AudioCodec; 2], loudness: f32) -> World {
    let mut world = World::new(1);
    world.send(Command::AddRoom { room: RoomId(1), loudest: EVERYONE });
    for (n, codec) in (1..).zip(talkers.into_iter().chain(CODECS)) {
        world.phone_with(n, World::parameters_of(n, codec)).loudness = if n <= 2 { loudness } else { -90.0 };
        world.join(leg(n), room(1));
    }
    world
}

fn tone_at(world: &World, listener: u64, talker: u64) -> f32 {
    let rate = world.phones[&listener].rate().hertz();
    goertzel::tone_dbfs(&world.last(listener, ms(1_000)), rate, tone(talker))
}

/// What a phone hears beside both tones, dB of the whole.
fn distortion(world: &World, n: u64) -> f32 {
    let heard = world.last(n, ms(1_000));
    let tones: f32 = [1, 2].map(|talker| 10f32.powf(tone_at(world, n, talker) / 10.0)).iter().sum();
    let all = 10f32.powf(level::dbfs(&heard) / 10.0);
    10.0 * ((all - tones).max(1e-9) / all).log10()
}

#[test]
fn two_loud_talkers_are_heard_undistorted_by_listeners_of_every_codec() {
    for talkers in [[AudioCodec::Pcmu; 2], [AudioCodec::Pcmu, AudioCodec::G722], [AudioCodec::G722; 2]] {
        let mut world = conference(talkers, -1.0);
        world.run(ms(3_000));
        for listener in 3..=5 {
            let (distortion, codec) = (distortion(&world, listener), CODECS[listener as usize - 3]);
            assert!(distortion < -22.0, "{talkers:?} {codec:?}: {distortion} dB");
            // Both made quieter by the same.
            let tones = [1, 2].map(|talker| tone_at(&world, listener, talker));
            assert!((tones[0] - tones[1]).abs() < 1.5 && tones[0] < -5.0, "{talkers:?} {codec:?}: {tones:?}");
        }
        for (own, other) in [(1, 2), (2, 1)] {
            let heard = [own, other].map(|talker| tone_at(&world, own, talker));
            assert!(heard[1] > -9.0 && heard[0] < heard[1] - 35.0, "{talkers:?}: {heard:?}");
        }
        world.end();
    }
}

#[test]
fn one_talker_has_its_loudness_back_soon_after_the_other_stops() {
    let mut world = conference([AudioCodec::Pcmu; 2], -1.0);
    world.run(ms(2_000));
    world.phones.get_mut(&2).unwrap().loudness = -90.0;
    world.run(ms(1_500));
    assert!((tone_at(&world, 3, 1) + 1.0).abs() < 0.7, "{} dBFS", tone_at(&world, 3, 1));
    world.end();
}
