//! The prompts of all languages, decoded.

use super::error::{CatalogueError, SoundError};
use super::file::{SoundFiles, decode};
use super::listing::{DEFAULT_LANGUAGE, Listed, Listing, Source, are_dialects, words};
use super::tones;
use crate::media::command::{Clip, Pcm};
use std::collections::BTreeMap;
use std::path::Path;

/// What prompts of the binary said in earlier versions: a dialplan that says it means the prompt.
pub(super) const FORMER_TEXTS: [(&str, &str); 7] = [
    ("enter-pin", "Hello, please enter your conference pin using keypad and press pound key to join the conference."),
    ("enter-pin", "Please enter your conference PIN, followed by the pound key."),
    ("wrong-pin", "Sorry, this PIN is not correct. Please try again."),
    ("too-short", "Sorry, this PIN is too short. Please try again."),
    ("no-input", "Sorry, nothing was entered. Please try again."),
    ("too-short", "Sorry, this PIN is too short."),
    ("pin-blocked", "PINs are not accepted from this telephone number for now. Please try again later. Goodbye."),
];

/// All prompts and tones, ready to be played. Cheap to ask, meant to be shared; a reload makes a new one.
#[derive(Debug, Clone)]
pub struct Catalogue {
    languages: BTreeMap<String, Language>,
    tones: BTreeMap<&'static str, Clip>,
}

#[derive(Debug, Clone, Default)]
struct Language {
    prompts: BTreeMap<String, Prompt>,
}

#[derive(Debug, Clone)]
struct Prompt {
    /// `None` for a WAV file that no catalogue.toml speaks of.
    text: Option<String>,
    sound: Pcm,
}

impl Catalogue {
    /// The prompts in the binary alone.
    #[must_use]
    pub fn built_in() -> Self {
        let mut mistakes = Vec::new();
        let catalogue = Self::decode(Listing::built_in(), &SoundFiles::default(), &mut mistakes);
        debug_assert_eq!(mistakes, [], "a test decodes every one; should one fail all the same, it is missing");
        catalogue
    }

    /// The prompts in the binary, and over them those of `dir/<language>/`. A `dir` that does not exist adds nothing.
    ///
    /// In a language's folder each `<name>.wav` is a prompt; `catalogue.toml` beside them gives the texts. A text
    /// without a WAV file is a mistake, except where the binary has a prompt of that name and the same text.
    ///
    /// # Errors
    /// Every file that cannot be read or does not fit, all of them at once, sorted.
    pub fn load(dir: &Path) -> Result<Self, CatalogueError> {
        let mut mistakes = Vec::new();
        let listing = Listing::read(dir, |_| true, &mut mistakes);
        Self::whole(listing, &SoundFiles::default(), mistakes)
    }

    /// The same for some languages alone, and what their other dialects add: reading all of them takes its time. Files
    /// that are `decoded` already are not read again.
    ///
    /// # Errors
    /// As for [`Catalogue::load`].
    pub fn load_used(dir: &Path, used: &[&str], decoded: &SoundFiles) -> Result<Self, CatalogueError> {
        let mut mistakes = Vec::new();
        let listing = Listing::read_used(dir, used, &mut mistakes);
        Self::whole(listing, decoded, mistakes)
    }

    fn whole(listing: Listing, decoded: &SoundFiles, mut mistakes: Vec<SoundError>) -> Result<Self, CatalogueError> {
        let catalogue = Self::decode(listing, decoded, &mut mistakes);
        if mistakes.is_empty() { Ok(catalogue) } else { Err(CatalogueError::sorted(mistakes)) }
    }

