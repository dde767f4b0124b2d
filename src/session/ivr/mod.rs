//! What a caller hears and keys before being let into a room, as the dialplan's `[ivr.*]` says.
//!
//! ```text
//! New → Arriving → Entering → InRoom
//!           └─────────┴──────────┴──→ Leaving → Over
//! ```
//!
//! In place of `InRoom` stands `Calling → Bridged` where the caller is joined with another telephone.
//!
//! A caller is never left in silence: in each state something plays, or a timer is set that leads to something that
//! does. The one exception is the room itself, where silence is the others'.

mod entry;

use super::arrival::{Arrival, Arrived};
use super::callee::{Called, Callee};
use super::closing::Closing;
use super::in_room::{InRoom, InRoomOutcome, Welcome};
use super::life::{Life, Script};
use super::line::{Line, item};
use super::{CallHandle, DialCause, DialTarget, Event, PlayItem, Session, Verb, Verbs};
use crate::dialplan;
use entry::{Entered, Entry};
use std::sync::Arc;
use std::time::Duration;

/// Longer than any call rings and is asked to press 1.
const DIAL_LIMIT: Duration = Duration::from_secs(480);

/// The session of one caller who was routed to an IVR. Keeps the part of the dialplan the call began with.
#[derive(Debug)]
pub struct Ivr {
    script: Reception,
    life: Life<Phase>,
}

#[derive(Debug)]
struct Reception {
    plan: Arc<dialplan::Ivr>,
    answer_after: Duration,
}

#[derive(Debug)]
enum Phase {
    Arriving {
        arrival: Arrival,
        number: String,
    },
    Entering(Entry),
    InRoom(InRoom),
    /// Another telephone is called.
    Calling(Callee),
    /// Joined with that call.
    Bridged(CallHandle),
    Leaving(Closing),
}

impl Ivr {
    /// A session that waits for its [`Event::Incoming`] and rings for `answer_after` before it answers.
    #[must_use]
    pub const fn new(plan: Arc<dialplan::Ivr>, answer_after: Duration) -> Self {
        Self { script: Reception { plan, answer_after }, life: Life::New }
    }
}

impl Script for Reception {
    type Phase = Phase;

    fn begin(&self, number: &str, line: &mut Line, out: &mut Verbs) -> Phase {
        Phase::Arriving { arrival: Arrival::begin(self.answer_after, line, out), number: number.to_owned() }
    }

    fn aside(&self, phase: Phase, line: &mut Line, event: &Event, out: &mut Verbs) -> Option<Phase> {
        match phase {
            Phase::Calling(_) | Phase::Bridged(_) => self.step(phase, line, event, out),
            phase => Some(phase),
        }
    }

    fn step(&self, phase: Phase, line: &mut Line, event: &Event, out: &mut Verbs) -> Option<Phase> {
        Some(match phase {
            Phase::Arriving { mut arrival, number } => match arrival.handle(event, line, out) {
                Arrived::NotYet => Phase::Arriving { arrival, number },
                Arrived::Yes => Phase::Entering(Entry::begin(&self.plan, number, line, out)),
                Arrived::Never => Phase::Leaving(Closing::hang_up("not-answered", line, out)),
            },
            Phase::Entering(entry) => match entry.handle(&self.plan, event, line, out) {
                Entered::NotYet(entry) => Phase::Entering(entry),
                Entered::Room(room) => Phase::InRoom(InRoom::enter(room, self.welcome(), line, out)),
                Entered::RoomNamed(name) => Phase::InRoom(InRoom::open(name, self.welcome(), line, out)),
                Entered::Dial { number, confirm } => {
                    line.stop(out);
                    let callee = Callee::begin(DialTarget::Number(number), line.unit(), (confirm, false), None, out);
                    line.arm(DIAL_LIMIT, out);
                    Phase::Calling(callee)
                }
                Entered::Refused { final_prompts, cause } => leave(final_prompts, cause, line, out),
            },
            Phase::InRoom(mut in_room) => {
                let (final_prompt, cause) = match in_room.handle(event, line, out) {
                    InRoomOutcome::Stays => return Some(Phase::InRoom(in_room)),
                    InRoomOutcome::Full => (&self.plan.prompts.full, "room-full"),
                    InRoomOutcome::Failed => (&self.plan.prompts.goodbye, "room-failed"),
                };
                in_room.leave(line, out);
                leave(vec![item(final_prompt)], cause, line, out)
            }
            Phase::Calling(mut callee) => {
                if let Event::Timer { timer } = event
                    && line.due(*timer)
                {
                    callee.give_up(out);
                    return Some(self.not_reached(&DialCause::NoAnswer, line, out));
                }
                match callee.handle(event, out) {
                    Called::NotYet => Phase::Calling(callee),
                    Called::Joined(other) => {
                        line.disarm(out);
                        out.push(Verb::StopCollect { call: line.call() });
                        out.push(Verb::Connect { source: other.unit(), sink: line.unit() });
                        out.push(Verb::Connect { source: line.unit(), sink: other.unit() });
                        Phase::Bridged(other.call())
                    }
                    Called::Failed(cause) => self.not_reached(&cause, line, out),
                    Called::Gone => self.not_reached(&DialCause::NoAnswer, line, out),
                }
            }
            Phase::Bridged(other) => match event {
                Event::Ended { call, .. } if *call == other => {
                    Phase::Leaving(Closing::hang_up("far-end-hung-up", line, out))
                }
                Event::VerbFailed { error, .. } if error.verb() == "connect" => {
                    Phase::Leaving(Closing::hang_up("not-connected", line, out))
                }
                _ => Phase::Bridged(other),
            },
            Phase::Leaving(mut closing) => {
                if closing.handle(event, line, out) {
                    return None;
                }
                Phase::Leaving(closing)
            }
        })
    }
}

impl Reception {
    /// Says why the other telephone was not reached, and hangs up.
    fn not_reached(&self, cause: &DialCause, line: &mut Line, out: &mut Verbs) -> Phase {
        let (prompt, word) = match cause {
            DialCause::Busy => ("number-busy", "busy"),
            DialCause::NoAnswer => ("no-answer", "no-answer"),
            DialCause::Declined => ("call-failed", "declined"),
            DialCause::NoSuchNumber => ("no-such-number", "no-such-number"),
            DialCause::Unreachable => ("call-failed", "unreachable"),
            DialCause::GivenUp => ("call-failed", "given-up"),
            DialCause::Refused(_) => ("call-failed", "not-allowed"),
        };
        leave(vec![PlayItem::Prompt(prompt.to_owned())], word, line, out)
    }

    fn welcome(&self) -> Welcome {
        let prompts = &self.plan.prompts;
        Welcome { joining: prompts.joining.as_ref().map(item), first: item(&prompts.first) }
    }
}

fn leave(final_prompts: Vec<PlayItem>, cause: &'static str, line: &mut Line, out: &mut Verbs) -> Phase {
    Phase::Leaving(Closing::begin(final_prompts, cause, line, out))
}

impl Session for Ivr {
    fn handle(&mut self, event: &Event, out: &mut Verbs) {
        self.life.handle(&self.script, event, out);
    }
}

#[cfg(test)]
mod tests;
