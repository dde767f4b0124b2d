//! What a session can ask for.

use super::{
    CallHandle, Digits, Party, PlaybackHandle, RoomHandle, StorageHandle, StorageRequest, StreamHandle, TimerHandle,
    Unit,
};
use crate::dialplan::{RoomTemplate, SoundSource};
use crate::types::SampleRate;
use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

/// One request of a session. A verb in the wrong state comes back as [`super::Event::VerbFailed`].
#[derive(Debug, Clone, PartialEq)]
pub enum Verb {
    /// 180 Ringing.
    Ring {
        /// The call.
        call: CallHandle,
    },
    /// 183 with a media description: the caller hears us before the answer.
    EarlyMedia {
        /// The call.
        call: CallHandle,
    },
    /// 200 OK. [`super::Event::Answered`] follows when the caller can hear us.
    Answer {
        /// The call.
        call: CallHandle,
    },
    /// A final refusal of a call that is not answered.
    Reject {
        /// The call.
        call: CallHandle,
        /// SIP status, 400 to 699.
        status: u16,
    },
    /// Ends a call in whatever way its state asks for.
    Hangup {
        /// The call.
        call: CallHandle,
        /// A word for the call record, as "goodbye" or "pin-refused".
        cause: Cow<'static, str>,
    },
    /// Plays to one call or to everybody in a room. A new playback to a call replaces the one before.
    Play {
        /// Who hears it.
        to: Unit,
        /// The session's name for it.
        playback: PlaybackHandle,
        /// What, one after the other.
        items: Vec<PlayItem>,
        /// Begins anew at the end, for ever.
        repeat: bool,
    },
    /// Stops a playback.
    StopPlayback {
        /// Which.
        playback: PlaybackHandle,
    },
    /// Has a playback wait where it is, or go on from there. Who hears it hears silence meanwhile.
    PausePlayback {
        /// Which.
        playback: PlaybackHandle,
        /// On or off.
        on: bool,
    },
    /// Stops all that is played to one call alone.
    StopPlaybacks {
        /// The call.
        call: CallHandle,
    },
    /// Collects digits; ends in [`super::Event::Collected`]. Replaces a collection under way.
    /// The first digit stops what is played to this call (barge-in).
    Collect {
        /// The call.
        call: CallHandle,
        /// How.
        spec: CollectSpec,
    },
    /// Gives up a collection, if one is under way, and forgets what was typed ahead; no event follows.
    StopCollect {
        /// The call.
        call: CallHandle,
    },
    /// Whether each digit of a call is wanted at once, outside collections ([`super::Event::Digit`]).
    HandleDigits {
        /// The call.
        call: CallHandle,
        /// On or off.
        on: bool,
    },
    /// Sends digits (RFC 4733) down a call.
    SendDigits {
        /// The call.
        call: CallHandle,
        /// `0`-`9`, `*`, `#`, `A`-`D`.
        digits: String,
    },
    /// Calls a telephone, by the route that allows its number, or a user wherever the user is registered. The call
    /// bears its handle from here on. Answered at once with [`super::Event::Dialled`] or [`super::Event::DialFailed`];
    /// then come [`super::Event::Ringing`], [`super::Event::EarlyMedia`] and [`super::Event::Answered`] or
    /// [`super::Event::DialFailed`]. Nobody hears the called one, nor is heard there, until the session connects it.
    Dial {
        /// The session's handle for it, which names no call of the session yet; below [`CallHandle::FIRST_GIVEN`].
        call: CallHandle,
        /// Whom.
        to: DialTarget,
        /// Whose number the callee sees.
        caller: CallerId,
        /// How long it may ring; at most, and by default, what the route says; for a user a minute.
        timeout: Option<Duration>,
        /// `X-` headers of the INVITE; others are left out.
        headers: Vec<(String, String)>,
    },
    /// Calls a conference: the session of that name, or the one that the first route with `from = "sessions"` starts
    /// for it. The two sessions have one half of the call each, which is a call to both of them: it is answered, hung
    /// up, connected, sent digits and messages like any other, and what is connected to one half is heard by who hears
    /// the other. Answered at once with [`super::Event::Dialled`] or [`super::Event::DialFailed`].
    Join {
        /// The session's handle for its half, as in [`Verb::Dial`].
        call: CallHandle,
        /// The conference's name, the number that routes see.
        to: String,
        /// Who calls, as the other session is told.
        from: Party,
        /// `X-` headers that the other session is told; others are left out.
        headers: Vec<(String, String)>,
    },
    /// Joins the caller of a call that is not answered with a user, descriptions untouched: the media goes from one to
    /// the other. Both must be users. The call goes on as a call of the session, which can hang it up.
    ForwardDirect {
        /// The call.
        call: CallHandle,
        /// The user. `None`: the one whose name is the called number.
        to: Option<String>,
    },
    /// Asks whether a PIN opens a room; answered with [`super::Event::PinChecked`], later if guessing is being slowed
    /// down.
    CheckPin {
        /// The call whose caller keyed it.
        call: CallHandle,
        /// What was keyed.
        pin: Digits,
        /// The handle for the room if it opens one.
        room: RoomHandle,
        /// Where no room has this PIN, it opens one of its own: no PIN is wrong then.
        open_rooms: bool,
    },
    /// Names a room: the one of that name, configured or made on demand.
    OpenRoom {
        /// The session's handle for it.
        room: RoomHandle,
        /// Which.
        name: RoomName,
    },
    /// Leaves a room to whoever is in it. Without anybody it is gone.
    CloseRoom {
        /// The session's handle for it.
        room: RoomHandle,
    },
    /// Opens a stream; its other end goes to whoever runs the session.
    OpenStream {
        /// The session's handle for it.
        stream: StreamHandle,
        /// From outside, or to there.
        way: StreamWay,
    },
    /// Ends a stream.
    CloseStream {
        /// Which.
        stream: StreamHandle,
    },
    /// Sends a text to a call's other end.
    SendMessage {
        /// The call.
        call: CallHandle,
        /// The text, at most 8 KiB.
        text: String,
    },
    /// Sends data to a call's other end (INFO, RFC 6086).
    SendInfo {
        /// The call.
        call: CallHandle,
        /// Value of Content-Type.
        content_type: String,
        /// `X-` headers; others are left out.
        headers: Vec<(String, String)>,
        /// The data, at most 8 KiB.
        body: String,
    },
    /// `sink` hears `source`.
    Connect {
        /// Who is heard.
        source: Unit,
        /// Who hears.
        sink: Unit,
    },
    /// Undoes [`Verb::Connect`].
    Disconnect {
        /// Who was heard.
        source: Unit,
        /// Who heard.
        sink: Unit,
    },
    /// Tells a call's other end that it is on hold, has it hear the hold tune and nobody else, and nobody hear it; or
    /// takes it back.
    Hold {
        /// The call, answered.
        call: CallHandle,
        /// On or off.
        on: bool,
    },
    /// Asks a call's other end to call somebody in our place (REFER); [`super::Event::Referred`] says what came of it.
    Refer {
        /// The call, answered.
        call: CallHandle,
        /// Whom.
        to: ReferTarget,
    },
    /// Mutes or unmutes a call.
    Mute {
        /// The call.
        call: CallHandle,
        /// On or off.
        muted: bool,
    },
    /// [`super::Event::Timer`] after `after`. Setting the same handle again moves it.
    SetTimer {
        /// The session's name for it.
        timer: TimerHandle,
        /// From now.
        after: Duration,
    },
    /// Forgets a timer.
    ClearTimer {
        /// Which.
        timer: TimerHandle,
    },
    /// Asks for a text that is kept beyond sessions, or keeps one. [`super::Event::Stored`] answers it in any case.
    Store {
        /// The session's name for it.
        request: StorageHandle,
        /// What.
        what: StorageRequest,
    },
    /// The session is done; its calls that still run are hung up.
    EndSession,
}

