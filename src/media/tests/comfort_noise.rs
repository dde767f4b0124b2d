//! Comfort noise (RFC 3389): phones that describe their pauses, and ours that are described to them.

use super::world::{World, leg, ms, player, room, tone};
use crate::audio::level;
use crate::media::PacketKind;
use crate::media::command::{Command, EVERYONE, Event};
use crate::types::{AudioCodec, CallId, MediaParameters, PlayerId, RoomId};
use std::time::Duration;

const CODECS: [AudioCodec; 3] = [AudioCodec::Pcmu, AudioCodec::Pcma, AudioCodec::G722];
const NOISE: u8 = 13;

fn parameters(n: u64, codec: AudioCodec) -> MediaParameters {
    MediaParameters {
        send_comfort_noise: Some(NOISE),
        receive_comfort_noise: [(NOISE, 8_000)].into_iter().collect(),
        ..World::parameters_of(n, codec)
    }
}

/// The phone describes its noise, and time goes on.
fn describes(world: &mut World, n: u64, payload: &[u8], time: Duration) {
    let phone = world.phones.get_mut(&n).unwrap();
    let timestamp = phone.timestamp;
    let bytes = phone.write(false, NOISE, timestamp, payload);
    let address = phone.address.to_string();
    world.inject(n, PacketKind::Rtp, &address, &bytes);
    world.run(time);
}

/// The phone pauses for a time, of which nothing is sent.
fn pauses(world: &mut World, n: u64, time: Duration) {
    world.phones.get_mut(&n).unwrap().talking = false;
    world.run(time);
    let phone = world.phones.get_mut(&n).unwrap();
    phone.timestamp = phone.timestamp.wrapping_add(u32::try_from(time.as_millis()).unwrap() * 8);
    phone.talking = true;
}

#[test]
fn a_pause_that_is_described_sounds_so_until_speech_comes_back_and_nothing_is_lost() {
    for codec in CODECS {
        let mut world = World::new(1);
        world.phone_with(1, parameters(1, codec));
        world.phone_with(2, World::parameters_of(2, codec)).loudness = -90.0;
        world.connect(leg(1), leg(2));
        world.run(ms(3_000));
        for _ in 0..3 {
            // White, 40 dB below overload: −37 dBFS.
            world.phones.get_mut(&1).unwrap().talking = false;
            describes(&mut world, 1, &[40], ms(60));
            pauses(&mut world, 1, ms(1_940));
            let heard = level::dbfs(&world.last(2, ms(1_800)));
            assert!((heard + 37.0).abs() < 2.5, "{codec:?}: {heard} dBFS");
            let phone = world.phones.get_mut(&1).unwrap();
            phone.timestamp = phone.timestamp.wrapping_add(480);
            world.run(ms(1_500));
            assert_eq!(world.tones(2, &[1]), [1], "{codec:?}");
            let heard = level::dbfs(&world.last(2, ms(1_000)));
            assert!((heard + 22.0).abs() < 1.0, "{codec:?}: the tone alone, not {heard} dBFS");
        }
        let statistics = world.statistics(1);
        assert_eq!((statistics.frames_concealed, statistics.packets_lost), (0, 0), "{codec:?} {statistics:?}");
        assert_eq!(statistics.packets_invalid, 0);
        world.end();
    }
}

/// A pause as short as the jitter buffer's delay: its end has come before its beginning is played.
#[test]
fn a_pause_of_one_packet_is_no_loss() {
    let mut world = World::new(1);
    world.phone_with(1, parameters(1, AudioCodec::Pcmu)).weather.jitter = ms(60);
    world.phone_with(2, World::parameters_of(2, AudioCodec::Pcmu)).loudness = -90.0;
    world.connect(leg(1), leg(2));
    world.run(ms(8_000));
    world.phones.get_mut(&1).unwrap().weather.jitter = Duration::ZERO;
    world.run(ms(200));
    let before = world.statistics(1).frames_concealed;
    for _ in 0..5 {
        describes(&mut world, 1, &[60], Duration::ZERO);
        let phone = world.phones.get_mut(&1).unwrap();
        phone.timestamp = phone.timestamp.wrapping_add(160);
        world.run(ms(300));
    }
    assert_eq!(world.statistics(1).frames_concealed, before);
    world.end();
}

#[test]
fn noise_is_a_sign_of_life() {
    let mut world = World::new(1);
    world.phone_with(1, parameters(1, AudioCodec::Pcmu)).talking = false;
    world.send(Command::WatchMedia { leg: CallId(1), timeout: Some(ms(3_000)) });
    for _ in 0..10 {
        describes(&mut world, 1, &[60], ms(1_000));
    }
    let is_first = |event: &&Event| matches!(event, Event::FirstPacket { .. });
    assert_eq!(world.events.iter().filter(is_first).count(), 1);
    assert!(!world.events.iter().any(|event| matches!(event, Event::MediaTimeout { .. })));
    world.run(ms(3_100));
    assert!(world.events.iter().any(|event| matches!(event, Event::MediaTimeout { .. })));
    world.end();
}

