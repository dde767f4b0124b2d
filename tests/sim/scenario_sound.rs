//! What scenarios are told of the sound of their calls, what they play, and whom they hand calls over to.

use super::phone::{End, says};
use super::scenarios::{ROUTES, called, world};
use super::world::{Settings, World, ms, secs};
use partyline::dialplan::{SoundSource, SoundUrl};
use partyline::gateway::{Cause, SessionId};
use partyline::session::{
    CallHandle, CallerId, DialTarget, Event, PlayItem, PlaybackHandle, ReferTarget, RoomHandle, RoomName, Unit, Verb,
};
use partyline::sip::message::{HeaderName as H, Method, NameAddr, Replaces};
use std::time::Duration;

const PLAYBACK: PlaybackHandle = PlaybackHandle(1);

/// A phone that talks with a scenario, which has been told of that.
fn talking(world: &mut World) -> (usize, SessionId, CallHandle) {
    let (phone, session, call) = called(world);
    world.say(session, vec![Verb::Answer { call }]);
    world.run(secs(1));
    (phone, session, call)
}

fn play(call: CallHandle, item: PlayItem) -> Verb {
    Verb::Play { to: Unit::Call(call), playback: PLAYBACK, items: vec![item], repeat: false }
}

fn url(name: &str) -> PlayItem {
    PlayItem::File(SoundSource::Url(SoundUrl::read(&format!("https://example.com/{name}?a=b")).unwrap()))
}

fn finish(mut world: World, session: SessionId) {
    world.say(session, vec![Verb::EndSession]);
    world.run(secs(1));
    world.finish();
}

#[test]
fn the_first_packet_of_a_call_is_told_once_and_so_is_its_silence() {
    let mut world = world();
    let (phone, session, call) = talking(&mut world);
    let told = world.scenarios[0].take_all();
    assert_eq!(told.len(), 2, "{told:?}");
    assert!(told.contains(&Event::Answered { call }) && told.contains(&Event::FirstPacket { call }), "{told:?}");
    world.run(secs(5));
    assert_eq!(world.scenarios[0].take_all(), []);
    world.phones[phone].gone = true;
    world.run(secs(65));
    let told = world.scenarios[0].take_all();
    assert!(
        matches!(told.as_slice(), [Event::SoundStopped { call: of }, Event::Ended { .. }] if *of == call),
        "{told:?}"
    );
    assert_eq!(world.record(phone).cause, Cause::MediaTimeout);
    finish(world, session);
}

#[test]
fn a_playback_begins_with_its_length_and_a_url_that_nobody_knew_is_fetched_for_it() {
    let mut world = world();
    let (phone, session, call) = talking(&mut world);
    let ended = Event::PlaybackFinished { playback: PLAYBACK, completed: true };
    let begun = Event::PlaybackStarted { playback: PLAYBACK, length: Some(secs(1)) };
    for item in [PlayItem::Prompt("goodbye".into()), url("goodbye")] {
        world.scenarios[0].take_all();
        world.say(session, vec![play(call, item)]);
        world.run(ms(500));
        assert_eq!(world.scenarios[0].take_all(), std::slice::from_ref(&begun));
        world.run(secs(2));
        assert_eq!(world.scenarios[0].take_all(), std::slice::from_ref(&ended));
        assert_eq!(world.prompts(phone, secs(3)), ["goodbye"]);
    }
    world.say(session, vec![play(call, PlayItem::Silence(Duration::from_millis(40)))]);
    world.run(secs(1));
    let short = Event::PlaybackStarted { playback: PLAYBACK, length: Some(ms(40)) };
    assert_eq!(world.scenarios[0].take_all(), [short, ended]);
    world.say(session, vec![play(call, url("nothing"))]);
    world.run(secs(1));
    let told = world.scenarios[0].take_all();
    assert!(
        matches!(told.as_slice(), [Event::VerbFailed { call: Some(of), error }] if *of == call
        && error.to_string().contains("https://example.com/nothing")),
        "{told:?}"
    );
    world.assert_logged("sound not fetched");
    finish(world, session);
}

