//! `[[routes]]`.

use super::{Ivr, RoomTemplate, Scenario, Trunk};
use crate::dialplan::Pattern;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// Where a call comes from, as far as routes care.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Origin {
    /// The trunk of that name.
    Trunk(Arc<str>),
    /// A user who authenticated.
    Users,
    /// A call that a session makes.
    Sessions,
}

impl Origin {
    /// Reads what `from` holds: `users`, `sessions`, or else a trunk's name.
    #[must_use]
    pub fn named(text: &str) -> Self {
        match text {
            "users" => Self::Users,
            "sessions" => Self::Sessions,
            name => Self::Trunk(name.into()),
        }
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Trunk(name) => write!(f, "trunk {name}"),
            Self::Users => f.write_str("users"),
            Self::Sessions => f.write_str("sessions"),
        }
    }
}

/// One rule: which calls, and where they go.
#[derive(Debug, Clone)]
pub struct Route {
    /// Its name in the file; what the log and the call record say.
    pub name: String,
    /// The line of the file it begins at, from 1.
    pub line: usize,
    /// Calls from any of these.
    pub from: Vec<Origin>,
    /// And to a number that is this, whole.
    pub number: Pattern,
    /// And that names a room which has [`invited_call`](super::Room::invited_call). Default: any number.
    pub for_room: Option<RoomNumber>,
    /// How long it rings before it is answered. Default 0; to 60 s.
    pub answer_after: Duration,
    /// Language that its callers are spoken to in. Default: that of the IVR, else of the gateway.
    pub language: Option<String>,
    /// Where they go.
    pub target: RouteTarget,
}

/// A number with the name of a room in it: `conf_{room}`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoomNumber {
    before: String,
    after: String,
}

impl RoomNumber {
    /// What stands for the room's name.
    const HOLE: &str = "{room}";

    /// Reads one; `None` where `{room}` does not stand in it, or twice, or beside another brace.
    #[must_use]
    pub fn parse(source: &str) -> Option<Self> {
        let (before, after) = source.split_once(Self::HOLE)?;
        let is_whole = !before.contains(['{', '}']) && !after.contains(['{', '}']);
        is_whole.then(|| Self { before: before.to_owned(), after: after.to_owned() })
    }

    /// The name in a number; `None` where that is another number. Allocates nothing.
    #[must_use]
    pub fn room<'number>(&self, number: &'number str) -> Option<&'number str> {
        number.strip_prefix(&*self.before)?.strip_suffix(&*self.after)
    }
}

impl fmt::Display for RoomNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}{}", self.before, Self::HOLE, self.after)
    }
}

/// Where a route leads.
#[derive(Debug, Clone)]
pub enum RouteTarget {
    /// To an IVR.
    Ivr(Arc<Ivr>),
    /// Straight into a room.
    Room(RoomTemplate),
    /// To a user, wherever the user is registered; the called number may stand in the name.
    User(RoomTemplate),
    /// To the user whose name is the called number, descriptions untouched: the media goes from one to the other. Such
    /// a route takes calls from users alone.
    Direct,
    /// To a scenario.
    Scenario(Arc<Scenario>),
    /// Out, by trunks. Such a route takes calls from sessions alone.
    Trunks(Arc<Outgoing>),
    /// Nowhere: this SIP status, 400 to 699.
    Reject(u16),
}

/// What a route says of calls out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outgoing {
    /// The trunks, in the order they are tried. At least one.
    pub trunks: Vec<Arc<Trunk>>,
    /// Numbers that cost extra may be called. Default no.
    pub premium: bool,
    /// How long it may ring, all targets together. Default 60 s; 5 s to 5 min.
    pub ring_timeout: Duration,
    /// How long a call may last from its answer. Default 4 h; 10 s to 24 h.
    pub max_duration: Duration,
    /// Whether the callee must press 1 before anybody hears it. Default: yes for a call into a room, no for one that
    /// is joined with a single caller.
    pub confirm: Option<bool>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_of_a_room_is_found_in_a_number() {
        let number = RoomNumber::parse("conf_{room}x").unwrap();
        for (text, room) in [("conf_4711x", Some("4711")), ("conf_x", Some("")), ("conf_4711", None), ("x4711x", None)]
        {
            assert_eq!(number.room(text), room, "{text}");
        }
        assert_eq!(number.to_string(), "conf_{room}x");
        for wrong in ["conf_", "{room}{room}", "{number}{room}", "{room"] {
            assert_eq!(RoomNumber::parse(wrong), None, "{wrong}");
        }
    }
}
