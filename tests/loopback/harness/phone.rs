//! `partyline call`, the test phone, as a process of its own.

use super::gateway::{Gateway, PROGRAM};
use super::process::Running;
use super::sound;
use super::wait::seconds;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};

/// A call to be made.
pub struct Phone {
    number: &'static str,
    from: String,
    tcp: bool,
    tone: Option<f64>,
    plays: Option<PathBuf>,
    digits: Option<String>,
    digits_after: f64,
    seconds: f64,
    codec: Option<&'static str>,
    account: Option<(&'static str, &'static str)>,
}

/// A call in progress.
pub struct Calling {
    process: Running,
    recording: PathBuf,
    seconds: f64,
}

/// What came of a call.
pub struct Called {
    pub code: i32,
    pub output: String,
    pub errors: String,
    /// What was heard: mono at 8 kHz.
    pub heard: Vec<i16>,
}

impl Phone {
    /// Calls `number` for four seconds.
    pub fn dials(number: &'static str) -> Self {
        Self {
            number,
            from: "1001".into(),
            tcp: false,
            tone: None,
            plays: None,
            digits: None,
            digits_after: 1.0,
            seconds: 4.0,
            codec: None,
            account: None,
        }
    }

    pub fn from(mut self, from: &str) -> Self {
        self.from = from.to_owned();
        self
    }

    pub fn tcp(mut self, tcp: bool) -> Self {
        self.tcp = tcp;
        self
    }

    /// Says a tone of so many Hz.
    pub fn says(mut self, hertz: f64) -> Self {
        self.tone = Some(hertz);
        self
    }

    /// Says what is in a WAV file, over and over.
    pub fn plays(mut self, file: &Path) -> Self {
        self.plays = Some(file.to_owned());
        self
    }

    /// Keys these, `after` seconds from the answer.
    pub fn keys(mut self, digits: &str, after: f64) -> Self {
        (self.digits, self.digits_after) = (Some(digits.to_owned()), after);
        self
    }

    pub fn seconds(mut self, seconds: f64) -> Self {
        self.seconds = seconds;
        self
    }

    /// Speaks this codec alone.
    pub fn speaks(mut self, codec: &'static str) -> Self {
        self.codec = Some(codec);
        self
    }

    /// What it says of itself when it is asked for a digest.
    pub fn account(mut self, username: &'static str, password: &'static str) -> Self {
        self.account = Some((username, password));
        self
    }

    /// Begins to call.
    pub fn call(self, gateway: &Gateway) -> Calling {
        let transport = if self.tcp { ";transport=tcp" } else { "" };
        self.call_uri(&format!("sip:{}@{}{transport}", self.number, gateway.place()), gateway)
    }

    /// Begins to call `gateway`, which listens everywhere, at another of its addresses.
    pub fn call_at(self, host: &str, gateway: &Gateway) -> Calling {
        self.call_uri(&format!("sip:{}@{host}:{}", self.number, gateway.port), gateway)
    }

    /// Begins to call an address that is not `gateway`'s; its files go there all the same.
    pub fn call_uri(&self, uri: &str, gateway: &Gateway) -> Calling {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let name = format!("phone-{}", NEXT.fetch_add(1, Ordering::Relaxed));
        let recording = gateway.folder().join(format!("{name}.wav"));
        let mut command = Command::new(PROGRAM);
        command.arg("call").arg(uri).args(["--from", &self.from]).arg("--record").arg(&recording);
        command.args(["--seconds", &self.seconds.to_string()]);
        if let Some(codec) = self.codec {
            command.args(["--codec", codec]);
        }
        if let Some(tone) = self.tone {
            command.args(["--tone", &tone.to_string()]);
        }
        if let Some(file) = &self.plays {
            command.arg("--play").arg(file);
        }
        if let Some(digits) = &self.digits {
            command.args(["--digits", digits, "--digits-after", &self.digits_after.to_string()]);
        }
        if let Some((username, password)) = self.account {
            command.args(["--username", username]).env("PARTYLINE_PASSWORD", password);
        }
        Calling { process: Running::start(command, gateway.folder(), &name), recording, seconds: self.seconds }
    }

    /// Calls and waits for the end.
    pub fn run(self, gateway: &Gateway) -> Called {
        self.call(gateway).finish()
    }
}

impl Calling {
    /// Waits for the call's end.
    pub fn finish(self) -> Called {
        let outcome = self.process.finish(std::time::Duration::from_secs_f64(self.seconds) + seconds(20));
        let heard = if self.recording.exists() { sound::read(&self.recording) } else { Vec::new() };
        Called { code: outcome.code(), output: outcome.output, errors: outcome.errors, heard }
    }
}

impl Called {
    /// The call must have been answered and ended well.
    pub fn answered(self) -> Self {
        assert!(self.code == 0 && self.output.contains("answered"), "{}{}", self.output, self.errors);
        self
    }

    /// The call must have failed with this status.
    pub fn failed_with(self, status: u16) -> Self {
        assert!(
            self.code == 1 && self.errors.contains(&format!("the call failed: {status} ")),
            "{}{}",
            self.output,
            self.errors
        );
        self
    }
}
