//! Who is let in, how many, and what the others are told.

use super::phone::{End, Stage};
use super::plan;
use super::world::{Settings, World, ms, secs};
use partyline::gateway::{Cause, Input, Reply, Request};
use partyline::sip::Flow;
use partyline::sip::message::{HeaderName, Method, Transport};
use partyline::types::AudioCodec;

#[test]
fn beyond_the_gateways_limit_callers_are_told_when_to_come_back() {
    let mut world = World::new(Settings { gateway: "max_calls = 2", ..Settings::default() });
    let room = world.phones_in("2000", 2);
    let late = world.phone();
    world.dial(late, "2000");
    world.run(secs(1));
    world.assert_ended(late, End::Refused(503));
    let refusal = world.phones[late].agent.response(503).unwrap();
    assert!(refusal.headers.contains(&HeaderName::RetryAfter));
    assert_eq!(world.record(late).cause, Cause::Refused("gateway.max_calls = 2 is reached".into()));
    world.assert_logged("503, gateway.max_calls = 2 is reached");
    world.assert_together(&room);
    world.bye(room[0]);
    world.run(secs(1));
    world.dial(late, "2000");
    world.run(secs(3));
    world.assert_together(&[room[1], late]);
    world.finish();
}

#[test]
fn beyond_a_trunks_limit_they_hear_busy_and_the_trunk_is_not_parked() {
    let mut world = World::new(Settings::default());
    let phones: Vec<usize> = (0..3).map(|_| world.phone_at([192, 0, 2], AudioCodec::Pcmu)).collect();
    for &phone in &phones {
        world.dial(phone, "2000");
        world.run(secs(1));
    }
    world.assert_ended(phones[2], End::Refused(486));
    assert!(!world.phones[phones[2]].agent.response(486).unwrap().headers.contains(&HeaderName::RetryAfter));
    world.assert_logged("trunks.narrow.max_calls = 2 is reached");
    // The other trunk has room.
    let anna = world.phone();
    world.dial(anna, "2000");
    world.run(secs(3));
    world.assert_together(&[phones[0], phones[1], anna]);
    world.finish();
}

#[test]
fn unknown_sources_get_silence() {
    let mut world = World::new(Settings::default());
    let (unknown_source, scanner) =
        (world.phone_at([203, 0, 113], AudioCodec::Pcmu), world.phone_at([172, 16, 0], AudioCodec::Pcmu));
    world.dial(unknown_source, "2000");
    world.act(scanner, |agent, now| agent.ping(now));
    world.run(secs(40));
    world.assert_ended(unknown_source, End::Unanswered);
    assert!(world.phones.iter().all(|phone| phone.agent.seen.is_empty()), "not a word");
    world.assert_logged("request dropped: from 172.16.0.11:5060, which no trunk allows");
    assert!(world.records.is_empty());
    world.finish();
}

#[test]
fn scanners_do_not_silence_what_is_said_of_a_trunks_own_calls() {
    let mut world = World::new(Settings::default());
    let (anna, scanner) = (world.phone(), world.phone_at([172, 16, 0], AudioCodec::Pcmu));
    for _ in 0..30 {
        world.act(scanner, |agent, now| agent.ping(now));
    }
    world.run(secs(1));
    world.dial(anna, "5555");
    world.run(secs(1));
    world.assert_logged("no route matches");
    assert_eq!(world.record(anna).status, Some(404));
    world.finish();
}

/// A plan whose trunk "away" we register at.
fn registering() -> Input {
    let away = "[trunks.away]\naddress = [\"10.9.9.9\"]\nregister = true\nusername = \"acme\"\npassword = { env = \"AWAY\" }\n";
    Input::Reload(plan::parse(&format!("{}\n{away}", plan::text(""))))
}

