//! `[api]`: who may use the HTTP API, and which pages may open WebSockets.

use std::fmt;

/// `[api]`.
#[derive(Debug, Clone, Default)]
pub struct Api {
    /// In the order of the file.
    pub tokens: Vec<ApiToken>,
}

/// A bearer token (RFC 6750) and what whoever has it may do. Debug shows nothing of it.
#[derive(Clone)]
pub struct ApiToken {
    /// Its name, for the log.
    pub name: String,
    /// SHA-256 of the token.
    pub hash: [u8; 32],
    /// What it may do.
    pub role: ApiRole,
    /// The only rooms it may see and change; `None`: all.
    pub rooms: Option<Vec<String>>,
}

impl fmt::Debug for ApiToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, role, rooms, .. } = self;
        f.debug_struct("ApiToken").field("name", name).field("role", role).field("rooms", rooms).finish_non_exhaustive()
    }
}

/// What a token may do: each role all that those before it may.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ApiRole {
    /// See rooms, calls and events.
    Viewer,
    /// Moderate rooms, place calls, read call records.
    Operator,
    /// Everything.
    Admin,
}

impl ApiRole {
    /// All, as the dialplan writes them.
    pub const NAMES: [(&'static str, Self); 3] =
        [("viewer", Self::Viewer), ("operator", Self::Operator), ("admin", Self::Admin)];

    /// As the dialplan writes it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Operator => "operator",
            Self::Admin => "admin",
        }
    }
}

/// Origins of pages (RFC 6454) that may open WebSockets beside those of our own host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origins {
    /// Whatever page.
    All,
    /// These: `https://app.example`, in lower case, without a port that its scheme has anyway.
    Some(Vec<String>),
}

impl Default for Origins {
    fn default() -> Self {
        Self::Some(Vec::new())
    }
}
