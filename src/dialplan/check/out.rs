//! Calls out: routes that lead to trunks, and numbers that an IVR dials.

use super::Checker;
use crate::dialplan::outgoing::{self, Denied};
use crate::dialplan::overlap::covers;
use crate::dialplan::pattern::Pattern;
use crate::dialplan::plan::{Outgoing, Plan, Then, Trunk};
use crate::dialplan::raw::{RawIvr, RawRoute};
use crate::dialplan::suggestion;
use std::sync::Arc;
use std::time::Duration;
use toml::Spanned;

/// What a route with `trunk` or `trunks` says.
pub(super) fn check(
    checker: &mut Checker<'_>,
    raw: &RawRoute,
    number: Option<&Pattern>,
    trunks: &[Arc<Trunk>],
) -> Option<Arc<Outgoing>> {
    sessions_alone(checker, raw);
    let premium = raw.premium.get().is_some_and(|value| *value.get_ref());
    if let (Some(value), Some(number)) = (raw.number.get(), number) {
        every_number(checker, raw, value, number);
    }
    let outgoing = Outgoing {
        trunks: named(checker, raw, trunks)?,
        premium,
        ring_timeout: checker.time("ring_timeout", &raw.ring_timeout, "5s", "5m").unwrap_or(Duration::from_secs(60)),
        max_duration: checker
            .time("max_duration", &raw.max_duration, "10s", "24h")
            .unwrap_or(Duration::from_secs(4 * 3_600)),
        confirm: raw.confirm.get().map(|value| *value.get_ref()),
    };
    Some(Arc::new(outgoing))
}

fn named(checker: &mut Checker<'_>, raw: &RawRoute, trunks: &[Arc<Trunk>]) -> Option<Vec<Arc<Trunk>>> {
    let one = raw.trunk.get().into_iter();
    let list = raw.trunks.get().map(Spanned::get_ref).into_iter().flatten();
    let mut found: Vec<Arc<Trunk>> = Vec::new();
    let mut whole = true;
    for value in one.chain(list) {
        let name = value.get_ref();
        let Some(trunk) = trunks.iter().find(|trunk| trunk.name == *name) else {
            let known: Vec<&str> = trunks.iter().map(|trunk| trunk.name.as_str()).collect();
            let help = suggestion::sentence(name, known, &format!("add a table [trunks.{name}]"));
            checker.sink.error(value.span(), format!("there is no trunk `{name}`")).label("unknown").help(help);
            whole = false;
            continue;
        };
        if trunk.address.is_empty() {
            checker
                .sink
                .error(value.span(), format!("trunk `{name}` cannot be called"))
                .label("it has no `address`")
                .help(format!("add to [trunks.{name}]: address = [\"sip.carrier.example\"]"));
            whole = false;
        }
        if found.iter().any(|other| other.name == *name) {
            checker
                .sink
                .warning(value.span(), "this is named twice")
                .label("is in the list already")
                .help("take it out");
        } else {
            found.push(Arc::clone(trunk));
        }
    }
    if let (true, Some(list)) = (found.is_empty() && whole, raw.trunks.get()) {
        checker.sink.error(list.span(), "this route names no trunk").label("empty").help("name one at least");
    }
    (whole && !found.is_empty()).then_some(found)
}

/// A call that came in by a trunk must never go out by one: whoever finds the number would telephone at our cost.
fn sessions_alone(checker: &mut Checker<'_>, raw: &RawRoute) {
    for value in raw.from.get().map(Spanned::get_ref).into_iter().flatten() {
        if value.get_ref() != "sessions" {
            checker
                .sink
                .error(value.span(), "a route to a trunk takes calls of sessions alone")
                .label("others would telephone at your cost")
                .help("write: from = \"sessions\"");
        }
    }
}

/// A route by which every telephone of the world may be called.
fn every_number(checker: &mut Checker<'_>, raw: &RawRoute, value: &Spanned<String>, number: &Pattern) {
    let every = Pattern::new(r"\+\d+").expect("a pattern of ours");
    if covers(&[number], &every) != Some(true) {
        return;
    }
    if let Some(premium) = raw.premium.get().filter(|premium| *premium.get_ref()) {
        checker
            .sink
            .warning(premium.span(), "this route allows every premium number of the world")
            .label("its `number` takes all numbers")
            .help("give the premium numbers you want a route of their own, above this one");
        return;
    }
    checker
        .sink
        .warning(value.span(), "by this route every number of the world may be called, at your cost")
        .label("takes all numbers")
        .help("name the countries that you call, as in '\\+(44|353)\\d+'");
}

/// Trunks that calls go out by without a number of their own: their callees see none, and many carriers refuse such
/// calls.
pub(super) fn without_caller_id(checker: &mut Checker<'_>, raw: &[Spanned<RawRoute>], plan: &Plan) {
    let mut told: Vec<&str> = Vec::new();
    for route in raw {
        let route = route.get_ref();
        for value in route.trunk.get().into_iter().chain(route.trunks.get().map(Spanned::get_ref).into_iter().flatten())
        {
            let Some(trunk) = plan.trunk(value.get_ref()) else { continue };
            if trunk.address.is_empty() || trunk.caller_id.is_some() || told.contains(&trunk.name.as_str()) {
                continue;
            }
            told.push(&trunk.name);
            checker
                .sink
                .warning(value.span(), format!("calls by trunk `{}` show no number", trunk.name))
                .label("it has no `caller_id`, and many carriers refuse such calls")
                .help(format!(
                    "add to [trunks.{}]: caller_id = \"+442079460100\", a number that it gave you",
                    trunk.name
                ));
        }
    }
}

/// Settings of calls out on a route that makes none.
pub(super) fn settings_without_trunk(checker: &mut Checker<'_>, raw: &RawRoute) {
    if !raw.trunk.is_absent() || !raw.trunks.is_absent() {
        if let Some(after) = raw.answer_after.get() {
            let warning = checker.sink.warning(after.span(), "a call out is answered by the callee");
            warning.label("has no effect").help("take it out; `ring_timeout` says how long it may ring");
        }
        return;
    }
    let places = [
        ("premium", raw.premium.get().map(Spanned::span)),
        ("ring_timeout", raw.ring_timeout.get().map(Spanned::span)),
        ("max_duration", raw.max_duration.get().map(Spanned::span)),
        ("confirm", raw.confirm.get().map(Spanned::span)),
    ];
    for (key, place) in places {
        if let Some(place) = place {
            checker
                .sink
                .error(place, format!("`{key}` goes with `trunk` or `trunks`"))
                .label("has no meaning here")
                .help("take it out");
        }
    }
}

/// Numbers that IVRs dial must be allowed by a route, as any other.
pub(super) fn dialled_numbers(checker: &mut Checker<'_>, raw: &[(Spanned<String>, RawIvr)], plan: &Plan) {
    for ((_, raw), ivr) in raw.iter().zip(&plan.ivrs) {
        let Then::Dial { number, .. } = &ivr.then else { continue };
        let Some(written) = raw.then.get().and_then(|then| then.get_ref().dial.get()) else { continue };
        if let Err(denied) = outgoing::allow(plan, number) {
            let help = match denied {
                Denied::NoRoute => "add a route with from = \"sessions\", this number, and a trunk",
                Denied::NoNumber => "for example: dial = \"+442079460123\"",
                _ => "dial another number",
            };
            checker.sink.error(written.span(), "this number is not called").label(denied.to_string()).help(help);
        }
    }
}
