//! Requests that the gateway's shell answers.

use super::{CtlArguments, no_answer, send};
use crate::cli::wire::{Ask, ReloadOutcome, Reloaded, ShellReply, ShellRequest};
use crate::cli::{fail, print, print_json, tell};
use std::io::{self, BufRead};
use std::process::ExitCode;
use std::time::Duration;

/// A dialplan of ten thousand rooms and its sounds are read in less, and another load may go on first.
const PATIENCE: Duration = Duration::from_secs(120);

pub(super) fn ask(arguments: &CtlArguments, request: ShellRequest) -> ExitCode {
    match answer(arguments, request) {
        Err(error) => no_answer(arguments, &error),
        Ok(ShellReply::Error(error)) if arguments.json => print_json(&ShellReply::Error(error), ExitCode::FAILURE),
        Ok(ShellReply::Error(error)) => fail(&error),
        Ok(reply @ ShellReply::Log { .. }) if arguments.json => print_json(&reply, ExitCode::SUCCESS),
        Ok(ShellReply::Log { level, before }) => {
            let before = before.map_or_else(String::new, |before| format!(", it was at {before}"));
            print(&format!("the log is at {level}{before}\n"), ExitCode::SUCCESS)
        }
        Ok(ShellReply::Reload(reloaded)) => tell_reload(&reloaded, arguments.json),
    }
}

fn answer(arguments: &CtlArguments, request: ShellRequest) -> io::Result<ShellReply> {
    let mut answer = String::new();
    send(arguments, &Ask::Shell(request), PATIENCE)?.read_line(&mut answer)?;
    Ok(serde_json::from_str(&answer)?)
}

fn tell_reload(reloaded: &Reloaded, json: bool) -> ExitCode {
    let is_refused = reloaded.outcome == ReloadOutcome::Refused;
    let status = if is_refused { ExitCode::FAILURE } else { ExitCode::SUCCESS };
    if json {
        return print_json(reloaded, status);
    }
    let what = match reloaded.outcome {
        ReloadOutcome::Loaded => "the dialplan is reloaded",
        ReloadOutcome::Unchanged => "the dialplan is as it was",
        ReloadOutcome::Refused => {
            return fail(&format_args!("the dialplan is not reloaded, the old one stands\n{}", reloaded.mistakes));
        }
    };
    if !reloaded.mistakes.is_empty() {
        tell(&reloaded.mistakes);
    }
    let waiting = reloaded.restart_needed.iter();
    let waiting = waiting.map(|name| format!("gateway.{name} has changed, and is as it was until a restart\n"));
    print(&format!("{what}: {}\n{}", reloaded.summary, waiting.collect::<String>()), status)
}
