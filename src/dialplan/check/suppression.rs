//! What suppressing noise costs, and where it does nothing.

use super::Checker;
use crate::dialplan::plan::{Gateway, Room, Trunk};
use crate::dialplan::raw::Field;
use crate::types::{AudioCodec, SUPPRESSED_A_THREAD};
use toml::Spanned;

/// Warns where more calls may come by a trunk than there is time for, or none whose noise would be suppressed.
pub(super) fn trunk(checker: &mut Checker<'_>, field: &Field<bool>, trunk: &Trunk, gateway: &Gateway) {
    if trunk.codecs.accepted.iter().all(|codec| *codec == AudioCodec::Opus) {
        if let Some(value) = wanted(field) {
            let warning = checker.sink.warning(value.span(), "noise is not suppressed in sound of 48 kHz");
            warning.label("has no effect: the calls of this trunk are in Opus").help("take it out, or add to `codecs`");
        }
        return;
    }
    let threads = gateway.media_threads.unwrap_or_else(|| checker.checks.processors());
    let calls = trunk.max_calls.map_or(gateway.max_calls, |calls| calls.min(gateway.max_calls));
    let more = "or raise `media_threads` where there are processors for them";
    warn(checker, field, (calls, "come by this trunk"), threads, ("max_calls", more));
}

/// The same of a room, all of which is on one media thread.
pub(super) fn room(checker: &mut Checker<'_>, field: &Field<bool>, room: &Room, gateway: &Gateway) {
    let calls = room.max_members.map_or(gateway.max_calls, |members| members.min(gateway.max_calls));
    warn(checker, field, (calls, "be in this room"), 1, ("max_members", "all of a room is on one media thread"));
}

fn warn(
    checker: &mut Checker<'_>,
    field: &Field<bool>,
    (calls, may): (u32, &str),
    threads: usize,
    (limit, help): (&str, &str),
) {
    let most = threads.saturating_mul(SUPPRESSED_A_THREAD);
    let Some(value) = wanted(field).filter(|_| calls as usize > most) else { return };
    checker
        .sink
        .warning(value.span(), format!("{calls} calls may {may}, and there is time to suppress the noise of {most}"))
        .label("the others are heard with their noise")
        .help(format!("add {limit} = {most}; {help}"));
}

fn wanted(field: &Field<bool>) -> Option<&Spanned<bool>> {
    field.get().filter(|value| *value.get_ref())
}
