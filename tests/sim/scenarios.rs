//! Sessions that run elsewhere, as scenarios do: each test is the scenario.

use super::phone::{End, Stage};
use super::world::{Settings, World, ms, secs};
use partyline::gateway::{Cause, Input, SessionId};
use partyline::session::{
    CallHandle, CallerId, DialCause, DialTarget, Event, PlayItem, PlaybackHandle, ReferTarget, RoomHandle, RoomName,
    Unit, Verb,
};
use partyline::types::Direction;

/// Tables after `[gateway]`: numbers that lead to scenarios.
pub(super) const ROUTES: &str = r#"
[[routes]]
name        = "Desk"
from        = "carrier"
number      = "7000"
scenario    = "Desk"
custom_data = "a word"

[[routes]]
name     = "Fwd"
from     = "sessions"
number   = "conf_[A-Za-z0-9]+"
scenario = "Hall"

[[routes]]
name   = "Shut"
from   = "sessions"
number = "shut"
reject = 403
"#;

pub(super) fn world() -> World {
    World::new(Settings { gateway: ROUTES, ..Settings::default() })
}

/// A phone whose call a scenario has been told of.
pub(super) fn called(world: &mut World) -> (usize, SessionId, CallHandle) {
    let phone = world.phone();
    world.dial(phone, "7000");
    world.run(ms(200));
    let started = world.scenarios.last_mut().expect("a scenario");
    let told = started.take();
    let [Event::Started, Event::Incoming { call, .. }] = told.as_slice() else { panic!("{told:?}") };
    (phone, started.session, *call)
}

#[test]
fn a_scenario_is_told_of_the_call_and_answers_when_it_likes() {
    let mut world = world();
    let phone = world.phone();
    world.phones[phone].agent.carries = vec![("X-Word".into(), "not from everybody".into())];
    world.dial(phone, "7000");
    world.run(secs(5));
    let started = &mut world.scenarios[0];
    assert_eq!((&*started.scenario, &*started.rule, started.over), ("Desk", "Desk", None));
    let (session, told) = (started.session, started.take());
    let [Event::Started, Event::Incoming { call, number, alerting: Some(alerting), .. }] = told.as_slice() else {
        panic!("{told:?}")
    };
    let call = *call;
    assert!(!call.is_own());
    assert_eq!((&**number, &*alerting.to, alerting.headers.len()), ("7000", "7000", 0));
    let (playback, items) = (PlaybackHandle(1), vec![PlayItem::Prompt("goodbye".into())]);
    world.say(session, vec![Verb::Answer { call }]);
    world.run(secs(1));
    assert_eq!(world.scenarios[0].take(), [Event::Answered { call }]);
    world.say(session, vec![Verb::Play { to: Unit::Call(call), playback, items, repeat: false }]);
    world.run(secs(3));
    assert_eq!(world.scenarios[0].take(), [Event::PlaybackFinished { playback, completed: true }]);
    assert_eq!(world.prompts(phone, secs(4)), ["goodbye"]);
    world.say(session, vec![Verb::Hangup { call, cause: "done".into() }, Verb::EndSession]);
    world.run(secs(1));
    world.assert_ended(phone, End::Remote);
    assert_eq!(world.record(phone).cause, Cause::Session("done".into()));
    assert_eq!(world.scenarios[0].over, Some("session ended"));
    world.finish();
}

#[test]
fn a_call_that_a_scenario_makes_can_be_named_at_once() {
    let mut world = world();
    let (_, session, call) = called(&mut world);
    let (made, room) = (CallHandle(1), RoomHandle(1));
    world.say(
        session,
        vec![
            Verb::Answer { call },
            Verb::OpenRoom { room, name: RoomName::Plain("desk".into()) },
            Verb::Dial {
                call: made,
                to: DialTarget::Number("+442079460999".into()),
                caller: CallerId::Trunk,
                timeout: None,
                headers: Vec::new(),
            },
            Verb::Dial {
                call: made,
                to: DialTarget::Number("+442079460999".into()),
                caller: CallerId::Trunk,
                timeout: None,
                headers: Vec::new(),
            },
            Verb::Connect { source: Unit::Call(made), sink: Unit::Room(room) },
        ],
    );
    let told = world.scenarios[0].take();
    assert!(told.contains(&Event::Dialled { call: made, confirm: None }), "{told:?}");
    let failed = |event: &Event| matches!(event, Event::VerbFailed { call: Some(call), .. } if *call == made);
    assert_eq!(told.iter().filter(|event| failed(event)).count(), 2, "a handle twice, and no leg yet: {told:?}");
    world.say(session, vec![Verb::EndSession]);
    world.run(secs(1));
    world.finish();
}

