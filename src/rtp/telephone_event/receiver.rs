//! From packets to key presses.

use super::super::Header;
use std::time::Instant;

/// What a receiver counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Statistics {
    /// Key presses reported.
    pub digits: u64,
    /// Packets too short, or of an event that is no digit.
    pub ignored: u64,
}

/// Reports each key press once, at its start or, if that was lost, as soon as any of its packets arrives.
#[derive(Debug, Clone, Default)]
pub struct Receiver {
    statistics: Statistics,
}

impl Receiver {
    /// Takes one packet of the negotiated telephone-event payload type. Returns the digit when this packet is the first
    /// that is seen of its key press.
    pub fn receive(&mut self, arrival: Instant, header: &Header, payload: &[u8]) -> Option<char> {
        let _ = (arrival, header, payload);
        todo!()
    }

    /// Whether a key is down at `now`: its end has not been seen and its last packet is not long past.
    #[must_use]
    pub fn is_pressed(&self, now: Instant) -> bool {
        let _ = now;
        todo!()
    }

    /// Forgets what was seen of the current source (another SSRC).
    pub fn restart(&mut self) {
        todo!()
    }

    /// What it counted.
    #[must_use]
    pub const fn statistics(&self) -> Statistics {
        self.statistics
    }
}
