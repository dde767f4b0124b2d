//! Units that move between engines.

use super::bundle::Bundle;
use super::engine::Engine;
use crate::types::{Now, UnitId};
use std::collections::HashSet;

impl Engine {
    /// Takes `units` out, with the connections among them. Units that are not there (a player that ended) are left out;
    /// connections to others are cut.
    pub fn export(&mut self, units: &[UnitId]) -> Bundle {
        let mut bundle = Bundle::default();
        let set: HashSet<UnitId> = units.iter().copied().collect();
        for &unit in units {
            for &sink in self.routes.sinks(unit) {
                if set.contains(&sink) {
                    bundle.routes.push((unit, sink));
                }
            }
        }
        // Players first, or they would end when what they are connected to is taken away.
        for &unit in units {
            if let UnitId::Player(id) = unit
                && let Some((_, player)) = self.players.remove(id)
            {
                self.unroute(unit);
                self.voices.remove(player.voice);
                bundle.players.push((id, player));
            }
        }
        for &unit in units {
            match unit {
                UnitId::Leg(id) => {
                    if let Some((_, leg)) = self.legs.remove(id) {
                        self.voices.remove(leg.voice);
                        bundle.legs.push((id, leg));
                    }
                }
                UnitId::Room(id) => bundle.rooms.extend(self.rooms.remove(id).map(|(_, room)| (id, room))),
                UnitId::Recorder(id) => {
                    bundle.recorders.extend(self.recorders.remove(id).map(|(_, recorder)| (id, recorder)));
                }
                UnitId::Player(_) => {}
            }
            self.unroute(unit);
        }
        bundle
    }

    /// Takes units in. What they missed on the way is due at once: hand in the packets that arrived meanwhile, then
    /// call [`Engine::handle_timeout`].
    pub fn import(&mut self, now: Now, bundle: Bundle) {
        let Bundle { legs, rooms, players, recorders, routes } = bundle;
        self.wake(now.instant);
        let mut first = self.next_beat;
        for (id, mut leg) in legs {
            leg.voice = self.voices.add();
            self.voices.set_source(leg.voice, id);
            first = first.min(leg.next_tick);
            self.routes.add(UnitId::Leg(id));
            self.changed.insert(UnitId::Leg(id));
            self.legs.insert(id, leg);
            self.tune(id);
        }
        for (id, mut room) in rooms {
            room.forget();
            self.routes.add(UnitId::Room(id));
            self.changed.insert(UnitId::Room(id));
            self.rooms.insert(id, room);
        }
        for (id, mut player) in players {
            player.voice = self.voices.add();
            self.voices.set_rate(player.voice, player.rate);
            if player.started {
                first = first.min(player.next_tick);
            }
            self.routes.add(UnitId::Player(id));
            self.players.insert(id, player);
        }
        for (id, recorder) in recorders {
            first = first.min(recorder.next_tick);
            self.routes.add(UnitId::Recorder(id));
            self.changed.insert(UnitId::Recorder(id));
            self.recorders.insert(id, recorder);
        }
        for (source, sink) in routes {
            let connected = self.routes.connect(source, sink);
            debug_assert!(matches!(connected, Ok(None)), "what was connected there can be connected here");
        }
        if first < self.next_beat {
            self.lagging = Some(self.lagging.map_or(first, |lagging| lagging.min(first)));
        }
        self.reserve();
    }
}
