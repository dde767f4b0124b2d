//! Media ports: opened here, handed to the media threads with their leg.

use nix::errno::Errno;
use socket2::{Domain, Protocol, SockAddr, Socket, Type};
use std::io;
use std::net::{IpAddr, SocketAddr, UdpSocket};

/// The sockets of one leg and the address they are bound to.
#[derive(Debug)]
pub struct MediaSockets {
    /// Carries RTP; bound to an even port.
    pub rtp: UdpSocket,
    /// Carries RTCP; bound to the next port. `None` where RTCP shares the other one.
    pub rtcp: Option<UdpSocket>,
    /// Where `rtp` is bound.
    pub address: SocketAddr,
}

/// Why no media port could be opened.
#[derive(Debug, thiserror::Error)]
pub enum PortError {
    /// Every pair of the range is in use.
    #[error("no RTP port is free in {first}-{last} on {address}: widen gateway.rtp_ports or lower gateway.max_calls")]
    Exhausted {
        /// The local address.
        address: IpAddr,
        /// First port of the range.
        first: u16,
        /// Last port of the range.
        last: u16,
    },
    /// The process may open no more files.
    #[error("no file descriptor is left for media sockets: raise the limit (ulimit -n, LimitNOFILE=)")]
    Descriptors,
    /// The address is not ours, or the system refused otherwise.
    #[error("media port on {address}: {source}")]
    System {
        /// The local address.
        address: IpAddr,
        /// What the system said.
        source: io::Error,
    },
}

/// Hands out pairs of ports (RTP even, RTCP odd) from a range, in turn, so that a port rests before it is used again.
#[derive(Debug)]
pub struct PortRange {
    first: u16,
    last: u16,
    next: u16,
    dscp: u8,
}

impl PortRange {
    /// Pairs from `first` (rounded up to even) to `last`; packets are marked with `dscp` (RFC 2474, 46 is EF).
    #[must_use]
    pub fn new(first: u16, last: u16, dscp: u8) -> Self {
        let first = first.saturating_add(first % 2);
        Self { first, last, next: first, dscp }
    }

    /// Opens the next free pair on `address`.
    ///
    /// # Errors
    /// When all pairs are in use, no descriptor is left, or the address is not ours.
    pub fn open(&mut self, address: IpAddr) -> Result<MediaSockets, PortError> {
        let exhausted = PortError::Exhausted { address, first: self.first, last: self.last };
        if self.last <= self.first {
            return Err(exhausted);
        }
        let pairs = (self.last - self.first).div_ceil(2);
        for _ in 0..pairs {
            let port = self.next;
            self.next = match port.checked_add(2) {
                Some(next) if next < self.last => next,
                _ => self.first,
            };
            match self.open_pair(address, port) {
                Ok(sockets) => return Ok(sockets),
                Err(error) if error.kind() == io::ErrorKind::AddrInUse => {}
                Err(error) => {
                    return Err(match error.raw_os_error().map(Errno::from_raw) {
                        Some(Errno::EMFILE | Errno::ENFILE) => PortError::Descriptors,
                        _ => PortError::System { address, source: error },
                    });
                }
            }
        }
        Err(exhausted)
    }

    fn open_pair(&self, address: IpAddr, port: u16) -> io::Result<MediaSockets> {
        let rtp = self.open_one(SocketAddr::new(address, port))?;
        let rtcp = self.open_one(SocketAddr::new(address, port + 1))?;
        Ok(MediaSockets { rtp, rtcp: Some(rtcp), address: SocketAddr::new(address, port) })
    }

    fn open_one(&self, address: SocketAddr) -> io::Result<UdpSocket> {
        let socket = Socket::new(Domain::for_address(address), Type::DGRAM, Some(Protocol::UDP))?;
        socket.set_nonblocking(true)?;
        mark(&socket, address.ip(), self.dscp);
        socket.bind(&SockAddr::from(address))?;
        Ok(socket.into())
    }
}

/// Marks what `socket` sends with a DSCP. A system that refuses the mark still carries the packets.
pub(super) fn mark(socket: &Socket, address: IpAddr, dscp: u8) {
    let tos = u32::from(dscp) << 2;
    let marked = match address {
        IpAddr::V4(_) => socket.set_tos_v4(tos),
        IpAddr::V6(_) => socket.set_tclass_v6(tos),
    };
    if let Err(error) = marked {
        tracing::debug!(%error, "DSCP mark refused by the system");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOST: IpAddr = IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);

    #[test]
    fn pairs_are_even_and_odd_and_run_out() {
        let mut range = PortRange::new(41_001, 41_005, 46);
        let first = range.open(HOST).unwrap();
        let second = range.open(HOST).unwrap();
        assert_eq!(first.address.port() % 2, 0);
        assert_eq!(first.rtcp.as_ref().unwrap().local_addr().unwrap().port(), first.address.port() + 1);
        assert_ne!(first.address, second.address);
        assert!(matches!(range.open(HOST), Err(PortError::Exhausted { .. })));
        drop(first);
        assert!(range.open(HOST).is_ok());
    }

    #[test]
    fn an_address_that_is_not_ours_is_named() {
        let error = PortRange::new(41_010, 41_020, 0).open("192.0.2.1".parse().unwrap()).unwrap_err();
        assert!(error.to_string().contains("192.0.2.1"), "{error}");
    }

    #[test]
    fn an_empty_range_is_exhausted_not_endless() {
        assert!(matches!(PortRange::new(65_535, 65_535, 0).open(HOST), Err(PortError::Exhausted { .. })));
    }
}
