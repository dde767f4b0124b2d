//! All SIP sockets of the gateway behind one `transmit`.

use super::local::LocalAddresses;
use super::{tcp, udp};
use crate::sip::message::Transport;
use crate::sip::{Flow, Input};
use bytes::Bytes;
use socket2::{Domain, Protocol, SockAddr, Socket, Type};
use std::collections::HashMap;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpSocket, TcpStream, UdpSocket};
use tokio::sync::mpsc;

/// Where received messages go: bounded, so that a flood waits in the kernel and is dropped there.
pub type NetEvents = mpsc::Sender<Input>;

/// Messages waiting for one slow TCP peer before it is given up.
const OUTGOING_QUEUE: usize = 256;
/// TCP connections at once.
const MAX_CONNECTIONS: usize = 4_096;
/// TCP connections at once from one address.
const MAX_CONNECTIONS_EACH: usize = 256;
/// Connections that came or went and are not taken note of yet: more wait in the kernel, where they hold no descriptor.
const CONNECTION_EVENTS: usize = 64;
/// Patience with a peer we connect to.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// One entry of `gateway.sip`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ListenAddress {
    /// UDP or TCP.
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

/// A message that could not be sent.
#[derive(Debug, thiserror::Error)]
pub enum TransportError {
    /// No listening socket of this transport and family.
    #[error("no {0} socket for {1}")]
    NoSocket(Transport, SocketAddr),
    /// The connection is gone or its peer too slow.
    #[error("the connection to {0} is gone")]
    Gone(SocketAddr),
    /// The system refused.
    #[error("sending to {0}: {1}")]
    System(SocketAddr, io::Error),
}

/// What connection tasks report.
#[derive(Debug)]
pub(super) enum ConnectionEvent {
    /// A peer connected.
    Accepted { stream: TcpStream, local: SocketAddr, remote: SocketAddr },
    /// A connection ended.
    Closed { flow: Flow },
}

struct Connection {
    flow: Flow,
    outgoing: mpsc::Sender<Bytes>,
}

/// All SIP sockets.
pub struct Transports {
    udp: Vec<(SocketAddr, Arc<UdpSocket>)>,
    tcp: Vec<SocketAddr>,
    connections: HashMap<u64, Connection>,
    by_remote: HashMap<SocketAddr, u64>,
    next_connection: u64,
    local: LocalAddresses,
    events: NetEvents,
    connection_events: mpsc::Sender<ConnectionEvent>,
    from_connections: mpsc::Receiver<ConnectionEvent>,
}

impl Transports {
    /// Opens every listening address and starts reading.
    ///
    /// # Errors
    /// The first address that cannot be opened.
    pub fn bind(listen: &[ListenAddress], events: NetEvents) -> Result<Self, BindError> {
        let (connection_events, from_connections) = mpsc::channel(CONNECTION_EVENTS);
        let mut transports = Self {
            udp: Vec::new(),
            tcp: Vec::new(),
            connections: HashMap::new(),
            by_remote: HashMap::new(),
            next_connection: 1,
            local: LocalAddresses::default(),
            events,
            connection_events,
            from_connections,
        };
        for &ListenAddress { transport, address } in listen {
            transports.listen(transport, address).map_err(|source| BindError { transport, address, source })?;
        }
        Ok(transports)
    }

    fn listen(&mut self, transport: Transport, address: SocketAddr) -> io::Result<()> {
        match transport {
            Transport::Udp => {
                let socket = udp::bind(address)?;
                let bound = socket.local_addr()?;
                tokio::spawn(udp::receive(Arc::clone(&socket), bound, self.events.clone()));
                self.udp.push((bound, socket));
            }
            Transport::Tcp => {
                let listener = bind_tcp(address)?;
                let bound = listener.local_addr()?;
                tokio::spawn(accept(listener, self.connection_events.clone()));
                self.tcp.push(bound);
            }
            _ => return Err(io::Error::new(io::ErrorKind::Unsupported, "only udp and tcp can be listened on")),
        }
        Ok(())
    }

