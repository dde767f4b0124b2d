//! What is done to a leg's sound before others hear it, where its trunk says so: an offset is taken out, and whoever
//! speaks is brought to the same loudness.

use super::super::voices::Presence;
use super::gate::Gate;
use crate::audio::Rate;
use crate::audio::automatic_gain::AutomaticGain;
use crate::audio::dc::DcRemoval;

/// The leveling of one leg.
#[derive(Debug)]
pub(super) struct Leveling {
    rate: Rate,
    offset: DcRemoval,
    /// Judges the sound without its offset, which would hold the leg's own gate open.
    gate: Gate,
    gain: AutomaticGain,
}

impl Leveling {
    pub(super) fn new(rate: Rate) -> Self {
        let mut gate = Gate::new();
        gate.set_rate(rate);
        Self { rate, offset: DcRemoval::new(rate), gate, gain: AutomaticGain::default() }
    }

    /// Levels the frame of a tick. Gives what it is then.
    #[inline(never)]
    pub(super) fn level(&mut self, presence: Presence, frame: &mut [i16], rate: Rate) -> Presence {
        if rate != self.rate {
            self.rate = rate;
            self.offset = DcRemoval::new(rate);
            self.gate.set_rate(rate);
            self.gain.reset();
        }
        if presence == Presence::Absent {
            self.offset.reset();
            self.gate.close();
            return presence;
        }
        self.offset.apply(frame);
        let presence = self.gate.judge(frame);
        if presence != Presence::Absent {
            self.gain.apply(frame, presence == Presence::Loud);
        }
        presence
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audio::level;

    #[test]
    fn an_offset_is_no_sound_and_does_not_take_room_from_it() {
        for rate in Rate::ALL {
            let mut leveling = Leveling::new(rate);
            let mut ticks = (0..100).map(|_| {
                let mut frame = vec![12_000i16; rate.frame()];
                leveling.level(Presence::Loud, &mut frame, rate)
            });
            assert!(ticks.all(|presence| presence != Presence::Loud), "{rate:?}");
            let mut frame: Vec<i16> =
                (0..rate.frame()).map(|i| if i / rate.scale() % 16 < 8 { 15_000 } else { 9_000 }).collect();
            assert_eq!(leveling.level(Presence::Loud, &mut frame, rate), Presence::Loud);
            let half = &frame[rate.frame() / 2..];
            let mean = half.iter().map(|sample| f64::from(*sample)).sum::<f64>() / half.len() as f64;
            assert!(mean.abs() < 600.0 && (level::dbfs(half) + 17.8).abs() < 1.5, "{rate:?} {mean}");
        }
    }

    #[test]
    fn the_rate_may_change_and_nothing_stays_nothing() {
        let mut leveling = Leveling::new(Rate::Narrow);
        assert_eq!(leveling.level(Presence::Absent, &mut [7; 160], Rate::Narrow), Presence::Absent);
        let mut wide = [9_000i16; 320];
        assert_eq!(leveling.level(Presence::Loud, &mut wide, Rate::Wide), Presence::Absent);
        assert_eq!(wide, [0; 320]);
    }
}
