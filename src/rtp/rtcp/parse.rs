//! Reading compound packets.

use super::{BYE, CNAME, NtpTime, RECEIVER_REPORT, ReportBlock, SDES, SENDER_REPORT};

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
    /// SDES: one for each CNAME in it.
    Cname {
        /// Whose.
        ssrc: u32,
        /// The name.
        cname: &'a [u8],
    },
    /// BYE: one for each source it names.
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
        let (block, rest) = self.0.split_first_chunk::<24>()?;
        self.0 = rest;
        let lost = word(block, 4)? << 8;
        Some(ReportBlock {
            ssrc: word(block, 0)?,
            fraction_lost: block[4],
            cumulative_lost: lost.cast_signed() >> 8,
            highest_sequence: word(block, 8)?,
            jitter: word(block, 12)?,
            last_sender_report: word(block, 16)?,
            delay_since_last: word(block, 20)?,
        })
    }
}

/// The packets of a compound.
#[derive(Debug, Clone)]
pub struct Packets<'a> {
    rest: &'a [u8],
    /// What is left of an SDES or BYE that holds several sources.
    inner: Inner<'a>,
}

#[derive(Debug, Clone, Copy)]
enum Inner<'a> {
    None,
    /// SDES chunks.
    Chunks(&'a [u8]),
    /// SSRCs of a BYE.
    Sources(&'a [u8]),
}

/// Checks a datagram as appendix A.2 does and gives its packets. Where A.2 wants a report first, any RTCP packet may
/// stand (reduced size, RFC 5506).
///
/// # Errors
/// [`RtcpError::Malformed`]
pub fn parse(datagram: &[u8]) -> Result<Packets<'_>, RtcpError> {
    let mut rest = datagram;
    while let Some((packet, after)) = split(rest) {
        // Padding only on the last packet of a compound.
        if packet.padded && !after.is_empty() {
            return Err(RtcpError::Malformed);
        }
        rest = after;
    }
    if datagram.is_empty() || !rest.is_empty() {
        return Err(RtcpError::Malformed);
    }
    Ok(Packets { rest: datagram, inner: Inner::None })
}

/// The common header of a packet, and its body.
struct Raw<'a> {
    padded: bool,
    count: usize,
    packet_type: u8,
    body: &'a [u8],
}

/// Splits the first packet off.
fn split(bytes: &[u8]) -> Option<(Raw<'_>, &[u8])> {
    let &[first, packet_type, high, low, ..] = bytes else { return None };
    let len = 4 * (usize::from(u16::from_be_bytes([high, low])) + 1);
    if first >> 6 != 2 || !(192..=223).contains(&packet_type) || len > bytes.len() {
        return None;
    }
    let (packet, rest) = bytes.split_at(len);
    let padded = first & 0x20 != 0;
    let mut body = &packet[4..];
    if padded {
        let padding = usize::from(*body.last()?);
        if padding == 0 || !padding.is_multiple_of(4) || padding > body.len() {
            return None;
        }
        body = &body[..body.len() - padding];
    }
    Some((Raw { padded, count: usize::from(first & 0x1F), packet_type, body }, rest))
}

fn word(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..)?.first_chunk().map(|word| u32::from_be_bytes(*word))
}

/// At most `count` blocks, and no more than there are.
fn blocks(bytes: &[u8], at: usize, count: usize) -> ReportBlocks<'_> {
    let blocks = bytes.get(at..).unwrap_or_default();
    ReportBlocks(&blocks[..blocks.len().min(24 * count)])
}

fn sender_report<'a>(raw: &Raw<'a>) -> Option<Packet<'a>> {
    Some(Packet::SenderReport {
        ssrc: word(raw.body, 0)?,
        ntp: NtpTime((u64::from(word(raw.body, 4)?) << 32) | u64::from(word(raw.body, 8)?)),
        rtp_timestamp: word(raw.body, 12)?,
        packets: word(raw.body, 16)?,
        octets: word(raw.body, 20)?,
        blocks: blocks(raw.body, 24, raw.count),
    })
}

/// Splits the first SDES chunk off: its CNAME, if it has one, and the chunks after it.
fn chunk(chunks: &[u8]) -> Option<(Option<Packet<'_>>, &[u8])> {
    let ssrc = word(chunks, 0)?;
    let mut items = chunks.get(4..)?;
    let mut found = None;
    while let Some((&kind, rest)) = items.split_first() {
        if kind == 0 {
            break;
        }
        let (&len, rest) = rest.split_first()?;
        let (value, rest) = rest.split_at_checked(usize::from(len))?;
        if kind == CNAME && found.is_none() {
            found = Some(Packet::Cname { ssrc, cname: value });
        }
        items = rest;
    }
    // The null that ends the items, and nulls up to the next word.
    let used = (chunks.len() - items.len() + 1).next_multiple_of(4);
    Some((found, chunks.get(used..).unwrap_or_default()))
}

impl<'a> Iterator for Packets<'a> {
    type Item = Packet<'a>;

