//! Fetching, from servers that are good and bad.

use super::server::{Server, respond, stall};
use crate::dialplan::{FetchSettings, SoundUrl};
use crate::sound::{Answer, Cause, FetchError, Fetcher, Patience, Validators};
use crate::types::Network;
use std::io::Write;
use std::net::{TcpListener, TcpStream};
use std::time::Duration;

fn network(address: &str, prefix: u8) -> Network {
    Network { address: address.parse().unwrap(), prefix }
}

fn allowing(networks: &[Network]) -> FetchSettings {
    FetchSettings { allow: networks.to_vec(), limit: 1 << 20, timeout: Duration::from_secs(60) }
}

fn patient() -> Fetcher {
    Fetcher::new(allowing(&[network("127.0.0.0", 8)]), Patience::default())
}

/// One with patience for a quarter of a second each, and a second in all.
fn impatient() -> Fetcher {
    let moment = Duration::from_millis(250);
    let settings = FetchSettings { timeout: Duration::from_secs(1), ..allowing(&[network("127.0.0.0", 8)]) };
    Fetcher::new(settings, Patience { connect: moment, first_octet: moment, idle: moment })
}

fn get(fetcher: &Fetcher, url: &str) -> Result<(Answer, Vec<u8>), FetchError> {
    let mut body = Vec::new();
    let answer = fetcher.get(&SoundUrl::read(url).unwrap(), &Validators::default(), &mut body)?;
    Ok((answer, body))
}

fn cause(fetcher: &Fetcher, url: &str) -> Cause {
    get(fetcher, url).unwrap_err().cause
}

#[test]
fn what_has_not_changed_is_not_fetched_again() {
    let server = Server::start("127.0.0.1", |asked, stream| {
        if asked.head.to_lowercase().contains("if-none-match: \"7\"") {
            return respond(stream, "304 Not Modified", &[], b"");
        }
        let headers = ["Content-Type: audio/mpeg", "ETag: \"7\"", "Last-Modified: Fri, 27 Nov 2026 10:00:00 GMT"];
        respond(stream, "200 OK", &headers, b"seven");
    });
    let url = SoundUrl::read(&server.url("/hold.mp3?x=1")).unwrap();
    let mut body = Vec::new();
    let answer = patient().get(&url, &Validators::default(), &mut body).unwrap();
    let Answer::Body { content_type, validators } = answer else { panic!("{answer:?}") };
    assert_eq!((body.as_slice(), content_type.as_deref()), (&b"seven"[..], Some("audio/mpeg")));
    assert_eq!(server.next().path, "/hold.mp3?x=1");
    body.clear();
    assert_eq!(patient().get(&url, &validators, &mut body).unwrap(), Answer::Unchanged);
    let again = server.next().head.to_lowercase();
    assert!(again.contains("if-modified-since: fri, 27 nov 2026"), "{again}");
    assert_eq!(body, b"");
}

#[test]
fn addresses_that_are_not_public_are_refused_in_every_spelling() {
    let server = Server::with("secret");
    let port = server.address.port();
    let strict = Fetcher::new(allowing(&[]), Patience::default());
    for host in [
        "127.0.0.1",
        "localhost",
        "2130706433",
        "0x7f000001",
        "0177.0.0.1",
        "127.1",
        "0.0.0.0",
        "[::1]",
        "[::ffff:127.0.0.1]",
        "[::]",
        "169.254.169.254",
        "10.0.0.1",
        "[fd00::1]",
        "[fe80::1]",
    ] {
        let error = get(&strict, &format!("http://{host}:{port}/")).unwrap_err();
        assert!(matches!(error.cause, Cause::Refused(_)), "{host}: {error}");
    }
    assert_eq!(get(&patient(), &server.url("/")).unwrap().1, b"secret");
}

#[test]
fn a_redirect_is_checked_like_the_url_itself() {
    // The one server that is allowed leads to another address.
    let inside = Server::with("secret");
    let port = inside.address.port();
    let outside = Server::start("127.0.0.2", move |asked, stream| {
        let location = match asked.path.as_str() {
            "/literal" => format!("http://127.0.0.1:{port}/"),
            "/name" => format!("http://localhost:{port}/"),
            "/mapped" => format!("http://[::ffff:127.0.0.1]:{port}/"),
            "/decimal" => format!("http://2130706433:{port}/"),
            "/file" => "file:///etc/passwd".into(),
            "/relative" => "sound".into(),
            "/round" => "/round".into(),
            "/nowhere" => return respond(stream, "302 Found", &[], b""),
            _ => return respond(stream, "200 OK", &[], b"sound"),
        };
        respond(stream, "302 Found", &[&format!("Location: {location}")], b"");
    });
    let fetcher = Fetcher::new(allowing(&[network("127.0.0.2", 32)]), Patience::default());
    for path in ["/literal", "/name", "/mapped", "/decimal"] {
        let error = get(&fetcher, &outside.url(path)).unwrap_err();
        assert!(matches!(error.cause, Cause::Refused(_)), "{path}: {error}");
        assert!(error.to_string().contains("is loopback"), "{error}");
    }
    for path in ["/file", "/round", "/nowhere"] {
        let error = get(&fetcher, &outside.url(path)).unwrap_err();
        assert!(matches!(error.cause, Cause::Redirect(_)), "{path}: {error}");
    }
    assert_eq!(get(&fetcher, &outside.url("/relative")).unwrap().1, b"sound");
}

