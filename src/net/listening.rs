//! Listening for streams: addresses, sockets, and what is done with who connects.

use super::connections::Connections;
use super::opening::HANDSHAKE_TIMEOUT;
use super::stream::{self, Served};
use super::tls::Acceptor;
use crate::sip::message::Transport;
use crate::sip::{Flow, Input};
use socket2::{Domain, Protocol, SockAddr, Socket, Type};
use std::io;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};

/// Wait after a connection that could not be accepted.
const ACCEPT_AGAIN: Duration = Duration::from_millis(100);

/// One entry of `gateway.sip`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ListenAddress {
    /// UDP, TCP or TLS.
    pub transport: Transport,
    /// Address and port; a wildcard address listens on all of its family.
    pub address: SocketAddr,
}

/// A listening address that could not be opened.
#[derive(Debug, thiserror::Error)]
#[error("cannot listen on {transport}://{address}: {source}{hint}", hint = hint(source))]
pub struct BindError {
    /// The transport asked for.
    pub transport: Transport,
    /// The address asked for.
    pub address: SocketAddr,
    /// What the system said.
    pub source: io::Error,
}

fn hint(error: &io::Error) -> &'static str {
    match error.kind() {
        io::ErrorKind::AddrInUse => " (another program has this port: stop it, or change gateway.sip)",
        io::ErrorKind::AddrNotAvailable => " (this machine does not have this address)",
        io::ErrorKind::PermissionDenied => " (ports below 1024 need CAP_NET_BIND_SERVICE)",
        _ => "",
    }
}

/// Listens for streams; an IPv6 address for IPv6 alone.
///
/// # Errors
/// When the system refuses.
pub fn bind_tcp(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    if address.is_ipv6() {
        socket.set_only_v6(true)?;
    }
    socket.set_nonblocking(true)?;
    socket.set_reuse_address(true)?;
    socket.bind(&SockAddr::from(address))?;
    socket.listen(1_024)?;
    TcpListener::from_std(socket.into())
}

/// Takes connections; `tls` where they begin with a handshake.
pub(super) async fn accept(listener: TcpListener, tls: Option<Acceptor>, connections: Connections) {
    let transport = if tls.is_some() { Transport::Tls } else { Transport::Tcp };
    loop {
        match listener.accept().await {
            Ok((stream, remote)) => {
                // The connection's own local address, even when the listener has a wildcard.
                let Ok(local) = stream.local_addr() else { continue };
                let flow = Flow { transport, local, remote, connection: None };
                if connections.admit(flow) {
                    let tls = tls.clone();
                    connections.accept(flow, |served| accepted(stream, tls, served));
                } else if let Err(error) = stream.set_zero_linger() {
                    // It costs us a place in the kernel for a minute.
                    tracing::trace!(%error, "SO_LINGER");
                }
            }
            Err(error) => {
                connections.log().warn("cannot accept a connection", format_args!("{error}"));
                // Out of descriptors, most likely: the waiting connection stays in the backlog.
                tokio::time::sleep(ACCEPT_AGAIN).await;
            }
        }
    }
}

/// Serves a connection that was opened to us.
async fn accepted(stream: TcpStream, tls: Option<Acceptor>, served: Served) {
    stream::prepare(&stream);
    let Some(tls) = tls else {
        let (reader, writer) = stream.into_split();
        return served.run(reader, writer).await;
    };
    const FAILED: &str = "TLS handshake failed";
    let remote = served.flow.remote;
    match tokio::time::timeout(HANDSHAKE_TIMEOUT, tls.accept(stream)).await {
        Ok(Ok((stream, trunk))) => {
            served.state.speaks_tls();
            if let Some(trunk) = trunk {
                served.state.recognise();
                let _ = served.events.send(Input::FlowIdentified { flow: served.flow, peer: trunk }.into()).await;
            }
            let (reader, writer) = tokio::io::split(stream);
            return served.run(reader, writer).await;
        }
        Ok(Err(error)) => served.connections.log().debug(FAILED, format_args!("from {remote}: {error}")),
        Err(_) => served.connections.log().debug(FAILED, format_args!("from {remote}: it took too long")),
    }
    served.closed().await;
}