impl Verb {
    /// The verb's name as [`VerbError`] and the log give it.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Ring { .. } => "ring",
            Self::EarlyMedia { .. } => "early_media",
            Self::Answer { .. } => "answer",
            Self::Reject { .. } => "reject",
            Self::Hangup { .. } => "hangup",
            Self::Play { .. } => "play",
            Self::StopPlayback { .. } => "stop_playback",
            Self::PausePlayback { .. } => "pause_playback",
            Self::StopPlaybacks { .. } => "stop_playbacks",
            Self::HandleDigits { .. } => "handle_digits",
            Self::Join { .. } => "join",
            Self::ForwardDirect { .. } => "forward_direct",
            Self::CloseRoom { .. } => "close_room",
            Self::OpenStream { .. } => "open_stream",
            Self::CloseStream { .. } => "close_stream",
            Self::SendMessage { .. } => "send_message",
            Self::SendInfo { .. } => "send_info",
            Self::Collect { .. } => "collect",
            Self::StopCollect { .. } => "stop_collect",
            Self::SendDigits { .. } => "send_digits",
            Self::Dial { .. } => "dial",
            Self::CheckPin { .. } => "check_pin",
            Self::OpenRoom { .. } => "open_room",
            Self::Connect { .. } => "connect",
            Self::Disconnect { .. } => "disconnect",
            Self::Hold { .. } => "hold",
            Self::Refer { .. } => "refer",
            Self::Mute { .. } => "mute",
            Self::SetTimer { .. } => "set_timer",
            Self::ClearTimer { .. } => "clear_timer",
            Self::Store { .. } => "store",
            Self::EndSession => "end_session",
        }
    }
}

