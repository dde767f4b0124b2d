//! The frames of one tick, side by side: what every leg and player contributes.
//!
//! Mixing reads nothing but these two arrays.

use crate::audio::{Frame, SILENCE};

/// A place in [`Voices`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct VoiceId(u32);

/// What a voice is in this tick.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Presence {
    /// No sound at all.
    #[default]
    Absent,
    /// Room noise behind the gate: heard where it is the only source, left out of mixes.
    Quiet,
    /// Sound.
    Loud,
}

/// Places that are kept though nobody has them.
const KEPT_WHEN_EMPTY: usize = 256;

/// All voices of an engine.
#[derive(Debug, Default)]
pub(crate) struct Voices {
    frames: Vec<Frame>,
    presence: Vec<Presence>,
    free: Vec<VoiceId>,
}

impl Voices {
    pub(crate) fn add(&mut self) -> VoiceId {
        self.free.pop().unwrap_or_else(|| {
            self.frames.push(SILENCE);
            self.presence.push(Presence::Absent);
            VoiceId(u32::try_from(self.frames.len() - 1).expect("fewer than four thousand million voices"))
        })
    }

    pub(crate) fn remove(&mut self, voice: VoiceId) {
        self.presence[voice.0 as usize] = Presence::Absent;
        self.free.push(voice);
        if self.free.len() == self.frames.len() && self.frames.len() > KEPT_WHEN_EMPTY {
            // Nobody is left; what a rush needed goes back.
            *self = Self::default();
        }
    }

    pub(crate) fn frame(&self, voice: VoiceId) -> &Frame {
        &self.frames[voice.0 as usize]
    }

    pub(crate) fn frame_mut(&mut self, voice: VoiceId) -> &mut Frame {
        &mut self.frames[voice.0 as usize]
    }

    pub(crate) fn presence(&self, voice: VoiceId) -> Presence {
        self.presence[voice.0 as usize]
    }

    pub(crate) fn set(&mut self, voice: VoiceId, presence: Presence) {
        self.presence[voice.0 as usize] = presence;
    }
}
