//! Calls between sessions: a telephone's scenario joins the session of a conference.

use super::scenarios::{called, world};
use super::world::{Settings, World, ms, secs};
use partyline::gateway::{Reply, Request, SessionId};
use partyline::session::{
    CallHandle, DialCause, Event, Party, PlayItem, PlaybackHandle, RoomHandle, RoomName, Unit, Verb,
};

const JOIN: CallHandle = CallHandle(1);
const ROOM: RoomHandle = RoomHandle(1);

fn join(to: &str) -> Verb {
    let from = Party { number: "+442079460111".into(), name: Some("Anna".into()) };
    let headers = vec![("X-ClientType".into(), "pstn".into()), ("P-Asserted-Identity".into(), "nobody".into())];
    Verb::Join { call: JOIN, to: to.into(), from, headers }
}

fn both(one: Unit, other: Unit) -> Vec<Verb> {
    vec![Verb::Connect { source: one, sink: other }, Verb::Connect { source: other, sink: one }]
}

/// A telephone whose scenario has joined a conference, which has not answered: the telephone, its session and call, the
/// conference's session and its half.
fn joining(world: &mut World, to: &str) -> (usize, SessionId, CallHandle, SessionId, CallHandle) {
    let (phone, session, call) = called(world);
    world.say(session, vec![Verb::Answer { call }, join(to)]);
    world.run(secs(1));
    let hall = world.scenarios.iter_mut().find(|started| started.scenario == "Hall" && started.over.is_none());
    let hall = hall.expect("the conference");
    let told = hall.take();
    let half = told.iter().find_map(|event| if let Event::Incoming { call, .. } = event { Some(*call) } else { None });
    (phone, session, call, hall.session, half.expect("the half of a join"))
}

fn told(world: &mut World, session: SessionId) -> Vec<Event> {
    world.scenarios.iter_mut().find(|started| started.session == session).expect("it").take()
}

#[test]
fn telephones_of_sessions_of_their_own_hear_each_other_in_a_conference() {
    let mut world = world();
    let mut phones = Vec::new();
    for n in 0..2 {
        let (phone, session, call, hall, half) = joining(&mut world, "conf_1");
        let room = (n == 0).then_some(Verb::OpenRoom { room: ROOM, name: RoomName::Own });
        // In whatever order the two connect.
        let mut verbs: Vec<Verb> = room.into_iter().chain([Verb::Answer { call: half }]).collect();
        verbs.extend(both(Unit::Call(half), Unit::Room(ROOM)));
        let near = both(Unit::Call(call), Unit::Call(JOIN));
        if n == 0 {
            world.say(session, near);
            world.say(hall, verbs);
        } else {
            world.say(hall, verbs);
            world.say(session, near);
        }
        world.run(secs(1));
        let told = told(&mut world, session);
        assert!(told.contains(&Event::Answered { call: JOIN }), "{told:?}");
        phones.push((phone, session));
    }
    assert_eq!(
        world.scenarios.iter().filter(|started| started.scenario == "Hall").count(),
        1,
        "one for the conference"
    );
    world.run(secs(2));
    world.assert_together(&[phones[0].0, phones[1].0]);
    let Reply::Status(status) = world.ask(Request::Status) else { panic!("no status") };
    assert_eq!(status.calls.iter().filter(|call| call.route == "Fwd" && call.state == "answered").count(), 4);
    assert_eq!(world.gateway.call_count(), 2, "halves are no calls");
    // One hangs up: its half goes with its session, and the other stays.
    world.bye(phones[0].0);
    world.run(secs(1));
    world.say(phones[0].1, vec![Verb::EndSession]);
    world.run(secs(2));
    world.assert_talking(&[phones[1].0]);
    assert!(world.tones(phones[1].0).is_empty());
    world.say(phones[1].1, vec![Verb::EndSession]);
    world.run(secs(61));
    let hall = world.scenarios.iter().find(|started| started.scenario == "Hall").unwrap();
    assert_eq!(hall.over, Some("no calls for 60 s"));
    assert_eq!(world.records.len(), 2, "no half leaves a record");
    world.finish();
}

