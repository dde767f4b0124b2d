//! All SIP sockets of the gateway behind one `transmit`.

use super::local::LocalAddresses;
use super::stream::{self, ConnectionState, Served};
use super::tls::{Acceptor, Callers, TlsPeer, connect as shake_hands};
use super::udp;
use crate::dialplan::{CertificateFiles, Plan};
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
use tokio::task::AbortHandle;

/// Where received messages go: bounded, so that a flood waits in the kernel and is dropped there.
pub type NetEvents = mpsc::Sender<Input>;

/// Messages waiting for one slow peer of a stream before it is given up.
const OUTGOING_QUEUE: usize = 256;
/// Connections at once.
const MAX_CONNECTIONS: usize = 4_096;
/// Connections at once from one address.
const MAX_CONNECTIONS_EACH: usize = 256;
/// Connections that came or went and are not taken note of yet: more wait in the kernel, where they hold no descriptor.
const CONNECTION_EVENTS: usize = 64;
/// Patience with a peer we connect to: as long as with one that is silent, before another is tried.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(4);
/// Patience with a connection for what would go by datagram as well: one that is refused by silence is not to cost the call.
const HURRIED_TIMEOUT: Duration = Duration::from_secs(1);
/// Patience with a TLS handshake, either side.
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(5);
/// TLS peers whose connection numbers are remembered.
const MAX_LINES: usize = 4_096;

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

/// A message that could not be sent.
#[derive(Debug, thiserror::Error)]
pub enum TransportError {
    /// No listening socket of this transport and family.
    #[error("no {0} socket for {1}")]
    NoSocket(Transport, SocketAddr),
    /// The connection is gone or its peer too slow.
    #[error("the connection to {0} is gone")]
    Gone(SocketAddr),
    /// Without a name to be found in its certificate, nobody is called by TLS.
    #[error("no connection to {0}, and no name to check a new one by")]
    Nameless(SocketAddr),
    /// The system refused.
    #[error("sending to {0}: {1}")]
    System(SocketAddr, io::Error),
}

/// What connection tasks report.
pub(super) enum ConnectionEvent {
    /// A peer connected.
    Accepted { stream: TcpStream, local: SocketAddr, remote: SocketAddr, tls: Option<Acceptor> },
    /// A connection ended. Its number may have gone on to the next connection to the same peer: `state` tells them apart.
    Closed { flow: Flow, state: Arc<ConnectionState> },
}

/// A port that is kept from others while nothing listens on it, so that all connections of a transport can come from it: a
/// peer that is told it in Contact finds the connection it has already, as RFC 5923 means it, whether it knows aliases or not.
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

struct Connection {
    flow: Flow,
    outgoing: mpsc::Sender<Bytes>,
    state: Arc<ConnectionState>,
    task: AbortHandle,
}

/// A TLS peer's connection, open or not: its number stays, so that whoever holds a flow with it reaches this peer and no
/// other, by a new connection if need be.
struct Line {
    flow: Flow,
    peer: Arc<TlsPeer>,
}

/// All SIP sockets.
pub struct Transports {
    udp: Vec<(SocketAddr, Arc<UdpSocket>)>,
    streams: Vec<ListenAddress>,
    connections: HashMap<u64, Connection>,
    /// TCP connections.
    by_remote: HashMap<SocketAddr, u64>,
    lines: HashMap<u64, Line>,
    line_numbers: HashMap<(SocketAddr, Arc<TlsPeer>), u64>,
    next_connection: u64,
    local: LocalAddresses,
    /// Ports from which connections are opened by transports on which nothing listens.
    unheard: HashMap<(Transport, bool), UnheardPort>,
    callers: Arc<Callers>,
    events: NetEvents,
    connection_events: mpsc::Sender<ConnectionEvent>,
    from_connections: mpsc::Receiver<ConnectionEvent>,
}

impl Transports {
    /// Opens every listening address and starts reading. `certificate` is what is shown at TLS addresses.
    ///
    /// # Errors
    /// The first address that cannot be opened.
    pub fn bind(
        listen: &[ListenAddress],
        certificate: Option<&CertificateFiles>,
        events: NetEvents,
    ) -> Result<Self, BindError> {
        let (connection_events, from_connections) = mpsc::channel(CONNECTION_EVENTS);
        let mut transports = Self {
            udp: Vec::new(),
            streams: Vec::new(),
            connections: HashMap::new(),
            by_remote: HashMap::new(),
            lines: HashMap::new(),
            line_numbers: HashMap::new(),
            next_connection: 1,
            local: LocalAddresses::default(),
            unheard: HashMap::new(),
            callers: Arc::default(),
            events,
            connection_events,
            from_connections,
        };
        for &ListenAddress { transport, address } in listen {
            let opened = transports.listen(transport, address, certificate);
            opened.map_err(|source| BindError { transport, address, source })?;
        }
        Ok(transports)
    }

