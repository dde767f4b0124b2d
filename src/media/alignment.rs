//! Which phase a connected set ticks on.
//!
//! New legs fill one phase after the other: each phase in use wakes the thread 50 times a second more, so few legs
//! share one and many are spread. When two sets are connected the smaller one moves to the phase of the other. Later a
//! room moves to where the packets of those who talk in it wait least: never later, only earlier, by what none of them
//! has needed for seconds, so that a move costs nobody a packet and its listeners nothing but one shorter gap between
//! two packets.

use super::engine::Engine;
use super::phase::{Beat, PHASES, TICK_BEATS, phase_of, shift};
use super::room_alignment::{MICROS, STEP, Talk};
use super::voices::Presence;
use crate::types::{RoomId, UnitId};

/// Ticks between two looks at a room.
const LOOK_EVERY: u64 = 64;
/// Beats for which somebody who was loud counts as talking.
const TALKING: Beat = 10 * 400;
/// Legs that share a phase before another one is used: together they take 1 or 2 ms.
const FULL: usize = 128;
/// A room counts for so many legs: those that will come yet.
const ROOM: usize = 8;

impl Engine {
    /// The phase a new leg takes: the first of those that are not full, those furthest from each other first.
    pub(super) fn first_phase(&self) -> Beat {
        let order = [0, 4, 2, 6, 1, 5, 3, 7];
        let load = |phase| self.legs.on(phase).len() + ROOM * self.rooms.on(phase).len();
        order.into_iter().min_by_key(|phase| load(*phase) / FULL).unwrap_or(0)
    }

    /// The first beat not done yet that falls on the phase of `beat`.
    pub(super) fn next_on(&self, beat: Beat) -> Beat {
        self.next_beat + (beat % TICK_BEATS + TICK_BEATS - self.next_beat % TICK_BEATS) % TICK_BEATS
    }

    /// Brings two units that are to be connected onto one phase.
    pub(super) fn align(&mut self, source: UnitId, sink: UnitId) {
        let (Some(from), Some(to)) = (self.next_tick_of(source), self.next_tick_of(sink)) else { return };
        if self.is_fresh(source) {
            self.shift_unit(source, self.next_on(to).cast_signed() - from.cast_signed());
        } else if self.is_fresh(sink) {
            self.shift_unit(sink, self.next_on(from).cast_signed() - to.cast_signed());
        } else if phase_of(from) != phase_of(to) {
            let units = self.routes.smaller(source, sink);
            let by = if units.first() == Some(&source) { shift(from, to) } else { shift(to, from) };
            let can = self.is_in_time(&units, by) && self.is_endured(&units, by);
            self.shift_all(&units, if can { by } else { by + TICK_BEATS.cast_signed() });
        }
    }

    /// Looks at some of the rooms that ticked since the beat `first`; each is looked at seldom.
    pub(super) fn align_rooms(&mut self, first: Beat) {
        for beat in first.max(self.next_beat.saturating_sub(TICK_BEATS))..self.next_beat {
            let mut at = 0;
            while let Some(&slot) = self.rooms.on(beat).get(at) {
                at += 1;
                if (beat / TICK_BEATS + u64::from(slot)).is_multiple_of(LOOK_EVERY)
                    && let Some((room, _)) = self.rooms.at_mut(slot)
                {
                    self.look_at(room, beat);
                }
            }
        }
    }

    /// Moves a room to an earlier phase if all who talk in it have slack enough.
    fn look_at(&mut self, room: RoomId, beat: Beat) {
        let mut walk = std::mem::take(&mut self.walk);
        walk.all(&self.routes, UnitId::Room(room));
        let talk = self.talk_in(&walk.units, beat);
        if let Some(looked_at) = self.rooms.get_mut(room)
            && let Some(beats) = looked_at.alignment.judge(&talk, beat)
            && let Some(beats) =
                (STEP..=beats).rev().step_by(STEP as usize).find(|beats| self.has_room(&talk, beat - beats))
            && self.is_in_time(&walk.units, -beats.cast_signed())
        {
            self.shift_all(&walk.units, -beats.cast_signed());
            if let Some(moved) = self.rooms.get_mut(room) {
                moved.alignment.moved(beat);
            }
        }
        self.walk = walk;
    }

