//! The built gateway with a dialplan of the test's own.

use super::address::{self, Family};
use super::certificate;
use super::folder::Folder;
use super::process::{Outcome, Running};
use super::wait::{self, seconds};
use nix::sys::signal::Signal;
use serde_json::Value;
use std::io::{BufRead, BufReader, Write};
use std::net::IpAddr;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

/// The gateway's program.
pub const PROGRAM: &str = env!("CARGO_BIN_EXE_partyline");
/// The PIN of room `demo`.
pub const PIN: &str = "482917";

/// What most tests need: numbers that ring, that ask for a PIN, that lead to a room.
const ROUTES: &str = r##"
[trunks.local]
allow = ["127.0.0.0/8", "::1"]

[rooms.demo]
pin      = "482917"
announce = "none"

[rooms.lobby]
announce = "none"

[ivr.conference]
say     = { prompt = "enter-pin" }
collect = { digits = "4-10", end = "#", first_digit = "10s", next_digit = "5s", tries = 3 }
joining = "none"
then    = { room = "by-pin" }

[[routes]]
name   = "Conference"
from   = "local"
number = "1000"
ivr    = "conference"

[[routes]]
name   = "Lobby"
from   = "local"
number = "2000"
room   = "lobby"

[[routes]]
name         = "RingsShortly"
from         = "local"
number       = "2100"
room         = "lobby"
answer_after = "1s"

[[routes]]
name         = "RingsLong"
from         = "local"
number       = "2200"
room         = "lobby"
answer_after = "20s"

[[routes]]
name   = "OnDemand"
from   = "local"
number = '3\d{3}'
room   = "{number}"
"##;

/// A gateway to be started.
pub struct Setup {
    family: Family,
    routes: String,
    media_ports: u16,
    descriptors: Option<u32>,
    environment: Vec<(&'static str, String)>,
    everywhere: bool,
    tls: bool,
    more: String,
    errors: Option<Stdio>,
    web: bool,
    ice_tcp: bool,
}

/// The tokens of [`Setup::web`], by role; the last one is an operator's of room `lobby` alone.
pub const ADMIN: &str = "of-the-admin-0123456789";
pub const OPERATOR: &str = "of-the-operator-0123456789";
pub const VIEWER: &str = "of-the-viewer-0123456789";
pub const LOBBY: &str = "of-the-lobby-0123456789";

impl Setup {
    pub fn new() -> Self {
        Self {
            family: Family::V4,
            routes: ROUTES.to_owned(),
            media_ports: 60,
            descriptors: None,
            environment: Vec::new(),
            everywhere: false,
            tls: false,
            more: String::new(),
            errors: None,
            web: false,
            ice_tcp: false,
        }
    }

    /// With an HTTP server, and tokens for its API.
    pub fn web(mut self) -> Self {
        self.web = true;
        let tokens = [("admin", ADMIN), ("operator", OPERATOR), ("viewer", VIEWER)];
        for (role, token) in tokens {
            self.routes += &format!("[api.tokens.{role}]\ntoken = {{ plain = \"{token}\" }}\nrole = \"{role}\"\n");
        }
        self.routes += &format!(
            "[api.tokens.lobby]\ntoken = {{ plain = \"{LOBBY}\" }}\nrole = \"operator\"\nrooms = [\"lobby\"]\n"
        );
        self
    }

    pub fn family(mut self, family: Family) -> Self {
        self.family = family;
        self
    }

    /// Another dialplan, all but its `[gateway]`.
    pub fn routes(mut self, routes: &str) -> Self {
        self.routes = routes.to_owned();
        self
    }

    /// More of the dialplan.
    pub fn also(mut self, more: &str) -> Self {
        self.routes += more;
        self
    }

    /// One more line of the trunk that all the phones are on.
    pub fn trunk(mut self, line: &str) -> Self {
        self.routes = self.routes.replacen("[trunks.local]\n", &format!("[trunks.local]\n{line}\n"), 1);
        self
    }

