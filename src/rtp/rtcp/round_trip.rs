//! NTP time, and the round trip by LSR and DLSR (RFC 3550 section 6.4.1, figure 2).

use super::ReportBlock;
use std::time::{Duration, Instant, SystemTime};

/// NTP time: seconds since 1900 in the upper, their fraction in the lower 32 bits (RFC 3550 section 4).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct NtpTime(pub u64);

impl NtpTime {
    /// The NTP time of a wall clock reading.
    #[must_use]
    pub fn of(wall: SystemTime) -> Self {
        let _ = wall;
        todo!()
    }

    /// The middle 32 bits: 16 of the seconds, 16 of the fraction.
    #[must_use]
    pub const fn middle(self) -> u32 {
        ((self.0 >> 16) & 0xFFFF_FFFF) as u32
    }
}

/// Keeps what report blocks need to know of the other side's sender reports, and measures the round trip by ours.
#[derive(Debug, Clone, Copy, Default)]
pub struct RoundTrip {
    last: Option<(u32, Instant)>,
}

impl RoundTrip {
    /// A sender report of the other side arrived.
    pub fn sender_report(&mut self, arrival: Instant, ntp: NtpTime) {
        self.last = Some((ntp.middle(), arrival));
    }

    /// LSR and DLSR for our next report block: 0 and 0 before the first sender report.
    #[must_use]
    pub fn last_sender_report(&self, now: Instant) -> (u32, u32) {
        let _ = now;
        todo!()
    }

    /// The round trip that a report block about us tells at the wall clock time `arrival`; `None` if it names no sender
    /// report, or an impossible one.
    #[must_use]
    pub fn measure(block: &ReportBlock, arrival: NtpTime) -> Option<Duration> {
        let _ = (block, arrival);
        todo!()
    }
}
