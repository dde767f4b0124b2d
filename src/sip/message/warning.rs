use std::fmt;

use bytes::Bytes;

use super::{InvalidValue, Text, charset};

/// One Warning value (RFC 3261 section 20.43).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Warning {
    /// 300 to 399; 305 is "incompatible media format".
    pub code: u16,
    /// Who warns: a host or a name.
    pub agent: Text,
    /// The words, without quotes.
    pub text: Text,
}

impl Warning {
    /// Reads `305 host "words"`.
    pub fn parse(value: &Bytes) -> Result<Self, InvalidValue> {
        const INVALID: InvalidValue = InvalidValue("Warning");
        let (code, rest) = charset::split_at_byte(charset::trim(value), b' ');
        let (agent, text) = charset::split_at_byte(charset::trim(rest.ok_or(INVALID)?), b' ');
        let text = charset::trim(text.ok_or(INVALID)?);
        let code = if code.len() == 3 { charset::number(code, 999) } else { None };
        let inside = charset::quoted_inside(text).filter(|_| !agent.is_empty()).ok_or(INVALID)?;
        Ok(Self {
            code: code.and_then(|code| u16::try_from(code).ok()).ok_or(INVALID)?,
            agent: Text::part(value, agent),
            text: Text::from_wire(charset::unescape_quoted(inside).into()),
        })
    }
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} ", self.code, self.agent)?;
        charset::write_quoted(f, &self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_warning_is_read_and_written() {
        let text = r#"305 isi.edu:5060 "Incompatible \"media\" format""#;
        let warning = Warning::parse(&text.into()).unwrap();
        assert_eq!((warning.code, &*warning.text), (305, "Incompatible \"media\" format"));
        assert_eq!(warning.to_string(), text);
        for bad in ["", "305", "305 a", "305 a b", "1 a \"x\"", "305 a \"x", "305 a \""] {
            assert!(Warning::parse(&bad.into()).is_err(), "{bad}");
        }
    }
}