#[test]
fn a_scenario_has_twenty_sounds_fetched_at_once_at_most() {
    let mut world = world();
    let (_, session, _) = talking(&mut world);
    world.scenarios[0].take();
    let room = RoomHandle(1);
    world.say(session, vec![Verb::OpenRoom { room, name: RoomName::Own }]);
    world.holds_sounds = true;
    let play = |n| Verb::Play {
        to: Unit::Room(room),
        playback: PlaybackHandle(n),
        items: vec![url("goodbye")],
        repeat: false,
    };
    world.say(session, (1..=21).map(play).collect());
    world.run(secs(1));
    let told = world.scenarios[0].take();
    assert!(
        matches!(told.as_slice(), [Event::VerbFailed { error, .. }] if error.to_string().contains("20 sounds")),
        "{told:?}"
    );
    // Whose player is gone makes room.
    world.say(session, vec![Verb::StopPlayback { playback: PlaybackHandle(3) }]);
    world.run(secs(1));
    world.say(session, vec![play(30)]);
    world.run(secs(1));
    assert!(!world.scenarios[0].take().iter().any(|event| matches!(event, Event::VerbFailed { .. })));
    finish(world, session);
}

#[test]
fn a_playback_waits_where_it_is_and_goes_on_from_there() {
    let mut world = world();
    let (phone, session, call) = talking(&mut world);
    let pause = |on| Verb::PausePlayback { playback: PLAYBACK, on };
    world.say(session, vec![play(call, PlayItem::Prompt("press-one".into()))]);
    world.run(ms(800));
    world.say(session, vec![pause(true)]);
    world.run(secs(5));
    assert!(!world.scenarios[0].take().iter().any(|event| matches!(event, Event::PlaybackFinished { .. })));
    assert!(world.prompts(phone, secs(4)).is_empty(), "silence");
    world.say(session, vec![pause(false)]);
    world.run(secs(1));
    assert_eq!(world.scenarios[0].take(), [], "it has 1.2 s left");
    assert_eq!(world.prompts(phone, ms(900)), ["press-one"]);
    world.run(ms(500));
    assert_eq!(world.scenarios[0].take(), [Event::PlaybackFinished { playback: PLAYBACK, completed: true }]);
    world.say(session, vec![pause(true)]);
    world.run(ms(100));
    assert!(matches!(world.scenarios[0].take().as_slice(), [Event::VerbFailed { call: None, .. }]), "it is over");
    finish(world, session);
}

#[test]
fn what_a_conference_could_not_be_connected_to_is_told() {
    let mut world = world();
    let (_, session, _) = talking(&mut world);
    world.scenarios[0].take();
    let rooms = [RoomHandle(1), RoomHandle(2)];
    let link = |from: usize, to: usize| Verb::Connect { source: Unit::Room(rooms[from]), sink: Unit::Room(rooms[to]) };
    let open = rooms.map(|room| Verb::OpenRoom { room, name: RoomName::Own });
    world.say(session, [&open[..], &[link(0, 1), link(1, 0)]].concat());
    world.run(secs(1));
    let told = world.scenarios[0].take();
    assert!(matches!(told.as_slice(), [Event::RoomFailed { why, .. }] if why.contains("cycle")), "{told:?}");
    world.say(session, vec![Verb::Connect { source: Unit::Call(CallHandle(77)), sink: Unit::Room(rooms[0]) }]);
    world.run(secs(1));
    let told = world.scenarios[0].take();
    assert!(
        matches!(told.as_slice(), [Event::RoomFailed { room, .. }, Event::VerbFailed { .. }] if *room == rooms[0]),
        "{told:?}"
    );
    finish(world, session);
}

/// A trunk that calls us from one address, and is called at another.
const PAIR: &str = r#"
[trunks.pair]
address = ["100.64.0.7"]
allow   = ["100.64.0.7", "100.64.0.9"]
media   = ["100.64.0.0/24"]
ping    = "off"
refer   = true

[[routes]]
name     = "PairDesk"
from     = "pair"
number   = "7000"
scenario = "Desk"

