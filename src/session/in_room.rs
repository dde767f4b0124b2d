//! The part of a call that is spent in a room.

use super::line::{Fallback, Line};
use super::{Event, PlayItem, RoomHandle, Unit, Verb, Verbs};
use std::time::Duration;

/// Longest wait for the word that the caller is in the room.
pub(super) const JOIN_LIMIT: Duration = Duration::from_secs(10);

/// In a room, or about to be.
#[derive(Debug)]
pub(super) struct InRoom {
    room: RoomHandle,
    /// For the first one in the room.
    first: PlayItem,
    state: State,
}

#[derive(Debug)]
enum State {
    /// Connected, as far as we know; the timer gives up.
    Joining,
    /// In the room.
    Inside,
}

/// What an event led to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum InRoomOutcome {
    /// The stay goes on.
    Stays,
    /// A limit keeps the caller out.
    Full,
    /// There is no way in.
    Failed,
}

impl InRoom {
    /// Opens the room of that name and goes in.
    pub(super) fn open(name: String, first: PlayItem, line: &mut Line, out: &mut Verbs) -> Self {
        let room = line.new_room();
        out.push(Verb::OpenRoom { room, name });
        Self::enter(room, first, line, out)
    }

    /// Goes into a room that is open: the caller hears it and is heard in it.
    pub(super) fn enter(room: RoomHandle, first: PlayItem, line: &mut Line, out: &mut Verbs) -> Self {
        line.stop(out);
        out.push(Verb::StopCollect { call: line.call() });
        out.push(Verb::Connect { source: Unit::Room(room), sink: line.unit() });
        out.push(Verb::Connect { source: line.unit(), sink: Unit::Room(room) });
        line.arm(JOIN_LIMIT, out);
        Self { room, first, state: State::Joining }
    }

    /// Goes out again, as far as the caller is in.
    pub(super) fn leave(&self, line: &Line, out: &mut Verbs) {
        out.push(Verb::Disconnect { source: line.unit(), sink: Unit::Room(self.room) });
        out.push(Verb::Disconnect { source: Unit::Room(self.room), sink: line.unit() });
    }

    pub(super) fn handle(&mut self, event: &Event, line: &mut Line, out: &mut Verbs) -> InRoomOutcome {
        match (&self.state, event) {
            (State::Joining, Event::RoomChanged { room, members }) if *room == self.room => {
                line.disarm(out);
                if *members <= 1 {
                    line.play(vec![self.first.clone()], Fallback::Beep, out);
                }
                self.state = State::Inside;
            }
            (State::Joining, Event::Timer { timer }) if line.due(*timer) => return InRoomOutcome::Failed,
            (_, Event::VerbFailed { error, .. }) => match error.verb() {
                "open_room" | "connect" if matches!(error, super::VerbError::Limit { .. }) => {
                    return InRoomOutcome::Full;
                }
                "open_room" | "connect" => return InRoomOutcome::Failed,
                "play" => {
                    line.play_instead(error, out);
                }
                _ => {}
            },
            (_, Event::PlaybackFinished { playback, .. }) => {
                line.finished(*playback);
            }
            _ => {}
        }
        InRoomOutcome::Stays
    }
}
