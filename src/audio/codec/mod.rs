//! Codecs: what has state belongs to the sender or receiver of one stream.

pub mod adpcm;
pub mod comfort_noise;
pub mod g711;
pub mod g722;
pub mod g729;
pub mod gsm;
pub mod opus;

pub use opus::Repair;

use super::Rate;
use crate::types::{AudioCodec, OpusSettings};
use std::sync::{Arc, OnceLock};

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

/// What codecs need that is not built in, once it is loaded. Clones share it.
#[derive(Debug, Clone, Default)]
pub struct Libraries {
    g729: Arc<OnceLock<Arc<g729::Library>>>,
}

impl Libraries {
    /// Loads what G.729 needs, unless that was done. Reads files.
    ///
    /// # Errors
    /// The library is not there, or another one.
    pub fn load_g729(&self) -> Result<(), g729::LoadError> {
        if self.g729.get().is_none() {
            let library = g729::Library::load(g729::LIBRARY)?;
            // Somebody else may have been quicker: then it is the same.
            let _ = self.g729.set(library);
        }
        Ok(())
    }
}

/// What became of a lost packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Made {
    /// Nothing was made.
    Nothing,
    /// It was guessed from what came before.
    Guessed,
    /// It was made of what a later packet carries of it, which carries no more than that.
    Recovered,
    /// It was made of what a later packet carries of it, which carries more that went before it.
    Described,
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
    /// G.729.
    G729(g729::Decoder),
}

impl Decoder {
    /// A decoder at the beginning of a stream; `None` for a codec whose library is not loaded. Allocates.
    #[must_use]
    pub fn new(codec: AudioCodec, libraries: &Libraries) -> Option<Self> {
        match codec {
            AudioCodec::Pcmu => Some(Self::Pcmu),
            AudioCodec::Pcma => Some(Self::Pcma),
            AudioCodec::G722 => Some(Self::G722(Box::default())),
            AudioCodec::Opus => Some(Self::Opus(Box::new(opus::Decoder::new(Rate::Full)?))),
            AudioCodec::G729 => Some(Self::G729(g729::Decoder::new(libraries.g729.get()?)?)),
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
            Self::G729(_) => AudioCodec::G729,
        }
    }

    /// The law of G.711, which needs no state.
    #[must_use]
    pub const fn law(&self) -> Option<g711::Law> {
        match self {
            Self::Pcmu => Some(g711::Law::Mu),
            Self::Pcma => Some(g711::Law::A),
            Self::G722(_) | Self::Opus(_) | Self::G729(_) => None,
        }
    }

    /// Decodes a payload into samples at the codec's rate, as many as both slices hold. What it does not write is left
    /// as it is. Returns how many were written: fewer than [`duration`] promises where the payload cannot be read.
    pub fn decode(&mut self, payload: &[u8], samples: &mut [i16]) -> usize {
        match self {
            Self::Pcmu => g711::decode_ulaw(payload, samples),
            Self::Pcma => g711::decode_alaw(payload, samples),
            Self::G722(decoder) => decoder.decode(payload, samples),
            Self::Opus(decoder) => decoder.decode(payload, samples).unwrap_or(0),
            Self::G729(decoder) => decoder.decode(payload, samples).unwrap_or(0),
        }
    }

    /// In pieces of how many samples it conceals by what it knows of the voice; `None` where it does not, and
    /// [`Decoder::conceal`] is not to be asked.
    #[must_use]
    pub const fn conceals(&self) -> Option<usize> {
        match self {
            Self::Opus(_) => Some(opus::CONCEALED),
            Self::G729(_) => Some(g729::FRAME),
            Self::Pcmu | Self::Pcma | Self::G722(_) => None,
        }
    }

    /// Whether the sender said that it pauses and what its room sounds like, which [`Decoder::conceal`] then goes on
    /// with.
    #[must_use]
    pub const fn is_in_pause(&self) -> bool {
        matches!(self, Self::G729(decoder) if decoder.is_in_pause())
    }

    /// Makes the samples of a lost packet: out of `next`, a packet that comes so many samples after their begin, where
    /// that carries them.
    pub fn conceal(&mut self, next: Option<(&[u8], usize)>, samples: &mut [i16], repair: &mut Repair) -> Made {
        match self {
            Self::Opus(decoder) => match next {
                Some((next, ahead)) => decoder.decode_lost_from(next, ahead, samples, repair).unwrap_or(Made::Nothing),
                None => decoder.conceal(samples, repair).map_or(Made::Nothing, |_| Made::Guessed),
            },
            Self::G729(decoder) => {
                if decoder.conceal(samples) == samples.len() {
                    Made::Guessed
                } else {
                    Made::Nothing
                }
            }
            _ => Made::Nothing,
        }
    }

    /// Another stream begins.
    pub fn reset(&mut self) {
        match self {
            Self::Pcmu | Self::Pcma => {}
            Self::G722(decoder) => **decoder = g722::Decoder::default(),
            Self::Opus(decoder) => decoder.reset(),
            Self::G729(decoder) => decoder.reset(),
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
    /// G.729.
    G729(g729::Encoder),
}

impl Encoder {
    /// An encoder at the beginning of a stream; `None` for a codec whose library is not loaded. Allocates.
    #[must_use]
    pub fn new(codec: AudioCodec, settings: &OpusSettings, libraries: &Libraries) -> Option<Self> {
        match codec {
            AudioCodec::Pcmu => Some(Self::Pcmu),
            AudioCodec::Pcma => Some(Self::Pcma),
            AudioCodec::G722 => Some(Self::G722(Box::default())),
            AudioCodec::Opus => Some(Self::Opus(Box::new(opus::Encoder::new(Rate::Full, settings)?))),
            AudioCodec::G729 => Some(Self::G729(g729::Encoder::new(libraries.g729.get()?)?)),
        }
    }

    /// Encodes samples at the codec's rate. Returns the octets written; 0 where nothing is to be sent (DTX).
    pub fn encode(&mut self, samples: &[i16], payload: &mut [u8]) -> usize {
        match self {
            Self::Pcmu => g711::encode_ulaw(samples, payload),
            Self::Pcma => g711::encode_alaw(samples, payload),
            Self::G722(encoder) => encoder.encode(samples, payload),
            Self::Opus(encoder) => encoder.encode(samples, payload).unwrap_or(0),
            Self::G729(encoder) => encoder.encode(samples, payload),
        }
    }

    /// Takes over the state of another encoder of the same codec and settings, so that a decoder which heard that one's
    /// stream hears this one's without a seam. Allocates nothing. That of G.729 cannot be copied: it stays as it is.
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
