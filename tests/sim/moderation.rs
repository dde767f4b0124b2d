//! What an administrator does to calls in progress.

use super::phone::tone;
use super::sounds::NOTICE;
use super::world::{Settings, World, ms, secs};
use partyline::audio::goertzel;
use partyline::gateway::{Audience, Reply, Request};
use partyline::types::Disturbances;

fn names(world: &mut World) -> Vec<String> {
    let Reply::Status(status) = world.ask(Request::Status) else { panic!("a status") };
    status.calls.into_iter().map(|call| call.call).collect()
}

fn done(world: &mut World, request: Request) -> String {
    match world.ask(request) {
        Reply::Done(what) => what,
        other => panic!("{other:?}"),
    }
}

fn refused(world: &mut World, request: Request) -> String {
    match world.ask(request) {
        Reply::Error(why) => why.detail,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_muted_call_is_told_so_hears_the_others_and_is_heard_by_nobody_until_it_is_unmuted() {
    let mut world = World::new(Settings::default());
    let room = world.phones_in("2000", 3);
    let call = names(&mut world).swap_remove(0);
    let mute = |muted| Request::Mute { call: call.clone(), muted };
    assert!(done(&mut world, mute(true)).ends_with("is muted"));
    world.run(ms(1_000));
    assert_eq!(world.prompts(room[0], ms(1_000)), ["muted"]);
    assert!(world.prompts(room[1], ms(1_000)).is_empty(), "the room does not hear of it");
    world.run(ms(1_500));
    assert_eq!(world.tones(room[0]), [room[1], room[2]]);
    world.assert_together(&room[1..]);
    assert!(done(&mut world, mute(true)).ends_with("is muted already"));
    assert!(done(&mut world, mute(false)).ends_with("is no longer muted"));
    world.run(ms(1_000));
    assert_eq!(world.prompts(room[0], ms(1_000)), ["unmuted"]);
    world.run(ms(1_500));
    world.assert_together(&room);
    assert!(refused(&mut world, Request::Mute { call: "call-99".into(), muted: true }).contains("no call"));
    world.finish();
}

#[test]
fn a_gain_is_what_all_others_hear() {
    let mut world = World::new(Settings::default());
    let room = world.phones_in("2000", 3);
    let call = names(&mut world).swap_remove(0);
    let gain = |decibels| Request::SetGain { call: call.clone(), decibels };
    let level = |world: &World, listener: usize, talker: usize| {
        goertzel::tone_dbfs(&world.last(room[listener], secs(1)), 8_000, tone(room[talker]))
    };
    world.run(ms(1_500));
    let before = [level(&world, 1, 0), level(&world, 2, 0), level(&world, 0, 1)];
    for decibels in [-10, 10, 0] {
        assert!(done(&mut world, gain(decibels)).ends_with(&format!("{decibels:+} dB")));
        world.run(ms(1_500));
        let after = [level(&world, 1, 0), level(&world, 2, 0), level(&world, 0, 1)];
        for (at, expected) in [f32::from(decibels), f32::from(decibels), 0.0].into_iter().enumerate() {
            assert!((after[at] - before[at] - expected).abs() < 1.0, "{decibels} dB: {before:?}, {after:?}");
        }
        let Reply::Status(status) = world.ask(Request::Status) else { panic!("a status") };
        assert_eq!(status.calls[0].gain, decibels);
    }
    for wrong in [21, -41] {
        assert!(refused(&mut world, gain(wrong)).contains("-40 to 20 dB"));
    }
    assert!(refused(&mut world, Request::SetGain { call: "call-99".into(), decibels: 1 }).contains("no call"));
    world.finish();
}

#[test]
fn a_room_is_sent_home_by_its_name_and_others_stay() {
    let mut world = World::new(Settings::default());
    let (lobby, other) = (world.phones_in("2000", 3), world.phones_in("3001", 2));
    let sent = done(&mut world, Request::KickRoom { room: "lobby".into() });
    assert_eq!(sent, "3 calls in room lobby hung up");
    world.run(secs(3));
    assert_eq!(world.records.iter().filter(|record| record.cause == partyline::gateway::Cause::Kicked).count(), 3);
    world.assert_together(&other);
    assert!(lobby.len() == 3 && names(&mut world).len() == 2);
    assert!(refused(&mut world, Request::KickRoom { room: "lobby".into() }).contains("nobody in a room"));
    world.finish();
}

#[test]
fn a_prompt_or_a_file_is_played_to_a_room_or_to_one_call_alone() {
    let mut world = World::new(Settings::default());
    let room = world.phones_in("2000", 2);
    let to_room = || Audience::Room("lobby".into());
    assert_eq!(done(&mut world, Request::Play { to: to_room(), sound: "goodbye".into() }), "playing to room lobby");
    world.run(ms(1_500));
    for &phone in &room {
        assert_eq!(world.prompts(phone, ms(1_500)), ["goodbye"]);
    }
    world.assert_talking(&room);
    let call = names(&mut world).swap_remove(0);
    done(&mut world, Request::Play { to: Audience::Call(call), sound: NOTICE.into() });
    world.run(ms(1_000));
    assert_eq!(world.prompts(room[0], ms(1_000)), [NOTICE]);
    assert!(world.prompts(room[1], ms(1_000)).is_empty());
    assert_eq!(refused(&mut world, Request::Play { to: to_room(), sound: "nowhere.wav".into() }), "no nowhere.wav");
    let empty = Audience::Room("red".into());
    assert!(refused(&mut world, Request::Play { to: empty, sound: NOTICE.into() }).contains("nobody in a room"));
    world.finish();
}

#[test]
fn a_text_is_said_sentence_by_sentence_to_a_room_or_to_one_call() {
    let mut world = World::new(Settings::default());
    let room = world.phones_in("2000", 2);
    let to_room = || Audience::Room("lobby".into());
    let said = done(&mut world, Request::Say { to: to_room(), text: "goodbye muted".into() });
    assert_eq!(said, "saying it to room lobby");
    world.run(secs(4));
    assert_eq!(world.prompts(room[0], secs(4)), ["goodbye", "muted"]);
    let call = names(&mut world).swap_remove(0);
    done(&mut world, Request::Say { to: Audience::Call(call), text: "unmuted".into() });
    world.run(secs(2));
    assert_eq!(world.prompts(room[0], secs(2)), ["unmuted"]);
    assert!(world.prompts(room[1], secs(2)).is_empty());
    assert_eq!(
        refused(&mut world, Request::Say { to: to_room(), text: "abracadabra".into() }),
        "nobody can say abracadabra"
    );
    world.finish();
}

#[test]
fn a_text_whose_hearer_hangs_up_is_forgotten() {
    let mut world = World::new(Settings::default());
    world.phones_in("2000", 2);
    done(&mut world, Request::Say { to: Audience::Room("lobby".into()), text: "goodbye muted goodbye".into() });
    done(&mut world, Request::KickRoom { room: "lobby".into() });
    world.run(secs(5));
    world.finish();
}

#[test]
fn what_a_session_plays_to_its_caller_is_not_cut_off_by_an_announcement() {
    let mut world = World::new(Settings::default());
    let anna = world.phone();
    world.dial(anna, "1000");
    world.run(secs(2));
    let call = names(&mut world).swap_remove(0);
    let why = refused(&mut world, Request::Play { to: Audience::Call(call), sound: NOTICE.into() });
    assert!(why.contains("hearing a prompt"), "{why}");
    world.run(secs(1));
    assert_eq!(world.prompts(anna, secs(2)), ["enter-pin"]);
    world.key_and_wait(anna, "482917#");
    world.run(secs(2));
    world.finish();
}

#[test]
fn nobody_is_called_into_a_room_that_is_neither_configured_nor_open_unless_it_is_to_be_made() {
    let mut world = World::new(Settings::default());
    let dial = |create| Request::Dial {
        room: "stand-up".into(),
        number: "+442079460123".into(),
        confirm: Some(false),
        digits: None,
        create,
    };
    let why = refused(&mut world, dial(false));
    assert!(why.contains("no room \"stand-up\"") && why.contains("--create"), "{why}");
    assert!(world.records.is_empty());
    assert!(matches!(world.ask(dial(true)), Reply::Progress(_) | Reply::Error(_)));
    world.run(secs(40));
    assert_eq!(world.records.len(), 1, "this one was tried");
    world.finish();
}

fn members(world: &mut World, room: &str) -> usize {
    let Reply::Status(status) = world.ask(Request::Status) else { panic!("a status") };
    status.rooms.iter().find(|one| one.room == room).map_or(0, |one| one.calls.len())
}

fn made(room: &str, pin: Option<&str>) -> Request {
    let pin = pin.map(str::to_owned);
    Request::MakeRoom {
        room: room.into(),
        pin,
        host_pin: None,
        max_members: None,
        mute: Disturbances::default(),
        replace: false,
    }
}

#[test]
fn a_made_room_is_opened_by_its_pin_until_it_is_taken_away() {
    let mut world = World::new(Settings::default());
    done(&mut world, made("board", Some("90817263")));
    assert!(refused(&mut world, made("board", None)).contains("already"));
    assert!(refused(&mut world, made("red", None)).contains("dialplan"));
    assert!(refused(&mut world, made("other", Some("90817263"))).contains("opens another"));
    assert!(refused(&mut world, made("other", Some("12"))).contains("4 to 16"));
    let anna = world.phone();
    world.dial(anna, "1000");
    world.run(secs(1));
    world.key_and_wait(anna, "90817263#");
    world.run(secs(6));
    assert_eq!(members(&mut world, "board"), 1);
    assert!(refused(&mut world, Request::UnmakeRoom { room: "board".into() }).contains("somebody is in"));
    done(&mut world, Request::KickRoom { room: "board".into() });
    world.run(secs(3));
    done(&mut world, Request::UnmakeRoom { room: "board".into() });
    assert!(refused(&mut world, Request::UnmakeRoom { room: "board".into() }).contains("no room"));
    world.finish();
}

#[test]
fn nobody_comes_into_a_locked_room_and_who_is_in_it_stays() {
    let mut world = World::new(Settings::default());
    let inside = world.phones_in("2000", 2);
    done(&mut world, Request::LockRoom { room: "lobby".into(), locked: true });
    let late = world.phone();
    world.dial(late, "2000");
    world.run(secs(12));
    assert_eq!(members(&mut world, "lobby"), 2);
    assert_eq!(world.records.iter().filter(|record| record.cause.to_string().contains("room-full")).count(), 1);
    world.assert_together(&inside);
    done(&mut world, Request::LockRoom { room: "lobby".into(), locked: false });
    let welcome = world.phone();
    world.dial(welcome, "2000");
    world.run(secs(4));
    assert_eq!(members(&mut world, "lobby"), 3);
    assert!(refused(&mut world, Request::LockRoom { room: "nowhere".into(), locked: true }).contains("no room"));
    done(&mut world, Request::KickRoom { room: "lobby".into() });
    world.run(secs(3));
    world.finish();
}

#[test]
fn a_call_that_is_moved_hears_the_other_room_and_its_own_no_more() {
    let mut world = World::new(Settings::default());
    let (lobby, other) = (world.phones_in("2000", 3), world.phones_in("3001", 2));
    let call = names(&mut world).swap_remove(0);
    let moved = |room: &str| Request::Move { call: call.clone(), room: room.into() };
    assert!(refused(&mut world, moved("nowhere")).contains("no room"));
    assert!(refused(&mut world, moved("lobby")).contains("already"));
    assert!(done(&mut world, moved("3001")).ends_with("is in room 3001"));
    world.run(secs(3));
    world.assert_together(&[lobby[0], other[0], other[1]]);
    world.assert_together(&lobby[1..]);
    assert_eq!((members(&mut world, "lobby"), members(&mut world, "3001")), (2, 3));
    done(&mut world, moved("lobby"));
    world.run(secs(3));
    world.assert_together(&lobby);
    world.finish();
}

#[test]
fn keys_are_pressed_towards_one_call_alone() {
    let mut world = World::new(Settings::default());
    world.phones_in("2000", 2);
    let call = names(&mut world).swap_remove(0);
    let press = |digits: &str| Request::SendDigits { call: call.clone(), digits: digits.into() };
    assert!(done(&mut world, press("12#")).ends_with("is sent the keys"));
    assert!(refused(&mut world, press("12x")).contains("digits are"));
    assert!(refused(&mut world, press("")).contains("digits are"));
    world.run(secs(2));
    world.finish();
}
