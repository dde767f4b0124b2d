//! All sounds one dialplan needs, read when it is.

use super::catalogue::FORMER_TEXTS;
use super::listing::{self, Listed, Listing};
use super::{Catalogue, CatalogueError, DEFAULT_LANGUAGE, SPEECH_RATE, SoundFiles, Speaker, Text};
use crate::dialplan::{Plan, PromptText, Say, SoundSource};
use crate::gateway::Sounds;
use crate::media::command::{Clip, Pcm};
use crate::sound::{Loader, Source};
use std::collections::{BTreeMap, HashMap};
use std::path::Path;

/// The prompt catalogue, the files the dialplan names, and the texts it says.
#[derive(Debug)]
pub struct Library {
    catalogue: Catalogue,
    /// Files and URLs, and what is usual where they are not there.
    sources: HashMap<SoundSource, (Source, Option<Pcm>)>,
    /// Instead of the tune.
    music: Option<SoundSource>,
    /// What the dialplan says, by language and text.
    spoken: HashMap<(String, String), Pcm>,
}

impl Library {
    /// Reads the prompt folder and every sound of a plan, URLs as far as `loader` has fetched them, and has every text said
    /// that no prompt says. A text that nobody can say is told in the log, and the prompt that is usual in its place is
    /// played instead of it. `decoded` are the files that its check has read.
    ///
    /// # Errors
    /// All files that cannot be used, each with its name and what is wrong with it.
    pub fn load(
        plan: &Plan,
        speaker: Option<&Speaker>,
        loader: &Loader,
        decoded: &SoundFiles,
    ) -> Result<Self, CatalogueError> {
        let mut wrong = Vec::new();
        let catalogue = match Catalogue::load_used(&plan.gateway.prompts, &languages(plan), decoded) {
            Ok(catalogue) => catalogue,
            Err(CatalogueError(errors)) => {
                wrong.extend(errors);
                Catalogue::built_in()
            }
        };
        let says: Vec<Said<'_>> = says(plan).collect();
        let mut sources = HashMap::new();
        for (source, usual) in sounds(plan, &says, &catalogue) {
            if sources.contains_key(source) {
                continue;
            }
            let loaded = match source {
                SoundSource::File(path) => decoded.load(path).map(|sound| loader.file(path, sound)),
                SoundSource::Url(url) => Ok(loader.url(url, &plan.gateway.fetch)),
            };
            match loaded {
                Ok(loaded) => drop(sources.insert(source.clone(), (loaded, usual))),
                Err(error) => wrong.push(error),
            }
        }
        if !wrong.is_empty() {
            return Err(CatalogueError(wrong));
        }
        let mut spoken = HashMap::new();
        for Said { language, say, usual } in says {
            let Say::Text(text) = say else { continue };
            let sound = catalogue.by_text(language, text).or_else(|| speak(speaker, language, text));
            if let Some(sound) = sound.or_else(|| catalogue.get(language, usual)) {
                spoken.insert((language.to_owned(), text.clone()), sound);
            }
        }
        Ok(Self { catalogue, sources, music: plan.gateway.music.clone(), spoken })
    }
}

impl Sounds for Library {
    fn prompt(&self, language: &str, name: &str) -> Option<Pcm> {
        self.catalogue.get(language, name)
    }

    fn text(&self, language: &str, text: &str) -> Option<Pcm> {
        let exact = self.spoken.get(&(language.to_owned(), text.to_owned())).cloned();
        let prompt = || self.catalogue.by_text(language, text);
        // A route's language is that of its prompts: what the dialplan says is said in the language it is written in.
        let of_another = || self.spoken.iter().find(|((_, known), _)| known == text).map(|(_, sound)| sound.clone());
        exact.or_else(prompt).or_else(of_another)
    }

    fn file(&self, source: &SoundSource, is_loop: bool) -> Option<Clip> {
        let (source, usual) = self.sources.get(source)?;
        source.clip(is_loop, usual.as_ref())
    }

    fn tone(&self, name: &str) -> Option<Clip> {
        let music = self.music.as_ref().filter(|_| name == "hold");
        music.and_then(|music| self.file(music, true)).or_else(|| self.catalogue.tone(name))
    }
}

/// The languages that a plan's callers are spoken to in.
fn languages(plan: &Plan) -> Vec<&str> {
    let ivrs = plan.ivrs.iter().map(|ivr| ivr.language.as_str());
    let routes = plan.routes.iter().filter_map(|route| route.language.as_deref());
    ivrs.chain(routes).chain([plan.gateway.language.as_str(), DEFAULT_LANGUAGE]).collect()
}

