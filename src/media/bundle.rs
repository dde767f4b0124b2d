//! Units on their way from one engine to another.

use super::leg::Leg;
use super::player::Player;
use super::recorder::Recorder;
use super::room::Room;
use crate::types::{CallId, PlayerId, RecorderId, RoomId, UnitId};

/// A whole connected set, taken out of one engine by `Engine::export` and put into another by `Engine::import`.
///
/// Nothing in it is shared with the engine it came from.
#[derive(Debug, Default)]
pub struct Bundle {
    pub(crate) legs: Vec<(CallId, Leg)>,
    pub(crate) rooms: Vec<(RoomId, Room)>,
    pub(crate) players: Vec<(PlayerId, Player)>,
    pub(crate) recorders: Vec<(RecorderId, Recorder)>,
    /// Source and sink of each connection.
    pub(crate) routes: Vec<(UnitId, UnitId)>,
}

impl Bundle {
    /// The legs in it, whose sockets travel beside it.
    pub fn legs(&self) -> impl Iterator<Item = CallId> {
        self.legs.iter().map(|(leg, _)| *leg)
    }
}

const _: () = {
    const fn is_send<T: Send>() {}
    is_send::<Bundle>();
};
