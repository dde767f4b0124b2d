//! The command line: `run`, `check`, `explain`, `ctl`, and the test phone `call`.
#![allow(clippy::disallowed_methods, reason = "a shell: it is here that clocks are read and time-outs kept")]

mod banner;
mod call;
mod check;
mod control;
mod ctl;
mod limits;
mod memory;
mod phone;
mod records;
mod run;
mod server;
mod wake;

use clap::{Args, Parser, Subcommand};
use std::path::PathBuf;
use std::process::ExitCode;

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
    /// Checks the dialplan and tells every mistake, with its place.
    Check(ConfigArgument),
    /// Prints the way one call would take, rule by rule.
    Explain(ExplainArguments),
    /// Asks a running gateway.
    Ctl(ctl::CtlArguments),
    /// A telephone for tests: calls, keys digits, plays a WAV and records what it hears.
    Call(call::CallArguments),
}

#[derive(Debug, Args)]
struct ConfigArgument {
    /// The dialplan.
    #[arg(long, value_name = "FILE", default_value = "dialplan.toml")]
    config: PathBuf,
}

#[derive(Debug, Args)]
struct ExplainArguments {
    #[command(flatten)]
    config: ConfigArgument,
    /// Where the call comes from: a trunk's name, "users" or "sessions".
    #[arg(long, value_name = "TRUNK")]
    from: String,
    /// The called number, as the trunk would send it.
    #[arg(long)]
    number: String,
    /// What the caller keys, with the terminator: 482917#
    #[arg(long)]
    digits: Option<String>,
}

/// Runs the command that the arguments name.
#[must_use]
pub fn main() -> ExitCode {
    match Arguments::parse().command {
        Command::Run(arguments) => run::run(&arguments.config),
        Command::Check(arguments) => check::check(&arguments.config),
        Command::Explain(arguments) => check::explain(&arguments),
        Command::Ctl(arguments) => ctl::ctl(&arguments),
        Command::Call(arguments) => call::call(arguments),
    }
}

/// An error on its way to the person at the terminal.
fn fail(error: &dyn std::fmt::Display) -> ExitCode {
    eprintln!("partyline: {error}");
    ExitCode::FAILURE
}
