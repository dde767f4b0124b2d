//! What a leg's jitter buffer did to the sound, as it can be read while the leg goes on.

use crate::rtp::jitter_buffer::LifetimeStatistics;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// The counters of a leg, shared between its media thread, which writes them, and whoever reads them. Nobody waits for
/// anybody: what is read may be a tick old, and two counters may be of two ticks.
#[derive(Debug, Clone, Default)]
pub struct PlayoutCounters(Arc<Counters>);

#[derive(Debug, Default)]
struct Counters {
    concealed: AtomicU64,
    silent: AtomicU64,
    inserted: AtomicU64,
    removed: AtomicU64,
}

impl PlayoutCounters {
    /// What was counted so far.
    #[must_use]
    pub fn read(&self) -> LifetimeStatistics {
        let Counters { concealed, silent, inserted, removed } = &*self.0;
        LifetimeStatistics {
            concealed_samples: concealed.load(Ordering::Relaxed),
            silent_concealed_samples: silent.load(Ordering::Relaxed),
            inserted_samples_for_deceleration: inserted.load(Ordering::Relaxed),
            removed_samples_for_acceleration: removed.load(Ordering::Relaxed),
        }
    }

    pub(in crate::media) fn write(&self, counted: LifetimeStatistics) {
        let Counters { concealed, silent, inserted, removed } = &*self.0;
        concealed.store(counted.concealed_samples, Ordering::Relaxed);
        silent.store(counted.silent_concealed_samples, Ordering::Relaxed);
        inserted.store(counted.inserted_samples_for_deceleration, Ordering::Relaxed);
        removed.store(counted.removed_samples_for_acceleration, Ordering::Relaxed);
    }
}
