//! Why an administrator's request is not done.

use serde::{Deserialize, Serialize};
use std::fmt;

/// Why a request is not done: a rule that programs tell apart, and words for people.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refusal {
    /// Which rule.
    pub rule: Rule,
    /// In words, with what it is about.
    pub detail: String,
}

/// The rules by which requests are refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Rule {
    /// There is no call of that name, or it is over.
    NoSuchCall,
    /// There is no room of that name, neither configured nor made nor open.
    NoSuchRoom,
    /// The room has nobody in it.
    NobodyThere,
    /// The call is not answered.
    NotAnswered,
    /// Something else has to end first; it may be asked again.
    Busy,
    /// It is so already, or there is nothing to be undone.
    NoChange,
    /// What was asked cannot be meant: a name, a number, keys.
    Invalid,
    /// There is no such sound, or it cannot be played or said.
    NoSuchSound,
    /// The dialplan does not allow it.
    NotAllowed,
    /// A limit is reached.
    Limit,
    /// The room is full.
    RoomFull,
    /// The room is locked.
    RoomLocked,
    /// There is one of that name already.
    Exists,
    /// Another room has this PIN.
    PinTaken,
    /// The dialplan has it, and there alone it is changed.
    InDialplan,
    /// The other end refused, or was gone before it was done.
    Failed,
    /// There is no such user.
    NoSuchUser,
    /// The database does not answer just now; it may be asked again.
    Unavailable,
    /// There is no such invitation, or it ended long ago.
    NoSuchInvitation,
    /// The invitation has ended.
    InvitationExpired,
    /// The invitation was taken back.
    InvitationRevoked,
}

impl Rule {
    /// All.
    pub const ALL: [Self; 21] = [
        Self::NoSuchCall,
        Self::NoSuchRoom,
        Self::NobodyThere,
        Self::NotAnswered,
        Self::Busy,
        Self::NoChange,
        Self::Invalid,
        Self::NoSuchSound,
        Self::NotAllowed,
        Self::Limit,
        Self::RoomFull,
        Self::RoomLocked,
        Self::Exists,
        Self::PinTaken,
        Self::InDialplan,
        Self::Failed,
        Self::NoSuchUser,
        Self::Unavailable,
        Self::NoSuchInvitation,
        Self::InvitationExpired,
        Self::InvitationRevoked,
    ];

    /// As it is written.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NoSuchCall => "no-such-call",
            Self::NoSuchRoom => "no-such-room",
            Self::NobodyThere => "nobody-there",
            Self::NotAnswered => "not-answered",
            Self::Busy => "busy",
            Self::NoChange => "no-change",
            Self::Invalid => "invalid",
            Self::NoSuchSound => "no-such-sound",
            Self::NotAllowed => "not-allowed",
            Self::Limit => "limit",
            Self::RoomFull => "room-full",
            Self::RoomLocked => "room-locked",
            Self::Exists => "exists",
            Self::PinTaken => "pin-taken",
            Self::InDialplan => "in-dialplan",
            Self::Failed => "failed",
            Self::NoSuchUser => "no-such-user",
            Self::Unavailable => "unavailable",
            Self::NoSuchInvitation => "no-such-invitation",
            Self::InvitationExpired => "invitation-expired",
            Self::InvitationRevoked => "invitation-revoked",
        }
    }
}

impl Rule {
    /// What it means, in a sentence.
    #[must_use]
    pub const fn meaning(self) -> &'static str {
        match self {
            Self::NoSuchCall => "There is no call of that name, or it is over.",
            Self::NoSuchRoom => "There is no room of that name, neither configured nor made nor open.",
            Self::NobodyThere => "The room has nobody in it.",
            Self::NotAnswered => "The call is not answered, or is in no room.",
            Self::Busy => "Something else has to end first; it may be asked again.",
            Self::NoChange => "It is so already, or there is nothing to be undone.",
            Self::Invalid => "What was asked cannot be meant: a name, a number, keys.",
            Self::NoSuchSound => "There is no such sound, or it cannot be played or said.",
            Self::NotAllowed => "The dialplan does not allow it.",
            Self::Limit => "A limit is reached.",
            Self::RoomFull => "The room is full.",
            Self::RoomLocked => "The room is locked.",
            Self::Exists => "There is one of that name already.",
            Self::PinTaken => "Another room has this PIN.",
            Self::InDialplan => "The dialplan has it, and there alone it is changed.",
            Self::Failed => "The other end refused, or was gone before it was done.",
            Self::NoSuchUser => "There is no such user.",
            Self::Unavailable => "The database does not answer just now; it may be asked again.",
            Self::NoSuchInvitation => "There is no such invitation, or it ended long ago.",
            Self::InvitationExpired => "The invitation has ended.",
            Self::InvitationRevoked => "The invitation was taken back.",
        }
    }
}

impl Refusal {
    /// By that rule.
    #[must_use]
    pub fn new(rule: Rule, detail: impl Into<String>) -> Self {
        Self { rule, detail: detail.into() }
    }

    pub(super) fn call_is_over() -> Self {
        Self::new(Rule::NoSuchCall, "the call is over")
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.detail)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_is_written_as_it_is_named() {
        for rule in Rule::ALL {
            assert_eq!(serde_json::to_value(rule).unwrap(), rule.as_str());
        }
    }
}
