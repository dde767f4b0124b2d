//! How a direct call stands: what `direct/` keeps of it from the caller's INVITE to its end.

use super::forking::better_refusal;
use crate::sip::InviteId;
use crate::sip::message::StatusCode;
use crate::sip::registrar::Binding;

/// Both dialogs of a call between two users whose descriptions pass untouched. The caller's INVITE is the call's own.
#[derive(Debug)]
pub(super) struct Relayed {
    /// Where the callee is registered, until somebody answers.
    pub(super) places: Vec<Place>,
    /// The callee's dialog, once somebody has answered.
    pub(super) callee: Option<InviteId>,
    /// The best of the refusals so far.
    pub(super) refused: Option<StatusCode>,
    /// The caller was told that it rings.
    pub(super) rings: bool,
    /// The callee's answer brought an offer: the caller's ACK brings the answer.
    pub(super) answer_in_ack: bool,
    /// An offer that the other side has not answered yet.
    pub(super) open: Option<OpenOffer>,
}

/// One place where the callee is registered.
#[derive(Debug)]
pub(super) struct Place {
    pub(super) binding: Binding,
    /// Our INVITE, while it has no final response.
    pub(super) invite: Option<InviteId>,
}

/// An offer inside the call, by the side that made it or asked for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum OpenOffer {
    /// This side offers; the other's answer is its answer.
    By(InviteId),
    /// This side wants to be offered something: the other is asked for it.
    WantedBy(InviteId),
}

impl Relayed {
    pub(super) fn new(places: Vec<Binding>) -> Self {
        let places = places.into_iter().map(|binding| Place { binding, invite: None }).collect();
        Self { places, callee: None, refused: None, rings: false, answer_in_ack: false, open: None }
    }

    /// Whether no place is left that may still answer.
    pub(super) fn is_over(&self) -> bool {
        self.places.iter().all(|place| place.invite.is_none())
    }

    /// The INVITE to one place failed. Gives where that was.
    pub(super) fn note_refusal(&mut self, invite: InviteId, status: StatusCode) -> Option<&Binding> {
        self.refused = Some(better_refusal(self.refused, status));
        let place = self.places.iter_mut().find(|place| place.invite == Some(invite))?;
        place.invite = None;
        Some(&place.binding)
    }

    /// The side that the other is, of the call whose caller's dialog is `caller`.
    pub(super) fn other(&self, caller: Option<InviteId>, side: InviteId) -> Option<InviteId> {
        if caller == Some(side) { self.callee } else { caller }
    }
}
