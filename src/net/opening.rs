//! Connections that we open, and the ports they come from.

use super::stream::{self, Served};
use super::tls::{TlsPeer, connect as shake_hands, in_words};
use crate::sip::Input;
use crate::sip::message::Transport;
use socket2::{Domain, Protocol, SockAddr, Socket, Type};
use std::collections::HashMap;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpSocket, TcpStream};

/// Patience with a TLS handshake, either side.
pub(super) const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(5);

/// A port that is kept from others while nothing listens on it, so that all connections of a transport can come from
/// it: a peer that is told it in Contact finds the connection it has already, as RFC 5923 means it, whether it knows
/// aliases or not.
struct UnheardPort {
    port: u16,
    _socket: Socket,
}

impl UnheardPort {
    fn reserve(any: SocketAddr) -> io::Result<Self> {
        let socket = Socket::new(Domain::for_address(any), Type::STREAM, Some(Protocol::TCP))?;
        socket.set_reuse_address(true)?;
        socket.bind(&SockAddr::from(any))?;
        let port = socket.local_addr()?.as_socket().map_or(0, |bound| bound.port());
        Ok(Self { port, _socket: socket })
    }
}

/// Ports from which connections are opened by transports on which nothing listens.
#[derive(Default)]
pub(super) struct UnheardPorts(HashMap<(Transport, bool), UnheardPort>);

impl UnheardPorts {
    /// The port that peers of `remote`'s family know us by; kept from now on.
    pub(super) fn towards(&mut self, transport: Transport, remote: SocketAddr) -> u16 {
        let key = (transport, remote.is_ipv4());
        if let Some(known) = self.0.get(&key) {
            return known.port;
        }
        match UnheardPort::reserve(any(remote, 0)) {
            Ok(reserved) => self.0.entry(key).or_insert(reserved).port,
            Err(error) => {
                tracing::debug!(%error, "no port to be known by");
                transport.default_port()
            }
        }
    }

    /// Whether `local` is such a port: then connections come from it.
    pub(super) fn holds(&self, transport: Transport, local: SocketAddr) -> bool {
        self.0.get(&(transport, local.is_ipv4())).is_some_and(|it| it.port == local.port())
    }
}

/// Opens a connection and serves it.
pub(super) async fn open(local: SocketAddr, peer: Option<Arc<TlsPeer>>, patience: Duration, served: Served) {
    let flow = served.flow;
    let why = match tokio::time::timeout(patience, connect(local, flow.remote)).await {
        Ok(Ok(stream)) => return opened(stream, peer, served).await,
        Ok(Err(error)) if error.kind() == io::ErrorKind::ConnectionRefused => "the peer refuses the connection".into(),
        Ok(Err(error)) => format!("the connection cannot be opened: {error}"),
        Err(_) => format!("the peer took no connection within {} s", patience.as_secs()),
    };
    let log = served.connections.log();
    log.debug("connect failed", format_args!("{} to {}: {why}", flow.transport, flow.remote));
    if peer.is_some() {
        let _ = served.events.send(Input::TlsFailed { flow, why }.into()).await;
    }
    served.closed().await;
}

/// Serves a connection that we opened.
async fn opened(stream: TcpStream, peer: Option<Arc<TlsPeer>>, served: Served) {
    stream::prepare(&stream);
    let Some(peer) = peer else {
        let (reader, writer) = stream.into_split();
        return served.run(reader, writer).await;
    };
    let remote = served.flow.remote;
    let why = match tokio::time::timeout(HANDSHAKE_TIMEOUT, shake_hands(stream, &peer)).await {
        Ok(Ok(stream)) => {
            let _ = served.events.send(Input::TlsOpened { flow: served.flow }.into()).await;
            let (reader, writer) = tokio::io::split(stream);
            return served.run(reader, writer).await;
        }
        Ok(Err(error)) => in_words(&error),
        Err(_) => "the handshake took too long".into(),
    };
    served.connections.log().debug("no TLS", format_args!("with {} at {remote}: {why}", peer.name));
    let _ = served.events.send(Input::TlsFailed { flow: served.flow, why }.into()).await;
    served.closed().await;
}

/// Some address of ours of `remote`'s family.
pub(super) fn any(remote: SocketAddr, port: u16) -> SocketAddr {
    let ip: IpAddr =
        if remote.is_ipv4() { std::net::Ipv4Addr::UNSPECIFIED.into() } else { std::net::Ipv6Addr::UNSPECIFIED.into() };
    SocketAddr::new(ip, port)
}

/// Connects from `local`. Where a port is given and is not to be had, as when another connection leads to `remote` from
/// it, any port does.
async fn connect(local: SocketAddr, remote: SocketAddr) -> io::Result<TcpStream> {
    if local.port() != 0 {
        let socket = stream_socket(remote)?;
        socket.set_reuseaddr(true)?;
        if socket.bind(local).is_ok() {
            match socket.connect(remote).await {
                Err(error) if error.kind() == io::ErrorKind::AddrNotAvailable => {}
                result => return result,
            }
        }
    }
    let socket = stream_socket(remote)?;
    if !local.ip().is_unspecified() {
        socket.bind(SocketAddr::new(local.ip(), 0))?;
    }
    socket.connect(remote).await
}

fn stream_socket(remote: SocketAddr) -> io::Result<TcpSocket> {
    if remote.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }
}
