//! What somebody hears who is alone in a room: a tone now and then, or music, until another comes.

use super::Gateway;
use super::players::Owner;
use crate::dialplan::Alone;
use crate::media::command::{Clip, Command};
use crate::types::{PlayerId, RoomId, UnitId};
use std::time::Duration;

/// Between two tones, and before the first.
const TONE_EVERY: Duration = Duration::from_secs(20);
/// Before the music: as long as it takes to say that nobody else is here.
const MUSIC_AFTER: Duration = Duration::from_secs(3);

impl Gateway {
    /// Begins or ends the sound, after somebody came or went. It is a player that the room hears, so that what is
    /// played to the call itself is heard beside it.
    pub(super) fn sound_alone(&mut self, room: RoomId) {
        let Some(open) = self.rooms.get(room) else { return };
        let is_alone = open.members() == 1;
        if is_alone == open.sounds_alone() {
            return;
        }
        let player = if is_alone { self.start_alone(room) } else { None };
        if let Some(before) = self.rooms.set_alone(room, player) {
            self.media(Command::StopPlayer { player: before });
        }
    }

    fn start_alone(&mut self, room: RoomId) -> Option<PlayerId> {
        let settings = &self.rooms.get(room)?.settings;
        let sounds = &self.players.sounds;
        let (sound, after) = match settings.alone {
            Alone::Silence => return None,
            Alone::Tone => (sounds.tone("alone"), TONE_EVERY),
            Alone::Music => {
                let own = settings.music.as_ref().and_then(|music| sounds.file(music, true));
                (own.or_else(|| sounds.tone("hold")), MUSIC_AFTER)
            }
        };
        // A loop goes on by itself; anything else begins anew after the pause.
        let clips = vec![Clip::Silence(after), sound?, Clip::Restart];
        let player = self.players.add(&mut self.effects, Owner::Announcement);
        self.players.start(&mut self.effects, player, clips, UnitId::Room(room));
        Some(player)
    }
}
