//! What comes in: valid packets become one frame a tick.

use super::super::command::LegStatistics;
use super::super::voices::Presence;
use super::gate::Gate;
use super::sources::{Followed, Sources};
use crate::audio::Frame;
use crate::audio::codec::{decode, samples_in};
use crate::audio::playout::Playout;
use crate::rtp::jitter_buffer::{Inserted, JitterBuffer, Pull, Settings};
use crate::rtp::sequence::{Source, Verdict};
use crate::rtp::{Header, Packet, telephone_event};
use crate::types::{AudioCodec, MediaParameters};
use smallvec::SmallVec;
use std::time::{Duration, Instant};

/// Packet times are believed within these.
const SHORTEST: Duration = Duration::from_millis(5);
const LONGEST: Duration = Duration::from_millis(200);
/// Steps of the jitter buffer in one tick, at most: a bound, never reached.
const STEPS: usize = 256;

/// The receiving half of a leg.
#[derive(Debug)]
pub(crate) struct Receiver {
    payload_types: SmallVec<[(u8, AudioCodec); 4]>,
    telephone_event: Option<u8>,
    sources: Sources,
    buffer: JitterBuffer,
    playout: Playout,
    digits: Box<telephone_event::Receiver>,
    packet_time: Duration,
    gate: Gate,
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
}

impl Receiver {
    pub(crate) fn new(parameters: &MediaParameters) -> Self {
        Self {
            payload_types: SmallVec::from_slice(&parameters.receive_payload_types),
            telephone_event: parameters.receive_telephone_events.first().map(|(number, _)| *number),
            sources: Sources::default(),
            buffer: JitterBuffer::new(Settings::default()),
            playout: Playout::new(),
            digits: Box::default(),
            packet_time: Duration::from_millis(20),
            gate: Gate::new(),
            packets: 0,
            octets: 0,
            too_long_reported: false,
        }
    }

    /// Takes over what was negotiated anew; what waits in the buffer is played on.
    pub(crate) fn update(&mut self, parameters: &MediaParameters) {
        self.payload_types = SmallVec::from_slice(&parameters.receive_payload_types);
        self.telephone_event = parameters.receive_telephone_events.first().map(|(number, _)| *number);
    }

    /// We do not listen any more: what waits is forgotten.
    pub(crate) fn stop(&mut self) {
        self.buffer.restart();
        self.playout.clear();
        self.digits.restart();
        self.gate.close();
    }

    /// Whether a payload type was negotiated.
    pub(crate) fn knows(&self, payload_type: u8) -> bool {
        self.telephone_event == Some(payload_type) || self.codec(payload_type).is_some()
    }

    /// Takes a packet of the believed source. Unless we `listen` it is counted only.
    pub(crate) fn receive(&mut self, arrival: Instant, packet: &Packet<'_>, listen: bool) -> Received {
        if self.telephone_event == Some(packet.header.payload_type) {
            return self.receive_event(arrival, packet, listen);
        }
        match self.codec(packet.header.payload_type) {
            Some(codec) => self.receive_sound(arrival, packet, codec, listen),
            None => Received::default(),
        }
    }

    fn receive_sound(&mut self, arrival: Instant, packet: &Packet<'_>, codec: AudioCodec, listen: bool) -> Received {
        let header = &packet.header;
        let had_events = self.sources.is_one();
        let Some(Followed { verdict, is_another }) = self.sources.receive_sound(arrival, header) else {
            return Received::default();
        };
        if is_another {
            self.buffer.restart();
            if had_events {
                self.digits.change_source();
            }
        }
        self.count_packet(packet);
        let Some(place) = self.follow(verdict, self.sources.is_one()).filter(|_| listen) else {
            return Received::default();
        };
        let samples = samples_in(codec, packet.payload.len());
        self.packet_time = Duration::from_micros(samples as u64 * 125).clamp(SHORTEST, LONGEST);
        // Some senders send the tone beside the event. What comes under another SSRC has another clock: it is left alone.
        if self.sources.is_one() && self.digits.is_tone(arrival, header, samples) {
            self.buffer.insert_other(arrival, place);
            return Received::default();
        }
        let inserted = self.buffer.insert(arrival, place, header, samples, packet.payload);
        let is_first = inserted == Inserted::TooLong && !std::mem::replace(&mut self.too_long_reported, true);
        Received { too_long: is_first.then(|| u32::try_from(samples / 8).unwrap_or(u32::MAX)), ..Received::default() }
    }

    fn receive_event(&mut self, arrival: Instant, packet: &Packet<'_>, listen: bool) -> Received {
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
        Received { digit: self.digits.receive(arrival, header, packet.payload), too_long: None }
    }

    /// Takes note of a packet of a payload type that was not negotiated, comfort noise for one: nothing of it is heard, but
    /// it was not lost. False where it is of no source that is followed.
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

    /// The place of a packet that counts. Where its sender restarted, what it sends has nothing to do with what came before.
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
    pub(crate) fn pull(&mut self, tick: Instant, frame: &mut Frame) -> Presence {
        let Self { buffer, playout, payload_types, .. } = self;
        if buffer.is_idle() && playout.is_empty() {
            self.gate.close();
            return Presence::Absent;
        }
        for _ in 0..STEPS {
            match buffer.pull(tick, playout.len()) {
                Pull::Packet { payload_type, payload } => {
                    match payload_types.iter().find(|(known, _)| *known == payload_type) {
                        Some((_, codec)) => {
                            playout.push_with(samples_in(*codec, payload.len()), |out| {
                                decode(*codec, payload, out);
                            });
                        }
                        None => playout.silence(payload.len()),
                    }
                }
                Pull::Conceal(count) => playout.conceal(count),
                Pull::Silence(count) => playout.silence(count),
                Pull::Shorten { most, force } => {
                    let count = playout.shorten(most, force);
                    buffer.shortened(count);
                }
                Pull::Lengthen { most, force } => {
                    let count = playout.lengthen(most, force);
                    buffer.lengthened(count);
                }
                Pull::Done => break,
            }
        }
        playout.take(frame);
        self.gate.judge(frame)
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
        statistics.packets_late = buffer.late;
        statistics.packets_duplicate = self.sources.duplicates();
        statistics.packets_too_long = buffer.too_long;
        statistics.ssrc_changes = self.sources.changes();
        statistics.max_buffer_ms = u32::try_from(buffer.max_delay.as_millis()).unwrap_or(u32::MAX);
        statistics.digits_received = self.digits.statistics().digits;
    }

    fn codec(&self, payload_type: u8) -> Option<AudioCodec> {
        self.payload_types.iter().find(|(known, _)| *known == payload_type).map(|(_, codec)| *codec)
    }
}

#[cfg(test)]
mod tests;
