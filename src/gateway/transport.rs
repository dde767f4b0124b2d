//! The transports of calls: what is asked for, what was opened, and how far a browser's is connected.

use crate::types::{Fingerprint, SrtpKeys};
use std::net::SocketAddr;

/// How the packets of a call are to come and go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TransportKind {
    /// A pair of ports, for RTP and RTCP.
    Rtp,
    /// One port, for a browser.
    WebRtc,
    /// A pair of ports, of which a browser would use the first: who will answer is not known.
    Either,
}

/// A transport that was opened for a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OpenedTransport {
    /// A pair of ports.
    Rtp {
        /// Where RTP is bound.
        address: SocketAddr,
        /// The port RTCP is bound to.
        rtcp_port: u16,
    },
    /// A pair of ports, and who we are in DTLS.
    Either {
        /// Where RTP is bound.
        address: SocketAddr,
        /// The port RTCP is bound to.
        rtcp_port: u16,
        /// Our certificate.
        fingerprint: Fingerprint,
        /// The port of the same address that takes connections of browsers by TCP, if one does.
        tcp_port: Option<u16>,
    },
    /// One port, and who we are in DTLS.
    WebRtc {
        /// Where it is bound.
        address: SocketAddr,
        /// Our certificate.
        fingerprint: Fingerprint,
        /// The port of the same address that takes connections of browsers by TCP, if one does.
        tcp_port: Option<u16>,
    },
}

/// How far a call's connection is.
#[derive(Debug, Default)]
pub(super) enum ConnectionStage {
    /// Nobody was asked for one; a telephone's call stays so.
    #[default]
    Idle,
    /// The peer is being looked for.
    Connecting,
    /// Packets go there, under these keys.
    Connected(SocketAddr, Box<SrtpKeys>),
}

impl ConnectionStage {
    /// Where packets go, and under which keys.
    pub(super) fn connected(&self) -> Option<(SocketAddr, &SrtpKeys)> {
        if let Self::Connected(remote, keys) = self { Some((*remote, keys)) } else { None }
    }
}
