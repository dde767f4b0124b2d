//! Telephone events beside sound of another clock (RFC 4733 section 2.1), told at 8 kHz.

use crate::rtp::Header;
use crate::rtp::telephone_event::TelephoneEvent;

/// The clock of [`telephone_event::Receiver`](crate::rtp::telephone_event::Receiver), Hz.
pub(super) const EVENT_CLOCK: u32 = 8_000;

/// Timestamps of one clock as timestamps at 8 kHz, across their wraps.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct EventClock {
    /// The timestamp seen last, and its number counted without wraps.
    last: Option<(u32, i64)>,
}

impl EventClock {
    /// A packet's header, and the length of its sound, as they would be at 8 kHz.
    pub(super) fn scale(&mut self, header: &Header, length: usize, clock: u32) -> (Header, usize) {
        let number = match self.last {
            None => i64::from(header.timestamp),
            Some((timestamp, number)) => number + i64::from(header.timestamp.wrapping_sub(timestamp).cast_signed()),
        };
        self.last = Some((header.timestamp, number));
        let scaled = number.saturating_mul(i64::from(EVENT_CLOCK)).div_euclid(i64::from(clock.max(1)));
        let length = length * EVENT_CLOCK as usize / clock.max(1) as usize;
        // Timestamps are counted modulo 2^32.
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "modulo 2^32")]
        let timestamp = scaled as u32;
        (Header { timestamp, ..*header }, length)
    }

    /// The same for an event; its payload is `None` where it cannot be read.
    pub(super) fn scale_event(&mut self, header: &Header, payload: &[u8], clock: u32) -> (Header, Option<[u8; 4]>) {
        let (header, _) = self.scale(header, 0, clock);
        let event = TelephoneEvent::parse(payload).map(|event| {
            let duration = u32::from(event.duration) * EVENT_CLOCK / clock.max(1);
            TelephoneEvent { duration: u16::try_from(duration).unwrap_or(u16::MAX), ..event }.to_bytes()
        });
        (header, event)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn timestamps_keep_their_distance_across_a_wrap() {
        let mut clock = EventClock::default();
        let header = |timestamp| Header { marker: false, payload_type: 110, sequence: 0, timestamp, ssrc: 1 };
        let mut before = None;
        for n in 0..20u32 {
            let (scaled, length) = clock.scale(&header((u32::MAX - 4_000).wrapping_add(n * 960)), 960, 48_000);
            assert_eq!(length, 160);
            if let Some(before) = before.replace(scaled.timestamp) {
                assert_eq!(scaled.timestamp.wrapping_sub(before), 160);
            }
        }
    }

    #[test]
    fn an_events_duration_is_told_at_8_khz() {
        let header = Header { marker: true, payload_type: 110, sequence: 0, timestamp: 96_000, ssrc: 1 };
        let event = TelephoneEvent { event: 5, end: true, volume: 10, duration: 4_800 };
        let (scaled, payload) = EventClock::default().scale_event(&header, &event.to_bytes(), 48_000);
        assert_eq!(scaled.timestamp, 16_000);
        assert_eq!(TelephoneEvent::parse(&payload.unwrap()).unwrap(), TelephoneEvent { duration: 800, ..event });
    }
}
