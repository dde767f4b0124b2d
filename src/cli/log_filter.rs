//! What is logged: the dialplan's word, the environment's, or an administrator's while the gateway runs.

use super::log::SetFilter;
use crate::dialplan::log_levels;
use tracing_subscriber::EnvFilter;

/// In the environment, what goes before the dialplan's word. All that [`EnvFilter`] knows may stand in it.
const VARIABLE: &str = "PARTYLINE_LOG";

/// What these levels let through. The crate `is` logs the passwords of ICE at `trace`: nothing of it is logged unless
/// it is named.
fn filter(levels: &str) -> Result<EnvFilter, tracing_subscriber::filter::ParseError> {
    EnvFilter::try_new(format!("is=off,{levels}"))
}

/// Levels, and where they come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct LogLevels {
    /// `info`, `info,partyline::net=debug`.
    levels: String,
    is_by_environment: bool,
}

impl LogLevels {
    /// Those to start with, where the dialplan says `planned`.
    pub(super) fn new(planned: &str) -> (Self, EnvFilter) {
        let from_environment = std::env::var(VARIABLE).ok().filter(|levels| !levels.is_empty());
        if let Some((levels, filter)) =
            from_environment.and_then(|levels| filter(&levels).ok().map(|filter| (levels, filter)))
        {
            return (Self { levels, is_by_environment: true }, filter);
        }
        let filter = filter(planned).unwrap_or_else(|_| EnvFilter::default());
        (Self { levels: planned.to_owned(), is_by_environment: false }, filter)
    }
}

/// What is logged, and the way to change it.
pub(super) struct LogFilter {
    is: LogLevels,
    set: SetFilter,
}

impl LogFilter {
    pub(super) fn new(is: LogLevels, set: SetFilter) -> Self {
        Self { is, set }
    }

    /// The levels in force.
    pub(super) fn levels(&self) -> &str {
        &self.is.levels
    }

    /// Sets others. Gives back those that were in force.
    pub(super) fn set(&mut self, levels: &str) -> Result<String, String> {
        let levels = log_levels(levels)?;
        let filter = filter(&levels).map_err(|error| error.to_string())?;
        (self.set)(filter)?;
        Ok(std::mem::replace(&mut self.is.levels, levels))
    }

    /// The dialplan says something else than before.
    pub(super) fn plan(&mut self, levels: &str) {
        if !self.is.is_by_environment
            && let Err(error) = self.set(levels)
        {
            tracing::warn!(%error, "what is logged stays as it was");
        }
    }
}
