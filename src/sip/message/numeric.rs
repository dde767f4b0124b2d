use std::{fmt, time::Duration};

use bytes::Bytes;

use super::{InvalidValue, Params, charset};

/// Reads digits; more than 32 bits hold is all that they hold, as seconds that long are all the same.
pub(super) fn seconds(part: &[u8], what: &'static str) -> Result<u32, InvalidValue> {
    let part = charset::trim(part);
    if part.is_empty() || !part.iter().all(u8::is_ascii_digit) {
        return Err(InvalidValue(what));
    }
    let value = charset::number(part, u32::MAX.into()).unwrap_or(u32::MAX.into());
    Ok(u32::try_from(value).unwrap_or(u32::MAX))
}

macro_rules! seconds_header {
    ($(#[$doc:meta])* $name:ident, $header:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub struct $name(
            /// Seconds.
            pub u32,
        );

        impl $name {
            /// Reads the header's value; a number beyond 32 bits becomes the largest there is.
            pub fn parse(value: &Bytes) -> Result<Self, InvalidValue> {
                seconds(value, $header).map(Self)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}", self.0)
            }
        }
    };
}

seconds_header! {
    /// Expires, in seconds (RFC 3261 section 20.19).
    Expires, "Expires"
}
seconds_header! {
    /// Min-Expires, in seconds (RFC 3261 section 20.23).
    MinExpires, "Min-Expires"
}

/// Max-Forwards (RFC 3261 section 20.22): hops left.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct MaxForwards(pub u8);

impl MaxForwards {
    /// Reads 0 to 255.
    pub fn parse(value: &Bytes) -> Result<Self, InvalidValue> {
        let number = charset::number(charset::trim(value), u8::MAX.into()).ok_or(InvalidValue("Max-Forwards"))?;
        Ok(Self(u8::try_from(number).map_err(|_| InvalidValue("Max-Forwards"))?))
    }
}

impl fmt::Display for MaxForwards {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

/// Retry-After (RFC 3261 section 20.33); its comment is passed over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RetryAfter {
    /// Seconds to wait.
    pub seconds: u32,
    /// `duration` and others.
    pub params: Params,
}

impl RetryAfter {
    /// Wait this many seconds.
    pub fn new(seconds: u32) -> Self {
        Self { seconds, params: Params::new() }
    }

    /// Reads `120`, `120;duration=3600`, `120 (in a meeting)`.
    pub fn parse(value: &Bytes) -> Result<Self, InvalidValue> {
        const NAME: &str = "Retry-After";
        let part = charset::trim(value);
        let end = part.iter().position(|byte| !byte.is_ascii_digit()).unwrap_or(part.len());
        let (digits, rest) = part.split_at(end);
        let mut rest = charset::trim(rest);
        if rest.first() == Some(&b'(') {
            rest = charset::trim(behind_comment(rest).ok_or(InvalidValue(NAME))?);
        }
        if !matches!(rest, [] | [b';', ..]) {
            return Err(InvalidValue(NAME));
        }
        Ok(Self { seconds: seconds(digits, NAME)?, params: Params::parse_part(value, rest)? })
    }

    /// The same as a duration.
    pub fn duration(&self) -> Duration {
        Duration::from_secs(self.seconds.into())
    }
}

/// What stands behind a comment in (nested) parentheses.
fn behind_comment(part: &[u8]) -> Option<&[u8]> {
    let mut depth = 0_usize;
    let mut escaped = false;
    for (at, byte) in part.iter().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'(' => depth += 1,
            b')' if depth <= 1 => return part.get(at + 1..),
            b')' => depth -= 1,
            _ => {}
        }
    }
    None
}

impl fmt::Display for RetryAfter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.seconds, self.params)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_beyond_32_bits_are_the_longest_time() {
        assert_eq!(Expires::parse(&"  7200 ".into()), Ok(Expires(7200)));
        assert_eq!(Expires::parse(&"10000000000000000000000".into()), Ok(Expires(u32::MAX)));
        assert!(Expires::parse(&"-1".into()).is_err() && Expires::parse(&"".into()).is_err());
    }

    #[test]
    fn max_forwards_ends_at_255() {
        assert_eq!(MaxForwards::parse(&"0".into()), Ok(MaxForwards(0)));
        assert!(MaxForwards::parse(&"256".into()).is_err());
    }

    #[test]
    fn retry_after_takes_comments_and_parameters() {
        for (text, seconds, duration) in
            [("18000;duration=3600", 18000, Some("3600")), ("120 (I'm in a (big) meeting)", 120, None), ("5", 5, None)]
        {
            let parsed = RetryAfter::parse(&text.into()).unwrap();
            assert_eq!((parsed.seconds, parsed.params.get("duration")), (seconds, duration));
        }
        assert!(RetryAfter::parse(&"soon".into()).is_err() && RetryAfter::parse(&"5 (open".into()).is_err());
    }
}
