//! RTCP of one leg (RFC 3550 section 6).

use super::sender::Sender;
use crate::rtp::rtcp::{self, Builder, Interval, NtpTime, Packet, ReportBlock, RoundTrip, RtcpError, SenderInfo};
use crate::rtp::sequence::Source;
use crate::types::Now;
use rand::rngs::StdRng;
use std::time::Instant;

/// Octets of the longest report we build.
pub(crate) const MAX_REPORT: usize = 400;

/// Reports in both directions.
#[derive(Debug)]
pub(crate) struct Reports {
    /// The wall clock is read once: one that is set later must not look like a round trip.
    began: Now,
    interval: Interval,
    random: StdRng,
    cname: String,
    round_trip: RoundTrip,
    remote_fraction_lost: u8,
    round_trip_us: u64,
    bye: bool,
}

impl Reports {
    pub(crate) fn new(now: Now, mut random: StdRng, cname: &str) -> Self {
        Self {
            began: now,
            interval: Interval::new(now.instant, &mut random),
            random,
            cname: cname.to_owned(),
            round_trip: RoundTrip::default(),
            remote_fraction_lost: 0,
            round_trip_us: 0,
            bye: false,
        }
    }

    /// When the next report is due.
    pub(crate) fn due(&self) -> Instant {
        self.interval.due()
    }

    /// Takes a compound packet. True when it is the first BYE of the source we hear.
    pub(crate) fn receive(
        &mut self,
        arrival: Instant,
        bytes: &[u8],
        our_ssrc: u32,
        their_ssrc: Option<u32>,
    ) -> Result<bool, RtcpError> {
        let arrived = self.ntp(arrival);
        let mut goodbye = false;
        for packet in rtcp::parse(bytes)? {
            let blocks = match packet {
                Packet::SenderReport { ntp, blocks, .. } => {
                    self.round_trip.sender_report(arrival, ntp);
                    blocks
                }
                Packet::ReceiverReport { blocks, .. } => blocks,
                Packet::Bye { ssrc } => {
                    goodbye |= their_ssrc == Some(ssrc);
                    continue;
                }
                Packet::Cname { .. } | Packet::Other { .. } => continue,
            };
            for block in blocks.filter(|block| block.ssrc == our_ssrc) {
                self.remote_fraction_lost = block.fraction_lost;
                if let Some(round_trip) = RoundTrip::measure(&block, arrived) {
                    self.round_trip_us = u64::try_from(round_trip.as_micros()).unwrap_or(u64::MAX);
                }
            }
        }
        Ok(goodbye && !std::mem::replace(&mut self.bye, true))
    }

    /// Builds the report that is due and draws the time of the next one.
    pub(crate) fn build(
        &mut self,
        now: Now,
        out: &mut [u8],
        sender: &mut Sender,
        source: Option<&mut Source>,
        bye: bool,
    ) -> usize {
        self.interval.sent(now.instant, &mut self.random);
        let block = source.map(|source| {
            let reception = source.report();
            let (last_sender_report, delay_since_last) = self.round_trip.last_sender_report(now.instant);
            ReportBlock {
                ssrc: source.ssrc(),
                fraction_lost: reception.fraction_lost,
                cumulative_lost: reception.cumulative_lost,
                highest_sequence: reception.highest_sequence,
                jitter: reception.jitter,
                last_sender_report,
                delay_since_last,
            }
        });
        // The RFC counts modulo 2^32.
        let info = sender.sent_since_report().then(|| SenderInfo {
            ntp: self.ntp(now.instant),
            rtp_timestamp: sender.timestamp(),
            packets: sender.packets() as u32,
            octets: sender.octets() as u32,
        });
        sender.reported();
        let ssrc = sender.ssrc();
        let report = Builder::report(out, ssrc, info.as_ref(), block.as_slice()).cname(ssrc, &self.cname);
        if bye { report.bye(ssrc) } else { report }.finish()
    }

    fn ntp(&self, at: Instant) -> NtpTime {
        NtpTime::of(self.began.wall + at.saturating_duration_since(self.began.instant))
    }

    pub(crate) fn remote_fraction_lost(&self) -> u8 {
        self.remote_fraction_lost
    }

    pub(crate) fn round_trip_us(&self) -> u64 {
        self.round_trip_us
    }
}
