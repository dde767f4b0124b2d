//! The tables: what is asked of them and written to them. The same statements for SQLite and PostgreSQL.

use super::migrations::Steps;
use crate::dialplan::{Database, Secret};
use crate::gateway::{Kept, Query, StoredBinding, StoredKey, StoredUser};
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use sqlx::any::{AnyPoolOptions, AnyRow};
use sqlx::migrate::Migrator;
use sqlx::{AnyPool, Row};
use std::collections::BTreeMap;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tokio::sync::OnceCell;

/// Connections at once: questions and bindings do not wait for each other.
const CONNECTIONS: u32 = 4;

/// Why the database did not do what was asked.
#[derive(Debug, thiserror::Error)]
pub(super) enum StoreError {
    /// The folder of the file cannot be made.
    #[error("{0}")]
    Folder(#[from] std::io::Error),
    /// As the database or the way to it says.
    #[error("{0}")]
    Database(#[from] sqlx::Error),
    /// Its tables are of another version.
    #[error("{0}")]
    Migration(#[from] sqlx::migrate::MigrateError),
}

/// A database that is opened when it is first asked.
pub(super) struct Rows {
    database: Database,
    pool: OnceCell<AnyPool>,
}

impl Rows {
    pub(super) fn new(database: &Database) -> Self {
        Self { database: database.clone(), pool: OnceCell::new() }
    }

    /// The database, its tables as this version has them. One that cannot be opened is tried again the next time.
    async fn pool(&self) -> Result<&AnyPool, StoreError> {
        self.pool.get_or_try_init(|| open(&self.database)).await
    }

    pub(super) async fn answer(&self, query: Query) -> Result<Kept, StoreError> {
        match query {
            Query::Load => self.load().await,
            Query::AddUser(user) => self.add(&user).await.map(|()| Kept::Done),
            Query::RemoveUser { name } => self.remove(&name).await.map(|()| Kept::Done),
        }
    }

    async fn load(&self) -> Result<Kept, StoreError> {
        let pool = self.pool().await?;
        let users =
            sqlx::query("SELECT name, display_name, max_calls, created, temporary_until FROM users").fetch_all(pool);
        let users = users.await?;
        let keys = sqlx::query("SELECT user_name, realm, algorithm, ha1 FROM user_keys").fetch_all(pool).await?;
        let bindings = sqlx::query(
            "SELECT user_name, contact, q, instance, reg_id, call_id, cseq, user_agent, transport, local_address, \
             remote_address, expires FROM bindings ORDER BY user_name, position",
        );
        let bindings = bindings.fetch_all(pool).await?;
        let mut keys_of: BTreeMap<String, Vec<StoredKey>> = BTreeMap::new();
        for row in &keys {
            let key = StoredKey {
                realm: row.try_get("realm")?,
                algorithm: row.try_get("algorithm")?,
                ha1: Secret::new(row.try_get("ha1")?),
            };
            keys_of.entry(row.try_get("user_name")?).or_default().push(key);
        }
        let user = |row: &AnyRow| -> Result<StoredUser, sqlx::Error> {
            let name: String = row.try_get("name")?;
            Ok(StoredUser {
                keys: keys_of.remove(&name).unwrap_or_default(),
                name,
                display_name: row.try_get("display_name")?,
                max_calls: u32::try_from(row.try_get::<i64, _>("max_calls")?).unwrap_or(u32::MAX),
                created: time(row.try_get("created")?),
                temporary_until: row.try_get::<Option<i64>, _>("temporary_until")?.map(time),
            })
        };
        let users = users.iter().map(user).collect::<Result<_, _>>()?;
        // A row that somebody else wrote and nobody can read is left out.
        let bindings = bindings.iter().filter_map(|row| binding(row).ok().flatten()).collect();
        Ok(Kept::Loaded { users, bindings })
    }

    async fn add(&self, user: &StoredUser) -> Result<(), StoreError> {
        let mut transaction = self.pool().await?.begin().await?;
        sqlx::query(
            "INSERT INTO users (name, display_name, max_calls, created, temporary_until) VALUES ($1, $2, $3, $4, $5)",
        )
        .bind(&user.name)
        .bind(&user.display_name)
        .bind(i64::from(user.max_calls))
        .bind(seconds(user.created))
        .bind(user.temporary_until.map(seconds))
        .execute(&mut *transaction)
        .await?;
        for key in &user.keys {
            sqlx::query("INSERT INTO user_keys (user_name, realm, algorithm, ha1) VALUES ($1, $2, $3, $4)")
                .bind(&user.name)
                .bind(&key.realm)
                .bind(&key.algorithm)
                .bind(key.ha1.reveal())
                .execute(&mut *transaction)
                .await?;
        }
        transaction.commit().await?;
        Ok(())
    }

    async fn remove(&self, name: &str) -> Result<(), StoreError> {
        let mut transaction = self.pool().await?.begin().await?;
        for statement in [
            "DELETE FROM bindings WHERE user_name = $1",
            "DELETE FROM user_keys WHERE user_name = $1",
            "DELETE FROM users WHERE name = $1",
        ] {
            sqlx::query(statement).bind(name).execute(&mut *transaction).await?;
        }
        transaction.commit().await?;
        Ok(())
    }

    /// Puts bindings in the place of those that a user had.
    pub(super) async fn keep_bindings(&self, user: &str, bindings: &[StoredBinding]) -> Result<(), StoreError> {
        let mut transaction = self.pool().await?.begin().await?;
        sqlx::query("DELETE FROM bindings WHERE user_name = $1").bind(user).execute(&mut *transaction).await?;
        for (position, binding) in (0_i64..).zip(bindings) {
            sqlx::query(
                "INSERT INTO bindings (user_name, position, contact, q, instance, reg_id, call_id, cseq, user_agent, \
                 transport, local_address, remote_address, expires) \
                 VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)",
            )
            .bind(user)
            .bind(position)
            .bind(&binding.contact)
            .bind(i64::from(binding.q))
            .bind(&binding.instance)
            .bind(binding.reg_id.map(i64::from))
            .bind(&binding.call_id)
            .bind(i64::from(binding.cseq))
            .bind(&binding.user_agent)
            .bind(&binding.transport)
            .bind(binding.local.to_string())
            .bind(binding.remote.to_string())
            .bind(seconds(binding.expires))
            .execute(&mut *transaction)
            .await?;
        }
        transaction.commit().await?;
        Ok(())
    }
}

async fn open(database: &Database) -> Result<AnyPool, StoreError> {
    sqlx::any::install_default_drivers();
    let url = match database {
        Database::Sqlite(path) => {
            if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
                std::fs::create_dir_all(folder)?;
            }
            // What would mean something in a URL.
            const SPECIAL: &AsciiSet = &CONTROLS.add(b'?').add(b'#').add(b'%');
            let path = std::path::absolute(path)?.display().to_string();
            format!("sqlite://{}?mode=rwc", utf8_percent_encode(&path, SPECIAL))
        }
        Database::Postgres(url) => url.reveal().to_owned(),
    };
    let options = AnyPoolOptions::new().max_connections(CONNECTIONS).acquire_timeout(super::PATIENCE);
    let pool = options.connect(&url).await?;
    if matches!(database, Database::Sqlite(_)) {
        // Readers do not wait for the writer, and a kill costs nothing that was committed.
        sqlx::query("PRAGMA journal_mode = WAL").execute(&pool).await?;
    }
    Migrator::new(Steps).await?.run(&pool).await?;
    Ok(pool)
}

fn binding(row: &AnyRow) -> Result<Option<StoredBinding>, sqlx::Error> {
    let address = |name: &str| row.try_get::<String, _>(name).map(|text| text.parse().ok());
    let number = |name: &str| row.try_get::<i64, _>(name).map(|number| u32::try_from(number).unwrap_or(u32::MAX));
    let (Some(local), Some(remote)) = (address("local_address")?, address("remote_address")?) else { return Ok(None) };
    Ok(Some(StoredBinding {
        user: row.try_get("user_name")?,
        contact: row.try_get("contact")?,
        q: u16::try_from(number("q")?).unwrap_or(1_000),
        instance: row.try_get("instance")?,
        reg_id: row.try_get::<Option<i64>, _>("reg_id")?.and_then(|number| u32::try_from(number).ok()),
        call_id: row.try_get("call_id")?,
        cseq: number("cseq")?,
        user_agent: row.try_get("user_agent")?,
        transport: row.try_get("transport")?,
        local,
        remote,
        expires: time(row.try_get("expires")?),
    }))
}

fn seconds(time: SystemTime) -> i64 {
    i64::try_from(time.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs()).unwrap_or(i64::MAX)
}

fn time(seconds: i64) -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(u64::try_from(seconds).unwrap_or_default())
}
