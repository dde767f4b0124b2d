//! Receiving and sending: the one place to change for batching or io_uring.

use super::clock;
use crate::types::Now;
use nix::errno::Errno;
use nix::sys::socket::{
    ControlMessageOwned, MsgFlags, SockaddrStorage, recvmsg, setsockopt, sockopt::ReceiveTimestampns,
};
use nix::sys::time::TimeSpec;
use std::io::{self, IoSliceMut};
use std::net::{IpAddr, Ipv6Addr, SocketAddr, UdpSocket};
use std::os::fd::AsRawFd;
use std::time::{Duration, Instant};

/// The sockets of a leg, bound to the ports that were offered; DSCP is set where they are opened.
#[derive(Debug)]
pub struct TransportSockets {
    /// For RTP, and for RTCP with rtcp-mux.
    pub rtp: UdpSocket,
    /// For RTCP without rtcp-mux.
    pub rtcp: Option<UdpSocket>,
}

impl TransportSockets {
    /// Makes the sockets ready for a media thread: non-blocking, with kernel time stamps.
    pub(super) fn prepare(&self) -> io::Result<()> {
        for socket in std::iter::once(&self.rtp).chain(&self.rtcp) {
            socket.set_nonblocking(true)?;
            setsockopt(socket, ReceiveTimestampns, &true)?;
        }
        Ok(())
    }
}

/// A datagram that was received.
#[derive(Debug, Clone, Copy)]
pub(super) struct Datagram<'a> {
    pub(super) bytes: &'a [u8],
    /// When the kernel got it.
    pub(super) arrival: Instant,
    pub(super) source: SocketAddr,
}

/// What receiving needs, kept between calls.
#[derive(Debug)]
pub(super) struct Receiver {
    buffer: Box<[u8; 2048]>,
    control: Vec<u8>,
}

impl Receiver {
    pub(super) fn new() -> Self {
        Self { buffer: Box::new([0; 2048]), control: nix::cmsg_space!(TimeSpec) }
    }

    /// The next datagram of a socket; `None` when there is none.
    pub(super) fn receive(&mut self, now: Now, socket: &UdpSocket) -> Option<Datagram<'_>> {
        // A failed receive is asked again at most this often (an error that was pending from an earlier send).
        for _ in 0..4 {
            let mut slices = [IoSliceMut::new(&mut self.buffer[..])];
            let received = recvmsg::<SockaddrStorage>(
                socket.as_raw_fd(),
                &mut slices,
                Some(&mut self.control),
                MsgFlags::MSG_DONTWAIT,
            );
            let (length, source, stamp) = match received {
                Ok(message) => {
                    let stamp = message.cmsgs().ok().and_then(|mut messages| {
                        messages.find_map(|message| match message {
                            ControlMessageOwned::ScmTimestampns(stamp) => Some(stamp),
                            _ => None,
                        })
                    });
                    (message.bytes, message.address, stamp)
                }
                Err(Errno::EAGAIN) => return None,
                Err(_) => continue,
            };
            let Some(source) = source.as_ref().and_then(address) else { continue };
            let arrival = stamp.map_or(now.instant, |stamp| clock::arrival(now, Duration::from(stamp)));
            return Some(Datagram { bytes: self.buffer.get(..length)?, arrival, source });
        }
        None
    }
}

/// Sends a datagram. One that does not go out is lost, as in the network.
pub(super) fn send(socket: &UdpSocket, is_ipv6: bool, destination: SocketAddr, bytes: &[u8]) -> bool {
    let destination = match destination.ip() {
        IpAddr::V4(address) if is_ipv6 => SocketAddr::new(IpAddr::V6(address.to_ipv6_mapped()), destination.port()),
        _ => destination,
    };
    socket.send_to(bytes, destination).is_ok()
}

/// Whether a socket is of the IPv6 family, so that IPv4 destinations must be written as mapped.
pub(super) fn is_ipv6(socket: &UdpSocket) -> bool {
    socket.local_addr().is_ok_and(|address| address.is_ipv6())
}

/// The address of a sender; an IPv4-mapped one as the IPv4 address that it is.
fn address(storage: &SockaddrStorage) -> Option<SocketAddr> {
    if let Some(address) = storage.as_sockaddr_in() {
        return Some(SocketAddr::new(IpAddr::V4(address.ip()), address.port()));
    }
    let address = storage.as_sockaddr_in6()?;
    let ip: Ipv6Addr = address.ip();
    match ip.to_ipv4_mapped() {
        Some(ip) => Some(SocketAddr::new(IpAddr::V4(ip), address.port())),
        // With flow and scope, which link-local addresses need.
        None => Some(SocketAddr::V6(std::net::SocketAddrV6::new(
            ip,
            address.port(),
            address.flowinfo(),
            address.scope_id(),
        ))),
    }
}
