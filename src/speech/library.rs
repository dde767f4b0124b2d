//! All sounds one dialplan needs, read when it is.

use super::catalogue::FORMER_TEXTS;
use super::listing::{self, Listed, Listing};
use super::{Catalogue, CatalogueError, DEFAULT_LANGUAGE, For, SPEECH_RATE, Saying, Sound, SoundFiles, Speaker, Text};
use crate::dialplan::{Plan, PromptText, RouteTarget, Say, SoundSource};
use crate::gateway::{Sounds, Unspoken};
use crate::media::command::{Clip, Pcm};
use crate::sound::{Loader, Source};
use std::collections::{BTreeMap, HashMap};
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The prompt catalogue, the files the dialplan names, and the texts it says.
#[derive(Debug)]
pub struct Library {
    catalogue: Catalogue,
    /// Files and URLs, and what is usual where they are not there.
    sources: HashMap<SoundSource, (Source, Option<Pcm>)>,
    /// Instead of the tune.
    music: Option<SoundSource>,
    /// What the dialplan says, by language and text.
    texts: HashMap<(String, String), SaidText>,
    /// Texts that are being said; they are given up with the library.
    _sayings: Vec<Saying>,
}

/// A text of the dialplan.
#[derive(Debug)]
struct SaidText {
    /// The prompt that is usual in its place.
    usual: &'static str,
    sound: Arc<SharedSound>,
}

/// The sound of a text: that of the prompt that says it, else what is said once it is whole.
#[derive(Debug, Default)]
struct SharedSound(Mutex<Option<Pcm>>);

impl SharedSound {
    fn lock(&self) -> MutexGuard<'_, Option<Pcm>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Library {
    /// Reads the prompt folder and every sound of a plan, URLs as far as `loader` has fetched them. Texts that no
    /// prompt says are read from the disk where they were said before; the others are begun to be said, and there as
    /// soon as they are: nobody waits for a voice. That a text cannot be said is told in the log. `decoded` are the
    /// files that its check has read.
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
        let mut texts = HashMap::new();
        for Said { language, say, usual } in says {
            let Say::Text(text) = say else { continue };
            let sound = catalogue.by_text(language, text);
            let key = (language.to_owned(), text.clone());
            texts.entry(key).or_insert_with(|| SaidText { usual, sound: Arc::new(SharedSound(Mutex::new(sound))) });
        }
        let sayings = have_said(&texts, speaker);
        Ok(Self { catalogue, sources, music: plan.gateway.music.clone(), texts, _sayings: sayings })
    }

    /// A text of the dialplan and the language it is written in. A route's language is that of its prompts.
    fn said(&self, language: &str, text: &str) -> Option<(&str, &SaidText)> {
        let exact = self.texts.get_key_value(&(language.to_owned(), text.to_owned()));
        let found = exact.or_else(|| self.texts.iter().find(|((_, known), _)| known == text));
        found.map(|((language, _), said)| (language.as_str(), said))
    }
}

impl Sounds for Library {
    fn prompt(&self, language: &str, name: &str) -> Option<Pcm> {
        self.catalogue.get(language, name)
    }

    fn text(&self, language: &str, text: &str) -> Option<Pcm> {
        let said = |(_, said): (&str, &SaidText)| said.sound.lock().clone();
        match self.texts.get(&(language.to_owned(), text.to_owned())) {
            Some(exact) => exact.sound.lock().clone(),
            None => self.catalogue.by_text(language, text).or_else(|| self.said(language, text).and_then(said)),
        }
    }

