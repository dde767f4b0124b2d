//! What is done to a leg's sound before others hear it, where its trunk or its room says so: an offset is taken out,
//! noise is suppressed, and whoever speaks is brought to the same loudness.

use super::super::budget::SuppressionBudget;
use super::super::command::VoiceProcessing;
use super::super::voices::Presence;
use super::gate::Gate;
use crate::audio::Rate;
use crate::audio::automatic_gain::AutomaticGain;
use crate::audio::dc::DcRemoval;
use crate::audio::noise_suppression::NoiseSuppression;

/// The processing of one leg.
#[derive(Debug)]
pub(super) struct Leveling {
    rate: Rate,
    offset: DcRemoval,
    suppression: Option<Box<NoiseSuppression>>,
    /// The round of ticks in which it was at work last.
    suppressed_in: u64,
    /// Judges the sound without its offset and noise, which would hold the leg's own gate open.
    gate: Gate,
    gain: Option<AutomaticGain>,
}

impl Leveling {
    /// What is to be done, if anything is; what there `was` goes on. Allocates.
    pub(super) fn arranged(was: Option<Box<Self>>, wanted: VoiceProcessing, rate: Rate) -> Option<Box<Self>> {
        let VoiceProcessing { automatic_gain, noise_suppression } = wanted;
        if !automatic_gain && !noise_suppression {
            return None;
        }
        let mut leveling = was.unwrap_or_else(|| {
            let mut gate = Gate::new();
            gate.set_rate(rate);
            Box::new(Self { rate, offset: DcRemoval::new(rate), suppression: None, suppressed_in: 0, gate, gain: None })
        });
        let suppression = leveling.suppression.take().filter(|_| noise_suppression);
        let rate = leveling.rate;
        let new = || noise_suppression.then(|| Box::new(NoiseSuppression::new(rate)));
        leveling.suppression = suppression.or_else(new);
        leveling.gain = leveling.gain.take().filter(|_| automatic_gain);
        leveling.gain = leveling.gain.take().or_else(|| automatic_gain.then(AutomaticGain::default));
        Some(leveling)
    }

    /// The energy of the last frame without its offset and noise, where it passed the gate.
    pub(super) fn energy(&self) -> Option<u64> {
        self.gate.passed()
    }

    /// Processes the frame of a tick in `round`. Gives what it is then. Its noise is left where too many need the
    /// `budget`.
    #[inline(never)]
    pub(super) fn level(
        &mut self,
        presence: Presence,
        frame: &mut [i16],
        rate: Rate,
        (round, budget): (u64, &mut SuppressionBudget),
    ) -> Presence {
        if rate != self.rate {
            self.rate = rate;
            self.offset = DcRemoval::new(rate);
            self.gate.set_rate(rate);
            self.suppression.iter_mut().for_each(|suppression| suppression.set_rate(rate));
            self.gain.iter_mut().for_each(AutomaticGain::reset);
        }
        if presence == Presence::Absent {
            self.offset.reset();
            self.gate.close();
            return presence;
        }
        self.offset.apply(frame);
        if let Some(suppression) = &mut self.suppression
            && NoiseSuppression::is_for(rate)
            && budget.takes(round, &mut self.suppressed_in, frame.len())
        {
            suppression.apply(frame);
        }
        let presence = self.gate.judge(frame);
        if let Some(gain) = &mut self.gain
            && presence != Presence::Absent
        {
            gain.apply(frame, presence == Presence::Loud);
        }
        presence
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audio::level;

    const GAIN: VoiceProcessing = VoiceProcessing { automatic_gain: true, noise_suppression: false };
    const BOTH: VoiceProcessing = VoiceProcessing { automatic_gain: true, noise_suppression: true };

    fn leveled(rate: Rate) -> Box<Leveling> {
        Leveling::arranged(None, GAIN, rate).unwrap()
    }

    #[test]
    fn what_is_wanted_anew_begins_and_what_goes_on_stays() {
        let mut leveling = leveled(Rate::Narrow);
        for _ in 0..100 {
            let mut frame: Vec<i16> = (0..160).map(|i| if i % 16 < 8 { 300 } else { -300 }).collect();
            leveling.level(Presence::Loud, &mut frame, Rate::Narrow, (1, &mut SuppressionBudget::default()));
        }
        let decibels = leveling.gain.as_ref().unwrap().decibels();
        let both = Leveling::arranged(Some(leveling), BOTH, Rate::Narrow).unwrap();
        assert!(both.suppression.is_some() && both.gain.as_ref().unwrap().decibels() == decibels);
        let gain = Leveling::arranged(Some(both), GAIN, Rate::Narrow).unwrap();
        assert!(gain.suppression.is_none() && gain.gain.is_some());
        assert!(Leveling::arranged(Some(gain), VoiceProcessing::default(), Rate::Narrow).is_none());
    }

    #[test]
    fn a_steady_noise_is_suppressed_until_the_gate_keeps_it_out() {
        let wanted = VoiceProcessing { automatic_gain: false, noise_suppression: true };
        let mut leveling = Leveling::arranged(None, wanted, Rate::Narrow).unwrap();
        let mut state = 7u32;
        let mut noise = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            // −50 dBov.
            ((f64::from(state) / f64::from(u32::MAX) * 2.0 - 1.0) * 180.0) as i16
        };
        let presence = |_| {
            let mut frame: Vec<i16> = (0..160).map(|_| noise()).collect();
            leveling.level(Presence::Loud, &mut frame, Rate::Narrow, (1, &mut SuppressionBudget::default()))
        };
        let presences: Vec<Presence> = (0..500).map(presence).collect();
        assert!(presences[..25].contains(&Presence::Loud) && !presences[300..].contains(&Presence::Loud));
        assert_eq!(leveling.energy(), None);
    }

    #[test]
    fn an_offset_is_no_sound_and_does_not_take_room_from_it() {
        for rate in Rate::ALL {
            let mut leveling = leveled(rate);
            let mut ticks = (0..100).map(|_| {
                let mut frame = vec![12_000i16; rate.frame()];
                leveling.level(Presence::Loud, &mut frame, rate, (1, &mut SuppressionBudget::default()))
            });
            assert!(ticks.all(|presence| presence != Presence::Loud), "{rate:?}");
            let mut frame: Vec<i16> =
                (0..rate.frame()).map(|i| if i / rate.scale() % 16 < 8 { 15_000 } else { 9_000 }).collect();
            assert_eq!(
                leveling.level(Presence::Loud, &mut frame, rate, (1, &mut SuppressionBudget::default())),
                Presence::Loud
            );
            let half = &frame[rate.frame() / 2..];
            let mean = half.iter().map(|sample| f64::from(*sample)).sum::<f64>() / half.len() as f64;
            assert!(mean.abs() < 600.0 && (level::dbfs(half) + 17.8).abs() < 1.5, "{rate:?} {mean}");
        }
    }

    #[test]
    fn the_rate_may_change_and_nothing_stays_nothing() {
        let (mut leveling, mut budget) = (leveled(Rate::Narrow), SuppressionBudget::default());
        assert_eq!(leveling.level(Presence::Absent, &mut [7; 160], Rate::Narrow, (1, &mut budget)), Presence::Absent);
        let mut wide = [9_000i16; 320];
        assert_eq!(leveling.level(Presence::Loud, &mut wide, Rate::Wide, (2, &mut budget)), Presence::Absent);
        assert_eq!(wide, [0; 320]);
    }
}
