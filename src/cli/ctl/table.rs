//! The status as people read it.

use super::CtlCommand;
use crate::gateway::{BindingStatus, CallStatus, RoomStatus, Status, TrunkStatus, UserStatus};
use crate::media::command::LifetimeStatistics;
use std::fmt::Write;

/// The part of the status that was asked for.
pub(super) fn status(command: &CtlCommand, status: &Status) -> String {
    match command {
        CtlCommand::Calls => calls(&status.calls),
        CtlCommand::Rooms => rooms(&status.rooms),
        CtlCommand::Trunks => trunks(&status.trunks),
        _ => whole(status),
    }
}

fn whole(status: &Status) -> String {
    let mut text = String::new();
    if status.draining {
        text.push_str("draining: new calls are refused\n");
    }
    let dropped = status.backlog.log_lines_dropped;
    if dropped > 0 {
        let _ = writeln!(text, "{dropped} lines of the log dropped: it could not be written");
    }
    let backlog = &status.backlog;
    if !backlog.records_trouble.is_empty() {
        let _ = writeln!(text, "call records cannot be written: {}", backlog.records_trouble);
    }
    if backlog.records_waiting > 0 || backlog.records_lost > 0 {
        let _ = writeln!(text, "{} call records wait, {} are lost", backlog.records_waiting, backlog.records_lost);
    }
    if !backlog.certificate_trouble.is_empty() {
        let _ = writeln!(text, "{}", backlog.certificate_trouble);
    }
    if !status.database_trouble.is_empty() {
        let _ = writeln!(text, "the database of users does not answer: {}", status.database_trouble);
    }
    if status.pins_slowed {
        text.push_str("PIN checks are slowed down: too many wrong PINs in the last hour\n");
    }
    if status.late_calls_refused > 0 {
        let _ = writeln!(
            text,
            "{} calls refused (503) since the start: they came faster than they could be answered",
            status.late_calls_refused
        );
    }
    if status.media_ticks_skipped > 0 {
        let skipped = status.media_ticks_skipped;
        let _ = writeln!(text, "{skipped} times 20 ms of sound left out since the start: the machine was too busy");
    }
    if status.media_frames_not_suppressed > 0 {
        let left = status.media_frames_not_suppressed;
        let _ = writeln!(
            text,
            "{left} times 20 ms of sound since the start with its noise: too many calls have it suppressed"
        );
    }
    text.push_str(&trunks(&status.trunks));
    let _ = writeln!(text, "\n{} requests from unknown addresses dropped\n", status.unknown_sources);
    text + &calls(&status.calls) + "\n" + &rooms(&status.rooms)
}

fn trunks(trunks: &[TrunkStatus]) -> String {
    let mut text = String::from("TRUNK            STATE        THERE  CALLS  SERVER\n");
    for trunk in trunks {
        let trouble = if trunk.trouble.is_empty() { String::new() } else { format!(" ({})", trunk.trouble) };
        let server = if trunk.server.is_empty() { "-" } else { &trunk.server };
        let _ = writeln!(
            text,
            "{:<16} {:<12} {:<5} {:>6}  {server}{trouble}",
            trunk.trunk, trunk.state, trunk.presence, trunk.calls
        );
    }
    text
}

pub(in crate::cli) fn calls(calls: &[CallStatus]) -> String {
    let mut text =
        String::from("CALL       FROM             TO               STATE            CODEC DIGITS  SECONDS  ROOM\n");
    for call in calls {
        let state = match (call.held, call.on_hold, call.muted) {
            (true, ..) => "held by us",
            (_, true, _) => "on hold",
            (.., true) => "muted",
            _ => &call.state,
        };
        let (name, from, to, seconds) = (&call.call, &call.from, &call.number, call.seconds);
        let rooms = call.rooms.join(", ");
        let [codec, digits] = [&call.codec, &call.digits].map(|text| if text.is_empty() { "-" } else { text });
        let _ =
            writeln!(text, "{name:<10} {from:<16} {to:<16} {state:<16} {codec:<5} {digits:<7} {seconds:>7}  {rooms}");
        if !call.warning.is_empty() {
            let _ = writeln!(text, "           {}", call.warning);
        }
        if call.playout != LifetimeStatistics::default() {
            let LifetimeStatistics {
                concealed_samples: concealed,
                silent_concealed_samples: silent,
                inserted_samples_for_deceleration: inserted,
                removed_samples_for_acceleration: removed,
            } = call.playout;
            let _ = writeln!(
                text,
                "           samples concealed {concealed} (silent {silent}), inserted {inserted}, removed {removed}"
            );
        }
        if !call.disturbs.is_empty() {
            let _ = writeln!(text, "           disturbs the others: {}", call.disturbs);
        }
    }
    text
}

/// The users, each place that one is registered at in a line of its own.
pub(in crate::cli) fn users(users: &[UserStatus]) -> String {
    let mut text = String::from("USER             NAME             WHERE                      EXPIRES  CLIENT\n");
    for user in users {
        let name = if user.display_name.is_empty() { "-" } else { &user.display_name };
        if user.bindings.is_empty() {
            let _ = writeln!(text, "{:<16} {name:<16} not registered", user.user);
        }
        for BindingStatus { address, expires, client, .. } in &user.bindings {
            let _ = writeln!(text, "{:<16} {name:<16} {address:<26} {expires:>5} s  {client}", user.user);
        }
    }
    text
}

fn rooms(rooms: &[RoomStatus]) -> String {
    let mut text = String::from("ROOM             CALLS\n");
    for room in rooms {
        let speaks = if room.speaker.is_empty() { String::new() } else { format!(" ({} speaks)", room.speaker) };
        let _ = writeln!(text, "{:<16} {}{speaks}", room.room, room.calls.join(", "));
    }
    text
}
