//! Our REFER: the peer is asked to call somebody in our place, as `partyline ctl transfer` wants it.

use super::can_be_moved;
use crate::dialplan::outgoing;
use crate::gateway::cause::Cause;
use crate::gateway::peer::Peer;
use crate::gateway::timer::Timer;
use crate::gateway::{Call, Gateway, Level, Masked, Progress, Refusal, Reply, Rule, SessionId};
use crate::session::{self, ReferTarget};
use crate::sip::InviteId;
use crate::sip::message::{Host, NameAddr, StatusCode, Uri};
use crate::types::{CallId, Now};
use std::time::Duration;

/// How long the peer may take until the one it calls has answered.
const PATIENCE: Duration = Duration::from_secs(180);

impl Gateway {
    /// Asks the peer of a call to call `number` instead. All further replies come as it goes on.
    pub(in crate::gateway) fn transfer(&mut self, now: Now, asked: u64, name: &str, number: &str) {
        let referred = self.call_named(name).and_then(|id| self.refer_call(now, id, Some(asked), number));
        if let Err(why) = referred {
            self.effects.reply(asked, Reply::Error(why));
        }
    }

    /// The same for a session, which is told the outcome; or the peer is asked to take over another call of the
    /// session's, with the same peer, whose other end it then speaks with.
    pub(in crate::gateway) fn refer_to(
        &mut self,
        now: Now,
        session: SessionId,
        id: CallId,
        to: ReferTarget,
    ) -> Result<(), Refusal> {
        let (other, number) = match to {
            ReferTarget::Number(number) => (None, number),
            ReferTarget::Call(other, number) => (self.call_under(session, other).map(|call| call.id), number),
        };
        match other.and_then(|other| self.taken_over(id, other)) {
            Some((name, target)) => self.send_refer(now, id, None, (name, NameAddr::new(target))),
            None => self.refer_call(now, id, None, &number),
        }
    }

    /// Whom the peer of a call is to call to take over another one; `None`: it cannot.
    fn taken_over(&self, id: CallId, other: CallId) -> Option<(String, Uri)> {
        let (call, other) = (self.calls.get(&id)?, self.calls.get(&other)?);
        let is_free = can_be_moved(other) && self.transfers.successor_of(other.id).is_none();
        let target = self.endpoint.successor_target(other.invite?)?;
        let is_possible = id != other.id && is_free && call.peer.is(&other.peer) && !call.peer.trunk_name().is_empty();
        is_possible.then(|| (other.id.to_string(), target))
    }

    /// The same for whoever asks. A session is told the outcome.
    pub(in crate::gateway) fn refer_call(
        &mut self,
        now: Now,
        id: CallId,
        asked: Option<u64>,
        number: &str,
    ) -> Result<(), Refusal> {
        let call = self.referable(id)?;
        let allowed =
            outgoing::allow(&call.plan, number).map_err(|denied| Refusal::new(Rule::NotAllowed, denied.to_string()))?;
        let number = allowed.number;
        let written = call.peer.written(&number);
        let port = Some(call.remote.port()).filter(|port| *port != 5060);
        let target = NameAddr::new(Uri::sip(Some(written.as_str()), Host::Ip(call.remote.ip().to_canonical()), port));
        self.send_refer(now, id, asked, (number, target))
    }

    /// The call, if its peer can be asked to call somebody else.
    fn referable(&self, id: CallId) -> Result<&Call, Refusal> {
        let call = self.calls.get(&id).ok_or_else(Refusal::call_is_over)?;
        let peer = &call.peer;
        if !peer.terms().refer {
            let why = match peer {
                Peer::Trunk(_) => format!("{} is not set: its calls are not transferred", peer.setting("refer")),
                Peer::User(_) => "calls of users are not transferred".to_owned(),
                Peer::Guest(_) => "guests are not transferred".to_owned(),
            };
            return Err(Refusal::new(Rule::NotAllowed, why));
        }
        if self.transfers.referring(id).is_some() || !can_be_moved(call) || self.transfers.successor_of(id).is_some() {
            let why = format!("{id} is not answered, or is being transferred already");
            return Err(Refusal::new(Rule::Busy, why));
        }
        Ok(call)
    }

