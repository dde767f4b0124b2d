//! Codecs: what has state belongs to the sender or receiver of one stream.

pub mod adpcm;
pub mod comfort_noise;
pub mod g711;
pub mod g722;
pub mod g729;
pub mod gsm;
pub mod opus;

use super::Rate;
use crate::types::{AudioCodec, OpusSettings};

/// The longest payload an encoder makes for 60 ms, octets.
pub const LONGEST_PAYLOAD: usize = 1_276;

/// The sound of one payload, in units of the codec's RTP clock; 0 where it cannot be read.
#[must_use]
pub fn duration(codec: AudioCodec, payload: &[u8]) -> usize {
    match codec {
        // An octet is one unit of the clock; in G.722 it holds two samples.
        AudioCodec::Pcmu | AudioCodec::Pcma | AudioCodec::G722 => payload.len(),
        AudioCodec::G729 => g729::packet_duration(payload).unwrap_or(0),
        AudioCodec::Opus => opus::packet_duration(payload).unwrap_or(0),
    }
}

/// Decodes one stream.
#[derive(Debug)]
pub enum Decoder {
    /// G.711 µ-law.
    Pcmu,
    /// G.711 A-law.
    Pcma,
    /// G.722.
    G722(Box<g722::Decoder>),
    /// Opus.
    Opus(Box<opus::Decoder>),
}

impl Decoder {
    /// A decoder at the beginning of a stream; `None` for a codec that is not built in. Allocates.
    #[must_use]
    pub fn new(codec: AudioCodec) -> Option<Self> {
        match codec {
            AudioCodec::Pcmu => Some(Self::Pcmu),
            AudioCodec::Pcma => Some(Self::Pcma),
            AudioCodec::G722 => Some(Self::G722(Box::default())),
            AudioCodec::Opus => Some(Self::Opus(Box::new(opus::Decoder::new(Rate::Full)?))),
            AudioCodec::G729 => None,
        }
    }

    /// The codec.
    #[must_use]
    pub const fn codec(&self) -> AudioCodec {
        match self {
            Self::Pcmu => AudioCodec::Pcmu,
            Self::Pcma => AudioCodec::Pcma,
            Self::G722(_) => AudioCodec::G722,
            Self::Opus(_) => AudioCodec::Opus,
        }
    }

    /// The law of G.711, which needs no state.
    #[must_use]
    pub const fn law(&self) -> Option<g711::Law> {
        match self {
            Self::Pcmu => Some(g711::Law::Mu),
            Self::Pcma => Some(g711::Law::A),
            Self::G722(_) | Self::Opus(_) => None,
        }
    }

    /// Decodes a payload into samples at the codec's rate, as many as both slices hold. What it does not write is left as
    /// it is. Returns how many were written: fewer than [`duration`] promises where the payload cannot be read.
    pub fn decode(&mut self, payload: &[u8], samples: &mut [i16]) -> usize {
        match self {
            Self::Pcmu => g711::decode_ulaw(payload, samples),
            Self::Pcma => g711::decode_alaw(payload, samples),
            Self::G722(decoder) => decoder.decode(payload, samples),
            Self::Opus(decoder) => decoder.decode(payload, samples).unwrap_or(0),
        }
    }

    /// Whether it conceals by what it knows of the voice, and so whether [`Decoder::conceal`] may be asked.
    #[must_use]
    pub const fn conceals(&self) -> bool {
        matches!(self, Self::Opus(_))
    }

    /// Makes the samples of a lost packet: out of `next`, the packet that follows it, where that carries them. False where
    /// nothing was made.
    pub fn conceal(&mut self, next: Option<&[u8]>, samples: &mut [i16]) -> bool {
        match self {
            Self::Opus(decoder) => match next {
                Some(next) => decoder.decode_lost_from(next, samples).is_ok(),
                None => decoder.conceal(samples).is_ok(),
            },
            _ => false,
        }
    }

    /// Another stream begins.
    pub fn reset(&mut self) {
        match self {
            Self::Pcmu | Self::Pcma => {}
            Self::G722(decoder) => **decoder = g722::Decoder::default(),
            Self::Opus(decoder) => decoder.reset(),
        }
    }
}

/// Encodes one stream.
#[derive(Debug)]
pub enum Encoder {
    /// G.711 µ-law.
    Pcmu,
    /// G.711 A-law.
    Pcma,
    /// G.722.
    G722(Box<g722::Encoder>),
    /// Opus.
    Opus(Box<opus::Encoder>),
}

impl Encoder {
    /// An encoder at the beginning of a stream; `None` for a codec that is not built in. Allocates.
    #[must_use]
    pub fn new(codec: AudioCodec, settings: &OpusSettings) -> Option<Self> {
        match codec {
            AudioCodec::Pcmu => Some(Self::Pcmu),
            AudioCodec::Pcma => Some(Self::Pcma),
            AudioCodec::G722 => Some(Self::G722(Box::default())),
            AudioCodec::Opus => Some(Self::Opus(Box::new(opus::Encoder::new(Rate::Full, settings)?))),
            AudioCodec::G729 => None,
        }
    }

    /// Encodes samples at the codec's rate. Returns the octets written; 0 where nothing is to be sent (DTX).
    pub fn encode(&mut self, samples: &[i16], payload: &mut [u8]) -> usize {
        match self {
            Self::Pcmu => g711::encode_ulaw(samples, payload),
            Self::Pcma => g711::encode_alaw(samples, payload),
            Self::G722(encoder) => encoder.encode(samples, payload),
            Self::Opus(encoder) => encoder.encode(samples, payload).unwrap_or(0),
        }
    }

    /// Takes over the state of another encoder of the same codec and settings, so that a decoder which heard that one's
    /// stream hears this one's without a seam. Allocates nothing.
    pub fn copy_from(&mut self, other: &Self) {
        match (self, other) {
            (Self::G722(own), Self::G722(other)) => own.clone_from(other),
            (Self::Opus(own), Self::Opus(other)) => own.copy_from(other),
            _ => {}
        }
    }

    /// The other side loses so many packets of a hundred.
    pub fn expect_loss(&mut self, percent: u8) {
        if let Self::Opus(encoder) = self {
            encoder.expect_loss(percent);
        }
    }
}
