//! Which addresses may be asked for what a URL names. Nothing here knows of HTTP or of sound.

use crate::types::Network;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Refuses addresses that are not of the public Internet, but for networks that are allowed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Guard {
    allowed: Vec<Network>,
}

/// An address that is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{address} is {kind}, and `fetch.allow` of [gateway] does not have it")]
pub struct Refused {
    /// The address.
    pub address: IpAddr,
    /// What it is.
    pub kind: &'static str,
}

impl Guard {
    /// A guard that lets these networks pass too.
    #[must_use]
    pub const fn new(allowed: Vec<Network>) -> Self {
        Self { allowed }
    }

    /// Whether an address may be connected to.
    ///
    /// # Errors
    /// It may not.
    pub fn check(&self, address: IpAddr) -> Result<(), Refused> {
        match kind(address) {
            Some(kind) if !self.allowed.iter().any(|network| network.contains(address)) => {
                Err(Refused { address, kind })
            }
            _ => Ok(()),
        }
    }
}

/// What an address is that is not of the public Internet (RFC 6890 and the registries of IANA that follow it).
fn kind(address: IpAddr) -> Option<&'static str> {
    match address.to_canonical() {
        IpAddr::V4(address) => kind_v4(address),
        IpAddr::V6(address) => kind_v6(address),
    }
}

fn kind_v4(address: Ipv4Addr) -> Option<&'static str> {
    Some(match address.octets() {
        [0, ..] => "this host's",
        [127, ..] => "loopback",
        [10, ..] | [172, 16..=31, ..] | [192, 168, ..] => "private",
        [100, 64..=127, ..] => "a carrier's behind NAT",
        [169, 254, ..] => "link-local",
        [192, 0, 2, _] | [198, 51, 100, _] | [203, 0, 113, _] => "one of documentation",
        [192, 0, 0, _] | [192, 88, 99, _] | [198, 18..=19, ..] | [240..=254, ..] => "reserved",
        [224..=239, ..] => "multicast",
        [255, ..] => "broadcast",
        _ => return None,
    })
}

fn kind_v6(address: Ipv6Addr) -> Option<&'static str> {
    let embedded = |high: u16, low: u16| {
        let [a, b] = high.to_be_bytes();
        let [c, d] = low.to_be_bytes();
        kind_v4(Ipv4Addr::new(a, b, c, d))
    };
    Some(match address.segments() {
        [0, 0, 0, 0, 0, 0, 0, 0] => "this host's",
        [0, 0, 0, 0, 0, 0, 0, 1] => "loopback",
        // What it leads to is an IPv4 address (RFC 6052, RFC 3056).
        [0x64, 0xFF9B, 0, 0, 0, 0, high, low] => return embedded(high, low),
        [0x2002, high, low, ..] => return embedded(high, low),
        [0xFC00..=0xFDFF, ..] => "private",
        [0xFE80..=0xFEBF, ..] => "link-local",
        [0xFEC0..=0xFEFF, ..] => "private",
        [0xFF00..=0xFFFF, ..] => "multicast",
        [0x2001, 0xDB8, ..] | [0x3FFF, 0..=0xFFF, ..] => "one of documentation",
        [0x2001, 0..=0x1FF, ..] => "reserved",
        [0x2000..=0x3FFF, ..] => return None,
        _ => "reserved",
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_of_the_public_internet_is_refused_however_it_is_written() {
        let guard = Guard::default();
        for address in [
            "0.0.0.0",
            "0.1.2.3",
            "10.0.0.1",
            "100.64.0.1",
            "100.127.255.255",
            "127.0.0.1",
            "127.255.0.9",
            "169.254.169.254",
            "172.16.0.1",
            "172.31.255.255",
            "192.0.0.8",
            "192.0.2.1",
            "192.88.99.1",
            "192.168.1.1",
            "198.18.0.1",
            "198.19.1.1",
            "198.51.100.7",
            "203.0.113.7",
            "224.0.0.1",
            "239.1.1.1",
            "240.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::2",
            "::127.0.0.1",
            "::ffff:127.0.0.1",
            "::ffff:10.1.2.3",
            "::ffff:169.254.169.254",
            "64:ff9b::7f00:1",
            "64:ff9b::a00:1",
            "64:ff9b:1::1",
            "2002:7f00:1::1",
            "2002:c0a8:101::",
            "2001::1",
            "2001:db8::1",
            "2001:10::1",
            "3fff::1",
            "fc00::1",
            "fd12:3456::1",
            "fe80::1",
            "febf::1",
            "fec0::1",
            "ff02::1",
            "100::1",
            "4000::1",
            "5f00::1",
        ] {
            assert!(guard.check(address.parse().unwrap()).is_err(), "{address}");
        }
    }

    #[test]
    fn the_public_internet_and_what_is_allowed_pass() {
        let guard = Guard::default();
        for address in [
            "1.1.1.1",
            "100.63.255.255",
            "100.128.0.0",
            "172.15.0.1",
            "172.32.0.1",
            "192.0.1.1",
            "192.1.0.1",
            "198.17.0.1",
            "198.20.0.1",
            "223.255.255.255",
            "::ffff:8.8.8.8",
            "2606:4700::1111",
            "2a00::1",
            "2002:808:808::1",
            "64:ff9b::808:808",
        ] {
            assert_eq!(guard.check(address.parse().unwrap()), Ok(()), "{address}");
        }
        let network = |address: &str, prefix| Network { address: address.parse().unwrap(), prefix };
        let guard = Guard::new(vec![network("10.1.0.0", 16), network("fd00::", 8)]);
        for (address, passes) in [
            ("10.1.2.3", true),
            ("::ffff:10.1.2.3", true),
            ("10.2.0.1", false),
            ("127.0.0.1", false),
            ("fd12::1", true),
            ("fc12::1", false),
        ] {
            assert_eq!(guard.check(address.parse().unwrap()).is_ok(), passes, "{address}");
        }
        let told = guard.check("127.0.0.1".parse().unwrap()).unwrap_err().to_string();
        assert!(told.contains("127.0.0.1 is loopback"), "{told}");
    }
}
