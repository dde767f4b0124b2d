//! Hold by us, by the peer, by both; offers that cross; codecs that change in the middle of a call.

use super::phone::{Stage, tone};
use super::plan::RED;
use super::world::{Settings, World, ms, secs};
use partyline::gateway::{CallStatus, Reply, Request};
use partyline::sip::message::Method;
use partyline::types::{AudioCodec, Direction};

/// The status of the oldest call.
fn first(world: &mut World) -> CallStatus {
    let Reply::Status(status) = world.ask(Request::Status) else { panic!() };
    status.calls[0].clone()
}

/// The administrator puts the oldest call on hold, or takes it back.
fn hold(world: &mut World, on: bool) {
    let call = first(world).call;
    world.ask(if on { Request::Hold { call } } else { Request::Resume { call } });
}

fn assert_done(world: &World, words: &str) {
    assert!(matches!(world.replies.last(), Some(Reply::Done(what)) if what.ends_with(words)), "{:?}", world.replies);
}

/// The oldest of the phones in a room is on hold by us: it hears the tune and nobody else, and nobody hears it.
fn assert_held(world: &mut World, room: &[usize]) {
    world.run(ms(1_500));
    // Nothing at all comes to a phone that does not want to hear.
    if !world.last(room[0], secs(1)).is_empty() {
        assert_eq!(world.tones(room[0]), Vec::<usize>::new());
    }
    world.assert_together(&room[1..]);
}

#[test]
fn who_is_on_hold_hears_a_tune_and_nobody_and_is_back_afterwards() {
    let mut world = World::new(Settings::default());
    let room = world.phones_in("2000", 3);
    world.phones[room[0]].agent.local.direction = Direction::RecvOnly;
    hold(&mut world, true);
    world.run(ms(300));
    assert_done(&world, "is on hold");
    let remote = world.phones[room[0]].agent.remote.clone().unwrap();
    assert_eq!(remote.direction, Direction::SendOnly);
    assert_held(&mut world, &room);
    assert_eq!(world.prompts(room[0], secs(1)), ["hold"]);
    // It stays in the room, and is not missed although it says nothing.
    world.run(secs(120));
    assert_held(&mut world, &room);
    let status = first(&mut world);
    assert!(status.held && !status.on_hold, "{status:?}");
    assert_eq!(status.rooms, ["lobby"]);
    world.phones[room[0]].agent.local.direction = Direction::SendRecv;
    hold(&mut world, false);
    world.run(secs(3));
    assert_done(&world, "is taken back");
    world.assert_together(&room);
    assert!(!world.prompts(room[0], secs(1)).contains(&"hold"));
    assert!(!first(&mut world).held);
    // Nobody was told that anybody came or went.
    assert!(!world.prompts(room[1], secs(60)).iter().any(|prompt| matches!(*prompt, "join" | "leave")));
    world.finish();
}

#[test]
fn what_does_not_fit_is_refused() {
    let mut world = World::new(Settings::default());
    let room = world.phones_in("2000", 2);
    hold(&mut world, false);
    assert!(matches!(world.replies.last(), Some(Reply::Error(why)) if why.detail.ends_with("is not on hold")));
    hold(&mut world, true);
    let call = first(&mut world).call;
    assert!(matches!(world.ask(Request::Hold { call }), Reply::Error(why) if why.detail.contains("is under way")));
    world.run(secs(1));
    hold(&mut world, true);
    assert!(matches!(world.replies.last(), Some(Reply::Error(why)) if why.detail.ends_with("is already on hold")));
    assert!(matches!(world.ask(Request::Hold { call: "call-99".into() }), Reply::Error(_)));
    world.bye(room[0]);
    world.run(secs(1));
    world.finish();
}

#[test]
fn a_peer_may_answer_our_hold_in_odd_ways() {
    for (direction, nowhere) in [
        (Direction::SendRecv, false),
        (Direction::Inactive, false),
        (Direction::SendOnly, false),
        (Direction::SendRecv, true),
    ] {
        let mut world = World::new(Settings::default());
        let room = world.phones_in("2000", 3);
        world.phones[room[0]].agent.local.direction = direction;
        world.phones[room[0]].agent.local.nowhere = nowhere;
        hold(&mut world, true);
        world.run(ms(300));
        assert_done(&world, "is on hold");
        assert_held(&mut world, &room);
        world.run(secs(100));
        world.assert_talking(&room);
        world.phones[room[0]].agent.local.direction = Direction::SendRecv;
        world.phones[room[0]].agent.local.nowhere = false;
        hold(&mut world, false);
        world.run(secs(3));
        world.assert_together(&room);
        world.finish();
    }
}

#[test]
fn a_peer_that_refuses_our_hold_is_not_on_hold() {
    for status in [488, 500, 603] {
        let mut world = World::new(Settings::default());
        let room = world.phones_in("2000", 3);
        world.phones[room[0]].agent.habits.refuses_offers = Some(status);
        hold(&mut world, true);
        world.run(secs(2));
        let said = format!("is not on hold: the peer says {status}");
        assert!(
            matches!(world.replies.last(), Some(Reply::Error(why)) if why.detail.contains(&said)),
            "{:?}",
            world.replies
        );
        world.assert_together(&room);
        // And a call that is on hold stays so when it does not let itself be taken back.
        world.phones[room[0]].agent.habits.refuses_offers = None;
        hold(&mut world, true);
        world.run(secs(1));
        world.phones[room[0]].agent.habits.refuses_offers = Some(status);
        hold(&mut world, false);
        world.run(secs(1));
        assert_held(&mut world, &room);
        world.phones[room[0]].agent.habits.refuses_offers = None;
        hold(&mut world, false);
        world.run(secs(3));
        world.assert_together(&room);
        world.finish();
    }
}

