//! Callers who give up, at every moment of a call.

use super::phone::End;
use super::plan::{BLUE, RED};
use super::world::{Settings, World, ms, secs};
use partyline::gateway::Cause;
use partyline::sip::message::Method;

#[test]
fn while_the_media_ports_are_being_opened() {
    let mut world = World::new(Settings { port_delay: ms(600), ..Settings::default() });
    let anna = world.phone();
    world.dial(anna, "2000");
    world.run(ms(300));
    world.cancel(anna);
    world.run(secs(2));
    world.assert_ended(anna, End::Refused(487));
    assert_eq!(world.record(anna).cause, Cause::Cancelled);
    world.finish();
}

#[test]
fn while_it_rings() {
    let mut world = World::new(Settings::default());
    let anna = world.phone();
    world.dial(anna, "2100");
    world.run(secs(1));
    world.cancel(anna);
    world.run(secs(1));
    world.assert_ended(anna, End::Refused(487));
    assert_eq!(world.phones[anna].agent.statuses(&Method::Cancel), [200]);
    let record = world.record(anna);
    assert_eq!((&record.cause, record.status), (&Cause::Cancelled, Some(487)));
    world.finish();
}

#[test]
fn in_the_moment_of_the_answer() {
    // The CANCEL leaves within the 10 ms that the answer takes, before and after.
    for moment in [2_985, 2_995, 3_005, 3_015, 3_025] {
        let mut world = World::new(Settings::default());
        let anna = world.phone();
        world.dial(anna, "2100");
        world.run(ms(moment));
        world.cancel(anna);
        world.run(secs(3));
        if !matches!(world.phones[anna].agent.stage, super::phone::Stage::Ended(_)) {
            // It was too late for a CANCEL: the answer is there.
            world.assert_talking(&[anna]);
            world.bye(anna);
            world.run(secs(1));
        }
        let finals = &world.phones[anna].agent.invites[0].1;
        let cause = &world.record(anna).cause;
        match finals[..] {
            [487] => assert_eq!(*cause, Cause::Cancelled),
            [200] => assert_eq!(*cause, Cause::CallerHungUp),
            _ => panic!("{moment} ms: {finals:?}"),
        }
        world.finish();
    }
}

#[test]
fn before_the_acknowledgement() {
    let mut world = World::new(Settings::default());
    let anna = world.phone();
    world.phones[anna].agent.habits.loses_acks = u32::MAX;
    world.dial(anna, "1000");
    world.run(ms(100));
    world.bye(anna);
    world.run(secs(1));
    assert_eq!(world.phones[anna].agent.statuses(&Method::Bye), [200]);
    assert_eq!(world.record(anna).cause, Cause::CallerHungUp);
    world.finish();
}

#[test]
fn during_the_prompt() {
    let mut world = World::new(Settings::default());
    let anna = world.phone();
    world.dial(anna, "1000");
    world.run(secs(2));
    world.bye(anna);
    world.run(secs(1));
    assert_eq!(world.record(anna).cause, Cause::CallerHungUp);
    world.finish();
}

#[test]
fn with_half_a_pin_keyed() {
    let mut world = World::new(Settings::default());
    let anna = world.phone();
    world.dial(anna, "1000");
    world.run(secs(2));
    world.key_and_wait(anna, &RED[..3]);
    world.bye(anna);
    world.run(secs(1));
    assert_eq!(world.record(anna).cause, Cause::CallerHungUp);
    world.finish();
}

#[test]
fn while_the_pin_waits_to_be_checked() {
    let mut world = World::new(Settings { gateway: "pin_budget = 1", ..Settings::default() });
    let phones: Vec<usize> = (0..3).map(|_| world.phone()).collect();
    for &phone in &phones {
        world.dial(phone, "1000");
    }
    world.run(secs(1));
    world.key_and_wait(phones[0], "13572468#");
    for &phone in &phones[1..] {
        world.key(phone, &format!("{BLUE}#"));
    }
    world.run_until(secs(5), |world| !world.lines("PIN waits").is_empty());
    for &phone in &phones {
        world.bye(phone);
    }
    world.run(secs(20));
    assert_eq!(world.records.len(), 3);
    world.finish();
}

#[test]
fn alone_in_the_room_while_being_told_so() {
    let mut world = World::new(Settings::default());
    let anna = world.phone();
    world.dial(anna, "2000");
    world.run(ms(400));
    world.bye(anna);
    world.run(secs(1));
    let record = world.record(anna);
    assert_eq!((&record.rooms[..], &record.cause), (&["lobby".to_owned()][..], &Cause::CallerHungUp));
    world.finish();
}

#[test]
fn during_the_goodbye() {
    let mut world = World::new(Settings::default());
    let anna = world.phone();
    world.dial(anna, "1000");
    world.run(secs(1));
    for _ in 0..3 {
        world.key_and_wait(anna, "98127634#");
        world.run(ms(300));
    }
    world.bye(anna);
    world.run(secs(1));
    world.assert_ended(anna, End::Local);
    assert_eq!(world.records.len(), 1);
    world.finish();
}

#[test]
fn in_the_moment_the_gateway_hangs_up() {
    let mut world = World::new(Settings::default());
    let room = world.phones_in("2000", 2);
    let status = world.ask(partyline::gateway::Request::Status);
    let partyline::gateway::Reply::Status(status) = status else { panic!("{status:?}") };
    assert_eq!(status.calls.len(), 2);
    world.ask(partyline::gateway::Request::Kick { call: status.calls[0].call.clone() });
    world.bye(room[0]);
    world.run(secs(2));
    // Both BYEs crossed; each was answered.
    assert!(matches!(world.phones[room[0]].agent.statuses(&Method::Bye)[..], [200 | 481]));
    assert_eq!(world.phones[room[0]].agent.requests(&Method::Bye), 1);
    assert_eq!(world.record(room[0]).cause, Cause::Kicked);
    world.finish();
}
