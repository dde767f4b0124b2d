//! The names that `scenarios/voxengine.d.ts` declares are those that there are.

use super::*;
use std::collections::BTreeSet;

const DECLARATIONS: &str = include_str!("../../../../scenarios/voxengine.d.ts");

/// The lines of a declaration that begins with `head`, up to its end.
fn lines(head: &str) -> impl Iterator<Item = &'static str> + use<'_> {
    let after = DECLARATIONS.lines().skip_while(move |line| !line.starts_with(head));
    assert!(after.clone().next().is_some(), "{head} is declared");
    after.skip(1).take_while(|line| *line != "}")
}

/// The names of what begins with `head`.
fn heads<'a>(head: &'a str) -> impl Iterator<Item = &'static str> + use<'a> {
    DECLARATIONS.lines().filter_map(move |line| line.strip_prefix(head)).map(word)
}

/// The name that a text begins with.
fn word(text: &'static str) -> &'static str {
    text.split(|char: char| !(char.is_alphanumeric() || char == '_')).next().unwrap_or_default()
}

/// The functions of a namespace.
fn functions(namespace: &str) -> BTreeSet<&'static str> {
    lines(&format!("declare namespace {namespace} "))
        .filter_map(|line| line.strip_prefix("  function "))
        .map(word)
        .collect()
}

/// The members of an interface, and of those it extends.
fn members(interface: &str) -> BTreeSet<&'static str> {
    let head = format!("interface {interface} ");
    let first = DECLARATIONS.lines().find(|line| line.starts_with(&head)).expect("it is declared");
    let mut members: BTreeSet<_> = lines(&head)
        .filter_map(|line| line.strip_prefix("  "))
        .map(|line| word(line.strip_prefix("readonly ").unwrap_or(line)))
        .filter(|name| !name.is_empty())
        .collect();
    if let Some((_, parent)) = first.trim_end_matches(" {").split_once("extends ") {
        members.extend(self::members(parent));
    }
    members
}

fn names(expression: &str) -> BTreeSet<String> {
    serde_json::from_str(&value(expression)).unwrap()
}

fn owned(names: BTreeSet<&str>) -> BTreeSet<String> {
    names.into_iter().map(str::to_owned).collect()
}

#[test]
fn each_enum_has_its_members_and_their_values() {
    let mut count = 0;
    for name in heads("declare enum ") {
        let declared: BTreeSet<String> = lines(&format!("declare enum {name} "))
            .filter_map(|line| line.trim().trim_end_matches(',').split_once(" = "))
            .map(|(member, text)| format!("{member}={}", text.trim_matches('"')))
            .collect();
        let expression = format!("Object.entries({name}).map((entry) => entry.join('='))");
        assert_eq!(names(&expression), declared, "{name}");
        count += declared.len();
    }
    assert!(count > 60, "{count}");
}

#[test]
fn each_namespace_has_its_functions() {
    for name in heads("declare namespace ") {
        // Some come when they are asked for.
        let expression = format!(
            "(({{ {} }}) => {{
                const all = [];
                for (const key in {name}) if (typeof {name}[key] === 'function') all.push(key);
                return all;
            }})({name})",
            functions(name).into_iter().collect::<Vec<_>>().join(", ")
        );
        assert_eq!(names(&expression), owned(functions(name)), "{name}");
    }
    for name in heads("declare function ") {
        assert_eq!(value(&format!("typeof {name}")), "\"function\"", "{name}");
    }
    for name in heads("declare const ") {
        assert_eq!(value(&format!("typeof {name}")), "\"object\"", "{name}");
    }
}

#[test]
fn each_object_has_the_members_of_its_interface() {
    for (interface, made) in [
        ("Call", "VoxEngine.callPSTN('1')"),
        ("Conference", "VoxEngine.createConference()"),
        ("Endpoint", "VoxEngine.createConference().add({ call: VoxEngine.callPSTN('1') })"),
        ("Player", "VoxEngine.createURLPlayer('a')"),
        ("Recorder", "VoxEngine.createRecorder()"),
        ("WebSocket", "VoxEngine.createWebSocket('wss://example.com')"),
    ] {
        let source = format!(
            "const made = {made};
             // Some come when they are asked for.
             const {{ {} }} = made;
             const all = [Object.keys(made)];
             for (let at = Object.getPrototypeOf(made); at !== Object.prototype; at = Object.getPrototypeOf(at)) {{
                 all.push(Object.getOwnPropertyNames(at));
             }}
             Logger.write(JSON.stringify(all.flat()))",
            members(interface).into_iter().collect::<Vec<_>>().join(", ")
        );
        let said = logs(&source);
        let text: String = serde_json::from_str(
            said.rsplit_once("; \"").map_or(&*said, |(_, last)| &said[said.len() - last.len() - 1..]),
        )
        .unwrap();
        let mut there: BTreeSet<String> = serde_json::from_str(&text).unwrap();
        // Every object has these, and needs no declaration for them.
        for name in ["constructor", "toString"] {
            there.remove(name);
        }
        assert_eq!(there, owned(members(interface)), "{interface}");
    }
}

#[test]
fn what_is_said_of_the_platforms_names_in_the_page_is_all_that_there_is() {
    let page = include_str!("../../../../docs/scenarios.md");
    let table = page.split("## What exists").nth(1).and_then(|rest| rest.split("\n## ").next()).expect("the table");
    let mut missing = Vec::new();
    for name in functions("VoxEngine") {
        if !table.contains(&format!("`{name}`")) && !table.contains(&format!("`VoxEngine.{name}`")) {
            missing.push(format!("VoxEngine.{name}"));
        }
    }
    for interface in ["Call", "Conference", "Endpoint", "Player", "Recorder", "WebSocket"] {
        for name in members(interface) {
            // All can be listened to, which the events' lines say.
            let is_to_listen = name.ends_with("EventListener") || (interface == "WebSocket" && name.starts_with("on"));
            let written = [format!("`{name}`"), format!("`{interface} {name}`")];
            if !is_to_listen && !written.iter().any(|written| table.contains(written)) {
                missing.push(format!("{interface}.{name}"));
            }
        }
    }
    assert_eq!(missing, [""; 0]);
}
