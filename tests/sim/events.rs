//! The gateway's events. [`assert_complete`] looks at those of every scenario when it ends.

use super::phone::says;
use super::world::{Settings, World, secs};
use partyline::gateway::{Cause, Event, Way};
use partyline::types::CallId;
use std::collections::{BTreeMap, BTreeSet};

/// Each call starts, then is answered at most once, joins and leaves rooms, and ends outside of all: nothing twice,
/// nothing after its end.
pub(super) fn assert_complete(events: &[Event]) {
    let (mut rooms, mut answered): (BTreeMap<CallId, BTreeSet<&str>>, BTreeSet<CallId>) = Default::default();
    let mut ended = BTreeSet::new();
    for event in events {
        let of = |call: &CallId| assert!(rooms.contains_key(call), "{event:?}: this call has not started, or is over");
        match event {
            Event::CallStarted { call, .. } => {
                assert!(!ended.contains(call), "{event:?} after its end");
                assert_eq!(rooms.insert(*call, BTreeSet::new()), None, "{event:?} twice");
            }
            Event::CallAnswered { call } => {
                of(call);
                assert!(answered.insert(*call), "{event:?} twice");
            }
            Event::RoomJoined { call, room, .. } => {
                of(call);
                assert!(rooms.get_mut(call).is_some_and(|joined| joined.insert(room)), "{event:?} twice");
            }
            Event::RoomLeft { call, room, .. } => {
                of(call);
                assert!(rooms.get_mut(call).is_some_and(|joined| joined.remove(room.as_str())), "{event:?}: not in it");
            }
            Event::CallEnded { call, talk_ms, .. } => {
                of(call);
                assert_eq!(rooms.remove(call), Some(BTreeSet::new()), "{event:?} in a room");
                assert!(*talk_ms == 0 || answered.contains(call), "{event:?} without an answer");
                ended.insert(*call);
            }
            _ => {}
        }
    }
    assert!(rooms.is_empty(), "calls without an end: {rooms:?}");
}

fn names(events: &[Event]) -> Vec<String> {
    events.iter().map(|event| serde_json::to_value(event).unwrap()["event"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn a_call_has_events_from_its_start_to_its_end() {
    let mut world = World::new(Settings::default());
    let phone = world.phones_in("2000", 1)[0];
    world.bye(phone);
    world.run(secs(2));
    let events = &world.gateway_events;
    assert_eq!(names(events), ["call_started", "call_answered", "room_joined", "room_left", "call_ended"]);
    let Some(Event::CallEnded { cause, talk_ms, status, .. }) = events.last() else { unreachable!() };
    let record = world.record(phone);
    assert_eq!((cause, *talk_ms, *status), (&Cause::CallerHungUp, record.talk_ms, Some(200)));
    world.finish();
}

#[test]
fn numbers_in_events_are_masked_and_a_refused_call_says_why() {
    let mut world = World::new(Settings::default());
    world.far_end(1, vec![says(200, 180), says(500, 486)]);
    world.invite("lobby", "+442079460123", None);
    world.run(secs(5));
    assert_eq!(world.record_of("+442079460123").number, "+442079460123", "a record has it in full");
    let events = &world.gateway_events;
    let Event::CallStarted { way, number, .. } = &events[0] else { panic!("{events:?}") };
    assert_eq!((*way, number.as_str()), (Way::Out, "+442…23"));
    assert!(matches!(events.last(), Some(Event::CallEnded { cause: Cause::Busy, talk_ms: 0, .. })), "{events:?}");
    let phone = world.phone();
    world.dial(phone, "4000");
    world.run(secs(2));
    let events = &world.gateway_events;
    let Some(Event::CallRefused { status: 403, why, .. }) = events.last() else { panic!("{events:?}") };
    assert!(why.contains("route Closed says reject"), "{why}");
    assert!(!format!("{events:?}").contains("2079460123"));
    world.finish();
}
