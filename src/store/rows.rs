//! The tables: what is asked of them and written to them. The same statements for SQLite and PostgreSQL.

use super::behind::Item;
use super::migrations::Steps;
use crate::dialplan::{Database, Pin, Secret};
use crate::gateway::{
    InvitedTo, Kept, Query, Stored, StoredBinding, StoredInvitation, StoredKey, StoredRoom, StoredSettings, StoredUser,
};
use crate::types::Disturbances;
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use sqlx::any::{AnyPoolOptions, AnyRow};
use sqlx::migrate::Migrator;
use sqlx::{Any, AnyPool, Row, Transaction};
use std::collections::BTreeMap;
use std::fs::{OpenOptions, Permissions};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::Path;
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
    pub(super) async fn pool(&self) -> Result<&AnyPool, StoreError> {
        self.pool.get_or_try_init(|| open(&self.database)).await
    }

    pub(super) async fn answer(&self, query: Query) -> Result<Kept, StoreError> {
        match query {
            Query::Load => self.load().await,
            Query::AddUser(user) => self.add(&user).await.map(|()| Kept::Done),
            Query::ChangeUser(user) => self.change(&user).await.map(|()| Kept::Done),
            Query::RemoveUser { name } => self.remove(&name).await.map(|()| Kept::Done),
            Query::AddInvitation(invitation) => self.invite(&invitation).await.map(|()| Kept::Done),
            Query::Text(request) => self.texts(request).await.map(Kept::Text),
            Query::RevokeInvitation { id } => self.revoke(&id).await.map(|()| Kept::Done),
        }
    }

    async fn load(&self) -> Result<Kept, StoreError> {
        let pool = self.pool().await?;
        let users =
            sqlx::query("SELECT name, display_name, max_calls, created, temporary_until, invitation, room FROM users");
        let users = users.fetch_all(pool).await?;
        let invitations = sqlx::query("SELECT id, room, name, host, created, ends, revoked FROM invitations");
        let invitations = invitations.fetch_all(pool).await?;
        let keys = sqlx::query("SELECT user_name, realm, algorithm, ha1 FROM user_keys").fetch_all(pool).await?;
        let bindings = sqlx::query(
            "SELECT user_name, contact, q, instance, reg_id, call_id, cseq, user_agent, transport, local_address, \
             remote_address, expires FROM bindings ORDER BY user_name, position",
        );
        let bindings = bindings.fetch_all(pool).await?;
        let rooms = sqlx::query("SELECT name, made, pin, host_pin, max_members, mute, locked FROM rooms");
        let rooms = rooms.fetch_all(pool).await?;
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
                invited_to: invited_to(row)?,
            })
        };
        let users = users.iter().map(user).collect::<Result<_, _>>()?;
        // A row that somebody else wrote and nobody can read is left out.
        let bindings = bindings.iter().filter_map(|row| binding(row).ok().flatten()).collect();
        let invitations = invitations.iter().map(invitation).collect::<Result<_, _>>()?;
        let rooms = rooms.iter().map(room).collect::<Result<_, _>>()?;
        Ok(Kept::Loaded(Stored { users, bindings, invitations, rooms }))
    }

    async fn add(&self, user: &StoredUser) -> Result<(), StoreError> {
        let mut transaction = self.pool().await?.begin().await?;
        sqlx::query(
            "INSERT INTO users (name, display_name, max_calls, created, temporary_until, invitation, room) \
             VALUES ($1, $2, $3, $4, $5, $6, $7)",
        )
        .bind(&user.name)
        .bind(&user.display_name)
        .bind(i64::from(user.max_calls))
        .bind(seconds(user.created))
        .bind(user.temporary_until.map(seconds))
        .bind(user.invited_to.as_ref().map(|to| to.invitation.as_str()))
        .bind(user.invited_to.as_ref().map(|to| to.room.as_str()))
        .execute(&mut *transaction)
        .await?;
        add_keys(user, &mut transaction).await?;
        transaction.commit().await?;
        Ok(())
    }

    async fn change(&self, user: &StoredUser) -> Result<(), StoreError> {
        let mut transaction = self.pool().await?.begin().await?;
        sqlx::query("UPDATE users SET display_name = $1, max_calls = $2, temporary_until = $3 WHERE name = $4")
            .bind(&user.display_name)
            .bind(i64::from(user.max_calls))
            .bind(user.temporary_until.map(seconds))
            .bind(&user.name)
            .execute(&mut *transaction)
            .await?;
        sqlx::query("DELETE FROM user_keys WHERE user_name = $1").bind(&user.name).execute(&mut *transaction).await?;
        add_keys(user, &mut transaction).await?;
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

    async fn invite(&self, invitation: &StoredInvitation) -> Result<(), StoreError> {
        let mut transaction = self.pool().await?.begin().await?;
        let created = seconds(invitation.created);
        sqlx::query("DELETE FROM invitations WHERE ends <= $1").bind(created).execute(&mut *transaction).await?;
        sqlx::query(
            "INSERT INTO invitations (id, room, name, host, created, ends, revoked) VALUES ($1, $2, $3, $4, $5, $6, $7)",
        )
        .bind(&invitation.id)
        .bind(&invitation.room)
        .bind(&invitation.name)
        .bind(i64::from(invitation.host))
        .bind(created)
        .bind(seconds(invitation.until))
        .bind(i64::from(invitation.revoked))
        .execute(&mut *transaction)
        .await?;
        transaction.commit().await?;
        Ok(())
    }

    async fn revoke(&self, id: &str) -> Result<(), StoreError> {
        let pool = self.pool().await?;
        sqlx::query("UPDATE invitations SET revoked = 1 WHERE id = $1").bind(id).execute(pool).await?;
        Ok(())
    }

    /// Puts something in the place of what was kept.
    pub(super) async fn keep(&self, item: &Item) -> Result<(), StoreError> {
        match item {
            Item::Bindings { user, bindings } => self.keep_bindings(user, bindings).await,
            Item::Room { name, room } => self.keep_room(name, room.as_ref()).await,
        }
    }

    async fn keep_room(&self, name: &str, room: Option<&StoredRoom>) -> Result<(), StoreError> {
        let mut transaction = self.pool().await?.begin().await?;
        sqlx::query("DELETE FROM rooms WHERE name = $1").bind(name).execute(&mut *transaction).await?;
        if let Some(StoredRoom { made, locked, .. }) = room {
            let settings = made.clone().unwrap_or_default();
            let text = |pin: Option<Pin>| pin.map(|pin| pin.reveal());
            sqlx::query(
                "INSERT INTO rooms (name, made, pin, host_pin, max_members, mute, locked) \
                 VALUES ($1, $2, $3, $4, $5, $6, $7)",
            )
            .bind(name)
            .bind(i64::from(made.is_some()))
            .bind(text(settings.pin))
            .bind(text(settings.host_pin))
            .bind(settings.max_members.map(i64::from))
            .bind(settings.mute.to_string())
            .bind(i64::from(*locked))
            .execute(&mut *transaction)
            .await?;
        }
        transaction.commit().await?;
        Ok(())
    }

    /// Puts bindings in the place of those that a user had.
    async fn keep_bindings(&self, user: &str, bindings: &[StoredBinding]) -> Result<(), StoreError> {
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

async fn add_keys(user: &StoredUser, transaction: &mut Transaction<'_, Any>) -> Result<(), StoreError> {
    for key in &user.keys {
        sqlx::query("INSERT INTO user_keys (user_name, realm, algorithm, ha1) VALUES ($1, $2, $3, $4)")
            .bind(&user.name)
            .bind(&key.realm)
            .bind(&key.algorithm)
            .bind(key.ha1.reveal())
            .execute(&mut **transaction)
            .await?;
    }
    Ok(())
}

/// Passwords' hashes and PINs are nobody else's: what SQLite puts beside the file has the same mode.
fn make_private(path: &Path) -> std::io::Result<()> {
    let file = OpenOptions::new().append(true).create(true).mode(0o600).open(path)?;
    if file.metadata()?.permissions().mode() & 0o077 != 0 {
        file.set_permissions(Permissions::from_mode(0o600))?;
    }
    Ok(())
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
            let path = std::path::absolute(path)?;
            make_private(&path)?;
            let path = path.display().to_string();
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

fn invited_to(row: &AnyRow) -> Result<Option<InvitedTo>, sqlx::Error> {
    let invitation: Option<String> = row.try_get("invitation")?;
    let room: Option<String> = row.try_get("room")?;
    // One without the other would be a user who may call everywhere.
    Ok((invitation.is_some() || room.is_some())
        .then(|| InvitedTo { invitation: invitation.unwrap_or_default(), room: room.unwrap_or_default() }))
}

fn invitation(row: &AnyRow) -> Result<StoredInvitation, sqlx::Error> {
    Ok(StoredInvitation {
        id: row.try_get("id")?,
        room: row.try_get("room")?,
        name: row.try_get("name")?,
        host: row.try_get::<i64, _>("host")? != 0,
        created: time(row.try_get("created")?),
        until: time(row.try_get("ends")?),
        revoked: row.try_get::<i64, _>("revoked")? != 0,
    })
}

fn room(row: &AnyRow) -> Result<StoredRoom, sqlx::Error> {
    let pin = |name: &str| row.try_get::<Option<String>, _>(name).map(|text| text.and_then(|text| Pin::new(&text)));
    let most = row.try_get::<Option<i64>, _>("max_members")?;
    let settings = StoredSettings {
        pin: pin("pin")?,
        host_pin: pin("host_pin")?,
        max_members: most.map(|most| u32::try_from(most).unwrap_or(1)),
        mute: Disturbances::named(&row.try_get::<String, _>("mute")?),
    };
    let is = |name: &str| row.try_get::<i64, _>(name).map(|number| number != 0);
    let made = is("made")?.then_some(settings);
    Ok(StoredRoom { name: row.try_get("name")?, made, locked: is("locked")? })
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

pub(super) fn seconds(time: SystemTime) -> i64 {
    i64::try_from(time.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs()).unwrap_or(i64::MAX)
}

pub(super) fn time(seconds: i64) -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(u64::try_from(seconds).unwrap_or_default())
}
