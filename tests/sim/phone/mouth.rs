//! What a phone says: RTP made of packet types only.

use super::super::network::Datagram;
use bytes::Bytes;
use partyline::audio::codec::g711::Law;
use partyline::audio::level::amplitude;
use partyline::audio::tone::Tone;
use partyline::rtp::telephone_event::TelephoneEvent;
use partyline::rtp::{Header, Packet, packet};
use partyline::types::AudioCodec;
use std::collections::VecDeque;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

/// Level of every phone's tone, dBFS.
pub(crate) const LEVEL: f32 = -22.0;
/// Packets a second.
const RATE: usize = 50;
/// Samples in a packet.
const SAMPLES: u32 = 160;

/// What goes out while no key is pressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Says {
    /// The phone's own tone.
    Tone,
    /// Packets of silence.
    Silence,
    /// No packets.
    Nothing,
    /// Packets of this payload type, which is no codec's: comfort noise is 13.
    Payload(u8),
    /// No RTP, but a receiver report every five seconds.
    Reports,
    /// A quiet tone, and 100 ms of a loud one at the start of every minute.
    Bursts,
}

/// Which RTP timestamp the packets of a key bear: RFC 4733 has that of its start in all of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stamps {
    /// As the RFC has it.
    Start,
    /// Each packet its own.
    EachPacket,
    /// Each repeated end its own.
    EachEnd,
    /// One for all keys of the call.
    Never,
}

#[derive(Debug)]
struct Press {
    event: u8,
    start: u32,
    packets: u16,
    sent: u16,
}

/// The sending half of a phone's media.
#[derive(Debug)]
pub(crate) struct Mouth {
    pub(crate) address: SocketAddr,
    pub(crate) says: Says,
    /// How much faster than the world's the phone's clock is, parts in a million.
    pub(crate) ppm: i64,
    pub(crate) ssrc: u32,
    pub(crate) sequence: u16,
    pub(crate) timestamp: u32,
    pub(crate) codec: AudioCodec,
    /// Length of a key press, in packets.
    pub(crate) press_packets: u16,
    pub(crate) stamps: Stamps,
    /// Keys sound in packets beside their events.
    pub(crate) sounds_keys: bool,
    /// Frames of 20 ms in a packet of sound.
    pub(crate) frames: usize,
    /// By how much the timestamp grows with a sample, in per cent.
    pub(crate) clock: u32,
    /// When each burst began to go out.
    pub(crate) bursts: Vec<Instant>,
    pub(crate) destination: Option<SocketAddr>,
    pub(crate) event_payload_type: u8,
    /// A packet was announced as the first of a talk spurt.
    talking: bool,
    tone: Vec<Bytes>,
    hum: Vec<Bytes>,
    burst: Vec<Bytes>,
    frame: usize,
    keys: VecDeque<char>,
    /// Packets of keys that are tones alone.
    key_sounds: VecDeque<Bytes>,
    pressed: Option<Press>,
    pause: u16,
    next: Option<Instant>,
}

impl Mouth {
    pub(crate) fn new(address: SocketAddr, frequency: f64, ssrc: u32, codec: AudioCodec) -> Self {
        Self {
            address,
            says: Says::Tone,
            ppm: 0,
            ssrc,
            sequence: 65_500,
            timestamp: ssrc.wrapping_mul(0x9E37_79B9),
            codec,
            press_packets: 5,
            stamps: Stamps::Start,
            sounds_keys: false,
            frames: 1,
            clock: 100,
            bursts: Vec::new(),
            destination: None,
            event_payload_type: 101,
            talking: false,
            tone: second_of(frequency, LEVEL, codec),
            hum: second_of(frequency, -40.0, codec),
            burst: second_of(1_000.0, -10.0, codec),
            frame: 0,
            keys: VecDeque::new(),
            key_sounds: VecDeque::new(),
            pressed: None,
            pause: 0,
            next: None,
        }
    }

    /// Speaks another codec from now on.
    pub(crate) fn switch(&mut self, frequency: f64, codec: AudioCodec) {
        self.codec = codec;
        self.tone = second_of(frequency, LEVEL, codec);
    }

    pub(crate) fn start(&mut self, now: Instant, destination: Option<SocketAddr>) {
        self.destination = destination;
        if self.next.is_none() && destination.is_some() {
            self.next = Some(now);
        }
    }

    pub(crate) fn stop(&mut self) {
        self.next = None;
        self.keys.clear();
        self.key_sounds.clear();
        self.pressed = None;
        self.talking = false;
    }

    pub(crate) fn press(&mut self, keys: &str) {
        self.keys.extend(keys.chars());
    }

    /// Presses keys that come as tones alone, 60 ms each with pauses as long.
    pub(crate) fn sound(&mut self, keys: &str) {
        for key in keys.chars() {
            let mut sound = Tone::dtmf(key, -12.0).unwrap().samples(Duration::from_millis(60));
            sound.resize(960, 0);
            self.key_sounds.extend(sound.chunks_exact(160).map(|samples| encoded(samples, self.codec)));
        }
    }

    pub(crate) fn is_pressing(&self) -> bool {
        self.pressed.is_some() || !self.keys.is_empty() || !self.key_sounds.is_empty()
    }

    pub(crate) fn poll_timeout(&self) -> Option<Instant> {
        self.next
    }

