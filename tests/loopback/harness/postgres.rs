//! PostgreSQL as Debian has it, with a server of the test's own: in a folder of its own, on a port of its own, as a
//! user that is not root.

use super::address;
use super::folder::Folder;
use super::process::Running;
use super::wait::{self, seconds};
use nix::sys::signal::Signal;
use std::net::IpAddr;
use std::os::unix::fs::chown;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Where Debian puts each version.
const VERSIONS: &str = "/usr/lib/postgresql";

/// A server that runs.
pub struct Postgres {
    process: Option<Running>,
    port: u16,
    folder: Folder,
}

impl Postgres {
    /// Makes a database and starts its server. There is no test without one: where PostgreSQL is missing this panics.
    pub fn start() -> Self {
        let folder = Folder::new();
        if let Some((user, group)) = substitute() {
            chown(folder.path(), Some(user), Some(group)).unwrap();
        }
        let port = address::free_port(IpAddr::from([127, 0, 0, 1]));
        let mut server = Self { process: None, port, folder };
        let mut command = server.command("initdb");
        command.args(["--auth=trust", "--username=partyline", "--no-sync", "--encoding=UTF8", "--locale=C", "-D"]);
        command.arg(server.data());
        let made = Running::start(command, server.folder.path(), "initdb").finish(seconds(60));
        assert_eq!(made.code(), 0, "{}{}", made.output, made.errors);
        server.run();
        server
    }

    /// Starts the server, again after [`Self::stop`], and waits until it takes connections.
    pub fn run(&mut self) {
        let mut command = self.command("postgres");
        command.arg("-D").arg(self.data()).arg("-k").arg(self.folder.path());
        command.args(["-h", "127.0.0.1", "-p", &self.port.to_string(), "-c", "fsync=off"]);
        let process = Running::start(command, self.folder.path(), "postgres");
        wait::until_true("PostgreSQL takes connections", seconds(30), || {
            process.errors().contains("ready to accept connections")
        });
        self.process = Some(process);
    }

    /// Stops it at once, as a machine that fails.
    pub fn stop(&mut self) {
        if let Some(process) = self.process.take() {
            process.signal(Signal::SIGQUIT);
            process.finish(seconds(20));
        }
    }

    /// Where it is, as the dialplan writes it.
    pub fn url(&self) -> String {
        format!("postgres://partyline@127.0.0.1:{}/postgres", self.port)
    }

    fn data(&self) -> PathBuf {
        self.folder.file("data")
    }

    /// One of its programs, run as somebody else than root.
    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(programs().join(program));
        command.current_dir(self.folder.path());
        if let Some((user, group)) = substitute() {
            command.uid(user).gid(group);
        }
        command
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        self.stop();
    }
}

/// The folder of the newest version's programs.
fn programs() -> PathBuf {
    let versions = std::fs::read_dir(VERSIONS).into_iter().flatten().flatten().map(|entry| entry.path().join("bin"));
    let newest = versions.filter(|path| path.join("postgres").exists()).max();
    newest.unwrap_or_else(|| {
        panic!("no PostgreSQL in {VERSIONS}: `make test` installs what the tests need (CONTRIBUTING.md)")
    })
}

/// Whom its programs run as where the test is root, which they refuse to be.
fn substitute() -> Option<(u32, u32)> {
    if !nix_is_root() {
        return None;
    }
    let users = std::fs::read_to_string(Path::new("/etc/passwd")).unwrap();
    let line = users.lines().find(|line| line.starts_with("postgres:"));
    let line = line.expect("Debian's package makes a user postgres");
    let mut numbers = line.split(':').skip(2).map(|number| number.parse().unwrap());
    Some((numbers.next().unwrap(), numbers.next().unwrap()))
}

fn nix_is_root() -> bool {
    // The owner of what we make.
    let probe = Folder::new();
    std::os::unix::fs::MetadataExt::uid(&std::fs::metadata(probe.path()).unwrap()) == 0
}
