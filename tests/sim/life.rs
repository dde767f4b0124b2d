//! Signs of life: who sends anything that can be believed is there, and who sends nothing is not.

use super::phone::{Says, written};
use super::world::{Settings, World, ms, secs};
use partyline::gateway::Cause;
use partyline::rtp::Header;
use partyline::types::{AudioCodec, SrtpKey, SrtpSuite};

/// Two phones in a room, of which the first speaks so after ten seconds; and minutes.
fn after_minutes_of(says: Says) -> (World, Vec<usize>) {
    let mut world = World::new(Settings::default());
    let room = world.phones_in("2000", 2);
    world.run(secs(10));
    world.phones[room[0]].mouth.says = says;
    world.run(secs(300));
    (world, room)
}

#[test]
fn a_phone_that_sends_only_reports_is_there() {
    let (mut world, room) = after_minutes_of(Says::Reports);
    world.assert_talking(&room);
    world.phones[room[0]].mouth.says = Says::Tone;
    world.run(secs(2));
    world.assert_together(&room);
    world.finish();
}

#[test]
fn a_phone_that_never_sent_anything_but_reports_is_there() {
    let mut world = World::new(Settings::default());
    let anna = world.phone();
    world.phones[anna].mouth.says = Says::Reports;
    world.dial(anna, "2000");
    world.run(secs(300));
    world.assert_talking(&[anna]);
    world.finish();
}

#[test]
fn a_phone_that_sends_only_comfort_noise_is_there() {
    let (mut world, room) = after_minutes_of(Says::Payload(13));
    world.assert_talking(&room);
    world.phones[room[0]].mouth.says = Says::Tone;
    world.run(secs(2));
    world.assert_together(&room);
    assert_eq!(world.statistics(room[0]).packets_lost, 0, "comfort noise is not lost sound");
    world.finish();
}

#[test]
fn pauses_are_described_to_and_by_a_phone_that_offers_comfort_noise() {
    let mut world = World::new(Settings::default());
    let (anna, bert) = (world.phone(), world.phone());
    world.phones[anna].agent.local.comfort_noise = true;
    for phone in [anna, bert] {
        world.dial(phone, "2000");
        world.run(secs(5));
    }
    world.assert_together(&[anna, bert]);
    world.phones[anna].mouth.says = Says::Payload(13);
    world.phones[bert].mouth.says = Says::Silence;
    world.run(secs(2));
    let before = (world.phones[anna].ear.count, world.phones[anna].ear.noises);
    world.run(secs(60));
    let ear = &world.phones[anna].ear;
    let (count, noises) = (ear.count - before.0, ear.noises - before.1);
    assert!((55..=65).contains(&noises) && count == noises, "{noises} descriptions among {count} packets");
    assert_eq!(ear.sequence_breaks, 0);
    assert_eq!(world.phones[bert].ear.noises, 0);
    for phone in [anna, bert] {
        world.phones[phone].mouth.says = Says::Tone;
    }
    world.run(secs(2));
    world.assert_together(&[anna, bert]);
    assert_eq!(world.statistics(anna).packets_lost, 0);
    world.finish();
}

#[test]
fn a_phone_that_sends_only_an_unknown_payload_type_is_there() {
    let (world, room) = after_minutes_of(Says::Payload(77));
    world.assert_talking(&room);
    world.finish();
}

#[test]
fn a_phone_that_sends_nothing_is_not_there() {
    let (world, room) = after_minutes_of(Says::Nothing);
    assert_eq!(world.record(room[0]).cause, Cause::MediaTimeout);
    world.finish();
}

#[test]
fn what_a_foreign_host_sends_is_no_sign_of_life() {
    let mut world = World::new(Settings::default());
    let room = world.phones_in("2000", 2);
    world.phones[room[0]].mouth.says = Says::Nothing;
    let header = Header { marker: false, payload_type: 13, sequence: 1, timestamp: 160, ssrc: 66 };
    for _ in 0..65 {
        world.inject(room[0], "192.0.2.66:4000", &written(header, &[0x4E]));
        world.inject_report(room[0], "192.0.2.66:4001", &[0x80, 201, 0, 1, 0, 0, 0, 66]);
        // Nor is what cannot be read, from wherever.
        world.inject_report(room[0], "198.51.100.10:30001", b"no report at all");
        world.run(secs(1));
        if !world.phones[room[0]].is_talking() {
            break;
        }
    }
    assert_eq!(world.record(room[0]).cause, Cause::MediaTimeout);
    world.finish();
}

fn secure_phone(world: &mut World) -> usize {
    let phone = world.phone_at([100, 64, 1], AudioCodec::Pcmu);
    let key = SrtpKey::random(SrtpSuite::AesCm128HmacSha1_80, |octets| octets.fill(7));
    let local = &mut world.phones[phone].agent.local;
    (local.profile, local.key) = ("RTP/SAVP", Some((1, key)));
    world.dial(phone, "2000");
    world.run(secs(3));
    phone
}

#[test]
fn under_srtp_only_what_is_authentic_is_a_sign_of_life() {
    for says in [Says::Payload(13), Says::Payload(77), Says::Reports] {
        let mut world = World::new(Settings::default());
        let phone = secure_phone(&mut world);
        world.phones[phone].mouth.says = says;
        world.run(secs(200));
        world.assert_talking(&[phone]);
        // The same in clear, from the phone's own address.
        world.phones[phone].mouth.says = Says::Nothing;
        let address = world.phones[phone].mouth.address.to_string();
        let header = Header { marker: false, payload_type: 13, sequence: 1, timestamp: 160, ssrc: 66 };
        for _ in 0..65 {
            if !world.phones[phone].is_talking() {
                break;
            }
            world.inject(phone, &address, &written(header, &[0x4E; 40]));
            world.inject_report(phone, &address, &[0x80, 201, 0, 1, 0, 0, 0, 66]);
            world.run(secs(1));
        }
        world.run(ms(100));
        assert_eq!(world.record(phone).cause, Cause::MediaTimeout, "{says:?}");
        world.finish();
    }
}
