//! A call from INVITE to BYE, over each transport.

use super::harness::{Family, Gateway, Setup, Sipp};

fn a_call_is_answered_and_ended(family: Family, tcp: bool) {
    let gateway = Setup::new().family(family).start();
    let call = Sipp::new("basic");
    if tcp { call.tcp() } else { call }.run(&gateway);
    let remains = gateway.finish();
    let record = remains.record();
    assert_eq!(record["cause"], "caller-hung-up");
    assert_eq!(record["status"], 200);
    assert_eq!(record["rooms"][0], "lobby");
    assert!(record["talk_ms"].as_u64().unwrap() >= 400, "{record}");
}

#[test]
fn over_udp_and_ipv4() {
    a_call_is_answered_and_ended(Family::V4, false);
}

#[test]
fn over_tcp_and_ipv4() {
    a_call_is_answered_and_ended(Family::V4, true);
}

#[test]
fn over_udp_and_ipv6() {
    a_call_is_answered_and_ended(Family::V6, false);
}

#[test]
fn over_tcp_and_ipv6() {
    a_call_is_answered_and_ended(Family::V6, true);
}

#[test]
fn options_tell_what_the_gateway_can_do() {
    let gateway = Gateway::start();
    Sipp::new("options").run(&gateway);
    assert!(gateway.finish().records.is_empty());
}
