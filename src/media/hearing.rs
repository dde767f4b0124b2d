//! What one sink hears, compiled from the routes.

use super::phase::{Beat, TICK_BEATS};
use super::room::Room;
use super::slots::Slots;
use super::voices::{Presence, VoiceId, Voices};
use crate::audio::codec::g711::Law;
use crate::audio::rate_converter::{RateConverter, Sums};
use crate::audio::{FRAME_8K, Frame, LONGEST_FRAME, Rate, mix};
use crate::rtp::Contributors;
use crate::types::{CallId, RoomId};

/// The one source of a leg or recorder.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Source {
    /// Nobody.
    #[default]
    Nobody,
    /// One leg.
    Voice(VoiceId),
    /// A room, by slot.
    Room(u32),
}

/// Who is heard, and the private player.
#[derive(Debug, Default)]
pub(crate) struct Hearing {
    pub(crate) source: Source,
    pub(crate) player: Option<VoiceId>,
    /// The sink's own voice, if it sounds in the room it hears.
    pub(crate) own: Option<VoiceId>,
    /// Where anything has another rate than 8 kHz that the room does not convert.
    pub(crate) ears: Option<Box<Ears>>,
}

/// Hearing at a rate.
#[derive(Debug)]
pub(crate) struct Ears {
    rate: Rate,
    /// Of those who have another one.
    source: Option<RateConverter>,
    player: Option<RateConverter>,
    own: Option<RateConverter>,
    sum: Box<Sums>,
    share: Box<Sums>,
}

/// What there is to hear in a tick, at a rate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum HeardWide {
    /// Nothing.
    Silence,
    /// The mix of the room in this slot, for all who contribute nothing.
    Shared(u32),
    /// What was written for this sink alone.
    Own,
}

/// What there is to hear in a tick.
#[derive(Debug)]
pub(crate) enum Heard<'a> {
    /// Nothing.
    Silence,
    /// The mix of a room for all who contribute nothing: encode it once.
    Shared(&'a mut Room),
    /// Somebody else's frame as it is.
    Frame(&'a Frame),
    /// A frame made for this sink, in its scratch.
    Own,
}

impl Heard<'_> {
    /// The payload by `law`, made in `scratch` unless it is shared. `None` for silence.
    pub(crate) fn encode<'b>(
        &'b mut self,
        law: Law,
        own: &Frame,
        payload: &'b mut [u8; FRAME_8K],
    ) -> Option<&'b [u8; FRAME_8K]> {
        let frame = match self {
            Heard::Silence => return None,
            Heard::Shared(room) => return Some(room.encoded(law)),
            Heard::Frame(frame) => *frame,
            Heard::Own => own,
        };
        law.encode(frame, payload);
        Some(payload)
    }
}

impl Ears {
    /// Ears for a sink of `rate`, whose hearing is as given; `None` where plain hearing does. What there `was` goes on.
    /// Allocates.
    pub(crate) fn arranged(
        was: Option<Box<Self>>,
        rate: Rate,
        hearing: &Hearing,
        voices: &Voices,
    ) -> Option<Box<Self>> {
        let rate_of = |voice: Option<VoiceId>| voice.map(|voice| voices.rate(voice));
        let source = match hearing.source {
            Source::Voice(voice) => Some(voice),
            Source::Nobody | Source::Room(_) => None,
        };
        let rates = [rate_of(source), rate_of(hearing.player), rate_of(hearing.own)];
        if rate == Rate::Narrow && rates.iter().flatten().all(|rate| *rate == Rate::Narrow) {
            return None;
        }
        let mut ears = was.filter(|ears| ears.rate == rate).unwrap_or_else(|| {
            let silence = || Box::new([0; LONGEST_FRAME]);
            Box::new(Self { rate, source: None, player: None, own: None, sum: silence(), share: silence() })
        });
        let [source, player, own] = rates;
        let convert = |was: &mut Option<RateConverter>, from: Option<Rate>| {
            let from = from.filter(|from| *from != rate);
            if was.as_ref().map(RateConverter::from) != from {
                *was = from.map(|from| RateConverter::new(from, rate));
            }
        };
        convert(&mut ears.source, source);
        convert(&mut ears.player, player);
        convert(&mut ears.own, own);
        Some(ears)
    }

    /// Adds a voice of any rate to what is heard.
    fn add(converter: &mut Option<RateConverter>, samples: Option<&[i16]>, sum: &mut [i32]) {
        match (converter, samples) {
            (None, Some(samples)) => mix::add(sum, samples),
            (Some(converter), Some(samples)) => converter.add(samples, sum),
            (Some(converter), None) => converter.add_silence(sum),
            (None, None) => {}
        }
    }
}

