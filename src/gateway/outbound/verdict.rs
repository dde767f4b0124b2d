//! What a failure of one target means for the call: a pure function, and the list of what is tried elsewhere.

use crate::gateway::cause::Cause;
use crate::session::DialCause;
use crate::sip::message::StatusCode;

/// How far a target was when it failed.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Stage {
    /// It rang there.
    pub(super) rang: bool,
    /// It described or sent sound: another target must not take over what is heard already.
    pub(super) sounded: bool,
}

/// How a target failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Failure {
    /// It answered with this status.
    Status(StatusCode),
    /// It did not answer.
    Silent,
    /// It could not be reached at all.
    Transport,
}

impl Failure {
    /// The status that stands for it.
    pub(super) const fn status(self) -> StatusCode {
        match self {
            Self::Status(status) => status,
            Self::Silent => StatusCode::REQUEST_TIMEOUT,
            Self::Transport => StatusCode::SERVICE_UNAVAILABLE,
        }
    }

    /// For log and record.
    pub(super) fn in_words(self) -> String {
        match self {
            Self::Status(status) => format!("{} {}", status.0, status.reason()),
            Self::Silent => "no response".into(),
            Self::Transport => "the transport failed".into(),
        }
    }
}

/// What is to be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Verdict {
    /// The next target; with this in the end, if there is none.
    Next(DialCause, Cause),
    /// Where the Contacts of the response lead.
    Redirected,
    /// Nothing more.
    Final(DialCause, Cause),
}

impl Verdict {
    /// The same, with what is known of why the transport failed, if that it was.
    pub(super) fn unreachable_by(self, failure: Failure, why: &str) -> Self {
        let because = |cause| match (failure, cause) {
            (Failure::Transport, Cause::Unreachable(_)) => Cause::Unreachable(why.to_owned()),
            (_, cause) => cause,
        };
        match self {
            Self::Next(dial, cause) => Self::Next(dial, because(cause)),
            Self::Final(dial, cause) => Self::Final(dial, because(cause)),
            Self::Redirected => self,
        }
    }
}

/// The verdict on a failure. The next target is tried after 408, 500, 502, 503, 504, silence, a transport that failed,
/// and 480 where the trunk says so; never once there was sound, nor on what the callee itself said. 408 and 480 after
/// ringing are the callee's: nobody came.
pub(super) fn verdict(failure: Failure, stage: Stage, failover_on_480: bool) -> Verdict {
    let status = match failure {
        Failure::Silent => {
            let cause = Cause::Unreachable("no response".into());
            return next_unless(stage.sounded, DialCause::Unreachable, cause);
        }
        Failure::Transport => {
            let cause = Cause::Unreachable("the transport failed".into());
            return next_unless(stage.sounded, DialCause::Unreachable, cause);
        }
        Failure::Status(status) => status,
    };
    let said = || format!("{} {}", status.0, status.reason());
    match status.0 {
        300..=399 if !stage.sounded => Verdict::Redirected,
        408 | 480 | 487 if stage.rang => Verdict::Final(DialCause::NoAnswer, Cause::NoAnswer),
        408 | 500 | 502 | 503 | 504 => next_unless(stage.sounded, DialCause::Unreachable, Cause::Unreachable(said())),
        480 => next_unless(stage.sounded || !failover_on_480, DialCause::NoAnswer, Cause::NoAnswer),
        486 | 600 => Verdict::Final(DialCause::Busy, Cause::Busy),
        404 | 410 | 484 | 604 => Verdict::Final(DialCause::NoSuchNumber, Cause::NoSuchNumber),
        505..=599 | 501 => Verdict::Final(DialCause::Unreachable, Cause::Unreachable(said())),
        _ => Verdict::Final(DialCause::Declined, Cause::Declined(said())),
    }
}

fn next_unless(last: bool, dial: DialCause, cause: Cause) -> Verdict {
    if last { Verdict::Final(dial, cause) } else { Verdict::Next(dial, cause) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_next(status: u16, stage: Stage, failover_on_480: bool) -> bool {
        matches!(verdict(Failure::Status(StatusCode(status)), stage, failover_on_480), Verdict::Next(..))
    }

    #[test]
    fn only_what_another_target_may_do_better_is_tried_there() {
        let fresh = Stage::default();
        let elsewhere: Vec<u16> = (300..700).filter(|status| is_next(*status, fresh, false)).collect();
        assert_eq!(elsewhere, [408, 500, 502, 503, 504]);
        assert!(is_next(480, fresh, true));
        for failure in [Failure::Silent, Failure::Transport] {
            assert!(matches!(verdict(failure, fresh, false), Verdict::Next(DialCause::Unreachable, _)));
        }
    }

    #[test]
    fn once_there_was_sound_nothing_is_tried_elsewhere() {
        let sounded = Stage { rang: true, sounded: true };
        assert!((300..700).all(|status| !is_next(status, sounded, true)));
        assert!(
            (300..700).all(|status| verdict(Failure::Status(StatusCode(status)), sounded, true) != Verdict::Redirected)
        );
        assert!(matches!(verdict(Failure::Transport, sounded, true), Verdict::Final(..)));
    }

    #[test]
    fn who_rang_and_did_not_come_is_not_called_elsewhere() {
        let rang = Stage { rang: true, sounded: false };
        for status in [408, 480, 487] {
            let found = verdict(Failure::Status(StatusCode(status)), rang, true);
            assert_eq!(found, Verdict::Final(DialCause::NoAnswer, Cause::NoAnswer), "{status}");
        }
        assert!(is_next(503, rang, false));
    }

    #[test]
    fn each_refusal_has_its_cause() {
        let of = |status| match verdict(Failure::Status(StatusCode(status)), Stage::default(), false) {
            Verdict::Final(dial, _) | Verdict::Next(dial, _) => Some(dial),
            Verdict::Redirected => None,
        };
        for (status, cause) in [
            (486, DialCause::Busy),
            (600, DialCause::Busy),
            (480, DialCause::NoAnswer),
            (404, DialCause::NoSuchNumber),
            (604, DialCause::NoSuchNumber),
            (403, DialCause::Declined),
            (488, DialCause::Declined),
            (603, DialCause::Declined),
            (606, DialCause::Declined),
            (503, DialCause::Unreachable),
            (501, DialCause::Unreachable),
        ] {
            assert_eq!(of(status), Some(cause), "{status}");
        }
        assert_eq!(of(302), None);
    }
}
