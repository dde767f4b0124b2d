use std::fmt;

use bytes::Bytes;

use super::{InvalidValue, Params, StatusCode, Text, charset};

/// One Reason value (RFC 3326): why a call ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reason {
    /// `SIP`, `Q.850` or another.
    pub protocol: Text,
    /// `cause`, `text` and others.
    pub params: Params,
}

impl Reason {
    /// A SIP status as the reason.
    pub fn sip(status: StatusCode, text: &str) -> Self {
        Self::new("SIP", status.0, text)
    }

    /// A Q.850 cause as the reason: 16 is normal call clearing.
    pub fn q850(cause: u8, text: &str) -> Self {
        Self::new("Q.850", cause.into(), text)
    }

    fn new(protocol: &'static str, cause: u16, text: &str) -> Self {
        struct Quoted<'a>(&'a str);
        impl fmt::Display for Quoted<'_> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                charset::write_quoted(f, self.0)
            }
        }
        let mut params = Params::new();
        params.set("cause", cause.to_string());
        params.set("text", Quoted(text).to_string());
        Self { protocol: Text::from_static(protocol), params }
    }

    /// Reads one value; use [`Headers::values`](super::Headers::values) for a line of several.
    pub fn parse(value: &Bytes) -> Result<Self, InvalidValue> {
        let (protocol, params) = charset::split_outside_quotes(value, b';');
        let protocol = charset::trim(protocol);
        if !charset::is_token_text(protocol) {
            return Err(InvalidValue("Reason"));
        }
        let params = Params::parse_part(value, params.unwrap_or_default())?;
        Ok(Self { protocol: Text::part(value, protocol), params })
    }

    /// The cause within the protocol.
    pub fn cause(&self) -> Option<u16> {
        self.params.get("cause").and_then(|cause| cause.parse().ok())
    }

    /// The explanation, without quotes.
    pub fn text(&self) -> Option<String> {
        self.params.get_unquoted("text")
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.protocol, self.params)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_is_read_and_written() {
        let reason = Reason::parse(&"Q.850 ;cause=16 ;text=\"Normal; clearing\"".into()).unwrap();
        assert_eq!((&*reason.protocol, reason.cause()), ("Q.850", Some(16)));
        assert_eq!(reason.text().as_deref(), Some("Normal; clearing"));
        let built = Reason::sip(StatusCode::OK, "Call \"done\" elsewhere").to_string();
        assert_eq!(built, r#"SIP;cause=200;text="Call \"done\" elsewhere""#);
    }
}
