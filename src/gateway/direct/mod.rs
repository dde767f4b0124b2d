//! Direct calls between users: a call is two dialogs, and what either side describes passes to the other untouched, so
//! that their media goes from one to the other and none comes here.

mod calling;
mod relaying;

use crate::gateway::Gateway;
use crate::gateway::cause::Cause;
use crate::sip::message::Headers;
use crate::sip::{Body, EndedBy, Event, InviteId};
use crate::types::{CallId, Now};

impl Gateway {
    /// The direct call that an event is of, if it is of one.
    pub(super) fn direct_call_of(&self, event: &Event) -> Option<(CallId, InviteId)> {
        let invite = event.invite()?;
        let id = self.calls.of(invite)?;
        self.calls.get(&id).is_some_and(|call| call.phase.relayed().is_some()).then_some((id, invite))
    }

    /// An event of a direct call.
    pub(super) fn on_direct(&mut self, now: Now, (id, invite): (CallId, InviteId), event: Event) {
        match event {
            Event::Progress { status, body, .. } => self.direct_rings(now, id, status, body),
            Event::Answered { body, needs_answer, .. } => self.direct_answered(now, id, (invite, needs_answer), body),
            Event::Failed { status, .. } => self.direct_refused(now, id, invite, status),
            Event::Acknowledged { body, .. } => self.direct_acknowledged(now, id, body),
            Event::Cancelled { reason, .. } => {
                self.note_reason(id, reason.as_ref());
                if let Some(call) = self.calls.get_mut(&id) {
                    call.status = Some(487);
                }
                self.calls.signalling_over(invite);
                self.end(now, id, Cause::Cancelled);
            }
            Event::Offer { body, method, .. } => self.relay_offer(now, id, invite, body, &method),
            Event::Answer { body, .. } => self.relay_answer(now, id, invite, Ok(body)),
            Event::OfferFailed { status, .. } => self.relay_answer(now, id, invite, Err(status)),
            Event::Info { content_type, body, .. } => {
                if let Some(other) = self.other_side(id, invite) {
                    let body = Body { content_type: content_type.unwrap_or_default().into(), bytes: body };
                    let result = self.endpoint.info(now, other, &Headers::new(), &body);
                    self.note("relayed INFO", result);
                }
            }
            Event::Message { content_type, body, .. } => {
                if let Some(other) = self.other_side(id, invite) {
                    let body = Body { content_type: content_type.unwrap_or_default().into(), bytes: body };
                    let result = self.endpoint.message(now, other, &Headers::new(), &body);
                    self.note("relayed MESSAGE", result);
                }
            }
            Event::Ended { by, reason, .. } => {
                self.note_reason(id, reason.as_ref());
                self.direct_ended(now, id, invite, by);
            }
            _ => {}
        }
    }

    /// The dialog of the other side.
    fn other_side(&self, id: CallId, invite: InviteId) -> Option<InviteId> {
        let call = self.calls.get(&id)?;
        call.phase.relayed()?.other(call.invite, invite)
    }

    /// One side's dialog is over: so is the other's.
    fn direct_ended(&mut self, now: Now, id: CallId, invite: InviteId, by: EndedBy) {
        let Some(caller) = self.calls.get(&id).map(|call| call.invite) else { return };
        let is_caller = caller == Some(invite);
        let cause = match by {
            EndedBy::Remote if is_caller => Cause::CallerHungUp,
            EndedBy::Remote => Cause::CalledHungUp,
            EndedBy::AckTimeout => Cause::AckTimeout,
            EndedBy::SessionExpired => Cause::SessionExpired,
            EndedBy::DialogLost | EndedBy::TransportFailed => Cause::TransportFailed,
            EndedBy::NoAnswer => Cause::MediaRefused("no answer to an offer came".into()),
            EndedBy::Local => Cause::Session("hangup".into()),
        };
        self.calls.signalling_over(invite);
        if !is_caller && let Some(caller) = caller {
            let result = self.endpoint.hangup(now, caller, Some(cause.reason()));
            self.note("hangup", result);
        }
        self.end(now, id, cause);
    }

    /// The call ends: the callee's side is hung up, wherever it rings or talks.
    pub(super) fn leave_callee(&mut self, now: Now, id: CallId, cause: &Cause) {
        let Some(relayed) = self.calls.get_mut(&id).and_then(|call| call.phase.relayed_mut()) else { return };
        let callee = relayed.callee.take().into_iter();
        let ringing = std::mem::take(&mut relayed.places).into_iter().filter_map(|place| place.invite);
        for invite in callee.chain(ringing).collect::<Vec<_>>() {
            if self.calls.signalling_over(invite).is_some() {
                let result = self.endpoint.hangup(now, invite, Some(cause.reason()));
                self.note("hangup", result);
            }
        }
    }
}

#[cfg(test)]
mod tests;
