//! `partyline check` and `partyline explain`.

use super::{ExplainArguments, fail};
use crate::dialplan::{self, Files};
use crate::{net, speech};
use std::io::IsTerminal;
use std::path::Path;
use std::process::ExitCode;

/// This machine's environment and files, with what the speech module knows of sounds.
pub(super) fn checks() -> Files {
    Files::default()
        .with_sounds(|path| speech::load_file(path).map(drop).map_err(|error| error.to_string()))
        .with_prompts(speech::list_prompts)
        .with_certificates(|certificate, key| match key {
            Some(key) => net::load_certificate(certificate, key).map(drop).map_err(|error| error.to_string()),
            None => net::load_roots(certificate).map(drop).map_err(|error| error.to_string()),
        })
}

pub(super) fn check(config: &Path) -> ExitCode {
    let colours = std::io::stderr().is_terminal();
    match dialplan::load(config, &checks()) {
        Ok(loaded) => {
            if !loaded.warnings.is_empty() {
                eprintln!("{}", loaded.warnings.render(colours));
            }
            println!("{}: {}", config.display(), loaded.summary());
            ExitCode::SUCCESS
        }
        Err(found) => {
            eprintln!("{}", found.render(colours));
            ExitCode::FAILURE
        }
    }
}

pub(super) fn explain(arguments: &ExplainArguments) -> ExitCode {
    let colours = std::io::stderr().is_terminal();
    let loaded = match dialplan::load(&arguments.config.config, &checks()) {
        Ok(loaded) => loaded,
        Err(found) => return fail(&format_args!("the dialplan has mistakes\n{}", found.render(colours))),
    };
    match dialplan::explain::explain(&loaded.plan, &arguments.from, &arguments.number, arguments.digits.as_deref()) {
        Ok(way) => {
            print!("{way}");
            ExitCode::SUCCESS
        }
        Err(error) => fail(&error),
    }
}
