use super::super::*;
use super::pair::Fate;
use super::{Pair, Side, ms, sdp, secs};
use crate::sip::message::Transport;
use crate::sip::message::{Headers, StatusCode};

#[test]
fn a_call_is_set_up_and_torn_down_over_every_transport_and_family() {
    for (transport, v6) in
        [(Transport::Udp, false), (Transport::Udp, true), (Transport::Tcp, false), (Transport::Tls, true)]
    {
        let mut pair = Pair::with(EndpointConfig::default(), EndpointConfig::default(), transport, v6);
        let (a, _) = pair.call();
        pair.hangup(Side::A, a);
        pair.run(secs(1));
        assert!(matches!(pair.event(Side::A), Event::Ended { by: EndedBy::Local, .. }));
        assert!(matches!(pair.event(Side::B), Event::Ended { by: EndedBy::Remote, .. }));
        let lines: Vec<_> = pair.log.iter().map(|(_, line)| line.split(' ').next_chunk_text()).collect();
        assert_eq!(lines, ["INVITE", "100", "200", "ACK", "BYE", "200"]);
        pair.finish();
    }
}

trait FirstWord {
    fn next_chunk_text(self) -> String;
}

impl<'a, I: Iterator<Item = &'a str>> FirstWord for I {
    /// The method of a request, the status of a response.
    fn next_chunk_text(mut self) -> String {
        let first = self.next().unwrap();
        if first == "SIP/2.0" { self.next().unwrap().to_owned() } else { first.to_owned() }
    }
}

#[test]
fn any_single_lost_message_is_made_up_for() {
    for lost in ["INVITE", "SIP/2.0 100", "SIP/2.0 180", "SIP/2.0 200", "ACK", "BYE"] {
        let mut pair = Pair::new();
        pair.drop_first(1, lost);
        let (_, b) = pair.invite(Some(sdp("a")));
        let now = pair.now;
        pair.end(Side::B).provisional(now, b, StatusCode::RINGING, None).unwrap();
        pair.run(secs(1));
        let now = pair.now;
        pair.end(Side::B).accept(now, b, sdp("b")).unwrap();
        pair.run(secs(10));
        pair.hangup(Side::B, b);
        pair.run(secs(10));
        let last = pair.events[0].pop_back().unwrap();
        assert!(matches!(last, Event::Ended { by: EndedBy::Remote, .. }), "{lost}: {last:?}");
        assert!(pair.events[0].iter().any(|event| matches!(event, Event::Answered { .. })), "{lost}");
        pair.finish();
    }
}

#[test]
fn duplicates_and_delays_change_nothing() {
    let mut pair = Pair::new();
    let mut count = 0;
    pair.rule(move |_, _| {
        count += 1;
        if count % 3 == 0 { Fate::Late(ms(700)) } else { Fate::Twice }
    });
    let (a, b) = pair.invite(Some(sdp("a")));
    let now = pair.now;
    pair.end(Side::B).accept(now, b, sdp("b")).unwrap();
    pair.run(secs(10));
    pair.hangup(Side::A, a);
    pair.run(secs(10));
    assert!(matches!(pair.event(Side::A), Event::Answered { .. }));
    assert!(matches!(pair.event(Side::A), Event::Ended { .. }));
    pair.no_event(Side::A);
    assert!(matches!(pair.event(Side::B), Event::Acknowledged { .. }));
    assert!(matches!(pair.event(Side::B), Event::Ended { .. }));
    pair.no_event(Side::B);
    pair.finish();
}

#[test]
fn a_late_offer_is_answered_in_the_ack() {
    let mut pair = Pair::new();
    let (a, b) = pair.invite(None);
    let now = pair.now;
    pair.end(Side::B).accept(now, b, sdp("offer of b")).unwrap();
    pair.run(secs(1));
    let Event::Answered { body, needs_answer: true, .. } = pair.event(Side::A) else { panic!() };
    assert_eq!(body, Some(sdp("offer of b").bytes));
    assert_eq!(pair.sent(Side::A, "ACK"), 0);
    pair.run(secs(3));
    let now = pair.now;
    pair.end(Side::A).acknowledge(now, a, Some(sdp("answer of a"))).unwrap();
    pair.run(secs(1));
    let Event::Acknowledged { body, .. } = pair.event(Side::B) else { panic!() };
    assert_eq!(body, Some(sdp("answer of a").bytes));
    pair.hangup(Side::A, a);
    pair.finish();
}

