//! Connections of browsers on loopback, and of those who are none.

use super::framing::{Frame, Frames};
use super::relays::Relays;
use super::{IceTcp, IceTcpError};
use crate::types::CallId;
use is::stun::{StunMessage, TransId};
use is::{DefaultSha1HmacProvider, Sha1HmacProvider};
use socket2::{Domain, Socket, Type};
use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream, UdpSocket};
use std::time::{Duration, Instant};

const LIMIT: Duration = Duration::from_secs(10);
const CALL: CallId = CallId(1);

/// What listens, and a leg whose fragment is `ours`.
struct Bench {
    tcp: IceTcp,
    leg: UdpSocket,
}

impl Bench {
    fn new() -> Self {
        let tcp = IceTcp::start(&["127.0.0.1:0".parse().unwrap()]).unwrap().unwrap();
        let leg = UdpSocket::bind("127.0.0.1:0").unwrap();
        leg.set_read_timeout(Some(LIMIT)).unwrap();
        tcp.relays.register(CALL, "ours", leg.local_addr().unwrap());
        Self { tcp, leg }
    }

    fn relays(&self) -> &Relays {
        &self.tcp.relays
    }

    fn connect(&self) -> Client {
        Client::new(TcpStream::connect(self.tcp.bound[0]).unwrap())
    }

    /// A datagram that comes to the leg, and where from.
    fn receive(&self) -> (Vec<u8>, SocketAddr) {
        let mut bytes = [0; 3_000];
        let (length, source) = self.leg.recv_from(&mut bytes).expect("a datagram");
        (bytes[..length].to_vec(), source)
    }

    /// A client that is known, and the address that the leg sees of it.
    fn join(&self) -> (Client, SocketAddr) {
        let mut client = self.connect();
        client.send(&check("ours"));
        let (bytes, relay) = self.receive();
        assert_eq!(bytes, check("ours"));
        (client, relay)
    }

    /// Waits until there are so many strangers and connections of calls.
    fn wait_for(&self, strangers: usize, connections: usize) {
        let end = Instant::now() + LIMIT;
        while self.relays().counts() != (strangers, connections) {
            assert!(Instant::now() < end, "{:?}, not {strangers} and {connections}", self.relays().counts());
            std::thread::yield_now();
        }
    }
}

struct Client {
    stream: TcpStream,
    frames: Frames,
}

impl Client {
    fn new(stream: TcpStream) -> Self {
        stream.set_read_timeout(Some(LIMIT)).unwrap();
        Self { stream, frames: Frames::new() }
    }

    fn send(&mut self, datagram: &[u8]) {
        let mut frame = Frame::new();
        frame.room()[..datagram.len()].copy_from_slice(datagram);
        self.stream.write_all(frame.of(datagram.len())).unwrap();
    }

    /// The next frame; `None` at the end.
    fn receive(&mut self) -> Option<Vec<u8>> {
        loop {
            if let Some(frame) = self.frames.next().unwrap() {
                return Some(frame.to_vec());
            }
            match self.stream.read(self.frames.room()) {
                Ok(0) => return None,
                Ok(octets) => self.frames.add(octets),
                Err(error) if error.kind() == ErrorKind::ConnectionReset => return None,
                Err(error) => panic!("{error}"),
            }
        }
    }
}

/// A connectivity check to whoever has that fragment.
fn check(fragment: &str) -> Vec<u8> {
    let username = format!("{fragment}:theirs");
    let id: TransId = serde_json::from_value(vec![7; 12].into()).unwrap();
    let message = StunMessage::binding_request(&username, id, true, 1, 2, false);
    let mut bytes = [0; 200];
    let hmac = |key: &[u8], parts: &[&[u8]]| DefaultSha1HmacProvider.sha1_hmac(key, parts);
    let length = message.to_bytes(Some(b"password of the other side"), &mut bytes, hmac).unwrap();
    bytes[..length].to_vec()
}

#[test]
fn a_check_leads_a_connection_to_its_call_and_back() {
    let bench = Bench::new();
    let (mut client, relay) = bench.join();
    let remote = client.stream.local_addr().unwrap();
    assert_eq!(bench.relays().remote(relay), Some(remote));
    assert_eq!(bench.relays().relay(CALL, remote), Some(relay));
    for length in [1, 200, 1_200, 2_048] {
        bench.leg.send_to(&vec![9; length], relay).unwrap();
        assert_eq!(client.receive(), Some(vec![9; length]));
        client.send(&vec![8; length]);
        assert_eq!(bench.receive(), (vec![8; length], relay));
    }
    drop(client);
    bench.wait_for(0, 0);
    assert_eq!(bench.relays().take_ended(CALL), [remote]);
    assert_eq!((bench.relays().remote(relay), bench.relays().take_ended(CALL)), (None, vec![]));
}

#[test]
fn a_check_may_come_before_its_call_is_known() {
    let bench = Bench::new();
    let mut client = bench.connect();
    client.send(&check("next"));
    client.send(&[]);
    bench.wait_for(1, 0);
    bench.relays().register(CallId(2), "next", bench.leg.local_addr().unwrap());
    client.send(&check("next"));
    assert_eq!(bench.receive().0, check("next"));
    bench.wait_for(0, 1);
}

