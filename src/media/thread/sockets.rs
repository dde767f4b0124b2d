//! Receiving and sending: the one place to change for another way of IO.
//!
//! Two calls a leg and tick are most of what a media thread costs, so they go to the kernel directly: libc's wrappers
//! make each of them a point at which the thread can be cancelled. `benches/README.md` tells what else was tried.

use super::clock;
use crate::rtp::packet::MAX_DATAGRAM;
use crate::types::Now;
use crate::webrtc::Aside;
use nix::sys::socket::{setsockopt, sockopt::ReceiveTimestampns};
use rustix::io::Errno;
use rustix::net::sockopt::{Ipv4PathMtuDiscovery, set_ip_mtu_discover};
use rustix::net::{RecvAncillaryBuffer, RecvFlags, SendFlags, recvmsg, sendto};
use std::io::{self, IoSliceMut};
use std::mem::{MaybeUninit, offset_of};
use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::time::{Duration, Instant};

/// The sockets of a leg, bound to the ports that were offered; DSCP is set where they are opened.
#[derive(Debug)]
pub struct TransportSockets {
    /// For RTP, and for RTCP with rtcp-mux.
    pub rtp: UdpSocket,
    /// For RTCP without rtcp-mux.
    pub rtcp: Option<UdpSocket>,
    /// Takes what comes of ICE and DTLS, where the transport is that of WebRTC.
    pub aside: Option<Aside>,
}

impl TransportSockets {
    /// Makes the sockets ready for a media thread: non-blocking, with kernel time stamps.
    ///
    /// IPv4 packets are never fragmented here, which spares the kernel an identification for each. They stay below the
    /// 552 bytes under which Linux believes no path to be.
    pub(super) fn prepare(&self) -> io::Result<()> {
        for socket in std::iter::once(&self.rtp).chain(&self.rtcp) {
            socket.set_nonblocking(true)?;
            setsockopt(socket, ReceiveTimestampns, &true)?;
            // An economy only; an IPv6 socket sends to IPv4 addresses too.
            let _ = set_ip_mtu_discover(socket, Ipv4PathMtuDiscovery::DO);
        }
        Ok(())
    }
}

/// A datagram that was received.
#[derive(Debug)]
pub(super) struct Datagram<'a> {
    pub(super) bytes: &'a mut [u8],
    /// When the kernel got it.
    pub(super) arrival: Instant,
    pub(super) source: SocketAddr,
}

/// What receiving needs, kept between calls.
#[derive(Debug)]
pub(super) struct Receiver {
    buffer: Box<[u8; MAX_DATAGRAM]>,
    control: Control,
}

/// Where the kernel writes its time stamp. Always initialised.
#[derive(Debug)]
#[repr(align(8))]
struct Control([MaybeUninit<u8>; CONTROL]);

const CONTROL: usize = 64;

impl Receiver {
    pub(super) fn new() -> Self {
        Self { buffer: Box::new([0; MAX_DATAGRAM]), control: Control([MaybeUninit::new(0); CONTROL]) }
    }

    /// The next datagram of a socket; `None` when there is none.
    pub(super) fn receive(&mut self, now: Now, socket: &UdpSocket) -> Option<Datagram<'_>> {
        // A failed receive is asked again at most this often (an error that was pending from an earlier send).
        for _ in 0..4 {
            self.control.clear();
            let mut slices = [IoSliceMut::new(&mut self.buffer[..])];
            let mut control = RecvAncillaryBuffer::new(&mut self.control.0);
            let message = match recvmsg(socket, &mut slices, &mut control, RecvFlags::DONTWAIT) {
                Ok(message) => message,
                Err(Errno::AGAIN) => return None,
                Err(_) => continue,
            };
            drop(control);
            let Some(source) = message.address.and_then(|address| SocketAddr::try_from(address).ok()) else { continue };
            let arrival = self.control.stamp().map_or(now.instant, |stamp| clock::arrival(now, stamp));
            return Some(Datagram { bytes: self.buffer.get_mut(..message.bytes)?, arrival, source: unmapped(source) });
        }
        None
    }
}

impl Control {
    /// Forgets the header, so that the stamp of an earlier datagram is never taken for this one's.
    fn clear(&mut self) {
        self.0[..size_of::<libc::cmsghdr>()].fill(MaybeUninit::new(0));
    }

    /// The time stamp: the only control message that was asked for, so the first.
    fn stamp(&self) -> Option<Duration> {
        const HEAD: usize = size_of::<libc::cmsghdr>();
        const WORD: usize = size_of::<libc::c_long>();
        // SAFETY: all bytes were initialised in the beginning, and what writes here writes initialised bytes.
        let bytes: &[u8; CONTROL] = unsafe { &*(&raw const self.0).cast() };
        let number = |at: usize| Some(libc::c_int::from_ne_bytes(*bytes.get(at..)?.first_chunk()?));
        let word = |at: usize| Some(libc::c_long::from_ne_bytes(*bytes.get(at..)?.first_chunk::<WORD>()?));
        if number(offset_of!(libc::cmsghdr, cmsg_level))? != libc::SOL_SOCKET
            || number(offset_of!(libc::cmsghdr, cmsg_type))? != libc::SCM_TIMESTAMPNS
        {
            return None;
        }
        let (seconds, nanoseconds) = (word(HEAD)?, word(HEAD + WORD)?);
        Some(Duration::new(seconds.try_into().ok()?, nanoseconds.try_into().ok()?))
    }
}

