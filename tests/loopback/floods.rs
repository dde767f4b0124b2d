//! One unknown source that throws TLS hellos, or connections that say nothing, at a gateway whose trunk calls
//! meanwhile.

use super::harness::{Gateway, Phone, Setup, seconds, wait};
use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream, UdpSocket};
use std::time::Instant;
use tokio::net::TcpSocket;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::{ClientConfig, ClientConnection, RootCertStore};

const ROUTES: &str = "[trunks.known]\nallow = [\"127.0.0.1\"]\n[rooms.lobby]\nannounce = \"none\"\n\
                      [[routes]]\nname = \"In\"\nfrom = \"known\"\nnumber = \"2000\"\nroom = \"lobby\"\n";

/// A TLS ClientHello.
fn hello() -> Vec<u8> {
    let provider = ring::default_provider().into();
    let config = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let config = config.with_root_certificates(RootCertStore::empty()).with_no_client_auth();
    let mut connection = ClientConnection::new(config.into(), "gateway.test".try_into().unwrap()).unwrap();
    let mut bytes = Vec::new();
    connection.write_tls(&mut bytes).unwrap();
    bytes
}

/// A connection from an address of loopback; `None` where it is refused.
fn connect(from: [u8; 4], to: SocketAddr) -> Option<TcpStream> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let connected = runtime.block_on(async {
        let socket = TcpSocket::new_v4()?;
        // Ports are few: it leaves no trace.
        socket.set_zero_linger()?;
        socket.bind(SocketAddr::from((from, 0)))?;
        socket.connect(to).await?.into_std()
    });
    let stream = connected.ok()?;
    stream.set_nonblocking(false).unwrap();
    stream.set_read_timeout(Some(seconds(10))).unwrap();
    Some(stream)
}

/// Says hello; whether there is an answer.
fn greet(from: [u8; 4], to: SocketAddr, hello: &[u8]) -> bool {
    let Some(mut stream) = connect(from, to) else { return false };
    // A TLS record of a handshake.
    stream.write_all(hello).is_ok() && matches!(stream.read(&mut [0]), Ok(1))
}

/// A trunk asks over UDP whether the gateway is there, and waits for the answer.
struct Known {
    socket: UdpSocket,
    asked: u32,
}

impl Known {
    fn of(gateway: &Gateway) -> Self {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        socket.connect(gateway.place()).unwrap();
        socket.set_read_timeout(Some(seconds(10))).unwrap();
        Self { socket, asked: 0 }
    }

    fn ask(&mut self) {
        self.asked += 1;
        let here = self.socket.local_addr().unwrap();
        let call = format!("{}@{here}", self.asked);
        self.socket.send(options(here, &call, "UDP").as_bytes()).unwrap();
        let mut buffer = [0; 4096];
        let length = self.socket.recv(&mut buffer).unwrap();
        let answer = String::from_utf8_lossy(&buffer[..length]);
        assert!(answer.starts_with("SIP/2.0 200 ") && answer.contains(&call), "the answer to {call}: {answer}");
    }
}

fn options(here: SocketAddr, call: &str, transport: &str) -> String {
    format!(
        "OPTIONS sip:2000@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/{transport} {here};branch=z9hG4bK{call}\r\nMax-Forwards: 70\r\n\
         From: <sip:known@{here}>;tag=1\r\nTo: <sip:2000@127.0.0.1>\r\nCall-ID: {call}\r\nCSeq: 1 OPTIONS\r\n\
         Content-Length: 0\r\n\r\n"
    )
}

#[test]
fn a_flood_of_tls_hellos_of_one_source_is_mostly_refused_and_calls_are_answered_all_the_while() {
    const HELLOS: u64 = 600;
    let gateway = Setup::new().routes(ROUTES).tls().start();
    let tls = SocketAddr::new(gateway.address, gateway.tls_port);
    let hello = hello();
    let began = Instant::now();
    let flood = std::thread::spawn({
        let hello = hello.clone();
        move || (0..HELLOS).filter(|_| greet([127, 0, 0, 66], tls, &hello)).count() as u64
    });
    let mut known = Known::of(&gateway);
    let mut calls = 0;
    while !flood.is_finished() {
        (0..20).for_each(|_| known.ask());
        if calls < 3 {
            Phone::dials("2000").seconds(0.2).run(&gateway).answered();
            calls += 1;
        }
    }
    let answered = flood.join().unwrap();
    // Forty at once, and one each 100 ms: however long the flood took.
    let allowed = 40 + u64::try_from(began.elapsed().as_millis()).unwrap() / 100 + 1;
    assert!((1..=allowed).contains(&answered), "{answered} of {HELLOS} hellos answered, {allowed} are allowed");
    // A trunk's hello is answered, though every one of the source's was too much just now.
    assert!(greet([127, 0, 0, 1], tls, &hello));
    Phone::dials("2000").seconds(0.2).run(&gateway).answered();
    known.ask();
    let remains = gateway.finish();
    assert!(remains.records.len() > calls && remains.records.iter().all(|record| record["answered"].is_string()));
    let refused = remains.log.lines().filter(|line| line.contains("connection refused: ") && line.contains("WARN"));
    // Twenty and their sum in each minute that the test took.
    let most = 21 * (usize::try_from(began.elapsed().as_secs()).unwrap() / 60 + 1);
    assert!(refused.count() <= most, "{}", remains.log);
}

#[test]
fn idle_connections_of_one_source_are_bounded_and_a_trunk_connects_and_calls_all_the_while() {
    let gateway = Setup::new().routes(ROUTES).start();
    let place: SocketAddr = gateway.place().parse().unwrap();
    let mut known = Known::of(&gateway);
    let mut idle = Vec::new();
    for number in 0..600 {
        idle.extend(connect([127, 0, 0, 66], place));
        if number % 20 == 0 {
            known.ask();
        }
    }
    // A connection that the gateway has closed is at its end, the others have nothing to read.
    idle.iter().for_each(|stream| stream.set_nonblocking(true).unwrap());
    let is_open = |stream: &&TcpStream| {
        let mut stream: &TcpStream = stream;
        matches!(stream.read(&mut [0]), Err(error) if error.kind() == ErrorKind::WouldBlock)
    };
    wait::until_true("at most 256 are kept", seconds(20), || idle.iter().filter(is_open).count() <= 256);
    assert!(idle.iter().filter(is_open).count() > 0, "they are not all thrown out either");
    // A trunk connects beside them, and calls.
    let mut trunk = connect([127, 0, 0, 1], place).expect("a trunk may connect");
    let here = trunk.local_addr().unwrap();
    for number in 0..3 {
        let call = format!("tcp{number}@{here}");
        trunk.write_all(options(here, &call, "TCP").as_bytes()).unwrap();
        let mut answer = Vec::new();
        while !answer.ends_with(b"\r\n\r\n") {
            let mut octet = [0];
            trunk.read_exact(&mut octet).unwrap();
            answer.push(octet[0]);
        }
        let answer = String::from_utf8(answer).unwrap();
        assert!(answer.starts_with("SIP/2.0 200 ") && answer.contains(&call), "{answer}");
    }
    Phone::dials("2000").seconds(0.2).run(&gateway).answered();
    known.ask();
    drop(idle);
    assert_eq!(gateway.finish().record()["cause"], "caller-hung-up");
}
