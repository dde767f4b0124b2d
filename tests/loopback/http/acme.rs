//! Certificates from Pebble, Let's Encrypt's authority for tests (RFC 8555), which checks us by TLS-ALPN-01.

use super::super::harness::address::free_port;
use super::super::harness::certificate;
use super::super::harness::dns::Dns;
use super::super::harness::folder::Folder;
use super::super::harness::process::Running;
use super::super::harness::{Gateway, Setup, seconds, wait};
use std::io::{Read, Write};
use std::net::{IpAddr, Ipv4Addr, TcpStream};
use std::path::PathBuf;
use std::process::Command;
use std::sync::Arc;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};

const LOCALHOST: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
const NAME: &str = "conference.example.com";

/// An authority, and the port at which it looks whether a name is somebody's.
struct Pebble {
    folder: Folder,
    /// `None` once it is gone.
    process: Option<Running>,
    port: u16,
    management: u16,
    https: u16,
}

impl Pebble {
    /// Its certificates hold for so many seconds, and it looks names up at `dns`.
    fn start(dns: &Dns, lifetime: u32) -> Self {
        let folder = Folder::new();
        let [port, management, https] = [(); 3].map(|()| free_port(LOCALHOST));
        certificate::issue(folder.path(), "pebble", "localhost");
        let config = serde_json::json!({ "pebble": {
            "listenAddress": format!("127.0.0.1:{port}"), "managementListenAddress": format!("127.0.0.1:{management}"),
            "certificate": folder.file("pebble.pem"), "privateKey": folder.file("pebble.key.pem"),
            "httpPort": 1, "tlsPort": https, "certificateValidityPeriod": lifetime,
        } });
        std::fs::write(folder.file("pebble.json"), config.to_string()).unwrap();
        let mut command = Command::new("pebble");
        command.arg("-config").arg(folder.file("pebble.json")).arg("-dnsserver").arg(dns.place().to_string());
        command.env("PEBBLE_VA_NOSLEEP", "1");
        let process = Running::start(command, folder.path(), "pebble");
        wait::until_true("Pebble", seconds(10), || TcpStream::connect(("127.0.0.1", management)).is_ok());
        Self { folder, process: Some(process), port, management, https }
    }

    fn ca(&self) -> PathBuf {
        self.folder.file("ca.pem")
    }

    /// Lines of `[gateway]`.
    fn settings(&self) -> String {
        let (https, port, ca) = (self.https, self.port, self.ca());
        format!(
            "https = \"127.0.0.1:{https}\"\nacme = {{ domains = \"{NAME}\", contact = \"admin@example.com\", \
             directory = \"https://localhost:{port}/dir\", ca = \"{}\" }}",
            ca.display()
        )
    }

    /// The root of what it signs.
    fn root(&self) -> CertificateDer<'static> {
        let pem = ask(&[CertificateDer::from_pem_file(self.ca()).unwrap()], "localhost", self.management, "/roots/0");
        CertificateDer::from_pem_slice(pem.unwrap().1.as_bytes()).unwrap()
    }
}

/// Asks `name` for a path by HTTPS. Gives its certificate and the body of its answer, or why there is none.
fn ask(
    roots: &[CertificateDer<'static>],
    name: &'static str,
    port: u16,
    path: &str,
) -> Result<(CertificateDer<'static>, String), String> {
    let mut store = RootCertStore::empty();
    store.add_parsable_certificates(roots.iter().cloned());
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(store)
        .with_no_client_auth();
    let session = ClientConnection::new(Arc::new(config), ServerName::try_from(name).unwrap()).unwrap();
    let stream = TcpStream::connect(("127.0.0.1", port)).map_err(|error| error.to_string())?;
    stream.set_read_timeout(Some(seconds(5))).unwrap();
    let mut stream = StreamOwned::new(session, stream);
    let request = format!("GET {path} HTTP/1.1\r\nHost: {name}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).map_err(|error| error.to_string())?;
    let mut answer = String::new();
    // Not everybody says goodbye.
    let _ = stream.read_to_string(&mut answer);
    let shown = stream.conn.peer_certificates().ok_or("no certificate")?[0].clone().into_owned();
    let body = answer.split_once("\r\n\r\n").map(|(_, body)| body.to_owned()).unwrap_or_default();
    Ok((shown, body))
}

fn trouble(gateway: &Gateway) -> String {
    gateway.status()["backlog"]["certificate_trouble"].as_str().unwrap().to_owned()
}

#[test]
fn a_certificate_is_ordered_shown_and_renewed_and_outlives_the_authority() {
    let dns = Dns::start().address(NAME, LOCALHOST);
    let mut pebble = Pebble::start(&dns, 45);
    let gateway = Setup::new().setting(&pebble.settings()).start();
    let (root, https) = (pebble.root(), pebble.https);
    let shown = || ask(std::slice::from_ref(&root), NAME, https, "/api/openapi.json").ok();
    let (first, body) = wait::until("a certificate", seconds(30), shown);
    assert!(body.contains("openapi"), "{body}");
    assert_eq!(trouble(&gateway), "");
    // When a third of its 45 s is left.
    let another = || shown().filter(|(certificate, _)| *certificate != first);
    let (second, _) = wait::until("another certificate", seconds(60), another);
    // The authority is gone, and so is the gateway for a moment.
    pebble.process = None;
    let gateway = gateway.kill_and_start_again();
    assert_eq!(wait::until("the certificate of before", seconds(10), shown).0, second);
    gateway.finish();
}

#[test]
fn a_name_that_is_not_ours_is_told_by_log_and_status() {
    // There nobody listens.
    let dns = Dns::start().address(NAME, "127.0.0.2".parse().unwrap());
    let pebble = Pebble::start(&dns, 3_600);
    let gateway = Setup::new().setting(&pebble.settings()).start();
    wait::until_true("trouble", seconds(60), || !trouble(&gateway).is_empty());
    let told = trouble(&gateway);
    let expected = format!("no certificate for {NAME} from ACME: the authority could not see that {NAME} is ours: ");
    assert!(told.starts_with(&expected), "{told}");
    let shown = gateway.ctl(&["status"]);
    assert!(shown.output.contains(&told), "{}", shown.output);
    assert!(ask(&[pebble.root()], NAME, pebble.https, "/").is_err(), "there is none to show");
    let remains = gateway.finish();
    assert!(remains.says(&["WARN", &told, "tried again in 1 min"]), "{}", remains.log);
}
