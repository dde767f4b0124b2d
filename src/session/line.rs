//! One caller as a session drives it: one playback and one timer at a time, under handles of the session's own.

use super::{CallHandle, PlayItem, PlaybackHandle, RoomHandle, TimerHandle, Unit, Verb, VerbError, Verbs};
use crate::dialplan::Say;
use std::borrow::Cow;
use std::time::Duration;

/// What is heard where a prompt cannot be: a short tone that asks for the next key, or the busy tone before a hangup.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fallback {
    Beep,
    Busy,
}

impl Fallback {
    const fn item(self) -> PlayItem {
        match self {
            Self::Beep => PlayItem::Tone(Cow::Borrowed("join")),
            Self::Busy => PlayItem::Tone(Cow::Borrowed("busy")),
        }
    }
}

/// The caller of a session. A handle is used once, so that a late event about an old playback or timer is told from the
/// current one.
#[derive(Debug)]
pub(super) struct Line {
    call: CallHandle,
    playing: Option<Playing>,
    timer: Option<TimerHandle>,
    playbacks: u32,
    timers: u32,
    rooms: u32,
}

#[derive(Debug)]
struct Playing {
    playback: PlaybackHandle,
    items: Vec<PlayItem>,
    fallback: Option<Fallback>,
}

impl Line {
    pub(super) const fn new(call: CallHandle) -> Self {
        Self { call, playing: None, timer: None, playbacks: 0, timers: 0, rooms: 0 }
    }

    /// A second telephone of a session, its handles apart from those of the first.
    pub(super) const fn beside(call: CallHandle) -> Self {
        const FIRST: u32 = 1 << 20;
        Self { call, playing: None, timer: None, playbacks: FIRST, timers: FIRST, rooms: FIRST }
    }

    pub(super) const fn call(&self) -> CallHandle {
        self.call
    }

    pub(super) const fn unit(&self) -> Unit {
        Unit::Call(self.call)
    }

    /// A handle for a room.
    pub(super) fn new_room(&mut self) -> RoomHandle {
        self.rooms = self.rooms.wrapping_add(1);
        RoomHandle(self.rooms)
    }

    /// Plays to the caller alone, in place of what plays now.
    pub(super) fn play(&mut self, items: Vec<PlayItem>, fallback: Fallback, out: &mut Verbs) {
        self.start(items, Some(fallback), out);
    }

    fn start(&mut self, items: Vec<PlayItem>, fallback: Option<Fallback>, out: &mut Verbs) {
        self.playbacks = self.playbacks.wrapping_add(1);
        let playback = PlaybackHandle(self.playbacks);
        out.push(Verb::Play { to: self.unit(), playback, items: items.clone(), repeat: false });
        self.playing = Some(Playing { playback, items, fallback });
    }

    /// Stops what plays, if anything does.
    pub(super) fn stop(&mut self, out: &mut Verbs) {
        if let Some(playing) = self.playing.take() {
            out.push(Verb::StopPlayback { playback: playing.playback });
        }
    }

    /// Whether it is the current playback that finished; it is not the current one afterwards.
    pub(super) fn finished(&mut self, playback: PlaybackHandle) -> bool {
        let current = self.playing.as_ref().is_some_and(|playing| playing.playback == playback);
        if current {
            self.playing = None;
        }
        current
    }

    /// A Play failed: plays what is left without the sound that is missing, then the fallback. Says whether anything
    /// plays.
    pub(super) fn play_instead(&mut self, error: &VerbError, out: &mut Verbs) -> bool {
        let Some(playing) = self.playing.take() else { return false };
        let VerbError::NoSuchSound(missing) = error else { return false };
        let before = playing.items.len();
        let left: Vec<_> = playing.items.into_iter().filter(|item| !is_sound(item, missing)).collect();
        if !left.is_empty() && left.len() < before {
            self.start(left, playing.fallback, out);
        } else if let Some(fallback) = playing.fallback {
            self.start(vec![fallback.item()], None, out);
        }
        self.playing.is_some()
    }

    /// Sets the timer, in place of the one set before.
    pub(super) fn arm(&mut self, after: Duration, out: &mut Verbs) {
        self.disarm(out);
        self.timers = self.timers.wrapping_add(1);
        let timer = TimerHandle(self.timers);
        self.timer = Some(timer);
        out.push(Verb::SetTimer { timer, after });
    }

    /// Clears the timer, if it is set.
    pub(super) fn disarm(&mut self, out: &mut Verbs) {
        if let Some(timer) = self.timer.take() {
            out.push(Verb::ClearTimer { timer });
        }
    }

    /// Whether it is the current timer that came due; it is spent then.
    pub(super) fn due(&mut self, timer: TimerHandle) -> bool {
        let current = self.timer == Some(timer);
        if current {
            self.timer = None;
        }
        current
    }
}

/// What a dialplan says, as something to play.
pub(super) fn item(say: &Say) -> PlayItem {
    match say {
        Say::Prompt(name) => PlayItem::Prompt(name.clone()),
        Say::Text(text) => PlayItem::Text(text.clone()),
        Say::File(path) => PlayItem::File(path.clone()),
    }
}

fn is_sound(item: &PlayItem, name: &str) -> bool {
    match item {
        PlayItem::Prompt(text) | PlayItem::Text(text) | PlayItem::TextIn { text, .. } => text == name,
        PlayItem::File(source) => source.to_string() == name,
        PlayItem::Tone(tone) => tone == name,
        PlayItem::Silence(_) | PlayItem::Made { .. } => false,
    }
}
