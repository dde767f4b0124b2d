//! What an audio codec is called and how it is clocked.

/// Samples a second.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SampleRate(pub u32);

impl SampleRate {
    /// The telephone network's rate.
    pub const HZ_8000: Self = Self(8_000);
    /// Wideband.
    pub const HZ_16000: Self = Self(16_000);
    /// Fullband, the browsers' rate.
    pub const HZ_48000: Self = Self(48_000);

    /// Samples in one 20 ms frame.
    #[must_use]
    pub const fn frame_len(self) -> usize {
        (self.0 / 50) as usize
    }
}

/// An audio codec Partyline can carry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
pub enum AudioCodec {
    /// G.711 µ-law, RFC 3551 static payload type 0.
    Pcmu,
    /// G.711 A-law, RFC 3551 static payload type 8.
    Pcma,
}

impl AudioCodec {
    /// Every codec, best first.
    pub const ALL: [Self; 2] = [Self::Pcmu, Self::Pcma];

    /// The encoding name of the rtpmap attribute.
    #[must_use]
    pub const fn encoding_name(self) -> &'static str {
        match self {
            Self::Pcmu => "PCMU",
            Self::Pcma => "PCMA",
        }
    }

    /// The static payload type of RFC 3551, where there is one.
    #[must_use]
    pub const fn static_payload_type(self) -> Option<u8> {
        match self {
            Self::Pcmu => Some(0),
            Self::Pcma => Some(8),
        }
    }

    /// The RTP clock rate of the rtpmap attribute.
    #[must_use]
    pub const fn clock_rate(self) -> u32 {
        8_000
    }

    /// The rate of the samples it decodes to.
    #[must_use]
    pub const fn sample_rate(self) -> SampleRate {
        SampleRate::HZ_8000
    }
}
