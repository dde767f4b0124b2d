//! Where messages come from and go to.

use std::net::{IpAddr, SocketAddr};

use serde::{Deserialize, Serialize};

use super::message::{Host, Transport};

/// One pair of addresses messages travel between, and the connection where there is one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Flow {
    /// How the messages travel.
    #[serde(with = "transport_name")]
    pub transport: Transport,
    /// Our address: the socket the message came in on, or is to go out from.
    pub local: SocketAddr,
    /// The peer's address.
    pub remote: SocketAddr,
    /// The connection, named by the shell. `None` for datagrams, and where the shell is to find or open one.
    pub connection: Option<u64>,
}

impl Flow {
    /// The same flow over a connection that is yet to be opened.
    #[must_use]
    pub fn reopened(self) -> Self {
        Self { connection: None, ..self }
    }

    /// A flow from the same socket to another address.
    #[must_use]
    pub fn towards(self, remote: SocketAddr) -> Self {
        if remote == self.remote { self } else { Self { remote, connection: None, ..self } }
    }

    /// What two flows share that are one: the connection, or else the addresses.
    pub(crate) fn identity(self) -> Self {
        match self.connection {
            Some(_) => {
                let nowhere = SocketAddr::new(IpAddr::V4(std::net::Ipv4Addr::UNSPECIFIED), 0);
                Self { local: nowhere, remote: nowhere, ..self }
            }
            None => self,
        }
    }

    /// The peer's IP address; an IPv4-mapped IPv6 address counts as IPv4.
    #[must_use]
    pub fn peer(&self) -> IpAddr {
        self.remote.ip().to_canonical()
    }
}

/// The address itself where it is an IPv4 address in IPv6 clothes, as a socket for both families gives it.
pub(crate) fn canonical(address: SocketAddr) -> SocketAddr {
    SocketAddr::new(address.ip().to_canonical(), address.port())
}

/// The address a host and port name, where that can be said without DNS.
pub(crate) fn literal_address(host: &Host, port: Option<u16>, transport: Transport) -> Option<SocketAddr> {
    host.ip().map(|ip| SocketAddr::new(ip, port.unwrap_or(transport.default_port())))
}

mod transport_name {
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    use crate::sip::message::Transport;

    pub fn serialize<S: Serializer>(transport: &Transport, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(transport.as_str())
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Transport, D::Error> {
        let name = String::deserialize(deserializer)?;
        Transport::from_token(&name).ok_or_else(|| D::Error::custom("unknown transport"))
    }
}
