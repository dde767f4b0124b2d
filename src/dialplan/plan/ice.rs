//! `[ice]`.

use super::Secret;
use std::time::Duration;

/// Servers that help browsers through firewalls (RFC 8489, RFC 8656).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ice {
    /// STUN servers, as URLs (RFC 7064).
    pub stun: Vec<String>,
    /// TURN servers, as URLs (RFC 7065).
    pub turn: Vec<String>,
    /// What the TURN servers share with us; there where `turn` is not empty.
    pub turn_secret: Option<Secret>,
    /// How long a password for them lasts. Default 12 h; 1 min to 24 h.
    pub turn_lifetime: Duration,
}

impl Default for Ice {
    fn default() -> Self {
        Self { stun: Vec::new(), turn: Vec::new(), turn_secret: None, turn_lifetime: Duration::from_secs(12 * 3_600) }
    }
}
