//! TLS 1.2 and 1.3 under SIP (RFC 3261 section 26.2, RFC 5922), both sides.
//!
//! The cryptography is `ring`'s: one crate of few dependencies that builds with a C compiler alone.

mod accept;
mod client;
mod files;
mod names;
#[cfg(test)]
mod tests;
mod trouble;

pub use accept::https_acceptor;
pub(super) use accept::{Acceptor, Callers, server_config};
pub use client::TlsPeer;
pub(super) use client::connect;
pub(super) use files::certificates;
pub use files::{CertificateError, load_certificate, load_roots};
pub(super) use trouble::in_words;
