use super::super::*;
use super::pair::Fate;
use super::{Pair, Side, sdp, secs};
use crate::sip::message::{Method, Transport};

fn pair(a: Option<u64>, b: Option<u64>) -> Pair {
    let config =
        |expires: Option<u64>| EndpointConfig { session_expires: expires.map(secs), ..EndpointConfig::default() };
    Pair::with(config(a), config(b), Transport::Udp, false)
}

#[test]
fn the_caller_refreshes_by_update() {
    let mut pair = pair(Some(100), None);
    let (a, _) = pair.call();
    pair.run(secs(1000));
    assert!((18..=20).contains(&pair.sent(Side::A, "UPDATE")), "{}", pair.sent(Side::A, "UPDATE"));
    pair.no_event(Side::A);
    pair.no_event(Side::B);
    pair.hangup(Side::A, a);
    pair.finish();
}

#[test]
fn the_session_ends_when_refreshes_stay_away() {
    let mut pair = pair(Some(100), None);
    pair.call();
    pair.rule(|side, _| if side == Side::A { Fate::Drop } else { Fate::Arrive });
    pair.run(secs(120));
    assert!(matches!(pair.event(Side::B), Event::Ended { by: EndedBy::SessionExpired, .. }));
    // B's BYE reached A before A's own refresh had failed.
    assert!(matches!(pair.event(Side::A), Event::Ended { .. }));
    pair.finish();
}

#[test]
fn the_refresher_gives_up_when_nobody_answers() {
    let mut pair = pair(Some(100), None);
    pair.call();
    pair.rule(|_, _| Fate::Drop);
    pair.run(secs(120));
    assert!(matches!(pair.event(Side::A), Event::Ended { .. }));
    assert!(matches!(pair.event(Side::B), Event::Ended { by: EndedBy::SessionExpired, .. }));
    pair.finish();
}

#[test]
fn without_session_timers_on_either_side_nothing_is_refreshed() {
    let mut pair = pair(None, None);
    let (a, _) = pair.call();
    let before = pair.log.len();
    pair.run(secs(10_000));
    assert_eq!(pair.log.len(), before);
    pair.hangup(Side::A, a);
    pair.finish();
}

#[test]
fn the_called_side_asks_for_a_timer_that_the_caller_keeps() {
    let mut pair = pair(None, Some(200));
    let (_, b) = pair.call();
    pair.run(secs(450));
    assert_eq!(pair.sent(Side::A, "UPDATE"), 4);
    assert_eq!(pair.sent(Side::B, "UPDATE"), 0);
    pair.hangup(Side::B, b);
    pair.finish();
}

#[test]
fn too_short_an_interval_is_raised_and_the_call_goes_on() {
    let b = EndpointConfig { min_session_expires: secs(600), ..EndpointConfig::default() };
    let a = EndpointConfig { session_expires: Some(secs(120)), ..EndpointConfig::default() };
    let mut pair = Pair::with(a, b, Transport::Udp, false);
    let (a, _) = pair.call();
    assert_eq!(pair.sent(Side::B, "SIP/2.0 422"), 1);
    pair.run(secs(290));
    assert_eq!(pair.sent(Side::A, "UPDATE"), 0);
    pair.run(secs(20));
    assert_eq!(pair.sent(Side::A, "UPDATE"), 1);
    pair.hangup(Side::A, a);
    pair.finish();
}

#[test]
fn a_reinvite_restarts_the_timer() {
    let mut pair = pair(Some(100), None);
    let (a, b) = pair.call();
    pair.run(secs(40));
    let now = pair.now;
    pair.end(Side::B).reinvite(now, b, Some(sdp("hold"))).unwrap();
    pair.run(secs(1));
    assert!(matches!(pair.event(Side::A), Event::Offer { method: Method::Invite, .. }));
    let now = pair.now;
    pair.end(Side::A).answer_offer(now, a, Ok(sdp("held"))).unwrap();
    pair.run(secs(45));
    assert_eq!(pair.sent(Side::A, "UPDATE") + pair.sent(Side::B, "UPDATE"), 0);
    pair.run(secs(100));
    assert!(pair.sent(Side::A, "UPDATE") >= 1, "A keeps its role");
    assert_eq!(pair.sent(Side::B, "UPDATE"), 0);
    pair.hangup(Side::A, a);
    pair.finish();
}
