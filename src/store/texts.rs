//! Texts that scenarios keep.

use super::rows::{Rows, StoreError, seconds, time};
use crate::gateway::{StorageAnswer, StorageRequest, StoredText};
use sqlx::Row;
use sqlx::any::AnyRow;
use std::time::SystemTime;

/// Texts of all scenarios together.
const MOST: i64 = 10_000;
/// Names that are told at once.
const MOST_KEYS: usize = 1_000;

impl Rows {
    pub(super) async fn texts(&self, request: StorageRequest) -> Result<StorageAnswer, StoreError> {
        let now = SystemTime::now();
        let mut transaction = self.pool().await?.begin().await?;
        sqlx::query("DELETE FROM texts WHERE ends <= $1").bind(seconds(now)).execute(&mut *transaction).await?;
        let of = "SELECT name, value, ends FROM texts WHERE name = $1";
        let answer = match request {
            StorageRequest::Put { key, value, keep } => {
                sqlx::query("DELETE FROM texts WHERE name = $1").bind(&key).execute(&mut *transaction).await?;
                let count = sqlx::query("SELECT COUNT(*) FROM texts").fetch_one(&mut *transaction).await?;
                if count.try_get::<i64, _>(0)? >= MOST {
                    return Ok(StorageAnswer::Full);
                }
                // In whole seconds, of which the one that has begun counts.
                let until = time(seconds(now + keep) + i64::from(!keep.is_zero()));
                sqlx::query("INSERT INTO texts (name, value, ends) VALUES ($1, $2, $3)")
                    .bind(&key)
                    .bind(&value)
                    .bind(seconds(until))
                    .execute(&mut *transaction)
                    .await?;
                StorageAnswer::Text(Some(StoredText { key, value, until }))
            }
            StorageRequest::Get { key } => {
                let found = sqlx::query(of).bind(&key).fetch_optional(&mut *transaction).await?;
                StorageAnswer::Text(found.as_ref().map(text).transpose()?)
            }
            StorageRequest::Remove { key } => {
                let found = sqlx::query(of).bind(&key).fetch_optional(&mut *transaction).await?;
                sqlx::query("DELETE FROM texts WHERE name = $1").bind(&key).execute(&mut *transaction).await?;
                StorageAnswer::Text(found.as_ref().map(text).transpose()?)
            }
            StorageRequest::Keys { pattern } => {
                let all = sqlx::query("SELECT name FROM texts ORDER BY name").fetch_all(&mut *transaction).await?;
                let names = all.iter().map(|row| row.try_get("name")).collect::<Result<Vec<String>, _>>()?;
                StorageAnswer::Keys(names.into_iter().filter(|name| is_like(name, &pattern)).take(MOST_KEYS).collect())
            }
        };
        transaction.commit().await?;
        Ok(answer)
    }
}

fn text(row: &AnyRow) -> Result<StoredText, sqlx::Error> {
    Ok(StoredText { key: row.try_get("name")?, value: row.try_get("value")?, until: time(row.try_get("ends")?) })
}

/// Whether a name is as the pattern says, in which `*` stands for any characters. Time is at most that of both lengths
/// multiplied.
fn is_like(name: &str, pattern: &str) -> bool {
    let mut parts = pattern.split('*');
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = name.strip_prefix(first) else { return false };
    let mut parts = parts.peekable();
    if parts.peek().is_none() {
        return rest.is_empty();
    }
    while let Some(part) = parts.next() {
        if parts.peek().is_none() {
            return rest.ends_with(part);
        }
        let Some((_, behind)) = rest.split_once(part) else { return false };
        rest = behind;
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stands_for_any_characters() {
        for (name, pattern, is) in [
            ("room-1", "*", true),
            ("room-1", "room-*", true),
            ("room-1", "*-1", true),
            ("room-1", "r*m*1", true),
            ("room-1", "room-1", true),
            ("room-1", "room", false),
            ("room-1", "oom*", false),
            ("room-1", "*-2", false),
            ("room-1", "room-1*1", false),
            ("aa", "a*a", true),
            ("a", "a*a", false),
            ("a*b", "a*b", true),
            ("", "*", true),
        ] {
            assert_eq!(is_like(name, pattern), is, "{name} {pattern}");
        }
    }
}
