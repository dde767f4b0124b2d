//! `[rooms.*]`.

use super::{Checker, say, suppression};
use crate::dialplan::plan::{Alone, Announce, Gateway, Origin, Pin, Plan, Room, RouteTarget, SoundSource, Then};
use crate::dialplan::raw::{Field, RawIvr, RawPin, RawRoom};
use crate::dialplan::{route, suggestion};
use crate::types::{Disturbance, Disturbances};
use std::sync::Arc;
use toml::Spanned;

const ANNOUNCE: [(&str, Announce); 2] = [("none", Announce::None), ("tone", Announce::Tone)];
const ALONE: [(&str, Alone); 3] = [("silence", Alone::Silence), ("tone", Alone::Tone), ("music", Alone::Music)];

/// Characters of a number that people are shown.
const LONGEST_NUMBER: usize = 40;

pub(super) fn check(
    checker: &mut Checker<'_>,
    gateway: &Gateway,
    raw: &[(Spanned<String>, RawRoom)],
) -> Vec<Arc<Room>> {
    raw.iter()
        .map(|(name, raw)| {
            checker.name("room", name);
            let room = Room {
                name: name.get_ref().clone(),
                pin: pin(&raw.pin),
                host_pin: pin(&raw.host_pin),
                announce: raw
                    .announce
                    .get()
                    .and_then(|value| checker.word("announce", value, &ANNOUNCE))
                    .unwrap_or_default(),
                alone: raw.alone.get().and_then(|value| checker.word("alone", value, &ALONE)).unwrap_or_default(),
                music: music(checker, gateway, raw),
                max_members: checker.number("max_members", &raw.max_members, 1..=10_000),
                mute: mute(checker, &raw.mute),
                automatic_gain: raw.automatic_gain.get().is_some_and(|value| *value.get_ref()),
                noise_suppression: raw.noise_suppression.get().is_some_and(|value| *value.get_ref()),
                invited_call: raw.invited_call.get().map(|number| number.get_ref().clone()),
                access_number: access_number(checker, &raw.access_number),
            };
            suppression::room(checker, &raw.noise_suppression, &room, gateway);
            Arc::new(room)
        })
        .collect()
}

/// A number as people write it.
pub(super) fn access_number(checker: &mut Checker<'_>, field: &Field<String>) -> Option<String> {
    let number = checker.text("access_number", field)?;
    let is_written = |letter: char| letter.is_ascii_digit() || " +-./()*#".contains(letter);
    if number.len() <= LONGEST_NUMBER && number.chars().all(is_written) && number.contains(|c: char| c.is_ascii_digit())
    {
        return Some(number);
    }
    let place = field.get()?.span();
    checker
        .sink
        .error(place, "`access_number` is no number to read out")
        .label("digits, blanks and + - . / ( ) * #, 40 characters at most")
        .help("for example \"+44 20 7946 0100\"");
    None
}

fn music(checker: &mut Checker<'_>, gateway: &Gateway, raw: &RawRoom) -> Option<SoundSource> {
    let written = raw.music.get()?.span();
    if raw.alone.get().is_none_or(|alone| alone.get_ref() != "music") {
        checker
            .sink
            .warning(written, "this music is never heard")
            .label("who is alone hears something else")
            .help("add alone = \"music\"");
    }
    say::music(checker, &gateway.fetch, &raw.music)
}

/// The disturbances that are named.
fn mute(checker: &mut Checker<'_>, field: &Field<Vec<Spanned<String>>>) -> Disturbances {
    let words = Disturbance::ALL.map(|disturbance| (disturbance.name(), disturbance));
    let mut muted = Disturbances::default();
    for value in field.get().map(Spanned::get_ref).into_iter().flatten() {
        let Some(disturbance) = checker.word("mute", value, &words) else { continue };
        if !muted.set(disturbance, true) {
            checker.sink.warning(value.span(), "this is named twice").label("is there already").help("take it out");
        }
    }
    muted
}

/// What those who were invited call must be a scenario of a route for users.
pub(super) fn invited_calls(checker: &mut Checker<'_>, raw: &[(Spanned<String>, RawRoom)], plan: &Plan) {
    for (_, raw) in raw {
        let Some(written) = raw.invited_call.get() else { continue };
        let target = route::find(plan, &Origin::Users, written.get_ref()).map(|route| &route.target);
        if !matches!(target, Some(RouteTarget::Scenario(_))) {
            checker
                .sink
                .error(written.span(), "no route leads users from this number to a scenario")
                .label("called by those who were invited")
                .help("add a route with from = \"users\", this number, and a scenario");
        }
    }
}

/// Warns of rooms that an IVR names and nobody configured: a room made on demand has no settings at all.
pub(super) fn made_on_demand(checker: &mut Checker<'_>, raw: &[(Spanned<String>, RawIvr)], plan: &Plan) {
    for ((_, raw), ivr) in raw.iter().zip(&plan.ivrs) {
        let written = raw.then.get().and_then(|then| then.get_ref().room.get());
        let (Then::Room(template), Some(written)) = (&ivr.then, written) else { continue };
        let Some(name) = template.fixed().filter(|name| plan.room(name).is_none()) else { continue };
        let known = plan.rooms.iter().map(|room| room.name.as_str());
        let help = match suggestion::nearest(name, known) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("add a table [rooms.{name}], which may be empty"),
        };
        checker
            .sink
            .warning(written.span(), format!("room `{name}` is made on demand, as no [rooms.{name}] is there"))
            .label("not configured")
            .help(help);
    }
}

/// The PIN, if it is one at all; what is wrong with it is told by [`super::pin`].
fn pin(field: &Field<RawPin>) -> Option<Pin> {
    field.get().and_then(|value| Pin::new(&value.get_ref().0))
}
