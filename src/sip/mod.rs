//! The sans-IO SIP user agent (RFC 3261 and the extensions each file names).

pub mod transaction;
