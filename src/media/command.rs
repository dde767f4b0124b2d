//! Commands into the media plane and events out of it: all of `media` that the gateway may see.

mod live;
mod playout;

pub use crate::rtp::jitter_buffer::LifetimeStatistics;
pub(super) use live::LiveReader;
pub use live::{Live, LiveWriter};
pub use playout::PlayoutCounters;

use crate::types::{
    CallId, DigitSource, Disturbance, MediaParameters, PlayerId, RecorderId, RoomId, SampleRate, UnitId,
};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use std::ops::RangeInclusive;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// Mono PCM, decoded before it reaches a media thread, shared between all that play it: at 8 kHz, and where there is
/// more to hear, at 16 kHz as well. So a telephone hears a wideband prompt without any conversion in the tick.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pcm {
    narrow: Arc<[i16]>,
    wide: Option<Arc<[i16]>>,
}

impl Pcm {
    /// The same sound at 8 and 16 kHz. What `wide` has more or less than twice the samples of `narrow` is cut off or
    /// silence.
    #[must_use]
    pub fn wideband(narrow: Vec<i16>, mut wide: Vec<i16>) -> Self {
        wide.resize(2 * narrow.len(), 0);
        Self { narrow: narrow.into(), wide: Some(wide.into()) }
    }

    /// The samples at 8 kHz.
    #[must_use]
    pub fn narrow(&self) -> &[i16] {
        &self.narrow
    }

    /// The samples at 16 kHz, twice as many.
    #[must_use]
    pub fn wide(&self) -> Option<&[i16]> {
        self.wide.as_deref()
    }

    /// How long it sounds.
    #[must_use]
    pub fn duration(&self) -> Duration {
        Duration::from_micros(self.narrow.len() as u64 * 125)
    }

    /// Sample `at` of those at 8 kHz as a [`Stream`] takes it; silence beyond the end.
    #[must_use]
    pub fn stream_sample(&self, at: usize) -> StreamSample {
        let narrow = self.narrow.get(at).copied().unwrap_or_default();
        let wide = self.wide.as_ref().and_then(|wide| wide.get(2 * at..2 * at + 2));
        let wide = wide.and_then(|wide| wide.try_into().ok()).unwrap_or([narrow; 2]);
        StreamSample { narrow, wide }
    }
}

impl From<Vec<i16>> for Pcm {
    /// Sound at 8 kHz.
    fn from(narrow: Vec<i16>) -> Self {
        Self { narrow: narrow.into(), wide: None }
    }
}

impl FromIterator<i16> for Pcm {
    /// Sound at 8 kHz.
    fn from_iter<I: IntoIterator<Item = i16>>(narrow: I) -> Self {
        Self { narrow: narrow.into_iter().collect(), wide: None }
    }
}

/// By how many decibels a leg can be made louder, or quieter.
pub const GAIN_DECIBELS: RangeInclusive<i8> = crate::audio::gain::DECIBELS;

/// In a room where this is said of [`Command::AddRoom`], everyone who sounds is mixed.
pub const EVERYONE: usize = usize::MAX;

