//! The first part of every call: it rings, it is answered, the caller hears us.

use super::line::Line;
use super::{Event, Verb, Verbs};
use std::time::Duration;

/// Longest wait for [`Event::Answered`]; longer than the 64·T1 after which a call without an ACK is ended (RFC 3261
/// section 13.3.1.4), so it counts only if that end is never told.
pub(super) const ANSWER_LIMIT: Duration = Duration::from_secs(45);

/// From the INVITE to the moment the caller can hear us.
#[derive(Debug)]
pub(super) enum Arrival {
    /// The caller hears ringing; the timer answers.
    Ringing,
    /// The answer went out; the timer gives up.
    Answering,
}

/// What an event led to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Arrived {
    NotYet,
    /// The caller hears us.
    Yes,
    /// The call cannot be answered.
    Never,
}

impl Arrival {
    /// Rings for a time first, if one is given.
    pub(super) fn begin(answer_after: Duration, line: &mut Line, out: &mut Verbs) -> Self {
        if answer_after.is_zero() {
            return Self::answer(line, out);
        }
        out.push(Verb::Ring { call: line.call() });
        line.arm(answer_after, out);
        Self::Ringing
    }

    pub(super) fn handle(&mut self, event: &Event, line: &mut Line, out: &mut Verbs) -> Arrived {
        match (&self, event) {
            (_, Event::Answered { .. }) => {
                line.disarm(out);
                return Arrived::Yes;
            }
            (Self::Ringing, Event::Timer { timer }) if line.due(*timer) => *self = Self::answer(line, out),
            (Self::Ringing, Event::VerbFailed { error, .. }) if error.verb() == "set_timer" => {
                *self = Self::answer(line, out);
            }
            (Self::Answering, Event::Timer { timer }) if line.due(*timer) => return Arrived::Never,
            (_, Event::VerbFailed { error, .. }) if error.verb() == "answer" => return Arrived::Never,
            _ => {}
        }
        Arrived::NotYet
    }

    fn answer(line: &mut Line, out: &mut Verbs) -> Self {
        out.push(Verb::Answer { call: line.call() });
        line.arm(ANSWER_LIMIT, out);
        Self::Answering
    }
}