fn found() -> Input {
    let local = "10.0.0.1:5060".parse().unwrap();
    let flow = Flow { transport: Transport::Udp, local, remote: "10.9.9.9:5060".parse().unwrap(), connection: None };
    Input::Resolved { trunk: "away".into(), found: vec![flow].into() }
}

#[test]
fn a_reload_keeps_the_binding_of_a_trunk_that_is_as_it_was() {
    let mut world = World::new(Settings::default());
    let registers = |world: &World| world.lines("REGISTER").len();
    for _ in 0..2 {
        world.input(registering());
        world.settle();
        world.input(found());
        world.settle();
        assert_eq!(registers(&world), 1);
    }
    world.input(Input::Reload(plan::parse(&plan::text(""))));
    world.run(secs(60));
    world.finish();
}

#[test]
fn a_gateway_that_drains_registers_nowhere() {
    let mut world = World::new(Settings::default());
    world.input(registering());
    world.settle();
    world.ask(Request::Drain { seconds: Some(0) });
    world.input(found());
    world.input(registering());
    world.input(found());
    world.run(secs(60));
    assert!(world.lines("REGISTER").is_empty());
    assert!(world.drained);
    world.finish();
}

#[test]
fn every_refused_invite_names_its_rule() {
    let mut world = World::new(Settings::default());
    let anna = world.phone();
    for (number, status, rule) in [
        ("5555", 404, "no route matches: Conference (is for another number), Lobby (is for another number)"),
        ("4000", 403, "route Closed says reject = 403"),
    ] {
        world.dial(anna, number);
        world.run(secs(1));
        world.assert_ended(anna, End::Refused(status));
        world.assert_logged(rule);
        let Cause::Refused(told) = &world.record(anna).cause else { panic!("{:?}", world.record(anna).cause) };
        assert!(told.contains(rule), "{told}");
    }
    // No route from this trunk.
    let narrow = world.phone_at([192, 0, 2], AudioCodec::Pcmu);
    world.dial(narrow, "2200");
    world.run(secs(1));
    world.assert_ended(narrow, End::Refused(404));
    world.assert_logged("Closet (takes no calls from there)");
    world.finish();
}

#[test]
fn without_a_free_port_the_call_is_refused_and_the_others_go_on() {
    let mut world = World::new(Settings { ports: 2, ..Settings::default() });
    let room = world.phones_in("2000", 2);
    let late = world.phone();
    world.dial(late, "2000");
    world.run(secs(1));
    world.assert_ended(late, End::Refused(503));
    world.assert_logged("no media port: no RTP port is free");
    world.assert_together(&room);
    world.finish();
}

#[test]
fn a_full_room_says_so() {
    let mut world = World::new(Settings::default());
    let (anna, ben) = (world.phone(), world.phone());
    for phone in [anna, ben] {
        world.dial(phone, "2200");
        world.run(secs(3));
    }
    assert_eq!(world.prompts(ben, secs(9)), ["room-full"]);
    world.assert_ended(ben, End::Remote);
    world.assert_talking(&[anna]);
    world.finish();
}

#[test]
fn a_drain_takes_no_new_calls_and_waits_for_those_there_are() {
    let mut world = World::new(Settings::default());
    let room = world.phones_in("2000", 2);
    assert!(matches!(world.ask(Request::Drain { seconds: Some(20) }), Reply::Done(_)));
    let late = world.phone();
    world.dial(late, "2000");
    world.run(secs(10));
    world.assert_ended(late, End::Refused(503));
    assert_eq!(world.record(late).cause, Cause::Refused("the gateway is shutting down".into()));
    world.assert_together(&room);
    world.bye(room[0]);
    world.run(secs(5));
    assert!(!world.drained);
    world.run(secs(10));
    world.assert_ended(room[1], End::Remote);
    assert_eq!(world.record(room[1]).cause, Cause::Shutdown);
    assert!(world.drained);
    world.finish();
}

