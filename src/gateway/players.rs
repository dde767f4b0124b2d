//! What is being played, and who wants to know when it is over.

use super::effects::Effects;
use super::sessions::SessionId;
use super::sounds::Sounds;
use crate::media::command::{Clip, Command};
use crate::session::PlaybackHandle;
use crate::types::{CallId, IdMap, PlayerId, UnitId, relax};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Who wants to know that a player is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Owner {
    /// A session; `call` when only that call hears it.
    Session { session: SessionId, playback: PlaybackHandle, call: Option<CallId> },
    /// An announcement of the room or the administrator: nobody waits for its end.
    Announcement,
    /// A text that an administrator has said, sentence by sentence.
    Speech(u64),
    /// A call that is hung up afterwards.
    Dismissal(CallId),
}

/// All players, and the sounds they play.
pub(super) struct Players {
    /// For what begins from now on: a session keeps those it began with.
    pub(super) sounds: Arc<dyn Sounds>,
    owners: IdMap<PlayerId, Owner>,
    /// What is being fetched, by the name that [`Output::StreamSound`](super::Output::StreamSound) gave it.
    fetching: BTreeMap<u64, Fetching>,
}

/// A sound that is fetched for a player.
pub(super) struct Fetching {
    pub(super) player: PlayerId,
    /// Its name, for the session and the log.
    pub(super) name: String,
}

impl Players {
    pub(super) fn new(sounds: Arc<dyn Sounds>) -> Self {
        Self { sounds, owners: IdMap::default(), fetching: BTreeMap::new() }
    }

    /// A player that is to play something; [`Self::start`] has it begin.
    pub(super) fn add(&mut self, effects: &mut Effects, owner: Owner) -> PlayerId {
        let player = PlayerId(effects.fresh_id());
        self.owners.insert(player, owner);
        player
    }

    /// Plays clips, one after the other, to a call or a room.
    pub(super) fn start(&self, effects: &mut Effects, player: PlayerId, clips: Vec<Clip>, sink: UnitId) {
        effects.media(Command::AddPlayer { player, clips });
        effects.media(Command::Connect { source: UnitId::Player(player), sink });
    }

    /// Plays what nobody waits for the end of.
    pub(super) fn announce(&mut self, effects: &mut Effects, sink: UnitId, sound: Clip) -> PlayerId {
        let player = self.add(effects, Owner::Announcement);
        self.start(effects, player, vec![sound], sink);
        player
    }

    /// Plays a sentence of a text.
    pub(super) fn say(&mut self, effects: &mut Effects, speech: u64, sink: UnitId, sound: Clip) -> PlayerId {
        let player = self.add(effects, Owner::Speech(speech));
        self.start(effects, player, vec![sound], sink);
        player
    }

    /// The call that alone hears what its session plays.
    pub(super) fn call_of(&self, player: PlayerId) -> Option<CallId> {
        match self.owners.get(&player) {
            Some(Owner::Session { call, .. }) => *call,
            _ => None,
        }
    }

    /// Who wants to know that a player is done.
    pub(super) fn owner(&self, player: PlayerId) -> Option<Owner> {
        self.owners.get(&player).copied()
    }

    /// A sound is to be fetched for a player.
    pub(super) fn fetch(&mut self, id: u64, fetching: Fetching) {
        self.fetching.insert(id, fetching);
    }

    /// It is fetched, or cannot be. `None`: its player is gone.
    pub(super) fn fetched(&mut self, id: u64) -> Option<Fetching> {
        self.fetching.remove(&id)
    }

    /// Whether a player waits for what is fetched.
    pub(super) fn is_fetching(&self, player: PlayerId) -> bool {
        self.fetching.values().any(|fetching| fetching.player == player)
    }

    /// How many sounds are fetched for a session.
    pub(super) fn fetching_for(&self, session: SessionId) -> usize {
        let is_its = |fetching: &&Fetching| matches!(self.owners.get(&fetching.player), Some(Owner::Session { session: of, .. }) if *of == session);
        self.fetching.values().filter(is_its).count()
    }

    /// A player is gone.
    pub(super) fn forget_fetching(&mut self, player: PlayerId) {
        self.fetching.retain(|_, fetching| fetching.player != player);
    }

    /// Whether more than one call may hear it, and its session waits for its end.
    pub(super) fn is_for_a_room(&self, player: PlayerId) -> bool {
        matches!(self.owners.get(&player), Some(Owner::Session { call: None, .. }))
    }

    /// What one call alone hears is for another from now on.
    pub(super) fn move_to(&mut self, player: PlayerId, to: CallId) {
        if let Some(Owner::Session { call, .. }) = self.owners.get_mut(&player) {
            *call = Some(to);
        }
    }

    /// A player is done. Says who wants to know; `None`: it was done before.
    pub(super) fn finished(&mut self, player: PlayerId) -> Option<Owner> {
        let owner = self.owners.remove(&player);
        relax(&mut self.owners);
        owner
    }

    /// Whether nothing is played.
    pub(super) fn is_idle(&self) -> bool {
        self.owners.is_empty() && self.fetching.is_empty()
    }
}
