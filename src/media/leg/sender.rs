//! What goes out: the encoded sound of a tick becomes packets of the negotiated length.

use super::super::transport::Way;
use crate::audio::FRAME_8K;
use crate::audio::codec::g711::Law;
use crate::rtp::telephone_event::{self, event_of};
use crate::rtp::{Header, packet::HEADER_LEN};
use crate::types::{AudioCodec, MediaParameters};
use std::time::Duration;

/// The longest packet time, 60 ms, and what of the next tick may wait behind it, in octets of a codec of 64 kb/s.
const PENDING: usize = 480 + FRAME_8K;
/// Ticks in a second.
const TICKS: u32 = 50;

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
    }

    /// Sends the octets of 20 ms, which may be cut anywhere: at most 160. Says whether the last digit of those to send went
    /// out with it.
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

    /// Sends a packet of an encoder, `units` of the clock long; an empty one stands for sound that need not be sent. Says
    /// what [`Sender::put`] says.
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
            let header = self.header(self.payload_type, marker, self.timestamp);
            self.send(header, payload, way);
        }
        self.timestamp = self.timestamp.wrapping_add(units);
    }

    fn header(&mut self, payload_type: u8, marker: bool, timestamp: u32) -> [u8; HEADER_LEN] {
        let sequence = self.sequence;
        self.sequence = sequence.wrapping_add(1);
        Header { marker, payload_type, sequence, timestamp, ssrc: self.ssrc }.to_bytes()
    }

    fn send(&mut self, header: [u8; HEADER_LEN], payload: &[u8], way: &mut Way<'_>) {
        self.packets += 1;
        self.octets += payload.len() as u64;
        way.send(&header, payload);
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
    use crate::types::{CallId, Direction};

    fn parameters(packet_time: u64) -> MediaParameters {
        MediaParameters {
            remote_rtp: Some("192.0.2.1:4000".parse().unwrap()),
            remote_rtcp: None,
            rtcp_mux: false,
            direction: Direction::SendRecv,
            codec: AudioCodec::Pcmu,
            send_payload_type: 0,
            receive_payload_types: vec![],
            send_packet_time: Duration::from_millis(packet_time),
            send_telephone_event: Some(101),
            receive_telephone_events: Default::default(),
            send_comfort_noise: None,
            receive_comfort_noise: Default::default(),
            receive_audio_level: None,
            opus: crate::types::OpusSettings::default(),
            ice: false,
            accept_from: vec![],
            srtp: None,
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
}
