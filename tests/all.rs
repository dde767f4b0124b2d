//! One binary for all integration tests.

mod sip_properties;
mod sip_rsip;
mod torture;
mod torture_endpoint;
mod torture_ipv6;
mod torture_own;
