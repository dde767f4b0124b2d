//! The programs that speak: the natural voice, which stays and is asked sentence by sentence, and espeak-ng.
//!
//! Both are processes of their own: one that hangs is killed, one that crashes takes nothing with it.

use super::process::Process;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::path::Path;
use std::process::{ChildStdin, Command};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::time::Duration;

/// Samples of ±1 and their rate.
pub(super) type Made = (Vec<f32>, u32);

/// The longest sound that a worker is believed: ten minutes at 48 kHz.
const MOST_SAMPLES: usize = 600 * 48_000;
/// Longest wait for a program to end that has said all.
const ENDING: Duration = Duration::from_secs(1);
/// The longest line of one.
const LONGEST_LINE: u64 = 4_096;

/// Why the natural voice has not said a sentence.
#[derive(Debug)]
pub(super) enum Unsaid {
    /// It cannot say this one; it goes on with the next.
    Refused(String),
    /// It does not answer. It is of no use any more.
    Hung(String),
    /// It has ended, or answers nonsense. It is of no use any more.
    Broken(String),
}

/// A natural voice that runs. See `voice/src/main.rs` for what it is told and answers.
#[derive(Debug)]
pub(super) struct Worker {
    process: Process,
    input: ChildStdin,
    answers: Receiver<Result<Made, Unsaid>>,
    version: String,
}

impl Worker {
    /// Starts the program in `folder`, in which this version of it lies. It is ready when it has answered.
    pub(super) fn start(folder: &Path, version: &str) -> io::Result<Self> {
        let (process, input, output) = Process::start(Command::new(folder.join("partyline-voice")).arg(folder))?;
        let (told, answers) = mpsc::sync_channel(1);
        std::thread::Builder::new().name("speech-answers".into()).spawn(move || {
            let mut output = BufReader::new(output);
            while let Some(answer) = answer(&mut output).transpose() {
                let is_broken = answer.is_err();
                let answer = match answer {
                    Ok(answer) => answer.map_err(Unsaid::Refused),
                    Err(error) => Err(Unsaid::Broken(error.to_string())),
                };
                if told.send(answer).is_err() || is_broken {
                    return;
                }
            }
        })?;
        Ok(Self { process, input, answers, version: version.to_owned() })
    }

    /// Which version of the program it is.
    pub(super) fn version(&self) -> &str {
        &self.version
    }

    /// Speaks one sentence.
    ///
    /// # Errors
    /// Why not.
    pub(super) fn say(&mut self, voice: &str, sentence: &str, patience: Duration) -> Result<Made, Unsaid> {
        let asked = writeln!(self.input, "{voice}\t{}", pronounceable(sentence)).and_then(|()| self.input.flush());
        asked.map_err(|error| Unsaid::Broken(format!("it takes no text: {error}")))?;
        match self.answers.recv_timeout(patience) {
            Ok(answer) => answer,
            Err(RecvTimeoutError::Timeout) => {
                Err(Unsaid::Hung(format!("it has not answered within {:.1} s", patience.as_secs_f64())))
            }
            Err(RecvTimeoutError::Disconnected) => Err(Unsaid::Broken("it has ended".to_owned())),
        }
    }

    /// Ends it. Gives why it failed, with the last that it complained of.
    pub(super) fn with_last_words(mut self, why: String) -> String {
        match self.process.last_words() {
            Some(words) => format!("{why} ({words})"),
            None => why,
        }
    }
}

/// Reads one answer; `None` at the end.
fn answer(output: &mut impl BufRead) -> io::Result<Option<Result<Made, String>>> {
    let mut line = String::new();
    if output.by_ref().take(LONGEST_LINE).read_line(&mut line)? == 0 {
        return Ok(None);
    }
    let line = line.trim_end();
    if let Some(why) = line.strip_prefix("error ") {
        return Ok(Some(Err(why.to_owned())));
    }
    let bad = || io::Error::new(io::ErrorKind::InvalidData, "it answers nonsense");
    let numbers = line.strip_prefix("sound ").and_then(|rest| rest.split_once(' ')).ok_or_else(bad)?;
    let (rate, count): (u32, usize) = match (numbers.0.parse(), numbers.1.parse()) {
        (Ok(rate), Ok(count)) => (rate, count),
        _ => return Err(bad()),
    };
    if !(8_000..=48_000).contains(&rate) || count > MOST_SAMPLES {
        return Err(bad());
    }
    let mut octets = vec![0; count * 2];
    output.read_exact(&mut octets)?;
    let (samples, _) = octets.as_chunks();
    Ok(Some(Ok((samples.iter().map(|two| f32::from(i16::from_le_bytes(*two)) / 32_768.0).collect(), rate))))
}

