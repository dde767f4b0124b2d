//! The media plane: units (legs, rooms, players, recorders), who hears whom, and the threads they live on.
//!
//! The gateway sees [`command`] and a driver: [`thread::MediaHandle`] with real sockets and threads, or
//! [`sim::SimMedia`] with neither. Both are shells around [`plane::Plane`], which places units on threads, and one
//! [`engine::Engine`] for each thread, which mixes.
//!
//! Where a packet goes: socket → `thread` → [`engine::Engine::handle_packet`] → `leg` (transport: is the source
//! believed? receiver: jitter buffer) → at the tick a frame among the `voices` → `room` (sum) → `hearing` (sum less own
//! share, plus player) → `leg` (sender: encode, packetise) → `outbox` → `thread` → socket.

mod active_speaker;
mod alignment;
mod budget;
mod bundle;
mod buses;
mod compile;
mod disturbance;
mod encoded;
mod events;
mod following;
mod hearing;
mod leg;
mod loudest;
mod outbox;
mod phase;
mod player;
mod quiet;
mod recorder;
mod room;
mod room_alignment;
mod routes;
mod slots;
mod stream;
#[cfg(test)]
mod tests;
mod tick;
mod transfer;
mod transport;
mod voices;
mod work;

pub mod command;
pub mod engine;
pub mod plane;
pub mod sim;
pub mod thread;

pub use bundle::Bundle;
pub use outbox::{PacketKind, Transmit};
