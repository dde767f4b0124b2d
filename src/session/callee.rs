//! Somebody who is called for those who wait: they hear it ring, then what its side plays, then the callee, who may
//! have to press 1 before that.
//!
//! ```text
//! Asked → Calling → (Confirming) → Joined
//!            └───────────┴────────→ failed, gone
//! ```

use super::line::{Fallback, Line};
use super::{
    CallHandle, CallerId, CollectSpec, DialCause, DialTarget, Event, PlayItem, PlaybackHandle, Unit, Verb, Verbs,
};
use std::time::Duration;

/// What the callee is asked.
pub(super) const PROMPT: &str = "press-one";
/// The key that joins.
const KEY: &str = "1";
/// How often the callee is asked.
const TRIES: u8 = 2;
/// Wait for the key after the prompt.
const PATIENCE: Duration = Duration::from_secs(8);
/// Longer than the prompt and the wait for the key.
const CONFIRM_LIMIT: Duration = Duration::from_secs(60);
/// The ringing that those who wait hear; no [`Line`] uses this handle.
const RINGING: PlaybackHandle = PlaybackHandle(0);

/// The call, as the session names it.
pub(super) const CALLEE: CallHandle = CallHandle(1);

/// A telephone that is being called.
#[derive(Debug)]
pub(super) struct Callee {
    /// Who waits.
    waiting: Unit,
    /// Whether the callee must press 1; `None`: what the route says, else `standard`.
    confirm: Option<bool>,
    standard: bool,
    /// Keyed into the line when it is answered.
    digits: Option<String>,
    rings: bool,
    state: State,
}

#[derive(Debug)]
enum State {
    Asked,
    Calling { line: Line, confirm: bool },
    Confirming { line: Line, tries_left: u8 },
    Over,
}

/// What an event led to.
#[derive(Debug)]
pub(super) enum Called {
    NotYet,
    /// There, and willing. Nobody is connected yet, but for what was played before the answer.
    Joined(Line),
    /// The call did not come about.
    Failed(DialCause),
    /// Answered, and not joined: hung up, or no key came.
    Gone,
}

impl Callee {
    /// Calls `to` for `waiting`.
    pub(super) fn begin(
        to: DialTarget,
        waiting: Unit,
        confirm: (Option<bool>, bool),
        digits: Option<String>,
        out: &mut Verbs,
    ) -> Self {
        out.push(Verb::Dial { call: CALLEE, to, caller: CallerId::Trunk, timeout: None, headers: Vec::new() });
        Self { waiting, confirm: confirm.0, standard: confirm.1, digits, rings: false, state: State::Asked }
    }

    pub(super) fn handle(&mut self, event: &Event, out: &mut Verbs) -> Called {
        if let Event::DialFailed { call: CALLEE, cause, .. } = event {
            return self.over(Called::Failed(cause.clone()), out);
        }
        match std::mem::replace(&mut self.state, State::Over) {
            State::Asked => {
                self.state = match event {
                    Event::Dialled { call: CALLEE, confirm } => State::Calling {
                        line: Line::beside(CALLEE),
                        confirm: self.confirm.or(*confirm).unwrap_or(self.standard),
                    },
                    _ => State::Asked,
                };
                Called::NotYet
            }
            State::Calling { line, confirm } => self.calling(line, confirm, event, out),
            State::Confirming { line, tries_left } => self.confirming(line, tries_left, event, out),
            State::Over => Called::NotYet,
        }
    }

    /// Nobody waits any more: the call is given up, if there is one.
    pub(super) fn give_up(&mut self, out: &mut Verbs) {
        self.hush(out);
        if let State::Calling { line, .. } | State::Confirming { line, .. } =
            std::mem::replace(&mut self.state, State::Over)
        {
            out.push(Verb::Hangup { call: line.call(), cause: "given-up".into() });
        }
    }

    fn calling(&mut self, mut line: Line, confirm: bool, event: &Event, out: &mut Verbs) -> Called {
        match event {
            Event::Ringing { call, tone } if *call == line.call() && !self.rings => {
                out.push(Verb::Play {
                    to: self.waiting,
                    playback: RINGING,
                    items: vec![PlayItem::Tone(tone.clone())],
                    repeat: false,
                });
                self.rings = true;
            }
            // Whoever must press 1 is not heard before, nor is what answers in its place.
            Event::EarlyMedia { call } if *call == line.call() && !confirm => {
                self.hush(out);
                out.push(Verb::Connect { source: line.unit(), sink: self.waiting });
            }
            Event::Answered { call } if *call == line.call() => {
                if let Some(digits) = self.digits.take() {
                    out.push(Verb::SendDigits { call: *call, digits });
                }
                if !confirm {
                    return self.over(Called::Joined(line), out);
                }
                ask(&mut line, out);
                self.state = State::Confirming { line, tries_left: TRIES };
                return Called::NotYet;
            }
            Event::Ended { call, .. } if *call == line.call() => return self.over(Called::Gone, out),
            _ => {}
        }
        self.state = State::Calling { line, confirm };
        Called::NotYet
    }

    fn confirming(&mut self, mut line: Line, tries_left: u8, event: &Event, out: &mut Verbs) -> Called {
        let missed = match event {
            Event::Collected { call, digits, .. } if *call == line.call() => {
                if &**digits == KEY {
                    line.disarm(out);
                    return self.over(Called::Joined(line), out);
                }
                true
            }
            Event::Ended { call, .. } if *call == line.call() => {
                line.disarm(out);
                return self.over(Called::Gone, out);
            }
            Event::Timer { timer } => line.due(*timer),
            Event::PlaybackFinished { playback, .. } => {
                line.finished(*playback);
                false
            }
            Event::VerbFailed { call: Some(call), error } if *call == line.call() => match error.verb() {
                "play" => {
                    line.play_instead(error, out);
                    false
                }
                "collect" => true,
                _ => false,
            },
            _ => false,
        };
        if !missed {
            self.state = State::Confirming { line, tries_left };
            return Called::NotYet;
        }
        let tries_left = tries_left.saturating_sub(1);
        if tries_left > 0 {
            ask(&mut line, out);
            self.state = State::Confirming { line, tries_left };
            return Called::NotYet;
        }
        line.disarm(out);
        out.push(Verb::Hangup { call: line.call(), cause: "not-confirmed".into() });
        self.over(Called::Gone, out)
    }

    fn over(&mut self, called: Called, out: &mut Verbs) -> Called {
        self.hush(out);
        self.state = State::Over;
        called
    }

    /// Those who wait hear no ringing any more.
    fn hush(&mut self, out: &mut Verbs) {
        if std::mem::take(&mut self.rings) {
            out.push(Verb::StopPlayback { playback: RINGING });
        }
    }
}

fn ask(line: &mut Line, out: &mut Verbs) {
    line.play(vec![PlayItem::Prompt(PROMPT.to_owned())], Fallback::Beep, out);
    let spec = CollectSpec {
        min_digits: 1,
        max_digits: 1,
        terminator: None,
        restart: None,
        first_digit: PATIENCE,
        next_digit: PATIENCE,
    };
    out.push(Verb::Collect { call: line.call(), spec });
    line.arm(CONFIRM_LIMIT, out);
}
