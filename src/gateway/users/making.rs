//! Users who are made and removed while the gateway runs, and temporary ones who end.

use super::Entry;
use crate::dialplan::Secret;
use crate::gateway::digest;
use crate::gateway::kept::{Kept, Query, StoredInvitation, StoredKey, StoredUser};
use crate::gateway::new_user::{NewUser, Password, UserChange};
use crate::gateway::peer::UserTerms;
use crate::gateway::{Event, Gateway, Level, Refusal, Reply, Rule, SessionId};
use crate::session::StorageHandle;
use crate::types::Now;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// A temporary user who is registered nowhere is given up after this time: clients that lost their connection make
/// another.
const GRACE: Duration = Duration::from_secs(60);

/// A question to the database, and whom the answer is for.
#[derive(Debug)]
pub(super) enum Pending {
    /// What there is.
    Load,
    /// A user to be made. `asked`: by whom.
    Add { asked: u64, user: StoredUser },
    /// A user to be changed; `is_new_password`: and with it the keys.
    Change { asked: u64, user: StoredUser, is_new_password: bool },
    /// An invitation to be made.
    Invite { asked: u64, invitation: StoredInvitation },
    /// An invitation to be taken back.
    Revoke { asked: u64, id: String },
    /// A user to be made of whoever showed an invitation.
    Admit { asked: u64, user: StoredUser, password: Password },
    /// A text of scenarios. `session`: whose.
    Text { session: SessionId, request: StorageHandle },
    /// A user to be removed.
    Remove { asked: Option<u64>, name: String },
}

impl Gateway {
    /// Makes a user. Answered when the database has one.
    pub(in crate::gateway) fn add_user(&mut self, now: Now, asked: u64, new: NewUser) {
        match self.user_to_be(now, &new) {
            Ok(user) => self.query(Pending::Add { asked, user: user.clone() }, Query::AddUser(user)),
            Err(refusal) => self.effects.reply(asked, Reply::Error(refusal)),
        }
    }

    fn user_to_be(&self, now: Now, new: &NewUser) -> Result<StoredUser, Refusal> {
        let refused = |rule: Rule, detail: &str| Err(Refusal::new(rule, detail));
        new.check().map_err(|why| Refusal::new(Rule::Invalid, why))?;
        self.users_can_be_made()?;
        let is_trunks =
            |trunk: &crate::dialplan::Trunk| trunk.auth.as_ref().is_some_and(|auth| auth.username == new.name);
        if self.plan.trunks.iter().any(|trunk| is_trunks(trunk)) {
            return refused(Rule::Exists, "a trunk has this user name");
        }
        let is_made = |pending: &Pending| matches!(pending, Pending::Add { user, .. } if user.name == new.name);
        if self.users.entries.contains_key(&new.name) || self.users.pending.values().any(is_made) {
            return refused(Rule::Exists, "there is a user of this name");
        }
        let created = whole_seconds(now.wall);
        Ok(StoredUser {
            name: new.name.clone(),
            display_name: Some(new.display_name.clone()).filter(|name| !name.is_empty()),
            keys: self.keys_of_user(&new.name, &new.password),
            max_calls: new.max_calls.unwrap_or(crate::dialplan::USER_MAX_CALLS),
            created,
            temporary_until: new.temporary.map(|seconds| created + Duration::from_secs(seconds)),
            invited_to: None,
        })
    }

    /// Whether a user can be made now.
    pub(super) fn users_can_be_made(&self) -> Result<(), Refusal> {
        if !self.plan.has_users() {
            return Err(Refusal::new(Rule::NotAllowed, "no route of the dialplan takes calls from users"));
        }
        if !self.users.loading.is_done() {
            let why = self.users.trouble.as_deref().unwrap_or("it has not answered yet");
            return Err(Refusal::new(Rule::Unavailable, format!("the database: {why}")));
        }
        Ok(())
    }

    /// What is kept of a user's password.
    pub(super) fn keys_of_user(&self, name: &str, password: &Password) -> Vec<StoredKey> {
        let realm = &self.plan.gateway.digest.realm;
        let hashes = digest::hashes_of(name, realm, password.reveal()).into_iter();
        let key = |(algorithm, ha1): (&str, String)| StoredKey {
            realm: realm.clone(),
            algorithm: algorithm.to_owned(),
            ha1: Secret::new(ha1),
        };
        hashes.map(key).collect()
    }

