//! What comes in: valid packets become one frame a tick.

use super::super::command::LegStatistics;
use super::super::voices::Presence;
use super::gate::Gate;
use crate::audio::Frame;
use crate::audio::codec::{decode, samples_in};
use crate::audio::playout::Playout;
use crate::rtp::jitter_buffer::{JitterBuffer, Pull, Settings};
use crate::rtp::sequence::{Source, Verdict};
use crate::rtp::{Header, Packet, telephone_event};
use crate::types::{AudioCodec, MediaParameters};
use smallvec::SmallVec;
use std::time::{Duration, Instant};

/// A source silent for this long is replaced by another SSRC at once; before, two packets in a row are needed.
const SSRC_SILENCE: Duration = Duration::from_millis(100);
/// Packet times are believed within these.
const SHORTEST: Duration = Duration::from_millis(5);
const LONGEST: Duration = Duration::from_millis(60);
/// Steps of the jitter buffer in one tick, at most: a bound, never reached.
const STEPS: usize = 256;

/// The receiving half of a leg.
#[derive(Debug)]
pub(crate) struct Receiver {
    payload_types: SmallVec<[(u8, AudioCodec); 4]>,
    telephone_event: Option<u8>,
    source: Option<Source>,
    last_arrival: Option<Instant>,
    /// Another SSRC that sent one packet.
    candidate: Option<u32>,
    buffer: JitterBuffer,
    playout: Playout,
    digits: Box<telephone_event::Receiver>,
    packet_time: Duration,
    /// Timestamps of the event heard last: audio within is the digit's tone and is not to be heard.
    event: Option<(u32, u32)>,
    gate: Gate,
    packets: u64,
    octets: u64,
    ssrc_changes: u64,
    /// Of the sources that were given up.
    lost_before: i64,
}

/// What a packet brought.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Received {
    /// A key was pressed.
    pub(crate) digit: Option<char>,
}

impl Receiver {
    pub(crate) fn new(parameters: &MediaParameters) -> Self {
        Self {
            payload_types: SmallVec::from_slice(&parameters.receive_payload_types),
            telephone_event: parameters.receive_telephone_event,
            source: None,
            last_arrival: None,
            candidate: None,
            buffer: JitterBuffer::new(Settings::default()),
            playout: Playout::new(),
            digits: Box::default(),
            packet_time: Duration::from_millis(20),
            event: None,
            gate: Gate::new(),
            packets: 0,
            octets: 0,
            ssrc_changes: 0,
            lost_before: 0,
        }
    }

    /// Takes over what was negotiated anew; what waits in the buffer is played on.
    pub(crate) fn update(&mut self, parameters: &MediaParameters) {
        self.payload_types = SmallVec::from_slice(&parameters.receive_payload_types);
        self.telephone_event = parameters.receive_telephone_event;
    }

    /// We do not listen any more: what waits is forgotten.
    pub(crate) fn stop(&mut self) {
        self.buffer.restart();
        self.playout.clear();
        self.digits.restart();
        self.event = None;
        self.gate.close();
    }

    /// Whether a payload type was negotiated.
    pub(crate) fn knows(&self, payload_type: u8) -> bool {
        self.telephone_event == Some(payload_type) || self.codec(payload_type).is_some()
    }

    /// Takes a packet of the believed source. Unless we `listen` it is counted only.
    pub(crate) fn receive(&mut self, arrival: Instant, packet: &Packet<'_>, listen: bool) -> Received {
        let header = &packet.header;
        if !self.accepts_ssrc(arrival, header.ssrc) {
            return Received::default();
        }
        self.last_arrival = Some(arrival);
        let Some(source) = &mut self.source else { return Received::default() };
        let is_event = self.telephone_event == Some(header.payload_type);
        let verdict = if is_event { source.receive_event(header) } else { source.receive(arrival, header) };
        self.packets += 1;
        self.octets += packet.payload.len() as u64;
        if verdict == Verdict::Jump || !listen {
            return Received::default();
        }
        if is_event {
            self.buffer.insert_other(arrival, header);
            return self.receive_event(arrival, header, packet.payload);
        }
        let Some(codec) = self.codec(header.payload_type) else { return Received::default() };
        let samples = samples_in(codec, packet.payload.len());
        self.packet_time = Duration::from_micros(samples as u64 * 125).clamp(SHORTEST, LONGEST);
        if self.is_digit_tone(arrival, header.timestamp) {
            self.buffer.insert_other(arrival, header);
        } else {
            self.buffer.insert(arrival, header, samples, packet.payload);
        }
        Received::default()
    }

    fn receive_event(&mut self, arrival: Instant, header: &Header, payload: &[u8]) -> Received {
        if let Some(event) = telephone_event::TelephoneEvent::parse(payload) {
            self.event = Some((header.timestamp, header.timestamp.wrapping_add(u32::from(event.duration))));
        }
        Received { digit: self.digits.receive(arrival, header, payload) }
    }

    /// Whether audio of this timestamp sounds while a key is down: some senders send the tone beside the event.
    fn is_digit_tone(&self, arrival: Instant, timestamp: u32) -> bool {
        let Some((start, end)) = self.event else { return false };
        let since = timestamp.wrapping_sub(start);
        // An open event is believed for 5 s of timestamps at most, should the clock of the audio be another one.
        since < end.wrapping_sub(start) || (since < 40_000 && self.digits.is_pressed(arrival))
    }

    /// Whether a packet of this SSRC is to be heard: that of the source we follow, or of one that takes its place.
    fn accepts_ssrc(&mut self, arrival: Instant, ssrc: u32) -> bool {
        match &self.source {
            None => {}
            Some(source) if source.ssrc() == ssrc => {
                self.candidate = None;
                return true;
            }
            Some(source) => {
                let silent =
                    self.last_arrival.is_none_or(|last| arrival.saturating_duration_since(last) >= SSRC_SILENCE);
                if !silent && self.candidate.replace(ssrc) != Some(ssrc) {
                    return false;
                }
                self.lost_before += source.lost();
                self.ssrc_changes += 1;
                self.buffer.restart();
                self.digits.restart();
                self.event = None;
            }
        }
        self.candidate = None;
        self.source = Some(Source::new(ssrc, AudioCodec::Pcmu.clock_rate()));
        true
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
        self.source.as_ref().map(Source::ssrc)
    }

    pub(crate) fn source(&mut self) -> Option<&mut Source> {
        self.source.as_mut()
    }

    pub(crate) fn count(&self, statistics: &mut LegStatistics) {
        let buffer = self.buffer.statistics();
        statistics.packets_received = self.packets;
        statistics.octets_received = self.octets;
        statistics.packets_lost = self.lost_before + self.source.as_ref().map_or(0, Source::lost);
        statistics.jitter_us = self.source.as_ref().map_or(0, Source::jitter_us);
        statistics.frames_concealed = buffer.concealments;
        statistics.packets_late = buffer.late;
        statistics.packets_duplicate = buffer.duplicate;
        statistics.ssrc_changes = self.ssrc_changes;
        statistics.max_buffer_ms = u32::try_from(buffer.max_delay.as_millis()).unwrap_or(u32::MAX);
        statistics.digits_received = self.digits.statistics().digits;
    }

    fn codec(&self, payload_type: u8) -> Option<AudioCodec> {
        self.payload_types.iter().find(|(known, _)| *known == payload_type).map(|(_, codec)| *codec)
    }
}
