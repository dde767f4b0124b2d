//! What an administrator asks of a running gateway.

use super::call_record::Way;
use super::cause::Cause;
use super::health::Presence;
use super::made_rooms::NewRoom;
use super::trunks::{TrunkState, next_try, registration_trouble};
use super::{Audience, Gateway, InvitationStatus, InvitedUser, Masked, NewUser, Refusal, Rule, UserChange, UserStatus};
use crate::media::command::LifetimeStatistics;
use crate::session::Invited;
use crate::types::{CallId, Disturbances, Now};
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
    /// Invite one person to a room. Answered with [`Reply::Invited`] when the database has it.
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

/// What is going on.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Status {
    /// New calls are refused.
    pub draining: bool,
    /// Calls, oldest first.
    pub calls: Vec<CallStatus>,
    /// Rooms with somebody in them, by name.
    pub rooms: Vec<RoomStatus>,
    /// Rooms that an administrator made, by name, whether somebody is in them or not.
    #[serde(default)]
    pub made_rooms: Vec<String>,
    /// Locked rooms of those that have nobody in them.
    #[serde(default)]
    pub locked_rooms: Vec<String>,
    /// Trunks, in the order of the dialplan.
    pub trunks: Vec<TrunkStatus>,
    /// Requests from addresses no trunk allows, dropped since the start.
    pub unknown_sources: u64,
    /// Calls refused since the start because they came faster than they could be answered.
    #[serde(default)]
    pub late_calls_refused: u64,
    /// PIN checks are slowed down because of too many wrong PINs.
    pub pins_slowed: bool,
    /// What waits to be written, and what could not be.
    #[serde(default)]
    pub backlog: Backlog,
    /// Why the database of users did not do what was last asked; empty when all is well.
    #[serde(default)]
    pub database_trouble: String,
}

/// What waits to be written, and what could not be. The shell fills it in: the core writes nothing itself.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Backlog {
    /// Lines of the log dropped since the start, because nobody read it or its disk was full.
    pub log_lines_dropped: u64,
    /// Call records that wait to be written.
    pub records_waiting: u64,
    /// Call records lost since the start, because too many waited.
    pub records_lost: u64,
    /// Users whose bindings wait to be written.
    pub bindings_waiting: u64,
    /// Rooms that were made, changed or locked, which waits to be written.
    pub rooms_waiting: u64,
    /// Why call records cannot be written just now, in words; empty when all is well.
    pub records_trouble: String,
    /// Why HTTPS has no certificate, or why it is not renewed; empty when all is well.
    pub certificate_trouble: String,
}

/// One call.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct CallStatus {
    /// Its name.
    pub call: String,
    /// The trunk it came or goes by; empty for a call of a user.
    pub trunk: String,
    /// The user who calls or is called; empty for a call by a trunk.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub user: String,
    /// What others are shown of who calls; empty for nothing.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub display_name: String,
    /// We call.
    #[serde(default)]
    pub outgoing: bool,
    /// Who calls, shortened.
    pub from: String,
    /// The called number, shortened.
    pub number: String,
    /// The route it took.
    pub route: String,
    /// Where it stands.
    pub state: String,
    /// Seconds since the answer.
    pub seconds: u64,
    /// The rooms it is in.
    pub rooms: Vec<String>,
    /// The codec we send with, once one is agreed on: `PCMU`, `opus`.
    #[serde(default)]
    pub codec: String,
    /// By which way keys came: `rfc4733`, `info` or `in-band`, the best of several; empty while none came.
    #[serde(default)]
    pub digits: String,
    /// The caller has put us on hold.
    pub on_hold: bool,
    /// We have put the caller on hold.
    #[serde(default)]
    pub held: bool,
    /// Nobody hears the caller.
    pub muted: bool,
    /// How much louder than it is the others hear it, decibels.
    #[serde(default)]
    pub gain: i8,
    /// What is wrong with its sound: none comes from the other end. Empty when all is well.
    #[serde(default)]
    pub warning: String,
    /// What was made up, put in and taken out of its sound.
    #[serde(flatten)]
    pub playout: LifetimeStatistics,
    /// How it disturbs the others in its room.
    #[serde(default, skip_serializing_if = "Disturbances::is_empty")]
    pub disturbs: Disturbances,
}

