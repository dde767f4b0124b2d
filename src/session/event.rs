//! What a session sees.

use super::{DialHandle, Digits, PlaybackHandle, RoomHandle, TimerHandle, VerbError};
use crate::types::CallId;

/// One thing that happened.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// A call came in and was routed to this session. The first event of a session.
    Incoming {
        /// The call.
        call: CallId,
        /// Who calls, normalised.
        from: Party,
        /// The called number, normalised.
        number: String,
    },
    /// The first event of a session that begins without a call.
    Started,
    /// A call of [`super::Verb::Dial`] is under way.
    Dialled {
        /// The session's name for it.
        dial: DialHandle,
        /// The call.
        call: CallId,
        /// Whether the route wants the callee to press 1 first; `None` leaves it to the session.
        confirm: Option<bool>,
    },
    /// It rings at the callee's. Comes once.
    Ringing {
        /// The call.
        call: CallId,
        /// The ringing tone of the trunk's country, for those who wait.
        tone: &'static str,
    },
    /// Sound comes from the callee's side before the answer: it takes the ringing tone's place. Comes once.
    EarlyMedia {
        /// The call.
        call: CallId,
    },
    /// A call of [`super::Verb::Dial`] did not come about, or may not be made.
    DialFailed {
        /// The session's name for it.
        dial: DialHandle,
        /// Why.
        cause: DialCause,
    },
    /// The call is answered and the caller can hear us.
    Answered {
        /// The call.
        call: CallId,
    },
    /// The call is over.
    Ended {
        /// The call.
        call: CallId,
    },
    /// A digit outside a collection.
    Digit {
        /// The call.
        call: CallId,
        /// `0`-`9`, `*`, `#`, `A`-`D`.
        digit: char,
    },
    /// A collection ended.
    Collected {
        /// The call.
        call: CallId,
        /// What was keyed, without the terminator.
        digits: Digits,
        /// How it ended.
        how: crate::session::collect::Completion,
    },
    /// A playback ended.
    PlaybackFinished {
        /// Which.
        playback: PlaybackHandle,
        /// Whether it reached its end.
        completed: bool,
    },
    /// The answer to [`super::Verb::CheckPin`].
    PinChecked {
        /// The call.
        call: CallId,
        /// The verdict.
        verdict: PinVerdict,
    },
    /// Somebody came into or left a room this session opened; also the answer to connecting a call to it.
    RoomChanged {
        /// The room.
        room: RoomHandle,
        /// Calls in it now.
        members: usize,
    },
    /// A timer came due.
    Timer {
        /// Which.
        timer: TimerHandle,
    },
    /// A verb could not be done.
    VerbFailed {
        /// The call it was about, if one.
        call: Option<CallId>,
        /// Why.
        error: VerbError,
    },
}

impl Event {
    /// The call it is about, if it names one.
    #[must_use]
    pub const fn call(&self) -> Option<CallId> {
        match self {
            Self::Incoming { call, .. }
            | Self::Answered { call }
            | Self::Dialled { call, .. }
            | Self::Ringing { call, .. }
            | Self::EarlyMedia { call }
            | Self::Ended { call }
            | Self::Digit { call, .. }
            | Self::Collected { call, .. }
            | Self::PinChecked { call, .. } => Some(*call),
            Self::VerbFailed { call, .. } => *call,
            Self::Started
            | Self::DialFailed { .. }
            | Self::PlaybackFinished { .. }
            | Self::RoomChanged { .. }
            | Self::Timer { .. } => None,
        }
    }

    /// Puts another call into its place.
    pub fn rename(&mut self, to: CallId) {
        match self {
            Self::Incoming { call, .. }
            | Self::Answered { call }
            | Self::Dialled { call, .. }
            | Self::Ringing { call, .. }
            | Self::EarlyMedia { call }
            | Self::Ended { call }
            | Self::Digit { call, .. }
            | Self::Collected { call, .. }
            | Self::PinChecked { call, .. }
            | Self::VerbFailed { call: Some(call), .. } => *call = to,
            Self::VerbFailed { call: None, .. }
            | Self::Started
            | Self::DialFailed { .. }
            | Self::PlaybackFinished { .. }
            | Self::RoomChanged { .. }
            | Self::Timer { .. } => {}
        }
    }
}

/// Why a call of ours did not come about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DialCause {
    /// By a rule: which.
    Refused(String),
    /// The callee is on the telephone.
    Busy,
    /// Nobody answered, or nobody is there who could.
    NoAnswer,
    /// The callee does not want the call, or its network does not.
    Declined,
    /// There is no such number.
    NoSuchNumber,
    /// No trunk could bring it there.
    Unreachable,
}

/// The other end of a call, as far as the peer may be believed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Party {
    /// Number or user, normalised; empty when withheld.
    pub number: String,
    /// Display name, if any.
    pub name: Option<String>,
}

/// Whether a PIN opened a room.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PinVerdict {
    /// The room is open under the handle of the verb.
    Opened {
        /// Its name.
        name: String,
        /// The host's PIN was used.
        host: bool,
        /// Members already in it.
        members: usize,
    },
    /// No room has this PIN.
    Wrong,
    /// PINs are not accepted from this caller for now.
    Blocked,
}