    /// Changes a user who was made. Answered when the database has noted it.
    pub(in crate::gateway) fn change_user(&mut self, now: Now, asked: u64, name: &str, change: &UserChange) {
        match self.user_as_changed(now, name, change) {
            Ok(user) => {
                let is_new_password = change.password.is_some();
                self.query(Pending::Change { asked, user: user.clone(), is_new_password }, Query::ChangeUser(user));
            }
            Err(refusal) => self.effects.reply(asked, Reply::Error(refusal)),
        }
    }

    fn user_as_changed(&self, now: Now, name: &str, change: &UserChange) -> Result<StoredUser, Refusal> {
        self.users_can_be_made()?;
        let refused = |rule: Rule, why: &str| Err(Refusal::new(rule, why));
        let mut user = match self.users.entries.get(name) {
            None => return refused(Rule::NoSuchUser, "there is no user of this name"),
            Some(Entry { stored: None, .. }) => {
                return refused(Rule::InDialplan, "this user is in the dialplan, and changed there");
            }
            Some(Entry { stored: Some(user), .. }) if user.invited_to.is_some() => {
                return refused(Rule::Invalid, "this user came by an invitation: take that back instead");
            }
            Some(Entry { stored: Some(user), .. }) => user.clone(),
        };
        change.check().map_err(|why| Refusal::new(Rule::Invalid, why))?;
        // What one change does not name is as the one before left it.
        let is_asked = |pending: &Pending| matches!(pending, Pending::Change { user, .. } if user.name == name);
        if self.users.pending.values().any(is_asked) {
            return refused(Rule::Busy, "this user is being changed");
        }
        let UserChange { display_name, password, temporary, max_calls } = change;
        if let Some(name) = display_name {
            user.display_name = Some(name.clone()).filter(|name| !name.is_empty());
        }
        if let Some(password) = password {
            user.keys = self.keys_of_user(name, password);
        }
        if let Some(seconds) = temporary {
            let until = whole_seconds(now.wall) + Duration::from_secs(*seconds);
            user.temporary_until = (*seconds != 0).then_some(until);
        }
        user.max_calls = max_calls.unwrap_or(user.max_calls);
        Ok(user)
    }

    /// The database has noted a change. What was registered with another password is so no more; calls go on.
    fn changed(&mut self, now: Now, asked: u64, user: StoredUser, is_new_password: bool) {
        let name = user.name.clone();
        if self.users.entries.get(&name).is_none_or(|entry| entry.stored.is_none()) {
            // Removed meanwhile, or the dialplan's.
            let refusal = Refusal::new(Rule::NoSuchUser, "there is no user of this name any more");
            return self.effects.reply(asked, Reply::Error(refusal));
        }
        self.users.ends.clear(&name);
        self.users.watch(now, &user);
        let entry = Entry::stored(user, &self.plan, &UserTerms::of(&self.plan));
        self.admission.add_user(&entry.user, entry.keys.clone());
        self.users.entries.insert(name.clone(), entry);
        if is_new_password && self.users.registrar.remove(&name) {
            self.after_loss(now, &name, "its password has changed");
        }
        self.log(Level::Info, None, "user changed", name.clone());
        self.effects.event(Event::UserChanged { user: name.clone() });
        let changed = self.users.status_of(now, &name).unwrap_or_default();
        self.effects.reply(asked, Reply::UserChanged(changed));
    }

    /// Removes a user who was made. Answered when the database has forgotten the user; calls go on.
    pub(in crate::gateway) fn remove_user(&mut self, asked: u64, name: String) {
        let refusal = match self.users.entries.get(&name) {
            None => (Rule::NoSuchUser, "there is no user of this name"),
            Some(Entry { stored: None, .. }) => (Rule::InDialplan, "this user is in the dialplan: take it out there"),
            Some(_) => {
                let pending = Pending::Remove { asked: Some(asked), name: name.clone() };
                return self.query(pending, Query::RemoveUser { name });
            }
        };
        self.effects.reply(asked, Reply::Error(Refusal::new(refusal.0, refusal.1)));
    }

