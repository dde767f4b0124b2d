//! What a phone hears.

use super::super::sounds;
use partyline::audio::codec::g711::Law;
use partyline::audio::goertzel;
use partyline::rtp::Packet;
use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// Louder than this is a burst.
const BURST: u16 = 4_000;

#[derive(Debug)]
struct Heard {
    at: Instant,
    timestamp: u32,
    samples: Vec<i16>,
}

/// The receiving half of a phone's media, for one call.
#[derive(Debug)]
pub(crate) struct Ear {
    packets: VecDeque<Heard>,
    /// How far back it remembers.
    pub(crate) memory: Duration,
    /// Packets heard in this call.
    pub(crate) count: u64,
    /// Packets of comfort noise among them.
    pub(crate) noises: u64,
    pub(crate) first: Option<Instant>,
    pub(crate) last: Option<Instant>,
    /// The longest time between two packets.
    pub(crate) longest_gap: Duration,
    /// Steps of the sequence number other than one.
    pub(crate) sequence_breaks: u64,
    /// Streams heard: changes of SSRC, and one.
    pub(crate) streams: u64,
    /// When each burst began.
    pub(crate) onsets: Vec<Instant>,
    previous: Option<(u32, u16)>,
    loud: Option<Instant>,
    /// A number that depends on every packet.
    pub(crate) digest: u64,
}

impl Ear {
    pub(crate) fn remembering(memory: Duration) -> Self {
        Self {
            packets: VecDeque::new(),
            memory,
            count: 0,
            noises: 0,
            first: None,
            last: None,
            longest_gap: Duration::ZERO,
            sequence_breaks: 0,
            streams: 0,
            onsets: Vec::new(),
            previous: None,
            loud: None,
            digest: 0xcbf2_9ce4_8422_2325,
        }
    }

    /// Takes a packet in.
    pub(crate) fn hear(&mut self, at: Instant, packet: &Packet<'_>) {
        let law = match packet.header.payload_type {
            0 => Some(Law::Mu),
            8 => Some(Law::A),
            13 => None,
            other => panic!("payload type {other} was not negotiated"),
        };
        let mut samples = Vec::new();
        if let Some(law) = law {
            samples.resize(packet.payload.len(), 0);
            law.decode(packet.payload, &mut samples);
        }
        self.noises += u64::from(law.is_none());
        for byte in packet.header.to_bytes().iter().chain(packet.payload) {
            self.digest = (self.digest ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
        }
        self.count += 1;
        self.first.get_or_insert(at);
        if let Some(last) = self.last.replace(at) {
            self.longest_gap = self.longest_gap.max(at - last);
        }
        let (ssrc, sequence) = (packet.header.ssrc, packet.header.sequence);
        match self.previous.replace((ssrc, sequence)) {
            Some((before, number)) if before == ssrc => {
                self.sequence_breaks += u64::from(sequence != number.wrapping_add(1));
            }
            _ => self.streams += 1,
        }
        if let Some(place) = samples.iter().position(|sample| sample.unsigned_abs() > BURST) {
            if self.loud.is_none_or(|last| at - last > Duration::from_secs(1)) {
                self.onsets.push(at + Duration::from_micros(125) * u32::try_from(place).unwrap());
            }
            self.loud = Some(at);
        }
        self.packets.push_back(Heard { at, timestamp: packet.header.timestamp, samples });
        while self.packets.front().is_some_and(|first| at - first.at > self.memory) {
            self.packets.pop_front();
        }
    }

    /// Forgets how long the gaps were so far: what comes now counts.
    pub(crate) fn forget_gaps(&mut self) {
        self.longest_gap = Duration::ZERO;
        self.sequence_breaks = 0;
        self.last = None;
        self.previous = None;
    }

    /// What came since `from`, each sample at its place; lost packets are silence.
    pub(crate) fn since(&self, from: Instant) -> Vec<i16> {
        let wanted: Vec<&Heard> = self.packets.iter().filter(|heard| heard.at > from).collect();
        let Some(origin) = wanted.first().map(|heard| heard.timestamp) else { return Vec::new() };
        let place = |heard: &Heard| i64::from(heard.timestamp.wrapping_sub(origin).cast_signed());
        let lowest = wanted.iter().map(|heard| place(heard)).min().unwrap_or(0);
        let mut samples: Vec<i16> = Vec::new();
        for heard in wanted {
            let start = usize::try_from(place(heard) - lowest).unwrap();
            assert!(start < 8_000 * 4_000, "the timestamps jump");
            let end = start + heard.samples.len();
            samples.resize(samples.len().max(end), 0);
            samples[start..end].copy_from_slice(&heard.samples);
        }
        samples
    }

    /// The prompts and tones of the gateway that were heard since `from`, in their order.
    pub(crate) fn prompts_since(&self, from: Instant) -> Vec<&'static str> {
        const LEAST: f32 = sounds::LEVEL - 10.0;
        let mut heard: Vec<&'static str> = Vec::new();
        let mut sounding: Vec<&'static str> = Vec::new();
        // 40 ms: a resolution of 25 Hz, whose multiples all tones but the phones' are.
        for piece in self.since(from).chunks(320) {
            let now: Vec<&'static str> = sounds::SOUNDS
                .iter()
                .filter(|(_, frequency, _)| goertzel::tone_dbfs(piece, 8_000, *frequency) >= LEAST)
                .map(|(name, ..)| *name)
                .collect();
            heard.extend(now.iter().filter(|name| !sounding.contains(name)));
            sounding = now;
        }
        heard
    }
}
