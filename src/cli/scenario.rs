//! `partyline scenario test`: a scenario without a telephone.

mod words;

use super::server::now;
use super::{fail, print};
use crate::scenarios::Second;
use crate::session::scenario::{Fetched, Runtime, Script, Setup, Turn};
use crate::session::{Alerting, CallHandle, DialCause, Ending, Event, Party, PlaybackHandle, TimerHandle};
use crate::types::Seed;
use clap::{Args, Subcommand};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

#[derive(Debug, Args)]
pub(super) struct ScenarioArguments {
    #[command(subcommand)]
    command: ScenarioCommand,
}

#[derive(Debug, Subcommand)]
enum ScenarioCommand {
    /// Runs a scenario without a telephone: tells it events from a file, and prints what it asks for. Exit status 1 if
    /// it fails.
    Test(TestArguments),
}

#[derive(Debug, Args)]
struct TestArguments {
    /// The scenario, a JavaScript file.
    file: PathBuf,
    /// What happens, a JSON list: [{"incoming": {"call": "in1"}}, {"answered": "in1"}, …]; docs/scenarios.md has them
    /// all.
    #[arg(long, value_name = "FILE")]
    events: Option<PathBuf>,
    /// What VoxEngine.customData() says.
    #[arg(long, value_name = "TEXT", default_value = "")]
    custom_data: String,
}

