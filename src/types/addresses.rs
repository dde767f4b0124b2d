use super::Network;
use std::net::IpAddr;

/// Which address of ours each peer must use.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Addresses {
    /// What peers beyond our NAT use. `None`: there is none.
    pub public: Option<IpAddr>,
    /// Networks on our side of the NAT.
    pub local_net: Vec<Network>,
    /// Peers that use another public address. The first that fits is taken.
    pub peers: Vec<(Network, IpAddr)>,
}

impl Addresses {
    /// What `peer` uses for our address `local`.
    #[must_use]
    pub fn towards(&self, peer: IpAddr, local: IpAddr) -> IpAddr {
        let local = local.to_canonical();
        if peer.to_canonical().is_loopback() || self.local_net.iter().any(|network| network.contains(peer)) {
            return local;
        }
        let own = self.peers.iter().find(|(network, _)| network.contains(peer)).map(|(_, public)| *public);
        // A public address of the other family is no address of this socket.
        own.or(self.public).filter(|public| public.is_ipv4() == local.is_ipv4()).unwrap_or(local)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn peers_beyond_the_nat_see_the_public_address_and_those_within_our_own() {
        let network = |address, prefix| Network { address: ip(address), prefix };
        let addresses = Addresses {
            public: Some(ip("203.0.113.7")),
            local_net: vec![network("10.0.0.0", 8)],
            peers: vec![(network("198.51.100.0", 24), ip("203.0.113.99"))],
        };
        let local = ip("10.0.0.5");
        for (peer, seen) in [
            ("192.0.2.1", "203.0.113.7"),
            ("198.51.100.4", "203.0.113.99"),
            ("10.7.0.1", "10.0.0.5"),
            ("127.0.0.1", "10.0.0.5"),
            ("::ffff:10.7.0.1", "10.0.0.5"),
        ] {
            assert_eq!(addresses.towards(ip(peer), local), ip(seen), "{peer}");
        }
        assert_eq!(addresses.towards(ip("2001:db8::9"), ip("2001:db8::1")), ip("2001:db8::1"), "another family");
        assert_eq!(Addresses::default().towards(ip("192.0.2.1"), local), local);
    }
}