    /// What those who talked in the last seconds have to spare.
    fn talk_in(&self, units: &[UnitId], beat: Beat) -> Talk {
        let mut talk = Talk { spare: Some(u64::MAX), grew_at: None, silent: true, legs: 0 };
        for unit in units {
            let UnitId::Leg(leg) = unit else { continue };
            let Some(leg) = self.legs.get(*leg) else { continue };
            talk.legs += 1;
            talk.silent &= self.voices.presence(leg.voice) != Presence::Loud;
            if leg.loud_at.is_some_and(|at| at + TALKING > beat) {
                let slack = leg.slack().and_then(|slack| u64::try_from(slack.as_micros()).ok());
                talk.spare = talk.spare.zip(slack).map(|(least, slack)| least.min(slack));
                let ago = leg.grew_ago().and_then(|ago| Beat::try_from(ago.as_micros()).ok());
                talk.grew_at = talk.grew_at.max(ago.map(|ago| beat.saturating_sub(ago / MICROS.unsigned_abs())));
            }
        }
        talk
    }

    /// Whether a phase is not too full already for those of `talk`.
    fn has_room(&self, talk: &Talk, beat: Beat) -> bool {
        let all = self.legs.len();
        self.legs.on(beat).len() + talk.legs <= (all / PHASES * 2).max(FULL).max(talk.legs)
    }

    fn next_tick_of(&self, unit: UnitId) -> Option<Beat> {
        match unit {
            UnitId::Leg(leg) => self.legs.get(leg).map(|leg| leg.next_tick),
            UnitId::Room(room) => self.rooms.get(room).map(|room| room.next_tick),
            UnitId::Player(player) => self.players.get(player).map(|player| player.next_tick),
            UnitId::Recorder(recorder) => self.recorders.get(recorder).map(|recorder| recorder.next_tick),
        }
    }

    /// Whether a unit has not been connected: nobody notices when it begins.
    fn is_fresh(&self, unit: UnitId) -> bool {
        !matches!(unit, UnitId::Leg(_)) && self.routes.sources(unit).is_empty() && self.routes.sinks(unit).is_empty()
    }

    /// Whether a set can be moved so, and its next tick is not before now.
    fn is_in_time(&self, units: &[UnitId], by: i64) -> bool {
        let next =
            units.iter().filter_map(|unit| self.next_tick_of(*unit)).filter(|next| *next >= self.next_beat).min();
        next.is_none_or(|next| next.saturating_add_signed(by) >= self.next_beat)
    }

    /// Whether a set can be moved so, and no packet is late by it.
    fn is_endured(&self, units: &[UnitId], by: i64) -> bool {
        units.iter().all(|unit| match unit {
            UnitId::Leg(leg) => self.legs.get(*leg).is_none_or(|leg| leg.endures(by * MICROS)),
            _ => true,
        })
    }

    /// Moves a whole connected set by so many beats.
    fn shift_all(&mut self, units: &[UnitId], by: i64) {
        for unit in units {
            self.shift_unit(*unit, by);
        }
    }

    fn shift_unit(&mut self, unit: UnitId, by: i64) {
        match unit {
            UnitId::Leg(id) => {
                self.legs.shift(id, by);
                if let Some(leg) = self.legs.get_mut(id) {
                    leg.shifted(by * MICROS);
                }
            }
            UnitId::Room(room) => self.rooms.shift(room, by),
            UnitId::Player(player) => self.players.shift(player, by),
            UnitId::Recorder(recorder) => self.recorders.shift(recorder, by),
        }
    }
}
