//! What goes out: the encoded sound of a tick becomes packets of the negotiated length.

use super::super::transport::Way;
use crate::audio::FRAME_8K;
use crate::audio::codec::LONGEST_PAYLOAD;
use crate::audio::codec::g711::Law;
use crate::rtp::contributors::{Contributors, MixedHeader};
use crate::rtp::redundancy::{LONGEST_REDUNDANCY, put_copy};
use crate::rtp::telephone_event::{self, event_of};
use crate::rtp::{Header, packet::HEADER_LEN};
use crate::types::{AudioCodec, MediaParameters};
use std::time::Duration;

/// The longest packet time, 60 ms, and what of the next tick may wait behind it, in octets of a codec of 64 kb/s.
const PENDING: usize = 480 + FRAME_8K;
/// So much loss that the other side reports makes us send copies, and so little ends it, parts of 256: 2 % and 0.5 %.
const MUCH_LOSS: u8 = 5;
const LEAST_LOSS: u8 = 2;
/// Ticks in a second.
const TICKS: u32 = 50;

/// Who is heard in what is sent.
#[derive(Debug)]
struct Told {
    heard: Contributors,
    /// The header extension for their levels.
    levels: Option<u8>,
}

impl Told {
    fn new(parameters: &MediaParameters) -> Option<Box<Self>> {
        let levels = parameters.send_contributor_levels;
        parameters.send_contributors.then(|| Box::new(Self { heard: Contributors::default(), levels }))
    }
}

/// Copies of what was sent, for a side that loses packets.
#[derive(Debug)]
struct Copies {
    /// Of packets with a copy.
    payload_type: u8,
    are_sent: bool,
    /// The payload sent last, and its timestamp.
    last: [u8; LONGEST_PAYLOAD],
    length: usize,
    timestamp: u32,
}

impl Copies {
    fn new(parameters: &MediaParameters) -> Option<Box<Self>> {
        let payload_type = parameters.send_redundancy.filter(|_| parameters.codec == AudioCodec::Opus)?;
        let last = [0; LONGEST_PAYLOAD];
        Some(Box::new(Self { payload_type, are_sent: false, last, length: 0, timestamp: 0 }))
    }

    fn keep(&mut self, timestamp: u32, payload: &[u8]) {
        self.length = payload.len().min(self.last.len());
        self.last[..self.length].copy_from_slice(&payload[..self.length]);
        self.timestamp = timestamp;
    }

    /// The payload sent last, and how much older than this it is.
    fn last(&self, timestamp: u32) -> Option<(u32, &[u8])> {
        (self.length > 0).then(|| (timestamp.wrapping_sub(self.timestamp), &self.last[..self.length]))
    }
}

/// The sending half of a leg. Its timestamp is the media clock: it goes on whether or not anything is sent.
#[derive(Debug)]
pub(crate) struct Sender {
    ssrc: u32,
    sequence: u16,
    /// Of the first sample not yet sent.
    timestamp: u32,
    /// The next packet is the first one after a pause.
    marker: bool,
    /// Of G.711.
    law: Option<Law>,
    /// The RTP clock, Hz.
    clock_rate: u32,
    payload_type: u8,
    telephone_event: Option<u8>,
    /// Octets in a packet, of a codec whose octets may be cut anywhere.
    packet: usize,
    /// Units of the clock in it.
    packet_units: u32,
    /// What few legs and few ticks need lies apart from what all do.
    pending: Box<[u8; PENDING]>,
    filled: usize,
    digits: Box<telephone_event::Sender>,
    sending_digits: bool,
    /// Where the other side is told who is heard.
    told: Option<Box<Told>>,
    /// Where it takes copies of the packets before.
    copies: Option<Box<Copies>>,
    packets: u64,
    octets: u64,
    /// Packets at the time of the last report.
    reported: u64,
}

impl Sender {
    pub(crate) fn new(parameters: &MediaParameters, ssrc: u32, sequence: u16, timestamp: u32) -> Self {
        Self {
            ssrc,
            sequence,
            timestamp,
            marker: true,
            law: Law::of(parameters.codec),
            clock_rate: parameters.codec.clock_rate(),
            payload_type: parameters.send_payload_type,
            telephone_event: parameters.send_telephone_event,
            packet: octets(parameters),
            packet_units: units(parameters),
            pending: Box::new([0; PENDING]),
            filled: 0,
            digits: Box::new(telephone_event::Sender::new(parameters.codec.clock_rate())),
            sending_digits: false,
            told: Told::new(parameters),
            copies: Copies::new(parameters),
            packets: 0,
            octets: 0,
            reported: 0,
        }
    }

