//! One binary of integration tests.

mod alloc;
mod media_corpus;
mod playout;
