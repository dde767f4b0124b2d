//! `[[routes]]`: whole, leading somewhere, and not hidden by those above.

use super::ivr::{Checked, template};
use super::pattern::{pattern, unmatched};
use super::say::{self, Voice};
use super::{Checker, bypass, out, scenario};
use crate::dialplan::diagnostic::line_of;
use crate::dialplan::number::NumberRules;
use crate::dialplan::overlap::covers;
use crate::dialplan::pattern::Pattern;
use crate::dialplan::plan::{
    Gateway, Ivr, Origin, Room, RoomNumber, RoomTemplate, Route, RouteTarget, Trunk, User, check_user_name,
};
use crate::dialplan::raw::RawRoute;
use crate::dialplan::suggestion;
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;
use toml::Spanned;

/// What routes may refer to.
pub(super) struct Names<'a> {
    pub trunks: &'a [Arc<Trunk>],
    pub users: &'a [Arc<User>],
    pub rooms: &'a [Arc<Room>],
    pub ivrs: &'a [Checked],
    /// Where prompts are.
    pub gateway: &'a Gateway,
    /// How numbers of calls that come by no trunk are read.
    pub numbers: &'a NumberRules,
}

impl Names<'_> {
    /// How numbers of these calls are read.
    fn rules(&self, from: &[Origin]) -> Vec<&NumberRules> {
        let rules = from.iter().map(|origin| match origin {
            Origin::Trunk(name) => self.trunks.iter().find(|trunk| trunk.name == **name).map(|trunk| &trunk.numbers),
            Origin::Users | Origin::Sessions => Some(self.numbers),
        });
        rules.flatten().collect()
    }
}

/// Whether any route says that it takes calls from users.
pub(super) fn takes_users(routes: Option<&Spanned<Vec<Spanned<RawRoute>>>>) -> bool {
    let mut routes = routes.map(Spanned::get_ref).into_iter().flatten();
    routes.any(|route| {
        let from = route.get_ref().from.get().map(Spanned::get_ref);
        from.into_iter().flatten().any(|from| from.get_ref() == "users")
    })
}

/// A route and where its pattern is written.
struct Placed {
    route: Arc<Route>,
    number: Range<usize>,
}

pub(super) fn check(
    checker: &mut Checker<'_>,
    raw: &[Spanned<RawRoute>],
    names: &Names<'_>,
    none_written: bool,
) -> Vec<Arc<Route>> {
    if none_written {
        checker.sink.error(0..0, "there is no route, so that no call can come in").help(
            "add a table [[routes]] with `name`, `from`, `number` and one of `ivr`, `room`, `trunk` and `reject`",
        );
    }
    let mut placed: Vec<Placed> = Vec::new();
    let mut named: Vec<&Spanned<String>> = Vec::new();
    for value in raw {
        if let Some(name) = value.get_ref().name.get() {
            same_name(checker, &named, name);
            named.push(name);
        }
        // A route with a mistake is left out of the comparison with the others: it may be meant otherwise.
        if let Some(one) = one(checker, value, names) {
            hidden(checker, &placed, &one);
            placed.push(one);
        }
    }
    placed.into_iter().map(|one| one.route).collect()
}

fn same_name(checker: &mut Checker<'_>, earlier: &[&Spanned<String>], name: &Spanned<String>) {
    if let Some(first) = earlier.iter().find(|other| other.get_ref() == name.get_ref()) {
        checker
            .sink
            .error(name.span(), format!("two routes are called `{}`", name.get_ref()))
            .label("the second")
            .also(first.span(), "the first")
            .help("the log tells routes apart by their names: give one another name");
    }
}