#[test]
fn both_sides_may_hold_and_each_takes_its_own_back() {
    for ours_first in [true, false] {
        let mut world = World::new(Settings::default());
        let room = world.phones_in("2000", 3);
        hold(&mut world, true);
        world.run(secs(1));
        world.phones[room[0]].agent.local.direction = Direction::SendOnly;
        world.reinvite(room[0]);
        world.run(secs(1));
        // Offered sendonly, answered inactive: neither wants to hear.
        assert_eq!(world.phones[room[0]].agent.remote.as_ref().unwrap().direction, Direction::Inactive);
        let status = first(&mut world);
        assert!(status.held && status.on_hold, "{status:?}");
        world.run(secs(100));
        world.assert_talking(&room);
        if ours_first {
            hold(&mut world, false);
            world.run(secs(2));
            // The phone's music is for nobody.
            world.assert_together(&room[1..]);
        }
        world.phones[room[0]].agent.local.direction = Direction::SendRecv;
        world.reinvite(room[0]);
        world.run(secs(2));
        if !ours_first {
            assert_held(&mut world, &room);
            hold(&mut world, false);
        }
        world.run(secs(2));
        world.assert_together(&room);
        world.finish();
    }
}

#[test]
fn holds_that_cross_are_both_settled_in_the_end() {
    for apart in [0, 4, 9] {
        let mut world = World::new(Settings::default());
        let room = world.phones_in("2000", 3);
        world.phones[room[0]].agent.local.direction = Direction::SendOnly;
        // Ours leaves while theirs is on its way, and theirs while ours is.
        world.reinvite(room[0]);
        world.run(ms(apart));
        hold(&mut world, true);
        world.run(secs(1));
        let statuses = world.phones[room[0]].agent.statuses(&Method::Invite);
        assert!(statuses.contains(&491), "{statuses:?}");
        world.run(secs(10));
        assert_done(&world, "is on hold");
        let status = first(&mut world);
        assert!(status.held && status.on_hold, "{apart}: {status:?}");
        world.phones[room[0]].agent.local.direction = Direction::SendRecv;
        world.reinvite(room[0]);
        world.run(secs(1));
        hold(&mut world, false);
        world.run(secs(3));
        world.assert_together(&room);
        world.finish();
    }
}

#[test]
fn who_hangs_up_while_it_is_put_on_hold_is_gone() {
    let mut world = World::new(Settings::default());
    let room = world.phones_in("2000", 2);
    hold(&mut world, true);
    world.run(ms(5));
    world.bye(room[0]);
    world.run(secs(2));
    assert!(
        matches!(world.replies.last(), Some(Reply::Error(why)) if why.detail.contains("ended before the peer answered"))
    );
    assert_ne!(world.phones[room[0]].agent.stage, Stage::Talking);
    world.finish();
}

/// Both directions go on without a gap.
fn assert_smooth(world: &mut World, room: &[usize]) {
    let ear = &world.phones[room[0]].ear;
    assert!(ear.longest_gap <= ms(20) && ear.sequence_breaks == 0, "{:?}", ear.longest_gap);
    world.assert_together(room);
    let counted = world.statistics(room[0]);
    assert_eq!((counted.packets_lost, counted.packets_invalid), (0, 0), "{counted:?}");
}

#[test]
fn a_codec_changed_by_the_peer_leaves_no_gap() {
    let mut world = World::new(Settings::default());
    let room = world.phones_in("2000", 2);
    for codec in [AudioCodec::Pcma, AudioCodec::Pcmu] {
        world.phones[room[0]].ear.forget_gaps();
        world.phones[room[0]].agent.local.codec = codec;
        world.reinvite(room[0]);
        // It may send the new one as soon as its offer is out.
        world.run(ms(100));
        world.phones[room[0]].mouth.switch(tone(room[0]), codec);
        world.run(secs(3));
        assert_smooth(&mut world, &room);
    }
    world.finish();
}

#[test]
fn a_codec_changed_in_the_answer_to_our_offer_leaves_no_gap() {
    let mut world = World::new(Settings::default());
    let room = world.phones_in("2000", 2);
    world.phones[room[0]].ear.forget_gaps();
    world.phones[room[0]].agent.local.codec = AudioCodec::Pcma;
    hold(&mut world, true);
    world.run(ms(100));
    world.phones[room[0]].mouth.switch(tone(room[0]), AudioCodec::Pcma);
    world.run(secs(1));
    hold(&mut world, false);
    world.run(secs(3));
    let ear = &world.phones[room[0]].ear;
    assert!(ear.longest_gap <= ms(20) && ear.sequence_breaks == 0, "{:?}", ear.longest_gap);
    world.assert_together(&room);
    world.finish();
}

#[test]
fn keys_are_understood_under_another_payload_type() {
    let mut world = World::new(Settings::default());
    let anna = world.phone();
    world.dial(anna, "1000");
    world.run(secs(1));
    world.key_and_wait(anna, &RED[..3]);
    world.phones[anna].agent.local.event_payload_type = Some(96);
    world.reinvite(anna);
    world.run(ms(200));
    assert_eq!(world.phones[anna].agent.remote.as_ref().unwrap().event_payload_type, Some(96));
    world.key_and_wait(anna, &format!("{}#", &RED[3..]));
    world.run(secs(3));
    world.assert_logged("PIN accepted: room red");
    world.finish();
}
