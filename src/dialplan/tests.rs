//! The dialplan as a whole: files in, plans, diagnostics and explanations out.

mod acme;
mod api;
mod codecs;
mod explained;
mod mistakes;
mod properties;
mod restart;
mod unmatched;
mod world;

use super::*;
use std::time::Duration;

/// The file that lies in the project's root.
const DEMO: &str = include_str!("../../dialplan.toml");

/// The example of the design, as far as this version goes: without scenarios and users' calls to each other.
const EXAMPLE: &str = include_str!("tests/example.toml");

fn example() -> Loaded {
    parse("dialplan.toml", EXAMPLE, &Trusting).expect("the example is good")
}

#[test]
fn the_demo_file_checks_clean() {
    let loaded = parse("dialplan.toml", DEMO, &Trusting).unwrap();
    assert!(loaded.warnings.is_empty(), "{}", loaded.warnings);
    let plan = loaded.plan;
    let local = Origin::named("local");
    for (number, name) in [("1000", "Conference"), ("2000", "Lobby"), ("3042", "OnDemand"), ("4000", "InboundFromPSTN")]
    {
        assert_eq!(route::find(&plan, &local, number).unwrap().name, name);
    }
    assert!(route::find(&plan, &local, "30421").is_none());
    // The four of the conference, in the order of the platform's own.
    let four = ["InboundFromPSTN", "InboundCall", "Fwd", "P2P"];
    let names: Vec<&str> =
        plan.routes.iter().map(|route| route.name.as_str()).filter(|name| four.contains(name)).collect();
    assert_eq!(names, four);
    assert_eq!(plan.room("604715").unwrap().keyed().as_deref(), Some("604715"));
    assert_eq!(plan.room("demo").unwrap().keyed().as_deref(), Some("482917"));
    assert_eq!(plan.room("lobby").map(|room| room.keyed()), None);
    // A session opens the conferences of rooms that scenarios hold, and no others.
    let opened = |name: &str| route::find(&plan, &Origin::Sessions, name).map(|route| route.name.as_str());
    assert_eq!(opened("conf_604715"), Some("Fwd"));
    for other in ["conf_604716", "conf_demo", "conf_", "604715"] {
        assert_eq!(opened(other), None, "{other}");
    }
    let why = route::decide(&plan, &Origin::Sessions, "conf_604716").no_route();
    assert!(why.contains("Fwd (there is no such room)"), "{why}");
    let (room, access) = plan.room_by_pin("482917").unwrap();
    assert_eq!((room.name.as_str(), access), ("demo", RoomAccess::Member));
    for address in ["127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1"] {
        assert_eq!(plan.trunk_for(address.parse().unwrap()).unwrap().name, "local", "{address}");
    }
    assert!(plan.trunk_for("192.0.2.1".parse().unwrap()).is_none());
    assert_eq!(plan.gateway.sip.len(), 4);
}

#[test]
fn the_examples_in_the_demo_files_comments_are_good_too() {
    let uncommented: String = DEMO
        .lines()
        .map(|line| match line.strip_prefix("# ") {
            Some(code) if code.contains(" = ") || code.starts_with("[trunks") || code.starts_with("[[routes") => {
                format!("{code}\n")
            }
            _ => format!("{line}\n"),
        })
        .filter(|line| !line.contains('…'))
        .collect();
    let loaded = parse("dialplan.toml", &uncommented, &Trusting).unwrap_or_else(|found| panic!("{found}"));
    let carrier = loaded.plan.trunk("carrier").unwrap();
    assert_eq!(carrier.register, Register::Account);
    assert_eq!(carrier.max_calls, Some(30));
    assert_eq!(outgoing::allow(&loaded.plan, "+442079460123").unwrap().route.name, "Out");
    assert_eq!(loaded.plan.gateway.numbers.country_code.as_deref(), Some("44"));
    assert_eq!(loaded.plan.ivr("conference").unwrap().greetings.len(), 1);
}

