//! `partyline call`: the arguments of the test phone, and what it prints.

use super::phone::{CallOptions, Heard, Phone, PhoneError, Sound};
use super::{check, fail, run, say};
use crate::audio::codec::Libraries;
use crate::audio::{goertzel, level, wav};
use crate::sip::Credentials;
use crate::types::{AudioCodec, SampleRate};
use clap::Args;
use std::fs::File;
use std::io::{BufReader, BufWriter};
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

#[derive(Debug, Args)]
pub(super) struct CallArguments {
    /// Whom to call: sip:1000@127.0.0.1, sip:1000@[::1]:5070;transport=tcp
    target: String,
    /// Keys to press after the answer: 482917#
    #[arg(long)]
    digits: Option<String>,
    /// Seconds from the answer to the first key.
    #[arg(long, value_name = "SECONDS", default_value_t = 1.0)]
    digits_after: f64,
    /// A WAV file to say, over and over.
    #[arg(long, value_name = "FILE", conflicts_with = "tone")]
    play: Option<PathBuf>,
    /// A tone to say, in Hz.
    #[arg(long, value_name = "HZ")]
    tone: Option<f64>,
    /// Where to write what is heard, as WAV: at 8 kHz, by G.722 and Opus at 16 kHz.
    #[arg(long, value_name = "FILE")]
    record: Option<PathBuf>,
    /// Hang up after so many seconds.
    #[arg(long, default_value_t = 10.0)]
    seconds: f64,
    /// A codec to speak, best first where there are several: opus, g722, pcmu, pcma, g729.
    #[arg(long, value_name = "NAME", value_parser = codec, default_values = ["pcmu", "pcma"])]
    codec: Vec<AudioCodec>,
    /// Our own number.
    #[arg(long, default_value = "phone")]
    from: String,
    /// Our own address, when the system's choice is not the right one.
    #[arg(long)]
    local: Option<IpAddr>,
    /// User name for a digest challenge; the password comes from PARTYLINE_PASSWORD.
    #[arg(long)]
    username: Option<String>,
}

pub(super) fn call(arguments: CallArguments) -> ExitCode {
    let record = arguments.record.clone();
    match dial(arguments) {
        Ok(heard) => match record.map_or(Ok(()), |path| write(&path, &heard)) {
            Ok(()) => {
                report(&heard);
                ExitCode::SUCCESS
            }
            Err(error) => fail(&error),
        },
        Err(error) => fail(&error),
    }
}

fn dial(arguments: CallArguments) -> Result<Heard, PhoneError> {
    let seconds = |value: f64| Duration::try_from_secs_f64(value).map_err(|_| PhoneError::Time(value));
    let sound = match (&arguments.play, arguments.tone) {
        (Some(path), _) => Some(Sound::Samples(read(path)?)),
        (None, Some(hertz)) if (20.0..4_000.0).contains(&hertz) => Some(Sound::Tone(hertz)),
        (None, Some(hertz)) => return Err(PhoneError::Tone(hertz)),
        (None, None) => None,
    };
    let libraries = Libraries::default();
    for codec in &arguments.codec {
        check::load(*codec, &libraries).map_err(PhoneError::Codec)?;
    }
    let password = || std::env::var("PARTYLINE_PASSWORD").unwrap_or_default();
    let credentials = arguments.username.map(|username| Credentials::new(username, password()));
    let options = CallOptions {
        target: arguments.target,
        from: arguments.from,
        local: arguments.local,
        digits: arguments.digits,
        digits_after: seconds(arguments.digits_after)?,
        sound,
        length: seconds(arguments.seconds)?,
        codecs: arguments.codec,
        libraries,
        credentials,
        seed: run::seed().map_err(|error| PhoneError::System(std::io::Error::other(error.to_string())))?,
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(Phone::dial(options))
}

fn codec(name: &str) -> Result<AudioCodec, String> {
    let known = AudioCodec::ALL.map(AudioCodec::name);
    AudioCodec::named(name).ok_or_else(|| format!("it speaks {}", known.join(", ")))
}

fn read(path: &Path) -> Result<Vec<i16>, PhoneError> {
    let wrong = |why: String| PhoneError::File(path.to_owned(), why);
    let file = File::open(path).map_err(|error| wrong(error.to_string()))?;
    wav::read(BufReader::new(file)).map_err(|error| wrong(error.to_string()))
}

fn write(path: &Path, heard: &Heard) -> Result<(), PhoneError> {
    let wrong = |why: String| PhoneError::File(path.to_owned(), why);
    let file = File::create(path).map_err(|error| wrong(error.to_string()))?;
    wav::write_at(BufWriter::new(file), heard.rate.0, &heard.samples).map_err(|error| wrong(error.to_string()))
}

/// What was heard, in a line: how long, how loud, and which steady tones stand out in its last two seconds.
fn report(Heard { rate: SampleRate(rate), samples: heard }: &Heard) {
    let seconds = heard.len() as f64 / f64::from(*rate);
    let last = heard.get(heard.len().saturating_sub(2 * *rate as usize)..).unwrap_or_default();
    let candidates: Vec<f64> =
        (2..=35).map(|step| f64::from(step) * 100.0).chain([440.0, 350.0, 450.0, 620.0]).collect();
    let tones = goertzel::tones_heard(last, *rate, &candidates, -35.0);
    let tones: Vec<String> = tones.iter().map(|(hertz, dbfs)| format!("{hertz:.0} Hz at {dbfs:.0} dBFS")).collect();
    let tones = if tones.is_empty() { "no steady tone".to_owned() } else { tones.join(", ") };
    say(format_args!("heard {seconds:.1} s at {:.0} dBFS; at the end: {tones}", level::dbfs(heard)));
}
