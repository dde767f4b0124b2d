//! Direction, digits, timeouts, packet times, what flows when nobody speaks.

use super::world::{TICK, World, leg, ms, room};
use crate::audio::level;
use crate::media::command::{Command, EVERYONE, Event, RefusedReason};
use crate::media::outbox::PacketKind;
use crate::rtp::rtcp;
use crate::types::{CallId, Direction, MediaParameters, RoomId};
use std::time::Duration;

#[test]
fn packets_flow_from_the_first_moment_with_a_hint_of_noise() {
    let mut world = World::new(1);
    world.phone(1).talking = false;
    world.run(ms(2_000));
    let phone = &world.phones[&1];
    assert_eq!(phone.heard.len(), 100);
    assert!(phone.heard[0].1.marker && phone.heard[1..].iter().all(|(_, header, _)| !header.marker));
    phone.assert_continuous(TICK);
    let noise = level::dbfs(&world.last(1, ms(1_000)));
    assert!((-75.0..-60.0).contains(&noise), "{noise}");
    world.end();
}

#[test]
fn every_packet_time_reaches_the_listener_whole() {
    for packet_time in [10, 20, 30, 40, 60] {
        let mut world = World::new(1);
        world.send(Command::AddRoom { room: RoomId(1), loudest: EVERYONE });
        world.phone_with(1, MediaParameters { send_packet_time: ms(packet_time), ..World::parameters(1) });
        world.phone(2);
        world.join(leg(1), room(1));
        world.join(leg(2), room(1));
        world.run(ms(2_400));
        assert_eq!(world.tones(1, &[1, 2]), [2]);
        world.phones[&1].assert_continuous(ms(packet_time.max(20) + 20));
        assert_eq!(world.phones[&1].heard.len() as u64, 2_400 / packet_time);
        world.end();
    }
}

#[test]
fn hold_stops_what_its_direction_says_and_resuming_goes_on() {
    let mut world = World::new(1);
    world.send(Command::AddRoom { room: RoomId(1), loudest: EVERYONE });
    for n in [1, 2] {
        world.phone(n);
        world.join(leg(n), room(1));
    }
    world.send(Command::WatchMedia { leg: CallId(1), timeout: Some(ms(1_000)) });
    world.run(ms(1_500));
    for (direction, hears, is_heard) in [
        (Direction::SendOnly, true, false),
        (Direction::RecvOnly, false, true),
        (Direction::Inactive, false, false),
        (Direction::SendRecv, true, true),
    ] {
        world.update(1, |parameters| parameters.direction = direction);
        world.phones.get_mut(&1).unwrap().talking = direction.receives();
        world.run(ms(2_000));
        assert_eq!(world.tones(1, &[1, 2]).contains(&2), hears, "{direction:?}");
        assert_eq!(!world.last(1, ms(1_000)).is_empty(), direction.sends(), "{direction:?}");
        assert_eq!(world.tones(2, &[1, 2]).contains(&1), is_heard, "{direction:?}");
    }
    assert!(!world.events.iter().any(|event| matches!(event, Event::MediaTimeout { .. })));
    // Sound resumed with a marker, and its timestamp tells how long the pause was.
    let heard = &world.phones[&1].heard;
    let resumed = heard.iter().rfind(|(_, header, _)| header.marker).unwrap();
    let first = &heard[0];
    let real = resumed.0 - first.0;
    assert_eq!(u128::from(resumed.1.timestamp.wrapping_sub(first.1.timestamp)), real.as_millis() * 8);
    world.end();
}

#[test]
fn silence_of_the_network_is_reported_once_and_not_on_hold() {
    let mut world = World::new(1);
    world.phone(1);
    world.send(Command::WatchMedia { leg: CallId(1), timeout: Some(ms(500)) });
    world.run(ms(1_000));
    assert_eq!(world.events, [Event::FirstPacket { leg: CallId(1) }]);
    world.events.clear();
    world.phones.get_mut(&1).unwrap().talking = false;
    world.update(1, |parameters| parameters.direction = Direction::SendOnly);
    world.run(ms(2_000));
    assert_eq!(world.events, []);
    world.update(1, |_| ());
    world.run(ms(400));
    assert_eq!(world.events, []);
    world.run(ms(2_000));
    assert_eq!(world.events, [Event::MediaTimeout { leg: CallId(1) }]);
    world.end();
}

#[test]
fn digits_are_reported_once_at_once_and_never_sound() {
    let mut world = World::new(2);
    world.send(Command::AddRoom { room: RoomId(1), loudest: EVERYONE });
    for n in [1, 2] {
        world.phone(n);
        world.join(leg(n), room(1));
    }
    world.send(Command::CollectDigits { leg: CallId(1), on: true });
    world.run(ms(1_000));
    for event in [4, 7, 11] {
        world.press(1, event, ms(200));
    }
    assert_eq!(world.digits(), "47#");
    // While the keys were down the other one heard nothing: neither tone nor what the sound before was stretched to.
    assert!(level::dbfs(&world.last(2, ms(100))) < -50.0);
    world.run(ms(2_000));
    assert_eq!(world.tones(2, &[1]), [1]);
    assert_eq!(world.statistics(1).digits_received, 3);
    world.end();
}

