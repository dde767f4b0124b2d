//! The four transaction machines of RFC 3261 section 17 with RFC 6026.
//!
//! Each machine is a pure table in a file of its own, to be held against the RFC's figure.

pub(super) mod client;
pub(super) mod client_invite;
pub(super) mod server;
pub(super) mod server_invite;

use super::TimerName;

/// What a row of a table asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// Send the transaction's message: the request, or the latest response.
    Send,
    /// Send the ACK of a failure response (RFC 3261 section 17.1.1.3).
    Ack,
    /// Hand what came to the transaction's user.
    PassUp,
    /// Tell the user that nobody answered.
    ReportTimeout,
    /// Tell the user that the transport failed.
    ReportTransportError,
    /// Start a timer at its first interval.
    Start(TimerName),
    /// Start a retransmission timer at its next interval.
    Again(TimerName),
    /// Start a retransmission timer at T2.
    AtT2(TimerName),
    /// Stop a timer.
    Stop(TimerName),
}