    /// One packet time has passed.
    pub(crate) fn handle_timeout(&mut self, now: Instant, out: &mut Vec<Datagram>) {
        let Some(due) = self.next.filter(|due| *due <= now) else { return };
        let nanoseconds = 20_000_000 - 20 * self.ppm;
        self.next = Some(due + Duration::from_nanos(nanoseconds.unsigned_abs()));
        let timestamp = self.timestamp;
        self.timestamp = timestamp.wrapping_add(SAMPLES * self.clock / 100);
        if self.send_key(timestamp, out) {
            return;
        }
        if let Some(payload) = self.key_sounds.pop_front() {
            let payload_type = self.codec.static_payload_type().unwrap();
            return self.send(false, payload_type, timestamp, &payload, out);
        }
        let minute = self.frame % (60 * RATE);
        let place = self.frame % RATE;
        self.frame += 1;
        let payload = match self.says {
            Says::Tone if self.frames > 1 => {
                if !(self.frame - 1).is_multiple_of(self.frames) {
                    return;
                }
                let frames = self.tone.iter().cycle().skip(place).take(self.frames);
                frames.flatten().copied().collect()
            }
            Says::Tone => self.tone[place].clone(),
            Says::Silence => Bytes::from_static(match self.codec {
                AudioCodec::Pcmu => &[0xFF; SAMPLES as usize],
                AudioCodec::Pcma => &[0xD5; SAMPLES as usize],
                other => unreachable!("these phones do not speak {other:?}"),
            }),
            Says::Bursts if minute < 5 => {
                if minute == 0 {
                    self.bursts.push(due);
                }
                self.burst[place].clone()
            }
            Says::Bursts => self.hum[place].clone(),
            Says::Payload(payload_type) => {
                self.talking = false;
                return self.send(false, payload_type, timestamp, &[0x4E], out);
            }
            Says::Nothing | Says::Reports => {
                self.talking = false;
                if self.says == Says::Reports && self.frame.is_multiple_of(5 * RATE) {
                    self.send_report(out);
                }
                return;
            }
        };
        let marker = !std::mem::replace(&mut self.talking, true);
        let payload_type = self.codec.static_payload_type().unwrap();
        self.send(marker, payload_type, timestamp, &payload, out);
    }

    fn send_report(&self, out: &mut Vec<Datagram>) {
        let bytes = [&[0x80, 201, 0, 1][..], &self.ssrc.to_be_bytes()].concat().into();
        let next_to = |address: SocketAddr| SocketAddr::new(address.ip(), address.port() + 1);
        if let Some(to) = self.destination {
            out.push(Datagram { from: next_to(self.address), to: next_to(to), bytes });
        }
    }

    /// Whether a key is pressed, or was a moment ago: nothing is said then.
    fn send_key(&mut self, timestamp: u32, out: &mut Vec<Datagram>) -> bool {
        if self.pause > 0 {
            self.pause -= 1;
            self.talking = false;
            return true;
        }
        if self.pressed.is_none() {
            let Some(key) = self.keys.pop_front() else { return false };
            let event = "0123456789*#ABCD".find(key).unwrap();
            let packets = self.press_packets;
            self.pressed = Some(Press { event: u8::try_from(event).unwrap(), start: timestamp, packets, sent: 0 });
        }
        let Some(press) = &mut self.pressed else { return false };
        press.sent += 1;
        let end = press.sent >= press.packets;
        let duration = press.sent.min(press.packets) * 160;
        let (first, last) = (press.sent == 1, press.sent >= press.packets + 2);
        let start = match self.stamps {
            Stamps::EachPacket => timestamp,
            Stamps::EachEnd if end => timestamp,
            Stamps::Start | Stamps::EachEnd => press.start,
            Stamps::Never => 4_711,
        };
        let event = TelephoneEvent { event: press.event, end, volume: 10, duration };
        let key = "0123456789*#ABCD".chars().nth(press.event.into()).unwrap();
        if last {
            self.pressed = None;
            self.pause = 3;
        }
        self.send(first, self.event_payload_type, start, &event.to_bytes(), out);
        if self.sounds_keys && !end {
            let from = usize::from(duration - 160);
            let sound = Tone::dtmf(key, -12.0).unwrap().samples(Duration::from_secs(3));
            let payload = encoded(&sound[from..from + 160], self.codec);
            self.send(false, self.codec.static_payload_type().unwrap(), timestamp, &payload, out);
        }
        true
    }

    fn send(&mut self, marker: bool, payload_type: u8, timestamp: u32, payload: &[u8], out: &mut Vec<Datagram>) {
        let sequence = self.sequence;
        self.sequence = sequence.wrapping_add(1);
        let header = Header { marker, payload_type, sequence, timestamp, ssrc: self.ssrc };
        if let Some(to) = self.destination {
            out.push(Datagram { from: self.address, to, bytes: written(header, payload) });
        }
    }
}

pub(crate) fn written(header: Header, payload: &[u8]) -> Bytes {
    let mut bytes = [0; packet::MAX_DATAGRAM];
    let length = Packet { header, payload }.write(&mut bytes).unwrap();
    Bytes::copy_from_slice(&bytes[..length])
}

/// A second of a tone of whole hertz, so that it goes on without a seam, packet by packet.
fn second_of(frequency: f64, level: f32, codec: AudioCodec) -> Vec<Bytes> {
    let amplitude = f64::from(amplitude(level));
    let packet = |packet: usize| {
        let sample = |n: usize| {
            let angle = std::f64::consts::TAU * frequency * (packet * 160 + n) as f64 / 8_000.0;
            (amplitude * angle.sin()) as i16
        };
        encoded(&(0..160).map(sample).collect::<Vec<i16>>(), codec)
    };
    (0..RATE).map(packet).collect()
}

fn encoded(samples: &[i16], codec: AudioCodec) -> Bytes {
    let mut payload = vec![0; samples.len()];
    Law::of(codec).expect("these phones speak G.711").encode(samples, &mut payload);
    Bytes::from(payload)
}
