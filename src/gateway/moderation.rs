//! What an administrator does to calls in progress, beside their sessions: mutes them, plays to them, sends a room
//! home.

use super::cause::Cause;
use super::{Call, Gateway, Output, Refusal, Reply, Rule};
use crate::dialplan::SoundSource;
use crate::media::command::{Clip, Command, GAIN_DECIBELS as DECIBELS};
use crate::types::{CallId, Now, RoomId, UnitId};
use serde::{Deserialize, Serialize};
use std::path::Path;

/// Who is to hear a sound.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Audience {
    /// One call, by its name.
    Call(String),
    /// All calls in a room.
    Room(String),
}

impl Gateway {
    /// Mutes a call, or takes that back, and tells its caller.
    pub(super) fn mute(&mut self, name: &str, muted: bool) -> Reply {
        let id = match self.call_named(name) {
            Ok(id) => id,
            Err(why) => return Reply::Error(why),
        };
        let done = if muted { "muted" } else { "no longer muted" };
        // By hand it stays muted when what the rule mutes it for is over.
        let would_change = |call: &&mut Call| if muted { !call.muted } else { call.is_muted() };
        let Some(call) = self.calls.get_mut(&id).filter(would_change) else {
            return Reply::Done(format!("{id} is {done} already"));
        };
        let was_muted = call.is_muted();
        call.muted = muted;
        if !muted {
            call.disturbing.spare();
        }
        if was_muted != muted {
            self.apply_mute(id);
            self.tell_muted(id, muted);
        }
        Reply::Done(format!("{id} is {done}"))
    }

    /// Tells a caller that nobody hears the call, or that all do again.
    pub(super) fn tell_muted(&mut self, id: CallId, muted: bool) {
        let prompt = if muted { "muted" } else { "unmuted" };
        if let Some(sound) = self.sounds_of(id).prompt(&self.language_of_call(id), prompt) {
            // Not while something is played to it already: that goes first.
            let _ = self.play_beside(id, Clip::Samples(sound));
        }
    }

    /// Has all others hear a call so many decibels louder than it is, or quieter.
    pub(super) fn set_gain(&mut self, name: &str, decibels: i8) -> Reply {
        if !DECIBELS.contains(&decibels) {
            let why = format!("a gain is {} to {} dB", DECIBELS.start(), DECIBELS.end());
            return Reply::Error(Refusal::new(Rule::Invalid, why));
        }
        match self.call_named(name) {
            Ok(id) if self.calls.get(&id).is_some_and(|call| call.media.leg) => {
                self.apply_gain(id, decibels);
                Reply::Done(format!("{id} is heard at {decibels:+} dB"))
            }
            Ok(id) => Reply::Error(not_answered(id)),
            Err(why) => Reply::Error(why),
        }
    }

    /// The gain of a call that may have had another one.
    pub(super) fn apply_gain(&mut self, id: CallId, decibels: i8) {
        let Some(call) = self.calls.get_mut(&id).filter(|call| call.gain != decibels) else { return };
        call.gain = decibels;
        self.media(Command::SetGain { leg: id, decibels });
    }

    /// Ends every call in a room, and tells each why.
    pub(super) fn kick_room(&mut self, now: Now, name: &str) -> Reply {
        let calls: Vec<CallId> = self.rooms.named(name).map(|room| room.calls().collect()).unwrap_or_default();
        if calls.is_empty() {
            return Reply::Error(nobody_in(name));
        }
        for id in &calls {
            self.dismiss(now, *id, "conference-ended", Cause::Kicked);
        }
        let calls = calls.len();
        Reply::Done(format!("{calls} {} in room {name} hung up", if calls == 1 { "call" } else { "calls" }))
    }

