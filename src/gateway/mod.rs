//! The control plane's core.

pub mod pin_guard;
