//! ICE and DTLS of the calls whose other end is a browser, on a thread of their own: a handshake takes half a
//! millisecond, and no tick is to wait for it.
//!
//! Until a connection is made the thread reads the leg's socket. Then the socket goes to a media thread, which hands
//! aside what is no media; answers leave by the same socket.

use super::ice_tcp::{IceTcp, Relays};
use crate::types::{CallId, Deadlines, Fingerprint, IceCredentials, SrtpKeys, WebRtcPeer};
use crate::webrtc::{Aside, AsideReader, Connection, Event, Identity, Protocol, Settings, TransportAddress, aside};
use nix::sys::epoll::{Epoll, EpollCreateFlags, EpollEvent, EpollFlags, EpollTimeout};
use nix::sys::eventfd::{EfdFlags, EventFd};
use std::collections::HashMap;
use std::io;
use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, TryRecvError, channel};
use std::time::{Duration, Instant};
use tokio::sync::mpsc;

/// Datagrams read from one socket at once, at most.
const READS_AT_ONCE: usize = 32;
/// Sockets reported by one call.
const EVENTS: usize = 64;
/// No call has it.
const WAKE: u64 = u64::MAX;
/// The longest datagram that is read.
const LONGEST: usize = 2_048;

/// What is told of a call's connection.
#[derive(Debug)]
pub enum WebRtcEvent {
    /// Its leg may be handed over, and with it `aside`.
    Connected {
        /// Which call.
        call: CallId,
        /// Where its packets go.
        remote: SocketAddr,
        /// Under which keys.
        keys: Box<SrtpKeys>,
        /// Takes what its media thread finds to be no media.
        aside: Aside,
    },
    /// ICE found another way.
    Moved {
        /// Which call.
        call: CallId,
        /// Where its packets go.
        remote: SocketAddr,
    },
    /// It is over.
    Lost {
        /// Which call.
        call: CallId,
        /// Why.
        why: String,
    },
}

/// Connects browsers. The thread starts with the first.
#[derive(Debug)]
pub struct WebRtc {
    tell: mpsc::Sender<WebRtcEvent>,
    thread: Option<Thread>,
    tcp: Option<IceTcp>,
}

#[derive(Debug)]
struct Thread {
    fingerprint: Fingerprint,
    asks: Sender<Ask>,
    wake: Arc<EventFd>,
}

/// What is asked of the thread.
enum Ask {
    /// Begin, or where the call is known begin ICE anew.
    Connect {
        call: CallId,
        socket: Option<UdpSocket>,
        tcp_port: Option<u16>,
        ice: IceCredentials,
        peer: Box<WebRtcPeer>,
    },
    Close(CallId),
}

impl WebRtc {
    /// Whoever holds the other end of `tell` hears of every connection.
    #[must_use]
    pub fn new(tell: mpsc::Sender<WebRtcEvent>) -> Self {
        Self { tell, thread: None, tcp: None }
    }

    /// The same, which takes connections by TCP as well.
    #[must_use]
    pub fn with_tcp(mut self, tcp: Option<IceTcp>) -> Self {
        self.tcp = tcp;
        self
    }

    /// The port that takes connections by TCP to `local`, the address of a leg.
    #[must_use]
    pub fn tcp_port(&self, local: IpAddr) -> Option<u16> {
        self.tcp.as_ref().and_then(|tcp| tcp.port(local))
    }

    /// Our certificate's, made when it is asked for first.
    ///
    /// # Errors
    /// The system gives no thread, descriptor or randomness.
    pub fn fingerprint(&mut self) -> io::Result<Fingerprint> {
        if let Some(thread) = &self.thread {
            return Ok(thread.fingerprint);
        }
        let identity = Identity::new().map_err(io::Error::other)?;
        let fingerprint = identity.fingerprint();
        let wake = Arc::new(EventFd::from_flags(EfdFlags::EFD_NONBLOCK | EfdFlags::EFD_CLOEXEC)?);
        let (asks, asked) = channel();
        let relays = self.tcp.as_ref().map(|tcp| tcp.relays.clone()).unwrap_or_default();
        let driver = Driver::new(identity, relays, Arc::clone(&wake), asked, self.tell.clone())?;
        std::thread::Builder::new().name("webrtc".into()).spawn(move || driver.run())?;
        self.thread = Some(Thread { fingerprint, asks, wake });
        Ok(fingerprint)
    }

    /// Looks for `peer` from a call's `socket`; where that has begun before, anew. Comes back as [`WebRtcEvent`].
    ///
    /// # Errors
    /// No descriptor is left, or nothing was opened for the call.
    pub fn connect(
        &mut self,
        call: CallId,
        socket: Option<&UdpSocket>,
        ice: IceCredentials,
        peer: WebRtcPeer,
    ) -> io::Result<()> {
        let socket = socket.map(UdpSocket::try_clone).transpose()?;
        let local = socket.as_ref().map(UdpSocket::local_addr).transpose()?;
        let tcp_port = local.and_then(|local| self.tcp_port(local.ip()));
        self.ask(Ask::Connect { call, socket, tcp_port, ice, peer: Box::new(peer) });
        Ok(())
    }

