//! Number patterns: regular expressions that must take the whole number.

use regex_automata::meta::Regex;
use regex_syntax::hir::{Hir, Look};
use std::fmt;
use std::ops::Range;

/// The most memory one compiled pattern may take.
const SIZE_LIMIT: usize = 1 << 20;

/// A compiled whole-string pattern. Matching takes time in proportion to the number, never more.
///
/// `.` is any character and `\d` is `0` to `9` only.
#[derive(Clone)]
pub struct Pattern {
    source: String,
    hir: Hir,
    regex: Regex,
}

/// Why a pattern is none.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct PatternError {
    /// What is wrong.
    pub reason: String,
    /// Where, in bytes of the pattern.
    pub span: Range<usize>,
}

impl Pattern {
    /// Compiles a pattern.
    ///
    /// # Errors
    /// When it is no regular expression, or too large a one.
    pub fn new(source: &str) -> Result<Self, PatternError> {
        let whole = 0..source.len();
        let hir = parse(source)?;
        let anchored = Hir::concat(vec![Hir::look(Look::Start), hir.clone(), Hir::look(Look::End)]);
        let config = Regex::config().nfa_size_limit(Some(SIZE_LIMIT)).utf8_empty(false);
        let regex = Regex::builder()
            .configure(config)
            .build_from_hir(&anchored)
            .map_err(|_| PatternError { reason: "too large a pattern".into(), span: whole })?;
        Ok(Self { source: source.to_owned(), hir, regex })
    }

    /// Whether `number` is this, whole.
    #[must_use]
    pub fn matches(&self, number: &str) -> bool {
        self.regex.is_match(number)
    }

    /// As [`Pattern::matches`], for what need not be text.
    pub(super) fn matches_bytes(&self, number: &[u8]) -> bool {
        self.regex.is_match(number)
    }

    /// As it was written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.source
    }

    /// The parsed expression, without the anchors.
    pub(super) const fn hir(&self) -> &Hir {
        &self.hir
    }
}

fn parse(source: &str) -> Result<Hir, PatternError> {
    let mut parser = regex_syntax::ParserBuilder::new()
        .unicode(false)
        .utf8(false)
        .dot_matches_new_line(true)
        .nest_limit(100)
        .build();
    parser.parse(source).map_err(|error| {
        let (reason, span) = match &error {
            regex_syntax::Error::Parse(error) => (error.kind().to_string(), *error.span()),
            regex_syntax::Error::Translate(error) => (error.kind().to_string(), *error.span()),
            _ => return PatternError { reason: error.to_string(), span: 0..source.len() },
        };
        PatternError { reason, span: span.start.offset..span.end.offset }
    })
}

impl fmt::Debug for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Pattern({})", self.source)
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.source)
    }
}
