//! All tests that use the crate from outside, in one binary.

mod layering;
//! One binary of integration tests.

mod media_corpus;
mod playout;
