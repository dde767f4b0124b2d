//! Who hears whom: the directed graph of units.
//!
//! The same rules hold in each engine (which mixes by them) and in the plane (which keeps connected units together), so
//! both keep one of these.

use super::command::RefusedReason;
use crate::types::UnitId;
use std::collections::{HashMap, HashSet};

/// The graph. Units are added before they are connected.
#[derive(Debug, Default)]
pub(crate) struct Routes {
    nodes: HashMap<UnitId, Node>,
}

/// The neighbours of a unit.
#[derive(Debug, Default)]
struct Node {
    sources: Vec<UnitId>,
    sinks: Vec<UnitId>,
}

/// A walk from unit to unit along connections; what it keeps is used again.
#[derive(Debug, Default)]
pub(crate) struct Walk {
    found: HashSet<UnitId>,
    /// What was found, in the order of finding.
    pub(crate) units: Vec<UnitId>,
    next: usize,
}

impl Walk {
    fn from(unit: UnitId) -> Self {
        Self { found: HashSet::from([unit]), units: vec![unit], next: 0 }
    }

    /// Finds all that is connected with `unit`, itself first.
    pub(crate) fn all(&mut self, routes: &Routes, unit: UnitId) {
        self.found.clear();
        self.units.clear();
        self.next = 0;
        self.found.insert(unit);
        self.units.push(unit);
        while self.step(routes) {}
    }

    /// Looks at the neighbours of one unit more. False when there is none more.
    fn step(&mut self, routes: &Routes) -> bool {
        let Some(&unit) = self.units.get(self.next) else { return false };
        self.next += 1;
        for &neighbour in routes.sources(unit).iter().chain(routes.sinks(unit)) {
            if self.found.insert(neighbour) {
                self.units.push(neighbour);
            }
        }
        true
    }
}

impl Routes {
    pub(crate) fn add(&mut self, unit: UnitId) {
        self.nodes.entry(unit).or_default();
    }

    pub(crate) fn contains(&self, unit: UnitId) -> bool {
        self.nodes.contains_key(&unit)
    }

    /// Everything `unit` hears.
    pub(crate) fn sources(&self, unit: UnitId) -> &[UnitId] {
        self.nodes.get(&unit).map_or(&[], |node| &node.sources)
    }

    /// Everybody who hears `unit`.
    pub(crate) fn sinks(&self, unit: UnitId) -> &[UnitId] {
        self.nodes.get(&unit).map_or(&[], |node| &node.sinks)
    }

    /// Whether [`Routes::connect`] would do it.
    ///
    /// # Errors
    /// The unit at fault and why.
    pub(crate) fn check(&self, source: UnitId, sink: UnitId) -> Result<(), (UnitId, RefusedReason)> {
        for unit in [source, sink] {
            if !self.contains(unit) {
                return Err((unit, RefusedReason::Unknown));
            }
        }
        match (source, sink) {
            (UnitId::Recorder(_), _) => Err((source, RefusedReason::Unconnectable)),
            (_, UnitId::Player(_)) => Err((sink, RefusedReason::Unconnectable)),
            (UnitId::Room(_), UnitId::Room(_)) if self.leads(sink, source) => Err((sink, RefusedReason::Cycle)),
            _ => Ok(()),
        }
    }

    /// `sink` hears `source`. A leg or recorder hears one source and one player: what was there before is returned.
    ///
    /// # Errors
    /// As [`Routes::check`].
    pub(crate) fn connect(&mut self, source: UnitId, sink: UnitId) -> Result<Option<UnitId>, (UnitId, RefusedReason)> {
        self.check(source, sink)?;
        if self.sources(sink).contains(&source) {
            return Ok(None);
        }
        let replaced = match sink {
            UnitId::Leg(_) | UnitId::Recorder(_) => {
                let is_player = |unit: &UnitId| matches!(unit, UnitId::Player(_));
                self.sources(sink).iter().copied().find(|before| is_player(before) == is_player(&source))
            }
            UnitId::Room(_) | UnitId::Player(_) => None,
        };
        if let Some(before) = replaced {
            self.disconnect(before, sink);
        }
        self.node(sink).sources.push(source);
        self.node(source).sinks.push(sink);
        Ok(replaced)
    }

    /// Undoes [`Routes::connect`]. Says whether there was a connection.
    pub(crate) fn disconnect(&mut self, source: UnitId, sink: UnitId) -> bool {
        let Some(at) = self.sources(sink).iter().position(|unit| *unit == source) else { return false };
        self.node(sink).sources.swap_remove(at);
        let sinks = &mut self.node(source).sinks;
        let at = sinks.iter().position(|unit| *unit == sink).expect("an edge is known at both its ends");
        sinks.swap_remove(at);
        true
    }

