//! What an administrator is told of users and invitations.

use super::Password;
use serde::{Deserialize, Serialize};

/// One user.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct UserStatus {
    /// The name.
    pub user: String,
    /// What others are shown; empty for nothing.
    pub display_name: String,
    /// The user stands in the dialplan; others were made while the gateway ran.
    pub in_dialplan: bool,
    /// Seconds until a temporary user ends.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ends_in: Option<u64>,
    /// The only room that somebody who was invited may call; empty for others.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub invited_to: String,
    /// Where the user is registered.
    pub bindings: Vec<BindingStatus>,
}

/// One place where a user is registered.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct BindingStatus {
    /// Its Contact, as it was registered.
    pub contact: String,
    /// Where it is: `udp:192.0.2.7:5060`.
    pub address: String,
    /// What its client calls itself; empty where it does not say.
    pub client: String,
    /// Seconds that it still holds.
    pub expires: u64,
}

/// One invitation.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct InvitationStatus {
    /// Its identifier.
    pub id: String,
    /// The room's name.
    pub room: String,
    /// Whom it is for.
    pub name: String,
    /// Whether the room's host is invited.
    pub host: bool,
    /// When it ends, in seconds since 1970.
    pub until: u64,
    /// It was taken back.
    pub revoked: bool,
    /// The user that was made of whoever came by it; empty while there is none.
    pub user: String,
}

/// An invitation that was made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MadeInvitation {
    /// The invitation.
    pub invitation: InvitationStatus,
    /// What telephones key to come into the room, where it has a PIN.
    pub pin: Option<Password>,
}

/// A user that was made by an invitation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InvitedUser {
    /// The user's name.
    pub user: String,
    /// What the user proves to know. Told this once.
    pub password: Password,
    /// The invitation.
    pub invitation: InvitationStatus,
    /// What telephones key to come into the room; told to hosts alone.
    pub pin: Option<Password>,
}