    /// Takes over what was negotiated anew. SSRC, sequence numbers and timestamps go on.
    pub(crate) fn update(&mut self, parameters: &MediaParameters) {
        if Law::of(parameters.codec) != self.law || self.law.is_none() {
            self.drop_pending();
        }
        if parameters.codec.clock_rate() != self.clock_rate {
            self.clock_rate = parameters.codec.clock_rate();
            *self.digits = telephone_event::Sender::new(self.clock_rate);
        }
        self.law = Law::of(parameters.codec);
        self.payload_type = parameters.send_payload_type;
        self.telephone_event = parameters.send_telephone_event;
        self.packet = octets(parameters);
        self.packet_units = units(parameters);
        self.told = Told::new(parameters);
        self.copies = Copies::new(parameters);
    }

    /// Sends the octets of 20 ms, which may be cut anywhere: at most 160. Says whether the last digit of those to send
    /// went out with it.
    #[inline]
    pub(crate) fn put(&mut self, payload: &[u8], way: &mut Way<'_>) -> bool {
        if self.filled == 0 && self.packet == payload.len() {
            self.emit(payload, self.packet_units, way);
        } else {
            self.put_pieces(payload, way);
        }
        self.digits_done()
    }

    /// The same where packets are not as long as a tick.
    fn put_pieces(&mut self, payload: &[u8], way: &mut Way<'_>) {
        self.pending[self.filled..self.filled + payload.len()].copy_from_slice(payload);
        self.filled += payload.len();
        let mut sent = 0;
        let pending = *self.pending;
        while self.filled - sent >= self.packet {
            self.emit(&pending[sent..sent + self.packet], self.packet_units, way);
            sent += self.packet;
        }
        self.pending.copy_within(sent..self.filled, 0);
        self.filled -= sent;
    }

    /// Sends a packet of an encoder, `units` of the clock long; an empty one stands for sound that need not be sent.
    /// Says what [`Sender::put`] says.
    pub(crate) fn put_packet(&mut self, payload: &[u8], units: u32, way: &mut Way<'_>) -> bool {
        self.emit(payload, units, way);
        self.digits_done()
    }

    /// Sends the description of the noise of a tick in place of its sound.
    pub(crate) fn put_noise(&mut self, payload_type: u8, payload: &[u8], way: &mut Way<'_>) {
        let header = self.header(payload_type, false, self.timestamp);
        self.send(header, payload, way);
        self.pass(1);
    }

    /// Whether all sound that was put is sent.
    pub(crate) const fn is_between_packets(&self) -> bool {
        self.filled == 0
    }

    pub(crate) const fn is_sending_digits(&self) -> bool {
        self.sending_digits
    }

    fn digits_done(&mut self) -> bool {
        let done = self.sending_digits && !self.digits.is_active();
        self.sending_digits &= !done;
        done
    }

    /// Lets `ticks` ticks pass without sending.
    pub(crate) fn pass(&mut self, ticks: u64) {
        self.drop_pending();
        // Timestamps are counted modulo 2^32.
        let samples = ticks.wrapping_mul(u64::from(self.clock_rate / TICKS)) as u32;
        self.timestamp = self.timestamp.wrapping_add(samples);
        self.marker = true;
    }

    /// Queues digits. False, and nothing queued, if one is none or telephone-event was not negotiated.
    pub(crate) fn push_digits(&mut self, digits: &str, duration: Duration) -> bool {
        let sendable = self.telephone_event.is_some()
            && !digits.is_empty()
            && digits.len() <= telephone_event::Sender::CAPACITY
            && digits.chars().all(|digit| event_of(digit).is_some());
        let duration = duration.clamp(Duration::from_millis(40), Duration::from_secs(2));
        let queued = sendable && digits.chars().all(|digit| self.digits.push(digit, duration));
        self.sending_digits |= self.digits.is_active();
        queued
    }

    pub(crate) fn ssrc(&self) -> u32 {
        self.ssrc
    }

    /// Of G.711; `None` where another codec is sent.
    pub(crate) fn law(&self) -> Option<Law> {
        self.law
    }

