use super::super::*;
use super::pair::Fate;
use super::{Pair, Side, ms, sdp, secs};
use crate::sip::message::{Headers, Method, StatusCode};

fn answer(pair: &mut Pair, side: Side, id: InviteId, name: &str) {
    let now = pair.now;
    pair.end(side).answer_offer(now, id, Ok(sdp(name))).unwrap();
    pair.run(secs(1));
}

fn expect_offer(pair: &mut Pair, side: Side, expected: Option<&str>, by: Method) {
    let Event::Offer { body, method, .. } = pair.event(side) else { panic!() };
    assert_eq!(body, expected.map(|name| sdp(name).bytes));
    assert_eq!(method, by);
}

fn expect_answer(pair: &mut Pair, side: Side, expected: &str) {
    let Event::Answer { body, .. } = pair.event(side) else { panic!() };
    assert_eq!(body, sdp(expected).bytes);
}

#[test]
fn either_side_can_offer_anew() {
    for side in [Side::A, Side::B] {
        let mut pair = Pair::new();
        let (a, b) = pair.call();
        let (ours, theirs) = if side == Side::A { (a, b) } else { (b, a) };
        let now = pair.now;
        pair.end(side).reinvite(now, ours, Some(sdp("hold"))).unwrap();
        assert_eq!(pair.end(side).reinvite(now, ours, None), Err(EndpointError::WrongState));
        pair.run(ms(100));
        expect_offer(&mut pair, side.other(), Some("hold"), Method::Invite);
        pair.run(secs(1));
        assert_eq!(pair.sent(side.other(), "SIP/2.0 100"), 1 + usize::from(side == Side::A));
        answer(&mut pair, side.other(), theirs, "held");
        expect_answer(&mut pair, side, "held");
        pair.hangup(side, ours);
        pair.finish();
    }
}

#[test]
fn a_reinvite_without_an_offer_asks_for_one() {
    let mut pair = Pair::new();
    let (a, b) = pair.call();
    let now = pair.now;
    pair.end(Side::A).reinvite(now, a, None).unwrap();
    pair.run(secs(1));
    expect_offer(&mut pair, Side::B, None, Method::Invite);
    answer(&mut pair, Side::B, b, "offer of b");
    expect_offer(&mut pair, Side::A, Some("offer of b"), Method::Invite);
    pair.run(secs(2));
    answer(&mut pair, Side::A, a, "answer of a");
    expect_answer(&mut pair, Side::B, "answer of a");
    pair.no_event(Side::B);
    pair.hangup(Side::A, a);
    pair.finish();
}

#[test]
fn a_refused_offer_keeps_the_call() {
    let mut pair = Pair::new();
    let (a, b) = pair.call();
    let now = pair.now;
    pair.end(Side::A).reinvite(now, a, Some(sdp("t38"))).unwrap();
    pair.run(secs(1));
    expect_offer(&mut pair, Side::B, Some("t38"), Method::Invite);
    let now = pair.now;
    pair.end(Side::B).answer_offer(now, b, Err(StatusCode::NOT_ACCEPTABLE_HERE)).unwrap();
    pair.run(secs(1));
    assert!(matches!(pair.event(Side::A), Event::OfferFailed { status: StatusCode::NOT_ACCEPTABLE_HERE, .. }));
    let now = pair.now;
    pair.end(Side::B).reinvite(now, b, Some(sdp("again"))).unwrap();
    pair.run(secs(1));
    expect_offer(&mut pair, Side::A, Some("again"), Method::Invite);
    answer(&mut pair, Side::A, a, "fine");
    expect_answer(&mut pair, Side::B, "fine");
    pair.hangup(Side::B, b);
    pair.finish();
}

#[test]
fn offers_that_meet_are_tried_again_one_after_the_other() {
    let mut pair = Pair::new();
    let (a, b) = pair.call();
    let now = pair.now;
    pair.end(Side::A).reinvite(now, a, Some(sdp("from a"))).unwrap();
    pair.end(Side::B).reinvite(now, b, Some(sdp("from b"))).unwrap();
    pair.run(secs(2));
    assert_eq!((pair.sent(Side::A, "SIP/2.0 491"), pair.sent(Side::B, "SIP/2.0 491")), (1, 1));
    // B does not own the Call-ID and comes first, within 2 s.
    expect_offer(&mut pair, Side::A, Some("from b"), Method::Invite);
    answer(&mut pair, Side::A, a, "to b");
    expect_answer(&mut pair, Side::B, "to b");
    pair.run(secs(4));
    // A's offer was made before it answered B's: it is not sent blindly.
    assert!(matches!(pair.event(Side::A), Event::OfferFailed { status: StatusCode::REQUEST_PENDING, .. }));
    pair.no_event(Side::B);
    pair.hangup(Side::A, a);
    pair.finish();
}

#[test]
fn a_single_491_is_retried_with_the_same_offer() {
    let mut pair = Pair::new();
    let (a, b) = pair.call();
    let now = pair.now;
    // B's own offer never arrives, so A alone meets a 491.
    pair.rule(
        |side, line| if side == Side::B && line.starts_with("INVITE") { Fate::Late(ms(300)) } else { Fate::Arrive },
    );
    pair.end(Side::B).reinvite(now, b, Some(sdp("from b"))).unwrap();
    pair.run(ms(1));
    pair.end(Side::A).reinvite(now, a, Some(sdp("from a"))).unwrap();
    pair.run(ms(100));
    assert_eq!(pair.sent(Side::B, "SIP/2.0 491"), 1);
    let before = pair.now;
    pair.run(ms(400));
    expect_offer(&mut pair, Side::A, Some("from b"), Method::Invite);
    let now = pair.now;
    pair.end(Side::A).answer_offer(now, a, Err(StatusCode::NOT_ACCEPTABLE_HERE)).unwrap();
    pair.run(secs(5));
    expect_offer_after_failure(&mut pair);
    assert!(pair.now.instant - before.instant >= ms(2_100));
    answer(&mut pair, Side::B, b, "to a");
    expect_answer(&mut pair, Side::A, "to a");
    pair.hangup(Side::A, a);
    pair.finish();
}

