//! What comes in: valid packets become one frame a tick.

use super::super::command::{LegStatistics, PlayoutCounters};
use super::super::voices::Presence;
use super::decoding::{Decoding, Next, SILENCE, samples_a_unit};
use super::event_clock::{EVENT_CLOCK, EventClock};
use super::gate::Gate;
use super::levels::Levels;
use super::noise::{NOISE_CLOCK, Noise};
use super::sources::{Followed, Sources};
use crate::audio::Rate;
use crate::audio::codec::{Libraries, Made, Repair, duration, g729};
use crate::audio::playout::Playout;
use crate::rtp::jitter_buffer::{Inserted, JitterBuffer, Pull, Recovery, Settings};
use crate::rtp::redundancy::Blocks;
use crate::rtp::sequence::{Source, Verdict};
use crate::rtp::{Header, Packet, telephone_event};
use crate::types::{AudioCodec, MediaParameters};
use smallvec::SmallVec;
use std::time::{Duration, Instant};

/// Packet times are believed within these.
const SHORTEST: Duration = Duration::from_millis(5);
const LONGEST: Duration = Duration::from_millis(200);
/// No packet has it.
const NO_PAYLOAD_TYPE: u8 = 128;
/// Steps of the jitter buffer in one tick, at most: a bound, never reached.
const STEPS: usize = 256;

/// The receiving half of a leg.
#[derive(Debug)]
pub(crate) struct Receiver {
    decoding: Decoding,
    /// Payload types of telephone-event and their clocks.
    telephone_events: SmallVec<[(u8, u32); 2]>,
    /// The payload type of sound with copies of what went before.
    redundancy: Option<u8>,
    redundant: u64,
    recovered: u64,
    /// The codec of the packets that come, its payload type (none yet: 128), and the samples in a unit of its clock, as
    /// a power of two.
    codec: AudioCodec,
    payload_type: u8,
    scale_bits: u32,
    sources: Sources,
    buffer: JitterBuffer,
    playout: Playout,
    /// Where it is told what is made up, put in and taken out, and whether that has changed, or is about to.
    told: PlayoutCounters,
    has_news: bool,
    digits: Box<telephone_event::Receiver>,
    /// Where events, or sound with them, have another clock than 8 kHz.
    event_clock: EventClock,
    packet_time: Duration,
    gate: Gate,
    /// Where the sender tells how loud its packets are.
    levels: Option<Levels>,
    /// Where the sender describes its pauses.
    noise: Option<Box<Noise>>,
    seed: u32,
    packets: u64,
    octets: u64,
    /// A packet too long to be played was reported.
    too_long_reported: bool,
}

/// What a packet brought.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Received {
    /// A key was pressed.
    pub(crate) digit: Option<char>,
    /// It is the first that holds too much sound to be played: how much, milliseconds.
    pub(crate) too_long: Option<u32>,
    /// The sound has another sample rate from here on.
    pub(crate) rate_changed: bool,
}

impl Receiver {
    /// Equal seeds make equal noise.
    pub(crate) fn new(parameters: &MediaParameters, seed: u32, libraries: &Libraries) -> Self {
        let decoding = Decoding::new(parameters, libraries);
        let highest = decoding.highest_rate();
        let mut receiver = Self {
            decoding,
            telephone_events: parameters.receive_telephone_events.clone(),
            redundancy: parameters.receive_redundancy,
            redundant: 0,
            recovered: 0,
            codec: AudioCodec::Pcmu,
            payload_type: NO_PAYLOAD_TYPE,
            scale_bits: 0,
            sources: Sources::default(),
            buffer: JitterBuffer::new(Settings::default()),
            playout: Playout::new(highest),
            told: PlayoutCounters::default(),
            has_news: false,
            digits: Box::default(),
            event_clock: EventClock::default(),
            packet_time: Duration::from_millis(20),
            gate: Gate::new(),
            levels: parameters.receive_audio_level.map(Levels::new),
            noise: Noise::new(&parameters.receive_comfort_noise, seed).map(Box::new),
            seed,
            packets: 0,
            octets: 0,
            too_long_reported: false,
        };
        receiver.playout.set_rate(Rate::Narrow);
        // Most likely what we send is what we get.
        if parameters.receive_payload_types.iter().any(|(_, codec)| *codec == parameters.codec) {
            receiver.follow_codec(parameters.codec);
        }
        receiver
    }

