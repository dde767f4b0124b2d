//! `partyline check` and `partyline explain`.

use super::mistakes::{Found, found};
use super::{CheckArguments, ExplainArguments, fail, print, print_json, tell};
use crate::audio::codec::Libraries;
use crate::dialplan::explain::{self, Question};
use crate::dialplan::{self, Files, SoundSource};
use crate::net;
use crate::scenarios;
use crate::sound;
use crate::speech::{self, SoundFiles};
use crate::types::AudioCodec;
use serde::Serialize;
use std::io::IsTerminal;
use std::process::ExitCode;
use std::sync::Arc;

/// This machine's environment and files, with what the speech module knows of sounds. Those that the dialplan needs are
/// `decoded` afterwards, and the codecs' `libraries` loaded.
pub(super) fn checks(decoded: &Arc<SoundFiles>, libraries: &Libraries) -> Files {
    let libraries = libraries.clone();
    let (files, prompts) = (Arc::clone(decoded), Arc::clone(decoded));
    Files::default()
        .with_sounds(move |source, fetch| match source {
            SoundSource::File(path) => files.load(path).map(drop).map_err(|error| error.problem),
            SoundSource::Url(url) => sound::check_url(url, fetch),
        })
        .with_prompts(move |folder, language| speech::check_prompts(&prompts, folder, language))
        .with_scenarios(scenarios::check)
        .with_codecs(move |codec| load(codec, &libraries))
        .with_voice(|data, language| speech::can_say(&speech::Paths::within(data), language))
        .with_certificates(|certificate, key| match key {
            Some(key) => net::load_certificate(certificate, key).map(drop).map_err(|error| error.to_string()),
            None => net::load_roots(certificate).map(drop).map_err(|error| error.to_string()),
        })
}

/// Makes sure that this machine can encode and decode a codec, or says why it cannot. What is not built in is loaded.
pub(super) fn load(codec: AudioCodec, libraries: &Libraries) -> Result<(), String> {
    match codec {
        AudioCodec::G729 => libraries.load_g729().map_err(|error| error.to_string()),
        _ => Ok(()),
    }
}

/// What `partyline check --json` prints.
#[derive(Serialize)]
struct Checked {
    file: String,
    good: bool,
    found: Vec<Found>,
}

pub(super) fn check(arguments: &CheckArguments) -> ExitCode {
    let config = &arguments.config.config;
    let result = dialplan::load(config, &checks(&Arc::default(), &Libraries::default()));
    let (good, diagnostics) = match &result {
        Ok(loaded) => (true, &loaded.warnings),
        Err(found) => (false, found),
    };
    let status = if good { ExitCode::SUCCESS } else { ExitCode::FAILURE };
    if arguments.json {
        return print_json(&Checked { file: config.display().to_string(), good, found: found(diagnostics) }, status);
    }
    if !good || !diagnostics.is_empty() {
        tell(diagnostics.render(std::io::stderr().is_terminal()));
    }
    match &result {
        Ok(loaded) => print(&format!("{}: {}\n", config.display(), loaded.summary()), status),
        Err(_) => status,
    }
}

pub(super) fn explain(arguments: &ExplainArguments) -> ExitCode {
    // Which way a call takes does not depend on how a prompt sounds.
    let checks = checks(&Arc::default(), &Libraries::default()).with_prompts(speech::list_prompts);
    let loaded = match dialplan::load(&arguments.config.config, &checks) {
        Ok(loaded) => loaded,
        Err(found) => {
            let colours = std::io::stderr().is_terminal();
            return fail(&format_args!("the dialplan has mistakes\n{}", found.render(colours)));
        }
    };
    let source = arguments.source.map(|source| source.to_string());
    let at = arguments.at.map(|at| humantime::format_rfc3339_seconds(at).to_string());
    let question = Question {
        from: arguments.from.as_deref().or(source.as_deref()).unwrap_or_default(),
        number: &arguments.number,
        caller: arguments.caller.as_deref(),
        digits: arguments.digits.as_deref(),
        at: at.as_deref(),
    };
    match explain::explain(&loaded.plan, &question) {
        Ok(way) => {
            let status = if way.refused.is_some() { ExitCode::FAILURE } else { ExitCode::SUCCESS };
            if arguments.json { print_json(&way, status) } else { print(&way.to_string(), status) }
        }
        Err(error) => fail(&error),
    }
}