    /// The call is over, whether it had a connection or not.
    pub fn close(&mut self, call: CallId) {
        self.ask(Ask::Close(call));
    }

    fn ask(&mut self, ask: Ask) {
        let Some(thread) = &self.thread else { return };
        // Fails only when the thread has ended, by a bug; its connections are lost then.
        let _ = thread.asks.send(ask);
        let _ = thread.wake.write(1);
    }
}

impl Drop for WebRtc {
    fn drop(&mut self) {
        if let Some(Thread { asks, wake, .. }) = self.thread.take() {
            // Without anybody who asks it ends.
            drop(asks);
            let _ = wake.write(1);
        }
    }
}

/// One call's connection.
struct Peer {
    connection: Connection,
    socket: UdpSocket,
    /// Connections by TCP may be for it.
    by_tcp: bool,
    /// The socket is read by a media thread; this comes from there.
    aside: Option<AsideReader>,
}

/// The thread.
struct Driver {
    identity: Identity,
    relays: Relays,
    epoll: Epoll,
    wake: Arc<EventFd>,
    asked: Receiver<Ask>,
    tell: mpsc::Sender<WebRtcEvent>,
    peers: HashMap<CallId, Peer>,
    deadlines: Deadlines<CallId>,
    buffer: Box<[u8; LONGEST]>,
}

impl Driver {
    fn new(
        identity: Identity,
        relays: Relays,
        wake: Arc<EventFd>,
        asked: Receiver<Ask>,
        tell: mpsc::Sender<WebRtcEvent>,
    ) -> nix::Result<Self> {
        let epoll = Epoll::new(EpollCreateFlags::EPOLL_CLOEXEC)?;
        epoll.add(&wake, EpollEvent::new(EpollFlags::EPOLLIN, WAKE))?;
        let (peers, deadlines) = (HashMap::new(), Deadlines::default());
        Ok(Self { identity, relays, epoll, wake, asked, tell, peers, deadlines, buffer: Box::new([0; LONGEST]) })
    }

    /// Runs until nobody can ask any more.
    fn run(mut self) {
        let mut events = [EpollEvent::empty(); EVENTS];
        loop {
            let ready = match self.epoll.wait(&mut events, self.patience()) {
                Ok(ready) => ready,
                Err(nix::errno::Errno::EINTR) => 0,
                Err(_) => return,
            };
            let now = Instant::now();
            for event in events.iter().take(ready) {
                if event.data() == WAKE {
                    // Fails only when there was no wake-up.
                    let _ = self.wake.read();
                    if !self.take_asks(now) {
                        return;
                    }
                    self.read_aside(now);
                } else {
                    self.read_socket(now, CallId(event.data()));
                }
            }
            while let Some(call) = self.deadlines.pop_due(now) {
                if let Some(peer) = self.peers.get_mut(&call) {
                    self.relays.take_ended(call).into_iter().for_each(|remote| {
                        peer.connection.handle_disconnect(now, remote);
                    });
                    peer.connection.handle_timeout(now);
                }
                self.carry_out(call);
            }
        }
    }

    /// How long there is nothing to do, rounded up.
    fn patience(&self) -> EpollTimeout {
        let Some(next) = self.deadlines.next() else { return EpollTimeout::NONE };
        let left = next.saturating_duration_since(Instant::now()) + Duration::from_micros(999);
        u16::try_from(left.as_millis()).map_or(EpollTimeout::from(u16::MAX), EpollTimeout::from)
    }

    /// Says whether there may be more to come.
    fn take_asks(&mut self, now: Instant) -> bool {
        loop {
            match self.asked.try_recv() {
                Ok(Ask::Connect { call, socket, tcp_port, ice, peer }) => {
                    self.connect(now, call, socket, tcp_port, ice, &peer);
                }
                Ok(Ask::Close(call)) => self.close(call),
                Err(TryRecvError::Empty) => return true,
                Err(TryRecvError::Disconnected) => {
                    let calls: Vec<CallId> = self.peers.keys().copied().collect();
                    calls.into_iter().for_each(|call| self.close(call));
                    return false;
                }
            }
        }
    }

    fn connect(
        &mut self,
        now: Instant,
        call: CallId,
        socket: Option<UdpSocket>,
        tcp_port: Option<u16>,
        ice: IceCredentials,
        peer: &WebRtcPeer,
    ) {
        if let Some(known) = self.peers.get_mut(&call) {
            if let Some(local) = known.socket.local_addr().ok().filter(|_| known.by_tcp) {
                self.relays.register(call, &ice.fragment, local);
            }
            known.connection.restart(now, &ice, peer);
            return self.carry_out(call);
        }
        let Some((socket, local)) =
            socket.and_then(|socket| Some((socket.local_addr().ok()?, socket))).map(|(l, s)| (s, l))
        else {
            return;
        };
        let watched = EpollEvent::new(EpollFlags::EPOLLIN, call.0);
        if let Err(error) = self.epoll.add(&socket, watched) {
            return self.tell(WebRtcEvent::Lost { call, why: error.to_string() });
        }
        if tcp_port.is_some() {
            self.relays.register(call, &ice.fragment, local);
        }
        let connection = Connection::new(now, &self.identity, &Settings { local, tcp_port, ice }, peer);
        self.peers.insert(call, Peer { connection, socket, by_tcp: tcp_port.is_some(), aside: None });
        self.carry_out(call);
    }

