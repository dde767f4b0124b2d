use std::fmt;

use bytes::Bytes;

use super::{InvalidValue, Params, charset, numeric};

/// Who sends the session refreshes (RFC 4028).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Refresher {
    /// The one who sent the request that carried it.
    Uac,
    /// The one who answers it.
    Uas,
}

impl fmt::Display for Refresher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Uac => "uac",
            Self::Uas => "uas",
        })
    }
}

/// Session-Expires (RFC 4028 section 4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SessionExpires {
    /// The session interval in seconds.
    pub seconds: u32,
    /// Who refreshes, where said.
    pub refresher: Option<Refresher>,
}

impl SessionExpires {
    /// Reads `1800;refresher=uac`. A refresher of another name counts as not said.
    pub fn parse(value: &Bytes) -> Result<Self, InvalidValue> {
        let (number, params) = charset::split_at_byte(value, b';');
        let params = Params::parse_part(value, params.unwrap_or_default())?;
        let refresher = params.get("refresher").and_then(|who| match who {
            _ if who.eq_ignore_ascii_case("uac") => Some(Refresher::Uac),
            _ if who.eq_ignore_ascii_case("uas") => Some(Refresher::Uas),
            _ => None,
        });
        Ok(Self { seconds: numeric::seconds(number, "Session-Expires")?, refresher })
    }
}

impl fmt::Display for SessionExpires {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.seconds)?;
        match self.refresher {
            Some(refresher) => write!(f, ";refresher={refresher}"),
            None => Ok(()),
        }
    }
}

/// Min-SE, in seconds (RFC 4028 section 5); 90 where the header is missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct MinSe(pub u32);

impl MinSe {
    /// What a missing header means.
    pub const DEFAULT: Self = Self(90);

    /// Reads the number; parameters are passed over.
    pub fn parse(value: &Bytes) -> Result<Self, InvalidValue> {
        numeric::seconds(charset::split_at_byte(value, b';').0, "Min-SE").map(Self)
    }
}

impl fmt::Display for MinSe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_refresher_is_optional() {
        for (text, refresher) in [
            ("1800", None),
            ("1800 ; Refresher=UAC", Some(Refresher::Uac)),
            ("1800;x;refresher=uas", Some(Refresher::Uas)),
            ("1800;refresher=proxy", None),
        ] {
            assert_eq!(SessionExpires::parse(&text.into()), Ok(SessionExpires { seconds: 1800, refresher }));
        }
        assert!(SessionExpires::parse(&";refresher=uac".into()).is_err());
        assert_eq!(MinSe::parse(&"90;lr".into()), Ok(MinSe::DEFAULT));
    }
}
