//! `[rooms.*]`.

use super::Checker;
use crate::dialplan::plan::{Announce, Pin, Room};
use crate::dialplan::raw::{Field, RawPin, RawRoom};
use std::sync::Arc;
use toml::Spanned;

const ANNOUNCE: [(&str, Announce); 2] = [("none", Announce::None), ("tone", Announce::Tone)];

pub(super) fn check(checker: &mut Checker<'_>, raw: &[(Spanned<String>, RawRoom)]) -> Vec<Arc<Room>> {
    raw.iter()
        .map(|(name, raw)| {
            checker.name("room", name);
            Arc::new(Room {
                name: name.get_ref().clone(),
                pin: pin(&raw.pin),
                host_pin: pin(&raw.host_pin),
                announce: raw
                    .announce
                    .get()
                    .and_then(|value| checker.word("announce", value, &ANNOUNCE))
                    .unwrap_or_default(),
                max_members: checker.number("max_members", &raw.max_members, 1..=10_000),
            })
        })
        .collect()
}

/// The PIN, if it is one at all; what is wrong with it is told by [`super::pin`].
fn pin(field: &Field<RawPin>) -> Option<Pin> {
    field.get().and_then(|value| Pin::new(&value.get_ref().0))
}