    /// Takes a unit and its connections away.
    pub(crate) fn remove(&mut self, unit: UnitId) {
        for source in self.sources(unit).to_vec() {
            self.disconnect(source, unit);
        }
        for sink in self.sinks(unit).to_vec() {
            self.disconnect(unit, sink);
        }
        self.nodes.remove(&unit);
    }

    /// Every unit that must live on one thread with `unit`, itself first.
    pub(crate) fn connected(&self, unit: UnitId) -> Vec<UnitId> {
        let mut walk = Walk::default();
        walk.all(self, unit);
        walk.units
    }

    /// Of the sets around two units the one with fewer units; it is found in a time that goes by the smaller.
    pub(crate) fn smaller(&self, a: UnitId, b: UnitId) -> Vec<UnitId> {
        let (mut one, mut other) = (Walk::from(a), Walk::from(b));
        loop {
            if !one.step(self) {
                return one.units;
            }
            if !other.step(self) {
                return other.units;
            }
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.nodes.is_empty()
    }

    /// Whether sound of the room `from` reaches the room `to` by way of rooms.
    fn leads(&self, from: UnitId, to: UnitId) -> bool {
        let mut pending = vec![from];
        let mut seen = vec![];
        while let Some(room) = pending.pop() {
            if room == to {
                return true;
            }
            if !seen.contains(&room) {
                seen.push(room);
                pending.extend(self.sinks(room).iter().filter(|unit| matches!(unit, UnitId::Room(_))));
            }
        }
        false
    }

    fn node(&mut self, unit: UnitId) -> &mut Node {
        self.nodes.entry(unit).or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::{CallId, PlayerId, RecorderId, RoomId};

    fn leg(n: u64) -> UnitId {
        UnitId::Leg(CallId(n))
    }

    fn room(n: u64) -> UnitId {
        UnitId::Room(RoomId(n))
    }

    fn player(n: u64) -> UnitId {
        UnitId::Player(PlayerId(n))
    }

    fn routes(units: &[UnitId]) -> Routes {
        let mut routes = Routes::default();
        units.iter().for_each(|unit| routes.add(*unit));
        routes
    }

    #[test]
    fn a_leg_hears_one_source_and_one_player() {
        let mut routes = routes(&[leg(1), leg(2), room(1), player(1), player(2)]);
        assert_eq!(routes.connect(leg(2), leg(1)), Ok(None));
        assert_eq!(routes.connect(player(1), leg(1)), Ok(None));
        assert_eq!(routes.connect(room(1), leg(1)), Ok(Some(leg(2))));
        assert_eq!(routes.connect(player(2), leg(1)), Ok(Some(player(1))));
        assert_eq!(routes.connect(player(2), leg(1)), Ok(None));
        assert_eq!(routes.sources(leg(1)).len(), 2);
        assert!(routes.sinks(leg(2)).is_empty() && routes.sinks(player(1)).is_empty());
    }

    #[test]
    fn rooms_that_would_hear_themselves_are_refused() {
        let mut routes = routes(&[room(1), room(2), room(3)]);
        routes.connect(room(1), room(2)).unwrap();
        routes.connect(room(2), room(3)).unwrap();
        assert_eq!(routes.connect(room(3), room(1)), Err((room(1), RefusedReason::Cycle)));
        assert_eq!(routes.connect(room(1), room(1)), Err((room(1), RefusedReason::Cycle)));
        assert_eq!(routes.connect(room(1), room(3)), Ok(None));
    }

    #[test]
    fn players_do_not_hear_and_recorders_are_not_heard() {
        let recorder = UnitId::Recorder(RecorderId(1));
        let mut routes = routes(&[leg(1), player(1), recorder]);
        assert_eq!(routes.connect(leg(1), player(1)), Err((player(1), RefusedReason::Unconnectable)));
        assert_eq!(routes.connect(recorder, leg(1)), Err((recorder, RefusedReason::Unconnectable)));
        assert_eq!(routes.connect(leg(1), leg(9)), Err((leg(9), RefusedReason::Unknown)));
    }

    #[test]
    fn a_removed_unit_leaves_no_edge_and_the_rest_falls_apart() {
        let mut routes = routes(&[leg(1), leg(2), room(1), player(1)]);
        for source in [leg(1), leg(2), player(1)] {
            routes.connect(source, room(1)).unwrap();
        }
        routes.connect(room(1), leg(2)).unwrap();
        assert_eq!(routes.connected(leg(1)).len(), 4);
        routes.add(player(7));
        assert_eq!(routes.smaller(leg(1), player(7)), [player(7)]);
        assert_eq!(routes.smaller(player(7), leg(1)), [player(7)]);
        routes.remove(player(7));
        routes.remove(room(1));
        assert_eq!(routes.connected(leg(1)), [leg(1)]);
        assert!(routes.sources(leg(2)).is_empty() && routes.sinks(leg(2)).is_empty());
        [leg(1), leg(2), player(1)].into_iter().for_each(|unit| routes.remove(unit));
        assert!(routes.is_empty());
    }
}