    /// Decodes each prompt once. One that cannot be is left out, and told.
    fn decode(listing: Listing, decoded: &SoundFiles, mistakes: &mut Vec<SoundError>) -> Self {
        let mut prompt = |(name, Listed { text, source }): (String, Listed)| {
            let sound = match source {
                Source::BuiltIn(wav) => {
                    decode(wav).map_err(|problem| SoundError::new(format!("{name}.wav in the binary"), problem))
                }
                Source::File(path) => decoded.load_prompt(&path),
            };
            let sound = sound.map_err(|mistake| mistakes.push(mistake)).ok()?;
            Some((name, Prompt { text, sound }))
        };
        let languages = listing.languages.into_iter();
        let languages = languages.map(|(language, prompts)| {
            (language, Language { prompts: prompts.into_iter().filter_map(&mut prompt).collect() })
        });
        let languages = languages.collect();
        let tones = tones::TONES.into_iter().filter_map(|name| Some((name, tones::tone(name)?))).collect();
        Self { languages, tones }
    }

    /// The prompt `name` in `language`; else in another dialect of it (`en-US` → `en-GB`); else in
    /// [`DEFAULT_LANGUAGE`], since words that a caller may not understand are better than silence.
    #[must_use]
    pub fn get(&self, language: &str, name: &str) -> Option<Pcm> {
        self.find(language, |prompts| prompts.get(name)).map(|prompt| prompt.sound.clone())
    }

    /// The prompt whose text is `text`, but for capitals, punctuation and white space; languages as for
    /// [`Catalogue::get`].
    #[must_use]
    pub fn by_text(&self, language: &str, text: &str) -> Option<Pcm> {
        let wanted = words(text);
        if wanted.is_empty() {
            return None;
        }
        let same = |prompt: &&Prompt| prompt.text.as_deref().is_some_and(|text| words(text) == wanted);
        let found = self.find(language, |prompts| prompts.values().find(same)).map(|prompt| prompt.sound.clone());
        let former = || FORMER_TEXTS.iter().find(|(_, text)| words(text) == wanted);
        found.or_else(|| former().and_then(|(name, _)| self.get(language, name)))
    }

    /// The text of the prompt that [`Catalogue::get`] gives.
    #[must_use]
    pub fn text(&self, language: &str, name: &str) -> Option<&str> {
        self.find(language, |prompts| prompts.get(name))?.text.as_deref()
    }

    /// A tone by name: `join`, `leave`, `ringback`, `busy`; the last two loop.
    #[must_use]
    pub fn tone(&self, name: &str) -> Option<Clip> {
        self.tones.get(name).cloned()
    }

    /// The languages there are prompts in, sorted.
    pub fn languages(&self) -> impl Iterator<Item = &str> {
        self.languages.keys().map(String::as_str)
    }

    /// The prompts of exactly this language: name and text, sorted by name.
    pub fn prompts(&self, language: &str) -> impl Iterator<Item = (&str, Option<&str>)> {
        let language = self.languages.get(language).into_iter();
        language.flat_map(|language| &language.prompts).map(|(name, prompt)| (name.as_str(), prompt.text.as_deref()))
    }

    /// The prompts that `language` lacks and [`DEFAULT_LANGUAGE`] has: worth a warning.
    pub fn missing(&self, language: &str) -> impl Iterator<Item = &str> {
        let prompts = self.languages.get(language).map(|language| &language.prompts);
        let lacks = move |name: &&str| prompts.is_none_or(|prompts| !prompts.contains_key(*name));
        self.prompts(DEFAULT_LANGUAGE).map(|(name, _)| name).filter(lacks)
    }

    /// The first prompt that `choose` finds: in `language`, in its dialects, in the default language.
    fn find<'a>(
        &'a self,
        language: &str,
        choose: impl Fn(&'a BTreeMap<String, Prompt>) -> Option<&'a Prompt>,
    ) -> Option<&'a Prompt> {
        let rank = |name: &str| {
            if name.eq_ignore_ascii_case(language) {
                0
            } else if are_dialects(name, language) {
                1
            } else if name == DEFAULT_LANGUAGE {
                2
            } else {
                3
            }
        };
        (0..3).find_map(|wanted| {
            let mut ranked = self.languages.iter().filter(|(name, _)| rank(name) == wanted);
            ranked.find_map(|(_, language)| choose(&language.prompts))
        })
    }
}
