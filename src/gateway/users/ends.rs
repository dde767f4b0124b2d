//! When temporary users end.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Instant;

/// At most one end of each user, in order of time.
#[derive(Debug, Default)]
pub(super) struct Ends {
    by_time: BTreeSet<(Instant, Arc<str>)>,
    by_name: BTreeMap<Arc<str>, Instant>,
}

impl Ends {
    pub fn set(&mut self, name: &str, at: Instant) {
        self.clear(name);
        let name: Arc<str> = name.into();
        self.by_time.insert((at, Arc::clone(&name)));
        self.by_name.insert(name, at);
    }

    pub fn clear(&mut self, name: &str) {
        if let Some((name, at)) = self.by_name.remove_entry(name) {
            self.by_time.remove(&(at, name));
        }
    }

    pub fn next(&self) -> Option<Instant> {
        self.by_time.first().map(|(at, _)| *at)
    }

    pub fn pop_due(&mut self, now: Instant) -> Option<Arc<str>> {
        let (at, name) = self.by_time.first()?.clone();
        if at > now {
            return None;
        }
        self.clear(&name);
        Some(name)
    }
}