fn one(checker: &mut Checker<'_>, value: &Spanned<RawRoute>, names: &Names<'_>) -> Option<Placed> {
    let raw = value.get_ref();
    let missing = [
        ("name", raw.name.is_absent(), "name = \"InboundFromPSTN\""),
        ("from", raw.from.is_absent(), "from = \"users\", \"sessions\" or the name of a trunk"),
        ("number", raw.number.is_absent(), "number = '\\+4420794601\\d\\d', or '.*' for every number"),
    ];
    for (key, absent, example) in missing {
        if absent {
            checker
                .sink
                .error(value.span(), format!("this route has no `{key}`"))
                .label("required")
                .help(format!("add: {example}"));
        }
    }
    if let Some(name) = raw.name.get() {
        checker.name("route", name);
    }
    let from = origins(checker, raw, names);
    let number = raw.number.get().and_then(|number| Some((pattern(checker, number)?, number.span())));
    if let (Some((number, _)), Some(value), Some(from)) = (&number, raw.number.get(), &from) {
        unmatched(checker, value, number, &names.rules(from));
    }
    let for_room = for_room(checker, raw);
    let answer_after = checker.time("answer_after", &raw.answer_after, "0s", "60s").unwrap_or(Duration::ZERO);
    let target = target(checker, value, number.as_ref().map(|(number, _)| number), names);
    let language = language(checker, raw, target.as_ref(), names.gateway);
    let unused = match &target {
        Some(RouteTarget::Reject(_)) => Some("a call that is refused is not answered"),
        Some(RouteTarget::User(_) | RouteTarget::Direct) => Some("a call to a user is answered when the user answers"),
        Some(RouteTarget::Scenario(_)) => Some("a scenario answers when it wants to"),
        _ => None,
    };
    if let (Some(why), Some(after)) = (unused, raw.answer_after.get()) {
        checker.sink.warning(after.span(), why).label("has no effect").help("take it out");
    }
    if let Some(data) = raw.custom_data.get().filter(|_| raw.scenario.is_absent()) {
        checker.sink.warning(data.span(), "a scenario is handed this").label("has no effect").help("take it out");
    }
    out::settings_without_trunk(checker, raw);
    let (number, place) = number?;
    let line = line_of(checker.text, value.span().start);
    let name = raw.name.get()?.get_ref().clone();
    let (from, for_room, target) = (from?, for_room?, target?);
    let route = Arc::new(Route { name, line, from, number, for_room, answer_after, language, target });
    Some(Placed { route, number: place })
}

/// What a number is to be besides; `None` where that is written wrongly.
fn for_room(checker: &mut Checker<'_>, raw: &RawRoute) -> Option<Option<RoomNumber>> {
    let Some(written) = raw.for_room.get() else { return Some(None) };
    let read = RoomNumber::parse(written.get_ref());
    if read.is_none() {
        checker
            .sink
            .error(written.span(), "this does not say where the room's name stands")
            .label("`{room}` is to stand in it, once")
            .help("as: for_room = \"conf_{room}\", for the number conf_4711 of [rooms.4711]");
    }
    read.map(Some)
}

/// The language of a route's callers, for which there are prompts.
fn language(
    checker: &mut Checker<'_>,
    raw: &RawRoute,
    target: Option<&RouteTarget>,
    gateway: &Gateway,
) -> Option<String> {
    let place = raw.language.get()?.span();
    if let Some(RouteTarget::Reject(_) | RouteTarget::Trunks(_) | RouteTarget::User(_) | RouteTarget::Direct) = target {
        checker.sink.warning(place, "nobody is spoken to by this route").label("has no effect").help("take it out");
        return None;
    }
    let language = checker.language(&raw.language)?;
    say::know(checker, &Voice { gateway, language: &language, place });
    Some(language)
}

fn origins(checker: &mut Checker<'_>, raw: &RawRoute, names: &Names<'_>) -> Option<Vec<Origin>> {
    let list = raw.from.get()?;
    let mut origins = Vec::new();
    let mut whole = true;
    for value in list.get_ref() {
        let origin = Origin::named(value.get_ref());
        if let Origin::Trunk(name) = &origin
            && !names.trunks.iter().any(|trunk| trunk.name == **name)
        {
            let known = names.trunks.iter().map(|trunk| trunk.name.as_str()).chain(["users", "sessions"]);
            let help = suggestion::sentence(name, known, "");
            checker.sink.error(value.span(), format!("there is no trunk `{name}`")).label("unknown").help(help);
            whole = false;
        }
        if origins.contains(&origin) {
            checker
                .sink
                .warning(value.span(), "this is named twice")
                .label("is in the list already")
                .help("take it out");
        } else {
            origins.push(origin);
        }
    }
    if list.get_ref().is_empty() {
        checker
            .sink
            .error(list.span(), "this route takes calls from nowhere")
            .label("empty")
            .help("name a trunk, \"users\" or \"sessions\"");
        whole = false;
    }
    whole.then_some(origins)
}