/// What the gateway asks of the media plane.
///
/// A command about a unit that is not there is answered with [`Event::Refused`], never ignored.
#[derive(Debug, Clone)]
pub enum Command {
    /// Makes a leg. Its sockets are handed over beside this command, by the shell that opened them.
    /// Until it is connected it sends silence (comfort noise hint) as its direction allows.
    AddLeg {
        /// The leg's name.
        leg: CallId,
        /// What was negotiated.
        settings: Box<LegSettings>,
    },
    /// Replaces what was negotiated (re-INVITE, UPDATE, answer to a late offer). Which source is believed
    /// is learned anew.
    UpdateLeg {
        /// The leg.
        leg: CallId,
        /// What was negotiated now.
        parameters: Box<MediaParameters>,
    },
    /// Ends a leg; answered with [`Event::LegRemoved`].
    RemoveLeg {
        /// The leg.
        leg: CallId,
    },
    /// Makes an empty room.
    AddRoom {
        /// The room's name.
        room: RoomId,
        /// How many are mixed at once, the loudest; [`EVERYONE`] has no limit. Nobody is cut off in the middle of a
        /// word.
        loudest: usize,
    },
    /// Ends a room. Whoever heard it hears silence.
    RemoveRoom {
        /// The room.
        room: RoomId,
    },
    /// Makes a player that starts when it is first connected; it is gone after [`Event::PlaybackFinished`].
    /// A player connected to a leg is heard by that leg alone, added to whatever it hears; the last one connected wins.
    AddPlayer {
        /// The player's name.
        player: PlayerId,
        /// What it plays, one after the other.
        clips: Vec<Clip>,
    },
    /// Ends a player; answered with [`Event::PlaybackFinished`] with `completed: false`.
    StopPlayer {
        /// The player.
        player: PlayerId,
    },
    /// Has a player wait where it is, silent, or go on from there.
    PausePlayer {
        /// The player.
        player: PlayerId,
        /// On or off.
        paused: bool,
    },
    /// Makes a recorder. What it hears goes to `sink`, 20 ms a tick, silence included.
    AddRecorder {
        /// The recorder's name.
        recorder: RecorderId,
        /// Where the samples go.
        sink: RecorderSink,
        /// Their rate: 8, 16 or 48 kHz.
        rate: SampleRate,
        /// A player whose sound is left out of the mix of a room: that of whoever listens by this recorder.
        less: Option<PlayerId>,
        /// Of a leg it hears not what it says but what it hears, its private player included; at 8 kHz alone.
        ear: bool,
    },
    /// Ends a recorder.
    RemoveRecorder {
        /// The recorder.
        recorder: RecorderId,
    },
    /// `sink` hears `source` from the next tick on. A leg or recorder hears one source (players apart): a new one
    /// replaces the old one. A room mixes all that is sent to it, less the listener's own share.
    Connect {
        /// Who is heard.
        source: UnitId,
        /// Who hears.
        sink: UnitId,
    },
    /// Undoes [`Command::Connect`].
    Disconnect {
        /// Who was heard.
        source: UnitId,
        /// Who heard.
        sink: UnitId,
    },
    /// Nobody hears a muted leg; it still hears, and its digits still count.
    Mute {
        /// The leg.
        leg: CallId,
        /// Muted or not.
        muted: bool,
    },
    /// All others hear a leg louder than it is, or quieter; what gets too loud is clamped.
    SetGain {
        /// The leg.
        leg: CallId,
        /// By so much, [`GAIN_DECIBELS`]; 0 as it is.
        decibels: i8,
    },
    /// While on, the leg's packets are handled on arrival and digits come out as [`Event::Digit`] at once; tones are
    /// listened for, unless a telephone event has come.
    /// While off, digits are still decoded (they never sound in a room) and reported at the tick.
    CollectDigits {
        /// The leg.
        leg: CallId,
        /// On or off.
        on: bool,
    },
    /// Sends digits as RFC 4733 events, one after the other, in place of audio.
    SendDigits {
        /// The leg.
        leg: CallId,
        /// `0`-`9`, `*`, `#`, `A`-`D`; others are refused.
        digits: String,
        /// Length of each digit (40 ms to 2 s); the pause between two is 60 ms at least.
        duration: Duration,
    },
    /// Whether silence of the network ends in [`Event::MediaTimeout`] (off while on hold).
    WatchMedia {
        /// The leg.
        leg: CallId,
        /// `None` never.
        timeout: Option<Duration>,
    },
    /// Asks for [`Event::Statistics`] of a leg.
    QueryStatistics {
        /// The leg.
        leg: CallId,
    },
    /// Looks for legs that disturb a room, which comes out as [`Event::Disturbance`]. To be asked every two seconds,
    /// while there are people who can be disturbed.
    MeasureRoom {
        /// The room.
        room: RoomId,
    },
}

