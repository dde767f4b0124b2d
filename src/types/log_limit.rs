//! A limit on how often the log hears of one kind of thing.

use std::collections::BTreeMap;
use std::fmt;
use std::time::{Duration, Instant};

/// Lines of one kind that are written within a window.
const LINES: u64 = 20;
/// Length of that window.
const WINDOW: Duration = Duration::from_secs(60);

/// Lets the first lines of each kind through and counts the others, so that nobody can fill the log from outside.
///
/// Ask [`LogLimit::allows`] before each line. What was left out is told by [`LogLimit::pop_due`] when its minute is
/// over, at [`LogLimit::poll_timeout`]; who has no timer calls it whenever there is something else to do. A kind is a
/// few fixed words of ours, so what is kept is bounded, whoever sends.
#[derive(Debug, Clone, Default)]
pub struct LogLimit {
    kinds: BTreeMap<&'static str, Window>,
}

#[derive(Debug, Clone, Copy)]
struct Window {
    ends: Instant,
    /// Lines asked for within it.
    asked: u64,
}

impl Window {
    const fn left_out(self) -> u64 {
        self.asked.saturating_sub(LINES)
    }
}

/// Lines that were not written. Its `Display` is the line to write in their place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LeftOut {
    /// What they were about.
    pub kind: &'static str,
    /// How many.
    pub lines: u64,
}

impl fmt::Display for LeftOut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.kind, self.in_words())
    }
}

impl LeftOut {
    /// How many there were.
    #[must_use]
    pub fn in_words(&self) -> String {
        format!("{} more of this kind in the last minute", self.lines)
    }
}

impl LogLimit {
    /// Whether one more line of this kind may be written. If not, it is counted.
    pub fn allows(&mut self, now: Instant, kind: &'static str) -> bool {
        let window = self.kinds.entry(kind).or_insert(Window { ends: now + WINDOW, asked: 0 });
        if now >= window.ends && window.left_out() == 0 {
            *window = Window { ends: now + WINDOW, asked: 0 };
        }
        window.asked += 1;
        window.asked <= LINES
    }

    /// When lines that were left out are due to be told; `None` while there are none.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Instant> {
        self.kinds.values().filter(|window| window.left_out() > 0).map(|window| window.ends).min()
    }

    /// Lines that were left out in a window that is over, one kind at a time. The kind begins a new window.
    pub fn pop_due(&mut self, now: Instant) -> Option<LeftOut> {
        let is_due = |window: &Window| window.left_out() > 0 && window.ends <= now;
        let kind = self.kinds.iter().find(|(_, window)| is_due(window)).map(|(kind, _)| *kind)?;
        let window = self.kinds.remove(kind)?;
        Some(LeftOut { kind, lines: window.left_out() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_each_kind_the_first_lines_are_written_and_the_others_counted() {
        let start = crate::test_clock();
        let at = |seconds| start + Duration::from_secs(seconds);
        let mut limit = LogLimit::default();
        let written = (0..1_000).filter(|_| limit.allows(at(0), "request dropped")).count() as u64;
        assert_eq!(written, LINES);
        assert!(limit.allows(at(1), "call refused"), "another kind has lines of its own");
        assert_eq!(limit.poll_timeout(), Some(at(60)));
        assert_eq!(limit.pop_due(at(59)), None);
        let left_out = limit.pop_due(at(60)).unwrap();
        assert_eq!(left_out, LeftOut { kind: "request dropped", lines: 1_000 - LINES });
        assert_eq!(left_out.to_string(), "request dropped: 980 more of this kind in the last minute");
        assert_eq!((limit.pop_due(at(60)), limit.poll_timeout()), (None, None));
        assert!(limit.allows(at(60), "request dropped"));
    }

    #[test]
    fn a_quiet_kind_starts_afresh_and_an_untold_count_is_not_lost() {
        let start = crate::test_clock();
        let at = |seconds| start + Duration::from_secs(seconds);
        let mut limit = LogLimit::default();
        assert!((0..LINES).all(|n| limit.allows(at(n), "refused")));
        assert_eq!(limit.poll_timeout(), None, "nothing was left out");
        assert!((0..LINES).all(|_| limit.allows(at(61), "refused")));
        assert!(!limit.allows(at(62), "refused"));
        // Nobody asked in time: the count stands until somebody does.
        assert!(!limit.allows(at(500), "refused"));
        assert_eq!(limit.pop_due(at(500)).map(|left_out| left_out.lines), Some(2));
        assert!(limit.allows(at(500), "refused"));
    }
}
