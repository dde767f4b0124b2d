//! Writing compound packets into the caller's buffer.

use super::{BYE, CNAME, NtpTime, RECEIVER_REPORT, ReportBlock, SDES, SENDER_REPORT};

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
    /// Starts with a sender report, or without `sender` a receiver report. At most 31 blocks are written. A buffer of
    /// 128 octets is enough for one block, a CNAME of 60 octets and a BYE; what does not fit is left out whole.
    pub fn report(out: &'a mut [u8], ssrc: u32, sender: Option<&SenderInfo>, blocks: &[ReportBlock]) -> Self {
        let blocks = &blocks[..blocks.len().min(31)];
        let packet_type = if sender.is_some() { SENDER_REPORT } else { RECEIVER_REPORT };
        let words = 1 + if sender.is_some() { 5 } else { 0 } + 6 * blocks.len();
        Self { out, len: 0 }.packet(packet_type, blocks.len(), words, |body| {
            body.put(&ssrc.to_be_bytes());
            if let Some(sender) = sender {
                body.put(&sender.ntp.0.to_be_bytes());
                body.put(&sender.rtp_timestamp.to_be_bytes());
                body.put(&sender.packets.to_be_bytes());
                body.put(&sender.octets.to_be_bytes());
            }
            for block in blocks {
                body.put(&block.ssrc.to_be_bytes());
                let lost = block.cumulative_lost.clamp(-0x80_0000, 0x7F_FFFF).cast_unsigned() & 0xFF_FFFF;
                body.put(&((u32::from(block.fraction_lost) << 24) | lost).to_be_bytes());
                body.put(&block.highest_sequence.to_be_bytes());
                body.put(&block.jitter.to_be_bytes());
                body.put(&block.last_sender_report.to_be_bytes());
                body.put(&block.delay_since_last.to_be_bytes());
            }
        })
    }

    /// Appends SDES with the canonical name (section 6.5.1), cut at 255 octets.
    #[must_use]
    pub fn cname(self, ssrc: u32, cname: &str) -> Self {
        let name = &cname.as_bytes()[..cname.len().min(255)];
        // The chunk: SSRC, item type, length, name, at least one null, filled up to a whole word with nulls.
        let words = (4 + 2 + name.len() + 1).div_ceil(4);
        self.packet(SDES, 1, words, |body| {
            body.put(&ssrc.to_be_bytes());
            #[expect(clippy::cast_possible_truncation, reason = "cut at 255 above")]
            body.put(&[CNAME, name.len() as u8]);
            body.put(name);
        })
    }

    /// Appends BYE (section 6.6).
    #[must_use]
    pub fn bye(self, ssrc: u32) -> Self {
        self.packet(BYE, 1, 1, |body| body.put(&ssrc.to_be_bytes()))
    }

    /// The length of the compound packet; 0 when not even the report fitted.
    #[must_use]
    pub const fn finish(self) -> usize {
        self.len
    }

    /// Appends one packet whose body has `words` 32-bit words, or nothing when it does not fit. A compound whose report
    /// did not fit stays empty.
    fn packet(mut self, packet_type: u8, count: usize, words: usize, body: impl FnOnce(&mut Body<'_>)) -> Self {
        let is_report = matches!(packet_type, SENDER_REPORT | RECEIVER_REPORT);
        let end = self.len + 4 + 4 * words;
        if (self.len > 0) == is_report {
            return self;
        }
        if let Some(space) = self.out.get_mut(self.len..end) {
            space.fill(0);
            let (head, rest) = space.split_at_mut(4);
            #[expect(clippy::cast_possible_truncation, reason = "at most 31 blocks of 6 words")]
            head.copy_from_slice(&[0x80 | count as u8, packet_type, (words >> 8) as u8, words as u8]);
            body(&mut Body { rest });
            self.len = end;
        }
        self
    }
}

/// The part of a packet that is still to be written.
struct Body<'a> {
    rest: &'a mut [u8],
}

impl Body<'_> {
    fn put(&mut self, bytes: &[u8]) {
        let (now, later) = std::mem::take(&mut self.rest).split_at_mut(bytes.len());
        now.copy_from_slice(bytes);
        self.rest = later;
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Packet, parse};
    use super::*;

    const SENDER: SenderInfo =
        SenderInfo { ntp: NtpTime(0x0102_0304_0506_0708), rtp_timestamp: 9, packets: 10, octets: 11 };

    #[test]
    fn a_compound_is_read_back_as_it_was_written() {
        let block = ReportBlock {
            ssrc: 77,
            fraction_lost: 12,
            cumulative_lost: -3,
            highest_sequence: 70_000,
            jitter: 5,
            last_sender_report: 6,
            delay_since_last: 7,
        };
        for name in ["a", "ab", "abc", "abcd", &"x".repeat(60)] {
            let mut out = [0xAA; 136];
            let len = Builder::report(&mut out, 42, Some(&SENDER), &[block]).cname(42, name).bye(42).finish();
            let mut packets = parse(&out[..len]).unwrap();
            let Some(Packet::SenderReport { ssrc, ntp, rtp_timestamp, packets: count, octets, mut blocks }) =
                packets.next()
            else {
                panic!("no sender report")
            };
            assert_eq!((ssrc, ntp, rtp_timestamp, count, octets), (42, SENDER.ntp, 9, 10, 11));
            assert_eq!(blocks.next(), Some(block));
            assert_eq!(blocks.next(), None);
            assert_eq!(packets.next(), Some(Packet::Cname { ssrc: 42, cname: name.as_bytes() }));
            assert_eq!(packets.next(), Some(Packet::Bye { ssrc: 42 }));
            assert_eq!(packets.next(), None);
        }
    }

    #[test]
    fn what_does_not_fit_is_left_out_whole() {
        let mut out = [0; 24];
        assert_eq!(Builder::report(&mut out, 1, Some(&SENDER), &[]).cname(1, "x").bye(1).finish(), 0);
        assert_eq!(Builder::report(&mut out, 1, None, &[]).cname(1, "too long to fit").bye(1).finish(), 16);
        assert!(parse(&out[..16]).is_ok());
    }

    #[test]
    fn many_blocks_and_long_names_are_cut() {
        let mut out = [0; 1_200];
        let blocks = [ReportBlock::default(); 40];
        let len = Builder::report(&mut out, 1, None, &blocks).cname(1, &"y".repeat(300)).finish();
        let all: Vec<_> = parse(&out[..len]).unwrap().collect();
        let Packet::ReceiverReport { blocks, .. } = all[0] else { panic!("no receiver report") };
        assert_eq!(blocks.count(), 31);
        assert!(matches!(all[1], Packet::Cname { cname, .. } if cname.len() == 255));
    }
}
