//! From digits to packets.

use super::{TelephoneEvent, event_of};
use std::time::Duration;

/// The shortest digit that receivers must recognise (ITU-T Q.24).
const SHORTEST: Duration = Duration::from_millis(40);
/// The pause between two digits.
const PAUSE: Duration = Duration::from_millis(60);
/// How often the end of an event is sent (RFC 4733 section 2.5.1.4).
const ENDS: u8 = 3;
/// −10 dBm0: the level of a telephone's keys.
const VOLUME: u8 = 10;

/// A packet the sender asks for, in place of audio.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Outgoing {
    /// The marker bit: first packet of an event.
    pub marker: bool,
    /// The RTP timestamp: the event's start, the same in all its packets (RFC 4733 section 2.2.1).
    pub timestamp: u32,
    /// The payload.
    pub event: TelephoneEvent,
}

/// Sends digits one after the other. Fixed size: up to [`Sender::CAPACITY`] digits wait.
///
/// At every packet time call [`Sender::tick`] with the timestamp that an audio packet would have now; when it gives a
/// packet, send that one with the next sequence number instead of audio; while [`Sender::is_active`] and `None`, send
/// audio (the pause between two digits).
#[derive(Debug, Clone)]
pub struct Sender {
    clock_rate: u32,
    /// Event codes and durations, a ring.
    queue: [(u8, u32); Self::CAPACITY],
    head: usize,
    waiting: usize,
    state: State,
}

#[derive(Debug, Clone, Copy)]
enum State {
    Idle,
    /// The key is down.
    Sounding {
        event: u8,
        timestamp: u32,
        elapsed: u32,
        left: u32,
        begun: bool,
    },
    /// The end is repeated.
    Ending {
        timestamp: u32,
        event: TelephoneEvent,
        times: u8,
        pause: u32,
    },
    /// Nothing is sent for so many timestamp units.
    Pausing {
        pause: u32,
    },
}

impl Sender {
    /// How many digits may wait.
    pub const CAPACITY: usize = 64;

    /// A sender for `clock_rate` Hz.
    #[must_use]
    pub fn new(clock_rate: u32) -> Self {
        Self { clock_rate, queue: [(0, 0); Self::CAPACITY], head: 0, waiting: 0, state: State::Idle }
    }

    /// Queues a digit of `duration` (40 ms at least). False when it is none, or the queue is full.
    pub fn push(&mut self, digit: char, duration: Duration) -> bool {
        let Some(event) = event_of(digit) else { return false };
        if self.waiting == Self::CAPACITY {
            return false;
        }
        self.queue[(self.head + self.waiting) % Self::CAPACITY] = (event, self.units(duration.max(SHORTEST)));
        self.waiting += 1;
        true
    }

    /// One packet time has come: `timestamp` is that of the audio which begins now, `samples` its length. The end of an
    /// event is sent three times, one a tick.
    pub fn tick(&mut self, timestamp: u32, samples: u32) -> Option<Outgoing> {
        if let State::Pausing { pause } = self.state {
            if pause > 0 {
                self.state = State::Pausing { pause: pause.saturating_sub(samples) };
                return None;
            }
            self.state = State::Idle;
        }
        if matches!(self.state, State::Idle) && self.waiting > 0 {
            let (event, left) = self.queue[self.head];
            self.head = (self.head + 1) % Self::CAPACITY;
            self.waiting -= 1;
            self.state = State::Sounding { event, timestamp, elapsed: 0, left, begun: false };
        }
        match self.state {
            State::Idle | State::Pausing { .. } => None,
            State::Sounding { event, timestamp, elapsed, left, begun } => {
                Some(self.sound(event, timestamp, elapsed, left, begun, samples))
            }
            State::Ending { timestamp, event, times, pause } => {
                let pause = pause.saturating_sub(samples);
                self.state = match times {
                    0 | 1 => State::Pausing { pause },
                    _ => State::Ending { timestamp, event, times: times - 1, pause },
                };
                Some(Outgoing { marker: false, timestamp, event })
            }
        }
    }

    /// The next packet of a key that is down; `elapsed` in the present segment, `left` of the key press before this
    /// packet.
    fn sound(&mut self, event: u8, timestamp: u32, elapsed: u32, left: u32, begun: bool, samples: u32) -> Outgoing {
        let step = samples.min(left);
        let (elapsed, left) = (elapsed + step, left - step);
        let marker = !begun;
        let mut outgoing = TelephoneEvent { event, end: false, volume: VOLUME, duration: u16::MAX };
        match u16::try_from(elapsed) {
            Ok(duration) if left == 0 => {
                outgoing = TelephoneEvent { end: true, duration, ..outgoing };
                let pause = self.units(PAUSE);
                self.state = State::Ending { timestamp, event: outgoing, times: ENDS - 1, pause };
            }
            Ok(duration) => {
                outgoing.duration = duration;
                self.state = State::Sounding { event, timestamp, elapsed, left, begun: true };
            }
            // The segment is full: it is told without an end, and the rest belongs to the next one (section 2.5.1.3).
            Err(_) => {
                let full = u32::from(u16::MAX);
                let next = timestamp.wrapping_add(full);
                self.state = State::Sounding { event, timestamp: next, elapsed: elapsed - full, left, begun: true };
            }
        }
        Outgoing { marker, timestamp, event: outgoing }
    }