#[test]
fn a_session_whose_scenario_died_hangs_up_its_calls_and_says_why_in_the_log() {
    let mut world = world();
    let (phone, session, call) = called(&mut world);
    world.say(session, vec![Verb::Answer { call }]);
    world.run(secs(1));
    world.input(Input::SessionFailed { session, cause: "Desk.js:3:7: TypeError\n at f".into() });
    world.settle();
    world.run(secs(1));
    world.assert_logged("scenario failed: Desk: Desk.js:3:7: TypeError\n at f");
    world.assert_ended(phone, End::Remote);
    assert_eq!(world.record(phone).cause, Cause::Session("scenario-failed".into()));
    assert_eq!(world.scenarios[0].over, Some("scenario failed"));
    // Who is gone is not heard any more.
    world.say(session, vec![Verb::Answer { call }]);
    world.input(Input::SessionFailed { session, cause: "again".into() });
    world.settle();
    world.finish();
}

#[test]
fn a_scenario_without_calls_ends_after_a_minute_and_an_unanswered_call_too() {
    let mut world = world();
    let (phone, session, call) = called(&mut world);
    world.say(session, vec![Verb::Ring { call }]);
    world.run(secs(58));
    assert_eq!(world.scenarios[0].over, None);
    world.run(secs(3));
    assert_eq!(world.record(phone).status, Some(480));
    let told = world.scenarios[0].take();
    assert!(matches!(told.as_slice(), [Event::Ended { call: ended, .. }] if *ended == call), "{told:?}");
    world.run(secs(58));
    assert_eq!(world.scenarios[0].over, None, "it may call somebody");
    world.run(secs(3));
    assert_eq!(world.scenarios[0].over, Some("no calls for 60 s"));
    world.finish();
}

#[test]
fn a_scenario_that_asks_for_a_thousand_things_at_once_is_ended_and_no_other() {
    let mut world = world();
    let (other, kept, call_kept) = called(&mut world);
    world.say(kept, vec![Verb::Answer { call: call_kept }]);
    let (phone, session, call) = called(&mut world);
    world.say(session, vec![Verb::Ring { call }; 1_000]);
    world.run(ms(100));
    assert_eq!(world.scenarios[1].over, None);
    world.say(session, vec![Verb::Ring { call }; 1_001]);
    world.run(secs(1));
    assert_eq!(world.scenarios[1].over, Some("runaway session"));
    assert!(matches!(world.phones[phone].agent.stage, Stage::Ended(_)));
    world.assert_talking(&[other]);
    world.say(kept, vec![Verb::EndSession]);
    world.run(secs(1));
    world.finish();
}

#[test]
fn what_cannot_be_dialled_fails_under_its_handle_and_the_session_goes_on() {
    let mut world = world();
    let (_, session, call) = called(&mut world);
    let made = CallHandle(5);
    let dial = |call, number: &str| Verb::Dial {
        call,
        to: DialTarget::Number(number.into()),
        caller: CallerId::Of(CallHandle(99)),
        timeout: None,
        headers: Vec::new(),
    };
    world.say(session, vec![Verb::Answer { call }, dial(made, "+999"), dial(CallHandle::FIRST_GIVEN, "+442079460999")]);
    world.run(secs(1));
    let told = world.scenarios[0].take();
    assert!(
        told.iter().any(
            |event| matches!(event, Event::DialFailed { call, cause: DialCause::Refused(_), .. } if *call == made)
        )
    );
    assert!(told.iter().any(|event| matches!(event, Event::VerbFailed { call: Some(CallHandle::FIRST_GIVEN), .. })));
    assert_eq!(world.scenarios[0].over, None);
    world.say(session, vec![Verb::EndSession]);
    world.run(secs(1));
    world.finish();
}

