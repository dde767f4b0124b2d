//! What the program prints when no gateway runs: exit status, JSON, completions and man pages.

use super::harness::PROGRAM;
use serde_json::Value;
use std::process::{Command, Output};

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
        (["--from", "local", "--number", "4000"], "404 Not Found"),
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
