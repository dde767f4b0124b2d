//! Programs that a test runs: their output in files, their time limited, none left behind.

use super::wait;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::time::Duration;

/// A program that runs.
pub struct Running {
    name: String,
    child: Child,
    output: PathBuf,
    errors: PathBuf,
    ended: bool,
}

/// How a program ended.
pub struct Outcome {
    pub status: ExitStatus,
    /// What it wrote to its standard output.
    pub output: String,
    /// What it wrote to its standard error.
    pub errors: String,
}

impl Outcome {
    /// Its exit code, -1 after a signal.
    pub fn code(&self) -> i32 {
        self.status.code().unwrap_or(-1)
    }
}

impl Running {
    /// Starts `command`; `name` names the two files in `folder` that take its output.
    pub fn start(mut command: Command, folder: &Path, name: &str) -> Self {
        command.stdin(Stdio::null());
        Self::spawn(command, folder, name)
    }

    /// The same, and what is written to the other one is its standard input.
    pub fn start_with_input(mut command: Command, folder: &Path, name: &str) -> (Self, ChildStdin) {
        command.stdin(Stdio::piped());
        let mut running = Self::spawn(command, folder, name);
        let input = running.child.stdin.take().unwrap();
        (running, input)
    }

    /// The same, and its standard error goes elsewhere.
    pub fn start_with_errors_to(mut command: Command, folder: &Path, name: &str, errors: Stdio) -> Self {
        command.stdin(Stdio::null());
        Self::spawn_with(command, folder, name, Some(errors))
    }

    fn spawn(command: Command, folder: &Path, name: &str) -> Self {
        Self::spawn_with(command, folder, name, None)
    }

    fn spawn_with(mut command: Command, folder: &Path, name: &str, to: Option<Stdio>) -> Self {
        let (output, errors) = (folder.join(format!("{name}.out")), folder.join(format!("{name}.err")));
        command.stdout(File::create(&output).unwrap());
        command.stderr(to.unwrap_or_else(|| File::create(&errors).unwrap().into()));
        let child = command.spawn().unwrap_or_else(|error| {
            let program = command.get_program().to_string_lossy();
            panic!("{program} cannot be run ({error}): `make test` installs what the tests need (CONTRIBUTING.md)")
        });
        Self { name: name.to_owned(), child, output, errors, ended: false }
    }

    /// What it has written to its standard error so far.
    pub fn errors(&self) -> String {
        read(&self.errors)
    }

    /// What it has written to its standard output so far.
    pub fn output(&self) -> String {
        read(&self.output)
    }

    /// Whether it has ended.
    pub fn has_ended(&mut self) -> bool {
        self.child.try_wait().unwrap().is_some()
    }

    /// The process.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Sends a signal to this process alone.
    pub fn signal(&self, signal: nix::sys::signal::Signal) {
        let id = nix::unistd::Pid::from_raw(i32::try_from(self.child.id()).unwrap());
        nix::sys::signal::kill(id, signal).unwrap();
    }

    /// Sends a signal to the process group that it was started as the first of.
    pub fn signal_group(&self, signal: nix::sys::signal::Signal) {
        let id = nix::unistd::Pid::from_raw(i32::try_from(self.child.id()).unwrap());
        nix::sys::signal::killpg(id, signal).unwrap();
    }

    /// Waits for its end.
    pub fn finish(mut self, limit: Duration) -> Outcome {
        let status = wait::until(&format!("the end of {}", self.name), limit, || self.child.try_wait().unwrap());
        self.ended = true;
        Outcome { status, output: read(&self.output), errors: read(&self.errors) }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if !self.ended {
            // It may have ended by itself; then there is nothing to kill.
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }
}

fn read(path: &Path) -> String {
    String::from_utf8_lossy(&std::fs::read(path).unwrap_or_default()).into_owned()
}
