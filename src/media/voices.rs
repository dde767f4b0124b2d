//! The frames of one tick, side by side: what every leg and player contributes.
//!
//! Mixing telephones reads nothing but the first two arrays.

use crate::audio::{Frame, LONGEST_FRAME, Rate, SILENCE, level};
use crate::rtp::Contributor;
use crate::types::CallId;

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

/// A frame of more than 8 kHz.
#[derive(Debug)]
struct WideFrame {
    rate: Rate,
    samples: [i16; LONGEST_FRAME],
}

/// All voices of an engine.
#[derive(Debug, Default)]
pub(crate) struct Voices {
    frames: Vec<Frame>,
    presence: Vec<Presence>,
    /// Of voices of more than 8 kHz; what they have in `frames` means nothing.
    wide: Vec<Option<Box<WideFrame>>>,
    /// Under which number listeners are told of each; 0: they are not.
    sources: Vec<u32>,
    free: Vec<VoiceId>,
}

impl Voices {
    /// A new voice, of 8 kHz.
    pub(crate) fn add(&mut self) -> VoiceId {
        self.free.pop().unwrap_or_else(|| {
            self.frames.push(SILENCE);
            self.presence.push(Presence::Absent);
            self.wide.push(None);
            self.sources.push(0);
            VoiceId(u32::try_from(self.frames.len() - 1).expect("fewer than four thousand million voices"))
        })
    }

    pub(crate) fn remove(&mut self, voice: VoiceId) {
        self.presence[voice.0 as usize] = Presence::Absent;
        self.wide[voice.0 as usize] = None;
        self.sources[voice.0 as usize] = 0;
        self.free.push(voice);
        if self.free.len() == self.frames.len() && self.frames.len() > KEPT_WHEN_EMPTY {
            // Nobody is left; what a rush needed goes back.
            *self = Self::default();
        }
    }

    /// The rate of a voice's frames.
    pub(crate) fn rate(&self, voice: VoiceId) -> Rate {
        self.wide[voice.0 as usize].as_ref().map_or(Rate::Narrow, |wide| wide.rate)
    }

    /// A voice has frames of this rate from here on; the one it has is silence. Allocates.
    pub(crate) fn set_rate(&mut self, voice: VoiceId, rate: Rate) {
        if rate == self.rate(voice) {
            return;
        }
        let place = voice.0 as usize;
        self.frames[place] = SILENCE;
        self.presence[place] = Presence::Absent;
        self.wide[place] = (rate != Rate::Narrow).then(|| Box::new(WideFrame { rate, samples: [0; LONGEST_FRAME] }));
    }

    /// Under which number listeners are told of a participant.
    pub(crate) fn set_source(&mut self, voice: VoiceId, participant: CallId) {
        self.sources[voice.0 as usize] = participant.source();
    }

    /// A voice as listeners are told of it, if they are.
    pub(crate) fn contributor(&self, voice: VoiceId) -> Option<Contributor> {
        let source = self.sources[voice.0 as usize];
        let below_overload = || level::below_overload(self.samples(voice));
        (source != 0).then(|| Contributor { source, below_overload: below_overload() })
    }

    /// The frame of a voice of 8 kHz.
    pub(crate) fn frame(&self, voice: VoiceId) -> &Frame {
        &self.frames[voice.0 as usize]
    }

    /// The frame of any voice, at its own rate.
    pub(crate) fn samples(&self, voice: VoiceId) -> &[i16] {
        match &self.wide[voice.0 as usize] {
            None => &self.frames[voice.0 as usize],
            Some(wide) => &wide.samples[..wide.rate.frame()],
        }
    }

    pub(crate) fn samples_mut(&mut self, voice: VoiceId) -> &mut [i16] {
        match &mut self.wide[voice.0 as usize] {
            None => &mut self.frames[voice.0 as usize],
            Some(wide) => &mut wide.samples[..wide.rate.frame()],
        }
    }

    /// The same, and their rate.
    pub(crate) fn samples_mut_at(&mut self, voice: VoiceId) -> (&mut [i16], Rate) {
        let rate = self.rate(voice);
        (self.samples_mut(voice), rate)
    }

    pub(crate) fn presence(&self, voice: VoiceId) -> Presence {
        self.presence[voice.0 as usize]
    }

    pub(crate) fn set(&mut self, voice: VoiceId, presence: Presence) {
        self.presence[voice.0 as usize] = presence;
    }
}
