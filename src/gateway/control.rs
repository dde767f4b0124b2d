//! What an administrator asks of a running gateway.

use super::cause::Cause;
use super::health::Presence;
use super::trunks::{TrunkState, next_try, registration_trouble};
use super::{Audience, Gateway, Masked};
use crate::session::Invited;
use crate::types::{CallId, Now};
use serde::{Deserialize, Serialize};

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
    /// Call a number into a room. Answered with [`Reply::Progress`] as it goes on, and [`Reply::Done`] when the callee
    /// is in the room.
    Dial {
        /// The room's name.
        room: String,
        /// The number, in any way of writing it.
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
    /// Ask the peer of a call to call a number instead of us (REFER). Answered with [`Reply::Progress`] as it goes on, and
    /// [`Reply::Done`] when that is answered and the call over.
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
    /// Take no new calls, and end when the last one is over.
    Drain {
        /// Hang up what is left after so many seconds. Default 60; 0 at once.
        #[serde(default)]
        seconds: Option<u64>,
    },
}

/// The answer, one line of JSON.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reply {
    /// What is going on.
    Status(Status),
    /// The users, by name.
    Users(Vec<UserStatus>),
    /// Not done yet, and what has happened; another reply follows.
    Progress(String),
    /// Done, in words.
    Done(String),
    /// Not done, and why.
    Error(String),
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
    /// Why call records cannot be written just now, in words; empty when all is well.
    pub records_trouble: String,
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
    /// The caller has put us on hold.
    pub on_hold: bool,
    /// We have put the caller on hold.
    #[serde(default)]
    pub held: bool,
    /// Nobody hears the caller.
    pub muted: bool,
    /// What is wrong with its sound: none comes from the other end. Empty when all is well.
    #[serde(default)]
    pub warning: String,
}

/// One room.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RoomStatus {
    /// Its name.
    pub room: String,
    /// The calls in it.
    pub calls: Vec<String>,
}

/// One user.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct UserStatus {
    /// The name.
    pub user: String,
    /// What others are shown; empty for nothing.
    pub display_name: String,
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
    /// What is wrong: why it cannot be found, why there is no TLS with it, or why its registrar refuses and when it is asked
    /// again. Empty when all is well.
    #[serde(default)]
    pub trouble: String,
    /// Calls by it.
    pub calls: usize,
}

impl Gateway {
    pub(super) fn on_control(&mut self, now: Now, id: u64, request: Request) {
        let reply = match request {
            Request::Status => Reply::Status(self.status(now)),
            Request::Dial { room, create: false, .. }
                if self.plan.room(&room).is_none() && self.rooms.named(&room).is_none() =>
            {
                Reply::Error(format!("there is no room {room:?}, neither in the dialplan nor open; --create makes it"))
            }
            Request::Users => Reply::Users(self.users.status(now)),
            Request::Mute { call, muted } => self.mute(&call, muted),
            Request::KickRoom { room } => self.kick_room(now, &room),
            Request::Say { to, text } => match self.say_to(id, to, text) {
                Some(reply) => reply,
                None => return,
            },
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
                self.dismiss(now, id, "removed", Cause::Kicked);
                Reply::Done(format!("{id} is hung up"))
            }
            Err(why) => Reply::Error(why),
        }
    }

    /// The call an administrator means.
    pub(super) fn call_named(&self, name: &str) -> Result<CallId, String> {
        let found = CallId::named(name, self.effects.run()).filter(|id| self.calls.contains_key(id));
        found.ok_or_else(|| format!("there is no call {name:?}; `partyline ctl status` lists them"))
    }

    fn status(&mut self, now: Now) -> Status {
        let room_name = |id| self.rooms.get(id).map(|room| room.settings.name.clone());
        let calls = self.calls.values().map(|call| CallStatus {
            call: call.id.to_string(),
            trunk: call.peer.trunk_name().to_owned(),
            user: call.peer.user_name().to_owned(),
            from: Masked(&call.from.number).to_string(),
            number: Masked(&call.number).to_string(),
            route: call.route.clone(),
            state: call.phase.name().to_owned(),
            seconds: call.times.talked(now).as_secs(),
            rooms: self.rooms.of(call.id).filter_map(room_name).collect(),
            codec: call.codec().map_or_else(String::new, |codec| codec.encoding_name().to_owned()),
            on_hold: call.on_hold,
            held: call.phase.is_held(),
            muted: call.muted,
            warning: call.warning(call.times.talked(now)).unwrap_or_default(),
        });
        let calls = calls.collect();
        let mut rooms: Vec<RoomStatus> = self
            .rooms
            .iter()
            .filter(|room| room.members() > 0)
            .map(|room| RoomStatus {
                room: room.settings.name.clone(),
                calls: room.calls().map(|call| call.to_string()).collect(),
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
            trunks,
            unknown_sources: self.admission.unknown_sources + self.intake.dropped_unknown,
            late_calls_refused: self.late_calls.refused,
            pins_slowed: self.pins.is_slow(now.instant),
            backlog: Backlog::default(),
        }
    }
}
