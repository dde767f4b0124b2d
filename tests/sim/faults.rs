//! Signalling that goes wrong, and media that stops.

use super::phone::{End, Says};
use super::world::{Settings, World, ms, secs};
use partyline::gateway::Cause;
use partyline::sip::message::Method;
use partyline::types::Direction;

#[test]
fn a_call_whose_ack_never_comes_is_ended() {
    let mut world = World::new(Settings::default());
    let anna = world.phone();
    world.phones[anna].agent.habits.loses_acks = u32::MAX;
    world.dial(anna, "2000");
    world.run(secs(30));
    world.assert_talking(&[anna]);
    // The answer was repeated all the while, at 0.5, 1.5, 3.5, 7.5, 11.5 … s.
    assert!(world.phones[anna].agent.statuses(&Method::Invite).iter().filter(|status| **status == 200).count() >= 8);
    world.run(secs(5));
    world.assert_ended(anna, End::Remote);
    assert_eq!(world.record(anna).cause, Cause::AckTimeout);
    world.finish();
}

#[test]
fn an_ack_that_comes_with_the_second_answer_is_soon_enough() {
    let mut world = World::new(Settings::default());
    let anna = world.phone();
    world.phones[anna].agent.habits.loses_acks = 2;
    world.dial(anna, "2000");
    world.run(secs(60));
    world.assert_talking(&[anna]);
    assert!(world.prompts(anna, secs(60)).contains(&"first-here"));
    world.finish();
}

#[test]
fn a_caller_whose_bye_was_lost_is_missed_after_a_minute() {
    let mut world = World::new(Settings::default());
    let room = world.phones_in("2000", 2);
    world.phones[room[0]].gone = true;
    world.run(secs(59));
    assert!(world.records.is_empty());
    world.run(secs(5));
    assert_eq!(world.record(room[0]).cause, Cause::MediaTimeout);
    world.assert_logged("nothing heard for too long");
    assert_eq!(world.prompts(room[1], secs(10)), ["leave"]);
    world.finish();
}

#[test]
fn silence_on_the_network_ends_a_call() {
    let mut world = World::new(Settings::default());
    let anna = world.phone();
    world.dial(anna, "2000");
    world.run(secs(3));
    world.phones[anna].mouth.says = Says::Nothing;
    world.run(secs(70));
    world.assert_ended(anna, End::Remote);
    assert_eq!(world.record(anna).cause, Cause::MediaTimeout);
    world.finish();
}

#[test]
fn silence_in_packets_does_not() {
    let mut world = World::new(Settings::default());
    let anna = world.phone();
    world.dial(anna, "2000");
    world.phones[anna].mouth.says = Says::Silence;
    world.run(secs(300));
    world.assert_talking(&[anna]);
    world.finish();
}

/// Three ways of putting on hold, as the phone writes them.
const HOLDS: [(Direction, bool); 3] =
    [(Direction::SendOnly, false), (Direction::Inactive, false), (Direction::SendRecv, true)];

#[test]
fn whoever_is_on_hold_is_neither_heard_nor_missed_and_comes_back() {
    for (direction, nowhere) in HOLDS {
        let mut world = World::new(Settings::default());
        let room = world.phones_in("2000", 2);
        let (anna, ben) = (room[0], room[1]);
        world.phones[anna].agent.local.direction = direction;
        world.phones[anna].agent.local.nowhere = nowhere;
        world.phones[anna].mouth.says = Says::Nothing;
        world.reinvite(anna);
        world.run(secs(2));
        let heard = world.phones[anna].ear.count;
        assert!(!world.phones[anna].agent.remote.as_ref().unwrap().direction.sends(), "{direction:?}");
        world.assert_together(&[ben]);
        world.run(secs(600));
        world.assert_talking(&room);
        assert_eq!(world.phones[anna].ear.count, heard, "nothing is sent to who does not listen");
        world.assert_logged("on hold");
        world.phones[anna].agent.local.direction = Direction::SendRecv;
        world.phones[anna].agent.local.nowhere = false;
        world.phones[anna].mouth.says = Says::Tone;
        world.reinvite(anna);
        world.run(secs(3));
        world.assert_logged("resumed");
        world.assert_together(&room);
        world.finish();
    }
}

