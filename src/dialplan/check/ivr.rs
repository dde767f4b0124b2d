//! `[ivr.*]`.

use super::Checker;
use super::pattern::pattern;
use super::say::{Voice, prompt, say, sound};
use crate::dialplan::plan::{Collect, Gateway, Greeting, Ivr, IvrPrompts, RoomTemplate, Say, Then};
use crate::dialplan::raw::{Field, RawCollect, RawIvr, RawRoute, RawSay, RawThen};
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;
use toml::Spanned;

/// An IVR and the places later checks point at.
pub(super) struct Checked {
    pub ivr: Arc<Ivr>,
    /// Where its number of digits is written, or else its name.
    pub digits: Range<usize>,
}

pub(super) fn check(checker: &mut Checker<'_>, raw: &[(Spanned<String>, RawIvr)], gateway: &Gateway) -> Vec<Checked> {
    raw.iter().map(|(name, raw)| one(checker, name, raw, gateway)).collect()
}

fn one(checker: &mut Checker<'_>, name: &Spanned<String>, raw: &RawIvr, gateway: &Gateway) -> Checked {
    checker.name("ivr", name);
    let language = checker.language(&raw.language).unwrap_or_else(|| gateway.language.clone());
    let voice =
        Voice { gateway, language: &language, place: raw.language.get().map_or_else(|| name.span(), Spanned::span) };
    let collect = raw.collect.get().map(|value| collect(checker, value.get_ref()));
    let mut override_of = |field: &Field<RawSay>, standard: &str| match field.get() {
        Some(value) => say(checker, &voice, value.get_ref(), value.span()),
        None => prompt(checker, &voice, standard, voice.place.clone()),
    };
    let prompts = IvrPrompts {
        wrong: override_of(&raw.wrong, "wrong-pin"),
        short: override_of(&raw.short, "too-short"),
        timeout: override_of(&raw.timeout, "no-input"),
        goodbye: override_of(&raw.goodbye, "goodbye"),
        blocked: override_of(&raw.blocked, "pin-blocked"),
        joining: if is_none(&raw.joining) { None } else { Some(override_of(&raw.joining, "joining")) },
        first: override_of(&raw.first, "first-here"),
        full: override_of(&raw.full, "room-full"),
    };
    let ivr = Ivr {
        name: name.get_ref().clone(),
        say: first_words(checker, &voice, name, raw),
        greetings: greetings(checker, &voice, raw),
        then: then(checker, name, raw, collect.is_some(), gateway),
        collect,
        prompts,
        language: language.clone(),
    };
    let digits =
        raw.collect.get().and_then(|value| value.get_ref().digits.get()).map_or_else(|| name.span(), Spanned::span);
    Checked { ivr: Arc::new(ivr), digits }
}

/// Whether nothing is to be said.
fn is_none(field: &Field<RawSay>) -> bool {
    matches!(field.get().map(Spanned::get_ref), Some(RawSay::Plain(word)) if word.get_ref() == "none")
}

fn first_words(checker: &mut Checker<'_>, voice: &Voice<'_>, name: &Spanned<String>, raw: &RawIvr) -> Say {
    match (raw.say.get(), raw.file.get()) {
        (Some(say), Some(file)) => {
            checker
                .sink
                .error(file.span(), "`say` and `file` are both given")
                .label("one of the two")
                .also(say.span(), "the other")
                .help("take one out");
            sound(checker, &voice.gateway.fetch, file)
        }
        (Some(value), None) => say(checker, voice, value.get_ref(), value.span()),
        (None, Some(file)) => sound(checker, &voice.gateway.fetch, file),
        (None, None) => {
            if raw.collect.is_absent() && raw.say.is_absent() && raw.file.is_absent() {
                checker
                    .sink
                    .error(name.span(), format!("ivr `{}` says nothing and asks for nothing", name.get_ref()))
                    .label("neither `say`, `file` nor `collect`")
                    .help("add what is said, or let the route lead straight to the room");
            }
            prompt(checker, voice, "enter-pin", voice.place.clone())
        }
    }
}

fn greetings(checker: &mut Checker<'_>, voice: &Voice<'_>, raw: &RawIvr) -> Vec<Greeting> {
    let mut greetings = Vec::new();
    for (number, raw) in raw.greetings.get().map(|named| named.get_ref().0.as_slice()).unwrap_or_default() {
        let say = say(checker, voice, raw, number.span());
        if let Some(number) = pattern(checker, number) {
            greetings.push(Greeting { number, say });
        }
    }
    greetings
}

fn collect(checker: &mut Checker<'_>, raw: &RawCollect) -> Collect {
    let (min_digits, max_digits) = raw.digits.get().map_or((4, 10), |value| {
        parse_digits(value.get_ref()).unwrap_or_else(|| {
            checker
                .sink
                .error(value.span(), "`digits` is a number of digits")
                .label("from 1 to 32, the lower first")
                .help("for example \"4-10\", or \"6\"");
            (1, 32)
        })
    });
    let terminator = key(checker, "end", &raw.end, '#');
    let restart = key(checker, "restart", &raw.restart, '*');
    if let (Some(end), true, Some(value)) = (terminator, terminator == restart, raw.restart.get().or(raw.end.get())) {
        checker
            .sink
            .error(value.span(), "one key cannot end the entry and begin it anew")
            .label(format!("both are `{end}`"))
            .help("take another key, or \"none\"");
    }
    Collect {
        min_digits,
        max_digits,
        terminator,
        restart,
        first_digit: checker.time("first_digit", &raw.first_digit, "1s", "2m").unwrap_or(Duration::from_secs(10)),
        next_digit: checker.time("next_digit", &raw.next_digit, "500ms", "1m").unwrap_or(Duration::from_secs(5)),
        tries: checker.number("tries", &raw.tries, 1..=10).and_then(|tries| u8::try_from(tries).ok()).unwrap_or(3),
    }
}

