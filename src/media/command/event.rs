//! What the media plane reports.

use super::LifetimeStatistics;
use crate::types::{CallId, DigitSource, Disturbance, PlayerId, RoomId, UnitId};

/// What the media plane reports.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// The first valid media packet of a leg arrived.
    FirstPacket {
        /// The leg.
        leg: CallId,
    },
    /// A digit was keyed. Exactly one event for each key press (at its start, or at its end if the start was lost).
    Digit {
        /// The leg.
        leg: CallId,
        /// `0`-`9`, `*`, `#`, `A`-`D`.
        digit: char,
        /// As a telephone event or as tones. A key that comes both ways may be told twice, with the first telephone
        /// event of a leg, and never again.
        source: DigitSource,
    },
    /// A player reached its end, was stopped, or lost its only sink.
    PlaybackFinished {
        /// The player, now gone.
        player: PlayerId,
        /// Whether it played to its end.
        completed: bool,
    },
    /// All digits of [`Command::SendDigits`](super::Command::SendDigits) were sent.
    DigitsSent {
        /// The leg.
        leg: CallId,
    },
    /// A packet of a leg holds more sound than is played of one packet (200 ms, RFC 3551 section 4.2). Reported once;
    /// all are counted.
    PacketTooLong {
        /// The leg.
        leg: CallId,
        /// How much it holds.
        milliseconds: u32,
    },
    /// No packet arrived for the leg's media timeout. Reported once for each silence.
    MediaTimeout {
        /// The leg.
        leg: CallId,
    },
    /// The RTCP BYE of the other side arrived.
    RemoteBye {
        /// The leg.
        leg: CallId,
    },
    /// The leg broke its allowance of critical events and must be ended.
    LegOverran {
        /// The leg.
        leg: CallId,
    },
    /// The leg is gone.
    LegRemoved {
        /// The leg.
        leg: CallId,
        /// What it had counted.
        statistics: Box<LegStatistics>,
    },
    /// The answer to [`Command::QueryStatistics`](super::Command::QueryStatistics).
    Statistics {
        /// The leg.
        leg: CallId,
        /// What it has counted so far.
        statistics: Box<LegStatistics>,
    },
    /// A leg disturbs a room that it is in, or does so no more.
    Disturbance {
        /// The leg.
        leg: CallId,
        /// The room.
        room: RoomId,
        /// By what.
        disturbance: Disturbance,
        /// Whether it does.
        is_heard: bool,
    },
    /// Somebody else speaks in a room than was told last, or nobody does any more.
    ActiveSpeaker {
        /// The room.
        room: RoomId,
        /// Who.
        leg: Option<CallId>,
    },
    /// The answer of an engine to [`Command::MeasureRoom`](super::Command::MeasureRoom), of which the plane
    /// makes [`Event::Disturbance`] and [`Event::ActiveSpeaker`].
    Measured(Box<Measurement>),
    /// A command could not be done.
    Refused {
        /// The unit it was about.
        unit: UnitId,
        /// Why.
        reason: RefusedReason,
    },
    /// Frames whose noise was to be suppressed and was not, since that was done for too many others. Told once a second
    /// at most.
    NoiseNotSuppressed {
        /// Which media thread.
        thread: usize,
        /// How many since the last report.
        count: u64,
    },
    /// Ticks that came too late and were skipped.
    TicksSkipped {
        /// Which media thread.
        thread: usize,
        /// How many since the last report.
        count: u64,
    },
}

/// Frames of each leg that are measured at once: 2.56 s.
pub const MEASURED: usize = 128;

/// How loud all who speak in a room were of late.
#[derive(Debug, Clone, PartialEq)]
pub struct Measurement {
    /// The room.
    pub room: RoomId,
    /// The number of the 20 ms that came last.
    pub end: u64,
    /// Those who were not silent.
    pub legs: Vec<Measured>,
}

/// How loud one of them was.
#[derive(Debug, Clone, PartialEq)]
pub struct Measured {
    /// The leg.
    pub leg: CallId,
    /// Whether the others hear it: it is not muted.
    pub is_heard: bool,
    /// The power of each of the last frames, one of full scale being 1; 0 where it was silent.
    pub powers: Box<[f32; MEASURED]>,
}

/// Why a command was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RefusedReason {
    /// No such unit.
    #[error("there is no such unit")]
    Unknown,
    /// The identifier is taken.
    #[error("the unit exists already")]
    Exists,
    /// Room → room that leads back.
    #[error("the connection would make a cycle of rooms")]
    Cycle,
    /// A player as sink, a recorder as source.
    #[error("these two units cannot be connected this way")]
    Unconnectable,
    /// A character that is no DTMF digit, or telephone-event was not negotiated.
    #[error("these digits cannot be sent on this leg")]
    Digits,
}

/// What a leg counted (RFC 3550 section 6.4 where a field has its name).
#[derive(Debug, Clone, Default, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct LegStatistics {
    /// RTP packets sent.
    pub packets_sent: u64,
    /// Payload octets sent.
    pub octets_sent: u64,
    /// RTP packets accepted.
    pub packets_received: u64,
    /// Payload octets accepted.
    pub octets_received: u64,
    /// Expected less received.
    pub packets_lost: i64,
    /// Interarrival jitter, microseconds.
    pub jitter_us: u64,
    /// Frames concealed because their packet was lost or late.
    pub frames_concealed: u64,
    /// What was made up, put in and taken out.
    #[serde(flatten)]
    pub playout: LifetimeStatistics,
    /// Packets that came too late to be played.
    pub packets_late: u64,
    /// Packets that came twice.
    pub packets_duplicate: u64,
    /// Packets dropped because they hold more than 200 ms of sound.
    #[serde(default)]
    pub packets_too_long: u64,
    /// Packets that came with copies of those before (RFC 2198).
    #[serde(default, skip_serializing_if = "is_none")]
    pub packets_redundant: u64,
    /// Lost packets that were played from such a copy.
    #[serde(default, skip_serializing_if = "is_none")]
    pub packets_recovered: u64,
    /// Packets dropped because their source is not to be believed.
    pub packets_foreign: u64,
    /// Packets dropped because they could not be read or carried no negotiated payload type.
    pub packets_invalid: u64,
    /// SRTP packets dropped because they are not authentic (plain RTP among them).
    #[serde(default)]
    pub packets_forged: u64,
    /// SRTP packets dropped because they were received before, or are too old to tell.
    #[serde(default)]
    pub packets_replayed: u64,
    /// Changes of SSRC that were followed.
    pub ssrc_changes: u64,
    /// Changes of the source address that were followed.
    pub address_changes: u64,
    /// Greatest delay of the jitter buffer, milliseconds.
    pub max_buffer_ms: u32,
    /// The fraction of our packets the other side reported lost, parts of 256 (last RTCP).
    pub remote_fraction_lost: u8,
    /// Round trip by RTCP, microseconds; 0 when unknown.
    pub round_trip_us: u64,
    /// Digits received.
    pub digits_received: u64,
    /// Those of them that came as tones.
    #[serde(default, skip_serializing_if = "is_none")]
    pub digits_in_band: u64,
    /// For how long it was who speaks in a room ([`Event::ActiveSpeaker`]), its short pauses included, milliseconds.
    #[serde(default, skip_serializing_if = "is_none")]
    pub active_speaker_ms: u64,
}

/// Of what few legs have, nothing is said where there is none.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands a reference in")]
const fn is_none(count: &u64) -> bool {
    *count == 0
}
