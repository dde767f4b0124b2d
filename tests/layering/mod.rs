//! Nothing points up: who may use whom, as ARCHITECTURE.md draws it, checked in the sources themselves.

mod edges;
mod inside;

use edges::{Edge, edges_of};
use std::path::{Path, PathBuf};

/// A module at the root of the crate and the paths it may use. Every module may use itself, `types` and, in tests,
/// `test_clock`; one that is not listed may exist only when it is added here.
const ALLOWED: &[(&str, &[&str])] = &[
    ("main", ANYTHING),
    ("lib", ANYTHING),
    ("cli", ANYTHING),
    // The shells: all that touches the world.
    // Hands WebSockets of SIP to `net`, and has it listen and shake hands.
    ("http", &["gateway", "dialplan", "sip::message", "net"]),
    ("store", &["gateway", "dialplan", "sip::message"]),
    // Decodes files and what lies behind URLs, and hands it over as PCM.
    ("sound", &["gateway", "dialplan", "sip::message", "audio", "media::command"]),
    // Words to PCM; prompts are files.
    ("speech", &["gateway", "dialplan", "sip::message", "audio", "media::command", "sound"]),
    // The threads of scenarios, the HTTP requests that they make, and the sound of their WebSockets.
    ("scenarios", &["gateway", "dialplan", "session", "sound", "audio", "media::command"]),
    // What it reads becomes the endpoint's input, by the flow it came on.
    ("net", &["gateway", "dialplan", "sip::message", "sip::Flow", "sip::Input", "sip::locate", "webrtc"]),
    // The cores.
    ("gateway", &["sip", "sdp", "dialplan", "session", "media::command"]),
    ("session", &["dialplan"]),
    ("media", &["rtp", "audio", "webrtc"]),
    ("webrtc", &["rtp", "sdp"]),
    ("dialplan", &[]),
    ("sip", &[]),
    ("sdp", &[]),
    ("rtp", &[]),
    ("audio", &[]),
    ("types", &[]),
];

const ANYTHING: &[&str] = &["*"];

/// What every module may use. `test_clock` exists in test builds alone, so the compiler keeps it out of the rest.
const BY_ALL: &[&str] = &["types", "test_clock"];

/// The most lines of one source file.
const LONGEST_FILE: usize = 600;

/// Why an edge is refused, if it is. `to` is a path from the root of the crate, without `crate`.
fn refusal(from: &str, to: &[String]) -> Option<String> {
    let Some((_, allowed)) = ALLOWED.iter().find(|(module, _)| *module == from) else {
        return Some(format!("`{from}` is not in the table of modules"));
    };
    if *allowed == ANYTHING || to.first().is_some_and(|first| first == from) {
        return None;
    }
    let within = |path: &&str| path.split("::").enumerate().all(|(n, name)| to.get(n).is_some_and(|part| part == name));
    if allowed.iter().chain(BY_ALL).any(within) {
        return None;
    }
    let to = if to.is_empty() { "the whole crate".to_owned() } else { format!("`{}`", to.join("::")) };
    Some(format!("`{from}` may not use {to}"))
}

/// The mistakes of one source file, each with its place. `file` is relative to `src`.
fn mistakes(file: &Path, text: &str) -> Vec<String> {
    let place = Path::new("src").join(file);
    let mut found = Vec::new();
    let lines = text.lines().count();
    if lines > LONGEST_FILE {
        found.push(format!("{}: {lines} lines, more than {LONGEST_FILE}: split it", place.display()));
    }
    let module = module_of(file);
    let from = match file.to_str() {
        Some("lib.rs") => "lib",
        Some("main.rs") => "main",
        _ => module.first().map_or("", String::as_str),
    };
    match edges_of(&module, text) {
        Ok(edges) => found.extend(edges.into_iter().filter_map(|Edge { line, to }| {
            refusal(from, &to).map(|why| format!("{}:{line}: {why}", place.display()))
        })),
        Err(error) => {
            let line = error.span().start().line;
            found.push(format!("{}:{line}: {error}", place.display()));
        }
    }
    found
}

/// `session/ivr/mod.rs` and `session/ivr.rs` are both `session::ivr`.
fn module_of(file: &Path) -> Vec<String> {
    let mut module: Vec<String> = file.iter().map(|part| part.to_string_lossy().into_owned()).collect();
    let name = module.pop().unwrap_or_default();
    let stem = name.strip_suffix(".rs").unwrap_or(&name);
    let is_root = module.is_empty() && matches!(stem, "lib" | "main");
    if stem != "mod" && !is_root {
        module.push(stem.to_owned());
    }
    module
}

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

#[test]
fn nothing_points_up_and_no_file_is_too_long() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    sources(&src, &mut files);
    files.sort();
    assert!(files.len() > 10, "the sources were found");
    let mistakes: Vec<String> = files
        .iter()
        .flat_map(|path| mistakes(path.strip_prefix(&src).unwrap(), &std::fs::read_to_string(path).unwrap()))
        .collect();
    assert!(mistakes.is_empty(), "\n{}\n", mistakes.join("\n"));
}

