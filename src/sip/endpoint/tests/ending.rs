use super::super::*;
use super::pair::Fate;
use super::{Pair, Side, sdp, secs};
use crate::sip::message::{Reason, StatusCode};

#[test]
fn an_unacknowledged_2xx_is_repeated_for_32_seconds_and_then_ended() {
    let mut pair = Pair::new();
    let (_, b) = pair.invite(Some(sdp("a")));
    pair.drop_first(usize::MAX, "ACK");
    let now = pair.now;
    pair.end(Side::B).accept(now, b, sdp("b")).unwrap();
    pair.run(secs(31));
    pair.no_event(Side::B);
    // 0, 0.5, 1.5, 3.5, then every 4 s.
    assert_eq!(pair.sent(Side::B, "SIP/2.0 200"), 10);
    assert_eq!(pair.sent(Side::A, "ACK"), 10);
    pair.run(secs(3));
    assert!(matches!(pair.event(Side::B), Event::Ended { by: EndedBy::AckTimeout, .. }));
    assert_eq!(pair.sent(Side::B, "BYE"), 1);
    assert!(matches!(pair.event(Side::A), Event::Answered { .. }));
    assert!(matches!(pair.event(Side::A), Event::Ended { by: EndedBy::Remote, .. }));
    pair.finish();
}

#[test]
fn bye_does_not_overtake_the_ack() {
    let mut pair = Pair::new();
    let (_, b) = pair.invite(Some(sdp("a")));
    pair.drop_first(1, "ACK");
    let now = pair.now;
    pair.end(Side::B).accept(now, b, sdp("b")).unwrap();
    pair.end(Side::B).hangup(now, b, Some(Reason::q850(16, "Normal call clearing"))).unwrap();
    pair.run(secs(5));
    let lines: Vec<_> = pair.log.iter().map(|(_, line)| line.split(' ').take(2).collect::<String>()).collect();
    let bye = lines.iter().position(|line| line.starts_with("BYE")).unwrap();
    assert_eq!(lines[..bye].iter().filter(|line| line.starts_with("ACK")).count(), 2);
    assert!(matches!(pair.event(Side::A), Event::Answered { .. }));
    let Event::Ended { by: EndedBy::Remote, reason: Some(reason), .. } = pair.event(Side::A) else { panic!() };
    assert_eq!(reason.cause(), Some(16));
    pair.finish();
}

#[test]
fn a_cancelled_call_gets_487() {
    for lost in ["none", "CANCEL", "SIP/2.0 487", "SIP/2.0 200", "ACK"] {
        let mut pair = Pair::new();
        let (a, b) = pair.invite(Some(sdp("a")));
        let now = pair.now;
        pair.end(Side::B).provisional(now, b, StatusCode::RINGING, None).unwrap();
        pair.run(secs(1));
        pair.drop_first(1, lost);
        pair.hangup(Side::A, a);
        pair.run(secs(5));
        assert!(matches!(pair.event(Side::B), Event::Cancelled { .. }), "{lost}");
        assert!(matches!(pair.event(Side::A), Event::Progress { .. }));
        assert!(matches!(pair.event(Side::A), Event::Ended { by: EndedBy::Local, .. }));
        pair.no_event(Side::A);
        assert!(pair.sent(Side::B, "SIP/2.0 487") >= 1);
        assert_eq!(pair.sent(Side::A, "BYE"), 0);
        pair.finish();
    }
}

#[test]
fn cancel_waits_for_a_provisional_response() {
    let mut pair = Pair::new();
    let call = pair.outgoing(Side::A, Some(sdp("a")));
    let now = pair.now;
    let a = pair.end(Side::A).invite(now, call).unwrap();
    pair.end(Side::A).hangup(now, a, None).unwrap();
    pair.run(secs(2));
    let lines: Vec<_> =
        pair.log.iter().map(|(_, line)| line.split(' ').take(2).collect::<Vec<_>>().join(" ")).collect();
    let at = |begin: &str| lines.iter().position(|line| line.starts_with(begin)).unwrap();
    assert!(at("SIP/2.0 100") < at("CANCEL"));
    assert!(matches!(pair.event(Side::B), Event::Incoming { .. }));
    assert!(matches!(pair.event(Side::B), Event::Cancelled { .. }));
    pair.finish();
}

#[test]
fn an_answer_that_crosses_cancel_is_acknowledged_and_ended() {
    let mut pair = Pair::new();
    let (a, b) = pair.invite(Some(sdp("a")));
    pair.rule(|_, line| if line.starts_with("CANCEL") { Fate::Late(secs(1)) } else { Fate::Arrive });
    let now = pair.now;
    pair.end(Side::A).hangup(now, a, None).unwrap();
    pair.end(Side::B).accept(now, b, sdp("b")).unwrap();
    pair.run(secs(5));
    assert_eq!((pair.sent(Side::A, "ACK"), pair.sent(Side::A, "BYE")), (1, 1));
    assert!(matches!(pair.event(Side::B), Event::Acknowledged { .. }));
    assert!(matches!(pair.event(Side::B), Event::Ended { by: EndedBy::Remote, .. }));
    // The CANCEL that came too late is answered 200 all the same.
    assert!(pair.sent(Side::B, "SIP/2.0 200") >= 3);
    pair.finish();
}

#[test]
fn both_hang_up_at_once() {
    let mut pair = Pair::new();
    let (a, b) = pair.call();
    pair.hangup(Side::A, a);
    pair.hangup(Side::B, b);
    pair.run(secs(1));
    for side in [Side::A, Side::B] {
        assert!(matches!(pair.event(side), Event::Ended { by: EndedBy::Local, .. }));
        pair.no_event(side);
    }
    let now = pair.now;
    assert_eq!(pair.end(Side::A).hangup(now, a, None), Err(EndpointError::NoSuchCall));
    pair.finish();
}

#[test]
fn a_peer_that_vanished_does_not_keep_a_call() {
    let mut pair = Pair::new();
    let (a, b) = pair.call();
    pair.rule(|_, _| Fate::Drop);
    pair.hangup(Side::A, a);
    pair.run(secs(40));
    assert_eq!(pair.sent(Side::A, "BYE"), 11);
    assert_eq!(pair.end(Side::A).counts().calls, 0);
    pair.hangup(Side::B, b);
    pair.finish();
}

#[test]
fn a_call_nobody_answers_ends_on_both_sides() {
    let config = EndpointConfig { answer_timeout: secs(20), ..EndpointConfig::default() };
    let mut pair = Pair::with(EndpointConfig::default(), config, crate::sip::message::Transport::Udp, false);
    pair.invite(Some(sdp("a")));
    pair.run(secs(20));
    assert!(matches!(pair.event(Side::B), Event::Failed { status: StatusCode::TEMPORARILY_UNAVAILABLE, .. }));
    assert!(matches!(pair.event(Side::A), Event::Failed { status: StatusCode::TEMPORARILY_UNAVAILABLE, .. }));
    pair.finish();

    let config = EndpointConfig { ring_timeout: secs(20), ..EndpointConfig::default() };
    let mut pair = Pair::with(config, EndpointConfig::default(), crate::sip::message::Transport::Udp, false);
    pair.invite(Some(sdp("a")));
    pair.run(secs(20));
    assert!(matches!(pair.event(Side::A), Event::Failed { status: StatusCode::REQUEST_TIMEOUT, .. }));
    assert!(matches!(pair.event(Side::B), Event::Cancelled { .. }));
    pair.finish();
}
