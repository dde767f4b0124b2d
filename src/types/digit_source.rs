//! By which way keys come.

use std::fmt;

/// By which way a call's keys come, the least reliable first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
pub enum DigitSource {
    /// As tones in its sound (ITU-T Q.23).
    #[serde(rename = "in-band")]
    InBand,
    /// By SIP INFO.
    #[serde(rename = "info")]
    Info,
    /// As telephone events (RFC 4733).
    #[serde(rename = "rfc4733")]
    TelephoneEvent,
}

impl DigitSource {
    /// As status and call record have it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::InBand => "in-band",
            Self::Info => "info",
            Self::TelephoneEvent => "rfc4733",
        }
    }
}

impl fmt::Display for DigitSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
