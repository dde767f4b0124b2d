//! What happens to each call: `dialplan.toml`, read, checked and ready to use.
//!
//! The file becomes a [`Plan`] through [`load`] (from disk) or [`parse`] (from text), which tell every mistake at once as
//! [`Diagnostics`]. A call is then led by [`route::find`]; [`explain`](explain::explain) tells the same way in words.

pub mod number;
mod pattern;
mod plan;
pub mod route;

pub use pattern::{Pattern, PatternError};
pub use plan::{
    Announce, BadPlaceholder, Collect, Gateway, Greeting, Ivr, IvrPrompts, ListenAddress, NumberSource, Origin, Pin,
    Plan, ReliableProvisional, Room, RoomAccess, RoomTemplate, Route, RouteTarget, Say, Secret, SessionTimer,
    SipTransport, Then, Trunk, TrunkAddress,
};
