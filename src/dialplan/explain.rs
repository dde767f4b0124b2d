//! The way one call would take, in words: for `partyline explain`.

mod entry;
mod out;

use super::plan::{Collect, Ivr, Origin, Plan, RoomTemplate, Route, RouteTarget, Say, Then};
use super::route::{self, Miss};
use super::suggestion;
use entry::{Entry, entries};
use std::fmt::Write as _;
use std::net::IpAddr;
use std::time::Duration;

/// Why there is nothing to explain.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ExplainError {
    /// Nobody calls from there.
    #[error("there is no trunk `{name}`: {hint}")]
    UnknownOrigin {
        /// What was asked for.
        name: String,
        /// What might have been meant.
        hint: String,
    },
    /// No key of a telephone.
    #[error("digits are 0 to 9, *, # and A to D")]
    NoDigits,
}

/// Tells the way of a call from `from` (a trunk, `users`, `sessions`, or an IP address) to `number` (as it would be
/// dialled), whose caller keys `digits`. PINs are masked.
///
/// # Errors
/// When `from` is unknown, or `digits` are none.
pub fn explain(plan: &Plan, from: &str, number: &str, digits: Option<&str>) -> Result<String, ExplainError> {
    let keyed = digits.map(keys).transpose()?;
    let mut out = String::new();
    let Some(origin) = origin(plan, from, &mut out)? else { return Ok(out) };
    let trunk = if let Origin::Trunk(name) = &origin { plan.trunk(name) } else { None };
    let normal = trunk.map_or(&plan.gateway.numbers, |trunk| &trunk.numbers).normalise(number);
    let outgoing = origin == Origin::Sessions;
    line(&mut out, 0, &format!("A call from {origin} to {normal}"));
    if normal != number {
        line(&mut out, 1, &format!("dialled as {number}"));
    }
    line(&mut out, 0, "");
    line(&mut out, 0, "Routes, top to bottom:");
    let decision = route::decide(plan, &origin, &normal);
    for (route, miss) in &decision.passed {
        line(&mut out, 1, &format!("line {}, {}: {}", route.line, route.name, why_not(route, *miss)));
    }
    let Some(route) = decision.route else {
        line(&mut out, 0, "");
        if outgoing {
            out::refused(plan, &normal, &mut out);
        } else {
            line(&mut out, 0, "No route matches: the call is refused with 404 Not Found.");
        }
        return Ok(out);
    };
    line(&mut out, 1, &format!("line {}, {}: matches, by number {}", route.line, route.name, route.number));
    let below = plan.routes.len().saturating_sub(decision.passed.len()).saturating_sub(1);
    if below > 0 {
        line(&mut out, 1, &format!("{below} below not looked at"));
    }
    line(&mut out, 0, "");
    if outgoing && out::refused(plan, &normal, &mut out) {
        return Ok(out);
    }
    follow(plan, route, &normal, keyed.as_deref(), &mut out);
    Ok(out)
}

fn line(out: &mut String, depth: usize, text: &str) {
    let indent = if text.is_empty() { 0 } else { depth.saturating_mul(2) };
    let _ = writeln!(out, "{:indent$}{text}", "");
}

/// Digits without what people put between them.
fn keys(digits: &str) -> Result<String, ExplainError> {
    let keyed: String = digits.chars().filter(|key| !matches!(key, ' ' | ',' | '-')).collect();
    let is_key = |key: char| matches!(key, '0'..='9' | '*' | '#' | 'A'..='D');
    if keyed.chars().all(is_key) { Ok(keyed) } else { Err(ExplainError::NoDigits) }
}

fn origin(plan: &Plan, from: &str, out: &mut String) -> Result<Option<Origin>, ExplainError> {
    if let Ok(address) = from.parse::<IpAddr>() {
        let Some(trunk) = plan.trunk_for(address) else {
            line(out, 0, &format!("No trunk takes calls from {address}: the gateway does not answer at all."));
            return Ok(None);
        };
        line(out, 0, &format!("{address} is trunk {}", trunk.name));
        return Ok(Some(Origin::Trunk(trunk.name.as_str().into())));
    }
    let origin = Origin::named(from);
    if matches!(&origin, Origin::Trunk(name) if plan.trunk(name).is_none()) {
        let known = plan.trunks.iter().map(|trunk| trunk.name.as_str()).chain(["users", "sessions"]);
        let hint = suggestion::sentence(from, known, "");
        return Err(ExplainError::UnknownOrigin { name: from.to_owned(), hint });
    }
    Ok(Some(origin))
}

fn why_not(route: &Route, miss: Miss) -> String {
    match miss {
        Miss::Origin => {
            let from: Vec<String> = route.from.iter().map(ToString::to_string).collect();
            format!("is for calls from {}", from.join(", "))
        }
        Miss::Number => format!("is for number {}", route.number),
    }
}

fn follow(plan: &Plan, route: &Route, number: &str, keyed: Option<&str>, out: &mut String) {
    if let RouteTarget::Reject(status) = route.target {
        line(out, 0, &format!("The call is refused with {status}."));
        return;
    }
    if let RouteTarget::Trunks(outgoing) = &route.target {
        return out::placed(plan, number, outgoing, out);
    }
    if route.answer_after.is_zero() {
        line(out, 0, "The call is answered at once.");
    } else {
        line(out, 0, &format!("The call rings for {} and is answered.", time(route.answer_after)));
    }
    match &route.target {
        RouteTarget::Ivr(ivr) => menu(plan, ivr, number, keyed, out),
        RouteTarget::Room(template) => join(plan, &template.expand(number, ""), out),
        RouteTarget::Trunks(_) | RouteTarget::Reject(_) => {}
    }
}

