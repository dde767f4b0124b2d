//! The users there are: who may prove by digest to be one, what each is called and may have, and where each is
//! registered.
//!
//! Those of the dialplan are there at once. The others come from a database, of which this is the snapshot that counts:
//! nobody waits for it. What changes is written behind; a user who is made or removed is so when the database says that
//! it has noted it.
//!
//! | file | what happens there |
//! |---|---|
//! | `registering.rs` | REGISTER, and what becomes of bindings |
//! | `making.rs` | users who are made and removed |
//! | `loading.rs` | what the database has, at the start |
//! | `invitations.rs`, `inviting.rs` | invitations there are; how they are made, taken back and used |
//! | `ends.rs` | when temporary users end |
//! | `texts.rs` | what scenarios keep |

mod ends;
mod invitations;
mod inviting;
mod loading;
mod making;
mod registering;
#[cfg(test)]
pub(super) mod tests;
mod texts;

use super::Gateway;
use super::digest;
use super::kept::StoredUser;
use super::peer::{User, UserTerms};
use crate::dialplan::Plan;
use crate::sip::auth::UserKeys;
use crate::sip::registrar::Registrar;
use ends::Ends;
use invitations::Invitations;
use loading::Loading;
use making::Pending;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

/// One user.
#[derive(Debug)]
struct Entry {
    user: Arc<User>,
    keys: UserKeys,
    /// As the database has it; none: the dialplan's.
    stored: Option<StoredUser>,
}

/// All users, by name.
#[derive(Debug, Default)]
pub(super) struct Users {
    entries: BTreeMap<String, Entry>,
    registrar: Registrar,
    loading: Loading,
    /// Questions to the database that are not answered.
    pending: HashMap<u64, Pending>,
    /// Users of whom the database has bindings, as far as is known.
    kept: BTreeSet<String>,
    ends: Ends,
    invitations: Invitations,
    /// Why the database did not do what was last asked.
    trouble: Option<String>,
}

impl Users {
    /// Takes a plan that was read anew. A user of the dialplan goes before one of the same name that was made.
    fn set_plan(&mut self, plan: &Plan) {
        let terms = UserTerms::of(plan);
        let stored: Vec<StoredUser> =
            std::mem::take(&mut self.entries).into_values().filter_map(|entry| entry.stored).collect();
        for user in stored {
            let entry = Entry::stored(user, plan, &terms);
            self.entries.insert(entry.user.name.clone(), entry);
        }
        let mut keys = digest::users(plan);
        for user in &plan.users {
            let Some(keys) = keys.remove(&user.name) else { continue };
            let user = User {
                name: user.name.clone(),
                display_name: user.display_name.clone(),
                max_calls: user.max_calls,
                invited_to: None,
                terms: Arc::clone(&terms),
            };
            self.entries.insert(user.name.clone(), Entry { user: Arc::new(user), keys, stored: None });
        }
    }

    /// The user of that name.
    pub(super) fn get(&self, name: &str) -> Option<Arc<User>> {
        self.entries.get(name).map(|entry| Arc::clone(&entry.user))
    }

    /// Whether there is a database, which has answered or will.
    pub(super) const fn has_database(&self) -> bool {
        self.loading.is_asked()
    }

    /// Where they are registered.
    pub(super) const fn registrar(&self) -> &Registrar {
        &self.registrar
    }

    /// Why the database did not do what was last asked; empty when all is well.
    pub(super) fn trouble(&self) -> String {
        self.trouble.clone().unwrap_or_default()
    }

    fn all(&self) -> Vec<Arc<User>> {
        self.entries.values().map(|entry| Arc::clone(&entry.user)).collect()
    }

    fn keys(&self) -> HashMap<String, UserKeys> {
        self.entries.iter().map(|(name, entry)| (name.clone(), entry.keys.clone())).collect()
    }
}

impl Entry {
    /// A user of the database, with the keys that are for our realm.
    fn stored(stored: StoredUser, plan: &Plan, terms: &Arc<UserTerms>) -> Self {
        let realm = &plan.gateway.digest.realm;
        let ours = stored.keys.iter().filter(|key| key.realm == *realm);
        let keys = digest::keys_of_hashes(ours.map(|key| (key.algorithm.as_str(), key.ha1.reveal())));
        let user = User {
            name: stored.name.clone(),
            display_name: stored.display_name.clone(),
            max_calls: stored.max_calls,
            invited_to: stored.invited_to.clone(),
            terms: Arc::clone(terms),
        };
        Self { user: Arc::new(user), keys, stored: Some(stored) }
    }
}

impl Gateway {
    /// Takes the users of the plan that holds from now on.
    pub(super) fn refresh_users(&mut self) {
        self.users.set_plan(&self.plan);
        self.tell_admission_of_users();
        self.load_users();
    }

    /// Lets in the users there are, and nobody who was one; nor is such a one called.
    fn tell_admission_of_users(&mut self) {
        let registered: Vec<Arc<str>> = self.users.registrar.users().collect();
        for name in registered.into_iter().filter(|name| !self.users.entries.contains_key(&**name)) {
            self.users.registrar.remove(&name);
        }
        self.messages.retain_users(|name| self.users.entries.contains_key(name));
        self.admission.set_users(&self.users.all(), self.users.keys());
    }
}
