//! Which legs disturb their conference: by an echo, a noise, or music.
//!
//! All is judged by how loud the frames of 20 ms are, which the gates of the legs know anyway. An engine hands them out
//! every two seconds, when it is asked to; they are looked at here, on the gateway's side, and never in a tick. A leg
//! that is silent is neither handed out nor looked at.

mod changes;
mod echo;
mod music;
mod noise;
#[cfg(test)]
mod tests;

use self::echo::Echo;
use super::command::{Event, MEASURED, Measurement};
use crate::types::{CallId, Disturbance, Disturbances, RoomId};
use std::collections::HashMap;

/// Frames that are kept, 10 s: by so many music is told.
const KEPT: usize = 500;
/// Frames by which a noise is told, 7 s, and an echo, 6 s.
const NOISE: usize = 350;
const ECHO: usize = 300;
/// An echo comes so late, half frames more or less, each time it is found.
const SAME_DELAY: usize = 2;
/// How often in a row a disturbance is found before it is one, and how often it is not before it is over.
const BEGINS: [u8; 3] = [2, 1, 2];
const ENDS: u8 = 5;
/// What is looked for is looked for every two seconds, or little less, however often is measured.
const LEAST: usize = 90;

/// The newest frames last.
type Powers = Box<[f32; KEPT]>;

/// All rooms that are measured.
#[derive(Debug, Default)]
pub(super) struct Listener {
    rooms: HashMap<RoomId, Conference>,
    /// By leg and room: in each of several it may be an echo of something else.
    legs: HashMap<(CallId, RoomId), Speaker>,
    scratch: Vec<f32>,
    sent: Vec<f32>,
}

/// A room.
#[derive(Debug)]
struct Conference {
    /// The 20 ms that were measured last.
    end: u64,
    /// The sum of all who are heard.
    powers: Powers,
}

/// A leg that was not silent all the time.
#[derive(Debug)]
struct Speaker {
    own: Powers,
    /// What the others hear of it: nothing while it is muted.
    shared: Powers,
    /// Frames since it was handed out last.
    silent: usize,
    /// After how many half frames an echo was found last.
    delay: usize,
    disturbs: Disturbances,
    /// How often each was found in a row; and of those that it disturbs by, how often not.
    count: [u8; 3],
}

impl Listener {
    /// Takes what was measured. Gives what begins and ends.
    pub(super) fn hear(&mut self, measurement: &Measurement, out: &mut impl Extend<Event>) {
        let Measurement { room, end, legs } = measurement;
        let conference = self
            .rooms
            .entry(*room)
            .or_insert_with(|| Conference { end: end.saturating_sub(MEASURED as u64), powers: zeros() });
        let Some(passed) = end.checked_sub(conference.end).filter(|passed| *passed > 0) else { return };
        let passed = usize::try_from(passed).unwrap_or(KEPT).min(KEPT);
        if passed < LEAST {
            return;
        }
        conference.end = *end;
        shift(&mut conference.powers, passed);
        for (_, speaker) in self.legs.iter_mut().filter(|((_, of), _)| of == room) {
            shift(&mut speaker.own, passed);
            shift(&mut speaker.shared, passed);
            speaker.silent += passed;
        }
        let new = passed.min(MEASURED);
        for leg in legs {
            let speaker = self.legs.entry((leg.leg, *room)).or_insert_with(Speaker::new);
            let powers = &leg.powers[MEASURED - new..];
            speaker.silent = 0;
            speaker.own[KEPT - new..].copy_from_slice(powers);
            if leg.is_heard {
                speaker.shared[KEPT - new..].copy_from_slice(powers);
                let all = self.rooms.get_mut(room).into_iter().flat_map(|room| &mut room.powers[KEPT - new..]);
                all.zip(powers).for_each(|(all, power)| *all += power);
            }
        }
        let Some(conference) = self.rooms.get(room) else { return };
        let mut changes = Vec::new();
        for ((leg, _), speaker) in self.legs.iter_mut().filter(|((_, of), _)| of == room) {
            let judged = speaker.judge(&conference.powers, &mut self.sent, &mut self.scratch);
            changes.extend(judged.into_iter().map(|(disturbance, is_heard)| (*leg, disturbance, is_heard)));
        }
        for (leg, disturbance, is_heard) in changes {
            self.tell((leg, *room), disturbance, is_heard, out);
        }
        self.legs.retain(|_, speaker| speaker.silent < KEPT || !speaker.disturbs.is_empty());
    }

