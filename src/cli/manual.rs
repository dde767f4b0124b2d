//! What tells of the program: its version, completions for shells, man pages.

use super::{Arguments, fail, print, print_json};
use clap::CommandFactory;
use clap_complete::Shell;
use std::path::Path;
use std::process::ExitCode;

/// What `partyline version --json` prints.
#[derive(serde::Serialize)]
struct Version {
    name: &'static str,
    version: &'static str,
}

pub(super) fn version(json: bool) -> ExitCode {
    let version = Version { name: env!("CARGO_PKG_NAME"), version: env!("CARGO_PKG_VERSION") };
    match json {
        true => print_json(&version, ExitCode::SUCCESS),
        false => print(&format!("{} {}\n", version.name, version.version), ExitCode::SUCCESS),
    }
}

pub(super) fn completions(shell: Shell) -> ExitCode {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Arguments::command(), env!("CARGO_PKG_NAME"), &mut script);
    print(&String::from_utf8_lossy(&script), ExitCode::SUCCESS)
}

/// Writes `partyline.1`, `partyline-run.1` … into `folder`, which is made if it is not there.
pub(super) fn pages(folder: &Path) -> ExitCode {
    let written = std::fs::create_dir_all(folder).and_then(|()| clap_mangen::generate_to(Arguments::command(), folder));
    match written {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => fail(&format_args!("man pages cannot be written to {}: {error}", folder.display())),
    }
}
