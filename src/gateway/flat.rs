//! Who hears whom by way of joins: what sessions connected to their halves, compiled flat, so that the media plane sees
//! legs, rooms and players alone.
//!
//! ```text
//! source ─▶ half a ═ half b ─▶ half c ═ half d ─▶ sink        becomes        source ─▶ sink
//! ```

use crate::types::{CallId, IdMap, UnitId};
use std::collections::BTreeSet;

/// What a session can connect, as the gateway sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum End {
    /// A unit of the media plane.
    Unit(UnitId),
    /// One half of a join. What it hears is heard by whoever hears the other half.
    Half(CallId),
}

impl End {
    /// Whether it hears one source alone, so that a new one takes the old one's place.
    const fn hears_one(self) -> bool {
        matches!(self, Self::Half(_) | Self::Unit(UnitId::Leg(_) | UnitId::Recorder(_)))
    }

    const fn is_player(self) -> bool {
        matches!(self, Self::Unit(UnitId::Player(_)))
    }
}

/// What a change means for the media plane: source and sink of each.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Difference {
    pub(super) ended: Vec<(UnitId, UnitId)>,
    pub(super) begun: Vec<(UnitId, UnitId)>,
}

/// The connection would have somebody hear themselves.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Circle;

/// All joins, and what is connected to them.
#[derive(Debug, Default)]
pub(super) struct Flat {
    /// Each half and the other.
    halves: IdMap<CallId, CallId>,
    /// Halves that nobody hears.
    muted: BTreeSet<CallId>,
    /// Source and sink, of which one at least is a half.
    by_source: BTreeSet<(End, End)>,
    /// The same, sink and source.
    by_sink: BTreeSet<(End, End)>,
    /// What the media plane was told: source and sink.
    heard: BTreeSet<(UnitId, UnitId)>,
}

const FIRST: End = End::Unit(UnitId::Leg(CallId(0)));
const LAST: End = End::Half(CallId(u64::MAX));

impl Flat {
    /// Two halves belong together.
    pub(super) fn join(&mut self, one: CallId, other: CallId) {
        self.halves.insert(one, other);
        self.halves.insert(other, one);
    }

    /// They do no more.
    pub(super) fn part(&mut self, half: CallId) -> Difference {
        let mut difference = Difference::default();
        let Some(&other) = self.halves.get(&half) else { return difference };
        for half in [half, other] {
            for (source, sink) in self.of(End::Half(half)) {
                self.take_out(source, sink, &mut difference);
            }
            self.muted.remove(&half);
        }
        self.halves.remove(&half);
        self.halves.remove(&other);
        difference
    }

    /// `sink` hears `source`, one of which is a half.
    pub(super) fn connect(&mut self, source: End, sink: End) -> Result<Difference, Circle> {
        if let (End::Half(source), End::Half(sink)) = (source, sink)
            && let Some(exit) = self.halves.get(&sink)
            && self.exits_behind(*exit).contains(&source)
        {
            return Err(Circle);
        }
        let mut difference = if source.is_player() { Difference::default() } else { self.clear(sink) };
        self.by_source.insert((source, sink));
        self.by_sink.insert((sink, source));
        self.update(source, &mut difference);
        Ok(difference)
    }

    /// Undoes [`Self::connect`].
    pub(super) fn disconnect(&mut self, source: End, sink: End) -> Difference {
        let mut difference = Difference::default();
        self.take_out(source, sink, &mut difference);
        difference
    }

    /// Takes away what an end that hears one source alone hears by way of joins; players are left.
    pub(super) fn clear(&mut self, sink: End) -> Difference {
        let mut difference = Difference::default();
        if sink.hears_one() && !self.by_sink.is_empty() {
            let before: Vec<End> = self.sources_of(sink).filter(|source| !source.is_player()).collect();
            for source in before {
                self.take_out(source, sink, &mut difference);
            }
        }
        difference
    }

    /// Nobody hears a half, or all do again.
    pub(super) fn mute(&mut self, half: CallId, muted: bool) -> Difference {
        let mut difference = Difference::default();
        let changed = if muted { self.muted.insert(half) } else { self.muted.remove(&half) };
        if changed {
            self.update(End::Half(half), &mut difference);
        }
        difference
    }

    /// A unit is gone from the media plane.
    pub(super) fn forget(&mut self, unit: UnitId) {
        if self.by_source.is_empty() && self.heard.is_empty() {
            return;
        }
        for (source, sink) in self.of(End::Unit(unit)) {
            self.by_source.remove(&(source, sink));
            self.by_sink.remove(&(sink, source));
        }
        self.heard.retain(|(source, sink)| *source != unit && *sink != unit);
    }

