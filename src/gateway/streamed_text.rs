//! Texts that sessions play and that nobody has said yet: spoken outside, and heard while they are spoken.

use super::players::Owner;
use super::timer::Timer;
use super::{Gateway, Level, Output, SessionId};
use crate::media::command::{Clip, Command, Pcm, Stream, StreamSample};
use crate::session::{self, VerbError};
use crate::types::{Now, PlayerId};
use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

/// How much sound the player's stream holds, seconds.
const STREAM: usize = 20;
/// Longest wait for the first sentence: then the prompt that stands in is played.
const FIRST_SENTENCE: Duration = Duration::from_secs(3);
/// Longest wait for any other one, once all before it is heard: then the text is over.
const NEXT_SENTENCE: Duration = Duration::from_secs(30);
/// How often the stream is filled up while more is ready than it holds.
const REFILL: Duration = Duration::from_secs(5);

/// A text on its way to a player that plays already, and is silent while nothing is there.
#[derive(Debug)]
pub(super) struct StreamedText {
    player: PlayerId,
    text: String,
    /// What is played where nobody says the text.
    stand_in: Option<Pcm>,
    stream: rtrb::Producer<StreamSample>,
    /// Sentences that the stream has no room for yet.
    ready: VecDeque<Pcm>,
    /// Samples of the first of them that it holds.
    written: usize,
    has_begun: bool,
    /// No sentence is to come.
    is_whole: bool,
}

/// All of them, by the name that [`Output::Synthesize`] gave them.
pub(super) type StreamedTexts = BTreeMap<u64, StreamedText>;

impl StreamedText {
    /// Moves what is ready into the stream, as far as there is room. Gives the length of the sentences that are all in
    /// it.
    fn fill(&mut self) -> Duration {
        let mut moved = Duration::ZERO;
        while let Some(sound) = self.ready.front() {
            let left = sound.narrow().len().saturating_sub(self.written);
            let count = left.min(self.stream.slots());
            let samples = (self.written..self.written + count).map(|at| sound.stream_sample(at));
            if let Ok(chunk) = self.stream.write_chunk_uninit(count) {
                self.written += chunk.fill_from_iter(samples);
            }
            if count < left {
                break;
            }
            moved += sound.duration();
            self.written = 0;
            self.ready.pop_front();
        }
        moved
    }

    /// Whether the player has played all that the stream held.
    fn is_drained(&self) -> bool {
        self.stream.slots() == self.stream.buffer().capacity()
    }
}

impl Gateway {
    /// Has a text said that a player is to play. Gives what it plays meanwhile.
    pub(super) fn stream_text(
        &mut self,
        now: Now,
        session: SessionId,
        player: PlayerId,
        language: &str,
        text: String,
    ) -> Clip {
        let sounds = self.sessions.get(&session).map_or(&*self.players.sounds, |session| &*session.sounds);
        let unspoken = sounds.unspoken(language, &text);
        let (stream, clip) = Stream::new(STREAM * 8_000);
        let id = self.fresh_id();
        let streamed = StreamedText {
            player,
            text: text.clone(),
            stand_in: unspoken.stand_in,
            stream,
            ready: VecDeque::new(),
            written: 0,
            has_begun: false,
            is_whole: false,
        };
        self.streamed.insert(id, streamed);
        self.effects.timers.set(Timer::StreamedText(id), now.instant + FIRST_SENTENCE);
        self.effects.output(Output::Synthesize { id, language: unspoken.language, text, for_caller: true });
        Clip::Stream(clip)
    }

    /// A sentence is ready, or cannot be said: then none follows.
    pub(super) fn on_streamed_sound(&mut self, now: Now, id: u64, sound: Result<Pcm, String>, is_last: bool) {
        let Some(streamed) = self.streamed.get_mut(&id).filter(|streamed| !streamed.is_whole) else { return };
        match sound {
            Ok(sound) => {
                streamed.ready.push_back(sound);
                streamed.has_begun = true;
                streamed.is_whole = is_last;
                self.go_on_streaming(now, id);
            }
            Err(why) => {
                streamed.is_whole = true;
                self.end_early(now, id, why);
            }
        }
    }