    /// Whether a leg disturbs a room.
    pub(super) fn disturbs(&self, leg: CallId, room: RoomId) -> bool {
        self.legs.get(&(leg, room)).is_some_and(|speaker| !speaker.disturbs.is_empty())
    }

    /// Tells what begins and ends, unless it goes on in another room.
    fn tell(&self, (leg, room): (CallId, RoomId), disturbance: Disturbance, on: bool, out: &mut impl Extend<Event>) {
        let mut others = self.legs.iter().filter(|((other, of), _)| *other == leg && *of != room);
        if !others.any(|(_, speaker)| speaker.disturbs.contains(disturbance)) {
            out.extend([Event::Disturbance { leg, room, disturbance, is_heard: on }]);
        }
    }

    /// A leg has left a room: it disturbs nobody there any more.
    pub(super) fn leave(&mut self, leg: CallId, room: RoomId, out: &mut impl Extend<Event>) {
        let Some(Speaker { disturbs, .. }) = self.legs.remove(&(leg, room)) else { return };
        for disturbance in disturbs.iter() {
            self.tell((leg, room), disturbance, false, out);
        }
    }

    /// A leg is gone.
    pub(super) fn forget_leg(&mut self, leg: CallId, out: &mut impl Extend<Event>) {
        let rooms: Vec<_> = self.legs.keys().filter(|(known, _)| *known == leg).map(|(_, room)| *room).collect();
        for room in rooms {
            self.leave(leg, room, out);
        }
    }

    /// A room is gone.
    pub(super) fn forget_room(&mut self, room: RoomId, out: &mut impl Extend<Event>) {
        self.rooms.remove(&room);
        let legs: Vec<_> = self.legs.keys().filter(|(_, of)| *of == room).map(|(leg, _)| *leg).collect();
        for leg in legs {
            self.leave(leg, room, out);
        }
    }

    /// Whether it knows of nobody.
    pub(super) fn is_idle(&self) -> bool {
        self.rooms.is_empty()
    }
}

impl Speaker {
    fn new() -> Self {
        Self { own: zeros(), shared: zeros(), silent: 0, delay: 0, disturbs: Disturbances::default(), count: [0; 3] }
    }

    /// Looks for each disturbance, where `all` is what is heard in the room. Gives what begins and ends.
    fn judge(&mut self, all: &[f32; KEPT], sent: &mut Vec<f32>, scratch: &mut Vec<f32>) -> Vec<(Disturbance, bool)> {
        let own = &self.own[..];
        let noise = noise::is_heard(&own[KEPT - NOISE..], scratch);
        let music = !noise && music::is_heard(own);
        sent.clear();
        let others = |(all, shared): (&f32, &f32)| (all - shared).max(0.0);
        let from = KEPT - ECHO - echo::LONGEST;
        sent.extend(all[from..].iter().zip(&self.shared[from..]).map(others));
        let echo = match echo::find(&own[KEPT - ECHO..], sent, scratch) {
            Echo::Unknown => None,
            Echo::No => Some(false),
            Echo::After(delay) => {
                let before = std::mem::replace(&mut self.delay, delay);
                let is_same = before.abs_diff(delay) <= SAME_DELAY;
                if !is_same && !self.disturbs.contains(Disturbance::Echo) {
                    self.count[Disturbance::Echo as usize] = 0;
                }
                Some(true)
            }
        };
        let mut changes = Vec::new();
        for (disturbance, is_found) in Disturbance::ALL.into_iter().zip([echo, Some(noise), Some(music)]) {
            let Some(is_found) = is_found else { continue };
            let count = &mut self.count[disturbance as usize];
            let is_on = self.disturbs.contains(disturbance);
            *count = if is_found == is_on { 0 } else { *count + 1 };
            if *count >= if is_on { ENDS } else { BEGINS[disturbance as usize] } {
                *count = 0;
                self.disturbs.set(disturbance, !is_on);
                changes.push((disturbance, !is_on));
            }
        }
        changes
    }
}

fn zeros() -> Powers {
    Box::new([0.0; KEPT])
}

/// Makes room for so many frames, which are silent so far.
fn shift(powers: &mut Powers, frames: usize) {
    powers.copy_within(frames.., 0);
    powers[KEPT - frames..].fill(0.0);
}
