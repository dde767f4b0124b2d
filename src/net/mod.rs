//! The SIP transports and media ports: sockets are opened here and nowhere else but in the browser's module.
//!
//! A thin shell round the cores: bytes in become [`crate::sip::Input`]s, outputs become bytes out.
#![allow(clippy::disallowed_methods, reason = "a shell: it is here that clocks are read and time-outs kept")]

mod acme;
mod arrivals;
mod connections;
mod ice_tcp;
mod lines;
mod listening;
mod local;
mod log;
mod opening;
mod ports;
mod resolve;
mod state;
mod stream;
#[cfg(test)]
mod tests;
mod thread;
mod tls;
mod transports;
mod udp;
mod webrtc;
mod websocket;

pub use acme::{ACME_TLS, AcmeCertificate, acme_acceptor};
pub use ice_tcp::{IceTcp, IceTcpError};
pub use listening::{BindError, ListenAddress, bind_tcp};
pub use ports::{MediaSockets, PortError, PortRange};
pub use resolve::{Resolver, Server, transport};
pub use stream::prepare;
pub use tls::{CertificateError, TlsPeer, https_acceptor, load_certificate, load_roots};
pub use transports::{Arrival, TransportError, Transports};
pub use webrtc::{WebRtc, WebRtcEvent};
pub use websocket::{Received, WebSocket, WebSockets};
