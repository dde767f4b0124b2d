//! All sounds one dialplan needs, read when it is.

use super::catalogue::FORMER_TEXTS;
use super::{Catalogue, CatalogueError, DEFAULT_LANGUAGE, load_file};
use crate::dialplan::{Plan, PromptText, Say};
use crate::gateway::Sounds;
use crate::media::command::{Clip, Pcm};
use std::collections::HashMap;
use std::path::{Path, PathBuf};

/// The prompt catalogue, and the files the dialplan names.
#[derive(Debug)]
pub struct Library {
    catalogue: Catalogue,
    files: HashMap<PathBuf, Pcm>,
}

impl Library {
    /// Reads the prompt folder and every sound file of a plan.
    ///
    /// # Errors
    /// All files that cannot be used, each with its name and what is wrong with it.
    pub fn load(plan: &Plan) -> Result<Self, CatalogueError> {
        let mut wrong = Vec::new();
        let catalogue = match Catalogue::load(&plan.gateway.prompts) {
            Ok(catalogue) => catalogue,
            Err(CatalogueError(errors)) => {
                wrong.extend(errors);
                Catalogue::built_in()
            }
        };
        let mut files = HashMap::new();
        for path in sound_files(plan) {
            match load_file(path) {
                Ok(sound) => {
                    files.insert(path.clone(), sound);
                }
                Err(error) => wrong.push(error),
            }
        }
        if wrong.is_empty() { Ok(Self { catalogue, files }) } else { Err(CatalogueError(wrong)) }
    }
}

impl Sounds for Library {
    fn prompt(&self, language: &str, name: &str) -> Option<Pcm> {
        self.catalogue.get(language, name)
    }

    fn text(&self, language: &str, text: &str) -> Option<Pcm> {
        self.catalogue.by_text(language, text)
    }

    fn file(&self, path: &Path) -> Option<Pcm> {
        self.files.get(path).cloned()
    }

    fn tone(&self, name: &str) -> Option<Clip> {
        self.catalogue.tone(name)
    }
}

fn sound_files(plan: &Plan) -> impl Iterator<Item = &PathBuf> {
    let says = plan.ivrs.iter().flat_map(|ivr| {
        let prompts = &ivr.prompts;
        let greetings = ivr.greetings.iter().map(|greeting| &greeting.say);
        let others = [
            &ivr.say,
            &prompts.wrong,
            &prompts.short,
            &prompts.timeout,
            &prompts.goodbye,
            &prompts.blocked,
            &prompts.first,
            &prompts.full,
        ];
        greetings.chain(others).chain(&prompts.joining)
    });
    says.filter_map(|say| if let Say::File(path) = say { Some(path) } else { None })
}

/// The prompts of a language, for the check of a dialplan: those of the folder and those in the binary.
///
/// # Errors
/// What is wrong with the folder.
pub fn list_prompts(folder: &Path, language: &str) -> Result<Option<Vec<PromptText>>, String> {
    let catalogue = Catalogue::load(folder).map_err(|error| error.to_string())?;
    let prompts = catalogue.prompts(language).map(|(name, text)| PromptText {
        name: name.to_owned(),
        text: text.unwrap_or_default().to_owned(),
        former: false,
    });
    let mut prompts: Vec<PromptText> = prompts.collect();
    if language == DEFAULT_LANGUAGE {
        let former = FORMER_TEXTS.iter();
        prompts.extend(former.map(|(name, text)| PromptText {
            name: (*name).into(),
            text: (*text).into(),
            former: true,
        }));
    }
    Ok(Some(prompts))
}