#[test]
fn whoever_names_no_call_of_ours_reaches_nobody() {
    let bench = Bench::new();
    let mut guesser = bench.connect();
    for _ in 0..super::relay::CHECKS {
        guesser.send(&check("guess"));
    }
    assert_eq!(guesser.receive(), None);
    for garbage in [
        &b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"[..],
        &[0x16, 0x03, 0x01, 0x02, 0x00, 0x01],
        &[0, 4, 0x16, 0xfe, 0xfd, 0],
        &[0, 12, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
        &[0xff; 100],
    ] {
        let mut client = bench.connect();
        client.stream.write_all(garbage).unwrap();
        assert_eq!(client.receive(), None, "{garbage:?}");
    }
    bench.wait_for(0, 0);
    // Only those who were let in are heard.
    let (mut client, _) = bench.join();
    client.send(b"after all");
    assert_eq!(bench.receive().0, b"after all");
}

#[test]
fn of_many_strangers_the_oldest_make_room_and_calls_keep_theirs() {
    let bench = Bench::new();
    let (mut client, relay) = bench.join();
    let mut strangers: Vec<Client> = (0..100).map(|_| bench.connect()).collect();
    let kept = strangers.split_off(84);
    strangers.iter_mut().for_each(|stranger| assert_eq!(stranger.receive(), None));
    bench.wait_for(kept.len(), 1);
    bench.leg.send_to(b"still here", relay).unwrap();
    assert_eq!(client.receive().as_deref(), Some(&b"still here"[..]));
}

#[test]
fn of_one_calls_many_connections_the_oldest_makes_room() {
    let bench = Bench::new();
    let mut joined: Vec<Client> = (0..9).map(|_| bench.join().0).collect();
    let oldest = joined[0].stream.local_addr().unwrap();
    assert_eq!(joined[0].receive(), None);
    bench.wait_for(0, 8);
    assert_eq!(bench.relays().take_ended(CALL), [oldest]);
}

#[test]
fn a_call_that_is_over_says_its_last_word() {
    let bench = Bench::new();
    let (mut client, relay) = bench.join();
    bench.leg.send_to(b"goodbye", relay).unwrap();
    bench.relays().forget(CALL);
    assert_eq!(client.receive().as_deref(), Some(&b"goodbye"[..]));
    assert_eq!(client.receive(), None);
    let mut late = bench.connect();
    late.send(&check("ours"));
    bench.wait_for(1, 0);
}

#[test]
fn other_credentials_take_the_place_of_the_first_and_connections_stay() {
    let bench = Bench::new();
    let (mut client, relay) = bench.join();
    bench.relays().register(CALL, "anew", bench.leg.local_addr().unwrap());
    assert_eq!(bench.relays().leg("ours"), None);
    bench.leg.send_to(b"stays", relay).unwrap();
    assert_eq!(client.receive().as_deref(), Some(&b"stays"[..]));
}

#[test]
fn a_slow_reader_loses_what_does_not_fit_and_gets_whole_frames() {
    let bench = Bench::new();
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    // As small as the system has it.
    socket.set_recv_buffer_size(1).unwrap();
    socket.connect(&bench.tcp.bound[0].into()).unwrap();
    let mut client = Client::new(socket.into());
    client.send(&check("ours"));
    let (_, relay) = bench.receive();
    // A minute of sound, while the other side reads nothing.
    for number in 0..3_000_u16 {
        let mut datagram = [0x5a; 200];
        datagram[..2].copy_from_slice(&number.to_be_bytes());
        bench.leg.send_to(&datagram, relay).unwrap();
        if number % 16 == 0 {
            std::thread::yield_now();
        }
    }
    let mut read: Vec<u16> = Vec::new();
    let mut sent = 3_000_u16;
    while read.last() != Some(&u16::MAX) {
        // What is sent once it reads again comes.
        let mut datagram = [0x5a; 200];
        datagram[..2].copy_from_slice(&if sent < 4_000 { sent } else { u16::MAX }.to_be_bytes());
        sent += 1;
        assert!(sent < 60_000, "nothing more comes");
        bench.leg.send_to(&datagram, relay).unwrap();
        let frame = client.receive().expect("a frame");
        assert_eq!((frame.len(), &frame[2..]), (200, &[0x5a; 198][..]));
        read.push(u16::from_be_bytes([frame[0], frame[1]]));
    }
    assert!(read.is_sorted(), "in order");
    let old = read.iter().filter(|number| **number < 3_000).count();
    assert!(old < 500, "{old} old datagrams were kept for it");
}

#[test]
fn an_address_that_is_taken_is_named() {
    let bench = Bench::new();
    let taken = bench.tcp.bound[0];
    // A port that was just listened on may be listened on again, but not beside.
    let error = IceTcp::start(&[taken]).unwrap_err();
    assert!(matches!(error, IceTcpError::Listen { .. }) && error.to_string().contains(&taken.to_string()), "{error}");
}

#[test]
fn a_leg_is_told_the_port_that_takes_connections_to_its_address() {
    let bound = ["127.0.0.5:3478", "[::]:3479"].map(|address| address.parse().unwrap()).to_vec();
    let tcp = IceTcp { bound, ..Bench::new().tcp };
    let port = |address: &str| tcp.port(address.parse().unwrap());
    assert_eq!([port("127.0.0.5"), port("127.0.0.6"), port("::1")], [Some(3_478), None, Some(3_479)]);
}
