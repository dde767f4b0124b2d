use std::{fmt, ops::Deref};

use bytes::Bytes;

/// A piece of a message's text: immutable, UTF-8, cheap to clone.
///
/// A piece of a received message shares that message's bytes. Bytes that are not UTF-8 are replaced by U+FFFD
/// (only then is the piece copied); the header value it came from keeps them.
#[derive(Clone, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Text(Bytes);

impl Text {
    /// Text known when the program is built.
    pub const fn from_static(text: &'static str) -> Self {
        Self(Bytes::from_static(text.as_bytes()))
    }

    /// Text from the network; not UTF-8 where it is not.
    pub fn from_wire(bytes: Bytes) -> Self {
        // Asked first since it is much faster than to repair.
        if std::str::from_utf8(&bytes).is_ok() {
            return Self(bytes);
        }
        Self(String::from_utf8_lossy(&bytes).into_owned().into())
    }

    /// The part `piece` of `whole`, without copying it. `piece` must be a slice of `whole`.
    pub(super) fn part(whole: &Bytes, piece: &[u8]) -> Self {
        Self::from_wire(whole.slice_ref(piece))
    }

    /// The text. Its bytes are gone through for that; what needs only bytes asks for them.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).expect("every constructor makes sure of UTF-8")
    }

    /// The text's bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// Whether there is no text.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Length in bytes.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether both are the same but for the case of ASCII letters.
    pub fn eq_ignore_ascii_case(&self, other: &str) -> bool {
        self.0.eq_ignore_ascii_case(other.as_bytes())
    }
}

impl Deref for Text {
    type Target = str;
    fn deref(&self) -> &str {
        self.as_str()
    }
}

impl AsRef<str> for Text {
    fn as_ref(&self) -> &str {
        self.as_str()
    }
}

impl From<&str> for Text {
    fn from(text: &str) -> Self {
        Self(Bytes::copy_from_slice(text.as_bytes()))
    }
}

impl From<String> for Text {
    fn from(text: String) -> Self {
        Self(text.into())
    }
}

impl From<Text> for Bytes {
    fn from(text: Text) -> Self {
        text.0
    }
}

impl PartialEq<str> for Text {
    fn eq(&self, other: &str) -> bool {
        self.0 == other.as_bytes()
    }
}

impl PartialEq<&str> for Text {
    fn eq(&self, other: &&str) -> bool {
        self.0 == other.as_bytes()
    }
}

impl fmt::Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl fmt::Debug for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wire_text_shares_its_bytes_unless_it_must_be_repaired() {
        let bytes = Bytes::from_static(b"hello");
        assert_eq!(Text::from_wire(bytes.clone()).as_ptr(), bytes.as_ptr());
        assert_eq!(Text::from_wire(Bytes::from_static(b"J\xf6rg")), "J\u{fffd}rg");
    }
}