    fn close(&mut self, call: CallId) {
        if let Some(peer) = self.peers.get_mut(&call) {
            peer.connection.close();
            self.carry_out(call);
            self.forget(call);
        }
    }

    fn forget(&mut self, call: CallId) {
        self.deadlines.clear(call);
        self.relays.forget(call);
        if let Some(peer) = self.peers.remove(&call).filter(|peer| peer.aside.is_none()) {
            let _ = self.epoll.delete(&peer.socket);
        }
    }

    fn read_socket(&mut self, now: Instant, call: CallId) {
        let Some(peer) = self.peers.get_mut(&call) else { return };
        for _ in 0..READS_AT_ONCE {
            // Also once connected, what came before is read to its end: the media thread wants none of it.
            let Ok((length, source)) = peer.socket.recv_from(&mut self.buffer[..]) else { break };
            if let Some(bytes) = self.buffer.get(..length) {
                peer.connection.handle_packet(now, sender(&self.relays, peer.by_tcp, source), bytes);
            }
        }
        self.carry_out(call);
    }

    /// Takes what media threads handed aside; few of many have anything.
    fn read_aside(&mut self, now: Instant) {
        let mut heard = Vec::new();
        for (call, peer) in &mut self.peers {
            while let Some(datagram) = peer.aside.as_mut().and_then(AsideReader::pop) {
                let source = sender(&self.relays, peer.by_tcp, datagram.source);
                peer.connection.handle_packet(now, source, datagram.bytes());
                heard.push(*call);
            }
        }
        heard.dedup();
        heard.into_iter().for_each(|call| self.carry_out(call));
    }

    /// Sends, tells and sets the alarm.
    fn carry_out(&mut self, call: CallId) {
        let Some(peer) = self.peers.get_mut(&call) else { return };
        while let Some(transmit) = peer.connection.poll_transmit() {
            let Some(destination) = destination(&self.relays, call, transmit.destination) else { continue };
            // What does not go out is lost, as in the network.
            let _ = peer.socket.send_to(&transmit.bytes, mapped(&peer.socket, destination));
        }
        let mut told = Vec::new();
        let mut is_over = false;
        while let Some(event) = peer.connection.poll_event() {
            told.push(match event {
                Event::Connected { remote, keys } => {
                    let _ = self.epoll.delete(&peer.socket);
                    let (aside, reader) = aside(Arc::clone(&self.wake));
                    peer.aside = Some(reader);
                    let remote = destination(&self.relays, call, remote).unwrap_or(remote.address);
                    WebRtcEvent::Connected { call, remote, keys: Box::new(keys), aside }
                }
                Event::Moved { remote } => {
                    let remote = destination(&self.relays, call, remote).unwrap_or(remote.address);
                    WebRtcEvent::Moved { call, remote }
                }
                Event::Lost(why) => {
                    is_over = true;
                    WebRtcEvent::Lost { call, why: why.to_string() }
                }
            });
        }
        if let Some(due) = peer.connection.poll_timeout() {
            self.deadlines.set(call, due);
        }
        if is_over {
            self.forget(call);
        }
        told.into_iter().for_each(|told| self.tell(told));
    }

    fn tell(&self, told: WebRtcEvent) {
        // Where that fails the gateway is gone.
        let _ = self.tell.blocking_send(told);
    }
}

/// Who sent what came from `source`: by TCP, where that is a relay of ours.
fn sender(relays: &Relays, by_tcp: bool, source: SocketAddr) -> TransportAddress {
    let source = unmapped(source);
    let remote = if by_tcp { relays.remote(source) } else { None };
    remote.map_or_else(|| source.into(), TransportAddress::tcp)
}

/// Where a leg's socket sends what is for `remote`; `None` where its connection has ended.
fn destination(relays: &Relays, call: CallId, remote: TransportAddress) -> Option<SocketAddr> {
    match remote.protocol {
        Protocol::Udp => Some(remote.address),
        _ => relays.relay(call, remote.address),
    }
}

/// The address of a sender; an IPv4-mapped one as the IPv4 address that it is.
fn unmapped(source: SocketAddr) -> SocketAddr {
    SocketAddr::new(source.ip().to_canonical(), source.port())
}

/// The same as a socket of its family wants it.
fn mapped(socket: &UdpSocket, destination: SocketAddr) -> SocketAddr {
    match destination.ip() {
        IpAddr::V4(address) if socket.local_addr().is_ok_and(|local| local.is_ipv6()) => {
            SocketAddr::new(address.to_ipv6_mapped().into(), destination.port())
        }
        _ => destination,
    }
}
