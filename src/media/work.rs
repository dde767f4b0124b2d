//! What a tick works with.

use crate::audio::{FRAME_8K, Frame, LONGEST_FRAME, SILENCE};
use crate::types::{CallId, PlayerId};

/// What a tick works with, kept from tick to tick.
#[derive(Debug)]
pub(super) struct Work {
    /// Slots of the legs that take part.
    pub(super) due: Vec<u32>,
    /// Those of them who hear at another rate than 8 kHz, or somebody who speaks at one, or who are told who is
    /// heard, or whose pauses are not sent.
    pub(super) wide: Vec<u32>,
    /// Players that came to their end, or have faded out.
    pub(super) finished: Vec<PlayerId>,
    /// Legs whose sound has faded out.
    pub(super) ended: Vec<CallId>,
    /// A frame made for one listener, and its encoding.
    pub(super) frame: Frame,
    pub(super) payload: [u8; FRAME_8K],
    pub(super) samples: [i16; LONGEST_FRAME],
}

impl Default for Work {
    fn default() -> Self {
        Self {
            due: Vec::new(),
            wide: Vec::new(),
            finished: Vec::new(),
            ended: Vec::new(),
            frame: SILENCE,
            payload: [0; FRAME_8K],
            samples: [0; LONGEST_FRAME],
        }
    }
}

impl Work {
    pub(super) fn reserve(&mut self, legs: usize, players: usize) {
        self.due.reserve(legs.saturating_sub(self.due.len()));
        self.wide.reserve(legs.saturating_sub(self.wide.len()));
        self.ended.reserve(legs.saturating_sub(self.ended.len()));
        self.finished.reserve(players.saturating_sub(self.finished.len()));
    }
}
