//! Why the peer says that it ended a call (Reason header, RFC 3326).

use crate::sip::message::Reason;
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
}