    /// Where it tells what is made up, put in and taken out.
    pub(crate) fn tell(&mut self, counters: PlayoutCounters) {
        self.told = counters;
    }

    /// Takes over what was negotiated anew; what waits in the buffer is played on.
    pub(crate) fn update(&mut self, parameters: &MediaParameters, libraries: &Libraries) {
        self.decoding.update(parameters, libraries);
        match (&mut self.levels, parameters.receive_audio_level) {
            (Some(levels), Some(id)) => levels.set_id(id),
            (levels, id) => *levels = id.map(Levels::new),
        }
        let noise = &parameters.receive_comfort_noise;
        if self.noise.as_mut().is_none_or(|known| !known.set_payload_types(noise)) {
            self.noise = Noise::new(noise, self.seed).map(Box::new);
        }
        self.payload_type = NO_PAYLOAD_TYPE;
        self.telephone_events = parameters.receive_telephone_events.clone();
        self.redundancy = parameters.receive_redundancy;
        let highest = self.decoding.highest_rate();
        if !self.playout.holds(highest) {
            let rate = self.playout.rate();
            self.playout = Playout::new(highest);
            self.playout.set_rate(rate);
        }
    }

    /// The rate of the frames it gives.
    pub(crate) fn rate(&self) -> Rate {
        self.playout.rate()
    }

    /// The sound comes in this codec from here on, which was negotiated. Says whether its sample rate is another one;
    /// what waits is forgotten then.
    fn follow_codec(&mut self, codec: AudioCodec) -> bool {
        let before = std::mem::replace(&mut self.codec, codec);
        self.scale_bits = samples_a_unit(codec).trailing_zeros();
        let rate = Rate::of(codec.sample_rate());
        let changed = rate != self.playout.rate();
        if changed || codec.clock_rate() != before.clock_rate() {
            self.buffer.change_clock(codec.clock_rate(), codec == AudioCodec::Opus);
            self.buffer.restart();
            self.sources.change_clock(codec.clock_rate());
            self.playout.set_rate(rate);
            self.gate.set_rate(rate);
            self.noise.iter_mut().for_each(|noise| noise.end());
        }
        changed
    }

    /// We do not listen any more: what waits is forgotten.
    pub(crate) fn stop(&mut self) {
        self.buffer.restart();
        self.playout.clear();
        self.digits.restart();
        self.gate.close();
        self.noise.iter_mut().for_each(|noise| noise.end());
    }

    /// Whether a payload type was negotiated.
    pub(crate) fn knows(&self, payload_type: u8) -> bool {
        self.payload_type == payload_type
            || self.event_clock_of(payload_type).is_some()
            || self.decoding.codec(payload_type).is_some()
            || self.is_noise(payload_type)
            || self.redundancy == Some(payload_type)
    }

    /// Takes a packet of the believed source, and the datagram it was read from. Unless we `listen` it is counted only.
    pub(crate) fn receive(&mut self, arrival: Instant, packet: &Packet<'_>, datagram: &[u8], listen: bool) -> Received {
        let payload_type = packet.header.payload_type;
        let codec = if payload_type == self.payload_type {
            self.codec
        } else if let Some(clock) = self.event_clock_of(payload_type) {
            return self.receive_event(arrival, packet, clock, listen);
        } else if let Some(codec) = self.decoding.codec(payload_type) {
            codec
        } else if self.is_noise(payload_type) {
            return self.receive_noise(arrival, packet, listen);
        } else if self.redundancy == Some(payload_type) {
            return self.receive_redundant(arrival, packet, datagram, listen);
        } else {
            return Received::default();
        };
        self.receive_sound(arrival, packet, datagram, codec, listen).0
    }

