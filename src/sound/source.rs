//! The octets of a sound, counted: how far it was read, and how much of it gave nothing that can be heard.

use std::io::{self, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// What is read without any sound coming of it before the rest is not worth it.
const WORTHLESS: u64 = 4 << 20;

/// Octets from anywhere.
pub(super) type Octets = Box<dyn Read + Send + Sync>;

/// How far a source was read.
#[derive(Debug, Clone, Default)]
pub(super) struct Meter(Arc<Counts>);

#[derive(Debug, Default)]
struct Counts {
    position: AtomicU64,
    without_sound: AtomicU64,
}

impl Meter {
    /// Octets read so far: decoders read a little ahead.
    pub(super) fn position(&self) -> u64 {
        self.0.position.load(Ordering::Relaxed)
    }

    /// Sound came of what was read.
    pub(super) fn heard(&self) {
        self.0.without_sound.store(0, Ordering::Relaxed);
    }
}

/// A source with its meter. It ends in an error where nothing comes of it for too long.
pub(super) struct Metered {
    inner: Octets,
    meter: Meter,
}

impl Metered {
    pub(super) const fn new(inner: Octets, meter: Meter) -> Self {
        Self { inner, meter }
    }

    /// Passes over what is no sound and says so: pictures may be large.
    pub(super) fn skip(&mut self, length: u64) -> io::Result<()> {
        let skipped = io::copy(&mut self.inner.by_ref().take(length), &mut io::sink())?;
        self.meter.0.position.fetch_add(skipped, Ordering::Relaxed);
        Ok(())
    }
}

impl Read for Metered {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let counts = &self.meter.0;
        if counts.without_sound.load(Ordering::Relaxed) > WORTHLESS {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "no sound in 4 MiB"));
        }
        let length = self.inner.read(buffer)?;
        counts.position.fetch_add(length as u64, Ordering::Relaxed);
        counts.without_sound.fetch_add(length as u64, Ordering::Relaxed);
        Ok(length)
    }
}

/// Fills as much of `buffer` as there is.
pub(super) fn read_up_to(reader: &mut impl Read, buffer: &mut [u8]) -> io::Result<usize> {
    let mut length = 0;
    while let Some(rest) = buffer.get_mut(length..).filter(|rest| !rest.is_empty()) {
        match reader.read(rest) {
            Ok(0) => break,
            Ok(count) => length += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(length)
}