#[test]
fn a_drain_at_once_answers_who_still_rings() {
    let mut world = World::new(Settings::default());
    let (anna, ben) = (world.phone(), world.phone());
    world.dial(anna, "2100");
    world.dial(ben, "1000");
    world.run(secs(1));
    world.ask(Request::Drain { seconds: Some(0) });
    world.run(secs(1));
    world.assert_ended(anna, End::Refused(480));
    assert_eq!(world.record(anna).status, Some(480));
    world.assert_ended(ben, End::Remote);
    assert!(world.drained);
    world.finish();
}

#[test]
fn a_call_keeps_the_sounds_it_began_with_over_a_reload() {
    let mut world = World::new(Settings::default());
    let (anna, ben) = (world.phone(), world.phone());
    world.dial(anna, "1000");
    world.run(secs(1));
    world.gateway.set_sounds(std::sync::Arc::new(super::sounds::Silence));
    world.input(Input::Reload(plan::parse(&plan::text(""))));
    world.settle();
    world.key_and_wait(anna, "999999#");
    world.run(secs(3));
    assert!(!world.prompts(anna, secs(3)).is_empty(), "she is told that her PIN is wrong");
    world.dial(ben, "1000");
    world.run(secs(3));
    assert!(world.prompts(ben, secs(3)).is_empty(), "what begins now has the new sounds");
    world.finish();
}

#[test]
fn a_reload_keeps_the_calls_and_serves_the_next_ones() {
    let mut world = World::new(Settings::default());
    let room = world.phones_in("2000", 2);
    let (anna, ben) = (world.phone(), world.phone());
    world.dial(anna, "1000");
    world.run(secs(1));
    let text = plan::text("").replace("number = \"2000\"", "number = \"2001\"").replace(plan::RED, "220033");
    world.input(Input::Reload(plan::parse(&text)));
    world.settle();
    world.assert_logged("dialplan reloaded");
    // A call keeps the dialplan it began with.
    world.key_and_wait(anna, &format!("{}#", plan::RED));
    world.dial(ben, "2000");
    world.run(secs(3));
    world.assert_logged("PIN accepted: room red");
    world.assert_ended(ben, End::Refused(404));
    world.assert_together(&room);
    world.dial(ben, "2001");
    world.run(secs(3));
    world.assert_together(&[room[0], room[1], ben]);
    world.finish();
}

#[test]
fn a_hundred_invites_at_once_are_all_answered() {
    let mut world = World::new(Settings { gateway: "max_calls = 30", ..Settings::default() });
    let phones: Vec<usize> = (0..60).map(|_| world.phone()).collect();
    for &phone in &phones {
        world.dial(phone, "3333");
    }
    world.run(secs(2));
    let talking = phones.iter().filter(|phone| world.phones[**phone].agent.stage == Stage::Talking).count();
    assert_eq!(talking, 30);
    for &phone in &phones {
        assert_eq!(world.phones[phone].agent.invites[0].1.len(), 1);
    }
    // Twenty are told one by one, the others in one line.
    assert_eq!(world.lines("503, gateway.max_calls").len(), 20);
    world.run(secs(60));
    world.assert_logged("10 more of this kind in the last minute");
    world.finish();
}

#[test]
fn methods_and_bodies_that_make_no_sense_end_no_call() {
    let mut world = World::new(Settings::default());
    let room = world.phones_in("2000", 2);
    for (method, body) in [
        (Method::Info, Some(("application/dtmf-relay", "Signal=5\r\nDuration=160\r\n"))),
        (Method::Refer, None),
        (Method::Invite, Some(("application/sdp", "this is no description"))),
        (Method::Message, Some(("text/plain", "hello"))),
        (Method::Subscribe, None),
    ] {
        world.act(room[0], |agent, now| agent.ask(now, method, body));
        world.run(ms(500));
    }
    world.run(secs(2));
    assert!(!world.phones[room[0]].agent.is_waiting(), "each was answered");
    world.assert_talking(&room);
    world.assert_together(&room);
    world.finish();
}