/// Something the dialplan says.
struct Said<'a> {
    language: &'a str,
    say: &'a Say,
    /// The prompt that is usual in its place.
    usual: &'static str,
}

fn says(plan: &Plan) -> impl Iterator<Item = Said<'_>> {
    plan.ivrs.iter().flat_map(|ivr| {
        let prompts = &ivr.prompts;
        let first = if ivr.collect.is_some() { "enter-pin" } else { "please-wait" };
        let greetings = ivr.greetings.iter().map(move |greeting| (&greeting.say, first));
        let others = [
            (&ivr.say, first),
            (&prompts.wrong, "wrong-pin"),
            (&prompts.short, "too-short"),
            (&prompts.timeout, "no-input"),
            (&prompts.goodbye, "goodbye"),
            (&prompts.blocked, "pin-blocked"),
            (&prompts.first, "first-here"),
            (&prompts.full, "room-full"),
        ];
        let joining = prompts.joining.as_ref().map(|say| (say, "joining"));
        let all = greetings.chain(others).chain(joining);
        all.map(|(say, usual)| Said { language: &ivr.language, say, usual })
    })
}

/// The files and URLs that a plan names, and what is usual in the place of each.
fn sounds<'a>(
    plan: &'a Plan,
    says: &[Said<'a>],
    catalogue: &Catalogue,
) -> impl Iterator<Item = (&'a SoundSource, Option<Pcm>)> {
    let said = says.iter().filter_map(|said| match said.say {
        Say::File(source) => Some((source, catalogue.get(said.language, said.usual))),
        Say::Prompt(_) | Say::Text(_) => None,
    });
    let tune = match catalogue.tone("hold") {
        Some(Clip::Loop(tune)) => Some(tune),
        _ => None,
    };
    let music = plan.rooms.iter().filter_map(|room| room.music.as_ref()).chain(&plan.gateway.music);
    let music = music.map(|music| (music, tune.clone()));
    said.chain(music).collect::<Vec<_>>().into_iter()
}

/// Has a text said. Why that fails goes to the log.
fn speak(speaker: Option<&Speaker>, language: &str, text: &str) -> Option<Pcm> {
    let words = Text { language: language.to_owned(), text: text.to_owned(), rate: SPEECH_RATE };
    match speaker?.render(words) {
        Ok(sound) => Some(sound.into_pcm()),
        Err(error) => {
            tracing::warn!("{text:?} cannot be said: {error}; a prompt is played instead");
            None
        }
    }
}

/// The prompts of a language by name and text: those of the folder and those in the binary. None is decoded.
///
/// # Errors
/// What is wrong with the folder, its sounds left out.
pub fn list_prompts(folder: &Path, language: &str) -> Result<Option<Vec<PromptText>>, String> {
    let mut mistakes = Vec::new();
    let listing = Listing::read_used(folder, &[language], &mut mistakes);
    if mistakes.is_empty() {
        Ok(Some(texts(listing, language)))
    } else {
        Err(CatalogueError::sorted(mistakes).to_string())
    }
}

/// The same, once all the files that a caller of that language may hear are `decoded`.
///
/// # Errors
/// What is wrong with the folder and its sounds.
pub fn check_prompts(decoded: &SoundFiles, folder: &Path, language: &str) -> Result<Option<Vec<PromptText>>, String> {
    let mut mistakes = Vec::new();
    let listing = Listing::read_used(folder, &[language, DEFAULT_LANGUAGE], &mut mistakes);
    for prompt in listing.languages.values().flat_map(BTreeMap::values) {
        if let listing::Source::File(path) = &prompt.source {
            mistakes.extend(decoded.load_prompt(path).err());
        }
    }
    if mistakes.is_empty() {
        Ok(Some(texts(listing, language)))
    } else {
        Err(CatalogueError::sorted(mistakes).to_string())
    }
}

fn texts(mut listing: Listing, language: &str) -> Vec<PromptText> {
    let prompts = listing.languages.remove(language).unwrap_or_default().into_iter();
    let text = |(name, Listed { text, .. })| PromptText { name, text: text.unwrap_or_default(), former: false };
    let mut prompts: Vec<PromptText> = prompts.map(text).collect();
    if language == DEFAULT_LANGUAGE {
        let former = FORMER_TEXTS.iter();
        prompts.extend(former.map(|(name, text)| PromptText {
            name: (*name).into(),
            text: (*text).into(),
            former: true,
        }));
    }
    prompts
}
