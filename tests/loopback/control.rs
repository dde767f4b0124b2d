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
fn a_reload_is_answered_with_what_came_of_it() {
    let gateway = Gateway::start();
    let config = gateway.folder().join("dialplan.toml");
    let before = std::fs::read_to_string(&config).unwrap();
    let same = gateway.ctl(&["reload"]);
    assert_eq!(same.code(), 0, "{}", same.errors);
    assert!(same.output.contains("as it was: 1 trunk, 2 rooms, 1 IVR, 5 routes"), "{}", same.output);

    std::fs::write(&config, format!("{before}\n[[routes]]\nname = \"Bad\"\n")).unwrap();
    let bad = gateway.ctl(&["reload"]);
    let lines = before.lines().count();
    assert_eq!(bad.code(), 1);
    assert!(
        bad.errors.contains("the old one stands") && bad.errors.contains("this route leads nowhere"),
        "{}",
        bad.errors
    );
    let bad = gateway.ctl(&["reload", "--json"]);
    let told: serde_json::Value = serde_json::from_str(&bad.output).unwrap();
    assert_eq!((bad.code(), &told["outcome"]), (1, &"refused".into()));
    let found = told["found"].as_array().unwrap();
    assert!(found.iter().any(|one| one["severity"] == "error" && one["line"].as_u64() > Some(lines as u64)), "{told}");
    Phone::dials("2000").seconds(1.0).run(&gateway).answered();

    let changed = before.replace("\"2000\"", "\"2001\"").replace("media_threads = 2", "media_threads = 1\ndscp = 8");
    std::fs::write(&config, changed).unwrap();
    let good = gateway.ctl(&["reload", "--json"]);
    let told: serde_json::Value = serde_json::from_str(&good.output).unwrap();
    assert_eq!((good.code(), &told["outcome"]), (0, &"loaded".into()), "{told}");
    assert_eq!(told["restart_needed"], serde_json::json!(["media_threads", "dscp"]));
    // It is in force before the answer comes.
    Phone::dials("2000").run(&gateway).failed_with(404);
    assert!(gateway.ctl(&["reload"]).output.contains("gateway.dscp has changed, and is as it was until a restart"));
    gateway.finish();
}

#[test]
fn a_drain_of_an_idle_gateway_is_answered_before_it_ends() {
    let gateway = Gateway::start();
    let drained = gateway.ctl(&["drain", "--seconds", "0"]);
    assert_eq!(drained.code(), 0, "{}", drained.output);
    assert!(drained.output.contains("taking no new calls"), "{}", drained.output);
}
