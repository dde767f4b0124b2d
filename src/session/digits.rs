//! What a caller keyed, kept out of every log.

use std::fmt;
use std::ops::Deref;

/// Digits as keyed, `0`-`9`, `*`, `#`, `A`-`D`. Often a PIN: `Debug` shows only how many there are, and there is no
/// `Display`, so that no log line can hold them by accident.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Digits(String);

impl Digits {
    /// Adds one digit.
    pub fn push(&mut self, digit: char) {
        self.0.push(digit);
    }

    /// Throws all away.
    pub fn clear(&mut self) {
        self.0.clear();
    }
}

impl Deref for Digits {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl From<&str> for Digits {
    fn from(digits: &str) -> Self {
        Self(digits.to_owned())
    }
}

impl From<String> for Digits {
    fn from(digits: String) -> Self {
        Self(digits)
    }
}

impl fmt::Debug for Digits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "<{} digits>", self.0.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_never_show_in_a_debug_print() {
        let digits = Digits::from("482917");
        assert_eq!(format!("{digits:?}"), "<6 digits>");
        assert_eq!(&*digits, "482917");
    }
}
