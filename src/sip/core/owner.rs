//! What the layers above leave with each transaction of ours.

use super::{InviteId, MessageId, PingId, Proof, RegistrationId};

/// Who wants to hear of a transaction of ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Owner {
    /// A call; the request's method says what for.
    Invite(InviteId),
    /// A registration.
    Registration(RegistrationId),
    /// An OPTIONS of its own.
    Ping(PingId),
    /// A MESSAGE of its own.
    Message(MessageId),
    /// Nobody: a CANCEL, the BYE of a stray dialog.
    #[default]
    Nobody,
}

/// What is left with a transaction of ours.
#[derive(Debug, Clone, Default)]
pub(crate) struct Client {
    pub owner: Owner,
    /// What answers a challenge where the call is gone that the request belonged to.
    pub proof: Option<Box<Proof>>,
}

impl From<Owner> for Client {
    fn from(owner: Owner) -> Self {
        Self { owner, proof: None }
    }
}
