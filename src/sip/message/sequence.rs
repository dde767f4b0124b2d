use std::{fmt, str::FromStr};

use bytes::Bytes;

use super::{InvalidValue, Method, Text, charset};

const INVALID: InvalidValue = InvalidValue("CSeq");

/// CSeq (RFC 3261 section 20.16).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct CSeq {
    /// Less than 2³¹.
    pub number: u32,
    /// The method of the request.
    pub method: Method,
}

impl CSeq {
    /// Reads `4711 INVITE`.
    pub fn parse(value: &Bytes) -> Result<Self, InvalidValue> {
        let part = charset::trim(value);
        let digits = part.iter().position(|byte| charset::is_space(*byte)).ok_or(INVALID)?;
        let (number, method) = part.split_at(digits);
        let method = charset::trim(method);
        if !charset::is_token_text(method) {
            return Err(INVALID);
        }
        let number = charset::number(number, (1 << 31) - 1).ok_or(INVALID)?;
        Ok(Self {
            number: u32::try_from(number).map_err(|_| INVALID)?,
            method: Method::from_token(Text::part(value, method)),
        })
    }
}

impl FromStr for CSeq {
    type Err = InvalidValue;
    fn from_str(text: &str) -> Result<Self, InvalidValue> {
        Self::parse(&Bytes::copy_from_slice(text.as_bytes()))
    }
}

impl fmt::Display for CSeq {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.number, self.method)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn leading_zeros_and_wide_space_are_allowed() {
        assert_eq!("0009 \t INVITE".parse(), Ok(CSeq { number: 9, method: Method::Invite }));
    }

    #[test]
    fn numbers_from_two_to_the_31_on_are_refused() {
        assert!("2147483647 BYE".parse::<CSeq>().is_ok());
        for bad in ["2147483648 BYE", "36893488147419103232 BYE", "-1 BYE", "BYE", "1", "1 B@YE", ""] {
            assert!(bad.parse::<CSeq>().is_err(), "{bad}");
        }
    }
}