/// Has espeak-ng speak one sentence.
///
/// # Errors
/// Why not.
pub(super) fn espeak(program: &Path, language: &str, sentence: &str, patience: Duration) -> Result<Made, String> {
    let no = |error: io::Error| match error.kind() {
        io::ErrorKind::NotFound => "it is not installed (Debian: apt-get install espeak-ng)".to_owned(),
        _ => error.to_string(),
    };
    // At a telephone's pace, with a little pause between words.
    let options = ["--stdin", "--stdout", "-s", "150", "-g", "2", "-v", language];
    let (mut process, mut input, mut output) = Process::start(Command::new(program).args(options)).map_err(no)?;
    let (told, done) = mpsc::sync_channel(1);
    let sentence = pronounceable(sentence);
    std::thread::Builder::new()
        .name("speech-answers".into())
        .spawn(move || {
            let _ = writeln!(input, "{sentence}");
            drop(input);
            let mut wav = Vec::new();
            let read = output.by_ref().take(2 * MOST_SAMPLES as u64).read_to_end(&mut wav);
            let _ = told.send(read.map(|_| wav));
        })
        .map_err(no)?;
    let wav = match done.recv_timeout(patience) {
        Ok(wav) => wav.map_err(|error| error.to_string())?,
        Err(_) => return Err(format!("it was not done within {:.1} s", patience.as_secs_f64())),
    };
    let status = process.end(ENDING);
    let complaint = |process: &mut Process| process.last_words().map(|words| format!(": {words}")).unwrap_or_default();
    match (status, samples_of(&wav)) {
        (Some(status), Ok(_)) if !status.success() => {
            Err(format!("it failed with {status}{}", complaint(&mut process)))
        }
        (_, Ok(made)) => Ok(made),
        (_, Err(why)) => Err(format!("{why}{}", complaint(&mut process))),
    }
}

/// Why espeak-ng does not speak a language.
#[derive(Debug)]
pub(super) enum NoPlainVoice {
    /// There is no espeak-ng.
    NotInstalled,
    /// It says why.
    Unknown(String),
}

/// Asks espeak-ng whether it has a voice.
///
/// # Errors
/// It has none, or does not say so in time.
pub(super) fn has_voice(program: &Path, language: &str, patience: Duration) -> Result<(), NoPlainVoice> {
    let unknown = |error: io::Error| match error.kind() {
        io::ErrorKind::NotFound => NoPlainVoice::NotInstalled,
        _ => NoPlainVoice::Unknown(error.to_string()),
    };
    let quiet = ["--stdin", "-q", "-v", language];
    let (mut process, input, output) = Process::start(Command::new(program).args(quiet)).map_err(unknown)?;
    // Nothing to say.
    drop((input, output));
    match process.end(patience) {
        Some(status) if status.success() => Ok(()),
        Some(status) => Err(NoPlainVoice::Unknown(process.last_words().unwrap_or_else(|| status.to_string()))),
        None => Err(NoPlainVoice::Unknown(format!("it does not answer within {} s", patience.as_secs()))),
    }
}

/// "PIN" is a word, not three letters.
fn pronounceable(sentence: &str) -> String {
    let words = sentence.split_inclusive(|c: char| !c.is_alphanumeric());
    let is_pin = |word: &str| matches!(word.trim_end_matches(|c: char| !c.is_alphanumeric()), "PIN" | "PINs");
    words.map(|word| if is_pin(word) { word.to_lowercase() } else { word.to_owned() }).collect()
}

/// The sound of a WAV file of 16 bits, mono, as espeak-ng writes it into a pipe: the lengths in its header are wrong.
fn samples_of(wav: &[u8]) -> Result<Made, String> {
    let bad = "it makes no sound that can be read";
    let (header, data) = wav.split_at_checked(44).ok_or(bad)?;
    let rate = header.get(24..28).and_then(|rate| rate.try_into().ok()).map(u32::from_le_bytes).ok_or(bad)?;
    if !header.starts_with(b"RIFF") || !(8_000..=48_000).contains(&rate) || data.is_empty() {
        return Err(bad.to_owned());
    }
    let (samples, _) = data.as_chunks();
    Ok((samples.iter().map(|two| f32::from(i16::from_le_bytes(*two)) / 32_768.0).collect(), rate))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pin_is_a_word_and_no_part_of_one() {
        assert_eq!(
            pronounceable("Your PIN, or both PINs: SHOPPING and PINK."),
            "Your pin, or both pins: SHOPPING and PINK."
        );
        assert_eq!(pronounceable("PIN"), "pin");
    }
}
