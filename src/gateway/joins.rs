//! Calls between sessions: each has two halves, one in either session, and no media of its own.

use super::SessionId;
use super::flat::Flat;
use super::message_limit::MessageLimit;
use crate::session::{CallHandle, Party};
use crate::types::{CallId, IdMap, Now, relax};
use std::collections::HashMap;
use std::time::Duration;

/// A call to a conference, as a session asks for it.
#[derive(Debug)]
pub(super) struct JoinRequest {
    pub(super) call: CallHandle,
    pub(super) to: String,
    pub(super) from: Party,
    pub(super) headers: Vec<(String, String)>,
}

/// One half of a join, as the session that has it sees it: a call.
#[derive(Debug, Clone)]
pub(super) struct Half {
    pub(super) session: SessionId,
    pub(super) other: CallId,
    /// Its session made the join.
    pub(super) is_callers: bool,
    /// Who calls, and which conference.
    pub(super) from: Party,
    pub(super) number: String,
    /// The route that leads there.
    pub(super) route: String,
    pub(super) answered: Option<Now>,
    pub(super) muted: bool,
    /// Messages that its session sends.
    pub(super) messages: MessageLimit,
}

impl Half {
    /// Where it stands, in the words of [`Phase::name`](super::call::Phase::name).
    pub(super) const fn state(&self) -> &'static str {
        match (self.answered.is_some(), self.is_callers) {
            (true, _) => "answered",
            (false, true) => "being called",
            (false, false) => "not answered",
        }
    }

    /// Since the answer.
    pub(super) fn talked(&self, now: Now) -> Duration {
        self.answered.map_or(Duration::ZERO, |at| now.instant.saturating_duration_since(at.instant))
    }
}

/// All joins, the sessions they lead to, and who hears whom by them.
#[derive(Debug, Default)]
pub(super) struct Joins {
    halves: IdMap<CallId, Half>,
    /// The sessions of conferences, by name.
    conferences: HashMap<String, SessionId>,
    pub(super) flat: Flat,
}

impl Joins {
    /// The caller's half first.
    pub(super) fn insert(&mut self, (one, half): (CallId, Half), (other, its): (CallId, Half)) {
        self.flat.join(one, other);
        self.halves.insert(one, half);
        self.halves.insert(other, its);
    }

    pub(super) fn get(&self, half: CallId) -> Option<&Half> {
        self.halves.get(&half)
    }

    pub(super) fn get_mut(&mut self, half: CallId) -> Option<&mut Half> {
        self.halves.get_mut(&half)
    }

    pub(super) fn contains(&self, half: CallId) -> bool {
        self.halves.contains_key(&half)
    }

    /// All halves, in no order.
    pub(super) fn iter(&self) -> impl Iterator<Item = (CallId, &Half)> {
        self.halves.iter().map(|(id, half)| (*id, half))
    }

    pub(super) fn len(&self) -> usize {
        self.halves.len()
    }

    /// Forgets both halves; the one that was asked for first.
    pub(super) fn remove(&mut self, half: CallId) -> Option<(Half, Half)> {
        let one = self.halves.remove(&half)?;
        let other = self.halves.remove(&one.other)?;
        relax(&mut self.halves);
        Some((one, other))
    }

    /// The session of the conference of that name.
    pub(super) fn conference(&self, name: &str) -> Option<SessionId> {
        self.conferences.get(name).copied()
    }

    /// A session was started for the conference of that name.
    pub(super) fn begin_conference(&mut self, name: String, session: SessionId) {
        self.conferences.insert(name, session);
    }

    /// A session is over.
    pub(super) fn end_conference(&mut self, session: SessionId) {
        if !self.conferences.is_empty() {
            self.conferences.retain(|_, of| *of != session);
            relax(&mut self.conferences);
        }
    }

    /// Whether there is none.
    pub(super) fn is_idle(&self) -> bool {
        self.halves.is_empty() && self.conferences.is_empty() && self.flat.is_empty()
    }
}