fn menu(plan: &Plan, ivr: &Ivr, number: &str, keyed: Option<&str>, out: &mut String) {
    line(out, 0, &format!("Ivr {}, in {}:", ivr.name, ivr.language));
    line(out, 1, &format!("says {}", said(ivr.greeting(number))));
    let Some(collect) = &ivr.collect else {
        match &ivr.then {
            Then::Room(template) => join(plan, &template.expand(number, ""), out),
            Then::Dial { number, confirm } => out::dialled(plan, number, *confirm, out),
            Then::ByPin { .. } => {}
        }
        return;
    };
    line(out, 1, &format!("takes {}", asked(collect)));
    match keyed {
        None => unkeyed(ivr, collect, out),
        Some(keyed) => play_through(plan, ivr, collect, number, keyed, out),
    }
}

/// What may happen, when nothing is known of the digits.
fn unkeyed(ivr: &Ivr, collect: &Collect, out: &mut String) {
    match &ivr.then {
        Then::ByPin { open_rooms } => {
            line(out, 1, "a room's PIN: the caller joins that room");
            if *open_rooms {
                line(out, 1, "any other PIN: the caller joins a room of its own");
            } else {
                line(out, 1, &format!("a wrong PIN: says {} and asks again", said(&ivr.prompts.wrong)));
            }
        }
        Then::Room(template) => line(out, 1, &format!("digits: the caller joins room {}", template.as_str())),
        Then::Dial { number, .. } => line(out, 1, &format!("digits: {number} is called and joined with the caller")),
    }
    line(out, 1, &format!("no digit in time: says {} and asks again", said(&ivr.prompts.timeout)));
    line(out, 1, &format!("after {}: says {} and hangs up", tries(collect.tries), said(&ivr.prompts.goodbye)));
}

/// What happens with these digits, try by try.
fn play_through(plan: &Plan, ivr: &Ivr, collect: &Collect, number: &str, keyed: &str, out: &mut String) {
    let mut entries = entries(collect, keyed).into_iter();
    for attempt in 1..=collect.tries {
        let entry = entries.next().unwrap_or(Entry::Nothing);
        let shown = format!("try {attempt}: {}", entry.masked());
        let problem = match (&entry, &ivr.then) {
            (Entry::Nothing, _) => format!("says {}", said(&ivr.prompts.timeout)),
            (Entry::TooShort(_), _) => format!("too few digits, says {}", said(&ivr.prompts.wrong)),
            (Entry::Whole(digits), Then::ByPin { open_rooms }) => match plan.room_by_pin(digits) {
                Some((room, access)) => {
                    line(out, 1, &format!("{shown}, is the {} of room {}", access.as_str(), room.name));
                    join(plan, &room.name, out);
                    return;
                }
                None if *open_rooms => {
                    line(out, 1, &format!("{shown}, is no configured room's PIN"));
                    line(out, 0, "The caller joins a room of that PIN's own.");
                    return;
                }
                None => format!("no room has this PIN, says {}", said(&ivr.prompts.wrong)),
            },
            (Entry::Whole(_), Then::Dial { number, confirm }) => {
                line(out, 1, &shown);
                return out::dialled(plan, number, *confirm, out);
            }
            (Entry::Whole(digits), Then::Room(template)) => {
                arrive(plan, template, attempt, number, digits, out);
                return;
            }
        };
        line(out, 1, &format!("{shown}, {problem}"));
    }
    line(out, 1, &format!("after {}: says {}", tries(collect.tries), said(&ivr.prompts.goodbye)));
    line(out, 0, "The call is ended.");
}

fn arrive(plan: &Plan, template: &RoomTemplate, attempt: u8, number: &str, digits: &str, out: &mut String) {
    line(out, 1, &format!("try {attempt}: {} digits, make the room's name from {}", digits.len(), template.as_str()));
    join(plan, &template.expand(number, digits), out);
}

fn join(plan: &Plan, name: &str, out: &mut String) {
    let room = match plan.room(name) {
        Some(room) => room.max_members.map_or(String::new(), |most| format!(" (at most {most} members)")),
        None => " (made on demand)".to_owned(),
    };
    line(out, 0, &format!("The caller joins room {name}{room}."));
}

fn asked(collect: &Collect) -> String {
    let mut text = if collect.min_digits == collect.max_digits {
        format!("{} digits", collect.min_digits)
    } else {
        format!("{} to {} digits", collect.min_digits, collect.max_digits)
    };
    if let Some(key) = collect.terminator {
        let _ = write!(text, ", ended by {key}");
    }
    if let Some(key) = collect.restart {
        let _ = write!(text, ", begun anew by {key}");
    }
    let (first, next) = (time(collect.first_digit), time(collect.next_digit));
    let _ = write!(text, "; the first within {first}, each other within {next}; {}", tries(collect.tries));
    text
}

fn tries(count: u8) -> String {
    if count == 1 { "1 try".into() } else { format!("{count} tries") }
}

fn said(say: &Say) -> String {
    match say {
        Say::Prompt(name) => format!("prompt {name}"),
        Say::Text(text) => format!("\"{text}\""),
        Say::File(path) => format!("file {}", path.display()),
    }
}

fn time(time: Duration) -> String {
    let milliseconds = time.as_millis();
    match (milliseconds % 1_000, milliseconds % 60_000) {
        (0, 0) if milliseconds > 0 => format!("{} min", milliseconds / 60_000),
        (0, _) => format!("{} s", milliseconds / 1_000),
        _ => format!("{milliseconds} ms"),
    }
}
