//! Phones that tell how loud their packets are (RFC 6464).

use super::world::{World, leg, ms, room};
use crate::audio::level;
use crate::media::command::{Command, EVERYONE};
use crate::types::{AudioCodec, MediaParameters, RoomId};

const CODECS: [AudioCodec; 2] = [AudioCodec::G722, AudioCodec::Opus];
/// Levels: digital silence, the noise of a pause, and speech.
const SILENT: u8 = 127;
const PAUSE: u8 = 70;
const SPEECH: u8 = 0x80 | 25;

/// A phone of `codec` that tells its levels, where `tells`, and a telephone and one of Opus that listen to it.
fn listeners(codec: AudioCodec, tells: bool) -> World {
    let mut world = World::new(1);
    world.send(Command::AddRoom { room: RoomId(1), loudest: EVERYONE });
    let level = tells.then_some(1);
    let parameters = MediaParameters { receive_audio_level: level, ..World::parameters_of(1, codec) };
    world.phone_with(1, parameters);
    world.phone_with(2, World::parameters_of(2, AudioCodec::Pcmu)).loudness = -90.0;
    world.phone_with(3, World::parameters_of(3, AudioCodec::Opus)).loudness = -90.0;
    for n in 1..=3 {
        world.join(leg(n), room(1));
    }
    world
}

/// The phone sounds at `loudness` and says `level` of it, for a time.
fn says(world: &mut World, loudness: f32, level: u8, milliseconds: u64) {
    let phone = world.phones.get_mut(&1).unwrap();
    phone.loudness = loudness;
    phone.level = Some(level);
    world.run(ms(milliseconds));
}

#[test]
fn what_is_told_to_be_silence_is_silence_whatever_it_holds() {
    for codec in CODECS {
        let mut world = listeners(codec, true);
        says(&mut world, -22.0, SPEECH, 2_000);
        assert_eq!(world.tones(2, &[1]), [1], "{codec:?}");
        says(&mut world, -22.0, SILENT, 700);
        says(&mut world, -22.0, SILENT, 1_000);
        for n in [2, 3] {
            let heard = level::dbfs(&world.last(n, ms(1_000)));
            assert!(heard < -60.0, "{codec:?}: {n} hears {heard} dBFS");
        }
        says(&mut world, -22.0, SPEECH, 1_500);
        assert_eq!(world.tones(2, &[1]), [1], "{codec:?}");
        assert_eq!(world.tones(3, &[1]), [1], "{codec:?}");
        world.end();
    }
}

#[test]
fn a_level_that_was_not_agreed_on_means_nothing() {
    let mut world = listeners(AudioCodec::Opus, false);
    says(&mut world, -22.0, SILENT, 3_000);
    assert_eq!(world.tones(2, &[1]), [1]);
    world.end();
}

#[test]
fn no_level_makes_anybody_louder() {
    for codec in CODECS {
        let mut world = listeners(codec, true);
        says(&mut world, -70.0, 0x80, 3_000);
        let heard = level::dbfs(&world.last(2, ms(1_000)));
        assert!(heard < -60.0, "{codec:?}: {heard} dBFS");
        world.end();
    }
}

/// The packet in which a word begins sounds as it does where every packet before it was decoded.
#[test]
fn after_silence_that_was_not_decoded_the_first_word_sounds_as_if_it_had_been() {
    for codec in CODECS {
        for pause in [-90.0, -70.0] {
            let heard = [true, false].map(|tells| {
                let mut world = listeners(codec, tells);
                says(&mut world, -22.0, SPEECH, 6_000);
                let mut words = Vec::new();
                for _ in 0..3 {
                    says(&mut world, pause, PAUSE, 3_000);
                    says(&mut world, -22.0, SPEECH, 400);
                    words.push([2, 3].map(|n| world.last(n, ms(380))));
                }
                world.end();
                words
            });
            let [told, decoded] = heard;
            for (told, decoded) in told.iter().zip(&decoded) {
                for (told, decoded) in told.iter().zip(decoded) {
                    let error: Vec<i16> = told.iter().zip(decoded).map(|(a, b)| a.saturating_sub(*b)).collect();
                    let (error, sound) = (level::dbfs(&error), level::dbfs(decoded));
                    assert!(sound > -26.0 && error < sound - 30.0, "{codec:?} after {pause}: {error} in {sound} dBFS");
                }
            }
        }
    }
}
