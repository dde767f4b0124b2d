//! What `scenario` of a route names.

use super::{SoundSource, SoundUrl};
use std::fmt;
use std::sync::Arc;

/// The longest source of a scenario, in characters.
pub const LONGEST_SCENARIO: usize = 256 * 1_024;

/// A JavaScript scenario, as it was when the dialplan was loaded.
#[derive(Clone, PartialEq, Eq)]
pub struct Scenario {
    /// Its name: that of the file `scenarios/NAME.js` beside the dialplan.
    pub name: String,
    /// Its text. At most [`LONGEST_SCENARIO`] characters.
    pub source: Arc<str>,
    /// What the route hands to it. Default empty.
    pub custom_data: String,
    /// Sounds whose URLs stand in its text, to be had before anybody is to hear them.
    pub sounds: Vec<SoundSource>,
}

/// The URLs of sounds that stand in a script as strings of their own, each once.
#[must_use]
pub fn sounds_of(source: &str) -> Vec<SoundSource> {
    /// More than any script has.
    const MOST: usize = 32;
    let mut found: Vec<SoundSource> = Vec::new();
    for (at, _) in source.match_indices("http") {
        let (before, rest) = source.split_at(at);
        let Some(quote) = before.chars().next_back().filter(|c| matches!(c, '"' | '\'' | '`')) else { continue };
        let Some((text, _)) = rest.split_once(quote) else { continue };
        let is_sound = |url: &SoundUrl| {
            let path = url.get().path().to_ascii_lowercase();
            [".mp3", ".wav", ".ogg", ".oga", ".flac"].iter().any(|form| path.ends_with(form))
        };
        let Some(url) = SoundUrl::read(text).ok().filter(is_sound).map(SoundSource::Url) else { continue };
        if found.len() < MOST && !found.contains(&url) {
            found.push(url);
        }
    }
    found
}

impl fmt::Debug for Scenario {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Scenario").field("name", &self.name).field("octets", &self.source.len()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sounds_are_found_where_their_urls_stand_alone() {
        let script = r#"
            call.startPlayback("http://example.com/a.mp3", true); call.startPlayback('https://example.com/b.WAV?x=y');
            Net.httpRequest("https://example.com/api"); play("http://example.com/a.mp3"); // http://example.com/c.mp3
            play("http://example.com/" + name + ".mp3"); play(`http://example.com/d.ogg`); play("http://example.com/e.flac
        "#;
        let found: Vec<String> = sounds_of(script).iter().map(ToString::to_string).collect();
        assert_eq!(found, ["http://example.com/a.mp3", "https://example.com/b.WAV", "http://example.com/d.ogg"]);
    }
}