    /// Sends the REFER; `number` says for log and record whom it names.
    fn send_refer(
        &mut self,
        now: Now,
        id: CallId,
        asked: Option<u64>,
        (number, target): (String, NameAddr),
    ) -> Result<(), Refusal> {
        let call = self.referable(id)?;
        let invite = call.invite.ok_or_else(Refusal::call_is_over)?;
        let referred = self.endpoint.refer(now, invite, &target);
        referred.map_err(|error| Refusal::new(Rule::Failed, error.to_string()))?;
        self.log(Level::Info, Some(id), "refers", format!("to {}", Masked(&number)));
        self.transfers.refer(id, asked, number);
        self.effects.timers.set(Timer::Referral(id), now.instant + PATIENCE);
        Ok(())
    }

    /// The peer takes our REFER; `over`: and will say nothing more.
    pub(in crate::gateway) fn on_refer_accepted(&mut self, now: Now, invite: InviteId, over: bool) {
        let Some(id) = self.calls.of(invite) else { return };
        self.tell_transfer(id, "the peer will call it");
        if over {
            self.transferred(now, id);
        }
    }

    /// What comes of our REFER.
    pub(in crate::gateway) fn on_refer_progress(
        &mut self,
        now: Now,
        invite: InviteId,
        status: Option<StatusCode>,
        over: bool,
    ) {
        let Some(id) = self.calls.of(invite) else { return };
        match status {
            Some(status) if status.is_success() => self.transferred(now, id),
            Some(status) if over && !status.is_provisional() => {
                self.not_transferred(id, status.0, &format!("{} {}", status.0, status.reason()));
            }
            _ if over => self.not_transferred(id, 408, "the peer tells nothing more"),
            Some(status) => self.tell_transfer(id, &format!("{} {}", status.0, status.reason())),
            None => {}
        }
    }

    fn tell_transfer(&mut self, id: CallId, what: &str) {
        let Some(asked) = self.transfers.referring(id).and_then(|referring| referring.asked) else { return };
        let progress = Progress { call: id.to_string(), what: what.to_owned() };
        self.effects.reply(asked, Reply::Progress(progress));
    }

    fn transferred(&mut self, now: Now, id: CallId) {
        let Some(referring) = self.transfers.referred(id) else { return };
        self.effects.timers.clear(Timer::Referral(id));
        let done = Reply::Done(format!("{id} is transferred to {}", referring.number));
        self.tell_outcome(id, referring.asked, (200, done));
        self.hang_up(now, id, Cause::Transferred(referring.number));
    }

    /// It came to nothing: the call goes on as it was.
    fn not_transferred(&mut self, id: CallId, status: u16, why: &str) {
        let Some(referring) = self.transfers.referred(id) else { return };
        self.effects.timers.clear(Timer::Referral(id));
        self.log(Level::Info, Some(id), "not transferred, call kept", why.to_owned());
        let why = Refusal::new(Rule::Failed, format!("{id} is not transferred, and goes on: {why}"));
        self.tell_outcome(id, referring.asked, (status, Reply::Error(why)));
    }

    fn tell_outcome(&mut self, id: CallId, asked: Option<u64>, (status, reply): (u16, Reply)) {
        if let Some(asked) = asked {
            return self.effects.reply(asked, reply);
        }
        let reason = match reply {
            Reply::Error(why) => why.detail,
            _ => "transferred".to_owned(),
        };
        self.emit_of(id, |call| session::Event::Referred { call, status, reason });
    }

    /// The peer has said nothing for too long.
    pub(in crate::gateway) fn on_referral_overdue(&mut self, id: CallId) {
        self.not_transferred(id, 408, "no word of the outcome came");
    }

    /// The call ended under our hands.
    pub(super) fn referral_over(&mut self, id: CallId, cause: &Cause) {
        let Some(referring) = self.transfers.referred(id) else { return };
        self.effects.timers.clear(Timer::Referral(id));
        let why = format!("{id} ended before the outcome was known: {cause}");
        let reply = Reply::Error(Refusal::new(Rule::Failed, why));
        self.tell_outcome(id, referring.asked, (487, reply));
    }
}