    /// It is time to fill up the stream, or too late for a sentence.
    pub(super) fn on_streamed_timer(&mut self, now: Now, id: u64) {
        let Some(streamed) = self.streamed.get(&id) else { return };
        if streamed.has_begun && !(streamed.ready.is_empty() && streamed.is_drained()) {
            self.go_on_streaming(now, id);
        } else {
            self.end_early(now, id, "no voice was ready in time".to_owned());
        }
    }

    fn go_on_streaming(&mut self, now: Now, id: u64) {
        let Some(streamed) = self.streamed.get_mut(&id) else { return };
        let length = streamed.fill();
        let (is_over, wait) = match (streamed.ready.is_empty(), streamed.is_whole) {
            // The player ends with what its stream holds, once nobody writes to it.
            (true, true) => (true, Duration::ZERO),
            (true, false) => (false, NEXT_SENTENCE),
            (false, _) => (false, REFILL),
        };
        if is_over {
            self.streamed.remove(&id);
            self.effects.timers.clear(Timer::StreamedText(id));
            return;
        }
        self.effects.timers.set(Timer::StreamedText(id), now.instant + wait);
        if !length.is_zero() {
            self.effects.output(Output::SpeechHeard { id, length });
        }
    }

    /// No other sentence comes. Where none came at all, the prompt that stands in is played, or the session is told.
    fn end_early(&mut self, now: Now, id: u64, why: String) {
        let Some(streamed) = self.streamed.get_mut(&id) else { return };
        let (player, text) = (streamed.player, streamed.text.clone());
        if !std::mem::replace(&mut streamed.is_whole, true) {
            self.effects.output(Output::CancelSpeech { id });
        }
        let call = self.players.call_of(player);
        self.log_limited(now, Level::Warn, call, "text not said to its end", || format!("{text:?}: {why}"));
        let Some(streamed) = self.streamed.get_mut(&id) else { return };
        let stand_in = if streamed.has_begun { None } else { streamed.stand_in.take() };
        if streamed.has_begun || stand_in.is_some() {
            streamed.has_begun = true;
            streamed.ready.extend(stand_in);
            self.go_on_streaming(now, id);
        } else {
            self.fail_playback(now, player, text);
        }
    }

    /// What a session plays cannot be played after all: it hears that instead of its end.
    pub(super) fn fail_playback(&mut self, now: Now, player: PlayerId, missing: String) {
        self.end_streams_of(player);
        self.media(Command::StopPlayer { player });
        let Some(Owner::Session { session, playback, call }) = self.players.finished(player) else { return };
        let is_current = self.forget_playback(now, player, session, playback, call);
        let error = VerbError::NoSuchSound(missing);
        match call {
            // Another one has taken its place.
            _ if !is_current => {
                self.emit(session, session::Event::PlaybackFinished { playback, completed: false });
            }
            Some(call) => self.emit_of(call, |call| session::Event::VerbFailed { call: Some(call), error }),
            None => self.emit(session, session::Event::VerbFailed { call: None, error }),
        }
    }

    /// A player is gone: what is said or fetched for it is of no use any further.
    pub(super) fn end_streams_of(&mut self, player: PlayerId) {
        self.players.forget_fetching(player);
        if self.streamed.is_empty() {
            return;
        }
        let (gone, left) =
            std::mem::take(&mut self.streamed).into_iter().partition(|(_, streamed)| streamed.player == player);
        self.streamed = left;
        let gone: StreamedTexts = gone;
        for (id, streamed) in gone {
            self.effects.timers.clear(Timer::StreamedText(id));
            if !streamed.is_whole {
                self.effects.output(Output::CancelSpeech { id });
            }
        }
    }
}
