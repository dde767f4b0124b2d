//! Connections of unknown sources and of trunks, on loopback.

use super::{Arrival, ListenAddress, Transports};
use crate::sip::message::Transport;
use crate::sip::{Flow, Input};
use bytes::Bytes;
use std::io::ErrorKind;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio::sync::mpsc;

const REQUEST: &[u8] = b"OPTIONS sip:a SIP/2.0\r\nContent-Length: 0\r\n\r\n";
const INVITE: &[u8] = b"INVITE sip:a SIP/2.0\r\nContent-Length: 0\r\n\r\n";
const ANSWER: &[u8] = b"SIP/2.0 200 OK\r\nContent-Length: 0\r\n\r\n";

fn server() -> (Transports, mpsc::Receiver<Arrival>, SocketAddr) {
    let (sender, events) = mpsc::channel(64);
    let listen = ListenAddress { transport: Transport::Tcp, address: SocketAddr::from(([127, 0, 0, 1], 0)) };
    let transports = Transports::bind(&[listen], None, sender).unwrap();
    let address = transports.bound().next().unwrap().address;
    (transports, events, address)
}

/// A connection from an address of its own.
async fn connect_from(last: u8, to: SocketAddr) -> TcpStream {
    try_from(last, to).await.unwrap()
}

/// The same, where it may be refused.
async fn try_from(last: u8, to: SocketAddr) -> std::io::Result<TcpStream> {
    let socket = TcpSocket::new_v4()?;
    socket.bind(SocketAddr::from(([127, 0, 0, last], 0)))?;
    socket.connect(to).await
}

async fn next(events: &mut mpsc::Receiver<Arrival>) -> Input {
    tokio::time::timeout(Duration::from_secs(20), events.recv()).await.expect("an event").unwrap().input
}

/// Says `message` on `stream`, which the server answers.
async fn ask(
    stream: &mut TcpStream,
    message: &[u8],
    transports: &mut Transports,
    events: &mut mpsc::Receiver<Arrival>,
) -> Flow {
    stream.write_all(message).await.unwrap();
    let Input::Message { flow, bytes } = next(events).await else { panic!("no message") };
    assert_eq!(bytes, message);
    transports.transmit(flow, Bytes::from_static(ANSWER)).unwrap();
    let mut answer = [0; ANSWER.len()];
    stream.read_exact(&mut answer).await.unwrap();
    flow
}

async fn is_closed(stream: &mut TcpStream) -> bool {
    let mut buffer = [0; 16];
    let read = tokio::time::timeout(Duration::from_secs(20), stream.read(&mut buffer));
    read.await.expect("an end").unwrap_or(0) == 0
}

#[tokio::test]
async fn pings_are_answered_and_unknown_sources_make_room() {
    let (_transports, _events, address) = server();
    let mut first = connect_from(1, address).await;
    first.write_all(b"\r\n\r\n").await.unwrap();
    let mut pong = [0; 2];
    first.read_exact(&mut pong).await.unwrap();
    assert_eq!(&pong, b"\r\n");
    // It has sent nothing worth an answer: as the oldest of its address it makes room for the 257th.
    let mut others = Vec::new();
    for _ in 0..256 {
        others.push(connect_from(1, address).await);
    }
    assert!(is_closed(&mut first).await);
    let last = others.last_mut().unwrap();
    last.write_all(b"\r\n\r\n").await.unwrap();
    last.read_exact(&mut pong).await.unwrap();
}

#[tokio::test]
async fn a_trunk_whose_connections_were_all_answered_can_open_another() {
    let (mut transports, mut events, address) = server();
    let mut open = Vec::new();
    let mut flows = Vec::new();
    for number in 0..256 {
        let mut stream = connect_from(1, address).await;
        // The oldest carries a call, all others were only asked whether we are there.
        let message = if number == 0 { INVITE } else { REQUEST };
        flows.push(ask(&mut stream, message, &mut transports, &mut events).await);
        open.push(stream);
    }
    let mut late = connect_from(1, address).await;
    // The gateway is told of what it counted on.
    let closed = next(&mut events).await;
    assert!(matches!(closed, Input::FlowClosed { flow } if flow == flows[1]), "{closed:?}");
    assert!(is_closed(&mut open[1]).await);
    ask(&mut late, REQUEST, &mut transports, &mut events).await;
    ask(&mut open[0], REQUEST, &mut transports, &mut events).await;
    assert_eq!(transports.connections.len(), 256);
}

#[tokio::test]
async fn a_flood_of_connections_from_one_address_leaves_room_for_others() {
    let (mut transports, mut events, address) = server();
    let mut flood = Vec::new();
    for _ in 0..600 {
        flood.push(try_from(66, address).await);
    }
    // As fast as this they are refused at once; on a slow machine the oldest make room.
    let is_open = |stream: &std::io::Result<TcpStream>| {
        let read = stream.as_ref().map(|stream| stream.try_read(&mut [0]));
        read.is_ok_and(|read| read.is_err_and(|error| error.kind() == ErrorKind::WouldBlock))
    };
    let few_are_open = async {
        while flood.iter().filter(|stream| is_open(stream)).count() > 256 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), few_are_open).await.expect("256 of one address are enough");
    let mut other = connect_from(67, address).await;
    ask(&mut other, REQUEST, &mut transports, &mut events).await;
    assert!(transports.connections.len() <= 257, "{}", transports.connections.len());
}

#[tokio::test]
async fn a_tls_server_that_takes_no_connection_is_told_apart() {
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let (mut transports, mut events, _) = server();
    let peer = super::TlsPeer { name: "a.example".into(), settings: crate::dialplan::TrunkTls::default() };
    let flow = transports.flow_to(Transport::Tls, nobody, Some(&peer)).unwrap();
    transports.transmit(flow, Bytes::from_static(REQUEST)).unwrap();
    let Input::TlsFailed { flow: failed, why } = next(&mut events).await else { panic!("no reason") };
    assert_eq!((failed, why.as_str()), (flow, "the peer refuses the connection"));
    assert!(matches!(next(&mut events).await, Input::FlowClosed { flow: closed } if closed == flow));
}
