//! The RTP packet (RFC 3550 section 5.1).

use rtp_rs::{RtpPacketBuilder, RtpReader};

/// Octets of a header without CSRC list and extension.
pub const HEADER_LEN: usize = 12;

/// The largest datagram we read: 200 ms of G.711 (RFC 3551 section 4.2) and what may stand round it.
pub const MAX_DATAGRAM: usize = 2_048;

/// The fields of an RTP header that matter to an end point.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Header {
    /// The marker bit: for audio the first packet of a talk spurt.
    pub marker: bool,
    /// The payload type, 0 to 127.
    pub payload_type: u8,
    /// The sequence number.
    pub sequence: u16,
    /// The timestamp of the first sample, in the codec's clock rate.
    pub timestamp: u32,
    /// The synchronisation source.
    pub ssrc: u32,
}

/// A packet that was read: header, and payload without CSRC list, extension and padding.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Packet<'a> {
    /// The header.
    pub header: Header,
    /// The payload. May be empty.
    pub payload: &'a [u8],
}

/// Why a datagram is no RTP packet, or could not be written as one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PacketError {
    /// Version, length, extension or padding are not those of RTP version 2. The sender's fault.
    #[error("not an RTP packet")]
    Malformed,
    /// The buffer is too small, or the payload type above 127. Ours.
    #[error("the packet does not fit")]
    DoesNotFit,
}

impl<'a> Packet<'a> {
    /// Reads a datagram.
    ///
    /// # Errors
    /// [`PacketError::Malformed`].
    pub fn parse(datagram: &'a [u8]) -> Result<Self, PacketError> {
        let reader = RtpReader::new(datagram).map_err(|_| PacketError::Malformed)?;
        // A padding count of zero contradicts the padding bit (it counts itself); older stacks send it, so it reads
        // as no padding.
        Ok(Self {
            header: Header {
                marker: reader.mark(),
                payload_type: reader.payload_type(),
                sequence: reader.sequence_number().into(),
                timestamp: reader.timestamp(),
                ssrc: reader.ssrc(),
            },
            payload: reader.payload(),
        })
    }

    /// Writes the packet into `out`. Returns its length: [`HEADER_LEN`] and the payload's.
    ///
    /// # Errors
    /// [`PacketError::DoesNotFit`].
    pub fn write(&self, out: &mut [u8]) -> Result<usize, PacketError> {
        RtpPacketBuilder::new()
            .payload_type(self.header.payload_type)
            .marked(self.header.marker)
            .sequence(self.header.sequence.into())
            .timestamp(self.header.timestamp)
            .ssrc(self.header.ssrc)
            .payload(self.payload)
            .build_into(out)
            .map_err(|_| PacketError::DoesNotFit)
    }
}

impl Header {
    /// Writes the header alone, for a payload that the caller encodes in place behind it.
    #[must_use]
    pub fn to_bytes(&self) -> [u8; HEADER_LEN] {
        let mut bytes = [0; HEADER_LEN];
        bytes[0] = 2 << 6;
        bytes[1] = (u8::from(self.marker) << 7) | (self.payload_type & 0x7F);
        bytes[2..4].copy_from_slice(&self.sequence.to_be_bytes());
        bytes[4..8].copy_from_slice(&self.timestamp.to_be_bytes());
        bytes[8..12].copy_from_slice(&self.ssrc.to_be_bytes());
        bytes
    }
}

/// Whether a datagram on a port shared by RTP and RTCP is RTCP (RFC 5761 section 4).
#[must_use]
pub fn is_rtcp(datagram: &[u8]) -> bool {
    matches!(datagram, [first, 192..=223, ..] if first >> 6 == 2)
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEADER: Header =
        Header { marker: true, payload_type: 101, sequence: 0xFFFE, timestamp: 0xDEAD_BEEF, ssrc: 0x1234_5678 };

    #[test]
    fn what_is_written_is_read_back() {
        let packet = Packet { header: HEADER, payload: &[1, 2, 3] };
        let mut bytes = [0; 64];
        let len = packet.write(&mut bytes).unwrap();
        assert_eq!(len, HEADER_LEN + 3);
        assert_eq!(bytes[..HEADER_LEN], HEADER.to_bytes());
        assert_eq!(Packet::parse(&bytes[..len]).unwrap(), packet);
        assert_eq!(packet.write(&mut [0; 14]), Err(PacketError::DoesNotFit));
        let unfit = Packet { header: Header { payload_type: 128, ..HEADER }, payload: &[] };
        assert_eq!(unfit.write(&mut bytes), Err(PacketError::DoesNotFit));
    }

    #[test]
    fn sources_extension_and_padding_are_no_payload() {
        let mut bytes = vec![0x80 | 0x20 | 0x10 | 2, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3];
        bytes.extend([9; 8]); // two CSRC
        bytes.extend([0xBE, 0xDE, 0, 1, 7, 7, 7, 7]); // one word of extension
        bytes.extend([0x55, 0x66, 0, 0, 3]); // payload, padding
        let packet = Packet::parse(&bytes).unwrap();
        assert_eq!(packet.payload, [0x55, 0x66]);
        assert_eq!(packet.header.ssrc, 3);
    }

    #[test]
    fn broken_packets_are_refused() {
        let whole = [0x80, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3];
        assert!(Packet::parse(&whole).is_ok());
        for broken in [
            &whole[..11],
            &[0x40, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3],             // version 1
            &[0x81, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3],             // CSRC missing
            &[0x90, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3],             // extension missing
            &[0x90, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 1, 0], // extension too long
            &[0xA0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3],             // padding bit, no octet
            &[0xA0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3, 2],          // more padding than there is
        ] {
            assert_eq!(Packet::parse(broken), Err(PacketError::Malformed), "{broken:?}");
        }
    }

    #[test]
    fn rtcp_is_told_apart_by_its_packet_type() {
        assert!(is_rtcp(&[0x81, 200, 0, 0]));
        assert!(is_rtcp(&[0x81, 205, 0, 0]));
        assert!(!is_rtcp(&[0x80, 0x80 | 8, 0, 0]));
        assert!(!is_rtcp(&[0x80, 101]));
        assert!(!is_rtcp(&[0x80]));
        assert!(!is_rtcp(&[]));
    }

    proptest::proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes in proptest::collection::vec(proptest::num::u8::ANY, 0..200)) {
            let _ = is_rtcp(&bytes);
            if let Ok(packet) = Packet::parse(&bytes) {
                proptest::prop_assert!(packet.payload.len() + HEADER_LEN <= bytes.len());
            }
        }
    }
}
