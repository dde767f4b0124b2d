//! A room's sound of more than 8 kHz: one bus for each rate in use, converted into each other once a tick.
//!
//! What a listener of a rate hears is that rate's own sum, plus those of the others converted, less the listener's
//! share, which is in the own sum. So nothing switches when somebody of another rate joins, and one browser does not
//! make 400 telephones convert.

use super::stream::{Format, Streams};
use super::voices::{Presence, VoiceId, Voices};
use crate::audio::limiter::SumLimiter;
use crate::audio::rate_converter::{RateConverter, Sums};
use crate::audio::{FRAME_8K, LONGEST_FRAME, Rate, mix};

/// The buses of a room, that of 8 kHz apart.
#[derive(Debug)]
pub(crate) struct Buses {
    wide: Bus,
    full: Bus,
    /// From each rate that somebody speaks to each that somebody hears.
    converters: Vec<RateConverter>,
    /// What the others add to the bus of 8 kHz.
    into_narrow: [i32; FRAME_8K],
}

/// What is spoken and heard at one rate.
#[derive(Debug)]
pub(crate) struct Bus {
    rate: Rate,
    /// Who speaks at this rate, in order.
    voices: Vec<VoiceId>,
    has_listeners: bool,
    /// What is spoken at this rate, and what is heard: that and all else.
    own: Box<Sums>,
    total: Box<Sums>,
    limiter: SumLimiter,
    /// Voices in `own`.
    loud: usize,
    mixed: Box<[i16; LONGEST_FRAME]>,
    pub(crate) streams: Streams,
}

impl Bus {
    fn new(rate: Rate) -> Self {
        Self {
            rate,
            voices: Vec::new(),
            has_listeners: false,
            own: Box::new([0; LONGEST_FRAME]),
            total: Box::new([0; LONGEST_FRAME]),
            limiter: SumLimiter::new(rate),
            loud: 0,
            mixed: Box::new([0; LONGEST_FRAME]),
            streams: Streams::default(),
        }
    }

    /// Sums who speaks at this rate.
    fn sum(&mut self, voices: &Voices, mixes: impl Fn(VoiceId) -> bool) {
        let before = self.loud;
        self.loud = 0;
        let own = &mut self.own[..self.rate.frame()];
        for &voice in &self.voices {
            if voices.presence(voice) == Presence::Loud && mixes(voice) {
                if self.loud == 0 {
                    own.fill(0);
                }
                self.loud += 1;
                mix::add(own, voices.samples(voice));
            }
        }
        if self.loud == 0 && before > 0 {
            own.fill(0);
        }
    }

    /// By what the sum of all was multiplied ([`SumLimiter::factors`]).
    pub(crate) fn factors(&self) -> Option<&[i16]> {
        self.limiter.factors()
    }

    /// All that is heard at this rate in this tick.
    pub(crate) fn mixed(&self) -> &[i16] {
        &self.mixed[..self.rate.frame()]
    }

    /// The mix of `round` for all who contribute nothing, encoded once. `quiet` is what they followed while nobody
    /// spoke.
    pub(crate) fn encoded(
        &mut self,
        format: Format,
        round: u64,
        quiet: &Streams,
    ) -> Option<&mut super::stream::Stream> {
        let frame = self.rate.frame();
        let stream = self.streams.get_mut(format)?;
        if !stream.was_fed_in(round) {
            if !stream.was_fed_in(round.wrapping_sub(1))
                && let Some(quiet) = quiet.get(format)
            {
                stream.copy_from(quiet);
            }
            stream.put(round, &self.mixed[..frame]);
        }
        Some(stream)
    }
}

impl Buses {
    /// Buses for voices and listeners of more than 8 kHz; `None` where there are neither. `hears` says of each rate
    /// whether anybody listens at it. What there `was` goes on. Allocates.
    pub(crate) fn arranged(
        was: Option<Box<Self>>,
        voices: &Voices,
        speakers: &[VoiceId],
        formats: &[Format],
        hears: [bool; 3],
    ) -> Option<Box<Self>> {
        let of_rate = |rate| speakers.iter().copied().filter(move |voice| voices.rate(*voice) == rate);
        let speaks = |rate| of_rate(rate).next().is_some();
        let hears = |rate: Rate| hears[rate.index()];
        let is_used = |rate| speaks(rate) || hears(rate);
        if !is_used(Rate::Wide) && !is_used(Rate::Full) {
            return None;
        }
        let mut buses = was.unwrap_or_else(|| {
            Box::new(Self {
                wide: Bus::new(Rate::Wide),
                full: Bus::new(Rate::Full),
                converters: Vec::new(),
                into_narrow: [0; FRAME_8K],
            })
        });
        for rate in [Rate::Wide, Rate::Full] {
            let Some(bus) = buses.get_mut(rate) else { continue };
            bus.voices.clear();
            bus.voices.extend(of_rate(rate));
            bus.has_listeners = hears(rate);
            let formats: Vec<Format> = formats.iter().copied().filter(|format| format.rate() == rate).collect();
            bus.streams.keep(&formats);
        }
        let mut before = std::mem::take(&mut buses.converters);
        for from in Rate::ALL.into_iter().filter(|from| speaks(*from)) {
            for to in Rate::ALL.into_iter().filter(|to| *to != from && hears(*to)) {
                let known = before.iter().position(|old| (old.from(), old.to()) == (from, to));
                let converter = known.map_or_else(|| RateConverter::new(from, to), |at| before.swap_remove(at));
                buses.converters.push(converter);
            }
        }
        Some(buses)
    }

