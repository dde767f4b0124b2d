//! Partyline: a telephony conference gateway. Callers dial a number, key a PIN and are in a room.
//!
//! # Two planes
//!
//! - The **control plane** is one task that owns one [`gateway::Gateway`]: SIP in and out, routes, sessions, call
//!   records.
//! - The **media plane** is some plain threads, each with one [`media::engine::Engine`] that owns its legs and rooms
//!   and moves on by ticks of 20 ms.
//!
//! Between them go [`media::command::Command`] and [`media::command::Event`], and nothing else. Both cores are sans-IO:
//! time is a parameter, randomness follows from a seed, and what needs the world is asked for and comes back as an
//! input. The world is touched by shells: [`net`], [`http`], [`media::thread`], [`sound`], [`speech`], [`store`],
//! [`scenarios`], [`cli`], and [`dialplan::Files`].
//!
//! # Who may use whom
//!
//! Nothing points up; `tests/layering` fails on any other edge.
//!
//! | module | may use |
//! |---|---|
//! | [`cli`], `main` | anything |
//! | every module | [`types`] |
//! | [`net`] | `gateway`, `dialplan`, `sip::message`, `sip::Flow`, `sip::Input` |
//! | [`http`] | `net`, `gateway`, `dialplan`, `sip::message` |
//! | [`sound`] | `gateway`, `dialplan`, `sip::message`, `audio`, `media::command` |
//! | [`speech`] | the same, and `sound` |
//! | [`scenarios`] | `gateway`, `dialplan`, `session`, `sound` |
//! | [`store`] | `gateway`, `dialplan`, `sip::message` |
//! | [`gateway`] | `sip`, `sdp`, `dialplan`, `session`, `media::command` |
//! | [`session`] | `dialplan` |
//! | [`media`] | `rtp`, `audio`, `webrtc` |
//! | [`webrtc`] | `rtp`, `sdp` |
//! | [`sip`], [`sdp`], [`rtp`], [`audio`], [`dialplan`] | none of the others |
//!
//! # Glossary
//!
//! - **Endpoint**: the SIP element, with its transactions, dialogs and registrations ([`sip::Endpoint`]).
//! - **Trunk**: a SIP peer of the dialplan that carries calls to us.
//! - **Call**: the control plane's state of one participant; **Leg**: the media plane's. Both bear one
//!   [`types::CallId`], which is not SIP's Call-ID header.
//! - **Room**: one mix; everybody routed into it hears everybody else routed into it.
//! - **Unit**: a leg, room, player or recorder ([`types::UnitId`]); units are connected, source to sink.
//! - **Session**: what a call does ([`session::Session`]): it sees events and answers with **verbs**
//!   ([`session::Verb`]).
//! - **Dialplan**: `dialplan.toml`, checked and ready to use ([`dialplan::Plan`]).
//! - **Frame**: 20 ms of mono PCM; **Tick**: the step of an engine that makes one.
//!
//! ARCHITECTURE.md follows an INVITE and a packet through the files and says where to add things.
#![warn(missing_docs)]
#![deny(unsafe_op_in_unsafe_fn)]

pub mod audio;
pub mod cli;
pub mod dialplan;
pub mod gateway;
pub mod http;
pub mod media;
pub mod net;
pub mod rtp;
pub mod scenarios;
pub mod sdp;
pub mod session;
pub mod sip;
pub mod sound;
pub mod speech;
pub mod store;
pub mod types;
pub mod webrtc;

/// The origin of a test's virtual clock: the only clock reading tests make.
#[cfg(test)]
pub(crate) fn test_clock() -> std::time::Instant {
    #[expect(clippy::disallowed_methods, reason = "a test needs some origin; it never reads the clock again")]
    std::time::Instant::now()
}