    fn listen(
        &mut self,
        transport: Transport,
        address: SocketAddr,
        certificate: Option<&CertificateFiles>,
    ) -> io::Result<()> {
        let tls = match transport {
            Transport::Udp => {
                let socket = udp::bind(address)?;
                let bound = socket.local_addr()?;
                tokio::spawn(udp::receive(Arc::clone(&socket), bound, self.events.clone()));
                self.udp.push((bound, socket));
                return Ok(());
            }
            Transport::Tcp => None,
            Transport::Tls => {
                let files = certificate.ok_or_else(|| io::Error::other("there is no certificate"))?;
                Some(Acceptor::new(files, Arc::clone(&self.callers)).map_err(io::Error::other)?)
            }
            _ => return Err(io::Error::new(io::ErrorKind::Unsupported, "only udp, tcp and tls can be listened on")),
        };
        let listener = bind_tcp(address)?;
        let address = listener.local_addr()?;
        tokio::spawn(accept(listener, tls, self.connection_events.clone()));
        self.streams.push(ListenAddress { transport, address });
        Ok(())
    }

    /// Takes note of a dialplan: which trunks are known by their client certificates.
    pub fn set_plan(&self, plan: &Plan) {
        self.callers.set_plan(plan);
    }

    /// The bound addresses, ports filled in.
    pub fn bound(&self) -> impl Iterator<Item = ListenAddress> + '_ {
        let udp = self.udp.iter().map(|(address, _)| ListenAddress { transport: Transport::Udp, address: *address });
        udp.chain(self.streams.iter().copied())
    }

    /// The flow for a request of ours to `remote`: an open connection if there is one. By TLS it leads to `peer` alone.
    ///
    /// # Errors
    /// When no socket can reach `remote`, or it is to be reached by TLS and it is not said who that is.
    pub fn flow_to(
        &mut self,
        transport: Transport,
        remote: SocketAddr,
        peer: Option<&TlsPeer>,
    ) -> Result<Flow, TransportError> {
        let bound = match transport {
            Transport::Udp => self.udp.iter().map(|(bound, _)| *bound).find(|bound| serves(*bound, remote)),
            _ => {
                let mut streams = self.streams.iter().filter(|listens| listens.transport == transport);
                let bound = streams.find(|listens| serves(listens.address, remote)).map(|listens| listens.address);
                // Nothing listens there: peers reach us over the connection that we open, and know it by its port.
                bound.or_else(|| Some(any(remote, self.unheard_port(transport, remote))))
            }
        };
        let bound = bound.ok_or(TransportError::NoSocket(transport, remote))?;
        let local = SocketAddr::new(self.local.towards(bound.ip(), remote.ip()), bound.port());
        let flow = Flow { transport, local, remote, connection: None };
        let connection = match (transport, peer) {
            (Transport::Udp, _) => None,
            (Transport::Tls, Some(peer)) => Some(self.line(flow, peer)),
            (Transport::Tls, None) => return Err(TransportError::Nameless(remote)),
            _ => self.by_remote.get(&remote).copied(),
        };
        Ok(Flow { connection, ..flow })
    }

    fn unheard_port(&mut self, transport: Transport, remote: SocketAddr) -> u16 {
        let key = (transport, remote.is_ipv4());
        if let Some(known) = self.unheard.get(&key) {
            return known.port;
        }
        match UnheardPort::reserve(any(remote, 0)) {
            Ok(reserved) => self.unheard.entry(key).or_insert(reserved).port,
            Err(error) => {
                tracing::debug!(%error, "no port to be known by");
                transport.default_port()
            }
        }
    }

    /// The number of the connection to a TLS peer.
    fn line(&mut self, flow: Flow, peer: &TlsPeer) -> u64 {
        let key = (flow.remote, Arc::new(peer.clone()));
        if let Some(number) = self.line_numbers.get(&key) {
            return *number;
        }
        if self.lines.len() >= MAX_LINES {
            // Names that moved from address to address for months: open connections stay, the others are counted anew.
            let connections = &self.connections;
            self.lines.retain(|number, _| connections.contains_key(number));
            self.line_numbers.retain(|_, number| connections.contains_key(number));
        }
        let number = self.next_connection;
        self.next_connection += 1;
        let flow = Flow { connection: Some(number), ..flow };
        self.lines.insert(number, Line { flow, peer: Arc::clone(&key.1) });
        self.line_numbers.insert(key, number);
        number
    }

    /// Sends one message, opening a connection where the flow needs one.
    ///
    /// # Errors
    /// When it is certain that the message did not go out. Later failures come as [`Input::FlowClosed`].
    pub fn transmit(&mut self, flow: Flow, bytes: Bytes) -> Result<(), TransportError> {
        self.transmit_as(flow, bytes, false)
    }

    /// The same; `hurried` as in [`Output::Transmit`](crate::sip::Output::Transmit).
    ///
    /// # Errors
    /// As with [`Self::transmit`].
    pub fn transmit_as(&mut self, flow: Flow, bytes: Bytes, hurried: bool) -> Result<(), TransportError> {
        if flow.transport == Transport::Udp {
            return self.transmit_udp(flow, &bytes);
        }
        let gone = TransportError::Gone(flow.remote);
        if let Some(connection) = flow.connection.and_then(|number| self.live(number)) {
            return connection.outgoing.try_send(bytes).map_err(|_| gone);
        }
        let outgoing = match flow.connection.and_then(|number| self.lines.get(&number)) {
            Some(line) => {
                let (flow, peer) = (line.flow, Arc::clone(&line.peer));
                self.open(flow, Some(peer), CONNECT_TIMEOUT)?
            }
            None => match self.open_again(flow)? {
                Some(outgoing) => outgoing,
                None => self.open(flow.reopened(), None, if hurried { HURRIED_TIMEOUT } else { CONNECT_TIMEOUT })?,
            },
        };
        outgoing.try_send(bytes).map_err(|_| gone)
    }

    /// The connection for a flow whose own is gone, or has no number yet (RFC 3261 section 18.2.2 for responses). `None`:
    /// a new one may be opened. By TLS only to a peer that we know how to recognise.
    fn open_again(&mut self, flow: Flow) -> Result<Option<mpsc::Sender<Bytes>>, TransportError> {
        if flow.transport != Transport::Tls {
            let open = self.by_remote.get(&flow.remote).and_then(|number| self.live(*number));
            return Ok(open.map(|connection| connection.outgoing.clone()));
        }
        let same = self.lines.values().filter(|line| line.flow.remote == flow.remote);
        let line = same.max_by_key(|line| (line.peer.settings.verify, line.flow.connection));
        let (flow, peer) =
            line.map(|line| (line.flow, Arc::clone(&line.peer))).ok_or(TransportError::Nameless(flow.remote))?;
        match flow.connection.and_then(|number| self.live(number)) {
            Some(connection) => Ok(Some(connection.outgoing.clone())),
            None => self.open(flow, Some(peer), CONNECT_TIMEOUT).map(Some),
        }
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

    fn open(
        &mut self,
        flow: Flow,
        peer: Option<Arc<TlsPeer>>,
        patience: Duration,
    ) -> Result<mpsc::Sender<Bytes>, TransportError> {
        if self.connections.len() >= MAX_CONNECTIONS && !self.evict(None) {
            return Err(TransportError::Gone(flow.remote));
        }
        let (served, outgoing, state) = self.serve(flow, true);
        let flow = served.flow;
        let is_unheard =
            self.unheard.get(&(flow.transport, flow.remote.is_ipv4())).is_some_and(|it| it.port == flow.local.port());
        let local = SocketAddr::new(flow.local.ip(), if is_unheard { flow.local.port() } else { 0 });
        let task = tokio::spawn(async move {
            match tokio::time::timeout(patience, connect(local, flow.remote)).await {
                Ok(Ok(stream)) => opened(stream, peer, served).await,
                outcome => {
                    tracing::debug!(remote = %flow.remote, ?outcome, "{} connect failed", flow.transport);
                    served.closed().await;
                }
            }
        });
        let connection = Connection { flow, outgoing: outgoing.clone(), state, task: task.abort_handle() };
        self.list(connection);
        Ok(outgoing)
    }

    /// Makes what a connection's task needs; `ours` when we open it. Its number is the flow's, or a new one.
    fn serve(&mut self, mut flow: Flow, ours: bool) -> (Served, mpsc::Sender<Bytes>, Arc<ConnectionState>) {
        flow.connection = flow.connection.or_else(|| {
            let number = self.next_connection;
            self.next_connection += 1;
            Some(number)
        });
        let (sender, outgoing) = mpsc::channel(OUTGOING_QUEUE);
        let state = Arc::new(ConnectionState::new(ours));
        let (events, connections) = (self.events.clone(), self.connection_events.clone());
        let served = Served { flow, outgoing, events, connections, state: Arc::clone(&state), ours };
        (served, sender, state)
    }

    fn list(&mut self, connection: Connection) {
        let flow = connection.flow;
        let Some(number) = flow.connection else { return };
        if flow.transport != Transport::Tls {
            self.by_remote.insert(flow.remote, number);
        }
        self.connections.insert(number, connection);
    }

    /// Makes room: closes the oldest connection (from `address`, if given) of a peer that has sent nothing worth an
    /// answer. Says whether there was one.
    fn evict(&mut self, address: Option<IpAddr>) -> bool {
        let strangers = self.connections.iter().filter(|(_, connection)| {
            !connection.state.is_known() && address.is_none_or(|address| connection.flow.remote.ip() == address)
        });
        let Some(oldest) = strangers.map(|(number, _)| *number).min() else { return false };
        if let Some(connection) = self.connections.get(&oldest) {
            connection.task.abort();
            tracing::debug!(remote = %connection.flow.remote, "connection closed to make room");
        }
        self.forget(oldest);
        true
    }

    /// The connection of that number, unless it has ended and only its report is still to come.
    fn live(&self, number: u64) -> Option<&Connection> {
        self.connections.get(&number).filter(|connection| !connection.outgoing.is_closed())
    }

    fn forget(&mut self, number: u64) {
        let Some(connection) = self.connections.remove(&number) else { return };
        if self.by_remote.get(&connection.flow.remote) == Some(&number) {
            self.by_remote.remove(&connection.flow.remote);
        }
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
            tracing::debug!("connections left with messages unsent");
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
            ConnectionEvent::Accepted { stream, local, remote, tls } => self.on_accepted(stream, local, remote, tls),
            ConnectionEvent::Closed { flow, state } => {
                let ended = flow.connection.filter(|number| {
                    let listed = self.connections.get(number);
                    listed.is_some_and(|connection| Arc::ptr_eq(&connection.state, &state))
                });
                if let Some(number) = ended {
                    self.forget(number);
                }
            }
        }
    }

    fn on_accepted(&mut self, stream: TcpStream, local: SocketAddr, remote: SocketAddr, tls: Option<Acceptor>) {
        let from_there =
            self.connections.values().filter(|connection| connection.flow.remote.ip() == remote.ip()).count();
        let room = (from_there < MAX_CONNECTIONS_EACH || self.evict(Some(remote.ip())))
            && (self.connections.len() < MAX_CONNECTIONS || self.evict(None));
        if !room {
            tracing::warn!(%remote, "too many connections; this one is closed");
            return;
        }
        let transport = if tls.is_some() { Transport::Tls } else { Transport::Tcp };
        let flow = Flow { transport, local, remote, connection: None };
        let (served, outgoing, state) = self.serve(flow, false);
        let flow = served.flow;
        let task = tokio::spawn(accepted(stream, tls, served)).abort_handle();
        self.list(Connection { flow, outgoing, state, task });
    }
}

