//! Whom a leg believes, seen from outside.

use super::world::{World, leg, ms};
use crate::media::outbox::PacketKind;
use crate::rtp::Header;

/// What an unknown source sends: valid in itself.
fn forged(sequence: u16) -> Vec<u8> {
    let header = Header { marker: false, payload_type: 0, sequence, timestamp: u32::from(sequence) * 160, ssrc: 66 };
    let mut bytes = header.to_bytes().to_vec();
    // A loud square wave.
    bytes.extend((0..160).map(|i| if i % 16 < 8 { 0x80 } else { 0x00 }));
    bytes
}

fn pair() -> World {
    let mut world = World::new(1);
    world.phone(1);
    world.phone(2).talking = false;
    world.connect(leg(1), leg(2));
    world
}

#[test]
fn an_unknown_source_is_dropped_and_counted_and_changes_nothing() {
    let mut world = pair();
    world.run(ms(500));
    for i in 0..100 {
        for unknown_source in ["203.0.113.66:4000", "192.0.2.77:4000"] {
            world.inject(1, PacketKind::Rtp, unknown_source, &forged(i));
        }
        world.run(ms(20));
    }
    world.assert_hears(&[1, 2], |listener, talker| (listener, talker) == (2, 1));
    let statistics = world.statistics(1);
    assert_eq!((statistics.packets_foreign, statistics.ssrc_changes, statistics.address_changes), (200, 0, 0));
    assert_eq!(statistics.frames_concealed, 0);
    world.end();
}

#[test]
fn rubbish_is_counted_and_harmless() {
    let mut world = pair();
    world.run(ms(500));
    let address = world.phones[&1].address.to_string();
    for bytes in [&b""[..], b"\x80", b"hello", &[0xff; 1500], &[0x80, 0x7f, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 1, 2]] {
        world.inject(1, PacketKind::Rtp, &address, bytes);
        world.inject(1, PacketKind::Rtcp, &address, bytes);
    }
    world.run(ms(1_500));
    world.assert_hears(&[1, 2], |listener, talker| (listener, talker) == (2, 1));
    assert!(world.statistics(1).packets_invalid >= 9);
    world.end();
}

#[test]
fn another_port_is_followed_after_silence_and_from_accepted_networks_only() {
    let mut world = pair();
    world.run(ms(1_000));
    let phone = world.phones.get_mut(&1).unwrap();
    phone.talking = false;
    world.run(ms(600));
    for i in 0..20 {
        world.inject(1, PacketKind::Rtp, "203.0.113.66:4000", &forged(i));
        world.run(ms(20));
    }
    let phone = world.phones.get_mut(&1).unwrap();
    phone.address = "192.0.2.200:7777".parse().unwrap();
    phone.ssrc = 77;
    phone.talking = true;
    world.run(ms(1_500));
    world.assert_hears(&[1, 2], |listener, talker| (listener, talker) == (2, 1));
    let statistics = world.statistics(1);
    assert_eq!((statistics.packets_foreign, statistics.ssrc_changes, statistics.address_changes), (20, 1, 1));
    world.end();
}

#[test]
fn a_new_ssrc_in_mid_call_is_followed() {
    let mut world = pair();
    world.run(ms(1_000));
    let phone = world.phones.get_mut(&1).unwrap();
    phone.ssrc = 99;
    phone.sequence = phone.sequence.wrapping_sub(30_000);
    phone.timestamp = phone.timestamp.wrapping_add(0x7000_0000);
    world.run(ms(1_500));
    world.assert_hears(&[1, 2], |listener, talker| (listener, talker) == (2, 1));
    assert_eq!(world.statistics(1).ssrc_changes, 1);
    world.end();
}

#[test]
fn one_stray_ssrc_of_the_same_source_is_not_followed() {
    let mut world = pair();
    world.run(ms(500));
    let address = world.phones[&1].address.to_string();
    for i in 0..50 {
        world.inject(1, PacketKind::Rtp, &address, &forged(i));
        world.run(ms(20));
    }
    world.assert_hears(&[1, 2], |listener, talker| (listener, talker) == (2, 1));
    assert_eq!(world.statistics(1).ssrc_changes, 0);
    world.end();
}

#[test]
fn an_update_of_the_same_stream_loses_no_sound() {
    let mut world = pair();
    world.run(ms(1_000));
    world.update(1, |_| ());
    world.run(ms(1_000));
    world.assert_hears(&[1, 2], |listener, talker| (listener, talker) == (2, 1));
    assert_eq!(world.statistics(1).frames_concealed, 0);
    world.end();
}
