//! Reason headers (RFC 3326): what our BYE and CANCEL say, and what is kept of what the peer's say.

use super::phone::{End, says};
use super::world::{Settings, World, ms, secs};
use partyline::gateway::{Cause, Reply, Request};
use partyline::sip::message::{HeaderName as H, Method};

const OFFICE: &str = "+442079460123";

/// The Reason of the last request of this method that a phone got.
fn reason(world: &World, phone: usize, method: &Method) -> String {
    let request = world.phones[phone].agent.last_request(method).unwrap();
    assert_eq!(request.headers.texts(&H::Reason).count(), 1);
    request.headers.texts(&H::Reason).next().unwrap().to_string()
}

#[test]
fn a_bye_says_why_the_gateway_ends_the_call() {
    // An administrator does.
    let mut world = World::new(Settings::default());
    let anna = world.phones_in("2000", 1)[0];
    let Reply::Status(status) = world.ask(Request::Status) else { panic!() };
    world.ask(Request::Kick { call: status.calls[0].call.clone() });
    world.run(secs(1));
    assert_eq!(reason(&world, anna, &Method::Bye), "Q.850;cause=16;text=\"Normal call clearing\"");
    world.finish();
    // Nothing is heard any more.
    let mut world = World::new(Settings::default());
    let anna = world.phones_in("2000", 1)[0];
    world.phones[anna].rtp_weather.loss = 1.0;
    world.run(secs(70));
    assert_eq!(reason(&world, anna, &Method::Bye), "Q.850;cause=102;text=\"Media timeout\"");
    world.finish();
    // A call of ours has lasted as long as it may.
    let mut world = World::new(Settings::default());
    let far = world.far_end(1, vec![says(100, 200)]);
    world.invite("lobby", "+442089460123", Some(false));
    world.run(secs(605));
    world.assert_ended(far, End::Remote);
    assert_eq!(reason(&world, far, &Method::Bye), "Q.850;cause=31;text=\"Maximum duration reached\"");
    world.finish();
    // The gateway ends.
    let mut world = World::new(Settings::default());
    let anna = world.phones_in("2000", 1)[0];
    world.ask(Request::Drain { seconds: Some(0) });
    world.run(secs(1));
    assert_eq!(reason(&world, anna, &Method::Bye), "Q.850;cause=41;text=\"Shutting down\"");
    world.finish();
}

#[test]
fn a_cancel_says_why_also_when_it_had_to_wait() {
    // Nobody comes.
    let mut world = World::new(Settings::default());
    let far = world.far_end(1, vec![says(100, 180)]);
    world.invite("lobby", "+442089460123", Some(false));
    world.run(secs(35));
    assert_eq!(reason(&world, far, &Method::Cancel), "Q.850;cause=19;text=\"No answer from user\"");
    world.finish();
    // The second trunk is tried after 4 s of silence; the first one's late 180 gets the CANCEL.
    let mut world = World::new(Settings::default());
    let first = world.far_end(1, vec![says(6_000, 180)]);
    let second = world.far_end(2, vec![says(100, 200)]);
    world.invite("lobby", OFFICE, Some(false));
    world.run(secs(8));
    world.assert_talking(&[second]);
    assert_eq!(reason(&world, first, &Method::Cancel), "SIP;cause=200;text=\"Call completed elsewhere\"");
    world.finish();
    // And the BYE after a late answer says the same.
    let mut world = World::new(Settings::default());
    let first = world.far_end(1, vec![says(6_000, 200)]);
    let second = world.far_end(2, vec![says(100, 200)]);
    world.invite("lobby", OFFICE, Some(false));
    world.run(secs(8));
    world.assert_talking(&[second]);
    assert_eq!(reason(&world, first, &Method::Bye), "SIP;cause=200;text=\"Call completed elsewhere\"");
    world.finish();
}

