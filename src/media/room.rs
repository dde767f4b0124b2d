//! One mix.

use super::alignment::RoomAlignment;
use super::encoded::Encoded;
use super::phase::{Beat, TICK_BEATS};
use super::slots::Ticking;
use super::voices::{Presence, VoiceId, Voices};
use crate::audio::{FRAME_8K, Frame, SILENCE, mix};
use crate::types::AudioCodec;

/// A room: the sum of a tick, kept until the next.
#[derive(Debug)]
pub(crate) struct Room {
    /// Everything that sounds in the room, each once and in order: direct members and those of rooms sent to it.
    pub(crate) sources: Vec<VoiceId>,
    /// The first beat it has not mixed yet.
    pub(crate) next_tick: Beat,
    pub(crate) alignment: RoomAlignment,
    sum: Box<[i32; FRAME_8K]>,
    /// Voices in the sum.
    loud: usize,
    /// What listeners who contribute nothing hear, and its encodings.
    mixed: Frame,
    encoded: Encoded,
}

impl Ticking for Room {
    fn next_tick(&mut self) -> &mut Beat {
        &mut self.next_tick
    }
}

impl Room {
    pub(crate) fn new(tick: Beat) -> Self {
        Self {
            sources: Vec::new(),
            next_tick: tick,
            alignment: RoomAlignment::default(),
            sum: Box::new([0; FRAME_8K]),
            loud: 0,
            mixed: SILENCE,
            encoded: Encoded::default(),
        }
    }

    /// Sums the loud voices of this tick.
    pub(crate) fn mix(&mut self, voices: &Voices, tick: Beat) {
        self.next_tick = tick + TICK_BEATS;
        let before = self.loud;
        self.loud = 0;
        self.encoded.clear();
        for &voice in &self.sources {
            if voices.presence(voice) == Presence::Loud {
                if self.loud == 0 {
                    self.sum.fill(0);
                }
                self.loud += 1;
                mix::add(&mut *self.sum, voices.frame(voice));
            }
        }
        if self.loud > 0 {
            mix::clamp(&*self.sum, &mut self.mixed);
        } else if before > 0 {
            self.sum.fill(0);
            self.mixed = SILENCE;
        }
    }

    /// Forgets what was mixed last, and who sounded: the room is in another engine now.
    pub(crate) fn forget(&mut self) {
        self.sources.clear();
        self.sum.fill(0);
        self.loud = 0;
        self.mixed = SILENCE;
        self.encoded.clear();
    }

    pub(crate) fn has(&self, voice: VoiceId) -> bool {
        self.sources.binary_search(&voice).is_ok()
    }

    /// Whether a listener who contributes `own` loud voices (0 or 1) hears silence.
    pub(crate) fn is_silent(&self, own: usize) -> bool {
        self.loud <= own
    }

    pub(crate) fn sum(&self) -> &[i32; FRAME_8K] {
        &self.sum
    }

    pub(crate) fn mixed(&self) -> &Frame {
        &self.mixed
    }

    /// The mix for all who contribute nothing, encoded once.
    pub(crate) fn encoded(&mut self, codec: AudioCodec) -> &[u8; FRAME_8K] {
        self.encoded.get(codec, &self.mixed)
    }
}
