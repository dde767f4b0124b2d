//! The session of a caller who is joined with a user: it rings where the user's clients ring, and is answered when one
//! of them is.
//!
//! ```text
//! Calling → Answering → Joined
//!    └──────────┴─────────┴──→ Over
//! ```

use super::arrival::ANSWER_LIMIT;
use super::life::{Life, Script};
use super::line::Line;
use super::{CallHandle, CallerId, DialTarget, Event, Session, Unit, Verb, Verbs};
use crate::dialplan::RoomTemplate;
use std::time::Duration;

/// Longer than any user's clients ring.
const DIAL_LIMIT: Duration = Duration::from_secs(400);

/// The user's call, as the session names it.
const CALLEE: CallHandle = CallHandle(1);

/// See the module's text.
#[derive(Debug)]
pub struct ToUser {
    script: ToUserScript,
    life: Life<Phase>,
}

#[derive(Debug)]
struct ToUserScript {
    /// The user's name, in which the called number may stand.
    user: RoomTemplate,
}

#[derive(Debug)]
enum Phase {
    /// The user is called; `rings`: the caller was told that it rings.
    Calling { rings: bool },
    /// The user answered; the caller's answer is on its way.
    Answering,
    /// Both hear each other.
    Joined,
}

impl ToUser {
    /// A session that waits for its [`Event::Incoming`] and calls the user whom the template names then.
    #[must_use]
    pub const fn new(user: RoomTemplate) -> Self {
        Self { script: ToUserScript { user }, life: Life::New }
    }
}

impl Script for ToUserScript {
    type Phase = Phase;

    fn begin(&self, number: &str, line: &mut Line, out: &mut Verbs) -> Phase {
        let to = DialTarget::User(self.user.expand(number, ""));
        out.push(Verb::Dial {
            call: CALLEE,
            to,
            caller: CallerId::Of(line.call()),
            timeout: None,
            headers: Vec::new(),
        });
        line.arm(DIAL_LIMIT, out);
        Phase::Calling { rings: false }
    }

    fn aside(&self, phase: Phase, line: &mut Line, event: &Event, out: &mut Verbs) -> Option<Phase> {
        Some(match (phase, event) {
            (Phase::Calling { rings }, Event::Ringing { call: CALLEE, .. }) => {
                if !rings {
                    out.push(Verb::Ring { call: line.call() });
                }
                Phase::Calling { rings: true }
            }
            (Phase::Calling { .. }, Event::Answered { call: CALLEE }) => {
                out.push(Verb::Answer { call: line.call() });
                line.arm(ANSWER_LIMIT, out);
                Phase::Answering
            }
            (Phase::Calling { .. }, Event::DialFailed { call: CALLEE, cause, .. }) => {
                return reject(cause.status(), line, out);
            }
            (Phase::Calling { .. }, Event::Ended { call: CALLEE, .. }) => return reject(480, line, out),
            (Phase::Answering | Phase::Joined, Event::Ended { call: CALLEE, .. }) => {
                return hang_up("user-hung-up", line, out);
            }
            (phase, _) => phase,
        })
    }

    fn step(&self, phase: Phase, line: &mut Line, event: &Event, out: &mut Verbs) -> Option<Phase> {
        Some(match (phase, event) {
            (Phase::Calling { .. }, Event::Timer { timer }) if line.due(*timer) => return reject(480, line, out),
            (Phase::Answering, Event::Answered { .. }) => {
                line.disarm(out);
                let (caller, user) = (line.unit(), Unit::Call(CALLEE));
                out.push(Verb::Connect { source: caller, sink: user });
                out.push(Verb::Connect { source: user, sink: caller });
                Phase::Joined
            }
            (Phase::Answering, Event::Timer { timer }) if line.due(*timer) => {
                return hang_up("not-answered", line, out);
            }
            (Phase::Answering, Event::VerbFailed { error, .. }) if error.verb() == "answer" => {
                return hang_up("not-answered", line, out);
            }
            (phase, _) => phase,
        })
    }
}

fn reject(status: u16, line: &mut Line, out: &mut Verbs) -> Option<Phase> {
    line.disarm(out);
    out.push(Verb::Reject { call: line.call(), status });
    None
}

fn hang_up(cause: &'static str, line: &mut Line, out: &mut Verbs) -> Option<Phase> {
    line.disarm(out);
    out.push(Verb::Hangup { call: line.call(), cause: cause.into() });
    None
}

impl Session for ToUser {
    fn handle(&mut self, event: &Event, out: &mut Verbs) {
        self.life.handle(&self.script, event, out);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::DialCause;
    use crate::session::testing::*;

    fn session() -> ToUser {
        ToUser::new(RoomTemplate::parse("{number}").unwrap())
    }

    fn dialled() -> Event {
        Event::Dialled { call: CALLEE, confirm: None }
    }

    fn failed(cause: DialCause) -> Event {
        Event::DialFailed { call: CALLEE, status: cause.status(), cause }
    }

    const BEGIN: &str = "dial user:alice; timer1 400s";

    #[test]
    fn the_caller_is_answered_when_the_user_is_there_and_both_end_together() {
        play_through(
            &mut session(),
            &[
                (incoming("alice"), BEGIN),
                (dialled(), ""),
                (Event::Ringing { call: CALLEE, tone: "ringback".into() }, "ring"),
                (Event::Ringing { call: CALLEE, tone: "ringback".into() }, ""),
                (Event::Answered { call: CALLEE }, "answer; clear1; timer2 45s"),
                (answered(), "clear2; me>call1; call1>me"),
                (Event::Ended { call: CALLEE, ending: crate::session::Ending::default() }, "hangup user-hung-up; end"),
            ],
        );
    }

    #[test]
    fn who_does_not_come_is_told_to_the_caller() {
        for (cause, status) in [
            (DialCause::NoSuchNumber, 404),
            (DialCause::Busy, 486),
            (DialCause::NoAnswer, 480),
            (DialCause::Unreachable, 480),
            (DialCause::Declined, 603),
            (DialCause::Refused("a rule".into()), 403),
        ] {
            let end = format!("clear1; reject {status}; end");
            play_through(&mut session(), &[(incoming("alice"), BEGIN), (failed(cause), &end)]);
        }
    }

    #[test]
    fn a_caller_who_gives_up_ends_it() {
        let given_up = ended();
        play_through(&mut session(), &[(incoming("alice"), BEGIN), (dialled(), ""), (given_up, "end")]);
    }
}