fn target(
    checker: &mut Checker<'_>,
    value: &Spanned<RawRoute>,
    number: Option<&Pattern>,
    names: &Names<'_>,
) -> Option<RouteTarget> {
    let raw = value.get_ref();
    let places = [
        ("ivr", raw.ivr.is_absent(), raw.ivr.get().map(Spanned::span)),
        ("room", raw.room.is_absent(), raw.room.get().map(Spanned::span)),
        ("to_user", raw.to_user.is_absent(), raw.to_user.get().map(Spanned::span)),
        ("scenario", raw.scenario.is_absent(), raw.scenario.get().map(Spanned::span)),
        ("trunk", raw.trunk.is_absent(), raw.trunk.get().map(Spanned::span)),
        ("trunks", raw.trunks.is_absent(), raw.trunks.get().map(Spanned::span)),
        ("reject", raw.reject.is_absent(), raw.reject.get().map(Spanned::span)),
    ];
    let written: Vec<_> = places.iter().filter(|(_, absent, _)| !absent).collect();
    if written.is_empty() && !raw.later {
        checker
            .sink
            .error(value.span(), "this route leads nowhere")
            .label("none of `ivr`, `room`, `to_user`, `scenario`, `trunk` and `reject`")
            .help("add one of them, as: ivr = \"conference\"");
    }
    if let [(first, _, Some(place)), (second, _, Some(other)), ..] = written.as_slice() {
        checker
            .sink
            .error(other.clone(), "this route leads to two places")
            .label(format!("`{second}`"))
            .also(place.clone(), format!("and `{first}`"))
            .help("a route has one of `ivr`, `room`, `to_user`, `scenario`, `trunk` (or `trunks`) and `reject`");
        return None;
    }
    if let Some(name) = raw.ivr.get() {
        return ivr(checker, name, names.ivrs).map(RouteTarget::Ivr);
    }
    if let Some(name) = raw.room.get() {
        return room(checker, name, number, names.rooms);
    }
    if let Some(name) = raw.to_user.get() {
        if name.get_ref() == "direct" {
            return direct(checker, raw, name);
        }
        return user(checker, name, names.users).map(RouteTarget::User);
    }
    if let Some(name) = raw.scenario.get() {
        return scenario::check(checker, raw, name).map(RouteTarget::Scenario);
    }
    if !raw.trunk.is_absent() || !raw.trunks.is_absent() {
        return out::check(checker, raw, number, names.trunks).map(RouteTarget::Trunks);
    }
    let status = raw.reject.get()?;
    match u16::try_from(*status.get_ref()) {
        Ok(code @ 400..=699) => Some(RouteTarget::Reject(code)),
        _ => {
            checker
                .sink
                .error(status.span(), "a call is refused with a SIP status")
                .label("from 400 to 699")
                .help("for example 404 (not found), 486 (busy), 603 (declined)");
            None
        }
    }
}

fn ivr(checker: &mut Checker<'_>, name: &Spanned<String>, ivrs: &[Checked]) -> Option<Arc<Ivr>> {
    let found = ivrs.iter().find(|checked| checked.ivr.name == *name.get_ref());
    if found.is_none() {
        let known: Vec<&str> = ivrs.iter().map(|checked| checked.ivr.name.as_str()).collect();
        let none = format!("add a table [ivr.{}]", name.get_ref());
        let help = suggestion::sentence(name.get_ref(), known.iter().copied(), &none);
        checker.sink.error(name.span(), format!("there is no ivr `{}`", name.get_ref())).label("unknown").help(help);
    }
    found.map(|checked| Arc::clone(&checked.ivr))
}

