//! All tests that use the crate from outside, in one binary.

mod alloc;
mod counts_baseline;
mod declarations;
mod layering;
mod loopback;
mod media_corpus;
mod playout;
mod sim;
mod sip_delimiters;
mod sip_properties;
mod sip_rsip;
mod sound_memory;
mod talk_off;
mod torture;
mod torture_endpoint;
mod torture_ipv6;
mod torture_own;
