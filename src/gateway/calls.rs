//! All calls, by their own name and by the endpoint's.

use super::call::Call;
use crate::sip::InviteId;
use crate::types::{CallId, IdMap, relax};
use std::collections::BTreeMap;

/// Calls in progress, those being set up and ended included.
#[derive(Debug, Default)]
pub(super) struct Calls {
    by_id: BTreeMap<CallId, Call>,
    /// Those that the endpoint has something to say of.
    by_invite: IdMap<InviteId, CallId>,
}

impl Calls {
    /// A call that begins.
    pub(super) fn insert(&mut self, call: Call) {
        if let Some(invite) = call.invite {
            self.by_invite.insert(invite, call.id);
        }
        self.by_id.insert(call.id, call);
    }

    pub(super) fn get(&self, id: &CallId) -> Option<&Call> {
        self.by_id.get(id)
    }

    pub(super) fn get_mut(&mut self, id: &CallId) -> Option<&mut Call> {
        self.by_id.get_mut(id)
    }

    /// The call of an INVITE, until its signalling is over.
    pub(super) fn of(&self, invite: InviteId) -> Option<CallId> {
        self.by_invite.get(&invite).copied()
    }

    /// Our INVITE for a call went out.
    pub(super) fn invited(&mut self, id: CallId, invite: InviteId) {
        if let Some(call) = self.by_id.get_mut(&id) {
            call.invite = Some(invite);
            self.by_invite.insert(invite, id);
        }
    }

    /// One of several INVITEs for a call went out; which of them it will be is not known yet.
    pub(super) fn forked(&mut self, id: CallId, invite: InviteId) {
        self.by_invite.insert(invite, id);
    }

    /// The signalling of an INVITE is over, or nobody waits for it any more. Gives its call.
    pub(super) fn signalling_over(&mut self, invite: InviteId) -> Option<CallId> {
        let id = self.by_invite.remove(&invite);
        relax(&mut self.by_invite);
        id
    }

    /// Forgets a call.
    pub(super) fn remove(&mut self, id: &CallId) -> Option<Call> {
        self.by_id.remove(id)
    }

    /// Oldest first.
    pub(super) fn values(&self) -> impl Iterator<Item = &Call> {
        self.by_id.values()
    }

    /// Oldest first.
    pub(super) fn keys(&self) -> impl Iterator<Item = &CallId> {
        self.by_id.keys()
    }

    pub(super) fn contains_key(&self, id: &CallId) -> bool {
        self.by_id.contains_key(id)
    }

    pub(super) fn len(&self) -> usize {
        self.by_id.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.by_id.is_empty()
    }

    /// Whether nothing is left of any call.
    pub(super) fn is_idle(&self) -> bool {
        self.by_id.is_empty() && self.by_invite.is_empty()
    }
}
