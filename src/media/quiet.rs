//! What listeners of stateful codecs hear in place of dead silence: one stream for all of a format.

use super::stream::{Format, Stream, Streams};
use crate::audio::LONGEST_FRAME;
use crate::audio::comfort_noise::{ComfortNoise, FAINT_DBFS};

/// Comfort noise, encoded.
#[derive(Debug)]
pub(crate) struct Quiet {
    noise: ComfortNoise,
    frame: Box<[i16; LONGEST_FRAME]>,
    streams: Streams,
}

impl Quiet {
    pub(crate) fn new() -> Self {
        Self {
            noise: ComfortNoise::new(0x5eed, FAINT_DBFS),
            frame: Box::new([0; LONGEST_FRAME]),
            streams: Streams::default(),
        }
    }

    /// Somebody may hear silence in `format`. Allocates.
    pub(crate) fn prepare(&mut self, format: Format) {
        self.streams.add(format);
    }

    pub(crate) fn streams(&self) -> &Streams {
        &self.streams
    }

    /// The noise of a round of 20 ms.
    pub(crate) fn encoded(&mut self, format: Format, round: u64) -> Option<&mut Stream> {
        let stream = self.streams.get_mut(format)?;
        if !stream.was_fed_in(round) {
            let frame = &mut self.frame[..format.rate().frame()];
            self.noise.fill(frame);
            stream.put(round, frame);
        }
        Some(stream)
    }
}