/// One thing that happens, as the file has it. Calls are `in1`, `in2` (that come in) and `out1`, `out2` (that the
/// scenario makes), in the order in which they are made.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Happening {
    Incoming(Incoming),
    Ringing(String),
    EarlyMedia(String),
    Answered(String),
    Failed(Failed),
    Ended(String),
    Tone(Tone),
    Message(Message),
    Held(Held),
    Transferred(Failed),
    /// The call's first packet.
    FirstPacket(String),
    Playing(Playing),
    /// The playback of that number has reached its end.
    Played(u32),
    Timer(u32),
    Fetched(Answered),
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Incoming {
    call: String,
    #[serde(default)]
    from: String,
    name: Option<String>,
    #[serde(default)]
    number: String,
    #[serde(default)]
    headers: BTreeMap<String, String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Failed {
    call: String,
    code: u16,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Tone {
    call: String,
    tone: char,
}

/// A playback begins, of so many milliseconds.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Playing {
    playback: u32,
    #[serde(default)]
    length: u64,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Held {
    call: String,
    on: bool,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Message {
    call: String,
    text: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Answered {
    request: u32,
    code: u16,
    #[serde(default)]
    text: String,
}

pub(super) fn scenario(arguments: &ScenarioArguments) -> ExitCode {
    let ScenarioCommand::Test(arguments) = &arguments.command;
    match test(arguments) {
        Ok((told, status)) => print(&told, status),
        Err(why) => fail(&why),
    }
}

fn test(arguments: &TestArguments) -> Result<(String, ExitCode), String> {
    let source = read(&arguments.file)?;
    let events: Vec<serde_json::Value> = match &arguments.events {
        Some(path) => serde_json::from_str(&read(path)?).map_err(|error| format!("{}: {error}", path.display()))?,
        None => Vec::new(),
    };
    let setup = Setup {
        session: "test".to_owned(),
        custom_data: arguments.custom_data.clone(),
        access: Default::default(),
        seed: Seed::fixed(1),
    };
    let mut runtime = Runtime::new(setup, Second::default()).map_err(|fault| fault.to_string())?;
    let file = arguments.file.file_name().unwrap_or_default().to_string_lossy();
    let mut told = String::new();
    let turn = runtime.begin(now(), &Script::compile(&file, &source));
    if tell(&mut told, "the script begins", &turn) {
        return Ok((told, ExitCode::FAILURE));
    }
    for (n, written) in events.into_iter().enumerate() {
        let title = written.to_string();
        let wrong = |why: &dyn std::fmt::Display| format!("event {}, {title}: {why}", n + 1);
        let happening = serde_json::from_value(written).map_err(|error| wrong(&error))?;
        let turn = match happening {
            Happening::Fetched(Answered { request, code, text }) => {
                let body = text.clone().into_bytes();
                runtime.fetched(now(), request, &Fetched { code, text, body, ..Fetched::default() })
            }
            other => runtime.handle(now(), &event(other).map_err(|error| wrong(&error))?),
        };
        if tell(&mut told, &title, &turn) {
            return Ok((told, ExitCode::FAILURE));
        }
    }
    Ok((told, ExitCode::SUCCESS))
}

/// Writes what came of something. Says whether the scenario has failed.
fn tell(told: &mut String, title: &str, turn: &Turn) -> bool {
    // A String takes all that is written.
    let _ = writeln!(told, "{title}");
    for line in &turn.lines {
        let _ = writeln!(told, "    log: {line}");
    }
    for verb in &turn.verbs {
        let _ = writeln!(told, "    {}", words::of(verb));
    }
    for fetch in &turn.fetches {
        let _ = writeln!(told, "    request {}: {} {}", fetch.id, fetch.method, fetch.url);
    }
    for ask in &turn.sockets {
        if let Some(words) = words::of_socket(ask) {
            let _ = writeln!(told, "    {words}");
        }
    }
    for record in &turn.recordings {
        let _ = writeln!(told, "    recording {}", record.recording);
    }
    if let Some(fault) = &turn.end {
        let _ = writeln!(told, "    FAILED: {fault}");
    }
    turn.end.is_some()
}

fn read(path: &Path) -> Result<String, String> {
    std::fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))
}

/// The call of that name.
fn call(name: &str) -> Result<CallHandle, String> {
    let number = |prefix| name.strip_prefix(prefix).and_then(|n| n.parse::<u32>().ok()).filter(|n| *n > 0);
    match (number("in"), number("out")) {
        (Some(n), _) if n <= CallHandle::FIRST_GIVEN.0 => Ok(CallHandle(CallHandle::FIRST_GIVEN.0 + (n - 1))),
        (_, Some(n)) if CallHandle(n).is_own() => Ok(CallHandle(n)),
        _ => Err(format!("{name} is no call: calls are in1, in2 … and out1, out2 …")),
    }
}

fn event(happening: Happening) -> Result<Event, String> {
    Ok(match happening {
        Happening::Incoming(Incoming { call: name, from, name: shown, number, headers }) => Event::Incoming {
            call: call(&name)?,
            from: Party { number: from, name: shown },
            alerting: Some(Box::new(Alerting { to: number.clone(), headers: headers.into_iter().collect() })),
            number,
        },
        Happening::Ringing(name) => Event::Ringing { call: call(&name)?, tone: "ringback".into() },
        Happening::EarlyMedia(name) => Event::EarlyMedia { call: call(&name)? },
        Happening::Answered(name) => Event::Answered { call: call(&name)? },
        Happening::Failed(Failed { call: name, code }) => {
            let cause = match code {
                402 => DialCause::Refused("a rule".to_owned()),
                404 => DialCause::NoSuchNumber,
                486 => DialCause::Busy,
                603 => DialCause::Declined,
                _ => DialCause::NoAnswer,
            };
            Event::DialFailed { call: call(&name)?, cause, status: code }
        }
        Happening::Ended(name) => {
            let ending = Ending { by_peer: true, reason: "hung up".into(), talked: Duration::ZERO };
            Event::Ended { call: call(&name)?, ending }
        }
        Happening::Tone(Tone { call: name, tone }) => Event::Digit { call: call(&name)?, digit: tone },
        Happening::Message(Message { call: name, text }) => Event::Message { call: call(&name)?, text },
        Happening::Held(Held { call: name, on }) => Event::Held { call: call(&name)?, on },
        Happening::Transferred(Failed { call: name, code }) => {
            Event::Referred { call: call(&name)?, status: code, reason: String::new() }
        }
        Happening::FirstPacket(name) => Event::FirstPacket { call: call(&name)? },
        Happening::Playing(Playing { playback, length }) => Event::PlaybackStarted {
            playback: PlaybackHandle(playback),
            length: Some(Duration::from_millis(length)).filter(|length| !length.is_zero()),
        },
        Happening::Played(playback) => Event::PlaybackFinished { playback: PlaybackHandle(playback), completed: true },
        Happening::Timer(timer) => Event::Timer { timer: TimerHandle(timer) },
        Happening::Fetched(_) => return Err("it is no event".to_owned()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_have_names() {
        assert_eq!(call("in1"), Ok(CallHandle::FIRST_GIVEN));
        assert_eq!(call("out2"), Ok(CallHandle(2)));
        for wrong in ["", "in", "in0", "out0", "in99999999999", "x1"] {
            assert!(call(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_scenario_is_told_each_event_and_what_it_asks_for_is_shown() {
        let folder = std::env::temp_dir().join(format!("partyline-scenario-test-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let write = |name: &str, text: &str| {
            let path = folder.join(name);
            std::fs::write(&path, text).unwrap();
            path
        };
        let file = write(
            "a.js",
            "VoxEngine.addEventListener(AppEvents.CallAlerting, ({ call }) => {
                 call.addEventListener(CallEvents.Connected, () => call.say('Hello'));
                 call.addEventListener(CallEvents.PlaybackFinished, () => { throw new Error('enough') });
                 call.answer(); Logger.write('answered'); Net.httpRequest('http://example.com/', (r) => Logger.write(r.text));
             })",
        );
        let events = write(
            "events.json",
            r#"[{"incoming": {"call": "in1", "from": "1", "headers": {"X-A": "b"}}}, {"answered": "in1"},
                {"fetched": {"request": 1, "code": 200, "text": "hi"}}, {"played": 1}]"#,
        );
        let arguments = TestArguments { file, events: Some(events), custom_data: String::new() };
        let (told, _) = test(&arguments).unwrap();
        let indented: Vec<&str> = told.lines().filter(|line| line.starts_with("    ")).map(str::trim).collect();
        assert_eq!(
            indented,
            [
                "log: answered",
                "answer in1",
                "request 1: GET http://example.com/",
                "play 1 to in1: \"Hello\"",
                "log: hi",
                "FAILED: Error: enough (a.js:3:87)",
            ],
            "{told}"
        );
        let bad = write("bad.json", r#"[{"answered": "nobody"}]"#);
        let why = test(&TestArguments { events: Some(bad), ..arguments }).unwrap_err();
        assert!(why.starts_with("event 1, {\"answered\":\"nobody\"}: nobody is no call"), "{why}");
        std::fs::remove_dir_all(&folder).unwrap();
    }
}
