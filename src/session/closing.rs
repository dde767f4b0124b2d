//! The last part of a call that we end: a word to the caller, then the hangup, then the end of the session.

use super::line::{Fallback, Line};
use super::{Event, PlayItem, Verb, Verbs};
use std::time::Duration;

/// Longest a goodbye may take; the hangup comes then even if the playback never finishes.
pub(super) const GOODBYE_LIMIT: Duration = Duration::from_secs(30);

/// Longest wait for the end of a call after its hangup: more than a BYE's 64·T1 (RFC 3261 section 17.1.2.2).
pub(super) const HANGUP_LIMIT: Duration = Duration::from_secs(45);

/// On the way out. Never waits without a timer.
#[derive(Debug)]
pub(super) enum Closing {
    /// Something is played; then comes the hangup with this word for the call record.
    Speaking { cause: &'static str },
    /// The hangup went out.
    HangingUp,
}

impl Closing {
    /// Plays the final prompts, if there are any, and hangs up.
    pub(super) fn begin(final_prompts: Vec<PlayItem>, cause: &'static str, line: &mut Line, out: &mut Verbs) -> Self {
        out.push(Verb::StopCollect { call: line.call() });
        line.play(final_prompts, Fallback::Busy, out);
        line.arm(GOODBYE_LIMIT, out);
        Self::Speaking { cause }
    }

    /// Hangs up without a word.
    pub(super) fn hang_up(cause: &'static str, line: &mut Line, out: &mut Verbs) -> Self {
        line.stop(out);
        out.push(Verb::Hangup { call: line.call(), cause: cause.into() });
        line.arm(HANGUP_LIMIT, out);
        Self::HangingUp
    }

    /// Says whether the session is over without the call's end having been told.
    #[must_use]
    pub(super) fn handle(&mut self, event: &Event, line: &mut Line, out: &mut Verbs) -> bool {
        match self {
            Self::Speaking { cause } => {
                let spoken = match event {
                    Event::PlaybackFinished { playback, .. } => line.finished(*playback),
                    Event::Timer { timer } => line.due(*timer),
                    Event::VerbFailed { error, .. } if error.verb() == "play" => !line.play_instead(error, out),
                    // Without a timer nothing bounds the goodbye.
                    Event::VerbFailed { error, .. } => error.verb() == "set_timer",
                    _ => false,
                };
                if spoken {
                    *self = Self::hang_up(cause, line, out);
                }
                false
            }
            Self::HangingUp => match event {
                Event::Timer { timer } => line.due(*timer),
                Event::VerbFailed { error, .. } => matches!(error.verb(), "hangup" | "set_timer"),
                _ => false,
            },
        }
    }
}
