//! Somebody within the accepted networks who is not the peer.

use super::phone::{Says, written};
use super::world::{Settings, World, ms, secs};
use partyline::rtp::Header;
use std::net::SocketAddr;

const ATTACKER: &str = "203.0.113.66:6000";

/// Sends everything there is to both ports of a call, for `rounds` of 20 ms.
fn spray(world: &mut World, phone: usize, from: &str, rounds: u16) {
    let rtp: SocketAddr = from.parse().unwrap();
    let rtcp = SocketAddr::new(rtp.ip(), rtp.port() + 1).to_string();
    for n in 0..rounds {
        for payload_type in [0, 8, 101, 13, 77] {
            let header = Header { marker: n == 0, payload_type, sequence: n, timestamp: u32::from(n) * 160, ssrc: 666 };
            world.inject(phone, from, &written(header, &[0x20; 160]));
        }
        for bytes in [&[0x80, 201, 0, 1, 0, 0, 2, 154][..], &[0x80, 203, 0, 0], b"garbage", &[0x80, 200, 0, 40, 1]] {
            world.inject(phone, from, bytes);
            world.inject_report(phone, &rtcp, bytes);
        }
        world.run(ms(20));
    }
}

#[test]
fn before_during_and_after_a_reinvite_nothing_goes_to_who_sprays() {
    let mut world = World::new(Settings::default());
    let room = world.phones_in("2000", 2);
    let anna = room[0];
    spray(&mut world, anna, ATTACKER, 100);
    for _ in 0..3 {
        world.reinvite(anna);
        spray(&mut world, anna, ATTACKER, 100);
    }
    world.assert_together(&room);
    assert_eq!(world.astray, []);
    let statistics = world.statistics(anna);
    assert_eq!((statistics.address_changes, statistics.ssrc_changes, statistics.digits_received), (0, 0, 0));
    world.finish();
}

#[test]
fn a_phone_behind_a_nat_keeps_its_place_over_a_reinvite() {
    let mut world = World::new(Settings::default());
    let room = world.phones_in("2000", 2);
    let anna = room[0];
    // Its description names an address that is not seen.
    world.phones[anna].agent.local.media = "198.51.100.200:9000".parse().unwrap();
    world.reinvite(anna);
    world.run(secs(3));
    world.astray.clear();
    world.reinvite(anna);
    spray(&mut world, anna, ATTACKER, 150);
    world.assert_together(&room);
    assert!(!world.astray.iter().any(|to| to.ip().to_string() == "203.0.113.66"), "{:?}", world.astray);
    world.finish();
}

#[test]
fn who_was_silent_takes_its_place_back() {
    let mut world = World::new(Settings::default());
    let room = world.phones_in("2000", 2);
    let anna = room[0];
    world.phones[anna].mouth.says = Says::Nothing;
    spray(&mut world, anna, ATTACKER, 100);
    world.phones[anna].mouth.says = Says::Tone;
    world.run(ms(100));
    world.astray.clear();
    spray(&mut world, anna, ATTACKER, 100);
    world.assert_together(&room);
    assert_eq!(world.astray, []);
    world.finish();
}

#[test]
fn who_came_first_does_not_keep_the_place_of_the_one_described() {
    let mut world = World::new(Settings::default());
    let berta = world.phones_in("2000", 1)[0];
    let anna = world.phone();
    world.phones[anna].mouth.says = Says::Nothing;
    world.dial(anna, "2000");
    world.run(ms(300));
    spray(&mut world, anna, ATTACKER, 50);
    world.phones[anna].mouth.says = Says::Tone;
    world.run(ms(100));
    world.astray.clear();
    spray(&mut world, anna, ATTACKER, 150);
    world.assert_together(&[anna, berta]);
    assert_eq!(world.astray, []);
    world.finish();
}

#[test]
fn reports_that_cannot_be_read_or_come_from_another_host_turn_ours_to_nobody() {
    let mut world = World::new(Settings::default());
    let room = world.phones_in("2000", 2);
    let anna = room[0];
    let before = world.phones[anna].reports;
    for n in 0..1_000 {
        // The phone's own host, another port; then another host of the accepted networks.
        world.inject_report(anna, "198.51.100.10:6001", b"\x80\xc9 no report");
        world.inject_report(anna, "203.0.113.66:6001", &[0x80, 201, 0, 1, 0, 0, 0, n as u8]);
        world.run(ms(20));
    }
    assert_eq!(world.astray, []);
    assert!(world.phones[anna].reports >= before + 2);
    world.finish();
}
