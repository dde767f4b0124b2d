//! `partyline ctl` and signals.

use super::harness::{Gateway, PIN, Phone, Setup, seconds};
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
    // What runs goes on.
    assert!(!bad.errors.contains("nothing was started") && !gateway.log().contains("nothing was started"));
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

/// Whether the messages of a call that is made now stand in the log; its answer always does.
fn logs_messages(gateway: &Gateway, caller: &str) -> bool {
    let before = gateway.log().len();
    Phone::dials("2000").from(caller).seconds(0.5).run(gateway).answered();
    gateway.wait_for("the call's end", seconds(5), |status| status["calls"].as_array().unwrap().is_empty());
    gateway.log()[before..].contains(" SIP: ")
}

#[test]
fn what_is_logged_changes_while_the_gateway_runs() {
    let gateway = Setup::new().environment("PARTYLINE_LOG", "warn").start();
    assert_eq!(gateway.ctl(&["log"]).output, "the log is at warn\n");
    assert!(!logs_messages(&gateway, "1001"));
    let set = gateway.ctl(&["log", "debug"]);
    assert_eq!((set.code(), &*set.output), (0, "the log is at debug, it was at warn\n"), "{}", set.errors);
    assert!(logs_messages(&gateway, "1002"), "the endpoint reports messages from now on");
    let set = gateway.ctl(&["log", "info, partyline::net=debug", "--json"]);
    let told: serde_json::Value = serde_json::from_str(&set.output).unwrap();
    assert_eq!(told["log"], serde_json::json!({ "level": "info,partyline::net=debug", "before": "debug" }));
    assert!(!logs_messages(&gateway, "1003"));
    let bad = gateway.ctl(&["log", "loud"]);
    assert!(bad.code() == 1 && bad.errors.contains("\"loud\" is no level"), "{}", bad.errors);
    let remains = gateway.finish();
    assert!(remains.says(&["the log is at debug"]), "{}", remains.log);
}

#[test]
fn a_reload_takes_up_what_is_to_be_logged() {
    let gateway = Gateway::start();
    let config = gateway.folder().join("dialplan.toml");
    let dialplan = std::fs::read_to_string(&config).unwrap();
    std::fs::write(&config, dialplan.replace("log = \"debug\"", "log = \"info\"")).unwrap();
    let reloaded = gateway.ctl(&["reload"]);
    assert!(!reloaded.output.contains("gateway.log"), "{}", reloaded.output);
    assert_eq!(gateway.ctl(&["log"]).output, "the log is at info\n");
    assert!(!logs_messages(&gateway, "1001"));
    // What an administrator sets stays until the dialplan says something new.
    gateway.ctl(&["log", "debug"]);
    gateway.ctl(&["reload"]);
    assert!(logs_messages(&gateway, "1002"));
    gateway.finish();
}

#[test]
fn a_drain_of_an_idle_gateway_is_answered_before_it_ends() {
    let gateway = Gateway::start();
    let drained = gateway.ctl(&["drain", "--seconds", "0"]);
    assert_eq!(drained.code(), 0, "{}", drained.output);
    assert!(drained.output.contains("taking no new calls"), "{}", drained.output);
}

#[test]
fn every_subcommand_of_ctl_answers_in_json_when_asked_to() {
    let gateway = Gateway::start();
    let phone = Phone::dials("2000").seconds(60.0).call(&gateway);
    gateway.wait_for_members("lobby", 1);
    let call = gateway.status()["calls"][0]["call"].as_str().unwrap().to_owned();
    let call = call.as_str();
    // What is asked, and how that ends; where a voice is needed that may be missing, either way.
    let asked: [(&[&str], Option<i32>); 26] = [
        (&["status"], Some(0)),
        (&["calls"], Some(0)),
        (&["rooms"], Some(0)),
        (&["trunks"], Some(0)),
        (&["users"], Some(0)),
        // Nobody says a password.
        (&["add-user", "anna"], Some(1)),
        (&["change-user", "nobody", "--max-calls", "1"], Some(1)),
        (&["remove-user", "nobody"], Some(1)),
        (&["mute", call], Some(0)),
        (&["unmute", call], Some(0)),
        (&["gain", call, "-6"], Some(0)),
        (&["say", "Hello.", "--call", call], None),
        (&["play", "goodbye", "--room", "lobby"], Some(0)),
        (&["message", "Hello.", "--room", "lobby"], Some(0)),
        (&["message", "Hello.", "--call", call], Some(1)),
        (&["dial", "--room", "lobby", "+442079460123"], Some(1)),
        (&["transfer", call, "+442079460123"], Some(1)),
        (&["hold", call], Some(0)),
        (&["resume", call], Some(0)),
        (&["reload"], Some(0)),
        (&["events", "--last", "5"], Some(0)),
        (&["log"], Some(0)),
        (&["log", "info"], Some(0)),
        (&["kick", "call-4711"], Some(1)),
        (&["kick", "--room", "lobby"], Some(0)),
        (&["drain", "--seconds", "0"], Some(0)),
    ];
    let help = gateway.ctl(&["help"]).output;
    let commands = help.lines().skip_while(|line| *line != "Commands:").skip(1).take_while(|line| !line.is_empty());
    let commands =
        commands.filter_map(|line| line.strip_prefix("  ")?.split(' ').next()).filter(|word| !word.is_empty());
    for command in commands.filter(|command| *command != "help") {
        assert!(asked.iter().any(|(arguments, _)| arguments[0] == command), "{command} is not tried");
    }
    for (arguments, code) in asked {
        let answer = gateway.ctl(&[arguments, &["--json"]].concat());
        let values: Vec<_> =
            serde_json::Deserializer::from_str(&answer.output).into_iter::<serde_json::Value>().collect();
        let told = format!("{arguments:?}: {}{}", answer.output, answer.errors);
        assert!(!values.is_empty() && values.iter().all(Result::is_ok), "{told}");
        assert!(code.is_none_or(|code| code == answer.code()), "{told}");
    }
    phone.finish().answered();
}
