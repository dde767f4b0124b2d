//! What the gateway asks of whoever keeps the prompts.

use crate::media::command::{Clip, Pcm};
use std::path::Path;

/// Prompts and tones by name, decoded already: asking never reads a file.
pub trait Sounds: Send + Sync {
    /// A prompt of the catalogue in a language.
    fn prompt(&self, language: &str, name: &str) -> Option<Pcm>;
    /// The prompt of the catalogue that says this text.
    fn text(&self, language: &str, text: &str) -> Option<Pcm>;
    /// A sound file that the dialplan names.
    fn file(&self, path: &Path) -> Option<Pcm>;
    /// A tone: "join", "leave", "ringback", "busy", "hold".
    fn tone(&self, name: &str) -> Option<Clip>;
}
