use bytes::{Buf, Bytes, BytesMut};

use super::{
    HeaderName, MAX_HEADER_BYTES, MAX_MESSAGE_BYTES, charset,
    parse::{split_header, take_line},
};

/// What a stream carried.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Frame {
    /// One message, for [`Message::parse`](super::Message::parse).
    Message(Bytes),
    /// A double CRLF between messages: to be answered with one CRLF (RFC 5626 section 3.5.1).
    Ping,
    /// A single CRLF between messages: the answer to our ping, or nothing of note.
    Pong,
}

/// Why a stream can no longer be cut into messages. It must be closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FramingError {
    /// A message or its headers are larger than allowed.
    #[error("message in the stream too large")]
    TooLarge,
    /// Content-Length is malformed, or missing where there is a body.
    #[error("message in the stream without a usable Content-Length")]
    ContentLength,
}

/// Cuts a byte stream into messages by Content-Length (RFC 3261 section 18.3).
///
/// [`push`](Self::push) what was read, then take frames as an iterator until there is none. It holds at most one
/// incomplete message besides what was pushed last. After an error there are no more frames.
#[derive(Debug, Default)]
pub struct StreamFramer {
    buffer: BytesMut,
    /// How much of `buffer` is known not to end a head.
    searched: usize,
    /// The length of the message at the front, once its head is complete.
    length: Option<usize>,
    /// Whether the last thing given out was a lone CRLF, which with another one right behind is a ping cut in two.
    half_ping: bool,
    /// Why nothing more will come, once it is to be told.
    ending: Option<FramingError>,
    failed: bool,
}

impl StreamFramer {
    /// A framer at the beginning of a stream.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds what was read from the stream.
    pub fn push(&mut self, bytes: &[u8]) {
        if !self.failed {
            self.buffer.extend_from_slice(bytes);
        }
    }

    /// How many bytes wait for more.
    pub fn pending(&self) -> usize {
        self.buffer.len()
    }

    /// Gives back the memory that messages took, if nothing waits.
    pub fn relax(&mut self) {
        if self.buffer.is_empty() {
            self.buffer = BytesMut::new();
        }
    }

    fn keep_alive(&mut self) -> Option<Frame> {
        let (length, frame) = match &self.buffer[..] {
            [b'\r', b'\n', b'\r', b'\n', ..] if !self.half_ping => (4, Frame::Ping),
            [b'\r', b'\n', ..] if self.half_ping => (2, Frame::Ping),
            [b'\r', b'\n', ..] => (2, Frame::Pong),
            _ => return None,
        };
        self.half_ping = frame == Frame::Pong;
        self.buffer.advance(length);
        Some(frame)
    }

    /// The length of the head at the front of the buffer, its empty line included.
    fn head_length(&mut self) -> Option<usize> {
        while let Some(found) = memchr::memchr(b'\n', self.buffer.get(self.searched..)?) {
            let behind = self.searched + found + 1;
            match self.buffer.get(behind..)? {
                [b'\n', ..] => return Some(behind + 1),
                [b'\r', b'\n', ..] => return Some(behind + 2),
                // Too little to tell: look at this line end again when there is more.
                [] | [b'\r'] => {
                    self.searched = behind - 1;
                    return None;
                }
                _ => self.searched = behind,
            }
        }
        self.searched = self.buffer.len();
        None
    }

    /// The head of a response after which the stream cannot be cut any more. It comes out before the error does, since
    /// a 2xx to an INVITE began a call all the same; a request is better sent again than taken for one without a body.
    fn last_head(&mut self, error: FramingError) -> Option<Bytes> {
        let head = self.head_length()?;
        let is_response = self.buffer.get(..4).is_some_and(|start| start.eq_ignore_ascii_case(b"SIP/"));
        if !is_response || head > MAX_HEADER_BYTES {
            return None;
        }
        self.ending = Some(error);
        Some(self.buffer.split_to(head).freeze())
    }

    fn message(&mut self) -> Result<Option<Bytes>, FramingError> {
        if let Some(error) = self.ending {
            return Err(error);
        }
        if self.length.is_none() {
            let Some(head) = self.head_length() else {
                let too_large = self.buffer.len() > MAX_HEADER_BYTES;
                return if too_large { Err(FramingError::TooLarge) } else { Ok(None) };
            };
            if head > MAX_HEADER_BYTES {
                return Err(FramingError::TooLarge);
            }
            let body = body_length(self.buffer.get(..head).unwrap_or_default())?;
            let length = head.checked_add(body).filter(|length| *length <= MAX_MESSAGE_BYTES);
            self.length = Some(length.ok_or(FramingError::TooLarge)?);
        }
        match self.length {
            Some(length) if length <= self.buffer.len() => {
                self.length = None;
                self.searched = 0;
                Ok(Some(self.buffer.split_to(length).freeze()))
            }
            _ => Ok(None),
        }
    }
}

