//! Calls of ours by the next trunk, when one is down: how soon, and never two calls at once.

use super::phone::{End, says};
use super::world::{Settings, World, ms, secs};
use partyline::gateway::{Cause, Reply};
use partyline::sip::message::{HeaderName as H, Method};
use std::net::IpAddr;
use std::time::Duration;

const OFFICE: &str = "+442079460123";

/// When the first INVITE came to a phone, from the start of the scenario.
fn rang_after(world: &World, phone: usize, since: std::time::Instant) -> Duration {
    let seen = &world.phones[phone].agent.seen;
    let first = seen.iter().find(|seen| seen.method == Method::Invite && seen.status.is_none());
    first.expect("an INVITE").at.duration_since(since)
}

#[test]
fn after_a_503_the_second_trunk_rings_within_two_seconds() {
    for status in [500, 502, 503, 504, 408] {
        let mut world = World::new(Settings::default());
        let first = world.far_end(1, vec![says(10, 100), says(100, status)]);
        let second = world.far_end(2, vec![says(10, 100), says(50, 180), says(1_000, 200)]);
        let start = world.now.instant;
        world.invite("lobby", OFFICE, Some(false));
        world.run(secs(3));
        assert!(rang_after(&world, second, start) < secs(2), "{status}");
        world.assert_talking(&[second]);
        assert_eq!(world.phones[first].agent.taken, 1);
        world.bye(second);
        world.run(secs(1));
        let record = world.record_of(OFFICE);
        assert_eq!((&*record.trunk, &record.cause, record.tried.len()), ("second", &Cause::CalledHungUp, 1));
        assert!(record.tried[0].trunk == "first" && record.tried[0].outcome.starts_with(&status.to_string()));
        world.finish();
    }
}

#[test]
fn after_silence_the_second_trunk_rings_within_five_seconds() {
    let mut world = World::new(Settings::default());
    world.far_end(1, Vec::new());
    let second = world.far_end(2, vec![says(50, 180), says(1_000, 200)]);
    let start = world.now.instant;
    world.invite("lobby", OFFICE, Some(false));
    world.run(secs(8));
    let after = rang_after(&world, second, start);
    assert!(after >= secs(4) && after < secs(5), "{after:?}");
    world.assert_talking(&[second]);
    world.finish();
}

#[test]
fn a_provisional_response_keeps_the_first_trunk() {
    let mut world = World::new(Settings::default());
    let first = world.far_end(1, vec![says(3_500, 100), says(20_000, 200)]);
    let second = world.far_end(2, vec![says(50, 200)]);
    world.invite("lobby", OFFICE, Some(false));
    world.run(secs(25));
    world.assert_talking(&[first]);
    assert_eq!(world.phones[second].agent.taken, 0);
    world.finish();
}

#[test]
fn a_late_ringing_of_trunk_one_is_cancelled() {
    let mut world = World::new(Settings::default());
    let first = world.far_end(1, vec![says(6_000, 180), says(20_000, 200)]);
    let second = world.far_end(2, vec![says(50, 180), says(1_000, 200)]);
    world.invite("lobby", OFFICE, Some(false));
    world.run(secs(10));
    world.assert_ended(first, End::Cancelled);
    world.assert_talking(&[second]);
    world.finish();
}

#[test]
fn a_late_answer_of_trunk_one_is_acknowledged_and_ended() {
    let mut world = World::new(Settings::default());
    let anna = world.phones_in("2000", 1)[0];
    let first = world.far_end(1, vec![says(6_000, 200)]);
    let second = world.far_end(2, vec![says(50, 180), says(500, 200)]);
    world.invite("lobby", OFFICE, Some(false));
    world.run(secs(12));
    let agent = &world.phones[first].agent;
    assert_eq!((agent.requests(&Method::Ack), agent.requests(&Method::Bye)), (1, 1));
    world.assert_ended(first, End::Remote);
    world.assert_together(&[anna, second]);
    assert_eq!(world.records.len(), 0);
    world.bye(second);
    world.run(secs(1));
    assert_eq!(world.record_of(OFFICE).cause, Cause::CalledHungUp);
    world.finish();
}

#[test]
fn what_cannot_be_sent_goes_to_the_next_at_once() {
    let mut world = World::new(Settings::default());
    world.unreachable.insert(IpAddr::from([100, 64, 0, 1]));
    let second = world.far_end(2, vec![says(50, 180), says(500, 200)]);
    let start = world.now.instant;
    world.invite("lobby", OFFICE, Some(false));
    world.run(secs(2));
    assert!(rang_after(&world, second, start) < ms(500));
    world.assert_talking(&[second]);
    world.finish();
}

