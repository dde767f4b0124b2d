//! coturn, which relays between addresses of this machine for whoever the gateway has given a password.

use super::address::free_port;
use super::folder::Folder;
use super::process::Running;
use super::wait::{self, seconds};
use std::net::{IpAddr, Ipv4Addr, TcpStream};
use std::process::Command;

/// What it shares with the gateway.
pub const SECRET: &str = "north by northwest";

/// A TURN server without TLS.
pub struct Turn {
    pub port: u16,
    _process: Running,
}

impl Turn {
    pub fn start(folder: &Folder) -> Self {
        let port = free_port(IpAddr::V4(Ipv4Addr::LOCALHOST));
        let mut command = Command::new("turnserver");
        command.args(["-n", "--no-tls", "--no-dtls", "--no-cli", "--use-auth-secret", "--realm", "example.com"]);
        command.args(["--static-auth-secret", SECRET, "--listening-ip", "127.0.0.1", "--relay-ip", "127.0.0.1"]);
        command.args(["--allow-loopback-peers", "--log-file", "stdout", "--listening-port", &port.to_string()]);
        command.args(["--pidfile", folder.file("turn.pid").to_str().unwrap()]);
        let process = Running::start(command, folder.path(), "turnserver");
        wait::until_true("turnserver", seconds(10), || TcpStream::connect(("127.0.0.1", port)).is_ok());
        Self { port, _process: process }
    }
}
