//! The `partyline` command.

use std::process::ExitCode;

/// Signalling takes and gives back many pieces of about a kilobyte; see `benches/README.md`.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    partyline::cli::main()
}
