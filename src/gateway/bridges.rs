//! Calls that hear each other without a room.

use crate::types::CallId;
use std::collections::BTreeSet;

/// One end first, then the other; found from either.
#[derive(Debug, Default)]
pub(super) struct Bridges {
    by_source: BTreeSet<(CallId, CallId)>,
    by_sink: BTreeSet<(CallId, CallId)>,
}

impl Bridges {
    /// `sink` hears `source` from now on.
    pub(super) fn connect(&mut self, source: CallId, sink: CallId) {
        self.by_source.insert((source, sink));
        self.by_sink.insert((sink, source));
    }

    /// `sink` hears `source` no more.
    pub(super) fn disconnect(&mut self, source: CallId, sink: CallId) {
        self.by_source.remove(&(source, sink));
        self.by_sink.remove(&(sink, source));
    }

    /// Takes out all that a call is one end of: source and sink of each.
    pub(super) fn take_out(&mut self, call: CallId) -> Vec<(CallId, CallId)> {
        let heard = from(&self.by_source, call).map(|sink| (call, sink));
        let mut bridges: Vec<_> = heard.chain(self.sources_of(call).map(|source| (source, call))).collect();
        bridges.sort_unstable();
        bridges.dedup();
        for &(source, sink) in &bridges {
            self.disconnect(source, sink);
        }
        bridges
    }

    /// Whom a call hears.
    pub(super) fn sources_of(&self, call: CallId) -> impl Iterator<Item = CallId> + '_ {
        from(&self.by_sink, call)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.by_source.is_empty()
    }
}

fn from(pairs: &BTreeSet<(CallId, CallId)>, first: CallId) -> impl Iterator<Item = CallId> + '_ {
    pairs.range((first, CallId(0))..=(first, CallId(u64::MAX))).map(|(_, second)| *second)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_takes_both_its_ends_with_it_and_leaves_those_of_others() {
        let [a, b, c] = [CallId(1), CallId(2), CallId(3)];
        let mut bridges = Bridges::default();
        for (source, sink) in [(a, b), (b, a), (b, c), (c, c)] {
            bridges.connect(source, sink);
        }
        assert_eq!(bridges.sources_of(c).collect::<Vec<_>>(), [b, c]);
        assert_eq!(bridges.take_out(b), [(a, b), (b, a), (b, c)]);
        assert_eq!(bridges.sources_of(a).next(), None);
        assert_eq!(bridges.take_out(c), [(c, c)]);
        assert!(bridges.is_empty() && bridges.by_sink.is_empty());
    }
}
