//! Requests too large for a datagram, and pings.

use super::super::*;
use super::raw::Open;
use super::{secs, start};
use crate::sip::message::{Message, Response, StatusCode, Transport, Uri};
use bytes::Bytes;

fn flow() -> Flow {
    let [local, remote] = ["192.0.2.1:5060", "192.0.2.2:5060"].map(|address| address.parse().unwrap());
    Flow { transport: Transport::Udp, local, remote, connection: None }
}

fn small_limit() -> Endpoint {
    Endpoint::new(EndpointConfig { datagram_limit: 100, ..EndpointConfig::default() }, crate::types::Seed::fixed(1))
}

fn ask(endpoint: &mut Endpoint, now: Now) -> (Flow, Bytes) {
    endpoint.ping(now, flow(), Uri::sip(None, flow().remote.ip(), None), &[]);
    sent(endpoint)
}

fn sent(endpoint: &mut Endpoint) -> (Flow, Bytes) {
    match endpoint.poll_output() {
        Some(Output::Transmit { flow, bytes, hurried }) => {
            // There is a datagram for whatever these tests send by TCP.
            assert_eq!(hurried, flow.transport == Transport::Tcp);
            (flow, bytes)
        }
        other => panic!("{other:?}"),
    }
}

fn via(bytes: &Bytes) -> &str {
    std::str::from_utf8(bytes).unwrap().lines().find_map(|line| line.strip_prefix("Via: SIP/2.0/")).unwrap()
}

#[test]
fn a_large_request_goes_by_tcp_and_by_udp_once_that_is_refused() {
    let (mut endpoint, now) = (small_limit(), start());
    let (first, bytes) = ask(&mut endpoint, now);
    assert_eq!((first.transport, first.remote), (Transport::Tcp, flow().remote));
    assert!(via(&bytes).starts_with("TCP "));
    endpoint.handle_input(now, Input::SendFailed { flow: first }, &mut Open);
    let (second, again) = sent(&mut endpoint);
    assert_eq!(second, flow());
    assert_eq!(via(&again).replace("UDP", "TCP"), via(&bytes), "the same branch");
    // Refused once, it is not asked again for a while.
    assert_eq!(ask(&mut endpoint, now).0.transport, Transport::Udp);
    let later = Now { instant: now.instant + secs(601), ..now };
    assert_eq!(ask(&mut endpoint, later).0.transport, Transport::Tcp);
}

#[test]
fn a_small_request_stays_a_datagram() {
    let mut endpoint = Endpoint::new(EndpointConfig::default(), crate::types::Seed::fixed(1));
    assert_eq!(ask(&mut endpoint, start()).0, flow());
}

#[test]
fn a_ping_tells_whether_there_was_an_answer() {
    let (mut endpoint, now) = (Endpoint::new(EndpointConfig::default(), crate::types::Seed::fixed(1)), start());
    let (_, request) = ask(&mut endpoint, now);
    let Ok(Message::Request(request)) = Message::parse(&request) else { panic!("no request") };
    let mut answer = Response::to_request(&request, StatusCode(405));
    answer.set_to_tag("peer");
    endpoint.handle_input(now, Input::Message { flow: flow(), bytes: answer.to_bytes() }, &mut Open);
    let event = std::iter::from_fn(|| endpoint.poll_output()).find_map(|output| match output {
        Output::Event(Event::Pinged { status, reached, .. }) => Some((status.0, reached)),
        _ => None,
    });
    assert_eq!(event, Some((405, true)));
    ask(&mut endpoint, now);
    endpoint.handle_input(now, Input::SendFailed { flow: flow() }, &mut Open);
    let event = std::iter::from_fn(|| endpoint.poll_output()).find_map(|output| match output {
        Output::Event(Event::Pinged { status, reached, .. }) => Some((status.0, reached)),
        _ => None,
    });
    assert_eq!(event, Some((503, false)));
}

#[test]
fn a_large_invite_that_was_given_up_is_not_sent_again_by_udp() {
    let (mut endpoint, now) = (small_limit(), start());
    let target = Uri::sip(Some("b"), flow().remote.ip(), None);
    let call = || OutgoingInvite::new(flow(), "<sip:a@example.com>".parse().unwrap(), target.clone(), None);
    let id = endpoint.invite(now, call()).unwrap();
    let (tcp, _) = sent(&mut endpoint);
    assert_eq!(tcp.transport, Transport::Tcp);
    endpoint.hangup(now, id, None).unwrap();
    while endpoint.poll_output().is_some() {}
    endpoint.handle_input(now, Input::SendFailed { flow: tcp }, &mut Open);
    let sent_after = std::iter::from_fn(|| endpoint.poll_output()).any(|it| matches!(it, Output::Transmit { .. }));
    assert!(!sent_after && endpoint.counts().client_transactions == 0);
    // What was learnt of the peer stays: the next one goes by UDP at once.
    endpoint.invite(now, call()).unwrap();
    assert_eq!(sent(&mut endpoint).0, flow());
}
