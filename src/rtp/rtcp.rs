//! RTCP (RFC 3550 section 6).

mod build;
mod interval;
mod parse;
mod round_trip;

pub use build::{Builder, SenderInfo};
pub use interval::Interval;
pub use parse::{Packet, Packets, ReportBlocks, RtcpError, parse};
pub use round_trip::{NtpTime, RoundTrip};

/// Packet types (section 12.1).
const SENDER_REPORT: u8 = 200;
const RECEIVER_REPORT: u8 = 201;
const SDES: u8 = 202;
const BYE: u8 = 203;
/// The SDES item of the canonical name.
const CNAME: u8 = 1;

/// One report block (section 6.4.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ReportBlock {
    /// The source it is about.
    pub ssrc: u32,
    /// Fraction lost since the last report, parts of 256.
    pub fraction_lost: u8,
    /// Packets lost, 24 bits signed.
    pub cumulative_lost: i32,
    /// Extended highest sequence number received.
    pub highest_sequence: u32,
    /// Interarrival jitter, timestamp units.
    pub jitter: u32,
    /// Middle 32 bits of the NTP time of the last sender report.
    pub last_sender_report: u32,
    /// Delay since then, 1/65536 s.
    pub delay_since_last: u32,
}