#[test]
fn a_digit_of_a_leg_that_collects_is_reported_on_arrival() {
    let mut world = World::new(1);
    world.phone(1);
    for (collects, expected) in [(true, 1), (false, 0)] {
        world.send(Command::CollectDigits { leg: CallId(1), on: collects });
        world.run(ms(205));
        world.events.clear();
        let phone = world.phones.get_mut(&1).unwrap();
        let (timestamp, address) = (phone.timestamp, phone.address.to_string());
        let bytes = phone.write(true, 96, timestamp.wrapping_add(800), &[5, 10, 0, 160]);
        world.inject(1, PacketKind::Rtp, &address, &bytes);
        assert_eq!(world.events.len(), expected);
    }
    world.end();
}

#[test]
fn digits_are_sent_in_place_of_sound() {
    let mut world = World::new(1);
    world.phone(1);
    world.run(ms(100));
    world.send(Command::SendDigits { leg: CallId(1), digits: "5#".into(), duration: ms(100) });
    world.run(ms(1_000));
    assert_eq!(world.events.iter().filter(|event| matches!(event, Event::DigitsSent { .. })).count(), 1);
    let heard = &world.phones[&1].heard;
    let events: Vec<_> = heard.iter().filter(|(_, header, _)| header.payload_type == 101).collect();
    assert_eq!(events.iter().filter(|(_, header, _)| header.marker).count(), 2);
    let mut starts: Vec<u32> = events.iter().map(|(_, header, _)| header.timestamp).collect();
    starts.dedup();
    assert_eq!(starts.len(), 2);
    for pair in heard.windows(2) {
        assert_eq!(pair[1].1.sequence, pair[0].1.sequence.wrapping_add(1));
        assert!(pair[1].0 - pair[0].0 <= TICK);
    }
    world.send(Command::SendDigits { leg: CallId(1), digits: "5x".into(), duration: ms(100) });
    world.run(TICK);
    assert!(world.events.contains(&Event::Refused { unit: leg(1), reason: RefusedReason::Digits }));
    world.end();
}

#[test]
fn reports_go_out_and_come_in_and_a_leg_says_goodbye() {
    let mut world = World::new(1);
    world.phone(1);
    world.run(Duration::from_secs(20));
    let (ours, reports) = (world.phones[&1].heard[0].1.ssrc, world.phones[&1].reports.clone());
    assert!((2..=9).contains(&reports.len()), "{}", reports.len());
    let sender = |bytes: &[u8]| {
        rtcp::parse(bytes).unwrap().any(
            |packet| matches!(packet, rtcp::Packet::SenderReport { ssrc, packets, blocks, .. } if ssrc == ours && packets > 0 && blocks.into_iter().any(|block| block.ssrc == 1_001)),
        )
    };
    assert!(reports.iter().all(|bytes| sender(bytes)));
    let mut bye = [0; 128];
    let length = rtcp::Builder::report(&mut bye, 1_001, None, &[]).cname(1_001, "them").bye(1_001).finish();
    world.events.clear();
    world.inject(1, PacketKind::Rtcp, "203.0.113.9:5000", &bye[..length]);
    world.run(ms(500));
    assert_eq!(world.events, []);
    let address = World::parameters(1).remote_rtcp.unwrap().to_string();
    world.inject(1, PacketKind::Rtcp, &address, &bye[..length]);
    world.inject(1, PacketKind::Rtcp, &address, &bye[..length]);
    world.run(ms(500));
    assert_eq!(world.events, [Event::RemoteBye { leg: CallId(1) }]);
    world.send(Command::RemoveLeg { leg: CallId(1) });
    let last = world.phones[&1].reports.last().unwrap();
    assert!(rtcp::parse(last).unwrap().any(|packet| packet == rtcp::Packet::Bye { ssrc: ours }));
    world.end();
}

#[test]
fn a_flood_of_digits_is_cut_off_and_reported() {
    let mut world = World::new(1);
    world.phone(1);
    world.run(ms(100));
    let address = world.phones[&1].address.to_string();
    for i in 0..200u32 {
        let bytes = world.phones.get_mut(&1).unwrap().write(true, 96, i * 1_000, &[(i % 2) as u8, 0x80, 1, 0x40]);
        world.inject(1, PacketKind::Rtp, &address, &bytes);
    }
    world.run(ms(100));
    assert!(world.digits().len() <= 70);
    assert_eq!(world.events.iter().filter(|event| matches!(event, Event::LegOverran { .. })).count(), 1);
    world.end();
}

#[test]
fn commands_about_nothing_are_refused() {
    let mut world = World::new(2);
    world.phone(1);
    world.phone(1);
    world.send(Command::Mute { leg: CallId(7), muted: true });
    world.connect(leg(1), room(3));
    world.connect(leg(1), super::world::player(3));
    let refused: Vec<_> = world
        .events
        .iter()
        .map(|event| match event {
            Event::Refused { unit, reason } => (*unit, *reason),
            other => panic!("{other:?}"),
        })
        .collect();
    let unknown = RefusedReason::Unknown;
    assert_eq!(
        refused,
        [(leg(1), RefusedReason::Exists), (leg(7), unknown), (room(3), unknown), (super::world::player(3), unknown)]
    );
    world.end();
}
