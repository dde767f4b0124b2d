//! What a session sees.

use super::{CallHandle, Digits, PlaybackHandle, RoomHandle, StorageAnswer, StorageHandle, TimerHandle, VerbError};
use crate::types::Disturbance;
use std::borrow::Cow;
use std::time::Duration;

/// One thing that happened.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// A call came in and was routed to this session. The first event of a session.
    Incoming {
        /// The call.
        call: CallHandle,
        /// Who calls, normalised.
        from: Party,
        /// The called number, normalised.
        number: String,
        /// What only scenarios are told.
        alerting: Option<Box<Alerting>>,
    },
    /// The first event of a session that begins without a call, and of a scenario.
    Started,
    /// A call of [`super::Verb::Dial`] is under way.
    Dialled {
        /// The call.
        call: CallHandle,
        /// Whether the route wants the callee to press 1 first; `None` leaves it to the session.
        confirm: Option<bool>,
    },
    /// It rings at the callee's. Comes once.
    Ringing {
        /// The call.
        call: CallHandle,
        /// The ringing tone of the trunk's country, for those who wait.
        tone: Cow<'static, str>,
    },
    /// Sound comes from the callee's side before the answer: it takes the ringing tone's place. Comes once.
    EarlyMedia {
        /// The call.
        call: CallHandle,
    },
    /// A call of [`super::Verb::Dial`] did not come about, or may not be made.
    DialFailed {
        /// The call, which is over: nothing more is told of it.
        call: CallHandle,
        /// Why.
        cause: DialCause,
        /// The SIP status that stands for it: 486, 487, 404, 480, 403, 603, 408, or what the callee's side said.
        status: u16,
    },
    /// The call is answered and the caller can hear us.
    Answered {
        /// The call.
        call: CallHandle,
    },
    /// The call is over.
    Ended {
        /// The call.
        call: CallHandle,
        /// Who ended it, and why.
        ending: Ending,
    },
    /// The other end of a call sent a text.
    Message {
        /// The call.
        call: CallHandle,
        /// The text, at most 8 KiB.
        text: String,
    },
    /// The other end of a call sent data (INFO).
    Info {
        /// The call.
        call: CallHandle,
        /// Value of Content-Type.
        content_type: String,
        /// Its `X-` headers, from a peer that may set them.
        headers: Vec<(String, String)>,
        /// The data, at most 8 KiB; what is no text is left out.
        body: String,
    },
    /// The other end has put the call on hold, or taken it back.
    Held {
        /// The call.
        call: CallHandle,
        /// On or off.
        on: bool,
    },
    /// What came of [`super::Verb::Refer`]: where it is done the call ends, and else it goes on.
    Referred {
        /// The call.
        call: CallHandle,
        /// 200: done. Else why not: 403 for a rule, 408 where no word came, or what the other end said.
        status: u16,
        /// In words.
        reason: String,
    },
    /// The first packet of a call's sound has come; of a call between sessions, its answer. Told to scenarios alone.
    FirstPacket {
        /// The call.
        call: CallHandle,
    },
    /// Nothing of a call's sound has come for as long as its peer may be silent: it is being hung up. Told to scenarios
    /// alone.
    SoundStopped {
        /// The call.
        call: CallHandle,
    },
    /// A call begins to disturb the others in its room, or does so no more. Told to scenarios alone.
    Disturbs {
        /// The call.
        call: CallHandle,
        /// By what.
        disturbance: Disturbance,
        /// On or off.
        on: bool,
    },
    /// A digit outside a collection.
    Digit {
        /// The call.
        call: CallHandle,
        /// `0`-`9`, `*`, `#`, `A`-`D`.
        digit: char,
    },
    /// A collection ended.
    Collected {
        /// The call.
        call: CallHandle,
        /// What was keyed, without the terminator.
        digits: Digits,
        /// How it ended.
        how: crate::session::collect::Completion,
    },
    /// A playback begins. Told to scenarios alone.
    PlaybackStarted {
        /// Which.
        playback: PlaybackHandle,
        /// How long it is, of one round where it begins anew; `None` where that is not known.
        length: Option<Duration>,
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
        call: CallHandle,
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
    /// Somebody could not be connected to a room, or a room to another. Told to scenarios alone.
    RoomFailed {
        /// The room.
        room: RoomHandle,
        /// Why.
        why: String,
    },
    /// A timer came due.
    Timer {
        /// Which.
        timer: TimerHandle,
    },
    /// The answer to [`super::Verb::Store`].
    Stored {
        /// Which.
        request: StorageHandle,
        /// What there is, or why that is not known.
        outcome: Result<StorageAnswer, String>,
    },
    /// A verb could not be done.
    VerbFailed {
        /// The call it was about, if one.
        call: Option<CallHandle>,
        /// Why.
        error: VerbError,
    },
}

impl Event {
    /// The call it is about, if it names one.
    #[must_use]
    pub const fn call(&self) -> Option<CallHandle> {
        match self {
            Self::Incoming { call, .. }
            | Self::Answered { call }
            | Self::Dialled { call, .. }
            | Self::Ringing { call, .. }
            | Self::EarlyMedia { call }
            | Self::DialFailed { call, .. }
            | Self::Ended { call, .. }
            | Self::Message { call, .. }
            | Self::Info { call, .. }
            | Self::Held { call, .. }
            | Self::Referred { call, .. }
            | Self::FirstPacket { call }
            | Self::SoundStopped { call }
            | Self::Disturbs { call, .. }
            | Self::Digit { call, .. }
            | Self::Collected { call, .. }
            | Self::PinChecked { call, .. } => Some(*call),
            Self::VerbFailed { call, .. } => *call,
            Self::Started
            | Self::PlaybackStarted { .. }
            | Self::PlaybackFinished { .. }
            | Self::RoomChanged { .. }
            | Self::RoomFailed { .. }
            | Self::Timer { .. }
            | Self::Stored { .. } => None,
        }
    }
}

/// How a call ended.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Ending {
    /// Its other end hung up.
    pub by_peer: bool,
    /// In words, as in its record; numbers are shortened.
    pub reason: Cow<'static, str>,
    /// Of its talk; zero without an answer.
    pub talked: Duration,
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
    /// The session itself gave it up.
    GivenUp,
}

impl DialCause {
    /// The SIP status that stands for it.
    #[must_use]
    pub const fn status(&self) -> u16 {
        match self {
            Self::NoSuchNumber => 404,
            Self::Busy => 486,
            Self::Declined => 603,
            Self::Refused(_) => 403,
            Self::NoAnswer | Self::Unreachable => 480,
            Self::GivenUp => 487,
        }
    }
}

/// What a scenario is told of a call that comes in, beside its caller and number.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Alerting {
    /// User part of the To header.
    pub to: String,
    /// Names and values of `X-` headers, as written, from a peer that may set them.
    pub headers: Vec<(String, String)>,
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