fn room(
    checker: &mut Checker<'_>,
    name: &Spanned<String>,
    number: Option<&Pattern>,
    rooms: &[Arc<Room>],
) -> Option<RouteTarget> {
    if name.get_ref() == "by-pin" {
        checker
            .sink
            .error(name.span(), "a route cannot ask for a PIN")
            .label("an ivr does")
            .help("lead to an ivr that has: then = { room = \"by-pin\" }");
        return None;
    }
    let template = template(checker, name)?;
    if template.uses_digits() {
        checker
            .sink
            .error(name.span(), "`{digits}` needs digits")
            .label("a route collects none")
            .help("lead to an ivr that collects them, or take `{number}`");
        return None;
    }
    bypass::by_route(checker, name, &template, number, rooms);
    if let Some(fixed) = template.fixed() {
        match rooms.iter().find(|room| room.name == fixed) {
            Some(_) => {}
            None => {
                let near = suggestion::nearest(fixed, rooms.iter().map(|room| room.name.as_str()));
                if let Some(near) = near {
                    checker
                        .sink
                        .warning(
                            name.span(),
                            format!("room `{fixed}` is made on demand, as no [rooms.{fixed}] is there"),
                        )
                        .label("not configured")
                        .help(format!("did you mean `{near}`?"));
                }
            }
        }
    }
    Some(RouteTarget::Room(template))
}

/// The user that a route leads to. Who is not in the file may be made while the gateway runs.
/// Users call each other with descriptions that nobody else could use.
fn direct(checker: &mut Checker<'_>, raw: &RawRoute, name: &Spanned<String>) -> Option<RouteTarget> {
    let from = raw.from.get()?;
    let others: Vec<_> = from.get_ref().iter().filter(|origin| origin.get_ref() != "users").collect();
    for other in &others {
        checker
            .sink
            .error(other.span(), "direct calls are between users")
            .label("no user")
            .also(name.span(), "leads to a direct call")
            .help("from = \"users\"; or name the user, or write to_user = \"{number}\": the gateway stands between the two then");
    }
    others.is_empty().then_some(RouteTarget::Direct)
}

fn user(checker: &mut Checker<'_>, name: &Spanned<String>, users: &[Arc<User>]) -> Option<RoomTemplate> {
    let template = template(checker, name)?;
    if template.uses_digits() {
        checker
            .sink
            .error(name.span(), "`{digits}` needs digits")
            .label("a route collects none")
            .help("take `{number}`");
        return None;
    }
    if let Some(fixed) = template.fixed().filter(|fixed| users.iter().all(|user| user.name != *fixed)) {
        let why = check_user_name(fixed).err();
        let near = suggestion::nearest(fixed, users.iter().map(|user| user.name.as_str()));
        if let Some(why) = why {
            checker.sink.error(name.span(), "this cannot be the name of a user").label(why);
            return None;
        }
        if let Some(near) = near {
            let told = checker.sink.warning(name.span(), format!("no user `{fixed}` is in this file"));
            told.label("not configured").help(format!("did you mean `{near}`?"));
        }
    }
    Some(template)
}

/// Whether a route takes every number of its pattern from there.
fn takes_all(route: &Route, origin: &Origin) -> bool {
    route.from.contains(origin) && route.for_room.is_none()
}

/// Tells a route that no call can reach, since those above take them all.
fn hidden(checker: &mut Checker<'_>, above: &[Placed], one: &Placed) {
    let mut dead = Vec::new();
    let mut culprit = None;
    for origin in &one.route.from {
        let rivals: Vec<&Placed> = above.iter().filter(|other| takes_all(&other.route, origin)).collect();
        let patterns: Vec<&Pattern> = rivals.iter().map(|other| &other.route.number).collect();
        if covers(&patterns, &one.route.number) != Some(true) {
            continue;
        }
        let alone = rivals.iter().find(|other| covers(&[&other.route.number], &one.route.number) == Some(true));
        if culprit.is_none() {
            culprit = alone.copied().or(rivals.last().copied()).map(|other| (other, alone.is_some()));
        }
        dead.push(origin.to_string());
    }
    let Some((other, alone)) = culprit else { return };
    let label = match alone {
        true => format!("`{}` takes every such number first", other.route.name),
        false => format!("`{}` and those above it take every such number first", other.route.name),
    };
    let found = if dead.len() == one.route.from.len() {
        checker.sink.error(one.number.clone(), format!("no call can reach route `{}`", one.route.name))
    } else {
        let from = dead.join(", ");
        checker.sink.warning(one.number.clone(), format!("no call from {from} can reach route `{}`", one.route.name))
    };
    found
        .label("taken by the routes above")
        .also(other.number.clone(), label)
        .help("put the narrower route first, or take one of the two out");
}
