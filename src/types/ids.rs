//! Identifiers. All are allocated by the control plane and never reused: not within a run of the gateway, nor, since
//! each run has a number, by a later one.

use std::fmt;

/// Bits below the number of the run.
const RUN_SHIFT: u32 = 32;

/// The first identifier of a run of the gateway. Run 0, as in tests, has names without a run.
#[must_use]
pub const fn first_id_of(run: u32) -> u64 {
    ((run as u64) << RUN_SHIFT) | 1
}

macro_rules! id {
    ($(#[$doc:meta])* $name:ident, $prefix:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
        pub struct $name(pub u64);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                let within = self.0 & u64::from(u32::MAX);
                match self.0 >> RUN_SHIFT {
                    0 => write!(f, concat!($prefix, "{}"), within),
                    run => write!(f, concat!($prefix, "{}-{}"), run, within),
                }
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

impl CallId {
    /// The call that somebody means by `call-3-7` or `3-7`; in a run, `7` is its call 7.
    #[must_use]
    pub fn named(name: &str, run: u32) -> Option<Self> {
        let name = name.strip_prefix("call-").unwrap_or(name);
        let (run, within) = match name.split_once('-') {
            Some((run, within)) => (run.parse().ok()?, within),
            None => (run, name),
        };
        let within: u32 = within.parse().ok()?;
        Some(Self((u64::from(run) << RUN_SHIFT) | u64::from(within)))
    }

    /// The number under which a browser is told that this participant is heard (CSRC).
    #[must_use]
    pub const fn source(self) -> u32 {
        self.0 as u32
    }

    /// The run it belongs to.
    #[must_use]
    pub const fn run(self) -> u32 {
        (self.0 >> RUN_SHIFT) as u32
    }
}

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_of_two_runs_never_share_a_name_and_are_found_by_it() {
        let (first, again) = (CallId(first_id_of(1) + 6), CallId(first_id_of(2) + 6));
        assert_eq!((first.to_string(), again.to_string()), ("call-1-7".into(), "call-2-7".into()));
        for id in [CallId(7), first, again, CallId(first_id_of(u32::MAX) + 41)] {
            assert_eq!(CallId::named(&id.to_string(), 99).filter(|_| id.run() > 0), Some(id).filter(|_| id.run() > 0));
            assert_eq!(CallId::named(&id.to_string(), id.run()), Some(id));
        }
        assert_eq!(CallId::named("2-7", 9), Some(again));
        assert_eq!(CallId::named("7", 2), Some(again));
        for nothing in ["", "call-", "call--7", "-7", "1-", "1-7-3", "a-7", "4294967296"] {
            assert_eq!(CallId::named(nothing, 1), None, "{nothing}");
        }
    }
}
