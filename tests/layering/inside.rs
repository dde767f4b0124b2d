//! Nothing points up inside the large modules either: their submodules stand in layers.

use super::{edges_of, module_of, sources};
use std::path::Path;

/// A module and its submodules in layers, the lowest first: a submodule may use those of the layers below its own, and
/// none beside it. Each may use what stands in the module's own `mod.rs`, save where that only hands things on
/// ([`HANDS_ON`]). Tests may use anything.
const LAYERS: &[(&str, &[&[&str]])] = &[
    (
        "sip",
        &[
            &["message"],
            &["auth", "dialog", "flow", "locate", "service_route"],
            &["transaction"],
            &["core"],
            &["invite", "registrar", "registration"],
            &["endpoint"],
        ],
    ),
    (
        "gateway",
        &[
            &[
                "bridges",
                "cause",
                "challenge_limit",
                "digest",
                "disturbing",
                "effects",
                "flat",
                "forking",
                "handles",
                "health",
                "hold",
                "identity",
                "intake",
                "kept",
                "log",
                "made_rooms",
                "message_limit",
                "new_user",
                "outgoing",
                "peer",
                "pin_guard",
                "reason",
                "refusal",
                "snapshot",
                "sounds",
                "targets",
                "timer",
                "transport",
                "user_status",
            ],
            &[
                "call_record",
                "joins",
                "keys",
                "media_host",
                "messages",
                "relayed",
                "rooms",
                "sessions",
                "shutdown",
                "trunks",
            ],
            &[
                "admission",
                "call",
                "control",
                "event",
                "media_events",
                "moderation",
                "pins",
                "players",
                "signalling",
                "steering",
                "trunk_health",
                "trunk_registration",
                "trunk_reload",
                "trunk_tls",
                "trunk_way",
                "users",
            ],
            &[
                "alone",
                "calls",
                "dismissal",
                "ending",
                "negotiation",
                "one_way",
                "outbound",
                "overload",
                "playback",
                "speaking",
                "streamed_text",
                "streams",
                "webrtc",
            ],
            &["call_messages", "connecting", "scenarios", "transfer"],
            &["joining"],
            &["apply"],
            &["guests", "incoming"],
            &["direct", "messaging"],
            &["io"],
        ],
    ),
    (
        "media",
        &[
            &["budget", "command", "encoded", "phase", "stream", "voices", "work"],
            &[
                "active_speaker",
                "buses",
                "disturbance",
                "events",
                "following",
                "loudest",
                "quiet",
                "room_alignment",
                "routes",
                "slots",
            ],
            &["outbox", "player", "room"],
            &["transport"],
            &["hearing"],
            &["recorder"],
            &["leg"],
            &["engine"],
            &["alignment", "compile"],
            &["bundle", "tick"],
            &["plane", "transfer"],
            &["sim", "thread"],
        ],
    ),
];

/// Edges that still point up, to be taken away: none, and none is to be added.
const STILL_UP: &[(&str, &str, &str)] = &[];

/// Modules whose `mod.rs` defines nothing: inside, things are named where they are.
const HANDS_ON: &[&str] = &["sip"];

/// Why `from` may not use `to`, both submodules of `module`.
fn refusal(module: &str, layers: &[&[&str]], from: &str, to: &str) -> Option<String> {
    let layer = |name: &str| layers.iter().position(|layer| layer.contains(&name));
    let Some(here) = layer(from) else { return Some(format!("`{module}::{from}` is in no layer")) };
    match layer(to) {
        Some(there) if there < here => None,
        Some(_) => Some(format!("`{module}::{from}` may not use `{to}`, which is not below it")),
        None if HANDS_ON.contains(&module) => Some(format!("`{module}::{from}` may not go by `{module}::{to}`")),
        None => None,
    }
}

/// Every edge that points up, as module, from, to, with its place and what to say of it.
fn upward(file: &Path, text: &str) -> Vec<(String, String, String, String)> {
    let path = module_of(file);
    let [module, from, ..] = path.as_slice() else { return Vec::new() };
    let Some((_, layers)) = LAYERS.iter().find(|(name, _)| name == module) else { return Vec::new() };
    if from.ends_with("tests") {
        return Vec::new();
    }
    let edges = edges_of(&path, text).unwrap_or_default();
    let inside = edges.into_iter().filter(|edge| edge.to.first() == Some(module));
    inside
        .filter_map(|edge| {
            let to = edge.to.get(1).filter(|to| *to != from && !to.ends_with("tests"))?;
            let why = refusal(module, layers, from, to)?;
            let text = format!("src/{}:{}: {why}", file.display(), edge.line);
            Some((module.clone(), from.clone(), to.clone(), text))
        })
        .collect()
}

#[test]
fn nothing_points_up_inside_sip_gateway_and_media() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    sources(&src, &mut files);
    files.sort();
    let mut mistakes = Vec::new();
    let mut needed = vec![false; STILL_UP.len()];
    for path in &files {
        for (module, from, to, why) in upward(path.strip_prefix(&src).unwrap(), &std::fs::read_to_string(path).unwrap())
        {
            match STILL_UP.iter().position(|known| *known == (&*module, &*from, &*to)) {
                Some(known) => needed[known] = true,
                None => mistakes.push(why),
            }
        }
    }
    for ((module, from, to), needed) in STILL_UP.iter().zip(needed) {
        if !needed {
            mistakes.push(format!("`{module}::{from}` uses `{to}` no more: take that out of STILL_UP"));
        }
    }
    assert!(mistakes.is_empty(), "\n{}\n", mistakes.join("\n"));
}

#[test]
fn an_edge_to_what_is_above_or_beside_is_found() {
    let table: &[(&str, &str, &[&str])] = &[
        (
            "sip/transaction/clients.rs",
            "use crate::sip::invite::Usage;",
            &["src/sip/transaction/clients.rs:1: `sip::transaction` may not use `invite`, which is not below it"],
        ),
        (
            "sip/registration.rs",
            "use super::invite::session;",
            &["src/sip/registration.rs:1: `sip::registration` may not use `invite`, which is not below it"],
        ),
        (
            "sip/invite/ours.rs",
            "use crate::sip::Event;",
            &["src/sip/invite/ours.rs:1: `sip::invite` may not go by `sip::Event`"],
        ),
        ("sip/extra.rs", "use super::message::Uri;", &["src/sip/extra.rs:1: `sip::extra` is in no layer"]),
        ("sip/endpoint/mod.rs", "use super::invite::Usage; use crate::sip::core::Core;", &[]),
        ("sip/mod.rs", "pub use endpoint::Endpoint;", &[]),
        ("gateway/ending.rs", "use super::Gateway;", &[]),
        ("gateway/trunk_tests.rs", "use super::incoming;", &[]),
    ];
    for (file, text, expected) in table {
        let found: Vec<String> = upward(Path::new(file), text).into_iter().map(|(.., why)| why).collect();
        assert_eq!(found, *expected, "{file}: {text}");
    }
}
