//! From the graph of units to flat lists: what sounds in each room, and what each leg and recorder hears.

use super::engine::Engine;
use super::hearing::{Hearing, Source};
use super::voices::VoiceId;
use crate::types::{RoomId, UnitId};

/// Compiles every sink whose sources changed, and those behind it.
pub(super) fn compile(engine: &mut Engine) {
    while let Some(&unit) = engine.changed.iter().next() {
        engine.changed.remove(&unit);
        match unit {
            UnitId::Room(room) => compile_room(engine, room),
            UnitId::Leg(_) | UnitId::Recorder(_) => compile_sink(engine, unit),
            UnitId::Player(_) => {}
        }
    }
}

fn compile_room(engine: &mut Engine, id: RoomId) {
    let Some(room) = engine.rooms.get_mut(id) else { return };
    let mut sources = std::mem::take(&mut room.sources);
    sources.clear();
    // Rooms sent to this room give what is sent to them: a set, so that nobody sounds twice.
    let mut rooms = vec![id];
    let mut next = 0;
    while let Some(&room) = rooms.get(next) {
        next += 1;
        for &source in engine.routes.sources(UnitId::Room(room)) {
            match source {
                UnitId::Room(room) if !rooms.contains(&room) => rooms.push(room),
                _ => sources.extend(voice_of(engine, source)),
            }
        }
    }
    sources.sort_unstable();
    sources.dedup();
    if let Some(room) = engine.rooms.get_mut(id) {
        room.sources = sources;
    }
    for sink in engine.routes.sinks(UnitId::Room(id)).to_vec() {
        match sink {
            UnitId::Room(_) => {
                engine.changed.insert(sink);
            }
            _ => compile_sink(engine, sink),
        }
    }
}

fn compile_sink(engine: &mut Engine, sink: UnitId) {
    let mut hearing = Hearing::default();
    let own = voice_of(engine, sink);
    for &source in engine.routes.sources(sink) {
        match source {
            UnitId::Player(_) => hearing.player = voice_of(engine, source),
            UnitId::Leg(_) => hearing.source = voice_of(engine, source).map_or(Source::Nobody, Source::Voice),
            UnitId::Room(room) => {
                if let Some(slot) = engine.rooms.slot(room) {
                    hearing.source = Source::Room(slot);
                    hearing.own = own.filter(|own| engine.rooms.at(slot).is_some_and(|room| room.has(*own)));
                }
            }
            UnitId::Recorder(_) => {}
        }
    }
    match sink {
        UnitId::Leg(leg) => {
            if let Some(leg) = engine.legs.get_mut(leg) {
                leg.hearing = hearing;
            }
        }
        UnitId::Recorder(recorder) => {
            if let Some(recorder) = engine.recorders.get_mut(recorder) {
                recorder.hearing = hearing;
            }
        }
        UnitId::Room(_) | UnitId::Player(_) => {}
    }
}

fn voice_of(engine: &Engine, unit: UnitId) -> Option<VoiceId> {
    match unit {
        UnitId::Leg(leg) => engine.legs.get(leg).map(|leg| leg.voice),
        UnitId::Player(player) => engine.players.get(player).map(|player| player.voice),
        UnitId::Room(_) | UnitId::Recorder(_) => None,
    }
}
