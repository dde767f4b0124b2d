//! Sounds to one call or to a room.

use super::flat::End;
use super::players::{Fetching, Owner};
use super::{Call, Gateway, Level, Output, SessionId, Sounds};
use crate::dialplan::{SoundSource, SoundUrl};
use crate::media::command::{Clip, Command, Stream};
use crate::session::{self, PlayItem, PlaybackHandle, Unit, VerbError, collect};
use crate::types::{CallId, Now, PlayerId, UnitId};
use std::time::Duration;

/// How much of a sound that is fetched while it is played is ready for its player: two seconds.
const FETCHED: usize = 16_000;
/// Sounds that are fetched for one session at one time.
const MOST_FETCHED: usize = 20;

/// What is to be played and is not there yet.
enum Missing {
    /// A text that nobody has said, and its language.
    Text(String, String),
    /// What a URL names.
    Url(SoundUrl),
}

impl Gateway {
    pub(super) fn play(
        &mut self,
        now: Now,
        session: SessionId,
        to: Unit,
        playback: PlaybackHandle,
        (items, repeat): (&[PlayItem], bool),
    ) -> Result<(), VerbError> {
        const VERB: &str = "play";
        let (sink, call) = match to {
            Unit::Call(call) => match self.half_under(session, call) {
                Some(half) => (End::Half(half), None),
                None => {
                    let call = self.call_with_leg(session, call, VERB)?.id;
                    (End::Unit(UnitId::Leg(call)), Some(call))
                }
            },
            Unit::Room(handle) => (End::Unit(UnitId::Room(self.room_of(session, handle, VERB)?)), None),
            Unit::Stream(_) => return Err(VerbError::Unknown { verb: VERB }),
        };
        let language = self.language_of(session);
        let sounds = self.sessions.get(&session).map_or(&*self.players.sounds, |session| &*session.sounds);
        let fetches = self.sessions.get(&session).is_some_and(|session| session.running.scenario().is_some());
        let is_loop = repeat && items.len() == 1;
        let mut missing = Vec::new();
        let clips = items.iter().enumerate().map(|(at, item)| {
            let clip = clip(sounds, &language, item, is_loop);
            match missing_of(item, &language, fetches) {
                Some(is_missing) if matches!(clip, Err(VerbError::NoSuchSound(_))) => {
                    missing.push((at, is_missing));
                    // Its place.
                    Ok(Clip::Silence(Duration::ZERO))
                }
                _ => clip,
            }
        });
        let mut clips = clips.collect::<Result<Vec<_>, _>>()?;
        let urls = missing.iter().filter(|(_, missing)| matches!(missing, Missing::Url(_))).count();
        if urls > 0 && self.players.fetching_for(session) + urls > MOST_FETCHED {
            return Err(VerbError::Limit { verb: VERB, limit: "20 sounds that are fetched at once" });
        }
        let length = length_of(&clips).filter(|_| missing.is_empty());
        let player = self.players.add(&mut self.effects, Owner::Session { session, playback, call });
        if let Some(running) = self.sessions.get_mut(&session) {
            running.playbacks.insert(playback, player);
        }
        for (at, missing) in missing {
            let stream = match missing {
                Missing::Text(language, text) => self.stream_text(now, session, player, &language, text),
                Missing::Url(url) => self.stream_url(player, url, is_loop),
            };
            if let Some(clip) = clips.get_mut(at) {
                *clip = stream;
            }
        }
        if let Some(id) = call {
            let before = self.calls.get_mut(&id).and_then(|call| call.playback.replace((playback, player)));
            if let Some((_, before)) = before {
                self.media(Command::StopPlayer { player: before });
            }
            self.collect(now, id, collect::Input::Playing(true));
        }
        if repeat {
            clips.push(Clip::Restart);
        }
        match sink {
            End::Unit(sink) => self.players.start(&mut self.effects, player, clips, sink),
            End::Half(half) => {
                self.media(Command::AddPlayer { player, clips });
                self.play_to_half(player, half);
            }
        }
        if urls == 0 {
            self.tell_scenario(session, session::Event::PlaybackStarted { playback, length });
        }
        Ok(())
    }

    /// Has a sound fetched that a player is to play. Gives what it plays meanwhile.
    fn stream_url(&mut self, player: PlayerId, url: SoundUrl, is_loop: bool) -> Clip {
        let (stream, clip) = Stream::new(FETCHED);
        let id = self.fresh_id();
        self.players.fetch(id, Fetching { player, name: url.to_string() });
        self.effects.output(Output::StreamSound { id, url, is_loop, stream });
        Clip::Stream(clip)
    }

    /// A sound is fetched: its player plays it from now on; or it cannot be had.
    pub(super) fn on_sound_streamed(&mut self, now: Now, id: u64, outcome: Result<Option<Duration>, String>) {
        let Some(Fetching { player, name }) = self.players.fetched(id) else { return };
        match outcome {
            Ok(length) => {
                if let Some(Owner::Session { session, playback, .. }) = self.players.owner(player)
                    && !self.players.is_fetching(player)
                {
                    self.tell_scenario(session, session::Event::PlaybackStarted { playback, length });
                }
            }
            Err(why) => {
                let call = self.players.call_of(player);
                self.log_limited(now, Level::Warn, call, "sound not fetched", || why);
                self.fail_playback(now, player, name);
            }
        }
    }

    /// The language that a call's session speaks.
    pub(super) fn language_of_call(&self, call: CallId) -> String {
        let session = self.calls.get(&call).and_then(|call| self.sessions.get(&call.session));
        session.map_or_else(|| self.plan.gateway.language.clone(), |session| session.running.language().to_owned())
    }

