//! `partyline explain` against what callers hear.

use super::desk::Desk;
use super::{CARRIER, dialplan, secs};
use crate::dialplan::explain::{Explanation, Question, explain};
use crate::dialplan::{self, Plan, Trusting};
use std::sync::Arc;

/// Everything that a line says is said: what follows each "says", and "then" behind it.
fn said(line: &str) -> Vec<String> {
    let mut heard = Vec::new();
    for part in line.split("says ").skip(1) {
        // Up to the next thing that is told: a text may hold commas.
        let part = part.split(", hangs up").next().unwrap_or_default();
        let part = part.split(", the caller").next().unwrap_or_default();
        let part = part.split(", every few seconds").next().unwrap_or_default();
        for (place, what) in part.split(", then ").enumerate() {
            if place == 0 || what.starts_with("prompt ") || what.starts_with('"') || what.starts_with("file ") {
                heard.push(what.trim_start_matches("prompt ").to_owned());
            }
        }
    }
    heard
}

/// What an explanation says is heard, in order. What is only heard alone in a room is heard, since the room is empty;
/// what a full room says is not.
fn told(way: &Explanation) -> Vec<String> {
    way.lines.iter().filter(|line| !line.contains("a full room")).flat_map(|line| said(line)).collect()
}

fn explained(plan: &Plan, number: &str, digits: Option<&str>) -> Explanation {
    explain(plan, &Question { from: "carrier", number, digits, ..Question::default() }).unwrap()
}

/// A call that keys each entry when all before it was said.
fn heard(plan: &Arc<Plan>, number: &str, entries: &[&str]) -> (Vec<String>, Option<String>) {
    let mut desk = Desk::with_plan(Arc::clone(plan));
    let call = desk.call(CARRIER, "+442079460001", number);
    desk.run(secs(3));
    for entry in entries {
        desk.key(call, entry);
        desk.run(secs(7));
    }
    desk.run(secs(150));
    let room = desk.status().rooms.first().map(|room| room.room.clone());
    assert_eq!(room.is_none(), desk.ended.contains(&call), "in a room, or gone: {:?}", desk.log);
    (desk.heard_by(call).into_iter().map(str::to_owned).collect(), room)
}

const COLLECT: &str = "collect = { digits = \"4-6\" }\n";
const BY_PIN: &str = "then = { room = \"by-pin\" }";

#[test]
fn what_explain_prints_is_what_is_heard_on_every_path_of_keyed_digits() {
    let entries: &[&[&str]] = &[
        &["482917#"],
        &["4829#17#", "482917#"],
        &["12#", "482917#"],
        &["", "482917#"],
        &["999999#", "12#", "482917#"],
        &["999999#", "999999#", "999999#"],
        &["12#", "1#", "#"],
        &["999999#", "12#"],
        &["12#", "999999#"],
        &["999999#", "999999#"],
        &["12*482917#"],
        &[],
    ];
    let own = "say = { file = \"a.wav\" }\nwrong = \"Wrong, sorry.\"\nshort = { prompt = \"busy\" }\ntimeout = { file = \"t.wav\" }\n\
               goodbye = \"Bye.\"\njoining = \"none\"\nfirst = { file = \"first.wav\" }\n";
    let ivrs = [
        format!("{COLLECT}{BY_PIN}"),
        format!("{COLLECT}{BY_PIN}\n{own}"),
        format!("{COLLECT}greetings = {{ '1000' = {{ prompt = \"please-wait\" }} }}\n{BY_PIN}"),
        format!("collect = {{ digits = \"6\", tries = 1 }}\n{BY_PIN}"),
        format!("collect = {{ digits = \"4-6\", tries = 2, restart = \"none\" }}\n{BY_PIN}"),
        format!("{COLLECT}then = {{ room = \"by-pin\", open_rooms = true }}"),
        format!("{COLLECT}then = {{ room = \"conf_{{digits}}\" }}"),
        format!("{COLLECT}then = {{ room = \"lobby\" }}"),
        "say = { prompt = \"please-wait\" }\nthen = { room = \"lobby\" }".to_owned(),
    ];
    for ivr in &ivrs {
        let plan = dialplan::parse("dialplan.toml", &dialplan(ivr, ""), &Trusting).unwrap().plan;
        for entries in entries {
            // A pause in which nothing is keyed has no key: explain takes all keys as one go.
            if entries.contains(&"") {
                continue;
            }
            let way = explained(&plan, "1000", Some(&entries.concat()));
            let (heard, room) = heard(&plan, "1000", entries);
            assert_eq!(heard, told(&way), "{entries:?} in\n{ivr}\n{way}");
            assert_eq!(room.is_some(), way.refused.is_none(), "{entries:?} in\n{ivr}\n{way}");
        }
    }
}

