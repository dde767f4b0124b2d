//! What the program prints when no gateway runs: exit status, JSON, completions and man pages.

use super::harness::PROGRAM;
use serde_json::Value;
use std::os::fd::OwnedFd;
use std::process::{Command, Output, Stdio};

/// The program with these arguments, in the folder of the example dialplan.
fn run(arguments: &[&str]) -> Output {
    Command::new(PROGRAM).args(arguments).current_dir(env!("CARGO_MANIFEST_DIR")).output().unwrap()
}

fn json(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {output:?}"))
}

#[test]
fn explain_exits_with_1_when_the_call_is_refused_and_tells_all_in_json() {
    let good = ["explain", "--source", "127.0.0.1", "--number", "1000", "--digits", "482917#", "--caller", "1001"];
    let told = run(&[&good[..], &["--at", "2026-12-24 18:00:00", "--json"]].concat());
    assert_eq!(told.status.code(), Some(0));
    let way = json(&told);
    assert_eq!((&way["from"], &way["route"], &way["room"]), (&"local".into(), &"Conference".into(), &"demo".into()));
    assert!(way["refused"].is_null() && way["lines"].as_array().unwrap().len() > 5, "{way}");
    for (arguments, why) in [
        (["--source", "192.0.2.1", "--number", "1000"], "does not answer at all"),
        (["--from", "local", "--number", "5000"], "404 Not Found"),
        (["--from", "sessions", "--number", "112"], "emergency numbers are never called"),
    ] {
        let refused = run(&[&["explain"], &arguments[..]].concat());
        assert_eq!(refused.status.code(), Some(1), "{arguments:?}");
        assert!(String::from_utf8_lossy(&refused.stdout).contains(why), "{refused:?}");
        let way = json(&run(&[&["explain", "--json"], &arguments[..]].concat()));
        assert!(way["refused"].as_str().unwrap().contains(why), "{way}");
    }
    assert_eq!(run(&["explain", "--number", "1000"]).status.code(), Some(2), "it must come from somewhere");
    assert_eq!(run(&["explain", "--from", "local", "--number", "1", "--at", "noon"]).status.code(), Some(2));
}

#[test]
fn check_tells_mistakes_in_json_with_their_lines() {
    let good = json(&run(&["check", "--json"]));
    assert_eq!((&good["good"], good["found"].as_array().unwrap().len()), (&true.into(), 0));
    let folder = std::env::temp_dir().join(format!("partyline-check-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let file = folder.join("dialplan.toml");
    std::fs::write(&file, "[gateway]\ndscp = 64\n").unwrap();
    let bad = run(&["check", "--json", "--config", file.to_str().unwrap()]);
    std::fs::remove_dir_all(&folder).unwrap();
    assert_eq!(bad.status.code(), Some(1));
    let found = &json(&bad)["found"];
    let of_dscp = found.as_array().unwrap().iter().find(|one| one["line"] == 2).expect("the second line");
    assert_eq!((&of_dscp["severity"], &of_dscp["text"]), (&"error".into(), &"64".into()));
}

#[test]
fn the_program_tells_its_version_and_how_shells_complete_it_and_writes_its_manual() {
    let version = run(&["version"]);
    assert_eq!(String::from_utf8_lossy(&version.stdout), format!("partyline {}\n", env!("CARGO_PKG_VERSION")));
    assert_eq!(json(&run(&["version", "--json"]))["version"], env!("CARGO_PKG_VERSION"));
    for shell in ["bash", "zsh", "fish"] {
        let script = run(&["completions", shell]);
        assert!(script.status.success() && String::from_utf8_lossy(&script.stdout).contains("explain"), "{shell}");
    }
    let folder = std::env::temp_dir().join(format!("partyline-man-{}", std::process::id()));
    assert!(run(&["man", folder.to_str().unwrap()]).status.success());
    let page = std::fs::read_to_string(folder.join("partyline-explain.1")).unwrap();
    let pages = std::fs::read_dir(&folder).unwrap().count();
    std::fs::remove_dir_all(&folder).unwrap();
    assert!(page.contains("called number") && pages > 10, "{pages} pages");
}

/// A pipe that nobody reads.
fn unread() -> Stdio {
    let (_, writer) = std::io::pipe().unwrap();
    OwnedFd::from(writer).into()
}

#[test]
fn a_command_whose_output_nobody_reads_ends_with_its_own_status() {
    let folder = std::env::temp_dir().join(format!("partyline-unread-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let file = folder.join("dialplan.toml");
    std::fs::write(&file, "[gateway]\ndscp = 64\n").unwrap();
    let bad = ["--config", file.to_str().unwrap()];
    for (arguments, status) in [
        (&["check"][..], 0),
        (&["check", bad[0], bad[1]], 1),
        (&["explain", "--from", "local", "--number", "1000"], 0),
        (&["explain", "--from", "local", "--number", "1", bad[0], bad[1]], 1),
        (&["ctl", "--socket", "/nowhere", "status"], 1),
        (&["call", "nobody"], 1),
        (&["version"], 0),
        (&["completions", "bash"], 0),
        (&["--help"], 0),
        (&["nothing"], 2),
    ] {
        let mut command = Command::new(PROGRAM);
        command.args(arguments).current_dir(env!("CARGO_MANIFEST_DIR"));
        let ended = command.stdin(Stdio::null()).stdout(unread()).stderr(unread()).status().unwrap();
        assert_eq!(ended.code(), Some(status), "{arguments:?}");
    }
    std::fs::remove_dir_all(&folder).unwrap();
}

/// All texts in it.
fn texts(value: &Value) -> Vec<String> {
    match value {
        Value::String(text) => vec![text.clone()],
        Value::Array(values) => values.iter().flat_map(texts).collect(),
        Value::Object(fields) => fields.values().flat_map(texts).collect(),
        _ => Vec::new(),
    }
}

#[test]
fn control_characters_of_a_dialplan_come_out_of_no_json() {
    let folder = std::env::temp_dir().join(format!("partyline-escapes-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let file = folder.join("dialplan.toml");
    std::fs::write(&file, "[trunks.\"a\\u001b[2Jb\"]\nallow = \"nowhere\u{1b}\"\n").unwrap();
    let file = file.to_str().unwrap();
    let checked = run(&["check", "--json", "--config", file]);
    let explained = run(&["explain", "--json", "--from", "local", "--number", "1000", "--caller", "\u{1b}]0;x\u{7}"]);
    std::fs::remove_dir_all(&folder).unwrap();
    for output in [checked, explained] {
        let found: Vec<_> = texts(&json(&output)).into_iter().filter(|text| text.contains(char::is_control)).collect();
        assert!(found.is_empty(), "{found:?}");
    }
}
