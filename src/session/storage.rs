//! What scenarios keep beyond their sessions: short texts by name, which all scenarios of a gateway share.

use std::time::{Duration, SystemTime};

/// Characters of the longest name, and of the longest pattern.
const LONGEST_KEY: usize = 200;
/// Characters of the longest text.
const LONGEST_VALUE: usize = 2_000;
/// The longest that a text is kept: 90 days.
const LONGEST: Duration = Duration::from_secs(90 * 24 * 60 * 60);

/// What is asked of the texts that are kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StorageRequest {
    /// Keep this, in the place of what has the name.
    Put {
        /// The name, 1 to 200 characters.
        key: String,
        /// The text, at most 2,000 characters.
        value: String,
        /// From now, at most 90 days.
        keep: Duration,
    },
    /// What has this name.
    Get {
        /// The name.
        key: String,
    },
    /// Keep it no more. Answered with what it was.
    Remove {
        /// The name.
        key: String,
    },
    /// The names there are.
    Keys {
        /// Those that are like this; `*` stands for any characters.
        pattern: String,
    },
}

impl StorageRequest {
    /// Whether it keeps to the limits.
    ///
    /// # Errors
    /// Which one it does not keep to.
    pub fn check(&self) -> Result<(), String> {
        let (key, value, keep) = match self {
            Self::Put { key, value, keep } => (key, &**value, *keep),
            Self::Get { key } | Self::Remove { key } => (key, "", Duration::ZERO),
            Self::Keys { pattern } => (pattern, "", Duration::ZERO),
        };
        if !(1..=LONGEST_KEY).contains(&key.chars().count()) || key.contains('\0') {
            return Err(format!("a key has 1 to {LONGEST_KEY} characters"));
        }
        if value.chars().count() > LONGEST_VALUE || value.contains('\0') {
            return Err(format!("a value has at most {LONGEST_VALUE} characters"));
        }
        if keep > LONGEST {
            return Err("a value is kept for 90 days at most".to_owned());
        }
        Ok(())
    }
}

/// A text that is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredText {
    /// Its name.
    pub key: String,
    /// The text.
    pub value: String,
    /// Until when, in whole seconds.
    pub until: SystemTime,
}

/// The answer to a [`StorageRequest`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StorageAnswer {
    /// The text, if there is one.
    Text(Option<StoredText>),
    /// Names, in order; the first thousand.
    Keys(Vec<String>),
    /// There is no room for another text.
    Full,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_too_long_is_not_kept() {
        let put = |key: &str, value: &str, days: u64| {
            let keep = Duration::from_secs(days * 24 * 60 * 60);
            StorageRequest::Put { key: key.into(), value: value.into(), keep }.check()
        };
        let (key, value) = ("ä".repeat(200), "ä".repeat(2_000));
        assert_eq!(put(&key, &value, 90), Ok(()));
        for (key, value, days) in
            [("", "", 1), (&*format!("{key}x"), "", 1), ("a", &*format!("{value}x"), 1), ("a", "", 91), ("a\0", "", 1)]
        {
            assert!(put(key, value, days).is_err(), "{} {} {days}", key.len(), value.len());
        }
        assert!(StorageRequest::Get { key: String::new() }.check().is_err());
        assert_eq!(StorageRequest::Keys { pattern: "*".into() }.check(), Ok(()));
    }
}