    pub(crate) fn timestamp(&self) -> u32 {
        self.timestamp
    }

    pub(crate) fn packets(&self) -> u64 {
        self.packets
    }

    pub(crate) fn octets(&self) -> u64 {
        self.octets
    }

    fn emit(&mut self, payload: &[u8], units: u32, way: &mut Way<'_>) {
        let digit = match self.telephone_event {
            Some(payload_type) if self.sending_digits => {
                self.digits.tick(self.timestamp, units).map(|digit| (payload_type, digit))
            }
            _ => None,
        };
        if let Some((payload_type, digit)) = digit {
            let header = self.header(payload_type, digit.marker, digit.timestamp);
            self.send(header, &digit.event.to_bytes(), way);
            self.marker = false;
        } else if payload.is_empty() {
            self.marker = true;
        } else {
            let marker = std::mem::replace(&mut self.marker, false);
            match self.copies.take() {
                None => {
                    let header = self.header(self.payload_type, marker, self.timestamp);
                    self.send(header, payload, way);
                }
                Some(mut copies) => {
                    self.send_with_copy(&mut copies, marker, payload, way);
                    self.copies = Some(copies);
                }
            }
        }
        self.timestamp = self.timestamp.wrapping_add(units);
    }

    #[inline(never)]
    fn send_with_copy(&mut self, copies: &mut Copies, marker: bool, payload: &[u8], way: &mut Way<'_>) {
        if copies.are_sent {
            let header = self.header(copies.payload_type, marker, self.timestamp);
            let mut redundant = [0; LONGEST_REDUNDANCY + LONGEST_PAYLOAD];
            let length = put_copy(self.payload_type, copies.last(self.timestamp), &mut redundant);
            let end = length + payload.len();
            redundant[length..end].copy_from_slice(payload);
            self.send(header, &redundant[..end], way);
        } else {
            let header = self.header(self.payload_type, marker, self.timestamp);
            self.send(header, payload, way);
        }
        copies.keep(self.timestamp, payload);
    }

    fn header(&mut self, payload_type: u8, marker: bool, timestamp: u32) -> [u8; HEADER_LEN] {
        let sequence = self.sequence;
        self.sequence = sequence.wrapping_add(1);
        Header { marker, payload_type, sequence, timestamp, ssrc: self.ssrc }.to_bytes()
    }

    fn send(&mut self, header: [u8; HEADER_LEN], payload: &[u8], way: &mut Way<'_>) {
        self.packets += 1;
        self.octets += payload.len() as u64;
        match &self.told {
            None => way.send(&header, payload),
            Some(told) => way.send(MixedHeader::new(header, &told.heard, told.levels).as_bytes(), payload),
        }
    }

    /// Takes note of who is heard in what is sent from here on, where the other side is told.
    pub(crate) fn tell(&mut self, heard: Contributors) {
        if let Some(told) = &mut self.told {
            told.heard = heard;
        }
    }

    /// The other side reports so much loss, parts of 256: where it is much, packets hold a copy of the one before.
    pub(crate) fn note_loss(&mut self, fraction: u8) {
        if let Some(copies) = &mut self.copies {
            copies.are_sent = fraction >= if copies.are_sent { LEAST_LOSS } else { MUCH_LOSS };
        }
    }

    fn drop_pending(&mut self) {
        let units = self.filled * self.packet_units as usize / self.packet.max(1);
        self.timestamp = self.timestamp.wrapping_add(u32::try_from(units).expect("less than a packet waits"));
        self.filled = 0;
    }

    /// Whether anything was sent since the last report asked (RFC 3550 section 6.4: sender or receiver report).
    pub(crate) fn sent_since_report(&self) -> bool {
        self.packets != self.reported
    }

    pub(crate) fn reported(&mut self) {
        self.reported = self.packets;
    }
}

/// Units of the clock in a packet of the negotiated length, kept within 10 to 60 ms, of a codec whose octets may be cut
/// anywhere: all of them have a clock of 8 kHz.
fn units(parameters: &MediaParameters) -> u32 {
    let packet_time = parameters.send_packet_time.clamp(Duration::from_millis(10), Duration::from_millis(60));
    u32::try_from(packet_time.as_millis() * 8).expect("at most 480")
}

