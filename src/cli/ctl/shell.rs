//! Requests that the gateway's shell answers.

use super::{CtlArguments, no_answer, send};
use crate::cli::wire::{Ask, ENDING, ReloadOutcome, Reloaded, ShellReply, ShellRequest};
use crate::cli::{fail, print, print_json, tell};
use crate::types::Plain;
use serde_json::Value;
use std::io::{self, BufRead, Write};
use std::process::ExitCode;
use std::time::Duration;

/// A dialplan of ten thousand rooms and its sounds are read in less, and another load may go on first.
const PATIENCE: Duration = Duration::from_secs(120);

pub(super) fn ask(arguments: &CtlArguments, request: ShellRequest) -> ExitCode {
    let follows = matches!(request, ShellRequest::Events { follow: true, .. });
    let answers = send(arguments, &Ask::Shell(request), (!follows).then_some(PATIENCE));
    let (mut answers, json) = match answers {
        Ok(answers) => (answers, arguments.json),
        Err(error) => return no_answer(arguments, &error),
    };
    loop {
        let reply = match read(&mut answers) {
            Ok(reply) => reply,
            Err(error) => return no_answer(arguments, &error),
        };
        return match reply {
            ShellReply::Event(event) => match print_event(&event, json) {
                Ok(()) => continue,
                // A reader that goes away (`| head`) has seen enough.
                Err(error) if error.kind() == io::ErrorKind::BrokenPipe => ExitCode::SUCCESS,
                Err(error) => fail(&error),
            },
            ShellReply::End => ExitCode::SUCCESS,
            ShellReply::Error(_) if json => print_json(&reply, ExitCode::FAILURE),
            ShellReply::Error(error) => fail(&error),
            ShellReply::Reload(reloaded) => tell_reload(&reloaded, json),
            ShellReply::Log { .. } if json => print_json(&reply, ExitCode::SUCCESS),
            ShellReply::Log { level, before } => {
                let before = before.map_or_else(String::new, |before| format!(", it was at {before}"));
                print(&format!("the log is at {level}{before}\n"), ExitCode::SUCCESS)
            }
        };
    }
}

fn read(answers: &mut impl BufRead) -> io::Result<ShellReply> {
    let mut answer = String::new();
    if answers.read_line(&mut answer)? == 0 {
        return Ok(ShellReply::Error(ENDING.to_owned()));
    }
    Ok(serde_json::from_str(&answer)?)
}

/// One line: the event as JSON, or its time, its name, and its fields as `key=value`.
fn print_event(event: &Value, json: bool) -> io::Result<()> {
    if json {
        return writeln!(io::stdout(), "{event}");
    }
    writeln!(io::stdout(), "{}", Plain(event_in_words(event)))
}

fn event_in_words(event: &Value) -> String {
    let text = |key: &str| event[key].as_str().unwrap_or("-");
    let mut line = format!("{} {}", text("at"), text("event"));
    let fields = event.as_object().into_iter().flatten();
    for (key, value) in fields.filter(|(key, value)| !matches!(key.as_str(), "at" | "event") && !value.is_null()) {
        // Quoted where it could be read as several.
        let value = match value.as_str() {
            Some(word) if !word.is_empty() && !word.contains([' ', '"', '=']) => word.to_owned(),
            _ => value.to_string(),
        };
        line = line + " " + key + "=" + &value;
    }
    line
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_is_shown_in_one_line_with_its_fields_as_key_and_value() {
        let event = serde_json::json!({
            "at": "2026-01-01T00:00:00.000Z", "event": "call_ended", "call": "call-3-7", "cause": "refused",
            "cause_detail": "the room is full", "status": null, "talk_ms": 0, "rooms": ["a"], "from": "",
        });
        let words = "2026-01-01T00:00:00.000Z call_ended call=call-3-7 cause=refused \
                     cause_detail=\"the room is full\" from=\"\" rooms=[\"a\"] talk_ms=0";
        assert_eq!(event_in_words(&event), words);
    }
}
