//! Sound from somebody outside who is there for a while: a bot, or whoever sends media by a WebSocket.

use super::{Stream, StreamSample};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// Samples at 8 kHz in a second.
const RATE: u64 = 8_000;
/// What comes first where nothing waits: so late may the next piece be without a gap, 20 ms.
const MARGIN: usize = 160;

/// The player's end of live sound. Unlike a [`Stream`] it goes on while nobody hears it, and what waits in it can be
/// thrown away.
#[derive(Debug, Clone)]
pub struct Live {
    stream: Stream,
    from: Arc<AtomicU64>,
}

/// The other end. Its player is over when this is dropped and all is played.
#[derive(Debug)]
pub struct LiveWriter {
    ring: rtrb::Producer<StreamSample>,
    from: Arc<AtomicU64>,
    written: u64,
}

/// What a player reads of live sound.
#[derive(Debug)]
pub(in crate::media) struct LiveReader {
    pub(in crate::media) ring: rtrb::Consumer<StreamSample>,
    from: Arc<AtomicU64>,
    read: u64,
}

impl PartialEq for Live {
    fn eq(&self, other: &Self) -> bool {
        self.stream == other.stream
    }
}

impl Live {
    /// Room for `length` of sound, and the end to write to.
    #[must_use]
    pub fn new(length: Duration) -> (LiveWriter, Self) {
        let samples = usize::try_from(length.as_millis()).unwrap_or(usize::MAX).saturating_mul(8);
        let (ring, stream) = Stream::new(samples);
        let from = Arc::new(AtomicU64::new(0));
        (LiveWriter { ring, from: Arc::clone(&from), written: 0 }, Self { stream, from })
    }

    /// The reading end, for a test of whoever writes.
    #[cfg(test)]
    pub(crate) fn take_for_test(&self) -> Option<rtrb::Consumer<StreamSample>> {
        self.stream.take()
    }

    /// The reading end, for the first who asks.
    pub(in crate::media) fn take(&self) -> Option<LiveReader> {
        Some(LiveReader { ring: self.stream.take()?, from: Arc::clone(&self.from), read: 0 })
    }
}

impl LiveWriter {
    /// Adds samples, behind a margin of silence where nothing waits. Says how many there was no room for: the last.
    pub fn write(&mut self, samples: &[StreamSample]) -> usize {
        if samples.is_empty() {
            return 0;
        }
        if self.waiting().is_zero() {
            self.put(&[StreamSample::default(); MARGIN]);
        }
        samples.len() - self.put(samples)
    }

    fn put(&mut self, samples: &[StreamSample]) -> usize {
        let count = samples.len().min(self.ring.slots());
        let Ok(chunk) = self.ring.write_chunk_uninit(count) else { return 0 };
        let put = chunk.fill_from_iter(samples.iter().copied());
        self.written += put as u64;
        put
    }

    /// Throws away what is not played yet.
    pub fn clear(&mut self) {
        self.from.store(self.written, Ordering::Release);
    }

    /// How much is not played yet.
    #[must_use]
    pub fn waiting(&self) -> Duration {
        let held = self.ring.buffer().capacity() - self.ring.slots();
        let kept = self.written.saturating_sub(self.from.load(Ordering::Relaxed)).min(held as u64);
        Duration::from_micros(kept * 1_000_000 / RATE)
    }

    /// Whether the player is gone.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.ring.is_abandoned()
    }
}

impl LiveReader {
    /// Passes over what was thrown away.
    pub(in crate::media) fn discard(&mut self) {
        let gone = self.from.load(Ordering::Acquire).saturating_sub(self.read);
        if gone > 0 {
            let count = usize::try_from(gone).unwrap_or(usize::MAX).min(self.ring.slots());
            if let Ok(chunk) = self.ring.read_chunk(count) {
                chunk.commit_all();
            }
            self.read += count as u64;
        }
    }

    /// So many were read.
    pub(in crate::media) fn note_read(&mut self, count: usize) {
        self.read += count as u64;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn samples(from: i16, count: i16) -> Vec<StreamSample> {
        (from..from + count).map(|n| StreamSample { narrow: n, wide: [n; 2] }).collect()
    }

    #[test]
    fn what_is_thrown_away_is_not_read_and_what_follows_is() {
        let (mut writer, live) = Live::new(Duration::from_millis(100));
        let mut reader = live.take().unwrap();
        assert!(live.take().is_none(), "there is one reading end");
        assert_eq!((writer.write(&samples(1, 100)), writer.waiting()), (0, Duration::from_micros(32_500)));
        writer.clear();
        assert_eq!(writer.waiting(), Duration::ZERO);
        assert_eq!(writer.write(&samples(500, 10)), 0, "behind a margin again");
        reader.discard();
        let left: Vec<i16> = std::iter::from_fn(|| reader.ring.pop().ok()).map(|sample| sample.narrow).collect();
        assert_eq!((left.len(), left[MARGIN - 1], left[MARGIN]), (MARGIN + 10, 0, 500));
    }

    #[test]
    fn what_there_is_no_room_for_is_told() {
        let (mut writer, live) = Live::new(Duration::from_millis(40));
        assert_eq!(writer.write(&samples(1, 200)), 40, "320 are room for the margin and 160");
        assert!(!writer.is_over());
        drop(live);
        assert!(writer.is_over());
    }
}
