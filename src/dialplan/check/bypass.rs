//! Ways into a room that has a PIN, without it. They may be meant, so they are warnings.

use super::Checker;
use super::ivr::Checked;
use crate::dialplan::pattern::Pattern;
use crate::dialplan::plan::{Room, RoomTemplate, Then};
use crate::dialplan::raw::RawIvr;
use std::sync::Arc;
use toml::Spanned;

/// Warns when a route's room, named outright or by the called number, has a PIN.
pub(super) fn by_route(
    checker: &mut Checker<'_>,
    written: &Spanned<String>,
    template: &RoomTemplate,
    number: Option<&Pattern>,
    rooms: &[Arc<Room>],
) {
    let opened = |room: &&Arc<Room>| match template.fixed() {
        Some(name) => room.name == name,
        None => {
            template.filling(&room.name).is_some_and(|filling| number.is_some_and(|number| number.matches(filling)))
        }
    };
    warn(checker, written, rooms.iter().filter(with_pin).find(opened));
}

/// Warns when keyed digits that are no PIN may name a room that has one.
pub(super) fn by_digits(
    checker: &mut Checker<'_>,
    raw: &[(Spanned<String>, RawIvr)],
    ivrs: &[Checked],
    rooms: &[Arc<Room>],
) {
    for ((_, raw), checked) in raw.iter().zip(ivrs) {
        let written = raw.then.get().and_then(|then| then.get_ref().room.get());
        let (Then::Room(template), Some(written)) = (&checked.ivr.then, written) else { continue };
        let keyable = |filling: &str| {
            checked.ivr.collect.as_ref().is_some_and(|collect| {
                (usize::from(collect.min_digits)..=usize::from(collect.max_digits)).contains(&filling.len())
                    && filling.bytes().all(|key| key.is_ascii_digit())
            })
        };
        let opened = |room: &&Arc<Room>| match template.fixed() {
            Some(name) => room.name == name,
            None => template.uses_digits() && template.filling(&room.name).is_some_and(keyable),
        };
        warn(checker, written, rooms.iter().filter(with_pin).find(opened));
    }
}

fn with_pin(room: &&Arc<Room>) -> bool {
    room.pin.is_some() || room.host_pin.is_some()
}

fn warn(checker: &mut Checker<'_>, written: &Spanned<String>, room: Option<&Arc<Room>>) {
    if let Some(room) = room {
        checker
            .sink
            .warning(written.span(), format!("callers get into room `{}` without its PIN", room.name))
            .label("the room has a PIN")
            .help("lead to an ivr with then = { room = \"by-pin\" }, or take the PIN away");
    }
}
