//! Text that people read.

use std::fmt::{self, Display, Write};

/// Stands for each character that is not shown.
const REPLACEMENT: char = char::REPLACEMENT_CHARACTER;

/// Shows text without what steers a terminal, breaks a line, hides itself or turns the direction of writing round.
///
/// Numbers, names, reasons, user agents and certificates come from whoever calls, and each goes to a log, a status, a
/// record or a terminal. It is cleaned where it leaves, and nowhere before, so that nothing can be forgotten.
#[derive(Debug, Clone, Copy)]
pub struct Plain<T>(pub T);

/// Whether a character may be shown.
#[must_use]
pub const fn is_plain(c: char) -> bool {
    !matches!(c,
        // C0, DEL and C1.
        '\0'..='\x1f' | '\x7f'..='\u{9f}'
        // Soft hyphen, Arabic letter mark, Mongolian vowel separator.
        | '\u{ad}' | '\u{61c}' | '\u{180e}'
        // Zero widths, marks of direction; line and paragraph separator, embeddings and overrides.
        | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
        // Word joiner, invisible operators, isolates, deprecated format characters.
        | '\u{2060}'..='\u{206f}'
        // Byte order mark, annotations, tags.
        | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

impl<T: Display> Display for Plain<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(Cleaning(f), "{}", self.0)
    }
}

struct Cleaning<'a, 'f>(&'a mut fmt::Formatter<'f>);

impl Write for Cleaning<'_, '_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let mut rest = text;
        while let Some((at, bad)) = rest.char_indices().find(|(_, c)| !is_plain(*c)) {
            let (clean, after) = rest.split_at(at);
            self.0.write_str(clean)?;
            self.0.write_char(REPLACEMENT)?;
            rest = after.strip_prefix(bad).unwrap_or_default();
        }
        self.0.write_str(rest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_steers_a_terminal_or_hides_is_replaced_and_words_of_any_language_stand() {
        for (written, shown) in [
            ("+442079460123", "+442079460123"),
            ("Zoë Łukasz 山田 שלום مرحبا 👋", "Zoë Łukasz 山田 שלום مرحبا 👋"),
            ("1\r\nFri: forged line", "1��Fri: forged line"),
            ("\u{1b}[2Jgone", "�[2Jgone"),
            ("\u{9b}31m", "�31m"),
            ("abc\u{202e}321\u{2066}", "abc�321�"),
            ("a\u{2028}b\u{2029}c\u{85}d", "a�b�c�d"),
            ("\u{feff}a\u{200b}b\u{ad}\u{e0041}", "�a�b��"),
            ("\0\x07\x7f", "���"),
            ("", ""),
        ] {
            assert_eq!(Plain(written).to_string(), shown, "{written:?}");
        }
        assert_eq!(Plain(format_args!("{}\n{}", 1, 2)).to_string(), "1�2");
    }
}
