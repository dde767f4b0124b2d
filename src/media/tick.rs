//! One tick of an engine, and when it comes.
//!
//! A warm tick allocates nothing, locks nothing, logs nothing. It works on lists of what is due, so that units of
//! different phases, or units that were imported and lag behind, are no special case.

use super::command::Event;
use super::compile;
use super::engine::{Engine, LegSlot, MAX_CATCH_UP};
use super::hearing::Heard;
use super::player::Played;
use super::voices::Presence;
use crate::audio::{FRAME_8K, Frame, SILENCE};
use crate::types::{Now, PlayerId};
use std::time::Instant;

/// What a tick works with, kept from tick to tick.
#[derive(Debug)]
pub(super) struct Work {
    /// Slots of the legs that take part.
    due: Vec<u32>,
    finished: Vec<PlayerId>,
    /// A frame made for one listener, and its encoding.
    frame: Frame,
    payload: [u8; FRAME_8K],
}

impl Default for Work {
    fn default() -> Self {
        Self { due: Vec::new(), finished: Vec::new(), frame: SILENCE, payload: [0; FRAME_8K] }
    }
}

impl Work {
    pub(super) fn reserve(&mut self, legs: usize, players: usize) {
        self.due.reserve(legs.saturating_sub(self.due.len()));
        self.finished.reserve(players.saturating_sub(self.finished.len()));
    }
}

impl Engine {
    /// When [`Engine::handle_timeout`] is to be called: the next tick, or at once for units that were imported late.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Instant> {
        let next = self.is_ticking().then_some(self.next_tick);
        self.lagging.or(next).map(|tick| self.time_of(tick))
    }

    /// Does the ticks that are due: a few late ones are caught up, more are skipped and counted.
    ///
    /// All packets that arrived before are to be handed in first.
    pub fn handle_timeout(&mut self, now: Now) {
        let due = self.tick_at(now.instant);
        if let Some(lagging) = self.lagging.take() {
            for tick in lagging.max(self.next_tick.saturating_sub(MAX_CATCH_UP))..self.next_tick {
                self.tick(now, tick);
            }
        }
        if self.is_ticking() && self.next_tick <= due {
            let behind = due - self.next_tick;
            if behind > MAX_CATCH_UP {
                self.skipped += behind;
                self.next_tick = due;
            }
            while self.next_tick <= due {
                self.tick(now, self.next_tick);
                self.next_tick += 1;
            }
        }
        self.retire();
    }

    fn tick(&mut self, now: Now, tick: u64) {
        if !self.changed.is_empty() {
            compile::compile(self);
        }
        self.listen(now, tick);
        self.play(tick);
        for (_, _, room) in self.rooms.iter_mut() {
            if room.next_tick <= tick {
                room.mix(&self.voices, tick);
            }
        }
        self.speak(tick);
        self.record(tick);
    }

    /// One frame of every leg that is due.
    fn listen(&mut self, now: Now, tick: u64) {
        let at = self.time_of(tick);
        self.work.due.clear();
        for (slot, id, leg) in self.legs.iter_mut() {
            if leg.next_tick > tick {
                continue;
            }
            let missed = tick - leg.next_tick;
            leg.next_tick = tick + 1;
            self.work.due.push(slot);
            let frame = self.voices.frame_mut(leg.voice);
            if missed > 0 {
                leg.skip(missed, at, frame);
            }
            let presence = leg.listen(at, frame);
            self.voices.set(leg.voice, presence);
            if leg.keep_time(now, (LegSlot(slot), id), &mut self.outbox)
                && self.events.notify(Event::MediaTimeout { leg: id }, &mut leg.allowance, tick)
            {
                self.events.answer(Event::LegOverran { leg: id });
            }
        }
    }

    /// One frame of every player that is heard.
    fn play(&mut self, tick: u64) {
        for (_, id, player) in self.players.iter_mut() {
            if player.next_tick > tick || !player.started {
                continue;
            }
            let frame = self.voices.frame_mut(player.voice);
            player.skip(tick - player.next_tick, frame);
            player.next_tick = tick + 1;
            let played = player.play(frame);
            let presence = if played == Played::Sound { Presence::Loud } else { Presence::Absent };
            self.voices.set(player.voice, presence);
            if player.is_finished() {
                self.work.finished.push(id);
            }
        }
    }

    /// To every leg that is due, what it hears.
    fn speak(&mut self, tick: u64) {
        let Self { legs, rooms, voices, noise, outbox, events, work, .. } = self;
        let Work { due, frame, payload, .. } = work;
        for &slot in due.iter() {
            let Some((id, leg)) = legs.at_mut(slot) else { continue };
            if !leg.is_sending() {
                leg.pass();
                continue;
            }
            let codec = leg.codec();
            let mut heard = leg.hearing.hear(voices, rooms, frame, tick);
            let encoded = match heard.encode(codec, frame, payload) {
                Some(encoded) => encoded,
                None => noise.encoded(codec, tick),
            };
            if leg.send((LegSlot(slot), id), encoded, outbox) {
                events.answer(Event::DigitsSent { leg: id });
            }
        }
    }

    /// To every recorder what it hears, silence included.
    fn record(&mut self, tick: u64) {
        let Self { recorders, rooms, voices, work, .. } = self;
        for (_, _, recorder) in recorders.iter_mut() {
            if recorder.next_tick > tick {
                continue;
            }
            for _ in 0..(tick - recorder.next_tick).min(50) {
                recorder.record(&SILENCE);
            }
            recorder.next_tick = tick + 1;
            match recorder.hearing.hear(voices, rooms, &mut work.frame, tick) {
                Heard::Silence => recorder.record(&SILENCE),
                Heard::Shared(room) => recorder.record(room.mixed()),
                Heard::Frame(frame) => recorder.record(frame),
                Heard::Own => recorder.record(&work.frame),
            }
        }
    }

    /// Takes players away that came to their end, after all were heard.
    fn retire(&mut self) {
        while let Some(player) = self.work.finished.pop() {
            self.end_player(player, true);
        }
        if self.skipped > 0 && self.events.has_room() {
            let count = std::mem::take(&mut self.skipped);
            self.events.answer(Event::TicksSkipped { thread: self.thread, count });
        }
    }
}
