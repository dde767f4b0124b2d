//! SIP over UDP.

use super::local::LocalAddresses;
use super::log::NetLog;
use super::transports::{Arrival, NetEvents};
use crate::sip::message::Transport;
use crate::sip::{Flow, Input};
use crate::types::Now;
use bytes::Bytes;
use nix::errno::Errno;
use nix::sys::socket::{
    ControlMessage, ControlMessageOwned, MsgFlags, SockaddrIn, SockaddrIn6, SockaddrLike, SockaddrStorage, recvmsg,
    sendmsg, setsockopt, sockopt,
};
use socket2::{Domain, Protocol, SockAddr, Socket, Type};
use std::io::{self, IoSlice, IoSliceMut};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::os::fd::AsRawFd;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use tokio::io::Interest;
use tokio::net::UdpSocket;
use tokio::sync::mpsc::error::TrySendError;

/// The greatest datagram UDP can carry.
const MAX_DATAGRAM: usize = 65_535;
/// Datagrams read in one go before others have their turn.
const READ_AT_ONCE: usize = 1_024;
/// Longest that a datagram is believed to have waited in the kernel; more is a wall clock that was set.
const LONGEST_WAIT: Duration = Duration::from_secs(5);
/// Room in the kernel for a burst of requests.
const RECEIVE_BUFFER: usize = 4 << 20;

/// A socket for SIP. Bound to a wildcard address, it still knows which of our addresses a datagram was sent to, and
/// sends from the one that it is told (RFC 3542 section 6 for IPv6, the same of Linux for IPv4).
#[derive(Debug)]
pub(super) struct UdpListener {
    bound: SocketAddr,
    socket: UdpSocket,
}

/// A datagram's length, and where it came from and went to. `local` is `None` where the system does not say.
struct Received {
    length: usize,
    remote: SocketAddr,
    local: Option<IpAddr>,
    /// When the kernel got it, since 1970.
    stamp: Option<Duration>,
}

impl UdpListener {
    /// Opens one. IPv6 sockets take IPv6 only: IPv4 has its own, so that peers keep one address.
    pub(super) fn bind(address: SocketAddr) -> io::Result<Arc<Self>> {
        let socket = Socket::new(Domain::for_address(address), Type::DGRAM, Some(Protocol::UDP))?;
        if address.is_ipv6() {
            socket.set_only_v6(true)?;
        }
        socket.set_nonblocking(true)?;
        if let Err(error) = socket.set_recv_buffer_size(RECEIVE_BUFFER) {
            tracing::debug!(%error, "receive buffer kept at the system's size");
        }
        if address.ip().is_unspecified() {
            let asked = match address {
                SocketAddr::V4(_) => setsockopt(&socket, sockopt::Ipv4PacketInfo, &true),
                SocketAddr::V6(_) => setsockopt(&socket, sockopt::Ipv6RecvPacketInfo, &true),
            };
            if let Err(error) = asked {
                tracing::warn!(%error, %address, "the system does not say which of our addresses is asked: by its routes");
            }
        }
        if let Err(error) = setsockopt(&socket, sockopt::ReceiveTimestampns, &true) {
            tracing::debug!(%error, "no time stamps of the kernel");
        }
        socket.bind(&SockAddr::from(address))?;
        let socket = UdpSocket::from_std(socket.into())?;
        Ok(Arc::new(Self { bound: socket.local_addr()?, socket }))
    }

    /// Where it is bound, the port filled in.
    pub(super) const fn bound(&self) -> SocketAddr {
        self.bound
    }

    /// Sends from `local`, which a socket that is bound to one address heeds by itself.
    ///
    /// # Errors
    /// As the system has it; `WouldBlock` when its buffer is full.
    pub(super) fn send(&self, local: IpAddr, remote: SocketAddr, bytes: &[u8]) -> io::Result<()> {
        if self.bound.ip().is_unspecified() && !local.is_unspecified() {
            let sent = self.socket.try_io(Interest::WRITABLE, || send_from(&self.socket, local, remote, bytes));
            // The address may have been taken from the machine since.
            let is_ours = !sent.as_ref().is_err_and(|error| {
                let reason = error.raw_os_error().map(Errno::from_raw);
                matches!(reason, Some(Errno::EINVAL | Errno::EADDRNOTAVAIL | Errno::ENETUNREACH | Errno::ENODEV))
            });
            if is_ours {
                return sent;
            }
        }
        self.socket.try_send_to(bytes, remote).map(drop)
    }

