//! Invitations of one person to one room: how they are made, taken back, and used. Whoever shows one becomes a
//! temporary user who may call that room alone; whoever shows it again takes that user's place.

use super::Users;
use super::making::{Pending, whole_seconds};
use crate::gateway::cause::Cause;
use crate::gateway::kept::{InvitedTo, Query, StoredInvitation, StoredUser};
use crate::gateway::{Gateway, InvitationStatus, InvitedUser, Level, MadeInvitation, Password, Refusal, Reply, Rule};
use crate::types::{CallId, Now};
use rand::RngCore;
use std::time::{Duration, UNIX_EPOCH};

/// Characters of a name.
const LONGEST_NAME: usize = 64;
/// How far away an end may be, seconds.
const LONGEST: u64 = 366 * 24 * 3_600;
/// Invitations that have not ended.
const MOST: usize = 10_000;
/// Calls at one time: to the room, and directly to others who were invited to it. Those of a client which has lost its
/// connection may still be there when it calls again.
const MAX_CALLS: u32 = 64;

impl Users {
    /// Those that have not ended.
    pub(in crate::gateway) fn invitations(&self, now: Now) -> Vec<InvitationStatus> {
        self.invitations.status(now.wall)
    }

    /// Whether it is a host whom this invitation invites.
    pub(in crate::gateway) fn is_host(&self, to: &InvitedTo) -> bool {
        self.invitations.get(&to.invitation).is_some_and(|invitation| invitation.host)
    }
}

impl Gateway {
    /// Invites somebody, to a room by name and as host or not. Answered when the database has it.
    pub(in crate::gateway) fn invite(
        &mut self,
        now: Now,
        asked: u64,
        (room, name, host): (String, String, bool),
        until: u64,
    ) {
        match self.invitation_to_be(now, (room, name, host), until) {
            Ok(invitation) => {
                let query = Query::AddInvitation(invitation.clone());
                self.query(Pending::Invite { asked, invitation }, query);
            }
            Err(refusal) => self.effects.reply(asked, Reply::Error(refusal)),
        }
    }

    fn invitation_to_be(
        &mut self,
        now: Now,
        (room, name, host): (String, String, bool),
        until: u64,
    ) -> Result<StoredInvitation, Refusal> {
        self.users_can_be_made()?;
        // A room that is there only as long as somebody is in it would be gone when its guest comes.
        if self.plan.room(&room).is_none() && self.rooms.made(&room).is_none() {
            let why = format!("there is no room {room:?}, neither in the dialplan nor made");
            return Err(Refusal::new(Rule::NoSuchRoom, why));
        }
        let invalid = |why: String| Err(Refusal::new(Rule::Invalid, why));
        if name.trim().is_empty() || name.chars().count() > LONGEST_NAME || name.chars().any(char::is_control) {
            return invalid(format!("a name has 1 to {LONGEST_NAME} characters that can be printed"));
        }
        let created = whole_seconds(now.wall);
        let since = created.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        if !(since + 1..=since + LONGEST).contains(&until) {
            return invalid("an invitation ends in the future, within a year".into());
        }
        if self.users.invitations.count(now.wall) >= MOST {
            return Err(Refusal::new(Rule::Limit, format!("there are {MOST} invitations already")));
        }
        let id = format!("{:016x}", self.random.next_u64());
        let until = UNIX_EPOCH + Duration::from_secs(until);
        Ok(StoredInvitation { id, room, name, host, created, until, revoked: false })
    }

    /// The database has an invitation.
    pub(super) fn invited(&mut self, _now: Now, asked: u64, invitation: StoredInvitation) {
        let id = invitation.id.clone();
        let room = self.logged_room(&invitation.room);
        self.log(Level::Info, None, "invitation made", format!("{id} to room {room}"));
        self.users.invitations.insert(invitation);
        let invitation = self.users.invitations.status_of(&id).unwrap_or_default();
        let pin = self.keyed(&invitation.room);
        self.effects.reply(asked, Reply::InvitationMade(MadeInvitation { invitation, pin }));
    }

    /// What an invitation says, as long as somebody may come by it.
    pub(in crate::gateway) fn invitation(&self, now: Now, id: &str) -> Reply {
        match self.usable_invitation(now, id) {
            Ok(_) => Reply::Invited(self.users.invitations.status_of(id).unwrap_or_default()),
            Err(refusal) => Reply::Error(refusal),
        }
    }

