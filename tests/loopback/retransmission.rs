//! Messages that are lost, come twice, or come by two ways.

use super::harness::{Gateway, Sipp};

#[test]
fn an_ack_that_never_comes_ends_the_call() {
    let gateway = Gateway::start();
    let messages = Sipp::new("lost_ack").limit(50).run(&gateway);
    let answers = messages.matches("SIP/2.0 200 OK").count();
    // At 0, 0.5, 1.5, 3.5 seconds, then every four seconds up to 32.
    assert!((10..=12).contains(&answers), "the 200 came {answers} times\n{messages}");
    assert_eq!(gateway.finish().record()["cause"], "ack-timeout");
}

#[test]
fn an_invite_that_comes_three_times_is_one_call() {
    let gateway = Gateway::start();
    Sipp::new("retransmitted_invite").number("2100").run(&gateway);
    assert_eq!(gateway.finish().record()["cause"], "caller-hung-up");
}

#[test]
fn an_invite_that_comes_by_two_ways_is_one_call() {
    let gateway = Gateway::start();
    Sipp::new("merged_request").number("2200").run(&gateway);
    assert_eq!(gateway.finish().record()["cause"], "cancelled");
}
