//! What the gateway asks of whoever keeps the prompts.

use crate::dialplan::SoundSource;
use crate::media::command::{Clip, Pcm};

/// A text that has to be spoken first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unspoken {
    /// The language it is in.
    pub language: String,
    /// What is played where nobody can say it, or not in time.
    pub stand_in: Option<Pcm>,
}

/// Prompts and tones by name, decoded already: asking never reads a file.
pub trait Sounds: Send + Sync {
    /// A prompt of the catalogue in a language.
    fn prompt(&self, language: &str, name: &str) -> Option<Pcm>;
    /// The sound of a text: the prompt that says it, or what was spoken of it before.
    fn text(&self, language: &str, text: &str) -> Option<Pcm>;
    /// What to do where there is no [`Self::text`] (yet).
    fn unspoken(&self, language: &str, text: &str) -> Unspoken {
        let _ = text;
        Unspoken { language: language.to_owned(), stand_in: None }
    }
    /// A sound that the dialplan names, a file or a URL: over and over if it is a loop. Where it is not there now, what
    /// is usual in its place.
    fn file(&self, source: &SoundSource, is_loop: bool) -> Option<Clip>;
    /// A tone: "join", "leave", "ringback", "busy", "hold".
    fn tone(&self, name: &str) -> Option<Clip>;
}
