//! The declarations of what scenarios have: the language's own checker takes scripts against them.

use std::path::{Path, PathBuf};
use std::process::Command;

/// What `tsc` says of scripts; empty where it has nothing to say.
fn checked(scripts: &[PathBuf]) -> String {
    let tsc = Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("browser/node_modules/.bin/tsc");
    assert!(tsc.exists(), "{}: `make test` fetches it (CONTRIBUTING.md)", tsc.display());
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut said = String::new();
    // Each by itself, as a session has it.
    for script in scripts {
        let mut command = Command::new(&tsc);
        command.args(["--noEmit", "--allowJs", "--checkJs", "--strict", "false", "--moduleDetection", "legacy"]);
        command.args(["--target", "es2022", "--lib", "es2022", "--types", ""]);
        let output = command.arg(here.join("scenarios/voxengine.d.ts")).arg(script).output().unwrap();
        said += &String::from_utf8_lossy(&output.stdout);
        said += &String::from_utf8_lossy(&output.stderr);
    }
    said
}

fn scripts(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let paths = entries.map(|entry| entry.unwrap().path());
    paths.filter(|path| path.extension().is_some_and(|extension| extension == "js")).collect()
}

#[test]
fn scenarios_are_right_by_the_declarations() {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let shared = std::env::var_os("PARTYLINE_SHARED").map_or_else(|| here.join("../shared"), PathBuf::from);
    let reference = scripts(&shared.join("scenarios"));
    if reference.is_empty() {
        eprintln!("skipped: no ../shared/scenarios");
    }
    let ours = scripts(&here.join("scenarios"));
    assert_eq!(checked(&[reference, ours].concat()), "");
}

#[test]
fn what_is_not_declared_is_found() {
    let script = Path::new(env!("CARGO_TARGET_TMPDIR")).join("undeclared.js");
    std::fs::write(&script, "VoxEngine.fly(); VoxEngine.callUser({ username: 5 });").unwrap();
    let said = checked(&[script]);
    assert!(said.contains("'fly' does not exist") && said.matches("error TS").count() >= 2, "{said}");
}
