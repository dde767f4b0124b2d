//! How loud a packet is, as its sender tells in a header extension (RFC 6464, RFC 8285).

use super::packet::HEADER_LEN;

/// The profiles of the two forms that elements have (RFC 8285 sections 4.2 and 4.3); the last four bits of the second
/// are the application's.
const ONE_BYTE: u16 = 0xBEDE;
const TWO_BYTE: u16 = 0x1000;

/// What a sender tells of a packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AudioLevel {
    /// It takes the packet for speech. Senders that do not tell speech from noise may say anything here.
    pub is_voice: bool,
    /// Decibels below overload, 0 to 127: 127 is digital silence.
    pub below_overload: u8,
}

impl AudioLevel {
    /// The level in the header of an RTP datagram, in the extension of the identifier `id`; `None` where it has none
    /// that can be read.
    #[must_use]
    pub fn of(datagram: &[u8], id: u8) -> Option<Self> {
        let octet = *element(datagram, id)?.first()?;
        Some(Self { is_voice: octet & 0x80 != 0, below_overload: octet & 0x7F })
    }
}

/// The content of the header extension `id`.
fn element(datagram: &[u8], id: u8) -> Option<&[u8]> {
    let first = *datagram.first()?;
    if first & 0x10 == 0 {
        return None;
    }
    let (_, extension) = datagram.split_at_checked(HEADER_LEN + 4 * usize::from(first & 0x0F))?;
    let (&[p0, p1, l0, l1], rest) = extension.split_first_chunk()?;
    let elements = rest.get(..4 * usize::from(u16::from_be_bytes([l0, l1])))?;
    match u16::from_be_bytes([p0, p1]) {
        ONE_BYTE => one_byte(elements, id),
        profile if profile & 0xFFF0 == TWO_BYTE => two_byte(elements, id),
        _ => None,
    }
}

fn one_byte(mut elements: &[u8], id: u8) -> Option<&[u8]> {
    while let Some((&head, rest)) = elements.split_first() {
        if head == 0 {
            elements = rest;
            continue;
        }
        let found = head >> 4;
        // Neither has a meaning; what follows is not read (section 4.2).
        if found == 0 || found == 15 {
            return None;
        }
        let (content, rest) = rest.split_at_checked(usize::from(head & 0x0F) + 1)?;
        if found == id {
            return Some(content);
        }
        elements = rest;
    }
    None
}

fn two_byte(mut elements: &[u8], id: u8) -> Option<&[u8]> {
    while let Some((&found, rest)) = elements.split_first() {
        if found == 0 {
            elements = rest;
            continue;
        }
        let (&length, rest) = rest.split_first()?;
        let (content, rest) = rest.split_at_checked(usize::from(length))?;
        if found == id {
            return Some(content);
        }
        elements = rest;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A datagram with two sources, an extension of whole words and a payload.
    fn datagram(profile: u16, elements: &[u8]) -> Vec<u8> {
        let mut bytes = vec![0x92, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3, 1, 1, 1, 1, 2, 2, 2, 2];
        bytes.extend(profile.to_be_bytes());
        bytes.extend(u16::try_from(elements.len() / 4).unwrap().to_be_bytes());
        bytes.extend(elements);
        bytes.extend([0x11, 0x7F]);
        bytes
    }

    fn level(is_voice: bool, below_overload: u8) -> Option<AudioLevel> {
        Some(AudioLevel { is_voice, below_overload })
    }

    #[test]
    fn the_level_is_found_among_other_elements_in_both_forms() {
        let bytes = datagram(ONE_BYTE, &[0x32, 9, 9, 9, 0, 0, 0x10, 0x80 | 42]);
        assert_eq!(AudioLevel::of(&bytes, 1), level(true, 42));
        assert_eq!(AudioLevel::of(&bytes, 2), None);
        let bytes = datagram(0x1005, &[3, 2, 9, 9, 4, 0, 0, 1, 1, 127, 0, 0]);
        assert_eq!(AudioLevel::of(&bytes, 1), level(false, 127));
        assert_eq!(AudioLevel::of(&bytes, 4), None, "it is empty");
    }

    #[test]
    fn what_cannot_be_read_tells_nothing() {
        let none = [0x80, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3, 0x10, 42];
        assert_eq!(AudioLevel::of(&none, 1), None);
        for (profile, elements) in [
            (0xABCD, &[0x10, 42, 0, 0]),
            (ONE_BYTE, &[0xF0, 1, 0x10, 42]),
            (ONE_BYTE, &[0x03, 1, 0x10, 42]),
            (ONE_BYTE, &[0x2F, 1, 0x10, 42]),
            (TWO_BYTE, &[2, 7, 1, 1]),
            (TWO_BYTE, &[0, 0, 0, 1]),
        ] {
            assert_eq!(AudioLevel::of(&datagram(profile, elements), 1), None, "{profile:x} {elements:x?}");
        }
        let mut long = datagram(ONE_BYTE, &[0x10, 42, 0, 0]);
        long[23] = 200;
        assert_eq!(AudioLevel::of(&long, 1), None);
    }

    proptest::proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes in proptest::collection::vec(proptest::num::u8::ANY, 0..80), id in 0u8..16) {
            let _ = AudioLevel::of(&bytes, id);
        }

        #[test]
        fn no_elements_make_it_panic(
            elements in proptest::collection::vec(proptest::num::u8::ANY, 0..40),
            is_long in proptest::bool::ANY,
            id in 1u8..15,
        ) {
            let _ = AudioLevel::of(&datagram(if is_long { TWO_BYTE } else { ONE_BYTE }, &elements), id);
        }
    }
}
