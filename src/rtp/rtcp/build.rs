//! Writing compound packets into the caller's buffer.

use super::{NtpTime, ReportBlock};

/// What a sender report says of its sender (RFC 3550 section 6.4.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SenderInfo {
    /// Wall clock now.
    pub ntp: NtpTime,
    /// The same moment in the timestamp units of our stream.
    pub rtp_timestamp: u32,
    /// RTP packets sent (modulo 2³²).
    pub packets: u32,
    /// Payload octets sent (modulo 2³²).
    pub octets: u32,
}

/// Builds one compound packet: a report first, then SDES, then BYE (section 6.1).
#[derive(Debug)]
pub struct Builder<'a> {
    out: &'a mut [u8],
    len: usize,
}

impl<'a> Builder<'a> {
    /// Starts with a sender report, or without `sender` a receiver report. At most 31 blocks are written.
    /// A buffer of 128 octets is enough for one block, a CNAME of 60 octets and a BYE; what does not fit is left out whole.
    pub fn report(out: &'a mut [u8], ssrc: u32, sender: Option<&SenderInfo>, blocks: &[ReportBlock]) -> Self {
        let _ = (ssrc, sender, blocks);
        Self { out, len: 0 }
    }

    /// Appends SDES with the canonical name (section 6.5.1), cut at 255 octets.
    #[must_use]
    pub fn cname(self, ssrc: u32, cname: &str) -> Self {
        let _ = (ssrc, cname, &self.out);
        todo!()
    }

    /// Appends BYE (section 6.6).
    #[must_use]
    pub fn bye(self, ssrc: u32) -> Self {
        let _ = ssrc;
        todo!()
    }

    /// The length of the compound packet; 0 when not even the report fitted.
    #[must_use]
    pub const fn finish(self) -> usize {
        self.len
    }
}
