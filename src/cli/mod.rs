//! The command line: `run`, `check`, `explain`, `ctl`, the test phone `call`, and what tells of it all.
#![allow(clippy::disallowed_methods, reason = "a shell: it is here that clocks are read and time-outs kept")]

mod banner;
mod call;
mod check;
mod control;
mod ctl;
mod events;
mod json;
mod limits;
mod log;
mod log_filter;
mod manual;
mod mistakes;
#[cfg(test)]
mod outlets_tests;
mod phone;
mod records;
mod reload;
mod run;
mod scenario;
mod server;
mod speak;
mod wake;
mod wire;

use crate::types::Plain;
use clap::{Args, Parser, Subcommand};
use std::fmt::Display;
use std::io::{self, Write};
use std::net::IpAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::SystemTime;

/// Telephony conference gateway: callers dial a number, key a PIN, and are in the room.
#[derive(Debug, Parser)]
#[command(name = "partyline", version, about)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Starts the gateway.
    Run(ConfigArgument),
    /// Checks the dialplan and tells every mistake, with its place. Exit status 1 if it cannot be used.
    Check(CheckArguments),
    /// Prints the way one call would take, rule by rule. Exit status 1 if it is refused.
    Explain(ExplainArguments),
    /// Asks a running gateway.
    Ctl(ctl::CtlArguments),
    /// A telephone for tests: calls, keys digits, plays a WAV and records what it hears.
    Call(call::CallArguments),
    /// Tries a scenario.
    Scenario(scenario::ScenarioArguments),
    /// Speaks a text into a WAV file, with the voice that callers hear: to listen to it, or to make a prompt.
    Speak(speak::SpeakArguments),
    /// Prints the version.
    Version {
        /// As JSON.
        #[arg(long)]
        json: bool,
    },
    /// Prints what makes a shell complete these commands: partyline completions bash > /etc/bash_completion.d/partyline
    Completions {
        /// The shell.
        shell: clap_complete::Shell,
    },
    /// Writes the man pages, one for each command: partyline man /usr/local/share/man/man1
    Man {
        /// The folder they go to.
        folder: PathBuf,
    },
}

#[derive(Debug, Args)]
struct ConfigArgument {
    /// The dialplan.
    #[arg(long, value_name = "FILE", default_value = "dialplan.toml")]
    config: PathBuf,
}

#[derive(Debug, Args)]
struct CheckArguments {
    #[command(flatten)]
    config: ConfigArgument,
    /// As JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
#[group(id = "origin", required = true, multiple = false, args = ["from", "source"])]
struct ExplainArguments {
    #[command(flatten)]
    config: ConfigArgument,
    /// Where the call comes from: a trunk's name, "users" or "sessions".
    #[arg(long, value_name = "TRUNK")]
    from: Option<String>,
    /// The address it comes from, instead: which trunk is that?
    #[arg(long, value_name = "ADDRESS")]
    source: Option<IpAddr>,
    /// The called number, as the trunk would send it.
    #[arg(long)]
    number: String,
    /// Who calls, as the trunk would write it.
    #[arg(long, value_name = "NUMBER")]
    caller: Option<String>,
    /// What the caller keys, with the terminator: 482917#
    #[arg(long)]
    digits: Option<String>,
    /// When it comes, as 2026-12-24T18:00:00Z or "2026-12-24 18:00:00" (UTC).
    #[arg(long, value_name = "TIME", value_parser = time)]
    at: Option<SystemTime>,
    /// As JSON.
    #[arg(long)]
    json: bool,
}

fn time(text: &str) -> Result<SystemTime, String> {
    humantime::parse_rfc3339_weak(text).map_err(|_| "a time is written as 2026-12-24T18:00:00Z".to_owned())
}

/// Runs the command that the arguments name.
#[must_use]
pub fn main() -> ExitCode {
    match Arguments::parse().command {
        Command::Run(arguments) => run::run(&arguments.config),
        Command::Check(arguments) => check::check(&arguments),
        Command::Explain(arguments) => check::explain(&arguments),
        Command::Ctl(arguments) => ctl::ctl(&arguments),
        Command::Call(arguments) => call::call(arguments),
        Command::Scenario(arguments) => scenario::scenario(&arguments),
        Command::Speak(arguments) => speak::speak(&arguments),
        Command::Version { json } => manual::version(json),
        Command::Completions { shell } => manual::completions(shell),
        Command::Man { folder } => manual::pages(&folder),
    }
}

/// Text of several lines, of which each is plain.
fn plain_lines(text: &str) -> String {
    text.split_inclusive('\n').fold(String::with_capacity(text.len()), |plain, line| match line.strip_suffix('\n') {
        Some(line) => plain + &Plain(line).to_string() + "\n",
        None => plain + &Plain(line).to_string(),
    })
}

/// Prints what was asked for. A reader that goes away early (`| head`) is no failure.
fn print(text: &str, status: ExitCode) -> ExitCode {
    match io::stdout().write_all(plain_lines(text).as_bytes()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => fail(&error),
        _ => status,
    }
}

fn print_json(value: &impl serde::Serialize, status: ExitCode) -> ExitCode {
    match json::pretty(value) {
        Ok(json) => print(&json, status),
        Err(error) => fail(&error),
    }
}

/// Says on standard output what is going on, in a line. Where nobody listens any more, what goes on is not to stop.
fn say(line: impl Display) {
    let _ = writeln!(io::stdout(), "{}", Plain(line));
}

/// Tells something on standard error. Where nobody can be told, the exit status has to do.
fn tell(text: impl Display) {
    let _ = writeln!(io::stderr(), "{text}");
}

/// An error on its way to the person at the terminal.
fn fail(error: &dyn Display) -> ExitCode {
    tell(format_args!("partyline: {error}"));
    ExitCode::FAILURE
}