#[test]
fn a_scenario_puts_a_call_on_hold_and_is_told_where_the_caller_does() {
    let mut world = world();
    let (phone, session, call) = called(&mut world);
    let hold = |world: &mut World, on| {
        world.say(session, vec![Verb::Hold { call, on }]);
        world.run(ms(1_500));
        world.scenarios[0].take()
    };
    assert!(matches!(hold(&mut world, true).as_slice(), [Event::VerbFailed { .. }]), "not answered");
    world.say(session, vec![Verb::Answer { call }]);
    world.run(secs(1));
    assert_eq!(world.scenarios[0].take(), [Event::Answered { call }]);
    world.phones[phone].agent.local.direction = Direction::RecvOnly;
    assert_eq!(hold(&mut world, true), []);
    assert_eq!(world.prompts(phone, secs(1)), ["hold"]);
    assert!(matches!(hold(&mut world, true).as_slice(), [Event::VerbFailed { .. }]), "it is so already");
    world.phones[phone].agent.local.direction = Direction::SendRecv;
    assert_eq!(hold(&mut world, false), []);
    assert_eq!(world.prompts(phone, secs(1)), Vec::<&str>::new());
    world.phones[phone].agent.habits.refuses_offers = Some(488);
    assert!(matches!(hold(&mut world, true).as_slice(), [Event::VerbFailed { .. }]), "the phone refuses it");
    world.phones[phone].agent.habits.refuses_offers = None;
    for (direction, on) in [(Direction::SendOnly, true), (Direction::SendRecv, false)] {
        world.phones[phone].agent.local.direction = direction;
        world.act(phone, |agent, now| agent.reinvite(now));
        world.run(secs(1));
        assert_eq!(world.scenarios[0].take(), [Event::Held { call, on }]);
    }
    world.say(session, vec![Verb::EndSession]);
    world.run(secs(1));
    world.finish();
}

#[test]
fn a_scenario_sends_a_call_away_or_is_told_why_not() {
    let mut world = World::new(Settings { gateway: ROUTES, carrier: "refer = true", ..Settings::default() });
    let (phone, session, call) = called(&mut world);
    world.say(session, vec![Verb::Answer { call }]);
    world.run(secs(1));
    world.scenarios[0].take();
    let refer = |world: &mut World, to: &str| {
        world.say(session, vec![Verb::Refer { call, to: ReferTarget::Number(to.into()) }]);
        world.run(secs(1));
        match world.scenarios[0].take().as_slice() {
            [] => None,
            [Event::Referred { call: told, status, .. }] if *told == call => Some(*status),
            other => panic!("{other:?}"),
        }
    };
    const OFFICE: &str = "+442079460123";
    assert_eq!(refer(&mut world, "999"), Some(403), "emergency numbers are never called");
    world.phones[phone].agent.takes_refer = 603;
    assert_eq!(refer(&mut world, OFFICE), Some(603));
    world.phones[phone].agent.takes_refer = 202;
    assert_eq!(refer(&mut world, OFFICE), None);
    world.assert_talking(&[phone]);
    world.act(phone, |agent, now| agent.notify(now, "refer", "terminated;reason=noresource", "SIP/2.0 200 OK\r\n"));
    world.run(secs(1));
    let told = world.scenarios[0].take();
    assert!(
        matches!(told.as_slice(), [Event::Referred { status: 200, .. }, Event::Ended { call: ended, .. }] if *ended == call),
        "{told:?}"
    );
    world.assert_ended(phone, End::Remote);
    assert_eq!(world.record(phone).cause, Cause::Transferred(OFFICE.into()));
    world.say(session, vec![Verb::EndSession]);
    world.run(secs(1));
    world.finish();
}
