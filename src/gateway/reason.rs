//! Reason headers (RFC 3326): what our BYE and CANCEL say, and what is kept of what the peer's say.

use super::call_record::Cause;
use crate::sip::message::{Reason, StatusCode};
use std::fmt;

/// Longest protocol name that is kept, in bytes.
const LONGEST_PROTOCOL: usize = 16;
/// Longest text that is kept, in characters.
const LONGEST_TEXT: usize = 80;

/// Why the peer says that it ended a call: bounded.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct PeerReason {
    /// `Q.850`, `SIP` or another.
    pub protocol: String,
    /// The cause within that protocol: of Q.850, 16 is normal clearing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cause: Option<u16>,
    /// The peer's words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
}

impl PeerReason {
    /// What is kept of a header. `None`: there is nothing in it.
    pub(super) fn new(reason: &Reason) -> Option<Self> {
        let protocol: String = reason.protocol.chars().take(LONGEST_PROTOCOL).collect();
        let text = reason.text().map(|text| text.trim().chars().take(LONGEST_TEXT).collect::<String>());
        let text = text.filter(|text| !text.is_empty());
        let cause = reason.cause();
        (cause.is_some() || text.is_some()).then_some(Self { protocol, cause, text })
    }

    /// Protocol and cause alone: the text may hold anything, numbers too, and is not for the log.
    pub(super) fn for_log(&self) -> String {
        match self.cause {
            Some(cause) => format!("{} {cause}", self.protocol),
            None => self.protocol.clone(),
        }
    }
}

impl fmt::Display for PeerReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.for_log())?;
        match &self.text {
            Some(text) => write!(f, " {text}"),
            None => Ok(()),
        }
    }
}

/// What a CANCEL says to a target that is left for another one, so that it shows no missed call.
pub(super) fn elsewhere() -> Reason {
    Reason::sip(StatusCode::OK, "Call completed elsewhere")
}

impl Cause {
    /// What our BYE or CANCEL says (causes of ITU-T Q.850).
    pub(super) fn reason(&self) -> Reason {
        let (cause, text) = match self {
            Self::Replaced(_) | Self::Transferred(_) => return elsewhere(),
            Self::CallerHungUp | Self::CalledHungUp | Self::Session(_) | Self::Cancelled | Self::Kicked => {
                (16, "Normal call clearing")
            }
            Self::Busy => (17, "User busy"),
            Self::NoAnswer => (19, "No answer from user"),
            Self::NoSuchNumber => (1, "Unallocated number"),
            Self::Declined(_) | Self::Refused(_) => (21, "Call rejected"),
            Self::Unreachable(_) => (27, "Destination out of order"),
            Self::AckTimeout => (102, "No ACK came"),
            Self::SessionExpired => (102, "Session timer expired"),
            Self::MediaTimeout => (102, "Media timeout"),
            Self::MediaRefused(_) => (88, "Incompatible destination"),
            Self::TransportFailed => (38, "Network out of order"),
            Self::Shutdown | Self::GatewayStopped => (41, "Shutting down"),
            Self::Limit(limit) if limit.contains("max_duration") => (31, "Maximum duration reached"),
            Self::Limit(_) => (31, "A limit is reached"),
        };
        Reason::q850(cause, text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept(value: &'static str) -> Option<PeerReason> {
        Reason::parse(&value.into()).ok().as_ref().and_then(PeerReason::new)
    }

    #[test]
    fn what_is_kept_of_a_reason_is_bounded_text() {
        let plain = kept("Q.850;cause=16;text=\"Normal; clearing\"").unwrap();
        assert_eq!(plain.to_string(), "Q.850 16 Normal; clearing");
        assert_eq!(plain.for_log(), "Q.850 16");
        let long: Reason = Reason::q850(16, &"x".repeat(5_000));
        assert_eq!(PeerReason::new(&long).unwrap().text.unwrap().len(), LONGEST_TEXT);
        assert_eq!(kept("Q.850;cause=99999").map(|kept| kept.cause), None);
        assert_eq!(kept("Preemption"), None);
    }

    #[test]
    fn ours_can_be_read_back() {
        for cause in [Cause::Kicked, Cause::MediaTimeout, Cause::Limit("max_duration of route Out is reached".into())] {
            let written = cause.reason().to_string();
            let read = Reason::parse(&bytes::Bytes::from(written.clone())).unwrap();
            assert_eq!(&*read.protocol, "Q.850");
            assert!(read.cause().is_some() && read.text().is_some(), "{written}");
        }
        assert_eq!(elsewhere().to_string(), "SIP;cause=200;text=\"Call completed elsewhere\"");
    }
}