#[test]
fn a_caller_on_hold_who_vanishes_is_found_out_by_the_session_timer() {
    let mut world = World::new(Settings::default());
    let anna = world.phone();
    world.phones[anna].agent.habits.session = Some(90);
    world.dial(anna, "2000");
    world.run(secs(3));
    world.phones[anna].agent.local.direction = Direction::Inactive;
    world.reinvite(anna);
    world.run(secs(3));
    world.phones[anna].gone = true;
    world.run(secs(120));
    let record = &world.records[0];
    assert!(matches!(record.cause, Cause::SessionExpired | Cause::TransportFailed), "{:?}", record.cause);
    world.finish();
}

#[test]
fn session_refreshes_leave_the_sound_alone() {
    let mut world = World::new(Settings::default());
    let room = world.phones_in("2000", 2);
    let anna = world.phone();
    world.phones[anna].agent.habits.session = Some(90);
    world.dial(anna, "2000");
    world.run(secs(10));
    world.phones[anna].ear.forget_gaps();
    world.run(secs(300));
    assert!(world.phones[anna].agent.requests(&Method::Invite) >= 5, "the gateway refreshes");
    let ear = &world.phones[anna].ear;
    assert!(ear.longest_gap <= ms(20) && ear.sequence_breaks == 0, "{:?}", ear.longest_gap);
    world.assert_together(&[room[0], room[1], anna]);
    world.finish();
}

/// When the gateway's first session refresh comes.
fn refresh_after() -> std::time::Duration {
    let mut world = World::new(Settings::default());
    let anna = world.phone();
    world.phones[anna].agent.habits.session = Some(90);
    world.dial(anna, "2000");
    let start = world.now.instant;
    world.run_until(secs(90), |world| world.phones[anna].agent.requests(&Method::Invite) > 0);
    let seen = world.phones[anna].agent.seen.iter();
    let at = seen.filter(|seen| seen.method == Method::Invite && seen.status.is_none()).map(|seen| seen.at).next();
    let after = at.unwrap() - start;
    world.finish();
    after
}

#[test]
fn offers_that_cross_are_both_settled_in_the_end() {
    let arrives = refresh_after();
    let mut world = World::new(Settings::default());
    let anna = world.phone();
    world.phones[anna].agent.habits.session = Some(90);
    world.dial(anna, "2000");
    // Ours leaves while theirs is on its way.
    world.run(arrives - ms(5));
    world.reinvite(anna);
    // The gateway may try again at once: the wait is drawn, and may be none.
    world.run_until(secs(1), |world| world.phones[anna].agent.statuses(&Method::Invite).ends_with(&[491]));
    let agent = &world.phones[anna].agent;
    assert!(agent.statuses(&Method::Invite).ends_with(&[491]), "{:?}", agent.statuses(&Method::Invite));
    assert_eq!(agent.requests(&Method::Invite), 1);
    world.run(secs(8));
    let agent = &world.phones[anna].agent;
    assert_eq!(agent.statuses(&Method::Invite).last(), Some(&200), "ours was taken at last");
    assert!(agent.requests(&Method::Invite) >= 2, "theirs was tried again");
    assert!(!agent.is_waiting());
    world.assert_talking(&[anna]);
    let ben = world.phone();
    world.dial(ben, "2000");
    world.run(secs(4));
    world.assert_together(&[anna, ben]);
    world.finish();
}

#[test]
fn an_offer_that_cannot_be_met_leaves_the_call_as_it_is() {
    let mut world = World::new(Settings::default());
    let room = world.phones_in("2000", 2);
    let fax = "v=0\r\no=phone 4711 9 IN IP4 198.51.100.10\r\ns=-\r\nc=IN IP4 198.51.100.10\r\nt=0 0\r\n\
               m=image 31000 udptl t38\r\n";
    world.act(room[0], |agent, now| agent.ask(now, Method::Invite, Some(("application/sdp", fax))));
    world.run(secs(3));
    assert_eq!(world.phones[room[0]].agent.statuses(&Method::Invite).last(), Some(&488));
    world.assert_talking(&room);
    world.assert_together(&room);
    world.finish();
}

#[test]
fn signalling_that_loses_a_third_of_its_messages_still_makes_calls() {
    let mut world = World::new(Settings { seed: 11, ..Settings::default() });
    let phones: Vec<usize> = (0..6).map(|_| world.phone()).collect();
    for &phone in &phones {
        world.phones[phone].sip_weather = super::network::Weather::losing(0.33);
        world.dial(phone, "2000");
    }
    world.run(secs(40));
    world.assert_talking(&phones);
    world.assert_together(&phones);
    for &phone in &phones {
        world.bye(phone);
    }
    world.run(secs(40));
    assert_eq!(world.records.len(), phones.len());
    assert!(world.phones.iter().all(|phone| !phone.agent.is_waiting()));
    world.finish();
}