#[test]
fn a_480_is_tried_elsewhere_only_where_the_trunk_says_so() {
    for (first, taken, cause) in [("", 0, Cause::NoAnswer), ("failover_on_480 = true", 1, Cause::Busy)] {
        let mut world = World::new(Settings { first, ..Settings::default() });
        world.far_end(1, vec![says(100, 480)]);
        let second = world.far_end(2, vec![says(100, 486)]);
        world.invite("lobby", OFFICE, None);
        world.run(secs(2));
        assert_eq!(world.phones[second].agent.taken, taken);
        assert_eq!(world.record_of(OFFICE).cause, cause);
        world.finish();
    }
}

#[test]
fn after_sound_nothing_is_tried_elsewhere() {
    let mut world = World::new(Settings::default());
    world.far_end(1, vec![says(100, 183), says(2_000, 503)]);
    let second = world.far_end(2, vec![says(100, 200)]);
    world.invite("lobby", OFFICE, None);
    world.run(secs(6));
    assert_eq!(world.phones[second].agent.taken, 0);
    assert_eq!(world.record_of(OFFICE).cause, Cause::Unreachable("503 Service Unavailable".into()));
    world.finish();
}

#[test]
fn when_all_trunks_are_down_there_is_one_record_with_all_that_was_tried() {
    let mut world = World::new(Settings::default());
    world.far_end(1, vec![says(100, 503)]);
    world.far_end(2, vec![says(100, 500)]);
    world.invite("lobby", OFFICE, None);
    world.run(secs(3));
    let record = world.record_of(OFFICE);
    assert!(matches!(record.cause, Cause::Unreachable(_)), "{record:?}");
    let tried: Vec<&str> = record.tried.iter().map(|tried| &*tried.outcome).collect();
    assert_eq!(
        (tried.as_slice(), &*record.trunk, record.status),
        (&["503 Service Unavailable"][..], "second", Some(500))
    );
    world.finish();
}

#[test]
fn who_asks_to_be_left_alone_is_left_alone() {
    let mut world = World::new(Settings::default());
    let first = world.far_end(1, vec![says(100, 503).with(H::RetryAfter, "30")]);
    let second = world.far_end(2, vec![says(50, 486)]);
    for (n, wait) in [(1, 10), (2, 25), (3, 5)] {
        world.invite("lobby", &format!("+44207946012{n}"), None);
        world.run(secs(wait));
    }
    // The third call comes after the thirty seconds.
    assert_eq!((world.phones[first].agent.taken, world.phones[second].agent.taken), (2, 3));
    let passed = &world.record_of("+442079460122").tried;
    assert!(passed[0].outcome.contains("asked to be left alone"), "{passed:?}");
    world.finish();
}

#[test]
fn who_is_slow_is_waited_for_when_no_other_can_be_tried() {
    let mut world = World::new(Settings::default());
    let first = world.far_end(1, vec![says(50, 503)]);
    let second = world.far_end(2, vec![says(100, 503).with(H::RetryAfter, "60")]);
    world.invite("lobby", "+442079460121", None);
    world.run(secs(2));
    world.phones[first].agent.manner = vec![says(5_000, 180), says(6_000, 486)];
    world.invite("lobby", "+442079460122", None);
    world.run(secs(8));
    assert_eq!((world.phones[first].agent.taken, world.phones[second].agent.taken), (2, 1));
    assert_eq!(world.record_of("+442079460122").cause, Cause::Busy);
    world.finish();
}

#[test]
fn a_full_trunk_is_passed_over() {
    let mut world = World::new(Settings { first: "max_calls = 1", ..Settings::default() });
    let first = world.far_end(1, vec![says(50, 180)]);
    let second = world.far_end(2, vec![says(50, 180)]);
    assert!(matches!(world.invite("lobby", "+442079460121", None), Reply::Progress(_)));
    world.run(secs(1));
    assert!(matches!(world.invite("lobby", "+442079460122", None), Reply::Progress(_)));
    world.run(secs(1));
    assert_eq!((world.phones[first].agent.taken, world.phones[second].agent.taken), (1, 1));
    world.run(secs(70));
    assert_eq!(world.gateway.call_count(), 0);
    world.finish();
}

#[test]
fn a_200_that_cannot_be_read_in_part_begins_its_call_and_no_other_trunk_is_called() {
    for (name, value) in [
        (H::RecordRoute, "<sip:p2"),
        (H::SessionExpires, "soon;refresher=\""),
        (H::Require, "teleport, \""),
        (H::Allow, "\"INVITE"),
    ] {
        let mut world = World::new(Settings::default());
        let first = world.far_end(1, vec![says(10, 100), says(300, 200).with(name.clone(), value)]);
        let second = world.far_end(2, vec![says(50, 200)]);
        world.invite("lobby", OFFICE, Some(false));
        world.run(secs(8));
        world.assert_talking(&[first]);
        assert_eq!((world.phones[first].agent.taken, world.phones[second].agent.taken), (1, 0), "{name}");
        world.bye(first);
        world.run(secs(1));
        let record = world.record_of(OFFICE);
        assert_eq!((&*record.trunk, &record.cause, record.tried.len()), ("first", &Cause::CalledHungUp, 0), "{name}");
        world.finish();
    }
}