#[test]
fn every_kind_of_bad_edge_is_found_with_its_place() {
    let table: &[(&str, &str, &[&str])] = &[
        (
            "session/line.rs",
            "\nuse crate::media::command;",
            &["src/session/line.rs:2: `session` may not use `media::command`"],
        ),
        ("sip/endpoint.rs", "use crate::sdp;", &["src/sip/endpoint.rs:1: `sip` may not use `sdp`"]),
        (
            "gateway/mod.rs",
            "use crate::media::engine::Engine;",
            &["src/gateway/mod.rs:1: `gateway` may not use `media::engine::Engine`"],
        ),
        ("gateway/mod.rs", "use crate::media;", &["src/gateway/mod.rs:1: `gateway` may not use `media`"]),
        (
            "rtp/mod.rs",
            "use crate::{types::Now,\n audio::{mix, tone}};",
            &["src/rtp/mod.rs:2: `rtp` may not use `audio::mix`", "src/rtp/mod.rs:2: `rtp` may not use `audio::tone`"],
        ),
        ("audio/mix.rs", "fn f() { crate::rtp::g(); }", &["src/audio/mix.rs:1: `audio` may not use `rtp::g`"]),
        ("audio/mix.rs", "fn f(x: Vec<crate::rtp::T>) {}", &["src/audio/mix.rs:1: `audio` may not use `rtp::T`"]),
        ("audio/mix.rs", "impl crate::rtp::T for X {}", &["src/audio/mix.rs:1: `audio` may not use `rtp::T`"]),
        ("audio/mix.rs", "fn f() { ::partyline::rtp::g() }", &["src/audio/mix.rs:1: `audio` may not use `rtp::g`"]),
        ("audio/mix.rs", "use partyline::rtp::g;", &["src/audio/mix.rs:1: `audio` may not use `rtp::g`"]),
        (
            "audio/mix.rs",
            "fn f() { println!(\"{}\", vec![crate::rtp::N]); }",
            &["src/audio/mix.rs:1: `audio` may not use `rtp::N`"],
        ),
        (
            "audio/mix.rs",
            "macro_rules! m { () => { $crate::rtp::N } }",
            &["src/audio/mix.rs:1: `audio` may not use `rtp::N`"],
        ),
        ("audio/mix.rs", "m! { use crate::{rtp::N, types::T}; }", &["src/audio/mix.rs:1: `audio` may not use `rtp`"]),
        ("audio/mix.rs", "use super::super::rtp;", &["src/audio/mix.rs:1: `audio` may not use `rtp`"]),
        ("audio/mod.rs", "use super::rtp;", &["src/audio/mod.rs:1: `audio` may not use `rtp`"]),
        (
            "audio/mix.rs",
            "mod tests { use super::super::super::rtp; }",
            &["src/audio/mix.rs:1: `audio` may not use `rtp`"],
        ),
        (
            "audio/mix.rs",
            "#[cfg(test)] mod tests { use crate::rtp; }",
            &["src/audio/mix.rs:1: `audio` may not use `rtp`"],
        ),
        (
            "audio/mix.rs",
            "#[serde(with = \"crate::rtp::as_text\")] struct S;",
            &["src/audio/mix.rs:1: `audio` may not use `rtp::as_text`"],
        ),
        ("audio/mix.rs", "use crate as all;", &["src/audio/mix.rs:1: `audio` may not use the whole crate"]),
        ("audio/mix.rs", "use crate::*;", &["src/audio/mix.rs:1: `audio` may not use the whole crate"]),
        ("audio/mix.rs", "extern crate self as all;", &["src/audio/mix.rs:1: `audio` may not use the whole crate"]),
        ("extra/mod.rs", "use crate::types;", &["src/extra/mod.rs:1: `extra` is not in the table of modules"]),
        (
            "net/udp.rs",
            "use crate::sip::endpoint::Endpoint;",
            &["src/net/udp.rs:1: `net` may not use `sip::endpoint::Endpoint`"],
        ),
        ("audio/mix.rs", "fn f( {", &["src/audio/mix.rs:1: cannot parse string into token stream"]),
    ];
    for (file, text, expected) in table {
        assert_eq!(mistakes(Path::new(file), text), *expected, "{file}: {text}");
    }
}

#[test]
fn a_file_that_is_too_long_is_found() {
    let text = "\n".repeat(LONGEST_FILE + 1);
    assert_eq!(mistakes(Path::new("sip/mod.rs"), &text), ["src/sip/mod.rs: 601 lines, more than 600: split it"]);
    assert!(mistakes(Path::new("sip/mod.rs"), &"\n".repeat(LONGEST_FILE)).is_empty());
}

#[test]
fn good_edges_pass() {
    for (file, text) in [
        ("main.rs", "fn main() { partyline::cli::run(); }"),
        ("cli/run.rs", "use crate::{media::thread, net, sip::endpoint};"),
        (
            "session/mod.rs",
            "use crate::{dialplan::Plan, types::CallId}; pub(crate) struct S; pub(in crate::session) struct T;",
        ),
        ("session/ivr/mod.rs", "use super::{Event, ivr::entry}; use self::entry::Entry; use crate::session::Verb;"),
        ("gateway/call.rs", "use crate::media::command::{self, Command}; use crate::sip::endpoint::Event;"),
        ("speech/mod.rs", "use crate::audio::wav; use crate::media::command::Pcm;"),
        ("net/udp.rs", "use crate::sip::Flow; use crate::sip::message::StreamFramer;"),
        ("audio/mix.rs", "#[cfg(test)] mod tests { use super::*; fn f() { crate::test_clock(); } }"),
        (
            "sip/auth.rs",
            "//! See [`crate::gateway`].\n/// And [`crate::media`].\nfn f(crate_: u8) -> std::io::Result<()> { md5::g() }",
        ),
    ] {
        assert!(mistakes(Path::new(file), text).is_empty(), "{file}: {:?}", mistakes(Path::new(file), text));
    }
}
