//! Keys that come as tones.

use super::world::{TICK, World, leg, ms};
use crate::audio::tone::Tone;
use crate::audio::{Rate, goertzel};
use crate::media::command::{Command, Event};
use crate::media::outbox::PacketKind;
use crate::rtp::Header;
use crate::rtp::telephone_event::{TelephoneEvent, event_of};
use crate::types::{AudioCodec, CallId, DigitSource, MediaParameters};
use smallvec::SmallVec;
use std::time::Duration;

const ALL_KEYS: &str = "0123456789*#ABCD";
/// How long a key of [`press`] takes with its pause.
const KEY: Duration = Duration::from_millis(160);

/// The phone presses keys, 80 ms each.
fn press(world: &mut World, keys: &str) {
    let phone = world.phones.get_mut(&1).unwrap();
    let rate = phone.codec.sample_rate();
    for key in keys.chars() {
        phone.plays.extend(Tone::dtmf(key, -14.0).unwrap().samples_at(rate, KEY / 2));
        phone.plays.extend(std::iter::repeat_n(0, (rate.0 / 1_000 * 80) as usize));
    }
    world.run(KEY * keys.len() as u32 + ms(200));
}

/// Phone 1 without telephone events, and one that hears it.
fn pair(codec: AudioCodec) -> World {
    let mut world = World::new(1);
    world
        .phone_with(1, MediaParameters { receive_telephone_events: SmallVec::new(), ..World::parameters_of(1, codec) });
    world.phone(2).talking = false;
    world.connect(leg(1), leg(2));
    world.run(ms(1_000));
    world
}

/// The same with telephone events.
fn usual_pair() -> World {
    let mut world = World::new(1);
    world.phone(1);
    world.phone(2).talking = false;
    world.connect(leg(1), leg(2));
    world.run(ms(1_000));
    world
}

/// In how many of the last 20 ms pieces phone 2 heard tones of keys.
fn heard(world: &World, time: Duration) -> usize {
    let sound = world.last(2, time);
    let has_key = |piece: &&[i16]| {
        let level = |frequencies: [f64; 4]| {
            frequencies.map(|hertz| goertzel::tone_dbfs(piece, 8_000, hertz)).into_iter().fold(-96.0, f32::max)
        };
        level([697.0, 770.0, 852.0, 941.0]) > -30.0 && level([1_209.0, 1_336.0, 1_477.0, 1_633.0]) > -30.0
    };
    sound.chunks_exact(160).filter(has_key).count()
}

fn sources(world: &World) -> Vec<DigitSource> {
    let source = |event: &Event| if let Event::Digit { source, .. } = event { Some(*source) } else { None };
    world.events.iter().filter_map(source).collect()
}

#[test]
fn a_leg_without_telephone_events_presses_keys_by_tones_which_others_do_not_hear() {
    for codec in [AudioCodec::Pcmu, AudioCodec::Pcma, AudioCodec::G722, AudioCodec::Opus] {
        let mut world = pair(codec);
        press(&mut world, ALL_KEYS);
        assert_eq!(world.digits(), ALL_KEYS, "{codec:?}");
        assert_eq!(sources(&world), [DigitSource::InBand; 16]);
        let heard = heard(&world, KEY * 16);
        // Of four pieces a key.
        assert!(heard <= 24, "{codec:?}: {heard} pieces");
        let statistics = world.statistics(1);
        assert_eq!((statistics.digits_received, statistics.digits_in_band), (16, 16));
        // What it says afterwards is heard.
        world.run(ms(1_000));
        assert_eq!(super::world::tones_in(&world.last(2, ms(1_000)), Rate::Narrow, &[1]), [1]);
        world.end();
    }
}