#[test]
fn what_explain_prints_of_digits_not_given_is_what_is_heard_on_each_of_those_ways() {
    let ivr = format!("{COLLECT}{BY_PIN}");
    let plan = dialplan::parse("dialplan.toml", &dialplan(&ivr, ""), &Trusting).unwrap().plan;
    let way = explained(&plan, "1000", None);
    let line = |start: &str| {
        let found = way.lines.iter().find(|line| line.trim_start().starts_with(start));
        said(found.unwrap_or_else(|| panic!("{start} in\n{way}")))
    };
    let greeting = || line("says");
    let two = |what: &str| [greeting(), line(what)].concat();
    assert!(heard(&plan, "1000", &["482917#"]).0.starts_with(&two("a room's PIN")));
    assert!(heard(&plan, "1000", &["999999#"]).0.starts_with(&two("a wrong PIN")));
    assert!(heard(&plan, "1000", &["12#"]).0.starts_with(&two("too few digits")));
    assert!(heard(&plan, "1000", &[]).0.starts_with(&two("no digit in time")));
    let (nothing, _) = heard(&plan, "1000", &[]);
    let last = [vec![line("no digit in time")[0].clone()], line("after 3 tries")].concat();
    assert!(nothing.ends_with(&last), "{nothing:?}");
    // Ten wrong ones.
    let mut desk = Desk::with_plan(Arc::clone(&plan));
    for _ in 0..4 {
        let call = desk.call(CARRIER, "+442079460001", "1000");
        for _ in 0..3 {
            desk.key(call, "999999#");
            desk.run(secs(7));
        }
    }
    let call = desk.call(CARRIER, "+442079460001", "1000");
    desk.key(call, "482917#");
    desk.run(secs(7));
    assert_eq!(desk.heard_by(call), [greeting(), line("a PIN after ten wrong")].concat());
}

#[test]
fn what_explain_prints_of_a_room_is_what_is_heard_there() {
    let more = "[[routes]]\nname = \"Closet\"\nfrom = \"carrier\"\nnumber = \"2000\"\nroom = \"closet\"\n\
                [rooms.closet]\nmax_members = 1\nalone = \"music\"\n[rooms.quiet]\nalone = \"silence\"\n\
                [[routes]]\nname = \"Quiet\"\nfrom = \"carrier\"\nnumber = \"3000\"\nroom = \"quiet\"\n";
    let text = dialplan(&format!("{COLLECT}{BY_PIN}"), more);
    let plan = dialplan::parse("dialplan.toml", &text, &Trusting).unwrap().plan;
    for (number, alone) in [("2000", "music"), ("3000", "silence")] {
        let way = explained(&plan, number, None);
        assert!(way.lines.iter().any(|line| line.contains(&format!(", then {alone} until another comes"))), "{way}");
        assert_eq!(heard(&plan, number, &[]).0, told(&way), "{way}");
    }
    let full = explained(&plan, "2000", None).lines.iter().find(|line| line.contains("a full room")).unwrap().clone();
    let mut desk = Desk::with_plan(plan);
    desk.call(CARRIER, "+442079460001", "2000");
    desk.run(secs(3));
    let late = desk.call(CARRIER, "+442079460002", "2000");
    desk.run(secs(10));
    assert_eq!(desk.heard_by(late), said(&full));
    assert!(desk.ended.contains(&late));
}

