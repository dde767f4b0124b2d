//! Kamailio as the provider: registrar and proxy, with `tests/kamailio/kamailio.cfg`.

use super::address::{self, Family};
use super::certificate;
use super::folder::Folder;
use super::process::Running;
use super::wait::{self, seconds};
use nix::sys::signal::Signal;
use std::net::IpAddr;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::Command;

/// The name in its certificate.
pub const NAME: &str = "provider.example";

/// How it is reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Transport {
    Udp,
    Tcp,
    Tls,
}

impl Transport {
    pub const fn word(self) -> &'static str {
        match self {
            Self::Udp => "udp",
            Self::Tcp => "tcp",
            Self::Tls => "tls",
        }
    }
}

/// A Kamailio that runs, or is away for a while.
pub struct Kamailio {
    process: Option<Running>,
    starts: u32,
    folder: Folder,
    address: IpAddr,
    port: u16,
    tls_port: u16,
}

impl Kamailio {
    /// Starts one that asks for digests by `algorithm`.
    pub fn start(algorithm: &str) -> Self {
        let folder = Folder::new();
        certificate::issue(folder.path(), "kamailio", NAME);
        let address = Family::V4.own_address();
        let (port, tls_port) = (address::free_port(address), address::free_port(address));
        let template = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/kamailio/kamailio.cfg");
        let config = std::fs::read_to_string(template)
            .unwrap()
            .replace("@PLACE@", &address::host_port(address, port))
            .replace("@TLS_PLACE@", &address::host_port(address, tls_port))
            .replace("@FOLDER@", &folder.path().display().to_string())
            .replace("@ALGORITHM@", algorithm);
        std::fs::write(folder.file("kamailio.cfg"), config).unwrap();
        let mut kamailio = Self { process: None, starts: 0, folder, address, port, tls_port };
        kamailio.come_back();
        kamailio
    }

    /// Starts it again, with no memory of who was registered.
    pub fn come_back(&mut self) {
        assert!(self.process.is_none(), "it is there");
        let mut command = Command::new("kamailio");
        command.arg("-f").arg(self.folder.file("kamailio.cfg")).arg("-Y").arg(self.folder.path());
        // Not a daemon, little memory.
        command.process_group(0);
        command.args(["-DD", "-E", "-m", "32", "-M", "4", "-A", "WITH_TLS"]);
        // A Debian package puts its programs where only root looks for them.
        command.env("PATH", format!("{}:/usr/sbin", std::env::var("PATH").unwrap_or_default()));
        self.starts += 1;
        let mut process = Running::start(command, self.folder.path(), &format!("kamailio-{}", self.starts));
        let hex = format!(":{:04X} ", self.tls_port);
        wait::until_true("Kamailio listens", seconds(15), || {
            assert!(!process.has_ended(), "{}{}", process.output(), process.errors());
            std::fs::read_to_string("/proc/net/tcp").unwrap().lines().any(|line| line.contains(&hex))
        });
        self.process = Some(process);
    }

    /// Ends it; whoever was registered is forgotten.
    pub fn go_away(&mut self) {
        let Some(mut process) = self.process.take() else { return };
        process.signal(Signal::SIGTERM);
        for _ in 0..100 {
            if process.has_ended() {
                return;
            }
            wait::pass(std::time::Duration::from_millis(50));
        }
        // Its main process waits for a child now and then; killed alone it would leave all of them behind.
        process.signal_group(Signal::SIGKILL);
    }

    /// `127.0.0.1:5060`, of UDP and TCP or of TLS.
    pub fn place(&self, transport: Transport) -> String {
        address::host_port(self.address, if transport == Transport::Tls { self.tls_port } else { self.port })
    }

    /// The authority that signed its certificate.
    pub fn authority(&self) -> PathBuf {
        self.folder.file("ca.pem")
    }

    /// What it has written so far.
    pub fn log(&self) -> String {
        (1..=self.starts)
            .map(|start| self.folder.file(&format!("kamailio-{start}.err")))
            .map(|path| String::from_utf8_lossy(&std::fs::read(path).unwrap_or_default()).into_owned())
            .collect()
    }
}

impl Drop for Kamailio {
    fn drop(&mut self) {
        self.go_away();
    }
}
