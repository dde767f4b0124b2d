//! The way of a call out.

use super::{Explanation, codecs, line, refuse, time};
use crate::dialplan::outgoing;
use crate::dialplan::plan::{Outgoing, Plan, Route, RouteTarget};
use std::fmt::Write as _;

/// Tells why a session may not call `number`; says whether there is a reason. A route into the house is no reason: the
/// way it leads is told by the others.
pub(super) fn refused(plan: &Plan, number: &str, out: &mut Explanation) -> bool {
    match outgoing::allow(plan, number) {
        Ok(_) | Err(outgoing::Denied::Inside(_) | outgoing::Denied::Rejected { .. }) => false,
        Err(denied) => {
            refuse(out, &format!("The call is not placed: {denied}."));
            true
        }
    }
}

/// Tells by which trunks `number` is called, and within which limits.
pub(super) fn placed(plan: &Plan, number: &str, outgoing: &Outgoing, out: &mut Explanation) {
    line(out, 0, &format!("{number} is called:"));
    for (place, trunk) in outgoing.trunks.iter().enumerate() {
        let mut text = format!("{} trunk {}", if place == 0 { "by" } else { "else by" }, trunk.name);
        let addresses: Vec<String> = trunk.address.iter().map(ToString::to_string).collect();
        let _ = write!(text, " at {}", addresses.join(", then "));
        let mut limits = Vec::new();
        limits.extend(trunk.max_calls.map(|most| format!("{most} calls at one time")));
        limits.extend(trunk.max_calls_per_second.map(|most| format!("{most} a second")));
        if !limits.is_empty() {
            let _ = write!(text, " (at most {})", limits.join(", "));
        }
        if trunk.codecs.own_order {
            let _ = write!(text, ", offering {}", codecs(&trunk.codecs.offered));
        }
        line(out, 1, &text);
    }
    line(
        out,
        1,
        &format!("rings for {} at most, lasts {} at most", time(outgoing.ring_timeout), time(outgoing.max_duration)),
    );
    let asked = match outgoing.confirm {
        Some(true) => "the callee must press 1 before being heard",
        Some(false) => "the callee is heard at once",
        None => "into a room: the callee must press 1 before being heard",
    };
    line(out, 1, asked);
    let limits = (plan.gateway.dial_limit, plan.gateway.dial_rate);
    line(out, 1, &format!("one session places {} calls in all and {} a minute at most", limits.0, limits.1));
}

/// Tells what comes of a number that an IVR dials, and what its caller hears where the callee is not reached.
pub(super) fn dialled(plan: &Plan, number: &str, confirm: Option<bool>, out: &mut Explanation) {
    if refused(plan, number, out) {
        return;
    }
    let Ok(allowed) = outgoing::allow(plan, number) else { return };
    let Route { name, line: at, target: RouteTarget::Trunks(outgoing), .. } = &**allowed.route else { return };
    line(out, 0, &format!("{number} is called by line {at}, {name}, and joined with the caller."));
    let outgoing =
        Outgoing { confirm: Some(confirm.or(outgoing.confirm).unwrap_or(false)), ..Outgoing::clone(outgoing) };
    placed(plan, number, &outgoing, out);
    for (what, prompt) in [
        ("busy", "number-busy"),
        ("no answer", "no-answer"),
        ("no such number", "no-such-number"),
        ("declined, or not reached", "call-failed"),
    ] {
        line(out, 1, &format!("{what}: says prompt {prompt}, hangs up"));
    }
}

/// Tells what comes of a call to a user.
pub(super) fn to_user(plan: &Plan, name: &str, out: &mut Explanation) {
    line(out, 0, &format!("User {name} is called, wherever the user is registered."));
    match plan.users.iter().find(|user| user.name == name) {
        Some(user) => line(out, 1, &format!("at most {} calls at one time", user.max_calls)),
        None => line(out, 1, "not in this file: 404, unless the user was made while the gateway runs"),
    }
    line(out, 1, "not registered: 480; else it rings there, and the caller is answered when the user answers");
}

/// Tells what comes of a direct call to a user.
pub(super) fn direct(plan: &Plan, name: &str, out: &mut Explanation) {
    to_user(plan, name, out);
    line(out, 1, "the media goes from one to the other, not through the gateway");
}