/// What a new leg is made of.
#[derive(Debug, Clone)]
pub struct LegSettings {
    /// What was negotiated.
    pub parameters: MediaParameters,
    /// Starting point of SSRC, sequence number and timestamp; drawn by the gateway's generator.
    pub seed: u64,
    /// The RTCP canonical name (RFC 3550 section 6.5.1); no personal data.
    pub cname: String,
    /// As [`Command::WatchMedia`].
    pub media_timeout: Option<Duration>,
    /// As [`Command::CollectDigits`].
    pub collect_digits: bool,
    /// Where it tells what it does to the sound.
    pub playout: PlayoutCounters,
    /// Whether it is brought towards −20 dBov of speech, by -12 to +20 dB, before others hear it.
    pub automatic_gain: bool,
}

impl LegSettings {
    /// The SSRC of what a leg with this seed sends.
    #[must_use]
    pub fn ssrc(seed: u64) -> u32 {
        StdRng::seed_from_u64(seed).random()
    }

    /// The canonical name for it.
    #[must_use]
    pub fn cname(seed: u64) -> String {
        format!("{seed:016x}")
    }
}

/// A piece of sound for a player.
#[derive(Debug, Clone, PartialEq)]
pub enum Clip {
    /// Samples as they are.
    Samples(Pcm),
    /// The same samples over and over.
    Loop(Pcm),
    /// Silence.
    Silence(Duration),
    /// Sound that is made while it is played. It can be played once.
    Stream(Stream),
    /// Sound of somebody who is there: the player goes on when nobody hears it, until the other end is dropped.
    Live(Live),
    /// From the first clip again.
    Restart,
}

/// An eighth of a millisecond of a [`Stream`], at both rates.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct StreamSample {
    /// At 8 kHz.
    pub narrow: i16,
    /// At 16 kHz.
    pub wide: [i16; 2],
}

/// The end of a bounded ring that a player reads. Where nothing is ready the player is silent and waits; it is over
/// when the other end is dropped and all is played.
#[derive(Debug, Clone)]
pub struct Stream(Arc<Mutex<Option<rtrb::Consumer<StreamSample>>>>);

impl Stream {
    /// A stream with room for `samples` at 8 kHz, and the end to write to. Once the player is gone,
    /// [`rtrb::Producer::is_abandoned`] says so.
    #[must_use]
    pub fn new(samples: usize) -> (rtrb::Producer<StreamSample>, Self) {
        let (producer, consumer) = rtrb::RingBuffer::new(samples);
        (producer, Self(Arc::new(Mutex::new(Some(consumer)))))
    }

    /// The reading end, for a test of whoever writes.
    #[cfg(test)]
    pub(crate) fn take_for_test(&self) -> Option<rtrb::Consumer<StreamSample>> {
        self.take()
    }

    /// The reading end, for the first who asks.
    pub(super) fn take(&self) -> Option<rtrb::Consumer<StreamSample>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

impl PartialEq for Stream {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

/// Where a recorder's samples go: a bounded ring whose other end the gateway keeps.
#[derive(Debug, Clone)]
pub struct RecorderSink(pub Arc<Mutex<Option<rtrb::Producer<i16>>>>);

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
    /// All digits of [`Command::SendDigits`] were sent.
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
    /// The answer to [`Command::QueryStatistics`].
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
    /// The answer of an engine to [`Command::MeasureRoom`], which the plane makes [`Event::Disturbance`] of.
    Measured(Box<Measurement>),
    /// A command could not be done.
    Refused {
        /// The unit it was about.
        unit: UnitId,
        /// Why.
        reason: RefusedReason,
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
}

/// Of what few legs have, nothing is said where there is none.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands a reference in")]
const fn is_none(count: &u64) -> bool {
    *count == 0
}