#[test]
fn what_passes_between_the_halves() {
    let mut world = world();
    let (phone, session, call, hall, half) = joining(&mut world, "conf_2");
    world.say(hall, vec![Verb::Ring { call: half }, Verb::Answer { call: half }]);
    let told_near = told(&mut world, session);
    assert!(told_near.iter().any(|event| matches!(event, Event::Ringing { call: JOIN, .. })), "{told_near:?}");
    world.say(
        session,
        vec![
            Verb::SendDigits { call: JOIN, digits: "1#".into() },
            Verb::SendMessage { call: JOIN, text: "hello".into() },
        ],
    );
    let headers = vec![("X-Word".to_owned(), "a".to_owned()), ("Subject".to_owned(), "b".to_owned())];
    let info = Verb::SendInfo { call: half, content_type: "application/x".into(), headers, body: "{}".into() };
    world.say(hall, vec![info]);
    let at_hall = told(&mut world, hall);
    let digit = |digit| Event::Digit { call: half, digit };
    let message = Event::Message { call: half, text: "hello".into() };
    assert!(
        [Event::Answered { call: half }, digit('1'), digit('#'), message].iter().all(|event| at_hall.contains(event))
    );
    let headers = vec![("X-Word".to_owned(), "a".to_owned())];
    let info = Event::Info { call: JOIN, content_type: "application/x".into(), headers, body: "{}".into() };
    assert!(told(&mut world, session).contains(&info));
    // What the conference plays to its half, the telephone hears that hears the other.
    world.say(session, vec![Verb::Connect { source: Unit::Call(JOIN), sink: Unit::Call(call) }]);
    let items = vec![PlayItem::Prompt("goodbye".into())];
    world.say(hall, vec![Verb::Play { to: Unit::Call(half), playback: PlaybackHandle(1), items, repeat: false }]);
    world.run(secs(3));
    assert_eq!(world.prompts(phone, secs(3)), ["goodbye"]);
    assert!(told(&mut world, hall).contains(&Event::PlaybackFinished { playback: PlaybackHandle(1), completed: true }));
    // Too long, and too many.
    world.say(session, vec![Verb::SendMessage { call: JOIN, text: "x".repeat(8 * 1_024 + 1) }]);
    world.say(session, vec![Verb::SendMessage { call: JOIN, text: "x".into() }; 50]);
    let refused = |event: &Event| matches!(event, Event::VerbFailed { call: Some(JOIN), .. });
    assert!(told(&mut world, session).iter().filter(|event| refused(event)).count() > 10);
    let passed = told(&mut world, hall).iter().filter(|event| matches!(event, Event::Message { .. })).count();
    assert!((30..=40).contains(&passed), "{passed} of a burst");
    world.say(hall, vec![Verb::Hangup { call: half, cause: "enough".into() }]);
    let over = told(&mut world, session);
    assert!(
        over.iter().any(|event| matches!(event, Event::Ended { call: JOIN, ending } if ending.by_peer)),
        "{over:?}"
    );
    world.say(session, vec![Verb::EndSession]);
    world.say(hall, vec![Verb::EndSession]);
    world.run(secs(1));
    world.finish();
}

#[test]
fn a_join_that_is_refused_fails_with_its_status_or_the_rules_that_missed() {
    let mut world = world();
    let (_, session, _, hall, half) = joining(&mut world, "conf_3");
    told(&mut world, session);
    world.say(hall, vec![Verb::Reject { call: half, status: 486 }, Verb::EndSession]);
    let failed = Event::DialFailed { call: JOIN, cause: DialCause::Busy, status: 486 };
    assert_eq!(told(&mut world, session), [failed]);
    for (to, words) in [
        ("elsewhere", "no route matches: Desk (takes no calls from there), Fwd (is for another number)"),
        ("shut", "route Shut leads to no scenario"),
        ("", "a conference has a name"),
    ] {
        world.say(session, vec![join(to)]);
        let told = told(&mut world, session);
        let [Event::DialFailed { call: JOIN, cause: DialCause::Refused(rule), .. }] = told.as_slice() else {
            panic!("{to}: {told:?}")
        };
        assert!(rule.starts_with(words), "{to}: {rule}");
    }
    world.assert_logged("not placed: call to elsewhere: no route matches");
    // One that nobody answers in time.
    world.say(session, vec![join("conf_3")]);
    world.run(secs(61));
    let told = told(&mut world, session);
    assert!(told.contains(&Event::DialFailed { call: JOIN, cause: DialCause::NoAnswer, status: 408 }), "{told:?}");
    world.say(session, vec![Verb::EndSession]);
    world.run(secs(62));
    world.finish();
}

#[test]
fn sessions_that_start_one_another_come_to_an_end() {
    let mut world = world();
    let (_, mut session, call) = called(&mut world);
    world.say(session, vec![Verb::Answer { call }]);
    let mut started = 1;
    for n in 0..20 {
        world.say(session, vec![join(&format!("conf_{n}"))]);
        let last = world.scenarios.last().unwrap();
        if last.session == session {
            break;
        }
        session = last.session;
        started += 1;
    }
    assert_eq!(started, 9, "eight in a row behind the first");
    let first = world.scenarios[0].session;
    world.say(first, vec![Verb::EndSession]);
    world.run(secs(150));
    assert!(world.scenarios.iter().all(|started| started.over.is_some()));
    world.finish();
}