    /// The database has answered, or will not.
    pub(in crate::gateway) fn on_query_done(&mut self, now: Now, id: u64, answer: Result<Kept, String>) {
        let Some(pending) = self.users.pending.remove(&id) else { return };
        self.users.trouble = answer.as_ref().err().cloned();
        let unavailable = |why: &String| Reply::Error(Refusal::new(Rule::Unavailable, format!("the database: {why}")));
        match (pending, answer) {
            (Pending::Load, answer) => self.on_loaded(now, answer),
            (Pending::Text { session, request }, answer) => self.on_text(session, request, answer),
            (Pending::Add { asked, user }, Ok(_)) => {
                let name = user.name.clone();
                self.enter_user(now, user);
                let made = self.users.status_of(now, &name).unwrap_or_default();
                self.effects.reply(asked, Reply::UserAdded(made));
            }
            (Pending::Change { asked, user, is_new_password }, Ok(_)) => {
                self.changed(now, asked, user, is_new_password);
            }
            (Pending::Invite { asked, invitation }, Ok(_)) => self.invited(now, asked, invitation),
            (Pending::Revoke { asked, id }, Ok(_)) => self.revoked(now, asked, &id),
            (Pending::Admit { asked, user, password }, Ok(_)) => self.admitted(now, asked, user, password),
            (
                Pending::Add { asked, .. }
                | Pending::Change { asked, .. }
                | Pending::Invite { asked, .. }
                | Pending::Revoke { asked, .. }
                | Pending::Admit { asked, .. },
                Err(why),
            ) => self.effects.reply(asked, unavailable(&why)),
            (Pending::Remove { asked, name }, Ok(_)) => {
                self.forget_user(now, &name, "removed");
                if let Some(asked) = asked {
                    self.effects.reply(asked, Reply::Done(format!("user {name} is removed")));
                }
            }
            (Pending::Remove { asked, name }, Err(why)) => {
                self.log_limited(now, Level::Warn, None, "user not removed", || format!("{name}: {why}"));
                if let Some(asked) = asked {
                    self.effects.reply(asked, unavailable(&why));
                }
            }
        }
    }

    /// The database has a user: from now on there is one.
    pub(super) fn enter_user(&mut self, now: Now, user: StoredUser) {
        let name = user.name.clone();
        self.users.watch(now, &user);
        let entry = Entry::stored(user, &self.plan, &UserTerms::of(&self.plan));
        self.admission.add_user(&entry.user, entry.keys.clone());
        self.users.entries.insert(name.clone(), entry);
        self.log(Level::Info, None, "user made", name.clone());
        self.effects.event(Event::UserAdded { user: name });
    }

    /// Removes a user at once; should the database not hear of it, it is so again at the next start.
    pub(super) fn drop_user(&mut self, now: Now, name: &str, why: &'static str) {
        self.query(Pending::Remove { asked: None, name: name.to_owned() }, Query::RemoveUser { name: name.to_owned() });
        self.forget_user(now, name, why);
    }

    /// Ends temporary users whose time is over, or who are gone.
    pub(super) fn end_temporary_users(&mut self, now: Now) {
        while let Some(name) = self.users.ends.pop_due(now.instant) {
            self.drop_user(now, &name, "temporary, and its time is over");
        }
    }

    /// A user is no more. One of the dialplan who has taken the name stays.
    fn forget_user(&mut self, now: Now, name: &str, why: &'static str) {
        if self.users.entries.get(name).is_none_or(|entry| entry.stored.is_none()) {
            return;
        }
        self.users.entries.remove(name);
        self.users.ends.clear(name);
        self.users.kept.remove(name);
        self.users.invitations.forget_user(name);
        self.admission.remove_user(name);
        if self.users.registrar.remove(name) {
            self.effects.event(Event::UserUnregistered { user: name.to_owned() });
        }
        self.log_limited(now, Level::Info, None, "user gone", || format!("{name}: {why}"));
        self.effects.event(Event::UserRemoved { user: name.to_owned() });
    }

    /// A temporary user has registered, or is registered nowhere any more.
    pub(super) fn note_presence(&mut self, now: Now, name: &str) {
        let Some(stored) = self.users.entries.get(name).and_then(|entry| entry.stored.as_ref()) else { return };
        let Some(until) = stored.temporary_until else { return };
        let left = until.duration_since(now.wall).unwrap_or_default();
        let is_there = !self.users.registrar.live(now.instant, name).is_empty();
        self.users.ends.set(name, now.instant + if is_there { left } else { left.min(GRACE) });
    }
}

pub(super) fn whole_seconds(time: SystemTime) -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(time.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs())
}