    /// How many ports there are for RTP and RTCP together.
    pub fn media_ports(mut self, ports: u16) -> Self {
        self.media_ports = ports;
        self
    }

    /// How many files it may have open.
    pub fn descriptors(mut self, most: u32) -> Self {
        self.descriptors = Some(most);
        self
    }

    pub fn environment(mut self, name: &'static str, value: &str) -> Self {
        self.environment.push((name, value.to_owned()));
        self
    }

    /// Listens on every address of the machine, IPv4 and IPv6, as it does by default.
    pub fn everywhere(mut self) -> Self {
        self.everywhere = true;
        self
    }

    /// Takes TLS as well, with a certificate for `gateway.test`.
    pub fn tls(mut self) -> Self {
        self.tls = true;
        self
    }

    /// Takes the sound of browsers by TCP as well.
    pub fn ice_tcp(mut self) -> Self {
        self.ice_tcp = true;
        self
    }

    /// One more line of `[gateway]`.
    pub fn setting(mut self, line: &str) -> Self {
        self.more = self.more + line + "\n";
        self
    }

    /// Its log goes there instead of to a file.
    pub fn errors_to(mut self, errors: impl Into<Stdio>) -> Self {
        self.errors = Some(errors.into());
        self
    }

    /// Starts it and waits until it answers on its control socket.
    pub fn start(self) -> Gateway {
        self.prepare(|_| {})
    }

    /// The same, once `prepare` has put its files beside the dialplan.
    pub fn prepare(mut self, prepare: impl FnOnce(&Path)) -> Gateway {
        let folder = Folder::new();
        prepare(folder.path());
        let address = self.family.own_address();
        let port = address::free_port(address);
        let (first, last) = address::free_block(address, self.media_ports);
        let web_port = if self.web { Some(address::free_port(address)) } else { None };
        let web =
            web_port.map_or_else(String::new, |port| format!("http = \"{}\"\n", address::host_port(address, port)));
        let ice_tcp_port = address::free_port(address);
        if self.ice_tcp {
            self.more += &format!("ice_tcp = \"{}\"\n", address::host_port(address, ice_tcp_port));
        }
        let places = if self.everywhere {
            vec![format!("0.0.0.0:{port}"), format!("[::]:{port}")]
        } else {
            vec![address::host_port(address, port)]
        };
        let mut sip: Vec<_> = places.iter().map(|place| format!("\"udp://{place}\", \"tcp://{place}\"")).collect();
        let tls_port = address::free_port(address);
        if self.tls {
            certificate::issue(folder.path(), "gateway", "gateway.test");
            sip.push(format!("\"tls://{}\"", address::host_port(address, tls_port)));
            self.more += "tls = { certificate = \"gateway.pem\", key = \"gateway.key.pem\" }\n";
        }
        let sip = sip.join(", ");
        let dialplan = format!(
            "[gateway]\nsip = [{sip}]\nrtp_ports = \"{first}-{last}\"\n\
             data = \"var\"\nprompts = \"{}/prompts\"\nmedia_threads = 2\nmax_calls = 100\nlog = \"debug\"\n{web}{}{}",
            env!("CARGO_MANIFEST_DIR"),
            self.more,
            self.routes
        );
        let config = folder.file("dialplan.toml");
        std::fs::write(&config, dialplan).unwrap();
        let mut command = match self.descriptors {
            None => Command::new(PROGRAM),
            Some(most) => {
                let mut shell = Command::new("bash");
                shell.arg("-c").arg(format!("ulimit -n {most} && exec \"$@\"")).arg("bash").arg(PROGRAM);
                shell
            }
        };
        command.arg("run").arg("--config").arg(&config).current_dir(folder.path());
        command.env_remove("PARTYLINE_LOG").envs(self.environment);
        let process = match self.errors {
            None => Running::start(command, folder.path(), "gateway"),
            Some(errors) => Running::start_with_errors_to(command, folder.path(), "gateway", errors),
        };
        let mut gateway = Gateway { process, address, port, tls_port, web_port, ice_tcp_port, folder };
        gateway.wait_until_ready();
        gateway
    }
}

/// A gateway that runs. Killed when dropped; ended in good order, and looked at, by [`Gateway::finish`].
pub struct Gateway {
    process: Running,
    pub address: IpAddr,
    pub port: u16,
    /// Where it takes TLS, if [`Setup::tls`] asked for that.
    pub tls_port: u16,
    web_port: Option<u16>,
    ice_tcp_port: u16,
    folder: Folder,
}

/// What a gateway leaves when it has ended.
pub struct Remains {
    pub log: String,
    pub records: Vec<Value>,
}

impl Gateway {
    /// With the usual dialplan, on IPv4.
    pub fn start() -> Self {
        Setup::new().start()
    }