#[test]
fn the_example_becomes_a_plan() {
    let plan = example().plan;
    let trunk = plan.trunk("carrier").unwrap();
    assert_eq!(trunk.address, [TrunkAddress { host: "sip.carrier.example".into(), port: None }]);
    assert!(trunk.allows("203.0.113.9".parse().unwrap()));
    assert_eq!(trunk.password.as_ref().unwrap().reveal(), "set");
    assert_eq!(trunk.number_from, [NumberSource::RequestUri, NumberSource::To]);
    assert_eq!(trunk.expires, Duration::from_secs(3_600));
    let collect = plan.ivr("conference").unwrap().collect.clone().unwrap();
    assert_eq!((collect.min_digits, collect.max_digits, collect.tries), (4, 10, 3));
    assert_eq!((collect.terminator, collect.restart), (Some('#'), Some('*')));
    assert_eq!(plan.routes[0].answer_after, Duration::from_secs(3));
    assert_eq!(plan.routes[0].line, 30);
    assert_eq!(plan.gateway.rtp_ports, 20_000..=29_999);
    assert_eq!(plan.gateway.call_records, Path::new("var/calls.jsonl"));
    let (room, access) = plan.room_by_pin("775310").unwrap();
    assert_eq!((room.name.as_str(), access), ("standup", RoomAccess::Host));
    assert!(plan.room_by_pin("775311").is_none());
}

#[test]
fn the_first_route_that_matches_is_taken_and_the_others_say_why_not() {
    let plan = example().plan;
    let carrier = Origin::named("carrier");
    assert_eq!(route::find(&plan, &carrier, "+442079460155").unwrap().name, "InboundFromPSTN");
    let decision = route::decide(&plan, &Origin::Users, "nobody");
    assert_eq!(decision.route.unwrap().name, "Others");
    let passed: Vec<_> = decision.passed.iter().map(|(route, miss)| (route.name.as_str(), *miss)).collect();
    use route::Miss::{Number, Origin as From};
    assert_eq!(passed, [("InboundFromPSTN", From), ("InboundCall", Number), ("Fwd", From)]);
    assert!(route::find(&plan, &Origin::Sessions, "standup").is_none(), "no session dials past the PIN");
}

#[test]
fn a_pattern_takes_the_whole_number_and_ascii_digits_only() {
    let pattern = Pattern::new(r"\d{3}|1").unwrap();
    for (number, taken) in
        [("123", true), ("1", true), ("1234", false), ("x123", false), ("١٢٣", false), ("12\n", false)]
    {
        assert_eq!(pattern.matches(number), taken, "{number}");
    }
    assert!(Pattern::new("").unwrap().matches(""));
    assert!(Pattern::new(".*").unwrap().matches("jürgen"));
    assert!(Pattern::new("(?x) 1 0 # ten").unwrap().matches("10"));
    assert_eq!(Pattern::new("1)(2").unwrap_err().span, 1..2);
    assert!(Pattern::new(r"(\d{1000}){1000}").is_err());
}

#[test]
fn relative_paths_begin_at_the_files_folder() {
    let plan = parse("/etc/partyline/dialplan.toml", EXAMPLE, &Trusting).unwrap().plan;
    assert_eq!(plan.gateway.prompts, Path::new("/etc/partyline/prompts"));
    assert_eq!(plan.gateway.control, Path::new("/etc/partyline/var/partyline.sock"));
}

#[test]
fn a_file_that_cannot_be_read_is_told_as_such() {
    let found = load(Path::new("/nowhere/dialplan.toml"), &Trusting).unwrap_err();
    assert_eq!(found.errors(), 1);
    let text = found.to_string();
    assert!(text.contains("the dialplan cannot be read: No such file"), "{text}");
    assert!(text.contains("/nowhere/dialplan.toml"), "{text}");
}

#[test]
fn a_plan_is_shown_without_pins_and_passwords() {
    let text = EXAMPLE.replace("{ env = \"CARRIER_PASSWORD\" }", "{ plain = \"hunter2\" }");
    let shown = format!("{:?}", parse("dialplan.toml", &text, &Trusting).unwrap());
    for secret in ["482917", "775310", "hunter2"] {
        assert!(!shown.contains(secret), "{secret}");
    }
}
