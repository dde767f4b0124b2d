//! What goes into the jitter buffer and what comes out.

use std::time::Duration;

/// What a jitter buffer is made for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Settings {
    /// Clock rate of the timestamps and samples, Hz. Default 8,000.
    pub clock_rate: u32,
    /// The longest delay the buffer may add. Default 200 ms.
    pub max_delay: Duration,
    /// Whether packets may carry what mends the loss of the one before (FEC), see [`Pull::Recover`]. Default false.
    pub recovers: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self { clock_rate: 8_000, max_delay: Duration::from_millis(200), recovers: false }
    }
}

/// What became of a packet that was inserted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Inserted {
    /// It waits for its tick.
    Stored,
    /// It came after its sound was due and is dropped.
    Late,
    /// It holds more than 200 ms and is dropped.
    TooLong,
    /// It holds no sound.
    Empty,
}

/// One step of a tick: see [`super::JitterBuffer::pull`].
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
    /// Something is lost, and what comes after it is here: append this many samples, made of what that packet carries
    /// of them, if it does; and report what it carried with [`super::JitterBuffer::recovered`]. Only where
    /// [`Settings::recovers`].
    Recover {
        /// So many are lost here.
        samples: usize,
        /// So many samples after the first of them the packet begins.
        ahead: usize,
        /// How to decode the packet.
        payload_type: u8,
        /// That packet as it came; it is handed out in its turn.
        payload: &'a [u8],
    },
    /// Nobody is talking: append this many samples of silence (or comfort noise).
    Silence(usize),
    /// The delay should shrink: remove up to this many samples where it is heard least; report with
    /// [`super::JitterBuffer::shortened`]. With `force`, even where it is heard.
    Shorten {
        /// At most so many samples.
        most: usize,
        /// No good place was found for a long time: take any.
        force: bool,
    },
    /// The delay must grow: insert up to this many samples where it is heard least; report with
    /// [`super::JitterBuffer::lengthened`].
    Lengthen {
        /// At most so many samples.
        most: usize,
        /// As in [`Pull::Shorten`].
        force: bool,
    },
    /// The playout holds a frame: take it.
    Done,
}

/// What a packet carried of those lost before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Recovery {
    /// Nothing of what was asked for.
    Nothing,
    /// What was asked for, and no more than the packet before it (FEC).
    One,
    /// What was asked for, and it carries several packets before it (DRED).
    Several,
}

/// What a jitter buffer counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Statistics {
    /// Packets stored.
    pub stored: u64,
    /// Packets that came too late.
    pub late: u64,
    /// Packets of more than 200 ms, which are not played.
    pub too_long: u64,
    /// Packets thrown away unheard to keep the delay bounded.
    pub skipped: u64,
    /// Samples concealed.
    pub concealed_samples: u64,
    /// Samples of silence that stood in for sound, where there was too much to conceal.
    pub silent_samples: u64,
    /// Times at which a frame or part of one was concealed.
    pub concealments: u64,
    /// Packets that were lost, or pieces of them, and were recovered out of a later one ([`Pull::Recover`]).
    pub recoveries: u64,
    /// Samples removed to shorten the delay.
    pub shortened_samples: u64,
    /// Samples inserted to lengthen the delay (concealment apart).
    pub lengthened_samples: u64,
    /// Jumps of sequence number or timestamp that were followed.
    pub resyncs: u64,
    /// Delay of the sound last pulled, microseconds: from its packet's arrival to its playing.
    pub delay_us: u64,
    /// The greatest delay so far, microseconds.
    pub max_delay_us: u64,
}

/// What was done to the sound over the life of a buffer, in samples of the RTP clock. The names are those of WebRTC's
/// statistics (`RTCInboundRtpStreamStats`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
#[serde(default)]
pub struct LifetimeStatistics {
    /// Samples made up because their packet was lost or late, silence among them.
    pub concealed_samples: u64,
    /// Those of them that were silence.
    pub silent_concealed_samples: u64,
    /// Samples put in to make the delay longer.
    pub inserted_samples_for_deceleration: u64,
    /// Samples taken out to make the delay shorter.
    pub removed_samples_for_acceleration: u64,
}