/// Serves a connection that was opened to us.
async fn accepted(stream: TcpStream, tls: Option<Acceptor>, served: Served) {
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

/// Serves a connection that we opened.
async fn opened(stream: TcpStream, peer: Option<Arc<TlsPeer>>, served: Served) {
    stream::prepare(&stream);
    let Some(peer) = peer else {
        let (reader, writer) = stream.into_split();
        return served.run(reader, writer).await;
    };
    let remote = served.flow.remote;
    match tokio::time::timeout(HANDSHAKE_TIMEOUT, shake_hands(stream, &peer)).await {
        Ok(Ok(stream)) => {
            let (reader, writer) = tokio::io::split(stream);
            return served.run(reader, writer).await;
        }
        // The administrator's to mend, mostly, and the trunk's next attempt says it again.
        Ok(Err(error)) => tracing::warn!(%remote, "no TLS with {}: {error}", peer.name),
        Err(_) => tracing::warn!(%remote, "no TLS with {}: the handshake took too long", peer.name),
    }
    served.closed().await;
}

/// Some address of ours of `remote`'s family.
fn any(remote: SocketAddr, port: u16) -> SocketAddr {
    let ip: IpAddr =
        if remote.is_ipv4() { std::net::Ipv4Addr::UNSPECIFIED.into() } else { std::net::Ipv6Addr::UNSPECIFIED.into() };
    SocketAddr::new(ip, port)
}

/// Whether a socket bound to `bound` reaches `remote`.
fn serves(bound: SocketAddr, remote: SocketAddr) -> bool {
    bound.is_ipv4() == remote.is_ipv4()
        && (bound.ip().is_unspecified() || bound.ip().is_loopback() == remote.ip().is_loopback())
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

/// Connects from `local`. Where a port is given and is not to be had, as when another connection leads to `remote` from it, any
/// port does.
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

async fn accept(listener: TcpListener, tls: Option<Acceptor>, events: mpsc::Sender<ConnectionEvent>) {
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
