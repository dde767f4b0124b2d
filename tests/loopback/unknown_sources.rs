//! Requests from addresses that no trunk allows.

use super::harness::{Gateway, Phone, Setup, seconds};
use std::io::{ErrorKind, Read, Write};
use std::net::{TcpStream, UdpSocket};

fn options(from: &UdpSocket, gateway: &Gateway) {
    let (here, place) = (from.local_addr().unwrap(), gateway.place());
    let message = format!(
        "OPTIONS sip:1000@{place} SIP/2.0\r\nVia: SIP/2.0/UDP {here};branch=z9hG4bK{0}\r\nMax-Forwards: 70\r\n\
         From: <sip:scanner@{here}>;tag={0}\r\nTo: <sip:1000@{place}>\r\nCall-ID: {0}@{here}\r\nCSeq: 1 OPTIONS\r\n\
         Content-Length: 0\r\n\r\n",
        here.port()
    );
    from.send_to(message.as_bytes(), place).unwrap();
}

#[test]
fn an_unknown_source_hears_nothing() {
    let routes = "[trunks.known]\nallow = [\"127.0.0.77\"]\n[rooms.lobby]\n\
                  [[routes]]\nname = \"In\"\nfrom = \"known\"\nnumber = \"2000\"\nroom = \"lobby\"\n";
    let gateway = Setup::new().routes(routes).start();
    let unknown_source = UdpSocket::bind("127.0.0.78:0").unwrap();
    let known = UdpSocket::bind("127.0.0.77:0").unwrap();
    options(&unknown_source, &gateway);
    options(&known, &gateway);
    known.set_read_timeout(Some(seconds(5))).unwrap();
    let mut buffer = [0; 4096];
    let length = known.recv(&mut buffer).unwrap();
    assert!(buffer[..length].starts_with(b"SIP/2.0 200 "), "{}", String::from_utf8_lossy(&buffer[..length]));
    // The unknown source's came first: an answer would be here by now.
    unknown_source.set_nonblocking(true).unwrap();
    assert_eq!(unknown_source.recv(&mut buffer).map_err(|error| error.kind()), Err(ErrorKind::WouldBlock));
    assert_eq!(gateway.status()["unknown_sources"], 1);
    let remains = gateway.finish();
    assert!(remains.says(&["request dropped", "127.0.0.78", "no trunk allows"]), "{}", remains.log);
}

#[test]
fn an_unknown_source_who_proves_to_know_the_trunks_password_may_call() {
    let routes = "[trunks.pbx]\nauth = { username = \"pbx\", password = { env = \"PBX_PASSWORD\" } }\n[rooms.lobby]\n\
                  [[routes]]\nname = \"In\"\nfrom = \"pbx\"\nnumber = \"2000\"\nroom = \"lobby\"\n";
    let gateway = Setup::new().routes(routes).environment("PBX_PASSWORD", "correct horse battery").start();
    Phone::dials("2000").account("pbx", "correct horse battery").seconds(1.0).run(&gateway).answered();
    // Numbers that there are and that there are not: the same answer.
    for number in ["2000", "5555"] {
        Phone::dials(number).account("pbx", "battery horse correct").run(&gateway).failed_with(401);
        Phone::dials(number).account("nobody", "battery horse correct").run(&gateway).failed_with(401);
        Phone::dials(number).run(&gateway).failed_with(401);
    }
    Phone::dials("5555").account("pbx", "correct horse battery").run(&gateway).failed_with(404);
    // A peer that only wants to know whether we are there hears something.
    let unknown_source = UdpSocket::bind("127.0.0.78:0").unwrap();
    unknown_source.set_read_timeout(Some(seconds(5))).unwrap();
    options(&unknown_source, &gateway);
    let mut buffer = [0; 4096];
    let length = unknown_source.recv(&mut buffer).unwrap();
    assert!(buffer[..length].starts_with(b"SIP/2.0 401 "), "{}", String::from_utf8_lossy(&buffer[..length]));
    let remains = gateway.finish();
    assert!(remains.says(&["request dropped", "whose password is wrong"]), "{}", remains.log);
    assert!(!remains.log.contains("correct horse battery"));
}

#[test]
fn an_unknown_source_cannot_fill_the_log_over_tcp() {
    let routes = "[trunks.known]\nallow = [\"127.0.0.77\"]\n[rooms.lobby]\n\
                  [[routes]]\nname = \"In\"\nfrom = \"known\"\nnumber = \"2000\"\nroom = \"lobby\"\n";
    let gateway = Setup::new().routes(routes).start();
    // What cannot be framed, on connections one after the other, and then far more connections than one source may
    // open.
    for number in 0..600 {
        let Ok(mut stream) = TcpStream::connect(gateway.place()) else { continue };
        stream.set_read_timeout(Some(seconds(5))).unwrap();
        if number < 100 {
            _ = stream.write_all(b"A sip:b SIP/2.0\r\nl: 1\r\nl: 2\r\n\r\n");
            _ = stream.read_to_end(&mut Vec::new());
        }
    }
    let remains = gateway.finish();
    for (kind, at_least) in [("connection closed: ", 1), ("connection refused: ", 0)] {
        let lines = remains.log.lines().filter(|line| line.contains("WARN") && line.contains(kind)).count();
        assert!((at_least..=20).contains(&lines), "{lines} of {kind}");
    }
    assert!(remains.log.lines().count() < 400, "{} lines", remains.log.lines().count());
}

#[test]
fn the_gateway_reflects_no_flood_of_challenges_and_a_known_trunk_is_served_all_the_while() {
    let routes = "[trunks.pbx]\nauth = { username = \"pbx\", password = { env = \"PBX_PASSWORD\" } }\n\
                  [trunks.known]\nallow = [\"127.0.0.1\"]\n[rooms.lobby]\n\
                  [[routes]]\nname = \"In\"\nfrom = \"known\"\nnumber = \"2000\"\nroom = \"lobby\"\n";
    let gateway = Setup::new().routes(routes).environment("PBX_PASSWORD", "correct horse battery").start();
    let [victim, known] = ["127.0.0.78:0", "127.0.0.1:0"].map(|address| UdpSocket::bind(address).unwrap());
    known.set_read_timeout(Some(seconds(5))).unwrap();
    let mut buffer = [0; 4096];
    for _ in 0..300 {
        options(&victim, &gateway);
        options(&known, &gateway);
        let length = known.recv(&mut buffer).unwrap();
        assert!(buffer[..length].starts_with(b"SIP/2.0 200 "), "{}", String::from_utf8_lossy(&buffer[..length]));
    }
    // How many were left out depends on how long it took; the status counts them.
    let left_out = gateway.status()["unknown_sources"].as_u64().unwrap();
    assert!(left_out > 0);
    victim.set_read_timeout(Some(seconds(5))).unwrap();
    for _ in left_out..300 {
        let length = victim.recv(&mut buffer).unwrap();
        assert!(buffer[..length].starts_with(b"SIP/2.0 401 "));
    }
    victim.set_nonblocking(true).unwrap();
    assert_eq!(victim.recv(&mut buffer).map_err(|error| error.kind()), Err(ErrorKind::WouldBlock));
    let remains = gateway.finish();
    assert!(remains.says(&["request dropped", "127.0.0.78", "sent too many challenges"]), "{}", remains.log);
}