/// One room.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RoomStatus {
    /// Its name.
    pub room: String,
    /// The calls in it.
    pub calls: Vec<String>,
    /// Who is not in it cannot come in.
    #[serde(default)]
    pub locked: bool,
}

/// One trunk.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TrunkStatus {
    /// Its name.
    pub trunk: String,
    /// `static`, `trying`, `registered`, `failed 403`.
    pub state: String,
    /// `up` or `down` by its answers to our OPTIONS, `-` where nothing is known.
    #[serde(default)]
    pub presence: String,
    /// The server in use, `udp:192.0.2.1:5060`; empty while none is known.
    #[serde(default)]
    pub server: String,
    /// What is wrong: why it cannot be found, why there is no TLS with it, or why its registrar refuses and when it is
    /// asked again. Empty when all is well.
    #[serde(default)]
    pub trouble: String,
    /// Calls by it.
    pub calls: usize,
}

impl Gateway {
    pub(super) fn on_control(&mut self, now: Now, id: u64, request: Request) {
        let reply = match request {
            Request::Status => Reply::Status(self.status(now)),
            Request::Dial { room, create: false, .. } if !self.has_room(&room) => {
                let why = format!("there is no room {room:?}, neither in the dialplan nor open; --create makes it");
                Reply::Error(Refusal::new(Rule::NoSuchRoom, why))
            }
            Request::AddUser(new) => return self.add_user(now, id, new),
            Request::ChangeUser { name, change } => return self.change_user(now, id, &name, &change),
            Request::RemoveUser { name } => return self.remove_user(id, name),
            Request::Invite { room, name, until, host } => return self.invite(now, id, (room, name, host), until),
            Request::Invitations => Reply::Invitations(self.users.invitations(now)),
            Request::Invitation { id: invitation } => self.invitation(now, &invitation),
            Request::RevokeInvitation { id: invitation, room } => {
                return self.revoke_invitation(now, id, invitation, &room);
            }
            Request::UseInvitation { id: invitation } => return self.use_invitation(now, id, &invitation),
            Request::Users => Reply::Users(self.users.status(now)),
            Request::Mute { call, muted } => self.mute(&call, muted),
            Request::SetGain { call, decibels } => self.set_gain(&call, decibels),
            Request::KickRoom { room } => self.kick_room(now, &room),
            Request::Say { to, text } => match self.say_to(id, to, text) {
                Some(reply) => reply,
                None => return,
            },
            Request::Message { to, text } => self.message_to(now, &to, text),
            Request::Play { to, sound } => match self.play_to(id, to, sound) {
                Some(reply) => reply,
                None => return,
            },
            Request::Dial { room, number, confirm, digits, create: _ } => {
                return self.invite_into_room(now, id, Invited { room, number, confirm, digits });
            }
            Request::Transfer { call, number } => return self.transfer(now, id, &call, &number),
            Request::Hold { call } => return self.hold(now, id, &call, true),
            Request::Resume { call } => return self.hold(now, id, &call, false),
            Request::Kick { call } => self.kick(now, &call),
            Request::Join { room, guest } => return self.join(now, id, &room, guest),
            Request::MakeRoom { room, pin, host_pin, max_members, replace } => {
                self.make_room(&room, &NewRoom { pin, host_pin, max_members }, replace)
            }
            Request::UnmakeRoom { room } => self.unmake_room(&room),
            Request::LockRoom { room, locked } => self.lock_room(&room, locked),
            Request::Move { call, room } => self.move_call(&call, &room),
            Request::SendDigits { call, digits } => self.press(now, &call, digits),
            Request::Drain { seconds } => {
                self.drain(now, seconds);
                Reply::Done(format!("taking no new calls; {} in progress", self.calls.len()))
            }
        };
        self.effects.reply(id, reply);
    }

    fn kick(&mut self, now: Now, name: &str) -> Reply {
        match self.call_named(name) {
            Ok(id) => {
                // Who came by a program need not be told why.
                if self.calls.get(&id).is_some_and(|call| call.is_guest()) {
                    self.hang_up(now, id, Cause::Kicked);
                } else {
                    self.dismiss(now, id, "removed", Cause::Kicked);
                }
                Reply::Done(format!("{id} is hung up"))
            }
            Err(why) => Reply::Error(why),
        }
    }

