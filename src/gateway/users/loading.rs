//! What the database has of users, taken over once it answers. Until then those of the dialplan are served.

use super::making::Pending;
use super::{Entry, Users};
use crate::gateway::kept::{Kept, Query, Stored, StoredBinding, StoredUser};
use crate::gateway::peer::UserTerms;
use crate::gateway::{Gateway, Level, Output};
use crate::sip::Flow;
use crate::sip::message::{Text, Transport};
use crate::sip::registrar::Binding;
use crate::types::Now;
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// How soon a database that did not answer is asked again.
const AGAIN: Duration = Duration::from_secs(5);

/// How far it is.
#[derive(Debug, Default)]
pub(super) enum Loading {
    /// Nobody asked: there are no users.
    #[default]
    NotAsked,
    /// The question is out.
    Asked,
    /// It was not answered, and is asked again.
    Failed(Instant),
    /// All is here.
    Done,
}

impl Loading {
    pub(super) const fn is_done(&self) -> bool {
        matches!(self, Self::Done)
    }

    /// Whether anybody asked.
    pub(super) const fn is_asked(&self) -> bool {
        !matches!(self, Self::NotAsked)
    }

    pub(super) const fn again_at(&self) -> Option<Instant> {
        if let Self::Failed(at) = self { Some(*at) } else { None }
    }
}

impl Gateway {
    /// Asks for what the database has, if there may be anything and nobody has.
    pub(super) fn load_users(&mut self) {
        if self.plan.needs_database() && !self.users.loading.is_asked() {
            self.ask_for_users();
        }
    }

    fn ask_for_users(&mut self) {
        self.users.loading = Loading::Asked;
        self.query(Pending::Load, Query::Load);
    }

    pub(super) fn load_users_again(&mut self, now: Now) {
        if self.users.loading.again_at().is_some_and(|at| at <= now.instant) {
            self.ask_for_users();
        }
    }

    /// Asks the database for something.
    pub(super) fn query(&mut self, pending: Pending, query: Query) {
        let id = self.fresh_id();
        self.users.pending.insert(id, pending);
        self.effects.output(Output::Query { id, query });
    }

    pub(super) fn on_loaded(&mut self, now: Now, answer: Result<Kept, String>) {
        let Stored { users, bindings, invitations, rooms } = match answer {
            Ok(Kept::Loaded(stored)) => stored,
            Ok(Kept::Done | Kept::Text(_)) => Stored::default(),
            Err(why) => {
                self.users.loading = Loading::Failed(now.instant + AGAIN);
                self.log_limited(now, Level::Warn, None, "users not loaded", || {
                    format!("{why}; those of the dialplan are served, and it is asked again")
                });
                return;
            }
        };
        self.users.loading = Loading::Done;
        self.users.invitations.restore(now.wall, invitations);
        let rooms = self.restore_rooms(rooms);
        if rooms > 0 {
            self.log(Level::Info, None, "rooms loaded", format!("{rooms} that were made or locked"));
        }
        let terms = UserTerms::of(&self.plan);
        let (mut count, mut without_key) = (0, 0);
        for user in users {
            if user.temporary_until.is_some_and(|until| until <= now.wall) {
                self.query(
                    Pending::Remove { asked: None, name: user.name.clone() },
                    Query::RemoveUser { name: user.name },
                );
                continue;
            }
            count += 1;
            without_key += usize::from(!user.keys.iter().any(|key| key.realm == self.plan.gateway.digest.realm));
            if !self.users.entries.contains_key(&user.name) {
                self.users.watch(now, &user);
                if let Some(before) = self.users.invitations.note_user(&user) {
                    self.drop_user(now, &before, "its invitation was used again");
                }
                let entry = Entry::stored(user, &self.plan, &terms);
                self.users.entries.insert(entry.user.name.clone(), entry);
            }
        }
        let restored = self.users.restore(now, bindings);
        if self.plan.has_users() {
            self.log(
                Level::Info,
                None,
                "users loaded",
                format!("{count} of the database, {restored} of all registered"),
            );
        }
        if without_key > 0 {
            let realm = &self.plan.gateway.digest.realm;
            let detail = format!("{without_key} users have none for realm {realm}, and can neither register nor call");
            self.log(Level::Warn, None, "no password", detail);
        }
        self.tell_admission_of_users();
        // Who has found a connection since the start has not lost its last one.
        let temporary: Vec<String> = self.users.temporary().map(str::to_owned).collect();
        for name in temporary {
            self.note_presence(now, &name);
        }
    }
}

impl Users {
    /// Has a temporary user end in time.
    pub(super) fn watch(&mut self, now: Now, user: &StoredUser) {
        if let Some(until) = user.temporary_until {
            let left = until.duration_since(now.wall).unwrap_or_default();
            self.ends.set(&user.name, now.instant + left);
        }
    }

    fn temporary(&self) -> impl Iterator<Item = &str> {
        let is_temporary =
            |entry: &&Entry| entry.stored.as_ref().is_some_and(|stored| stored.temporary_until.is_some());
        self.entries.values().filter(is_temporary).map(|entry| entry.user.name.as_str())
    }

    /// Puts bindings back that still hold. Gives how many users are registered by them.
    fn restore(&mut self, now: Now, bindings: Vec<StoredBinding>) -> usize {
        let mut by_user: BTreeMap<String, Vec<Binding>> = BTreeMap::new();
        for stored in bindings {
            let user = stored.user.clone();
            self.kept.insert(user.clone());
            if let Some(binding) = restored(now, stored).filter(|_| self.entries.contains_key(&user)) {
                by_user.entry(user).or_default().push(binding);
            }
        }
        let count = by_user.len();
        for (user, bindings) in by_user {
            self.registrar.restore(&user, bindings);
        }
        count
    }
}

/// A binding as it was kept; `None`: it has run out, or cannot be read.
fn restored(now: Now, stored: StoredBinding) -> Option<Binding> {
    let left = stored.expires.duration_since(now.wall).ok().filter(|left| !left.is_zero())?;
    let transport = Transport::from_token(&stored.transport).filter(|transport| !transport.is_reliable())?;
    Some(Binding {
        contact: stored.contact.parse().ok()?,
        flow: Flow { transport, local: stored.local, remote: stored.remote, connection: None },
        q: stored.q,
        instance: stored.instance,
        reg_id: stored.reg_id,
        call_id: Text::from(stored.call_id),
        cseq: stored.cseq,
        user_agent: stored.user_agent,
        // A clock that was set back makes it no longer than any is made.
        expires_at: now.instant + left.min(Duration::from_secs(3_600)),
        refreshed: 0,
    })
}
