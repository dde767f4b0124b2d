//! G.729, whose encoders cannot be copied: every listener has one of its own.

use super::world::{World, leg, ms, room, tone};
use crate::audio::{goertzel, level};
use crate::media::PacketKind;
use crate::media::command::{Command, EVERYONE};
use crate::types::{AudioCodec, RoomId};

/// Phones of these codecs in one room, all of them silent.
fn room_of(codecs: &[AudioCodec]) -> World {
    let mut world = World::new(1);
    world.send(Command::AddRoom { room: RoomId(1), loudest: EVERYONE });
    for (n, &codec) in (1..).zip(codecs) {
        world.phone_with(n, World::parameters_of(n, codec)).loudness = -90.0;
        world.join(leg(n), room(1));
    }
    world
}

fn says(world: &mut World, n: u64, loudness: f32) {
    world.phones.get_mut(&n).unwrap().loudness = loudness;
}

/// How loud `listener` hears the tone of `talker`, dBFS: speech coders take some of it, and leave something beside it.
fn hears(world: &World, listener: u64, talker: u64) -> f32 {
    goertzel::tone_dbfs(&world.last(listener, ms(1_000)), world.phones[&listener].rate().hertz(), tone(talker))
}

#[test]
fn phones_of_g729_are_heard_by_all_and_hear_all() {
    use AudioCodec::{G722, G729, Opus, Pcmu};
    let codecs = [G729, Pcmu, G729, Opus, G722];
    let mut world = room_of(&codecs);
    for talker in 1..=5 {
        says(&mut world, talker, -22.0);
        world.run(ms(2_000));
        for listener in 1..=5 {
            let heard = hears(&world, listener, talker);
            if listener == talker {
                assert!(heard < -50.0, "{talker} hears itself: {heard} dBFS");
            } else {
                assert!((-27.0..-19.0).contains(&heard), "{listener} hears {talker}: {heard} dBFS");
            }
        }
        says(&mut world, talker, -90.0);
        world.run(ms(1_000));
    }
    for phone in world.phones.values() {
        phone.assert_continuous(ms(20));
    }
    world.end();
}

#[test]
fn packets_of_every_length_hold_whole_frames() {
    for packet_time in [10, 20, 30, 60] {
        let mut world = room_of(&[AudioCodec::Pcmu]);
        let mut parameters = World::parameters_of(2, AudioCodec::G729);
        parameters.send_packet_time = ms(packet_time);
        world.phone_with(2, parameters).loudness = -90.0;
        world.join(leg(2), room(1));
        says(&mut world, 1, -22.0);
        world.run(ms(3_000));
        let heard = hears(&world, 2, 1);
        assert!((-27.0..-19.0).contains(&heard), "{packet_time} ms: {heard} dBFS");
        let packets = world.phones[&2].heard.len() as u64;
        assert!(packets.abs_diff(3_000 / packet_time) <= 2, "{packet_time} ms: {packets} packets");
        world.end();
    }
}

#[test]
fn lost_packets_are_made_up_for_by_the_decoder() {
    let mut world = room_of(&[AudioCodec::G729, AudioCodec::Pcmu]);
    says(&mut world, 1, -22.0);
    world.phones.get_mut(&1).unwrap().weather.loss = 0.05;
    world.run(ms(5_000));
    let heard = hears(&world, 2, 1);
    assert!((-28.0..-19.0).contains(&heard), "{heard} dBFS");
    assert!(world.statistics(1).frames_concealed > 0);
    world.end();
}

/// Annex B: though we ask for none of it.
#[test]
fn a_pause_that_begins_with_comfort_noise_sounds_like_that_and_nothing_is_lost() {
    let mut world = World::new(1);
    for n in [1, 2] {
        let codec = [AudioCodec::G729, AudioCodec::Pcmu][n as usize - 1];
        world.phone_with(n, World::parameters_of(n, codec)).loudness = -90.0;
    }
    world.connect(leg(1), leg(2));
    says(&mut world, 1, -22.0);
    world.run(ms(2_000));
    let phone = world.phones.get_mut(&1).unwrap();
    phone.talking = false;
    let timestamp = phone.timestamp;
    let (bytes, address) = (phone.write(false, 18, timestamp, &[0x2A, 0x0C]), phone.address.to_string());
    world.inject(1, PacketKind::Rtp, &address, &bytes);
    world.run(ms(2_000));
    let noise = level::dbfs(&world.last(2, ms(1_500)));
    assert!((-75.0..-25.0).contains(&noise), "{noise} dBFS");
    let phone = world.phones.get_mut(&1).unwrap();
    phone.timestamp = phone.timestamp.wrapping_add(16_000);
    phone.talking = true;
    world.run(ms(1_500));
    let heard = hears(&world, 2, 1);
    assert!((-27.0..-19.0).contains(&heard), "{heard} dBFS");
    let statistics = world.statistics(1);
    assert_eq!((statistics.packets_lost, statistics.frames_concealed), (0, 0), "{statistics:?}");
    world.end();
}