    /// The bound addresses, ports filled in.
    pub fn bound(&self) -> impl Iterator<Item = ListenAddress> + '_ {
        let udp = self.udp.iter().map(|(address, _)| ListenAddress { transport: Transport::Udp, address: *address });
        let tcp = self.tcp.iter().map(|address| ListenAddress { transport: Transport::Tcp, address: *address });
        udp.chain(tcp)
    }

    /// The flow for a request of ours to `remote`: an open connection if there is one.
    ///
    /// # Errors
    /// When nothing listens on this transport and family.
    pub fn flow_to(&mut self, transport: Transport, remote: SocketAddr) -> Result<Flow, TransportError> {
        let bound = match transport {
            Transport::Udp => self.udp.iter().map(|(bound, _)| *bound).find(|bound| serves(*bound, remote)),
            _ => self.tcp.iter().copied().find(|bound| serves(*bound, remote)),
        };
        let bound = bound.ok_or(TransportError::NoSocket(transport, remote))?;
        let local = SocketAddr::new(self.local.towards(bound.ip(), remote.ip()), bound.port());
        let connection = if transport == Transport::Udp { None } else { self.by_remote.get(&remote).copied() };
        Ok(Flow { transport, local, remote, connection })
    }

    /// Sends one message, opening a connection where the flow needs one.
    ///
    /// # Errors
    /// When it is certain that the message did not go out. Later failures come as [`Input::FlowClosed`].
    pub fn transmit(&mut self, flow: Flow, bytes: Bytes) -> Result<(), TransportError> {
        if flow.transport == Transport::Udp {
            return self.transmit_udp(flow, &bytes);
        }
        let known = flow.connection.or_else(|| self.by_remote.get(&flow.remote).copied());
        if let Some(connection) = known.and_then(|id| self.connections.get(&id)) {
            return connection.outgoing.try_send(bytes).map_err(|_| TransportError::Gone(flow.remote));
        }
        // RFC 3261 section 18.2.2: a response whose connection is gone may go over a new one to the same place.
        let outgoing = self.open(flow)?;
        outgoing.try_send(bytes).map_err(|_| TransportError::Gone(flow.remote))
    }

    fn transmit_udp(&mut self, flow: Flow, bytes: &[u8]) -> Result<(), TransportError> {
        let exact = self.udp.iter().find(|(bound, _)| *bound == flow.local);
        let (_, socket) = exact
            .or_else(|| {
                self.udp.iter().find(|(bound, _)| bound.port() == flow.local.port() && serves(*bound, flow.remote))
            })
            .or_else(|| self.udp.iter().find(|(bound, _)| serves(*bound, flow.remote)))
            .ok_or(TransportError::NoSocket(Transport::Udp, flow.remote))?;
        match socket.try_send_to(bytes, flow.remote) {
            Ok(_) => Ok(()),
            // The send buffer is full: as good as lost on the way, and retransmitted like that.
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(()),
            // A report about an earlier packet to somebody else, perhaps; the transaction's timers decide.
            Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => Ok(()),
            Err(error) => Err(TransportError::System(flow.remote, error)),
        }
    }

    fn open(&mut self, flow: Flow) -> Result<mpsc::Sender<Bytes>, TransportError> {
        if self.connections.len() >= MAX_CONNECTIONS {
            return Err(TransportError::Gone(flow.remote));
        }
        let (flow, outgoing, receiver) = self.register(flow);
        let (events, connections) = (self.events.clone(), self.connection_events.clone());
        let local_ip = flow.local.ip();
        tokio::spawn(async move {
            match tokio::time::timeout(CONNECT_TIMEOUT, connect(local_ip, flow.remote)).await {
                Ok(Ok(stream)) => tcp::serve(stream, flow, receiver, events, connections).await,
                outcome => {
                    tracing::debug!(remote = %flow.remote, ?outcome, "TCP connect failed");
                    let _ = events.send(Input::FlowClosed { flow }).await;
                    let _ = connections.send(ConnectionEvent::Closed { flow }).await;
                }
            }
        });
        Ok(outgoing)
    }

    fn register(&mut self, mut flow: Flow) -> (Flow, mpsc::Sender<Bytes>, mpsc::Receiver<Bytes>) {
        let id = self.next_connection;
        self.next_connection += 1;
        flow.connection = Some(id);
        let (outgoing, receiver) = mpsc::channel(OUTGOING_QUEUE);
        self.connections.insert(id, Connection { flow, outgoing: outgoing.clone() });
        self.by_remote.insert(flow.remote, id);
        (flow, outgoing, receiver)
    }

    /// Lets every connection send what waits for it, then closes it. What takes longer than `patience` is lost.
    pub async fn close(mut self, patience: Duration) {
        let mut open = self.connections.len();
        // Without their senders, the connections' tasks end when all is written.
        self.connections.clear();
        let all_closed = async {
            while open > 0 {
                match self.from_connections.recv().await {
                    Some(ConnectionEvent::Closed { .. }) => open -= 1,
                    Some(ConnectionEvent::Accepted { .. }) => {}
                    None => return,
                }
            }
        };
        if tokio::time::timeout(patience, all_closed).await.is_err() {
            tracing::debug!("TCP connections left with messages unsent");
        }
    }

    /// Waits for connections to come and go; to be polled beside the events channel.
    pub async fn housekeeping(&mut self) {
        if let Some(event) = self.from_connections.recv().await {
            self.on_connection_event(event);
        }
    }

    fn on_connection_event(&mut self, event: ConnectionEvent) {
        match event {
            ConnectionEvent::Accepted { stream, local, remote } => {
                let from_there =
                    self.connections.values().filter(|connection| connection.flow.remote.ip() == remote.ip()).count();
                if self.connections.len() >= MAX_CONNECTIONS || from_there >= MAX_CONNECTIONS_EACH {
                    tracing::warn!(%remote, "too many TCP connections; this one is closed");
                    return;
                }
                let flow = Flow { transport: Transport::Tcp, local, remote, connection: None };
                let (flow, _outgoing, receiver) = self.register(flow);
                tokio::spawn(tcp::serve(stream, flow, receiver, self.events.clone(), self.connection_events.clone()));
            }
            ConnectionEvent::Closed { flow } => {
                let Some(id) = flow.connection else { return };
                self.connections.remove(&id);
                if self.by_remote.get(&flow.remote) == Some(&id) {
                    self.by_remote.remove(&flow.remote);
                }
            }
        }
    }
}