    /// Reads datagrams until the gateway goes away: all that there are, as soon as there are any, so that none waits
    /// where nobody sees it.
    pub(super) async fn serve(self: Arc<Self>, events: NetEvents, log: NetLog) {
        let mut routed = LocalAddresses::default();
        let mut buffer = vec![0; MAX_DATAGRAM];
        let mut control = nix::cmsg_space!(libc::in6_pktinfo, libc::in_pktinfo, libc::timespec);
        while self.socket.readable().await.is_ok() {
            let now = Now { instant: Instant::now(), wall: SystemTime::now() };
            let mut read = 0;
            while read < READ_AT_ONCE {
                let received =
                    self.socket.try_io(Interest::READABLE, || receive_from(&self.socket, &mut buffer, &mut control));
                let Received { length, remote, local, stamp } = match received {
                    Ok(received) => received,
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                    Err(error) => {
                        // An ICMP error for something sent earlier; the socket itself is sound.
                        log.debug("UDP receive", format_args!("on {}: {error}", self.bound));
                        read = READ_AT_ONCE;
                        continue;
                    }
                };
                read += 1;
                // A copy of a kilobyte beats keeping 64 KiB alive for as long as a call lasts.
                let bytes = Bytes::copy_from_slice(buffer.get(..length).unwrap_or_default());
                let local = if self.bound.ip().is_unspecified() { local } else { Some(self.bound.ip()) };
                let local = local.unwrap_or_else(|| routed.towards(self.bound.ip(), remote.ip()));
                let local = SocketAddr::new(local, self.bound.port());
                let flow = Flow { transport: Transport::Udp, local, remote, connection: None };
                let at = stamp.map_or(now.instant, |stamp| arrival(now, stamp));
                let sent = match events.try_send(Arrival { at, input: Input::Message { flow, bytes } }) {
                    Err(TrySendError::Full(arrival)) => events.send(arrival).await.is_ok(),
                    Err(TrySendError::Closed(_)) => false,
                    Ok(()) => true,
                };
                if !sent {
                    return;
                }
            }
            if read == READ_AT_ONCE {
                tokio::task::yield_now().await;
            }
        }
    }
}

/// When a datagram came that the kernel stamped by the wall clock.
fn arrival(now: Now, since_1970: Duration) -> Instant {
    let waited = now.wall.duration_since(UNIX_EPOCH + since_1970).unwrap_or_default();
    let waited = if waited < LONGEST_WAIT { waited } else { Duration::ZERO };
    now.instant.checked_sub(waited).unwrap_or(now.instant)
}

fn receive_from(socket: &UdpSocket, buffer: &mut [u8], control: &mut [u8]) -> io::Result<Received> {
    let mut into = [IoSliceMut::new(buffer)];
    let message = recvmsg::<SockaddrStorage>(socket.as_raw_fd(), &mut into, Some(control), MsgFlags::empty())?;
    let address = message.address.as_ref();
    let v4 = address.and_then(SockaddrStorage::as_sockaddr_in).map(|it| SocketAddr::V4((*it).into()));
    let v6 = || address.and_then(SockaddrStorage::as_sockaddr_in6).map(|it| SocketAddr::V6((*it).into()));
    let remote = v4.or_else(v6).ok_or(io::ErrorKind::InvalidData)?;
    let (mut local, mut stamp) = (None, None);
    for said in message.cmsgs()? {
        match said {
            // What an answer is to come from: where a broadcast was asked, that is no address of anybody.
            ControlMessageOwned::Ipv4PacketInfo(info) => {
                local = Some(IpAddr::V4(u32::from_be(info.ipi_spec_dst.s_addr).into()));
            }
            ControlMessageOwned::Ipv6PacketInfo(info) => local = Some(IpAddr::V6(info.ipi6_addr.s6_addr.into())),
            ControlMessageOwned::ScmTimestampns(time) => stamp = Some(Duration::from(time)),
            _ => {}
        }
    }
    let local = local.filter(|local| !local.is_multicast() && !local.is_unspecified());
    Ok(Received { length: message.bytes, remote, local, stamp })
}

fn send_from(socket: &UdpSocket, local: IpAddr, remote: SocketAddr, bytes: &[u8]) -> io::Result<()> {
    let from = [IoSlice::new(bytes)];
    match (local, remote) {
        (IpAddr::V4(local), SocketAddr::V4(remote)) => {
            let info = source_v4(local);
            send_with(socket, &from, ControlMessage::Ipv4PacketInfo(&info), &SockaddrIn::from(remote))
        }
        (IpAddr::V6(local), SocketAddr::V6(remote)) => {
            let info = source_v6(local);
            send_with(socket, &from, ControlMessage::Ipv6PacketInfo(&info), &SockaddrIn6::from(remote))
        }
        _ => Err(io::ErrorKind::AddrNotAvailable.into()),
    }
}

