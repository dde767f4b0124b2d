//! Addresses and ports that nobody else uses.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, TcpListener, UdpSocket};
use std::sync::atomic::{AtomicU16, Ordering};

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

/// A port that is free for UDP and TCP at `address`.
pub fn free_port(address: IpAddr) -> u16 {
    for _ in 0..100 {
        let udp = UdpSocket::bind((address, 0)).unwrap();
        let port = udp.local_addr().unwrap().port();
        if TcpListener::bind((address, port)).is_ok() {
            return port;
        }
    }
    panic!("no port is free at {address}");
}

/// A block of `count` ports for media, begun at an even one, free at `address` and given to nobody else in this run.
pub fn free_block(address: IpAddr, count: u16) -> (u16, u16) {
    const LOWEST: u16 = 10_000;
    static NEXT: AtomicU16 = AtomicU16::new(0);
    for _ in 0..200 {
        let taken = NEXT.fetch_add(count + count % 2, Ordering::Relaxed);
        // Below the ports that the system hands out by itself.
        let first = LOWEST + taken % 20_000;
        let last = first + count - 1;
        if (first..=last).all(|port| UdpSocket::bind((address, port)).is_ok()) {
            return (first, last);
        }
    }
    panic!("no {count} ports in a row are free at {address}");
}

/// `127.0.0.1:5060` or `[::1]:5060`.
pub fn host_port(address: IpAddr, port: u16) -> String {
    std::net::SocketAddr::new(address, port).to_string()
}
