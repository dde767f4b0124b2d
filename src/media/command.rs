//! Commands into the media plane and events out of it: all of `media` that the gateway may see.

mod event;
mod live;
mod playout;
mod sound;

pub use crate::rtp::jitter_buffer::LifetimeStatistics;
pub use event::{Event, LegStatistics, MEASURED, Measured, Measurement, RefusedReason};
pub(super) use live::LiveReader;
pub use live::{Live, LiveWriter};
pub use playout::PlayoutCounters;
pub use sound::{Clip, Pcm, RecorderSink, Stream, StreamSample};

use crate::types::{CallId, MediaParameters, PlayerId, RecorderId, RoomId, SampleRate, UnitId};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use std::ops::RangeInclusive;
use std::time::Duration;

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
    /// Something else is done to a leg's sound from here on, before others hear it.
    SetProcessing {
        /// The leg.
        leg: CallId,
        /// What.
        processing: VoiceProcessing,
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
    /// Looks for who speaks in a room, which comes out as [`Event::ActiveSpeaker`], and for legs that disturb it, as
    /// [`Event::Disturbance`]. To be asked twice a second, while there are people who listen; every two seconds at the
    /// least.
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
    /// What is done to its sound before others hear it.
    pub processing: VoiceProcessing,
}

/// What is done to a leg's sound before others hear it. Where anything is, a constant offset is taken out as well.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct VoiceProcessing {
    /// Speech is brought towards −20 dBov, by -12 to +20 dB.
    pub automatic_gain: bool,
    /// Noise is made quieter by up to 12 dB, up to 16 kHz.
    pub noise_suppression: bool,
}

impl VoiceProcessing {
    /// All that either of two asks for.
    #[must_use]
    pub const fn or(self, other: Self) -> Self {
        Self {
            automatic_gain: self.automatic_gain || other.automatic_gain,
            noise_suppression: self.noise_suppression || other.noise_suppression,
        }
    }
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
