//! The calls of one session, and the handles it knows them by.

use crate::session::CallHandle;
use crate::types::CallId;

/// Each call of a session with its handle. Found from either; a session has few.
#[derive(Debug, Default)]
pub(super) struct Handles {
    /// Without a handle: it is to take another's place, and the session knows nothing of it.
    calls: Vec<(CallId, Option<CallHandle>)>,
    /// Calls that came in.
    given: u32,
}

impl Handles {
    /// A call came in. Gives its handle.
    pub(super) fn give(&mut self, call: CallId) -> CallHandle {
        let handle = CallHandle(CallHandle::FIRST_GIVEN.0 + self.given);
        self.given = (self.given + 1) % CallHandle::FIRST_GIVEN.0;
        self.calls.push((call, Some(handle)));
        handle
    }

    /// A call that the session makes; without a handle, one that it is to know nothing of.
    pub(super) fn insert(&mut self, call: CallId, handle: Option<CallHandle>) {
        self.calls.push((call, handle));
    }

    /// A call is over. Gives the handle it had.
    pub(super) fn remove(&mut self, call: CallId) -> Option<CallHandle> {
        let at = self.calls.iter().position(|(known, _)| *known == call)?;
        self.calls.remove(at).1
    }

    /// The session goes on with another call under the old one's handle.
    pub(super) fn replace(&mut self, old: CallId, new: CallId) {
        let handle = self.remove(old);
        match self.calls.iter_mut().find(|(known, _)| *known == new) {
            Some((_, known)) => *known = handle,
            None => self.calls.push((new, handle)),
        }
    }

    /// What the session calls a call.
    pub(super) fn of(&self, call: CallId) -> Option<CallHandle> {
        self.calls.iter().find(|(known, _)| *known == call)?.1
    }

    /// The call that the session means.
    pub(super) fn call(&self, handle: CallHandle) -> Option<CallId> {
        self.calls.iter().find(|(_, known)| *known == Some(handle)).map(|(call, _)| *call)
    }

    /// All calls, in the order they came and were made.
    pub(super) fn calls(&self) -> impl Iterator<Item = CallId> + '_ {
        self.calls.iter().map(|(call, _)| *call)
    }

    pub(super) fn len(&self) -> usize {
        self.calls.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.calls.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_goes_on_naming_the_first_call_however_often_its_place_is_taken() {
        let mut handles = Handles::default();
        let (first, own) = (handles.give(CallId(1)), CallHandle(1));
        handles.insert(CallId(9), Some(own));
        handles.insert(CallId(2), None);
        assert!(own.is_own() && !first.is_own());
        assert_eq!(handles.of(CallId(2)), None, "it has not taken the place yet");
        handles.replace(CallId(1), CallId(2));
        handles.replace(CallId(2), CallId(3));
        assert_eq!((handles.of(CallId(3)), handles.call(first)), (Some(first), Some(CallId(3))));
        assert_eq!((handles.of(CallId(1)), handles.call(own)), (None, Some(CallId(9))));
        assert_eq!((handles.remove(CallId(3)), handles.call(first)), (Some(first), None));
        assert_ne!(handles.give(CallId(4)), first, "no handle is used twice");
    }
}
