//! Keys: how they arrive, and when the prompt that asks for them begins.

use super::phone::Says;
use super::plan::RED;
use super::world::{Settings, World, ms, secs};
use partyline::gateway::{Reply, Request};
use partyline::sip::message::Method;
use partyline::types::DigitSource;

/// Into the IVR, with its prompt playing.
fn asked(world: &mut World) -> usize {
    let anna = world.phone();
    world.dial(anna, "1000");
    world.run(secs(1));
    anna
}

fn assert_let_in(world: &mut World) {
    world.run(secs(2));
    world.assert_logged("PIN accepted: room red");
}

#[test]
fn a_pin_without_terminator_is_taken_after_a_pause() {
    let mut world = World::new(Settings::default());
    let anna = asked(&mut world);
    world.key_and_wait(anna, RED);
    world.run(secs(4));
    assert!(world.lines("PIN accepted").is_empty());
    assert_let_in(&mut world);
    world.finish();
}

#[test]
fn keys_of_forty_milliseconds_are_all_understood() {
    let mut world = World::new(Settings::default());
    let anna = asked(&mut world);
    world.phones[anna].mouth.press_packets = 2;
    world.key_and_wait(anna, &format!("{RED}#"));
    assert_let_in(&mut world);
    world.finish();
}

#[test]
fn keys_held_for_seconds_count_once() {
    let mut world = World::new(Settings::default());
    let anna = asked(&mut world);
    world.phones[anna].mouth.press_packets = 120;
    world.key_and_wait(anna, &format!("{RED}#"));
    assert_let_in(&mut world);
    world.finish();
}

#[test]
fn events_may_have_another_payload_type() {
    let mut world = World::new(Settings::default());
    let anna = world.phone();
    world.phones[anna].agent.local.event_payload_type = Some(96);
    world.dial(anna, "1000");
    world.run(secs(1));
    world.key_and_wait(anna, &format!("{RED}#"));
    assert_let_in(&mut world);
    world.finish();
}

#[test]
fn without_events_the_keys_come_by_info() {
    let mut world = World::new(Settings::default());
    let anna = world.phone();
    world.phones[anna].agent.local.event_payload_type = None;
    world.dial(anna, "1000");
    world.run(secs(1));
    for body in ["Signal=4", "Signal=8", "Signal=2", "Signal=9", "Signal=1", "Signal=7", "Signal=#"] {
        world.act(anna, |agent, now| agent.ask(now, Method::Info, Some(("application/dtmf-relay", body))));
        world.run(ms(300));
    }
    assert_eq!(world.phones[anna].agent.statuses(&Method::Info), [200; 7]);
    assert_let_in(&mut world);
    world.finish();
}

/// One key by INFO.
fn by_info(world: &mut World, phone: usize, key: char, content_type: &'static str) {
    let body: String =
        if content_type == "application/dtmf" { key.into() } else { format!("Signal={key}\r\nDuration=160\r\n") };
    world.act(phone, |agent, now| agent.ask(now, Method::Info, Some((content_type, body.leak()))));
}

#[test]
fn a_phone_that_negotiates_events_and_sends_info_is_let_in() {
    for content_type in ["application/dtmf-relay", "application/dtmf"] {
        let mut world = World::new(Settings::default());
        let anna = asked(&mut world);
        for key in format!("{RED}#").chars() {
            by_info(&mut world, anna, key, content_type);
            world.run(ms(300));
        }
        assert_eq!(world.phones[anna].agent.statuses(&Method::Info), [200; 7]);
        assert_let_in(&mut world);
        world.finish();
    }
}

#[test]
fn a_key_that_comes_by_event_and_by_info_counts_once() {
    // How much earlier INFO comes, in steps of 20 ms: with the key, half a second late, a moment early.
    for (info_first, apart) in [(true, 0), (false, 0), (false, 25), (true, 5)] {
        let mut world = World::new(Settings::default());
        let anna = asked(&mut world);
        for key in format!("{RED}#").chars() {
            if info_first {
                by_info(&mut world, anna, key, "application/dtmf-relay");
                world.run(ms(20) * apart);
            }
            world.key(anna, &key.to_string());
            if !info_first {
                world.run(ms(20) * apart);
                by_info(&mut world, anna, key, "application/dtmf-relay");
            }
            world.run(ms(300));
        }
        assert_let_in(&mut world);
        assert!(world.lines("wrong PIN").is_empty());
        world.finish();
    }
}

#[test]
fn keys_are_not_heard_in_the_room() {
    let mut world = World::new(Settings::default());
    let room = world.phones_in("2000", 2);
    world.phones[room[0]].mouth.press_packets = 40;
    world.key(room[0], "5");
    world.run(ms(780));
    let heard = world.last(room[1], ms(500));
    let loudest = heard.iter().map(|sample| sample.unsigned_abs()).max().unwrap();
    assert!(loudest < 500, "something of {loudest} was heard");
    world.run(secs(2));
    world.assert_together(&room);
    world.finish();
}

