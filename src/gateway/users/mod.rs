//! The users there are: who may prove by digest to be one, and what each is called and may have.

mod registering;
#[cfg(test)]
mod tests;

use super::Gateway;
use super::digest;
use super::peer::{User, UserTerms};
use crate::dialplan::Plan;
use crate::sip::auth::UserKeys;
use crate::sip::registrar::Registrar;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

/// One user.
#[derive(Debug)]
struct Entry {
    user: Arc<User>,
    keys: UserKeys,
}

/// All users, by name.
#[derive(Debug, Default)]
pub(super) struct Users {
    entries: BTreeMap<String, Entry>,
    registrar: Registrar,
}

impl Users {
    /// Takes a plan that was read anew.
    fn set_plan(&mut self, plan: &Plan) {
        let terms = UserTerms::of(plan);
        let mut keys = digest::users(plan);
        let entry = |user: &Arc<crate::dialplan::User>| {
            let keys = keys.remove(&user.name)?;
            let user = User {
                name: user.name.clone(),
                display_name: user.display_name.clone(),
                max_calls: user.max_calls,
                terms: Arc::clone(&terms),
            };
            Some((user.name.clone(), Entry { user: Arc::new(user), keys }))
        };
        self.entries = plan.users.iter().filter_map(entry).collect();
    }

    /// The user of that name.
    pub(super) fn get(&self, name: &str) -> Option<Arc<User>> {
        self.entries.get(name).map(|entry| Arc::clone(&entry.user))
    }

    /// Where they are registered.
    pub(super) const fn registrar(&self) -> &Registrar {
        &self.registrar
    }

    fn all(&self) -> Vec<Arc<User>> {
        self.entries.values().map(|entry| Arc::clone(&entry.user)).collect()
    }

    fn keys(&self) -> HashMap<String, UserKeys> {
        self.entries.iter().map(|(name, entry)| (name.clone(), entry.keys.clone())).collect()
    }
}

impl Gateway {
    /// Takes the users of the plan that holds from now on.
    pub(super) fn refresh_users(&mut self) {
        self.users.set_plan(&self.plan);
        self.tell_admission_of_users();
    }

    /// Lets in the users there are, and nobody who was one; nor is such a one called.
    pub(super) fn tell_admission_of_users(&mut self) {
        let registered: Vec<Arc<str>> = self.users.registrar.users().collect();
        for name in registered.into_iter().filter(|name| !self.users.entries.contains_key(&**name)) {
            self.users.registrar.remove(&name);
        }
        self.admission.set_users(&self.users.all(), self.users.keys());
    }
}
