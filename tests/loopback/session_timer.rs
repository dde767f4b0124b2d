//! Session timers (RFC 4028). The shortest interval is 90 seconds, so some of these take a minute.

use super::harness::{Gateway, Setup, Sipp};

fn a_call_that_ends_by(cause: &str, scenario: &'static str, limit: u64) {
    let gateway = Gateway::start();
    Sipp::new(scenario).limit(limit).run(&gateway);
    assert_eq!(gateway.finish().record()["cause"], cause);
}

#[test]
fn the_peer_refreshes() {
    a_call_that_ends_by("caller-hung-up", "session_timer_peer_refreshes", 20);
}

#[test]
fn the_gateway_refreshes() {
    a_call_that_ends_by("caller-hung-up", "session_timer_gateway_refreshes", 70);
}

#[test]
fn a_refresh_that_crosses_a_reinvite_is_tried_again() {
    a_call_that_ends_by("caller-hung-up", "glare_reinvite", 70);
}

#[test]
fn a_refresh_that_never_comes_ends_the_call() {
    // No sound comes either, and that is not to end it first.
    let gateway = Setup::new().trunk("media_timeout = \"5m\"").start();
    Sipp::new("session_timer_expires").limit(90).run(&gateway);
    assert_eq!(gateway.finish().record()["cause"], "session-expired");
}

#[test]
fn too_short_an_interval_gets_422() {
    let gateway = Gateway::start();
    Sipp::new("session_timer_too_short").run(&gateway);
    let remains = gateway.finish();
    let last = remains.records.last().unwrap();
    assert_eq!((last["status"].as_u64(), last["cause"].as_str()), (Some(200), Some("caller-hung-up")));
}
