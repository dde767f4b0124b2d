//! The SIP user agent, sans-IO (RFC 3261 and its extensions).

pub mod auth;
pub mod endpoint;
pub mod message;
pub mod transaction;
