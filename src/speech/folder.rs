//! A folder of prompts as it lies on the disk.

use super::error::SoundError;
use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

/// What one language's folder holds.
#[derive(Debug, Default)]
pub(super) struct LanguageFolder {
    /// Texts by name, of `catalogue.toml`.
    pub texts: BTreeMap<String, String>,
    /// The `.wav` files by name.
    pub sounds: BTreeMap<String, PathBuf>,
}

/// The folders in `dir` that are named like languages, sorted. None where `dir` does not exist.
pub(super) fn languages(dir: &Path, mistakes: &mut Vec<SoundError>) -> Vec<(String, PathBuf)> {
    let folders = entries(dir, mistakes).into_iter().filter(|(_, path)| path.is_dir());
    folders.filter(|(name, _)| is_language(name)).collect()
}

impl LanguageFolder {
    /// Reads all of `dir` but the sounds; what cannot be read is added to `mistakes`.
    pub(super) fn read(dir: &Path, mistakes: &mut Vec<SoundError>) -> Self {
        let mut folder = Self::default();
        for (file, path) in entries(dir, mistakes) {
            if file == "catalogue.toml" {
                match std::fs::read_to_string(&path) {
                    Ok(text) => folder.texts = texts(&text, &path, mistakes),
                    Err(error) => mistakes.push(SoundError::new(path, format!("cannot be read: {error}"))),
                }
            } else if let Some(name) = file.strip_suffix(".wav") {
                if is_name(name) {
                    folder.sounds.insert(name.to_owned(), path);
                } else {
                    mistakes.push(SoundError::new(path, NAME_RULE));
                }
            }
        }
        folder
    }
}

const NAME_RULE: &str = "a prompt's name is made of a-z, 0-9 and hyphens";

/// The texts of a `catalogue.toml`: name = "text", nothing else.
pub(super) fn texts(toml: &str, path: &Path, mistakes: &mut Vec<SoundError>) -> BTreeMap<String, String> {
    let table = match toml.parse::<toml::Table>() {
        Ok(table) => table,
        Err(error) => {
            let before = error.span().and_then(|span| toml.get(..span.start)).unwrap_or_default();
            let line = before.matches('\n').count() + 1;
            mistakes.push(SoundError::new(path, format!("line {line}: {}", error.message())));
            return BTreeMap::new();
        }
    };
    let mut texts = BTreeMap::new();
    for (name, value) in table {
        match value {
            _ if !is_name(&name) => mistakes.push(SoundError::new(path, format!("{name:?}: {NAME_RULE}"))),
            toml::Value::String(text) if !text.trim().is_empty() => drop(texts.insert(name, text)),
            _ => mistakes.push(SoundError::new(path, format!("{name}: its text is missing: {name} = \"…\""))),
        }
    }
    texts
}

/// The visible entries of a folder with UTF-8 names, sorted, so that mistakes come in the same order each time.
fn entries(dir: &Path, mistakes: &mut Vec<SoundError>) -> Vec<(String, PathBuf)> {
    let listed = match std::fs::read_dir(dir) {
        Ok(listed) => listed,
        Err(error) if error.kind() == ErrorKind::NotFound => return Vec::new(),
        Err(error) => {
            mistakes.push(SoundError::new(dir, format!("cannot be listed: {error}")));
            return Vec::new();
        }
    };
    let mut entries: Vec<(String, PathBuf)> = listed
        .filter_map(Result::ok)
        .filter_map(|entry| Some((entry.file_name().into_string().ok()?, entry.path())))
        .filter(|(name, _)| !name.starts_with('.'))
        .collect();
    entries.sort();
    entries
}

fn is_name(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
}

/// `en`, `en-GB`, `zh-Hant-TW` (BCP 47, its common part).
fn is_language(name: &str) -> bool {
    let mut parts = name.split('-');
    let primary = parts.next().unwrap_or_default();
    let alphanumeric = |part: &str| part.bytes().all(|byte| byte.is_ascii_alphanumeric());
    (2..=3).contains(&primary.len())
        && primary.bytes().all(|byte| byte.is_ascii_alphabetic())
        && parts.all(|part| (1..=8).contains(&part.len()) && alphanumeric(part))
}