    /// Takes an invitation back. Answered when the database has noted it.
    pub(in crate::gateway) fn revoke_invitation(&mut self, now: Now, asked: u64, id: String, room: &str) {
        let known = self.users.invitations.get(&id).filter(|known| known.until > now.wall && known.room == *room);
        let refusal = match known {
            _ if !self.users.loading.is_done() => self.users_can_be_made().err(),
            None => Some(no_invitation()),
            Some(known) if known.revoked => Some(Refusal::new(Rule::NoChange, "it was taken back already")),
            Some(_) => None,
        };
        match refusal {
            Some(refusal) => self.effects.reply(asked, Reply::Error(refusal)),
            None => self.query(Pending::Revoke { asked, id: id.clone() }, Query::RevokeInvitation { id }),
        }
    }

    /// The database knows that an invitation was taken back.
    pub(super) fn revoked(&mut self, now: Now, asked: u64, id: &str) {
        if let Some(user) = self.users.invitations.revoke(id) {
            self.send_out(now, &user, "its invitation was taken back");
        }
        self.log(Level::Info, None, "invitation taken back", id.to_owned());
        self.effects.reply(asked, Reply::Done(format!("invitation {id} is taken back")));
    }

    /// Somebody shows an invitation, and is to be a user. Answered when the database has one.
    pub(in crate::gateway) fn use_invitation(&mut self, now: Now, asked: u64, id: &str) {
        let invitation = match self.usable_invitation(now, id) {
            Ok(invitation) => invitation.clone(),
            Err(refusal) => return self.effects.reply(asked, Reply::Error(refusal)),
        };
        let mut bits = [0; 16];
        self.keys.fill_bytes(&mut bits);
        let hexadecimal = |bits: &[u8]| bits.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
        let password = Password::new(hexadecimal(&bits));
        // A name of its own each time: what one before proved counts for nobody after.
        let name = format!("guest-{:012x}", self.random.next_u64() >> 16);
        let user = StoredUser {
            keys: self.keys_of_user(&name, &password),
            name,
            display_name: Some(invitation.name),
            max_calls: MAX_CALLS,
            created: whole_seconds(now.wall),
            temporary_until: Some(invitation.until),
            invited_to: Some(InvitedTo { invitation: invitation.id, room: invitation.room }),
        };
        self.query(Pending::Admit { asked, user: user.clone(), password }, Query::AddUser(user));
    }

    fn usable_invitation(&self, now: Now, id: &str) -> Result<&StoredInvitation, Refusal> {
        self.users_can_be_made()?;
        let invitation = self.users.invitations.get(id).ok_or_else(no_invitation)?;
        if invitation.until <= now.wall {
            return Err(Refusal::new(Rule::InvitationExpired, "the invitation has ended"));
        }
        if invitation.revoked {
            return Err(Refusal::new(Rule::InvitationRevoked, "the invitation was taken back"));
        }
        if !self.has_room(&invitation.room) {
            return Err(Refusal::new(Rule::NoSuchRoom, format!("there is no room {:?} any more", invitation.room)));
        }
        Ok(invitation)
    }

    /// The database has the user that whoever showed an invitation is.
    pub(super) fn admitted(&mut self, now: Now, asked: u64, user: StoredUser, password: Password) {
        let name = user.name.clone();
        let id = user.invited_to.as_ref().map_or_else(String::new, |to| to.invitation.clone());
        // Meanwhile it may have been taken back.
        if let Err(refusal) = self.usable_invitation(now, &id) {
            let query = Query::RemoveUser { name: name.clone() };
            self.query(Pending::Remove { asked: None, name }, query);
            return self.effects.reply(asked, Reply::Error(refusal));
        }
        let before = self.users.invitations.note_user(&user);
        self.enter_user(now, user);
        self.note_presence(now, &name);
        if let Some(before) = before {
            self.send_out(now, &before, "its invitation was used again");
        }
        let Some(invitation) = self.users.invitations.status_of(&id) else { return };
        let room = self.logged_room(&invitation.room);
        self.log(Level::Info, None, "invitation used", format!("{id} to room {room}, by {name}"));
        let pin = self.keyed(&invitation.room).filter(|_| invitation.host);
        self.effects.reply(asked, Reply::Admitted(InvitedUser { user: name, password, invitation, pin }));
    }

    /// What telephones key to come into a room of that name, where it has a PIN.
    fn keyed(&self, room: &str) -> Option<Password> {
        let room = self.plan.room(room).or_else(|| self.rooms.made(room));
        room.and_then(|room| room.keyed()).map(Password::new)
    }

    /// Somebody who was invited is a user no more, and in no call.
    fn send_out(&mut self, now: Now, name: &str, why: &'static str) {
        self.drop_user(now, name, why);
        let calls = self.calls.values().filter(|call| call.peer.user_name() == name);
        let calls: Vec<CallId> = calls.map(|call| call.id).collect();
        for id in calls {
            self.hang_up(now, id, Cause::Kicked);
        }
    }
}

fn no_invitation() -> Refusal {
    Refusal::new(Rule::NoSuchInvitation, "there is no such invitation")
}
