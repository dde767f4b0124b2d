//! The `partyline` command.

use std::process::ExitCode;

fn main() -> ExitCode {
    partyline::cli::main()
}
