//! The way one call would take, in words: for `partyline explain`.

mod entry;
mod out;

use super::number::NumberRules;
use super::plan::{
    Alone, Collect, Ivr, IvrPrompts, Origin, Plan, Room, Route, RouteTarget, Say, SoundSource, Then, Trunk,
};
use super::route::{self, Miss};
use super::suggestion;
use crate::types::AudioCodec;
use entry::{Entry, entries};
use std::fmt::{self, Write as _};
use std::net::IpAddr;
use std::sync::Arc;
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

/// The call that is asked about.
#[derive(Debug, Clone, Copy, Default)]
pub struct Question<'a> {
    /// Where it comes from: a trunk, `users`, `sessions`, or the IP address of its source.
    pub from: &'a str,
    /// The called number, as it would be dialled.
    pub number: &'a str,
    /// Who calls, as the trunk would write it. Default: nothing is said of it.
    pub caller: Option<&'a str>,
    /// What the caller keys. Default: what may be keyed is told.
    pub digits: Option<&'a str>,
    /// When, in words. Default: now.
    pub at: Option<&'a str>,
}

/// The way of a call, line by line, and what comes of it. Displayed as the lines; PINs are masked.
#[derive(Debug, Clone, PartialEq, Eq, Default, serde::Serialize)]
pub struct Explanation {
    /// The called number, normalised.
    pub number: String,
    /// The trunk, `users` or `sessions`; none if no trunk takes calls from there.
    pub from: Option<String>,
    /// The route that takes it.
    pub route: Option<String>,
    /// The room that the caller joins with those digits.
    pub room: Option<String>,
    /// Why the call comes to nothing, if it does: refused, not placed, or ended after the last try.
    pub refused: Option<String>,
    /// All of it in words; two blanks at the beginning for each step inwards.
    pub lines: Vec<String>,
}

impl fmt::Display for Explanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.lines.iter().try_for_each(|line| writeln!(f, "{line}"))
    }
}

/// Tells the way of a call.
///
/// # Errors
/// When it comes from nowhere known, or its digits are none.
pub fn explain(plan: &Plan, question: &Question<'_>) -> Result<Explanation, ExplainError> {
    let keyed = question.digits.map(keys).transpose()?;
    let number = question.number;
    let mut explanation = Explanation::default();
    let out = &mut explanation;
    let Some(origin) = origin(plan, question.from, out)? else { return Ok(explanation) };
    let trunk = if let Origin::Trunk(name) = &origin { plan.trunk(name).map(Arc::as_ref) } else { None };
    let rules = trunk.map_or(&plan.gateway.numbers, |trunk| &trunk.numbers);
    let normal = rules.normalise(number);
    let outgoing = origin == Origin::Sessions;
    out.from = Some(if let Origin::Trunk(name) = &origin { name.to_string() } else { origin.to_string() });
    out.number.clone_from(&normal);
    line(out, 0, &format!("A call from {origin} to {normal}"));
    if normal != number {
        line(out, 1, &format!("dialled as {number}"));
    }
    if let Some(caller) = question.caller {
        line(out, 1, &calling(caller, rules));
    }
    if let Some(at) = question.at {
        line(out, 1, &format!("at {at}: no setting depends on the time"));
    }
    line(out, 0, "");
    line(out, 0, "Routes, top to bottom:");
    let decision = route::decide(plan, &origin, &normal);
    for (route, miss) in &decision.passed {
        line(out, 1, &format!("line {}, {}: {}", route.line, route.name, why_not(route, *miss)));
    }
    let Some(route) = decision.route else {
        line(out, 0, "");
        if outgoing {
            out::refused(plan, &normal, out);
        } else {
            refuse(out, "No route matches: the call is refused with 404 Not Found.");
        }
        return Ok(explanation);
    };
    out.route = Some(route.name.clone());
    line(out, 1, &format!("line {}, {}: matches, by number {}", route.line, route.name, route.number));
    let below = plan.routes.len().saturating_sub(decision.passed.len()).saturating_sub(1);
    if below > 0 {
        line(out, 1, &format!("{below} below not looked at"));
    }
    line(out, 0, "");
    if !outgoing || !out::refused(plan, &normal, out) {
        taken(plan, trunk, route, &normal, keyed.as_deref(), out);
    }
    Ok(explanation)
}

fn line(out: &mut Explanation, depth: usize, text: &str) {
    let indent = if text.is_empty() { 0 } else { depth.saturating_mul(2) };
    out.lines.push(format!("{:indent$}{text}", ""));
}

/// Says why nothing comes of the call.
fn refuse(out: &mut Explanation, why: &str) {
    line(out, 0, why);
    out.refused = Some(why.to_owned());
}

/// How the caller is shown.
fn calling(caller: &str, rules: &NumberRules) -> String {
    let normal = rules.normalise(caller);
    if normal == caller { format!("caller {normal}") } else { format!("caller {normal}, written {caller}") }
}

