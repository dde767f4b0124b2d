//! Mistakes of a dialplan as they are shown: drawn for people, listed for programs.

use crate::dialplan::{Diagnostic, Diagnostics, Severity};
use serde::{Deserialize, Serialize};

/// One mistake, as JSON.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Found {
    /// `error` or `warning`.
    severity: String,
    /// From 1.
    line: usize,
    message: String,
    /// The text it is about, secrets masked.
    text: String,
    help: Option<String>,
}

/// Each mistake, in the order of the file.
pub(super) fn found(diagnostics: &Diagnostics) -> Vec<Found> {
    let one = |one: &Diagnostic| Found {
        severity: if one.severity == Severity::Error { "error" } else { "warning" }.to_owned(),
        line: diagnostics.line(one),
        message: one.message.clone(),
        text: diagnostics.underlined(one).to_owned(),
        help: one.help.clone(),
    };
    diagnostics.iter().map(one).collect()
}

/// What is wrong with a dialplan, or odd about one that can be used.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{}", drawn.join("\n"))]
pub(super) struct Mistakes {
    /// Each mistake; none where it is a sound that cannot be used.
    pub(super) found: Vec<Found>,
    /// The same as `partyline check` draws them, line by line.
    pub(super) drawn: Vec<String>,
}

impl Mistakes {
    /// Those that were found in the file.
    pub(super) fn new(diagnostics: &Diagnostics, colours: bool) -> Self {
        if diagnostics.is_empty() {
            return Self::default();
        }
        let drawn = diagnostics.render(colours).lines().map(str::to_owned).collect();
        Self { found: found(diagnostics), drawn }
    }

    /// Something that has no place in the file.
    pub(super) fn elsewhere(what: &str) -> Self {
        Self { found: Vec::new(), drawn: what.lines().map(str::to_owned).collect() }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.drawn.is_empty()
    }
}