#[test]
fn where_telephone_events_were_negotiated_tones_are_keys_while_they_are_collected() {
    let mut world = usual_pair();
    press(&mut world, "12");
    assert_eq!(world.digits(), "");
    assert!(heard(&world, KEY * 2 + ms(200)) >= 6, "what are no keys is heard");
    world.send(Command::CollectDigits { leg: CallId(1), on: true });
    press(&mut world, "34");
    world.send(Command::CollectDigits { leg: CallId(1), on: false });
    // That is how this one presses keys.
    press(&mut world, "56");
    assert_eq!(world.digits(), "3456");
    world.end();
}

#[test]
fn collecting_without_a_key_leaves_tones_alone_afterwards() {
    let mut world = usual_pair();
    world.send(Command::CollectDigits { leg: CallId(1), on: true });
    world.run(ms(500));
    world.send(Command::CollectDigits { leg: CallId(1), on: false });
    press(&mut world, "12");
    assert_eq!(world.digits(), "");
    world.end();
}

#[test]
fn after_the_first_telephone_event_no_tone_is_a_key() {
    let mut world = usual_pair();
    world.send(Command::CollectDigits { leg: CallId(1), on: true });
    press(&mut world, "1");
    world.press(1, 2, ms(100));
    world.run(ms(300));
    press(&mut world, "345");
    world.send(Command::CollectDigits { leg: CallId(1), on: false });
    world.send(Command::CollectDigits { leg: CallId(1), on: true });
    press(&mut world, "6");
    world.press(1, 7, ms(100));
    assert_eq!(world.digits(), "127");
    use DigitSource::{InBand, TelephoneEvent};
    assert_eq!(sources(&world), [InBand, TelephoneEvent, TelephoneEvent]);
    world.end();
}

#[test]
fn a_key_that_comes_as_event_and_as_tone_at_once_is_told_once() {
    let mut world = usual_pair();
    world.send(Command::CollectDigits { leg: CallId(1), on: true });
    let address = world.phones[&1].address.to_string();
    let mut sequence = 100u16;
    for (n, key) in (0u32..).zip("48213".chars()) {
        let phone = world.phones.get_mut(&1).unwrap();
        phone.plays.extend(Tone::dtmf(key, -14.0).unwrap().samples(ms(160)));
        for i in 1..=10u16 {
            let event =
                TelephoneEvent { event: event_of(key).unwrap(), end: i > 8, volume: 10, duration: i.min(8) * 160 };
            sequence += 1;
            let header =
                Header { marker: false, payload_type: 96, sequence, timestamp: 900_000 + n * 2_400, ssrc: 0xBEEF };
            world.inject(1, PacketKind::Rtp, &address, &[&header.to_bytes()[..], &event.to_bytes()].concat());
            world.run(TICK);
        }
        world.run(ms(100));
    }
    assert_eq!(world.digits(), "48213");
    assert_eq!(sources(&world), [DigitSource::TelephoneEvent; 5]);
    world.end();
}

#[test]
fn tones_on_a_bad_line_count_once() {
    for loss in [0.02, 0.05] {
        let mut world = pair(AudioCodec::Pcmu);
        let phone = world.phones.get_mut(&1).unwrap();
        phone.weather.loss = loss;
        phone.weather.jitter = ms(30);
        for _ in 0..4 {
            for key in ALL_KEYS.chars() {
                let phone = world.phones.get_mut(&1).unwrap();
                phone.plays.extend(Tone::dtmf(key, -14.0).unwrap().samples(ms(200)));
                phone.plays.extend([0; 800]);
                world.run(ms(300));
            }
        }
        world.run(ms(300));
        assert_eq!(world.digits(), ALL_KEYS.repeat(4), "{loss} lost");
        world.end();
    }
}

#[test]
fn negotiating_telephone_events_ends_listening_all_the_time() {
    let mut world = pair(AudioCodec::Pcmu);
    world.update(1, |_| {});
    press(&mut world, "12");
    assert_eq!(world.digits(), "");
    world.update(1, |parameters| parameters.receive_telephone_events.clear());
    press(&mut world, "34");
    assert_eq!(world.digits(), "34");
    world.end();
}
