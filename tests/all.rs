//! One binary of integration tests.

mod media_corpus;
mod playout;
