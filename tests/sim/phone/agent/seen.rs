//! What came from the gateway, asked about.

use super::Agent;
use partyline::sip::message::{Message, Method, Request, Response};
use std::time::Instant;

/// Something that came from the gateway.
#[derive(Debug, Clone)]
pub(crate) struct Seen {
    pub(crate) at: Instant,
    pub(crate) method: Method,
    /// Of a response.
    pub(crate) status: Option<u16>,
    pub(crate) message: Message,
}

impl Agent {
    /// The statuses of all responses to requests of this method, in the order they came.
    pub(crate) fn statuses(&self, method: &Method) -> Vec<u16> {
        self.seen.iter().filter(|seen| seen.method == *method).filter_map(|seen| seen.status).collect()
    }

    /// How many requests of this method came.
    pub(crate) fn requests(&self, method: &Method) -> usize {
        self.seen.iter().filter(|seen| seen.method == *method && seen.status.is_none()).count()
    }

    /// The last request of this method.
    pub(crate) fn last_request(&self, method: &Method) -> Option<&Request> {
        self.seen.iter().rev().filter(|seen| seen.method == *method).find_map(|seen| seen.message.request())
    }

    /// The last response with this status.
    pub(crate) fn response(&self, status: u16) -> Option<&Response> {
        self.seen.iter().rev().filter(|seen| seen.status == Some(status)).find_map(|seen| seen.message.response())
    }

    /// Whether a request of ours waits for its final response.
    pub(crate) fn is_waiting(&self) -> bool {
        self.clients.iter().any(|client| client.done.is_none())
    }
}
