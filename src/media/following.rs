//! Which encoded stream a listener gets, where the codec has state: one shared with all who hear the same, or its own.
//!
//! Whoever begins to hear something of its own goes on with a copy of the stream it had, and comes back to a shared one
//! when it hears what others hear. Both have encoded the same sound for a while then (a speaker counts as one until
//! some tenths of a second after the last word), but what their decoders expect differs a little. An Opus decoder does
//! not mind: beside a tone what is not the tone rises by 3 dB. That of G.722 clicks, by 22 dB, so that there a silence
//! is waited for. The state of G.729 cannot be copied: each of its listeners has a stream of its own all the time.

use super::stream::{Format, Stream};
use crate::audio::codec::Libraries;
use crate::audio::level;
use crate::types::AudioCodec;

/// Below this the mix is silent enough for a change of streams, dBFS.
const SILENT_DBFS: f32 = -45.0;
/// Or so many times weaker than the mix has been lately: 20 dB.
const WEAKER: u64 = 100;
/// So many ticks of silence follow sound that stopped in its middle before a listener gets the stream of silence: until
/// then what the decoder expects has died away.
const CALM: u8 = 10;
/// "Lately" fades by so much a tick, as a power of two: half a second.
const FADES: u32 = 5;

/// Whose stream a listener got last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Followed {
    /// That of silence.
    Quiet,
    /// That of the room in this slot.
    Room(u32),
    /// Its own.
    Own,
}

/// A listener's place among the streams.
#[derive(Debug)]
pub(crate) struct Following {
    pub(crate) own: Stream,
    pub(crate) followed: Followed,
    /// Energy of the mix in a frame, lately.
    energy: u64,
    silent_energy: u64,
    /// Ticks of silence in its own stream.
    calm: u8,
}

impl Following {
    /// A listener who has heard nothing yet; `None` where the codec's library is not loaded. Allocates.
    pub(crate) fn new(format: Format, libraries: &Libraries) -> Option<Self> {
        let silent_energy = level::energy_at(SILENT_DBFS, format.rate().frame());
        Some(Self {
            own: Stream::new(format, libraries)?,
            followed: Followed::Quiet,
            energy: 0,
            silent_energy,
            calm: 0,
        })
    }

    pub(crate) const fn format(&self) -> Format {
        self.own.format()
    }

    /// It hears the shared `mix` in this tick: whether it gets the shared stream of it.
    pub(crate) fn joins(&mut self, mix: &[i16]) -> bool {
        if self.followed != Followed::Own {
            return true;
        }
        if !self.clicks() {
            return true;
        }
        self.calm = 0;
        let energy = level::energy(mix);
        self.energy = self.energy - (self.energy >> FADES) + (energy >> FADES);
        energy < self.silent_energy || energy < self.energy / WEAKER
    }

    /// Whether a change of streams is heard unless it comes in a silence.
    pub(crate) fn clicks(&self) -> bool {
        self.own.format().codec != AudioCodec::Opus
    }

    /// Whether a frame is silent enough for a change of streams.
    pub(crate) fn is_silent(&self, mix: &[i16]) -> bool {
        level::energy(mix) < self.silent_energy
    }

    /// It hears nothing in this tick: whether in its own stream, since what was there before has not died away.
    pub(crate) fn calms_down(&mut self) -> bool {
        if self.followed != Followed::Own || !self.clicks() {
            return false;
        }
        self.calm = self.calm.saturating_add(1);
        self.calm <= CALM
    }

    /// It goes on with its own stream, and hears `frame`, which is no silence.
    pub(crate) fn go_on(&mut self, round: u64, frame: &[i16]) -> &mut Stream {
        self.calm = 0;
        self.own.put(round, frame);
        &mut self.own
    }

    /// It hears something of its own in this tick, and goes on where `shared`, which it had until now, is.
    pub(crate) fn leaves(&mut self, shared: Option<&Stream>) {
        if let Some(shared) = shared {
            self.own.copy_from(shared);
        }
        self.followed = Followed::Own;
        self.energy = 0;
        self.calm = 0;
    }
}
