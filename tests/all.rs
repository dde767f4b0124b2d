//! One binary for all integration tests.

mod torture;
mod torture_ipv6;
mod torture_own;