    /// Plays a prompt of the catalogue, a sound file or a URL to a call or a room. What is no prompt has to be read
    /// first: then there is no reply yet.
    pub(super) fn play_to(&mut self, id: u64, to: Audience, sound: String) -> Option<Reply> {
        let prompt = match self.listener(&to) {
            Ok(UnitId::Leg(call)) => self.sounds_of(call).prompt(&self.language_of_call(call), &sound),
            Ok(_) => self.players.sounds.prompt(&self.plan.gateway.language, &sound),
            Err(why) => return Some(Reply::Error(why)),
        };
        if let Some(pcm) = prompt {
            return Some(self.play_sound(&to, Clip::Samples(pcm)));
        }
        // The client made it absolute.
        let source = match SoundSource::read(&sound, Path::new("")) {
            Ok(source) => source,
            Err(why) => return Some(Reply::Error(Refusal::new(Rule::NoSuchSound, why))),
        };
        let is_file = matches!(source, SoundSource::File(_));
        if let Some(known) = self.players.sounds.file(&source, false).filter(|_| is_file) {
            return Some(self.play_sound(&to, known));
        }
        self.effects.output(Output::LoadSound { id, to, source });
        None
    }

    /// A sound file was read, or could not be.
    pub(super) fn on_sound_loaded(&mut self, id: u64, to: &Audience, sound: Result<Clip, String>) {
        let reply = match sound {
            Ok(sound) => self.play_sound(to, sound),
            Err(why) => Reply::Error(Refusal::new(Rule::NoSuchSound, why)),
        };
        self.effects.reply(id, reply);
    }

    pub(super) fn play_sound(&mut self, to: &Audience, sound: Clip) -> Reply {
        let played = match self.listener(to) {
            Ok(UnitId::Leg(call)) => self.play_beside(call, sound),
            Ok(sink) => {
                self.play_announcement(sink, sound);
                Ok(())
            }
            Err(why) => Err(why),
        };
        match (played, to) {
            (Ok(()), Audience::Call(name)) => Reply::Done(format!("playing to {name}")),
            (Ok(()), Audience::Room(name)) => Reply::Done(format!("playing to room {name}")),
            (Err(why), _) => Reply::Error(why),
        }
    }

    /// Who that is now.
    pub(super) fn listener(&self, to: &Audience) -> Result<UnitId, Refusal> {
        match to {
            Audience::Call(name) => {
                let id = self.call_named(name)?;
                let is_heard = self.calls.get(&id).is_some_and(|call| call.media.leg);
                if is_heard { Ok(UnitId::Leg(id)) } else { Err(not_answered(id)) }
            }
            Audience::Room(name) => {
                let occupied = self.rooms.named(name).filter(|room| room.members() > 0);
                occupied.and_then(|_| self.rooms.id_of(name)).map(UnitId::Room).ok_or_else(|| nobody_in(name))
            }
        }
    }

    /// Plays to one call what its session knows nothing of. What the session plays goes first.
    fn play_beside(&mut self, id: CallId, sound: Clip) -> Result<(), Refusal> {
        self.free_to_hear(id)?;
        self.play_announcement(UnitId::Leg(id), sound);
        Ok(())
    }

    /// Whether a call can be played something beside its session.
    pub(super) fn free_to_hear(&self, id: CallId) -> Result<(), Refusal> {
        match self.calls.get(&id).filter(|call| call.media.leg) {
            None => Err(not_answered(id)),
            Some(call) if call.playback.is_some() => {
                Err(Refusal::new(Rule::Busy, format!("{id} is hearing a prompt; try again when it is over")))
            }
            Some(_) => Ok(()),
        }
    }

    /// A short sound of the room itself, as when somebody comes or goes.
    pub(super) fn announce(&mut self, room: RoomId, tone: &'static str) {
        let Some(sound) = self.players.sounds.tone(tone) else {
            self.log(super::Level::Warn, None, "no such tone", tone.to_owned());
            return;
        };
        self.play_announcement(UnitId::Room(room), sound);
    }

    /// Plays what nobody waits for the end of.
    fn play_announcement(&mut self, sink: UnitId, sound: Clip) {
        self.players.announce(&mut self.effects, sink, sound);
    }
}

fn nobody_in(room: &str) -> Refusal {
    let why = format!("there is nobody in a room {room:?}; `partyline ctl rooms` lists them");
    Refusal::new(Rule::NobodyThere, why)
}

fn not_answered(call: CallId) -> Refusal {
    Refusal::new(Rule::NotAnswered, format!("{call} is not answered"))
}