impl Hearing {
    /// Whether the sink hears something of its own in the tick on the beat `tick`, and no mix shared with others.
    pub(crate) fn is_private(&self, voices: &Voices, rooms: &Slots<RoomId, Room>, tick: Beat) -> bool {
        let sounds = |voice: Option<VoiceId>| voice.is_some_and(|voice| voices.presence(voice) == Presence::Loud);
        if sounds(self.player) {
            return true;
        }
        match self.source {
            Source::Nobody => false,
            Source::Voice(voice) => voices.presence(voice) != Presence::Absent,
            Source::Room(slot) => rooms
                .at(slot)
                .filter(|room| room.next_tick == tick + TICK_BEATS)
                .is_some_and(|room| self.share(voices, room).is_some() && !room.is_silent(1)),
        }
    }

    /// The room in this slot whose mix the sink shares with others in the tick on the beat `tick`, if it sounds and the
    /// sink hears nothing of its own.
    pub(crate) fn shared_room(&self, rooms: &Slots<RoomId, Room>, tick: Beat) -> Option<u32> {
        let Source::Room(slot) = self.source else { return None };
        let room = rooms.at(slot).filter(|room| room.next_tick == tick + TICK_BEATS)?;
        (!room.is_silent(0)).then_some(slot)
    }

    /// The sink's own voice, where it is in the mix of this tick.
    fn share(&self, voices: &Voices, room: &Room) -> Option<VoiceId> {
        self.own.filter(|own| voices.presence(*own) == Presence::Loud && room.mixes(*own))
    }

    /// What is heard in the tick on the beat `tick` by a sink with [`Ears`], written into `out`, a frame of its rate,
    /// unless it is shared.
    pub(crate) fn hear_wide(
        &mut self,
        voices: &Voices,
        rooms: &Slots<RoomId, Room>,
        out: &mut [i16],
        tick: Beat,
    ) -> HeardWide {
        let Some(mut ears) = self.ears.take() else { return HeardWide::Silence };
        let heard = self.hear_by(&mut ears, voices, rooms, out, tick);
        self.ears = Some(ears);
        heard
    }

    /// The same for any sink: one without [`Ears`] is of 8 kHz, as all that it hears.
    pub(crate) fn hear_at(
        &mut self,
        voices: &Voices,
        rooms: &mut Slots<RoomId, Room>,
        out: &mut [i16],
        tick: Beat,
    ) -> HeardWide {
        let out = match <&mut Frame>::try_from(&mut *out) {
            Ok(out) if self.ears.is_none() => out,
            _ => return self.hear_wide(voices, rooms, out, tick),
        };
        match (self.hear(voices, rooms, out, tick), self.source) {
            (Heard::Shared(_), Source::Room(slot)) => HeardWide::Shared(slot),
            (Heard::Silence | Heard::Shared(_), _) => HeardWide::Silence,
            (Heard::Frame(frame), _) => {
                *out = *frame;
                HeardWide::Own
            }
            (Heard::Own, _) => HeardWide::Own,
        }
    }

    /// Who is heard in the tick on the beat `tick`, the participant `own` left out.
    pub(crate) fn contributors(
        &self,
        own: CallId,
        voices: &Voices,
        rooms: &mut Slots<RoomId, Room>,
        tick: Beat,
    ) -> Contributors {
        let mut heard = Contributors::default();
        match self.source {
            Source::Nobody => {}
            Source::Voice(voice) if voices.presence(voice) != Presence::Loud => {}
            Source::Voice(voice) => voices.contributor(voice).into_iter().for_each(|voice| heard.push(voice)),
            Source::Room(slot) => {
                let room = rooms.at_mut(slot).filter(|(_, room)| room.next_tick == tick + TICK_BEATS);
                let all = room.map(|(_, room)| room.contributors(voices).as_slice()).unwrap_or_default();
                all.iter().filter(|voice| voice.source != own.source()).for_each(|voice| heard.push(*voice));
            }
        }
        heard
    }

    /// Whether all that is heard is the noise of somebody's room.
    pub(crate) fn is_noise(&self, voices: &Voices) -> bool {
        let is_quiet = |voice| voices.presence(voice) == Presence::Quiet;
        let sounds = |voice| voices.presence(voice) == Presence::Loud;
        matches!(self.source, Source::Voice(voice) if is_quiet(voice)) && !self.player.is_some_and(sounds)
    }

