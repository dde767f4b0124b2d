//! The HTTP server: the API (`/api/v1`), events, and SIP over WebSocket (RFC 7118).
//!
//! A thread and a runtime of its own, so that however many requests come, signalling and sound only ever see those that
//! pass. What passes is handed on: WebSockets of SIP to [`crate::net`], requests to the gateway's task as [`Asked`].
//!
//! | file | what happens there |
//! |---|---|
//! | `server.rs` | the thread, listening, one task a connection |
//! | `connections.rs` | how many there may be, and which makes room |
//! | `client.rs` | who asks: the address behind a reverse proxy, HTTPS or not |
//! | `limits.rs` | how often each may ask, and guess |
//! | `access.rs` | bearer tokens, roles, rooms |
//! | `guard.rs` | what every request passes: all of the above |
//! | `problem.rs` | refusals as problem details (RFC 9457) |
//! | `pages.rs` | what pages of other hosts may ask |
//! | `session.rs` | WebSockets and requests to the sessions of scenarios |
//! | `sip.rs` | SIP over WebSocket: handshake and frames |
//! | `api/`, `extract.rs` | the routes of the API and their description; what requests hold |
//! | `invitation.rs` | the seal of invitations |
//! | `ask.rs` | what the gateway's task is asked, and its answers |
//! | `events.rs` | what happens, for those who follow |
//! | `inviting.rs` | invitations for whoever starts the gateway at a terminal |
//! | `conference_page.rs` | the conference page, made of `web/` |
#![allow(clippy::disallowed_methods, reason = "a shell: it is here that clocks are read and time-outs kept")]

mod access;
mod api;
mod app;
mod ask;
mod client;
mod conference_page;
mod connections;
mod events;
mod extract;
mod guard;
mod ice;
mod invitation;
mod inviting;
mod limits;
mod pages;
mod problem;
mod server;
mod session;
mod sip;
mod whip;

pub use app::{Asked, Followed, SessionAnswer, SessionRequest, SessionUnasked};
pub use inviting::Inviting;
pub use server::{HttpServer, StartError};