fn send_with(
    socket: &UdpSocket,
    bytes: &[IoSlice<'_>],
    source: ControlMessage<'_>,
    remote: &impl SockaddrLike,
) -> io::Result<()> {
    sendmsg(socket.as_raw_fd(), bytes, &[source], MsgFlags::empty(), Some(remote))?;
    Ok(())
}

/// By whatever interface leads there.
const fn source_v4(local: Ipv4Addr) -> libc::in_pktinfo {
    let nothing = libc::in_addr { s_addr: 0 };
    let source = libc::in_addr { s_addr: u32::from_ne_bytes(local.octets()) };
    libc::in_pktinfo { ipi_ifindex: 0, ipi_spec_dst: source, ipi_addr: nothing }
}

const fn source_v6(local: Ipv6Addr) -> libc::in6_pktinfo {
    libc::in6_pktinfo { ipi6_addr: libc::in6_addr { s6_addr: local.octets() }, ipi6_ifindex: 0 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::sync::mpsc;

    async fn arrived(events: &mut mpsc::Receiver<Arrival>) -> Arrival {
        let next = tokio::time::timeout(Duration::from_secs(20), events.recv()).await;
        next.expect("a message").unwrap()
    }

    async fn next(events: &mut mpsc::Receiver<Arrival>) -> Flow {
        let Input::Message { flow, .. } = arrived(events).await.input else { panic!("no message") };
        flow
    }

    #[test]
    fn a_stamp_becomes_an_instant_and_a_wild_one_becomes_now() {
        let now =
            Now { instant: crate::test_clock() + Duration::from_secs(100), wall: UNIX_EPOCH + Duration::from_secs(50) };
        assert_eq!(arrival(now, Duration::from_millis(48_990)), now.instant - Duration::from_millis(1_010));
        assert_eq!(arrival(now, Duration::from_millis(50_010)), now.instant);
        assert_eq!(arrival(now, Duration::from_secs(3)), now.instant);
    }

    #[tokio::test]
    async fn a_datagram_comes_with_the_kernels_time() {
        let listener = UdpListener::bind(SocketAddr::from(([127, 0, 0, 1], 0))).unwrap();
        let peer = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let wall = || SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
        let before = wall();
        peer.send_to(b"hello", listener.bound()).await.unwrap();
        listener.socket.readable().await.unwrap();
        let (mut buffer, mut control) = ([0; 16], nix::cmsg_space!(libc::in6_pktinfo, libc::timespec));
        let received = receive_from(&listener.socket, &mut buffer, &mut control).unwrap();
        let stamp = received.stamp.unwrap();
        assert!(before <= stamp && stamp <= wall() && received.length == 5, "{before:?} {stamp:?}");
    }

    #[tokio::test]
    async fn a_wildcard_socket_answers_from_the_address_that_was_asked() {
        let (sender, mut events) = mpsc::channel(4);
        let wildcard = UdpListener::bind(SocketAddr::from(([0, 0, 0, 0], 0))).unwrap();
        tokio::spawn(Arc::clone(&wildcard).serve(sender, NetLog::default()));
        let peer = UdpSocket::bind("127.0.0.77:0").await.unwrap();
        for asked in [[127, 0, 0, 2], [127, 0, 0, 9], [127, 0, 0, 77]] {
            let asked = SocketAddr::from((asked, wildcard.bound().port()));
            peer.send_to(b"hello", asked).await.unwrap();
            let flow = next(&mut events).await;
            assert_eq!((flow.local, flow.remote), (asked, peer.local_addr().unwrap()));
            wildcard.send(flow.local.ip(), flow.remote, b"answer").unwrap();
            let (_, from) = peer.recv_from(&mut [0; 16]).await.unwrap();
            assert_eq!(from, asked);
        }
    }

    #[tokio::test]
    async fn so_does_one_of_ipv6_beside_one_of_ipv4_on_the_same_port() {
        let (sender, mut events) = mpsc::channel(4);
        let four = UdpListener::bind(SocketAddr::from(([0, 0, 0, 0], 0))).unwrap();
        let six = UdpListener::bind(SocketAddr::from(([0_u16; 8], four.bound().port()))).unwrap();
        for socket in [&four, &six] {
            tokio::spawn(Arc::clone(socket).serve(sender.clone(), NetLog::default()));
        }
        let peer = UdpSocket::bind("[::1]:0").await.unwrap();
        let asked = SocketAddr::new(Ipv6Addr::LOCALHOST.into(), six.bound().port());
        peer.send_to(b"hello", asked).await.unwrap();
        let flow = next(&mut events).await;
        assert_eq!(flow.local, asked);
        six.send(flow.local.ip(), flow.remote, b"answer").unwrap();
        assert_eq!(peer.recv_from(&mut [0; 16]).await.unwrap().1, asked);
        // To the other socket a peer of IPv4 is one of IPv4.
        let peer = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        peer.send_to(b"hello", SocketAddr::from(([127, 0, 0, 3], four.bound().port()))).await.unwrap();
        assert_eq!(next(&mut events).await.local.ip(), IpAddr::from([127, 0, 0, 3]));
    }

    #[tokio::test]
    async fn an_address_that_the_machine_has_no_more_is_no_reason_not_to_answer() {
        let wildcard = UdpListener::bind(SocketAddr::from(([0, 0, 0, 0], 0))).unwrap();
        let peer = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        wildcard.socket.writable().await.unwrap();
        // RFC 5737: nobody has it.
        wildcard.send(IpAddr::from([192, 0, 2, 1]), peer.local_addr().unwrap(), b"answer").unwrap();
        assert!(peer.recv_from(&mut [0; 16]).await.is_ok());
    }
}
