//! Identifiers. All are allocated by the control plane and never reused within a run.

use std::fmt;

macro_rules! id {
    ($(#[$doc:meta])* $name:ident, $prefix:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
        pub struct $name(pub u64);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!($prefix, "{}"), self.0)
            }
        }
    };
}

id!(
    /// One participant: the Call in the control plane and the Leg in the media plane.
    /// Not SIP's header, which is always written "Call-ID header".
    CallId, "call-"
);
id!(
    /// One mix in the media plane.
    RoomId, "room-"
);
id!(
    /// One source of prepared sound in the media plane.
    PlayerId, "player-"
);
id!(
    /// One sink that keeps what it hears.
    RecorderId, "recorder-"
);

/// Anything the media plane can connect.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum UnitId {
    /// A call's leg: a source and a sink.
    Leg(CallId),
    /// A room: a source (the mix) and a sink (of many sources).
    Room(RoomId),
    /// A player: a source.
    Player(PlayerId),
    /// A recorder: a sink.
    Recorder(RecorderId),
}

impl fmt::Display for UnitId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Leg(id) => write!(f, "leg of {id}"),
            Self::Room(id) => id.fmt(f),
            Self::Player(id) => id.fmt(f),
            Self::Recorder(id) => id.fmt(f),
        }
    }
}
