//! What an administrator asks of a running gateway.

mod request;
mod status;

pub use request::{Guest, Progress, Reply, Request};
pub use status::{Backlog, CallStatus, RoomStatus, Status, TrunkStatus};

use super::cause::Cause;
use super::made_rooms::NewRoom;
use super::{Gateway, Refusal, Rule};
use crate::session::Invited;
use crate::types::{CallId, Now};

impl Gateway {
    pub(super) fn on_control(&mut self, now: Now, id: u64, request: Request) {
        let reply = match request {
            Request::Status => Reply::Status(self.status(now)),
            Request::Dial { room, create: false, .. } if !self.has_room(&room) => {
                let why = format!("there is no room {room:?}, neither in the dialplan nor open; --create makes it");
                Reply::Error(Refusal::new(Rule::NoSuchRoom, why))
            }
            Request::AddUser(new) => return self.add_user(now, id, new),
            Request::ChangeUser { name, change } => return self.change_user(now, id, &name, &change),
            Request::RemoveUser { name } => return self.remove_user(id, name),
            Request::Invite { room, name, until, host } => return self.invite(now, id, (room, name, host), until),
            Request::Invitations => Reply::Invitations(self.users.invitations(now)),
            Request::Invitation { id: invitation } => self.invitation(now, &invitation),
            Request::RevokeInvitation { id: invitation, room } => {
                return self.revoke_invitation(now, id, invitation, &room);
            }
            Request::UseInvitation { id: invitation } => return self.use_invitation(now, id, &invitation),
            Request::Users => Reply::Users(self.users.status(now)),
            Request::Mute { call, muted } => self.mute(&call, muted),
            Request::SetGain { call, decibels } => self.set_gain(&call, decibels),
            Request::KickRoom { room } => self.kick_room(now, &room),
            Request::Say { to, text } => match self.say_to(id, to, text) {
                Some(reply) => reply,
                None => return,
            },
            Request::Message { to, text } => self.message_to(now, &to, text),
            Request::Play { to, sound } => match self.play_to(id, to, sound) {
                Some(reply) => reply,
                None => return,
            },
            Request::Dial { room, number, confirm, digits, create: _ } => {
                return self.invite_into_room(now, id, Invited { room, number, confirm, digits });
            }
            Request::Transfer { call, number } => return self.transfer(now, id, &call, &number),
            Request::Hold { call } => return self.hold(now, id, &call, true),
            Request::Resume { call } => return self.hold(now, id, &call, false),
            Request::Kick { call } => self.kick(now, &call),
            Request::Join { room, guest } => return self.join(now, id, &room, guest),
            Request::MakeRoom { room, pin, host_pin, max_members, mute, replace } => {
                self.make_room(&room, &NewRoom { pin, host_pin, max_members, mute }, replace)
            }
            Request::UnmakeRoom { room } => self.unmake_room(&room),
            Request::LockRoom { room, locked } => self.lock_room(&room, locked),
            Request::Move { call, room } => self.move_call(&call, &room),
            Request::SendDigits { call, digits } => self.press(now, &call, digits),
            Request::Drain { seconds } => {
                self.drain(now, seconds);
                Reply::Done(format!("taking no new calls; {} in progress", self.calls.len()))
            }
        };
        self.effects.reply(id, reply);
    }

    fn kick(&mut self, now: Now, name: &str) -> Reply {
        match self.call_named(name) {
            Ok(id) => {
                // Who came by a program need not be told why.
                if self.calls.get(&id).is_some_and(|call| call.is_guest()) {
                    self.hang_up(now, id, Cause::Kicked);
                } else {
                    self.dismiss(now, id, "removed", Cause::Kicked);
                }
                Reply::Done(format!("{id} is hung up"))
            }
            Err(why) => Reply::Error(why),
        }
    }

    /// The call an administrator means.
    pub(super) fn call_named(&self, name: &str) -> Result<CallId, Refusal> {
        let found = CallId::named(name, self.effects.run()).filter(|id| self.calls.contains_key(id));
        let unknown = || format!("there is no call {name:?}; `partyline ctl status` lists them");
        found.ok_or_else(|| Refusal::new(Rule::NoSuchCall, unknown()))
    }
}