impl Iterator for StreamFramer {
    type Item = Result<Frame, FramingError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.failed {
            return None;
        }
        if self.length.is_none() && self.searched == 0 && self.ending.is_none() {
            while self.buffer.first() == Some(&b'\n') {
                self.buffer.advance(1);
            }
            if let Some(frame) = self.keep_alive() {
                return Some(Ok(frame));
            }
            if matches!(&self.buffer[..], [] | [b'\r']) {
                return None;
            }
            self.half_ping = false;
        }
        match self.message() {
            Ok(message) => message.map(|bytes| Ok(Frame::Message(bytes))),
            Err(error) => {
                if self.ending.is_none()
                    && let Some(head) = self.last_head(error)
                {
                    return Some(Ok(Frame::Message(head)));
                }
                self.failed = true;
                self.buffer = BytesMut::new();
                Some(Err(error))
            }
        }
    }
}

/// What Content-Length says. It may be missing where no Content-Type announces a body either.
fn body_length(head: &[u8]) -> Result<usize, FramingError> {
    let mut length = None;
    let mut has_type = false;
    let mut rest = take_line(head, false).rest;
    while !rest.is_empty() {
        let line = take_line(rest, true);
        rest = line.rest;
        match split_header(line.text) {
            Some((HeaderName::ContentLength, value)) => {
                let value = charset::number(value, u32::MAX.into()).ok_or(FramingError::ContentLength)?;
                if length.is_some_and(|before| before != value) {
                    return Err(FramingError::ContentLength);
                }
                length = Some(value);
            }
            Some((HeaderName::ContentType, _)) => has_type = true,
            _ => {}
        }
    }
    match length {
        Some(length) => usize::try_from(length).map_err(|_| FramingError::TooLarge),
        None if has_type => Err(FramingError::ContentLength),
        None => Ok(0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIRST: &[u8] = b"OPTIONS sip:a@h SIP/2.0\r\nl:\r\n 4\r\n\r\nbody";
    const SECOND: &[u8] = b"BYE sip:a@h SIP/2.0\nContent-Length: 0\n\n";

    fn message(bytes: &'static [u8]) -> Result<Frame, FramingError> {
        Ok(Frame::Message(Bytes::from_static(bytes)))
    }

    #[test]
    fn messages_come_out_whole_however_the_stream_is_cut() {
        let stream = [FIRST, b"\r\n\r\n", SECOND, b"\r\n", FIRST].concat();
        let expected = [message(FIRST), Ok(Frame::Ping), message(SECOND), Ok(Frame::Pong), message(FIRST)];
        for size in 1..=stream.len() {
            let mut framer = StreamFramer::new();
            let mut frames = Vec::new();
            for chunk in stream.chunks(size) {
                framer.push(chunk);
                frames.extend(framer.by_ref());
            }
            // A ping that was cut in two shows its first half as a pong.
            if frames.len() == 6 {
                assert_eq!(frames.remove(1), Ok(Frame::Pong));
            }
            assert_eq!(frames, expected, "in pieces of {size}");
            assert_eq!(framer.pending(), 0);
        }
    }

    #[test]
    fn a_stream_that_cannot_be_cut_ends() {
        let endless = [b"A sip:b SIP/2.0\r\n".to_vec(), b"X: y\r\n".repeat(MAX_HEADER_BYTES / 6 + 1)].concat();
        for (bytes, error) in [
            (&b"A sip:b SIP/2.0\r\nl: 65536\r\n\r\n"[..], FramingError::TooLarge),
            (b"A sip:b SIP/2.0\r\nl: -1\r\n\r\n", FramingError::ContentLength),
            (b"A sip:b SIP/2.0\r\nl: 1\r\nl: 2\r\n\r\n", FramingError::ContentLength),
            (b"A sip:b SIP/2.0\r\nc: application/sdp\r\n\r\nv=0", FramingError::ContentLength),
            (&endless, FramingError::TooLarge),
        ] {
            let mut framer = StreamFramer::new();
            framer.push(bytes);
            assert_eq!(framer.next(), Some(Err(error)));
            framer.push(FIRST);
            assert_eq!((framer.next(), framer.pending()), (None, 0));
        }
    }

    #[test]
    fn a_response_without_a_usable_content_length_comes_out_before_the_stream_ends() {
        for length in ["l: x\r\n", "l: 70000\r\n", "c: application/sdp\r\n"] {
            let head = format!("SIP/2.0 200 OK\r\n{length}\r\n");
            for size in [1, 7, 1_000] {
                let mut framer = StreamFramer::new();
                let mut frames = Vec::new();
                for chunk in [head.as_bytes(), b"v=0\r\n\r\nSIP/2.0 200 OK\r\n\r\n"].concat().chunks(size) {
                    framer.push(chunk);
                    frames.extend(framer.by_ref());
                }
                assert_eq!(frames.len(), 2, "{length}");
                assert_eq!(frames[0], Ok(Frame::Message(head.clone().into())));
                assert!(frames[1].is_err());
            }
        }
    }

    #[test]
    fn a_message_without_body_needs_no_content_length() {
        let mut framer = StreamFramer::new();
        framer.push(b"A sip:b SIP/2.0\r\n\r\n");
        assert_eq!(framer.next(), Some(message(b"A sip:b SIP/2.0\r\n\r\n")));
    }
}
