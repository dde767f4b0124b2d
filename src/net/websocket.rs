//! SIP over WebSocket (RFC 7118), from where the HTTP server has shaken hands: a connection like any other, counted and
//! bounded with them, but that only its client opens.

use super::connections::Connections;
use super::stream::{Served, UNKNOWN_IDLE};
use crate::sip::message::Transport;
use crate::sip::{Flow, Input};
use bytes::Bytes;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::runtime::Handle;

/// Takes WebSockets that carry SIP. Cheap to clone.
#[derive(Clone)]
pub struct WebSockets {
    connections: Connections,
}

impl WebSockets {
    pub(super) const fn new(connections: Connections) -> Self {
        Self { connections }
    }

    /// Takes one that was opened to `local` from `remote`, `secure` where it is encrypted up to us or to a proxy of
    /// ours. What `serve` gives runs on `runtime` until it ends, or another connection needs its place; it is dropped
    /// where there is none.
    pub fn accept<F>(
        &self,
        runtime: &Handle,
        secure: bool,
        local: SocketAddr,
        remote: SocketAddr,
        serve: impl FnOnce(WebSocket) -> F,
    ) where
        F: Future<Output = ()> + Send + 'static,
    {
        let transport = if secure { Transport::Wss } else { Transport::Ws };
        let flow = Flow { transport, local, remote, connection: None };
        if self.connections.admit(flow) {
            self.connections.accept_on(runtime, flow, |served| serve(WebSocket { served }));
        }
    }
}

/// What came of a message that a client sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Received {
    /// The gateway has it.
    Message,
    /// It is a keep-alive (RFC 7118 section 6), to be answered by CRLF.
    Ping,
    /// The gateway is ending.
    Closed,
}

/// One WebSocket, as its task sees it.
pub struct WebSocket {
    served: Served,
}

impl WebSocket {
    /// Hands on a message, text or binary: each is one SIP message (RFC 7118 section 5).
    pub async fn received(&self, bytes: Bytes) -> Received {
        if bytes.iter().all(|octet| matches!(octet, b'\r' | b'\n')) {
            return Received::Ping;
        }
        self.served.state.received(&bytes);
        let message = Input::Message { flow: self.served.flow, bytes };
        if self.served.events.send(message.into()).await.is_ok() { Received::Message } else { Received::Closed }
    }

    /// The next message for the client; `None` when the gateway is done with it.
    pub async fn next(&mut self) -> Option<Bytes> {
        let bytes = self.served.outgoing.recv().await?;
        self.served.state.sent(&bytes);
        Some(bytes)
    }

    /// Whether we have sent the client anything: it asked for something that deserved an answer.
    #[must_use]
    pub fn is_known(&self) -> bool {
        self.served.state.is_known()
    }

    /// How long one that is not known may send no message.
    #[must_use]
    pub const fn patience(&self) -> Duration {
        UNKNOWN_IDLE
    }

    /// Says something of this connection in the log, at most so often.
    pub fn log(&self, what: &'static str, detail: &str) {
        self.served.connections.log().debug(what, format_args!("{}: {detail}", self.served.flow.remote));
    }

    /// It is over: the gateway is told.
    pub async fn closed(self) {
        self.served.closed().await;
    }
}