    fn wait_until_ready(&mut self) {
        wait::until("the gateway answers on its control socket", seconds(10), || {
            assert!(!self.process.has_ended(), "the gateway did not start:\n{}", self.process.errors());
            self.try_status()
        });
    }

    /// `127.0.0.1:5060`
    pub fn place(&self) -> String {
        address::host_port(self.address, self.port)
    }

    /// Where it takes the sound of browsers by TCP, if [`Setup::ice_tcp`] asked for that.
    pub fn ice_tcp_place(&self) -> String {
        address::host_port(self.address, self.ice_tcp_port)
    }

    /// The place of its HTTP server.
    pub fn web_place(&self) -> String {
        address::host_port(self.address, self.web_port())
    }

    /// The port of its HTTP server.
    pub fn web_port(&self) -> u16 {
        self.web_port.expect("a gateway with an HTTP server")
    }

    pub fn family(&self) -> Family {
        if self.address.is_ipv4() { Family::V4 } else { Family::V6 }
    }

    /// The folder that everything of this gateway's test goes to.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Its control socket.
    pub fn control(&self) -> PathBuf {
        self.folder.file("var/partyline.sock")
    }

    /// Its log so far.
    pub fn log(&self) -> String {
        self.process.errors()
    }

    /// What `partyline ctl` says to this gateway.
    pub fn ctl(&self, arguments: &[&str]) -> Outcome {
        self.start_ctl(arguments).finish(seconds(10))
    }

    /// The same, which reads `input`.
    pub fn ctl_with(&self, arguments: &[&str], input: &str) -> Outcome {
        let mut command = Command::new(PROGRAM);
        command.arg("ctl").arg("--socket").arg(self.control()).args(arguments);
        let (running, mut stdin) = Running::start_with_input(command, self.folder(), "ctl-with-input");
        stdin.write_all(input.as_bytes()).unwrap();
        drop(stdin);
        running.finish(seconds(10))
    }

    /// A `partyline ctl` that may go on for longer.
    pub fn start_ctl(&self, arguments: &[&str]) -> Running {
        static NEXT: std::sync::atomic::AtomicU32 = std::sync::atomic::AtomicU32::new(0);
        let number = NEXT.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let mut command = Command::new(PROGRAM);
        command.arg("ctl").arg("--socket").arg(self.control()).args(arguments);
        Running::start(command, self.folder(), &format!("ctl-{number}"))
    }

    fn try_status(&self) -> Option<Value> {
        let mut stream = UnixStream::connect(self.control()).ok()?;
        stream.set_read_timeout(Some(seconds(5))).ok()?;
        stream.write_all(b"{\"do\":\"status\"}\n").ok()?;
        let mut line = String::new();
        BufReader::new(stream).read_line(&mut line).ok()?;
        serde_json::from_str::<Value>(&line).ok()?.get("status").cloned()
    }

    /// What is going on in it.
    pub fn status(&self) -> Value {
        self.try_status().unwrap_or_else(|| panic!("the gateway does not answer\n{}", self.log()))
    }

    /// Waits until `fact` holds of its status.
    pub fn wait_for(&self, what: &str, limit: Duration, fact: impl Fn(&Value) -> bool) {
        wait::until_true(what, limit, || fact(&self.status()));
    }

