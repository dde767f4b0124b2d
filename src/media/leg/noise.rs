//! What the pauses of a sender sound like, where it describes them (RFC 3389).

use crate::audio::codec::comfort_noise::Decoder;
use crate::audio::{FRAME_8K, Rate};
use crate::types::SampleRate;
use smallvec::SmallVec;

/// The clock of its packets, and the rate at which noise is described, Hz.
pub(super) const NOISE_CLOCK: u32 = SampleRate::HZ_8000.0;

/// The noise of one sender.
#[derive(Debug)]
pub(super) struct Noise {
    payload_types: SmallVec<[u8; 2]>,
    decoder: Decoder,
    /// The place of the packet that described it last, while no sound has followed.
    since: Option<i64>,
    /// The last sample, for a rate above that of the description.
    last: i16,
}

impl Noise {
    /// Noise that comes under `payload_types` with their clocks; `None` where no clock is ours. Equal seeds make equal
    /// noise.
    pub(super) fn new(payload_types: &[(u8, u32)], seed: u32) -> Option<Self> {
        let mut noise = Self {
            payload_types: SmallVec::new(),
            decoder: Decoder::new(SampleRate::HZ_8000, seed),
            since: None,
            last: 0,
        };
        noise.set_payload_types(payload_types).then_some(noise)
    }

    /// What was negotiated anew. Says whether there is any.
    pub(super) fn set_payload_types(&mut self, payload_types: &[(u8, u32)]) -> bool {
        let ours = payload_types.iter().filter(|(_, clock)| *clock == NOISE_CLOCK);
        self.payload_types = ours.map(|(payload_type, _)| *payload_type).collect();
        !self.payload_types.is_empty()
    }

    pub(super) fn knows(&self, payload_type: u8) -> bool {
        self.payload_types.contains(&payload_type)
    }

    /// Whether it stands for what is not sent.
    pub(super) const fn is_sounding(&self) -> bool {
        self.since.is_some()
    }

    /// Takes the packet at `place`. One that cannot be read describes nothing.
    pub(super) fn describe(&mut self, place: i64, payload: &[u8]) {
        if self.since.is_some_and(|since| place < since) {
            return;
        }
        if self.since.is_none() {
            self.decoder.end();
        }
        if self.decoder.update(payload).is_ok() {
            self.since = Some(place);
        }
    }

    /// All sound before this place has been played.
    pub(super) fn played(&mut self, place: i64) {
        self.since = self.since.filter(|since| *since >= place);
    }

    /// The sender is another one, or sends something else.
    pub(super) const fn end(&mut self) {
        self.since = None;
    }

    /// Writes noise at `rate`, that of a telephone or twice that.
    pub(super) fn fill(&mut self, rate: Rate, samples: &mut [i16]) {
        match rate {
            Rate::Narrow => self.decoder.fill(samples),
            Rate::Wide => {
                let mut narrow = [0; FRAME_8K];
                for piece in samples.chunks_mut(2 * FRAME_8K) {
                    let narrow = &mut narrow[..piece.len().div_ceil(2)];
                    self.decoder.fill(narrow);
                    for (pair, &next) in piece.chunks_mut(2).zip(narrow.iter()) {
                        let halfway = i16::midpoint(self.last, next);
                        pair.iter_mut().zip([halfway, next]).for_each(|(sample, value)| *sample = value);
                        self.last = next;
                    }
                }
            }
            Rate::Full => samples.fill(0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audio::level;

    #[test]
    fn noise_sounds_from_its_description_until_what_was_sent_after_it_is_played() {
        let mut noise = Noise::new(&[(13, 8_000)], 1).unwrap();
        assert!(noise.knows(13) && !noise.knows(0) && !noise.is_sounding());
        noise.describe(7, &[]);
        assert!(!noise.is_sounding());
        noise.describe(7, &[40]);
        noise.describe(6, &[90]);
        // Sound that was sent before is played only now.
        noise.played(7);
        assert!(noise.is_sounding());
        for (rate, frame) in [(Rate::Narrow, 160), (Rate::Wide, 320)] {
            let mut samples = vec![0; 50 * frame];
            noise.fill(rate, &mut samples);
            // 0 dBFS is 3 dB below overload.
            let level = level::dbfs(&samples);
            assert!((level + 37.0).abs() < 2.0, "{rate:?}: {level} dBFS");
        }
        noise.played(9);
        assert!(!noise.is_sounding());
        assert!(Noise::new(&[(96, 16_000)], 1).is_none());
    }
}
