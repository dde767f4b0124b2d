//! What an administrator asks, and how it is answered.

use super::super::{Audience, InvitationStatus, InvitedUser, MadeInvitation, NewUser, Refusal, UserChange, UserStatus};
use super::Status;
use crate::types::Disturbances;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::net::SocketAddr;

/// A request, one line of JSON on the control socket.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "do")]
pub enum Request {
    /// What is going on.
    Status,
    /// End one call.
    Kick {
        /// Its name, as in the status: `call-3-7`, or the number alone.
        call: String,
    },
    /// Let nobody hear a call, or let it be heard again; its caller is told.
    Mute {
        /// Its name.
        call: String,
        /// Which of the two.
        muted: bool,
    },
    /// Have all others hear a call louder than it is, or quieter.
    SetGain {
        /// Its name.
        call: String,
        /// By so much, -40 to 20; 0 as it is.
        decibels: i8,
    },
    /// End every call in a room.
    KickRoom {
        /// The room's name.
        room: String,
    },
    /// Play something to a call or to all in a room.
    Play {
        /// Who is to hear it.
        to: Audience,
        /// A prompt of the catalogue, the path of a sound file, or a URL.
        sound: String,
    },
    /// Say a text to a call or to all in a room. Answered when the first sentence is heard.
    Say {
        /// Who is to hear it.
        to: Audience,
        /// The words.
        text: String,
    },
    /// Send a text to a call, or to all in a room who take any: browsers and users.
    Message {
        /// Who is to have it.
        to: Audience,
        /// The text, at most 8 KiB.
        text: String,
    },
    /// Call a number, or a user, into a room. Answered with [`Reply::Progress`] as it goes on, and [`Reply::Done`] when
    /// the callee is in the room.
    Dial {
        /// The room's name.
        room: String,
        /// The number, in any way of writing it, or `user:NAME`.
        number: String,
        /// Whether the callee must press 1 first. Default: what the route says, else yes.
        #[serde(default)]
        confirm: Option<bool>,
        /// Keys pressed when it is answered, as for an extension.
        #[serde(default)]
        digits: Option<String>,
        /// Whether a room that is neither in the dialplan nor open is made. Default no: its name may be misspelt.
        #[serde(default)]
        create: bool,
    },
    /// Ask the peer of a call to call a number instead of us (REFER). Answered with [`Reply::Progress`] as it goes on,
    /// and [`Reply::Done`] when that is answered and the call over.
    Transfer {
        /// The call's name.
        call: String,
        /// The number, in any way of writing it.
        number: String,
    },
    /// Put a call on hold: its peer hears a tune, and nobody hears it. Answered when the peer has agreed.
    Hold {
        /// The call's name.
        call: String,
    },
    /// Take a call back that was put on hold.
    Resume {
        /// The call's name.
        call: String,
    },
    /// The users there are, and where they are registered.
    Users,
    /// Make a room, which lasts until it is taken away.
    MakeRoom {
        /// Its name.
        room: String,
        /// Opens it to members. Default: none.
        #[serde(default)]
        pin: Option<String>,
        /// Opens it to its host. Default: none.
        #[serde(default)]
        host_pin: Option<String>,
        /// Calls in it at one time. Default: no limit.
        #[serde(default)]
        max_members: Option<u32>,
        /// Whoever disturbs the others so is muted until it is over. Default: nobody.
        #[serde(default)]
        mute: Disturbances,
        /// Whether it is one that was made, and changes; else it must not be there yet.
        #[serde(default)]
        replace: bool,
    },
    /// Take a room away that was made, once nobody is in it.
    UnmakeRoom {
        /// Its name.
        room: String,
    },
    /// Let nobody into a room who is not in it, or let others in again.
    LockRoom {
        /// The room's name.
        room: String,
        /// Which of the two.
        locked: bool,
    },
    /// Take a call out of its room and into another.
    Move {
        /// The call's name.
        call: String,
        /// The room's name.
        room: String,
    },
    /// Press keys in the direction of a call's other end.
    SendDigits {
        /// The call's name.
        call: String,
        /// `0`-`9`, `*`, `#`, `A`-`D`, at most 64.
        digits: String,
    },
    /// Make a user. Answered with [`Reply::UserAdded`] when the database has one.
    AddUser(NewUser),
    /// Change a user who was made. Answered with [`Reply::UserChanged`] when the database has noted it.
    ChangeUser {
        /// The name.
        name: String,
        /// What is to change.
        #[serde(flatten)]
        change: UserChange,
    },
    /// Remove a user who was made. Calls of the user's go on.
    RemoveUser {
        /// The name.
        name: String,
    },
    /// Invite one person to a room. Answered with [`Reply::InvitationMade`] when the database has it.
    Invite {
        /// The room's name.
        room: String,
        /// Whom: what others are shown, 1 to 64 characters.
        name: String,
        /// When it ends, in seconds since 1970.
        until: u64,
        /// Whether the room's host is invited.
        #[serde(default)]
        host: bool,
    },
    /// The invitations that have not ended, those that were taken back too.
    Invitations,
    /// What an invitation says, as long as somebody may come by it. Answered with [`Reply::Invited`].
    Invitation {
        /// Its identifier.
        id: String,
    },
    /// Take an invitation back; who came by it is sent out. Answered when the database has noted it.
    RevokeInvitation {
        /// Its identifier.
        id: String,
        /// The room's name.
        room: String,
    },
    /// Make a user of whoever shows an invitation, in the place of one that was made before. Answered with
    /// [`Reply::Admitted`] when the database has the user.
    UseInvitation {
        /// Its identifier.
        id: String,
    },
    /// Let somebody into a room who speaks no SIP. Answered with [`Reply::Joined`].
    Join {
        /// The room's name.
        room: String,
        /// Who.
        guest: Guest,
    },
    /// Take no new calls, and end when the last one is over.
    Drain {
        /// Hang up what is left after so many seconds. Default 60; 0 at once.
        #[serde(default)]
        seconds: Option<u64>,
    },
}

/// Who wants to come in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Guest {
    /// What the others are shown.
    pub name: String,
    /// Its offer (SDP): WebRTC.
    pub offer: String,
    /// Where it is.
    pub from: SocketAddr,
    /// Which of our addresses it came to.
    pub at: SocketAddr,
    /// Nobody could read the offer on its way.
    pub secure: bool,
}

/// The answer, one line of JSON.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reply {
    /// What is going on.
    Status(Status),
    /// The users, by name.
    Users(Vec<UserStatus>),
    /// The user was made.
    UserAdded(UserStatus),
    /// The user was changed, and is so now.
    UserChanged(UserStatus),
    /// The invitation.
    Invited(InvitationStatus),
    /// The invitations, by room and end.
    Invitations(Vec<InvitationStatus>),
    /// An invitation was made, and this is what goes with it.
    InvitationMade(MadeInvitation),
    /// Whoever showed an invitation is this user.
    Admitted(InvitedUser),
    /// Not done yet, and what has happened; another reply follows.
    Progress(Progress),
    /// A guest is in the call of this name, once it has our answer.
    Joined {
        /// The call's name.
        call: String,
        /// Our answer (SDP).
        answer: String,
    },
    /// Done, in words.
    Done(String),
    /// Not done, and why.
    Error(Refusal),
}

/// What has happened on the way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Progress {
    /// The call that it happened to.
    pub call: String,
    /// In words.
    pub what: String,
}

impl fmt::Display for Progress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.call, self.what)
    }
}

impl Reply {
    /// Whether no other reply follows.
    #[must_use]
    pub const fn is_last(&self) -> bool {
        !matches!(self, Self::Progress(_))
    }
}
