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

    /// Sound comes again after silence, and `entry` is played when `pending` samples are: what of the silence was
    /// neither concealed nor a pause of the sender's stood in for sound.
    pub(super) fn count_silence(&mut self, now: i64, pending: usize, entry: &Entry) {
        let Some(anchor) = self.anchor.filter(|_| self.stalled > 0) else { return };
        let since = self.samples_in(now - anchor.time) + signed(pending);
        let silent = since - (self.next_media - anchor.media) - self.stalled;
        let lost = entry.sequence - self.next_sequence;
        let most = if lost > 0 && !self.others.contains(&self.next_sequence) {
            lost * entry.samples - self.stalled
        } else if lost == 0 && entry.media - self.next_media < self.stalled {
            // Late, unless it is later than any sound is played: then the sender paused, and its clock with it.
            let longest = self.samples_in(self.max_delay);
            if silent > longest { 0 } else { longest }
        } else {
            0
        };
        self.statistics.silent_samples += u64::try_from(silent.min(most)).unwrap_or(0);
    }
}
