//! What is kept beyond the gateway's life, of users, invitations, rooms and texts of scenarios: asked of a database, and written to it.

use crate::dialplan::{Pin, Secret};
pub use crate::session::{StorageAnswer, StorageRequest, StoredText};
use crate::types::Disturbances;
use std::net::SocketAddr;
use std::time::SystemTime;

/// A question to the database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Query {
    /// All that is kept.
    Load,
    /// Keep this user. An error where there is one of that name.
    AddUser(StoredUser),
    /// Keep this user in the place of the one of that name.
    ChangeUser(StoredUser),
    /// Forget a user and all that is kept of one.
    RemoveUser {
        /// The name.
        name: String,
    },
    /// Keep this invitation, and forget those that ended before it was made.
    AddInvitation(StoredInvitation),
    /// Note that an invitation was taken back.
    RevokeInvitation {
        /// Its identifier.
        id: String,
    },
    /// Of a text that scenarios keep.
    Text(StorageRequest),
}

/// The answer to a [`Query`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kept {
    /// All there is.
    Loaded(Stored),
    /// It is done.
    Done,
    /// What there is of a text.
    Text(StorageAnswer),
}

/// All that is kept.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Stored {
    /// Users, in any order.
    pub users: Vec<StoredUser>,
    /// Their bindings, and those of users of the dialplan; those of one user in their order.
    pub bindings: Vec<StoredBinding>,
    /// Invitations, in any order; some may have ended.
    pub invitations: Vec<StoredInvitation>,
    /// Rooms that were made or locked, in any order.
    pub rooms: Vec<StoredRoom>,
}

/// A user as the database has one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredUser {
    /// The name.
    pub name: String,
    /// What others are shown.
    pub display_name: Option<String>,
    /// What passwords are checked with.
    pub keys: Vec<StoredKey>,
    /// Calls at one time.
    pub max_calls: u32,
    /// When the user was made, in whole seconds.
    pub created: SystemTime,
    /// When the user ends, in whole seconds; none: never.
    pub temporary_until: Option<SystemTime>,
    /// The invitation that the user was made by; none: by an administrator.
    pub invited_to: Option<InvitedTo>,
}

/// By which invitation somebody is a user, and the only room that such a user may call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InvitedTo {
    /// The invitation's identifier.
    pub invitation: String,
    /// The room's name.
    pub room: String,
}

/// A room that an administrator made or locked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredRoom {
    /// Its name.
    pub name: String,
    /// Its settings, if it was made.
    pub made: Option<StoredSettings>,
    /// Who is not in it cannot come in.
    pub locked: bool,
}

/// The settings of a room that was made.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct StoredSettings {
    /// Opens it to members.
    pub pin: Option<Pin>,
    /// Opens it to its host.
    pub host_pin: Option<Pin>,
    /// Calls in it at one time; none: no limit.
    pub max_members: Option<u32>,
    /// Whoever disturbs the others so is muted until it is over.
    pub mute: Disturbances,
}

/// An invitation of one person to one room.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredInvitation {
    /// Its identifier. No secret: whoever comes in shows it under our seal.
    pub id: String,
    /// The room's name.
    pub room: String,
    /// Whom it is for: what others are shown.
    pub name: String,
    /// Whether it is the room's host who is invited.
    pub host: bool,
    /// When it was made, in whole seconds.
    pub created: SystemTime,
    /// When it ends, in whole seconds.
    pub until: SystemTime,
    /// It was taken back.
    pub revoked: bool,
}

/// The hash of user name, realm and password (HA1, RFC 7616).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredKey {
    /// The realm it is for.
    pub realm: String,
    /// `MD5`, `SHA-256`, `SHA-512-256`.
    pub algorithm: String,
    /// In hexadecimal.
    pub ha1: Secret,
}

/// Where a user is registered, as the database has it. Connections do not outlive the process: only what is reached by
/// datagram is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredBinding {
    /// Whose.
    pub user: String,
    /// The Contact's URI.
    pub contact: String,
    /// Preference, in thousandths.
    pub q: u16,
    /// `+sip.instance`.
    pub instance: Option<String>,
    /// `reg-id`.
    pub reg_id: Option<u32>,
    /// Value of the Call-ID header.
    pub call_id: String,
    /// Of the last REGISTER.
    pub cseq: u32,
    /// What the client calls itself.
    pub user_agent: Option<String>,
    /// `UDP`.
    pub transport: String,
    /// Our address.
    pub local: SocketAddr,
    /// The client's.
    pub remote: SocketAddr,
    /// Until then it holds, in whole seconds.
    pub expires: SystemTime,
}
