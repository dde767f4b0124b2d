use std::fmt;

use bytes::Bytes;

use super::{InvalidValue, NameAddr, Params, Text, charset};

/// Replaces (RFC 3891): the dialog this INVITE takes over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Replaces {
    /// The dialog's Call-ID.
    pub call_id: Text,
    /// The tag of the one who receives the Replaces header.
    pub to_tag: Text,
    /// The other one's tag.
    pub from_tag: Text,
    /// Whether only an early dialog may be replaced.
    pub early_only: bool,
}

impl Replaces {
    /// Reads `call-id;to-tag=1;from-tag=2;early-only`.
    pub fn parse(value: &Bytes) -> Result<Self, InvalidValue> {
        const INVALID: InvalidValue = InvalidValue("Replaces");
        let (call_id, params) = charset::split_at_byte(value, b';');
        let call_id = charset::trim(call_id);
        let params = Params::parse_part(value, params.unwrap_or_default())?;
        if call_id.is_empty() {
            return Err(INVALID);
        }
        Ok(Self {
            call_id: Text::part(value, call_id),
            to_tag: params.get_text("to-tag").cloned().ok_or(INVALID)?,
            from_tag: params.get_text("from-tag").cloned().ok_or(INVALID)?,
            early_only: params.contains("early-only"),
        })
    }

    /// The Replaces header that a Refer-To asks to put into the INVITE (RFC 3891 section 4), if it has one.
    pub fn in_refer_to(refer_to: &NameAddr) -> Option<Result<Self, InvalidValue>> {
        let headers = refer_to.uri.headers.as_deref()?;
        let (_, value) = headers
            .split('&')
            .filter_map(|header| header.split_once('='))
            .find(|(name, _)| name.eq_ignore_ascii_case("Replaces"))?;
        Some(Self::parse(&charset::percent_decode(value).into()))
    }
}

impl fmt::Display for Replaces {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{};to-tag={};from-tag={}", self.call_id, self.to_tag, self.from_tag)?;
        if self.early_only { f.write_str(";early-only") } else { Ok(()) }
    }
}

/// One Diversion value (RFC 5806): who sent the call on, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diversion {
    /// The one who sent it on, with all parameters.
    pub address: NameAddr,
}

impl Diversion {
    /// Reads one value.
    pub fn parse(value: &Bytes) -> Result<Self, InvalidValue> {
        NameAddr::parse(value).map(|address| Self { address }).map_err(|_| InvalidValue("Diversion"))
    }

    /// `user-busy`, `no-answer`, `unconditional`, …
    pub fn reason(&self) -> Option<String> {
        self.address.params.get_unquoted("reason")
    }

    /// How often the call was sent on by this one; 1 where not said.
    pub fn counter(&self) -> u32 {
        self.address.params.get("counter").and_then(|counter| counter.parse().ok()).unwrap_or(1)
    }
}

impl fmt::Display for Diversion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.address.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn replaces_needs_both_tags() {
        let replaces = Replaces::parse(&"98732@sip.example.com ;from-tag=r33th4x0r; to-tag=ff87ff;early-only".into());
        let replaces = replaces.unwrap();
        assert_eq!(replaces.to_string(), "98732@sip.example.com;to-tag=ff87ff;from-tag=r33th4x0r;early-only");
        for bad in ["", "a;to-tag=1", "a;from-tag=1", ";to-tag=1;from-tag=2", "a;to-tag;from-tag=2"] {
            assert!(Replaces::parse(&bad.into()).is_err(), "{bad}");
        }
    }

    #[test]
    fn an_attended_transfer_carries_replaces_in_refer_to() {
        let refer_to: NameAddr =
            "<sip:b@example.com?Replaces=abc%40h%3Bto-tag%3D1%3Bfrom-tag%3D2&X=1>".parse().unwrap();
        let replaces = Replaces::in_refer_to(&refer_to).unwrap().unwrap();
        assert_eq!((&*replaces.call_id, &*replaces.to_tag, &*replaces.from_tag), ("abc@h", "1", "2"));
        assert_eq!(Replaces::in_refer_to(&"<sip:b@example.com>".parse().unwrap()), None);
    }

    #[test]
    fn diversion_says_why_and_how_often() {
        let value = "<sip:+442079460101@carrier.example>;reason=user-busy;counter=2";
        let diversion = Diversion::parse(&value.into()).unwrap();
        assert_eq!((diversion.reason().as_deref(), diversion.counter()), (Some("user-busy"), 2));
        assert_eq!(diversion.to_string(), value);
    }
}