    fn hear_by(
        &self,
        ears: &mut Ears,
        voices: &Voices,
        rooms: &Slots<RoomId, Room>,
        out: &mut [i16],
        tick: Beat,
    ) -> HeardWide {
        let player = self.player.filter(|player| voices.presence(*player) == Presence::Loud);
        let frame = ears.rate.frame();
        let Ears { source, own, sum, share, .. } = ears;
        let sum = &mut sum[..frame];
        sum.fill(0);
        let mut is_silent = true;
        match self.source {
            Source::Nobody => {}
            Source::Voice(voice) => {
                let heard = (voices.presence(voice) != Presence::Absent).then(|| voices.samples(voice));
                is_silent = heard.is_none();
                Ears::add(source, heard, sum);
            }
            Source::Room(slot) => {
                // A room that was not mixed in this tick has nothing new to say.
                let room = rooms.at(slot).filter(|room| room.next_tick == tick + TICK_BEATS);
                let mine = room.and_then(|room| self.share(voices, room));
                if let Some(room) = room
                    && !room.is_silent(usize::from(mine.is_some()))
                    && let Some(mixed) = room.mixed_at(ears.rate)
                {
                    if mine.is_none() && player.is_none() && own.as_ref().is_none_or(RateConverter::is_clear) {
                        return HeardWide::Shared(slot);
                    }
                    is_silent = false;
                    sum.iter_mut().zip(mixed).for_each(|(sum, mixed)| *sum = i32::from(*mixed));
                }
                // The own share is converted as the room converts it, whether or not anybody else is heard.
                let share = &mut share[..frame];
                share.fill(0);
                Ears::add(own, mine.map(|mine| voices.samples(mine)), share);
                if !is_silent {
                    match room.and_then(|room| room.factors(ears.rate)) {
                        None => sum.iter_mut().zip(share).for_each(|(sum, share)| *sum -= *share),
                        Some(factors) => mix::subtract_limited(sum, share, factors),
                    }
                }
            }
        }
        if let Some(player) = player {
            is_silent = false;
            Ears::add(&mut ears.player, Some(voices.samples(player)), sum);
        } else if let Some(converter) = &mut ears.player {
            converter.add_silence(sum);
        }
        if is_silent {
            return HeardWide::Silence;
        }
        mix::clamp(sum, &mut out[..frame]);
        HeardWide::Own
    }

    /// What is heard in the tick on the beat `tick`. A frame that is this sink's alone is made in `scratch`.
    pub(crate) fn hear<'a>(
        &self,
        voices: &'a Voices,
        rooms: &'a mut Slots<RoomId, Room>,
        scratch: &mut Frame,
        tick: Beat,
    ) -> Heard<'a> {
        let player = self.player.filter(|player| voices.presence(*player) == Presence::Loud);
        let base = match self.source {
            Source::Nobody => Heard::Silence,
            Source::Voice(voice) if voices.presence(voice) == Presence::Absent => Heard::Silence,
            Source::Voice(voice) => Heard::Frame(voices.frame(voice)),
            Source::Room(slot) => match rooms.at_mut(slot) {
                // A room that was not mixed in this tick has nothing new to say.
                Some((_, room)) if room.next_tick == tick + TICK_BEATS => {
                    let own = self.own.filter(|own| voices.presence(*own) == Presence::Loud && room.mixes(*own));
                    match (own, player, room.factors(Rate::Narrow)) {
                        (own, ..) if room.is_silent(usize::from(own.is_some())) => Heard::Silence,
                        (None, None, _) => return Heard::Shared(room),
                        (Some(own), None, None) => {
                            mix::minus(room.mixed(), voices.frame(own), scratch);
                            return Heard::Own;
                        }
                        (Some(own), player, Some(factors)) => {
                            mix::minus_limited(room.mixed(), voices.frame(own), factors, scratch);
                            if let Some(player) = player {
                                mix::add_clamped(scratch, voices.frame(player));
                            }
                            return Heard::Own;
                        }
                        (None, Some(player), _) => {
                            *scratch = *voices.frame(player);
                            mix::add_clamped(scratch, room.mixed());
                            return Heard::Own;
                        }
                        (Some(own), Some(player), None) => {
                            mix::minus_plus(room.mixed(), voices.frame(own), voices.frame(player), scratch);
                            return Heard::Own;
                        }
                    }
                }
                _ => Heard::Silence,
            },
        };
        match (base, player) {
            (Heard::Silence, Some(player)) => Heard::Frame(voices.frame(player)),
            (Heard::Frame(frame), Some(player)) => {
                *scratch = *frame;
                mix::add_clamped(scratch, voices.frame(player));
                Heard::Own
            }
            (base, _) => base,
        }
    }
}