#[test]
fn a_password_goes_to_the_server_it_is_for_and_is_never_shown() {
    let other = Server::with("sound");
    let to = format!("Location: http://{}/", other.address);
    let server = Server::start("127.0.0.2", move |_, stream| respond(stream, "307 Temporary Redirect", &[&to], b""));
    let url = format!("http://hold:hu%20sh@{}/a?token=hush", server.address);
    assert_eq!(get(&patient(), &url).unwrap().1, b"sound");
    // hold:hu sh
    assert!(server.next().head.to_lowercase().contains("authorization: basic ag9szdpodsbzaa=="));
    assert!(!other.next().head.to_lowercase().contains("authorization"));
    let strict = Fetcher::new(allowing(&[]), Patience::default());
    let told = get(&strict, &url).unwrap_err().to_string();
    assert!(told.starts_with(&format!("http://{}/a: ", server.address)) && !told.contains("hush"), "{told}");
}

#[test]
fn a_server_that_stalls_is_left_wherever_it_does() {
    for (stage, text) in [
        ("before the head", ""),
        ("within the head", "HTTP/1.1 200 OK\r\nContent-Le"),
        ("before the body", "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n"),
        ("within the body", "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nsome of it"),
    ] {
        let server = Server::start("127.0.0.1", move |_, stream| {
            let _ = stream.write_all(text.as_bytes());
            stall(stream);
        });
        let cause = cause(&impatient(), &server.url("/"));
        assert!(matches!(cause, Cause::Timeout(_)), "{stage}: {cause}");
    }
    // One that takes no connection: its queue is full.
    let full = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = full.local_addr().unwrap();
    let moment = Duration::from_millis(100);
    let queue: Vec<_> = (0..).map_while(|_| TcpStream::connect_timeout(&address, moment).ok()).take(5_000).collect();
    let cause = cause(&impatient(), &format!("http://{address}/"));
    assert!(matches!(cause, Cause::Timeout(_)), "{} in the queue: {cause}", queue.len());
}

#[test]
fn a_server_that_drips_is_left_when_all_the_time_is_over() {
    for head in ["HTTP/1.1 200 OK\r\n\r\n", "HTTP/1.1 200 OK\r\nX: "] {
        let server = Server::start("127.0.0.1", move |_, stream| {
            let _ = stream.write_all(head.as_bytes());
            let (_open, pause) = std::sync::mpsc::channel::<()>();
            while stream.write_all(b"x").is_ok() {
                let _ = pause.recv_timeout(Duration::from_millis(20));
            }
        });
        let cause = cause(&impatient(), &server.url("/"));
        assert!(matches!(cause, Cause::Timeout(_)), "{head:?}: {cause}");
    }
}

#[test]
fn what_is_too_large_or_not_all_is_no_sound() {
    let announced = Server::start("127.0.0.1", |_, stream| {
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\nx");
        stall(stream);
    });
    assert!(matches!(cause(&patient(), &announced.url("/")), Cause::TooLarge(1_048_576)));
    for head in ["Transfer-Encoding: chunked\r\n\r\n", "\r\n"] {
        let endless = Server::start("127.0.0.1", move |_, stream| {
            let _ = stream.write_all(format!("HTTP/1.1 200 OK\r\n{head}").as_bytes());
            let piece =
                if head.contains("chunked") { [b"400\r\n", &[0; 1_024][..], b"\r\n"].concat() } else { vec![0; 1_024] };
            while stream.write_all(&piece).is_ok() {}
        });
        let cause = cause(&patient(), &endless.url("/"));
        assert!(matches!(cause, Cause::TooLarge(_)), "{head:?}: {cause}");
    }
    for text in ["Content-Length: 100\r\n\r\nten octets", "Transfer-Encoding: chunked\r\n\r\n64\r\nten octets"] {
        let short = Server::start("127.0.0.1", move |_, stream| {
            let _ = stream.write_all(format!("HTTP/1.1 200 OK\r\n{text}").as_bytes());
        });
        let error = get(&patient(), &short.url("/")).unwrap_err();
        assert!(matches!(error.cause, Cause::Other(_)), "{text:?}: {error}");
    }
}

#[test]
fn what_the_server_refuses_or_nobody_serves_is_told() {
    let missing = Server::start("127.0.0.1", |_, stream| respond(stream, "404 Not Found", &[], b"sorry"));
    let told = get(&patient(), &missing.url("/hold.mp3")).unwrap_err().to_string();
    assert!(told.ends_with("/hold.mp3: the server says 404 Not Found"), "{told}");
    let packed = Server::start("127.0.0.1", |_, stream| respond(stream, "200 OK", &["Content-Encoding: gzip"], b"x"));
    assert!(get(&patient(), &packed.url("/")).unwrap_err().to_string().contains("gzip"));
    let nonsense = Server::start("127.0.0.1", |_, stream| drop(stream.write_all(b"220 mail.example ESMTP\r\n")));
    assert!(matches!(cause(&patient(), &nonsense.url("/")), Cause::Other(_)));
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let told = get(&patient(), &format!("http://{closed}/")).unwrap_err().to_string();
    assert!(told.to_lowercase().contains("refused"), "{told}");
}
