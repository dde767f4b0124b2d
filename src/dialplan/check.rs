//! From the dialplan as written to the plan ready to use: every mistake is found in one pass.
//!
//! A part with a mistake gets a stand-in, so that what refers to it is not reported as well; a plan is given out only
//! when there was no error at all.

mod acme;
mod auth;
mod bypass;
mod codecs;
mod database;
mod gateway;
mod ice;
mod identity;
mod ivr;
mod out;
mod pattern;
mod pin;
mod room;
mod route;
mod say;
mod scenario;
mod suppression;
mod tls;
mod trunk;
mod user;
mod values;
mod web;

use super::diagnostic::Sink;
use super::plan::Plan;
use super::raw::{Field, Named, RawPlan};
use super::world::{Checks, PromptText};
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use toml::Spanned;

/// The longest name of a trunk, room, ivr or route, in characters.
const LONGEST_NAME: usize = 64;

/// What every check needs.
struct Checker<'a> {
    sink: &'a mut Sink,
    checks: &'a dyn Checks,
    /// The dialplan's folder, where relative paths begin.
    base: &'a Path,
    /// Its text, for line numbers and for places within strings.
    text: &'a str,
    /// Languages asked for so far, and the prompts each has, if that is known.
    prompts: HashMap<String, Option<Vec<PromptText>>>,
    /// Scenarios named so far: their texts, or why they cannot be used.
    scenarios: HashMap<PathBuf, Result<Arc<str>, String>>,
}

/// Checks everything and makes the plan; what is wrong is in the sink.
pub(super) fn check(raw: &RawPlan, text: &str, base: &Path, checks: &dyn Checks, sink: &mut Sink) -> Plan {
    let mut checker = Checker { sink, checks, base, text, prompts: HashMap::new(), scenarios: HashMap::new() };
    let checker = &mut checker;
    let tables = &raw.tables;
    let standard = Default::default();
    let has_users = !tables.users.is_absent() || route::takes_users(tables.routes.get());
    let gateway = gateway::check(checker, tables.gateway.get().map_or(&standard, Spanned::get_ref), has_users);
    let trunks = trunk::check(checker, entries(&tables.trunks), &gateway);
    let users = user::check(checker, entries(&tables.users), &trunks, &gateway);
    let rooms = room::check(checker, &gateway, entries(&tables.rooms));
    let ivrs = ivr::check(checker, entries(&tables.ivr), &gateway);
    pin::check(checker, entries(&tables.rooms), &ivrs);
    bypass::by_digits(checker, entries(&tables.ivr), &ivrs, &rooms);
    let raw_routes = tables.routes.get().map(|list| list.get_ref().as_slice()).unwrap_or_default();
    let names = route::Names {
        trunks: &trunks,
        users: &users,
        rooms: &rooms,
        ivrs: &ivrs,
        numbers: &gateway.numbers,
        gateway: &gateway,
    };
    let routes = route::check(checker, raw_routes, &names, tables.routes.is_absent() && !raw.broken);
    let api = web::api(checker, &tables.api, &gateway);
    let ice = ice::check(checker, &tables.ice);
    let plan =
        Plan { gateway, api, ice, trunks, users, rooms, ivrs: ivrs.into_iter().map(|ivr| ivr.ivr).collect(), routes };
    if !raw.broken {
        ivr::unused(checker, entries(&tables.ivr), raw_routes);
    }
    user::without_route(checker, entries(&tables.users), &plan, raw.broken);
    out::dialled_numbers(checker, entries(&tables.ivr), &plan);
    out::without_caller_id(checker, raw_routes, &plan);
    room::made_on_demand(checker, entries(&tables.ivr), &plan);
    room::invited_calls(checker, entries(&tables.rooms), &plan);
    plan
}

fn entries<T>(field: &Field<Named<T>>) -> &[(Spanned<String>, T)] {
    field.get().map(|named| named.get_ref().0.as_slice()).unwrap_or_default()
}

impl Checker<'_> {
    /// A name somebody may have to type: not empty, printable, not too long.
    fn name(&mut self, what: &str, name: &Spanned<String>) {
        let text = name.get_ref();
        let label = if text.trim().is_empty() {
            "empty"
        } else if text.chars().any(char::is_control) {
            "has a control character in it"
        } else if text.chars().count() > LONGEST_NAME {
            "longer than 64 characters"
        } else {
            return;
        };
        self.sink.error(name.span(), format!("this cannot be the name of a {what}")).label(label);
    }

    /// Where a part of a string's contents is in the file, if the string was written without escapes.
    fn within(&self, value: &Spanned<String>, part: std::ops::Range<usize>) -> std::ops::Range<usize> {
        let span = value.span();
        let written = self.text.get(span.clone()).unwrap_or_default();
        let Some(offset) = written.find(value.get_ref().as_str()) else { return span };
        let start = span.start.saturating_add(offset).saturating_add(part.start);
        let end = span.start.saturating_add(offset).saturating_add(part.end);
        if start < end {
            return start..end;
        }
        // A mistake between two characters has an empty place: the next one stands for it, or the last.
        let next = self.text.get(start..span.end).and_then(|rest| rest.chars().next()).map_or(0, char::len_utf8);
        start..start.saturating_add(next)
    }

    /// A language, asked for once; one without prompts is told at its first mention.
    fn language(&mut self, field: &Field<String>) -> Option<String> {
        let value = field.get()?;
        let language = value.get_ref();
        let letters =
            |part: &str| (1..=8).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_alphanumeric());
        if language.split('-').all(letters) {
            return Some(language.clone());
        }
        self.sink
            .error(value.span(), "this is no language")
            .label("a language tag (RFC 5646)")
            .help("for example \"en-GB\"");
        None
    }
}