    /// Whether digits are being sent or wait.
    #[must_use]
    pub fn is_active(&self) -> bool {
        self.waiting > 0 || !matches!(self.state, State::Idle | State::Pausing { pause: 0 })
    }

    fn units(&self, duration: Duration) -> u32 {
        u32::try_from(duration.as_micros() * u128::from(self.clock_rate) / 1_000_000).unwrap_or(u32::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::super::Receiver;
    use super::*;
    use crate::rtp::Header;

    /// Runs a sender until it is done; `None` for an audio packet.
    fn run(sender: &mut Sender, samples: u32) -> Vec<Option<Outgoing>> {
        let mut sent = Vec::new();
        let mut timestamp = u32::MAX - 1_000;
        while sender.is_active() {
            sent.push(sender.tick(timestamp, samples));
            timestamp = timestamp.wrapping_add(samples);
            assert!(sent.len() < 100_000);
        }
        sent
    }

    fn heard(sent: &[Option<Outgoing>]) -> String {
        let start = crate::test_clock();
        let mut receiver = Receiver::default();
        let each = |(i, outgoing): (usize, &Option<Outgoing>)| {
            let outgoing = (*outgoing)?;
            let header = Header {
                marker: outgoing.marker,
                payload_type: 101,
                sequence: i as u16,
                timestamp: outgoing.timestamp,
                ssrc: 1,
            };
            receiver.receive(start + Duration::from_millis(20) * i as u32, &header, &outgoing.event.to_bytes())
        };
        sent.iter().enumerate().filter_map(each).collect()
    }

    #[test]
    fn a_digit_is_marked_updated_and_ended_three_times() {
        let mut sender = Sender::new(8_000);
        assert!(sender.push('5', Duration::from_millis(100)));
        let sent: Vec<_> = run(&mut sender, 160).into_iter().flatten().collect();
        let shape: Vec<_> = sent.iter().map(|o| (o.marker, o.event.end, o.event.duration)).collect();
        let expected = [
            (true, false, 160),
            (false, false, 320),
            (false, false, 480),
            (false, false, 640),
            (false, true, 800),
            (false, true, 800),
            (false, true, 800),
        ];
        assert_eq!(shape, expected);
        assert!(sent.iter().all(|o| o.timestamp == sent[0].timestamp && o.event.event == 5));
    }

    #[test]
    fn digits_keep_their_length_and_pause_in_every_packet_time() {
        for samples in [80, 160, 240, 320, 480] {
            let mut sender = Sender::new(8_000);
            for digit in "4829171#".chars() {
                assert!(sender.push(digit, Duration::ZERO));
            }
            let sent = run(&mut sender, samples);
            assert_eq!(heard(&sent), "4829171#");
            let starts: Vec<_> = sent.iter().flatten().filter(|o| o.marker).map(|o| o.timestamp).collect();
            for (a, b) in starts.iter().zip(&starts[1..]) {
                assert!(b.wrapping_sub(*a) >= 320 + 480, "40 ms and 60 ms at least");
            }
            assert!(sent.iter().flatten().filter(|o| o.event.end).all(|o| o.event.duration == 320));
            assert_eq!(sent.iter().flatten().filter(|o| o.event.end).count(), 3 * 8);
        }
    }

    #[test]
    fn a_key_held_for_long_is_sent_in_segments() {
        let mut sender = Sender::new(8_000);
        assert!(sender.push('*', Duration::from_secs(20)));
        let sent = run(&mut sender, 160);
        assert_eq!(heard(&sent), "*");
        let all: Vec<_> = sent.iter().flatten().collect();
        assert_eq!(all.iter().filter(|o| o.marker).count(), 1);
        assert_eq!(all.iter().filter(|o| !o.event.end && o.event.duration == u16::MAX).count(), 2);
        let last = all.last().unwrap();
        assert_eq!(last.timestamp.wrapping_sub(all[0].timestamp) + u32::from(last.event.duration), 160_000);
    }

    #[test]
    fn what_is_no_digit_or_too_many_is_refused() {
        let mut sender = Sender::new(8_000);
        assert!(!sender.push('x', Duration::ZERO));
        assert!(!sender.is_active());
        assert_eq!(sender.tick(0, 160), None);
        for _ in 0..Sender::CAPACITY {
            assert!(sender.push('d', Duration::ZERO));
        }
        assert!(!sender.push('1', Duration::ZERO));
        assert_eq!(heard(&run(&mut sender, 160)).len(), Sender::CAPACITY);
    }
}
