//! sipp, with the scenarios of `tests/sipp`.

use super::address::{self, Family};
use super::folder::Folder;
use super::gateway::Gateway;
use super::process::Running;
use super::wait::{self, seconds};
use std::net::IpAddr;
use std::path::PathBuf;
use std::process::Command;

/// One scenario to be played.
pub struct Sipp {
    scenario: &'static str,
    number: &'static str,
    transport: &'static str,
    limit: u64,
    more: Vec<String>,
    files: Vec<(String, Vec<u8>)>,
    words: Vec<(String, String)>,
    address: Option<IpAddr>,
}

/// A scenario that is played.
pub struct Playing {
    scenario: &'static str,
    process: Running,
    limit: u64,
    pub address: IpAddr,
    pub port: u16,
    folder: Folder,
}

impl Sipp {
    /// The scenario `tests/sipp/{scenario}.xml`, which calls number 2000 by UDP.
    pub fn new(scenario: &'static str) -> Self {
        Self {
            scenario,
            number: "2000",
            transport: "u1",
            limit: 20,
            more: Vec::new(),
            files: Vec::new(),
            words: Vec::new(),
            address: None,
        }
    }

    pub fn number(mut self, number: &'static str) -> Self {
        self.number = number;
        self
    }

    pub fn tcp(mut self) -> Self {
        self.transport = "t1";
        self
    }

    /// From this address instead of one of its own.
    pub fn at(mut self, address: IpAddr) -> Self {
        self.address = Some(address);
        self
    }

    /// How many seconds it may take in all.
    pub fn limit(mut self, seconds: u64) -> Self {
        self.limit = seconds;
        self
    }

    pub fn arguments(mut self, more: &[&str]) -> Self {
        self.more.extend(more.iter().map(|&argument| argument.to_owned()));
        self
    }

    /// A file in the folder sipp runs in.
    pub fn file(mut self, name: &str, content: Vec<u8>) -> Self {
        self.files.push((name.to_owned(), content));
        self
    }

    /// Puts `word` in the place of `@NAME@` in the scenario, as of `with("STATUS", "486")`.
    pub fn with(mut self, name: &str, word: &str) -> Self {
        self.words.push((format!("@{name}@"), word.to_owned()));
        self
    }

    /// Begins to call `gateway`.
    pub fn call(self, gateway: &Gateway) -> Playing {
        let place = gateway.place();
        self.start(gateway.family(), Some(place))
    }

    /// Waits to be called.
    pub fn listen(self, family: Family) -> Playing {
        let protocol = if self.transport == "t1" { "tcp" } else { "udp" };
        let playing = self.start(family, None);
        let hex = format!(":{:04X} ", playing.port);
        wait::until_true("sipp listens", seconds(10), || {
            let family = if playing.address.is_ipv4() { "" } else { "6" };
            std::fs::read_to_string(format!("/proc/net/{protocol}{family}"))
                .unwrap()
                .lines()
                .any(|line| line.contains(&hex))
        });
        playing
    }

    /// Plays it against `gateway` to the end, which must be a good one. Gives back all messages.
    pub fn run(self, gateway: &Gateway) -> String {
        self.call(gateway).finish()
    }

    fn start(self, family: Family, remote: Option<String>) -> Playing {
        let folder = Folder::new();
        for (name, content) in &self.files {
            std::fs::write(folder.file(name), content).unwrap();
        }
        let scenario = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(format!("tests/sipp/{}.xml", self.scenario));
        let mut play = std::fs::read_to_string(scenario).unwrap();
        for (name, word) in &self.words {
            assert!(play.contains(name), "{name} is not in {}", self.scenario);
            play = play.replace(name, word);
        }
        let scenario = folder.file("scenario.xml");
        std::fs::write(&scenario, play).unwrap();
        let address = self.address.unwrap_or_else(|| family.own_address());
        let port = address::free_port(address);
        let (media, _) = address::free_block(address, 4);
        let mut command = Command::new("sipp");
        command.arg("-sf").arg(scenario).current_dir(folder.path());
        command.args(["-m", "1", "-nostdin", "-timeout_error", "-s", self.number, "-t", self.transport]);
        command.args(["-i", &address.to_string(), "-p", &port.to_string()]);
        command.args(["-mi", &address.to_string(), "-mp", &media.to_string()]);
        command.args(["-timeout", &format!("{}s", self.limit)]);
        command.args(["-trace_err", "-error_file", "sipp.errors", "-trace_msg", "-message_file", "sipp.messages"]);
        command.args(&self.more).args(remote);
        // Its screen wants a terminal's name.
        command.env("TERM", "xterm");
        let process = Running::start(command, folder.path(), "sipp");
        Playing { scenario: self.scenario, process, limit: self.limit, address, port, folder }
    }
}

impl Playing {
    /// All messages so far.
    pub fn messages(&self) -> String {
        String::from_utf8_lossy(&std::fs::read(self.folder.file("sipp.messages")).unwrap_or_default()).into_owned()
    }

    /// Waits for its end, which must be a good one. Gives back all messages.
    pub fn finish(self) -> String {
        let Self { scenario, process, limit, folder, .. } = self;
        let read = |name| String::from_utf8_lossy(&std::fs::read(folder.file(name)).unwrap_or_default()).into_owned();
        let outcome = process.finish(seconds(limit + 10));
        let messages = read("sipp.messages");
        assert!(
            outcome.code() == 0,
            "sipp {scenario} ended with {} and says:\n{}{}\nall messages:\n{messages}",
            outcome.code(),
            read("sipp.errors"),
            outcome.errors,
        );
        messages
    }
}

/// When the first message that begins with `start` was sent or received, by sipp's own clock: seconds since 1970.
pub fn moment(messages: &str, start: &str) -> f64 {
    let mut time = None;
    for line in messages.lines() {
        if let Some(stamp) = line.strip_prefix("-----") {
            time = Some(stamp.trim_start_matches('-').trim().to_owned());
        } else if line.starts_with(start) {
            let time = time.unwrap().replacen(' ', "T", 1) + "Z";
            let time = humantime::parse_rfc3339(&time).unwrap();
            return time.duration_since(std::time::UNIX_EPOCH).unwrap().as_secs_f64();
        }
    }
    panic!("no {start:?} in\n{messages}")
}
