//! A program that speaks, as a process: in a group of its own, and gone with all that it started.

use std::io::{self, Read};
use std::os::unix::process::CommandExt;
use std::process::{Child, ChildStdin, ChildStdout, Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::time::{Duration, Instant};

/// How much of what a program complains of is kept, octets: its end.
const COMPLAINT: usize = 512;
/// Longest wait for the last words of a program that was killed.
const LAST_WORDS: Duration = Duration::from_secs(1);
/// How often we look whether it has ended.
const LOOK: Duration = Duration::from_millis(5);
/// Where memory is short a voice goes before calls do (proc(5), -1000 to 1000).
const OOM_SCORE: &str = "500";

#[derive(Debug)]
pub(super) struct Process {
    child: Child,
    /// The end of what it complained of, once it is over.
    complaint: Receiver<Vec<u8>>,
    /// It has ended, and its number may be another's.
    is_reaped: bool,
}

impl Process {
    /// Starts a program.
    ///
    /// # Errors
    /// The system's. Nothing is left running then.
    pub(super) fn start(command: &mut Command) -> io::Result<(Self, ChildStdin, ChildStdout)> {
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).process_group(0);
        let (tell, complaint) = mpsc::sync_channel(1);
        // From here on it is killed and waited for, whatever fails.
        let mut process = Self { child: command.spawn()?, complaint, is_reaped: false };
        // Where that is not allowed it is as likely to go as we are.
        let _ = std::fs::write(format!("/proc/{}/oom_score_adj", process.child.id()), OOM_SCORE);
        let child = &mut process.child;
        let (Some(input), Some(output), Some(errors)) = (child.stdin.take(), child.stdout.take(), child.stderr.take())
        else {
            return Err(io::Error::other("no pipes"));
        };
        std::thread::Builder::new().name("speech-errors".into()).spawn(move || {
            // Whoever waited for it may be gone.
            let _ = tell.send(end_of(errors));
        })?;
        Ok((process, input, output))
    }

    /// Kills it, with all that it started.
    fn kill(&mut self) {
        if let Ok(group) = i32::try_from(self.child.id())
            && !self.is_reaped
        {
            // SAFETY: sends a signal, and touches no memory. The child is not waited for yet: its number is its own,
            // and so is that of its group.
            unsafe {
                libc::kill(-group, libc::SIGKILL);
            }
        }
    }

    /// How it ended; `None`: it did not within `patience`.
    #[expect(clippy::disallowed_methods, reason = "a shell: there is nothing else to wait for a process with a limit")]
    pub(super) fn end(&mut self, patience: Duration) -> Option<ExitStatus> {
        let until = now() + patience;
        loop {
            if let Ok(Some(status)) = self.child.try_wait() {
                self.is_reaped = true;
                return Some(status);
            }
            if now() >= until {
                return None;
            }
            std::thread::sleep(LOOK);
        }
    }

    /// The last line that it complained in. It is killed first, where it still runs.
    pub(super) fn last_words(&mut self) -> Option<String> {
        self.kill();
        let complaint = self.complaint.recv_timeout(LAST_WORDS).ok()?;
        let text = String::from_utf8_lossy(&complaint);
        let line = text.lines().map(str::trim).rfind(|line| !line.is_empty())?;
        // It comes from outside: no line of ours begins in the middle of it.
        Some(line.chars().filter(|c| !c.is_control()).collect())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
        let _ = self.child.wait();
    }
}

/// Reads to the end, and keeps the last of it.
fn end_of(mut errors: impl Read) -> Vec<u8> {
    let mut end = Vec::new();
    let mut part = [0; COMPLAINT];
    while let Ok(read @ 1..) = errors.read(&mut part) {
        end.extend_from_slice(part.get(..read).unwrap_or_default());
        end.drain(..end.len().saturating_sub(COMPLAINT));
    }
    end
}

#[expect(clippy::disallowed_methods, reason = "a shell: programs take their time")]
fn now() -> Instant {
    Instant::now()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_line_of_what_a_program_complains_of_is_kept() {
        let script = "for n in 1 2 3; do printf '%0200d\\n' $n >&2; done; printf '\\033[1mno model\\n\\n' >&2; exit 3";
        let (mut process, _input, _output) = Process::start(Command::new("sh").args(["-c", script])).unwrap();
        let status = process.end(Duration::from_secs(60)).unwrap();
        assert_eq!((status.code(), process.last_words()), (Some(3), Some("[1mno model".to_owned())));
    }

    #[test]
    fn a_program_goes_before_the_gateway_where_memory_is_short() {
        let (mut process, input, _output) = Process::start(&mut Command::new("cat")).unwrap();
        let score = std::fs::read_to_string(format!("/proc/{}/oom_score_adj", process.child.id())).unwrap();
        assert_eq!(score.trim(), OOM_SCORE);
        drop(input);
        assert!(process.end(Duration::from_secs(60)).is_some());
    }
}
