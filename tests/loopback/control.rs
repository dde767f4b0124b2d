//! `partyline ctl` and signals.

use super::harness::{Gateway, PIN, Phone, seconds};
use nix::sys::signal::Signal;

#[test]
fn the_status_shows_a_call_and_kick_ends_it() {
    let gateway = Gateway::start();
    let phone = Phone::dials("2000").seconds(20.0).call(&gateway);
    gateway.wait_for_members("lobby", 1);
    let shown = gateway.ctl(&["status"]);
    assert!(shown.output.contains("lobby") && shown.output.contains("1001"), "{}", shown.output);
    let call = gateway.status()["calls"][0]["call"].as_str().unwrap().to_owned();
    assert_eq!(gateway.ctl(&["kick", &call]).code(), 0);
    assert_eq!(gateway.ctl(&["kick", "call-4711"]).code(), 1);
    assert!(phone.finish().answered().output.contains("the far end hung up"));
    assert_eq!(gateway.finish().record()["cause"], "kicked");
}

#[test]
fn a_draining_gateway_refuses_new_calls_and_keeps_the_old() {
    let gateway = Gateway::start();
    let talking = Phone::dials("2000").seconds(4.0).call(&gateway);
    gateway.wait_for_members("lobby", 1);
    gateway.signal(Signal::SIGTERM);
    gateway.wait_for("the gateway drains", seconds(5), |status| status["draining"] == true);
    Phone::dials("2000").run(&gateway).failed_with(503);
    assert!(talking.finish().answered().output.contains("hung up"));
}

#[test]
fn a_mistake_in_a_reloaded_dialplan_changes_nothing() {
    let gateway = Gateway::start();
    let config = gateway.folder().join("dialplan.toml");
    let before = std::fs::read_to_string(&config).unwrap();
    std::fs::write(&config, format!("{before}\n[[routes]]\nname = \"Bad\"\n")).unwrap();
    gateway.signal(Signal::SIGHUP);
    gateway.wait_for_log("dialplan not reloaded", seconds(5));
    std::fs::write(&config, before.replace("\"2000\"", "\"2001\"")).unwrap();
    let talking = Phone::dials("2000").seconds(3.0).call(&gateway);
    gateway.wait_for_members("lobby", 1);
    gateway.signal(Signal::SIGHUP);
    gateway.wait_for_log("dialplan reloaded", seconds(5));
    Phone::dials("2000").run(&gateway).failed_with(404);
    Phone::dials("2001").seconds(1.0).run(&gateway).answered();
    talking.finish().answered();
    let remains = gateway.finish();
    remains.assert_silent_about(&[PIN]);
}

#[test]
fn a_drain_of_an_idle_gateway_is_answered_before_it_ends() {
    let gateway = Gateway::start();
    let drained = gateway.ctl(&["drain", "--seconds", "0"]);
    assert_eq!(drained.code(), 0, "{}", drained.output);
    assert!(drained.output.contains("taking no new calls"), "{}", drained.output);
}
