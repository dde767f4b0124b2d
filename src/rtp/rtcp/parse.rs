//! Reading compound packets.

use super::{NtpTime, ReportBlock};

/// Why a datagram is no RTCP compound packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RtcpError {
    /// It fails the validity checks of RFC 3550 appendix A.2.
    #[error("not an RTCP packet")]
    Malformed,
}

/// One packet of a compound, as far as it matters to an end point.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Packet<'a> {
    /// SR.
    SenderReport {
        /// Its sender.
        ssrc: u32,
        /// Its wall clock.
        ntp: NtpTime,
        /// The same moment in its timestamp units.
        rtp_timestamp: u32,
        /// RTP packets it sent.
        packets: u32,
        /// Payload octets it sent.
        octets: u32,
        /// What it heard.
        blocks: ReportBlocks<'a>,
    },
    /// RR.
    ReceiverReport {
        /// Its sender.
        ssrc: u32,
        /// What it heard.
        blocks: ReportBlocks<'a>,
    },
    /// SDES with a CNAME.
    Cname {
        /// Whose.
        ssrc: u32,
        /// The name.
        cname: &'a [u8],
    },
    /// BYE; one for each source it names.
    Bye {
        /// Who leaves.
        ssrc: u32,
    },
    /// Any other packet type (APP, feedback, XR), not read further.
    Other {
        /// The packet type.
        packet_type: u8,
    },
}

/// The report blocks of one report.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReportBlocks<'a>(&'a [u8]);

impl Iterator for ReportBlocks<'_> {
    type Item = ReportBlock;

    fn next(&mut self) -> Option<ReportBlock> {
        let _ = self.0;
        todo!()
    }
}

/// The packets of a compound.
#[derive(Debug, Clone)]
pub struct Packets<'a>(&'a [u8]);

/// Checks a datagram (appendix A.2; reduced size of RFC 5506 is accepted too) and gives its packets.
///
/// # Errors
/// [`RtcpError::Malformed`]
pub fn parse(datagram: &[u8]) -> Result<Packets<'_>, RtcpError> {
    let _ = datagram;
    todo!()
}

impl<'a> Iterator for Packets<'a> {
    type Item = Packet<'a>;

    fn next(&mut self) -> Option<Packet<'a>> {
        let _ = self.0;
        todo!()
    }
}