    /// Another unit has taken a unit's place, also in the media plane.
    pub(super) fn rename(&mut self, old: UnitId, new: UnitId) {
        if self.halves.is_empty() {
            return;
        }
        let named = |end: End| if end == End::Unit(old) { End::Unit(new) } else { end };
        for (source, sink) in self.of(End::Unit(old)) {
            self.by_source.remove(&(source, sink));
            self.by_sink.remove(&(sink, source));
            self.by_source.insert((named(source), named(sink)));
            self.by_sink.insert((named(sink), named(source)));
        }
        let named = |unit: UnitId| if unit == old { new } else { unit };
        let heard = std::mem::take(&mut self.heard);
        self.heard = heard.into_iter().map(|(source, sink)| (named(source), named(sink))).collect();
    }

    /// Whether there is no join.
    pub(super) fn is_empty(&self) -> bool {
        self.halves.is_empty() && self.by_source.is_empty() && self.heard.is_empty()
    }

    fn take_out(&mut self, source: End, sink: End, difference: &mut Difference) {
        // Who is behind the source is looked up before that changes.
        let behind = self.units_behind(source);
        if self.by_source.remove(&(source, sink)) {
            self.by_sink.remove(&(sink, source));
            self.update_units(behind, difference);
        }
    }

    /// All connections of an end: source and sink.
    fn of(&self, end: End) -> Vec<(End, End)> {
        let from = self.sinks_of(end).map(|sink| (end, sink));
        let to = self.sources_of(end).map(|source| (source, end));
        from.chain(to).collect()
    }

    fn sinks_of(&self, source: End) -> impl Iterator<Item = End> + '_ {
        self.by_source.range((source, FIRST)..=(source, LAST)).map(|(_, sink)| *sink)
    }

    fn sources_of(&self, sink: End) -> impl Iterator<Item = End> + '_ {
        self.by_sink.range((sink, FIRST)..=(sink, LAST)).map(|(_, source)| *source)
    }

    /// What is heard of a source has changed.
    fn update(&mut self, source: End, difference: &mut Difference) {
        let units = self.units_behind(source);
        self.update_units(units, difference);
    }

    fn update_units(&mut self, units: BTreeSet<UnitId>, difference: &mut Difference) {
        for unit in units {
            let now = self.listeners_of(unit);
            let least = UnitId::Leg(CallId(0));
            let before: Vec<UnitId> =
                self.heard.range((unit, least)..).take_while(|(source, _)| *source == unit).map(|it| it.1).collect();
            for sink in before.iter().filter(|sink| !now.contains(sink)) {
                self.heard.remove(&(unit, *sink));
                difference.ended.push((unit, *sink));
            }
            for sink in now.into_iter().filter(|sink| !before.contains(sink)) {
                self.heard.insert((unit, sink));
                difference.begun.push((unit, sink));
            }
        }
    }

    /// The units that are heard at an end, which may be a half.
    fn units_behind(&self, source: End) -> BTreeSet<UnitId> {
        let (mut units, mut seen, mut next) = (BTreeSet::new(), BTreeSet::new(), vec![source]);
        while let Some(source) = next.pop() {
            match source {
                End::Unit(unit) => drop(units.insert(unit)),
                End::Half(half) if seen.insert(half) => {
                    let entrance = self.halves.get(&half).map(|other| End::Half(*other));
                    next.extend(entrance.into_iter().flat_map(|entrance| self.sources_of(entrance)));
                }
                End::Half(_) => {}
            }
        }
        units
    }

    /// The halves that sound leaves by which leaves by this one.
    fn exits_behind(&self, exit: CallId) -> BTreeSet<CallId> {
        let (mut exits, mut next) = (BTreeSet::new(), vec![exit]);
        while let Some(exit) = next.pop() {
            if !exits.insert(exit) {
                continue;
            }
            for sink in self.sinks_of(End::Half(exit)) {
                if let End::Half(entrance) = sink {
                    next.extend(self.halves.get(&entrance));
                }
            }
        }
        exits
    }

    /// The units that hear a unit by way of joins. Nobody hears themselves.
    fn listeners_of(&self, unit: UnitId) -> BTreeSet<UnitId> {
        let (mut listeners, mut seen, mut next) = (BTreeSet::new(), BTreeSet::new(), vec![End::Unit(unit)]);
        while let Some(source) = next.pop() {
            if let End::Half(half) = source
                && (!seen.insert(half) || self.muted.contains(&half))
            {
                continue;
            }
            for sink in self.sinks_of(source) {
                match sink {
                    End::Half(half) => next.extend(self.halves.get(&half).map(|other| End::Half(*other))),
                    End::Unit(sink) if sink != unit => drop(listeners.insert(sink)),
                    End::Unit(_) => {}
                }
            }
        }
        listeners
    }
}

#[cfg(test)]
#[path = "flat_tests.rs"]
mod tests;
