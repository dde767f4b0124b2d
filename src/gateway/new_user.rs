//! A user who is to be made or changed, as an administrator or a program asks for it.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::ops::RangeInclusive;
use zeroize::ZeroizeOnDrop;

/// Characters of a display name, and octets of a password, at most.
const LONGEST_NAME: usize = 64;
const LONGEST_PASSWORD: usize = 256;
/// How long a temporary user may be there, seconds.
const TEMPORARY: RangeInclusive<u64> = 60..=30 * 24 * 3_600;
/// Calls at one time.
const MAX_CALLS: RangeInclusive<u32> = 1..=1_000;

/// A user to be made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewUser {
    /// The name: 1 to 64 letters of the English alphabet, digits and `- _ . + ~`.
    pub name: String,
    /// What others are shown, at most 64 characters; empty: nothing.
    #[serde(default)]
    pub display_name: String,
    /// What the user proves to know, 1 to 256 octets.
    pub password: Password,
    /// The user ends after so many seconds, 60 to 2592000, and before that when nothing of the user's is registered any
    /// more for a minute. Default: stays.
    #[serde(default)]
    pub temporary: Option<u64>,
    /// Calls at one time, 1 to 1000. Default 4.
    #[serde(default)]
    pub max_calls: Option<u32>,
}

impl NewUser {
    /// Whether such a user can be made.
    ///
    /// # Errors
    /// What is wrong.
    pub(super) fn check(&self) -> Result<(), String> {
        crate::dialplan::check_user_name(&self.name).map_err(|why| format!("this is no name of a user: {why}"))?;
        check_display_name(&self.display_name)?;
        check_password(&self.password)?;
        self.temporary.map_or(Ok(()), check_temporary)?;
        self.max_calls.map_or(Ok(()), check_max_calls)
    }
}

/// What is to change of a user; what is not named stays.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct UserChange {
    /// As [`NewUser::display_name`].
    pub display_name: Option<String>,
    /// As [`NewUser::password`]. What was registered with the one before is so no more.
    pub password: Option<Password>,
    /// As [`NewUser::temporary`], from now on; 0: stays.
    pub temporary: Option<u64>,
    /// As [`NewUser::max_calls`].
    pub max_calls: Option<u32>,
}

impl UserChange {
    /// Whether a user can be changed so.
    ///
    /// # Errors
    /// What is wrong.
    pub(super) fn check(&self) -> Result<(), String> {
        if *self == Self::default() {
            return Err("there is nothing to be changed".into());
        }
        let Self { display_name, password, temporary, max_calls } = self;
        display_name.as_deref().map_or(Ok(()), check_display_name)?;
        password.as_ref().map_or(Ok(()), check_password)?;
        temporary.filter(|seconds| *seconds != 0).map_or(Ok(()), check_temporary)?;
        max_calls.map_or(Ok(()), check_max_calls)
    }
}

fn check_display_name(name: &str) -> Result<(), String> {
    if name.chars().count() <= LONGEST_NAME && !name.chars().any(char::is_control) {
        return Ok(());
    }
    Err(format!("a display name has at most {LONGEST_NAME} characters that can be printed"))
}

fn check_password(password: &Password) -> Result<(), String> {
    if (1..=LONGEST_PASSWORD).contains(&password.reveal().len()) {
        return Ok(());
    }
    Err(format!("a password has 1 to {LONGEST_PASSWORD} octets"))
}

fn check_temporary(seconds: u64) -> Result<(), String> {
    if TEMPORARY.contains(&seconds) {
        return Ok(());
    }
    Err(format!("a temporary user is there for {} to {} s", TEMPORARY.start(), TEMPORARY.end()))
}

fn check_max_calls(most: u32) -> Result<(), String> {
    if MAX_CALLS.contains(&most) {
        return Ok(());
    }
    Err(format!("max_calls is from {} to {}", MAX_CALLS.start(), MAX_CALLS.end()))
}

/// A password in the clear, on its way to be hashed. Debug shows nothing of it; wiped from memory when done with.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, ZeroizeOnDrop)]
#[serde(transparent)]
pub struct Password(String);

impl Password {
    /// Wraps a password.
    #[must_use]
    pub const fn new(text: String) -> Self {
        Self(text)
    }

    /// The password, for the computation of its hashes.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password(••••)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn user(line: &str) -> NewUser {
        serde_json::from_str(&format!("{{\"name\":\"alice\",\"password\":\"hunter2\"{line}}}")).unwrap()
    }

    #[test]
    fn a_password_is_not_shown() {
        assert!(!format!("{:?}", user("")).contains("hunter2"));
    }

    #[test]
    fn what_cannot_be_a_user_is_told() {
        assert_eq!(user("").check(), Ok(()));
        assert_eq!(user(",\"display_name\":\"Älice A.\",\"temporary\":3600,\"max_calls\":1").check(), Ok(()));
        let named = |name: &str| NewUser { name: name.into(), ..user("") };
        for name in ["", "a b", "a@b", "ä", "a\r\nb", &"x".repeat(65)] {
            assert!(named(name).check().is_err(), "{name:?}");
        }
        for line in [
            ",\"display_name\":\"a\\nb\"",
            ",\"temporary\":0",
            ",\"temporary\":2592001",
            ",\"max_calls\":0",
            ",\"max_calls\":1001",
        ] {
            assert!(user(line).check().is_err(), "{line}");
        }
        assert!(NewUser { password: Password::new(String::new()), ..user("") }.check().is_err());
    }

    #[test]
    fn what_cannot_be_changed_is_told() {
        let change = |text: &str| serde_json::from_str::<UserChange>(text).unwrap().check();
        for good in [
            r#"{"display_name":""}"#,
            r#"{"password":"new"}"#,
            r#"{"temporary":0}"#,
            r#"{"temporary":60,"max_calls":1}"#,
        ] {
            assert_eq!(change(good), Ok(()), "{good}");
        }
        for bad in
            ["{}", r#"{"display_name":"a\u0007"}"#, r#"{"password":""}"#, r#"{"temporary":59}"#, r#"{"max_calls":0}"#]
        {
            assert!(change(bad).is_err(), "{bad}");
        }
    }
}
