//! From the graph of units to flat lists: what sounds in each room, and what each leg and recorder hears.

use super::engine::Engine;
use super::hearing::{Ears, Hearing, Source};
use super::stream::Format;
use super::voices::VoiceId;
use crate::audio::Rate;
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
    if !engine.rooms.contains(id) {
        return;
    }
    let (mut sources, mut announcements) = (Vec::new(), Vec::new());
    // Rooms sent to this room give what is sent to them: a set, so that nobody sounds twice.
    let mut rooms = vec![id];
    let mut next = 0;
    while let Some(&room) = rooms.get(next) {
        next += 1;
        for &source in engine.routes.sources(UnitId::Room(room)) {
            match source {
                UnitId::Room(room) if !rooms.contains(&room) => rooms.push(room),
                _ => {
                    let voice = voice_of(engine, source);
                    sources.extend(voice);
                    announcements.extend(voice.filter(|_| matches!(source, UnitId::Player(_))));
                }
            }
        }
    }
    sources.sort_unstable();
    sources.dedup();
    let sinks = engine.routes.sinks(UnitId::Room(id)).iter();
    let formats: Vec<Format> = sinks.clone().filter_map(|sink| format_of(engine, *sink)).collect();
    let hears = Rate::ALL.map(|rate| sinks.clone().any(|sink| listens_at(engine, *sink) == Some(rate)));
    let Engine { rooms, voices, .. } = engine;
    if let Some(room) = rooms.get_mut(id) {
        room.arrange(&sources, &announcements, (&formats, hears), voices);
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
    // Who hears what a leg hears is compiled as that leg.
    let ear = match sink {
        UnitId::Recorder(recorder) if engine.recorders.get(recorder).is_some_and(|recorder| recorder.ear) => {
            engine.routes.sources(sink).iter().copied().find(|source| matches!(source, UnitId::Leg(_)))
        }
        _ => None,
    };
    let listener = ear.unwrap_or(sink);
    let own = match listener {
        UnitId::Recorder(recorder) => {
            let less = engine.recorders.get(recorder).and_then(|recorder| recorder.less);
            less.and_then(|player| voice_of(engine, UnitId::Player(player)))
        }
        _ => voice_of(engine, listener),
    };
    if let UnitId::Leg(_) = sink {
        let recorders = engine.routes.sinks(sink).iter().filter(|unit| matches!(unit, UnitId::Recorder(_)));
        engine.changed.extend(recorders.copied());
    }
    for &source in engine.routes.sources(listener) {
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
    let Engine { legs, recorders, voices, .. } = engine;
    let (rate, place) = match sink {
        UnitId::Leg(leg) => match legs.get_mut(leg) {
            Some(leg) => (leg.hearing_rate(), &mut leg.hearing),
            None => return,
        },
        UnitId::Recorder(recorder) => match recorders.get_mut(recorder) {
            Some(recorder) => (recorder.rate, &mut recorder.hearing),
            None => return,
        },
        UnitId::Room(_) | UnitId::Player(_) => return,
    };
    hearing.ears = Ears::arranged(place.ears.take(), rate, &hearing, voices);
    *place = hearing;
}

fn format_of(engine: &Engine, unit: UnitId) -> Option<Format> {
    match unit {
        UnitId::Leg(leg) => engine.legs.get(leg)?.format(),
        UnitId::Room(_) | UnitId::Player(_) | UnitId::Recorder(_) => None,
    }
}

fn listens_at(engine: &Engine, unit: UnitId) -> Option<Rate> {
    match unit {
        UnitId::Leg(leg) => engine.legs.get(leg).map(|leg| leg.hearing_rate()),
        UnitId::Recorder(recorder) => engine.recorders.get(recorder).map(|recorder| recorder.rate),
        UnitId::Room(_) | UnitId::Player(_) => None,
    }
}

fn voice_of(engine: &Engine, unit: UnitId) -> Option<VoiceId> {
    match unit {
        UnitId::Leg(leg) => engine.legs.get(leg).map(|leg| leg.voice),
        UnitId::Player(player) => engine.players.get(player).map(|player| player.voice),
        UnitId::Room(_) | UnitId::Recorder(_) => None,
    }
}