#[test]
fn who_has_nothing_to_hear_is_told_the_noise_each_second_and_the_first_word_is_marked() {
    for codec in CODECS {
        for packet_time in [10, 20, 30, 60] {
            let mut world = World::new(1);
            world.send(Command::AddRoom { room: RoomId(1), loudest: EVERYONE });
            let mut parameters = parameters(1, codec);
            parameters.send_packet_time = ms(packet_time);
            world.phone_with(1, parameters).loudness = -90.0;
            world.phone(2).loudness = -90.0;
            world.join(leg(1), room(1));
            world.join(leg(2), room(1));
            world.run(ms(5_000));
            let phone = &world.phones[&1];
            let sounds = phone.heard.len() as u64;
            let (least, most) = (200 / packet_time, 300 / packet_time);
            assert!((least..=most).contains(&sounds), "{codec:?} {packet_time}: {sounds} packets of sound");
            assert_eq!(phone.noises.len(), 5, "{codec:?} {packet_time}");
            assert!(phone.noises.iter().all(|(_, header, payload)| payload == &[71] && !header.marker));
            // Sequence numbers go on, and timestamps with the time.
            let (last_at, last, _) = phone.heard.last().unwrap();
            for (n, (at, header, _)) in (1..).zip(&phone.noises) {
                assert_eq!(header.sequence, last.sequence.wrapping_add(n));
                let units = header.timestamp.wrapping_sub(last.timestamp);
                let elapsed = (*at - *last_at).as_millis() as u64 + packet_time - 20;
                assert_eq!(u64::from(units), elapsed * 8, "{codec:?} {packet_time}");
            }
            world.phones.get_mut(&2).unwrap().loudness = -22.0;
            world.run(ms(1_500));
            let phone = &world.phones[&1];
            let (_, header, _) = &phone.heard[sounds as usize];
            assert!(header.marker, "{codec:?} {packet_time}");
            assert!(phone.heard[sounds as usize + 1..].iter().all(|(_, header, _)| !header.marker));
            assert_eq!(world.tones(1, &[1, 2]), [2]);
            world.end();
        }
    }
}

#[test]
fn the_noise_of_a_room_is_described_to_whoever_hears_it_alone() {
    for codec in CODECS {
        let mut world = World::new(1);
        world.phone_with(1, World::parameters_of(1, codec)).loudness = -62.0;
        world.phone_with(2, parameters(2, codec));
        world.connect(leg(1), leg(2));
        world.run(ms(5_000));
        let phone = &world.phones[&2];
        assert!(phone.heard.len() < 30, "{} packets of sound", phone.heard.len());
        assert!((3..10).contains(&phone.noises.len()), "{} descriptions", phone.noises.len());
        let (_, _, payload) = phone.noises.last().unwrap();
        // −62 dBFS are −65 dBov; G.711 has its own share of it.
        assert!(payload[0].abs_diff(65) <= 2 && payload.len() == 11, "{codec:?}: {payload:?}");
        world.end();
    }
}

#[test]
fn what_was_not_agreed_on_is_sound_to_the_end() {
    let mut world = World::new(1);
    for n in [1, 2] {
        world.phone(n).loudness = -90.0;
    }
    world.connect(leg(1), leg(2));
    world.run(ms(3_000));
    assert!(world.phones[&2].heard.len() >= 149 && world.phones[&2].noises.is_empty());
    world.end();
}

#[test]
fn digits_and_prompts_go_through_a_pause() {
    let mut world = World::new(1);
    world.phone_with(1, parameters(1, AudioCodec::Pcmu));
    world.run(ms(2_000));
    let before = world.phones[&1].heard.len();
    world.send(Command::SendDigits { leg: CallId(1), digits: "12".into(), duration: ms(100) });
    world.run(ms(1_000));
    assert!(world.events.iter().any(|event| matches!(event, Event::DigitsSent { .. })));
    let events = world.phones[&1].heard[before..].iter().filter(|(_, header, _)| header.payload_type == 101);
    assert!(events.count() >= 14);
    let sound = crate::audio::tone::Tone::sine(tone(7), -22.0).samples(ms(1_000));
    let clips = vec![crate::media::command::Clip::Loop(sound.into())];
    world.send(Command::AddPlayer { player: PlayerId(1), clips });
    world.connect(player(1), leg(1));
    world.run(ms(1_500));
    assert_eq!(world.tones(1, &[1, 7]), [7]);
    world.end();
}

/// The decoder of G.722 heard nothing for a while, and its encoder went on.
#[test]
fn the_first_word_after_a_pause_sounds_as_it_does_without_pauses() {
    for codec in CODECS {
        let heard = [true, false].map(|describes| {
            let mut world = World::new(1);
            world.send(Command::AddRoom { room: RoomId(1), loudest: EVERYONE });
            let parameters = if describes { parameters(1, codec) } else { World::parameters_of(1, codec) };
            world.phone_with(1, parameters).loudness = -90.0;
            world.phone(2);
            world.join(leg(1), room(1));
            world.join(leg(2), room(1));
            world.run(ms(3_000));
            let mut words = Vec::new();
            for _ in 0..3 {
                world.phones.get_mut(&2).unwrap().loudness = -90.0;
                world.run(ms(2_000));
                world.phones.get_mut(&2).unwrap().loudness = -22.0;
                world.run(ms(400));
                words.push(world.last(1, ms(360)));
            }
            world.end();
            words
        });
        let [described, plain] = heard;
        for (described, plain) in described.iter().zip(&plain) {
            let error: Vec<i16> = described.iter().zip(plain).map(|(a, b)| a.saturating_sub(*b)).collect();
            let (error, sound) = (level::dbfs(&error), level::dbfs(plain));
            println!("{codec:?}: {error} in {sound} dBFS");
            assert!(sound > -26.0 && error < sound - 25.0, "{codec:?}: {error} in {sound} dBFS");
        }
    }
}
