//! Offers inside a direct call: each goes to the other side, and its answer back.

use crate::gateway::Gateway;
use crate::gateway::relayed::OpenOffer;
use crate::sip::message::{Method, StatusCode};
use crate::sip::{Body, InviteId};
use crate::types::{CallId, Now};
use bytes::Bytes;

impl Gateway {
    /// One side offers anew, or wants to be offered something.
    pub(super) fn relay_offer(&mut self, now: Now, id: CallId, side: InviteId, offer: Option<Bytes>, method: &Method) {
        let other = self.other_side(id, side);
        let Some(relayed) = self.calls.get_mut(&id).and_then(|call| call.phase.relayed_mut()) else { return };
        let Some(other) = other.filter(|_| relayed.callee.is_some()) else {
            // Before the answer there is nobody yet of whom it could be asked.
            return self.answer_offer(now, side, Err(StatusCode::REQUEST_PENDING));
        };
        match (relayed.open, offer) {
            // What the other side wanted to be offered.
            (Some(OpenOffer::WantedBy(asker)), Some(offer)) if asker == other => {
                relayed.open = Some(OpenOffer::By(side));
                self.answer_offer(now, asker, Ok(Body::sdp(offer)));
            }
            (None, offer) => {
                let is_offered = offer.is_some();
                relayed.open = Some(if is_offered { OpenOffer::By(side) } else { OpenOffer::WantedBy(side) });
                let body = offer.map(Body::sdp);
                let by_update = *method == Method::Update && is_offered;
                let is_sent = (by_update && self.endpoint.update(now, other, body.clone()).is_ok())
                    || self.endpoint.reinvite(now, other, body).is_ok();
                if !is_sent {
                    self.close_offer(id);
                    self.answer_offer(now, side, Err(StatusCode::REQUEST_PENDING));
                }
            }
            (Some(_), _) => self.answer_offer(now, side, Err(StatusCode::REQUEST_PENDING)),
        }
    }

    /// One side answers the other's offer, or will not.
    pub(super) fn relay_answer(&mut self, now: Now, id: CallId, side: InviteId, answer: Result<Bytes, StatusCode>) {
        // One that nobody waits for answers a refresh of ours, which changed nothing.
        let Some(OpenOffer::By(asker) | OpenOffer::WantedBy(asker)) = self.close_offer(id) else { return };
        if asker != side {
            self.answer_offer(now, asker, answer.map(Body::sdp));
        }
    }

    fn close_offer(&mut self, id: CallId) -> Option<OpenOffer> {
        self.calls.get_mut(&id)?.phase.relayed_mut()?.open.take()
    }
}
