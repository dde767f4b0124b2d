//! The SIP user agent, sans-IO (RFC 3261 and its extensions).

pub mod auth;
mod core;
pub mod dialog;
pub mod endpoint;
mod flow;
mod invite;
pub mod locate;
pub mod message;
pub mod registrar;
mod registration;
mod service_route;
mod transaction;

pub use endpoint::{
    Admission, Admitted, Body, Challenge, Counts, Credentials, EndedBy, Endpoint, EndpointConfig, EndpointError, Event,
    Flow, Input, InviteId, MessageId, OutgoingInvite, OutgoingMessage, Output, PeerId, PingId, Policy, Referral,
    RegistrationConfig, RegistrationId, ReliableProvisional, RequestId, Terms, TraceDirection, TraceLine,
};
pub use invite::ending::reason_of;
