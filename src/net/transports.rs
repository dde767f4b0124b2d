//! All SIP sockets of the gateway behind one `transmit`.

use super::connections::{Connection, ConnectionEvent, Connections};
use super::lines::Lines;
use super::listening::{BindError, ListenAddress, accept, accepted, bind_tcp};
use super::local::LocalAddresses;
use super::opening::{UnheardPorts, any, open};
use super::tls::{Acceptor, Callers, TlsPeer};
use super::udp;
use crate::dialplan::{CertificateFiles, Plan};
use crate::sip::message::Transport;
use crate::sip::{Flow, Input};
use bytes::Bytes;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpStream, UdpSocket};
use tokio::sync::mpsc;

/// Where received messages go: bounded, so that a flood waits in the kernel and is dropped there.
pub type NetEvents = mpsc::Sender<Input>;

/// Connections that came or went and are not taken note of yet: more wait in the kernel, where they hold no descriptor.
const CONNECTION_EVENTS: usize = 64;
/// Patience with a peer we connect to: as long as with one that is silent, before another is tried.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(4);
/// Patience with a connection for what would go by datagram as well: one that is refused by silence is not to cost the call.
const HURRIED_TIMEOUT: Duration = Duration::from_secs(1);

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

/// All SIP sockets.
pub struct Transports {
    udp: Vec<(SocketAddr, Arc<UdpSocket>)>,
    streams: Vec<ListenAddress>,
    connections: Connections,
    lines: Lines,
    local: LocalAddresses,
    unheard: UnheardPorts,
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
            connections: Connections::new(events.clone(), connection_events.clone()),
            lines: Lines::default(),
            local: LocalAddresses::default(),
            unheard: UnheardPorts::default(),
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
                bound.or_else(|| Some(any(remote, self.unheard.towards(transport, remote))))
            }
        };
        let bound = bound.ok_or(TransportError::NoSocket(transport, remote))?;
        let local = SocketAddr::new(self.local.towards(bound.ip(), remote.ip()), bound.port());
        let flow = Flow { transport, local, remote, connection: None };
        let connection = match (transport, peer) {
            (Transport::Udp, _) => None,
            (Transport::Tls, Some(peer)) => Some(self.lines.number(flow, peer, &mut self.connections)),
            (Transport::Tls, None) => return Err(TransportError::Nameless(remote)),
            _ => self.connections.number_with(remote),
        };
        Ok(Flow { connection, ..flow })
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
        if let Some(connection) = flow.connection.and_then(|number| self.connections.live(number)) {
            return connection.outgoing.try_send(bytes).map_err(|_| gone);
        }
        let outgoing = match flow.connection.and_then(|number| self.lines.get(number)) {
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
            return Ok(self.connections.live_with(flow.remote).map(|connection| connection.outgoing.clone()));
        }
        let line = self.lines.towards(flow.remote).ok_or(TransportError::Nameless(flow.remote))?;
        let (flow, peer) = (line.flow, Arc::clone(&line.peer));
        match flow.connection.and_then(|number| self.connections.live(number)) {
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
        if !self.connections.has_room() {
            return Err(TransportError::Gone(flow.remote));
        }
        let (served, outgoing, state) = self.connections.serve(flow, true);
        let flow = served.flow;
        let port = if self.unheard.holds(flow.transport, flow.local) { flow.local.port() } else { 0 };
        let task = tokio::spawn(open(SocketAddr::new(flow.local.ip(), port), peer, patience, served));
        let connection = Connection { flow, outgoing: outgoing.clone(), state, task: task.abort_handle() };
        self.connections.list(connection);
        Ok(outgoing)
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
            ConnectionEvent::Closed { flow, state } => self.connections.ended(flow, &state),
        }
    }

    fn on_accepted(&mut self, stream: TcpStream, local: SocketAddr, remote: SocketAddr, tls: Option<Acceptor>) {
        if !self.connections.has_room_for(remote.ip()) {
            tracing::warn!(%remote, "too many connections; this one is closed");
            return;
        }
        let transport = if tls.is_some() { Transport::Tls } else { Transport::Tcp };
        let flow = Flow { transport, local, remote, connection: None };
        let (served, outgoing, state) = self.connections.serve(flow, false);
        let flow = served.flow;
        let task = tokio::spawn(accepted(stream, tls, served)).abort_handle();
        self.connections.list(Connection { flow, outgoing, state, task });
    }
}

/// Whether a socket bound to `bound` reaches `remote`.
fn serves(bound: SocketAddr, remote: SocketAddr) -> bool {
    bound.is_ipv4() == remote.is_ipv4()
        && (bound.ip().is_unspecified() || bound.ip().is_loopback() == remote.ip().is_loopback())
}
