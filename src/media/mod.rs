//! The media plane.

pub mod command;