/// Sends a datagram. One that does not go out is lost, as in the network.
pub(super) fn send(socket: &UdpSocket, is_ipv6: bool, destination: SocketAddr, bytes: &[u8]) -> bool {
    let destination = match destination.ip() {
        IpAddr::V4(address) if is_ipv6 => SocketAddr::new(IpAddr::V6(address.to_ipv6_mapped()), destination.port()),
        _ => destination,
    };
    sendto(socket, bytes, SendFlags::empty(), &destination).is_ok()
}

/// Whether a socket is of the IPv6 family, so that IPv4 destinations must be written as mapped.
pub(super) fn is_ipv6(socket: &UdpSocket) -> bool {
    socket.local_addr().is_ok_and(|address| address.is_ipv6())
}

/// The address of a sender; an IPv4-mapped one as the IPv4 address that it is. Others keep flow and scope, which
/// link-local addresses need.
fn unmapped(source: SocketAddr) -> SocketAddr {
    match source {
        SocketAddr::V6(address) => match address.ip().to_ipv4_mapped() {
            Some(ip) => SocketAddr::new(IpAddr::V4(ip), address.port()),
            None => source,
        },
        SocketAddr::V4(_) => source,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::SystemTime;

    fn pair(bind: &str) -> (UdpSocket, TransportSockets) {
        let ours = TransportSockets { rtp: UdpSocket::bind(bind).unwrap(), rtcp: None, aside: None };
        ours.prepare().unwrap();
        (UdpSocket::bind(bind).unwrap(), ours)
    }

    #[expect(clippy::disallowed_methods, reason = "the kernel stamps with the system's clock")]
    fn wall() -> Duration {
        SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap()
    }

    fn now() -> Now {
        Now { instant: crate::test_clock() + Duration::from_secs(100), wall: SystemTime::UNIX_EPOCH + wall() }
    }

    #[test]
    fn a_datagram_comes_with_its_source_and_the_kernels_time() {
        let (phone, ours) = pair("127.0.0.1:0");
        let before = wall();
        phone.send_to(b"sound", ours.rtp.local_addr().unwrap()).unwrap();
        let mut receiver = Receiver::new();
        let datagram = receiver.receive(now(), &ours.rtp).unwrap();
        // The kernel stamps the first ones late: when they are read, until it has begun to stamp on arrival.
        let after = wall();
        assert_eq!((&*datagram.bytes, datagram.source), (&b"sound"[..], phone.local_addr().unwrap()));
        let stamp = receiver.control.stamp().unwrap();
        assert!(before <= stamp && stamp <= after, "{before:?} {stamp:?} {after:?}");
        assert!(receiver.receive(now(), &ours.rtp).is_none());
    }

    #[test]
    fn a_datagram_without_a_stamp_does_not_get_the_last_ones() {
        let (phone, stamped) = pair("127.0.0.1:0");
        let plain = UdpSocket::bind("127.0.0.1:0").unwrap();
        let mut receiver = Receiver::new();
        for socket in [&stamped.rtp, &plain] {
            phone.send_to(b"sound", socket.local_addr().unwrap()).unwrap();
        }
        assert!(receiver.receive(now(), &stamped.rtp).is_some() && receiver.control.stamp().is_some());
        let now = now();
        assert_eq!(receiver.receive(now, &plain).unwrap().arrival, now.instant);
        assert_eq!(receiver.control.stamp(), None);
    }

    #[test]
    fn an_empty_datagram_and_one_that_is_too_long_are_received() {
        let (phone, ours) = pair("127.0.0.1:0");
        let to = ours.rtp.local_addr().unwrap();
        phone.send_to(b"", to).unwrap();
        phone.send_to(&[7; 3_000], to).unwrap();
        let mut receiver = Receiver::new();
        assert_eq!(receiver.receive(now(), &ours.rtp).unwrap().bytes, b"");
        assert_eq!(receiver.receive(now(), &ours.rtp).unwrap().bytes, [7; 2_048]);
    }

    #[test]
    fn an_ipv4_phone_at_an_ipv6_socket_is_an_ipv4_phone() {
        let Ok(rtp) = UdpSocket::bind("[::]:0") else {
            eprintln!("skipped: no IPv6 here");
            return;
        };
        let ours = TransportSockets { rtp, rtcp: None, aside: None };
        ours.prepare().unwrap();
        let phone = UdpSocket::bind("127.0.0.1:0").unwrap();
        let there = phone.local_addr().unwrap();
        phone.send_to(b"up", ("127.0.0.1", ours.rtp.local_addr().unwrap().port())).unwrap();
        assert_eq!(Receiver::new().receive(now(), &ours.rtp).unwrap().source, there);
        assert!(send(&ours.rtp, is_ipv6(&ours.rtp), there, b"down"));
        let mut bytes = [0; 9];
        assert_eq!(phone.recv(&mut bytes).unwrap(), 4);
    }
}
