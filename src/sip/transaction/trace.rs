//! Messages as lines of a ladder in the log.

use crate::sip::flow::Flow;
use crate::sip::message::{Message, Request};

/// One message as one line of a ladder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TraceLine {
    /// The Call-ID header's value.
    pub call_id: String,
    /// Which way it went.
    pub direction: TraceDirection,
    /// Where it came from or went to.
    pub flow: Flow,
    /// `INVITE sip:…`, or `180 Ringing (INVITE)`.
    pub summary: String,
}

/// Which way a traced message went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TraceDirection {
    /// Received.
    In,
    /// Sent.
    Out,
}

impl TraceLine {
    pub(super) fn new(direction: TraceDirection, flow: &Flow, message: &Message) -> Self {
        let call_id = message.headers().call_id().as_deref().unwrap_or_default().to_owned();
        let summary = match message {
            Message::Request(request) => summary(request),
            Message::Response(response) => {
                let method = response.cseq().map(|cseq| cseq.method.to_string()).unwrap_or_default();
                format!("{} {} ({method})", response.status.0, response.reason)
            }
        };
        Self { call_id, direction, flow: *flow, summary }
    }
}

/// A request in a line.
pub(crate) fn summary(request: &Request) -> String {
    format!("{} {}", request.method, request.uri)
}
