//! INVITE with Replaces (RFC 3891): a call that takes another's place, as at the end of an attended transfer.

use super::can_be_moved;
use crate::gateway::peer::Peer;
use crate::gateway::{Gateway, SessionId};
use crate::sip::InviteId;
use crate::types::CallId;

/// The call that an INVITE is to replace.
#[derive(Debug)]
pub(in crate::gateway) struct Replaced {
    pub(in crate::gateway) session: SessionId,
    pub(in crate::gateway) route: String,
    pub(in crate::gateway) of: CallId,
}

impl Gateway {
    /// The call of an INVITE that one by `peer` is to replace. A call of another peer is not there, as far as this one
    /// is told, nor is one whose place is being taken already.
    pub(in crate::gateway) fn replaced_by(&self, peer: &Peer, invite: InviteId) -> Option<Replaced> {
        let call = self.calls.of(invite).and_then(|id| self.calls.get(&id))?;
        let may = peer.terms().replaces && call.peer.is(peer) && can_be_moved(call);
        let free = may && self.transfers.successor_of(call.id).is_none();
        free.then(|| Replaced { session: call.session, route: call.route.clone(), of: call.id })
    }
}
