//! Which of our addresses a peer sees, for sockets bound to all of them.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};

/// Beyond this many peers the memory of answers is started anew.
const REMEMBERED: usize = 4_096;

/// The local address the system's routing picks towards a peer.
#[derive(Debug, Default)]
pub struct LocalAddresses {
    known: HashMap<IpAddr, IpAddr>,
}

impl LocalAddresses {
    /// The local address of packets to `remote`: `bound` unless that is a wildcard.
    pub fn towards(&mut self, bound: IpAddr, remote: IpAddr) -> IpAddr {
        if !bound.is_unspecified() {
            return bound;
        }
        if let Some(known) = self.known.get(&remote) {
            return *known;
        }
        let Some(local) = route(remote) else {
            // Not remembered: the network may not be up yet, or descriptors may be short for a moment.
            return match remote {
                IpAddr::V4(_) => IpAddr::V4(Ipv4Addr::LOCALHOST),
                IpAddr::V6(_) => IpAddr::V6(Ipv6Addr::LOCALHOST),
            };
        };
        if self.known.len() >= REMEMBERED {
            self.known.clear();
        }
        self.known.insert(remote, local);
        local
    }
}

/// Asks the routing table by connecting a UDP socket, which sends nothing.
fn route(remote: IpAddr) -> Option<IpAddr> {
    let wildcard: IpAddr = match remote {
        IpAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
        IpAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
    };
    let socket = UdpSocket::bind(SocketAddr::new(wildcard, 0)).ok()?;
    socket.connect(SocketAddr::new(remote, 9)).ok()?;
    Some(socket.local_addr().ok()?.ip())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loopback_peers_see_loopback_addresses() {
        let mut local = LocalAddresses::default();
        let wildcard = IpAddr::V4(Ipv4Addr::UNSPECIFIED);
        assert!(local.towards(wildcard, Ipv4Addr::new(127, 0, 0, 9).into()).is_loopback());
        let fixed: IpAddr = Ipv4Addr::new(127, 0, 0, 3).into();
        assert_eq!(local.towards(fixed, Ipv4Addr::LOCALHOST.into()), fixed);
    }
}