#[test]
fn the_prompt_begins_when_the_caller_is_heard() {
    let mut world = World::new(Settings::default());
    let anna = world.phone();
    world.dial(anna, "1000");
    world.run(ms(150));
    assert_eq!(world.prompts(anna, ms(100)), ["enter-pin"]);
    world.finish();
}

#[test]
fn the_prompt_does_not_wait_for_ever_for_who_says_nothing() {
    let mut world = World::new(Settings::default());
    let anna = world.phone();
    world.phones[anna].mouth.says = Says::Nothing;
    world.dial(anna, "1000");
    world.run(ms(480));
    assert!(world.phones[anna].ear.count > 20 && world.prompts(anna, secs(1)).is_empty());
    world.run(ms(150));
    assert_eq!(world.prompts(anna, secs(1)), ["enter-pin"]);
    world.finish();
}

#[test]
fn an_offer_may_be_asked_for_inside_a_call() {
    let mut world = World::new(Settings::default());
    let room = world.phones_in("2000", 2);
    world.act(room[0], |agent, now| agent.ask(now, Method::Invite, None));
    world.run(secs(3));
    assert_eq!(world.phones[room[0]].agent.statuses(&Method::Invite).last(), Some(&200));
    world.assert_together(&room);
    world.finish();
}

/// A phone that negotiates no telephone events, into the IVR.
fn without_events(world: &mut World) -> usize {
    let anna = world.phone();
    world.phones[anna].agent.local.event_payload_type = None;
    world.dial(anna, "1000");
    world.run(secs(1));
    anna
}

/// By which way the status says that the keys of the first call came.
fn way(world: &mut World) -> String {
    let Reply::Status(status) = world.ask(Request::Status) else { panic!("no status") };
    status.calls[0].digits.clone()
}

fn sound_and_wait(world: &mut World, phone: usize, keys: &str) {
    world.phones[phone].mouth.sound(keys);
    world.run(ms(120) * u32::try_from(keys.len()).unwrap() + ms(200));
}

#[test]
fn without_events_the_keys_come_as_tones() {
    let mut world = World::new(Settings::default());
    let anna = without_events(&mut world);
    sound_and_wait(&mut world, anna, &format!("{RED}#"));
    assert_let_in(&mut world);
    assert_eq!(way(&mut world), "in-band");
    world.bye(anna);
    world.run(secs(1));
    assert_eq!(world.record(anna).keyed.by, Some(DigitSource::InBand));
    world.finish();
}

#[test]
fn a_phone_that_negotiates_events_and_sends_tones_is_let_in() {
    let mut world = World::new(Settings::default());
    let anna = asked(&mut world);
    sound_and_wait(&mut world, anna, &format!("{RED}#"));
    assert_let_in(&mut world);
    world.finish();
}

#[test]
fn a_key_that_comes_as_tones_and_by_info_counts_once() {
    for info_first in [true, false] {
        let mut world = World::new(Settings::default());
        let anna = without_events(&mut world);
        for key in format!("{RED}#").chars() {
            if info_first {
                by_info(&mut world, anna, key, "application/dtmf-relay");
            }
            sound_and_wait(&mut world, anna, &key.to_string());
            if !info_first {
                by_info(&mut world, anna, key, "application/dtmf-relay");
            }
            world.run(ms(100));
        }
        assert_let_in(&mut world);
        assert!(world.lines("wrong PIN").is_empty());
        assert_eq!(way(&mut world), "info");
        world.finish();
    }
}

#[test]
fn a_key_that_comes_as_event_and_as_tones_counts_once() {
    let mut world = World::new(Settings::default());
    let anna = asked(&mut world);
    world.phones[anna].mouth.sounds_keys = true;
    world.key_and_wait(anna, &format!("{RED}#"));
    assert_let_in(&mut world);
    assert!(world.lines("wrong PIN").is_empty());
    assert_eq!(way(&mut world), "rfc4733");
    world.finish();
}

#[test]
fn keys_that_are_tones_are_hardly_heard_in_the_room() {
    let mut world = World::new(Settings::default());
    let room = world.phones_in("2000", 1);
    let ben = world.phone();
    world.phones[ben].agent.local.event_payload_type = None;
    world.phones[ben].mouth.says = Says::Silence;
    world.dial(ben, "2000");
    world.run(secs(3));
    sound_and_wait(&mut world, ben, "159D");
    let heard = world.last(room[0], ms(120) * 4 + ms(200));
    let loud = heard.iter().filter(|sample| sample.unsigned_abs() > 500).count();
    // 25 ms of each of the four.
    assert!(loud < 4 * 200, "{loud} samples were heard");
    world.run(secs(1));
    world.finish();
}