/// Octets in it.
fn octets(parameters: &MediaParameters) -> usize {
    let units_an_octet = if parameters.codec == AudioCodec::G729 { 8 } else { 1 };
    usize::try_from(units(parameters) / units_an_octet).expect("at most 480")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::media::outbox::Outbox;
    use crate::media::slots::LegSlot;
    use crate::media::transport::Transport;
    use crate::rtp::Packet;
    use crate::rtp::redundancy::Blocks;
    use crate::types::CallId;

    fn parameters(packet_time: u64) -> MediaParameters {
        MediaParameters {
            send_packet_time: Duration::from_millis(packet_time),
            send_telephone_event: Some(101),
            ..MediaParameters::plain("192.0.2.1:4000".parse().unwrap(), AudioCodec::Pcmu, 0)
        }
    }

    fn run(sender: &mut Sender, ticks: usize) -> Vec<(Header, usize)> {
        let mut outbox = Outbox::default();
        let mut transport = Transport::new(&parameters(20));
        let way = &mut transport.way((LegSlot::default(), CallId(1)), &mut outbox).unwrap();
        for _ in 0..ticks {
            sender.put(&[7; FRAME_8K], way);
        }
        let packets = outbox.iter().map(|packet| {
            let packet = Packet::parse(packet.bytes).unwrap();
            (packet.header, packet.payload.len())
        });
        packets.collect()
    }

    #[test]
    fn every_packet_time_gives_packets_of_its_length_without_gaps() {
        for packet_time in [10, 20, 30, 40, 60] {
            let mut sender = Sender::new(&parameters(packet_time), 1, 65_530, u32::MAX - 100);
            let packets = run(&mut sender, 12);
            assert_eq!(packets.len() as u64, 240 / packet_time);
            assert!(packets.iter().all(|(_, length)| *length as u64 == packet_time * 8));
            assert!(packets[0].0.marker && !packets[1].0.marker);
            for pair in packets.windows(2) {
                assert_eq!(pair[1].0.sequence, pair[0].0.sequence.wrapping_add(1));
                assert_eq!(u64::from(pair[1].0.timestamp.wrapping_sub(pair[0].0.timestamp)), packet_time * 8);
            }
        }
    }

    #[test]
    fn after_a_pause_time_has_gone_on_and_the_marker_is_set() {
        let mut sender = Sender::new(&parameters(20), 1, 10, 1_000);
        run(&mut sender, 2);
        sender.pass(5);
        let (header, _) = run(&mut sender, 1)[0];
        assert_eq!((header.sequence, header.timestamp, header.marker), (12, 1_000 + 7 * 160, true));
    }

    #[test]
    fn digits_that_cannot_be_sent_are_refused() {
        let mut sender = Sender::new(&MediaParameters { send_telephone_event: None, ..parameters(20) }, 1, 10, 0);
        assert!(!sender.push_digits("1", Duration::from_millis(100)));
    }

    #[test]
    fn to_whom_loses_packets_each_holds_a_copy_of_the_one_before() {
        let parameters = MediaParameters {
            codec: AudioCodec::Opus,
            send_redundancy: Some(63),
            send_payload_type: 111,
            ..parameters(20)
        };
        let mut sender = Sender::new(&parameters, 1, 10, 0);
        let mut outbox = Outbox::default();
        let mut transport = Transport::new(&parameters);
        let way = &mut transport.way((LegSlot::default(), CallId(1)), &mut outbox).unwrap();
        let losses = [0, 4, 5, 2, 1, 0];
        for (n, loss) in losses.into_iter().enumerate() {
            sender.note_loss(loss);
            sender.put_packet(&[n as u8; 9], 960, way);
        }
        let packets: Vec<Packet<'_>> = outbox.iter().map(|packet| Packet::parse(packet.bytes).unwrap()).collect();
        let types: Vec<u8> = packets.iter().map(|packet| packet.header.payload_type).collect();
        assert_eq!(types, [111, 111, 63, 63, 111, 111]);
        let blocks = Blocks::parse(packets[2].payload).unwrap();
        let copies: Vec<_> = blocks.copies().map(|copy| (copy.payload_type, copy.offset, copy.payload)).collect();
        assert_eq!((blocks.sound.payload, copies), (&[2; 9][..], vec![(111, 960, &[1; 9][..])]));
        assert_eq!(packets[4].payload, [4; 9]);
    }
}
