//! Frames of a stream: two octets of length, then a datagram (RFC 4571).

/// The longest frame that is taken: no datagram of a leg is longer.
pub(super) const LONGEST: usize = 2_048;
/// Octets before each.
const HEAD: usize = 2;
/// Octets that are read at once.
const ROOM: usize = 2 * (HEAD + LONGEST);

/// A frame that is too long: what follows it can be found by nobody.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a frame of {0} octets")]
pub(super) struct TooLong(usize);

/// What has come of a stream and is not taken yet.
pub(super) struct Frames {
    buffer: Box<[u8; ROOM]>,
    taken: usize,
    filled: usize,
}

impl Frames {
    pub(super) fn new() -> Self {
        Self { buffer: Box::new([0; ROOM]), taken: 0, filled: 0 }
    }

    /// Where more is to be read into: never empty once [`Frames::next`] had no more.
    pub(super) fn room(&mut self) -> &mut [u8] {
        self.buffer.copy_within(self.taken..self.filled, 0);
        self.filled -= self.taken;
        self.taken = 0;
        self.buffer.get_mut(self.filled..).unwrap_or_default()
    }

    /// So many octets were read.
    pub(super) fn add(&mut self, octets: usize) {
        self.filled = (self.filled + octets).min(ROOM);
    }

    /// The next whole frame.
    pub(super) fn next(&mut self) -> Result<Option<&[u8]>, TooLong> {
        let waiting = self.buffer.get(self.taken..self.filled).unwrap_or_default();
        let Some((head, rest)) = waiting.split_first_chunk::<HEAD>() else { return Ok(None) };
        let length = usize::from(u16::from_be_bytes(*head));
        if length > LONGEST {
            return Err(TooLong(length));
        }
        let frame = rest.get(..length);
        if frame.is_some() {
            self.taken += HEAD + length;
        }
        Ok(frame)
    }
}

/// A frame that is being made: a datagram is received behind its head.
pub(super) struct Frame(Box<[u8; HEAD + LONGEST]>);

impl Frame {
    pub(super) fn new() -> Self {
        Self(Box::new([0; HEAD + LONGEST]))
    }

    /// Where the datagram goes.
    pub(super) fn room(&mut self) -> &mut [u8] {
        &mut self.0[HEAD..]
    }

    /// The frame of a datagram of that length.
    pub(super) fn of(&mut self, length: usize) -> &[u8] {
        let length = length.min(LONGEST);
        // It is no longer than 2,048.
        self.0[..HEAD].copy_from_slice(&u16::try_from(length).unwrap_or_default().to_be_bytes());
        &self.0[..HEAD + length]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What comes out of a stream that arrives in pieces of `piece` octets.
    fn read(stream: &[u8], piece: usize) -> Result<Vec<Vec<u8>>, TooLong> {
        let (mut frames, mut found) = (Frames::new(), Vec::new());
        for piece in stream.chunks(piece) {
            let mut left = piece;
            while !left.is_empty() {
                let room = frames.room();
                let count = left.len().min(room.len());
                assert!(count > 0, "a full buffer that gives no frame");
                room[..count].copy_from_slice(&left[..count]);
                left = &left[count..];
                frames.add(count);
                while let Some(frame) = frames.next()? {
                    found.push(frame.to_vec());
                }
            }
        }
        Ok(found)
    }

    #[test]
    fn frames_are_found_however_the_stream_is_cut() {
        let datagrams: Vec<Vec<u8>> = [1, 0, 200, LONGEST, 3, LONGEST, 1].map(|length| vec![7; length]).to_vec();
        let mut stream = Vec::new();
        for datagram in &datagrams {
            let mut frame = Frame::new();
            frame.room()[..datagram.len()].copy_from_slice(datagram);
            stream.extend_from_slice(frame.of(datagram.len()));
        }
        for piece in [1, 2, 3, 7, 100, 2_049, 10_000] {
            assert_eq!(read(&stream, piece).as_ref(), Ok(&datagrams), "pieces of {piece}");
        }
    }

    #[test]
    fn a_frame_that_is_too_long_is_told_by_its_head_alone() {
        assert_eq!(read(&[0x08, 0x01], 1), Err(TooLong(2_049)));
        assert_eq!(read(b"GET / HTTP/1.1\r\n", 16), Err(TooLong(0x4745)));
        assert_eq!(read(&[0x16, 0x03, 0x01, 0x02], 4), Err(TooLong(0x1603)), "a handshake of TLS");
    }

    #[test]
    fn a_frame_that_is_not_whole_waits() {
        assert_eq!(read(&[0], 1), Ok(vec![]));
        assert_eq!(read(&[0, 5, 1, 2, 3, 4], 6), Ok(vec![]));
    }
}
