//! What was done to the sound over the life of the buffer.

use super::store::Entry;
use super::{JitterBuffer, LifetimeStatistics, signed};

impl JitterBuffer {
    /// What was made up, put in and taken out since the buffer was made. What is concealed just now is not in it: that
    /// something was missing is known when sound comes again.
    #[must_use]
    pub const fn lifetime(&self) -> LifetimeStatistics {
        let counted = &self.statistics;
        LifetimeStatistics {
            concealed_samples: counted.concealed_samples.saturating_sub(self.suspected.0) + counted.silent_samples,
            silent_concealed_samples: counted.silent_samples,
            inserted_samples_for_deceleration: counted.lengthened_samples,
            removed_samples_for_acceleration: counted.shortened_samples,
        }
    }

    /// Sound comes again after silence that the sender had not told of, and `entry` is played when `pending` samples
    /// are: what of the silence was neither concealed nor a pause stood in for sound. Gives by how many samples the
    /// sound comes later than it would have without the silence.
    pub(super) fn count_silence(&mut self, now: i64, pending: usize, entry: &Entry) -> i64 {
        let Some(anchor) = self.anchor.filter(|_| self.stalled > 0) else { return 0 };
        let played = self.next_media - anchor.media;
        let elapsed = self.samples_in(now - anchor.time) + signed(pending) - played;
        let passed = entry.media - self.next_media;
        let late = elapsed - passed;
        // Later than any sound is played: the sender paused, and its clock with it.
        let late = if late > self.samples_in(self.max_delay) + signed(self.frame) { 0 } else { late.max(0) };
        let is_told = self.others.contains(&self.next_sequence);
        let lost = if is_told { 0 } else { (entry.sequence - self.next_sequence) * entry.samples };
        let silent = late + lost.min(passed) - self.stalled;
        self.statistics.silent_samples += u64::try_from(silent).unwrap_or(0);
        late
    }
}
