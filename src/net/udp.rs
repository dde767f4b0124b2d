//! SIP over UDP.

use super::local::LocalAddresses;
use super::transports::NetEvents;
use crate::sip::message::Transport;
use crate::sip::{Flow, Input};
use bytes::{Bytes, BytesMut};
use socket2::{Domain, Protocol, SockAddr, Socket, Type};
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::net::UdpSocket;

/// The greatest datagram UDP can carry.
const MAX_DATAGRAM: usize = 65_535;
/// Room in the kernel for a burst of requests.
const RECEIVE_BUFFER: usize = 4 << 20;

/// Opens a socket for SIP. IPv6 sockets take IPv6 only: IPv4 has its own, so that peers keep one address.
pub(super) fn bind(address: SocketAddr) -> io::Result<Arc<UdpSocket>> {
    let socket = Socket::new(Domain::for_address(address), Type::DGRAM, Some(Protocol::UDP))?;
    if address.is_ipv6() {
        socket.set_only_v6(true)?;
    }
    socket.set_nonblocking(true)?;
    if let Err(error) = socket.set_recv_buffer_size(RECEIVE_BUFFER) {
        tracing::debug!(%error, "receive buffer kept at the system's size");
    }
    socket.bind(&SockAddr::from(address))?;
    Ok(Arc::new(UdpSocket::from_std(socket.into())?))
}

/// Reads datagrams until the gateway goes away.
pub(super) async fn receive(socket: Arc<UdpSocket>, bound: SocketAddr, events: NetEvents) {
    let mut local = LocalAddresses::default();
    let mut buffer = BytesMut::new();
    loop {
        // Received in place: messages are slices of this block, which is renewed when it is used up.
        buffer.reserve(MAX_DATAGRAM);
        let remote = match socket.recv_buf_from(&mut buffer).await {
            Ok((_, remote)) => remote,
            Err(error) => {
                // An ICMP error for something sent earlier; the socket itself is sound.
                tracing::debug!(%error, %bound, "UDP receive");
                buffer.clear();
                tokio::task::yield_now().await;
                continue;
            }
        };
        let bytes: Bytes = if buffer.len() < 4_096 {
            // Most are small: a copy of a kilobyte beats keeping 64 KiB alive for as long as a call lasts.
            let small = Bytes::copy_from_slice(&buffer);
            buffer.clear();
            small
        } else {
            buffer.split().freeze()
        };
        let flow = Flow {
            transport: Transport::Udp,
            local: SocketAddr::new(local.towards(bound.ip(), remote.ip()), bound.port()),
            remote,
            connection: None,
        };
        if events.send(Input::Message { flow, bytes }).await.is_err() {
            return;
        }
    }
}
