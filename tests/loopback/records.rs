//! Call records when the disk is full, when their file is moved away, and when the gateway is killed.

use super::harness::{Gateway, Phone, Setup, Sipp, seconds};
use serde_json::Value;
use std::fs::OpenOptions;
use std::process::Command;

/// Sets how large a file of the gateway may grow, in bytes.
fn limit_files(gateway: &Gateway, bytes: &str) {
    let (limit, id) = (format!("--fsize={bytes}:"), gateway.id().to_string());
    let status = Command::new("prlimit").args([&limit, "--pid", &id]).status().unwrap();
    assert!(status.success());
}

/// Short calls, one after the other.
fn calls(gateway: &Gateway, count: &str) {
    Sipp::new("stays_or_is_refused").number("2000").arguments(&["-m", count, "-r", "20", "-l", "20"]).run(gateway);
}

fn names(records: &[Value]) -> Vec<&str> {
    records.iter().map(|record| record["call"].as_str().unwrap()).collect()
}

#[test]
fn records_wait_for_a_full_disk_and_none_is_lost_or_torn() {
    // The log would find no room either.
    let nowhere = OpenOptions::new().write(true).open("/dev/null").unwrap();
    let gateway = Setup::new().media_ports(100).errors_to(nowhere).start();
    calls(&gateway, "3");
    gateway.wait_for("they are written", seconds(10), |_| gateway.records().len() == 3);
    let there = std::fs::metadata(gateway.folder().join("var/calls.jsonl")).unwrap().len();
    // In the middle of a line.
    limit_files(&gateway, &(there + there / 2).to_string());
    calls(&gateway, "40");
    gateway.wait_for("records wait", seconds(20), |status| {
        status["calls"].as_array().unwrap().is_empty() && status["backlog"]["records_waiting"].as_u64().unwrap() > 30
    });
    let shown = gateway.ctl(&["status"]).output;
    assert!(shown.contains("call records cannot be written") && shown.contains("0 are lost"), "{shown}");
    assert!(gateway.records().len() < 10, "whole lines or none");
    limit_files(&gateway, "unlimited");
    gateway.wait_for("they are written", seconds(20), |status| {
        status["backlog"]["records_waiting"] == 0 && status["backlog"]["records_trouble"] == ""
    });
    let records = gateway.finish().records;
    let mut names = names(&records);
    names.sort_unstable();
    names.dedup();
    assert_eq!((records.len(), names.len()), (43, 43));
}

#[test]
fn records_go_to_a_new_file_when_theirs_is_moved_away() {
    let gateway = Gateway::start();
    calls(&gateway, "1");
    let path = gateway.folder().join("var/calls.jsonl");
    gateway.wait_for("it is written", seconds(10), |_| gateway.records().len() == 1);
    std::fs::rename(&path, path.with_extension("1")).unwrap();
    calls(&gateway, "2");
    assert_eq!(gateway.finish().records.len(), 2);
}

#[test]
fn answered_calls_leave_records_though_the_gateway_is_killed_and_no_name_comes_twice() {
    let gateway = Gateway::start();
    Phone::dials("2000").seconds(0.5).run(&gateway).answered();
    gateway.wait_for("it is written", seconds(10), |_| gateway.records().len() == 1);
    let talking =
        [Phone::dials("2000").seconds(60.0).call(&gateway), Phone::dials("2000").seconds(60.0).call(&gateway)];
    gateway.wait_for_members("lobby", 2);
    let ringing = Phone::dials("2200").seconds(60.0).call(&gateway);
    gateway.wait_for("three calls", seconds(10), |status| status["calls"].as_array().unwrap().len() == 3);
    let journal = gateway.folder().join("var/calls.open");
    gateway.wait_for("they are in the journal", seconds(10), |_| {
        std::fs::read_to_string(&journal).unwrap().matches("gateway-stopped").count() >= 2
    });
    let gateway = gateway.kill_and_start_again();
    gateway.wait_for("their records are written", seconds(10), |_| gateway.records().len() == 3);
    drop((talking, ringing));
    for stopped in &gateway.records()[1..] {
        assert_eq!(stopped["cause"], "gateway-stopped", "{stopped}");
        assert!(stopped["answered"].is_string() && stopped["ended"].is_string(), "{stopped}");
    }
    Phone::dials("2000").seconds(0.5).run(&gateway).answered();
    gateway.wait_for("it is written", seconds(10), |_| gateway.records().len() == 4);
    // Nothing of it is left for a third start.
    let gateway = gateway.kill_and_start_again();
    let records = gateway.finish().records;
    let mut names = names(&records);
    assert!(names[0].starts_with("call-1-") && names[3].starts_with("call-2-"), "{names:?}");
    names.sort_unstable();
    names.dedup();
    assert_eq!((records.len(), names.len()), (4, 4));
}
