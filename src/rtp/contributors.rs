//! Who is heard in a mix: the CSRC list (RFC 3550 section 5.1), and how loud each is (RFC 6465).

use super::packet::{HEADER_LEN, Header};

/// The CSRC list holds no more.
pub const MOST_CONTRIBUTORS: usize = 15;

/// Octets of the longest header: the list, and an extension with a level for each, padded.
const LONGEST_HEADER: usize = HEADER_LEN + 4 * MOST_CONTRIBUTORS + 4 + 16;

/// The profile of an extension whose elements have heads of one octet (RFC 8285 section 4.2).
const ONE_BYTE: [u8; 2] = [0xBE, 0xDE];

/// Somebody who is heard in a mix.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Contributor {
    /// Under which number.
    pub source: u32,
    /// Decibels below overload, 0 to 127.
    pub below_overload: u8,
}

/// Those who are heard in a packet: no more than [`MOST_CONTRIBUTORS`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Contributors {
    list: [Contributor; MOST_CONTRIBUTORS],
    count: usize,
}

impl Contributors {
    /// Nobody is heard.
    pub const fn clear(&mut self) {
        self.count = 0;
    }

    /// Somebody more is heard. Where the list is full, nothing is changed.
    pub fn push(&mut self, contributor: Contributor) {
        if let Some(place) = self.list.get_mut(self.count) {
            *place = contributor;
            self.count += 1;
        }
    }

    /// Those who are heard.
    #[must_use]
    pub fn as_slice(&self) -> &[Contributor] {
        self.list.get(..self.count).unwrap_or_default()
    }
}

/// A header with its CSRC list.
#[derive(Debug, Clone, Copy)]
pub struct MixedHeader {
    bytes: [u8; LONGEST_HEADER],
    length: usize,
}

impl MixedHeader {
    /// `header` with those who are heard, and their levels in the header extension `levels`, 1 to 14, where that was
    /// negotiated.
    #[must_use]
    pub fn new(header: [u8; HEADER_LEN], contributors: &Contributors, levels: Option<u8>) -> Self {
        let mut mixed = Self { bytes: [0; LONGEST_HEADER], length: 0 };
        mixed.put(&header);
        let list = contributors.as_slice();
        let count = u8::try_from(list.len()).expect("at most 15");
        mixed.bytes[0] |= count;
        for contributor in list {
            mixed.put(&contributor.source.to_be_bytes());
        }
        if let Some(id) = levels.filter(|_| count > 0) {
            mixed.bytes[0] |= 0x10;
            mixed.put(&ONE_BYTE);
            mixed.put(&(1 + u16::from(count)).div_ceil(4).to_be_bytes());
            mixed.put(&[id << 4 | (count - 1)]);
            for contributor in list {
                mixed.put(&[contributor.below_overload & 0x7F]);
            }
            mixed.length = mixed.length.next_multiple_of(4);
        }
        mixed
    }

    fn put(&mut self, octets: &[u8]) {
        self.bytes[self.length..self.length + octets.len()].copy_from_slice(octets);
        self.length += octets.len();
    }

    /// As it is sent.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes[..self.length]
    }
}

impl Header {
    /// The CSRC list of an RTP datagram.
    #[must_use]
    pub fn contributing_sources(datagram: &[u8]) -> Vec<u32> {
        let count = datagram.first().map_or(0, |first| usize::from(first & 0x0F));
        let list = datagram.get(HEADER_LEN..HEADER_LEN + 4 * count).unwrap_or_default();
        list.as_chunks().0.iter().map(|octets| u32::from_be_bytes(*octets)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rtp::Packet;

    fn header() -> Header {
        Header { marker: true, payload_type: 111, sequence: 7, timestamp: 960, ssrc: 0xAABB_CCDD }
    }

    fn heard(count: u8) -> Contributors {
        let mut contributors = Contributors::default();
        for n in 0..count {
            contributors.push(Contributor { source: 0x0100_0000 + u32::from(n), below_overload: 30 + n });
        }
        contributors
    }

    fn sent(contributors: &Contributors, levels: Option<u8>) -> Vec<u8> {
        let mixed = MixedHeader::new(header().to_bytes(), contributors, levels);
        [mixed.as_bytes(), b"sound"].concat()
    }

    #[test]
    fn a_packet_names_those_who_are_heard_and_its_sound_stays_what_it_was() {
        for (count, levels) in
            [(0, None), (0, Some(3)), (1, None), (1, Some(3)), (4, Some(14)), (15, None), (15, Some(1))]
        {
            let bytes = sent(&heard(count), levels);
            let packet = Packet::parse(&bytes).unwrap();
            assert_eq!((packet.header, packet.payload), (header(), &b"sound"[..]), "{count} {levels:?}");
            let sources: Vec<u32> = (0..u32::from(count)).map(|n| 0x0100_0000 + n).collect();
            assert_eq!(Header::contributing_sources(&bytes), sources);
        }
        assert_eq!(sent(&heard(0), Some(3)).len(), HEADER_LEN + 5);
    }

    #[test]
    fn levels_follow_in_the_order_of_the_list() {
        let bytes = sent(&heard(3), Some(5));
        // Two words: the element's head and three levels; nothing to pad.
        assert_eq!(bytes[HEADER_LEN + 12..], [0xBE, 0xDE, 0, 1, 0x52, 30, 31, 32, b's', b'o', b'u', b'n', b'd']);
        let padded = sent(&heard(1), Some(5));
        assert_eq!(padded[HEADER_LEN + 4..HEADER_LEN + 12], [0xBE, 0xDE, 0, 1, 0x50, 30, 0, 0]);
    }

    #[test]
    fn no_more_are_named_than_the_list_can_hold() {
        assert_eq!(heard(40).as_slice().len(), MOST_CONTRIBUTORS);
        assert_eq!(heard(40).as_slice().last().unwrap().below_overload, 44);
    }
}
