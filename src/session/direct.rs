//! The session of a caller whom a route takes straight into a room.

use super::arrival::{Arrival, Arrived};
use super::farewell::Farewell;
use super::life::{Life, Script};
use super::line::Line;
use super::visit::{Visit, Visited};
use super::{Event, PlayItem, Session, Verbs};
use crate::dialplan::RoomTemplate;
use std::time::Duration;

/// `New → Arriving → Visiting → Over`, with a word and a hangup where the room cannot be entered.
#[derive(Debug)]
pub struct Direct {
    script: Door,
    life: Life<Phase>,
}

#[derive(Debug)]
struct Door {
    room: RoomTemplate,
    answer_after: Duration,
}

#[derive(Debug)]
enum Phase {
    Arriving { arrival: Arrival, number: String },
    Visiting(Visit),
    Leaving(Farewell),
}

impl Direct {
    /// A session that waits for its [`Event::Incoming`] and rings for `answer_after` before it answers.
    #[must_use]
    pub const fn new(room: RoomTemplate, answer_after: Duration) -> Self {
        Self { script: Door { room, answer_after }, life: Life::New }
    }
}

impl Script for Door {
    type Phase = Phase;

    fn begin(&self, number: &str, line: &mut Line, out: &mut Verbs) -> Phase {
        Phase::Arriving { arrival: Arrival::begin(self.answer_after, line, out), number: number.to_owned() }
    }

    fn step(&self, phase: Phase, line: &mut Line, event: &Event, out: &mut Verbs) -> Option<Phase> {
        Some(match phase {
            Phase::Arriving { mut arrival, number } => match arrival.handle(event, line, out) {
                Arrived::NotYet => Phase::Arriving { arrival, number },
                Arrived::Yes => {
                    let name = self.room.expand(&number, "");
                    Phase::Visiting(Visit::open(name, prompt("first-here"), line, out))
                }
                Arrived::Never => Phase::Leaving(Farewell::hang_up("not-answered", line, out)),
            },
            Phase::Visiting(mut visit) => {
                let (last_word, cause) = match visit.handle(event, line, out) {
                    Visited::Stays => return Some(Phase::Visiting(visit)),
                    Visited::Full => ("room-full", "room-full"),
                    Visited::Failed => ("goodbye", "room-failed"),
                };
                visit.leave(line, out);
                Phase::Leaving(Farewell::begin(vec![prompt(last_word)], cause, line, out))
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

fn prompt(name: &str) -> PlayItem {
    PlayItem::Prompt(name.to_owned())
}

impl Session for Direct {
    fn handle(&mut self, event: &Event, out: &mut Verbs) {
        self.life.handle(&self.script, event, out);
    }
}

#[cfg(test)]
mod tests;