/// Digits without what people put between them.
fn keys(digits: &str) -> Result<String, ExplainError> {
    let keyed: String = digits.chars().filter(|key| !matches!(key, ' ' | ',' | '-')).collect();
    let is_key = |key: char| matches!(key, '0'..='9' | '*' | '#' | 'A'..='D');
    if keyed.chars().all(is_key) { Ok(keyed) } else { Err(ExplainError::NoDigits) }
}

fn origin(plan: &Plan, from: &str, out: &mut Explanation) -> Result<Option<Origin>, ExplainError> {
    if let Ok(address) = from.parse::<IpAddr>() {
        let Some(trunk) = plan.trunk_for(address) else {
            refuse(out, &format!("No trunk takes calls from {address}: the gateway does not answer at all."));
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

fn codecs(codecs: &[AudioCodec]) -> String {
    codecs.iter().map(|codec| codec.name()).collect::<Vec<_>>().join(", ")
}

fn why_not(route: &Route, miss: Miss) -> String {
    match miss {
        Miss::Origin => {
            let from: Vec<String> = route.from.iter().map(ToString::to_string).collect();
            format!("is for calls from {}", from.join(", "))
        }
        Miss::Number => format!("is for number {}", route.number),
        Miss::Room => {
            let number = route.for_room.as_ref().map(ToString::to_string).unwrap_or_default();
            format!("is for number {number} of a room that has invited_call")
        }
    }
}

fn taken(plan: &Plan, trunk: Option<&Trunk>, route: &Route, number: &str, keyed: Option<&str>, out: &mut Explanation) {
    if let RouteTarget::Reject(status) = route.target {
        return refuse(out, &format!("The call is refused with {status}."));
    }
    if let RouteTarget::Trunks(outgoing) = &route.target {
        return out::placed(plan, number, outgoing, out);
    }
    if let RouteTarget::User(template) = &route.target {
        return out::to_user(plan, &template.expand(number, ""), out);
    }
    if let RouteTarget::Direct = route.target {
        return out::direct(plan, number, out);
    }
    if let RouteTarget::Scenario(scenario) = &route.target {
        return line(out, 0, &format!("Scenario {} decides what becomes of it.", scenario.name));
    }
    if route.answer_after.is_zero() {
        line(out, 0, "The call is answered at once.");
    } else {
        line(out, 0, &format!("The call rings for {} and is answered.", time(route.answer_after)));
    }
    if let Some(trunk) = trunk.filter(|trunk| trunk.codecs.own_order) {
        line(out, 1, &format!("speaks the first of {} that is offered", codecs(&trunk.codecs.accepted)));
    }
    match &route.target {
        RouteTarget::Ivr(ivr) => menu(plan, ivr, number, keyed, out),
        RouteTarget::Room(template) => join(plan, &template.expand(number, ""), &Words::standard(), out),
        RouteTarget::User(_)
        | RouteTarget::Direct
        | RouteTarget::Scenario(_)
        | RouteTarget::Trunks(_)
        | RouteTarget::Reject(_) => {}
    }
}

fn menu(plan: &Plan, ivr: &Ivr, number: &str, keyed: Option<&str>, out: &mut Explanation) {
    line(out, 0, &format!("Ivr {}, in {}:", ivr.name, ivr.language));
    line(out, 1, &format!("says {}", said(ivr.greeting(number))));
    let Some(collect) = &ivr.collect else {
        match &ivr.then {
            Then::Room(template) => join(plan, &template.expand(number, ""), &Words::of(ivr), out),
            Then::Dial { number, confirm } => out::dialled(plan, number, *confirm, out),
            Then::ByPin { .. } => {}
        }
        return;
    };
    line(out, 1, &format!("takes {}", asked(collect)));
    match keyed {
        None => unkeyed(ivr, collect, number, out),
        Some(keyed) => play_through(plan, ivr, collect, number, keyed, out),
    }
}

/// What may happen, when nothing is known of the digits.
fn unkeyed(ivr: &Ivr, collect: &Collect, number: &str, out: &mut Explanation) {
    let prompts = &ivr.prompts;
    let joining = prompts.joining.as_ref().map_or(String::new(), |joining| format!("says {}, ", said(joining)));
    let again = |what: &Say| format!("says {}, then {}", said(what), said(ivr.greeting(number)));
    match &ivr.then {
        Then::ByPin { open_rooms } => {
            line(out, 1, &format!("a room's PIN: {joining}the caller joins that room"));
            if *open_rooms {
                line(out, 1, &format!("any other PIN: {joining}the caller joins a room of its own"));
            } else {
                line(out, 1, &format!("a wrong PIN: {}", again(&prompts.wrong)));
                line(
                    out,
                    1,
                    &format!("a PIN after ten wrong ones in an hour: says {}, hangs up", said(&prompts.blocked)),
                );
            }
            line(out, 1, "a PIN that has to wait for its check: says prompt please-wait, every few seconds");
        }
        Then::Room(template) => {
            line(out, 1, &format!("digits: {joining}the caller joins room {}", template.as_str()));
        }
        Then::Dial { number, .. } => line(out, 1, &format!("digits: {number} is called and joined with the caller")),
    }
    line(out, 1, &format!("too few digits: {}", again(&prompts.short)));
    line(out, 1, &format!("no digit in time, which costs no try the first time: {}", again(&prompts.timeout)));
    let tries = tries(collect.tries);
    line(out, 1, &format!("after {tries}: what was wrong with the last, says {}, hangs up", said(&prompts.goodbye)));
}

/// What happens with these digits, try by try.
fn play_through(plan: &Plan, ivr: &Ivr, collect: &Collect, number: &str, keyed: &str, out: &mut Explanation) {
    let mut entries = entries(collect, keyed).into_iter();
    for attempt in 1..=collect.tries {
        let entry = entries.next().unwrap_or(Entry::Nothing);
        let shown = format!("try {attempt}: {}", entry.masked());
        if entry == Entry::Nothing {
            let again = said(ivr.greeting(number));
            line(out, 1, &format!("{shown}, says {}, then {again}", said(&ivr.prompts.timeout)));
        }
        let asks = |what: &Say| {
            let again =
                if attempt < collect.tries { format!(", then {}", said(ivr.greeting(number))) } else { String::new() };
            format!("says {}{again}", said(what))
        };
        let problem = match (&entry, &ivr.then) {
            (Entry::Nothing, _) => format!("once more, {}", asks(&ivr.prompts.timeout)),
            (Entry::TooShort(_), _) => format!("too few digits, {}", asks(&ivr.prompts.short)),
            (Entry::Whole(digits), Then::ByPin { open_rooms }) => match plan.room_by_pin(digits) {
                Some((room, access)) => {
                    line(out, 1, &format!("{shown}, is the {} of room {}", access.as_str(), room.name));
                    join(plan, &room.name, &Words::of(ivr), out);
                    return;
                }
                None if *open_rooms => {
                    line(out, 1, &format!("{shown}, is no configured room's PIN"));
                    joined(None, "a room of that PIN's own", &Words::of(ivr), out);
                    return;
                }
                None => format!("no room has this PIN, {}", asks(&ivr.prompts.wrong)),
            },
            (Entry::Whole(_), Then::Dial { number, confirm }) => {
                line(out, 1, &shown);
                return out::dialled(plan, number, *confirm, out);
            }
            (Entry::Whole(digits), Then::Room(template)) => {
                let from = format!("{} digits, make the room's name from {}", digits.len(), template.as_str());
                line(out, 1, &format!("try {attempt}: {from}"));
                let (name, shown) = (template.expand(number, digits), template.expand(number, &entry.masked()));
                out.room = Some(shown.clone());
                return joined(plan.room(&name).map(|room| &**room), &format!("room {shown}"), &Words::of(ivr), out);
            }
        };
        line(out, 1, &format!("{shown}, {problem}"));
    }
    line(out, 1, &format!("after {}: says {}", tries(collect.tries), said(&ivr.prompts.goodbye)));
    refuse(out, "The call is ended.");
}

/// What is said to whoever comes into a room.
struct Words {
    joining: Option<Say>,
    first: Say,
    full: Say,
}

impl Words {
    fn of(ivr: &Ivr) -> Self {
        let IvrPrompts { joining, first, full, .. } = ivr.prompts.clone();
        Self { joining, first, full }
    }

    /// Where a route leads straight into the room.
    fn standard() -> Self {
        let prompt = |name: &str| Say::Prompt(name.to_owned());
        Self { joining: None, first: prompt("first-here"), full: prompt("room-full") }
    }
}

fn join(plan: &Plan, name: &str, words: &Words, out: &mut Explanation) {
    // A caller could key the digits in this name: it stands nowhere as it is.
    let shown = plan.keyed_room(name).map(|template| template.expand("", &"•".repeat(4)));
    let shown = shown.unwrap_or_else(|| name.to_owned());
    out.room = Some(shown.clone());
    joined(plan.room(name).map(|room| &**room), &format!("room {shown}"), words, out);
}

/// Tells what is heard on the way into a room and in it.
fn joined(room: Option<&Room>, name: &str, words: &Words, out: &mut Explanation) {
    if let Some(joining) = &words.joining {
        line(out, 1, &format!("says {}", said(joining)));
    }
    let kind = match room {
        Some(room) => room.max_members.map_or(String::new(), |most| format!(" (at most {most} members)")),
        None => " (made on demand)".to_owned(),
    };
    line(out, 0, &format!("The caller joins {name}{kind}."));
    let alone = match room.map_or_else(Alone::default, |room| room.alone) {
        Alone::Silence => "silence",
        Alone::Tone => "a tone every 20 s",
        Alone::Music => "music",
    };
    line(out, 1, &format!("alone there: says {}, then {alone} until another comes", said(&words.first)));
    if room.is_some_and(|room| room.max_members.is_some()) {
        line(out, 1, &format!("a full room: says {}, hangs up", said(&words.full)));
    }
    if let Some(mute) = room.map(|room| room.mute).filter(|mute| !mute.is_empty()) {
        line(out, 1, &format!("who disturbs the others ({mute}): says prompt muted, is muted until it is over"));
    }
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
        Say::File(SoundSource::File(path)) => format!("file {}", path.display()),
        Say::File(SoundSource::Url(url)) => format!("URL {url}"),
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