    /// Ends its only call as an administrator does.
    pub fn kick_only_call(&self) {
        let status = self.status();
        let calls = status["calls"].as_array().unwrap();
        assert_eq!(calls.len(), 1, "{status:#}");
        let kicked = self.ctl(&["kick", calls[0]["call"].as_str().unwrap()]);
        assert_eq!(kicked.code(), 0, "{}", kicked.errors);
    }

    /// Waits until so many calls are in room `room`.
    pub fn wait_for_members(&self, room: &str, members: usize) {
        self.wait_for(&format!("{members} in room {room}"), seconds(15), |status| {
            let rooms = status["rooms"].as_array().unwrap();
            let found = rooms.iter().find(|entry| entry["room"] == room);
            found.and_then(|entry| entry["calls"].as_array()).map_or(0, Vec::len) == members
        });
    }

    /// Waits until `text` stands in its log.
    pub fn wait_for_log(&self, text: &str, limit: Duration) {
        wait::until_true(&format!("{text:?} in the log"), limit, || self.log().contains(text));
    }

    /// Kills it, so that it can end nothing in good order, and starts it again with the same files.
    pub fn kill_and_start_again(mut self) -> Self {
        self.process.signal(Signal::SIGKILL);
        let config = self.folder.file("dialplan.toml");
        let mut command = Command::new(PROGRAM);
        command.arg("run").arg("--config").arg(&config).current_dir(self.folder.path()).env_remove("PARTYLINE_LOG");
        let again = Running::start(command, self.folder.path(), "gateway-again");
        std::mem::replace(&mut self.process, again).finish(seconds(10));
        self.wait_until_ready();
        self
    }

    /// Its process.
    pub fn id(&self) -> u32 {
        self.process.id()
    }

    /// Its call records so far. Each line must be one.
    pub fn records(&self) -> Vec<Value> {
        let records = std::fs::read_to_string(self.folder.file("var/calls.jsonl")).unwrap_or_default();
        assert!(records.is_empty() || records.ends_with('\n'), "a torn line: {records}");
        records.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    /// Sends a signal to it.
    pub fn signal(&self, signal: Signal) {
        self.process.signal(signal);
    }

    /// Sees that nothing is left of any call, ends it by SIGTERM, and gives back what it wrote.
    pub fn finish(self) -> Remains {
        let nothing = |value: &Value| value.as_array().is_some_and(Vec::is_empty);
        let mut last = Value::Null;
        wait::until_true("no call and no room is left", seconds(10), || {
            last = self.status();
            nothing(&last["calls"]) && nothing(&last["rooms"])
        });
        let shown = self.ctl(&["status"]);
        assert_eq!(shown.code(), 0, "{}", shown.errors);
        self.process.signal(Signal::SIGTERM);
        let ended = self.process.finish(seconds(15));
        assert_eq!(ended.code(), 0, "the gateway's end:\n{}", ended.errors);
        assert!(!ended.errors.contains("panicked"), "{}", ended.errors);
        let records = std::fs::read_to_string(self.folder.file("var/calls.jsonl")).unwrap_or_default();
        let records = records.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert!(!self.folder.file("var/partyline.sock").exists(), "the control socket is left behind");
        Remains { log: ended.errors, records }
    }
}

impl Remains {
    /// The only call record.
    pub fn record(&self) -> &Value {
        assert_eq!(self.records.len(), 1, "{:#?}", self.records);
        &self.records[0]
    }

    /// Neither log nor call records hold any of `pins`.
    pub fn assert_silent_about(&self, pins: &[&str]) {
        let records = format!("{:?}", self.records);
        for pin in pins {
            assert!(!self.log.contains(pin), "a PIN is in the log");
            assert!(!records.contains(pin), "a PIN is in a call record");
        }
    }

    /// Whether a line of the log has all of `parts`.
    pub fn says(&self, parts: &[&str]) -> bool {
        self.log.lines().any(|line| parts.iter().all(|part| line.contains(part)))
    }
}
