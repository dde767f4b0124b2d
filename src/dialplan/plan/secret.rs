//! What must never be seen in a log.

use std::fmt;
use subtle::ConstantTimeEq;

/// The most digits a PIN may have.
const LONGEST: usize = 16;

/// A room's PIN: 1 to 16 digits, kept padded so that any two are compared in the same time. Debug shows no digit.
#[derive(Clone)]
pub struct Pin {
    digits: [u8; LONGEST],
    length: u8,
}

impl PartialEq for Pin {
    /// In constant time.
    fn eq(&self, other: &Self) -> bool {
        self.matches(other)
    }
}

impl Eq for Pin {}

impl Pin {
    /// A PIN of these digits; `None` unless there are 1 to 16 characters, all `0`-`9`.
    #[must_use]
    pub fn new(text: &str) -> Option<Self> {
        let bytes = text.as_bytes();
        if bytes.is_empty() || bytes.len() > LONGEST || !bytes.iter().all(u8::is_ascii_digit) {
            return None;
        }
        let mut digits = [0; LONGEST];
        for (slot, byte) in digits.iter_mut().zip(bytes) {
            *slot = *byte;
        }
        Some(Self { digits, length: u8::try_from(bytes.len()).ok()? })
    }

    /// Whether both are the same, in constant time.
    #[must_use]
    pub fn matches(&self, other: &Self) -> bool {
        (self.digits.ct_eq(&other.digits) & self.length.ct_eq(&other.length)).into()
    }

    /// Whether `keyed` is this PIN, in constant time; false for anything that is no PIN at all.
    #[must_use]
    pub fn opens(&self, keyed: &str) -> bool {
        Self::new(keyed).is_some_and(|keyed| self.matches(&keyed))
    }

    /// How many digits it has.
    #[must_use]
    pub const fn digits(&self) -> u8 {
        self.length
    }

    /// The digits themselves, for those who may tell them: what `run` prints on a terminal about the demo room, and
    /// hosts, who read them out. Never for a log.
    #[must_use]
    pub fn reveal(&self) -> String {
        self.digits.iter().take(usize::from(self.length)).map(|digit| char::from(*digit)).collect()
    }
}

impl fmt::Debug for Pin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Pin(••••)")
    }
}

/// A password. Debug shows nothing of it.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Wraps a password.
    #[must_use]
    pub const fn new(text: String) -> Self {
        Self(text)
    }

    /// The password, for the digest computation.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(••••)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pin_opens_only_for_its_own_digits() {
        let pin = Pin::new("482917").unwrap();
        assert!(pin.opens("482917"));
        for wrong in ["482918", "48291", "4829170", "", "abc", "48291700000000000000"] {
            assert!(!pin.opens(wrong), "{wrong}");
        }
        assert!(Pin::new("12a4").is_none());
        assert!(Pin::new("").is_none());
    }

    #[test]
    fn debug_shows_neither_pin_nor_password() {
        let text = format!("{:?} {:?}", Pin::new("482917"), Secret::new("hunter2".into()));
        assert_eq!(text, "Some(Pin(••••)) Secret(••••)");
    }
}
