//! What the gateway asks of whoever keeps the prompts.

use crate::dialplan::SoundSource;
use crate::media::command::{Clip, Pcm};

/// Prompts and tones by name, decoded already: asking never reads a file.
pub trait Sounds: Send + Sync {
    /// A prompt of the catalogue in a language.
    fn prompt(&self, language: &str, name: &str) -> Option<Pcm>;
    /// The prompt of the catalogue that says this text.
    fn text(&self, language: &str, text: &str) -> Option<Pcm>;
    /// A sound that the dialplan names, a file or a URL: over and over if it is a loop. Where it is not there now, what is
    /// usual in its place.
    fn file(&self, source: &SoundSource, is_loop: bool) -> Option<Clip>;
    /// A tone: "join", "leave", "ringback", "busy", "hold".
    fn tone(&self, name: &str) -> Option<Clip>;
}
