//! One mix.

use super::buses::{Bus, Buses};
use super::encoded::Encoded;
use super::loudest::Loudest;
use super::phase::{Beat, TICK_BEATS};
use super::room_alignment::RoomAlignment;
use super::slots::Ticking;
use super::stream::Format;
use super::voices::{Presence, VoiceId, Voices};
use crate::audio::codec::g711::Law;
use crate::audio::limiter::SumLimiter;
use crate::audio::{FRAME_8K, Frame, Rate, SILENCE, mix};
use crate::rtp::Contributors;

/// A room: the sum of a tick, kept until the next.
#[derive(Debug)]
pub(crate) struct Room {
    /// Everything of 8 kHz that sounds in the room, each once and in order: direct members and those of rooms sent to
    /// it.
    sources: Vec<VoiceId>,
    /// What sounds at other rates, and those who listen at them.
    buses: Option<Box<Buses>>,
    loudest: Loudest,
    /// The first beat it has not mixed yet.
    pub(crate) next_tick: Beat,
    pub(crate) alignment: RoomAlignment,
    sum: Box<[i32; FRAME_8K]>,
    limiter: SumLimiter,
    /// Voices in the sum.
    loud: usize,
    /// The same, once it is limited, and its encodings: what listeners who contribute nothing hear.
    mixed: Frame,
    encoded: Encoded,
    /// Who is heard in the tick before this beat, for listeners who are told.
    heard: Box<(Beat, Contributors)>,
}

impl Ticking for Room {
    fn next_tick(&mut self) -> &mut Beat {
        &mut self.next_tick
    }
}

impl Room {
    /// An empty room in which so many are mixed at once, the `loudest`.
    pub(crate) fn new(tick: Beat, loudest: usize) -> Self {
        Self {
            sources: Vec::new(),
            buses: None,
            loudest: Loudest::new(loudest),
            next_tick: tick,
            alignment: RoomAlignment::default(),
            sum: Box::new([0; FRAME_8K]),
            limiter: SumLimiter::new(Rate::Narrow),
            loud: 0,
            mixed: SILENCE,
            encoded: Encoded::default(),
            heard: Box::default(),
        }
    }

    /// Sums the loud voices of this tick.
    pub(crate) fn mix(&mut self, voices: &mut Voices, tick: Beat) {
        self.next_tick = tick + TICK_BEATS;
        let before = self.loud;
        self.loud = 0;
        self.encoded.clear();
        self.loudest.choose(voices);
        for &voice in &self.sources {
            if voices.presence(voice) == Presence::Loud && self.loudest.mixes(voice) {
                if self.loud == 0 {
                    self.sum.fill(0);
                }
                self.loud += 1;
                mix::add(&mut *self.sum, voices.frame(voice));
            }
        }
        if let Some(buses) = &mut self.buses {
            if self.loud == 0 && before > 0 {
                self.sum.fill(0);
            }
            self.loud += buses.mix(voices, &mut self.sum, self.loud, |voice| self.loudest.mixes(voice));
        }
        if self.loud > 0 {
            self.limiter.mix(&*self.sum, &mut self.mixed);
        } else if before > 0 {
            self.limiter.reset();
            self.sum.fill(0);
            self.mixed = SILENCE;
        }
    }

    /// Forgets what was mixed last, and who sounded: the room is in another engine now.
    pub(crate) fn forget(&mut self) {
        self.sources.clear();
        self.loudest.forget();
        if let Some(buses) = &mut self.buses {
            buses.forget();
        }
        self.sum.fill(0);
        self.limiter.reset();
        self.loud = 0;
        self.mixed = SILENCE;
        self.encoded.clear();
    }

    /// Who sounds here, in order, which of them are announcements, in which formats other than G.711 it is listened to,
    /// and at which of all rates. Allocates.
    pub(crate) fn arrange(
        &mut self,
        speakers: &[VoiceId],
        announcements: &[VoiceId],
        (formats, hears): (&[Format], [bool; 3]),
        voices: &Voices,
    ) {
        self.loudest.arrange(speakers, announcements);
        self.sources.clear();
        self.sources.extend(speakers.iter().filter(|voice| voices.rate(**voice) == Rate::Narrow));
        let buses = self.buses.take();
        let had_buses = buses.is_some();
        self.buses = Buses::arranged(buses, voices, speakers, formats, hears);
        if had_buses && self.buses.is_none() {
            // What the other rates left in the sum.
            self.sum.fill(0);
        }
    }

    /// Whether it matters at which rate somebody listens.
    pub(crate) fn has_buses(&self) -> bool {
        self.buses.is_some()
    }

    /// Whether a voice sounds here.
    pub(crate) fn has(&self, voice: VoiceId) -> bool {
        self.sources.binary_search(&voice).is_ok() || self.buses.as_ref().is_some_and(|buses| buses.has(voice))
    }

    /// Whether a voice that sounds here is in the mix of this tick.
    pub(crate) fn mixes(&self, voice: VoiceId) -> bool {
        self.loudest.mixes(voice)
    }

    /// The bus of a rate other than 8 kHz.
    pub(crate) fn bus(&self, rate: Rate) -> Option<&Bus> {
        self.buses.as_ref()?.get(rate)
    }

    /// The same, to be changed.
    pub(crate) fn bus_mut(&mut self, rate: Rate) -> Option<&mut Bus> {
        self.buses.as_mut()?.get_mut(rate)
    }

    /// All that is heard at a rate in this tick; `None` where nobody is known to listen at it.
    pub(crate) fn mixed_at(&self, rate: Rate) -> Option<&[i16]> {
        match rate {
            Rate::Narrow => Some(&self.mixed[..]),
            rate => Some(self.buses.as_ref()?.get(rate)?.mixed()),
        }
    }

    /// By what the sum of it was multiplied ([`SumLimiter::factors`]).
    pub(crate) fn factors(&self, rate: Rate) -> Option<&[i16]> {
        match rate {
            Rate::Narrow => self.limiter.factors(),
            rate => self.buses.as_ref()?.get(rate)?.factors(),
        }
    }

    /// Whether somebody hears it at more than 8 kHz.
    pub(crate) fn is_wide(&self) -> bool {
        self.buses.as_ref().is_some_and(|buses| buses.has_listeners())
    }

    /// Whether a listener who contributes `own` loud voices (0 or 1) hears silence.
    pub(crate) fn is_silent(&self, own: usize) -> bool {
        self.loud <= own
    }

    pub(crate) fn mixed(&self) -> &Frame {
        &self.mixed
    }

    /// Who is heard in the mix of this tick.
    pub(crate) fn contributors(&mut self, voices: &Voices) -> &Contributors {
        let (at, heard) = &mut *self.heard;
        if *at != self.next_tick {
            *at = self.next_tick;
            heard.clear();
            let wide = self.buses.iter().flat_map(|buses| buses.voices());
            let mixed = |voice: &VoiceId| voices.presence(*voice) == Presence::Loud && self.loudest.mixes(*voice);
            for voice in self.sources.iter().copied().chain(wide).filter(mixed) {
                if let Some(contributor) = voices.contributor(voice) {
                    heard.push(contributor);
                }
            }
        }
        heard
    }

    /// The mix for all who contribute nothing, encoded once.
    pub(crate) fn encoded(&mut self, law: Law) -> &[u8; FRAME_8K] {
        self.encoded.get(law, &self.mixed)
    }
}
