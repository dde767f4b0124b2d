//! `partyline speak`.

use super::{fail, print};
use crate::speech::{Paths, Patience, Speaker, Text};
use clap::Args;
use std::io;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;
use tracing::Level;

/// Nobody waits for it on the telephone: however busy the machine is, the natural voice speaks.
const PATIENCE: Duration = Duration::from_secs(300);

#[derive(Debug, Args)]
pub(super) struct SpeakArguments {
    /// The words.
    text: String,
    /// The language they are in.
    #[arg(long, default_value = "en-GB")]
    language: String,
    /// Samples a second.
    #[arg(long, default_value_t = 16_000, value_parser = clap::value_parser!(u32).range(8_000..=48_000))]
    rate: u32,
    /// The gateway's folder: its voice and what it said before are there.
    #[arg(long, value_name = "FOLDER", default_value = "var")]
    data: PathBuf,
    /// The file.
    #[arg(long, value_name = "FILE", default_value = "spoken.wav")]
    out: PathBuf,
}

pub(super) fn speak(arguments: &SpeakArguments) -> ExitCode {
    let text = Text { language: arguments.language.clone(), text: arguments.text.clone(), rate: arguments.rate };
    // Who else speaks, and why, is told.
    let logger = tracing_subscriber::fmt().with_max_level(Level::WARN).with_target(false).without_time();
    let _ = tracing::subscriber::set_global_default(logger.with_writer(io::stderr).with_ansi(false).finish());
    let patience = Patience { start: PATIENCE, sentence: PATIENCE, ..Patience::default() };
    let speaker = match Speaker::start(Paths::within(&arguments.data), patience) {
        Ok(speaker) => speaker,
        Err(error) => return fail(&error),
    };
    let sound = match speaker.render(text) {
        Ok(sound) => sound,
        Err(error) => return fail(&error),
    };
    if let Err(error) = sound.save(&arguments.out) {
        return fail(&format_args!("{}: {error}", arguments.out.display()));
    }
    let seconds = sound.samples.len() as f64 / f64::from(sound.rate);
    print(&format!("{}: {seconds:.1} s\n", arguments.out.display()), ExitCode::SUCCESS)
}