    pub(super) fn language_of(&self, session: SessionId) -> String {
        self.sessions.get(&session).map_or_else(String::new, |session| session.running.language().to_owned())
    }

    pub(super) fn stop_playback(&mut self, session: SessionId, playback: PlaybackHandle) -> Result<(), VerbError> {
        let player = self.sessions.get(&session).and_then(|running| running.playbacks.get(&playback)).copied();
        let player = player.ok_or(VerbError::Unknown { verb: "stop_playback" })?;
        self.media(Command::StopPlayer { player });
        Ok(())
    }

    /// Has a playback wait where it is, or go on.
    pub(super) fn pause_playback(
        &mut self,
        session: SessionId,
        playback: PlaybackHandle,
        paused: bool,
    ) -> Result<(), VerbError> {
        let player = self.sessions.get(&session).and_then(|running| running.playbacks.get(&playback)).copied();
        let player = player.ok_or(VerbError::Unknown { verb: "pause_playback" })?;
        self.media(Command::PausePlayer { player, paused });
        Ok(())
    }

    /// Stops what a call hears by itself: its caller has begun to key digits.
    pub(super) fn barge_in(&mut self, call: CallId) {
        if let Some((_, player)) = self.calls.get(&call).and_then(|call| call.playback) {
            self.media(Command::StopPlayer { player });
        }
    }

    /// What one call alone hears goes on in the call that takes its place, once that hears anything.
    pub(super) fn move_player(&mut self, player: PlayerId, from: CallId, to: CallId) {
        self.players.move_to(player, to);
        let has_leg = |id: CallId| self.calls.get(&id).is_some_and(|call| call.media.leg);
        let hears = |id: CallId| has_leg(id) && !self.transfers.is_pending(id);
        let (from_hears, to_hears) = (hears(from), hears(to));
        let source = UnitId::Player(player);
        if to_hears {
            // First the new one: a player that nobody hears ends.
            self.media(Command::Connect { source, sink: UnitId::Leg(to) });
            if from_hears {
                self.media(Command::Disconnect { source, sink: UnitId::Leg(from) });
            }
        }
    }

    pub(super) fn on_playback_finished(&mut self, now: Now, player: PlayerId, completed: bool) {
        self.joins.flat.forget(UnitId::Player(player));
        let Some(owner) = self.players.finished(player) else { return };
        let (session, playback, call) = match owner {
            Owner::Session { session, playback, call } => (session, playback, call),
            Owner::Announcement => return,
            Owner::Speech(id) => return self.on_sentence_finished(id, completed),
            Owner::Dismissal(call) => return self.on_dismissed(now, call),
        };
        self.end_streams_of(player);
        self.forget_playback(now, player, session, playback, call);
        self.emit(session, session::Event::PlaybackFinished { playback, completed });
    }

    /// A player of a session is gone. Says whether it was what its call, or its session, was hearing.
    pub(super) fn forget_playback(
        &mut self,
        now: Now,
        player: PlayerId,
        session: SessionId,
        playback: PlaybackHandle,
        call: Option<CallId>,
    ) -> bool {
        let mut is_current = false;
        if let Some(running) = self.sessions.get_mut(&session)
            && running.playbacks.get(&playback) == Some(&player)
        {
            running.playbacks.remove(&playback);
            is_current = true;
        }
        let Some(id) = call else { return is_current };
        let hears = |call: &&mut Call| call.playback.is_some_and(|(_, current)| current == player);
        let Some(call) = self.calls.get_mut(&id).filter(hears) else { return false };
        call.playback = None;
        self.collect(now, id, collect::Input::Playing(false));
        is_current
    }
}

/// How an item can be had that is not there; `None`: not at all.
fn missing_of(item: &PlayItem, own: &str, fetches: bool) -> Option<Missing> {
    match item {
        PlayItem::Text(text) => Some(Missing::Text(own.to_owned(), text.clone())),
        PlayItem::TextIn { language, text } => Some(Missing::Text(language.clone(), text.clone())),
        PlayItem::File(SoundSource::Url(url)) if fetches => Some(Missing::Url(url.clone())),
        _ => None,
    }
}

/// How long clips are, one after the other; `None` where that shows only while they are played.
fn length_of(clips: &[Clip]) -> Option<Duration> {
    let lengths = clips.iter().map(|clip| match clip {
        Clip::Samples(pcm) | Clip::Loop(pcm) => Some(pcm.duration()),
        Clip::Silence(length) => Some(*length),
        Clip::Restart => Some(Duration::ZERO),
        Clip::Stream(_) | Clip::Live(_) => None,
    });
    lengths.sum()
}

/// An item as the media plane plays it; over and over, if it is the only one of a loop.
fn clip(sounds: &dyn Sounds, language: &str, item: &PlayItem, is_loop: bool) -> Result<Clip, VerbError> {
    let (sound, name) = match item {
        PlayItem::Silence(length) => return Ok(Clip::Silence(*length)),
        PlayItem::Prompt(name) => (sounds.prompt(language, name), name.clone()),
        PlayItem::Text(text) => (sounds.text(language, text), text.clone()),
        PlayItem::TextIn { language, text } => (sounds.text(language, text), text.clone()),
        PlayItem::Made { samples, repeat } => {
            let samples = samples.iter().copied().collect();
            return Ok(if *repeat { Clip::Loop(samples) } else { Clip::Samples(samples) });
        }
        PlayItem::File(source) => {
            return sounds.file(source, is_loop).ok_or_else(|| VerbError::NoSuchSound(source.to_string()));
        }
        PlayItem::Tone(name) => {
            return sounds.tone(name).ok_or_else(|| VerbError::NoSuchSound(name.clone().into_owned()));
        }
    };
    sound.map(Clip::Samples).ok_or(VerbError::NoSuchSound(name))
}
