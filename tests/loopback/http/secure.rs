//! SIP over WebSocket by TLS, and the API, with a certificate of the test's own, which its clients check.

use super::super::harness::chromium::{Chromium, assert_hears};
use super::super::harness::http::{Http, WebSocket};
use super::super::harness::slot::Slot;
use super::super::harness::{Gateway, OPERATOR, Phone, Setup, VIEWER, address, seconds, sound};
use super::sip_client::{Client, Tls, header};
use std::net::{IpAddr, TcpStream};
use std::sync::Arc;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};

const ROUTES: &str = r##"
[users.anna]
password = { plain = "a password that nobody guesses" }

[[routes]]
name   = "Users"
from   = "users"
number = "2000"
room   = "lobby"
"##;

/// A gateway with HTTPS, and where that is.
fn start() -> (Gateway, u16) {
    start_for("https://gate.example")
}

/// The same for a page of another origin.
fn start_for(origin: &str) -> (Gateway, u16) {
    let port = address::free_port(IpAddr::from([127, 0, 0, 1]));
    let https = format!("https = \"127.0.0.1:{port}\"\norigins = [\"{origin}\"]");
    let gateway = Setup::new().also(ROUTES).tls().web().setting(&https).start();
    gateway.wait_for_log("users loaded", seconds(20));
    (gateway, port)
}

/// A connection to it, as somebody who trusts the authority of its certificate; the handshake fails where `name` is not
/// the certificate's.
fn connect(gateway: &Gateway, port: u16, name: &str) -> Tls {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(gateway.folder().join("ca.pem")).unwrap()).unwrap();
    let config = ClientConfig::builder().with_root_certificates(roots).with_no_client_auth();
    let name = ServerName::try_from(name.to_owned()).unwrap();
    let connection = ClientConnection::new(Arc::new(config), name).unwrap();
    let stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    stream.set_read_timeout(Some(seconds(20))).unwrap();
    StreamOwned::new(connection, stream)
}

#[test]
fn a_user_registers_and_calls_by_wss_and_an_invitation_says_https() {
    let (gateway, port) = start();
    let sip = [("Sec-WebSocket-Protocol", "sip"), ("Origin", "https://gate.example")];
    let line = WebSocket::over(Http::over(connect(&gateway, port, "gateway.test")), "/sip", &sip);
    let line = line.unwrap_or_else(|refused| panic!("{}{}", refused.head, refused.body));
    let mut anna = Client::new(line, "2000");
    let registered = anna.registers(600);
    assert!(registered.starts_with("SIP/2.0 200"), "{registered}");
    let mut api = Http::over(connect(&gateway, port, "gateway.test"));
    let bearer = |token: &str| format!("Bearer {token}");
    let users = api.send("GET", "/api/v1/users", &[("Authorization", &bearer(VIEWER))], "").unwrap().json();
    let at = users[0]["bindings"][0]["address"].as_str().unwrap();
    assert!(at.starts_with("wss:127.0.0.1:"), "{users}");
    let answer = anna.calls();
    assert!(answer.starts_with("SIP/2.0 200"), "{answer}");
    assert!(header(&answer, "Via").starts_with("SIP/2.0/WSS "), "{answer}");
    gateway.wait_for_members("lobby", 1);
    let phone = Phone::dials("2000").seconds(2.0).call(&gateway);
    gateway.wait_for_members("lobby", 2);
    phone.finish().answered();
    let headers = [("Authorization", &*bearer(OPERATOR)), ("Content-Type", "application/json")];
    let invite = r#"{"name":"Ben","expires":"1h"}"#;
    let invited = api.send("POST", "/api/v1/rooms/lobby/invitations", &headers, invite).unwrap().json();
    let path = invited["url"].as_str().unwrap().strip_prefix("https://gate.example").unwrap().to_owned();
    let admitted = api.send("POST", &path, &[], "").unwrap().json();
    assert_eq!(admitted["websocket"], "wss://gate.example/sip");
    anna.hangs_up();
    drop(anna);
    gateway.finish();
}

#[test]
fn a_browser_registers_calls_and_is_called_by_wss() {
    let _slot = Slot::take();
    let browser = Chromium::start();
    let (gateway, port) = start_for(&browser.origin());
    let domain = "gateway.test";
    browser.does(&format!(
        "window.anna = new page.JsSipUser('wss://127.0.0.1:{port}/sip', '{domain}', 'anna', 'a password that nobody guesses');
         await anna.registers(); await anna.calls(2000, 700);"
    ));
    let phone = Phone::dials("2000").says(500.0).seconds(6.0).call(&gateway);
    gateway.wait_for_members("lobby", 2);
    assert_hears(&browser, "anna", &[500.0], &[700.0]);
    sound::assert_hears_other_not_own("the telephone", &phone.finish().answered().heard, 700.0, 500.0);
    browser.does("anna.hangsUp(); await anna.isOver(); window.answered = anna.answers(700);");
    let dialled = gateway.ctl(&["dial", "--room", "lobby", "user:anna"]);
    assert_eq!(dialled.code(), 0, "{}{}", dialled.output, dialled.errors);
    browser.does("await answered; anna.hangsUp(); await anna.isOver();");
    gateway.finish();
}

#[test]
fn who_checks_the_certificate_speaks_to_nobody_elses_gateway() {
    let (gateway, port) = start();
    let mut foreign = connect(&gateway, port, "another.test");
    let refused = foreign.conn.complete_io(&mut foreign.sock).unwrap_err();
    assert!(refused.to_string().contains("certificate"), "{refused}");
    // Nor does anybody get anything there without TLS.
    let mut plain = Http::over(TcpStream::connect(("127.0.0.1", port)).unwrap());
    assert!(plain.send("GET", "/api/openapi.json", &[], "").is_none());
    gateway.finish();
}
