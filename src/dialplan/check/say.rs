//! What is said: a prompt, a text or a file, and whether it is there.

use super::Checker;
use crate::dialplan::plan::{FetchSettings, Gateway, Say, SoundSource};
use crate::dialplan::raw::{Field, RawSay};
use crate::dialplan::suggestion;
use crate::dialplan::world::PromptText;
use std::ops::Range;
use toml::Spanned;

/// The language a thing is said in, and what the message about a missing language points at.
pub(super) struct Voice<'a> {
    pub gateway: &'a Gateway,
    pub language: &'a str,
    pub place: Range<usize>,
}

/// What is said. A plain string is a prompt's name if the catalogue has it, else a text if it looks like one.
pub(super) fn say(checker: &mut Checker<'_>, voice: &Voice<'_>, raw: &RawSay, span: Range<usize>) -> Say {
    match raw {
        RawSay::Plain(text) => {
            let is_name = !text.get_ref().is_empty()
                && text.get_ref().bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_');
            if is_name { prompt(checker, voice, text.get_ref(), text.span()) } else { spoken(checker, voice, text) }
        }
        RawSay::Table(table) => match (table.prompt.get(), table.text.get(), table.file.get()) {
            (Some(name), None, None) => prompt(checker, voice, name.get_ref(), name.span()),
            (None, Some(text), None) => spoken(checker, voice, text),
            (None, None, Some(file)) => sound(checker, &voice.gateway.fetch, file),
            (None, None, None) if !(table.prompt.is_absent() && table.text.is_absent() && table.file.is_absent()) => {
                Say::Text(String::new())
            }
            _ => {
                checker
                    .sink
                    .error(span, "one thing is said at a time")
                    .label("one of `prompt`, `text` and `file`")
                    .help("for example: { file = \"welcome.wav\" }");
                Say::Text(String::new())
            }
        },
    }
}

pub(super) fn sound(checker: &mut Checker<'_>, fetch: &FetchSettings, file: &Spanned<String>) -> Say {
    // What it is taken for goes nowhere: a mistake was told.
    source(checker, fetch, file).map_or_else(|| Say::Text(String::new()), Say::File)
}

/// What is played over and over.
pub(super) fn music(checker: &mut Checker<'_>, fetch: &FetchSettings, field: &Field<String>) -> Option<SoundSource> {
    source(checker, fetch, field.get()?)
}

/// A sound file, which can be played, or a URL, which can be asked.
fn source(checker: &mut Checker<'_>, fetch: &FetchSettings, written: &Spanned<String>) -> Option<SoundSource> {
    let source = match SoundSource::read(written.get_ref(), checker.base) {
        Ok(source) => source,
        Err(reason) => {
            checker
                .sink
                .error(written.span(), "this sound cannot be fetched")
                .label(reason)
                .help("for example \"https://music.example/hold.mp3\", or the path of a file");
            return None;
        }
    };
    if let SoundSource::Url(url) = &source
        && url.has_secrets()
    {
        checker.sink.secret(written.span());
    }
    if let Err(reason) = checker.checks.sound(&source, fetch) {
        let help = match source {
            SoundSource::File(_) => {
                "give a sound file that this user can read; relative paths begin at the dialplan's folder"
            }
            SoundSource::Url(_) => "allow its network: [gateway] fetch = { allow = [\"…\"] }",
        };
        let mistake = checker.sink.error(written.span(), format!("this sound cannot be played: {source}"));
        mistake.label(reason).help(help);
    }
    Some(source)
}

/// A prompt by name; `span` is what a message about it points at.
pub(super) fn prompt(checker: &mut Checker<'_>, voice: &Voice<'_>, name: &str, span: Range<usize>) -> Say {
    if let Some(prompts) = catalogue(checker, voice)
        && !prompts.iter().any(|prompt| prompt.name == name)
    {
        let names: Vec<&str> = prompts.iter().map(|prompt| prompt.name.as_str()).collect();
        let help = suggestion::sentence(name, names.iter().copied(), "the catalogue is empty");
        checker
            .sink
            .error(span, format!("there is no prompt `{name}` in {}", voice.language))
            .label("not in the catalogue")
            .help(help);
    }
    Say::Prompt(name.to_owned())
}

fn spoken(checker: &mut Checker<'_>, voice: &Voice<'_>, text: &Spanned<String>) -> Say {
    if !text.get_ref().chars().any(char::is_alphanumeric) {
        checker.sink.error(text.span(), "there is nothing to say").label("empty").help("write a text, or { file = … }");
        return Say::Text(text.get_ref().clone());
    }
    let Some(prompts) = catalogue(checker, voice) else { return Say::Text(text.get_ref().clone()) };
    match prompts.iter().find(|prompt| prompt.text == *text.get_ref()) {
        Some(prompt) if prompt.former => {
            checker
                .sink
                .warning(text.span(), format!("prompt `{}` says something else now", prompt.name))
                .label("its former text")
                .help(format!("write: {{ prompt = \"{}\" }}", prompt.name));
            return Say::Prompt(prompt.name.clone());
        }
        Some(_) => {}
        None => {
            if let Err(missing) = checker.checks.voice(&voice.gateway.data, voice.language) {
                checker
                    .sink
                    .warning(text.span(), "nobody here can say this text: a prompt is played instead")
                    .label(missing)
                    .help("install espeak-ng, run `make voice`, or record it and write { file = \"….wav\" }");
            }
        }
    }
    Say::Text(text.get_ref().clone())
}

/// Tells a language without prompts.
pub(super) fn know(checker: &mut Checker<'_>, voice: &Voice<'_>) {
    catalogue(checker, voice);
}

/// The prompts of a language, if they are known; a language without any is told once.
fn catalogue(checker: &mut Checker<'_>, voice: &Voice<'_>) -> Option<Vec<PromptText>> {
    if let Some(known) = checker.prompts.get(voice.language) {
        return known.clone();
    }
    let folder = &voice.gateway.prompts;
    let found = checker.checks.prompts(folder, voice.language).unwrap_or_else(|reason| {
        checker
            .sink
            .error(voice.place.clone(), format!("there are no prompts for `{}`", voice.language))
            .label(reason)
            .help(format!("they are looked for in {}", folder.join(voice.language).display()));
        None
    });
    checker.prompts.insert(voice.language.to_owned(), found.clone());
    found
}
