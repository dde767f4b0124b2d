use std::fmt;

use bytes::Bytes;

use super::{InvalidValue, Params, Text, charset};

/// A word and its parameters: Content-Type, Content-Disposition, Accept, Event, Subscription-State and their like
/// (RFC 3261 section 25.1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WithParams {
    /// What stands before the first `;`: a token, a media type.
    pub value: Text,
    /// The parameters behind it.
    pub params: Params,
}

impl WithParams {
    /// Reads `text/plain;charset="utf-8"`; use [`Headers::values`](super::Headers::values) for a line of several.
    ///
    /// # Errors
    /// When there is nothing before the parameters, or a quoted string in them is left open.
    pub fn parse(line: &Bytes) -> Result<Self, InvalidValue> {
        let (value, params) = charset::split_outside_quotes(line, b';');
        let value = charset::trim(value);
        if value.is_empty() {
            return Err(InvalidValue("value"));
        }
        let params = Params::parse_part(line, params.unwrap_or_default())?;
        Ok(Self { value: Text::part(line, value), params })
    }

    /// Whether the value is this one, whatever its case and its parameters.
    pub fn is(&self, value: &str) -> bool {
        self.value.eq_ignore_ascii_case(value)
    }
}

impl fmt::Display for WithParams {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.value, self.params)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delimiters_in_quoted_parameters_are_text() {
        let line = r#"multipart/mixed ;x="boundary=no;boundary=<";Boundary="a;b,\"c""#;
        let parsed = WithParams::parse(&line.into()).unwrap();
        assert!(parsed.is("Multipart/Mixed"));
        assert_eq!(parsed.params.get_unquoted("boundary").as_deref(), Some("a;b,\"c"));
        assert_eq!(WithParams::parse(&parsed.to_string().into()), Ok(parsed));
        for bad in ["", ";a=b", "a;b=\"c"] {
            assert!(WithParams::parse(&bad.into()).is_err(), "{bad}");
        }
    }
}
