//! What is passed over in a pause instead of being decoded, so that the decoder can be brought back.

use crate::audio::LONGEST_FRAME;
use crate::audio::codec::Decoder;
use crate::types::AudioCodec;

/// Packets that are kept. What a decoder knows is of the beginning of the pause; by these it comes to what its encoder
/// has come to. That of Opus needs two. What G.722 expects fades by 1/256 a sample: after ten packets nothing is left
/// to hear.
const KEPT: usize = 10;
const KEPT_OPUS: usize = 2;
/// The longest that are passed over: 40 ms of G.722, 60 ms of Opus at 53 kb/s, which a pause never takes.
const LONGEST_PAYLOAD: usize = 400;
const LONGEST_SOUND: usize = 3 * LONGEST_FRAME;

/// The newest packets of a pause.
#[derive(Debug)]
pub(super) struct Passing {
    /// In a ring: payloads, their octets and their samples.
    payloads: [[u8; LONGEST_PAYLOAD]; KEPT],
    lengths: [(usize, usize); KEPT],
    /// Packets passed over since the last one was decoded.
    count: usize,
    /// What is decoded and never heard.
    unheard: [i16; LONGEST_SOUND],
}

impl Default for Passing {
    fn default() -> Self {
        Self { payloads: [[0; LONGEST_PAYLOAD]; KEPT], lengths: [(0, 0); KEPT], count: 0, unheard: [0; LONGEST_SOUND] }
    }
}

impl Passing {
    /// Whether the packets before this moment were passed over.
    pub(super) const fn is_passing(&self) -> bool {
        self.count > 0
    }

    /// Takes a packet of a pause, so many samples. False where it is too long for that: it is to be decoded.
    pub(super) fn keep(&mut self, payload: &[u8], samples: usize) -> bool {
        let at = self.count % KEPT;
        let Some(place) = self.payloads[at].get_mut(..payload.len()).filter(|_| samples <= LONGEST_SOUND) else {
            return false;
        };
        place.copy_from_slice(payload);
        self.lengths[at] = (payload.len(), samples);
        self.count = self.count.saturating_add(1);
        true
    }

    /// Brings the decoder to where its encoder is, before it gets the packet that follows.
    pub(super) fn wake(&mut self, decoder: &mut Decoder) {
        let Self { payloads, lengths, count, unheard } = self;
        let needed = if decoder.codec() == AudioCodec::Opus { KEPT_OPUS } else { KEPT };
        for at in count.saturating_sub(needed)..*count {
            let (octets, samples) = lengths[at % KEPT];
            decoder.decode(&payloads[at % KEPT][..octets], &mut unheard[..samples]);
        }
        *count = 0;
    }

    /// Another stream begins.
    pub(super) const fn end(&mut self) {
        self.count = 0;
    }
}
