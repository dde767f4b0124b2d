//! The server itself: limits, HTTPS, what a reload changes.

use super::super::harness::http::{Http, request};
use super::super::harness::{ADMIN, Gateway, Setup, VIEWER, certificate, seconds, wait};
use nix::sys::signal::Signal;
use std::io::Read;
use std::net::TcpStream;

fn start() -> Gateway {
    Setup::new().web().start()
}

#[test]
fn what_no_client_sends_is_refused_and_the_next_one_is_served() {
    let gateway = start();
    let long = format!("/api/v1/rooms/{}", "x".repeat(20_000));
    let many = (0..80).map(|n| (format!("X-{n}"), "y")).collect::<Vec<_>>();
    let many: Vec<(&str, &str)> = many.iter().map(|(name, value)| (name.as_str(), *value)).collect();
    let status = |answer: Option<super::super::harness::http::Answer>| answer.map(|answer| answer.status);
    let http = || Http::open(&gateway);
    assert!(matches!(status(http().send("GET", &long, &[], "")), Some(414 | 431)));
    assert_eq!(status(http().send("GET", "/api/v1/rooms", &many, "")), Some(431));
    assert_eq!(status(http().send_raw(b"\x16\x03\x01\x02\x00 hello\r\n\r\n")), Some(400));
    assert_eq!(status(http().send_raw(b"GET /api/v1/rooms HTTP/9.9\r\n\r\n")), Some(400));
    let bearer = format!("Bearer {ADMIN}");
    let headers = [("Authorization", bearer.as_str()), ("Content-Type", "application/json")];
    let large = http().send("POST", "/api/v1/rooms", &headers, &"x".repeat(70_000)).unwrap();
    assert_eq!((large.status, large.rule().as_str()), (413, "too-large"));
    let rooms = request(&gateway, "GET", "/api/v1/rooms", Some(VIEWER), None);
    assert_eq!(rooms.status, 200);
    for name in ["cache-control", "x-content-type-options", "x-frame-options"] {
        assert!(rooms.header(name).is_some(), "{name}");
    }
    let other = request(&gateway, "PATCH", "/api/v1/rooms", Some(ADMIN), None);
    assert_eq!((other.status, other.rule().as_str()), (405, "method-not-allowed"));
    assert!(other.header("allow").is_some_and(|allow| allow.contains("GET")), "{}", other.head);
    gateway.finish();
}

#[test]
fn wrong_tokens_wait_and_the_right_one_does_not() {
    let gateway = start();
    let mut http = Http::open(&gateway);
    let wrong = [("Authorization", "Bearer of-nobody-0123456789")];
    let answers: Vec<_> = (0..40).map(|_| http.send("GET", "/api/v1/rooms", &wrong, "").unwrap()).collect();
    let count = |status| answers.iter().filter(|answer| answer.status == status).count();
    assert!(count(401) >= 10 && count(429) >= 20 && count(401) + count(429) == 40, "{} {}", count(401), count(429));
    let last = answers.last().unwrap();
    assert_eq!((last.rule().as_str(), last.header("retry-after")), ("too-many-requests", Some("6")));
    assert_eq!(request(&gateway, "GET", "/api/v1/rooms", Some(VIEWER), None).status, 200);
    let remains = gateway.finish();
    assert!(remains.says(&["wrong API token", "127.0.0.1"]), "{}", remains.log);
    assert!(!remains.log.contains("of-nobody") && !remains.log.contains(VIEWER));
}

#[test]
fn silent_connections_make_room_and_are_closed() {
    let gateway = start();
    let place = (gateway.address, gateway.web_port());
    let mut idle: Vec<_> = (0..200).map(|_| TcpStream::connect(place).unwrap()).collect();
    assert_eq!(request(&gateway, "GET", "/api/v1/rooms", Some(VIEWER), None).status, 200);
    for stream in &mut idle {
        // The first make room at once, the others have ten seconds for a request.
        stream.set_read_timeout(Some(seconds(20))).unwrap();
        let mut left = Vec::new();
        let _ = stream.read_to_end(&mut left);
    }
    gateway.finish();
}

#[test]
fn a_reload_takes_up_tokens_and_takes_them_away() {
    let gateway = start();
    let config = gateway.folder().join("dialplan.toml");
    let before = std::fs::read_to_string(&config).unwrap();
    std::fs::write(&config, before.replace(VIEWER, "of-another-viewer-0123456789")).unwrap();
    gateway.signal(Signal::SIGHUP);
    wait::until_true("the new token is good", seconds(10), || {
        request(&gateway, "GET", "/api/v1/rooms", Some("of-another-viewer-0123456789"), None).status == 200
    });
    let status = request(&gateway, "GET", "/api/v1/rooms", Some(VIEWER), None).status;
    // The new one was wrong for a while.
    assert!(matches!(status, 401 | 429), "{status}");
    gateway.finish();
}

#[test]
fn https_shows_the_certificate_and_serves_the_same() {
    let port = super::super::harness::address::free_port("127.0.0.1".parse().unwrap());
    let setting =
        format!("https = \"127.0.0.1:{port}\"\nhttps_tls = {{ certificate = \"web.pem\", key = \"web.key.pem\" }}");
    let gateway = Setup::new().web().setting(&setting).prepare(|folder| certificate::issue(folder, "web", "localhost"));
    let authority = std::fs::read(gateway.folder().join("ca.pem")).unwrap();
    let provider = std::sync::Arc::new(tokio_rustls::rustls::crypto::ring::default_provider());
    let roots = ureq::tls::RootCerts::from(vec![ureq::tls::Certificate::from_pem(&authority).unwrap()]);
    let tls = ureq::tls::TlsConfig::builder().root_certs(roots).unversioned_rustls_crypto_provider(provider).build();
    let agent: ureq::Agent = ureq::Agent::config_builder().tls_config(tls).build().into();
    let url = format!("https://localhost:{port}/api/v1/rooms");
    let answer = agent.get(&url).header("Authorization", format!("Bearer {VIEWER}")).call().unwrap();
    assert_eq!(answer.status(), 200);
    let remains = gateway.finish();
    assert!(remains.says(&["listening on https://127.0.0.1"]), "{}", remains.log);
}
