//! Lines that anybody outside, or a full table, can cause: a few of each kind are written, the others counted.

use crate::types::{LeftOut, LogLimit};
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;
use tokio::sync::Notify;

/// The log of the network's shell; cheap to clone.
#[derive(Debug, Clone, Default)]
pub(super) struct NetLog(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    warnings: Mutex<LogLimit>,
    details: Mutex<LogLimit>,
    /// Something was left out.
    left_out: Notify,
}

impl Shared {
    fn allows(&self, limit: &Mutex<LogLimit>, kind: &'static str) -> bool {
        let allowed = limit.lock().unwrap_or_else(PoisonError::into_inner).allows(Instant::now(), kind);
        if !allowed {
            self.left_out.notify_one();
        }
        allowed
    }
}

impl NetLog {
    /// Writes `kind: line` as a warning, unless there were many of this kind.
    pub(super) fn warn(&self, kind: &'static str, line: fmt::Arguments<'_>) {
        if self.0.allows(&self.0.warnings, kind) {
            tracing::warn!("{kind}: {line}");
        }
    }

    /// The same for what only somebody who looks for a fault wants to know.
    pub(super) fn debug(&self, kind: &'static str, line: fmt::Arguments<'_>) {
        if tracing::enabled!(tracing::Level::DEBUG) && self.0.allows(&self.0.details, kind) {
            tracing::debug!("{kind}: {line}");
        }
    }

    /// Tells what was left out whenever its minute is over. Never ends.
    pub(super) async fn tell_left_out(self) {
        let (warnings, details) = (&self.0.warnings, &self.0.details);
        loop {
            let left_out = self.0.left_out.notified();
            match [due(warnings), due(details)].into_iter().flatten().min() {
                Some(at) => tokio::time::sleep_until(at.into()).await,
                None => left_out.await,
            }
            while let Some(lines) = pop(warnings) {
                tracing::warn!("{lines}");
            }
            while let Some(lines) = pop(details) {
                tracing::debug!("{lines}");
            }
        }
    }
}

fn due(limit: &Mutex<LogLimit>) -> Option<Instant> {
    limit.lock().unwrap_or_else(PoisonError::into_inner).poll_timeout()
}

fn pop(limit: &Mutex<LogLimit>) -> Option<LeftOut> {
    limit.lock().unwrap_or_else(PoisonError::into_inner).pop_due(Instant::now())
}
