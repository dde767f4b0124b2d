//! What the sessions of a single caller have in common: they begin with its call and end with it.

use super::line::Line;
use super::{Event, Verb, Verbs};

/// `New → Live → Over`. Once over, nothing is said any more.
#[derive(Debug)]
pub(super) enum Life<Phase> {
    /// Waits for [`Event::Incoming`].
    New,
    /// Has its caller.
    Live {
        /// The caller.
        line: Line,
        /// Where the session stands.
        phase: Phase,
    },
    /// The session has ended.
    Over,
}

/// What a session of one caller does; [`Life`] says when.
pub(super) trait Script {
    /// Where it stands.
    type Phase;

    /// The caller of `number` came in.
    fn begin(&self, number: &str, line: &mut Line, out: &mut Verbs) -> Self::Phase;

    /// Something happened to another call of the session.
    fn aside(&self, phase: Self::Phase, _line: &mut Line, _event: &Event, _out: &mut Verbs) -> Option<Self::Phase> {
        Some(phase)
    }

    /// Something happened to the caller, who has not hung up. `None` when the session gives up.
    fn step(&self, phase: Self::Phase, line: &mut Line, event: &Event, out: &mut Verbs) -> Option<Self::Phase>;
}

impl<Phase> Life<Phase> {
    pub(super) fn handle(&mut self, script: &impl Script<Phase = Phase>, event: &Event, out: &mut Verbs) {
        *self = match (std::mem::replace(self, Self::Over), event) {
            (Self::New, Event::Incoming { call, number, .. }) => {
                let mut line = Line::new(*call);
                let phase = script.begin(number, &mut line, out);
                Self::Live { line, phase }
            }
            (Self::Live { line, .. }, Event::Ended { call, .. }) if *call == line.call() => {
                out.push(Verb::EndSession);
                Self::Over
            }
            (Self::Live { mut line, phase }, event) => {
                let next = if event.call().is_none_or(|call| call == line.call()) {
                    script.step(phase, &mut line, event, out)
                } else {
                    script.aside(phase, &mut line, event, out)
                };
                if let Some(phase) = next {
                    Self::Live { line, phase }
                } else {
                    out.push(Verb::EndSession);
                    Self::Over
                }
            }
            (life, _) => life,
        };
    }
}