fn expect_offer_after_failure(pair: &mut Pair) {
    assert!(matches!(pair.event(Side::B), Event::OfferFailed { status: StatusCode::NOT_ACCEPTABLE_HERE, .. }));
    expect_offer(pair, Side::B, Some("from a"), Method::Invite);
}

#[test]
fn a_reinvite_waits_for_the_ack_of_the_first_answer() {
    let mut pair = Pair::new();
    let (a, b) = pair.invite(Some(sdp("a")));
    pair.drop_first(1, "ACK");
    let now = pair.now;
    pair.end(Side::B).accept(now, b, sdp("b")).unwrap();
    pair.end(Side::B).reinvite(now, b, Some(sdp("again"))).unwrap();
    pair.run(secs(2));
    assert!(matches!(pair.event(Side::A), Event::Answered { .. }));
    expect_offer(&mut pair, Side::A, Some("again"), Method::Invite);
    let lines: Vec<_> = pair.log.iter().map(|(_, line)| line.split(' ').next().unwrap()).collect();
    let reinvite = lines.iter().rposition(|line| *line == "INVITE").unwrap();
    assert_eq!(lines[..reinvite].iter().filter(|line| **line == "ACK").count(), 2);
    answer(&mut pair, Side::A, a, "fine");
    assert!(matches!(pair.event(Side::B), Event::Acknowledged { .. }));
    expect_answer(&mut pair, Side::B, "fine");
    pair.hangup(Side::A, a);
    pair.finish();
}

#[test]
fn a_reinvite_stands_for_a_lost_ack() {
    let mut pair = Pair::new();
    let (a, b) = pair.invite(Some(sdp("a")));
    pair.drop_first(1, "ACK");
    let now = pair.now;
    pair.end(Side::B).accept(now, b, sdp("b")).unwrap();
    pair.run(ms(100));
    let now = pair.now;
    pair.end(Side::A).reinvite(now, a, Some(sdp("hold"))).unwrap();
    pair.run(ms(100));
    assert!(matches!(pair.event(Side::B), Event::Acknowledged { body: None, .. }));
    expect_offer(&mut pair, Side::B, Some("hold"), Method::Invite);
    answer(&mut pair, Side::B, b, "held");
    pair.hangup(Side::B, b);
    pair.finish();
}

#[test]
fn update_offers_in_an_answered_call_and_glare_is_retried() {
    let mut pair = Pair::new();
    let (a, b) = pair.call();
    let now = pair.now;
    pair.end(Side::A).update(now, a, Some(sdp("from a"))).unwrap();
    pair.run(secs(1));
    expect_offer(&mut pair, Side::B, Some("from a"), Method::Update);
    answer(&mut pair, Side::B, b, "to a");
    expect_answer(&mut pair, Side::A, "to a");

    let now = pair.now;
    pair.end(Side::A).update(now, a, Some(sdp("2 from a"))).unwrap();
    pair.end(Side::B).update(now, b, Some(sdp("2 from b"))).unwrap();
    pair.run(secs(2));
    expect_offer(&mut pair, Side::A, Some("2 from b"), Method::Update);
    answer(&mut pair, Side::A, a, "2 to b");
    expect_answer(&mut pair, Side::B, "2 to b");
    pair.run(secs(4));
    assert!(matches!(pair.event(Side::A), Event::OfferFailed { status: StatusCode::REQUEST_PENDING, .. }));
    pair.hangup(Side::A, a);
    pair.finish();
}

#[test]
fn an_offer_nobody_answers_is_refused_in_the_end() {
    let mut pair = Pair::new();
    let (a, _) = pair.call();
    let now = pair.now;
    pair.end(Side::A).reinvite(now, a, Some(sdp("hold"))).unwrap();
    pair.run(secs(20));
    expect_offer(&mut pair, Side::B, Some("hold"), Method::Invite);
    assert!(matches!(pair.event(Side::A), Event::OfferFailed { status: StatusCode::SERVER_TIMEOUT, .. }));
    pair.hangup(Side::A, a);
    pair.finish();
}

#[test]
fn a_peer_that_forgot_the_dialog_ends_the_call() {
    let mut pair = Pair::new();
    let (a, b) = pair.call();
    pair.rule(|side, line| if side == Side::B && line.starts_with("BYE") { Fate::Drop } else { Fate::Arrive });
    pair.hangup(Side::B, b);
    pair.run(secs(40));
    let now = pair.now;
    pair.end(Side::A).reinvite(now, a, Some(sdp("hold"))).unwrap();
    pair.run(secs(1));
    assert!(matches!(pair.event(Side::A), Event::Ended { by: EndedBy::DialogLost, .. }));
    pair.finish();
}

#[test]
fn info_is_delivered() {
    let mut pair = Pair::new();
    let (a, b) = pair.call();
    let now = pair.now;
    let body = Body { content_type: "application/dtmf-relay".into(), bytes: "Signal=5\r\n".into() };
    pair.end(Side::A).info(now, a, &Headers::new(), &body).unwrap();
    pair.run(secs(1));
    let Event::Info { content_type, body, .. } = pair.event(Side::B) else { panic!() };
    assert_eq!(content_type.as_deref(), Some("application/dtmf-relay"));
    assert_eq!(body, "Signal=5\r\n");
    pair.hangup(Side::B, b);
    pair.finish();
}
