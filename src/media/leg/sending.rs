//! What a leg sends in a tick.

use super::super::outbox::{Outbox, Who};
use super::super::stream::Stream;
use super::Leg;
use super::dtx::{Noise, Sending};
use crate::audio::codec::comfort_noise;
use crate::rtp::Contributors;
use std::time::Duration;

impl Leg {
    /// Sends 20 ms of encoded sound. Says whether the last of the digits to send went out.
    pub(crate) fn send(&mut self, who: Who, payload: &[u8], outbox: &mut Outbox) -> bool {
        let Some(mut way) = self.transport.way(who, outbox) else {
            self.sender.pass(1);
            return false;
        };
        self.sender.put(payload, &mut way)
    }

    /// Sends what a stream gave for a tick. Says what [`Leg::send`] says.
    pub(crate) fn send_stream(&mut self, who: Who, stream: &Stream, outbox: &mut Outbox) -> bool {
        let Some(way) = &mut self.transport.way(who, outbox) else {
            self.sender.pass(1);
            return false;
        };
        let format = stream.format();
        let mut done = false;
        for payload in stream.payloads() {
            done |= if format.is_packet() {
                self.sender.put_packet(payload, format.units(), way)
            } else {
                self.sender.put(payload, way)
            };
        }
        done
    }

    /// Whether pauses are described instead of sent, and so whether [`Leg::rest`] is to be asked.
    pub(crate) const fn has_dtx(&self) -> bool {
        self.dtx.is_some()
    }

    /// Whether all that it needs to be sent is its law's octets, whatever is heard.
    pub(crate) const fn is_plain(&self) -> bool {
        self.dtx.is_none() && !self.is_told
    }

    /// Whether it is told who is heard, and so whether [`Leg::tell`] is to be called.
    pub(crate) const fn is_told(&self) -> bool {
        self.is_told
    }

    /// Takes note of who is heard in what is sent from here on.
    pub(crate) fn tell(&mut self, heard: Contributors) {
        self.sender.tell(heard);
    }

    /// Takes note of what is heard in a tick: noise, or `None` for sound. In a pause it sends what there is to be sent
    /// of the noise; false where all is to be sent as ever.
    pub(crate) fn rest(&mut self, who: Who, noise: Option<Noise<'_>>, outbox: &mut Outbox) -> bool {
        let Some(dtx) = &mut self.dtx else { return false };
        let noise = noise.filter(|_| !self.sender.is_sending_digits() && self.transport.is_reachable());
        let Some(noise) = noise else {
            dtx.sound();
            return false;
        };
        let mut payload = [0; comfort_noise::LONGEST_PAYLOAD];
        match dtx.noise(noise, self.sender.is_between_packets(), &mut payload) {
            Sending::Sound => return false,
            Sending::Nothing => self.sender.pass(1),
            Sending::Description(octets) => {
                if let Some(way) = &mut self.transport.way(who, outbox) {
                    self.sender.put_noise(dtx.payload_type, &payload[..octets], way);
                }
            }
        }
        true
    }

    /// A tick in which nothing is sent.
    pub(crate) fn pass(&mut self) {
        self.sender.pass(1);
    }

    /// Queues digits. False if one of them cannot be sent on this leg.
    pub(crate) fn send_digits(&mut self, digits: &str, duration: Duration) -> bool {
        self.sender.push_digits(digits, duration)
    }
}
