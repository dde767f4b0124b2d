//! A telephone's frame and its encodings, each made once. (Encodings with state are in `stream.rs`.)

use crate::audio::codec::g711::Law;
use crate::audio::comfort_noise::{ComfortNoise, FAINT_DBFS};
use crate::audio::{FRAME_8K, Frame, SILENCE};

/// The encodings of one frame, made when first asked for.
#[derive(Debug, Default)]
pub(crate) struct Encoded {
    pcmu: Slot,
    pcma: Slot,
}

#[derive(Debug)]
struct Slot {
    made: bool,
    payload: [u8; FRAME_8K],
}

impl Default for Slot {
    fn default() -> Self {
        Self { made: false, payload: [0; FRAME_8K] }
    }
}

impl Encoded {
    /// Forgets everything: another frame follows.
    pub(crate) fn clear(&mut self) {
        self.pcmu.made = false;
        self.pcma.made = false;
    }

    pub(crate) fn get(&mut self, law: Law, frame: &Frame) -> &[u8; FRAME_8K] {
        let slot = match law {
            Law::Mu => &mut self.pcmu,
            Law::A => &mut self.pcma,
        };
        if !slot.made {
            law.encode(frame, &mut slot.payload);
            slot.made = true;
        }
        &slot.payload
    }
}

/// One second of comfort noise in both laws: what telephones hear in place of dead silence.
#[derive(Debug)]
pub(crate) struct Noise {
    frames: Vec<(Frame, Encoded)>,
}

impl Noise {
    const FRAMES: u64 = 50;

    pub(crate) fn new() -> Self {
        let mut noise = ComfortNoise::new(0x5eed, FAINT_DBFS);
        let frames = (0..Self::FRAMES)
            .map(|_| {
                let mut frame = SILENCE;
                noise.fill(&mut frame);
                (frame, Encoded::default())
            })
            .collect();
        Self { frames }
    }

    /// The frame of this tick.
    pub(crate) fn frame(&self, tick: u64) -> &Frame {
        let at = usize::try_from(tick % Self::FRAMES).unwrap_or(0);
        &self.frames[at].0
    }

    /// The noise of this tick.
    pub(crate) fn encoded(&mut self, law: Law, tick: u64) -> &[u8; FRAME_8K] {
        let at = usize::try_from(tick % Self::FRAMES).unwrap_or(0);
        let (frame, encoded) = &mut self.frames[at];
        encoded.get(law, frame)
    }
}
