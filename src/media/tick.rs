//! The ticks of an engine, and when they come.
//!
//! A warm tick allocates nothing, locks nothing, logs nothing. On each beat it works on lists of what is due, so that
//! units that were imported and lag behind are no special case.

use super::buses::Bus;
use super::command::Event;
use super::compile;
use super::engine::{Engine, MAX_CATCH_UP};
use super::following::Followed;
use super::hearing::{Heard, HeardWide};
use super::leg::Noise;
use super::phase::{Beat, TICK_BEATS};
use super::player::Played;
use super::room::Room;
use super::slots::LegSlot;
use super::voices::Presence;
use super::work::Work;
use crate::audio::{LONGEST_FRAME, Rate, SILENCE};
use crate::types::{DigitSource, Now};
use std::time::Instant;

impl Engine {
    /// When [`Engine::handle_timeout`] is to be called: the next tick of anything, or at once for units that were
    /// imported late.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Instant> {
        let next = || (self.next_beat..self.next_beat + TICK_BEATS).find(|beat| self.ticks_on(*beat));
        self.lagging.or_else(next).map(|beat| self.time_of(beat))
    }

    /// Does the ticks that are due: a few late ones are caught up, more are skipped and counted.
    ///
    /// All packets that arrived before are to be handed in first.
    pub fn handle_timeout(&mut self, now: Now) {
        const LATE: Beat = MAX_CATCH_UP * TICK_BEATS;
        let due = self.beat_at(now.instant);
        if let Some(lagging) = self.lagging.take() {
            for beat in lagging.max(self.next_beat.saturating_sub(LATE))..self.next_beat {
                self.tick(now, beat);
            }
        }
        if self.is_ticking() && self.next_beat <= due {
            let behind = due - self.next_beat;
            if behind > LATE {
                // Of every phase the newest tick is done.
                self.next_beat = due + 1 - TICK_BEATS;
                self.skipped += behind / TICK_BEATS;
            }
            let first = self.next_beat;
            while self.next_beat <= due {
                self.tick(now, self.next_beat);
                self.next_beat += 1;
            }
            self.align_rooms(first);
        }
        self.retire(now);
    }

    /// Whether anything ticks on a beat. Rooms have nobody to tick for without the others.
    fn ticks_on(&self, beat: Beat) -> bool {
        !(self.legs.on(beat).is_empty() && self.players.on(beat).is_empty() && self.recorders.on(beat).is_empty())
    }

    /// The ticks of all units that have theirs on `beat`.
    fn tick(&mut self, now: Now, beat: Beat) {
        if beat.is_multiple_of(TICK_BEATS) {
            self.budget.repair.begin();
        }
        if !self.changed.is_empty() {
            compile::compile(self);
        }
        if !self.ticks_on(beat) {
            return;
        }
        self.listen(now, beat);
        self.play(beat);
        for at in 0..self.rooms.on(beat).len() {
            let slot = self.rooms.on(beat)[at];
            if let Some((_, room)) = self.rooms.at_mut(slot)
                && room.next_tick <= beat
            {
                room.mix(&mut self.voices, beat);
            }
        }
        self.speak(beat);
        if !self.work.wide.is_empty() {
            self.speak_wide(beat);
        }
        self.record(beat);
    }

    /// Takes a leg's frame for the tick that is due, before [`Engine::handle_timeout`] would: its packets have just
    /// been handed in, and what was touched for them is at hand. Does nothing if its tick is not due, or several are.
    pub fn hear(&mut self, now: Now, slot: LegSlot) {
        let due = self.beat_at(now.instant);
        let Some(leg) = self.legs.at(slot.0) else { return };
        let beat = leg.next_tick;
        if beat >= self.next_beat && beat <= due && beat + TICK_BEATS > due {
            self.hear_leg(now, slot.0, beat);
        }
    }

    /// The frame of a leg whose tick is due on `beat`, once. Says whether there is such a leg.
    fn hear_leg(&mut self, now: Now, slot: u32, beat: Beat) -> bool {
        let tick = self.time_of(beat);
        let Self { legs, voices, outbox, events, budget, .. } = self;
        let Some((id, leg)) = legs.at_mut(slot).filter(|(_, leg)| leg.next_tick <= beat) else { return false };
        if leg.heard_at == Some(beat) {
            return true;
        }
        leg.heard_at = Some(beat);
        let missed = (beat - leg.next_tick) / TICK_BEATS;
        let frame = voices.samples_mut(leg.voice);
        if missed > 0 {
            leg.skip(missed, tick, frame, budget);
        }
        let presence = leg.listen(tick, frame, budget);
        if presence == Presence::Loud {
            leg.loud_at = Some(beat);
        }
        voices.set(leg.voice, presence);
        leg.note_power(beat / TICK_BEATS);
        while let Some(digit) = leg.next_key() {
            let event = Event::Digit { leg: id, digit, source: DigitSource::InBand };
            if events.notify(event, &mut leg.allowance, beat) {
                events.answer(Event::LegOverran { leg: id });
            }
        }
        if leg.keep_time(now, (LegSlot(slot), id), outbox)
            && events.notify(Event::MediaTimeout { leg: id }, &mut leg.allowance, beat)
        {
            events.answer(Event::LegOverran { leg: id });
        }
        true
    }

    /// One frame of every leg that is due.
    fn listen(&mut self, now: Now, beat: Beat) {
        self.work.due.clear();
        for at in 0..self.legs.on(beat).len() {
            let slot = self.legs.on(beat)[at];
            if self.hear_leg(now, slot, beat) {
                self.work.due.push(slot);
            }
        }
    }

    /// One frame of every player that is heard.
    fn play(&mut self, beat: Beat) {
        let Self { players, voices, work, .. } = self;
        for at in 0..players.on(beat).len() {
            let slot = players.on(beat)[at];
            let Some((id, player)) = players.at_mut(slot).filter(|(_, player)| player.next_tick <= beat) else {
                continue;
            };
            if !player.started {
                continue;
            }
            let frame = voices.samples_mut(player.voice);
            player.skip((beat - player.next_tick) / TICK_BEATS, frame);
            player.next_tick = beat + TICK_BEATS;
            let played = player.next_frame(frame);
            let presence = if played == Played::Sound { Presence::Loud } else { Presence::Absent };
            voices.set(player.voice, presence);
            if player.is_finished() || player.is_ending {
                work.finished.push(id);
            }
        }
    }

    /// To every leg that is due, what it hears.
    fn speak(&mut self, beat: Beat) {
        let Self { legs, rooms, voices, noise, outbox, events, work, .. } = self;
        let Work { due, wide, ended, frame, payload, .. } = work;
        wide.clear();
        for &slot in due.iter() {
            let Some((id, leg)) = legs.at_mut(slot) else { continue };
            leg.next_tick = beat + TICK_BEATS;
            if !leg.is_sending() {
                if leg.ending.is_some() {
                    ended.push(id);
                }
                leg.pass();
                continue;
            }
            let Some(law) = leg.law().filter(|_| leg.hearing.ears.is_none() && leg.is_plain()) else {
                wide.push(slot);
                continue;
            };
            let mut heard = leg.hearing.hear(voices, rooms, frame, beat);
            let encoded = match heard.encode(law, frame, payload) {
                Some(encoded) => encoded,
                None => noise.encoded(law, beat / TICK_BEATS),
            };
            if leg.send((LegSlot(slot), id), encoded, outbox) {
                events.answer(Event::DigitsSent { leg: id });
            }
        }
    }

    /// To every leg that is due and was left by [`Engine::speak`], what it hears.
    #[inline(never)]
    fn speak_wide(&mut self, beat: Beat) {
        let Self { legs, rooms, voices, noise, quiet, outbox, events, work, .. } = self;
        let Work { wide, payload, samples, .. } = work;
        let round = beat / TICK_BEATS;
        // Before anybody feeds a shared stream: who leaves it takes along what its decoder knows.
        for &slot in wide.iter() {
            let Some((_, leg)) = legs.at_mut(slot) else { continue };
            let Some(following) = &mut leg.following else { continue };
            if following.followed == Followed::Own {
                continue;
            }
            let format = following.format();
            let room = |slot| rooms.at(slot).and_then(|room: &Room| room.bus(format.rate()));
            let shared = match following.followed {
                Followed::Room(slot) => room(slot).and_then(|bus| bus.streams.get(format)),
                Followed::Quiet | Followed::Own => quiet.streams().get(format),
            };
            let goes = leg.hearing.is_private(voices, rooms, beat)
                || (following.clicks()
                    && match (following.followed, leg.hearing.shared_room(rooms, beat)) {
                        (Followed::Room(was), None) => room(was).is_some_and(|bus| !following.is_silent(bus.mixed())),
                        (Followed::Room(was), Some(now)) => was != now,
                        // A stream that begins goes on from that of silence; one that runs is elsewhere.
                        (_, Some(now)) => {
                            let stream = room(now).and_then(|bus| bus.streams.get(format));
                            stream.is_some_and(|stream| stream.was_fed_in(round.wrapping_sub(1)))
                        }
                        (_, None) => false,
                    });
            if goes {
                following.leaves(shared);
            }
        }
        for &slot in wide.iter() {
            let Some((id, leg)) = legs.at_mut(slot) else { continue };
            let who = (LegSlot(slot), id);
            let out = &mut samples[..leg.hearing_rate().frame()];
            let heard = leg.hearing.hear_at(voices, rooms, out, beat);
            if leg.is_told() {
                leg.tell(leg.hearing.contributors(id, voices, rooms, beat));
            }
            if leg.has_dtx() {
                let noise = match heard {
                    HeardWide::Silence => Some(Noise::Faint),
                    HeardWide::Own if leg.hearing.is_noise(voices) => Some(Noise::Of(out)),
                    HeardWide::Own | HeardWide::Shared(_) => None,
                };
                if leg.rest(who, noise, outbox) {
                    continue;
                }
            }
            if let Some(law) = leg.law() {
                let encoded: &[u8] = match heard {
                    HeardWide::Silence => noise.encoded(law, round),
                    HeardWide::Shared(slot) => match rooms.at_mut(slot) {
                        Some((_, room)) => room.encoded(law),
                        None => noise.encoded(law, round),
                    },
                    HeardWide::Own => {
                        law.encode(out, payload);
                        payload
                    }
                };
                if leg.send(who, encoded, outbox) {
                    events.answer(Event::DigitsSent { leg: id });
                }
                continue;
            }
            let Some(mut following) = leg.following.take() else {
                leg.pass();
                continue;
            };
            let format = following.format();
            if !format.is_shared() {
                let frame: &[i16] = match heard {
                    HeardWide::Silence => noise.frame(round),
                    HeardWide::Shared(slot) => rooms.at(slot).map_or(&SILENCE, |room| room.mixed()),
                    HeardWide::Own => out,
                };
                following.own.put(round, frame);
                if leg.send_stream(who, &following.own, outbox) {
                    events.answer(Event::DigitsSent { leg: id });
                }
                leg.following = Some(following);
                continue;
            }
            let bus = match heard {
                HeardWide::Shared(slot) => rooms.at_mut(slot).and_then(|(_, room)| room.bus_mut(format.rate())),
                HeardWide::Silence | HeardWide::Own => None,
            };
            let stream = match (heard, bus) {
                (HeardWide::Shared(slot), Some(bus)) => {
                    if following.joins(bus.mixed()) {
                        following.followed = Followed::Room(slot);
                        bus.encoded(format, round, quiet.streams())
                    } else {
                        Some(following.go_on(round, bus.mixed()))
                    }
                }
                (HeardWide::Own, _) => Some(following.go_on(round, out)),
                _ if following.calms_down() => {
                    following.own.put(round, &[0; LONGEST_FRAME][..format.rate().frame()]);
                    Some(&mut following.own)
                }
                _ => {
                    following.followed = Followed::Quiet;
                    quiet.encoded(format, round)
                }
            };
            match stream {
                Some(stream) => {
                    stream.note_loss(round, leg.remote_fraction_lost());
                    if leg.send_stream(who, stream, outbox) {
                        events.answer(Event::DigitsSent { leg: id });
                    }
                }
                None => leg.pass(),
            }
            leg.following = Some(following);
        }
    }

    /// To every recorder what it hears, silence included.
    fn record(&mut self, beat: Beat) {
        let Self { recorders, rooms, voices, work, .. } = self;
        for at in 0..recorders.on(beat).len() {
            let slot = recorders.on(beat)[at];
            let Some((_, recorder)) = recorders.at_mut(slot).filter(|(_, recorder)| recorder.next_tick <= beat) else {
                continue;
            };
            for _ in 0..((beat - recorder.next_tick) / TICK_BEATS).min(50) {
                recorder.record(&[0; LONGEST_FRAME][..recorder.rate.frame()]);
            }
            recorder.next_tick = beat + TICK_BEATS;
            if recorder.hearing.ears.is_some() {
                let rate = recorder.rate;
                let frame = &mut work.samples[..rate.frame()];
                let mixed = |slot| match rate {
                    Rate::Narrow => rooms.at(slot).map(|room| &room.mixed()[..]),
                    rate => rooms.at(slot)?.bus(rate).map(Bus::mixed),
                };
                let kept = match recorder.hearing.hear_wide(voices, rooms, frame, beat) {
                    HeardWide::Own => Some(&*frame),
                    HeardWide::Shared(slot) => mixed(slot),
                    HeardWide::Silence => None,
                };
                recorder.record(kept.unwrap_or(&[0; LONGEST_FRAME][..rate.frame()]));
                continue;
            }
            match recorder.hearing.hear(voices, rooms, &mut work.frame, beat) {
                Heard::Silence => recorder.record(&SILENCE),
                Heard::Shared(room) => recorder.record(room.mixed()),
                Heard::Frame(frame) => recorder.record(frame),
                Heard::Own => recorder.record(&work.frame),
            }
        }
    }

    /// Takes players away that came to their end, after all were heard.
    fn retire(&mut self, now: Now) {
        while let Some(leg) = self.work.ended.pop() {
            self.take_leg_out(now, leg);
        }
        while let Some(player) = self.work.finished.pop() {
            self.end_player(player, true);
        }
        if self.skipped > 0 && self.events.has_room() {
            let count = std::mem::take(&mut self.skipped);
            self.events.answer(Event::TicksSkipped { thread: self.thread, count });
        }
        if self.events.has_room()
            && let Some(count) = self.budget.suppression.left_out()
        {
            self.events.answer(Event::NoiseNotSuppressed { thread: self.thread, count });
        }
    }
}
