//! Telephone events beside sound, as telephones send them.

use super::world::{TICK, World, leg, ms, tones_in};
use crate::audio::Rate;
use crate::audio::goertzel;
use crate::media::command::{Command, Event};
use crate::media::outbox::PacketKind;
use crate::rtp::Header;
use crate::rtp::telephone_event::{TelephoneEvent, event_of};
use crate::types::CallId;

/// Events of a source of its own.
struct Keypad {
    ssrc: u32,
    sequence: u16,
}

impl Keypad {
    fn packet(&mut self, start: u32, event: TelephoneEvent) -> Vec<u8> {
        self.sequence = self.sequence.wrapping_add(1);
        let header =
            Header { marker: false, payload_type: 96, sequence: self.sequence, timestamp: start, ssrc: self.ssrc };
        [&header.to_bytes()[..], &event.to_bytes()].concat()
    }
}

fn pair() -> World {
    let mut world = World::new(1);
    world.phone(1);
    world.phone(2).talking = false;
    world.connect(leg(1), leg(2));
    world.send(Command::CollectDigits { leg: CallId(1), on: true });
    world.run(ms(1_000));
    world
}

/// The share of 20 ms pieces that hold the tone of phone 1 as it was sent, in hundredths.
fn clean(heard: &[i16]) -> usize {
    let pieces = heard.chunks_exact(400);
    let count = pieces.len();
    let is_clean = |piece: &&[i16]| (goertzel::tone_dbfs(piece, 8_000, super::world::tone(1)) + 22.0).abs() < 2.0;
    pieces.filter(is_clean).count() * 100 / count
}

#[test]
fn events_under_an_ssrc_of_their_own_are_heard_and_leave_the_sound_alone() {
    // Packets of events for each one of sound: they alternate, or two of a kind come in a row.
    for in_a_row in [1, 2, 3] {
        let mut world = pair();
        let mut keypad = Keypad { ssrc: 0xBEEF, sequence: 100 };
        let address = world.phones[&1].address.to_string();
        let mut heard = 0;
        for (n, key) in (0u32..).zip("48213".chars()) {
            for i in 1..=10u16 {
                let event =
                    TelephoneEvent { event: event_of(key).unwrap(), end: i > 8, volume: 10, duration: i.min(9) * 160 };
                for _ in 0..in_a_row {
                    let bytes = keypad.packet(900_000 + n * 2_400, event);
                    world.inject(1, PacketKind::Rtp, &address, &bytes);
                }
                world.run(TICK);
                heard += 1;
            }
            world.run(ms(100));
            heard += 5;
        }
        assert_eq!(world.digits(), "48213", "{in_a_row} in a row");
        let share = clean(&world.last(2, TICK * heard));
        assert!(share >= 98, "{in_a_row} in a row: {share} % of the sound is as it was sent");
        let statistics = world.statistics(1);
        assert_eq!((statistics.ssrc_changes, statistics.packets_lost), (0, 0));
        world.end();
    }
}

#[test]
fn sound_and_events_that_change_their_ssrc_together_are_followed() {
    let mut world = pair();
    world.press(1, 4, ms(100));
    let phone = world.phones.get_mut(&1).unwrap();
    (phone.ssrc, phone.sequence) = (0x77, 4_000);
    world.run(ms(500));
    world.press(1, 4, ms(100));
    world.run(ms(1_100));
    assert_eq!(world.digits(), "44");
    assert_eq!(tones_in(&world.last(2, ms(1_000)), Rate::Narrow, &[1]), [1]);
    assert_eq!(world.statistics(1).ssrc_changes, 1);
    world.end();
}

#[test]
fn a_key_before_the_first_sound_is_heard_once() {
    let mut world = World::new(1);
    world.phone(1).talking = false;
    world.send(Command::CollectDigits { leg: CallId(1), on: true });
    world.press(1, 7, ms(200));
    world.run(ms(500));
    assert_eq!(world.digits(), "7");
    assert!(world.events.iter().any(|event| matches!(event, Event::FirstPacket { .. })));
    let statistics = world.statistics(1);
    assert_eq!((statistics.ssrc_changes, statistics.packets_lost), (0, 0));
    world.end();
}

#[test]
fn a_duration_in_the_wrong_clock_silences_no_speech() {
    for claimed in [4_800, u16::MAX] {
        let mut world = pair();
        let start = world.phones[&1].timestamp;
        world.phones.get_mut(&1).unwrap().talking = false;
        for i in 0..7 {
            let phone = world.phones.get_mut(&1).unwrap();
            let event = TelephoneEvent { event: 5, end: i > 3, volume: 10, duration: claimed };
            let bytes = phone.write(i == 0, 96, start, &event.to_bytes());
            let address = phone.address.to_string();
            world.inject(1, PacketKind::Rtp, &address, &bytes);
            world.run(TICK);
        }
        let phone = world.phones.get_mut(&1).unwrap();
        phone.timestamp = start.wrapping_add(7 * 160);
        phone.talking = true;
        world.run(ms(1_100));
        let share = clean(&world.last(2, ms(1_000)));
        assert!(share >= 98, "{share} % of the speech after the key was heard, with a claim of {claimed}");
        world.end();
    }
}