/// Whether a socket bound to `bound` reaches `remote`.
fn serves(bound: SocketAddr, remote: SocketAddr) -> bool {
    bound.is_ipv4() == remote.is_ipv4()
        && (bound.ip().is_unspecified() || bound.ip().is_loopback() == is_loopback(remote.ip()))
}

fn is_loopback(address: IpAddr) -> bool {
    address.is_loopback()
}

fn bind_tcp(address: SocketAddr) -> io::Result<TcpListener> {
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

async fn connect(local: IpAddr, remote: SocketAddr) -> io::Result<TcpStream> {
    let socket = if remote.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    if !local.is_unspecified() {
        socket.bind(SocketAddr::new(local, 0))?;
    }
    socket.connect(remote).await
}

async fn accept(listener: TcpListener, events: mpsc::Sender<ConnectionEvent>) {
    loop {
        match listener.accept().await {
            Ok((stream, remote)) => {
                // The connection's own local address, even when the listener has a wildcard.
                let Ok(local) = stream.local_addr() else { continue };
                if events.send(ConnectionEvent::Accepted { stream, local, remote }).await.is_err() {
                    return;
                }
            }
            Err(error) => {
                tracing::warn!(%error, "cannot accept a TCP connection");
                // Out of descriptors, most likely: the waiting connection stays in the backlog.
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        }
    }
}
