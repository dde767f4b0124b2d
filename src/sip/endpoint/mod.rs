//! The SIP element: transport-independent, sans-IO.
//!
//! Drive it with [`Endpoint::handle_input`] and [`Endpoint::handle_timeout`], and after each drain
//! [`Endpoint::poll_output`]; [`Endpoint::poll_timeout`] says when it wants to be woken. Calls in:
//! `Event::Incoming` → [`provisional`](Endpoint::provisional)* → [`accept`](Endpoint::accept) or
//! [`reject`](Endpoint::reject). Calls out: [`invite`](Endpoint::invite) → `Event::Progress`* → `Event::Answered`
//! (→ [`acknowledge`](Endpoint::acknowledge)). Inside a call: [`reinvite`](Endpoint::reinvite),
//! [`update`](Endpoint::update), [`answer_offer`](Endpoint::answer_offer), [`info`](Endpoint::info),
//! [`hangup`](Endpoint::hangup). Registrations: [`register`](Endpoint::register),
//! [`unregister`](Endpoint::unregister).
//!
//! What comes in is matched in this order: ACK against dialogs, then transactions; every other request against
//! transactions (a repeated re-INVITE must not reach its dialog twice), then dialogs, and only what carries no To tag
//! is new and put before the [`Policy`]. A request with the To tag of no dialog is answered 481, never taken for new.

mod config;
mod event;
mod flow;
mod request;

pub use config::{EndpointConfig, Limits, ReliableProvisional};
pub use event::{Body, EndedBy, Event, Input, InviteId, Output, RegistrationId, TraceDirection, TraceLine};
pub use flow::Flow;
pub use crate::sip::auth::Credentials;
pub use request::{OutgoingInvite, RegistrationConfig};

/// Who may reach us. Asked once for each new request outside any dialog or transaction, before anything is answered.
pub trait Policy {
    /// What to do with `request`, which came by `flow`. Also asked for requests that could only be read in part.
    fn admit(&mut self, request: &Request, flow: &Flow) -> Admission;
}

/// What a [`Policy`] says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Admission {
    /// Go on.
    Accept,
    /// Silence, as scanners deserve.
    Drop,
    /// Answer with this status.
    Reject(StatusCode),
}

/// Why a method of the endpoint did nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum EndpointError {
    /// The id is gone or never was.
    #[error("no such call")]
    NoSuchCall,
    /// The call is not in a state where this can be done now.
    #[error("not possible in the call's present state")]
    WrongState,
    /// A limit of [`Limits`] is reached.
    #[error("too many calls or transactions")]
    LimitReached,
}

/// How much an endpoint holds, and what it has seen.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize)]
pub struct Counts {
    /// Calls, those being hung up included.
    pub calls: usize,
    /// Transactions we started, those that only absorb retransmissions included.
    pub client_transactions: usize,
    /// Transactions peers started, likewise.
    pub server_transactions: usize,
    /// Registrations.
    pub registrations: usize,
    /// Deadlines set.
    pub timers: usize,
    /// Since the start: messages received.
    pub received: u64,
    /// Since the start: messages sent, retransmissions included.
    pub sent: u64,
    /// Since the start: messages sent again because a timer or a repeated request asked for it.
    pub retransmitted: u64,
    /// Since the start: messages that could not be read.
    pub malformed: u64,
    /// Since the start: responses that belong to nothing.
    pub stray_responses: u64,
    /// Since the start: ACKs that belong to nothing.
    pub stray_acks: u64,
    /// Since the start: requests the policy dropped or rejected.
    pub refused: u64,
    /// Since the start: requests that a limit kept out.
    pub limited: u64,
}
