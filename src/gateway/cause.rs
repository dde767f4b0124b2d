//! Why a call ended, and what our BYE or CANCEL says of it (Reason header, RFC 3326).

use super::Masked;
use crate::sip::message::{Reason, StatusCode};

/// Why a call ended.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, thiserror::Error)]
#[serde(rename_all = "kebab-case", tag = "cause", content = "cause_detail")]
pub enum Cause {
    /// The caller hung up.
    #[error("the caller hung up")]
    CallerHungUp,
    /// The callee hung up.
    #[error("the callee hung up")]
    CalledHungUp,
    /// The callee is on the telephone.
    #[error("busy")]
    Busy,
    /// The callee did not answer in time, or was not there to.
    #[error("no answer")]
    NoAnswer,
    /// The number we called is not in use.
    #[error("there is no such number")]
    NoSuchNumber,
    /// The callee, or its network, did not want the call: how it said so.
    #[error("declined: {0}")]
    Declined(String),
    /// No trunk could bring our call there: what came of the last.
    #[error("not reached: {0}")]
    Unreachable(String),
    /// The caller gave up before the answer.
    #[error("the caller gave up")]
    Cancelled,
    /// A session ended it; its own word for why.
    #[error("{0}")]
    Session(String),
    /// Refused before an answer, by which rule.
    #[error("refused: {0}")]
    Refused(String),
    /// No ACK came for our answer.
    #[error("no ACK came")]
    AckTimeout,
    /// The session timer ran out (RFC 4028).
    #[error("the session timer ran out")]
    SessionExpired,
    /// Nothing was heard from the caller for too long.
    #[error("nothing was heard from the caller for too long")]
    MediaTimeout,
    /// The offer or answer could not be used.
    #[error("no sound could be agreed on: {0}")]
    MediaRefused(String),
    /// The way of its sound could not be found, or was lost: why.
    #[error("the connection for its sound was lost: {0}")]
    MediaLost(String),
    /// The connection to the peer broke.
    #[error("the connection to the peer broke")]
    TransportFailed,
    /// Another call took its place: which.
    #[error("its place was taken by {0}")]
    Replaced(String),
    /// The peer was asked to call this number instead, and did. Its words leave the number out, as they are logged.
    #[error("the peer calls another number in our place")]
    Transferred(String),
    /// An administrator ended it.
    #[error("an administrator ended it")]
    Kicked,
    /// The gateway is shutting down.
    #[error("the gateway is shutting down")]
    Shutdown,
    /// The gateway ended without a chance to end its calls; when it did is known to some seconds only.
    #[error("the gateway stopped")]
    GatewayStopped,
    /// A limit of the gateway: which.
    #[error("a limit was broken: {0}")]
    Limit(String),
}

impl Cause {
    /// The same with its number masked, as in the log.
    pub(super) fn masked(&self) -> Self {
        match self {
            Self::Transferred(number) => Self::Transferred(Masked(number).to_string()),
            other => other.clone(),
        }
    }

    /// Whether the call's other end ended it.
    pub(super) const fn is_of_peer(&self) -> bool {
        matches!(self, Self::CallerHungUp | Self::CalledHungUp | Self::Cancelled)
    }

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
            Self::MediaLost(_) | Self::TransportFailed => (38, "Network out of order"),
            Self::Shutdown | Self::GatewayStopped => (41, "Shutting down"),
            Self::Limit(limit) if limit.contains("max_duration") => (31, "Maximum duration reached"),
            Self::Limit(_) => (31, "A limit is reached"),
        };
        Reason::q850(cause, text)
    }
}

/// What a CANCEL says to a target that is left for another one, so that it shows no missed call.
pub(super) fn elsewhere() -> Reason {
    Reason::sip(StatusCode::OK, "Call completed elsewhere")
}

#[cfg(test)]
mod tests {
    use super::*;

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
