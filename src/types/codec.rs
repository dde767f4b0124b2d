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
    /// Opus (RFC 6716, RFC 7587): fullband, a dynamic payload type.
    Opus,
    /// G.722 at 64 kb/s: wideband, static payload type 9. Its RTP clock runs at 8,000 though it samples at 16,000
    /// (RFC 3551 section 4.5.2).
    G722,
    /// G.711 µ-law, RFC 3551 static payload type 0.
    Pcmu,
    /// G.711 A-law, RFC 3551 static payload type 8.
    Pcma,
    /// G.729 and its annex A: 8 kb/s, static payload type 18.
    G729,
}

impl AudioCodec {
    /// Every codec, best first.
    pub const ALL: [Self; 5] = [Self::Opus, Self::G722, Self::Pcmu, Self::Pcma, Self::G729];
    /// What every telephone speaks.
    pub const G711: [Self; 2] = [Self::Pcmu, Self::Pcma];
    /// The codec of that name as settings and arguments write it: `opus`, `g722`, `pcmu`, `pcma`, `g729`.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|codec| codec.name() == name)
    }

    /// Its name in settings and arguments.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Opus => "opus",
            Self::G722 => "g722",
            Self::Pcmu => "pcmu",
            Self::Pcma => "pcma",
            Self::G729 => "g729",
        }
    }

    /// The encoding name of the rtpmap attribute.
    #[must_use]
    pub const fn encoding_name(self) -> &'static str {
        match self {
            Self::Opus => "opus",
            Self::G722 => "G722",
            Self::Pcmu => "PCMU",
            Self::Pcma => "PCMA",
            Self::G729 => "G729",
        }
    }

    /// The static payload type of RFC 3551, where there is one.
    #[must_use]
    pub const fn static_payload_type(self) -> Option<u8> {
        match self {
            Self::Opus => None,
            Self::G722 => Some(9),
            Self::Pcmu => Some(0),
            Self::Pcma => Some(8),
            Self::G729 => Some(18),
        }
    }

    /// The RTP clock rate of the rtpmap attribute, Hz: how fast timestamps run, whatever the samples do.
    #[must_use]
    pub const fn clock_rate(self) -> u32 {
        match self {
            Self::Opus => 48_000,
            Self::G722 | Self::Pcmu | Self::Pcma | Self::G729 => 8_000,
        }
    }

    /// The channels of the rtpmap attribute; Opus says two whatever is sent (RFC 7587 section 7).
    #[must_use]
    pub const fn channels(self) -> u32 {
        match self {
            Self::Opus => 2,
            _ => 1,
        }
    }

    /// The rate of the samples it decodes to.
    #[must_use]
    pub const fn sample_rate(self) -> SampleRate {
        match self {
            Self::Opus => SampleRate::HZ_48000,
            Self::G722 => SampleRate::HZ_16000,
            Self::Pcmu | Self::Pcma | Self::G729 => SampleRate::HZ_8000,
        }
    }
}

/// Which codecs are spoken with a peer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CodecPolicy {
    /// What an offer of ours holds, best first.
    pub offered: Vec<AudioCodec>,
    /// What is taken of an offer of the peer, best first.
    pub accepted: Vec<AudioCodec>,
    /// Whether the order of `accepted` decides what is sent, rather than the order of the offer.
    pub own_order: bool,
}

impl Default for CodecPolicy {
    /// G.711 is offered; Opus and G.722 are accepted as well, in the peer's order.
    fn default() -> Self {
        let accepted = vec![AudioCodec::Opus, AudioCodec::G722, AudioCodec::Pcmu, AudioCodec::Pcma];
        Self { offered: AudioCodec::G711.to_vec(), accepted, own_order: false }
    }
}

impl CodecPolicy {
    /// These alone, both ways, in this order.
    #[must_use]
    pub fn exactly(codecs: &[AudioCodec]) -> Self {
        Self { offered: codecs.to_vec(), accepted: codecs.to_vec(), own_order: true }
    }
}

/// How Opus is sent: what we are set to, within what the other side asks for (RFC 7587 section 6.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct OpusSettings {
    /// Bits a second: 6,000 to 128,000.
    pub bitrate: u32,
    /// The same where the other side loses packets, if that is more: for what mends losses.
    pub lossy_bitrate: u32,
    /// 0 (least work) to 10.
    pub complexity: u8,
    /// Whether packets carry what mends the loss of the one before (in-band FEC).
    pub fec: bool,
    /// Whether silence is not sent (DTX).
    pub dtx: bool,
    /// Whether all packets have one size.
    pub constant_bitrate: bool,
    /// Nothing above half of this rate has to be sent, Hz.
    pub max_playback_rate: u32,
}

impl Default for OpusSettings {
    /// 24 kb/s, 40 where packets are lost, complexity 6, FEC, no DTX.
    fn default() -> Self {
        Self {
            bitrate: 24_000,
            lossy_bitrate: 40_000,
            complexity: 6,
            fec: true,
            dtx: false,
            constant_bitrate: false,
            max_playback_rate: 48_000,
        }
    }
}
