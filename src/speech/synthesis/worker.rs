//! The programs that speak: the natural voice, which stays and is asked sentence by sentence, and espeak-ng.
//!
//! Both are processes of their own: one that hangs is killed, one that crashes takes nothing with it.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::time::Duration;

/// Samples of ±1 and their rate.
pub(super) type Made = (Vec<f32>, u32);

/// The longest sound that a worker is believed: ten minutes at 48 kHz.
const MOST_SAMPLES: usize = 600 * 48_000;
/// The longest line of one.
const LONGEST_LINE: u64 = 4_096;

/// A natural voice that runs. See `voice/src/main.rs` for what it is told and answers.
#[derive(Debug)]
pub(super) struct Worker {
    child: Child,
    input: ChildStdin,
    answers: Receiver<Result<Made, String>>,
}

impl Worker {
    /// Starts the program in `folder`. It is ready when it has answered.
    pub(super) fn start(folder: &Path) -> io::Result<Self> {
        let mut child = Command::new(folder.join("partyline-voice"))
            .arg(folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()?;
        let (Some(input), Some(output)) = (child.stdin.take(), child.stdout.take()) else {
            return Err(io::Error::other("no pipes"));
        };
        let (told, answers) = mpsc::sync_channel(1);
        std::thread::Builder::new().name("speech-answers".into()).spawn(move || {
            let mut output = BufReader::new(output);
            while let Some(answer) = answer(&mut output).transpose() {
                let is_broken = answer.is_err();
                let answer = answer.unwrap_or_else(|error| Err(error.to_string()));
                if told.send(answer).is_err() || is_broken {
                    return;
                }
            }
        })?;
        Ok(Self { child, input, answers })
    }

    /// Speaks one sentence.
    ///
    /// # Errors
    /// Why not. The worker is of no use afterwards.
    pub(super) fn say(&mut self, voice: &str, sentence: &str, patience: Duration) -> Result<Made, String> {
        let asked = writeln!(self.input, "{voice}\t{}", pronounceable(sentence)).and_then(|()| self.input.flush());
        asked.map_err(|error| format!("it takes no text: {error}"))?;
        match self.answers.recv_timeout(patience) {
            Ok(answer) => answer,
            Err(RecvTimeoutError::Timeout) => Err(format!("it has not answered within {} s", patience.as_secs())),
            Err(RecvTimeoutError::Disconnected) => Err("it has ended".to_owned()),
        }
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
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
    let mut child = Command::new(program)
        // At a telephone's pace, with a little pause between words.
        .args(["--stdin", "--stdout", "-s", "150", "-g", "2", "-v", language])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .map_err(no)?;
    let (Some(mut input), Some(mut output)) = (child.stdin.take(), child.stdout.take()) else {
        return Err("no pipes".to_owned());
    };
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
    let wav = done.recv_timeout(patience);
    // It is done, or hangs.
    let _ = child.kill();
    let _ = child.wait();
    match wav {
        Ok(Ok(wav)) => samples_of(&wav),
        Ok(Err(error)) => Err(error.to_string()),
        Err(_) => Err(format!("it was not done within {} s", patience.as_secs())),
    }
}

/// "PIN" is a word, not three letters.
fn pronounceable(sentence: &str) -> String {
    sentence.replace("PIN", "pin")
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
