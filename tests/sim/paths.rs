//! Where media comes from: sources that change, unknown sources, and legs that move between threads.

use super::phone::{LEVEL, Says, tone, written};
use super::plan::RED;
use super::world::{Settings, World, ms, secs};
use partyline::audio::goertzel;
use partyline::rtp::Header;

#[test]
fn a_new_ssrc_is_followed() {
    let mut world = World::new(Settings::default());
    let room = world.phones_in("2000", 2);
    let mouth = &mut world.phones[room[0]].mouth;
    (mouth.ssrc, mouth.sequence, mouth.timestamp) = (0xDEAD_BEEF, 12, 77);
    world.run(secs(3));
    world.assert_together(&room);
    assert_eq!(world.statistics(room[0]).ssrc_changes, 1);
    world.finish();
}

#[test]
fn numbers_that_jump_are_followed() {
    let mut world = World::new(Settings::default());
    let room = world.phones_in("2000", 2);
    let mouth = &mut world.phones[room[0]].mouth;
    mouth.sequence = mouth.sequence.wrapping_add(20_000);
    mouth.timestamp = mouth.timestamp.wrapping_sub(1_000_000_000);
    world.run(secs(3));
    world.assert_together(&room);
    world.finish();
}

#[test]
fn media_from_another_address_of_the_trunk_is_taken_after_a_silence() {
    let mut world = World::new(Settings::default());
    let room = world.phones_in("2000", 2);
    world.phones[room[0]].mouth.says = Says::Nothing;
    world.run(ms(700));
    let mouth = &mut world.phones[room[0]].mouth;
    mouth.address = "203.0.113.9:40000".parse().unwrap();
    mouth.says = Says::Tone;
    world.run(secs(3));
    // Heard, and hearing: what is sent to it goes where it speaks from.
    world.assert_together(&room);
    assert_eq!(world.statistics(room[0]).address_changes, 1);
    world.finish();
}

#[test]
fn the_same_from_outside_the_trunks_networks_is_not() {
    let mut world = World::new(Settings::default());
    let room = world.phones_in("2000", 2);
    world.phones[room[0]].mouth.says = Says::Nothing;
    world.run(ms(700));
    let mouth = &mut world.phones[room[0]].mouth;
    mouth.address = "192.0.2.9:40000".parse().unwrap();
    mouth.says = Says::Tone;
    world.run(secs(3));
    assert!(world.tones(room[1]).is_empty());
    assert!(world.statistics(room[0]).packets_foreign > 100);
    world.finish();
}

#[test]
fn a_port_that_changes_by_a_new_offer_is_followed() {
    let mut world = World::new(Settings::default());
    let room = world.phones_in("2000", 2);
    let phone = &mut world.phones[room[0]];
    phone.agent.local.media.set_port(41_000);
    phone.mouth.address.set_port(41_000);
    world.reinvite(room[0]);
    world.run(secs(3));
    world.assert_together(&room);
    world.finish();
}

#[test]
fn a_port_that_changes_without_a_word_is_followed_after_a_silence() {
    let mut world = World::new(Settings::default());
    let room = world.phones_in("2000", 2);
    world.phones[room[0]].mouth.address.set_port(42_000);
    world.run(secs(3));
    world.assert_together(&room);
    world.finish();
}

#[test]
fn an_unknown_sources_packets_are_counted_and_not_heard() {
    let mut world = World::new(Settings::default());
    let room = world.phones_in("2000", 2);
    // Another tone than anybody's, by unknown sources: one from anywhere, one from the trunk's networks who knows the
    // SSRC.
    let samples = partyline::audio::tone::Tone::sine(3_000.0, LEVEL).samples(secs(1));
    let (ssrc, sequence) = (world.phones[room[0]].mouth.ssrc, world.phones[room[0]].mouth.sequence);
    for (i, frame) in samples.chunks(160).cycle().take(150).enumerate() {
        let mut payload = [0; 160];
        partyline::audio::codec::g711::encode_ulaw(frame, &mut payload);
        let i = u16::try_from(i).unwrap();
        let header = |ssrc| Header {
            marker: i == 0,
            payload_type: 0,
            sequence: sequence.wrapping_add(i),
            timestamp: u32::from(i) * 160,
            ssrc,
        };
        world.inject(room[0], "192.0.2.66:5555", &written(header(7), &payload));
        world.inject(room[0], "203.0.113.66:5555", &written(header(ssrc), &payload));
        world.run(ms(20));
    }
    world.assert_together(&room);
    for &phone in &room {
        assert!(goertzel::tone_dbfs(&world.last(phone, secs(2)), 8_000, 3_000.0) < LEVEL - 30.0);
    }
    assert_eq!(world.statistics(room[0]).packets_foreign, 300);
    assert_eq!(world.statistics(room[0]).address_changes, 0);
    world.finish();
}

#[test]
fn a_caller_who_moves_between_threads_in_mid_sentence_misses_nothing() {
    let mut world = World::new(Settings { media_latency: ms(3), ..Settings::default() });
    // Two callers, talking all the while, each on a thread of its own.
    let (anna, ben) = (world.phone(), world.phone());
    for phone in [anna, ben] {
        world.dial(phone, "1000");
        world.run(ms(300));
    }
    world.run(secs(2));
    let pin = format!("{RED}#");
    world.key_and_wait(anna, &pin);
    world.run(secs(2));
    let before = (world.thread_of(anna), world.thread_of(ben));
    assert_ne!(before.0, before.1, "they are on two threads");
    for phone in [anna, ben] {
        world.phones[phone].ear.forget_gaps();
    }
    world.key_and_wait(ben, &pin);
    world.run(secs(3));
    assert_eq!(world.thread_of(anna), world.thread_of(ben), "they came together");
    world.assert_together(&[anna, ben]);
    for phone in [anna, ben] {
        let ear = &world.phones[phone].ear;
        assert!(ear.longest_gap <= ms(40), "phone {phone}: a gap of {:?}", ear.longest_gap);
        assert_eq!(ear.sequence_breaks, 0);
    }
    // From the first word on, Anna hears Ben without a hole: 20 ms pieces of his tone.
    let heard = world.last(anna, ms(2_500));
    let level = |piece: &[i16]| goertzel::tone_dbfs(piece, 8_000, tone(ben));
    let first = heard.chunks(160).position(|piece| level(piece) > LEVEL - 3.0).unwrap();
    let holes = heard.chunks_exact(160).skip(first).filter(|piece| level(piece) < LEVEL - 6.0).count();
    assert_eq!(holes, 0);
    assert_eq!(world.statistics(ben).frames_concealed, 0);
    world.finish();
}
