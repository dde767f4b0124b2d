use std::fmt;

use md5::Md5;
use sha2::{Digest, Sha256, Sha512_256};

/// A digest algorithm, in order of strength (RFC 7616 section 6.1, RFC 8760).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Algorithm {
    /// `MD5`
    Md5,
    /// `MD5-sess`
    Md5Session,
    /// `SHA-256`
    Sha256,
    /// `SHA-256-sess`
    Sha256Session,
    /// `SHA-512-256`
    Sha512_256,
    /// `SHA-512-256-sess`
    Sha512_256Session,
}

impl Algorithm {
    const ALL: [Self; 6] =
        [Self::Md5, Self::Md5Session, Self::Sha256, Self::Sha256Session, Self::Sha512_256, Self::Sha512_256Session];

    /// The algorithm called `name`, in any case.
    pub fn from_token(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|algorithm| algorithm.as_str().eq_ignore_ascii_case(name))
    }

    /// As written in a header.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Md5 => "MD5",
            Self::Md5Session => "MD5-sess",
            Self::Sha256 => "SHA-256",
            Self::Sha256Session => "SHA-256-sess",
            Self::Sha512_256 => "SHA-512-256",
            Self::Sha512_256Session => "SHA-512-256-sess",
        }
    }

    /// Whether the key is bound to the first nonces.
    pub fn is_session(self) -> bool {
        matches!(self, Self::Md5Session | Self::Sha256Session | Self::Sha512_256Session)
    }

    /// The algorithm of the keys: the same without `-sess`.
    pub fn base(self) -> Self {
        match self {
            Self::Md5 | Self::Md5Session => Self::Md5,
            Self::Sha256 | Self::Sha256Session => Self::Sha256,
            Self::Sha512_256 | Self::Sha512_256Session => Self::Sha512_256,
        }
    }

    /// Hexadecimal digits of a hash.
    pub fn digits(self) -> usize {
        if self.base() == Self::Md5 { 32 } else { 64 }
    }

    /// The hash of the parts joined by colons, in lower-case hexadecimal.
    pub fn hash(self, parts: &[&str]) -> String {
        self.hash_bytes(parts.join(":").as_bytes())
    }

    /// The hash of these bytes, in lower-case hexadecimal.
    pub fn hash_bytes(self, bytes: &[u8]) -> String {
        match self {
            Self::Md5 | Self::Md5Session => hex(&Md5::digest(bytes)),
            Self::Sha256 | Self::Sha256Session => hex(&Sha256::digest(bytes)),
            Self::Sha512_256 | Self::Sha512_256Session => hex(&Sha512_256::digest(bytes)),
        }
    }
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    let mut text = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        write!(text, "{byte:02x}").expect("a String takes all");
    }
    text
}

impl fmt::Display for Algorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}
