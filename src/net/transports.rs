//! All SIP sockets of the gateway behind one `transmit`.

use super::connections::{Connections, Queued};
use super::lines::{Line, Lines};
use super::listening::{BindError, ListenAddress, accept, bind_tcp};
use super::local::LocalAddresses;
use super::log::NetLog;
use super::opening::{UnheardPorts, any, open};
use super::thread::ShellThread;
use super::tls::{Acceptor, Callers, TlsPeer};
use super::udp::UdpListener;
use super::websocket::WebSockets;
use crate::dialplan::{CertificateFiles, Plan};
use crate::sip::message::Transport;
use crate::sip::{Flow, Input};
use bytes::Bytes;
use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::mpsc;

/// Where received messages go: bounded, so that what nobody takes waits in the kernel and is dropped there.
pub type NetEvents = mpsc::Sender<Arrival>;

/// Something that came from the network.
#[derive(Debug)]
pub struct Arrival {
    /// When it came: by the kernel's clock where that is known, else when it was read.
    pub at: Instant,
    /// What.
    pub input: Input,
}

impl From<Input> for Arrival {
    /// It came just now.
    fn from(input: Input) -> Self {
        Self { at: Instant::now(), input }
    }
}

/// Patience with a peer we connect to: as long as with one that is silent, before another is tried.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(4);
/// Patience with a connection for what would go by datagram as well: one that is refused by silence is not to cost the
/// call.
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
    udp: Vec<Arc<UdpListener>>,
    streams: Vec<ListenAddress>,
    pub(super) connections: Connections,
    lines: Lines,
    local: LocalAddresses,
    unheard: UnheardPorts,
    callers: Arc<Callers>,
    events: NetEvents,
    /// Ends with the last connection, once we are closing.
    all_ended: mpsc::Receiver<Infallible>,
    thread: ShellThread,
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
        let thread = ShellThread::start("sip-streams").map_err(|source| BindError {
            transport: Transport::Tcp,
            address: SocketAddr::from(([0, 0, 0, 0], 0)),
            source,
        })?;
        let log = NetLog::default();
        thread.runtime().spawn(log.clone().tell_left_out());
        let (connections, all_ended) = Connections::new(events.clone(), log, thread.runtime().clone());
        let mut transports = Self {
            udp: Vec::new(),
            streams: Vec::new(),
            connections,
            lines: Lines::default(),
            local: LocalAddresses::default(),
            unheard: UnheardPorts::default(),
            callers: Arc::default(),
            events,
            all_ended,
            thread,
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
        // Streams belong to their own thread; datagrams to the caller's.
        let streams = self.thread.runtime().clone();
        let tls = match transport {
            Transport::Udp => {
                let socket = UdpListener::bind(address)?;
                tokio::spawn(Arc::clone(&socket).serve(self.events.clone(), self.connections.log().clone()));
                self.udp.push(socket);
                return Ok(());
            }
            Transport::Tcp => None,
            Transport::Tls => {
                let files = certificate.ok_or_else(|| io::Error::other("there is no certificate"))?;
                let _within = streams.enter();
                Some(
                    Acceptor::new(files, Arc::clone(&self.callers), self.connections.log().clone())
                        .map_err(io::Error::other)?,
                )
            }
            _ => return Err(io::Error::new(io::ErrorKind::Unsupported, "only udp, tcp and tls can be listened on")),
        };
        let _within = streams.enter();
        let listener = bind_tcp(address)?;
        let address = listener.local_addr()?;
        streams.spawn(accept(listener, tls, self.connections.clone()));
        self.streams.push(ListenAddress { transport, address });
        Ok(())
    }

    /// Takes note of a dialplan: which trunks are known by their client certificates, and which addresses are theirs.
    pub fn set_plan(&self, plan: &Plan) {
        self.connections.set_trunks(plan.trunks.iter().flat_map(|trunk| trunk.allow.iter().copied()).collect());
        self.callers.set_plan(plan);
    }

    /// Where the HTTP server hands over the WebSockets that carry SIP.
    #[must_use]
    pub fn websockets(&self) -> WebSockets {
        WebSockets::new(self.connections.clone())
    }

    /// Waits until a rush of connections is over, whose memory can be given back.
    pub async fn rush_over(&self) {
        self.connections.rush_over().await;
    }

    /// The bound addresses, ports filled in.
    pub fn bound(&self) -> impl Iterator<Item = ListenAddress> + '_ {
        let udp = self.udp.iter().map(|socket| ListenAddress { transport: Transport::Udp, address: socket.bound() });
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
            Transport::Udp => self.udp.iter().map(|socket| socket.bound()).find(|bound| serves(*bound, remote)),
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
            (Transport::Tls, Some(peer)) => Some(self.lines.number(flow, peer, &self.connections)),
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
        let queued = flow.connection.map_or(Queued::NoConnection, |number| self.connections.send(number, &bytes));
        match queued {
            Queued::Yes => return Ok(()),
            Queued::Full => return Err(gone),
            // Nobody can be called back at a browser.
            Queued::NoConnection if flow.transport.is_websocket() => return Err(gone),
            Queued::NoConnection => {}
        }
        // The connection is gone, or has no number yet (RFC 3261 section 18.2.2 for responses).
        let own = flow.connection.and_then(|number| self.lines.get(number));
        if own.is_none() && flow.transport != Transport::Tls {
            return match self.connections.send_to(flow.remote, &bytes) {
                Queued::Yes => Ok(()),
                Queued::Full => Err(gone),
                Queued::NoConnection => {
                    let patience = if hurried { HURRIED_TIMEOUT } else { CONNECT_TIMEOUT };
                    self.open(flow.reopened(), None, patience, bytes)
                }
            };
        }
        // By TLS only to a peer that we know how to recognise.
        let line = own.or_else(|| self.lines.towards(flow.remote)).ok_or(TransportError::Nameless(flow.remote))?;
        let Line { flow, peer } = line.clone();
        match flow.connection.map_or(Queued::NoConnection, |number| self.connections.send(number, &bytes)) {
            Queued::Yes => Ok(()),
            Queued::Full => Err(gone),
            Queued::NoConnection => self.open(flow, Some(peer), CONNECT_TIMEOUT, bytes),
        }
    }

    fn open(
        &self,
        flow: Flow,
        peer: Option<Arc<TlsPeer>>,
        patience: Duration,
        first: Bytes,
    ) -> Result<(), TransportError> {
        let port = if self.unheard.holds(flow.transport, flow.local) { flow.local.port() } else { 0 };
        let local = SocketAddr::new(flow.local.ip(), port);
        let has_room = self.connections.open(flow, first, |served| open(local, peer, patience, served));
        if has_room { Ok(()) } else { Err(TransportError::Gone(flow.remote)) }
    }

    fn transmit_udp(&mut self, flow: Flow, bytes: &[u8]) -> Result<(), TransportError> {
        let exact = self.udp.iter().find(|socket| socket.bound() == flow.local);
        let same_port = |socket: &&Arc<UdpListener>| {
            socket.bound().port() == flow.local.port() && serves(socket.bound(), flow.remote)
        };
        let socket = exact
            .or_else(|| self.udp.iter().find(same_port))
            .or_else(|| self.udp.iter().find(|socket| serves(socket.bound(), flow.remote)))
            .ok_or(TransportError::NoSocket(Transport::Udp, flow.remote))?;
        match socket.send(flow.local.ip(), flow.remote, bytes) {
            Ok(()) => Ok(()),
            // The send buffer is full: as good as lost on the way, and retransmitted like that.
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(()),
            // A report about an earlier packet to somebody else, perhaps; the transaction's timers decide.
            Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => Ok(()),
            Err(error) => Err(TransportError::System(flow.remote, error)),
        }
    }

    /// Lets every connection send what waits for it, then closes it. What takes longer than `patience` is lost.
    pub async fn close(mut self, patience: Duration) {
        // Without their senders, the connections' tasks end when all is written.
        self.connections.clear();
        if tokio::time::timeout(patience, self.all_ended.recv()).await.is_err() {
            tracing::debug!("connections left with messages unsent");
        }
    }
}

/// Whether a socket bound to `bound` reaches `remote`.
fn serves(bound: SocketAddr, remote: SocketAddr) -> bool {
    bound.is_ipv4() == remote.is_ipv4()
        && (bound.ip().is_unspecified() || bound.ip().is_loopback() == remote.ip().is_loopback())
}
