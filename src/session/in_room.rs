//! The part of a call that is spent in a room.

use super::line::{Fallback, Line};
use super::{Event, PlayItem, RoomHandle, RoomName, Unit, Verb, Verbs};
use std::time::Duration;

/// Longest wait for the word that the caller is in the room.
pub(super) const JOIN_LIMIT: Duration = Duration::from_secs(10);

/// Longest that is said before the caller is in.
const JOINING_LIMIT: Duration = Duration::from_secs(30);

/// What is said to whoever comes into a room.
#[derive(Debug)]
pub(super) struct Welcome {
    /// Before being in.
    pub(super) joining: Option<PlayItem>,
    /// To the first one, once in.
    pub(super) first: PlayItem,
}

/// In a room, or about to be.
#[derive(Debug)]
pub(super) struct InRoom {
    room: RoomHandle,
    first: PlayItem,
    state: State,
}

#[derive(Debug)]
enum State {
    /// Hears that the room comes next; the timer is for words that never end.
    Announcing,
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
    pub(super) fn open(name: RoomName, welcome: Welcome, line: &mut Line, out: &mut Verbs) -> Self {
        let room = line.new_room();
        out.push(Verb::OpenRoom { room, name });
        Self::enter(room, welcome, line, out)
    }

    /// Goes into a room that is open: the caller hears it and is heard in it, once told so.
    pub(super) fn enter(room: RoomHandle, welcome: Welcome, line: &mut Line, out: &mut Verbs) -> Self {
        out.push(Verb::StopCollect { call: line.call() });
        let Welcome { joining, first } = welcome;
        let state = match joining {
            Some(joining) => {
                line.play(vec![joining], Fallback::Beep, out);
                line.arm(JOINING_LIMIT, out);
                State::Announcing
            }
            None => Self::connect(room, line, out),
        };
        Self { room, first, state }
    }

    fn connect(room: RoomHandle, line: &mut Line, out: &mut Verbs) -> State {
        line.stop(out);
        out.push(Verb::Connect { source: Unit::Room(room), sink: line.unit() });
        out.push(Verb::Connect { source: line.unit(), sink: Unit::Room(room) });
        line.arm(JOIN_LIMIT, out);
        State::Joining
    }

    /// Goes out again, as far as the caller is in.
    pub(super) fn leave(&self, line: &Line, out: &mut Verbs) {
        if matches!(self.state, State::Announcing) {
            return;
        }
        out.push(Verb::Disconnect { source: line.unit(), sink: Unit::Room(self.room) });
        out.push(Verb::Disconnect { source: Unit::Room(self.room), sink: line.unit() });
    }

    pub(super) fn handle(&mut self, event: &Event, line: &mut Line, out: &mut Verbs) -> InRoomOutcome {
        if matches!(self.state, State::Announcing) {
            let heard = match event {
                Event::PlaybackFinished { playback, .. } => line.finished(*playback),
                Event::Timer { timer } => line.due(*timer),
                Event::VerbFailed { error, .. } if error.verb() == "play" => !line.play_instead(error, out),
                Event::VerbFailed { error, .. } => error.verb() == "set_timer",
                _ => false,
            };
            if heard {
                self.state = Self::connect(self.room, line, out);
                return InRoomOutcome::Stays;
            }
        }
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
                "play" if !matches!(self.state, State::Announcing) => {
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
