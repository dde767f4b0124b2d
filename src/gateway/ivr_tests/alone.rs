//! What somebody hears who is alone in a room, who comes in, and who is sent out.

use super::desk::Desk;
use super::{CARRIER, dialplan, secs};
use crate::gateway::{Audience, Cause, Reply, Request};
use crate::types::{CallId, RoomId};

fn desk(alone: &str) -> Desk {
    let room = if alone.is_empty() { String::new() } else { format!("[rooms.lobby]\nalone = \"{alone}\"\n") };
    let lobby = "[[routes]]\nname = \"Lobby\"\nfrom = \"carrier\"\nnumber = \"2000\"\nroom = \"lobby\"\n";
    Desk::new(&dialplan("collect = {}\nthen = { room = \"by-pin\" }", &format!("{room}{lobby}")))
}

/// What sounds in the one room, comings and goings left out.
fn sounding(desk: &Desk) -> Vec<&str> {
    let rooms: Vec<RoomId> = desk.sounded.keys().copied().collect();
    let sounds = rooms.iter().flat_map(|room| desk.playing_in(*room));
    sounds.filter(|name| !matches!(*name, "tone join" | "tone leave")).collect()
}

fn comes(desk: &mut Desk, number: u32) -> CallId {
    let call = desk.call(CARRIER, &format!("+44207946{number:04}"), "2000");
    desk.run(secs(3));
    call
}

#[test]
fn whoever_is_alone_hears_a_tone_or_music_until_another_comes_and_again_afterwards() {
    let own = "music\"\nmusic = \"lobby.mp3";
    for (setting, sound) in
        [("", "tone alone"), ("tone", "tone alone"), ("music", "tone hold"), (own, "file lobby.mp3")]
    {
        let mut desk = desk(setting);
        comes(&mut desk, 1);
        desk.run(secs(100));
        assert_eq!(sounding(&desk), [sound], "{setting}");
        for _ in 0..3 {
            let ben = comes(&mut desk, 2);
            assert!(sounding(&desk).is_empty(), "{setting}");
            let cleo = comes(&mut desk, 3);
            desk.hang_up(ben);
            desk.run(secs(3));
            assert!(sounding(&desk).is_empty(), "{setting}");
            desk.hang_up(cleo);
            desk.run(secs(3));
            assert_eq!(sounding(&desk), [sound], "{setting}");
        }
    }
}

#[test]
fn alone_in_silence_nothing_is_played() {
    let mut desk = desk("silence");
    comes(&mut desk, 1);
    desk.run(secs(100));
    assert!(desk.sounded.is_empty(), "{:?}", desk.sounded);
}

#[test]
fn nothing_is_left_of_the_sound_when_the_last_one_goes() {
    let mut desk = desk("music");
    let anna = comes(&mut desk, 1);
    assert_eq!(sounding(&desk), ["tone hold"]);
    desk.hang_up(anna);
    desk.run(secs(60));
    assert!(sounding(&desk).is_empty());
    assert!(desk.gateway.is_idle());
}

#[test]
fn a_comer_hears_that_the_room_comes_next_before_being_in() {
    let mut desk = desk("");
    for number in 1..3 {
        let call = desk.call(CARRIER, &format!("+44207946{number:04}"), "1000");
        desk.run(secs(3));
        desk.key(call, "482917#");
        assert_eq!(desk.heard_by(call).last(), Some(&"joining"));
        let members = |desk: &mut Desk| desk.status().rooms.first().map_or(0, |room| room.calls.len());
        assert_eq!(members(&mut desk), number - 1, "not in yet");
        desk.run(secs(2));
        assert_eq!(members(&mut desk), number);
    }
}

#[test]
fn whoever_is_kicked_hears_so_outside_the_room_and_is_hung_up() {
    let mut desk = desk("");
    let (anna, ben, cleo) = (comes(&mut desk, 1), comes(&mut desk, 2), comes(&mut desk, 3));
    assert!(matches!(desk.ask(Request::Kick { call: ben.to_string() }), Reply::Done(_)));
    assert_eq!(desk.heard_by(ben).last(), Some(&"removed"));
    assert_eq!(desk.status().rooms[0].calls, [anna.to_string(), cleo.to_string()]);
    assert!(!desk.ended.contains(&ben));
    desk.run(secs(3));
    assert!(desk.ended.contains(&ben));
    // Whoever hangs up meanwhile was kicked all the same; a second kick waits for no word.
    desk.ask(Request::Kick { call: cleo.to_string() });
    desk.hang_up(cleo);
    desk.ask(Request::KickRoom { room: "lobby".into() });
    assert_eq!(desk.heard_by(anna).last(), Some(&"conference-ended"));
    desk.ask(Request::Kick { call: anna.to_string() });
    assert!(desk.ended.contains(&anna));
    desk.run(secs(60));
    assert_eq!(desk.records.iter().filter(|record| record.cause == Cause::Kicked).count(), 3);
    assert!(desk.gateway.is_idle());
}

#[test]
fn whoever_is_kicked_out_of_no_room_is_hung_up_at_once() {
    let mut desk = desk("");
    let call = desk.call(CARRIER, "+442079460001", "1000");
    desk.ask(Request::Kick { call: call.to_string() });
    assert!(desk.ended.contains(&call));
}

#[test]
fn an_administrators_prompt_is_in_the_language_of_the_call() {
    let french = "[[routes]]\nname = \"French\"\nfrom = \"carrier\"\nnumber = \"2000\"\nroom = \"lobby\"\n\
                  language = \"fr-FR\"\n";
    let mut desk = Desk::new(&dialplan("collect = {}\nthen = { room = \"by-pin\" }", french));
    let call = comes(&mut desk, 1);
    desk.run(secs(10));
    let to = Audience::Call(call.to_string());
    assert!(matches!(desk.ask(Request::Play { to, sound: "goodbye".into() }), Reply::Done(_)));
    assert_eq!(desk.heard_by(call).last(), Some(&"fr-FR goodbye"));
}
