//! Settings that are only taken up at a start.

use super::*;
use plan::Gateway;
use std::collections::BTreeMap;

/// Of each setting a value, and another.
const SETTINGS: [(&str, [&str; 2]); 14] = [
    ("sip", [r#"["udp://127.0.0.1:5060", "tls://127.0.0.1"]"#, r#"["udp://127.0.0.1:5070", "tls://127.0.0.1"]"#]),
    ("tls", [r#"{ certificate = "a.pem", key = "a.key.pem" }"#, r#"{ certificate = "b.pem", key = "a.key.pem" }"#]),
    ("rtp_ports", [r#""20000-29999""#, r#""20000-29997""#]),
    ("media_threads", ["2", "3"]),
    ("call_records", [r#""calls.jsonl""#, r#""records.jsonl""#]),
    ("control", [r#""partyline.sock""#, r#""control.sock""#]),
    ("data", [r#""var""#, r#""data""#]),
    ("database", [r#""sqlite://users.db""#, r#""postgres://host/users""#]),
    ("dscp", ["46", "8"]),
    ("http", [r#""127.0.0.1:8080""#, r#""127.0.0.1:8081""#]),
    ("https", [r#""127.0.0.1:8443""#, r#""127.0.0.1:8444""#]),
    (
        "acme",
        [r#"{ domains = ["a.example.com"] }"#, r#"{ domains = ["a.example.com"], directory = "letsencrypt-staging" }"#],
    ),
    ("ice_tcp", [r#""127.0.0.1:3478""#, r#""127.0.0.1:3479""#]),
    (
        "https_tls",
        [r#"{ certificate = "a.pem", key = "a.key.pem" }"#, r#"{ certificate = "b.pem", key = "a.key.pem" }"#],
    ),
];

fn with(settings: &BTreeMap<&str, &str>) -> Gateway {
    // HTTPS has one certificate.
    let has_acme = settings.contains_key("acme");
    let settings = settings.iter().filter(|(name, _)| !has_acme || **name != "https_tls");
    let lines: String = settings.map(|(name, value)| format!("{name} = {value}\n")).collect();
    parse("dialplan.toml", &format!("[gateway]\n{lines}{TRUNK}"), &Trusting).unwrap().plan.gateway.clone()
}

const TRUNK: &str = "[trunks.local]\nallow = \"127.0.0.1\"\n[rooms.a]\n\
                     [[routes]]\nname = \"A\"\nfrom = \"local\"\nnumber = \"1\"\nroom = \"a\"\n";

#[test]
fn each_setting_that_needs_a_restart_is_named_when_it_changed_and_no_other() {
    let one: BTreeMap<_, _> = SETTINGS.iter().map(|(name, [value, _])| (*name, *value)).collect();
    let first: BTreeMap<_, _> =
        one.iter().filter(|(name, _)| **name != "acme").map(|(name, value)| (*name, *value)).collect();
    let started = with(&first);
    assert!(started.awaiting_restart(&started).is_empty());
    for (name, _) in Gateway::AT_START {
        let first = if name == "acme" { &one } else { &first };
        let started = with(first);
        let (_, [_, other]) = SETTINGS.iter().find(|(known, _)| *known == name).expect("a value of each");
        let mut changed = first.clone();
        changed.insert(name, other);
        assert_eq!(with(&changed).awaiting_restart(&started), [name]);
    }
    let all = with(&SETTINGS.iter().map(|(name, [_, other])| (*name, *other)).collect());
    assert_eq!(all.awaiting_restart(&started).len(), Gateway::AT_START.len(), "one certificate in place of another");
    // What is taken up at once is not named.
    let mut changed = first;
    changed.insert("pin_budget", "100");
    changed.insert("log", "\"debug\"");
    assert!(with(&changed).awaiting_restart(&started).is_empty());
}
