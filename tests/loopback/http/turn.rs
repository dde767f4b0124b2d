//! TURN with coturn: the passwords that clients get from us let them in, and others do not.

use super::super::harness::address::free_port;
use super::super::harness::certificate;
use super::super::harness::folder::Folder;
use super::super::harness::http::request;
use super::super::harness::process::Running;
use super::super::harness::turn::{SECRET, Turn};
use super::super::harness::{LOBBY, Setup, seconds, wait};
use std::net::{IpAddr, Ipv4Addr, TcpStream};
use std::process::Command;

/// Whether a client gets a relay by this name and password, and packets through it.
fn relays(folder: &Folder, port: u16, username: &str, password: &str) -> bool {
    let mut command = Command::new("turnutils_uclient");
    command.args([
        "-y",
        "-c",
        "-n",
        "3",
        "-m",
        "1",
        "-u",
        username,
        "-w",
        password,
        "-p",
        &port.to_string(),
        "127.0.0.1",
    ]);
    let outcome = Running::start(command, folder.path(), "uclient").finish(seconds(30));
    (outcome.output + &outcome.errors).contains("Total lost packets 0 ")
}

#[test]
fn a_client_gets_a_password_that_coturn_takes_until_it_ends() {
    let folder = Folder::new();
    let turn = Turn::start(&folder);
    let port = turn.port;
    let ice = format!(
        "[ice]\nstun = [\"stun:127.0.0.1:{port}\"]\nturn = [\"turn:127.0.0.1:{port}\"]\n\
         turn_secret = {{ env = \"TURN_SECRET\" }}\nturn_lifetime = \"1m\"\n"
    );
    let gateway = Setup::new().web().also(&ice).environment("TURN_SECRET", SECRET).start();
    let servers = request(&gateway, "GET", "/api/v1/ice-servers", Some(LOBBY), None).json();
    assert_eq!(servers[0]["urls"][0], format!("stun:127.0.0.1:{port}"));
    let [username, password] = ["username", "credential"].map(|field| servers[1][field].as_str().unwrap().to_owned());
    assert!(username.ends_with(":lobby"), "{username}");
    assert!(relays(&folder, port, &username, &password));
    let later = username.replacen(|c: char| c.is_ascii_digit(), "2", 1);
    for (name, word) in [(username.as_str(), "wrong"), (later.as_str(), password.as_str()), ("1:lobby", &password)] {
        assert!(!relays(&folder, port, name, word), "{name}");
    }
    gateway.finish().assert_silent_about(&[SECRET, &password]);
}

/// Whether a client gets a relay, by TLS or by TCP in clear.
fn gets_relay(by_tls: bool, folder: &Folder, port: u16, username: &str, password: &str) -> bool {
    // It repeats packets that were lost between its own ends for ever, and says what happens when there is a page of
    // it.
    let mut command = Command::new("timeout");
    command.args(["8", "stdbuf", "-oL", "turnutils_uclient", "-v", "-t", "-y", "-c", "-n", "1", "-m", "1"]);
    command.args(by_tls.then_some("-S"));
    command.args(["-u", username, "-w", password, "-p", &port.to_string(), "127.0.0.1"]);
    let outcome = Running::start(command, folder.path(), "uclient").finish(seconds(30));
    outcome.output.lines().any(|line| line.ends_with(": success"))
}

#[test]
fn the_same_password_lets_a_client_in_by_tls_alone() {
    let folder = Folder::new();
    let port = free_port(IpAddr::V4(Ipv4Addr::LOCALHOST));
    certificate::issue(folder.path(), "turn", "turn.example.com");
    let file = |name: &str| folder.file(name).to_str().unwrap().to_owned();
    let mut command = Command::new("turnserver");
    // Neither UDP nor TCP in clear: what a firewall that knows HTTPS alone lets through.
    command.args([
        "-n",
        "--no-udp",
        "--no-tcp",
        "--no-dtls",
        "--no-cli",
        "--use-auth-secret",
        "--realm",
        "example.com",
    ]);
    command.args(["--static-auth-secret", SECRET, "--listening-ip", "127.0.0.1", "--relay-ip", "127.0.0.1"]);
    command.args(["--cert", &file("turn.pem"), "--pkey", &file("turn.key.pem"), "--pidfile", &file("turn.pid")]);
    command.args(["--allow-loopback-peers", "--log-file", "stdout", "--tls-listening-port", &port.to_string()]);
    let _turn = Running::start(command, folder.path(), "turnserver");
    wait::until_true("turnserver", seconds(10), || TcpStream::connect(("127.0.0.1", port)).is_ok());
    let url = format!("turns:127.0.0.1:{port}?transport=tcp");
    let ice = format!("[ice]\nturn = [\"{url}\"]\nturn_secret = {{ env = \"TURN_SECRET\" }}\n");
    let gateway = Setup::new().web().also(&ice).environment("TURN_SECRET", SECRET).start();
    let servers = request(&gateway, "GET", "/api/v1/ice-servers", Some(LOBBY), None).json();
    assert_eq!(servers[0]["urls"][0], url);
    let [username, password] = ["username", "credential"].map(|field| servers[0][field].as_str().unwrap().to_owned());
    assert!(gets_relay(true, &folder, port, &username, &password));
    assert!(!gets_relay(true, &folder, port, &username, "wrong"));
    assert!(!gets_relay(false, &folder, port, &username, &password), "in clear");
    gateway.finish().assert_silent_about(&[SECRET, &password]);
}
