//! Sound with copies of what went before it (RFC 2198).

/// Octets of the head of a copy, and of that of the sound itself.
const COPY_HEAD: usize = 4;
const LAST_HEAD: usize = 1;
/// Heads that are read, at most: nobody sends so many.
const MOST_BLOCKS: usize = 16;
/// The longest copy, and the farthest back in timestamp units, that a head can tell.
const LONGEST_COPY: usize = 0x3FF;
const FARTHEST: u32 = 0x3FFF;

/// Octets of the longest head and copy of a payload made by [`put_copy`].
pub const LONGEST_REDUNDANCY: usize = COPY_HEAD + LAST_HEAD + LONGEST_COPY;

/// A block: sound of one packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Block<'a> {
    /// Its payload type.
    pub payload_type: u8,
    /// By how much its timestamp is behind that of the packet.
    pub offset: u32,
    /// Its payload. Copies may be empty, where there was nothing to send.
    pub payload: &'a [u8],
}

/// What a payload holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Blocks<'a> {
    /// The sound of the packet itself.
    pub sound: Block<'a>,
    heads: &'a [u8],
    copies: &'a [u8],
}

impl<'a> Blocks<'a> {
    /// Reads a payload; `None` where it is cut off.
    #[must_use]
    pub fn parse(payload: &'a [u8]) -> Option<Self> {
        let mut rest = payload;
        let mut copied = 0;
        for _ in 0..=MOST_BLOCKS {
            let (&first, behind) = rest.split_first()?;
            if first & 0x80 == 0 {
                let (copies, sound) = behind.split_at_checked(copied)?;
                let sound = Block { payload_type: first, offset: 0, payload: sound };
                let heads = payload.get(..payload.len() - rest.len())?;
                return Some(Self { sound, heads, copies });
            }
            let (head, behind) = rest.split_first_chunk::<COPY_HEAD>()?;
            copied += length(*head);
            rest = behind;
        }
        None
    }

    /// The copies, the newest first: of the packet just before this one, of the one before that, and so on.
    pub fn copies(&self) -> impl Iterator<Item = Block<'a>> {
        let mut copies = self.copies;
        self.heads.as_chunks::<COPY_HEAD>().0.iter().rev().map_while(move |head| {
            let (before, payload) = copies.split_at_checked(copies.len().checked_sub(length(*head))?)?;
            copies = before;
            let offset = u32::from(u16::from_be_bytes([head[1], head[2]]) >> 2);
            Some(Block { payload_type: head[0] & 0x7F, offset, payload })
        })
    }
}

fn length(head: [u8; COPY_HEAD]) -> usize {
    usize::from(u16::from_be_bytes([head[2], head[3]])) & LONGEST_COPY
}

/// Writes into `out`, of [`LONGEST_REDUNDANCY`] octets at least, what goes before a payload of `payload_type`: the
/// heads, and a copy of the payload before it, `offset` timestamp units older, where there is one that can be told of.
/// Returns how many octets.
#[must_use]
pub fn put_copy(payload_type: u8, copy: Option<(u32, &[u8])>, out: &mut [u8]) -> usize {
    let mut end = 0;
    let mut put = |octets: &[u8]| {
        out[end..end + octets.len()].copy_from_slice(octets);
        end += octets.len();
    };
    match copy.filter(|(offset, copy)| *offset <= FARTHEST && copy.len() <= LONGEST_COPY) {
        Some((offset, copy)) => {
            let length = u32::try_from(copy.len()).expect("at most 1,023");
            let [_, head @ ..] = (offset << 10 | length).to_be_bytes();
            put(&[0x80 | payload_type]);
            put(&head);
            put(&[payload_type]);
            put(copy);
        }
        None => put(&[payload_type]),
    }
    end
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(payload: &[u8]) -> Option<(Block<'_>, Vec<Block<'_>>)> {
        Blocks::parse(payload).map(|blocks| (blocks.sound, blocks.copies().collect()))
    }

    fn block(offset: u32, payload: &[u8]) -> Block<'_> {
        Block { payload_type: 111, offset, payload }
    }

    #[test]
    fn what_is_written_is_read_back() {
        let mut out = [0; LONGEST_REDUNDANCY];
        let end = put_copy(111, Some((960, b"before")), &mut out);
        let payload = [&out[..end], b"now"].concat();
        assert_eq!(read(&payload), Some((block(0, b"now"), vec![block(960, b"before")])));
        let end = put_copy(111, None, &mut out);
        assert_eq!(read(&[&out[..end], b"now"].concat()), Some((block(0, b"now"), vec![])));
    }

    #[test]
    fn a_copy_that_no_head_can_tell_of_is_left_out() {
        let mut out = [0; LONGEST_REDUNDANCY];
        assert_eq!(put_copy(111, Some((FARTHEST + 1, b"before")), &mut out), 1);
        assert_eq!(put_copy(111, Some((960, &[0; LONGEST_COPY + 1])), &mut out), 1);
        assert_eq!(put_copy(111, Some((FARTHEST, &[7; LONGEST_COPY])), &mut out), LONGEST_REDUNDANCY);
        assert_eq!(read(&out).unwrap().1, [block(FARTHEST, &[7; LONGEST_COPY])]);
    }

    #[test]
    fn several_copies_come_newest_first() {
        // 1,920 and 960 units back, of 3 and 0 octets.
        let payload = [&[0xEF, 0x1E, 0x00, 0x03, 0xEF, 0x0F, 0x00, 0x00, 0x6F][..], b"oldnow"].concat();
        assert_eq!(read(&payload), Some((block(0, b"now"), vec![block(960, b""), block(1_920, b"old")])));
    }

    #[test]
    fn what_is_cut_off_is_none() {
        for cut in [&[][..], &[0xEF], &[0xEF, 0x0F, 0], &[0xEF, 0x0F, 0, 4], &[0xEF, 0x0F, 0, 4, 0x6F, 1, 2, 3]] {
            assert_eq!(read(cut), None, "{cut:?}");
        }
        assert_eq!(read(&[0xEF; 4 * 40]), None, "heads without end");
        assert_eq!(read(&[0x6F]), Some((block(0, b""), vec![])));
    }

    proptest::proptest! {
        #[test]
        fn no_octets_make_it_panic(payload in proptest::collection::vec(proptest::num::u8::ANY, 0..100)) {
            if let Some((sound, copies)) = read(&payload) {
                let copied: usize = copies.iter().map(|copy| copy.payload.len()).sum();
                proptest::prop_assert_eq!(copied + sound.payload.len() + 4 * copies.len() + 1, payload.len());
            }
        }
    }
}
