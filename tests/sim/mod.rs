//! Whole calls in virtual time: a real gateway and real media engines, a seeded bad network, and phones that build
//! their messages from message types only.
//!
//! Every phone says its own tone and every prompt is one, so a scenario can assert what each caller hears.

mod far_end;
mod log_flood;
mod media_host;
mod network;
mod phone;
mod plan;
mod sounds;
mod world;

mod attacks;
mod calls;
mod clocks;
mod conference;
mod dialling;
mod events;
mod failover;
mod faults;
mod hold;
mod joins;
mod keys;
mod leaving;
mod life;
mod limits;
mod moderation;
mod odd_senders;
mod one_way;
mod overload;
mod paths;
mod pins;
mod properties;
mod reasons;
mod replacing;
mod scenario_sound;
mod scenarios;
mod session_timer;
mod spoken;
mod srtp;
mod streams;
mod transfer;
mod users;
mod weather;