#[test]
fn a_join_that_waits_for_its_turn_is_one_of_the_caller_and_may_be_given_up() {
    const OF_ROOMS: &str = r#"
pin_budget = 1

[rooms.420042]
invited_call = "joinconf"

[[routes]]
name     = "Desk"
from     = "carrier"
number   = "7000"
scenario = "Desk"

[[routes]]
name     = "Desk of users"
from     = "users"
number   = "joinconf"
scenario = "Desk"

[[routes]]
name     = "Fwd"
from     = "sessions"
number   = "conf_[0-9]+"
for_room = "conf_{room}"
scenario = "Hall"

[[routes]]
name   = "Rest"
from   = "sessions"
number = "conf_.*"
reject = 404
"#;
    let mut world = World::new(Settings { gateway: OF_ROOMS, ..Settings::default() });
    for pin in ["410041", "420042", "430043"] {
        world.remember_pin(pin);
    }
    let (phone, session, call) = called(&mut world);
    let failed = |call, cause: DialCause, status| Event::DialFailed { call, cause, status };
    // The first spends the budget, the next one has the turn that is there, and then there is none for three seconds.
    world.say(session, vec![Verb::Answer { call }, join("conf_410041")]);
    world.run(ms(100));
    let heard = told(&mut world, session);
    let is_refused = |event: &Event| {
        matches!(event, Event::DialFailed { call: JOIN, cause: DialCause::Refused(why), status: 404 }
        if why.contains("Rest leads to no scenario"))
    };
    assert!(heard.iter().any(is_refused), "{heard:?}");
    world.say(session, vec![join("conf_410041")]);
    world.run(ms(100));
    told(&mut world, session);
    let other = CallHandle(2);
    let Verb::Join { to, from, headers, .. } = join("conf_420042") else { unreachable!() };
    world.say(session, vec![join("conf_420042"), Verb::Join { call: other, to, from, headers }]);
    world.run(ms(100));
    assert_eq!(told(&mut world, session), [failed(other, DialCause::NoAnswer, 480)], "one at a time");
    world.say(session, vec![Verb::Hangup { call: JOIN, cause: "no more".into() }]);
    world.run(secs(10));
    assert_eq!(told(&mut world, session), [failed(JOIN, DialCause::GivenUp, 487)]);
    assert!(world.scenarios.iter().all(|started| started.scenario != "Hall"));
    // The turn of who asks again comes; what is wanted of the call until then is done when it is there.
    world.say(session, vec![join("conf_410041")]);
    let message = Verb::SendMessage { call: JOIN, text: "hello".into() };
    world.say(session, [vec![join("conf_420042"), message], both(Unit::Call(call), Unit::Call(JOIN))].concat());
    world.run(secs(4));
    let heard = told(&mut world, session);
    assert!(!heard.iter().any(|event| matches!(event, Event::VerbFailed { .. })), "{heard:?}");
    let hall = world.scenarios.iter_mut().find(|started| started.scenario == "Hall").expect("the conference");
    let (hall, heard_there) = (hall.session, hall.take());
    let half = heard_there.iter().find_map(|event| match event {
        Event::Incoming { call, .. } => Some(*call),
        _ => None,
    });
    let half = half.expect("the half of a join");
    assert!(heard_there.contains(&Event::Message { call: half, text: "hello".into() }), "{heard_there:?}");
    world.say(hall, vec![Verb::Answer { call: half }]);
    world.run(ms(100));
    // What a session finds out that was called by another counts as the caller's, too.
    let Verb::Join { from, headers, .. } = join("") else { unreachable!() };
    world.say(hall, vec![Verb::Join { call: other, to: "conf_430043".into(), from, headers }]);
    world.run(secs(4));
    assert!(told(&mut world, hall).iter().any(|event| matches!(event, Event::DialFailed { status: 404, .. })));
    assert!(heard.contains(&Event::Dialled { call: JOIN, confirm: Some(false) }), "{heard:?}");
    assert!(world.scenarios.iter().any(|started| started.scenario == "Hall"));
    world.bye(phone);
    world.run(secs(1));
    assert_eq!(world.record(phone).keyed.wrong_pins, 4);
    world.say(session, vec![Verb::EndSession]);
    world.run(secs(70));
    world.finish();
}
