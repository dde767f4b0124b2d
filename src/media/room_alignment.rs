//! When a room moves to an earlier phase, and by how much.

use super::phase::{BEAT, Beat};

/// The microseconds of a beat.
pub(super) const MICROS: i64 = BEAT.as_micros() as i64;
/// Slack that a move leaves to those who talk, microseconds.
const MARGIN: u64 = 2_000;
/// Moves are made by so many beats, on a grid of 5 ms, so that not every phase comes into use.
pub(super) const STEP: u64 = 2;
/// A move by more is made in two, in beats.
const MOST: u64 = 4;
/// Looks for which a move waits for silence in the room.
const PATIENCE: u8 = 8;
/// Growth of a talker's delay so soon after a move, in beats, shows that the move was a mistake.
const REGRET: Beat = 20 * 400;
/// Mistakes that make a room more cautious, by a beat each.
const MOST_CAUTION: u8 = 4;

/// What a room remembers of its moves.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct RoomAlignment {
    moved_at: Option<Beat>,
    caution: u8,
    waited: u8,
}

/// What one look at a room saw.
pub(super) struct Talk {
    /// What all who talk could do without, microseconds; `None` while it is not known of one.
    pub(super) spare: Option<u64>,
    /// The beat on which the delay of one of them grew last.
    pub(super) grew_at: Option<Beat>,
    pub(super) silent: bool,
    pub(super) legs: usize,
}

impl RoomAlignment {
    /// By how many beats the room may tick earlier, now.
    pub(super) fn judge(&mut self, talk: &Talk, beat: Beat) -> Option<u64> {
        if let Some(moved_at) = self.moved_at
            && talk.grew_at.is_some_and(|grew_at| grew_at > moved_at)
        {
            if beat < moved_at + REGRET {
                self.caution = (self.caution + 1).min(MOST_CAUTION);
            }
            self.moved_at = None;
        }
        let margin = MARGIN + u64::from(self.caution) * MICROS.unsigned_abs();
        let beats =
            talk.spare.filter(|spare| *spare < u64::MAX)?.saturating_sub(margin) / MICROS.unsigned_abs() / STEP * STEP;
        if beats == 0 {
            self.waited = 0;
            return None;
        }
        self.waited = self.waited.saturating_add(1);
        (talk.silent || self.waited > PATIENCE).then_some(beats.min(MOST))
    }

    /// It was moved.
    pub(super) fn moved(&mut self, beat: Beat) {
        *self = Self { moved_at: Some(beat), waited: 0, ..*self };
    }
}