    /// The call an administrator means.
    pub(super) fn call_named(&self, name: &str) -> Result<CallId, Refusal> {
        let found = CallId::named(name, self.effects.run()).filter(|id| self.calls.contains_key(id));
        let unknown = || format!("there is no call {name:?}; `partyline ctl status` lists them");
        found.ok_or_else(|| Refusal::new(Rule::NoSuchCall, unknown()))
    }

    fn status(&mut self, now: Now) -> Status {
        let room_name = |id| self.rooms.get(id).map(|room| room.settings.name.clone());
        let calls = self.calls.values().map(|call| CallStatus {
            call: call.id.to_string(),
            trunk: call.peer.trunk_name().to_owned(),
            user: call.peer.user_name().to_owned(),
            display_name: call.from.name.clone().unwrap_or_default(),
            outgoing: call.way == Way::Out,
            from: Masked(&call.from.number).to_string(),
            number: Masked(&call.number).to_string(),
            route: call.route.clone(),
            state: call.phase.name().to_owned(),
            seconds: call.times.talked(now).as_secs(),
            rooms: self.rooms.of(call.id).filter_map(room_name).collect(),
            codec: call.codec().map_or_else(String::new, |codec| codec.encoding_name().to_owned()),
            digits: call.keys.source().map_or_else(String::new, |source| source.to_string()),
            on_hold: call.on_hold,
            held: call.phase.is_held(),
            muted: call.is_muted(),
            disturbs: call.disturbing.now,
            gain: call.gain,
            warning: call.warning(call.times.talked(now)).unwrap_or_default(),
            playout: call.media.playout.read(),
        });
        let halves = self.joins.iter().map(|(id, half)| CallStatus {
            call: id.to_string(),
            from: Masked(&half.from.number).to_string(),
            number: Masked(&half.number).to_string(),
            route: half.route.clone(),
            state: half.state().to_owned(),
            seconds: half.talked(now).as_secs(),
            muted: half.muted,
            ..CallStatus::default()
        });
        let mut halves: Vec<CallStatus> = halves.collect();
        halves.sort_by(|a, b| a.call.cmp(&b.call));
        let calls = calls.chain(halves).collect();
        let mut rooms: Vec<RoomStatus> = self
            .rooms
            .iter()
            .filter(|room| room.members() > 0)
            .map(|room| RoomStatus {
                room: room.settings.name.clone(),
                calls: room.calls().map(|call| call.to_string()).collect(),
                locked: self.rooms.is_locked(&room.settings.name),
            })
            .collect();
        rooms.sort_by(|a, b| a.room.cmp(&b.room));
        let trunks = self.trunks.states(now.instant).map(|(entry, server)| TrunkStatus {
            trunk: entry.trunk.name.clone(),
            state: match entry.state {
                TrunkState::Static => "static".into(),
                TrunkState::Trying => "trying".into(),
                TrunkState::Registered => "registered".into(),
                TrunkState::Failed { status, .. } => format!("failed {}", status.0),
            },
            presence: match entry.health.presence() {
                Presence::Unknown => "-".into(),
                Presence::Up => "up".into(),
                Presence::Down => "down".into(),
            },
            server: server.map_or_else(String::new, |flow| format!("{}:{}", flow.transport.as_param(), flow.remote)),
            trouble: match (&entry.state, entry.troubles()) {
                (TrunkState::Failed { status, retry_at }, trouble) if trouble.is_empty() => {
                    format!("{}, {}", registration_trouble(*status), next_try(now.instant, *retry_at))
                }
                (_, trouble) => trouble,
            },
            calls: self.admission.peers.calls_with(&entry.trunk.name) as usize,
        });
        let trunks = trunks.collect();
        Status {
            draining: self.shutdown.has_begun(),
            calls,
            rooms,
            made_rooms: self.rooms.made_names().map(str::to_owned).collect(),
            locked_rooms: self.rooms.locked_and_empty(),
            trunks,
            unknown_sources: self.admission.unknown_sources + self.intake.dropped_unknown,
            late_calls_refused: self.late_calls.refused,
            pins_slowed: self.pins.is_slow(now.instant),
            backlog: Backlog::default(),
            database_trouble: self.users.trouble(),
        }
    }
}
