//! Listening for streams: addresses, sockets, and what is done with who connects.

use super::connections::ConnectionEvent;
use super::opening::HANDSHAKE_TIMEOUT;
use super::stream::{self, Served};
use super::tls::Acceptor;
use crate::sip::Input;
use crate::sip::message::Transport;
use socket2::{Domain, Protocol, SockAddr, Socket, Type};
use std::io;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;

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

pub(super) fn bind_tcp(address: SocketAddr) -> io::Result<TcpListener> {
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

pub(super) async fn accept(listener: TcpListener, tls: Option<Acceptor>, events: mpsc::Sender<ConnectionEvent>) {
    loop {
        match listener.accept().await {
            Ok((stream, remote)) => {
                // The connection's own local address, even when the listener has a wildcard.
                let Ok(local) = stream.local_addr() else { continue };
                if events.send(ConnectionEvent::Accepted { stream, local, remote, tls: tls.clone() }).await.is_err() {
                    return;
                }
            }
            Err(error) => {
                tracing::warn!(%error, "cannot accept a connection");
                // Out of descriptors, most likely: the waiting connection stays in the backlog.
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        }
    }
}

/// Serves a connection that was opened to us.
pub(super) async fn accepted(stream: TcpStream, tls: Option<Acceptor>, served: Served) {
    stream::prepare(&stream);
    let Some(tls) = tls else {
        let (reader, writer) = stream.into_split();
        return served.run(reader, writer).await;
    };
    let remote = served.flow.remote;
    match tokio::time::timeout(HANDSHAKE_TIMEOUT, tls.accept(stream)).await {
        Ok(Ok((stream, trunk))) => {
            if let Some(trunk) = trunk {
                served.state.recognise();
                let _ = served.events.send(Input::FlowIdentified { flow: served.flow, peer: trunk }).await;
            }
            let (reader, writer) = tokio::io::split(stream);
            return served.run(reader, writer).await;
        }
        Ok(Err(error)) => tracing::debug!(%remote, %error, "TLS handshake failed"),
        Err(_) => tracing::debug!(%remote, "TLS handshake took too long"),
    }
    served.closed().await;
}
