//! Where users are kept.

use super::Secret;
use std::path::PathBuf;

/// The database of users who are made while the gateway runs, and of where users are registered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Database {
    /// A file of SQLite; made where it is not there.
    Sqlite(PathBuf),
    /// A URL of PostgreSQL, `postgres://host/name`, in which there may be a password.
    Postgres(Secret),
}