/// What the explanation says in the line that begins like this.
fn said_in(way: &Explanation, start: &str) -> Vec<String> {
    let found = way.lines.iter().find(|line| line.trim_start().starts_with(start));
    said(found.unwrap_or_else(|| panic!("{start} in\n{way}")))
}

#[test]
fn what_explain_prints_of_a_pin_that_waits_is_what_is_heard() {
    let text = dialplan(&format!("{COLLECT}{BY_PIN}"), "[gateway]\npin_budget = 1\n");
    let plan = dialplan::parse("dialplan.toml", &text, &Trusting).unwrap().plan;
    let way = explained(&plan, "1000", None);
    let mut desk = Desk::with_plan(plan);
    let calls: Vec<_> = (0..5).map(|n| desk.call(CARRIER, &format!("+44207946000{n}"), "1000")).collect();
    desk.run(secs(3));
    desk.key(calls[0], "999999#");
    calls.iter().skip(1).for_each(|call| desk.key(*call, "482917#"));
    desk.run(secs(60));
    let expected =
        [said_in(&way, "says"), said_in(&way, "a PIN that has to wait"), said_in(&way, "a room's PIN")].concat();
    let heard: Vec<_> = calls.iter().map(|call| desk.heard_by(*call)).collect();
    assert!(
        heard.iter().any(|heard| heard.starts_with(&expected.iter().map(String::as_str).collect::<Vec<_>>())),
        "{heard:?}\n{way}"
    );
}

/// The dialplan of an IVR that dials `number`, where calls out may go to London.
fn dialling(collect: &str, number: &str) -> Arc<Plan> {
    let text = format!(
        "[trunks.carrier]\nallow = \"198.51.100.7\"\naddress = \"198.51.100.7\"\nping = \"off\"\n\
         caller_id = \"+442079460100\"\n[ivr.desk]\nsay = {{ prompt = \"joining\" }}\n{collect}\
         then = {{ dial = \"{number}\" }}\n\
         [[routes]]\nname = \"Desk\"\nfrom = \"carrier\"\nnumber = \"1000\"\nivr = \"desk\"\n\
         [[routes]]\nname = \"Out\"\nfrom = \"sessions\"\nnumber = '\\+4420\\d+'\ntrunk = \"carrier\"\n\
         ring_timeout = \"10s\"\n"
    );
    dialplan::parse("dialplan.toml", &text, &Trusting).unwrap().plan
}

/// A number that no route allows is none of these ways: such a dialplan is not taken.
#[test]
fn what_explain_prints_of_a_number_that_is_dialled_is_what_the_caller_hears() {
    let answers: [(&str, &[u16]); 8] = [
        ("busy", &[180, 486]),
        ("busy", &[600]),
        ("no answer", &[180]),
        ("no such number", &[404]),
        ("declined, or not reached", &[603]),
        ("declined, or not reached", &[180, 403]),
        ("declined, or not reached", &[503]),
        ("declined, or not reached", &[]),
    ];
    for collect in ["", COLLECT] {
        let plan = dialling(collect, "+442079460200");
        let keys = if collect.is_empty() { "" } else { "1234#" };
        let way = explained(&plan, "1000", Some(keys));
        assert!(way.lines.iter().any(|line| line.starts_with("+442079460200 is called")), "{way}");
        let call = |answers: &[u16]| {
            let mut desk = Desk::with_plan(Arc::clone(&plan));
            desk.callee = answers.to_vec();
            let call = desk.call(CARRIER, "+442079460001", "1000");
            desk.run(secs(3));
            desk.key(call, keys);
            desk.run(secs(60));
            let heard = desk.heard_by(call).into_iter().filter(|what| !what.starts_with("tone "));
            (heard.map(str::to_owned).collect::<Vec<_>>(), desk.ended.contains(&call), desk.log)
        };
        for (why, answers) in answers {
            let (heard, ended, log) = call(answers);
            assert_eq!(heard, [said_in(&way, "says"), said_in(&way, why)].concat(), "{answers:?}: {log:#?}");
            assert!(ended, "{answers:?}");
        }
        let (heard, ended, log) = call(&[180, 200]);
        assert_eq!((heard, ended), (said_in(&way, "says"), false), "{log:#?}");
    }
}
