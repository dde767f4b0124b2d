//! The SIP transports and media ports: sockets are opened here and nowhere else but in the browser's module.
//!
//! A thin shell round the cores: bytes in become [`crate::sip::Input`]s, outputs become bytes out.
#![allow(clippy::disallowed_methods, reason = "a shell: it is here that clocks are read and time-outs kept")]

mod local;
mod ports;
mod tcp;
mod transports;
mod udp;

pub use ports::{MediaSockets, PortError, PortRange};
pub use transports::{BindError, ListenAddress, TransportError, Transports};
