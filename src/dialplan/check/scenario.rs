//! The scenario that a route leads to: a file of its name, read once.

use super::Checker;
use crate::dialplan::plan::{LONGEST_SCENARIO, Scenario, sounds_of};
use crate::dialplan::raw::RawRoute;
use std::path::Path;
use std::sync::Arc;
use toml::Spanned;

/// The folder of scenarios, beside the dialplan.
const FOLDER: &str = "scenarios";
/// The longest text that a route hands to its scenario, in characters.
const LONGEST_DATA: usize = 4_096;

pub(super) fn check(checker: &mut Checker<'_>, raw: &RawRoute, name: &Spanned<String>) -> Option<Arc<Scenario>> {
    let custom_data = raw.custom_data.get().map_or_else(String::new, |data| data.get_ref().clone());
    if let Some(data) = raw.custom_data.get().filter(|_| custom_data.chars().count() > LONGEST_DATA) {
        checker.sink.error(data.span(), "this is more than a scenario is handed").label("longer than 4096 characters");
        return None;
    }
    let is_named = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '_' | '-' | '.');
    let text = name.get_ref().as_str();
    if text.is_empty() || text.len() > 64 || text.starts_with('.') || !text.chars().all(is_named) {
        checker
            .sink
            .error(name.span(), "this cannot be the name of a scenario")
            .label("letters, digits, `_`, `-` and `.`, at most 64")
            .help(format!("scenario = \"VideoConference\" is the file {FOLDER}/VideoConference.js"));
        return None;
    }
    let file = Path::new(FOLDER).join(format!("{text}.js"));
    let source = match read(checker, &checker.base.join(&file)) {
        Ok(source) => source,
        Err(why) => {
            let mistake = checker.sink.error(name.span(), format!("the scenario {} cannot be used", file.display()));
            mistake.label(why).help("scenarios lie beside the dialplan, in the folder `scenarios`");
            return None;
        }
    };
    let sounds = sounds_of(&source);
    Some(Arc::new(Scenario { name: text.to_owned(), source, custom_data, sounds }))
}

/// The text of a scenario, read when it is first named.
fn read(checker: &mut Checker<'_>, path: &Path) -> Result<Arc<str>, String> {
    if let Some(known) = checker.scenarios.get(path) {
        return known.clone();
    }
    let read = checker.checks.scenario(path).and_then(|text| {
        if text.chars().count() > LONGEST_SCENARIO {
            return Err("longer than 256 K characters".to_owned());
        }
        Ok(Arc::from(text))
    });
    checker.scenarios.insert(path.to_owned(), read.clone());
    read
}
