use super::super::*;
use super::pair::Fate;
use super::{Pair, Side, sdp, secs};
use crate::sip::message::{Method, StatusCode, Transport};

fn reliable() -> Pair {
    let b = EndpointConfig { reliable_provisional: ReliableProvisional::WhenSupported, ..EndpointConfig::default() };
    Pair::with(EndpointConfig::default(), b, Transport::Udp, false)
}

fn ring(pair: &mut Pair, b: InviteId, status: u16, body: Option<&str>) {
    let now = pair.now;
    pair.end(Side::B).provisional(now, b, StatusCode(status), body.map(sdp)).unwrap();
}

#[test]
fn the_answer_may_come_in_a_reliable_response() {
    for lost in ["none", "SIP/2.0 183", "PRACK", "SIP/2.0 200"] {
        let mut pair = reliable();
        let (a, b) = pair.invite(Some(sdp("a")));
        pair.drop_first(1, lost);
        ring(&mut pair, b, 183, Some("early"));
        ring(&mut pair, b, 180, None);
        let now = pair.now;
        // Held back until the description is acknowledged.
        pair.end(Side::B).accept(now, b, sdp("ignored")).unwrap();
        pair.run(secs(5));
        let Event::Progress { body, .. } = pair.event(Side::A) else { panic!() };
        assert_eq!(body, Some(sdp("early").bytes));
        assert!(matches!(pair.event(Side::A), Event::Progress { status: StatusCode::RINGING, .. }));
        let Event::Answered { body, response, .. } = pair.event(Side::A) else { panic!() };
        assert_eq!(body, Some(sdp("early").bytes), "the answer that was given before");
        assert!(response.body.is_empty());
        assert!(matches!(pair.event(Side::B), Event::Acknowledged { .. }));
        assert!(pair.sent(Side::A, "PRACK") >= 2);
        pair.hangup(Side::A, a);
        pair.finish();
    }
}

#[test]
fn an_offer_in_a_reliable_response_is_answered_in_prack() {
    let mut pair = reliable();
    let (a, b) = pair.invite(None);
    ring(&mut pair, b, 183, Some("offer of b"));
    pair.run(secs(1));
    assert!(matches!(pair.event(Side::A), Event::Progress { body: None, .. }));
    let Event::Offer { body, .. } = pair.event(Side::A) else { panic!() };
    assert_eq!(body, Some(sdp("offer of b").bytes));
    pair.run(secs(3));
    let now = pair.now;
    pair.end(Side::A).answer_offer(now, a, Ok(sdp("answer of a"))).unwrap();
    pair.run(secs(1));
    let Event::Answer { body, .. } = pair.event(Side::B) else { panic!() };
    assert_eq!(body, sdp("answer of a").bytes);
    let now = pair.now;
    pair.end(Side::B).accept(now, b, sdp("ignored")).unwrap();
    pair.run(secs(1));
    let Event::Answered { needs_answer: false, response, .. } = pair.event(Side::A) else { panic!() };
    assert!(response.body.is_empty());
    assert!(matches!(pair.event(Side::B), Event::Acknowledged { .. }));
    pair.hangup(Side::A, a);
    pair.finish();
}

#[test]
fn a_refused_offer_in_a_reliable_response_ends_the_call() {
    let mut pair = reliable();
    let (a, b) = pair.invite(None);
    ring(&mut pair, b, 183, Some("offer of b"));
    pair.run(secs(1));
    let now = pair.now;
    pair.end(Side::A).answer_offer(now, a, Err(StatusCode::NOT_ACCEPTABLE_HERE)).unwrap();
    pair.run(secs(1));
    assert!(matches!(pair.events[0].pop_back(), Some(Event::Failed { status: StatusCode::NOT_ACCEPTABLE_HERE, .. })));
    assert!(matches!(pair.event(Side::B), Event::Cancelled { .. }));
    pair.finish();
}

#[test]
fn a_reliable_response_nobody_acknowledges_fails_the_call() {
    let mut pair = reliable();
    let (_, b) = pair.invite(Some(sdp("a")));
    pair.rule(|_, line| if line.starts_with("PRACK") { Fate::Drop } else { Fate::Arrive });
    ring(&mut pair, b, 183, Some("early"));
    pair.run(secs(40));
    assert!(matches!(pair.event(Side::B), Event::Failed { status: StatusCode::SERVER_TIMEOUT, .. }));
    assert!(matches!(pair.events[0].pop_back(), Some(Event::Failed { status: StatusCode::SERVER_TIMEOUT, .. })));
    // Doubling without a ceiling: 0, 0.5, 1.5, 3.5, 7.5, 15.5, 31.5 s.
    assert_eq!(pair.sent(Side::B, "SIP/2.0 183"), 7);
    pair.finish();
}

#[test]
fn update_changes_early_media_both_ways() {
    let mut pair = reliable();
    let (a, b) = pair.invite(Some(sdp("a")));
    ring(&mut pair, b, 183, Some("early"));
    pair.run(secs(1));
    assert!(matches!(pair.event(Side::A), Event::Progress { .. }));
    for (side, ours, theirs) in [(Side::A, a, b), (Side::B, b, a)] {
        let now = pair.now;
        pair.end(side).update(now, ours, Some(sdp("new"))).unwrap();
        pair.run(secs(1));
        assert!(matches!(pair.event(side.other()), Event::Offer { method: Method::Update, .. }));
        let now = pair.now;
        pair.end(side.other()).answer_offer(now, theirs, Ok(sdp("new too"))).unwrap();
        pair.run(secs(1));
        assert!(matches!(pair.event(side), Event::Answer { .. }));
    }
    let now = pair.now;
    pair.end(Side::B).accept(now, b, sdp("ignored")).unwrap();
    pair.run(secs(1));
    assert!(matches!(pair.event(Side::A), Event::Answered { needs_answer: false, .. }));
    pair.hangup(Side::B, b);
    pair.finish();
}

#[test]
fn an_early_update_while_the_first_offer_is_open_is_refused() {
    let mut pair = Pair::new();
    let (a, b) = pair.invite(Some(sdp("a")));
    ring(&mut pair, b, 180, None);
    pair.run(secs(1));
    let now = pair.now;
    assert_eq!(pair.end(Side::A).update(now, a, Some(sdp("x"))), Err(EndpointError::WrongState));
    pair.end(Side::A).update(now, a, None).unwrap();
    pair.run(secs(1));
    assert_eq!(pair.sent(Side::B, "SIP/2.0 200"), 1);
    pair.hangup(Side::A, a);
    pair.finish();
}