    /// Takes a packet of sound with copies of those before: what is lost of these is played from the copies.
    #[inline(never)]
    fn receive_redundant(&mut self, arrival: Instant, packet: &Packet<'_>, datagram: &[u8], listen: bool) -> Received {
        let Some(blocks) = Blocks::parse(packet.payload) else {
            self.receive_unknown(arrival, &packet.header, listen);
            return Received::default();
        };
        let Some(codec) = self.decoding.codec(blocks.sound.payload_type) else {
            self.receive_unknown(arrival, &packet.header, listen);
            return Received::default();
        };
        let header = Header { payload_type: blocks.sound.payload_type, ..packet.header };
        let sound = Packet { header, payload: blocks.sound.payload };
        let (received, place) = self.receive_sound(arrival, &sound, datagram, codec, listen);
        self.redundant += 1;
        let Some(place) = place else { return received };
        for (place, copy) in (0..place).rev().zip(blocks.copies()) {
            // A packet that came had copies of its own.
            if !self.sources.is_missing(place) || copy.payload_type != header.payload_type {
                break;
            }
            let timestamp = header.timestamp.wrapping_sub(copy.offset);
            let header = Header { marker: false, timestamp, ..header };
            let length = duration(codec, copy.payload);
            let inserted = self.buffer.insert(arrival, place, &header, length, copy.payload);
            self.recovered += u64::from(inserted == Inserted::Stored);
        }
        received
    }

    /// Takes a packet of sound. Gives its place, too, if it is played.
    fn receive_sound(
        &mut self,
        arrival: Instant,
        packet: &Packet<'_>,
        datagram: &[u8],
        codec: AudioCodec,
        listen: bool,
    ) -> (Received, Option<i64>) {
        let header = &packet.header;
        let had_events = self.sources.is_one();
        let Some(Followed { verdict, is_another }) = self.sources.receive_sound(arrival, header) else {
            return (Received::default(), None);
        };
        if is_another {
            self.change_source(had_events);
        }
        self.count_packet(packet);
        let Some(place) = self.follow(verdict, self.sources.is_one()).filter(|_| listen) else {
            return (Received::default(), None);
        };
        let rate_changed = codec != self.codec && self.follow_codec(codec);
        self.payload_type = header.payload_type;
        let length = duration(codec, packet.payload);
        let micros = if codec == AudioCodec::Opus { length as u64 * 1_000 / 48 } else { length as u64 * 125 };
        self.packet_time = Duration::from_micros(micros).clamp(SHORTEST, LONGEST);
        // Some senders send the tone beside the event. What comes under another SSRC has another clock: it is left
        // alone.
        if self.sources.is_one() && self.is_tone(arrival, header, length, codec.clock_rate()) {
            self.buffer.insert_other(arrival, place);
            return (Received { rate_changed, ..Received::default() }, None);
        }
        let inserted = match &mut self.levels {
            Some(levels) => {
                let silence = if levels.is_silence(datagram, micros) { SILENCE } else { 0 };
                let header = Header { payload_type: header.payload_type | silence, ..*header };
                self.buffer.insert(arrival, place, &header, length, packet.payload)
            }
            None => self.buffer.insert(arrival, place, header, length, packet.payload),
        };
        if codec == AudioCodec::G729 && g729::begins_pause(packet.payload) {
            self.buffer.pause_after(place);
        }
        let is_first = inserted == Inserted::TooLong && !std::mem::replace(&mut self.too_long_reported, true);
        let too_long = is_first.then(|| u32::try_from(micros / 1_000).unwrap_or(u32::MAX));
        (Received { too_long, rate_changed, ..Received::default() }, Some(place))
    }

    /// Whether a packet of sound is the tone of a key that comes as an event as well.
    fn is_tone(&mut self, arrival: Instant, header: &Header, length: usize, clock: u32) -> bool {
        if clock == EVENT_CLOCK {
            return self.digits.is_tone(arrival, header, length);
        }
        let (header, length) = self.event_clock.scale(header, length, clock);
        self.digits.is_tone(arrival, &header, length)
    }

    fn receive_event(&mut self, arrival: Instant, packet: &Packet<'_>, clock: u32, listen: bool) -> Received {
        let header = &packet.header;
        let Some(Followed { verdict, is_another }) = self.sources.receive_event(arrival, header) else {
            return Received::default();
        };
        if is_another {
            self.digits.change_source();
        }
        self.count_packet(packet);
        let Some(place) = self.follow(verdict, true).filter(|_| listen) else { return Received::default() };
        if self.sources.is_one() {
            self.buffer.insert_other(arrival, place);
        }
        let digit = if clock == EVENT_CLOCK {
            self.digits.receive(arrival, header, packet.payload)
        } else {
            let (header, payload) = self.event_clock.scale_event(header, packet.payload, clock);
            self.digits.receive(arrival, &header, payload.as_ref().map_or(packet.payload, |payload| payload))
        };
        Received { digit, ..Received::default() }
    }

