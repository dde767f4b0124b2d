//! From digits to packets.

use super::TelephoneEvent;
use std::time::Duration;

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
}

impl Sender {
    /// How many digits may wait.
    pub const CAPACITY: usize = 64;

    /// A sender for `clock_rate` Hz.
    #[must_use]
    pub fn new(clock_rate: u32) -> Self {
        Self { clock_rate }
    }

    /// Queues a digit of `duration` (40 ms at least). False when it is none, or the queue is full.
    pub fn push(&mut self, digit: char, duration: Duration) -> bool {
        let _ = (digit, duration, self.clock_rate);
        todo!()
    }

    /// One packet time has come: `timestamp` is that of the audio which begins now, `samples` its length. The end of an
    /// event is sent three times, one a tick.
    pub fn tick(&mut self, timestamp: u32, samples: u32) -> Option<Outgoing> {
        let _ = (timestamp, samples);
        todo!()
    }

    /// Whether digits are being sent or wait.
    #[must_use]
    pub fn is_active(&self) -> bool {
        todo!()
    }
}
