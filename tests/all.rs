//! All tests that use the crate from outside, in one binary.

mod layering;
mod loopback;
