//! What a caller hears and keys before being let into a room, as the dialplan's `[ivr.*]` says.
//!
//! ```text
//! New → Arriving → Entering → Visiting
//!           └─────────┴──────────┴──→ Leaving → Over
//! ```
//!
//! A caller is never left in silence: in each state something plays, or a timer is set that leads to something that does.
//! The one exception is the room itself, where silence is the others'.

mod entry;

use super::arrival::{Arrival, Arrived};
use super::farewell::Farewell;
use super::life::{Life, Script};
use super::line::{Line, item};
use super::visit::{Visit, Visited};
use super::{Event, PlayItem, Session, Verbs};
use crate::dialplan;
use entry::{Entered, Entry};
use std::sync::Arc;
use std::time::Duration;

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
    Arriving { arrival: Arrival, number: String },
    Entering(Entry),
    Visiting(Visit),
    Leaving(Farewell),
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

    fn step(&self, phase: Phase, line: &mut Line, event: &Event, out: &mut Verbs) -> Option<Phase> {
        Some(match phase {
            Phase::Arriving { mut arrival, number } => match arrival.handle(event, line, out) {
                Arrived::NotYet => Phase::Arriving { arrival, number },
                Arrived::Yes => Phase::Entering(Entry::begin(&self.plan, number, line, out)),
                Arrived::Never => Phase::Leaving(Farewell::hang_up("not-answered", line, out)),
            },
            Phase::Entering(entry) => match entry.handle(&self.plan, event, line, out) {
                Entered::NotYet(entry) => Phase::Entering(entry),
                Entered::Room(room) => Phase::Visiting(Visit::enter(room, self.first(), line, out)),
                Entered::RoomNamed(name) => Phase::Visiting(Visit::open(name, self.first(), line, out)),
                Entered::Refused { last_word, cause } => self.leave(last_word, cause, line, out),
            },
            Phase::Visiting(mut visit) => {
                let (last_word, cause) = match visit.handle(event, line, out) {
                    Visited::Stays => return Some(Phase::Visiting(visit)),
                    Visited::Full => (&self.plan.prompts.full, "room-full"),
                    Visited::Failed => (&self.plan.prompts.goodbye, "room-failed"),
                };
                visit.leave(line, out);
                self.leave(item(last_word), cause, line, out)
            }
            Phase::Leaving(mut farewell) => {
                if farewell.handle(event, line, out) {
                    return None;
                }
                Phase::Leaving(farewell)
            }
        })
    }
}

impl Reception {
    fn leave(&self, last_word: PlayItem, cause: &'static str, line: &mut Line, out: &mut Verbs) -> Phase {
        Phase::Leaving(Farewell::begin(vec![last_word], cause, line, out))
    }

    fn first(&self) -> PlayItem {
        item(&self.plan.prompts.first)
    }
}

impl Session for Ivr {
    fn handle(&mut self, event: &Event, out: &mut Verbs) {
        self.life.handle(&self.script, event, out);
    }
}

#[cfg(test)]
mod tests;