/// Whom the other end of a call is to call in our place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReferTarget {
    /// A number; the routes must allow it.
    Number(String),
    /// The other end of another call of the session: where both are answered and of one trunk it takes that call over
    /// (RFC 5589 section 7); else it calls the number.
    Call(CallHandle, String),
}

/// Whom a session calls.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DialTarget {
    /// A number, in any way of writing it.
    Number(String),
    /// A user, by name.
    User(String),
}

impl DialTarget {
    /// Reads `user:alice`, or else a number.
    #[must_use]
    pub fn read(text: &str) -> Self {
        match text.strip_prefix("user:") {
            Some(name) => Self::User(name.to_owned()),
            None => Self::Number(text.to_owned()),
        }
    }
}

/// The global name of a room, as a session asks for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RoomName {
    /// As it stands.
    Plain(String),
    /// One without a name, of this session alone: silent where nobody speaks, and nothing is announced in it.
    Own,
    /// Made of what a caller keyed. The digits let in whoever knows them, so the name that stands in status, log and
    /// record is another one.
    Keyed {
        /// The name with holes for digits, and perhaps for the number.
        template: RoomTemplate,
        /// The called number, normalised.
        number: String,
        /// What was keyed.
        digits: Digits,
    },
}

/// Which way a stream's sound goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StreamWay {
    /// From outside: a source.
    In,
    /// To outside: a sink, which hears one source.
    Out {
        /// At this rate, 8 or 16 kHz.
        rate: SampleRate,
        /// Of a room, all is heard but what this stream brings there.
        less: Option<StreamHandle>,
        /// Of a call, what is heard there is heard, and not what it says; at 8 kHz alone, and of no half of a join.
        ear: bool,
    },
}

/// Whose number somebody who is called sees.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CallerId {
    /// The trunk's own.
    Trunk,
    /// That of another call of the session; the trunk's own where it has none.
    Of(CallHandle),
    /// This one. A user is shown it as it stands; to a trunk only its number goes, and only where the trunk lets calls
    /// show numbers that are not its own.
    Given(Party),
    /// None.
    Withheld,
}

/// A piece of what is played.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PlayItem {
    /// A prompt of the catalogue by name, in the call's language.
    Prompt(String),
    /// A text to speak: the catalogue is searched for it before synthesis is tried.
    Text(String),
    /// The same in another language than the session's, by its tag.
    TextIn {
        /// As `en-GB`.
        language: String,
        /// The text.
        text: String,
    },
    /// A sound that the dialplan names.
    File(SoundSource),
    /// Samples that the session has made, at 8 kHz.
    Made {
        /// All of them.
        samples: Arc<[i16]>,
        /// They begin anew at their end, for ever.
        repeat: bool,
    },
    /// A named tone: "join", "leave", "ringback" and its kin, "busy".
    Tone(Cow<'static, str>),
    /// A pause.
    Silence(Duration),
}

/// How digits are collected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CollectSpec {
    /// Fewest digits that may be ended by the terminator or a time-out.
    pub min_digits: u8,
    /// The collection ends by itself at this many.
    pub max_digits: u8,
    /// Ends the entry and is not part of it.
    pub terminator: Option<char>,
    /// Throws away what was keyed so far and starts anew.
    pub restart: Option<char>,
    /// Longest wait for the first digit, counted from the end of the playback.
    pub first_digit: Duration,
    /// Longest wait between two digits.
    pub next_digit: Duration,
}

/// Where a session's verbs go.
#[derive(Debug, Default)]
pub struct Verbs(Vec<Verb>);

impl Verbs {
    /// Adds a verb.
    pub fn push(&mut self, verb: Verb) {
        self.0.push(verb);
    }

    /// Takes all verbs, in order.
    pub fn drain(&mut self) -> std::vec::Drain<'_, Verb> {
        self.0.drain(..)
    }
}

/// Why a verb could not be done.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum VerbError {
    /// Not in this state of the call. `verb` is [`Verb::name`] in all of these.
    #[error("{verb} is not possible while the call is {state}")]
    WrongState {
        /// The verb's name.
        verb: &'static str,
        /// The call's state.
        state: &'static str,
    },
    /// No such call, room or playback in this session.
    #[error("{verb} names something this session does not have")]
    Unknown {
        /// The verb's name.
        verb: &'static str,
    },
    /// A prompt or file that is not there.
    #[error("there is no sound {0:?}")]
    NoSuchSound(String),
    /// A limit of the gateway.
    #[error("{verb} would exceed a limit: {limit}")]
    Limit {
        /// The verb's name.
        verb: &'static str,
        /// Which limit.
        limit: &'static str,
    },
}

impl VerbError {
    /// The [`Verb::name`] of what could not be done.
    #[must_use]
    pub const fn verb(&self) -> &'static str {
        match self {
            Self::WrongState { verb, .. } | Self::Unknown { verb } | Self::Limit { verb, .. } => verb,
            Self::NoSuchSound(_) => "play",
        }
    }
}
