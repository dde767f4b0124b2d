//! The deadlines of calls and registrations by name.

use super::{InviteId, RegistrationId};

/// What woke us.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Timer {
    /// A timer of a call.
    Invite(InviteId, InviteTimer),
    /// A registration is to be refreshed or tried again.
    Registration(RegistrationId),
}

/// The timers of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum InviteTimer {
    /// Nobody answered: the incoming call's user, or the far end of the outgoing one.
    Unanswered,
    /// Say once a minute that an incoming call still rings (RFC 3261 section 13.3.1.1).
    StillRinging,
    /// Send the reliable provisional response again (RFC 3262 section 3).
    Reliable,
    /// The reliable provisional response was never acknowledged.
    PrackOverdue,
    /// Send the 2xx again (RFC 3261 section 13.3.1.4).
    Accepted,
    /// The 2xx was never acknowledged.
    AckOverdue,
    /// Our user owes an answer to an offer, or an ACK.
    AnswerOverdue,
    /// Try the re-INVITE that got 491 again (RFC 3261 section 14.1).
    Glare,
    /// Refresh the session (RFC 4028 section 7.2).
    Refresh,
    /// The session expires (RFC 4028 section 10).
    Expiry,
}

impl InviteTimer {
    pub const ALL: [Self; 10] = [
        Self::Unanswered,
        Self::StillRinging,
        Self::Reliable,
        Self::PrackOverdue,
        Self::Accepted,
        Self::AckOverdue,
        Self::AnswerOverdue,
        Self::Glare,
        Self::Refresh,
        Self::Expiry,
    ];
}
