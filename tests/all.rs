//! All tests that use the crate from outside, in one binary.

mod layering;
//! One binary of integration tests.

mod media_corpus;
mod playout;
//! One binary for all integration tests.

mod sip_properties;
mod sip_rsip;
mod torture;
mod torture_ipv6;
mod torture_own;
