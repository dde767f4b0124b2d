//! Taking no new calls, and leaving after the last.

use super::timer::{GOODBYE, Timer};
use super::{Event, Gateway, Level, Output};
use crate::types::Now;
use std::time::{Duration, Instant};

/// Patience with calls in progress when a drain names no other.
const PATIENCE: Duration = Duration::from_secs(60);

/// Whether the gateway is there for callers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Shutdown {
    /// It is.
    #[default]
    No,
    /// It takes no new calls.
    Draining,
    /// No call is left, and peers have yet to answer.
    Leaving {
        /// When it leaves without.
        at: Instant,
    },
    /// Whoever runs it was told that it is done.
    Done,
}

impl Shutdown {
    /// Whether new calls are refused.
    pub(super) const fn has_begun(self) -> bool {
        !matches!(self, Self::No)
    }
}

impl Gateway {
    /// Takes no new calls, waits for those in progress, then hangs up. Asked again, it waits no longer.
    pub(super) fn drain(&mut self, now: Now, seconds: Option<u64>) {
        let patience = seconds.map_or(PATIENCE, |seconds| Duration::from_secs(seconds.min(86_400)));
        if self.shutdown.has_begun() {
            self.log(Level::Info, None, "draining", "asked again: hanging up".into());
            return self.hang_up_all(now);
        }
        self.shutdown = Shutdown::Draining;
        self.log(Level::Info, None, "draining", format!("{} calls in progress", self.calls.len()));
        self.effects.event(Event::Draining { calls: self.calls.len() });
        self.unregister_all(now);
        if patience.is_zero() {
            self.hang_up_all(now);
        } else if !self.calls.is_empty() {
            self.effects.timers.set(Timer::Drain, now.instant + patience);
        }
    }

    /// Leaves once no call is left and peers know, or have had time to.
    pub(super) fn leave_when_drained(&mut self, now: Now) {
        let at = match self.shutdown {
            Shutdown::No | Shutdown::Done => return,
            Shutdown::Draining => now.instant + GOODBYE,
            Shutdown::Leaving { at } => at,
        };
        if !self.calls.is_empty() {
            return;
        }
        self.effects.timers.clear(Timer::Drain);
        let counts = self.endpoint.counts();
        if now.instant < at && (counts.calls > 0 || counts.registrations > 0) {
            self.shutdown = Shutdown::Leaving { at };
            self.effects.timers.set(Timer::Goodbye, at);
            return;
        }
        self.effects.timers.clear(Timer::Goodbye);
        self.shutdown = Shutdown::Done;
        self.effects.output(Output::Drained);
    }
}