fn parse_digits(text: &str) -> Option<(u8, u8)> {
    let (least, most) = text.split_once('-').unwrap_or((text, text));
    let (least, most): (u8, u8) = (least.trim().parse().ok()?, most.trim().parse().ok()?);
    (least >= 1 && least <= most && most <= 32).then_some((least, most))
}

fn key(checker: &mut Checker<'_>, name: &str, field: &Field<String>, standard: char) -> Option<char> {
    let Some(value) = field.get() else { return Some(standard) };
    match value.get_ref().as_str() {
        "#" => Some('#'),
        "*" => Some('*'),
        "none" | "" => None,
        _ => {
            checker
                .sink
                .error(value.span(), format!("`{name}` is a key that is no digit"))
                .label("\"#\", \"*\" or \"none\"")
                .help(format!("for example: {name} = \"{standard}\""));
            Some(standard)
        }
    }
}

fn then(checker: &mut Checker<'_>, name: &Spanned<String>, raw: &RawIvr, collects: bool, gateway: &Gateway) -> Then {
    let Some(value) = raw.then.get() else {
        if raw.then.is_absent() {
            checker
                .sink
                .error(name.span(), format!("ivr `{}` leads nowhere", name.get_ref()))
                .label("has no `then`")
                .help("add: then = { room = \"by-pin\" }");
        }
        return Then::ByPin { open_rooms: false };
    };
    let RawThen { room, open_rooms, dial, confirm, later } = value.get_ref();
    if let Some(then) = dialled(checker, value.get_ref(), gateway) {
        return then;
    }
    if let Some(place) = confirm.get().filter(|_| dial.is_absent()) {
        checker.sink.error(place.span(), "`confirm` goes with `dial`").label("has no meaning here").help("take it out");
    }
    let open = open_rooms.get().is_some_and(|open| *open.get_ref());
    let Some(room) = room.get() else {
        if room.is_absent() && dial.is_absent() && !later {
            checker
                .sink
                .error(value.span(), "`then` names no room and no number")
                .label("where to?")
                .help("for example: then = { room = \"by-pin\" }, or { dial = \"+442079460123\" }");
        }
        return Then::ByPin { open_rooms: open };
    };
    let needs_digits = |checker: &mut Checker<'_>, why: &str| {
        if !collects && raw.collect.is_absent() {
            checker
                .sink
                .error(room.span(), why)
                .label("no digits are collected")
                .help("add: collect = { digits = \"4-10\", end = \"#\" }");
        }
    };
    if room.get_ref() == "by-pin" {
        needs_digits(checker, "a PIN must be keyed");
        return Then::ByPin { open_rooms: open };
    }
    if let Some(place) = open_rooms.get().filter(|_| open) {
        checker
            .sink
            .error(place.span(), "`open_rooms` goes with room = \"by-pin\"")
            .label("has no meaning here")
            .also(room.span(), "asks for no PIN")
            .help("take it out");
    }
    let Some(template) = template(checker, room) else { return Then::ByPin { open_rooms: open } };
    if template.uses_digits() {
        needs_digits(checker, "`{digits}` needs digits");
    }
    Then::Room(template)
}

/// `dial = "+44…"`; whether it is allowed is looked at when the routes are there.
fn dialled(checker: &mut Checker<'_>, then: &RawThen, gateway: &Gateway) -> Option<Then> {
    let number = then.dial.get()?;
    for (key, place) in
        [("room", then.room.get().map(Spanned::span)), ("open_rooms", then.open_rooms.get().map(Spanned::span))]
    {
        if let Some(place) = place {
            checker
                .sink
                .error(place, format!("`{key}` does not go with `dial`"))
                .label("one of the two")
                .also(number.span(), "the other")
                .help("take one out");
        }
    }
    let confirm = then.confirm.get().map(|value| *value.get_ref());
    Some(Then::Dial { number: gateway.numbers.normalise(number.get_ref()), confirm })
}

/// Reads a room's name with its placeholders.
pub(super) fn template(checker: &mut Checker<'_>, value: &Spanned<String>) -> Option<RoomTemplate> {
    if value.get_ref().trim().is_empty() {
        checker.sink.error(value.span(), "a room has a name").label("empty");
        return None;
    }
    match RoomTemplate::parse(value.get_ref()) {
        Ok(template) => Some(template),
        Err(bad) => {
            let span = checker.within(value, bad.0);
            checker
                .sink
                .error(span, "a room's name has a placeholder that means nothing")
                .label("unknown")
                .help("`{number}` is the called number, `{digits}` what was keyed");
            None
        }
    }
}

/// Warns of IVRs that no route leads to, be the route good or bad.
pub(super) fn unused(checker: &mut Checker<'_>, raw: &[(Spanned<String>, RawIvr)], routes: &[Spanned<RawRoute>]) {
    for (name, _) in raw {
        let leads_here =
            |route: &Spanned<RawRoute>| route.get_ref().ivr.get().is_some_and(|ivr| ivr.get_ref() == name.get_ref());
        if !routes.iter().any(leads_here) {
            checker
                .sink
                .warning(name.span(), format!("no route leads to ivr `{}`", name.get_ref()))
                .label("never heard by anybody")
                .help(format!("give a route `ivr = \"{}\"`, or take it out", name.get_ref()));
        }
    }
}