    fn unspoken(&self, language: &str, text: &str) -> Unspoken {
        match self.said(language, text) {
            Some((language, said)) => {
                Unspoken { language: language.to_owned(), stand_in: self.catalogue.get(language, said.usual) }
            }
            None => Unspoken { language: language.to_owned(), stand_in: None },
        }
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
    // A call that a scenario plays one to hears nothing instead where it is not there.
    let scenarios = plan.routes.iter().filter_map(|route| match &route.target {
        RouteTarget::Scenario(scenario) => Some(scenario.sounds.iter().map(|source| (source, None))),
        _ => None,
    });
    said.chain(music).chain(scenarios.flatten()).collect::<Vec<_>>().into_iter()
}

/// Reads from the disk what was said before, and has the rest said.
fn have_said(texts: &HashMap<(String, String), SaidText>, speaker: Option<&Speaker>) -> Vec<Saying> {
    let mut sayings = Vec::new();
    for ((language, text), said) in texts.iter().filter(|(_, said)| said.sound.lock().is_none()) {
        let Some(speaker) = speaker else {
            tracing::warn!("{text:?} cannot be said: there is no speaker; a prompt is played instead");
            continue;
        };
        let words = Text { language: language.clone(), text: text.clone(), rate: SPEECH_RATE };
        if let Some(sound) = speaker.known(&words) {
            *said.sound.lock() = Some(sound.into_pcm());
            continue;
        }
        let (sound, name) = (Arc::clone(&said.sound), text.clone());
        let mut samples = Vec::new();
        let queued = speaker.queue(For::Dialplan, words, move |(piece, is_last)| {
            match piece {
                Ok(piece) => samples.extend(piece.samples),
                Err(error) => {
                    tracing::warn!("{name:?} cannot be said: {error}; a prompt is played instead");
                    return false;
                }
            }
            if is_last {
                let samples = std::mem::take(&mut samples);
                *sound.lock() = Some(Sound { rate: SPEECH_RATE, samples }.into_pcm());
            }
            true
        });
        match queued {
            Ok(saying) => sayings.push(saying),
            Err(error) => tracing::warn!("{text:?} cannot be said: {error}; a prompt is played instead"),
        }
    }
    if !sayings.is_empty() {
        let number = sayings.len();
        tracing::info!(
            "texts of the dialplan that are being said: {number}; until then they are spoken as they are played"
        );
    }
    sayings
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dialplan::{Trusting, parse};
    use crate::speech::synthesis::tests::{ESPEAK, GATED, Machine, until};

    const TEXT: &str = "Welcome to the weekly meeting";

    fn plan() -> Arc<Plan> {
        let text = format!(
            "[trunks.a]\nallow = \"192.0.2.1\"\n[rooms.red]\npin = \"482917\"\n[ivr.b]\nsay = {{ text = \"{TEXT}\" }}\n\
             collect = {{}}\nthen = {{ room = \"by-pin\" }}\ngoodbye = {{ text = \"{TEXT}\" }}\n\
             [[routes]]\nname = \"R\"\nfrom = \"a\"\nnumber = \"1\"\nivr = \"b\"\n"
        );
        parse("dialplan.toml", &text, &Trusting).unwrap().plan
    }

    fn load(machine: &Machine, speaker: &Speaker) -> Library {
        let loader = Loader::start(&machine.paths().cache, crate::sound::Patience::default()).unwrap();
        Library::load(&plan(), Some(speaker), &loader, &SoundFiles::default()).unwrap()
    }

    #[test]
    fn a_start_waits_for_no_voice_and_a_text_is_there_as_soon_as_it_is_said() {
        let machine = Machine::new("library", Some(GATED), None);
        let speaker = machine.speaker();
        let library = load(&machine, &speaker);
        assert_eq!(library.text("en-GB", TEXT), None);
        // Whoever comes now hears it in the language it is in, or what is usual where nobody says it in time.
        let usual = library.prompt("en-GB", "enter-pin");
        assert_eq!(library.unspoken("fr-FR", TEXT), Unspoken { language: "en-GB".into(), stand_in: usual.clone() });
        assert_eq!(library.unspoken("fr-FR", "Bonjour"), Unspoken { language: "fr-FR".into(), stand_in: None });
        machine.open_gate();
        until(|| library.text("en-GB", TEXT).is_some());
        assert_ne!(library.text("fr-FR", TEXT), usual);
        assert_eq!(machine.said(), [TEXT], "it stands in the dialplan twice");
        // The next one finds it on the disk.
        let library = load(&machine, &machine.speaker());
        assert!(library.text("en-GB", TEXT).is_some());
    }

    #[test]
    fn what_stands_in_for_a_text_is_never_taken_for_it() {
        let machine = Machine::new("mute-library", None, Some("cat > /dev/null; exit 1"));
        let speaker = machine.speaker();
        let library = load(&machine, &speaker);
        // All that waits is done when a text that comes after it is.
        assert!(speaker.render(Text { language: "en-GB".into(), text: "Hello".into(), rate: SPEECH_RATE }).is_err());
        assert_eq!(library.text("en-GB", TEXT), None);
        assert_eq!(library.unspoken("en-GB", TEXT).stand_in, library.prompt("en-GB", "enter-pin"));
        // Once somebody can, it is said.
        machine.script("espeak", ESPEAK);
        let library = load(&machine, &speaker);
        until(|| library.text("en-GB", TEXT).is_some());
    }
}