    pub(crate) fn has_listeners(&self) -> bool {
        self.wide.has_listeners || self.full.has_listeners
    }

    pub(crate) fn get(&self, rate: Rate) -> Option<&Bus> {
        match rate {
            Rate::Narrow => None,
            Rate::Wide => Some(&self.wide),
            Rate::Full => Some(&self.full),
        }
    }

    pub(crate) fn get_mut(&mut self, rate: Rate) -> Option<&mut Bus> {
        match rate {
            Rate::Narrow => None,
            Rate::Wide => Some(&mut self.wide),
            Rate::Full => Some(&mut self.full),
        }
    }

    /// All who speak at these rates.
    pub(crate) fn voices(&self) -> impl Iterator<Item = VoiceId> {
        [&self.wide, &self.full].into_iter().flat_map(|bus| bus.voices.iter().copied())
    }

    /// Whether a voice sounds here.
    pub(crate) fn has(&self, voice: VoiceId) -> bool {
        [&self.wide, &self.full].iter().any(|bus| bus.voices.binary_search(&voice).is_ok())
    }

    /// Sums the voices of this tick and lets each rate into the others. `narrow` is the sum of `narrow_loud` voices at
    /// 8 kHz, and gets what the others add to it. Returns how many voices sound at the other rates.
    pub(crate) fn mix(
        &mut self,
        voices: &Voices,
        narrow: &mut [i32; FRAME_8K],
        narrow_loud: usize,
        mixes: impl Fn(VoiceId) -> bool,
    ) -> usize {
        let Self { wide, full, converters, into_narrow } = self;
        wide.sum(voices, &mixes);
        full.sum(voices, &mixes);
        into_narrow.fill(0);
        for bus in [&mut *wide, &mut *full] {
            let frame = bus.rate.frame();
            bus.total[..frame].copy_from_slice(&bus.own[..frame]);
        }
        for converter in converters {
            let (from, loud): (&[i32], usize) = match converter.from() {
                Rate::Narrow => (&narrow[..], narrow_loud),
                Rate::Wide => (&wide.own[..], wide.loud),
                Rate::Full => (&full.own[..], full.loud),
            };
            let to: &mut [i32] = match converter.to() {
                Rate::Narrow => &mut into_narrow[..],
                Rate::Wide => &mut wide.total[..],
                Rate::Full => &mut full.total[..],
            };
            if loud > 0 {
                converter.add(from, to);
            } else {
                converter.add_silence(to);
            }
        }
        for bus in [&mut *wide, &mut *full] {
            if bus.has_listeners {
                let frame = bus.rate.frame();
                bus.limiter.mix(&bus.total[..frame], &mut bus.mixed[..frame]);
            }
        }
        for (narrow, more) in narrow.iter_mut().zip(into_narrow) {
            *narrow += *more;
        }
        wide.loud + full.loud
    }

    /// The room is in another engine now, where its voices have other places.
    pub(crate) fn forget(&mut self) {
        for bus in [&mut self.wide, &mut self.full] {
            bus.voices.clear();
            bus.own.fill(0);
            bus.total.fill(0);
            bus.limiter.reset();
            bus.mixed.fill(0);
            bus.loud = 0;
        }
        self.converters.iter_mut().for_each(RateConverter::clear);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_converted_for_a_rate_at_which_nobody_listens() {
        let mut voices = Voices::default();
        let speakers = [Rate::Narrow, Rate::Full].map(|rate| {
            let voice = voices.add();
            voices.set_rate(voice, rate);
            voice
        });
        let conversions = |speakers: &[VoiceId], hears_narrow| {
            let buses = Buses::arranged(None, &voices, speakers, &[], [hears_narrow, false, false]).unwrap();
            buses.converters.iter().map(|converter| (converter.from(), converter.to())).collect::<Vec<_>>()
        };
        assert_eq!(conversions(&speakers, true), [(Rate::Full, Rate::Narrow)]);
        assert_eq!(conversions(&speakers, false), []);
    }
}
