//! The invitations there are, and which users came by them.

use super::making::whole_seconds;
use crate::gateway::InvitationStatus;
use crate::gateway::kept::{StoredInvitation, StoredUser};
use std::collections::BTreeMap;
use std::time::{SystemTime, UNIX_EPOCH};

/// One invitation.
#[derive(Debug)]
struct Entry {
    stored: StoredInvitation,
    /// The user that whoever came by it is.
    user: Option<String>,
}

/// All invitations that have not ended, those that were taken back too, by identifier.
#[derive(Debug, Default)]
pub(super) struct Invitations(BTreeMap<String, Entry>);

impl Invitations {
    /// Takes over what the database has.
    pub(super) fn restore(&mut self, now: SystemTime, stored: Vec<StoredInvitation>) {
        for stored in stored.into_iter().filter(|stored| stored.until > now) {
            self.insert(stored);
        }
    }

    pub(super) fn insert(&mut self, stored: StoredInvitation) {
        self.0.insert(stored.id.clone(), Entry { stored, user: None });
    }

    /// How many there are, once those that have ended are forgotten.
    pub(super) fn count(&mut self, now: SystemTime) -> usize {
        self.0.retain(|_, entry| entry.stored.until > now);
        self.0.len()
    }

    pub(super) fn get(&self, id: &str) -> Option<&StoredInvitation> {
        self.0.get(id).map(|entry| &entry.stored)
    }

    /// Notes that it was taken back. Gives the user that came by it.
    pub(super) fn revoke(&mut self, id: &str) -> Option<String> {
        let entry = self.0.get_mut(id)?;
        entry.stored.revoked = true;
        entry.user.take()
    }

    /// Notes by which invitation somebody is a user. Gives the user that came by it before.
    pub(super) fn note_user(&mut self, user: &StoredUser) -> Option<String> {
        let entry = self.0.get_mut(&user.invited_to.as_ref()?.invitation)?;
        entry.user.replace(user.name.clone())
    }

    /// A user is no more.
    pub(super) fn forget_user(&mut self, name: &str) {
        for entry in self.0.values_mut().filter(|entry| entry.user.as_deref() == Some(name)) {
            entry.user = None;
        }
    }

    pub(super) fn status_of(&self, id: &str) -> Option<InvitationStatus> {
        self.0.get(id).map(Entry::status)
    }

    /// Those that have not ended, by room and end.
    pub(super) fn status(&self, now: SystemTime) -> Vec<InvitationStatus> {
        let mut all: Vec<_> = self.0.values().filter(|entry| entry.stored.until > now).map(Entry::status).collect();
        all.sort_by(|a, b| (&a.room, a.until, &a.id).cmp(&(&b.room, b.until, &b.id)));
        all
    }
}

impl Entry {
    fn status(&self) -> InvitationStatus {
        let StoredInvitation { id, room, name, host, created: _, until, revoked } = self.stored.clone();
        let until = whole_seconds(until).duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        InvitationStatus { id, room, name, host, until, revoked, user: self.user.clone().unwrap_or_default() }
    }
}