[[routes]]
name   = "PairOut"
from   = "sessions"
number = '\+4930\d+'
trunk  = "pair"
"#;

#[test]
fn two_calls_of_a_trunk_are_handed_to_each_other() {
    const BERLIN: &str = "+4930123456";
    let gateway = format!("{ROUTES}{PAIR}").leak();
    let mut world = World::new(Settings { gateway, ..Settings::default() });
    let anna = world.far_end(9, vec![]);
    let office = world.far_end(7, vec![says(100, 180), says(500, 200)]);
    world.dial(anna, "7000");
    world.run(ms(200));
    let session = world.scenarios[0].session;
    let told = world.scenarios[0].take();
    let [Event::Started, Event::Incoming { call, .. }] = told.as_slice() else { panic!("{told:?}") };
    let (call, made) = (*call, CallHandle(1));
    let dial = Verb::Dial {
        call: made,
        to: DialTarget::Number(BERLIN.into()),
        caller: CallerId::Trunk,
        timeout: None,
        headers: Vec::new(),
    };
    world.say(session, vec![Verb::Answer { call }, dial]);
    world.run(secs(2));
    let told = world.scenarios[0].take();
    assert!(told.contains(&Event::Answered { call: made }), "{told:?}");
    world.say(session, vec![Verb::Refer { call, to: ReferTarget::Call(made, BERLIN.into()) }]);
    world.run(ms(500));
    let refer = world.phones[anna].agent.last_request(&Method::Refer).expect("a REFER");
    let target = NameAddr::parse(&refer.headers.texts(&H::ReferTo).next().unwrap().to_string().into()).unwrap();
    assert_eq!(target.uri.host.to_string(), "100.64.0.7", "{target}");
    let replaces = Replaces::in_refer_to(&target).expect("a Replaces").unwrap();
    let ack = world.phones[office].agent.last_request(&Method::Ack).unwrap();
    let text = |name| ack.headers.texts(&name).next().unwrap().to_string();
    assert_eq!(*replaces.call_id, *text(H::CallId));
    assert!(text(H::To).ends_with(&format!("tag={}", replaces.to_tag)), "{replaces}");
    assert!(text(H::From).ends_with(&format!("tag={}", replaces.from_tag)), "{replaces}");
    world.act(anna, |agent, now| agent.notify(now, "refer", "terminated;reason=noresource", "SIP/2.0 200 OK\r\n"));
    world.run(secs(1));
    let told = world.scenarios[0].take();
    assert!(
        matches!(told.as_slice(), [Event::Referred { status: 200, .. }, Event::Ended { call: ended, .. }] if *ended == call),
        "{told:?}"
    );
    world.assert_ended(anna, End::Remote);
    finish(world, session);
}

#[test]
fn a_call_of_another_trunk_is_handed_over_by_its_number() {
    const OFFICE: &str = "+442079460123";
    let mut world = World::new(Settings { gateway: ROUTES, carrier: "refer = true", ..Settings::default() });
    world.far_end(1, vec![says(100, 180), says(200, 200)]);
    let (phone, session, call) = talking(&mut world);
    let made = CallHandle(1);
    let dial = Verb::Dial {
        call: made,
        to: DialTarget::Number(OFFICE.into()),
        caller: CallerId::Trunk,
        timeout: None,
        headers: Vec::new(),
    };
    world.say(session, vec![dial]);
    world.run(secs(2));
    world.say(session, vec![Verb::Refer { call, to: ReferTarget::Call(made, OFFICE.into()) }]);
    world.run(ms(500));
    let refer = world.phones[phone].agent.last_request(&Method::Refer).expect("a REFER");
    assert_eq!(refer.headers.texts(&H::ReferTo).next().unwrap().to_string(), format!("<sip:{OFFICE}@198.51.100.11>"));
    world.say(session, vec![Verb::Refer { call: made, to: ReferTarget::Call(call, "999".into()) }]);
    world.run(ms(500));
    let told = world.scenarios[0].take();
    assert!(
        told.iter().any(|event| matches!(event, Event::Referred { call, status: 403, .. } if *call == made)),
        "{told:?}"
    );
    finish(world, session);
}
