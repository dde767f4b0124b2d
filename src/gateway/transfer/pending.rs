//! Which calls are being transferred, and how far each is.

use super::place::Place;
use crate::session;
use crate::sip::InviteId;
use crate::types::{CallId, IdMap, relax};

/// Most events that wait for a call to take its place.
const MOST_UNTOLD: usize = 8;

/// What a call is to become.
#[derive(Debug)]
pub(super) struct Succession {
    /// Whose place it takes.
    pub(super) of: CallId,
    /// Whom to tell how it goes: the dialog of the REFER. `None`: nobody asked, as with Replaces.
    pub(super) tells: Option<InviteId>,
    /// The place, if the one who had it is gone already.
    pub(super) place: Option<Place>,
    /// What the session is to hear once it has the place: it came while nobody had it.
    pub(super) untold: Vec<session::Event>,
}

/// A call that is being sent away.
#[derive(Debug)]
pub(super) struct Referring {
    /// The administrator's request; `None`: its session wants it.
    pub(super) asked: Option<u64>,
    pub(super) number: String,
}

/// All transfers under way.
#[derive(Debug, Default)]
pub(in crate::gateway) struct Transfers {
    /// By the call that is to take a place.
    successions: IdMap<CallId, Succession>,
    /// The call that is to take the place of this one.
    successors: IdMap<CallId, CallId>,
    /// The call that has taken the place of this one, which is still there.
    replaced: IdMap<CallId, CallId>,
    referring: IdMap<CallId, Referring>,
}

impl Transfers {
    /// One call is to take the place of another. `tells`: the dialog of the REFER that asked for it.
    pub(in crate::gateway) fn begin(&mut self, new: CallId, of: CallId, tells: Option<InviteId>) {
        self.successors.insert(of, new);
        self.successions.insert(new, Succession { of, tells, place: None, untold: Vec::new() });
    }

    /// Whether a call is to take another's place, and has not yet.
    pub(in crate::gateway) fn is_pending(&self, new: CallId) -> bool {
        self.successions.contains_key(&new)
    }

    /// The call that is to take this one's place.
    pub(super) fn successor_of(&self, old: CallId) -> Option<CallId> {
        self.successors.get(&old).copied()
    }

    /// Whom to tell how the call goes that is to take another's place.
    pub(super) fn referrer(&self, new: CallId) -> Option<InviteId> {
        self.successions.get(&new)?.tells
    }

    /// Keeps what the session is to hear once the call has its place.
    pub(super) fn keep_untold(&mut self, new: CallId, event: session::Event) {
        let succession = self.successions.get_mut(&new);
        if let Some(succession) = succession.filter(|succession| succession.untold.len() < MOST_UNTOLD) {
            succession.untold.push(event);
        }
    }

    /// The one who had the place is gone: it is kept for the new call, and nobody waits for news.
    pub(super) fn keep_place(&mut self, new: CallId, place: Place) {
        if let Some(succession) = self.successions.get_mut(&new) {
            succession.place = Some(place);
            succession.tells = None;
        }
    }

    /// The call takes the place now, or never will.
    pub(super) fn take(&mut self, new: CallId) -> Option<Succession> {
        let succession = self.successions.remove(&new)?;
        self.successors.remove(&succession.of);
        relax(&mut self.successions);
        relax(&mut self.successors);
        Some(succession)
    }

    /// A call is left without its place, and is to hang up.
    pub(super) fn replace(&mut self, old: CallId, by: CallId) {
        self.replaced.insert(old, by);
    }

    /// Who has taken a call's place.
    pub(super) fn replaced_by(&self, old: CallId) -> Option<CallId> {
        self.replaced.get(&old).copied()
    }

    /// The peer was asked to call `number` instead.
    pub(super) fn refer(&mut self, id: CallId, asked: Option<u64>, number: String) {
        self.referring.insert(id, Referring { asked, number });
    }

    pub(super) fn referring(&self, id: CallId) -> Option<&Referring> {
        self.referring.get(&id)
    }

    /// The outcome of our REFER is known.
    pub(super) fn referred(&mut self, id: CallId) -> Option<Referring> {
        self.referring.remove(&id)
    }

    /// A call is over.
    pub(super) fn forget(&mut self, id: CallId) {
        self.replaced.remove(&id);
        self.referring.remove(&id);
    }

    /// Whether none is under way.
    pub(in crate::gateway) fn is_idle(&self) -> bool {
        self.successions.is_empty()
            && self.successors.is_empty()
            && self.replaced.is_empty()
            && self.referring.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    use crate::session::CallHandle;

    const OLD: CallId = CallId(1);
    const NEW: CallId = CallId(2);
    const DIALOG: InviteId = InviteId(7);

    #[test]
    fn a_place_is_taken_once_and_nothing_is_left_of_the_transfer() {
        let mut transfers = Transfers::default();
        transfers.begin(NEW, OLD, Some(DIALOG));
        assert_eq!((transfers.successor_of(OLD), transfers.referrer(NEW)), (Some(NEW), Some(DIALOG)));
        assert!(transfers.is_pending(NEW) && !transfers.is_pending(OLD));
        assert!(transfers.take(NEW).is_some_and(|succession| succession.of == OLD));
        transfers.replace(OLD, NEW);
        assert!(transfers.take(NEW).is_none() && transfers.successor_of(OLD).is_none());
        transfers.forget(OLD);
        assert!(transfers.is_idle());
    }

    #[test]
    fn what_came_while_nobody_had_the_place_is_kept_within_bounds() {
        let mut transfers = Transfers::default();
        transfers.begin(NEW, OLD, Some(DIALOG));
        transfers.keep_place(NEW, Place::default());
        assert_eq!(transfers.referrer(NEW), None, "who referred is gone");
        for _ in 0..MOST_UNTOLD + 5 {
            transfers.keep_untold(NEW, session::Event::Answered { call: CallHandle(1) });
        }
        let taken = transfers.take(NEW).unwrap();
        assert!(taken.place.is_some() && taken.untold.len() == MOST_UNTOLD);
    }
}
