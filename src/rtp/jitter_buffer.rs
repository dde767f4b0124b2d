//! The jitter buffer: see [`JitterBuffer`].

use super::Header;
use std::time::{Duration, Instant};

/// What a jitter buffer is made for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Settings {
    /// Clock rate of the timestamps and samples, Hz. Default 8,000.
    pub clock_rate: u32,
    /// The longest delay the buffer may add. Default 200 ms.
    pub max_delay: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        Self { clock_rate: 8_000, max_delay: Duration::from_millis(200) }
    }
}

/// What became of a packet that was inserted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Inserted {
    /// It waits for its tick.
    Stored,
    /// It came after its sound was due and is dropped.
    Late,
    /// It was there before and is dropped.
    Duplicate,
    /// It is too large to be audio, or empty, and is dropped.
    Unfit,
}

/// One step of a tick: see [`JitterBuffer::pull`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pull<'a> {
    /// Decode this and append it to the playout.
    Packet {
        /// How to decode it.
        payload_type: u8,
        /// As it came.
        payload: &'a [u8],
    },
    /// A packet is lost or late: append this many concealed samples.
    Conceal(usize),
    /// Nobody is talking: append this many samples of silence (or comfort noise).
    Silence(usize),
    /// The delay should shrink: remove up to this many samples where it is heard least; report with
    /// [`JitterBuffer::shortened`]. With `force`, even where it is heard.
    Shorten {
        /// At most so many samples.
        most: usize,
        /// No good place was found for a long time: take any.
        force: bool,
    },
    /// The delay must grow: insert up to this many samples where it is heard least; report with
    /// [`JitterBuffer::lengthened`].
    Lengthen {
        /// At most so many samples.
        most: usize,
        /// As in [`Pull::Shorten`].
        force: bool,
    },
    /// The playout holds a frame: take it.
    Done,
}

/// What a jitter buffer counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Statistics {
    /// Packets stored.
    pub stored: u64,
    /// Packets that came too late.
    pub late: u64,
    /// Packets that came twice.
    pub duplicate: u64,
    /// Packets thrown away unheard to keep the delay bounded.
    pub skipped: u64,
    /// Samples concealed.
    pub concealed_samples: u64,
    /// Times at which a frame or part of one was concealed.
    pub concealments: u64,
    /// Samples removed to shorten the delay.
    pub shortened_samples: u64,
    /// Samples inserted to lengthen the delay (concealment apart).
    pub lengthened_samples: u64,
    /// Jumps of sequence number or timestamp that were followed.
    pub resyncs: u64,
    /// Delay of the sound last pulled: from its packet's arrival to its playing.
    pub delay: Duration,
    /// The greatest delay so far.
    pub max_delay: Duration,
}

/// Puts packets in order and in time. Drive it so, once for each 20 ms tick, after inserting what arrived
/// (`playout` is the leg's store of decoded samples, `crate::audio::playout::Playout`):
///
/// ```text
/// loop {
///     match buffer.pull(tick, playout.len()) {
///         Pull::Packet { payload_type, payload } => { decode; playout.push(samples) }
///         Pull::Conceal(n)  => playout.conceal(n),
///         Pull::Silence(n)  => playout.silence(n),
///         Pull::Shorten { most, force }  => { let n = playout.shorten(most, force); buffer.shortened(n) }
///         Pull::Lengthen { most, force } => { let n = playout.lengthen(most, force); buffer.lengthened(n) }
///         Pull::Done => break,
///     }
/// }
/// playout.take(&mut frame);
/// ```
///
/// The loop ends after at most a few dozen steps. `tick` is the tick's nominal time, not the moment at which a late
/// thread got to it.
#[derive(Debug)]
pub struct JitterBuffer {
    settings: Settings,
}

impl JitterBuffer {
    /// An empty buffer. The only call that allocates.
    #[must_use]
    pub fn new(settings: Settings) -> Self {
        Self { settings }
    }

    /// Takes a packet of audio in. `arrival` is the kernel's time of arrival; `samples` the length of its sound at the
    /// clock rate.
    pub fn insert(&mut self, arrival: Instant, header: &Header, samples: usize, payload: &[u8]) -> Inserted {
        let _ = (arrival, header, samples, payload, self.settings);
        todo!()
    }

    /// Takes note of a packet of the same source that carries no audio (a telephone event, comfort noise): its
    /// sequence number is not lost, and what follows until the next packet is silence and not to be concealed.
    pub fn insert_other(&mut self, arrival: Instant, header: &Header) {
        let _ = (arrival, header);
        todo!()
    }

    /// The next thing to do for the tick at `tick`; `pending` is how many decoded samples the playout holds.
    pub fn pull(&mut self, tick: Instant, pending: usize) -> Pull<'_> {
        let _ = (tick, pending);
        todo!()
    }

    /// What became of [`Pull::Shorten`]: samples removed, 0 for none.
    pub fn shortened(&mut self, samples: usize) {
        let _ = samples;
        todo!()
    }

    /// What became of [`Pull::Lengthen`]: samples inserted, 0 for none.
    pub fn lengthened(&mut self, samples: usize) {
        let _ = samples;
        todo!()
    }

    /// Forgets all packets and all that was learned (another SSRC, another codec): the next packet is played at the
    /// next tick. Counters stay.
    pub fn restart(&mut self) {
        todo!()
    }

    /// Whether there is nothing to play and nobody talking: a tick may be skipped for this leg, as silence.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        todo!()
    }

    /// What it counted.
    #[must_use]
    pub fn statistics(&self) -> Statistics {
        todo!()
    }
}
