//! INVITE with Replaces: whose place a call takes, what it takes over, and who may not.

use super::phone::{End, says};
use super::plan::RED;
use super::world::{Settings, World, ms, secs};
use partyline::gateway::{Cause, Request};
use partyline::sip::message::HeaderName as H;

const OFFICE: &str = "+442079460123";

fn settings() -> Settings {
    Settings { carrier: "refer = true\nreplaces = true", ..Settings::default() }
}

#[test]
fn an_invite_with_replaces_takes_the_place_of_the_call_it_names() {
    let mut world = World::new(settings());
    let room = world.phones_in("2000", 3);
    let ok = world.phones[room[0]].agent.response(200).unwrap();
    assert!(ok.headers.texts(&H::Supported).any(|tag| &*tag == "replaces"));
    let new = world.phone();
    let replaces = world.phones[room[0]].agent.as_replaces();
    world.phones[new].agent.carries = vec![(H::Replaces, replaces), (H::Require, "replaces".into())];
    world.dial(new, "partyline");
    world.run(secs(3));
    world.assert_ended(room[0], End::Remote);
    world.assert_together(&[room[1], room[2], new]);
    assert!(matches!(world.record(room[0]).cause, Cause::Replaced(_)));
    world.bye(new);
    world.run(secs(1));
    let record = world.record(new);
    assert_eq!((&record.cause, record.route.as_deref()), (&Cause::CallerHungUp, Some("Lobby")));
    assert_eq!(record.rooms, ["lobby"]);
    world.finish();
}

#[test]
fn replaces_that_names_no_call_of_the_trunk_is_refused() {
    let mut world = World::new(settings());
    let anna = world.phones_in("2000", 1)[0];
    let good = world.phones[anna].agent.as_replaces();
    let (id, tags) = good.split_once(';').unwrap();
    let swapped =
        format!("{id};{}", tags.replace("to-tag", "x").replace("from-tag", "to-tag").replace('x', "from-tag"));
    for (value, twice, status) in [
        (format!("{good};early-only"), false, 486),
        (swapped, false, 481),
        (format!("other;{tags}"), false, 481),
        (format!("{id};to-tag=0123456789abcdef;from-tag=1"), false, 481),
        (id.to_owned(), false, 400),
        (good.clone(), true, 400),
    ] {
        let ben = world.phone();
        world.phones[ben].agent.carries = vec![(H::Replaces, value.clone())];
        if twice {
            world.phones[ben].agent.carries.push((H::Replaces, value.clone()));
        }
        world.dial(ben, "2000");
        world.run(secs(1));
        world.assert_ended(ben, End::Refused(status));
        world.phones[ben].agent.invites.clear();
    }
    world.assert_talking(&[anna]);
    // Of another trunk, although both the call and the tags are right: as if it were not there.
    let unknown_source = world.phone_at([192, 0, 2], partyline::types::AudioCodec::Pcmu);
    world.phones[unknown_source].agent.carries = vec![(H::Replaces, good.clone())];
    world.dial(unknown_source, "2000");
    world.run(secs(1));
    world.assert_ended(unknown_source, End::Refused(403));
    world.assert_talking(&[anna]);
    // And when it is over.
    world.bye(anna);
    world.run(secs(1));
    let ben = world.phone();
    world.phones[ben].agent.carries = vec![(H::Replaces, good)];
    world.dial(ben, "2000");
    world.run(secs(1));
    world.assert_ended(ben, End::Refused(481));
    for phone in &mut world.phones {
        phone.agent.invites.retain(|(_, finals)| finals[..] == [200]);
    }
    world.finish();
}

#[test]
fn a_call_of_another_trunk_is_not_there_for_one_that_may_replace_its_own() {
    let mut world = World::new(settings());
    let far = world.far_end(1, vec![says(50, 200)]);
    world.invite("lobby", OFFICE, Some(false));
    world.run(secs(2));
    let mallory = world.phone();
    world.phones[mallory].agent.carries = vec![(H::Replaces, world.phones[far].agent.as_replaces())];
    world.dial(mallory, "2000");
    world.run(secs(1));
    world.assert_ended(mallory, End::Refused(481));
    world.assert_talking(&[far]);
    world.finish();
}

#[test]
fn without_permission_replaces_is_neither_supported_nor_done() {
    let mut world = World::new(Settings::default());
    let anna = world.phones_in("2000", 1)[0];
    let ok = world.phones[anna].agent.response(200).unwrap();
    assert!(!ok.headers.texts(&H::Supported).any(|tag| &*tag == "replaces"));
    for (require, status) in [(false, 403), (true, 420)] {
        let ben = world.phone();
        world.phones[ben].agent.carries = vec![(H::Replaces, world.phones[anna].agent.as_replaces())];
        if require {
            world.phones[ben].agent.carries.push((H::Require, "replaces".into()));
        }
        world.dial(ben, "2000");
        world.run(secs(1));
        world.assert_ended(ben, End::Refused(status));
        world.phones[ben].agent.invites.clear();
    }
    world.assert_talking(&[anna]);
    world.finish();
}

