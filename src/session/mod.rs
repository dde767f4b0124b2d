//! What calls do: sessions see events and answer with verbs.

mod arrival;
mod callee;
mod closing;
pub mod collect;
mod digits;
mod direct;
mod event;
mod in_room;
mod invitation;
mod ivr;
mod life;
mod line;
mod routed;
pub mod scenario;
mod storage;
#[cfg(test)]
mod testing;
mod to_user;
mod verb;

pub use digits::Digits;
pub use direct::Direct;
pub use event::{Alerting, DialCause, Ending, Event, Party, PinVerdict};
pub use invitation::{Invitation, Invited};
pub use ivr::Ivr;
pub use routed::{Running, for_route};
pub use storage::{StorageAnswer, StorageRequest, StoredText};
pub use to_user::ToUser;
pub use verb::{CallerId, CollectSpec, DialTarget, PlayItem, ReferTarget, RoomName, StreamWay, Verb, VerbError, Verbs};

/// A running IVR or scenario. Synchronous, no IO, no clock: same events, same verbs.
///
/// The session allocates the handles of what it makes: calls, rooms, players and timers. Calls that come in are given
/// theirs by the gateway, out of a range of their own ([`CallHandle::FIRST_GIVEN`]).
pub trait Session: Send {
    /// Reacts to one event by pushing verbs, which the gateway carries out in order.
    fn handle(&mut self, event: &Event, out: &mut Verbs);
}

/// A room as one session names it; the gateway maps it to a room of the gateway.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RoomHandle(pub u32);

/// A call as one session names it; the gateway maps it to a call, and goes on with another one under the same name
/// where that takes the call's place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CallHandle(pub u32);

impl CallHandle {
    /// The first handle of calls that come in. Those below are the session's own to give, to calls that it makes.
    pub const FIRST_GIVEN: Self = Self(1 << 31);

    /// Whether a session may give it to a call that it makes.
    #[must_use]
    pub const fn is_own(self) -> bool {
        self.0 < Self::FIRST_GIVEN.0
    }
}

/// One playback as the session names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PlaybackHandle(pub u32);

/// One timer as the session names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TimerHandle(pub u32);

/// Sound from outside the gateway, or to there, as the session names it: one way of a bot's, say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct StreamHandle(pub u32);

/// One question about what is kept, as the session names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct StorageHandle(pub u32);

/// Something a session can connect.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Unit {
    /// A call of this session.
    Call(CallHandle),
    /// A room this session named.
    Room(RoomHandle),
    /// A stream that this session opened: a source or a sink, by its way.
    Stream(StreamHandle),
}
