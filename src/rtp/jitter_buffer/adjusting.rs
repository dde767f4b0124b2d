//! How the delay is brought to what [`DelayControl`](super::delay::DelayControl) finds right: sound is taken out or put
//! in, piece by piece.

use super::{JitterBuffer, Pull, signed};

/// A shortening needs so much sound beyond the frame to choose from.
const CHOICE_MS: usize = 15;
/// Pieces are taken out at this distance at least, in ticks; when the delay is far too long at each tick.
const PACE: u32 = 3;
/// Ticks without a good place before one is forced.
const PATIENCE: u32 = 50;
/// A left-over in the playout of less than this is let be.
const LEAST_LEFT_OVER_MS: usize = 2;

/// What has still to be taken out or put in, samples.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Plan {
    pub shorten: usize,
    pub lengthen: usize,
    /// Samples of concealment to put between two pieces that do not belong together.
    pub bridge: usize,
    /// Ticks without success.
    pub tries: u32,
    /// Ticks since the last success.
    pub rest: u32,
}

impl JitterBuffer {
    /// What became of [`Pull::Shorten`]: samples removed, 0 for none.
    pub fn shortened(&mut self, samples: usize) {
        self.statistics.shortened_samples += samples as u64;
        self.plan.shorten = self.plan.shorten.saturating_sub(samples);
        self.progress(samples);
    }

    /// What became of [`Pull::Lengthen`]: samples inserted, 0 for none.
    pub fn lengthened(&mut self, samples: usize) {
        self.statistics.lengthened_samples += samples as u64;
        self.plan.lengthen = self.plan.lengthen.saturating_sub(samples);
        self.progress(samples);
        if samples > 0 && self.plan.lengthen == 0 {
            self.control.grew(self.tick.map_or(0, |(_, now)| now));
        }
    }

    /// What nobody needed in the last seconds is to be taken out.
    pub(super) fn plan_shortening(&mut self, now: i64) {
        if let Some(excess) = self.control.excess(now)
            && self.plan.lengthen == 0
        {
            let step = self.step();
            let steps = self.samples_in(excess.slack) / step;
            let least = LEAST_LEFT_OVER_MS * self.frame / 20;
            let left_over = if excess.left_over >= least { excess.left_over } else { 0 };
            self.plan.shorten = usize::try_from(steps * step).unwrap_or(0) + left_over;
            self.plan.tries = 0;
            if self.plan.shorten > 0 {
                self.control.shrank(now);
            }
        }
    }

    /// Delay is taken out in steps of a packet, a frame at most: less would not let any packet come later.
    fn step(&self) -> i64 {
        let frame = signed(self.frame);
        self.store.last().map_or(frame, |entry| entry.samples.min(frame))
    }

    /// The playout holds a frame: whether to take something out or put something in.
    pub(super) fn adjust(&mut self, now: i64, pending: usize) -> Pull<'_> {
        if self.adjusted || !self.playing {
            return Pull::Done;
        }
        let force = self.plan.tries >= PATIENCE;
        if self.plan.lengthen > 0 {
            self.adjusted = true;
            return Pull::Lengthen { most: self.plan.lengthen.min(self.frame), force };
        }
        let far_too_long = self.plan.shorten > 4 * self.frame;
        if self.plan.shorten == 0 || (self.plan.rest < PACE && !far_too_long) {
            return Pull::Done;
        }
        let choice = self.plan.shorten.min(CHOICE_MS * self.frame / 20);
        if pending < self.frame + choice {
            // Something to choose from: the next packet, if it is there and nothing is missing before it.
            let next = self.store.first_from(self.next_sequence);
            if let Some(entry) = next.filter(|entry| entry.media <= self.next_media + self.stalled) {
                return self.hand_out(now, pending, entry);
            }
        }
        if pending == self.frame {
            return Pull::Done;
        }
        self.adjusted = true;
        Pull::Shorten { most: self.plan.shorten.min(pending - self.frame), force }
    }

    fn progress(&mut self, samples: usize) {
        if samples == 0 {
            self.plan.tries += 1;
        } else {
            self.plan.tries = 0;
            self.plan.rest = 0;
        }
    }
}