    fn next(&mut self) -> Option<Packet<'a>> {
        // Each round consumes at least four octets.
        loop {
            match self.inner {
                Inner::Chunks(chunks) => match chunk(chunks) {
                    Some((found, rest)) => {
                        self.inner = Inner::Chunks(rest);
                        if found.is_some() {
                            return found;
                        }
                    }
                    None => self.inner = Inner::None,
                },
                Inner::Sources(sources) => match sources.split_first_chunk() {
                    Some((ssrc, rest)) => {
                        self.inner = Inner::Sources(rest);
                        return Some(Packet::Bye { ssrc: u32::from_be_bytes(*ssrc) });
                    }
                    None => self.inner = Inner::None,
                },
                Inner::None => {
                    let (raw, rest) = split(self.rest)?;
                    self.rest = rest;
                    let packet = match raw.packet_type {
                        SENDER_REPORT => sender_report(&raw),
                        RECEIVER_REPORT => word(raw.body, 0)
                            .map(|ssrc| Packet::ReceiverReport { ssrc, blocks: blocks(raw.body, 4, raw.count) }),
                        SDES => {
                            self.inner = Inner::Chunks(raw.body);
                            None
                        }
                        BYE => {
                            self.inner = Inner::Sources(&raw.body[..raw.body.len().min(4 * raw.count)]);
                            None
                        }
                        packet_type => Some(Packet::Other { packet_type }),
                    };
                    if packet.is_some() {
                        return packet;
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn garbage_is_refused() {
        for bytes in [
            &[][..],
            &[0x80],
            &[0x80, 200, 0],
            &[0x40, 200, 0, 0],                              // version 1
            &[0x80, 100, 0, 0],                              // no RTCP type
            &[0x80, 201, 0, 1],                              // longer than the datagram
            &[0x80, 201, 0, 1, 0, 0, 0, 1, 0],               // something behind
            &[0xA0, 201, 0, 1, 0, 0, 0, 0],                  // padding of 0
            &[0xA0, 201, 0, 1, 0, 0, 0, 8],                  // more padding than body
            &[0xA0, 201, 0, 1, 0, 0, 0, 4, 0x80, 203, 0, 0], // padding not on the last packet
        ] {
            assert!(parse(bytes).is_err(), "{bytes:?}");
        }
    }

    #[test]
    fn counts_beyond_the_packet_are_cut_to_what_is_there() {
        let report = [0x9F, 201, 0, 1, 0, 0, 0, 1];
        let Some(Packet::ReceiverReport { ssrc: 1, blocks }) = parse(&report).unwrap().next() else { panic!() };
        assert_eq!(blocks.count(), 0);
        let short_sender_report = [0x80, 200, 0, 1, 0, 0, 0, 1];
        assert_eq!(parse(&short_sender_report).unwrap().count(), 0);
        let bye = [0x9F, 203, 0, 2, 0, 0, 0, 1, 0, 0, 0, 2];
        let all: Vec<_> = parse(&bye).unwrap().collect();
        assert_eq!(all, [Packet::Bye { ssrc: 1 }, Packet::Bye { ssrc: 2 }]);
        // A reason for leaving is no source.
        let bye = [0x81, 203, 0, 2, 0, 0, 0, 1, 2, b'o', b'k', 0];
        assert_eq!(parse(&bye).unwrap().count(), 1);
    }

    #[test]
    fn the_canonical_name_is_found_among_other_items_and_chunks() {
        let mut sdes = vec![0x83, 202, 0, 8];
        sdes.extend([0, 0, 0, 1, 2, 3, b'b', b'o', b'b', 0, 0, 0]); // a NAME only
        sdes.extend([0, 0, 0, 2, 6, 1, b't', 1, 1, b'c', 0, 0]); // TOOL, CNAME
        sdes.extend([0, 0, 0, 3, 1, 0, 0, 0]); // an empty CNAME
        let all: Vec<_> = parse(&sdes).unwrap().collect();
        assert_eq!(all, [Packet::Cname { ssrc: 2, cname: b"c" }, Packet::Cname { ssrc: 3, cname: b"" }]);
    }

    #[test]
    fn padding_and_unknown_types_are_read_over() {
        let bytes = [0x80, 207, 0, 0, 0xA1, 203, 0, 2, 0, 0, 0, 5, 0, 0, 0, 4];
        let all: Vec<_> = parse(&bytes).unwrap().collect();
        assert_eq!(all, [Packet::Other { packet_type: 207 }, Packet::Bye { ssrc: 5 }]);
    }

    proptest::proptest! {
        #[test]
        fn no_bytes_make_it_panic(mut bytes in proptest::collection::vec(proptest::num::u8::ANY, 4..400)) {
            let len = bytes.len() / 4 * 4;
            bytes.truncate(len);
            bytes[0] = 0x80 | (bytes[0] & 0x3F);
            bytes[1] = 200 + bytes[1] % 4;
            let words = (len / 4 - 1) as u16;
            bytes[2..4].copy_from_slice(&words.to_be_bytes());
            if let Ok(packets) = parse(&bytes) {
                for packet in packets {
                    if let Packet::SenderReport { blocks, .. } | Packet::ReceiverReport { blocks, .. } = packet {
                        proptest::prop_assert!(blocks.count() <= 31);
                    }
                }
            }
        }
    }
}