#[test]
fn the_losing_forks_hear_that_the_call_was_answered_elsewhere() {
    let mut world = World::new(Settings::default());
    let far = world.far_end(1, vec![says(100, 180), says(150, 180).fork(1), says(400, 200), says(450, 200).fork(1)]);
    world.invite("lobby", OFFICE, Some(false));
    world.run(secs(3));
    world.assert_talking(&[far]);
    assert_eq!(world.phones[far].agent.forks_that_got(&Method::Bye), ["1"]);
    assert_eq!(reason(&world, far, &Method::Bye), "SIP;cause=200;text=\"Call completed elsewhere\"");
    world.finish();
}

#[test]
fn the_peers_reason_is_in_the_record() {
    let mut world = World::new(Settings::default());
    let anna = world.phones_in("2000", 1)[0];
    world.phones[anna].agent.habits.reason = Some("SIP;cause=200, Q.850;cause=31;text=\"Normal, unspecified\"");
    world.bye(anna);
    world.run(secs(1));
    let record = world.record(anna);
    let told = record.reason.as_ref().unwrap();
    assert_eq!(
        (told.protocol.as_str(), told.cause, told.text.as_deref()),
        ("Q.850", Some(31), Some("Normal, unspecified"))
    );
    assert!(serde_json::to_string(record).unwrap().contains(r#""reason":{"protocol":"Q.850","cause":31"#));
    world.assert_logged("the caller hung up (Q.850 31)");
    // A CANCEL's too.
    let ben = world.phone();
    world.phones[ben].agent.habits.reason = Some("SIP;cause=487;text=\"changed my mind\"");
    world.dial(ben, "2100");
    world.run(secs(1));
    world.cancel(ben);
    world.run(secs(1));
    let record = world.record(ben);
    assert_eq!(record.cause, Cause::Cancelled);
    assert_eq!(record.reason.as_ref().unwrap().to_string(), "SIP 487 changed my mind");
    world.finish();
}

#[test]
fn a_reason_that_is_none_costs_nothing() {
    for nonsense in ["", ";;;", "Q.850;cause=", "Q.850;cause=sixteen", "\"", "Q.850;text=\"open", "\u{fffd}\u{0}"] {
        let mut world = World::new(Settings::default());
        let anna = world.phones_in("2000", 1)[0];
        world.phones[anna].agent.habits.reason = Some(nonsense);
        world.bye(anna);
        world.run(secs(1));
        assert_eq!(
            (&world.record(anna).cause, &world.record(anna).reason),
            (&Cause::CallerHungUp, &None),
            "{nonsense}"
        );
        world.finish();
    }
}

#[test]
fn the_reason_of_a_target_that_failed_is_not_that_of_the_next_ones_call() {
    let mut world = World::new(Settings::default());
    let _first = world.far_end(1, vec![says(10, 503).with(H::Reason, "Q.850;cause=34;text=\"No circuit\"")]);
    let second = world.far_end(2, vec![says(100, 200)]);
    world.invite("lobby", OFFICE, Some(false));
    world.run(secs(3));
    world.assert_talking(&[second]);
    world.bye(second);
    world.run(secs(1));
    let record = world.record_of(OFFICE);
    assert_eq!((&record.cause, record.tried.len(), &record.reason), (&Cause::CalledHungUp, 1, &None));
    world.finish();
}

#[test]
fn the_administrator_hears_the_peers_reason_for_a_call_that_fails() {
    let mut world = World::new(Settings::default());
    let reason = "Q.850;cause=20;text=\"Subscriber absent\"";
    let _far = world.far_end(1, vec![says(10, 100), says(300, 404).with(H::Reason, reason)]);
    world.invite("lobby", OFFICE, None);
    world.run(ms(1_500));
    let Some(Reply::Error(why)) = world.replies.last() else { panic!("{:?}", world.replies) };
    assert!(why.detail.ends_with("there is no such number (Q.850 20 Subscriber absent)"), "{why}");
    assert_eq!(world.record_of(OFFICE).reason.as_ref().unwrap().cause, Some(20));
    world.finish();
}
