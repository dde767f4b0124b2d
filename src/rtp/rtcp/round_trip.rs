//! NTP time, and the round trip by LSR and DLSR (RFC 3550 section 6.4.1, figure 2).

use super::ReportBlock;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// Seconds from 1900 to 1970.
const UNIX_OFFSET: u64 = 2_208_988_800;

/// NTP time: seconds since 1900 in the upper, their fraction in the lower 32 bits (RFC 3550 section 4).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct NtpTime(pub u64);

impl NtpTime {
    /// The NTP time of a wall clock reading; a reading before 1970 counts as 1970. Wraps in 2036, as NTP does.
    #[must_use]
    pub fn of(wall: SystemTime) -> Self {
        let since = wall.duration_since(UNIX_EPOCH).unwrap_or_default();
        let fraction = (u64::from(since.subsec_nanos()) << 32) / 1_000_000_000;
        Self((since.as_secs().wrapping_add(UNIX_OFFSET) << 32) | fraction)
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
        let Some((middle, arrival)) = self.last else { return (0, 0) };
        let delay = now.saturating_duration_since(arrival).as_micros().saturating_mul(65_536) / 1_000_000;
        (middle, u32::try_from(delay).unwrap_or(u32::MAX))
    }

    /// The round trip that a report block about us tells at the wall clock time `arrival`; `None` if it names no sender
    /// report, or an impossible one.
    #[must_use]
    pub fn measure(block: &ReportBlock, arrival: NtpTime) -> Option<Duration> {
        if block.last_sender_report == 0 {
            return None;
        }
        let units = arrival.middle().wrapping_sub(block.last_sender_report).wrapping_sub(block.delay_since_last);
        match units.cast_signed() {
            // Clocks of coarse grain on a near peer make it come out a little below zero.
            -656..0 => Some(Duration::ZERO),
            // A minute is no round trip but a mistake.
            units @ 0..3_932_160 => {
                Some(Duration::from_nanos(u64::from(units.cast_unsigned()) * 1_000_000_000 / 65_536))
            }
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_round_trip_is_what_the_figure_of_the_rfc_says() {
        // RFC 3550 figure 2: A = b710:8000, LSR = b705:2000, DLSR = 0005:4000, round trip 6.125 s.
        let block =
            ReportBlock { last_sender_report: 0xB705_2000, delay_since_last: 0x0005_4000, ..ReportBlock::default() };
        let arrival = NtpTime(0x0000_B710_8000_0000);
        assert_eq!(RoundTrip::measure(&block, arrival), Some(Duration::from_millis(6_125)));
    }

    #[test]
    fn impossible_round_trips_are_none() {
        let arrival = NtpTime(0x0000_B710_8000_0000);
        let of = |lsr, dlsr| {
            let block = ReportBlock { last_sender_report: lsr, delay_since_last: dlsr, ..ReportBlock::default() };
            RoundTrip::measure(&block, arrival)
        };
        assert_eq!(of(0, 0), None);
        assert_eq!(of(0xB710_8000, 100), Some(Duration::ZERO));
        assert_eq!(of(0xB710_8000, 66_000), None);
        assert_eq!(of(0x1234_5678, 0), None);
    }

    #[test]
    fn the_delay_since_the_last_report_is_told() {
        let start = crate::test_clock();
        let mut round_trip = RoundTrip::default();
        assert_eq!(round_trip.last_sender_report(start), (0, 0));
        round_trip.sender_report(start, NtpTime(0x0000_1234_5678_0000));
        assert_eq!(round_trip.last_sender_report(start + Duration::from_millis(1_500)), (0x1234_5678, 98_304));
    }

    #[test]
    fn ntp_time_counts_from_1900() {
        let wall = UNIX_EPOCH + Duration::from_millis(1_500);
        assert_eq!(NtpTime::of(wall).0, (2_208_988_801 << 32) | 0x8000_0000);
    }
}
