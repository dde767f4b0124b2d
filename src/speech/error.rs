//! What can be wrong with sound files and catalogues. Always the administrator's to mend.

use std::fmt;
use std::path::PathBuf;

/// One file that is no good, and why.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}: {problem}", file.display())]
pub struct SoundError {
    /// Which file or folder.
    pub file: PathBuf,
    /// What is wrong with it, as a half sentence.
    pub problem: String,
}

impl SoundError {
    pub(super) fn new(file: impl Into<PathBuf>, problem: impl Into<String>) -> Self {
        Self { file: file.into(), problem: problem.into() }
    }
}

/// All that is wrong with a folder of prompts, one line each.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CatalogueError(pub Vec<SoundError>);

impl std::error::Error for CatalogueError {}

impl CatalogueError {
    /// In the order of the files.
    pub(super) fn sorted(mut mistakes: Vec<SoundError>) -> Self {
        mistakes.sort_by(|one, other| one.file.cmp(&other.file));
        Self(mistakes)
    }
}

impl fmt::Display for CatalogueError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, mistake) in self.0.iter().enumerate() {
            let line_end = if number == 0 { "" } else { "\n" };
            write!(f, "{line_end}{mistake}")?;
        }
        Ok(())
    }
}
