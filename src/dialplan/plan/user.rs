//! `[users.*]`.

use super::AuthSecret;

/// Calls at one time of a user for whom nothing else is said.
pub const USER_MAX_CALLS: u32 = 4;

/// Somebody who calls and is called by a telephone or browser of their own, known by digest alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    /// The user part of the address, and the user name of the digest.
    pub name: String,
    /// What others are shown. Default: none.
    pub display_name: Option<String>,
    /// What the answer to a challenge is checked with.
    pub secret: AuthSecret,
    /// Calls at one time, both directions. Default 4; 1 to 1000.
    pub max_calls: u32,
}

/// Whether this can be a user's name: it stands in SIP addresses and on command lines as it is.
///
/// # Errors
/// What is wrong with it.
pub fn check_user_name(name: &str) -> Result<(), &'static str> {
    let is_plain = |letter: char| letter.is_ascii_alphanumeric() || "-_.+~".contains(letter);
    if name.is_empty() {
        Err("empty")
    } else if name.chars().count() > 64 {
        Err("longer than 64 characters")
    } else if !name.chars().all(is_plain) {
        Err("letters of the English alphabet, digits and - _ . + ~ alone")
    } else {
        Ok(())
    }
}
