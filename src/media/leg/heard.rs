//! What the others hear of a leg: all of it, louder or quieter, or nothing, and how that begins and ends.

use super::super::budget::Budget;
use super::super::command::VoiceProcessing;
use super::super::phase::TICK_BEATS;
use super::super::voices::Presence;
use super::Leg;
use super::leveling::Leveling;
use crate::audio::fade::{fade_in, fade_out};

/// What others hear of a leg's next frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum HeardAs {
    /// All of it.
    Sound,
    /// All of it, louder or quieter.
    Scaled,
    /// It is faded in.
    Beginning,
    /// It is faded out.
    End,
    /// Nothing: the leg is muted.
    Nothing,
}

impl Leg {
    #[inline(never)]
    pub(super) fn fade(&mut self, mut presence: Presence, frame: &mut [i16], budget: &mut Budget) -> Presence {
        let rate = self.receiver.rate();
        if let Some(leveling) = &mut self.leveling {
            let round = self.heard_at.unwrap_or_default() / TICK_BEATS;
            presence = leveling.level(presence, frame, rate, (round, &mut budget.suppression));
        }
        match presence {
            Presence::Absent => self.gain.settle(),
            Presence::Quiet | Presence::Loud => self.gain.apply(frame),
        }
        match self.heard_as {
            HeardAs::Sound => {}
            HeardAs::Scaled => self.heard_as = self.steady(),
            HeardAs::Nothing => return Presence::Absent,
            HeardAs::Beginning => {
                fade_in(frame, rate);
                self.heard_as = self.steady();
            }
            HeardAs::End => {
                fade_out(frame, rate);
                self.heard_as = HeardAs::Nothing;
            }
        }
        presence
    }

    /// How it is heard where nothing begins or ends.
    pub(super) const fn steady(&self) -> HeardAs {
        if self.gain.is_unity() && self.leveling.is_none() { HeardAs::Sound } else { HeardAs::Scaled }
    }

    /// Others hear it so many decibels louder than it is, or quieter.
    pub(crate) fn set_gain(&mut self, decibels: i8) {
        self.gain.set(decibels);
        if self.heard_as == HeardAs::Sound {
            self.heard_as = self.steady();
        }
    }

    /// Something else is done to its sound. Allocates.
    pub(crate) fn process(&mut self, processing: VoiceProcessing) {
        self.leveling = Leveling::arranged(self.leveling.take(), processing, self.receiver.rate());
        if matches!(self.heard_as, HeardAs::Sound | HeardAs::Scaled) {
            self.heard_as = self.steady();
        }
    }

    /// Nobody hears it any more, after a fade, or again.
    pub(crate) const fn mute(&mut self, muted: bool) {
        self.heard_as = match (self.heard_as, muted) {
            (HeardAs::Sound | HeardAs::Scaled, true) => HeardAs::End,
            (HeardAs::Beginning, true) => HeardAs::Nothing,
            (HeardAs::End, false) => self.steady(),
            (HeardAs::Nothing, false) => HeardAs::Beginning,
            (unchanged, _) => unchanged,
        };
    }

    /// Nobody heard it until now.
    pub(crate) fn begin(&mut self) {
        if matches!(self.heard_as, HeardAs::Sound | HeardAs::Scaled) {
            self.heard_as = HeardAs::Beginning;
        }
    }
}
