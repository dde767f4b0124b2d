//! The unit of the media plane's work.

use crate::types::SampleRate;

/// Samples in one 20 ms frame at 8 kHz.
pub const FRAME_8K: usize = 160;
/// Samples in the longest frame, 20 ms at 48 kHz.
pub const LONGEST_FRAME: usize = 960;

/// 20 ms of mono PCM at 8 kHz.
pub type Frame = [i16; FRAME_8K];

/// 20 ms of digital silence.
pub const SILENCE: Frame = [0; FRAME_8K];

/// The rates at which sound is mixed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Rate {
    /// 8 kHz, the telephone's.
    Narrow,
    /// 16 kHz.
    Wide,
    /// 48 kHz.
    Full,
}

impl Rate {
    /// All, the lowest first.
    pub const ALL: [Self; 3] = [Self::Narrow, Self::Wide, Self::Full];

    /// The rate of a codec's samples.
    #[must_use]
    pub const fn of(rate: SampleRate) -> Self {
        match rate.0 {
            0..=8_000 => Self::Narrow,
            8_001..=16_000 => Self::Wide,
            _ => Self::Full,
        }
    }

    /// Samples for each one at 8 kHz.
    #[must_use]
    pub const fn scale(self) -> usize {
        match self {
            Self::Narrow => 1,
            Self::Wide => 2,
            Self::Full => 6,
        }
    }

    /// Samples in a frame.
    #[must_use]
    pub const fn frame(self) -> usize {
        FRAME_8K * self.scale()
    }

    /// Samples a second.
    #[must_use]
    pub const fn hertz(self) -> u32 {
        match self {
            Self::Narrow => 8_000,
            Self::Wide => 16_000,
            Self::Full => 48_000,
        }
    }

    /// Its place in [`Rate::ALL`].
    #[must_use]
    pub const fn index(self) -> usize {
        self as usize
    }
}
