//! A leg's decoded samples on their way to the tick: see [`Playout`].

use super::Frame;

/// The store of decoded samples between decoder and tick: appends, conceals, shortens, lengthens, and hands out frames.
///
/// The driving loop stands at `crate::rtp::JitterBuffer`. Fixed size, about 4 KiB; nothing allocates after [`Playout::new`].
#[derive(Debug, Clone)]
pub struct Playout {
    len: usize,
}

impl Playout {
    /// An empty playout.
    #[must_use]
    pub fn new() -> Self {
        Self { len: 0 }
    }

    /// Decoded samples that wait.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.len
    }

    /// Whether none waits.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Appends `count` samples which `decode` writes into the slice it is given (zeroed or stale: it must fill it), cross-faded
    /// with concealment that came before. More than fits is cut off (a packet is never that long).
    pub fn push_with(&mut self, count: usize, decode: impl FnOnce(&mut [i16])) {
        let _ = (count, decode);
        todo!()
    }

    /// Appends samples, cross-faded with concealment that came before.
    pub fn push(&mut self, samples: &[i16]) {
        self.push_with(samples.len(), |out| out.copy_from_slice(&samples[..out.len()]));
    }

    /// Appends `count` samples made from what was heard before; they fade to silence within 60 ms.
    pub fn conceal(&mut self, count: usize) {
        let _ = count;
        todo!()
    }

    /// Appends `count` samples of silence, faded into.
    pub fn silence(&mut self, count: usize) {
        let _ = count;
        todo!()
    }

    /// Removes up to `most` samples where it is heard least (a pitch period, or a piece of silence). Returns how many:
    /// 0 where there is no such place and `force` is not given.
    pub fn shorten(&mut self, most: usize, force: bool) -> usize {
        let _ = (most, force);
        todo!()
    }

    /// Inserts up to `most` samples where it is heard least. Returns how many, as [`Playout::shorten`].
    pub fn lengthen(&mut self, most: usize, force: bool) -> usize {
        let _ = (most, force);
        todo!()
    }

    /// Takes the next 20 ms. What is missing is concealed.
    pub fn take(&mut self, frame: &mut Frame) {
        let _ = frame;
        todo!()
    }

    /// Forgets all, the past included.
    pub fn clear(&mut self) {
        todo!()
    }
}

impl Default for Playout {
    fn default() -> Self {
        Self::new()
    }
}
