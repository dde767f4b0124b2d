//! What the gateway says of its calls: one line per event, numbers shortened, PINs never.

use crate::types::CallId;
use std::fmt;

/// How much a line matters; the shell maps it to its logger's levels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Every message of a call (the SIP ladder).
    Debug,
    /// The course of calls.
    Info,
    /// Something an administrator should look at.
    Warn,
}

/// One line of the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogLine {
    /// How much it matters.
    pub level: Level,
    /// The call it is about.
    pub call: Option<CallId>,
    /// What happened, in fixed words.
    pub what: &'static str,
    /// The particulars.
    pub detail: String,
}

impl fmt::Display for LogLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(call) = self.call {
            write!(f, "{call} ")?;
        }
        f.write_str(self.what)?;
        if !self.detail.is_empty() {
            write!(f, ": {}", self.detail)?;
        }
        Ok(())
    }
}

/// A telephone number as it may stand in a log: long enough to tell two callers apart, too short to call anybody.
/// Names and short extensions stand whole.
#[derive(Debug, Clone, Copy)]
pub struct Masked<'a>(pub &'a str);

impl fmt::Display for Masked<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = self.0.bytes().filter(u8::is_ascii_digit).count();
        if digits < 7 {
            return self.0.chars().take(64).try_for_each(|c| fmt::Write::write_char(f, c));
        }
        let shown = |i: usize| i < 3 || i + 3 > digits;
        let mut seen = 0;
        let mut dotted = false;
        for c in self.0.chars().take(64) {
            if !c.is_ascii_digit() {
                fmt::Write::write_char(f, c)?;
                continue;
            }
            if shown(seen) {
                fmt::Write::write_char(f, c)?;
            } else if !dotted {
                f.write_str("…")?;
                dotted = true;
            }
            seen += 1;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_number_is_shortened_and_an_extension_is_not() {
        assert_eq!(Masked("+442079460123").to_string(), "+442…23");
        assert_eq!(Masked("1000").to_string(), "1000");
        assert_eq!(Masked("joinconf").to_string(), "joinconf");
    }

    #[test]
    fn a_line_names_its_call() {
        let line = LogLine { level: Level::Info, call: Some(CallId(7)), what: "answered", detail: String::new() };
        assert_eq!(line.to_string(), "call-7 answered");
    }
}
