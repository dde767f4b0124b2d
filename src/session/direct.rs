//! The session of a caller whom a route takes straight into a room.

use super::arrival::{Arrival, Arrived};
use super::closing::Closing;
use super::in_room::{InRoom, InRoomOutcome, Welcome};
use super::life::{Life, Script};
use super::line::Line;
use super::{Event, PlayItem, RoomName, Session, Verbs};
use crate::dialplan::RoomTemplate;
use std::time::Duration;

/// `New → Arriving → InRoom → Over`, with a word and a hangup where the room cannot be entered.
#[derive(Debug)]
pub struct Direct {
    script: DirectScript,
    life: Life<Phase>,
}

#[derive(Debug)]
struct DirectScript {
    room: RoomTemplate,
    answer_after: Duration,
}

#[derive(Debug)]
enum Phase {
    Arriving { arrival: Arrival, number: String },
    InRoom(InRoom),
    Leaving(Closing),
}

impl Direct {
    /// A session that waits for its [`Event::Incoming`] and rings for `answer_after` before it answers.
    #[must_use]
    pub const fn new(room: RoomTemplate, answer_after: Duration) -> Self {
        Self { script: DirectScript { room, answer_after }, life: Life::New }
    }
}

impl Script for DirectScript {
    type Phase = Phase;

    fn begin(&self, number: &str, line: &mut Line, out: &mut Verbs) -> Phase {
        Phase::Arriving { arrival: Arrival::begin(self.answer_after, line, out), number: number.to_owned() }
    }

    fn step(&self, phase: Phase, line: &mut Line, event: &Event, out: &mut Verbs) -> Option<Phase> {
        Some(match phase {
            Phase::Arriving { mut arrival, number } => match arrival.handle(event, line, out) {
                Arrived::NotYet => Phase::Arriving { arrival, number },
                Arrived::Yes => {
                    let name = RoomName::Plain(self.room.expand(&number, ""));
                    // Straight in: whoever dials the room's own number need not be told where it leads.
                    let welcome = Welcome { joining: None, first: prompt("first-here") };
                    Phase::InRoom(InRoom::open(name, welcome, line, out))
                }
                Arrived::Never => Phase::Leaving(Closing::hang_up("not-answered", line, out)),
            },
            Phase::InRoom(mut in_room) => {
                let (final_prompt, cause) = match in_room.handle(event, line, out) {
                    InRoomOutcome::Stays => return Some(Phase::InRoom(in_room)),
                    InRoomOutcome::Full => ("room-full", "room-full"),
                    InRoomOutcome::Failed => ("goodbye", "room-failed"),
                };
                in_room.leave(line, out);
                Phase::Leaving(Closing::begin(vec![prompt(final_prompt)], cause, line, out))
            }
            Phase::Leaving(mut closing) => {
                if closing.handle(event, line, out) {
                    return None;
                }
                Phase::Leaving(closing)
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
