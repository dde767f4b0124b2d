//! A sink that keeps what it hears, in a ring whose other end somebody else empties.

use super::command::RecorderSink;
use super::hearing::Hearing;
use super::phase::Beat;
use super::slots::Ticking;
use crate::audio::Rate;
use crate::types::PlayerId;

/// A recorder.
pub(crate) struct Recorder {
    pub(crate) hearing: Hearing,
    pub(crate) rate: Rate,
    /// Whose sound it does not hear in a room.
    pub(crate) less: Option<PlayerId>,
    /// Of a leg it hears what that hears.
    pub(crate) ear: bool,
    /// The first beat it has not recorded yet.
    pub(crate) next_tick: Beat,
    ring: Option<rtrb::Producer<i16>>,
}

impl std::fmt::Debug for Recorder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Recorder").field("hearing", &self.hearing).finish_non_exhaustive()
    }
}

impl Ticking for Recorder {
    fn next_tick(&mut self) -> &mut Beat {
        &mut self.next_tick
    }
}

impl Recorder {
    /// Takes the ring out of `sink`. The lock is held by nobody else for longer than it takes to put the ring in.
    pub(crate) fn new(sink: &RecorderSink, rate: Rate, (less, ear): (Option<PlayerId>, bool), tick: Beat) -> Self {
        let ring = sink.0.lock().ok().and_then(|mut ring| ring.take());
        Self { hearing: Hearing::default(), rate, less, ear, next_tick: tick, ring }
    }

    /// Keeps a frame of its rate; when the ring is full the whole frame is lost, so that what is kept stays whole.
    pub(crate) fn record(&mut self, frame: &[i16]) {
        if let Some(ring) = &mut self.ring
            && let Ok(chunk) = ring.write_chunk_uninit(frame.len())
        {
            chunk.fill_from_iter(frame.iter().copied());
        }
    }
}