#[test]
fn a_late_offer_nobody_answers_ends_the_call() {
    let mut pair = Pair::new();
    let (_, b) = pair.invite(None);
    let now = pair.now;
    pair.end(Side::B).accept(now, b, sdp("offer")).unwrap();
    pair.run(secs(40));
    assert!(matches!(pair.event(Side::A), Event::Answered { .. }));
    assert!(matches!(pair.event(Side::A), Event::Ended { by: EndedBy::NoAnswer, .. }));
    assert!(matches!(pair.event(Side::B), Event::Acknowledged { body: None, .. }));
    assert!(matches!(pair.event(Side::B), Event::Ended { by: EndedBy::Remote, .. }));
    pair.finish();
}

#[test]
fn ringing_is_reported_and_repeated_each_minute() {
    let mut pair = Pair::new();
    let (a, b) = pair.invite(Some(sdp("a")));
    let now = pair.now;
    pair.end(Side::B).provisional(now, b, StatusCode::SESSION_PROGRESS, Some(sdp("early"))).unwrap();
    pair.run(secs(130));
    let Event::Progress { status, body, .. } = pair.event(Side::A) else { panic!() };
    assert_eq!((status.0, body), (183, Some(sdp("early").bytes)));
    assert_eq!(pair.sent(Side::B, "SIP/2.0 183"), 3);
    pair.hangup(Side::A, a);
    pair.finish();
}

#[test]
fn a_rejected_call_brings_the_response() {
    let mut pair = Pair::new();
    let (_, b) = pair.invite(Some(sdp("a")));
    let now = pair.now;
    let mut headers = Headers::new();
    headers.push(crate::sip::message::HeaderName::Contact, "<sip:elsewhere@192.0.2.77>");
    pair.drop_first(1, "ACK");
    pair.end(Side::B).reject(now, b, StatusCode::MOVED_TEMPORARILY, headers).unwrap();
    pair.run(secs(5));
    let Event::Failed { status, response: Some(response), .. } = pair.event(Side::A) else { panic!() };
    assert_eq!(status.0, 302);
    assert_eq!(response.contact().unwrap().uri.to_string(), "sip:elsewhere@192.0.2.77");
    assert_eq!(pair.sent(Side::A, "ACK"), 2);
    assert_eq!(pair.sent(Side::B, "SIP/2.0 302"), 2);
    pair.finish();
}

#[test]
fn an_invite_into_the_void_is_repeated_and_given_up() {
    let mut pair = Pair::new();
    pair.rule(|_, _| Fate::Drop);
    let call = pair.outgoing(Side::A, None);
    let now = pair.now;
    pair.end(Side::A).invite(now, call).unwrap();
    pair.run(secs(40));
    let Event::Failed { status, response: None, .. } = pair.event(Side::A) else { panic!() };
    assert_eq!(status.0, 408);
    // 0, 0.5, 1.5, 3.5, 7.5, 15.5, 31.5 s.
    assert_eq!(pair.sent(Side::A, "INVITE"), 7);
    assert_eq!(pair.times[6], ms(31_500));
    pair.finish();
}

#[test]
fn a_transport_failure_ends_what_waits() {
    let mut pair = Pair::new();
    pair.rule(|_, _| Fate::Drop);
    let call = pair.outgoing(Side::A, None);
    let (now, flow) = (pair.now, call.flow);
    pair.end(Side::A).invite(now, call).unwrap();
    pair.end(Side::A).handle_input(now, Input::SendFailed { flow }, &mut super::Open);
    pair.run(ms(1));
    let Event::Failed { status, response: None, .. } = pair.event(Side::A) else { panic!() };
    assert_eq!(status.0, 503);
    pair.finish();
}

#[test]
fn a_closed_connection_is_not_used_again() {
    let mut pair = Pair::with(EndpointConfig::default(), EndpointConfig::default(), Transport::Tcp, false);
    let (_, b) = pair.call();
    let (now, flow) = (pair.now, pair.flow(Side::B));
    pair.end(Side::B).handle_input(now, Input::FlowClosed { flow }, &mut super::Open);
    pair.end(Side::B).hangup(now, b, None).unwrap();
    let output = std::iter::from_fn(|| pair.end(Side::B).poll_output())
        .find_map(|output| if let Output::Transmit { flow, .. } = output { Some(flow) } else { None });
    assert_eq!(output, Some(Flow { connection: None, ..flow }));
    pair.run(secs(60));
}
