//! Which prompts there are, by language and name, with what each says and where its sound is. Nothing is decoded here.

use super::built_in;
use super::error::SoundError;
use super::folder::{self, LanguageFolder};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// The language of the prompts in the binary, and of a prompt that its own language lacks.
pub const DEFAULT_LANGUAGE: &str = "en-GB";

/// Where the sound of a prompt is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Source {
    /// In the binary: a WAV file.
    BuiltIn(&'static [u8]),
    /// On the disk.
    File(PathBuf),
}

/// A prompt that is not decoded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Listed {
    /// `None` for a WAV file that no catalogue.toml speaks of.
    pub text: Option<String>,
    pub source: Source,
}

/// The prompts of one language by name.
pub(super) type Prompts = BTreeMap<String, Listed>;

/// The prompts of several languages.
#[derive(Debug)]
pub(super) struct Listing {
    pub languages: BTreeMap<String, Prompts>,
}

impl Listing {
    /// The prompts in the binary alone.
    pub(super) fn built_in() -> Self {
        let mut mistakes = Vec::new();
        let texts = folder::texts(built_in::CATALOGUE, Path::new("catalogue.toml"), &mut mistakes);
        debug_assert_eq!(mistakes, [], "a test reads the built-in catalogue");
        let prompt = |(name, wav): &(&str, &'static [u8])| {
            ((*name).to_owned(), Listed { text: texts.get(*name).cloned(), source: Source::BuiltIn(wav) })
        };
        let english = built_in::SOUNDS.iter().map(prompt).collect();
        Self { languages: BTreeMap::from([(DEFAULT_LANGUAGE.to_owned(), english)]) }
    }

    /// The prompts in the binary, and over them those of `dir/<language>/`, for each language that is wanted.
    pub(super) fn read(dir: &Path, is_wanted: impl Fn(&str) -> bool, mistakes: &mut Vec<SoundError>) -> Self {
        let mut listing = Self::built_in();
        for (name, path) in folder::languages(dir, mistakes).into_iter().filter(|(name, _)| is_wanted(name)) {
            let folder = LanguageFolder::read(&path, mistakes);
            let known = listing.languages.keys().find(|known| known.eq_ignore_ascii_case(&name)).cloned();
            add(listing.languages.entry(known.unwrap_or(name)).or_default(), folder, &path, mistakes);
        }
        listing
    }

    /// The same for languages that are used. Of their other dialects only what they lack, or say in other words, is
    /// kept: nothing else of those can be played.
    pub(super) fn read_used(dir: &Path, used: &[&str], mistakes: &mut Vec<SoundError>) -> Self {
        let is_used = |name: &str| used.iter().any(|used| used.eq_ignore_ascii_case(name));
        let listing = Self::read(dir, |name| used.iter().any(|used| are_dialects(name, used)), mistakes);
        let (mut languages, others): (BTreeMap<_, _>, BTreeMap<_, _>) =
            listing.languages.into_iter().partition(|(name, _)| is_used(name) || name == DEFAULT_LANGUAGE);
        let of = |language: &str| {
            let found = languages.iter().find(|(name, _)| name.eq_ignore_ascii_case(language));
            found.map(|(_, prompts)| prompts)
        };
        let is_needed = |dialect: &str, name: &str, prompt: &Listed| {
            let speakers = used.iter().filter(|language| are_dialects(language, dialect));
            let mut theirs = speakers.map(|language| of(language).and_then(|prompts: &Prompts| prompts.get(name)));
            theirs.any(|theirs| theirs.is_none_or(|theirs| theirs.words() != prompt.words()))
        };
        let needed = others.into_iter().map(|(dialect, mut prompts)| {
            prompts.retain(|name, prompt| is_needed(&dialect, name, prompt));
            (dialect, prompts)
        });
        let needed: Vec<_> = needed.collect();
        languages.extend(needed);
        Self { languages }
    }
}

impl Listed {
    fn words(&self) -> Option<String> {
        self.text.as_deref().map(words)
    }
}

/// Lays a folder over what there is of its language.
fn add(prompts: &mut Prompts, folder: LanguageFolder, path: &Path, mistakes: &mut Vec<SoundError>) {
    let LanguageFolder { mut texts, sounds } = folder;
    for (name, text) in &texts {
        let missing = |why: &str| SoundError::new(path.join(format!("{name}.wav")), why);
        match prompts.get(name) {
            _ if sounds.contains_key(name) => {}
            Some(built_in) if built_in.words() == Some(words(text)) => {}
            Some(_) => mistakes
                .push(missing("is missing, and the binary's prompt of this name has another text than catalogue.toml")),
            None => mistakes.push(missing("is missing, though catalogue.toml has its text")),
        }
    }
    for (name, file) in sounds {
        // Without a text of its own, a new recording of a known prompt is taken to say the same.
        let known = prompts.get(&name).and_then(|prompt| prompt.text.clone());
        let text = texts.remove(&name).or(known);
        prompts.insert(name, Listed { text, source: Source::File(file) });
    }
}

/// Whether two languages differ in their regions at most.
pub(super) fn are_dialects(one: &str, other: &str) -> bool {
    primary(one).eq_ignore_ascii_case(primary(other))
}

/// The language without its region: `en` of `en-GB`.
fn primary(language: &str) -> &str {
    language.split_once('-').map_or(language, |(primary, _)| primary)
}

/// What is said, without how it is written.
pub(super) fn words(text: &str) -> String {
    let part = |c: char| !c.is_alphanumeric() && c != '\'';
    text.split(part).filter(|word| !word.is_empty()).map(str::to_lowercase).collect::<Vec<_>>().join(" ")
}
