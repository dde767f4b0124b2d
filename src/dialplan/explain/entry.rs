//! Keys cut into entries, as a collection would.

use crate::dialplan::plan::Collect;

/// One entry of a caller who keys all they have without a pause, then nothing more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Entry {
    /// No digit.
    Nothing,
    /// Fewer than needed.
    TooShort(String),
    /// Enough.
    Whole(String),
}

impl Entry {
    /// The entry with its digits masked.
    pub(super) fn masked(&self) -> String {
        match self {
            Self::Nothing => "no digit".to_owned(),
            Self::TooShort(digits) | Self::Whole(digits) => digits.chars().map(|_| '•').collect(),
        }
    }
}

/// Cuts `keyed` into entries: at the terminator, at the greatest length, and where the keys end.
pub(super) fn entries(collect: &Collect, keyed: &str) -> Vec<Entry> {
    let mut entries = Vec::new();
    let mut digits = String::new();
    let judge = |digits: &str| match digits.len() {
        length if length < usize::from(collect.min_digits) => Entry::TooShort(digits.to_owned()),
        _ => Entry::Whole(digits.to_owned()),
    };
    let mut keys = keyed.chars().peekable();
    while let Some(key) = keys.next() {
        if Some(key) == collect.restart {
            digits.clear();
        } else if Some(key) == collect.terminator {
            entries.push(judge(&digits));
            digits.clear();
        } else {
            digits.push(key);
            if digits.len() >= usize::from(collect.max_digits) {
                entries.push(judge(&digits));
                digits.clear();
                // What follows at once is the rest of an entry that was too long, to its terminator. After one of fixed
                // length only the terminator is, keyed out of habit.
                if collect.min_digits < collect.max_digits {
                    while keys.next_if(|next| Some(*next) != collect.terminator).is_some() {}
                }
                keys.next_if(|next| Some(*next) == collect.terminator);
            }
        }
    }
    if !digits.is_empty() {
        entries.push(judge(&digits));
    }
    entries
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn cut(keyed: &str) -> Vec<Entry> {
        let (first_digit, next_digit) = (Duration::from_secs(10), Duration::from_secs(5));
        let (terminator, restart) = (Some('#'), Some('*'));
        entries(
            &Collect { min_digits: 4, max_digits: 6, terminator, restart, first_digit, next_digit, tries: 3 },
            keyed,
        )
    }

    #[test]
    fn keys_are_cut_at_terminator_length_and_end() {
        let whole = |text: &str| Entry::Whole(text.into());
        assert_eq!(cut("4829#775310#12345"), [whole("4829"), whole("775310"), whole("12345")]);
        assert_eq!(cut("12*4829#"), [whole("4829")]);
        assert_eq!(cut("12#"), [Entry::TooShort("12".into())]);
        assert_eq!(cut("#"), [Entry::TooShort(String::new())]);
        assert_eq!(cut("1234567890"), [whole("123456")]);
        assert_eq!(cut("1234567890#4829#"), [whole("123456"), whole("4829")]);
        assert_eq!(cut(""), []);
    }
}
