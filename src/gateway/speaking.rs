//! Texts that an administrator has said to a call or a room: spoken outside, played sentence by sentence.

use super::{Audience, Gateway, Level, Output, Refusal, Reply, Rule};
use crate::media::command::{Clip, Pcm};
use crate::types::{Now, PlayerId, UnitId};
use std::collections::{BTreeMap, VecDeque};

/// A text on its way to those who are to hear it.
#[derive(Debug)]
pub(super) struct Speech {
    /// The administrator's request.
    asked: u64,
    to: Audience,
    /// Sentences that are ready.
    ready: VecDeque<Pcm>,
    playing: Option<PlayerId>,
    /// No sentence is to come.
    is_whole: bool,
    /// Whoever asked knows that it has begun.
    is_answered: bool,
}

/// All of them, by the name that [`Output::Synthesize`] gave them.
pub(super) type Speeches = BTreeMap<u64, Speech>;

impl Gateway {
    /// Says a text to a call or a room. Where it has to be spoken first there is no reply yet.
    pub(super) fn say_to(&mut self, asked: u64, to: Audience, text: String) -> Option<Reply> {
        let language = match self.listener(&to) {
            Ok(UnitId::Leg(call)) => self.language_of_call(call),
            Ok(_) => self.plan.gateway.language.clone(),
            Err(why) => return Some(Reply::Error(why)),
        };
        if let Some(sound) = self.players.sounds.text(&language, &text) {
            return Some(self.play_sound(&to, Clip::Samples(sound)));
        }
        let speech = Speech { asked, to, ready: VecDeque::new(), playing: None, is_whole: false, is_answered: false };
        let id = self.fresh_id();
        self.speeches.insert(id, speech);
        self.effects.output(Output::Synthesize { id, language, text, for_caller: false });
        None
    }

    /// A sentence is ready, or cannot be said: then none follows.
    pub(super) fn on_sound(&mut self, now: Now, id: u64, sound: Result<Pcm, String>, is_last: bool) {
        let Some(speech) = self.speeches.get_mut(&id) else {
            return self.on_streamed_sound(now, id, sound, is_last);
        };
        match sound {
            Ok(sound) => {
                speech.ready.push_back(sound);
                speech.is_whole = is_last;
            }
            Err(why) if speech.is_answered => {
                speech.is_whole = true;
                self.log(Level::Warn, None, "text not said to its end", why);
            }
            Err(why) => {
                speech.is_whole = true;
                return self.end_speech(id, Refusal::new(Rule::NoSuchSound, why));
            }
        }
        self.go_on_speaking(id);
    }

    /// A sentence was heard to its end, or the one who heard it is gone.
    pub(super) fn on_sentence_finished(&mut self, id: u64, completed: bool) {
        let Some(speech) = self.speeches.get_mut(&id) else { return };
        speech.playing = None;
        if completed {
            self.go_on_speaking(id)
        } else {
            self.end_speech(id, Refusal::new(Rule::Failed, "it was cut off"))
        }
    }

    /// Plays the next sentence, if there is one and none is being played.
    fn go_on_speaking(&mut self, id: u64) {
        let Some(speech) = self.speeches.get_mut(&id).filter(|speech| speech.playing.is_none()) else { return };
        let Some(sound) = speech.ready.pop_front() else {
            if speech.is_whole {
                self.speeches.remove(&id);
            }
            return;
        };
        let to = speech.to.clone();
        let sink = match self.listener(&to) {
            Ok(UnitId::Leg(call)) => match self.free_to_hear(call) {
                Ok(()) => UnitId::Leg(call),
                Err(why) => return self.refuse_speech(id, why),
            },
            Ok(sink) => sink,
            Err(why) => return self.refuse_speech(id, why),
        };
        self.effects.output(Output::SpeechHeard { id, length: sound.duration() });
        let player = self.players.say(&mut self.effects, id, sink, Clip::Samples(sound));
        let Some(speech) = self.speeches.get_mut(&id) else { return };
        speech.playing = Some(player);
        let asked = speech.asked;
        if !std::mem::replace(&mut speech.is_answered, true) {
            let whom = match to {
                Audience::Call(name) => name,
                Audience::Room(name) => format!("room {name}"),
            };
            self.effects.reply(asked, Reply::Done(format!("saying it to {whom}")));
        }
    }

    /// The next sentence cannot be played. Whoever asked has their answer already, if another one was.
    fn refuse_speech(&mut self, id: u64, why: Refusal) {
        if self.speeches.get(&id).is_some_and(|speech| speech.is_answered) {
            self.log(Level::Warn, None, "text not said to its end", why.to_string());
        }
        self.end_speech(id, why);
    }

    fn end_speech(&mut self, id: u64, why: Refusal) {
        let Some(speech) = self.speeches.remove(&id) else { return };
        if !speech.is_whole {
            self.effects.output(Output::CancelSpeech { id });
        }
        if !speech.is_answered {
            self.effects.reply(speech.asked, Reply::Error(why));
        }
    }
}