#[test]
fn a_replacing_caller_who_gives_up_changes_nothing() {
    let mut world = World::new(Settings { port_delay: ms(600), ..settings() });
    let room = world.phones_in("2000", 2);
    let new = world.phone();
    world.phones[new].agent.carries = vec![(H::Replaces, world.phones[room[0]].agent.as_replaces())];
    world.dial(new, "2000");
    world.run(ms(300));
    world.cancel(new);
    world.run(secs(2));
    world.assert_ended(new, End::Refused(487));
    world.assert_talking(&room);
    world.assert_together(&room);
    world.finish();
}

/// A phone that calls to take the place of `old`.
fn replace(world: &mut World, old: usize) -> usize {
    let new = world.phone();
    world.phones[new].agent.carries = vec![(H::Replaces, world.phones[old].agent.as_replaces())];
    world.dial(new, "partyline");
    new
}

#[test]
fn a_call_replaced_before_it_was_heard_leaves_the_new_caller_no_silence() {
    let mut world = World::new(settings());
    let anna = world.phone();
    world.dial(anna, "1000");
    // It is answered, and waits for its first packet or half a second.
    world.run_until(secs(2), |world| world.phones[anna].agent.response(200).is_some());
    let new = replace(&mut world, anna);
    world.run(secs(4));
    world.assert_ended(anna, End::Remote);
    assert!(world.lines("takes a call's place").len() == 1);
    assert_eq!(world.prompts(new, secs(4)), ["enter-pin"]);
    world.key_and_wait(new, &format!("{RED}#"));
    world.run(secs(2));
    world.assert_logged("PIN accepted: room red");
    world.finish();
}

#[test]
fn a_prompt_goes_on_in_the_call_that_takes_the_place_and_its_keys_are_heard() {
    let mut world = World::new(settings());
    let anna = world.phone();
    world.dial(anna, "1000");
    world.run(secs(2));
    let new = replace(&mut world, anna);
    world.run(ms(1_500));
    world.assert_ended(anna, End::Remote);
    assert_eq!(world.prompts(new, secs(1)), ["enter-pin"], "the rest of four seconds");
    // Nothing is keyed: the question comes again, as to anybody.
    world.run(secs(15));
    assert_eq!(world.prompts(new, secs(9)), ["no-input", "enter-pin"]);
    world.key_and_wait(new, &format!("{RED}#"));
    world.run(secs(2));
    world.assert_logged("PIN accepted: room red");
    world.finish();
}

#[test]
fn a_pin_that_waits_to_be_checked_opens_the_room_for_the_call_that_takes_the_place() {
    let mut world = World::new(Settings { gateway: "pin_budget = 1", ..settings() });
    let phones: Vec<usize> = (0..3).map(|_| world.phone()).collect();
    for &phone in &phones {
        world.dial(phone, "1000");
    }
    world.run(secs(1));
    world.key_and_wait(phones[0], "13572468#");
    for &phone in &phones[1..] {
        world.key(phone, &format!("{RED}#"));
    }
    world.run_until(secs(5), |world| !world.lines("PIN waits").is_empty());
    let waits = world.lines("PIN waits").len();
    let news: Vec<usize> = phones[1..].iter().map(|phone| replace(&mut world, *phone)).collect();
    world.run(secs(20));
    assert!(waits > 0 && world.lines("PIN accepted: room red").len() == 2, "{:?}", world.lines("PIN"));
    world.assert_together(&news);
    world.finish();
}

#[test]
fn limits_hold_for_calls_that_take_anothers_place() {
    for (gateway, carrier, status) in [
        ("max_calls = 2", "refer = true\nreplaces = true", None),
        ("", "replaces = true\nmax_calls = 2", None),
        ("max_calls = 1", "replaces = true", Some(503)),
        ("", "replaces = true\nmax_calls = 1", Some(486)),
        ("", "replaces = true\nmax_calls_per_second = 1", Some(480)),
    ] {
        let mut world = World::new(Settings { gateway, carrier, ..Settings::default() });
        let count = 1 + usize::from(status.is_none());
        let room = world.phones_in("2000", count);
        world.run(secs(2));
        // The first of two finds the one place there is above the limit, the second none.
        let new = replace(&mut world, room[0]);
        let late = replace(&mut world, room[count - 1]);
        world.run(secs(3));
        world.assert_ended(room[0], End::Remote);
        match status {
            Some(status) => world.assert_ended(late, End::Refused(status)),
            None => world.assert_talking(&[new]),
        }
        for phone in &mut world.phones {
            phone.agent.invites.retain(|(_, finals)| finals[..] == [200]);
        }
        world.finish();
    }
}

#[test]
fn who_is_shutting_down_takes_no_call_in_anothers_place() {
    let mut world = World::new(settings());
    let room = world.phones_in("2000", 2);
    world.ask(Request::Drain { seconds: Some(60) });
    let new = replace(&mut world, room[0]);
    world.run(secs(1));
    world.assert_ended(new, End::Refused(503));
    world.assert_talking(&room);
    for phone in &mut world.phones {
        phone.agent.invites.retain(|(_, finals)| finals[..] == [200]);
    }
    world.bye(room[0]);
    world.bye(room[1]);
    world.finish();
}
