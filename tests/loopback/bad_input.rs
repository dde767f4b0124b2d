//! What goes wrong at the start, and what runs out later: one clear error that names the place.

use super::harness::PROGRAM;
use super::harness::folder::Folder;
use super::harness::process::{Outcome, Running};
use super::harness::{Family, Phone, Setup, address, seconds};
use std::net::UdpSocket;
use std::process::Command;

/// Five mistakes; the lines they stand in.
const FIVE_MISTAKES: &str = r#"[gateway]
rtp_ports = "30000-20000"

[trunks.local]
allow = ["127.0.0.0/33"]

[rooms.demo]
pin = "1111"

[ivr.conference]
say  = { prompt = "enter-pim" }
then = { room = "by-pin" }
collect = { digits = "4-10" }

[[routes]]
name   = "Lobby"
from   = "local"
number = "2000"
room   = "lobby"
ivrr   = "conference"
"#;
const THEIR_LINES: [u32; 5] = [2, 5, 8, 11, 20];

fn partyline(folder: &Folder, command: &str, config: &str) -> Outcome {
    let mut process = Command::new(PROGRAM);
    process.arg(command).arg("--config").arg(config).current_dir(folder.path());
    Running::start(process, folder.path(), command).finish(seconds(10))
}

#[test]
fn five_mistakes_in_the_dialplan_are_told_at_once() {
    for command in ["check", "run"] {
        let folder = Folder::new();
        std::fs::write(folder.file("dialplan.toml"), FIVE_MISTAKES).unwrap();
        let outcome = partyline(&folder, command, "dialplan.toml");
        assert_eq!(outcome.code(), 1, "{}", outcome.errors);
        for line in THEIR_LINES {
            let place = format!("dialplan.toml:{line}:");
            assert!(outcome.errors.contains(&place), "{command} says nothing of line {line}:\n{}", outcome.errors);
        }
        assert!(outcome.errors.contains("5 errors"), "{}", outcome.errors);
    }
}

#[test]
fn a_dialplan_that_is_not_there_is_named() {
    let folder = Folder::new();
    let outcome = partyline(&folder, "run", "nowhere.toml");
    assert_eq!(outcome.code(), 1);
    assert!(outcome.errors.contains("nowhere.toml"), "{}", outcome.errors);
}

#[test]
fn a_prompt_that_cannot_be_read_is_named() {
    let folder = Folder::new();
    std::fs::write(folder.file("greeting.wav"), b"RIFF is how a WAV begins, but this is none").unwrap();
    let prompts = format!("{}/prompts", env!("CARGO_MANIFEST_DIR"));
    let dialplan = format!(
        "[gateway]\nprompts = \"{prompts}\"\n[trunks.local]\nallow = [\"127.0.0.1\"]\n[rooms.demo]\npin = \"482917\"\n\
         [ivr.conference]\nsay = {{ file = \"greeting.wav\" }}\ncollect = {{ digits = \"6\" }}\n\
         then = {{ room = \"by-pin\" }}\n\
         [[routes]]\nname = \"In\"\nfrom = \"local\"\nnumber = \"1000\"\nivr = \"conference\"\n"
    );
    std::fs::write(folder.file("dialplan.toml"), dialplan).unwrap();
    for command in ["check", "run"] {
        let outcome = partyline(&folder, command, "dialplan.toml");
        assert_eq!(outcome.code(), 1, "{}", outcome.errors);
        assert!(outcome.errors.contains("greeting.wav"), "{}", outcome.errors);
        assert!(outcome.errors.contains("dialplan.toml:8:"), "{}", outcome.errors);
    }
}

#[test]
fn a_sip_port_that_is_taken_is_named() {
    let folder = Folder::new();
    let host = Family::V4.own_address();
    let taken = UdpSocket::bind((host, 0)).unwrap();
    let place = taken.local_addr().unwrap();
    let (first, last) = address::free_block(host, 4);
    let dialplan = format!(
        "[gateway]\nsip = [\"udp://{place}\"]\nrtp_ports = \"{first}-{last}\"\n\
         prompts = \"{}/prompts\"\n[trunks.local]\nallow = [\"127.0.0.1\"]\n[rooms.lobby]\n\
         [[routes]]\nname = \"In\"\nfrom = \"local\"\nnumber = \"2000\"\nroom = \"lobby\"\n",
        env!("CARGO_MANIFEST_DIR")
    );
    std::fs::write(folder.file("dialplan.toml"), dialplan).unwrap();
    let outcome = partyline(&folder, "run", "dialplan.toml");
    assert_eq!(outcome.code(), 1, "{}", outcome.errors);
    let errors: Vec<_> = outcome.errors.lines().filter(|line| line.contains("cannot listen")).collect();
    assert_eq!(errors.len(), 1, "{}", outcome.errors);
    assert!(errors[0].contains(&place.to_string()) && errors[0].contains("another program"), "{}", errors[0]);
}

#[test]
fn when_no_media_port_is_free_a_new_call_gets_503_and_the_old_one_goes_on() {
    let gateway = Setup::new().media_ports(4).start();
    let first = Phone::dials("2000").seconds(5.0).call(&gateway);
    let second = Phone::dials("2000").seconds(5.0).call(&gateway);
    gateway.wait_for_members("lobby", 2);
    Phone::dials("2000").from("1002").run(&gateway).failed_with(503);
    gateway.wait_for_members("lobby", 2);
    first.finish().answered();
    second.finish().answered();
    // The ports are free again.
    gateway.wait_for("both are gone", seconds(5), |status| status["calls"].as_array().unwrap().is_empty());
    Phone::dials("2000").from("1002").seconds(0.5).run(&gateway).answered();
    let remains = gateway.finish();
    assert_eq!(remains.records.iter().filter(|record| record["status"] == 503).count(), 1);
    assert!(remains.says(&["no RTP port is free", "rtp_ports"]), "{}", remains.log);
}

#[test]
fn the_dialplan_that_comes_with_the_gateway_has_no_mistake() {
    let folder = Folder::new();
    let outcome = partyline(&folder, "check", concat!(env!("CARGO_MANIFEST_DIR"), "/dialplan.toml"));
    assert_eq!(outcome.code(), 0, "{}", outcome.errors);
    assert!(outcome.errors.is_empty() && outcome.output.contains("no mistakes"), "{}", outcome.errors);
}
