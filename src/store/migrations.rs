//! How the database comes to its present form, step by step.

use sqlx::error::BoxDynError;
use sqlx::migrate::{Migration, MigrationSource, MigrationType};
use std::borrow::Cow;
use std::future::Future;
use std::pin::Pin;

/// All steps, in order: number, what it is for, what is done. One that was released never changes.
const STEPS: [(i64, &str, &str); 5] = [
    (1, "users", include_str!("../../migrations/0001_users.sql")),
    (2, "invitations", include_str!("../../migrations/0002_invitations.sql")),
    (3, "rooms", include_str!("../../migrations/0003_rooms.sql")),
    (4, "texts", include_str!("../../migrations/0004_texts.sql")),
    (5, "mute", include_str!("../../migrations/0005_mute.sql")),
];

/// The steps as sqlx takes them.
#[derive(Debug)]
pub(super) struct Steps;

impl MigrationSource<'static> for Steps {
    fn resolve(self) -> Pin<Box<dyn Future<Output = Result<Vec<Migration>, BoxDynError>> + Send + 'static>> {
        let migration = |(number, what, sql): (i64, &'static str, &'static str)| {
            Migration::new(number, Cow::Borrowed(what), MigrationType::Simple, Cow::Borrowed(sql), false)
        };
        Box::pin(async move { Ok(STEPS.into_iter().map(migration).collect()) })
    }
}
