//! Addresses and ports that nobody else uses.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, TcpListener, UdpSocket};
use std::sync::atomic::{AtomicU16, AtomicU32, Ordering};

/// IPv4 or IPv6.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Family {
    V4,
    V6,
}

impl Family {
    /// An address of this machine for one peer alone, as far as there is more than one: 127.x.y.z, or ::1.
    pub fn own_address(self) -> IpAddr {
        static NEXT: AtomicU16 = AtomicU16::new(1);
        match self {
            Self::V4 => {
                let number = NEXT.fetch_add(1, Ordering::Relaxed);
                // Another run of the tests at the same time has other addresses.
                let run = u8::try_from(std::process::id() % 120).unwrap() + 100;
                let [high, low] = [number / 250 % 250, number % 250 + 1].map(|part| u8::try_from(part).unwrap());
                IpAddr::V4(Ipv4Addr::new(127, run, high, low))
            }
            Self::V6 => IpAddr::V6(Ipv6Addr::LOCALHOST),
        }
    }
}

/// A port that is free for UDP and TCP at `address` and given to nobody else in this run.
pub fn free_port(address: IpAddr) -> u16 {
    free_block(address, 1).0
}

/// A block of `count` ports, begun at an even one, free for UDP and TCP at `address` and given to nobody else in this
/// run.
pub fn free_block(address: IpAddr, count: u16) -> (u16, u16) {
    // Below the ports that the system hands out by itself: one of those may be free now and, when the program that it
    // is meant for starts, belong to a connection of somebody else.
    const LOWEST: u32 = 10_000;
    const PORTS: u32 = 22_000;
    static NEXT: AtomicU32 = AtomicU32::new(0);
    // Another run of the tests at the same time begins elsewhere.
    let run = std::process::id() % 100 * 220;
    for _ in 0..200 {
        let taken = NEXT.fetch_add(u32::from(count + count % 2), Ordering::Relaxed);
        let first = u16::try_from(LOWEST + (run + taken) % PORTS).unwrap();
        let last = first + count - 1;
        let is_free = |port| UdpSocket::bind((address, port)).is_ok() && TcpListener::bind((address, port)).is_ok();
        if (first..=last).all(is_free) {
            return (first, last);
        }
    }
    panic!("no {count} ports in a row are free at {address}");
}

/// `127.0.0.1:5060` or `[::1]:5060`.
pub fn host_port(address: IpAddr, port: u16) -> String {
    std::net::SocketAddr::new(address, port).to_string()
}