    /// Takes a description of the noise of a pause: between the packets of sound, and none of it is missing.
    fn receive_noise(&mut self, arrival: Instant, packet: &Packet<'_>, listen: bool) -> Received {
        let header = &packet.header;
        let had_events = self.sources.is_one();
        let Some(Followed { verdict, is_another }) = self.sources.receive_noise(arrival, header) else {
            return Received::default();
        };
        if is_another {
            self.change_source(had_events);
        }
        self.count_packet(packet);
        let has_events = self.sources.is_one();
        if let Some(place) = self.follow(verdict, has_events).filter(|_| listen) {
            let _ = has_events && self.digits.is_tone(arrival, header, 0);
            self.buffer.insert_other(arrival, place);
            let is_ours = self.codec.clock_rate() == NOISE_CLOCK;
            self.noise.iter_mut().filter(|_| is_ours).for_each(|noise| noise.describe(place, packet.payload));
        }
        Received::default()
    }

    /// The sound is another source's from here on.
    fn change_source(&mut self, had_events: bool) {
        self.buffer.restart();
        self.decoding.reset();
        self.levels.iter_mut().for_each(Levels::restart);
        self.noise.iter_mut().for_each(|noise| noise.end());
        if had_events {
            self.digits.change_source();
        }
    }

    /// Takes note of a packet of a payload type that was not negotiated: nothing of it is heard, but it was not
    /// lost. False where it is of no source that is followed.
    pub(crate) fn receive_unknown(&mut self, arrival: Instant, header: &Header, listen: bool) -> bool {
        let Some((verdict, is_sound)) = self.sources.receive_unknown(arrival, header) else { return false };
        let has_events = !is_sound || self.sources.is_one();
        if let Some(place) = self.follow(verdict, has_events).filter(|_| listen && is_sound) {
            // Between the packets of a key it is none that is missing; there is no sound in it.
            let _ = has_events && self.digits.is_tone(arrival, header, 0);
            self.buffer.insert_other(arrival, place);
        }
        true
    }

    /// The place of a packet that counts. Where its sender restarted, what it sends has nothing to do with what came
    /// before.
    fn follow(&mut self, verdict: Verdict, has_events: bool) -> Option<i64> {
        if matches!(verdict, Verdict::Restarted(_)) {
            self.buffer.source_restarted();
            if has_events {
                self.digits.change_source();
            }
        }
        verdict.place()
    }

    fn count_packet(&mut self, packet: &Packet<'_>) {
        self.packets += 1;
        self.octets += packet.payload.len() as u64;
    }

    /// The frame of the tick at `tick` (its nominal time).
    pub(crate) fn pull(&mut self, tick: Instant, frame: &mut [i16], repair: &mut Repair) -> Presence {
        let Self { buffer, playout, decoding, noise, scale_bits, has_news, .. } = self;
        let bits = *scale_bits;
        if buffer.is_idle()
            && playout.is_empty()
            && noise.as_ref().is_none_or(|noise| !noise.is_sounding())
            && !decoding.is_in_pause()
        {
            self.gate.close();
            return Presence::Absent;
        }
        for _ in 0..STEPS {
            match buffer.pull(tick, playout.len() >> bits) {
                Pull::Packet { payload_type, payload } => {
                    decoding.decode(payload_type, payload, playout);
                    noise.iter_mut().for_each(|noise| noise.played(buffer.next_sequence()));
                }
                Pull::Conceal(count) => {
                    *has_news = true;
                    decoding.conceal(count << bits, None, playout, repair);
                }
                Pull::Recover { samples, ahead, payload_type, payload } => {
                    let next = Next { payload_type, payload, ahead: ahead << bits };
                    let recovery = match decoding.conceal(samples << bits, Some(next), playout, repair) {
                        Made::Nothing | Made::Guessed => Recovery::Nothing,
                        Made::Recovered => Recovery::One,
                        Made::Described => Recovery::Several,
                    };
                    *has_news = true;
                    buffer.recovered(samples, recovery);
                }
                Pull::Silence(count) => fill_pause(count << bits, noise.as_deref_mut(), decoding, playout, repair),
                Pull::Shorten { most, force } => {
                    let count = playout.shorten(most << bits, force);
                    buffer.shortened(count >> bits);
                    *has_news = true;
                }
                Pull::Lengthen { most, force } => {
                    let count = playout.lengthen(most << bits, force);
                    buffer.lengthened(count >> bits);
                    *has_news = true;
                }
                Pull::Done => break,
            }
        }
        playout.take(frame);
        if self.has_news {
            self.told.write(self.buffer.lifetime());
            self.has_news = self.buffer.is_making_up();
        }
        self.gate.judge(frame)
    }

