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

#[cfg(test)]
mod tests {
    use super::*;
    use std::io;
    use std::time::Duration;
    use tracing::instrument::WithSubscriber;
    use tracing_subscriber::fmt::MakeWriter;

    /// What was logged.
    #[derive(Clone, Default)]
    struct Written(Arc<Mutex<Vec<u8>>>);

    impl Written {
        fn text(&self) -> String {
            String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
        }
    }

    impl io::Write for Written {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    impl<'a> MakeWriter<'a> for Written {
        type Writer = Self;

        fn make_writer(&'a self) -> Self {
            self.clone()
        }
    }

    #[tokio::test]
    async fn what_was_left_out_is_told_in_one_line_of_each_kind_when_its_minute_is_over() {
        let written = Written::default();
        let to = written.clone();
        let logger = tracing_subscriber::fmt().with_writer(to).with_max_level(tracing::Level::DEBUG).finish();
        let log = NetLog::default();
        let (telling, told) = (log.clone().tell_left_out(), written.clone());
        let tested = async {
            // Nothing is left out yet, and it waits.
            tokio::task::yield_now().await;
            // A minute ago: it is over now.
            let then = Instant::now().checked_sub(Duration::from_secs(60)).unwrap();
            for _ in 0..25 {
                log.0.warnings.lock().unwrap().allows(then, "connection refused");
                log.0.details.lock().unwrap().allows(then, "TLS handshake failed");
            }
            log.0.details.lock().unwrap().allows(then, "stream receive");
            // A line that is left out wakes it.
            log.0.left_out.notify_one();
            while told.text().lines().count() < 2 {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        };
        let both = async {
            tokio::select! {
                () = telling => {}
                () = tested => {}
            }
        };
        tokio::time::timeout(Duration::from_secs(20), both.with_subscriber(logger)).await.expect("it is told");
        let text = written.text();
        let line =
            |kind: &str| text.lines().find(|line| line.contains(kind)).unwrap_or_else(|| panic!("{kind}: {text}"));
        assert!(line("connection refused: 5 more of this kind in the last minute").contains("WARN"));
        assert!(line("TLS handshake failed: 5 more of this kind in the last minute").contains("DEBUG"));
        assert_eq!(text.lines().count(), 2, "{text}");
    }

    #[test]
    fn lines_beyond_the_limit_are_not_written_and_ask_to_be_told() {
        let written = Written::default();
        let logger = tracing_subscriber::fmt().with_writer(written.clone()).finish();
        let log = NetLog::default();
        tracing::subscriber::with_default(logger, || {
            for number in 0..25 {
                log.warn("connection refused", format_args!("number {number}"));
            }
        });
        assert_eq!(written.text().lines().count(), 20);
        assert!(due(&log.0.warnings).is_some() && due(&log.0.details).is_none());
    }
}
