//! `[[routes]]`.

use super::{Ivr, RoomTemplate};
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
    /// How long it rings before it is answered. Default 0; to 60 s.
    pub answer_after: Duration,
    /// Where they go.
    pub target: RouteTarget,
}

/// Where a route leads.
#[derive(Debug, Clone)]
pub enum RouteTarget {
    /// To an IVR.
    Ivr(Arc<Ivr>),
    /// Straight into a room.
    Room(RoomTemplate),
    /// Nowhere: this SIP status, 400 to 699.
    Reject(u16),
}
