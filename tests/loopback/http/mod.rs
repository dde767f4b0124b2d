//! The HTTP server: its API, its events, SIP over WebSocket, and what it refuses.

mod acme;
mod api;
mod calls;
mod events;
mod flood;
mod invitations;
mod rooms;
mod scenario_limits;
mod schemathesis;
mod secure;
mod server;
mod sip_client;
mod turn;
mod websocket;
mod whip;