    /// The energy of the last frame, if it was sound.
    pub(crate) fn energy(&self) -> Option<u64> {
        self.gate.passed()
    }

    /// How often something was made up.
    pub(crate) const fn concealments(&self) -> u64 {
        self.buffer.statistics().concealments
    }

    /// Whether a key has come as a telephone event.
    pub(crate) const fn has_events(&self) -> bool {
        self.digits.statistics().digits > 0
    }

    /// The ticks come so many microseconds later than until now, or earlier.
    pub(crate) fn shifted(&mut self, micros: i64) {
        self.buffer.shift(micros);
    }

    pub(crate) fn endures(&self, micros: i64) -> bool {
        self.buffer.endures(micros)
    }

    pub(crate) fn slack(&self) -> Option<Duration> {
        self.buffer.slack()
    }

    pub(crate) fn grew_ago(&self) -> Option<Duration> {
        self.buffer.grew_ago()
    }

    pub(crate) fn packet_time(&self) -> Duration {
        self.packet_time
    }

    pub(crate) fn ssrc(&self) -> Option<u32> {
        self.sources.ssrc()
    }

    pub(crate) fn source(&mut self) -> Option<&mut Source> {
        self.sources.reported()
    }

    pub(crate) fn count(&self, statistics: &mut LegStatistics) {
        let buffer = self.buffer.statistics();
        statistics.packets_received = self.packets;
        statistics.octets_received = self.octets;
        statistics.packets_lost = self.sources.lost();
        statistics.jitter_us = self.sources.jitter_us();
        statistics.frames_concealed = buffer.concealments;
        statistics.playout = self.buffer.lifetime();
        statistics.packets_late = buffer.late;
        statistics.packets_duplicate = self.sources.duplicates();
        statistics.packets_too_long = buffer.too_long;
        statistics.packets_redundant = self.redundant;
        statistics.packets_recovered = self.recovered;
        statistics.ssrc_changes = self.sources.changes();
        statistics.max_buffer_ms = u32::try_from(buffer.max_delay_us / 1_000).unwrap_or(u32::MAX);
        statistics.digits_received = self.digits.statistics().digits;
    }

    /// Whether comfort noise comes under this payload type.
    fn is_noise(&self, payload_type: u8) -> bool {
        self.noise.as_ref().is_some_and(|noise| noise.knows(payload_type))
    }

    /// The clock of telephone-event under this payload type, if it is that.
    fn event_clock_of(&self, payload_type: u8) -> Option<u32> {
        self.telephone_events.iter().find(|(known, _)| *known == payload_type).map(|(_, clock)| *clock)
    }
}

/// Appends what a pause sounds like, so many samples of it: as its sender described it, or silence.
#[inline(never)]
fn fill_pause(
    samples: usize,
    noise: Option<&mut Noise>,
    decoding: &mut Decoding,
    playout: &mut Playout,
    repair: &mut Repair,
) {
    let rate = playout.rate();
    match noise {
        Some(noise) if noise.is_sounding() => playout.noise(samples, |out| noise.fill(rate, out)),
        _ if decoding.is_in_pause() => {
            decoding.conceal(samples, None, playout, repair);
        }
        _ => playout.silence(samples),
    }
}

#[cfg(test)]
mod tests;
