//! Sound that is played, and where sound goes that is recorded.

use super::Live;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// Mono PCM, decoded before it reaches a media thread, shared between all that play it: at 8 kHz, and where there is
/// more to hear, at 16 kHz as well. So a telephone hears a wideband prompt without any conversion in the tick.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pcm {
    narrow: Arc<[i16]>,
    wide: Option<Arc<[i16]>>,
}

impl Pcm {
    /// The same sound at 8 and 16 kHz. What `wide` has more or less than twice the samples of `narrow` is cut off or
    /// silence.
    #[must_use]
    pub fn wideband(narrow: Vec<i16>, mut wide: Vec<i16>) -> Self {
        wide.resize(2 * narrow.len(), 0);
        Self { narrow: narrow.into(), wide: Some(wide.into()) }
    }

    /// The samples at 8 kHz.
    #[must_use]
    pub fn narrow(&self) -> &[i16] {
        &self.narrow
    }

    /// The samples at 16 kHz, twice as many.
    #[must_use]
    pub fn wide(&self) -> Option<&[i16]> {
        self.wide.as_deref()
    }

    /// How long it sounds.
    #[must_use]
    pub fn duration(&self) -> Duration {
        Duration::from_micros(self.narrow.len() as u64 * 125)
    }

    /// Sample `at` of those at 8 kHz as a [`Stream`] takes it; silence beyond the end.
    #[must_use]
    pub fn stream_sample(&self, at: usize) -> StreamSample {
        let narrow = self.narrow.get(at).copied().unwrap_or_default();
        let wide = self.wide.as_ref().and_then(|wide| wide.get(2 * at..2 * at + 2));
        let wide = wide.and_then(|wide| wide.try_into().ok()).unwrap_or([narrow; 2]);
        StreamSample { narrow, wide }
    }
}

impl From<Vec<i16>> for Pcm {
    /// Sound at 8 kHz.
    fn from(narrow: Vec<i16>) -> Self {
        Self { narrow: narrow.into(), wide: None }
    }
}

impl FromIterator<i16> for Pcm {
    /// Sound at 8 kHz.
    fn from_iter<I: IntoIterator<Item = i16>>(narrow: I) -> Self {
        Self { narrow: narrow.into_iter().collect(), wide: None }
    }
}

/// A piece of sound for a player.
#[derive(Debug, Clone, PartialEq)]
pub enum Clip {
    /// Samples as they are.
    Samples(Pcm),
    /// The same samples over and over.
    Loop(Pcm),
    /// Silence.
    Silence(Duration),
    /// Sound that is made while it is played. It can be played once.
    Stream(Stream),
    /// Sound of somebody who is there: the player goes on when nobody hears it, until the other end is dropped.
    Live(Live),
    /// From the first clip again.
    Restart,
}

/// An eighth of a millisecond of a [`Stream`], at both rates.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct StreamSample {
    /// At 8 kHz.
    pub narrow: i16,
    /// At 16 kHz.
    pub wide: [i16; 2],
}

/// The end of a bounded ring that a player reads. Where nothing is ready the player is silent and waits; it is over
/// when the other end is dropped and all is played.
#[derive(Debug, Clone)]
pub struct Stream(Arc<Mutex<Option<rtrb::Consumer<StreamSample>>>>);

impl Stream {
    /// A stream with room for `samples` at 8 kHz, and the end to write to. Once the player is gone,
    /// [`rtrb::Producer::is_abandoned`] says so.
    #[must_use]
    pub fn new(samples: usize) -> (rtrb::Producer<StreamSample>, Self) {
        let (producer, consumer) = rtrb::RingBuffer::new(samples);
        (producer, Self(Arc::new(Mutex::new(Some(consumer)))))
    }

    /// The reading end, for a test of whoever writes.
    #[cfg(test)]
    pub(crate) fn take_for_test(&self) -> Option<rtrb::Consumer<StreamSample>> {
        self.take()
    }

    /// The reading end, for the first who asks.
    pub(in crate::media) fn take(&self) -> Option<rtrb::Consumer<StreamSample>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

impl PartialEq for Stream {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

/// Where a recorder's samples go: a bounded ring whose other end the gateway keeps.
#[derive(Debug, Clone)]
pub struct RecorderSink(pub Arc<Mutex<Option<rtrb::Producer<i16>>>>);
